//! Eggs, hatchings and new pecks as transactions.

use beak_core::duckling::Egg;
use beak_core::peck::{Peck, PeckStatus};
use beak_core::ports::{Hatched, Hatching, Idempotency, Move, Moved, Pecked, Store as _};
use beak_core::{Duration, Result, audit};

use super::item::{
    self, Item, attributes, egg_due, email_guard, guard, guard_key, key_guard, ledger_key, of_due,
    pair_guard, peck_due, repeat_guard, text,
};
use super::transaction::{Change, Outcome, Transaction};
use super::{DynamoStore, SHARDS, by, restless};

/// How often a write starts over because what it had read was changed.
const TRIES: usize = 8;

/// How long a repeated call is known as such.
const REPEAT_LIFETIME: Duration = Duration::hours(24);

impl DynamoStore {
    pub(super) async fn run(&self, transaction: Transaction) -> Result<Outcome> {
        transaction.run(&self.client, &self.entropy).await
    }

    /// Adds to counts, in one shard of many.
    pub(super) fn count(&self, to: &mut Transaction, counts: &[(&str, i64)]) -> Result<()> {
        let mut random = [0];
        self.entropy.fill(&mut random)?;
        let shard = format!("shard#{:02}", random[0] % SHARDS);
        let parts: Vec<String> = counts.iter().map(|(name, _)| format!("{name} :{name}")).collect();
        let values = counts.iter().map(|(name, n)| (format!(":{name}"), by(*n))).collect();
        let change = Change {
            table: self.table("ledger"),
            key: ledger_key("metrics", shard),
            update: &format!("ADD {}", parts.join(", ")),
            values,
        };
        to.update("counts", change, None)
    }

    pub(super) async fn write_egg(&self, egg: &Egg) -> Result<bool> {
        for _ in 0..TRIES {
            let older = self.egg(&egg.email).await?;
            let mut transaction = Transaction::default();
            let ledger = || self.table("ledger");
            transaction.absent("hatched", ledger(), guard_key(email_guard(&egg.email)))?;
            // The same egg again, to the millisecond, has the same place in the queue.
            let replaced = older.as_ref().filter(|older| egg_due(older) != egg_due(egg));
            if let Some(older) = replaced {
                transaction.delete(ledger(), ledger_key("due", egg_due(older)))?;
            }
            let due = of_due(egg_due(egg), "email", egg.email.as_str());
            transaction.put(ledger(), due)?;
            match &older {
                None => {
                    transaction.create("egg", self.table("eggs"), "email", item::of_egg(egg))?;
                    self.count(&mut transaction, &[("eggs", 1)])?;
                }
                Some(older) => self.replace_egg(&mut transaction, older, egg)?,
            }
            let outcome = self.run(transaction).await?;
            if outcome.lost("hatched").is_some() {
                return Ok(false);
            }
            if matches!(outcome, Outcome::Done) {
                return Ok(true);
            }
        }
        Err(restless())
    }

    fn replace_egg(&self, to: &mut Transaction, older: &Egg, egg: &Egg) -> Result<()> {
        let new = item::of_egg(egg);
        let mut values = attributes([(":old", text(egg_due(older)))]);
        let mut sets = Vec::new();
        for (name, value) in new {
            if name != "email" {
                sets.push(format!("{name} = :{name}"));
                values.insert(format!(":{name}"), value);
            }
        }
        let change = Change {
            table: self.table("eggs"),
            key: attributes([("email", text(egg.email.as_str()))]),
            update: &format!("SET {}", sets.join(", ")),
            values,
        };
        to.update("egg", change, Some("due = :old"))
    }

