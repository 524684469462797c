//! All or nothing: builds a `TransactWriteItems`, tries it again where that helps, and says which
//! conditions did not hold.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError as Refused;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put,
    ReturnValuesOnConditionCheckFailure as OnLoss, TransactWriteItem, Update,
};
use beak_core::error::{BeakError, Result};
use beak_core::person::hex;
use tokio::time::{Duration, sleep};

use super::rows::{Item, number};
use super::{DynamoStore, LEDGER, failure, ledger};

/// How often a transaction is tried.
const TRIES: u32 = 8;

/// What a step of a transaction is about, so that its loss can be told from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The egg.
    Egg,
    /// An entry of the due queue.
    Due,
    /// The guard of an address.
    EmailGuard,
    /// The guard of a new key.
    KeyGuard,
    /// The one duckling that it is about.
    Duckling,
    /// The duckling that asks.
    Source,
    /// The duckling that is asked.
    Target,
    /// A certificate.
    Certificate,
    /// The peck.
    Peck,
    /// The guard of a question that waits.
    Pair,
    /// An idempotency key.
    Idempotency,
    /// The counters.
    Counts,
}

/// One step: what it is about, and the write itself.
#[derive(Clone)]
pub(super) struct Step {
    part: Part,
    write: TransactWriteItem,
}

/// An update and the condition under which a step holds. Attributes are written as `#name`, so
/// that none of them can be one of DynamoDB's many reserved words.
#[derive(Clone, Default)]
pub(super) struct Terms {
    change: Option<String>,
    when: Option<String>,
    values: HashMap<String, AttributeValue>,
}

impl Terms {
    /// No condition.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// A condition.
    pub(super) fn when(condition: impl Into<String>) -> Self {
        Self { when: Some(condition.into()), ..Self::default() }
    }

    /// That no item has this key yet; `name` is an attribute of the key.
    pub(super) fn absent(name: &str) -> Self {
        Self::when(format!("attribute_not_exists(#{name})"))
    }

    /// A change of an item, with the condition for it.
    pub(super) fn change(change: impl Into<String>, condition: impl Into<String>) -> Self {
        Self { change: Some(change.into()), ..Self::when(condition) }
    }

    /// The value of a placeholder, which is given without its colon.
    pub(super) fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(format!(":{name}"), value);
        self
    }

    /// The attribute names that the expressions use. DynamoDB refuses those that they don't.
    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        let all = format!(
            "{} {}",
            self.change.as_deref().unwrap_or_default(),
            self.when.as_deref().unwrap_or_default()
        );
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let names = all.split('#').skip(1).map(|rest| {
            let name = rest.split(|c| !word(c)).next().unwrap_or_default();
            (format!("#{name}"), name.to_owned())
        });
        Some(names.collect::<HashMap<_, _>>()).filter(|names| !names.is_empty())
    }

    fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        Some(self.values.clone()).filter(|values| !values.is_empty())
    }
}

impl Step {
    /// Writes an item.
    pub(super) fn put(part: Part, table: String, item: Item, terms: Terms) -> Result<Self> {
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .set_expression_attribute_names(terms.names())
            .set_expression_attribute_values(terms.values())
            .set_condition_expression(terms.when)
            .return_values_on_condition_check_failure(OnLoss::AllOld)
            .build()
            .map_err(|error| failure::unbuilt(&error))?;
        Ok(Self { part, write: TransactWriteItem::builder().put(put).build() })
    }

    /// Removes an item.
    pub(super) fn delete(part: Part, table: String, key: Item, terms: Terms) -> Result<Self> {
        let delete = Delete::builder()
            .table_name(table)
            .set_key(Some(key))
            .set_expression_attribute_names(terms.names())
            .set_expression_attribute_values(terms.values())
            .set_condition_expression(terms.when)
            .return_values_on_condition_check_failure(OnLoss::AllOld)
            .build()
            .map_err(|error| failure::unbuilt(&error))?;
        Ok(Self { part, write: TransactWriteItem::builder().delete(delete).build() })
    }

    /// Changes an item.
    pub(super) fn update(part: Part, table: String, key: Item, terms: Terms) -> Result<Self> {
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(key))
            .set_expression_attribute_names(terms.names())
            .set_expression_attribute_values(terms.values())
            .set_update_expression(terms.change)
            .set_condition_expression(terms.when)
            .return_values_on_condition_check_failure(OnLoss::AllOld)
            .build()
            .map_err(|error| failure::unbuilt(&error))?;
        Ok(Self { part, write: TransactWriteItem::builder().update(update).build() })
    }

    /// Only looks whether a condition holds.
    pub(super) fn check(part: Part, table: String, key: Item, terms: Terms) -> Result<Self> {
        let check = ConditionCheck::builder()
            .table_name(table)
            .set_key(Some(key))
            .set_expression_attribute_names(terms.names())
            .set_expression_attribute_values(terms.values())
            .set_condition_expression(terms.when)
            .return_values_on_condition_check_failure(OnLoss::AllOld)
            .build()
            .map_err(|error| failure::unbuilt(&error))?;
        Ok(Self { part, write: TransactWriteItem::builder().condition_check(check).build() })
    }
}

