//! The table of fields: one place from which the check, the JSON Schema and the document are made.

use regex_lite::Regex;
use serde_json::{Map, Value, json};

/// The version of the specification.
pub(crate) const FORMAT: &str = "1";

/// What starts the fields in `metadata` that only this specification knows.
pub(crate) const OURS: &str = "galaxy-";

/// A field of the front matter. Its value is always text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// Its key.
    pub(crate) key: &'static str,
    /// Whether it must be there.
    pub(crate) required: bool,
    /// At most so many characters.
    pub(crate) limit: usize,
    /// What it may be.
    pub(crate) form: Form,
    /// What it says, for the schema.
    pub(crate) says: &'static str,
    /// The correct form, for the help of a mistake.
    pub(crate) write: &'static str,
}

/// What a field may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// A text of this pattern as a whole.
    Text(&'static str),
    /// Words with one space between, each of this pattern, none twice.
    Words(&'static str),
}

/// Text with something to see in it.
const ANY: &str = r"[\s\S]*\S[\s\S]*";

/// The fields of Agent Skills.
pub(crate) const STANDARD: [Field; 5] = [
    Field {
        key: "name",
        required: true,
        limit: 64,
        form: Form::Text("[a-z0-9]+(-[a-z0-9]+)*"),
        says: "The skill's name, which is also its folder's.",
        write: "write lower-case letters, digits and single hyphens, as in `space-duck`",
    },
    Field {
        key: "description",
        required: true,
        limit: 1024,
        // Agents put it into their prompt; some refuse whatever looks like a tag there.
        form: Form::Text(r"[^<>]*[^<>\s][^<>]*"),
        says: "What the skill does and when to use it.",
        write: "say in words, without `<` and `>`, what the skill does and when to use it",
    },
    Field {
        key: "license",
        required: false,
        limit: 200,
        form: Form::Text(ANY),
        says: "The licence, or the file in the folder that holds it.",
        write: "write a licence's short name, such as `MIT`",
    },
    Field {
        key: "compatibility",
        required: false,
        limit: 500,
        form: Form::Text(ANY),
        says: "What the skill needs around it.",
        write: "say what the skill needs around it, or leave the field out",
    },
    Field {
        key: "allowed-tools",
        required: false,
        limit: 1024,
        form: Form::Words(r"[^\s()]+(\([^()]*\))?"),
        says: "Tools that may be used without asking, one space between; experimental.",
        write: "write tools with one space between, as in `Bash(curl:*) Read`",
    },
];

/// The fields in `metadata`.
pub(crate) const METADATA: [Field; 6] = [
    Field {
        key: "version",
        required: true,
        limit: 64,
        form: Form::Text(concat!(
            r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)",
            r"(-(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)",
            r"(\.(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*)?",
        )),
        says: "The skill's version, by Semantic Versioning 2.0.0 without build metadata.",
        write: "write three numbers in quotes, as in `\"1.0.0\"`",
    },
    Field {
        key: "galaxy-skill",
        required: true,
        limit: 8,
        form: Form::Text(FORMAT),
        says: "The version of this specification.",
        write: "write `\"1\"`",
    },
    Field {
        key: "galaxy-capabilities",
        required: true,
        limit: 1024,
        form: Form::Words(r"[a-z][a-z0-9_]{0,31}(\.[a-z][a-z0-9_]{0,31})+"),
        says: "What an agent can do with it: dotted names as of pecks, one space between.",
        write: "write dotted lower-case names with one space between, as in `data.read chat.send`",
    },
    Field {
        key: "galaxy-tier",
        required: true,
        limit: 2,
        form: Form::Text("T[012]"),
        says: "The trust tier that a duckling needs for all of it.",
        write: "write `T0`, `T1` or `T2`",
    },
    Field {
        key: "galaxy-permissions",
        required: true,
        limit: 1024,
        form: Form::Words(concat!(
            r"(none|beak-key|files:read|files:write|network:galaxy",
            r"|network:[a-z0-9]([a-z0-9.-]*[a-z0-9])?|run:[A-Za-z0-9._+-]+)",
        )),
        says: "What it needs of the machine and the duckling, one space between, or `none`.",
        write: "write `none`, or out of `beak-key`, `network:galaxy`, `network:HOST`, \
                `files:read`, `files:write` and `run:PROGRAM` with one space between",
    },
    Field {
        key: "galaxy-publisher",
        required: false,
        limit: 30,
        form: Form::Text("dkl_[0-7][0-9A-HJKMNP-TV-Z]{25}"),
        says: "The duckling that signs it.",
        write: "write the publisher's duckling id, `dkl_` and 26 characters",
    },
];

