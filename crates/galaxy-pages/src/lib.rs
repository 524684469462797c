//! Markdown and facts → the pages of the five sites, as plain HTML. Pure, but for [`read`].
//!
//! `galaxy-sites` runs this when it is built and embeds what comes out. What can be wrong with a
//! page (a dead link, a missing anchor, a title that is there twice, a fact without words) is a
//! mistake here: the build warns of it, and a test fails.

mod app;
pub mod assets;
mod feeds;
mod front;
mod highlight;
mod hub;
mod layout;
mod links;
mod machines;
mod markdown;
mod nav;
mod page;
mod pictures;
pub mod read;
mod reference;
mod search;
mod sites;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

pub use sites::{SITES, SiteHead};

pub use machines::SECURITY_EXPIRES;

use app::App;
use page::{Made, Page};

/// A text with its path below `sites/` or `pages/`, with forward slashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Such as `duckgalaxy/errors/index.md`.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// Everything that pages are made of.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Input {
    /// `pages/SITE/**.md`.
    pub markdown: Vec<Text>,
    /// `sites/**.html`: pages with a content of their own, without what all pages have.
    pub html: Vec<Text>,
    /// `pages/facts/*.json`: what the code knows.
    pub facts: Vec<Text>,
    /// `pages/reference/*.yaml`: the sentences to those facts.
    pub words: Vec<Text>,
    /// `openapi.json`.
    pub openapi: String,
    /// The operator's own Markdown, as `SITE/**.md`; a page at an address of ours replaces it.
    #[serde(default)]
    pub own: Vec<Text>,
}

/// Everything that the sites are built from, so that they can be rebuilt with more pages.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Kit {
    /// What pages are made of.
    pub input: Input,
    /// Style sheets, scripts and pictures, by path.
    pub others: BTreeMap<String, String>,
}

/// What the files of [`Input::own`] are called in mistakes.
pub const OWN: &str = "own/";

/// What is wrong with a page, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// One sentence.
    pub message: String,
}

impl Mistake {
    fn new(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.into(), message: message.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.message)
    }
}

/// Placeholder for a site's address in a page: `galaxy-sites` fills it in later.
pub const ADDRESS_MARK: (&str, &str) = ("%address-of-", "%");

/// Placeholder for the API's address, in files for programs.
pub const API_MARK: &str = "%address-of-api%";

/// The one page of a site that holds [`ADDRESS_MARK`].
pub const HUB: &str = "sites/index.html";

/// What came out.
#[derive(Clone, Debug, Default)]
pub struct Built {
    /// All pages of all sites and the search index; each as `SITE/path` or `shared/path`.
    pub files: Vec<Text>,
    /// What is wrong. A page that can't be made at all is left out.
    pub mistakes: Vec<Mistake>,
}

/// Makes all pages of all sites and the search index.
#[must_use]
pub fn build(input: &Input) -> Built {
    let mut mistakes = Vec::new();
    let mut pages = page::parse_all(&input.markdown, "pages/", &mut mistakes);
    pages.extend(reference::pages(input, &mut mistakes));
    let own = page::parse_all(&input.own, OWN, &mut mistakes);
    let replaced: BTreeSet<_> = own.iter().map(Page::key).collect();
    pages.retain(|page| !replaced.contains(&page.key()));
    pages.extend(own);
    pages.extend(nav::missing_indexes(&pages));
    pages.sort_by_key(Page::key);
    page::check_unique(&mut pages, &mut mistakes);
    let moved = links::moved(&pages);
    let pictures = reference::pictures(input);
    let made = |page| Made::new(page, (&moved, &pictures), &mut mistakes);
    let made: Vec<Made> = pages.into_iter().map(made).collect();
    let apps = app::parse_all(&input.html, &moved, &mut mistakes);
    check_programs(&made, &apps, &mut mistakes);
    links::check(&made, &apps, &mut mistakes);
    let mut files = Vec::new();
    match layouts(&made, &apps) {
        Ok(pages) => files.extend(pages),
        Err(mistake) => mistakes.push(mistake),
    }
    files.extend(search::index(&made, &apps));
    files.extend(feeds::files(&made, &apps));
    files.extend(machines::files(&made, &apps, &nav::Tree::new(&made, &apps)));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    mistakes.sort();
    mistakes.dedup();
    Built { files, mistakes }
}

/// A page that has a program can't become a text.
fn check_programs(made: &[Made], apps: &[App], mistakes: &mut Vec<Mistake>) {
    for Made { page, .. } in made {
        let clash = apps.iter().find(|a| (a.site.name, &*a.path) == (page.site.name, &*page.path));
        if let Some(app) = clash {
            let message = format!("`{}` is a page with a program; replace it with HTML", app.path);
            mistakes.push(Mistake::new(&page.file, message));
        }
    }
}

fn layouts(made: &[Made], apps: &[App]) -> Result<Vec<Text>, Mistake> {
    let tree = nav::Tree::new(made, apps);
    let mut out = Vec::new();
    for made in made {
        out.push(layout::page(made, &tree)?);
    }
    for app in apps {
        out.push(layout::app(app, &tree)?);
    }
    for site in &SITES {
        out.push(hub::sites_page(site, made, apps, &tree)?);
        out.push(hub::search_page(site, &tree)?);
    }
    Ok(out)
}

/// A template's failure.
fn broken(file: &str, error: impl fmt::Display) -> Mistake {
    Mistake::new(file, error.to_string())
}

#[cfg(test)]
mod tests;
