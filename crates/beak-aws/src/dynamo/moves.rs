//! Pecks on their way from state to state.

use beak_core::id::PeckId;
use beak_core::peck::{Direction, Peck, PeckStatus};
use beak_core::ports::{Move, Moved, Side};
use beak_core::{BeakError, OffsetDateTime, Result, audit};

use super::DynamoStore;
use super::changes::{Update, key};
use super::item::{
    Attributes, Item, attributes, guard_key, millis, number, pair_guard, peck_due, text,
};
use super::pecks::{counts_of, peck_key, slot_of, slot_value};
use super::transaction::{Change, Outcome, Transaction};

/// Where a move starts and ends, what the item has to say about it, and what goes with it.
struct Step {
    start: PeckStatus,
    end: PeckStatus,
    condition: &'static str,
    /// The sides at which the peck waited.
    sides: Vec<Direction>,
    /// Its slot among those of its pair; a peck of earlier releases has none.
    slot: Option<u8>,
}

impl Step {
    fn of(to: &Move, slot: Option<u8>) -> Self {
        let (start, end, condition) = match to {
            Move::Approve { .. } => (PeckStatus::Pending, PeckStatus::Approved, WAITS),
            Move::Deny => (PeckStatus::Pending, PeckStatus::Denied, WAITS),
            Move::Withdraw => (PeckStatus::Pending, PeckStatus::Revoked, WAITS),
            Move::Revoke => (PeckStatus::Approved, PeckStatus::Revoked, "#status = :approved"),
            Move::Expire => (
                PeckStatus::Pending,
                PeckStatus::Expired,
                "#status = :pending AND lapses_at <= :now",
            ),
        };
        let sides = vec![Direction::Out, Direction::In];
        Self { start, end, condition, sides, slot }
    }
}

/// The name of a side's condition.
fn side_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Out => "source",
        Direction::In => "target",
    }
}

/// The part of an update that takes a peck of the waiting ones of a side, and its values.
fn less_of(peck: &Peck, direction: Direction, slot: Option<u8>) -> Option<(String, Attributes)> {
    let counts = counts_of(peck, direction);
    if counts.is_empty() {
        return None;
    }
    let parts: Vec<_> = counts.iter().map(|name| format!("{name} :less")).collect();
    let mut update = format!(" ADD {}", parts.join(", "));
    let mut values = attributes([(":less", number(-1))]);
    if let (Direction::Out, Some(slot)) = (direction, slot) {
        update += " DELETE waits_on :slot";
        values.insert(":slot".into(), slot_value(peck, slot));
    }
    Some((update, values))
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
        let item = self.get("pecks", peck_key(id)).await?.ok_or_else(gone)?;
        let (peck, slot) = (Item(&item).peck()?, slot_of(&item)?);
        let mut step = Step::of(to, slot);
        loop {
            let outcome = self.run(self.moved(&peck, to, &step, now)?).await?;
            if matches!(outcome, Outcome::Done) {
                // The sweep, which lets pecks expire, leaves its entries where they are.
                if step.start == PeckStatus::Pending && *to != Move::Expire {
                    self.settle_due(&peck_due(&peck)).await;
                }
                if step.end != PeckStatus::Approved {
                    self.free_pair(&peck).await;
                }
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
                return Ok(Moved::Stale);
            }
            // What earlier releases let happen: a side was deleted while its peck waited. There is
            // nothing to count then.
            let before = step.sides.len();
            let lost = |direction: &Direction| outcome.lost(side_name(*direction)).is_some();
            step.sides.retain(|direction| !lost(direction));
            if step.sides.len() == before {
                return Ok(Moved::Stale);
            }
        }
    }

    /// Lets the same be asked again. Best effort: a new peck takes the guard of a settled one over.
    /// A bond of an earlier release has none, or another peck has it since.
    async fn free_pair(&self, peck: &Peck) {
        let gone = self.client.delete_item().table_name(self.table("ledger"));
        let gone = gone.set_key(Some(guard_key(pair_guard(peck))));
        let gone = gone.condition_expression("peck_id = :own");
        let _ = gone.expression_attribute_values(":own", text(peck.id.as_str())).send().await;
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
        values.insert(format!(":{}", step.start.word()), text(step.start.word()));
        if step.start == PeckStatus::Pending {
            values.insert(":now".into(), number(millis(now)));
        }
        let change = Change {
            table: self.table("pecks"),
            key: attributes([("peck_id", text(peck.id.as_str()))]),
            update: "SET #status = :end, settled_at = :settled",
            values,
        };
        transaction.update("peck", change, Some(step.condition))?;
        let was_counted = peck.source_tier.is_some() && step.slot.is_none();
        if step.start == PeckStatus::Pending && was_counted {
            self.uncount_pair(&mut transaction, peck)?;
        }
        let mut counts = vec![(step.start.word(), -1), (step.end.word(), 1)];
        match to {
            Move::Approve { source, target } => {
                let mut issued = 0;
                for (direction, side) in [(Direction::Out, source), (Direction::In, target)] {
                    let less = less_of(peck, direction, step.slot);
                    self.bind(&mut transaction, less, direction, side)?;
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
            Move::Deny | Move::Withdraw | Move::Expire => {
                for direction in &step.sides {
                    let less = less_of(peck, *direction, step.slot);
                    self.take_off(&mut transaction, peck, less, *direction)?;
                }
            }
        }
        self.count(&mut transaction, &counts)?;
        self.tell(&mut transaction, &audit::of_move(peck, to, now))?;
        Ok(transaction)
    }

    fn bind(
        &self,
        to: &mut Transaction,
        less: Option<(String, Attributes)>,
        direction: Direction,
        side: &Side,
    ) -> Result<()> {
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
        if let Some((expression, values)) = less {
            duckling.expression += &expression;
            duckling.values.extend(values);
        }
        let Update { expression: update, condition, values } = duckling;
        let (table, key) = (self.table("ducklings"), key(&side.id));
        let change = Change { table, key, update: &update, values };
        to.update(side_name(direction), change, Some(&condition))
    }

    /// Takes a peck off the waiting ones of a side.
    fn take_off(
        &self,
        to: &mut Transaction,
        peck: &Peck,
        less: Option<(String, Attributes)>,
        direction: Direction,
    ) -> Result<()> {
        let Some((update, values)) = less else { return Ok(()) };
        let party = if direction == Direction::Out { &peck.source } else { &peck.target };
        let change =
            Change { table: self.table("ducklings"), key: key(party), update: &update, values };
        to.update(side_name(direction), change, Some("attribute_exists(duckling_id)"))
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
