//! Ducklings: found, listed, their pulse and their key.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use beak_core::duckling::Duckling;
use beak_core::error::{BeakError, Result};
use beak_core::id::DucklingId;
use beak_core::ports::{Listed, NewKey, Page};
use time::OffsetDateTime;

use super::rows::{self, Item, moment, text};
use super::transact::{Outcome, Part, Step, Terms};
use super::{DUCKLINGS, DynamoStore, LEDGER, failure, ledger};

/// The key of a duckling.
pub(super) fn duckling_key(id: &DucklingId) -> Item {
    rows::key("duckling_id", id.as_str())
}

impl DynamoStore {
    /// A duckling by its id.
    pub(super) async fn duckling_of(&self, id: &DucklingId) -> Result<Option<Duckling>> {
        let found = self.get(DUCKLINGS, duckling_key(id)).await?;
        found.map(|item| rows::duckling_of(&item)).transpose()
    }

    /// The duckling that a guard names.
    pub(super) async fn guarded(&self, guard: Item) -> Result<Option<Duckling>> {
        let Some(guard) = self.get(LEDGER, guard).await? else { return Ok(None) };
        let id = ledger::said(&guard, "duckling_id")?;
        match self.get(DUCKLINGS, rows::key("duckling_id", id)).await? {
            Some(item) => rows::duckling_of(&item).map(Some),
            None => Err(failure::inconsistent(&format!("a guard names {id}, who is not there"))),
        }
    }

    /// All ducklings, part by part.
    pub(super) async fn list_ducklings(&self, page: &Page) -> Result<Listed<Duckling>> {
        let mut found = Vec::new();
        let mut after = page.after.as_deref().filter(|after| !after.is_empty());
        let mut from = after.take().map(|after| rows::key("duckling_id", after));
        // One more than asked for tells whether there is a next part.
        let wanted = page.limit.saturating_add(1);
        loop {
            let missing = i32::try_from(wanted - found.len()).unwrap_or(i32::MAX);
            let answer = self
                .client
                .scan()
                .table_name(self.table(DUCKLINGS))
                .consistent_read(true)
                .limit(missing)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| failure::failed("Scan", DUCKLINGS, &error))?;
            found.extend(answer.items.unwrap_or_default());
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() || found.len() >= wanted {
                break;
            }
        }
        let more = found.len() > page.limit;
        found.truncate(page.limit);
        let items = found.iter().map(rows::duckling_of).collect::<Result<Vec<_>>>()?;
        let next = items.last().filter(|_| more).map(|duckling| duckling.id.to_string());
        Ok(Listed { items, next })
    }

    /// Writes a pulse down.
    pub(super) async fn write_pulse(&self, id: &DucklingId, now: OffsetDateTime) -> Result<bool> {
        let answer = self
            .client
            .update_item()
            .table_name(self.table(DUCKLINGS))
            .set_key(Some(duckling_key(id)))
            .update_expression("SET last_pulse = :now")
            .condition_expression("attribute_exists(duckling_id)")
            .expression_attribute_values(":now", moment(now))
            .send()
            .await;
        let Err(error) = answer else { return Ok(true) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(failure::failed("UpdateItem", DUCKLINGS, &error)),
        }
    }

    /// Exchanges a duckling's key.
    pub(super) async fn exchange_key(
        &self,
        id: &DucklingId,
        old: &str,
        new: &NewKey,
    ) -> Result<bool> {
        if old == new.hash {
            return Err(BeakError::Internal("a key can't be exchanged for itself".into()));
        }
        let change = Terms::change(
            "SET #key_hash = :hash, #key_hint = :hint",
            "attribute_exists(#duckling_id) AND #key_hash = :old",
        );
        let change = change.with("hash", text(new.hash.as_str()));
        let change = change.with("hint", text(new.hint.as_str())).with("old", text(old));
        let guard = ledger::naming(ledger::key_guard(&new.hash), "duckling_id", id.as_str());
        let (old, ledger) = (ledger::key_guard(old), self.table(LEDGER));
        let (key, table) = (duckling_key(id), self.table(DUCKLINGS));
        let steps = vec![
            Step::update(Part::Duckling, table, key, change)?,
            Step::delete(Part::KeyGuard, ledger.clone(), old, Terms::none())?,
            Step::put(Part::KeyGuard, ledger, guard, Terms::absent("pk"))?,
        ];
        let outcome = self.transact(steps, &[]).await?;
        if outcome == Outcome::Done {
            return Ok(true);
        }
        if outcome.loss(Part::Duckling).is_some() {
            return Ok(false);
        }
        Err(failure::inconsistent("a new key is taken"))
    }
}
