//! New pecks and lists of them, and how many wait.
//!
//! ```text
//! pair#SOURCE#TARGET#TYPE  guard    the peck that waits or is a bond
//! block#OWNER              OTHER    that the owner refuses the other's pecks
//! waiting#SOURCE#TARGET    guard    how many pecks of an earlier release wait
//! ```
//!
//! How many wait in all is an attribute of each of the two ducklings. So a new peck changes both,
//! under the condition that they are there, and a deletion waits until none is left. Of the pecks
//! for one target, each has one of three slots in a set of the source's, `waits_on`.

use aws_sdk_dynamodb::types::AttributeValue;
use beak_core::id::PeckId;
use beak_core::peck::{
    Direction, Peck, PeckStatus, WAITING_FOR_A_PAIR, WAITING_ON_A_TARGET,
    WAITING_ON_A_TARGET_FROM_T0,
};
use beak_core::person::hex;
use beak_core::ports::{Crowd, Idempotency, Listed, Move, Moved, Page, PeckQuery, Pecked};
use beak_core::tier::Tier;
use beak_core::{Duration, Result, audit};
use futures_util::future::{join, try_join};
use sha2::{Digest as _, Sha256};

use super::audit::Proof;
use super::changes::key;
use super::item::{
    self, Attributes, Item, attributes, block_key, guard, guard_key, number, of_due, pair_guard,
    peck_due, repeat_guard, text,
};
use super::transaction::{Change, Outcome, Transaction, When};
use super::writes::TRIES;
use super::{DynamoStore, by, restless};
use crate::failure::failed;

/// How long a repeated call is known as such.
const REPEAT_LIFETIME: Duration = Duration::hours(24);

/// How many items a filtered list reads at most before it answers.
const LOOKED_AT: usize = 1000;

/// How many of them it reads at once.
const FILTERED_AT_ONCE: usize = 100;

/// What a duckling takes part in: it is there, and its deletion has not begun.
const THERE: &str = "attribute_exists(duckling_id) AND attribute_not_exists(leaving)";

/// A new peck in the making.
struct New<'a> {
    peck: &'a Peck,
    idempotency: Option<&'a Idempotency>,
    slot: Option<u8>,
    /// An earlier peck of the pair whose guard may still be there.
    settled: Option<PeckId>,
}

/// Why a transaction of a new peck was lost.
enum Refusal {
    /// For this.
    For(Pecked),
    /// The pair is guarded for this one, which means nothing any more.
    Settled(PeckId),
    /// For nothing that lasts.
    None,
}

impl DynamoStore {
    pub(super) async fn write_peck(
        &self,
        peck: &Peck,
        idempotency: Option<&Idempotency>,
    ) -> Result<Pecked> {
        let mut ahead = None;
        let answer = self.try_peck(peck, idempotency, &mut ahead).await;
        // After an error nothing is certain: the peck may be there.
        let refused = answer.as_ref().is_ok_and(|answer| *answer != Pecked::Done);
        if let Some(told) = ahead.filter(|_| refused) {
            join(self.settle_due(&peck_due(peck)), self.untell(told)).await;
        }
        answer
    }

    async fn try_peck(
        &self,
        peck: &Peck,
        idempotency: Option<&Idempotency>,
        ahead: &mut Option<Attributes>,
    ) -> Result<Pecked> {
        let (mut taken, mut settled) = (Attributes::new(), None);
        for _ in 0..TRIES {
            if let Some(answer) = self.repeated(peck, idempotency).await? {
                return Ok(answer);
            }
            let Some(waiting) = self.waiting_before(peck).await? else {
                return Ok(Pecked::NoTarget);
            };
            let slot = free_slot(&taken, peck, waiting);
            if ahead.is_none() {
                *ahead = Some(self.write_ahead(peck).await?);
            }
            let new = New { peck, idempotency, slot, settled: settled.take() };
            let outcome = self.run(self.new_peck(&new)?).await?;
            if matches!(outcome, Outcome::Done) {
                return Ok(Pecked::Done);
            }
            if outcome.lost("repeat").is_some() {
                continue;
            }
            match self.refusal(peck, &outcome, slot).await? {
                Refusal::For(reason) => return Ok(reason),
                Refusal::Settled(earlier) => settled = Some(earlier),
                Refusal::None => {}
            }
            if let Some(source) = outcome.lost("source") {
                taken.clone_from(source);
            }
        }
        Err(restless())
    }

