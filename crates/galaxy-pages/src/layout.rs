//! The one layout of all pages: head, header, navigation, footer.

use askama::Template;

use crate::app::App;
use crate::feeds;
use crate::markdown::{Heading, escape};
use crate::nav::{Entry, Group, Tree};
use crate::page::Made;
use crate::sites::{SITES, SiteHead};
use crate::{Mistake, Text, broken};

/// The script of a page that names none.
const SCRIPT: &str = "/shared/beak.js";

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

/// What is around the content of every page.
pub(crate) struct Frame<'a> {
    pub(crate) site: &'a SiteHead,
    title: String,
    description: String,
    style: Option<&'a str>,
    script: &'a str,
    feed: Option<&'a str>,
    header: String,
    footer: String,
}

impl<'a> Frame<'a> {
    /// The frame of a page with that path, title and description.
    pub(crate) fn new(
        site: &'a SiteHead,
        path: &str,
        (title, description): (String, &str),
        tree: &Tree<'_>,
    ) -> Result<Self, Mistake> {
        let header =
            Header { site, sites: &SITES, sections: tree.sections(site, path), here: path };
        Ok(Self {
            site,
            title,
            description: plain(description),
            style: None,
            script: SCRIPT,
            feed: feeds::feed_of(site),
            header: header.render().map_err(|error| broken("header.html", error))?,
            footer: Footer { site }.render().map_err(|error| broken("footer.html", error))?,
        })
    }

    /// A page with a script, and what that needs.
    pub(crate) fn with(mut self, script: Option<&'a str>, style: Option<&'a str>) -> Self {
        self.script = script.unwrap_or(SCRIPT);
        self.style = style;
        self
    }
}

/// A page to be read.
#[derive(Template)]
#[template(path = "page.html")]
pub(crate) struct Whole<'a> {
    pub(crate) frame: Frame<'a>,
    pub(crate) title: &'a str,
    pub(crate) description: &'a str,
    pub(crate) date: Option<&'a str>,
    pub(crate) crumbs: Vec<Entry>,
    pub(crate) body: &'a str,
    pub(crate) contents: Vec<&'a Heading>,
    pub(crate) list: Vec<Group>,
    pub(crate) side: Option<(Entry, Vec<Group>)>,
    pub(crate) before: Option<Entry>,
    pub(crate) after: Option<Entry>,
}

/// A page with a content of its own.
#[derive(Template)]
#[template(path = "app.html")]
struct Own<'a> {
    frame: Frame<'a>,
    body: &'a str,
}

/// Escapes a text and renders text between backticks as code.
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

/// The title of a page as plain text.
pub(crate) fn title(site: &SiteHead, title: &str) -> String {
    format!("{} · {}", plain(title), site.title)
}

/// A page made of Markdown.
pub(crate) fn page(made: &Made, tree: &Tree<'_>) -> Result<Text, Mistake> {
    let page = &made.page;
    let headings: Vec<&Heading> =
        made.rendered.headings.iter().filter(|heading| heading.level == 2).collect();
    let contents = if headings.len() >= 3 { headings } else { Vec::new() };
    let (before, after) = tree.around(page);
    let told = (title(page.site, &page.front.title), page.front.description.as_str());
    let whole = Whole {
        frame: Frame::new(page.site, &page.path, told, tree)?,
        title: &page.front.title,
        description: &page.front.description,
        date: page.front.date.as_deref(),
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

/// A page of `sites/`.
pub(crate) fn app(app: &App, tree: &Tree<'_>) -> Result<Text, Mistake> {
    let front = &app.front;
    let told = (front.title.clone(), front.description.as_str());
    let frame = Frame::new(app.site, &app.path, told, tree)?
        .with(front.script.as_deref(), front.style.as_deref());
    let own = Own { frame, body: app.html.trim_end() };
    let text = own.render().map_err(|error| broken("app.html", error))?;
    let path = format!("{}{}", app.site.name, app.path);
    let path = if path.ends_with('/') { path + "index.html" } else { path };
    Ok(Text { path, text })
}
