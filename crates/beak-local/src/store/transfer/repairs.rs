//! What an import put right, as sentences.

use std::collections::BTreeMap;

/// Something that did not fit the rest of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    /// A duckling whose certificates say that it was deleted.
    DucklingDeleted,
    /// A duckling whose certificates are all missing.
    DucklingUncertified,
    /// A duckling whose address has a later one.
    DucklingReplaced,
    /// A duckling and its certificates said different things.
    CertificateMatched,
    /// A certificate of a duckling that is not there.
    CertificateRevoked,
    /// A peck or bond that could not stay as it was.
    PeckEnded,
    /// An owner of a duckling who was not among the people.
    PersonAdded,
    /// A reader of the newsletter whose offers have all ended.
    ReaderLeft,
}

/// How often each of them was put right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repairs(BTreeMap<Repair, u64>);

impl Repairs {
    pub(super) fn note(&mut self, repair: Repair) {
        *self.0.entry(repair).or_default() += 1;
    }

    /// How often something was put right.
    #[must_use]
    pub fn of(&self, repair: Repair) -> u64 {
        self.0.get(&repair).copied().unwrap_or(0)
    }

    /// A sentence for each sort.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        self.0.iter().map(|(repair, times)| repair.sentence(*times)).collect()
    }
}

impl Repair {
    fn sentence(self, times: u64) -> String {
        let of = |one: &str, more: &str| {
            if times == 1 { format!("1 {one}") } else { format!("{times} {more}") }
        };
        let (ducklings, certificates) =
            (of("duckling", "ducklings"), of("certificate", "certificates"));
        match self {
            Self::DucklingDeleted => {
                format!("Left out {ducklings}: deleted while the export was made.")
            }
            Self::DucklingUncertified => {
                format!("Left out {ducklings} without a certificate in the export.")
            }
            Self::DucklingReplaced => {
                format!("Left out {ducklings}: a later duckling has the same address.")
            }
            Self::CertificateMatched => {
                format!("Gave {ducklings} the tier and state of the newest certificate.")
            }
            Self::CertificateRevoked => {
                format!("Revoked {certificates} whose duckling is not in the export.")
            }
            Self::PeckEnded => {
                let pecks = of("peck or bond", "pecks and bonds");
                format!("Ended {pecks}: a duckling is not in the export, or a later peck is.")
            }
            Self::PersonAdded => {
                let owners = of("owner of a duckling", "owners of ducklings");
                format!("Added {owners} missing among the people.")
            }
            Self::ReaderLeft => {
                let readers = of("reader", "readers");
                format!("Left out {readers} of the newsletter: unsubscribed meanwhile.")
            }
        }
    }
}
