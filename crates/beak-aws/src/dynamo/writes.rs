//! Eggs and hatchings as transactions.

use beak_core::duckling::Egg;
use beak_core::ports::{Hatched, Hatching, Store as _};
use beak_core::{Result, audit};

use super::item::{
    self, attributes, egg_due, email_guard, guard, key_guard, ledger_key, of_due, text,
};
use super::transaction::{Change, Outcome, Transaction, When};
use super::{DynamoStore, SHARDS, by, restless};

/// How often a write starts over because what it had read was changed.
pub(super) const TRIES: usize = 8;

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

    pub(super) async fn write_egg(&self, egg: &Egg) -> Result<()> {
        for _ in 0..TRIES {
            let older = self.egg(&egg.email).await?;
            let mut transaction = Transaction::default();
            let ledger = || self.table("ledger");
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
            if matches!(self.run(transaction).await?, Outcome::Done) {
                return Ok(());
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
        for _ in 0..TRIES {
            let egg = self.egg(&hatching.duckling.email).await?;
            let outcome = self.run(self.hatching(hatching, egg.as_ref())?).await?;
            match outcome {
                Outcome::Done => return Ok(Hatched::Done),
                Outcome::Lost(_) if outcome.lost("address").is_some() => return Ok(Hatched::Lost),
                // The egg lapsed or was laid again meanwhile.
                Outcome::Lost(_) if outcome.lost("egg").is_some() => {}
                Outcome::Lost(_) => return Ok(Hatched::Lost),
            }
        }
        Err(restless())
    }

    fn hatching(&self, hatching: &Hatching, egg: Option<&Egg>) -> Result<Transaction> {
        let Hatching { account, duckling, certificate } = hatching;
        let ledger = || self.table("ledger");
        let mut transaction = Transaction::default();
        let mut counts = vec![("ducklings", 1), ("certificates", 1)];
        if let Some(egg) = egg {
            let key = attributes([("email", text(egg.email.as_str()))]);
            let values = attributes([(":due", text(egg_due(egg)))]);
            let same = When { condition: "due = :due", values };
            transaction.delete_if("egg", self.table("eggs"), key, same)?;
            transaction.delete(ledger(), ledger_key("due", egg_due(egg)))?;
            counts.push(("eggs", -1));
        }
        let id = duckling.id.as_str();
        let address = guard(email_guard(&duckling.email), "duckling_id", id);
        transaction.create("address", ledger(), "pk", address)?;
        let key = guard(key_guard(&duckling.key_hash), "duckling_id", id);
        transaction.create("key", ledger(), "pk", key)?;
        let table = self.table("ducklings");
        transaction.create("duckling", table, "duckling_id", item::of_duckling(duckling))?;
        let certificate = item::of_certificate(certificate);
        transaction.create("certificate", self.table("certs"), "cert_id", certificate)?;
        self.settle_in(&mut transaction, account, duckling.created_at)?;
        self.count(&mut transaction, &counts)?;
        self.tell(&mut transaction, &audit::of_hatching(hatching))?;
        Ok(transaction)
    }
}
