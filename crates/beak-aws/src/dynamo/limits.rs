//! Calls counted in the ledger: one item for a bucket and a minute, gone by itself. Those of limits
//! that allow it are taken in blocks, see [`beak_core::lease`].

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use beak_core::access::WINDOW;
use beak_core::lease::{Ask, Count, Counter, Lent};
use beak_core::person::hex;
use beak_core::ports::Turn;
use beak_core::{Duration, Result};
use sha2::{Digest as _, Sha256};

use super::DynamoStore;
use super::item::{Attributes, Item, guard_key, ledger_key, millis, number};
use crate::failure::{code, failed};

/// An item of earlier releases has no spare calls.
const FITS: &str = "attribute_not_exists(hits) OR \
                    (hits <= :room AND (attribute_not_exists(spare) OR spare <= :most))";

fn count(item: &Attributes) -> Result<Count> {
    let item = Item(item);
    let taken = u32::try_from(item.number("hits")?).unwrap_or(u32::MAX);
    Ok(Count { taken, spare: item.maybe_number("spare")?.unwrap_or(0) })
}

#[async_trait]
impl Counter for DynamoStore {
    async fn lend(&self, bucket: &str, minute: i64, ask: Ask) -> Result<Lent> {
        // Hashed: a bucket's name holds an address.
        let pk = format!("rate#{}", hex(&Sha256::digest(bucket.as_bytes())));
        let asked = self
            .client
            .update_item()
            .table_name(self.table("ledger"))
            .set_key(Some(ledger_key(pk, format!("{minute:012}"))))
            .update_expression("ADD hits :calls, spare :spare SET expires_at = :gone")
            .condition_expression(FITS)
            .expression_attribute_values(":calls", number(ask.calls.into()))
            .expression_attribute_values(":spare", number(ask.spare))
            .expression_attribute_values(":room", number(i64::from(ask.limit - ask.calls)))
            .expression_attribute_values(":most", number(ask.most))
            .expression_attribute_values(":gone", number((minute + 2) * i64::from(WINDOW)))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match asked.send().await {
            Ok(answer) => return count(&answer.attributes.unwrap_or_default()).map(Lent::Yes),
            Err(error) => error,
        };
        match error.as_service_error() {
            // The item comes with the refusal; without it, the limit is taken for used up.
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                let full = Count { taken: ask.limit, spare: 0 };
                refused.item().map_or(Ok(full), count).map(Lent::No)
            }
            _ => Err(failed("counting a call", &error)),
        }
    }
}

impl DynamoStore {
    pub(super) async fn take_one_turn(&self, turn: &Turn) -> Result<Option<Duration>> {
        let (now, until) = (millis(turn.now), turn.now + turn.every);
        let mut item = guard_key(format!("turn#{}", turn.name));
        item.insert("until_ms".into(), number(millis(until)));
        item.insert("expires_at".into(), number(until.unix_timestamp() + 3600));
        let asked = self
            .client
            .put_item()
            .table_name(self.table("ledger"))
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR until_ms <= :now")
            .expression_attribute_values(":now", number(now))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = asked.send().await else { return Ok(None) };
        if code(&error) != Some("ConditionalCheckFailedException") {
            return Err(failed("taking a turn", &error));
        }
        let key = guard_key(format!("turn#{}", turn.name));
        let taken = self.get("ledger", key).await?;
        let until = taken.map(|item| Item(&item).number("until_ms")).transpose()?;
        let left = until.map_or(1, |until| (until - now).max(1));
        Ok(Some(Duration::milliseconds(left)))
    }
}
