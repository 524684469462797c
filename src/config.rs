//! `galaxy.yaml` and the environment → a checked configuration.
//!
//! Strict: an unknown key is a mistake. Every value knows the line it stands on, and all mistakes
//! are told at once.

use std::path::{Path, PathBuf};

use crate::failure::{Excerpt, Failure, Kind, Mistake};
use crate::model::{GalaxyName, Region, Secret};

mod document;
mod domains;
mod gateway;
mod hosting;
mod limits;
mod mail;
mod operators;
mod secret;

use document::{Document, Value};
pub use domains::{Domains, Served};
pub use gateway::{CALLS, Shield, Throttle, Throttles};
pub use hosting::{Hosting, Kept, Led, Ours, OursState, Slot, SlotState};
pub use limits::{Cost, PARALLEL, PRICE_CLASSES, UNITS};
pub use mail::{Mail, Seen, Sender};

/// Retention periods that `CloudWatch` Logs takes, in days.
/// Source: `PutRetentionPolicy`, Amazon `CloudWatch` Logs API Reference.
const RETENTION_DAYS: [i64; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// What a galaxy is to be like.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The galaxy's name.
    pub name: GalaxyName,
    /// The Region that the file asks for; without one the AWS settings decide.
    pub region: Option<Region>,
    /// Cloudflare Turnstile's public key, for the page on which ducklings hatch.
    pub turnstile_site_key: Option<String>,
    /// Turnstile's secret, from the environment or the file below; never from `galaxy.yaml` itself.
    pub turnstile_secret: Option<Secret>,
    /// The file that holds Turnstile's secret, as it is named beside `galaxy.yaml`.
    pub turnstile_secret_file: Option<PathBuf>,
    /// Memory of the Lambda function in MB.
    pub memory_mb: i64,
    /// How many calls API Gateway lets through.
    pub throttles: Throttles,
    /// Whether a distribution with a rate rule stands in front of the API.
    pub shield: Shield,
    /// How long logs are kept, in days.
    pub log_retention_days: i64,
    /// Whether the five sites write access logs.
    pub site_access_logs: bool,
    /// Whether operators need a second factor to act as operators.
    pub operators_need_factor: bool,
    /// Ceilings of the bill.
    pub cost: Cost,
    /// Whether tables can be brought back to any second of the last 35 days.
    pub point_in_time: bool,
    /// How mail leaves.
    pub mail: Mail,
    /// The domains of sites and API.
    pub domains: Domains,
    /// Who sets DNS records.
    pub hosting: Hosting,
    /// The folder of pages of one's own.
    pub pages: Option<PathBuf>,
    /// What a person has to know of the file, one sentence each.
    pub warnings: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            // The literal is a valid name; a test holds it.
            name: GalaxyName::parse("spaceduck").unwrap_or_else(|_| unreachable!()),
            region: None,
            turnstile_site_key: None,
            turnstile_secret: None,
            turnstile_secret_file: None,
            memory_mb: 256,
            throttles: Throttles::default(),
            shield: Shield::Off,
            log_retention_days: 30,
            site_access_logs: true,
            operators_need_factor: false,
            cost: Cost::default(),
            point_in_time: true,
            mail: Mail::default(),
            domains: Domains::default(),
            hosting: Hosting::default(),
            pages: None,
            warnings: Vec::new(),
        }
    }
}

/// What comes from the process's environment.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `SPACEDUCK_TURNSTILE_SITE_KEY`
    pub turnstile_site_key: Option<String>,
    /// `SPACEDUCK_TURNSTILE_SECRET`
    pub turnstile_secret: Option<Secret>,
}

/// Reads the file at `path` if the person named it or it is there, and adds the environment.
pub fn load(path: &Path, named: bool, environment: &Environment) -> Result<Config, Failure> {
    let text = match std::fs::read(path) {
        Ok(bytes) => document::decoded(&path.display().to_string(), bytes)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => String::new(),
        Err(error) => {
            let file = path.display();
            return Err(Failure::new(Kind::Input, format!("can't read `{file}`"))
                .cause(error.to_string())
                .help("name another file with --config, or leave it out for the defaults"));
        }
    };
    let mut config = parse(&path.display().to_string(), &text, environment)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    config.pages = config.pages.map(|pages| folder.join(pages));
    if let (None, Some(file)) = (&config.turnstile_secret, &config.turnstile_secret_file) {
        let (secret, warning) = secret::read(&folder.join(file))?;
        config.turnstile_secret = Some(secret);
        config.warnings.extend(warning);
    }
    Ok(config)
}

