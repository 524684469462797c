//! Pecks on their way from state to state, and the sweep of what lapsed.

use beak_core::id::PeckId;
use beak_core::peck::{Peck, PeckStatus};
use beak_core::ports::{Move, Moved, Side};
use beak_core::{BeakError, OffsetDateTime, Result, audit};

use super::DynamoStore;
use super::changes::Update;
use super::item::{
    Attributes, Item, attributes, due, guard_key, ledger_key, millis, number, pair_guard, peck_due,
    text,
};
use super::transaction::{Change, Outcome, Transaction};
use crate::failure::failed;

/// Where a move starts and ends, and what the item has to say about it.
struct Step {
    end: PeckStatus,
    condition: &'static str,
}

fn step(to: &Move) -> Step {
    let (end, condition) = match to {
        Move::Approve { .. } => (PeckStatus::Approved, WAITS),
        Move::Deny => (PeckStatus::Denied, WAITS),
        Move::Withdraw => (PeckStatus::Revoked, WAITS),
        Move::Revoke => (PeckStatus::Revoked, "#status = :approved"),
        Move::Expire => (PeckStatus::Expired, "#status = :pending AND lapses_at <= :now"),
    };
    Step { end, condition }
}

const WAITS: &str = "#status = :pending AND lapses_at > :now";

impl DynamoStore {
    pub(super) async fn write_move(
        &self,
        id: &PeckId,
        to: &Move,
        now: OffsetDateTime,
    ) -> Result<Moved> {
        let gone = || BeakError::NotFound("such peck");
        let peck = self.peck_named(id.as_str()).await?.ok_or_else(gone)?;
        let step = step(to);
        let outcome = self.run(self.moved(&peck, to, &step, now)?).await?;
        if matches!(outcome, Outcome::Done) {
            return Ok(Moved::Done);
        }
        if outcome.lost("peck").is_some() {
            let peck = self.peck_named(id.as_str()).await?.ok_or_else(gone)?;
            return Ok(Moved::Elsewhere(peck.status_at(now)));
        }
        if let Move::Approve { source, target } = to {
            for (name, side) in [("source", source), ("target", target)] {
                if outcome.lost(name).is_some_and(|item| is_full(item, side)) {
                    return Ok(Moved::Full(side.id.clone()));
                }
            }
        }
        Ok(Moved::Stale)
    }

    fn moved(
        &self,
        peck: &Peck,
        to: &Move,
        step: &Step,
        now: OffsetDateTime,
    ) -> Result<Transaction> {
        let mut transaction = Transaction::default();
        let expired = step.end == PeckStatus::Expired;
        let settled_at = if expired { peck.expires_at } else { now };
        let mut values =
            attributes([(":end", text(step.end.word())), (":settled", number(millis(settled_at)))]);
        let start = match to {
            Move::Revoke => PeckStatus::Approved,
            _ => PeckStatus::Pending,
        };
        values.insert(format!(":{}", start.word()), text(start.word()));
        if start == PeckStatus::Pending {
            values.insert(":now".into(), number(millis(now)));
        }
        let change = Change {
            table: self.table("pecks"),
            key: attributes([("peck_id", text(peck.id.as_str()))]),
            update: "SET #status = :end, settled_at = :settled",
            values,
        };
        transaction.update("peck", change, Some(step.condition))?;
        if start == PeckStatus::Pending {
            let ledger = || self.table("ledger");
            transaction.delete(ledger(), guard_key(pair_guard(peck)))?;
            transaction.delete(ledger(), ledger_key("due", peck_due(peck)))?;
        }
        let mut counts = vec![(start.word(), -1), (step.end.word(), 1)];
        match to {
            Move::Approve { source, target } => {
                let mut issued = 0;
                for (name, side) in [("source", source), ("target", target)] {
                    self.bind(&mut transaction, name, side)?;
                    issued += i64::from(side.promotion.is_some());
                }
                counts.push(("connections", 1));
                counts.push(("certificates", issued));
            }
            Move::Revoke => {
                for id in [&peck.source, &peck.target] {
                    self.unbind(&mut transaction, id.as_str())?;
                }
                counts.push(("connections", -1));
            }
            Move::Deny | Move::Withdraw | Move::Expire => {}
        }
        self.count(&mut transaction, &counts)?;
        self.tell(&mut transaction, &audit::of_move(peck, to, now))?;
        Ok(transaction)
    }

