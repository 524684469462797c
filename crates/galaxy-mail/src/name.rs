//! Domain names, and where their registered part begins.

use std::fmt;

use serde::Serialize;

/// Says what is wrong with a text that was given for a domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(String);

/// A domain name: lower case, without the dot at the end.
///
/// Underscores are allowed, since `_dmarc` and `_domainkey` need them; [`Domain::parse_host`] is
/// the door for names that a browser or a mail address may show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Domain(String);

impl Domain {
    /// Reads a name. A dot at its end is taken off.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let label = |label: &str| {
            let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            (1..=63).contains(&label.len()) && label.chars().all(inner)
        };
        if name.len() <= 253 && name.split('.').all(label) {
            return Ok(Self(name));
        }
        let cure = if text.is_ascii() {
            "labels of 1 to 63 letters, digits and hyphens, with dots between them"
        } else {
            "write it in its ASCII form, which starts with `xn--`"
        };
        Err(Invalid(format!("`{text}` is not a domain name: {cure}")))
    }

    /// Reads a name that people see: at least two labels, no underscore, no address, and more
    /// than a public suffix.
    pub fn parse_host(text: &str) -> Result<Self, Invalid> {
        let name = Self::parse(text)?;
        let label =
            |label: &str| !label.starts_with('-') && !label.ends_with('-') && !label.contains('_');
        let number = name.labels().next_back().is_some_and(|top| top.parse::<u32>().is_ok());
        if !name.labels().all(label) || number {
            return Err(Invalid(format!(
                "`{text}` can't be the name of a host: letters, digits and inner hyphens only"
            )));
        }
        if name.registrable().is_none() {
            return Err(Invalid(format!(
                "`{text}` is a public suffix; use the domain that you registered below it"
            )));
        }
        Ok(name)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its labels, from the left.
    #[must_use]
    pub fn labels(&self) -> std::str::Split<'_, char> {
        self.0.split('.')
    }

    /// The name without its first label.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.split_once('.').map(|(_, rest)| Self(rest.to_owned()))
    }

    /// Whether it is that name or below it.
    #[must_use]
    pub fn is_within(&self, zone: &Self) -> bool {
        let below = self.0.strip_suffix(zone.as_str());
        below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// A name below this one.
    pub fn below(&self, label: &str) -> Result<Self, Invalid> {
        Self::parse(&format!("{label}.{}", self.0))
    }

    /// The name with a zone's name behind it once more, as when a panel adds it unasked.
    pub(crate) fn below_zone(&self, zone: &Self) -> Result<Self, Invalid> {
        Self::parse(&format!("{}.{}", self.0, zone.0))
    }

    /// Its name inside a zone: `@` for the zone itself.
    #[must_use]
    pub fn inside(&self, zone: &Self) -> String {
        match self.0.strip_suffix(zone.as_str()) {
            Some("") => "@".to_owned(),
            Some(rest) if rest.ends_with('.') => rest.trim_end_matches('.').to_owned(),
            _ => self.0.clone(),
        }
    }

    /// The registered domain: the public suffix and one more label, by the Public Suffix List.
    #[must_use]
    pub fn registrable(&self) -> Option<Self> {
        psl::domain_str(&self.0).map(|name| Self(name.to_owned()))
    }

    /// The organisational domain of RFC 7489, section 3.2: as [`Domain::registrable`], or the
    /// name itself where it is a public suffix.
    #[must_use]
    pub fn organisational(&self) -> Self {
        self.registrable().unwrap_or_else(|| self.clone())
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Domain;

    fn name(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    #[test]
    fn names_are_lower_case_and_without_a_last_dot() {
        assert_eq!(name("_DMARC.Example.ORG.").as_str(), "_dmarc.example.org");
        for wrong in ["", ".", "a..b", "a b", "münchen.de", &"a".repeat(64), &"ab.".repeat(90)] {
            assert!(Domain::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_is_stricter() {
        assert!(Domain::parse_host("duck.example.org").is_ok());
        for wrong in ["org", "co.uk", "_x.example.org", "-a.example.org", "192.0.2.1", "localhost"]
        {
            assert!(Domain::parse_host(wrong).is_err(), "{wrong}");
        }
    }

    /// RFC 7489, section 3.2.
    #[test]
    fn the_organisational_domain_is_one_label_below_the_public_suffix() {
        for (from, organisation) in [
            ("example.com", "example.com"),
            ("mail.eu.example.com", "example.com"),
            ("a.b.example.co.uk", "example.co.uk"),
            // A private suffix: its customers are organisations of their own.
            ("duck.github.io", "duck.github.io"),
            ("co.uk", "co.uk"),
            // An unlisted suffix counts as one label.
            ("a.b.unlisted-suffix-x", "b.unlisted-suffix-x"),
        ] {
            assert_eq!(name(from).organisational(), name(organisation), "{from}");
        }
    }

    #[test]
    fn a_name_inside_its_zone() {
        let zone = name("example.org");
        assert_eq!(name("example.org").inside(&zone), "@");
        assert_eq!(name("a.b.example.org").inside(&zone), "a.b");
        assert!(name("a.example.org").is_within(&zone));
        assert!(!name("badexample.org").is_within(&zone), "no dot before it");
    }
}
