//! Every failure that the program makes, read from its sources: each says what to do, and the page
//! `guide/failures` lists them. With `UPDATE_DOCS=1` the page is written.
//!
//! By hand: a parser of Rust for one kind of call would be built with every test of the workspace.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A failure as the source has it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Made {
    kind: String,
    message: String,
    cause: Option<String>,
    help: Option<String>,
    place: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program's sources without tests and without the account in memory, whose failures are AWS's.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name == "tests" || name == "rehearse" {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
}

/// The length of a literal at the start of a text, of a string or a character; 0 where there is none.
fn literal(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'"') => {
            let mut at = 1;
            while bytes[at] != b'"' {
                at += if bytes[at] == b'\\' { 2 } else { 1 };
            }
            at + 1
        }
        Some(b'\'') if bytes.get(1) == Some(&b'\\') => text[2..].find('\'').map_or(0, |at| at + 3),
        Some(b'\'') => {
            let mut chars = text.char_indices().skip(2);
            chars.next().filter(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1)
        }
        _ => 0,
    }
}

/// The end of the brackets that open at the start of a text.
fn brackets(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0);
    loop {
        let skipped = literal(&text[at..]);
        let c = text[at..].chars().next().unwrap();
        match c {
            _ if skipped > 0 => {
                at += skipped;
                continue;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        at += c.len_utf8();
        if depth == 0 {
            return at;
        }
    }
}

/// The words of all string literals in an expression, as people see them: what is filled in is `…`.
fn words(expression: &str) -> String {
    let mut words = String::new();
    let mut at = 0;
    while at < expression.len() {
        let length = literal(&expression[at..]);
        let text = &expression[at..at + length];
        // Without letters it is what a list is joined by.
        if text.starts_with('"') && text.contains(|c: char| c.is_alphabetic() || c == '{') {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(&text[1..length - 1]);
        }
        at += length.max(expression[at..].chars().next().unwrap().len_utf8());
    }
    let (mut shown, mut inside) = (String::new(), false);
    for c in words.replace("{{", "\u{1}").replace("}}", "\u{2}").chars() {
        match c {
            '{' => (inside, shown) = (true, shown + "…"),
            '}' => inside = false,
            '\u{1}' => shown.push('{'),
            '\u{2}' => shown.push('}'),
            '\\' => {}
            c if !inside => shown.push(c),
            _ => {}
        }
    }
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text that a variable got last before a place.
fn assigned(before: &str, name: &str) -> String {
    let Some(at) = before.rfind(&format!("let {name} =")) else { return String::new() };
    words(before[at..].split(";\n").next().unwrap())
}

/// What an argument says, by itself or by the variable in it.
fn said(argument: &str, before: &str) -> String {
    let direct = words(argument);
    if !direct.is_empty() {
        return direct;
    }
    let name = argument.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next();
    assigned(before, name.unwrap())
}

fn made() -> Vec<Made> {
    let mut paths = Vec::new();
    sources(&root().join("src"), &mut paths);
    let mut found = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        let marker = "Failure::new(";
        for (start, _) in text.match_indices(marker) {
            let (before, open) = (&text[..start], start + marker.len() - 1);
            let mut end = open + brackets(&text[open..]);
            let (kind, message) = text[open + 1..end - 1].split_once(',').unwrap();
            let mut calls: BTreeMap<String, String> = BTreeMap::new();
            while let Some(rest) = text[end..].trim_start().strip_prefix('.') {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
                let begin = text.len() - rest.len() + name.len();
                if !text[begin..].starts_with('(') {
                    break;
                }
                end = begin + brackets(&text[begin..]);
                let argument = &text[begin + 1..end - 1];
                let shown = said(argument, before);
                let shown = if shown.is_empty() { "…".to_owned() } else { shown };
                calls.insert(name, shown);
            }
            let line = before.matches('\n').count() + 1;
            found.push(Made {
                kind: kind.trim().rsplit("::").next().unwrap().to_owned(),
                message: said(message, before),
                cause: calls.remove("cause"),
                help: calls.remove("help"),
                place: format!("{}:{line}", path.strip_prefix(root()).unwrap().display()),
            });
        }
    }
    found
}

#[test]
fn every_failure_says_what_to_do() {
    let made = made();
    assert!(made.len() > 130, "{} were found", made.len());
    let silent: Vec<_> =
        made.iter().filter(|one| one.help.is_none()).map(|one| &one.place).collect();
    assert!(silent.is_empty(), "without a next step: {silent:#?}");
    for one in &made {
        for text in
            [Some(&one.message), one.cause.as_ref(), one.help.as_ref()].into_iter().flatten()
        {
            assert!(!text.ends_with('.'), "{}: no full stop: {text}", one.place);
        }
    }
}

/// The kinds with their headings, in the order of the page.
const KINDS: [(&str, &str); 8] = [
    ("Input", "Configuration or input: exit code 1"),
    ("Usage", "Command line: exit code 2"),
    ("Refused", "Refused, nothing was changed: exit code 3"),
    ("Settled", "A step failed: exit code 4"),
    ("Access", "Credentials and permissions: exit code 5"),
    ("Waiting", "AWS has to do something first: exit code 8"),
    ("Bug", "A mistake of spaceduck: exit code 70"),
    ("Interrupted", "Stopped: exit code 130"),
];

const HEAD: &str = "---
title: Every failure and its next step
nav: Failures
description: All sentences with which spaceduck stops, by exit code, each with its cause and what to do next.
order: 190
kind: reference
---

Search this page for the words after `error:`. What differs from case to case is written as `…`. Below a
failure in a terminal, `cause:` says what AWS or the operating system answered, and `help:` what to do.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    let made = made();
    for (kind, heading) in KINDS {
        let of_it: BTreeSet<_> = made
            .iter()
            .filter(|one| one.kind == kind && one.message.chars().any(char::is_alphabetic))
            .map(|one| (&one.message, &one.cause, &one.help))
            .collect();
        if of_it.is_empty() {
            continue;
        }
        // Writing to a String can't fail.
        let _ = write!(page, "\n## {heading}\n\n");
        for (message, cause, help) in of_it {
            let _ = writeln!(page, "* **{}**", shown(message));
            if let Some(cause) = cause.as_ref().filter(|cause| *cause != "…") {
                let _ = writeln!(page, "  Cause: {}.", shown(cause));
            }
            if let Some(help) = help.as_ref().filter(|help| *help != "…") {
                let _ = writeln!(page, "  Next: {}.", shown(help));
            }
        }
    }
    page
}

