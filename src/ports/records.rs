//! What a galaxy stores about its people, what is left over in the account, and the function's log.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::Value;

use crate::failure::Failure;
use crate::model::{Place, Secret};

/// A part of a list, and where the next part begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page<T> {
    /// This part.
    pub items: Vec<T>,
    /// What to ask for next; nothing at the end.
    pub next: Option<Value>,
}

/// A person of a user pool. Passwords can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The address, by which everything else knows the person.
    pub email: String,
    /// Whether the address is the person's: a code that was sent there came back.
    pub confirmed: bool,
    /// Whether the person is an operator.
    pub operator: bool,
}

/// The tables and the user pool.
#[async_trait]
pub trait Records: Send + Sync {
    /// Whether a table exists.
    async fn has_table(&self, table: &str) -> Result<bool, Failure>;
    /// Whether a table can be brought back to any second of the last days.
    async fn is_recoverable(&self, table: &str) -> Result<bool, Failure>;
    /// Items of a table, each as `DynamoDB` writes them in JSON.
    async fn items(&self, table: &str, from: Option<Value>) -> Result<Page<Value>, Failure>;
    /// Items of a partition of the ledger, from a sort key on.
    async fn since(
        &self,
        ledger: &str,
        (partition, from): (&str, &str),
        next: Option<Value>,
    ) -> Result<Page<Value>, Failure>;
    /// Those items of a table that there are, of at most a hundred keys.
    async fn named(&self, table: &str, keys: &[Value]) -> Result<Vec<Value>, Failure>;
    /// Writes items, over those with the same keys.
    async fn put(&self, table: &str, items: &[Value]) -> Result<(), Failure>;
    /// Removes a table with all that is in it, protected or not; fine where there is none.
    async fn remove_table(&self, table: &str) -> Result<(), Failure>;
    /// People of a user pool.
    async fn accounts(&self, pool: &str, from: Option<Value>) -> Result<Page<Account>, Failure>;
    /// Makes an account that needs no code; with a password that its owner does not know and so
    /// replaces. `false` where there is one already.
    async fn admit(&self, pool: &str, who: &Account, password: &Secret) -> Result<bool, Failure>;
}

/// What carries a galaxy's tag.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// Names of galaxies with anything tagged in this place.
    async fn galaxies(&self, place: Place) -> Result<BTreeSet<String>, Failure>;
    /// The ARNs of everything that is tagged as this galaxy's, stacks included.
    async fn tagged(&self, place: Place, galaxy: &str) -> Result<Vec<String>, Failure>;
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// The line.
    pub text: String,
    /// Its own id.
    pub id: String,
}

/// What the function and the gateway say.
#[async_trait]
pub trait Logs: Send + Sync {
    /// The lines from a moment on, in their order; with `word` only those that have it.
    async fn lines(
        &self,
        group: &str,
        since: u64,
        word: Option<&str>,
    ) -> Result<Vec<LogLine>, Failure>;
}
