//! The generated reference: for each fact that the code knows a page, with the sentences to it that
//! `pages/reference/*.yaml` has. A fact without sentences is a mistake, and so is the opposite.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::front::{self, Front, Kind};
use crate::page::{Page, Part};
use crate::pictures::{self, Pictures};
use crate::sites::{self, SITES, SiteHead};
use crate::{Input, Mistake};

mod api;
mod calls;
pub(crate) mod facts;
mod operator;
mod schema;
mod stacks;

/// The sentences to one fact.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    /// One sentence: the page's description. Where a table of the code has it, it may be missing.
    #[serde(default)]
    pub(crate) about: String,
    /// Of a section's first page: its title.
    #[serde(default)]
    pub(crate) title: Option<String>,
    /// Of a section's first page: what navigation calls it.
    #[serde(default)]
    pub(crate) nav: Option<String>,
    /// Of a section's first page: its place among the sections.
    #[serde(default)]
    pub(crate) order: Option<i64>,
    /// The heading under which the section lists it.
    #[serde(default)]
    pub(crate) group: Option<String>,
    /// What it is, as Markdown; likewise the rest.
    #[serde(default)]
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) cause: String,
    #[serde(default)]
    pub(crate) cure: String,
    #[serde(default)]
    pub(crate) example: String,
    /// Links to neighbours.
    #[serde(default)]
    pub(crate) see: Vec<String>,
}

