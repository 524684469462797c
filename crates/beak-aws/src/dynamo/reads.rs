//! Reads of single items, of many at once and of small partitions.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use beak_core::duckling::Duckling;
use beak_core::peck::Peck;
use beak_core::{BeakError, Result};
use futures_util::future::try_join_all;

use super::DynamoStore;
use super::item::{Attributes, Item, attributes, guard_key, key_guard, text};
use super::transaction::pause;
use super::writes::TRIES;
use crate::failure::failed;

/// How many items are removed at the same time.
const AT_ONCE: usize = 25;

/// Of how many keys a process remembers where they lead.
const KEYS_SEEN: usize = 10_000;

impl DynamoStore {
    pub(super) async fn get(&self, table: &str, key: Attributes) -> Result<Option<Attributes>> {
        let asked = self.client.get_item().table_name(self.table(table)).consistent_read(true);
        let answer = asked.set_key(Some(key)).send().await;
        Ok(answer.map_err(|error| failed("reading an item", &error))?.item)
    }

    /// What a guard points to.
    pub(super) async fn guarded(&self, what: String, name: &str) -> Result<Option<String>> {
        let item = self.get("ledger", guard_key(what)).await?;
        item.map(|item| Item(&item).text(name).map(str::to_owned)).transpose()
    }

    /// The duckling that a guard points to. A guard may be ahead of its hatching, or outlive its
    /// key: the duckling itself decides. So half a read is enough for the guard, and only what was
    /// written just now or not at all takes a whole one.
    pub(super) async fn behind(
        &self,
        guard: String,
        fits: impl Fn(&Duckling) -> bool + Send,
    ) -> Result<Option<Duckling>> {
        let soon = self.client.get_item().table_name(self.table("ledger"));
        let soon = soon.set_key(Some(guard_key(&guard))).consistent_read(false).send().await;
        let soon = soon.map_err(|error| failed("reading an item", &error))?.item;
        if let Some(item) = soon {
            let found = self.duckling_named(Item(&item).text("duckling_id")?).await?;
            if let Some(duckling) = found.filter(&fits) {
                return Ok(Some(duckling));
            }
        }
        let Some(id) = self.guarded(guard, "duckling_id").await? else { return Ok(None) };
        Ok(self.duckling_named(&id).await?.filter(fits))
    }

    /// The duckling that a key opens. Where a key's guard once led, it leads for good, so a process
    /// remembers that; whether the duckling still has this key, the duckling says each time.
    pub(super) async fn opened_by(&self, hash: &str) -> Result<Option<Duckling>> {
        let keys = || self.keys_seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let known = keys().get(hash).cloned();
        if let Some(id) = known {
            let found = self.duckling_named(&id).await?;
            if let Some(duckling) = found.filter(|duckling| duckling.key_hash == hash) {
                return Ok(Some(duckling));
            }
            keys().remove(hash);
        }
        let found = self.behind(key_guard(hash), |duckling| duckling.key_hash == hash).await?;
        if let Some(duckling) = &found {
            let mut keys = keys();
            if keys.len() >= KEYS_SEEN {
                keys.clear();
            }
            keys.insert(hash.to_owned(), duckling.id.to_string());
        }
        Ok(found)
    }

    pub(super) async fn duckling_named(&self, id: &str) -> Result<Option<Duckling>> {
        let item = self.get("ducklings", attributes([("duckling_id", text(id))])).await?;
        item.map(|item| Item(&item).duckling()).transpose()
    }

    pub(super) async fn peck_named(&self, id: &str) -> Result<Option<Peck>> {
        let item = self.get("pecks", attributes([("peck_id", text(id))])).await?;
        item.map(|item| Item(&item).peck()).transpose()
    }

    /// Removes all items of a partition of the ledger.
    pub(super) async fn clear(&self, pk: &str) -> Result<()> {
        let pages = self
            .client
            .query()
            .table_name(self.table("ledger"))
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(pk))
            .projection_expression("pk, sk")
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let keys = pages.try_collect().await;
        let keys = keys.map_err(|error| failed("reading what is to be removed", &error))?;
        // A stranger decides how many there are: a call has no time for one by one.
        for some in keys.chunks(AT_ONCE) {
            try_join_all(some.iter().map(|key| {
                let gone = self.client.delete_item().table_name(self.table("ledger"));
                gone.set_key(Some(key.clone())).send()
            }))
            .await
            .map_err(|error| failed("removing an item", &error))?;
        }
        Ok(())
    }

    /// Those of a table's items that there are, in any order. No key may be there twice.
    pub(super) async fn batch(
        &self,
        table: &str,
        keys: Vec<Attributes>,
    ) -> Result<Vec<Attributes>> {
        self.batch_of(table, keys, true).await
    }

    /// The same; without the newest version for half the units.
    pub(super) async fn batch_of(
        &self,
        table: &str,
        mut keys: Vec<Attributes>,
        newest: bool,
    ) -> Result<Vec<Attributes>> {
        let mut found = Vec::new();
        let mut attempt = 0;
        while !keys.is_empty() {
            // As many as DynamoDB takes at once.
            let rest = keys.split_off(keys.len().min(100));
            let asked = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(newest);
            let asked = asked.build().map_err(|error| BeakError::Internal(error.to_string()))?;
            let batch = self.client.batch_get_item().request_items(self.table(table), asked);
            let answer = batch.send().await.map_err(|error| failed("reading items", &error))?;
            let items = answer.responses.into_iter().flatten().flat_map(|(_, items)| items);
            found.extend(items);
            // What did not fit, or was throttled.
            let left = answer.unprocessed_keys.into_iter().flatten().flat_map(|(_, l)| l.keys);
            let left: Vec<_> = left.collect();
            if !left.is_empty() {
                if attempt >= TRIES {
                    return Err(BeakError::Unavailable("a batch was throttled".into()));
                }
                pause(u32::try_from(attempt).unwrap_or(u32::MAX), &self.entropy).await?;
                attempt += 1;
            }
            keys = left;
            keys.extend(rest);
        }
        Ok(found)
    }

    /// A small partition of the ledger.
    pub(super) async fn partition(&self, pk: &str, doing: &str) -> Result<Vec<Attributes>> {
        let asked = self
            .client
            .query()
            .table_name(self.table("ledger"))
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(pk));
        let answer = asked.send().await.map_err(|error| failed(doing, &error))?;
        Ok(answer.items.unwrap_or_default())
    }
}