/// A condition that did not hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Loss {
    /// Of which step.
    pub(super) part: Part,
    /// The item as it was found; `None` when there was none.
    pub(super) item: Option<Item>,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// All of it is written.
    Done,
    /// Nothing is: these conditions did not hold.
    Lost(Vec<Loss>),
}

impl Outcome {
    /// The loss of a part, if it was lost.
    pub(super) fn loss(&self, part: Part) -> Option<&Loss> {
        match self {
            Self::Done => None,
            Self::Lost(losses) => losses.iter().find(|loss| loss.part == part),
        }
    }
}

/// What a cancelled transaction's reasons come to.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// Conditions did not hold.
    Lost(Vec<Loss>),
    /// It only met others at work; the next try may go through.
    Again,
    /// It can't go through; these codes say why.
    Broken(String),
}

/// Reads the reasons of a cancelled transaction: one for each of its steps, in their order.
pub(super) fn verdict(parts: &[Part], reasons: &[CancellationReason]) -> Verdict {
    let code = |reason: &CancellationReason| reason.code().unwrap_or("None").to_owned();
    let lost = parts.iter().zip(reasons);
    let lost = lost.filter(|(_, reason)| code(reason) == "ConditionalCheckFailed");
    let losses = lost
        .map(|(part, reason)| {
            let item = reason.item().filter(|item| !item.is_empty()).cloned();
            Loss { part: *part, item }
        })
        .collect::<Vec<_>>();
    if !losses.is_empty() {
        return Verdict::Lost(losses);
    }
    let passing =
        ["None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    let broken = parts.iter().zip(reasons).map(|(part, reason)| (part, code(reason)));
    let broken = broken.filter(|(_, code)| !passing.contains(&code.as_str()));
    let broken = broken.map(|(part, code)| format!("{part:?} {code}")).collect::<Vec<_>>();
    if broken.is_empty() { Verdict::Again } else { Verdict::Broken(broken.join(", ")) }
}

impl DynamoStore {
    /// Writes all of the steps and adds to the counters, or does nothing.
    pub(super) async fn transact(
        &self,
        steps: Vec<Step>,
        counts: &[(&str, i64)],
    ) -> Result<Outcome> {
        let mut round = self.with_counts(&steps, counts)?;
        // The SDK would make a new token for each call. A transaction that is still at work has
        // to be asked for by the same one, or the second call would meet the first one's writes.
        let mut token = self.token()?;
        for attempt in 0..TRIES {
            if attempt > 0 {
                sleep(self.pause(attempt)?).await;
            }
            let writes = round.iter().map(|step| step.write.clone()).collect();
            let call = self.client.transact_write_items().client_request_token(&token);
            let Err(error) = call.set_transact_items(Some(writes)).send().await else {
                return Ok(Outcome::Done);
            };
            match error.as_service_error() {
                Some(Refused::TransactionInProgressException(_)) => {}
                Some(Refused::TransactionCanceledException(cancelled)) => {
                    let parts = round.iter().map(|step| step.part).collect::<Vec<_>>();
                    match verdict(&parts, cancelled.cancellation_reasons()) {
                        Verdict::Lost(losses) => return Ok(Outcome::Lost(losses)),
                        Verdict::Broken(why) => return Err(cancelled_for(&why)),
                        // Perhaps it was the counters' shard: the next try takes another one.
                        Verdict::Again => {
                            round = self.with_counts(&steps, counts)?;
                            token = self.token()?;
                        }
                    }
                }
                _ => return Err(failure::failed("TransactWriteItems", "its tables", &error)),
            }
        }
        Err(failure::restless("a transaction"))
    }

    /// The steps, and the one that adds to a shard of the counters.
    fn with_counts(&self, steps: &[Step], counts: &[(&str, i64)]) -> Result<Vec<Step>> {
        let mut all = steps.to_vec();
        let counts = counts.iter().filter(|(_, by)| *by != 0).collect::<Vec<_>>();
        if counts.is_empty() {
            return Ok(all);
        }
        let adds = counts.iter().map(|(name, _)| format!("#{name} :{name}")).collect::<Vec<_>>();
        let terms = Terms { change: Some(format!("ADD {}", adds.join(", "))), ..Terms::none() };
        let terms = counts.iter().fold(terms, |terms, (name, by)| terms.with(name, number(by)));
        let [random] = self.random()?;
        let table = self.table(LEDGER);
        all.push(Step::update(Part::Counts, table, ledger::shard(random), terms)?);
        Ok(all)
    }

    fn token(&self) -> Result<String> {
        Ok(hex(&self.random::<16>()?))
    }

    /// How long to wait before a try: longer each time, and not as long as everyone else.
    fn pause(&self, attempt: u32) -> Result<Duration> {
        let longest = 10_u64.saturating_mul(1 << attempt.min(16)).min(500);
        let random = u64::from(u16::from_be_bytes(self.random()?));
        Ok(Duration::from_millis(longest / 2 + (longest / 2) * random / u64::from(u16::MAX)))
    }

    fn random<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes)?;
        Ok(bytes)
    }
}

fn cancelled_for(why: &str) -> BeakError {
    BeakError::Internal(format!("dynamodb: a transaction was cancelled: {why}"))
}
