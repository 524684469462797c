//! The store on DynamoDB: five tables, and a ledger that keeps what must be there only once.
//!
//! Each writing verb is one `TransactWriteItems`; what it depends on is checked by the server as
//! conditions of that transaction. Reads are consistent, except for the lists of pecks: an index
//! trails its table by moments.

mod counts;
mod ducklings;
mod eggs;
mod failure;
mod ledger;
mod moves;
mod pecks;
mod rows;
mod sweep;
#[cfg(test)]
mod tests;
mod transact;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use beak_core::certificate::Certificate;
use beak_core::duckling::{Duckling, Egg};
use beak_core::error::Result;
use beak_core::id::{CertId, DucklingId, PeckId};
use beak_core::key::KeyHash;
use beak_core::peck::Peck;
use beak_core::person::Email;
use beak_core::ports::{
    Entropy, Hatched, Hatching, Idempotency, Listed, Metrics, Move, Moved, NewKey, Page, PeckQuery,
    Pecked, Store, Turn,
};
use time::{Duration, OffsetDateTime};

use rows::Item;

/// The tables, by the end of their names.
const EGGS: &str = "eggs";
const DUCKLINGS: &str = "ducklings";
const PECKS: &str = "pecks";
const CERTS: &str = "certs";
const LEDGER: &str = "ledger";

/// How often a verb that read something first starts over, when that changed under its hands.
const ROUNDS: usize = 8;

/// Where everything is kept, on DynamoDB.
#[derive(Clone)]
pub struct DynamoStore {
    client: Client,
    prefix: String,
    entropy: Arc<dyn Entropy>,
}

impl DynamoStore {
    /// A store over the tables `{prefix}-eggs`, `{prefix}-ducklings` and so on.
    #[must_use]
    pub fn new(client: Client, prefix: impl Into<String>, entropy: Arc<dyn Entropy>) -> Self {
        Self { client, prefix: prefix.into(), entropy }
    }

    /// The full name of a table.
    fn table(&self, table: &str) -> String {
        format!("{}-{table}", self.prefix)
    }

    /// One item, as it is after all writes that were answered before.
    async fn get(&self, table: &str, key: Item) -> Result<Option<Item>> {
        let found = self
            .client
            .get_item()
            .table_name(self.table(table))
            .set_key(Some(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failure::failed("GetItem", table, &error))?;
        Ok(found.item)
    }
}

/// Neither the client's settings nor the entropy belong into a log.
impl fmt::Debug for DynamoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoStore").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn lay_egg(&self, egg: &Egg) -> Result<bool> {
        self.lay(egg).await
    }

    async fn egg(&self, email: &Email) -> Result<Option<Egg>> {
        self.egg_item(email).await?.map(|item| rows::egg_of(&item)).transpose()
    }

    async fn hatch(&self, hatching: &Hatching) -> Result<Hatched> {
        self.hatch_egg(hatching).await
    }

    async fn duckling(&self, id: &DucklingId) -> Result<Option<Duckling>> {
        self.duckling_of(id).await
    }

    async fn duckling_by_email(&self, email: &Email) -> Result<Option<Duckling>> {
        let found = self.guarded(ledger::email_guard(email)).await?;
        Ok(found.filter(|duckling| duckling.email == *email))
    }

    async fn duckling_by_key(&self, key: &KeyHash) -> Result<Option<Duckling>> {
        // Between the two reads the key may have been exchanged: then it opens nothing any more.
        let found = self.guarded(ledger::key_guard(&key.to_hex())).await?;
        Ok(found.filter(|duckling| key.matches(&duckling.key_hash)))
    }

    async fn ducklings(&self, page: &Page) -> Result<Listed<Duckling>> {
        self.list_ducklings(page).await
    }

    async fn pulse(&self, id: &DucklingId, now: OffsetDateTime) -> Result<bool> {
        self.write_pulse(id, now).await
    }

    async fn rotate_key(&self, id: &DucklingId, old: &str, new: &NewKey) -> Result<bool> {
        self.exchange_key(id, old, new).await
    }

    async fn add_peck(&self, peck: &Peck, idempotency: Option<&Idempotency>) -> Result<Pecked> {
        self.keep_peck(peck, idempotency).await
    }

    async fn peck(&self, id: &PeckId) -> Result<Option<Peck>> {
        self.peck_of(id).await
    }

    async fn pecks(&self, asked: &PeckQuery, page: &Page) -> Result<Listed<Peck>> {
        self.list_pecks(asked, page).await
    }

    async fn move_peck(&self, id: &PeckId, to: &Move, now: OffsetDateTime) -> Result<Moved> {
        self.move_on(id, to, now).await
    }

    async fn certificate(&self, id: &CertId) -> Result<Option<Certificate>> {
        let found = self.get(CERTS, rows::key("cert_id", id.as_str())).await?;
        found.map(|item| rows::certificate_of(&item)).transpose()
    }

    async fn metrics(&self) -> Result<Metrics> {
        self.count().await
    }

    async fn sweep(&self, now: OffsetDateTime, limit: usize) -> Result<usize> {
        self.put_away(now, limit).await
    }

    async fn take_turn(&self, turn: &Turn) -> Result<Option<Duration>> {
        self.take(turn).await
    }
}
