//! The one layout: head, header, navigation, footer.

use askama::Template;

use crate::feeds;
use crate::links::Link;
use crate::markdown::{Heading, escape};
use crate::nav::{Entry, Group, Tree};
use crate::page::Made;
use crate::sites::{self, SITES, SiteHead};
use crate::{Mistake, Text, broken};

/// A page with a program of its own, from `sites/`.
pub(crate) struct App {
    pub(crate) site: &'static SiteHead,
    pub(crate) path: String,
    pub(crate) file: String,
    pub(crate) html: String,
    pub(crate) links: Vec<Link>,
}

impl App {
    /// What stands in its `<title>`.
    pub(crate) fn title(&self) -> String {
        let rest = self.html.split("<title>").nth(1).unwrap_or_default();
        rest.split('<').next().unwrap_or_default().to_owned()
    }

    /// Its description.
    pub(crate) fn description(&self) -> String {
        let rest = self.html.split("name=\"description\" content=\"").nth(1);
        rest.unwrap_or_default().split('"').next().unwrap_or_default().to_owned()
    }
}

/// The header of every page.
#[derive(Template)]
#[template(path = "header.html")]
struct Header<'a> {
    site: &'a SiteHead,
    sites: &'a [SiteHead; 5],
    sections: Vec<Entry>,
    here: &'a str,
}

/// The footer of every page.
#[derive(Template)]
#[template(path = "footer.html")]
struct Footer<'a> {
    site: &'a SiteHead,
}

/// A whole page.
#[derive(Template)]
#[template(path = "page.html")]
pub(crate) struct Whole<'a> {
    pub(crate) site: &'a SiteHead,
    pub(crate) title: &'a str,
    pub(crate) description: &'a str,
    pub(crate) date: Option<&'a str>,
    pub(crate) header: String,
    pub(crate) footer: String,
    pub(crate) script: &'a str,
    pub(crate) feed: Option<&'a str>,
    pub(crate) crumbs: Vec<Entry>,
    pub(crate) body: &'a str,
    pub(crate) contents: Vec<&'a Heading>,
    pub(crate) list: Vec<Group>,
    pub(crate) side: Option<(Entry, Vec<Group>)>,
    pub(crate) before: Option<Entry>,
    pub(crate) after: Option<Entry>,
}

/// Escapes a text and makes code of what stands between backticks.
pub(crate) fn inline(text: impl AsRef<str>) -> String {
    let part = |(at, part): (usize, &str)| {
        if at % 2 == 1 {
            format!("<code>{}</code>", escape(part))
        } else {
            escape(&part.replace('\'', "’"))
        }
    };
    text.as_ref().split('`').enumerate().map(part).collect()
}

/// A text without its backticks.
pub(crate) fn plain(text: impl AsRef<str>) -> String {
    text.as_ref().replace('`', "").replace('\'', "’")
}

pub(crate) fn header(site: &SiteHead, here: &str, tree: &Tree<'_>) -> Result<String, Mistake> {
    let header = Header { site, sites: &SITES, sections: tree.sections(site, here), here };
    header.render().map_err(|error| broken("header.html", error))
}

pub(crate) fn footer(site: &SiteHead) -> Result<String, Mistake> {
    Footer { site }.render().map_err(|error| broken("footer.html", error))
}

/// A page made of Markdown.
pub(crate) fn page(made: &Made, tree: &Tree<'_>) -> Result<Text, Mistake> {
    let page = &made.page;
    let headings: Vec<&Heading> =
        made.rendered.headings.iter().filter(|heading| heading.level == 2).collect();
    let contents = if headings.len() >= 3 { headings } else { Vec::new() };
    let (before, after) = tree.around(page);
    let whole = Whole {
        site: page.site,
        title: &page.front.title,
        description: &page.front.description,
        date: page.front.date.as_deref(),
        header: header(page.site, &page.path, tree)?,
        footer: footer(page.site)?,
        script: "/shared/beak.js",
        feed: feeds::feed_of(page.site),
        crumbs: tree.crumbs(page),
        body: &made.rendered.html,
        contents,
        list: tree.groups(page.site, &page.path, ""),
        side: tree.section(page.site, &page.path),
        before,
        after,
    };
    let text = whole.render().map_err(|error| broken("page.html", error))?;
    Ok(Text { path: format!("{}{}index.html", page.site.name, page.path), text })
}

