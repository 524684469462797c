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
    /// The part after the `@`; without it Cognito's own sender is used.
    pub domain: Option<Domain>,
    /// The part before the `@`.
    pub from: String,
    /// The label below the domain that bounces go to.
    pub bounce: String,
    /// Where receivers report about DMARC.
    pub reports: Option<String>,
    /// Who receives alarms.
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

/// RFC 5322's `dot-atom`, without its rare characters.
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

#[cfg(test)]
mod tests {
    use super::{Mail, Sender};
    use crate::config::{Environment, parse};

    fn fails(text: &str) -> String {
        parse("galaxy.yaml", text, &Environment::default()).expect_err(text).to_text()
    }

    #[test]
    fn everything_about_mail_is_read() {
        let text = "mail:\n  domain: Example.ORG\n  from: hello\n  bounce: return\n  reports: \
                    dmarc@example.org\n  alarms: me@example.net\n  website: \
                    https://www.example.org\n  sender: cognito\n";
        let mail = parse("galaxy.yaml", text, &Environment::default()).expect(text).mail;
        assert_eq!(mail.address().as_deref(), Some("hello@example.org"));
        assert_eq!((mail.bounce.as_str(), mail.sender), ("return", Sender::Cognito));
        assert_eq!(mail.reports.as_deref(), Some("dmarc@example.org"));
        assert_eq!(mail.alarms.as_deref(), Some("me@example.net"));
        assert_eq!(mail.website.as_deref(), Some("https://www.example.org"));
    }

    #[test]
    fn every_mistake_about_mail_is_told_at_its_place() {
        insta::assert_snapshot!(fails(
            "mail:\n  domain: co.uk\n  form: duck\n  bounce: a.b\n  reports: me\n  website: \
             http://example.org\n  sender: ses\n"
        ));
    }

    #[test]
    fn ses_sends_only_once_it_may_and_nobody_says_otherwise() {
        let mut mail = Mail { domain: None, ..Mail::default() };
        mail.seen.granted = true;
        assert!(!mail.by_ses(), "no domain");
        mail.domain = galaxy_mail::name::Domain::parse("example.org").ok();
        assert!(mail.by_ses());
        mail.sender = Sender::Cognito;
        assert!(!mail.by_ses());
        (mail.sender, mail.seen.granted) = (Sender::Auto, false);
        assert!(!mail.by_ses());
    }
}
