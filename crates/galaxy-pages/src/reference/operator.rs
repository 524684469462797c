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

/// Where the last line of JSON has the word that belongs to a code.
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
        section.add(&code.to_string(), &format!("Exit code {code}: {title}"), &words, text);
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
        section.add(&setting.slug(), &format!("`{}` in galaxy.yaml", setting.key), &words, text);
    }
    section.close()
}

/// A page for every kind of finding of `spaceduck drift`.
pub(super) fn drift(input: &Input, facts: &Installer, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    let mut section = Section::open(input, ("duckcontrol", "/drift/"), "drift", mistakes);
    for Drift { id, item, state, mends } in &facts.drift {
        let Some(words) = section.words(id) else { continue };
        let mends = match mends.as_str() {
            "" => "nothing has to be".to_owned(),
            command => {
                let name = command.trim_start_matches("spaceduck ");
                format!("[`{command}`](/cli/{name}/)")
            }
        };
        let facts = vec![
            ("Item", format!("`{item}`")),
            ("State", format!("`{state}`")),
            ("Mended by", mends),
        ];
        let title = words.title.clone().unwrap_or_else(|| id.clone());
        let text = section.fill(&PlainPage { words: &words, facts });
        section.add(id, &title, &words, text);
    }
    section.close()
}

#[derive(Template)]
#[template(path = "reference/check.md", escape = "none")]
struct CheckPage<'a> {
    check: &'a Check,
    words: Words,
}

/// A page for every check of `spaceduck doctor`: its own table has all words.
pub(super) fn doctor(input: &Input, facts: &Installer, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    if facts.doctor.is_empty() {
        return Vec::new();
    }
    let mut section = Section::open(input, ("duckcontrol", "/doctor/"), "doctor", mistakes);
    for check in &facts.doctor {
        let about = format!("{}: {}.", check.title, check.should);
        let words = section.words_or(&check.id, &about);
        let text = section.fill(&CheckPage { check, words: words.clone() });
        section.add(&check.id, &check.title, &words, text);
    }
    section.close()
}

#[derive(Template)]
#[template(path = "reference/item.md", escape = "none")]
struct ItemPage<'a> {
    item: &'a Item,
    words: Words,
}

/// A page for every item of the checklist for Amazon's mail service.
pub(super) fn mail(input: &Input, facts: &Installer, mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    if facts.mail.is_empty() {
        return Vec::new();
    }
    let mut section = Section::open(input, ("duckcontrol", "/mail/"), "mail", mistakes);
    for item in &facts.mail {
        let words = section.words_or(&item.id, &format!("{}. {}", item.title, item.what));
        let text = section.fill(&ItemPage { item, words: words.clone() });
        let slug = item.id.replace('_', "-");
        section.add(&slug, &item.title, &words, text);
    }
    section.close()
}