    fn bind(&self, to: &mut Transaction, name: &'static str, side: &Side) -> Result<()> {
        let mut duckling = Update {
            expression: "SET bonds = bonds + :one".into(),
            condition: "tier = :read AND bonds < :limit".into(),
            values: attributes([
                (":one", number(1)),
                (":read", text(side.tier.word())),
                (":limit", number(i64::from(side.limit))),
            ]),
        };
        if let Some(promotion) = &side.promotion {
            self.promote(to, promotion, &mut duckling)?;
        }
        let Update { expression: update, condition, values } = duckling;
        let key = attributes([("duckling_id", text(side.id.as_str()))]);
        let table = self.table("ducklings");
        to.update(name, Change { table, key, update: &update, values }, Some(&condition))
    }

    fn unbind(&self, to: &mut Transaction, id: &str) -> Result<()> {
        let change = Change {
            table: self.table("ducklings"),
            key: attributes([("duckling_id", text(id))]),
            update: "SET bonds = bonds - :one",
            values: attributes([(":one", number(1)), (":none", number(0))]),
        };
        to.update("side", change, Some("bonds > :none"))
    }

    pub(super) async fn sweep_due(&self, now: OffsetDateTime, limit: usize) -> Result<usize> {
        // What lapses at this very millisecond has lapsed: `~` sorts behind what follows the time.
        let asked = self
            .client
            .query()
            .table_name(self.table("ledger"))
            .key_condition_expression("pk = :pk AND sk < :end")
            .expression_attribute_values(":pk", text("due"))
            .expression_attribute_values(":end", text(format!("{}~", due(now))))
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(100));
        let answer = asked.send().await.map_err(|error| failed("reading what lapsed", &error))?;
        let mut moved = 0;
        for entry in answer.items() {
            let entry = Item(entry);
            moved += usize::from(match entry.text("peck_id") {
                Ok(id) => {
                    let id = PeckId::parse(id)?;
                    self.write_move(&id, &Move::Expire, now).await? == Moved::Done
                }
                Err(_) => self.drop_egg(entry.text("sk")?, entry.text("email")?).await?,
            });
        }
        Ok(moved)
    }

    /// Takes an egg away that nobody hatched. If it was laid again since, only the old place in
    /// the queue is gone already, and nothing is done.
    async fn drop_egg(&self, place: &str, email: &str) -> Result<bool> {
        let mut transaction = Transaction::default();
        let exists = ("attribute_exists(pk)", Attributes::new());
        transaction.delete_if("due", self.table("ledger"), ledger_key("due", place), exists)?;
        let key = attributes([("email", text(email))]);
        // DynamoDB's own time to live may have been faster.
        let same =
            ("attribute_not_exists(email) OR due = :place", attributes([(":place", text(place))]));
        transaction.delete_if("egg", self.table("eggs"), key, same)?;
        self.count(&mut transaction, &[("eggs", -1)])?;
        Ok(matches!(self.run(transaction).await?, Outcome::Done))
    }
}

/// Whether a side was as it had been read and only had no room.
fn is_full(item: &Attributes, side: &Side) -> bool {
    let item = Item(item);
    let same_tier = item.text("tier").is_ok_and(|tier| tier == side.tier.word());
    let replaces = side.promotion.as_ref().map(|promotion| promotion.replaces.as_str());
    let same_certificate = replaces.is_none_or(|id| item.text("cert_id") == Ok(id));
    let full = item.number("bonds").is_ok_and(|bonds| bonds >= i64::from(side.limit));
    same_tier && same_certificate && full
}
