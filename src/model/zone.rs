//! Zones in Route 53 and their records.

use std::fmt;

use galaxy_mail::name::Domain;
use sha2::{Digest as _, Sha256};

/// A public zone of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedZone {
    /// Its id, such as `Z0123456789ABC`.
    pub id: String,
    /// Its name.
    pub name: Domain,
    /// The servers that it can be asked at.
    pub servers: Vec<Domain>,
}

/// All records of one name and type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordSet {
    /// The name.
    pub name: Domain,
    /// The type, such as `CNAME`.
    pub kind: String,
    /// What they say.
    pub says: Says,
}

/// What records say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Says {
    /// These values, as a zone file has them.
    Values {
        /// Seconds that others may keep them.
        ttl: i64,
        /// The values.
        values: Vec<String>,
    },
    /// What another name of AWS's says.
    Alias {
        /// The zone of that name.
        zone: String,
        /// That name.
        target: Domain,
        /// Whether a target that is not well is left out.
        watched: bool,
    },
    /// This to some and that to others, by weight, place or health.
    Routed,
}

impl RecordSet {
    /// Name and type, by which Route 53 knows it.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{} {}", self.name, self.kind)
    }

    /// Name, type and a digest of all that it says: another value is another mark.
    #[must_use]
    pub fn mark(&self) -> String {
        let said = match &self.says {
            Says::Values { ttl, values } => {
                // Route 53 may give a name back in another spelling.
                let same = |value: &String| value.trim_end_matches('.').to_ascii_lowercase();
                let mut values: Vec<String> = values.iter().map(same).collect();
                values.sort();
                format!("{ttl} {}", values.join(" "))
            }
            Says::Alias { zone, target, watched } => format!("{zone} {target} {watched}"),
            Says::Routed => String::new(),
        };
        let digest = Sha256::digest(said);
        let start = digest.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        format!("{} {start:016x}", self.key())
    }
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values { values, .. } => f.write_str(&values.join(", ")),
            Self::Alias { target, .. } => write!(f, "an alias of {target}"),
            Self::Routed => f.write_str("a routing policy"),
        }
    }
}

/// Records that are made together, as soon as it is known what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Those that prove domains to Certificate Manager.
    Proofs,
    /// Those that mail needs.
    Mail,
    /// Those that lead to sites and API.
    Addresses,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Proofs, Self::Mail, Self::Addresses];

    /// In one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Proofs => "proofs",
            Self::Mail => "mail",
            Self::Addresses => "addresses",
        }
    }

    /// Finds one by its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_every_value_and_no_order() {
        let set = |ttl, values: &[&str]| RecordSet {
            name: Domain::parse("a.example.org").expect("a name"),
            kind: "TXT".into(),
            says: Says::Values { ttl, values: values.iter().map(|v| (*v).into()).collect() },
        };
        let mark = set(300, &["x", "y"]).mark();
        assert!(mark.starts_with("a.example.org TXT ") && mark.len() == 34, "{mark}");
        assert_eq!(mark, set(300, &["y", "x"]).mark());
        for other in [set(301, &["x", "y"]), set(300, &["x"]), set(300, &["x", "z"])] {
            assert_ne!(mark, other.mark());
        }
        let alias = |watched| RecordSet {
            says: Says::Alias {
                zone: "Z1".into(),
                target: Domain::parse("d1.cloudfront.net").expect("a name"),
                watched,
            },
            ..set(300, &[])
        };
        assert_ne!(alias(false).mark(), alias(true).mark());
    }
}
