//! The words that people read: pages, messages, mails, help and documents have none of those that
//! read like a translation.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::{Path, PathBuf};

use galaxy_sites::{Content, Site, SiteConfig};
use spaceduck::cli;

mod tree;

use tree::{files, root};

/// Impersonal subjects, relative clauses used as nouns, passives of "ask" and "tell", old words.
const WORDS: [&str; 14] = [
    "nobody",
    "whoever",
    "somebody",
    "oneself",
    "anew",
    "cure",
    "cures",
    "tells",
    "goes on",
    "stands",
    "is asked",
    "belongs",
    "how it is",
    "lets go of",
];

/// What may stay: where, the words around it, and why.
const ALLOWED: [(&str, &str, &str); 2] = [
    ("guide/security-model/", "how it is tested", "a plain question, not a noun"),
    ("search/", "how it is tested", "the index holds headings"),
];

/// Every place where one of the words is, with what is around it.
fn found_in(place: &str, text: &str) -> Vec<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut found = Vec::new();
    for word in WORDS {
        for (at, _) in text.match_indices(word) {
            let end = at + word.len();
            let inside = text[..at].ends_with(is_word) || text[end..].starts_with(is_word);
            let start = text.floor_char_boundary(at.saturating_sub(40));
            let until = text.ceil_char_boundary((end + 40).min(text.len()));
            let around = &text[start..until];
            let is_allowed = |(where_, words, _): &&(&str, &str, &str)| {
                place.contains(*where_) && around.contains(*words)
            };
            if !inside && !ALLOWED.iter().any(|allowed| is_allowed(&allowed)) {
                found.push(format!("{place}: `{word}` in “…{around}…”"));
            }
        }
    }
    found
}

fn assert_none(found: &[String]) {
    let shown: Vec<&str> = found.iter().map(String::as_str).take(40).collect();
    assert!(found.is_empty(), "{} places:\n{}", found.len(), shown.join("\n"));
}

/// The text of a page, without its tags.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, rest)| rest));
    }
    text.replace("&quot;", "\"").replace("&amp;", "&")
}

#[test]
fn pages_read_like_english() {
    let mut found = Vec::new();
    let mut pages = 0;
    for site in Site::ALL {
        for file in Content::built_in().files(site, &SiteConfig::default()).unwrap() {
            let place = format!("{}/{}", site.name(), file.path);
            if file.content_type.starts_with("text/html") {
                pages += 1;
                found.extend(found_in(&place, &text_of(&String::from_utf8_lossy(&file.bytes))));
            }
        }
    }
    assert!(pages > 200, "{pages} pages");
    assert_none(&found);
}

#[test]
fn documents_and_mails_read_like_english() {
    let mut paths: Vec<PathBuf> = ["README.md", "pages/README.md", "sdk/python/README.md"]
        .into_iter()
        .chain(["docs/first-hour.md", "docs/skills.md", "docs/drift.md"])
        .chain(["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "docs/releasing.md"])
        .map(|name| root().join(name))
        .collect();
    paths.extend(files(&root().join("skills"), "md"));
    paths.extend(files(&root().join("docs/adr"), "md"));
    for ending in ["txt", "html"] {
        paths.extend(files(&root().join("crates/beak-core/mails"), ending));
    }
    let mut found = Vec::new();
    for path in paths {
        let place = path.strip_prefix(root()).unwrap().display().to_string();
        found.extend(found_in(&place, &std::fs::read_to_string(&path).unwrap()));
    }
    assert_none(&found);
}

#[test]
fn help_reads_like_english() {
    fn walk(command: &mut clap::Command, path: &str, found: &mut Vec<String>) -> usize {
        found.extend(found_in(path, &command.render_long_help().to_string()));
        let inner: Vec<_> = command.get_subcommands_mut().collect();
        1 + inner.into_iter().map(|one| walk(one, one_path(path).as_str(), found)).sum::<usize>()
    }
    fn one_path(path: &str) -> String {
        format!("{path} …")
    }
    let mut command = cli::command();
    command.build();
    let mut found = Vec::new();
    assert!(walk(&mut command, "spaceduck --help", &mut found) > 40);
    assert_none(&found);
}

/// The literals of a source file that are sentences: they have a space.
fn sentences(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut found = Vec::new();
    let mut literal: Option<String> = None;
    let mut chars = source.chars().peekable();
    let mut line = String::new();
    while let Some(c) = chars.next() {
        if let Some(text) = &mut literal {
            match c {
                // A line that goes on, or a character that is written with a backslash.
                '\\' => match chars.next() {
                    Some('\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                    Some(_) => text.push(' '),
                    None => {}
                },
                '"' => {
                    found.extend(literal.take().filter(|text| text.contains(' ')));
                }
                // What is filled in has a name of its own.
                '{' => while chars.next_if(|c| *c != '}' && *c != '"').is_some() {},
                c => text.push(c),
            }
            continue;
        }
        match c {
            '\n' => line.clear(),
            // A quotation mark in a comment or as a character begins no literal.
            '"' if !line.contains("//") && !line.ends_with('\'') => literal = Some(String::new()),
            c => line.push(c),
        }
    }
    found
}

/// What the programs and the scripts of the sites say.
#[test]
fn messages_read_like_english() {
    let mut paths = files(&root().join("src"), "rs");
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        // Tools for tests have no readers.
        if name != "test-cloud" {
            paths.extend(files(&root().join("crates").join(name).join("src"), "rs"));
        }
    }
    let is_test = |path: &Path| {
        let path = path.display().to_string();
        // A recording is played back in tests only.
        path.contains("/tests")
            || path.contains("/contract/")
            || path.ends_with("tests.rs")
            || path.ends_with("replay.rs")
    };
    paths.retain(|path| !is_test(path));
    let mut found = Vec::new();
    let mut seen = 0;
    for path in paths {
        let place = path.strip_prefix(root()).unwrap().display().to_string();
        for sentence in sentences(&std::fs::read_to_string(&path).unwrap()) {
            seen += 1;
            found.extend(found_in(&place, &sentence));
        }
    }
    for path in files(&root().join("sites"), "js") {
        let place = path.strip_prefix(root()).unwrap().display().to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|line| !line.trim_start().starts_with(['/', '*'])) {
            let line = line.split(" // ").next().unwrap();
            found.extend(found_in(&place, line));
        }
    }
    assert!(seen > 1000, "{seen} sentences");
    assert_none(&found);
}

#[test]
fn the_list_finds_its_words_and_no_others() {
    assert_eq!(found_in("a", "Nobody knows\nwho goes  on.").len(), 2);
    assert_eq!(found_in("a", "secure standstill nobody-can-hatch").len(), 0);
    let source = "let a = \"no one, \\\n    nobody\"; // \"somebody is\"\nlet b = \"anew\";";
    assert_eq!(sentences(source), ["no one, nobody"]);
    for (place, words, reason) in ALLOWED {
        assert!(!reason.is_empty() && found_in(place, words).is_empty(), "{words}");
    }
}
