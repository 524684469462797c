//! Pecks: kept, found, listed.

use aws_sdk_dynamodb::operation::query::QueryOutput;
use beak_core::error::Result;
use beak_core::id::PeckId;
use beak_core::peck::{Direction, Peck, PeckStatus};
use beak_core::ports::{Idempotency, Listed, Move, Page, PeckQuery, Pecked};

use super::rows::{self, Item, number, text};
use super::transact::{Outcome, Part, Step, Terms};
use super::{DynamoStore, LEDGER, PECKS, ROUNDS, failure, ledger};

/// How many pecks one question looks at, however few of them it is about.
const LOOKED_AT: usize = 1000;

/// How many pecks are read at once when most of them may not be what is asked for.
const BATCH: usize = 100;

/// The key of a peck.
pub(super) fn peck_key(id: &PeckId) -> Item {
    rows::key("peck_id", id.as_str())
}

impl DynamoStore {
    /// A peck by its id.
    pub(super) async fn peck_of(&self, id: &PeckId) -> Result<Option<Peck>> {
        let found = self.get(PECKS, peck_key(id)).await?;
        found.map(|item| rows::peck_of(&item)).transpose()
    }

    /// The peck that a ledger item names.
    async fn named_peck(&self, item: &Item) -> Result<Peck> {
        let id = ledger::said(item, "peck_id")?;
        match self.get(PECKS, rows::key("peck_id", id)).await? {
            Some(item) => rows::peck_of(&item),
            None => {
                Err(failure::inconsistent(&format!("the ledger names {id}, which is not there")))
            }
        }
    }

    /// Keeps a new peck.
    pub(super) async fn keep_peck(
        &self,
        peck: &Peck,
        asked: Option<&Idempotency>,
    ) -> Result<Pecked> {
        for _ in 0..ROUNDS {
            if let Some(asked) = asked
                && let Some(answer) = self.asked_before(asked, peck).await?
            {
                return Ok(answer);
            }
            if self.is_waiting(peck).await? {
                return Ok(Pecked::AlreadyPending);
            }
            let outcome = self.transact(self.keeping(peck, asked)?, &[("pending", 1)]).await?;
            if outcome == Outcome::Done {
                return Ok(Pecked::Done);
            }
            // Somebody was faster: the next round reads what they left and answers by it.
            if [Part::Idempotency, Part::Pair].iter().all(|part| outcome.loss(*part).is_none()) {
                return Err(failure::inconsistent("a new peck's id is taken"));
            }
        }
        Err(failure::restless("add_peck"))
    }

    /// What this call was answered when it was made before.
    async fn asked_before(&self, asked: &Idempotency, peck: &Peck) -> Result<Option<Pecked>> {
        let Some(item) = self.get(LEDGER, ledger::idempotency_guard(&asked.key)).await? else {
            return Ok(None);
        };
        // DynamoDB may take days to remove what has lapsed.
        let row = ledger::row(&item);
        if row.number::<i64>("expires_at")? <= peck.created_at.unix_timestamp() {
            return Ok(None);
        }
        if row.text("content")? != asked.content {
            return Ok(Some(Pecked::KeyTaken));
        }
        self.named_peck(&item).await.map(|made| Some(Pecked::Repeated(made)))
    }

    /// Whether the same question waits. One whose time has passed is put away first.
    async fn is_waiting(&self, peck: &Peck) -> Result<bool> {
        let now = peck.created_at;
        let Some(guard) = self.get(LEDGER, ledger::pair_guard(peck)).await? else {
            return Ok(false);
        };
        let other = self.named_peck(&guard).await?;
        match other.status_at(now) {
            PeckStatus::Pending => return Ok(true),
            PeckStatus::Expired if other.stored == PeckStatus::Pending => {
                self.move_on(&other.id, &Move::Expire, now).await?;
            }
            // It was settled between the two reads, and its guard is gone.
            _ => {}
        }
        Ok(false)
    }

    fn keeping(&self, peck: &Peck, asked: Option<&Idempotency>) -> Result<Vec<Step>> {
        let id = peck.id.as_str();
        let pair = ledger::naming(ledger::pair_guard(peck), "peck_id", id);
        let due = ledger::key(ledger::DUE, ledger::peck_due(&peck.id, peck.expires_at));
        let due = ledger::naming(due, "peck_id", id);
        let (row, new) = (rows::peck_item(peck), Terms::absent("peck_id"));
        let mut steps = vec![
            Step::put(Part::Pair, self.table(LEDGER), pair, Terms::absent("pk"))?,
            Step::put(Part::Peck, self.table(PECKS), row, new)?,
            Step::put(Part::Due, self.table(LEDGER), due, Terms::none())?,
        ];
        if let Some(asked) = asked {
            let item = ledger::idempotency_item(asked, peck);
            let free = Terms::when("attribute_not_exists(#pk) OR #expires_at <= :now");
            let free = free.with("now", number(peck.created_at.unix_timestamp()));
            steps.push(Step::put(Part::Idempotency, self.table(LEDGER), item, free)?);
        }
        Ok(steps)
    }

    /// The pecks of one side, newest first.
    pub(super) async fn list_pecks(&self, asked: &PeckQuery, page: &Page) -> Result<Listed<Peck>> {
        let mut items = Vec::new();
        let mut looked_at = 0;
        let mut last = page.after.clone().filter(|after| !after.is_empty());
        loop {
            let missing = page.limit - items.len();
            let batch = if asked.status.is_some() { missing.max(BATCH) } else { missing };
            // One more than asked for tells whether there is a next part.
            let batch = batch.saturating_add(1).min(LOOKED_AT - looked_at);
            let answer = self.query_pecks(asked, last.as_deref(), batch).await?;
            let ends = answer.last_evaluated_key.as_ref().is_none_or(Item::is_empty);
            for item in answer.items() {
                if items.len() == page.limit {
                    return Ok(Listed { items, next: last });
                }
                let peck = rows::peck_of(item)?;
                last = Some(peck.id.to_string());
                looked_at += 1;
                if asked.status.is_none_or(|status| peck.status_at(asked.now) == status) {
                    items.push(peck);
                }
            }
            if ends {
                return Ok(Listed { items, next: None });
            }
            if items.len() == page.limit || looked_at >= LOOKED_AT {
                return Ok(Listed { items, next: last });
            }
        }
    }

    async fn query_pecks(
        &self,
        asked: &PeckQuery,
        after: Option<&str>,
        limit: usize,
    ) -> Result<QueryOutput> {
        let (index, side) = match asked.direction {
            Direction::In => ("by_target", "target_id"),
            Direction::Out => ("by_source", "source_id"),
        };
        let party = text(asked.party.as_str());
        let from = after.map(|after| {
            let mut from = rows::key("peck_id", after);
            from.insert(side.to_owned(), party.clone());
            from
        });
        self.client
            .query()
            .table_name(self.table(PECKS))
            .index_name(index)
            .key_condition_expression("#side = :party")
            .expression_attribute_names("#side", side)
            .expression_attribute_values(":party", party)
            .scan_index_forward(false)
            .set_exclusive_start_key(from)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| failure::failed("Query", PECKS, &error))
    }
}
