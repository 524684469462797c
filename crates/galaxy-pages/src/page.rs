//! A page: where it is, what its head says, its Markdown and what becomes of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::front::{self, Front, Kind};
use crate::links::Moved;
use crate::markdown::{self, Rendered};
use crate::pictures::Pictures;
use crate::sites::{self, SiteHead};
use crate::{Mistake, Text};

/// A page before it is rendered.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) site: &'static SiteHead,
    /// From the site's root, with a slash at both ends.
    pub(crate) path: String,
    /// The file that it is made of, for messages.
    pub(crate) file: String,
    pub(crate) front: Front,
    pub(crate) body: String,
    /// The heading under which its section lists it.
    pub(crate) group: Option<String>,
    /// What its reference says of one fact each, below a heading that can be linked to.
    pub(crate) parts: Vec<Part>,
}

/// A fact of the reference that is too short for a page of its own.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Its heading's id.
    pub(crate) id: String,
    /// May hold backticks.
    pub(crate) title: String,
    /// One sentence.
    pub(crate) about: String,
    /// Markdown, with headings from `##` on.
    pub(crate) body: String,
}

impl Part {
    /// The part as Markdown: a heading for itself, and its own headings one level below.
    fn markdown(&self) -> String {
        let mut text = format!("\n\n## {} {{#{}}}\n\n", self.title, self.id);
        if !self.body.contains(self.about.trim_end_matches('…')) {
            text.extend([self.about.as_str(), "\n\n"]);
        }
        let mut in_code = false;
        for line in self.body.lines() {
            in_code ^= line.trim_start().starts_with("```");
            match line.strip_prefix("## ").filter(|_| !in_code) {
                Some(title) => {
                    let id = markdown::slug(title);
                    // Writing to a String can't fail.
                    let _ = writeln!(text, "### {title} {{#{}-{id}}}", self.id);
                }
                None => text.extend([line, "\n"]),
            }
        }
        text
    }
}

impl Page {
    /// What sorts pages: neighbours come by their order.
    pub(crate) fn key(&self) -> (&'static str, String) {
        (self.site.name, self.path.clone())
    }

    /// Its text with its parts.
    pub(crate) fn whole(&self) -> String {
        let parts: String = self.parts.iter().map(Part::markdown).collect();
        format!("{}{parts}", self.body)
    }

    /// The folder of its file, from the site's root.
    pub(crate) fn folder(&self) -> &str {
        // Without the folder of all pages and the site's.
        let inside = self.file.splitn(3, '/').nth(2);
        inside.and_then(|rest| rest.rsplit_once('/')).map_or("", |(folder, _)| folder)
    }

    /// The path of the folder that it is in; none for a page at the root.
    pub(crate) fn parent(&self) -> &str {
        parent(&self.path)
    }

    /// What navigation calls it.
    pub(crate) fn label(&self) -> &str {
        self.front.nav.as_deref().unwrap_or(&self.front.title)
    }

    /// Blogs have the newest first, all else its order and then its title.
    pub(crate) fn place(&self) -> (i64, std::cmp::Reverse<String>, String) {
        let dated = if self.front.kind == Kind::Blog { self.front.date.clone() } else { None };
        let title = self.front.title.to_lowercase();
        (self.front.order, std::cmp::Reverse(dated.unwrap_or_default()), title)
    }
}

/// `/a/b/` → `/a/`; `/a/` → `/`.
pub(crate) fn parent(path: &str) -> &str {
    let inner = path.trim_end_matches('/');
    inner.rfind('/').map_or("/", |at| &path[..=at])
}

/// Reads all Markdown files, which are in that folder.
pub(crate) fn parse_all(files: &[Text], folder: &str, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    let mut pages = Vec::new();
    for file in files {
        match parse(file, folder) {
            Ok(page) => pages.push(page),
            Err(message) => mistakes.push(Mistake::new(format!("{folder}{}", file.path), message)),
        }
    }
    pages
}

fn parse(file: &Text, folder: &str) -> Result<Page, String> {
    let (site, rest) = file.path.split_once('/').ok_or("it is in no site's folder")?;
    let site = sites::find(site).ok_or_else(|| format!("there is no site `{site}`"))?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_/".contains(c);
    let stem = rest.trim_end_matches(".md");
    if !stem.chars().all(plain) {
        return Err("a page's name has lower-case letters, digits and hyphens only".into());
    }
    let path = match stem.strip_suffix("index") {
        Some("") => return Err("a site's first page is `sites/SITE/index.html`".into()),
        Some(folder) if folder.ends_with('/') => format!("/{folder}"),
        _ => format!("/{stem}/"),
    };
    let (front, body) = front::split(&file.text)?;
    let file = format!("{folder}{}", file.path);
    Ok(Page { site, path, file, front, body: body.to_owned(), group: None, parts: Vec::new() })
}

/// Addresses, titles and descriptions are there once; of two pages with one address one stays.
pub(crate) fn check_unique(pages: &mut Vec<Page>, mistakes: &mut Vec<Mistake>) {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    pages.retain(|page| {
        let mut address_is_new = true;
        for (what, text) in [
            ("the address", format!("{}:{}", page.site.name, page.path)),
            ("the title", format!("{}: {}", page.site.title, page.front.title)),
            ("the description", page.front.description.clone()),
        ] {
            if let Some(other) = seen.insert(format!("{what} {text}"), page.file.clone()) {
                let message = format!("{what} `{text}` is that of {other} too");
                mistakes.push(Mistake::new(&page.file, message));
                address_is_new &= what != "the address";
            }
        }
        address_is_new
    });
}

/// A page with its HTML.
pub(crate) struct Made {
    pub(crate) page: Page,
    pub(crate) rendered: Rendered,
}

impl Made {
    pub(crate) fn new(
        page: Page,
        (moved, pictures): (&Moved, &Pictures),
        mistakes: &mut Vec<Mistake>,
    ) -> Self {
        let place = markdown::Place { site: page.site, folder: page.folder(), moved, pictures };
        let text = page.whole();
        let (rendered, wrong) = markdown::render(&text, place);
        mistakes.extend(wrong.into_iter().map(|message| Mistake::new(&page.file, message)));
        Self { page, rendered }
    }
}
