//! The part of `galaxy.yaml` that is about mail.

use galaxy_mail::name::Domain;

use super::document::Value;
use super::{Config, Reader};

/// Who sends the codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sender {
    /// Cognito's own sender until Amazon lets mail out to everybody, then SES.
    #[default]
    Auto,
    /// Cognito's own sender, whatever Amazon says.
    Cognito,
}

/// How mail leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// What stands behind the `@`; without it Cognito's own sender is used.
    pub domain: Option<Domain>,
    /// What stands before the `@`.
    pub from: String,
    /// The label below the domain that bounces go to.
    pub bounce: String,
    /// Where receivers report about DMARC.
    pub reports: Option<String>,
    /// Who is told of alarms.
    pub alarms: Option<String>,
    /// The website that the application names.
    pub website: Option<String>,
    /// Who sends the codes.
    pub sender: Sender,
    /// What was seen in the account; not from the file.
    pub seen: Seen,
}

/// What was seen in the account before anything is rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The domain was known to SES before us: it is used, never owned.
    pub foreign: bool,
    /// Mail from the domain may go to everybody.
    pub granted: bool,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            domain: None,
            from: "duck".into(),
            bounce: "bounce".into(),
            reports: None,
            alarms: None,
            website: None,
            sender: Sender::Auto,
            seen: Seen::default(),
        }
    }
}

impl Mail {
    /// The sender's address.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        self.domain.as_ref().map(|domain| format!("{}@{domain}", self.from))
    }

    /// Whether codes and our own mails leave through SES.
    #[must_use]
    pub fn by_ses(&self) -> bool {
        self.domain.is_some() && self.seen.granted && self.sender == Sender::Auto
    }
}

const KEYS: [&str; 7] = ["domain", "from", "bounce", "reports", "alarms", "website", "sender"];

impl Reader<'_> {
    pub(super) fn mail(&mut self, value: &Value, config: &mut Config) {
        for (key, value) in self.map(value) {
            let mail = &mut config.mail;
            match key.text.as_str() {
                "domain" => mail.domain = self.noun(&value, Domain::parse_host),
                "from" => {
                    if let Some(from) = self.noun(&value, local_part) {
                        mail.from = from;
                    }
                }
                "bounce" => {
                    if let Some(bounce) = self.noun(&value, label) {
                        mail.bounce = bounce;
                    }
                }
                "reports" => mail.reports = self.noun(&value, address),
                "alarms" => mail.alarms = self.noun(&value, address),
                "website" => mail.website = self.noun(&value, website),
                "sender" => match value.text.as_str() {
                    "auto" => mail.sender = Sender::Auto,
                    "cognito" => mail.sender = Sender::Cognito,
                    _ => self.wanted(&value, "`auto` or `cognito`"),
                },
                _ => self.unknown(&key, &KEYS),
            }
        }
    }
}

fn label(text: &str) -> Result<String, String> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let ends = !text.starts_with('-') && !text.ends_with('-');
    if (1..=63).contains(&text.len()) && text.chars().all(inner) && ends {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` is not one label: lower-case letters, digits and inner hyphens"))
}

/// RFC 5322's `dot-atom`, without the signs that nobody uses.
fn local_part(text: &str) -> Result<String, String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    let dots = text.starts_with('.') || text.ends_with('.') || text.contains("..");
    if (1..=64).contains(&text.len()) && text.chars().all(inner) && !dots {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` can't stand before the @: letters, digits, dots, hyphens"))
}

fn address(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is not a mail address");
    let (name, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
    local_part(name).map_err(|_| wrong())?;
    Domain::parse_host(domain).map_err(|_| wrong())?;
    Ok(text.to_owned())
}

fn website(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    match host.map(Domain::parse_host) {
        Some(Ok(_)) => Ok(text.to_owned()),
        _ => Err(format!("`{text}` is not the address of a site: `https://` and a domain")),
    }
}
