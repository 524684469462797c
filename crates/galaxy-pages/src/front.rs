//! The front matter of a page's file.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The front matter of a Markdown file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Front {
    pub(crate) title: String,
    pub(crate) description: String,
    /// What navigation calls it, where the title is too long for that.
    #[serde(default)]
    pub(crate) nav: Option<String>,
    #[serde(default = "usual_order")]
    pub(crate) order: i64,
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) date: Option<String>,
}

fn usual_order() -> i64 {
    100
}

/// What sort of text it is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Guide,
    Tutorial,
    Runbook,
    Explanation,
    Reference,
    Blog,
    Legal,
}

/// The front matter of a page of `sites/`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppFront {
    /// The whole content of `<title>`.
    pub(crate) title: String,
    pub(crate) description: String,
    /// What the site's navigation calls it; without it, it is not listed there.
    #[serde(default)]
    pub(crate) nav: Option<String>,
    /// Its place in the navigation.
    #[serde(default = "usual_order")]
    pub(crate) order: i64,
    /// Its program.
    #[serde(default)]
    pub(crate) script: Option<String>,
    /// A style sheet in addition to the shared one.
    #[serde(default)]
    pub(crate) style: Option<String>,
}

/// Front matter and the text behind it, or what is wrong.
pub(crate) fn split(text: &str) -> Result<(Front, &str), String> {
    let (front, body) = parts::<Front>(text)?;
    check(&front)?;
    Ok((front, body))
}

/// The same for a page of `sites/`.
pub(crate) fn split_app(text: &str) -> Result<(AppFront, &str), String> {
    let (front, body) = parts::<AppFront>(text)?;
    check_words(&front.title, &front.description)?;
    Ok((front, body))
}

fn parts<T: DeserializeOwned>(text: &str) -> Result<(T, &str), String> {
    let rest = text.strip_prefix("---\n").ok_or("it does not begin with `---`")?;
    let (head, body) = rest.split_once("\n---\n").ok_or("its front matter has no end")?;
    let front = serde_saphyr::from_str(head).map_err(|error| format!("front matter: {error}"))?;
    Ok((front, body))
}

pub(crate) fn check(front: &Front) -> Result<(), String> {
    check_words(&front.title, &front.description)?;
    let form = time::macros::format_description!("[year]-[month]-[day]");
    match &front.date {
        Some(date) if time::Date::parse(date, form).is_err() => {
            Err(format!("`{date}` is not a date such as 2026-03-21"))
        }
        None if front.kind == Kind::Blog => Err("a page of kind `blog` needs its `date`".into()),
        _ => Ok(()),
    }
}

fn check_words(title: &str, description: &str) -> Result<(), String> {
    let length = description.chars().count();
    if !(40..=170).contains(&length) {
        return Err(format!("its description has {length} characters, not 40 to 170"));
    }
    if title.trim().is_empty() || title.chars().count() > 70 {
        return Err("its title must have 1 to 70 characters".into());
    }
    Ok(())
}
