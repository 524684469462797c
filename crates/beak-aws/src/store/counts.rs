//! The counters, and turns: what may be done once in a while.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure as OnLoss;
use beak_core::error::Result;
use beak_core::peck::PeckStatus;
use beak_core::ports::{Metrics, Turn};
use time::Duration;

use super::rows::{Item, millis, number, text};
use super::{DynamoStore, LEDGER, failure, ledger};

/// How often the counters are read, when between two shards a count had gone below zero.
const READINGS: usize = 4;

impl DynamoStore {
    /// The counts.
    pub(super) async fn count(&self) -> Result<Metrics> {
        for _ in 0..READINGS {
            if let Some(metrics) = sums(&self.shards().await?)? {
                return Ok(metrics);
            }
        }
        Err(failure::inconsistent("a count is below zero"))
    }

    async fn shards(&self) -> Result<Vec<Item>> {
        let answer = self
            .client
            .query()
            .table_name(self.table(LEDGER))
            .consistent_read(true)
            .key_condition_expression("pk = :metrics")
            .expression_attribute_values(":metrics", text(ledger::METRICS))
            .send()
            .await
            .map_err(|error| failure::failed("Query", LEDGER, &error))?;
        Ok(answer.items.unwrap_or_default())
    }

    /// Takes a turn, or says how long until the next one.
    pub(super) async fn take(&self, turn: &Turn) -> Result<Option<Duration>> {
        let until = turn.now + turn.every;
        let answer = self
            .client
            .update_item()
            .table_name(self.table(LEDGER))
            .set_key(Some(ledger::turn_guard(&turn.name)))
            .update_expression("SET #until = :until, #expires_at = :gone")
            .condition_expression("attribute_not_exists(#pk) OR #until <= :now")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#until", "until")
            .expression_attribute_names("#expires_at", "expires_at")
            .expression_attribute_values(":until", number(millis(until)))
            .expression_attribute_values(":now", number(millis(turn.now)))
            .expression_attribute_values(":gone", number(until.unix_timestamp() + 1))
            .return_values_on_condition_check_failure(OnLoss::AllOld)
            .send()
            .await;
        let Err(error) = answer else { return Ok(None) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(taken)) => {
                self.left(turn, taken.item()).await.map(Some)
            }
            _ => Err(failure::failed("UpdateItem", LEDGER, &error)),
        }
    }

    /// How long a turn that is taken still lasts.
    async fn left(&self, turn: &Turn, found: Option<&Item>) -> Result<Duration> {
        let read = match found {
            Some(_) => None,
            None => self.get(LEDGER, ledger::turn_guard(&turn.name)).await?,
        };
        match found.or(read.as_ref()) {
            Some(item) => {
                let until = ledger::row(item).number::<i64>("until")?;
                Ok(Duration::milliseconds(until - millis(turn.now)))
            }
            // It ran out and was removed just now. Waiting once more is the safe answer.
            None => Ok(turn.every),
        }
    }
}

/// The sums over all shards; `None` when one is below zero. That happens only while somebody
/// writes: the reading may see a shard without, and the next one with their latest change.
pub(super) fn sums(shards: &[Item]) -> Result<Option<Metrics>> {
    let sum = |name: &str| -> Result<Option<u64>> {
        let holding = shards.iter().filter(|shard| shard.contains_key(name));
        let parts = holding.map(|shard| ledger::row(shard).number::<i64>(name));
        let sum = parts.sum::<Result<i64>>()?;
        Ok(u64::try_from(sum).ok())
    };
    let mut pecks = [Some(0); 5];
    for (count, status) in pecks.iter_mut().zip(PeckStatus::ALL) {
        *count = sum(status.word())?;
    }
    let (ducklings, certificates) = (sum("ducklings")?, sum("certificates")?);
    let (connections, eggs) = (sum("connections")?, sum("eggs")?);
    let whole = || {
        let [pending, approved, denied, expired, revoked] = pecks;
        Some(Metrics {
            ducklings: ducklings?,
            certificates: certificates?,
            connections: connections?,
            eggs: eggs?,
            pecks: [pending?, approved?, denied?, expired?, revoked?],
        })
    };
    Ok(whole())
}
