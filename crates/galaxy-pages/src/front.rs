//! What stands at the head of a Markdown file.

use serde::Deserialize;

/// The front matter.
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

/// Front matter and the text behind it, or what is wrong.
pub(crate) fn split(text: &str) -> Result<(Front, &str), String> {
    let rest = text.strip_prefix("---\n").ok_or("it does not begin with `---`")?;
    let (head, body) = rest.split_once("\n---\n").ok_or("its front matter has no end")?;
    let front: Front =
        serde_saphyr::from_str(head).map_err(|error| format!("front matter: {error}"))?;
    check(&front)?;
    Ok((front, body))
}

pub(crate) fn check(front: &Front) -> Result<(), String> {
    let length = front.description.chars().count();
    if !(40..=170).contains(&length) {
        return Err(format!("its description has {length} characters, not 40 to 170"));
    }
    if front.title.trim().is_empty() || front.title.chars().count() > 70 {
        return Err("its title must have 1 to 70 characters".into());
    }
    let form = time::macros::format_description!("[year]-[month]-[day]");
    match &front.date {
        Some(date) if time::Date::parse(date, form).is_err() => {
            Err(format!("`{date}` is not a date such as 2026-03-21"))
        }
        None if front.kind == Kind::Blog => Err("a page of kind `blog` needs its `date`".into()),
        _ => Ok(()),
    }
}
