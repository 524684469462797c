//! Entries about every galaxy of the account, kept in us-east-1, so that a command in any Region
//! finds them.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::failure::Failure;

/// An entry as the service returned it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its text, at most 4,096 bytes.
    pub text: String,
    /// When it was last written, in seconds since 1970 by the service's clock.
    pub changed_at: u64,
}

/// Entries under `/_spaceduck/`, a prefix that no galaxy name can start with.
///
/// Parameter Store has no compare-and-swap: creating an entry that exists fails, and every other
/// write overwrites.
#[async_trait]
pub trait Registry: Send + Sync {
    /// The entry, or `None`.
    async fn get(&self, path: &str) -> Result<Option<Entry>, Failure>;
    /// Creates an entry and never overwrites one. `false` if another text is there.
    async fn create(&self, path: &str, text: &str) -> Result<bool, Failure>;
    /// Writes an entry, over the one that is there.
    async fn put(&self, path: &str, text: &str) -> Result<(), Failure>;
    /// Deletes an entry; succeeds if there is none.
    async fn remove(&self, path: &str) -> Result<(), Failure>;
    /// All entries below a path, by full path.
    async fn list(&self, below: &str) -> Result<BTreeMap<String, Entry>, Failure>;
    /// The service's clock, in seconds since 1970.
    async fn now(&self) -> Result<u64, Failure>;
}
