//! The table of settings: what `galaxy.yaml` may say, with the words for people; the file that
//! `init` writes and the JSON Schema for editors are made of it. Pure.
//!
//! Whether a value will do, only `config` says: every answer goes through the door of the file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::config::{self, Environment};
use crate::failure::{Failure, Kind};

mod settings;

pub use settings::{SETTINGS, Setting, Shape};

/// The schema's name beside a `galaxy.yaml`.
pub const SCHEMA_FILE: &str = "galaxy.schema.json";

/// By this the schema is known as ours. A name, not an address: nothing is fetched.
pub const SCHEMA_ID: &str = "urn:spaceduck:galaxy:1";

/// The comment above the settings.
const HEAD: &str = "\
# yaml-language-server: $schema=./galaxy.schema.json
#
# A galaxy of Space Duck. What is commented out has its default. `spaceduck doctor` looks whether it
# can be installed, `spaceduck plan` shows what it comes to.
# Secrets are never written here: Turnstile's comes from SPACEDUCK_TURNSTILE_SECRET or from a file.
";

/// A setting by its dotted key.
pub fn setting(key: &str) -> Result<&'static Setting, Failure> {
    SETTINGS.iter().find(|setting| setting.key == key).ok_or_else(|| {
        let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
        Failure::new(Kind::Usage, format!("there is no setting `{key}`"))
            .help(format!("known here: {}", known.join(", ")))
    })
}

/// Whether the file would be read with this value; what is wrong, if not.
pub fn check(setting: &Setting, value: &str) -> Result<(), String> {
    let mut answers = BTreeMap::from([(setting.key, value.to_owned())]);
    if matches!(setting.shape, Shape::SecretFile) {
        // Alone it would be refused for want of its other half.
        answers.extend(
            SETTINGS
                .iter()
                .filter(|other| other.pairs_with == Some(setting.key))
                .map(|other| (other.key, other.example.to_owned())),
        );
    }
    whole(&answers).map_err(|message| format!("{}: {message}", setting.key))
}

/// Whether the file would be read with all of these values; what is wrong, if not.
pub fn whole(answers: &BTreeMap<&'static str, String>) -> Result<(), String> {
    let parsed = config::parse("galaxy.yaml", &compose(answers), &Environment::default());
    parsed.map(|_| ()).map_err(|failure| failure.message().to_owned())
}

/// The file with these answers; every other setting is a comment with its default.
#[must_use]
pub fn compose(answers: &BTreeMap<&'static str, String>) -> String {
    let mut text = HEAD.to_owned();
    let mut section = "";
    for setting in SETTINGS {
        let (of, name) = setting.key.rsplit_once('.').unwrap_or(("", setting.key));
        // Writing to a String can't fail.
        if of != section || of.is_empty() {
            text.push('\n');
        }
        if of != section && !of.is_empty() {
            let _ = writeln!(text, "{of}:");
        }
        section = of;
        let indent = if of.is_empty() { "" } else { "  " };
        for line in setting.words.lines() {
            let _ = writeln!(text, "{indent}# {line}");
        }
        let answer = answers.get(setting.key);
        let written = match (answer, setting.always) {
            (Some(answer), _) => Some(answer.as_str()),
            (None, true) => setting.default,
            (None, false) => None,
        };
        let _ = if let Some(value) = written {
            writeln!(text, "{indent}{name}: {}", setting.shape.scalar(value))
        } else {
            let value = setting.default.unwrap_or(setting.example);
            writeln!(text, "{indent}# {name}: {}", setting.shape.scalar(value))
        };
    }
    text
}

/// The JSON Schema (draft 2020-12) of the file.
#[must_use]
pub fn schema() -> Value {
    let mut root = Map::new();
    for setting in SETTINGS {
        let mut value = setting.shape.schema();
        value["description"] = setting.words.replace('\n', " ").into();
        if let Some(default) = setting.default {
            value["default"] = setting.shape.value(default);
        }
        match setting.key.split_once('.') {
            None => {
                root.insert(setting.key.into(), value);
            }
            Some((section, name)) => {
                let section = root.entry(section).or_insert_with(|| object(Map::new()));
                section["properties"][name] = value;
            }
        }
    }
    let mut schema = object(root);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["$id"] = SCHEMA_ID.into();
    schema["title"] = "A galaxy of Space Duck".into();
    schema
}

/// An empty section is as good as none.
fn object(properties: Map<String, Value>) -> Value {
    json!({
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": Value::Object(properties),
    })
}

/// The schema as the file that it is published as.
#[must_use]
pub fn schema_text() -> String {
    format!("{:#}\n", sorted(&schema()))
}

/// With its keys in their order, whether or not another crate has JSON keep the order of writing.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let keys: BTreeMap<&String, &Value> = map.iter().collect();
            keys.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect()
        }
        Value::Array(list) => list.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
