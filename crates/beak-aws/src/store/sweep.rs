//! The sweep: takes from the front of the due queue what has had its time.

use beak_core::error::{BeakError, Result};
use beak_core::id::PeckId;
use beak_core::peck::PeckStatus;
use beak_core::ports::{Move, Moved};
use time::OffsetDateTime;

use super::rows::{self, Item, text};
use super::transact::{Outcome, Part, Step, Terms};
use super::{DynamoStore, EGGS, LEDGER, failure, ledger};

impl DynamoStore {
    /// Puts away what is due; how many it were.
    pub(super) async fn put_away(&self, now: OffsetDateTime, limit: usize) -> Result<usize> {
        let mut moved = 0;
        for entry in self.due(now, limit).await? {
            match self.put_one_away(&entry, now).await {
                Ok(done) => moved += usize::from(done),
                // One entry that can't be read must not keep all those behind it waiting.
                Err(BeakError::Internal(cause)) => {
                    tracing::error!(cause, "the sweep left something behind");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(moved)
    }

    async fn due(&self, now: OffsetDateTime, limit: usize) -> Result<Vec<Item>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let answer = self
            .client
            .query()
            .table_name(self.table(LEDGER))
            .consistent_read(true)
            .key_condition_expression("pk = :due AND sk < :until")
            .expression_attribute_values(":due", text(ledger::DUE))
            .expression_attribute_values(":until", text(ledger::due_until(now)))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| failure::failed("Query", LEDGER, &error))?;
        Ok(answer.items.unwrap_or_default())
    }

    async fn put_one_away(&self, entry: &Item, now: OffsetDateTime) -> Result<bool> {
        let sort = ledger::said(entry, "sk")?;
        match entry.get("email").and_then(|email| email.as_s().ok()) {
            Some(email) => self.put_egg_away(sort, email).await,
            None => self.put_peck_away(sort, ledger::said(entry, "peck_id")?, now).await,
        }
    }

    async fn put_peck_away(&self, sort: &str, id: &str, now: OffsetDateTime) -> Result<bool> {
        let id = PeckId::parse(id)
            .map_err(|_| BeakError::Internal("ledger due: an entry names no peck".into()))?;
        match self.move_on(&id, &Move::Expire, now).await? {
            Moved::Done => Ok(true),
            Moved::Elsewhere(PeckStatus::Pending) => Ok(false),
            // Whoever settled it took the entry along; should it be there all the same, it goes.
            _ => {
                self.transact(vec![self.undue(sort, Terms::none())?], &[]).await?;
                Ok(false)
            }
        }
    }

    async fn put_egg_away(&self, sort: &str, email: &str) -> Result<bool> {
        let key = rows::key("email", email);
        let same = Terms::when("#due = :due").with("due", text(sort));
        let there = || self.undue(sort, Terms::when("attribute_exists(#pk)"));
        let steps = vec![Step::delete(Part::Egg, self.table(EGGS), key, same)?, there()?];
        let outcome = self.transact(steps, &[("eggs", -1)]).await?;
        if outcome == Outcome::Done {
            return Ok(true);
        }
        if outcome.loss(Part::Due).is_some() {
            return Ok(false);
        }
        // The egg was laid again or DynamoDB has removed it: only the entry is left of it.
        let outcome = self.transact(vec![there()?], &[("eggs", -1)]).await?;
        Ok(outcome == Outcome::Done)
    }
}