    /// Writes what says nothing without the peck: its place in the queue and its event.
    async fn write_ahead(&self, peck: &Peck) -> Result<Attributes> {
        let due = of_due(peck_due(peck), peck.expires_at, "peck_id", peck.id.as_str());
        let told = [audit::of_peck(peck)];
        let told = self.tell_ahead(&told, Proof::Peck(&peck.id));
        Ok(try_join(self.queue(due), told).await?.1)
    }

    /// Why there can be no such peck, if there can't. A lapsed one in its place is put away.
    async fn refusal(&self, peck: &Peck, outcome: &Outcome, slot: Option<u8>) -> Result<Refusal> {
        let (source, target) = (outcome.lost("source"), outcome.lost("target"));
        if target.is_some_and(is_away) {
            return Ok(Refusal::For(Pecked::NoTarget));
        }
        if source.is_some_and(is_away) {
            return Ok(Refusal::For(Pecked::NoSource));
        }
        if let Some(pair) = outcome.lost("pair") {
            let earlier = self.peck_named(Item(pair).text("peck_id")?).await?;
            let Some(earlier) = earlier else { return Ok(Refusal::None) };
            return Ok(match earlier.status_at(peck.created_at) {
                PeckStatus::Pending => Refusal::For(Pecked::AlreadyPending),
                PeckStatus::Approved => Refusal::For(Pecked::AlreadyBonded),
                _ if earlier.stored != PeckStatus::Pending => Refusal::Settled(earlier.id),
                _ => match self.write_move(&earlier.id, &Move::Expire, peck.created_at).await? {
                    Moved::Done => Refusal::Settled(earlier.id),
                    // It was settled just now: what it is, the next try sees.
                    _ => Refusal::None,
                },
            });
        }
        let is_full = |source: &Attributes| {
            let most = peck.source_tier.map_or(0, Tier::waiting_pecks);
            Item(source).maybe_number("waits_out").is_ok_and(|n| n.unwrap_or(0) >= most.into())
        };
        let crowds = [
            (source.is_some_and(is_full), Crowd::Source),
            (target.is_some(), Crowd::Target),
            // With a slot, only the slot was taken: there may be another one.
            (source.is_some() && slot.is_none(), Crowd::Pair),
        ];
        let crowd = crowds.into_iter().find(|(lost, _)| *lost);
        Ok(crowd.map_or(Refusal::None, |(_, crowd)| Refusal::For(Pecked::Crowded(crowd))))
    }

    /// What an earlier call with this idempotency key has made.
    async fn repeated(
        &self,
        peck: &Peck,
        idempotency: Option<&Idempotency>,
    ) -> Result<Option<Pecked>> {
        let Some(given) = idempotency else { return Ok(None) };
        let kept = self.get("ledger", guard_key(repeat_guard(&given.key))).await?;
        let Some(kept) = kept else { return Ok(None) };
        let kept = Item(&kept);
        // DynamoDB removes lapsed items in its own time.
        if kept.number("expires_at")? <= peck.created_at.unix_timestamp() {
            return Ok(None);
        }
        if kept.text("content")? != given.content {
            return Ok(Some(Pecked::KeyTaken));
        }
        let earlier = self.peck_named(kept.text("peck_id")?).await?;
        Ok(Some(earlier.map_or(Pecked::KeyTaken, Pecked::Repeated)))
    }

    /// How many pecks of a pair wait that an earlier release counted; `None` if the target refuses
    /// the source's pecks. A block that is made at this very moment is for the next peck.
    async fn waiting_before(&self, peck: &Peck) -> Result<Option<u8>> {
        let keys = vec![block_key(&peck.target, &peck.source), waiting_key(peck)];
        let mut waiting = 0;
        for item in self.batch("ledger", keys).await? {
            let item = Item(&item);
            if item.text("sk")? != "guard" {
                return Ok(None);
            }
            waiting = item.maybe_number("waits")?.unwrap_or(0);
        }
        Ok(Some(u8::try_from(waiting.max(0)).unwrap_or(u8::MAX)))
    }