/// Text as Markdown that means itself.
fn shown(text: &str) -> String {
    let mut code = false;
    let mut out = String::new();
    for c in text.chars() {
        code ^= c == '`';
        if !code && "<>[]*_".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests are told to write what they compare with")]
fn the_page_of_failures_is_fresh() {
    let path = root().join("pages/mightyspaceduck/guide/failures.md");
    let page = page();
    let there = || std::fs::read_to_string(&path).unwrap_or_default();
    if std::env::var_os("UPDATE_DOCS").is_some() && there() != page {
        std::fs::write(&path, &page).unwrap();
    }
    assert!(there() == page, "{} is out of date: cargo xtask docs", path.display());
}

/// The reader of sources itself.
#[test]
fn sources_are_read_as_people_see_them() {
    assert_eq!(words(r#"format!("can't read `{file}`, {} times", 3)"#), "can't read `…`, … times");
    assert_eq!(words("\"one \\\n     two\""), "one two");
    assert_eq!(brackets("(a, \")\", '(', [b])x"), 18);
    assert_eq!(
        assigned("let message = \"a\";\nlet message = format!(\"b {c}\");\n", "message"),
        "b …"
    );
    let whole = made();
    let found = |message: &str| whole.iter().find(|one| one.message == message);
    let one = found("can't read `…`").unwrap();
    assert!(one.cause.is_some() && one.help.is_some(), "{one:?}");
}
