//! Short journals: what happened under a name not long ago, such as codes sent to an address and
//! guesses made at them. The rules that read them are the galaxy's; a store only keeps them.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::error::Result;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: OffsetDateTime,
    /// The purpose, and the caller where that matters.
    pub what: String,
}

/// What happened under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// What it is about and the digest of an address, never the address itself.
    pub name: String,
    /// How often it was written. A journal that was never written has version 0.
    pub version: u64,
    /// When it expires.
    pub until: OffsetDateTime,
    /// What happened, oldest first.
    pub marks: Vec<Mark>,
    /// How often in a row something failed.
    pub in_a_row: u32,
}

/// Stores journals until they expire.
#[async_trait]
pub trait Journals: Send + Sync {
    /// The journal of a name. It may still be there for a while after it was to be forgotten.
    async fn journal(&self, name: &str) -> Result<Option<Journal>>;
    /// Writes a journal in place of the version before it. Whether that version was still the
    /// last; of any number at once, one is.
    async fn write_journal(&self, journal: &Journal) -> Result<bool>;
}
