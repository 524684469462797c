//! Pages for operators: commands, exit codes, settings, drift, checks of the doctor, mail.

use askama::Template;

use super::facts::{Argument, Check, Command, Drift, ExitCode, Installer, Item, Setting};
use super::{Section, Words};
use crate::page::Page;
use crate::{Input, Mistake};

#[derive(Template)]
#[template(path = "reference/command.md", escape = "none")]
struct CommandPage<'a> {
    command: &'a Command,
    shared: &'a [Argument],
    words: &'a Words,
}

/// A page for every command of `spaceduck`.
pub(super) fn commands(input: &Input, facts: &Installer, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    let mut section = Section::open(input, ("duckcontrol", "/cli/"), "commands", mistakes);
    for command in &facts.commands {
        let about = format!("`spaceduck {}`: {}.", command.name, command.about);
        let words = section.words_or(&command.name, &about);
        let page = CommandPage { command, shared: &facts.shared, words: &words };
        let text = section.fill(&page);
        let slug = command.name.replace(' ', "-");
        let words = Words { nav: Some(format!("`{}`", command.name)), ..words };
        section.add(&slug, &format!("`spaceduck {}`", command.name), &words, text);
    }
    section.close()
}

#[derive(Template)]
#[template(path = "reference/plain.md", escape = "none")]
struct PlainPage<'a> {
    words: &'a Words,
    facts: Vec<(&'a str, String)>,
}

/// The field of the last JSON line that has the word for a code.
fn field(code: u8) -> &'static str {
    if matches!(code, 0 | 6 | 7) { "outcome" } else { "kind" }
}

/// A page for every exit code.
pub(super) fn exit_codes(
    input: &Input,
    facts: &Installer,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Page> {
    let place = ("duckcontrol", "/exit-codes/");
    let mut section = Section::open(input, place, "exit_codes", mistakes);
    for ExitCode { code, word } in &facts.exit_codes {
        let Some(words) = section.words(&code.to_string()) else { continue };
        let facts = vec![
            ("Exit code", format!("{code}")),
            ("With `--json`", format!("the last line says `\"{}\":\"{word}\"`", field(*code))),
        ];
        let text = section.fill(&PlainPage { words: &words, facts });
        let title = words.title.clone().unwrap_or_else(|| word.clone());
        let nav = Some(format!("{code}: {title}"));
        let words = Words { title: None, nav, ..words };
        section.part(&code.to_string(), &format!("Exit code {code}: {title}"), &words, text);
    }
    section.close()
}

#[derive(Template)]
#[template(path = "reference/setting.md", escape = "none")]
struct SettingPage<'a> {
    setting: &'a Setting,
    pair: Option<&'a Setting>,
    words: &'a Words,
}

/// A page for every setting of `galaxy.yaml`.
pub(super) fn config(input: &Input, facts: &Installer, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    let mut section = Section::open(input, ("duckcontrol", "/config/"), "config", mistakes);
    for setting in &facts.config {
        let about = format!("`{}` in galaxy.yaml. {}", setting.key, setting.words);
        let words = section.words_or(&setting.key, &about);
        let pair =
            facts.config.iter().find(|other| Some(&other.key) == setting.pairs_with.as_ref());
        let text = section.fill(&SettingPage { setting, pair, words: &words });
        let words = Words { nav: Some(format!("`{}`", setting.key)), ..words };
        section.part(&setting.slug(), &format!("`{}`", setting.key), &words, text);
    }
    section.close()
}

#[derive(Template)]
#[template(path = "reference/finding.md", escape = "none")]
struct FindingPage<'a> {
    drift: &'a Drift,
    words: &'a Words,
    mends: String,
    line: String,
    repair: Option<String>,
}

/// A page for every kind of finding of `spaceduck drift`. Its example is the item and the detail
/// of a finding, as the program prints it.
pub(super) fn drift(input: &Input, facts: &Installer, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    let mut section = Section::open(input, ("duckcontrol", "/drift/"), "drift", mistakes);
    for drift in &facts.drift {
        let Some(words) = section.words(&drift.id) else { continue };
        let item = words.example.split("  ").next().unwrap_or_default();
        if !is_like(&drift.item, item) {
            let message = format!("`{}`: its example is no `{}`", drift.id, drift.item);
            section.wrong(message);
        }
        let mends = match drift.mends.as_str() {
            "" => "nothing has to be, or nothing that the program could do".to_owned(),
            command => {
                let name = command.split(' ').nth(1).unwrap_or_default();
                format!("[`{command}`](/cli/{name}/)")
            }
        };
        let page = FindingPage {
            drift,
            words: &words,
            mends,
            line: format!("{:<9} {}", drift.state, words.example),
            repair: drift.mends.starts_with(REPAIR).then(|| format!("{} {item}", drift.mends)),
        };
        let title = words.title.clone().unwrap_or_else(|| drift.id.clone());
        let text = section.fill(&page);
        section.part(&drift.id, &title, &words, text);
    }
    section.close()
}