    fn new_peck(&self, new: &New<'_>) -> Result<Transaction> {
        let New { peck, idempotency, slot, settled } = new;
        let slot = *slot;
        let mut transaction = Transaction::default();
        let ledger = || self.table("ledger");
        let id = peck.id.as_str();
        let pair = guard(pair_guard(peck), "peck_id", id);
        match settled {
            None => transaction.create("pair", ledger(), "pk", pair)?,
            Some(earlier) => {
                let values = attributes([(":settled", text(earlier.as_str()))]);
                let same = When { condition: "peck_id = :settled", values };
                transaction.create_or_replace("pair", ledger(), pair, same)?;
            }
        }
        let mut item = item::of_peck(peck);
        if let (Some(slot), Some(_)) = (slot, peck.source_tier) {
            item.insert("slot".into(), number(slot.into()));
        }
        transaction.create("peck", self.table("pecks"), "peck_id", item)?;
        if let Some(tier) = peck.source_tier {
            self.add_to_source(&mut transaction, peck, tier, slot)?;
            self.add_to_target(&mut transaction, peck, tier)?;
        } else {
            for (name, id) in [("source", &peck.source), ("target", &peck.target)] {
                transaction.check(name, self.table("ducklings"), key(id), THERE)?;
            }
        }
        if let Some(given) = idempotency {
            let now = peck.created_at;
            let mut kept = guard(repeat_guard(&given.key), "peck_id", id);
            kept.insert("content".into(), text(&given.content));
            let until = (now + REPEAT_LIFETIME).unix_timestamp();
            kept.insert("expires_at".into(), by(until));
            let values = attributes([(":now", number(now.unix_timestamp()))]);
            let lapsed = When { condition: "expires_at <= :now", values };
            transaction.create_or_replace("repeat", ledger(), kept, lapsed)?;
        }
        self.count(&mut transaction, &[(PeckStatus::Pending.word(), 1)])?;
        Ok(transaction)
    }

    fn add_to_source(
        &self,
        to: &mut Transaction,
        peck: &Peck,
        tier: Tier,
        slot: Option<u8>,
    ) -> Result<()> {
        let limit = tier.waiting_pecks();
        let mut condition = format!("{THERE} AND {}", below("waits_out", ":limit"));
        let mut update = "ADD waits_out :one".to_owned();
        let mut values = attributes([(":one", number(1)), (":limit", number(limit.into()))]);
        if let Some(slot) = slot {
            condition += " AND NOT contains(waits_on, :name)";
            update += ", waits_on :slot";
            values.insert(":name".into(), text(slot_name(peck, slot)));
            values.insert(":slot".into(), slot_value(peck, slot));
        } else {
            // Fails for sure, and says with the other conditions why there can be no such peck.
            condition += " AND attribute_exists(no_slot_left)";
        }
        let (table, key) = (self.table("ducklings"), key(&peck.source));
        to.update("source", Change { table, key, update: &update, values }, Some(&condition))
    }

    fn add_to_target(&self, to: &mut Transaction, peck: &Peck, tier: Tier) -> Result<()> {
        let mut condition = format!("{THERE} AND {}", below("waits_in", ":limit"));
        let mut update = "ADD waits_in :one".to_owned();
        let limit = number(WAITING_ON_A_TARGET.into());
        let mut values = attributes([(":one", number(1)), (":limit", limit)]);
        if tier == Tier::T0 {
            condition += " AND ";
            condition += &below("waits_in_new", ":half");
            update += ", waits_in_new :one";
            values.insert(":half".into(), number(WAITING_ON_A_TARGET_FROM_T0.into()));
        }
        let (table, key) = (self.table("ducklings"), key(&peck.target));
        to.update("target", Change { table, key, update: &update, values }, Some(&condition))
    }

    /// Takes a peck of an earlier release off those of its pair that wait.
    pub(super) fn uncount_pair(&self, to: &mut Transaction, peck: &Peck) -> Result<()> {
        let change = Change {
            table: self.table("ledger"),
            key: waiting_key(peck),
            update: "ADD waits :less",
            values: attributes([(":less", number(-1))]),
        };
        to.update("waiting", change, None)
    }

