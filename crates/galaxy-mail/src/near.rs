//! Records that were meant to be right: what is there, and which slip of the hand it is.

use std::fmt;

use crate::name::Domain;
use crate::{dmarc, spf};

/// What went wrong when a record was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// Quotes that are part of the value.
    Quotes,
    /// Spaces in front of the version or inside it.
    Spaces,
    /// Capital or small letters where the other kind is needed.
    Case,
    /// A separator is missing between two terms.
    Glued,
    /// The version is there, but not at the beginning.
    Order,
    /// The version is written in another way.
    Version,
    /// The value of a CNAME holds what no domain name can.
    NotAName,
    /// It is a TXT record, but has to be a CNAME.
    Type,
    /// It is at another name.
    Place,
}

impl fmt::Display for Slip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quotes => "the quotes are part of its value",
            Self::Spaces => "there is a space before or inside its version",
            Self::Case => "its version is not in the right case",
            Self::Glued => "a separator is missing between two of its terms",
            Self::Order => "its version is not at the beginning",
            Self::Version => "its version is misspelled",
            Self::NotAName => "its value is no domain name",
            Self::Type => "it is a TXT record, not a CNAME",
            Self::Place => "it is at another name",
        })
    }
}

/// A record that is nearly right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// Where it is.
    pub at: Domain,
    /// What it says.
    pub says: String,
    /// What is wrong with it.
    pub slip: Slip,
}

/// Whether a text was meant to be an SPF record, and what keeps it from being one.
#[must_use]
pub fn spf(text: &str) -> Option<Slip> {
    slip(text, "v=spf1", spf::is_record)
}

/// The same for DMARC.
#[must_use]
pub fn dmarc(text: &str) -> Option<Slip> {
    slip(text, "v=dmarc1", dmarc::is_record)
}

fn slip(text: &str, version: &str, is_record: fn(&str) -> bool) -> Option<Slip> {
    if is_record(text) {
        return None;
    }
    let quotes = |c: char| matches!(c, '"' | '\'' | '“' | '”' | '„' | '‘' | '’' | '`' | '\\');
    if text.starts_with(quotes) && is_record(text.trim_matches(quotes)) {
        return Some(Slip::Quotes);
    }
    if is_record(text.trim()) {
        return Some(Slip::Spaces);
    }
    let lower = text.to_lowercase();
    if let Some(rest) = lower.strip_prefix(version) {
        // SPF takes its version in any case (RFC 7208, section 4.5).
        let case = version == "v=spf1" || text.get(2..8) == Some("DMARC1");
        let ends = rest.is_empty() || rest.starts_with([';', ' ']);
        return Some(if ends && !case { Slip::Case } else { Slip::Glued });
    }
    let squashed: String = lower.chars().filter(|c| !c.is_whitespace() && !quotes(*c)).collect();
    if squashed.starts_with(version) {
        return Some(Slip::Spaces);
    }
    if squashed.contains(&format!(";{version}")) || lower.contains(&format!(" {version}")) {
        return Some(Slip::Order);
    }
    // `spf1 …`, `v:spf1 …`, `v=spf …`, `v=spf2 …`: only with a term that makes it one.
    let bare = version.trim_start_matches("v=").trim_end_matches('1');
    let terms = ["include:", "ip4:", "~all", "-all", "p=none", "p=quarantine", "p=reject"];
    let begins =
        ["", "v:", "v=", "v"].iter().any(|start| squashed.starts_with(&format!("{start}{bare}")));
    (begins && terms.iter().any(|term| squashed.contains(term))).then_some(Slip::Version)
}

#[cfg(test)]
mod tests {
    use super::{Slip, dmarc, spf};

    #[test]
    fn slips_of_spf() {
        for (text, slip) in [
            ("v=spf1 include:amazonses.com ~all", None),
            ("V=SPF1 -all", None),
            ("google-site-verification=spf1", None),
            ("\"v=spf1 include:amazonses.com ~all\"", Some(Slip::Quotes)),
            ("“v=spf1 include:amazonses.com ~all”", Some(Slip::Quotes)),
            (" v=spf1 -all", Some(Slip::Spaces)),
            ("v = spf1 -all", Some(Slip::Spaces)),
            ("v=spf1include:amazonses.com ~all", Some(Slip::Glued)),
            ("v=spf1; include:amazonses.com ~all", Some(Slip::Glued)),
            ("spf1 include:amazonses.com ~all", Some(Slip::Version)),
            ("v=spf2 include:amazonses.com ~all", Some(Slip::Version)),
            ("v:spf1 include:amazonses.com ~all", Some(Slip::Version)),
            ("include:amazonses.com v=spf1", Some(Slip::Order)),
        ] {
            assert_eq!(spf(text), slip, "{text}");
        }
    }

    #[test]
    fn slips_of_dmarc() {
        for (text, slip) in [
            ("v=DMARC1; p=none;", None),
            ("v=spf1 -all", None),
            ("v=dmarc1; p=none", Some(Slip::Case)),
            ("v=DMARC1 p=none", Some(Slip::Glued)),
            ("v=DMARC1p=none", Some(Slip::Glued)),
            ("\"v=DMARC1; p=none\"", Some(Slip::Quotes)),
            ("p=none; v=DMARC1", Some(Slip::Order)),
            ("DMARC1; p=none", Some(Slip::Version)),
        ] {
            assert_eq!(dmarc(text), slip, "{text}");
        }
    }
}
