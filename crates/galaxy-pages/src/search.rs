//! The search index over all five sites: a list of pages, and for each first letter the words that
//! begin with it. A search loads the list and one file for each word that is sought.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::Text;
use crate::layout::App;
use crate::page::Made;

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
        list.push(json!([page.site.name, page.path, title, about]));
    }
    for app in apps.iter().filter(|app| app.path.ends_with('/')) {
        let at = list.len();
        let (title, about) = (app.title(), app.description());
        for (text, weight) in [&title, &about].into_iter().zip(WEIGHTS) {
            for word in split(text) {
                words.entry(word).or_default().entry(at).or_insert(weight);
            }
        }
        list.push(json!([app.site.name, app.path, title, about]));
    }
    let mut files = vec![file("pages", &Value::Array(list))];
    files.extend(shards(words).iter().map(|(letter, words)| file(letter, words)));
    files
}

fn file(name: &str, value: &Value) -> Text {
    Text { path: format!("shared/search/{name}.json"), text: value.to_string() + "\n" }
}

/// First letter → word → page and weight by turns. All digits are one letter.
fn shards(words: BTreeMap<String, BTreeMap<usize, u32>>) -> BTreeMap<String, Value> {
    let mut shards: BTreeMap<String, Value> = BTreeMap::new();
    // A letter that no word begins with has a file too: a browser that asks for it finds nothing.
    for letter in ('a'..='z').chain(['0']) {
        shards.insert(letter.into(), json!({}));
    }
    for (word, pages) in words {
        let first = word.chars().next().unwrap_or('0');
        let letter = if first.is_ascii_lowercase() { first } else { '0' };
        let flat: Vec<Value> =
            pages.into_iter().flat_map(|(page, weight)| [json!(page), json!(weight)]).collect();
        if let Some(shard) = shards.get_mut(&letter.to_string()) {
            shard[word] = Value::Array(flat);
        }
    }
    shards
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
