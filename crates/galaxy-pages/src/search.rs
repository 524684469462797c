//! The search index over all five sites: a list of pages, drawers of words, and the openings of
//! pages, which a result shows.
//!
//! A word is sought by its stem, so that "deleting" finds "delete". Stems are made here alone: a
//! drawer has the stem of every word that any page uses, and the postings of every stem.
//! `search.js` loads the list, a drawer for each word, and the openings of the best pages.

use std::collections::{BTreeMap, BTreeSet};

use rust_stemmers::{Algorithm, Stemmer};
use serde_json::{Value, json};

use crate::Text;
use crate::app::App;
use crate::front::Kind;
use crate::links::Moved;
use crate::markdown::{self, Place};
use crate::page::{Made, Page, Part};
use crate::pictures::Pictures;
use crate::sites::SITES;

/// The weight of a word in a title, in a description or heading, and in the text.
const WEIGHTS: [u32; 3] = [12, 5, 1];

/// Words that say nothing about a page, or that only make a question of what is sought.
const COMMON: [&str; 76] = [
    "a", "about", "am", "an", "and", "any", "are", "as", "at", "be", "become", "been", "but", "by",
    "can", "could", "did", "do", "does", "doing", "for", "from", "get", "had", "has", "have",
    "how", "if", "in", "into", "is", "it", "its", "let", "make", "may", "me", "mean", "means",
    "my", "no", "not", "of", "on", "one", "or", "our", "per", "should", "so", "some", "that",
    "the", "their", "them", "then", "there", "they", "this", "to", "until", "us", "was", "we",
    "were", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
];

/// Other words for what pages call differently.
const ALIKE: [(&str, &[&str]); 22] = [
    ("account", &["duckling"]),
    ("bill", &["cost"]),
    ("cheap", &["cost"]),
    ("curl", &["call"]),
    ("dashboard", &["control"]),
    ("email", &["mail"]),
    ("expensive", &["cost"]),
    ("forgot", &["lost"]),
    ("laptop", &["machine", "local"]),
    ("login", &["sign"]),
    ("monthly", &["cost"]),
    ("otp", &["code"]),
    ("price", &["cost"]),
    ("register", &["hatch"]),
    ("remove", &["delete", "teardown"]),
    ("restore", &["import"]),
    ("revert", &["rollback"]),
    ("signup", &["hatch"]),
    ("spam", &["complaint"]),
    ("trust", &["bond", "tier"]),
    ("undo", &["rollback"]),
    ("uninstall", &["teardown"]),
];

/// How much a part of a page counts, in tenths: less than a page, since its title is short.
const PART: u32 = 7;

/// How many pages' openings share a file.
const SHELF: usize = 8;

/// How many characters of a page's text a result can show.
const OPENING: usize = 300;

/// How many drawers there are; `search.js` says the same.
const DRAWERS: usize = 64;

/// Stem → page → weight.
type Postings = BTreeMap<String, BTreeMap<usize, u32>>;

/// What the index is made of.
struct Index {
    stemmer: Stemmer,
    pages: Vec<Value>,
    openings: Vec<Value>,
    postings: Postings,
    /// Every word whose stem is not the word itself.
    stems: BTreeMap<String, String>,
}

/// The files of the index.
pub(crate) fn index(made: &[Made], apps: &[App]) -> Vec<Text> {
    let mut index = Index {
        stemmer: Stemmer::create(Algorithm::English),
        pages: Vec::new(),
        openings: Vec::new(),
        postings: Postings::new(),
        stems: BTreeMap::new(),
    };
    for made in made {
        let page = &made.page;
        let heads = made.rendered.headings.iter().map(|h| h.text.as_str());
        let heads: Vec<&str> = heads.filter(|_| page.parts.is_empty()).collect();
        let title = page.front.title.replace('`', "");
        let head = format!("{title} {}", page.path.replace('/', " "));
        let about = page.front.description.replace('`', "");
        let middle = format!("{about} {}", heads.join(" "));
        // What is said of its parts counts for them.
        let words = if page.parts.is_empty() { &made.rendered.words } else { &page.body };
        index.words([&head, &middle, words]);
        let weight = weight(page.front.kind);
        let (site, path, prose) =
            (page.site.name, page.path.as_str(), made.rendered.prose.as_str());
        index.page(&Entry { site, path, title: &title, weight, about: &about, prose });
        for part in &page.parts {
            index.part(page, part);
        }
    }
    for app in apps.iter().filter(|app| app.path.ends_with('/')) {
        let (title, about) = (app.front.title.clone(), app.front.description.clone());
        index.words([&title, &about, ""]);
        let (site, path, prose) = (app.site.name, app.path.as_str(), "");
        index.page(&Entry { site, path, title: &title, weight: 12, about: &about, prose });
    }
    index.files()
}

/// A page, or a part of one, as the index has it.
struct Entry<'a> {
    site: &'a str,
    path: &'a str,
    title: &'a str,
    weight: u32,
    about: &'a str,
    prose: &'a str,
}