/// A sentence and no more, cut where it is too long for a description.
fn short(about: &str) -> String {
    let mut text = String::new();
    for word in about.split_whitespace() {
        if text.chars().count() + word.chars().count() > 165 {
            text.push('…');
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// A section of the reference, as one file of `pages/reference/` has it.
pub(crate) struct Section<'i> {
    site: &'static SiteHead,
    /// With a slash at both ends.
    folder: &'static str,
    file: String,
    words: BTreeMap<String, Words>,
    used: BTreeSet<String>,
    pages: Vec<Page>,
    /// Facts below the section's first page.
    parts: Vec<Part>,
    mistakes: &'i mut Vec<Mistake>,
}

impl<'i> Section<'i> {
    /// Reads the sentences of a section.
    pub(crate) fn open(
        input: &Input,
        (site, folder): (&str, &'static str),
        name: &str,
        mistakes: &'i mut Vec<Mistake>,
    ) -> Self {
        let path = format!("{name}.yaml");
        let file = format!("pages/reference/{path}");
        let text = input.words.iter().find(|text| text.path == path).map(|text| &text.text);
        let read = text.ok_or_else(|| "it is not there".to_owned());
        let words =
            read.and_then(|text| serde_saphyr::from_str(text).map_err(|error| error.to_string()));
        let words = words.unwrap_or_else(|message| {
            mistakes.push(Mistake::new(&file, message));
            BTreeMap::new()
        });
        let site = sites::find(site).unwrap_or(&SITES[0]);
        Self {
            site,
            folder,
            file,
            words,
            used: BTreeSet::new(),
            pages: Vec::new(),
            parts: Vec::new(),
            mistakes,
        }
    }

    /// The sentences to a fact.
    pub(crate) fn words(&mut self, id: &str) -> Option<Words> {
        self.used.insert(id.to_owned());
        let words = self.words.get(id).cloned();
        if words.is_none() {
            self.mistakes.push(Mistake::new(&self.file, format!("no words for `{id}`")));
        }
        words
    }

    /// The sentences to a fact whose own table has some; others may add to them.
    pub(crate) fn words_or(&mut self, id: &str, about: &str) -> Words {
        self.used.insert(id.to_owned());
        let mut words = self.words.get(id).cloned().unwrap_or_default();
        if words.about.is_empty() {
            words.about = short(about);
        }
        words
    }

    /// Notes what is wrong with the sentences.
    pub(crate) fn wrong(&mut self, message: String) {
        self.mistakes.push(Mistake::new(&self.file, message));
    }

    /// Adds the page on a fact.
    pub(crate) fn add(&mut self, slug: &str, title: &str, words: &Words, body: String) {
        let order = i64::try_from(self.pages.len()).unwrap_or(i64::MAX);
        let path = format!("{}{slug}/", self.folder);
        self.push(path, words.title.as_deref().unwrap_or(title), words, body).front.order = order;
    }

    /// Adds a fact to the section's first page.
    pub(crate) fn part(&mut self, id: &str, title: &str, words: &Words, body: String) {
        self.parts.push(part(id, title, words, body));
    }

    /// Adds a fact to the page that was added last.
    pub(crate) fn part_of_last(&mut self, id: &str, title: &str, words: &Words, body: String) {
        if let Some(page) = self.pages.last_mut() {
            page.parts.push(part(id, title, words, body));
        }
    }

    fn push(&mut self, path: String, title: &str, words: &Words, body: String) -> &mut Page {
        let front = Front {
            title: title.to_owned(),
            description: words.about.clone(),
            nav: words.nav.clone(),
            order: 0,
            kind: Kind::Reference,
            date: None,
        };
        if let Err(message) = front::check(&front) {
            self.mistakes.push(Mistake::new(&self.file, format!("`{title}`: {message}")));
        }
        let (site, file) = (self.site, self.file.clone());
        self.pages.push_mut(Page {
            site,
            path,
            file,
            front,
            body,
            group: words.group.clone(),
            parts: Vec::new(),
        })
    }

    /// Adds the section's first page, and gives all of them.
    pub(crate) fn close(mut self) -> Vec<Page> {
        if let Some(words) = self.words("index") {
            let title = words.title.clone().unwrap_or_default();
            let body = words.text.clone();
            let order = words.order.unwrap_or(100);
            self.push(self.folder.to_owned(), &title, &words, body).front.order = order;
            if let Some(page) = self.pages.last_mut() {
                page.parts = std::mem::take(&mut self.parts);
            }
        }
        let unused: Vec<String> =
            self.words.keys().filter(|id| !self.used.contains(*id)).cloned().collect();
        for id in unused {
            let message = format!("words for `{id}`, which is not there");
            self.mistakes.push(Mistake::new(&self.file, message));
        }
        self.pages
    }

    /// A template's text, or a mistake.
    pub(crate) fn fill(&mut self, template: &impl askama::Template) -> String {
        template.render().unwrap_or_else(|error| {
            self.mistakes.push(Mistake::new(&self.file, error.to_string()));
            String::new()
        })
    }
}

fn part(id: &str, title: &str, words: &Words, body: String) -> Part {
    let title = words.title.as_deref().unwrap_or(title).to_owned();
    Part { id: id.to_owned(), title, about: words.about.clone(), body }
}

/// All generated pages.
pub(crate) fn pages(input: &Input, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    let mut pages = Vec::new();
    if let Some(facts) = read::<facts::Api>(input, "api.json", mistakes) {
        pages.extend(calls::pages(input, &facts, mistakes));
        pages.extend(api::errors(input, &facts, mistakes));
        pages.extend(api::events(input, &facts, mistakes));
        pages.extend(api::tiers(input, &facts, mistakes));
        pages.extend(api::peck_types(input, &facts, mistakes));
    }
    if let Some(facts) = read::<facts::Installer>(input, "installer.json", mistakes) {
        pages.extend(operator::commands(input, &facts, mistakes));
        pages.extend(operator::exit_codes(input, &facts, mistakes));
        pages.extend(operator::config(input, &facts, mistakes));
        pages.extend(operator::drift(input, &facts, mistakes));
        pages.extend(operator::doctor(input, &facts, mistakes));
        pages.extend(operator::mail(input, &facts, mistakes));
        pages.extend(stacks::stacks(input, &facts, mistakes));
    }
    pages
}

/// The pictures that are drawn from facts. What is wrong with facts, [`pages`] says.
pub(crate) fn pictures(input: &Input) -> Pictures {
    let mut known = Vec::new();
    let api = read::<facts::Api>(input, "api.json", &mut known);
    let installer = read::<facts::Installer>(input, "installer.json", &mut known);
    pictures::all(api.as_ref(), installer.as_ref())
}

fn read<T: DeserializeOwned>(input: &Input, name: &str, mistakes: &mut Vec<Mistake>) -> Option<T> {
    let text = input.facts.iter().find(|text| text.path == name)?;
    match serde_json::from_str(&text.text) {
        Ok(facts) => Some(facts),
        Err(error) => {
            mistakes.push(Mistake::new(format!("pages/facts/{name}"), error.to_string()));
            None
        }
    }
}
