//! The settings, one by one.

use serde_json::{Value, json};

use crate::config::{CALLS, PARALLEL, PRICE_CLASSES, UNITS};

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

/// What most of them have in common: nobody is asked, and nothing stands in the file.
const RARE: Setting = Setting {
    key: "",
    words: "",
    question: None,
    shape: Shape::Bool,
    default: None,
    example: "",
    pairs_with: None,
    always: false,
};

/// A throttle of API Gateway.
const fn throttle(
    key: &'static str,
    words: &'static str,
    default: &'static str,
    example: &'static str,
) -> Setting {
    let shape = Shape::Number(CALLS.0, CALLS.1);
    Setting { key, words, shape, default: Some(default), example, ..RARE }
}

/// All of them, in the order of the file.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "name",
        words: "The galaxy's name. It starts every name in the account and can't be changed later.",
        question: Some("Name of the galaxy"),
        shape: Shape::Text("^(?!aws|ssm|xn--|sthree-|amzn-s3-demo-)[a-z][a-z0-9-]{1,18}[a-z0-9]$"),
        default: Some("spaceduck"),
        example: "pond",
        always: true,
        ..RARE
    },
    Setting {
        key: "region",
        words: "The home Region; without it the AWS settings decide. The sites' stacks are always \
                in us-east-1.",
        question: Some("AWS Region; none leaves it to the AWS settings"),
        shape: Shape::Text("^(?!cn-|us-gov-|us-iso|eu-isoe-|eusc-)[a-z]+(-[a-z]+){1,2}-[0-9]+$"),
        example: "eu-central-1",
        ..RARE
    },
    Setting {
        key: "turnstile.site_key",
        words: "The public key of your Turnstile widget. Hatching needs it.",
        question: Some("Turnstile site key, if you have one"),
        shape: Shape::Text("^[A-Za-z0-9_-]{10,64}$"),
        example: "0x4AAAAAAAYourSiteKey",
        pairs_with: Some("turnstile.secret"),
        ..RARE
    },
    Setting {
        key: "turnstile.secret",
        words: "A file that holds the widget's secret and that only you can read. The variable\n\
                SPACEDUCK_TURNSTILE_SECRET comes before it.",
        shape: Shape::SecretFile,
        example: "turnstile-secret.txt",
        ..RARE
    },
    Setting {
        key: "api.memory_mb",
        words: "Memory of the function in MB. More memory is more processor, too.",
        shape: Shape::Number(128, 3008),
        default: Some("256"),
        example: "512",
        ..RARE
    },
    throttle(
        "api.calls_per_second",
        "How many calls a second API Gateway lets through, for all callers together. The calls\n\
         below have limits of their own; everything beyond a limit is answered 429.",
        "100",
        "500",
    ),
    throttle("api.calls_burst", "How many of these calls at once.", "200", "1000"),
    throttle(
        "api.sign_in_per_second",
        "How many calls a second each of sign-in, verify and reset may get.",
        "50",
        "200",
    ),
    throttle("api.sign_in_burst", "How many of each of these calls at once.", "100", "400"),
    throttle(
        "api.hatch_per_second",
        "How many calls a second each of hatch, resend, forgot and newsletter may get: those that\n\
         send mail. New accounts cost money, so this limits the bill, too.",
        "5",
        "20",
    ),
    throttle("api.hatch_burst", "How many of each of these calls at once.", "10", "40"),
    Setting {
        key: "api.shield",
        words: "A distribution with a rate rule in front of the API, so that one address can't\n\
                take all of these calls. About $6 a month; the API gets another address.",
        shape: Shape::Bool,
        default: Some("false"),
        example: "true",
        ..RARE
    },
    Setting {
        key: "operators.second_factor",
        words: "Whether operators need a second factor (TOTP) to act as operators.",
        shape: Shape::Word(&["optional", "required"]),
        default: Some("optional"),
        example: "required",
        ..RARE
    },
    Setting {
        key: "logs.retention_days",
        words: "How many days the logs of function and API are kept.",
        shape: Shape::OneOf(&[
            1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557,
            2922, 3288, 3653,
        ]),
        default: Some("30"),
        example: "90",
        ..RARE
    },
    Setting {
        key: "logs.site_access",
        words: "Whether the five sites write access logs.",
        shape: Shape::Bool,
        default: Some("true"),
        example: "false",
        ..RARE
    },
    Setting {
        key: "pages",
        words: "A folder, beside this file, with pages and files of your own for the sites.\n\
                SITE/PATH in it is added to ours or takes its place; no upgrade touches it.",
        shape: Shape::Text("."),
        example: "our-pages",
        ..RARE
    },
    Setting {
        key: "domains.mightyspaceduck",
        words: "Your domain for the front page. Any of the five sites and the API may have one.",
        question: Some("Domain of the front page; none for the name that CloudFront gives"),
        shape: Shape::Text(DOMAIN),
        example: "example.org",
        ..RARE
    },
    Setting {
        key: "domains.duckgalaxy",
        words: "For the developers' site.",
        shape: Shape::Text(DOMAIN),
        example: "docs.example.org",
        ..RARE
    },
    Setting {
        key: "domains.duckcontrol",
        words: "For Mission Control.",
        shape: Shape::Text(DOMAIN),
        example: "control.example.org",
        ..RARE
    },
    Setting {
        key: "domains.spaceduckling",
        words: "For people.",
        shape: Shape::Text(DOMAIN),
        example: "people.example.org",
        ..RARE
    },
    Setting {
        key: "domains.spaceduck-bot",
        words: "For agents.",
        shape: Shape::Text(DOMAIN),
        example: "agents.example.org",
        ..RARE
    },
    Setting {
        key: "domains.api",
        words: "For the API.",
        shape: Shape::Text(DOMAIN),
        example: "api.example.org",
        ..RARE
    },
    Setting {
        key: "dns",
        words: "Who sets the DNS records of domains and mail: auto is the installer where Route \
                53\nof this account has the zone, manual is always you.",
        shape: Shape::Word(&["auto", "manual"]),
        default: Some("auto"),
        example: "manual",
        ..RARE
    },
    Setting {
        key: "cost.price_class",
        words: "Where the sites are served from: PriceClass_100 is Europe and North America,\n\
                PriceClass_200 adds most of Asia, PriceClass_All is everywhere.",
        shape: Shape::Word(PRICE_CLASSES),
        default: Some("PriceClass_100"),
        example: "PriceClass_All",
        ..RARE
    },
    Setting {
        key: "cost.reads_per_second",
        words: "Read units a second that each table takes at most: what a flood may cost.",
        shape: Shape::Number(UNITS.0, UNITS.1),
        default: Some("4000"),
        example: "500",
        ..RARE
    },
    Setting {
        key: "cost.writes_per_second",
        words: "Write units a second that each table takes at most.",
        shape: Shape::Number(UNITS.0, UNITS.1),
        default: Some("1000"),
        example: "100",
        ..RARE
    },
    Setting {
        key: "cost.parallel_calls",
        words: "How many calls the function works on at once; 0 leaves it to the account's quota.",
        shape: Shape::Number(PARALLEL.0, PARALLEL.1),
        default: Some("0"),
        example: "20",
        ..RARE
    },
    Setting {
        key: "protection.point_in_time",
        words: "Whether tables can be brought back to any second of the last 35 days. Without it\n\
                every upgrade first writes them down.",
        shape: Shape::Bool,
        default: Some("true"),
        example: "false",
        ..RARE
    },
    Setting {
        key: "mail.domain",
        words: "The domain that mail is sent from; without it Cognito sends, about 50 codes a day.",
        question: Some("Domain that mail is sent from; none uses the sender of Cognito"),
        shape: Shape::Text(DOMAIN),
        example: "mail.example.org",
        ..RARE
    },
    Setting {
        key: "mail.from",
        words: "The part before the @ in the sender address.",
        shape: Shape::Text(LOCAL_PART),
        default: Some("duck"),
        example: "hello",
        ..RARE
    },
    Setting {
        key: "mail.bounce",
        words: "The label below the domain that bounces go to.",
        shape: Shape::Text(LABEL),
        default: Some("bounce"),
        example: "returns",
        ..RARE
    },
    Setting {
        key: "mail.reports",
        words: "Where receivers send their reports about DMARC.",
        shape: Shape::Text(ADDRESS),
        example: "dmarc@example.org",
        ..RARE
    },
    Setting {
        key: "mail.alarms",
        words: "Who is told when mail bounces or something else goes wrong.",
        question: Some("Email address for alarms"),
        shape: Shape::Text(ADDRESS),
        example: "operator@example.org",
        ..RARE
    },
    Setting {
        key: "mail.website",
        words: "The website that the application to Amazon names.",
        shape: Shape::Text("^https://[^/]+\\.[^/]+(/.*)?$"),
        example: "https://www.example.org/",
        ..RARE
    },
    Setting {
        key: "mail.sender",
        words: "Who sends the codes: cognito, or auto: SES as soon as Amazon lets mail out to all.",
        shape: Shape::Word(&["auto", "cognito"]),
        default: Some("auto"),
        example: "cognito",
        ..RARE
    },
];
