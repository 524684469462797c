//! One all-or-nothing write of up to a hundred conditions and changes, tried again as long as only
//! other writers are in the way.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use beak_core::person::hex;
use beak_core::ports::Entropy;
use beak_core::{BeakError, Result};

use super::item::Attributes;
use crate::failure::failed;

/// How often it is tried while others write the same items.
const TRIES: u32 = 9;

/// A change of one item.
pub(super) struct Change<'a> {
    pub(super) table: String,
    pub(super) key: Attributes,
    /// What to do, as an update expression.
    pub(super) update: &'a str,
    pub(super) values: Attributes,
}

/// A condition with the values in it.
pub(super) struct When<'a> {
    pub(super) condition: &'a str,
    pub(super) values: Attributes,
}

/// A transaction in the making. Each condition has a name, by which a lost one is known.
#[derive(Default)]
pub(super) struct Transaction {
    items: Vec<TransactWriteItem>,
    names: Vec<&'static str>,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// All of it is written.
    Done,
    /// Nothing is: these conditions did not hold; with the items as they were.
    Lost(Vec<(&'static str, Attributes)>),
}

impl Outcome {
    /// Whether the condition of this name did not hold.
    pub(super) fn lost(&self, name: &str) -> Option<&Attributes> {
        let Self::Lost(conditions) = self else { return None };
        conditions.iter().find(|(lost, _)| *lost == name).map(|(_, item)| item)
    }
}

fn built<T>(result: std::result::Result<T, impl std::fmt::Display>) -> Result<T> {
    result.map_err(|error| BeakError::Internal(error.to_string()))
}

impl Transaction {
    fn add(&mut self, name: &'static str, item: TransactWriteItem) {
        self.names.push(name);
        self.items.push(item);
    }

    /// Writes an item, whether or not there is one.
    pub(super) fn put(&mut self, table: String, item: Attributes) -> Result<()> {
        let put = built(Put::builder().table_name(table).set_item(Some(item)).build())?;
        self.add("put", TransactWriteItem::builder().put(put).build());
        Ok(())
    }

    /// Writes an item that is not there yet. `key` is the name of its key attribute.
    pub(super) fn create(
        &mut self,
        name: &'static str,
        table: String,
        key: &str,
        item: Attributes,
    ) -> Result<()> {
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .condition_expression(format!("attribute_not_exists({key})"))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        self.add(name, TransactWriteItem::builder().put(built(put.build())?).build());
        Ok(())
    }

    /// Writes a ledger item if there is none, or if the one there meets `lapsed`.
    pub(super) fn create_or_replace(
        &mut self,
        name: &'static str,
        table: String,
        item: Attributes,
        lapsed: When<'_>,
    ) -> Result<()> {
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .condition_expression(format!("attribute_not_exists(pk) OR {}", lapsed.condition))
            .set_expression_attribute_values(Some(lapsed.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        self.add(name, TransactWriteItem::builder().put(built(put.build())?).build());
        Ok(())
    }

    /// Does nothing to an item, under a condition.
    pub(super) fn check(
        &mut self,
        name: &'static str,
        table: String,
        key: Attributes,
        condition: &str,
    ) -> Result<()> {
        let check = ConditionCheck::builder()
            .table_name(table)
            .set_key(Some(key))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let item = TransactWriteItem::builder().condition_check(built(check.build())?).build();
        self.add(name, item);
        Ok(())
    }

    /// Removes an item, whether or not there is one.
    pub(super) fn delete(&mut self, table: String, key: Attributes) -> Result<()> {
        let delete = built(Delete::builder().table_name(table).set_key(Some(key)).build())?;
        self.add("delete", TransactWriteItem::builder().delete(delete).build());
        Ok(())
    }

    /// Removes an item that fits a condition.
    pub(super) fn delete_if(
        &mut self,
        name: &'static str,
        table: String,
        key: Attributes,
        when: When<'_>,
    ) -> Result<()> {
        let values = Some(when.values).filter(|values| !values.is_empty());
        let delete = Delete::builder()
            .table_name(table)
            .set_key(Some(key))
            .condition_expression(when.condition)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        self.add(name, TransactWriteItem::builder().delete(built(delete.build())?).build());
        Ok(())
    }

    /// Changes an item, under a condition if there is one. `#word` stands for the attribute `word`,
    /// where that is a reserved word.
    pub(super) fn update(
        &mut self,
        name: &'static str,
        change: Change<'_>,
        condition: Option<&str>,
    ) -> Result<()> {
        let values = Some(change.values).filter(|values| !values.is_empty());
        let mut update = Update::builder()
            .table_name(change.table)
            .set_key(Some(change.key))
            .update_expression(change.update)
            .set_expression_attribute_values(values)
            .set_condition_expression(condition.map(str::to_owned))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for word in reserved(change.update).chain(reserved(condition.unwrap_or_default())) {
            update = update.expression_attribute_names(format!("#{word}"), word);
        }
        self.add(name, TransactWriteItem::builder().update(built(update.build())?).build());
        Ok(())
    }

    /// Does it.
    pub(super) async fn run(self, client: &Client, entropy: &Arc<dyn Entropy>) -> Result<Outcome> {
        let mut token = token(entropy)?;
        for attempt in 0..TRIES {
            // The token makes a try that was sent twice count once, also where only the answer to
            // the first one was lost.
            let asked = client
                .transact_write_items()
                .client_request_token(&token)
                .set_transact_items(Some(self.items.clone()));
            let Err(error) = asked.send().await else { return Ok(Outcome::Done) };
            match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let reasons = cancelled.cancellation_reasons();
                    let lost: Vec<_> = self
                        .names
                        .iter()
                        .zip(reasons)
                        .filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
                        .map(|(name, reason)| (*name, item_of(reason.item())))
                        .collect();
                    if !lost.is_empty() {
                        return Ok(Outcome::Lost(lost));
                    }
                    if let Some(code) = reasons.iter().filter_map(|r| r.code()).find(|c| !passes(c))
                    {
                        return Err(BeakError::Internal(format!("a transaction: {code}")));
                    }
                    token = self::token(entropy)?;
                }
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => {}
                _ => return Err(failed("a transaction", &error)),
            }
            pause(attempt, entropy).await?;
        }
        Err(BeakError::Unavailable("others kept writing the same items".into()))
    }
}

/// The words behind `#` in an expression.
fn reserved(expression: &str) -> impl Iterator<Item = &str> {
    let word = |rest: &'_ str| rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
    expression.split('#').skip(1).map(move |rest| &rest[..word(rest)])
}

fn item_of(item: Option<&std::collections::HashMap<String, AttributeValue>>) -> Attributes {
    item.cloned().unwrap_or_default()
}

fn token(entropy: &Arc<dyn Entropy>) -> Result<String> {
    let mut random = [0; 16];
    entropy.fill(&mut random)?;
    Ok(hex(&random))
}

/// Whether waiting cures it.
fn passes(code: &str) -> bool {
    let codes = ["None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    codes.contains(&code)
}

/// A random part of a growing while, so that two in each other's way get out of it.
pub(super) async fn pause(attempt: u32, entropy: &Arc<dyn Entropy>) -> Result<()> {
    let mut random = [0; 2];
    entropy.fill(&mut random)?;
    let longest = (10_u64 << attempt).min(500);
    let share = u64::from(u16::from_be_bytes(random)) * longest / u64::from(u16::MAX);
    #[expect(clippy::disallowed_methods, reason = "the pause itself")]
    tokio::time::sleep(Duration::from_millis(share)).await;
    Ok(())
}