/// Reads a configuration text; `file` is its name in messages.
pub fn parse(file: &str, text: &str, environment: &Environment) -> Result<Config, Failure> {
    let document = Document::parse(file, text)?;
    let mut reader = Reader { file, text, mistakes: Vec::new() };
    let mut config = Config::default();
    reader.root(&document, &mut config);
    if !reader.mistakes.is_empty() {
        return Err(Failure {
            kind: Kind::Input,
            mistakes: reader.mistakes,
            cause: None,
            now: None,
        });
    }
    if environment.turnstile_site_key.is_some() {
        config.turnstile_site_key.clone_from(&environment.turnstile_site_key);
    }
    config.turnstile_secret.clone_from(&environment.turnstile_secret);
    check_pair(&config)?;
    Ok(config)
}

/// A site key without its secret would let nobody hatch, and a secret without its site key too.
fn check_pair(config: &Config) -> Result<(), Failure> {
    let secret = config.turnstile_secret.is_some() || config.turnstile_secret_file.is_some();
    if secret && config.turnstile_site_key.is_none() {
        return Err(Failure::new(
            Kind::Input,
            "there is a secret for Turnstile, but its site key is missing",
        )
        .help("set `turnstile.site_key` in galaxy.yaml or SPACEDUCK_TURNSTILE_SITE_KEY"));
    }
    Ok(())
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    mistakes: Vec<Mistake>,
}

const ROOT_KEYS: [&str; 12] = [
    "name",
    "region",
    "turnstile",
    "api",
    "operators",
    "logs",
    "cost",
    "protection",
    "pages",
    "domains",
    "dns",
    "mail",
];

