//! The settings, one by one.

use serde_json::{Value, json};

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its dotted key.
    pub key: &'static str,
    /// What it is for, as comment and as description.
    pub words: &'static str,
    /// What a person is asked; nothing for what few ever change.
    pub question: Option<&'static str>,
    /// What form its value has.
    pub shape: Shape,
    /// What it is where nobody says anything.
    pub default: Option<&'static str>,
    /// A value that will do.
    pub example: &'static str,
    /// The setting that is of no use without this one.
    pub pairs_with: Option<&'static str>,
    /// Whether it stands in the file although it is the default.
    pub always: bool,
}

/// The form of a value. Editors go by it; what the program accepts, `config` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Words of this pattern.
    Text(&'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number from one to another.
    Number(i64, i64),
    /// One of these whole numbers.
    OneOf(&'static [i64]),
    /// Yes or no.
    Bool,
    /// A reference to a file that holds a secret.
    SecretFile,
}

impl Shape {
    /// The value as it stands in YAML.
    pub(super) fn scalar(self, value: &str) -> String {
        match self {
            // In quotes, as JSON writes it, which YAML reads: a key of digits stays a word.
            Self::Text(_) => Value::from(value).to_string(),
            Self::Word(_) | Self::Number(..) | Self::OneOf(_) | Self::Bool => plain(value),
            Self::SecretFile => format!("{{file: {}}}", Value::from(value)),
        }
    }

    /// The value as it stands in JSON.
    pub(super) fn value(self, value: &str) -> Value {
        match self {
            Self::Number(..) | Self::OneOf(_) => {
                value.parse::<i64>().map_or_else(|_| value.into(), Value::from)
            }
            Self::Bool => Value::from(value == "true"),
            Self::Text(_) | Self::Word(_) | Self::SecretFile => value.into(),
        }
    }

    pub(super) fn schema(self) -> Value {
        match self {
            Self::Text(pattern) => json!({"type": "string", "pattern": pattern}),
            Self::Word(words) => json!({"type": "string", "enum": words}),
            Self::Number(least, most) => {
                json!({"type": "integer", "minimum": least, "maximum": most})
            }
            Self::OneOf(values) => json!({"type": "integer", "enum": values}),
            Self::Bool => json!({"type": "boolean"}),
            Self::SecretFile => json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["file"],
                "properties": {"file": {"type": "string", "minLength": 1}},
            }),
        }
    }
}

/// A number or a truth value as it was typed; anything else in quotes, so that it stays one value
/// and is refused as such.
fn plain(value: &str) -> String {
    let fits = !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if fits { value.to_owned() } else { Value::from(value).to_string() }
}

const DOMAIN: &str = "^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\\.)+[A-Za-z0-9-]+$";
const LOCAL_PART: &str = "^[A-Za-z0-9_+-]+(\\.[A-Za-z0-9_+-]+)*$";
const LABEL: &str = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";
const ADDRESS: &str = "^[A-Za-z0-9_+-]+(\\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9.-]+$";

/// All of them, in the order of the file.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "name",
        words: "The galaxy's name. It starts every name in the account and can't be changed later.",
        question: Some("Name of the galaxy"),
        shape: Shape::Text("^[a-z][a-z0-9-]{1,18}[a-z0-9]$"),
        default: Some("spaceduck"),
        example: "pond",
        pairs_with: None,
        always: true,
    },
    Setting {
        key: "region",
        words: "The home Region; without it the AWS settings decide. The sites' stacks are always \
                in us-east-1.",
        question: Some("AWS Region; none leaves it to the AWS settings"),
        shape: Shape::Text("^[a-z]+(-[a-z]+){1,2}-[0-9]+$"),
        default: None,
        example: "eu-central-1",
        pairs_with: None,
        always: false,
    },
    Setting {
        key: "turnstile.site_key",
        words: "The public key of your Turnstile widget. Without it nobody can hatch.",
        question: Some("Turnstile site key, if you have one"),
        shape: Shape::Text("^[A-Za-z0-9_-]{10,64}$"),
        default: None,
        example: "0x4AAAAAAAYourSiteKey",
        pairs_with: Some("turnstile.secret"),
        always: false,
    },
    Setting {
        key: "turnstile.secret",
        words: "A file that holds the widget's secret and that only you can read. The variable\n\
                SPACEDUCK_TURNSTILE_SECRET comes before it.",
        question: None,
        shape: Shape::SecretFile,
        default: None,
        example: "turnstile-secret.txt",
        pairs_with: None,
        always: false,
    },
    Setting {
        key: "api.memory_mb",
        words: "Memory of the function in MB. More memory is more processor, too.",
        question: None,
        shape: Shape::Number(128, 3008),
        default: Some("256"),
        example: "512",
        pairs_with: None,
        always: false,
    },
    Setting {
        key: "logs.retention_days",
        words: "How many days the logs of function and API are kept.",
        question: None,
        shape: Shape::OneOf(&[
            1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557,
            2922, 3288, 3653,
        ]),
        default: Some("30"),
        example: "90",
        pairs_with: None,
        always: false,
    },
    Setting {
        key: "logs.site_access",
        words: "Whether the five sites write access logs.",
        question: None,
        shape: Shape::Bool,
        default: Some("true"),
        example: "false",
        pairs_with: None,
        always: false,
    },
    Setting {
        key: "mail.domain",
        words: "The domain that mail is sent from; without it Cognito sends, about 50 codes a day.",
        question: Some("Domain that mail is sent from; none uses the sender of Cognito"),
        shape: Shape::Text(DOMAIN),
        default: None,
        example: "mail.example.org",
        pairs_with: None,
        always: false,
    },
    Setting {
        key: "mail.from",
        words: "What stands before the @ of the sender.",
        question: None,
        shape: Shape::Text(LOCAL_PART),
        default: Some("duck"),
        example: "hello",
        pairs_with: None,
        always: false,
    },
    Setting {
        key: "mail.bounce",
        words: "The label below the domain that bounces go to.",
        question: None,
        shape: Shape::Text(LABEL),
        default: Some("bounce"),
        example: "returns",
        pairs_with: None,
        always: false,
    },
    Setting {
        key: "mail.reports",
        words: "Where receivers send their reports about DMARC.",
        question: None,
        shape: Shape::Text(ADDRESS),
        default: None,
        example: "dmarc@example.org",
        pairs_with: None,
        always: false,
    },
    Setting {
        key: "mail.alarms",
        words: "Who is told when mail bounces or something else goes wrong.",
        question: Some("E-mail of whoever is told of alarms"),
        shape: Shape::Text(ADDRESS),
        default: None,
        example: "operator@example.org",
        pairs_with: None,
        always: false,
    },
    Setting {
        key: "mail.website",
        words: "The website that the application to Amazon names.",
        question: None,
        shape: Shape::Text("^https://[^/]+\\.[^/]+(/.*)?$"),
        default: None,
        example: "https://www.example.org/",
        pairs_with: None,
        always: false,
    },
    Setting {
        key: "mail.sender",
        words: "Who sends the codes: cognito, or auto: SES as soon as Amazon lets mail out to all.",
        question: None,
        shape: Shape::Word(&["auto", "cognito"]),
        default: Some("auto"),
        example: "cognito",
        pairs_with: None,
        always: false,
    },
];
