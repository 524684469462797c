//! `pages/facts/*.json`, as the tests of the API and of the installer write them.

use serde::Deserialize;

/// What the API knows.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Api {
    pub(crate) calls: Vec<Call>,
    pub(crate) errors: Vec<Error>,
    pub(crate) events: Vec<String>,
    pub(crate) events_kept_days: u32,
    pub(crate) tiers: Vec<Tier>,
    pub(crate) peck_types: Vec<PeckType>,
    pub(crate) person_requests_per_minute: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) who: String,
    pub(crate) tier: String,
    pub(crate) per_address: Option<u32>,
    pub(crate) counted_as: Option<String>,
    pub(crate) rate: u32,
    pub(crate) burst: u32,
    pub(crate) does: String,
    pub(crate) errors: Vec<String>,
}

impl Call {
    /// As it is written: method and path.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Who may call it, as words in a sentence.
    pub(crate) fn whom(&self) -> &str {
        match self.who.as_str() {
            "anyone" => "anyone, without a credential",
            "anyone, more for an operator" => "anyone; an operator’s access token shows more",
            "key" => "an agent with its Beak Key",
            "key or person" => "an agent with its Beak Key, or its person with an access token",
            "person" => "a person with an access token",
            "operator" => "an operator with an access token",
            "key (own) or operator (all)" => {
                "an agent with its Beak Key, for its own; an operator with an access token, for all"
            }
            other => other,
        }
    }

    /// Its folder.
    pub(crate) fn slug(&self) -> String {
        self.id.replace('_', "-")
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Error {
    pub(crate) code: String,
    pub(crate) status: u16,
    pub(crate) message: Option<String>,
    pub(crate) field: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Tier {
    #[serde(rename = "tier")]
    pub(crate) word: String,
    pub(crate) bonds: u32,
    pub(crate) requests_per_minute: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PeckType {
    pub(crate) name: String,
    pub(crate) tier: String,
}

impl PeckType {
    /// Its folder.
    pub(crate) fn slug(&self) -> String {
        self.name.replace('.', "-")
    }
}

/// What the installer knows.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Installer {
    pub(crate) commands: Vec<Command>,
    pub(crate) shared: Vec<Argument>,
    pub(crate) exit_codes: Vec<ExitCode>,
    pub(crate) config: Vec<Setting>,
    pub(crate) stacks: Vec<Stack>,
    pub(crate) drift: Vec<Drift>,
    #[serde(default)]
    pub(crate) doctor: Vec<Check>,
    #[serde(default)]
    pub(crate) mail: Vec<Item>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) usage: String,
    pub(crate) arguments: Vec<Argument>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Argument {
    pub(crate) shown: String,
    pub(crate) short: Option<String>,
    pub(crate) help: String,
    pub(crate) default: String,
    pub(crate) env: Option<String>,
    pub(crate) words: Vec<String>,
    pub(crate) required: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ExitCode {
    pub(crate) code: u8,
    pub(crate) word: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) words: String,
    pub(crate) form: String,
    pub(crate) default: Option<String>,
    pub(crate) example: String,
    pub(crate) pairs_with: Option<String>,
}

impl Setting {
    /// Its folder.
    pub(crate) fn slug(&self) -> String {
        self.key.replace(['.', '_'], "-")
    }

    /// The example, as in the file.
    pub(crate) fn yaml(&self) -> String {
        let value = if self.form.starts_with("`{file") {
            format!("{{file: {}}}", self.example)
        } else {
            self.example.clone()
        };
        match self.key.split_once('.') {
            Some((section, name)) => format!("{section}:\n  {name}: {value}"),
            None => format!("{}: {value}", self.key),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Stack {
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) keeps_data: bool,
    pub(crate) seconds: u64,
    pub(crate) waits_for: Vec<String>,
    pub(crate) costs: Vec<Cost>,
    pub(crate) resources: Vec<Resource>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Cost {
    pub(crate) what: String,
    pub(crate) idle_cents: u32,
    pub(crate) small_cents: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Resource {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) seconds: u64,
    pub(crate) protected: bool,
    pub(crate) deletion: String,
    pub(crate) condition: String,
    /// What all resources of its kind cost together.
    #[serde(default)]
    pub(crate) cost: Option<Cost>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Drift {
    pub(crate) id: String,
    pub(crate) item: String,
    pub(crate) state: String,
    pub(crate) mends: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Check {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) should: String,
    pub(crate) cure: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Item {
    pub(crate) number: u8,
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) what: String,
    pub(crate) cure: String,
    pub(crate) judge: String,
}