impl Reader<'_> {
    fn root(&mut self, document: &Document, config: &mut Config) {
        for (key, value) in self.map(&document.root) {
            match key.text.as_str() {
                "name" => {
                    if let Some(name) = self.noun(&value, GalaxyName::parse) {
                        config.name = name;
                    }
                }
                "region" => config.region = self.noun(&value, Region::parse),
                "turnstile" => self.turnstile(&value, config),
                "api" => self.api(&value, config),
                "operators" => self.operators(&value, config),
                "logs" => self.logs(&value, config),
                "cost" => self.cost(&value, config),
                "protection" => self.protection(&value, config),
                "pages" => config.pages = self.noun(&value, folder_name),
                "domains" => self.domains(&value, config),
                "dns" => self.hosting(&value, config),
                "mail" => self.mail(&value, config),
                _ => self.unknown(&key, &ROOT_KEYS),
            }
        }
        let domains = document.root.entries.iter().flatten().find(|(key, _)| key.text == "domains");
        if let Some((_, value)) = domains.filter(|(_, value)| value.entries.is_some()) {
            self.domains_beside_mail(value, config);
            self.domains_beside_shield(value, config);
        }
    }

    fn turnstile(&mut self, value: &Value, config: &mut Config) {
        for (key, value) in self.map(value) {
            match key.text.as_str() {
                "site_key" => config.turnstile_site_key = self.noun(&value, site_key),
                "secret" if value.entries.is_some() => {
                    for (key, value) in self.map(&value) {
                        match key.text.as_str() {
                            "file" => config.turnstile_secret_file = self.noun(&value, file_name),
                            _ => self.unknown(&key, &["file"]),
                        }
                    }
                }
                "secret" => {
                    let message = "a secret does not belong in this file";
                    let help = "take it out and set SPACEDUCK_TURNSTILE_SECRET instead, or write \
                                `secret: {file: PATH}`";
                    self.mistake(&key, message.into(), Some(help.into()));
                }
                _ => self.unknown(&key, &["site_key", "secret"]),
            }
        }
    }

    fn logs(&mut self, value: &Value, config: &mut Config) {
        for (key, value) in self.map(value) {
            match key.text.as_str() {
                "retention_days" => {
                    let allowed = |days: i64| RETENTION_DAYS.contains(&days);
                    let wanted = "a period that `CloudWatch` Logs takes, such as 7, 30, 90 or 365";
                    if let Some(days) = self.number(&value, allowed, wanted) {
                        config.log_retention_days = days;
                    }
                }
                "site_access" => match value.truth() {
                    Some(truth) => config.site_access_logs = truth,
                    None => self.wanted(&value, "`true` or `false`"),
                },
                _ => self.unknown(&key, &["retention_days", "site_access"]),
            }
        }
    }

    fn map(&mut self, value: &Value) -> Vec<(Value, Value)> {
        if let Some(entries) = &value.entries {
            return entries.clone();
        }
        if !value.null {
            self.wanted(value, "a mapping");
        }
        Vec::new()
    }

    fn noun<T, E: ToString>(
        &mut self,
        value: &Value,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        if value.null && !value.text.is_empty() {
            let message = format!("`{}` without quotes means nothing at all", value.text);
            let help = format!("write `\"{}\"` for the word", value.text);
            self.mistake(value, message, Some(help));
            return None;
        }
        if value.entries.is_some() || value.null {
            self.wanted(value, "a word");
            return None;
        }
        parse(&value.text).map_err(|error| self.mistake(value, error.to_string(), None)).ok()
    }

    fn number(
        &mut self,
        value: &Value,
        allowed: impl Fn(i64) -> bool,
        wanted: &str,
    ) -> Option<i64> {
        let number = value.number().filter(|number| allowed(*number));
        if number.is_none() {
            let digits = !value.text.is_empty()
                && value.text.chars().all(|c| c.is_ascii_digit() || c == '_');
            let help = match (value.plain, digits) {
                (false, true) => Some("write the number without quotes"),
                (true, _) if value.number().is_none() => {
                    Some("write the number in plain digits, such as 512")
                }
                _ => None,
            };
            self.mistake(value, misplaced(value, wanted), help.map(str::to_owned));
        }
        number
    }

    fn wanted(&mut self, value: &Value, wanted: &str) {
        self.mistake(value, misplaced(value, wanted), None);
    }

    fn unknown(&mut self, key: &Value, known: &[&str]) {
        let near = known
            .iter()
            .map(|word| (strsim::damerau_levenshtein(word, &key.text), *word))
            .filter(|(distance, _)| *distance <= 2)
            .min();
        let help = match near {
            Some((_, word)) => format!("did you mean `{word}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        self.mistake(key, format!("there is no setting `{}`", key.text), Some(help));
    }

    fn mistake(&mut self, value: &Value, message: String, help: Option<String>) {
        let line = self.text.lines().nth(value.line.saturating_sub(1)).unwrap_or_default();
        let at = Excerpt {
            file: self.file.to_owned(),
            line: value.line,
            column: value.column,
            text: line.to_owned(),
            width: value.text.chars().count(),
        };
        self.mistakes.push(Mistake { message, at: Some(at), help });
    }
}

fn misplaced(value: &Value, wanted: &str) -> String {
    let found = if value.text.is_empty() { "nothing" } else { &value.text };
    format!("expected {wanted}, found `{found}`")
}

fn file_name(text: &str) -> Result<PathBuf, String> {
    if text.trim().is_empty() {
        return Err("the name of the file is missing".into());
    }
    Ok(PathBuf::from(text))
}

fn folder_name(text: &str) -> Result<PathBuf, String> {
    if text.trim().is_empty() {
        return Err("the name of the folder is missing".into());
    }
    Ok(PathBuf::from(text))
}

fn site_key(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if (10..=64).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` is not a Turnstile site key, such as `0x4AAAAAAA…`"))
}

#[cfg(test)]
mod tests {
    use super::{Config, Environment, parse};
    use crate::model::Secret;

    fn fails(text: &str) -> String {
        parse("galaxy.yaml", text, &Environment::default()).expect_err(text).to_text()
    }

    #[test]
    fn nothing_written_is_the_defaults() {
        for text in ["", "\n", "# only a comment\n", "turnstile:\n"] {
            let config = parse("galaxy.yaml", text, &Environment::default()).expect(text);
            assert_eq!(config, Config::default(), "{text:?}");
        }
        assert_eq!(Config::default().name.as_str(), "spaceduck");
    }

    #[test]
    fn everything_written_is_read() {
        let text = "name: pond\nregion: eu-west-1\nturnstile:\n  site_key: 0x4AAAAAAADuckKey\n\
                    api:\n  memory_mb: 512\nlogs:\n  retention_days: 7\n  site_access: false\noperators:\n  second_factor: required\n\
                    pages: our-pages\n";
        let config = parse("galaxy.yaml", text, &Environment::default()).expect(text);
        assert_eq!(config.name.as_str(), "pond");
        assert_eq!(config.region.as_ref().map(crate::model::Region::as_str), Some("eu-west-1"));
        assert_eq!(config.turnstile_site_key.as_deref(), Some("0x4AAAAAAADuckKey"));
        assert!(config.operators_need_factor && !Config::default().operators_need_factor);
        assert_eq!((config.memory_mb, config.log_retention_days), (512, 7));
        assert!(!config.site_access_logs);
        assert_eq!(config.pages.as_deref(), Some(std::path::Path::new("our-pages")));
        assert!(fails("name: pond\npages: \"\"\n").contains("galaxy.yaml:2:8"));
    }

    #[test]
    fn all_mistakes_are_told_at_once_with_their_places() {
        insta::assert_snapshot!(
            fails("nmae: duck\nregion: frankfurt\napi:\n  memory_mb: lots\nturnstile:\n  secret: x\n"),
            @r"
        error: there is no setting `nmae`
          at galaxy.yaml:1:1 | nmae: duck
                               ^^^^
        help: did you mean `name`?
        error: `frankfurt` is not the code of an AWS Region, such as `eu-central-1`
          at galaxy.yaml:2:9 | region: frankfurt
                                       ^^^^^^^^^
        error: expected a number of MB from 128 to 3008, found `lots`
          at galaxy.yaml:4:14 |   memory_mb: lots
                                             ^^^^
        error: a secret does not belong in this file
          at galaxy.yaml:6:3 |   secret: x
                                 ^^^^^^
        help: take it out and set SPACEDUCK_TURNSTILE_SECRET instead, or write `secret: {file: PATH}`
        "
        );
    }

    #[test]
    fn text_that_is_not_yaml_is_shown_where_it_breaks() {
        insta::assert_snapshot!(fails("name: [duck\nregion: eu-west-1\n"), @r"
        error: illegal placement of ':' indicator
          at galaxy.yaml:2:7 | region: eu-west-1
                                     ^
        ");
        insta::assert_snapshot!(fails("name: duck\nname: swan\n"), @r"
        error: `name` is set a second time
          at galaxy.yaml:2:1 | name: swan
                               ^
        help: keep one of them
        ");
        insta::assert_snapshot!(fails("- a\n- b\n"), @r"
        error: expected a mapping, found `a list`
          at galaxy.yaml:1:1 | - a
                               ^^^^^^
        ");
    }

    #[test]
    fn a_secret_needs_its_site_key() {
        let environment = Environment {
            turnstile_site_key: None,
            turnstile_secret: Some(Secret::new("hush-hush-hush".into())),
        };
        let text = parse("galaxy.yaml", "", &environment).expect_err("no site key").to_text();
        assert!(text.contains("SPACEDUCK_TURNSTILE_SITE_KEY") && !text.contains("hush"), "{text}");
    }

    #[test]
    fn numbers_are_where_numbers_belong_and_words_are_as_written() {
        let text = "name: duck\npages: 2026.10\nmail:\n  domain: example.com\n  bounce: 0123\n";
        let config = parse("galaxy.yaml", text, &Environment::default()).expect(text);
        assert_eq!(config.pages.as_deref(), Some(std::path::Path::new("2026.10")));
        assert_eq!(config.mail.bounce, "0123");
        for (value, help) in [
            ("0x200", Some("in plain digits")),
            ("1_024", Some("in plain digits")),
            ("5e2", Some("in plain digits")),
            ("0512", Some("in plain digits")),
            ("512.0", Some("in plain digits")),
            ("true", Some("in plain digits")),
            ("\"512\"", Some("without quotes")),
            ("64", None),
            ("~", None),
        ] {
            let told = fails(&format!("api:\n  memory_mb: {value}\n"));
            let shown = value.trim_matches('"');
            let start = format!("error: expected a number of MB from 128 to 3008, found `{shown}`");
            assert!(told.starts_with(&start), "{told}");
            assert_eq!(
                told.lines().find(|line| line.starts_with("help:")).is_some(),
                help.is_some()
            );
            assert!(told.contains(help.unwrap_or_default()), "{told}");
        }
        for value in ["null", "~", "NULL"] {
            let told = fails(&format!("name: {value}\n"));
            let start = format!("error: `{value}` without quotes means nothing at all\n");
            assert!(told.starts_with(&start), "{told}");
            assert!(told.contains(&format!("help: write `\"{value}\"` for the word")), "{told}");
        }
        let config = parse("galaxy.yaml", "name: yes\n", &Environment::default());
        assert_eq!(config.map(|config| config.name.to_string()).as_deref(), Ok("yes"));
    }
}
