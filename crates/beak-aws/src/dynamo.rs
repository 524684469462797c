//! The store on DynamoDB: each writing verb is one `TransactWriteItems`.
//!
//! The table `ledger` holds what the nouns' own tables can't: guards that make addresses, keys and
//! pending pecks unique; the queue of what lapses; and the counts, spread over shards so that
//! writers rarely meet.

mod accounts;
mod audit;
mod census;
mod certificates;
mod changes;
mod departures;
mod feedback;
mod item;
mod journals;
mod limits;
mod listing;
mod moves;
mod newsletter;
mod operators;
mod pecks;
mod reads;
mod sign_ins;
mod sweep;
mod transaction;
mod writes;

#[cfg(test)]
pub(crate) use self::{audit::AUDIT_SHARDS, sweep::QUEUES};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, TableDescription, TableStatus};
use beak_core::audit::Event;
use beak_core::certificate::Certificate;
use beak_core::duckling::{Duckling, Egg};
use beak_core::id::{CertId, DucklingId, PeckId};
use beak_core::key::KeyHash;
use beak_core::newsletter::{Offer, TokenHash};
use beak_core::peck::Peck;
use beak_core::person::{DisplayName, Email, hex};
use beak_core::ports::{
    Decision, Deletion, Departure, Entropy, EventQuery, Fleet, Hatched, Hatching, Idempotency,
    Listed, Metrics, Move, Moved, NewKey, Page, PeckQuery, Pecked, PublicKey, Store, Suspension,
    Swept, TableState, Turn,
};
use beak_core::tier::TierRequest;
use beak_core::{BeakError, Duration, OffsetDateTime, Result};

use self::item::{
    Item, attributes, block_key, blocks, email_guard, ledger_key, millis, number, text,
};
use crate::failure::failed;

/// In how many partitions the counts are, and how many shards each has. Transactions that meet in a
/// shard wait for each other, so there are many.
pub(crate) const COUNT_PARTS: u8 = 8;
const COUNT_SHARDS: u8 = 64;

/// A partition of the counts.
fn counts_in(part: u8) -> String {
    format!("metrics#{part}")
}

/// One of so many shards, always the same for a text.
fn shard(text: &str, shards: u8) -> u8 {
    // FNV-1a: what matters is that similar texts are spread.
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = text.bytes().fold(0x811c_9dc5, mix);
    u8::try_from((hash >> 16) % u32::from(shards)).unwrap_or(0)
}

/// The partition of the public signing keys.
const SIGNING_KEYS: &str = "signing-keys";

/// The partition of galaxies whose certificates an import brought here.
const ISSUERS: &str = "issuers";

/// All tables, without the galaxy's name.
const TABLES: [&str; 6] = ["eggs", "ducklings", "pecks", "certs", "newsletter", "ledger"];

/// Everything of the Beak but passwords.
pub(crate) struct DynamoStore {
    client: Client,
    prefix: String,
    entropy: Arc<dyn Entropy>,
    /// Since when accounts are settled, once it was looked up.
    settles_since: OnceLock<OffsetDateTime>,
    /// Until when no week of an earlier release is taken to have events.
    no_weeks_until: Mutex<Option<OffsetDateTime>>,
    /// Which duckling to ask about a key, by its hash.
    keys_seen: Mutex<HashMap<String, String>>,
}

impl DynamoStore {
    /// A store on the tables whose names start with `prefix`.
    #[must_use]
    pub(crate) fn new(client: Client, prefix: String, entropy: Arc<dyn Entropy>) -> Self {
        let (settles_since, no_weeks_until) = (OnceLock::new(), Mutex::default());
        let keys_seen = Mutex::default();
        Self { client, prefix, entropy, settles_since, no_weeks_until, keys_seen }
    }