    pub(super) async fn write_hatching(&self, hatching: &Hatching) -> Result<Hatched> {
        let Hatching { duckling, certificate } = hatching;
        for _ in 0..TRIES {
            let Some(egg) = self.egg(&duckling.email).await? else { return Ok(Hatched::Lost) };
            let ledger = || self.table("ledger");
            let mut transaction = Transaction::default();
            let key = attributes([("email", text(egg.email.as_str()))]);
            let same = ("due = :due", attributes([(":due", text(egg_due(&egg)))]));
            transaction.delete_if("egg", self.table("eggs"), key, same)?;
            transaction.delete(ledger(), ledger_key("due", egg_due(&egg)))?;
            let id = duckling.id.as_str();
            let address = guard(email_guard(&duckling.email), "duckling_id", id);
            transaction.create("address", ledger(), "pk", address)?;
            let key = guard(key_guard(&duckling.key_hash), "duckling_id", id);
            transaction.create("key", ledger(), "pk", key)?;
            let table = self.table("ducklings");
            transaction.create("duckling", table, "duckling_id", item::of_duckling(duckling))?;
            let certificate = item::of_certificate(certificate);
            transaction.create("certificate", self.table("certs"), "cert_id", certificate)?;
            let counts = [("eggs", -1), ("ducklings", 1), ("certificates", 1)];
            self.count(&mut transaction, &counts)?;
            self.tell(&mut transaction, &audit::of_hatching(hatching))?;
            let outcome = self.run(transaction).await?;
            match outcome {
                Outcome::Done => return Ok(Hatched::Done),
                // Laid again meanwhile: the new egg hatches as well as the old one.
                Outcome::Lost(_) if outcome.lost("egg").is_some_and(|egg| !egg.is_empty()) => {}
                Outcome::Lost(_) => return Ok(Hatched::Lost),
            }
        }
        Err(restless())
    }

    pub(super) async fn write_peck(
        &self,
        peck: &Peck,
        idempotency: Option<&Idempotency>,
    ) -> Result<Pecked> {
        for _ in 0..TRIES {
            if let Some(answer) = self.repeated(peck, idempotency).await? {
                return Ok(answer);
            }
            let outcome = self.run(self.new_peck(peck, idempotency)?).await?;
            if matches!(outcome, Outcome::Done) {
                return Ok(Pecked::Done);
            }
            let Some(pair) = outcome.lost("pair") else { continue };
            let waiting = self.peck_named(Item(pair).text("peck_id")?).await?;
            let Some(waiting) = waiting else { continue };
            if waiting.status_at(peck.created_at) == PeckStatus::Pending {
                return Ok(Pecked::AlreadyPending);
            }
            // Its time has passed, or somebody settled it just now: either way there is room.
            let moved = self.write_move(&waiting.id, &Move::Expire, peck.created_at).await?;
            debug_assert!(!matches!(moved, Moved::Full(_)));
        }
        Err(restless())
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

    fn new_peck(&self, peck: &Peck, idempotency: Option<&Idempotency>) -> Result<Transaction> {
        let mut transaction = Transaction::default();
        let ledger = || self.table("ledger");
        let id = peck.id.as_str();
        transaction.create("pair", ledger(), "pk", guard(pair_guard(peck), "peck_id", id))?;
        transaction.create("peck", self.table("pecks"), "peck_id", item::of_peck(peck))?;
        transaction.put(ledger(), of_due(peck_due(peck), "peck_id", id))?;
        if let Some(given) = idempotency {
            let now = peck.created_at;
            let mut kept = guard(repeat_guard(&given.key), "peck_id", id);
            kept.insert("content".into(), text(&given.content));
            let until = (now + REPEAT_LIFETIME).unix_timestamp();
            kept.insert("expires_at".into(), by(until));
            let change_over = ("expires_at <= :now", now.unix_timestamp());
            transaction.create_or_replace("repeat", ledger(), kept, change_over)?;
        }
        self.count(&mut transaction, &[(PeckStatus::Pending.word(), 1)])?;
        self.tell(&mut transaction, &[audit::of_peck(peck)])?;
        Ok(transaction)
    }
}