impl Field {
    /// The whole pattern.
    fn pattern(&self) -> String {
        match self.form {
            Form::Text(one) => format!("^(?:{one})$"),
            Form::Words(one) => format!("^(?:{one})(?: (?:{one}))*$"),
        }
    }

    /// What is wrong with a text: the sentence, and which part of the text it is about.
    pub(crate) fn fault(&self, text: &str) -> Option<(String, String)> {
        let (key, length) = (self.key, text.chars().count());
        if length > self.limit {
            let message = format!("`{key}` has {length} characters, {} are allowed", self.limit);
            return Some((message, text.to_owned()));
        }
        let fits =
            |pattern: &str, text: &str| Regex::new(pattern).is_ok_and(|regex| regex.is_match(text));
        if text.trim().is_empty() {
            return Some((format!("`{key}` is empty"), text.to_owned()));
        }
        if let Form::Words(one) = self.form {
            let one = format!("^(?:{one})$");
            let words = || text.split_whitespace();
            if let Some(word) = words().find(|word| !fits(&one, word)) {
                return Some((format!("`{word}` can't stand in `{key}`"), word.to_owned()));
            }
            let twice = |word: &&str| words().filter(|other| other == word).count() > 1;
            if let Some(word) = words().find(twice) {
                return Some((format!("`{word}` is in `{key}` twice"), word.to_owned()));
            }
        }
        if fits(&self.pattern(), text) {
            return None;
        }
        let shown: String = text.chars().take(60).collect();
        Some((format!("`{}` is no value for `{key}`", shown.escape_debug()), text.to_owned()))
    }

    fn schema(&self) -> Value {
        json!({
            "type": "string",
            "description": self.says,
            "minLength": 1,
            "maxLength": self.limit,
            "pattern": self.pattern(),
        })
    }
}

fn object(fields: &[Field]) -> (Map<String, Value>, Vec<&'static str>) {
    let properties = fields.iter().map(|field| (field.key.to_owned(), field.schema())).collect();
    let required = fields.iter().filter(|field| field.required).map(|field| field.key).collect();
    (properties, required)
}

/// The JSON Schema of the front matter.
#[must_use]
pub fn schema() -> Value {
    let (mut properties, mut required) = object(&STANDARD);
    let (metadata, needed) = object(&METADATA);
    let ours: Vec<&str> =
        METADATA.iter().map(|field| field.key).filter(|key| key.starts_with(OURS)).collect();
    required.push("metadata");
    properties.insert(
        "metadata".into(),
        json!({
            "type": "object",
            "description": "What Galaxy adds, and whatever else anybody wants to say, as text.",
            "required": needed,
            "properties": metadata,
            "additionalProperties": {"type": "string"},
            "propertyNames": {
                "anyOf": [{"enum": ours}, {"not": {"pattern": format!("^{OURS}")}}],
            },
        }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Front matter of a Galaxy skill",
        "description": "The YAML between the two `---` of SKILL.md. A Galaxy skill is an Agent \
                        Skill; what Galaxy adds is in `metadata`.",
        "type": "object",
        "required": required,
        "additionalProperties": false,
        "properties": properties,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    #[expect(clippy::disallowed_methods, reason = "tests are told to write what they compare with")]
    fn the_schema_file_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/front-matter.schema.json");
        // As a value: other crates decide whether the JSON library keeps keys in order.
        let read = || -> Option<serde_json::Value> {
            serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
        };
        let wanted = super::schema();
        if std::env::var_os("UPDATE_DOCS").is_some() && read().as_ref() != Some(&wanted) {
            let text = serde_json::to_string_pretty(&wanted).expect("written") + "\n";
            std::fs::write(path, text).expect("written");
        }
        assert!(read() == Some(wanted), "{path} is out of date: cargo xtask docs");
    }
}