/// The command that mends what an item names.
const REPAIR: &str = "spaceduck repair";

/// Whether an item has this format; words in capitals are placeholders.
fn is_like(pattern: &str, item: &str) -> bool {
    let fixed: Vec<&str> =
        pattern.split(|c: char| c.is_ascii_uppercase()).filter(|part| !part.is_empty()).collect();
    let mut rest = item;
    for part in &fixed {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    let named = pattern.ends_with(|c: char| c.is_ascii_uppercase());
    if fixed.is_empty() { !item.is_empty() } else { rest.is_empty() != named }
}

#[derive(Template)]
#[template(path = "reference/check.md", escape = "none")]
struct CheckPage<'a> {
    check: &'a Check,
    words: Words,
    cure: String,
    line: String,
}

/// A page for every check of `spaceduck doctor`: its own table has most words. The example is a
/// level and a state, as the program prints them.
pub(super) fn doctor(input: &Input, facts: &Installer, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    if facts.doctor.is_empty() {
        return Vec::new();
    }
    let mut section = Section::open(input, ("duckcontrol", "/doctor/"), "doctor", mistakes);
    for check in &facts.doctor {
        let about = format!("{}: {}.", check.title, check.should);
        let words = section.words_or(&check.id, &about);
        let (level, is) = words.example.split_once(": ").unwrap_or_default();
        if !["ok", "unknown", "warning", "problem"].contains(&level) {
            section.wrong(format!("`{}`: its example begins with no level", check.id));
        }
        let mut lines = vec![format!("{level:<8} {}: {is}", check.id)];
        if level != "ok" {
            lines.push(format!("         should be: {}", check.should));
            lines.push(format!("         fix: {}", check.cure));
        }
        let line = lines.join("\n");
        let page = CheckPage { check, words: words.clone(), cure: sentence(&check.cure), line };
        let text = section.fill(&page);
        section.part(&check.id, &check.title, &words, text);
    }
    section.close()
}

/// A few words as a sentence.
fn sentence(words: &str) -> String {
    let mut rest = words.chars();
    let first: String = rest.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if words.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", rest.as_str())
}

#[derive(Template)]
#[template(path = "reference/item.md", escape = "none")]
struct ItemPage<'a> {
    item: &'a Item,
    words: Words,
    judge: String,
    lines: String,
}

impl Item {
    /// Who can tell whether it is done.
    fn who_tells(&self) -> String {
        match (self.id.as_str(), self.judge.as_str()) {
            // You send it; whether it was granted, Amazon says.
            ("letter", _) => "Amazon, by its answer; the program looks whether it is there".into(),
            (_, "program") => "the program looks by itself".into(),
            _ => format!("only you; tell it with `spaceduck mail confirm {}`", self.id),
        }
    }

    /// An item as `spaceduck mail` prints it; the text below its title is a parameter.
    fn lines(&self, below: &str) -> String {
        let mark = match () {
            () if below.starts_with("is: ") => '✗',
            () if below.starts_with("waits for ") || below.starts_with("comes after ") => '…',
            () => '✓',
        };
        let asked = self.judge != "program" && mark == '…' && self.id != "letter";
        let asked = if asked { " (only you can tell)" } else { "" };
        let mut text = format!("{mark} {:>2}. {}{asked}", self.number, self.title);
        for line in below.lines() {
            text += "\n      ";
            text += line;
        }
        text
    }
}

/// A page for every item of the checklist for Amazon's mail service.
pub(super) fn mail(input: &Input, facts: &Installer, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    if facts.mail.is_empty() {
        return Vec::new();
    }
    let mut section = Section::open(input, ("duckcontrol", "/mail/"), "mail", mistakes);
    for item in &facts.mail {
        let words = section.words_or(&item.id, &item.what);
        let (judge, lines) = (item.who_tells(), item.lines(&words.example));
        let text = section.fill(&ItemPage { item, words: words.clone(), judge, lines });
        let slug = item.id.replace('_', "-");
        section.part(&slug, &item.title, &words, text);
    }
    section.close()
}