    pub(super) async fn list_pecks(&self, asked: &PeckQuery, page: &Page) -> Result<Listed<Peck>> {
        let (index, side) = index_of(asked.direction);
        let party = || text(asked.party.as_str());
        let key = |id: &String| attributes([("peck_id", text(id)), (side, party())]);
        let mut start = page.after.as_ref().map(key);
        let (mut items, mut looked_at) = (Vec::new(), 0);
        // Without a filter, what is read is what is answered, and one more shows if that is all.
        let limit = if asked.status.is_none() { page.limit + 1 } else { FILTERED_AT_ONCE };
        loop {
            let query = self
                .client
                .query()
                .table_name(self.table("pecks"))
                .index_name(index)
                .key_condition_expression(format!("{side} = :party"))
                .expression_attribute_values(":party", party())
                .scan_index_forward(false)
                .limit(i32::try_from(limit).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start);
            let answer = query.send().await.map_err(|error| failed("listing pecks", &error))?;
            let read = answer.items().len();
            for (at, item) in answer.items().iter().enumerate() {
                let peck = Item(item).peck()?;
                looked_at += 1;
                let more = at + 1 < read || answer.last_evaluated_key().is_some();
                let id = peck.id.to_string();
                if asked.status.is_none_or(|status| status == peck.status_at(asked.now)) {
                    items.push(peck);
                }
                if items.len() == page.limit || looked_at == LOOKED_AT {
                    return Ok(Listed { items, next: more.then_some(id) });
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(Listed { items, next: None });
            }
        }
    }
}

/// The index that lists a side's pecks, and its partition key.
pub(super) fn index_of(direction: Direction) -> (&'static str, &'static str) {
    match direction {
        Direction::In => ("by_target", "target_id"),
        Direction::Out => ("by_source", "source_id"),
    }
}

pub(super) fn peck_key(id: &PeckId) -> Attributes {
    attributes([("peck_id", text(id.as_str()))])
}

fn waiting_key(peck: &Peck) -> Attributes {
    guard_key(format!("waiting#{}#{}", peck.source, peck.target))
}

/// A slot of a pair as an entry in its source's set: short, since the set is a part of every write
/// of the duckling. Two targets of the same digest would share slots.
fn slot_name(peck: &Peck, slot: u8) -> String {
    let digest = Sha256::digest(peck.target.as_str().as_bytes());
    format!("{}{slot}", &hex(&digest)[..12])
}

pub(super) fn slot_value(peck: &Peck, slot: u8) -> AttributeValue {
    AttributeValue::Ss(vec![slot_name(peck, slot)])
}

/// The slot of a peck that was read; those of earlier releases have none.
pub(super) fn slot_of(item: &Attributes) -> Result<Option<u8>> {
    let slot = Item(item).maybe_number("slot")?;
    slot.map(|slot| u8::try_from(slot).map_err(|_| item::damaged("slot"))).transpose()
}

/// The first slot that is not taken in the source as it was read, if so many pecks of an earlier
/// release leave any.
fn free_slot(source: &Attributes, peck: &Peck, waiting: u8) -> Option<u8> {
    let taken = source.get("waits_on").and_then(|set| set.as_ss().ok());
    let is_free = |slot: &u8| {
        let name = slot_name(peck, *slot);
        taken.is_none_or(|taken| !taken.contains(&name))
    };
    let slots = u8::try_from(WAITING_FOR_A_PAIR).unwrap_or(u8::MAX);
    (0..slots.saturating_sub(waiting)).find(is_free)
}

/// What takes a peck of the waiting ones of a side: the names of the counts.
pub(super) fn counts_of(peck: &Peck, direction: Direction) -> &'static [&'static str] {
    match (direction, peck.source_tier) {
        // Asked before there were counts.
        (_, None) => &[],
        (Direction::Out, Some(_)) => &["waits_out"],
        (Direction::In, Some(Tier::T0)) => &["waits_in", "waits_in_new"],
        (Direction::In, Some(_)) => &["waits_in"],
    }
}

/// That a count is missing or below a limit.
fn below(count: &str, limit: &str) -> String {
    format!("(attribute_not_exists({count}) OR {count} < {limit})")
}

/// Whether a duckling is not there, or about to go.
fn is_away(item: &Attributes) -> bool {
    item.is_empty() || item.contains_key("leaving")
}