/// How much a page of a kind counts, in tenths: a question is answered by a guide first.
fn weight(kind: Kind) -> u32 {
    match kind {
        Kind::Guide | Kind::Tutorial | Kind::Runbook => 13,
        Kind::Explanation => 12,
        Kind::Reference => 10,
        Kind::Blog | Kind::Legal => 8,
    }
}

impl Index {
    /// Indexes the words of the next page, by their position.
    fn words(&mut self, parts: [&str; 3]) {
        let at = self.pages.len();
        for (text, weight) in parts.into_iter().zip(WEIGHTS) {
            for word in split(text) {
                let stem = self.stemmer.stem(&word).into_owned();
                let known = self.postings.entry(stem.clone()).or_default().entry(at).or_default();
                *known = (*known).max(weight);
                if stem != word {
                    self.stems.insert(word, stem);
                }
            }
        }
    }

    /// A part of a page is found by itself.
    fn part(&mut self, page: &Page, part: &Part) {
        let (moved, pictures) = (&Moved::new(), &Pictures::new());
        let place = Place { site: page.site, folder: "", moved, pictures };
        let (rendered, _) = markdown::render(&part.body, place);
        let (title, about) = (part.title.replace('`', ""), part.about.replace('`', ""));
        let head = format!("{title} {}", part.id);
        self.words([&head, &about, &rendered.words]);
        let path = format!("{}#{}", page.path, part.id);
        let (site, prose) = (page.site.name, rendered.prose.as_str());
        self.page(&Entry { site, path: &path, title: &title, weight: PART, about: &about, prose });
    }

    fn page(&mut self, entry: &Entry<'_>) {
        let site = SITES.iter().position(|known| known.name == entry.site);
        self.pages.push(json!([site, entry.path, entry.title, entry.weight]));
        self.openings.push(json!([entry.about, opening(entry.prose)]));
    }

    fn files(mut self) -> Vec<Text> {
        self.prune();
        let alike: BTreeMap<&str, &[&str]> = ALIKE.into_iter().collect();
        let sites: Vec<&str> = SITES.iter().map(|site| site.name).collect();
        let list =
            json!({"sites": sites, "common": &COMMON[..], "alike": alike, "pages": self.pages});
        let mut files = vec![file("pages", &list)];
        let drawers = drawers(&self.postings, &self.stems);
        files.extend(drawers.iter().enumerate().map(|(at, drawer)| file(&at.to_string(), drawer)));
        let shelves = self.openings.chunks(SHELF).enumerate();
        files.extend(shelves.map(|(at, shelf)| file(&format!("t{at}"), &json!(shelf))));
        files
    }

    /// A word that a fifth of all pages have says something about those pages only in whose head
    /// it is.
    fn prune(&mut self) {
        let pages = self.pages.len();
        for found in self.postings.values_mut().filter(|found| found.len() * 5 > pages) {
            found.retain(|_, weight| *weight > WEIGHTS[2]);
        }
        self.postings.retain(|_, found| !found.is_empty());
        let left: BTreeSet<&String> = self.postings.keys().collect();
        self.stems.retain(|_, stem| left.contains(stem));
    }
}

/// The first words of a page's text.
fn opening(prose: &str) -> String {
    let mut text = String::new();
    for word in prose.split_whitespace() {
        if text.chars().count() + word.chars().count() > OPENING {
            return text + " …";
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

fn file(name: &str, value: &Value) -> Text {
    Text { path: format!("shared/search/{name}.json"), text: value.to_string() + "\n" }
}

/// The drawer of a word or a stem, by its first two letters: the beginning of a word is enough to
/// look it up.
fn drawer(word: &str) -> usize {
    let mut bytes = word.bytes().map(usize::from);
    (bytes.next().unwrap_or_default() * 31 + bytes.next().unwrap_or_default()) % DRAWERS
}

/// `w`: word → stem. `s`: stem → for each weight the pages, each as its distance from the one
/// before. An empty drawer has a file too, since a search may ask for it.
fn drawers(postings: &Postings, stems: &BTreeMap<String, String>) -> Vec<Value> {
    let mut drawers = vec![json!({"w": {}, "s": {}}); DRAWERS];
    for (word, stem) in stems {
        drawers[drawer(word)]["w"][word] = json!(stem);
    }
    for (stem, pages) in postings {
        let of_weight = WEIGHTS.map(|wanted| {
            let mut before = 0;
            let with = pages.iter().filter(|(_, weight)| **weight == wanted);
            let distances = with.map(|(page, _)| {
                let distance = page - before;
                before = *page;
                distance
            });
            distances.collect::<Vec<usize>>()
        });
        drawers[drawer(stem)]["s"][stem] = json!(of_weight);
    }
    drawers
}

/// The words of a text as they are sought: lower case, parts of a name each and together.
pub(crate) fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let lower = text.to_lowercase();
    let whole = lower.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    for word in whole {
        words.extend(word.split('_').map(str::to_owned));
        words.push(word.to_owned());
    }
    words.retain(|w| (2..=32).contains(&w.len()) && !COMMON.contains(&w.as_str()));
    words
}