    fn table(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    async fn remembered_keys(&self) -> Result<Vec<PublicKey>> {
        let items = self.partition(SIGNING_KEYS, "reading signing keys").await?;
        items.iter().map(|item| Item(item).public_key()).collect()
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn lay_egg(&self, egg: &Egg) -> Result<()> {
        self.write_egg(egg).await
    }

    async fn egg(&self, email: &Email) -> Result<Option<Egg>> {
        let item = self.get("eggs", attributes([("email", text(email.as_str()))])).await?;
        item.map(|item| Item(&item).egg()).transpose()
    }

    async fn hatch(&self, hatching: &Hatching) -> Result<Hatched> {
        self.write_hatching(hatching).await
    }

    async fn duckling(&self, id: &DucklingId) -> Result<Option<Duckling>> {
        self.duckling_named(id.as_str()).await
    }

    async fn duckling_by_email(&self, email: &Email) -> Result<Option<Duckling>> {
        self.behind(email_guard(email), |duckling| duckling.email == *email).await
    }

    async fn duckling_by_key(&self, key: &KeyHash) -> Result<Option<Duckling>> {
        self.opened_by(&key.to_hex()).await
    }

    async fn ducklings(&self, page: &Page) -> Result<Listed<Duckling>> {
        let start = page.after.as_ref().map(|id| attributes([("duckling_id", text(id))]));
        let limit = i32::try_from(page.limit).unwrap_or(100);
        let asked = self.client.scan().table_name(self.table("ducklings")).limit(limit);
        let answer = asked.set_exclusive_start_key(start).send().await;
        let answer = answer.map_err(|error| failed("listing ducklings", &error))?;
        let items = answer.items().iter().map(|item| Item(item).duckling());
        let next = answer.last_evaluated_key().map(|key| Item(key).text("duckling_id"));
        let next = next.transpose()?.map(str::to_owned);
        Ok(Listed { items: items.collect::<Result<_>>()?, next })
    }

    async fn pulse(&self, id: &DucklingId, now: OffsetDateTime) -> Result<bool> {
        let change = ("SET last_pulse = :now", "attribute_exists(duckling_id)");
        self.set(id, change, [(":now", number(millis(now)))]).await
    }

    async fn rotate_key(&self, id: &DucklingId, old: &str, new: &NewKey) -> Result<bool> {
        self.write_key(id, old, new).await
    }

    async fn rename(&self, id: &DucklingId, name: &DisplayName) -> Result<bool> {
        self.write_name(id, name).await
    }

    async fn request_tier(&self, id: &DucklingId, request: &TierRequest) -> Result<bool> {
        self.write_request(id, request).await
    }

    async fn decide(&self, decision: &Decision) -> Result<bool> {
        self.write_decision(decision).await
    }

    async fn ducklings_of(&self, ids: &[DucklingId]) -> Result<Vec<Duckling>> {
        self.read_ducklings(ids).await
    }

    async fn tier_requests(&self, page: &Page) -> Result<Listed<Duckling>> {
        self.list_requests(page).await
    }

    async fn suspend(&self, suspension: &Suspension) -> Result<bool> {
        self.write_suspension(suspension).await
    }

    async fn block(
        &self,
        owner: &DucklingId,
        other: &DucklingId,
        now: OffsetDateTime,
    ) -> Result<()> {
        let mut item = block_key(owner, other);
        item.insert("since".into(), number(millis(now)));
        let put = self.client.put_item().table_name(self.table("ledger")).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(|error| failed("blocking a duckling", &error))
    }

    async fn unblock(&self, owner: &DucklingId, other: &DucklingId) -> Result<bool> {
        let gone = self
            .client
            .delete_item()
            .table_name(self.table("ledger"))
            .set_key(Some(block_key(owner, other)))
            .return_values(ReturnValue::AllOld);
        let gone = gone.send().await.map_err(|error| failed("ending a block", &error))?;
        Ok(gone.attributes.is_some())
    }

    async fn forget_blocks(&self, owner: &DucklingId) -> Result<()> {
        self.clear(&blocks(owner)).await
    }

    async fn leave(&self, departure: &Departure) -> Result<()> {
        self.write_departure(departure).await
    }

    async fn departure(&self, id: &DucklingId) -> Result<Option<Departure>> {
        self.read_departure(id).await
    }

    async fn departures(&self, page: &Page) -> Result<Listed<Departure>> {
        self.list_departures(page).await
    }

    async fn forget_departure(&self, id: &DucklingId) -> Result<()> {
        self.drop_departure(id).await
    }

    async fn delete(&self, deletion: &Deletion) -> Result<bool> {
        self.write_deletion(deletion).await
    }

    async fn add_peck(&self, peck: &Peck, idempotency: Option<&Idempotency>) -> Result<Pecked> {
        self.write_peck(peck, idempotency).await
    }

    async fn peck(&self, id: &PeckId) -> Result<Option<Peck>> {
        self.peck_named(id.as_str()).await
    }

    async fn pecks(&self, asked: &PeckQuery, page: &Page) -> Result<Listed<Peck>> {
        self.list_pecks(asked, page).await
    }

    async fn move_peck(&self, id: &PeckId, to: &Move, now: OffsetDateTime) -> Result<Moved> {
        self.write_move(id, to, now).await
    }

    async fn certificate(&self, id: &CertId) -> Result<Option<Certificate>> {
        self.read_certificate(id).await
    }

    async fn certificates_of(&self, id: &DucklingId) -> Result<Vec<Certificate>> {
        self.list_certificates(id).await
    }

    async fn signing_keys(&self, current: &PublicKey) -> Result<Vec<PublicKey>> {
        let mut keys = self.remembered_keys().await?;
        if !keys.contains(current) {
            let mut item = ledger_key(SIGNING_KEYS, &current.kid);
            item.insert("public".into(), text(hex(&current.bytes)));
            let asked = self.client.put_item().table_name(self.table("ledger"));
            let put = asked.set_item(Some(item)).send().await;
            put.map_err(|error| failed("remembering the signing key", &error))?;
            keys.push(current.clone());
        }
        Ok(keys)
    }

    async fn former_issuers(&self) -> Result<Vec<String>> {
        let items = self.partition(ISSUERS, "reading former issuers").await?;
        items.iter().map(|item| Item(item).text("sk").map(str::to_owned)).collect()
    }

    async fn events(&self, asked: &EventQuery, page: &Page) -> Result<Listed<Event>> {
        self.list_events(asked, page).await
    }

    async fn offer_newsletter(&self, offer: &Offer) -> Result<()> {
        self.write_offer(offer).await
    }

    async fn subscribe(&self, token: &TokenHash, now: OffsetDateTime) -> Result<bool> {
        self.write_reader(token, now).await
    }

    async fn unsubscribe(&self, token: &TokenHash) -> Result<bool> {
        self.end_reader(token).await
    }

    async fn is_subscribed(&self, email: &Email) -> Result<bool> {
        self.reads(email).await
    }

    async fn tables(&self) -> Result<Vec<TableState>> {
        let mut states = Vec::new();
        for name in TABLES {
            let asked = self.client.describe_table().table_name(self.table(name)).send().await;
            let answer = asked.map_err(|error| failed("looking at a table", &error))?;
            let table = answer.table();
            let active = table.and_then(|t| t.table_status()) == Some(&TableStatus::Active);
            let entries =
                table.and_then(TableDescription::item_count).and_then(|n| u64::try_from(n).ok());
            states.push(TableState { name: name.to_owned(), active, entries });
        }
        Ok(states)
    }

    async fn metrics(&self, now: OffsetDateTime) -> Result<Metrics> {
        self.read_metrics(now).await
    }

    async fn sweep(&self, now: OffsetDateTime, limit: usize) -> Result<Swept> {
        self.sweep_due(now, limit).await
    }

    fn keeps_census(&self) -> bool {
        true
    }

    async fn keep_census(&self, fleet: &Fleet) -> Result<()> {
        self.write_census(fleet).await
    }

    async fn census(&self) -> Result<Option<Fleet>> {
        self.read_census().await
    }

    async fn takes_writes(&self) -> bool {
        // DynamoDB does, or answers nothing.
        true
    }

    async fn take_turn(&self, turn: &Turn) -> Result<Option<Duration>> {
        self.take_one_turn(turn).await
    }
}

/// A number as DynamoDB adds it.
fn by(value: i64) -> AttributeValue {
    number(value)
}

/// What should not happen between one read and the next.
fn restless() -> BeakError {
    BeakError::Unavailable("an item changed again and again".into())
}
