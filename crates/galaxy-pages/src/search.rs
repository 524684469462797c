//! The search index over all five sites: a list of pages, and drawers of words. A word's first two
//! letters say which drawer it is in, so that a search loads the list and one drawer for each word
//! that is sought, the beginning of a word included.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::Text;
use crate::app::App;
use crate::page::Made;
use crate::sites::SITES;

/// How much a word counts where it stands in a title, a description or heading, or the text.
const WEIGHTS: [u32; 3] = [12, 5, 1];

/// Words that are on every page say nothing about one.
const COMMON: [&str; 40] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "do", "does", "for", "from",
    "has", "have", "if", "in", "into", "is", "it", "its", "no", "not", "of", "on", "one", "or",
    "so", "that", "the", "then", "there", "this", "to", "was", "which", "who", "with", "you",
];

/// The files of the index.
pub(crate) fn index(made: &[Made], apps: &[App]) -> Vec<Text> {
    let mut list = Vec::new();
    let mut words: BTreeMap<String, BTreeMap<usize, u32>> = BTreeMap::new();
    for made in made {
        let page = &made.page;
        let at = list.len();
        let title = page.front.title.replace('`', "");
        let about = page.front.description.replace('`', "");
        let heads: Vec<&str> = made.rendered.headings.iter().map(|h| h.text.as_str()).collect();
        let middle = format!("{about} {}", heads.join(" "));
        for (text, weight) in [&title, &middle, &made.rendered.words].into_iter().zip(WEIGHTS) {
            for word in split(text) {
                let count = words.entry(word).or_default().entry(at).or_default();
                *count = (*count).max(weight);
            }
        }
        list.push(json!([number(page.site.name), page.path, title, short(&about)]));
    }
    for app in apps.iter().filter(|app| app.path.ends_with('/')) {
        let at = list.len();
        let (title, about) = (app.front.title.clone(), app.front.description.clone());
        for (text, weight) in [&title, &about].into_iter().zip(WEIGHTS) {
            for word in split(text) {
                words.entry(word).or_default().entry(at).or_insert(weight);
            }
        }
        list.push(json!([number(app.site.name), app.path, title, short(&about)]));
    }
    prune(&mut words, list.len());
    let sites: Vec<&str> = SITES.iter().map(|site| site.name).collect();
    let mut files = vec![file("pages", &json!({"sites": sites, "pages": list}))];
    let drawers = drawers(words);
    files.extend(drawers.iter().enumerate().map(|(at, words)| file(&at.to_string(), words)));
    files
}

/// A site, shorter than by its name.
fn number(site: &str) -> Option<usize> {
    SITES.iter().position(|known| known.name == site)
}

/// As much of a description as the list has room for; all of its words are in the drawers.
fn short(about: &str) -> String {
    let mut text = String::new();
    for word in about.split_whitespace() {
        if text.chars().count() + word.chars().count() > 80 {
            return text + " …";
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// A word that a fifth of all pages have says something about those pages only in whose head it is.
fn prune(words: &mut BTreeMap<String, BTreeMap<usize, u32>>, pages: usize) {
    for found in words.values_mut().filter(|found| found.len() * 5 > pages) {
        found.retain(|_, weight| *weight > WEIGHTS[2]);
    }
}

fn file(name: &str, value: &Value) -> Text {
    Text { path: format!("shared/search/{name}.json"), text: value.to_string() + "\n" }
}

/// How many drawers there are; `search.js` says the same.
const DRAWERS: usize = 64;

/// The drawer of a word.
fn drawer(word: &str) -> usize {
    let mut bytes = word.bytes().map(usize::from);
    (bytes.next().unwrap_or_default() * 31 + bytes.next().unwrap_or_default()) % DRAWERS
}

/// Word → for each weight the pages, each as its distance from the one before. An empty drawer has
/// a file too: whoever asks finds nothing.
fn drawers(words: BTreeMap<String, BTreeMap<usize, u32>>) -> Vec<Value> {
    let mut drawers = vec![json!({}); DRAWERS];
    for (word, pages) in words {
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
        if of_weight.iter().any(|pages| !pages.is_empty()) {
            drawers[drawer(&word)][word] = json!(of_weight);
        }
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