/// Where header and footer go in a page of `sites/`; whatever stands there is replaced.
const MARKS: [(&str, &str); 2] =
    [("<header class=\"top\">", "</header>"), ("<footer class=\"foot\">", "</footer>")];

/// Reads the pages of `sites/`; the one for what is not there is every site's.
pub(crate) fn apps(files: &[Text], mistakes: &mut Vec<Mistake>) -> Vec<App> {
    let mut apps = Vec::new();
    for file in files {
        let name = format!("sites/{}", file.path);
        for (open, close) in MARKS {
            let whole = file.text.split(open).nth(1).is_some_and(|rest| rest.contains(close));
            if !whole {
                mistakes.push(Mistake::new(&name, format!("no `{open}…{close}`")));
            }
        }
        let Some((folder, rest)) = file.path.split_once('/') else { continue };
        let owners: Vec<&'static SiteHead> = match sites::find(folder) {
            Some(site) => vec![site],
            None => SITES.iter().collect(),
        };
        for site in owners {
            let path = format!("/{}", rest.trim_end_matches("index.html"));
            let (html, links, wrong) = rewrite(&file.text, site);
            mistakes.extend(wrong.into_iter().map(|message| Mistake::new(&name, message)));
            apps.push(App { site, path, file: name.clone(), html, links });
        }
    }
    apps
}

/// Gives links to other sites their address without scripts, and collects all links.
fn rewrite(html: &str, site: &'static SiteHead) -> (String, Vec<Link>, Vec<String>) {
    let (mut out, mut links, mut wrong) = (String::new(), Vec::new(), Vec::new());
    let mut parts = html.split("<a ");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (tag, rest) = part.split_once('>').unwrap_or((part, ""));
        let to = match (attribute(tag, "data-site"), attribute(tag, "href")) {
            (Some(other), _) => {
                format!("{other}:{}", attribute(tag, "data-path").unwrap_or("/"))
            }
            (None, Some(href)) if href.starts_with('/') => href.to_owned(),
            _ => {
                out.extend(["<a ", tag, ">", rest]);
                continue;
            }
        };
        match Link::parse(&to, site, "/") {
            Ok(link) => {
                out.push_str(&with_others(&link.open_tag(site), tag));
                links.push(link);
            }
            Err(message) => wrong.push(message),
        }
        out.push_str(rest);
    }
    (out, links, wrong)
}

/// A link's own attributes, and those that the page gave it besides.
fn with_others(own: &str, tag: &str) -> String {
    let mut out = own.trim_end_matches('>').to_owned();
    for known in ["class", "id", "aria-current", "hidden", "aria-describedby", "target", "rel"] {
        if let Some(value) = attribute(tag, known) {
            out.extend([" ", known, "=\"", value, "\""]);
        } else if tag.split_whitespace().any(|word| word == known) {
            out.extend([" ", known]);
        }
    }
    out + ">"
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let start = format!("{name}=\"");
    let at = tag
        .match_indices(&start)
        .find(|(at, _)| *at == 0 || tag[..*at].ends_with(char::is_whitespace))?;
    tag[at.0 + start.len()..].split('"').next()
}

/// A page of `sites/` with the header and the footer of all pages.
pub(crate) fn app(app: &App, tree: &Tree<'_>) -> Result<Option<Text>, Mistake> {
    let mut html = app.html.clone();
    for (part, (open, close)) in
        [header(app.site, &app.path, tree)?, footer(app.site)?].iter().zip(MARKS)
    {
        let Some((before, rest)) = html.split_once(open) else { return Ok(None) };
        let Some((_, after)) = rest.split_once(close) else { return Ok(None) };
        html = format!("{}{}{after}", before.trim_end_matches(' '), part.trim_end());
    }
    let path = format!("{}{}", app.site.name, app.path);
    let path = if path.ends_with('/') { path + "index.html" } else { path };
    Ok(Some(Text { path, text: html }))
}
