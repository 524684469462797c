//! Eggs and hatchings as transactions.

use aws_sdk_dynamodb::types::ReturnValue;
use beak_core::duckling::Egg;
use beak_core::id::DucklingId;
use beak_core::ports::{Hatched, Hatching, Store as _};
use beak_core::tier::Tier;
use beak_core::{Result, audit};

use super::audit::Proof;
use super::item::{
    self, attributes, egg_due, email_guard, guard, guard_key, key_guard, ledger_key, millis,
    number, of_due, text,
};
use super::transaction::{Change, Outcome, Transaction, When};
use super::{COUNT_PARTS, COUNT_SHARDS, DynamoStore, by, counts_in, restless};
use crate::failure::{code, failed};

/// How often a write starts over because what it had read was changed.
pub(super) const TRIES: usize = 8;

/// Whether a key is guarded for a duckling.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Guarded {
    /// It was not yet.
    Now,
    /// It was already.
    Before,
    /// It is another duckling's.
    Foreign,
}

impl DynamoStore {
    pub(super) async fn run(&self, transaction: Transaction) -> Result<Outcome> {
        transaction.run(&self.client, &self.entropy).await
    }

    /// Adds to counts, in one shard of many.
    pub(super) fn count(&self, to: &mut Transaction, counts: &[(&str, i64)]) -> Result<()> {
        let mut random = [0];
        self.entropy.fill(&mut random)?;
        let shard = random[0] % COUNT_SHARDS;
        let pk = counts_in(shard % COUNT_PARTS);
        let parts: Vec<String> = counts.iter().map(|(name, _)| format!("{name} :{name}")).collect();
        let values = counts.iter().map(|(name, n)| (format!(":{name}"), by(*n))).collect();
        let change = Change {
            table: self.table("ledger"),
            key: ledger_key(pk, format!("shard#{shard:02}")),
            update: &format!("ADD {}", parts.join(", ")),
            values,
        };
        to.update("counts", change, None)
    }

    pub(super) async fn write_egg(&self, egg: &Egg) -> Result<()> {
        let due = of_due(egg_due(egg), egg.expires_at, "email", egg.email.as_str());
        self.queue(due).await?;
        for _ in 0..TRIES {
            let older = self.egg(&egg.email).await?;
            let mut transaction = Transaction::default();
            match &older {
                None => {
                    transaction.create("egg", self.table("eggs"), "email", item::of_egg(egg))?;
                    self.count(&mut transaction, &[("eggs", 1)])?;
                }
                Some(older) => self.replace_egg(&mut transaction, older, egg)?,
            }
            if matches!(self.run(transaction).await?, Outcome::Done) {
                // The same egg again, to the millisecond, has the same place in the queue.
                let replaced = older.map(|older| egg_due(&older));
                if let Some(place) = replaced.filter(|place| *place != egg_due(egg)) {
                    self.settle_due(&place).await;
                }
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
        let (id, key) = (&hatching.duckling.id, &hatching.duckling.key_hash);
        let guarded = self.guard_key_of(id, key).await?;
        if guarded == Guarded::Foreign {
            return Ok(Hatched::Lost);
        }
        // A T0's own list has the hatching from its duckling.
        let is_t0 = hatching.certificate.tier == Tier::T0;
        let events = audit::of_hatching(hatching);
        let proof = Proof::Certificate(&hatching.certificate.id);
        let told = if is_t0 { Some(self.tell_ahead(&events, proof).await?) } else { None };
        for _ in 0..TRIES {
            let egg = self.egg(&hatching.duckling.email).await?;
            let outcome = self.run(self.hatching(hatching, egg.as_ref())?).await?;
            match outcome {
                Outcome::Done => {
                    if let Some(egg) = egg {
                        self.settle_due(&egg_due(&egg)).await;
                    }
                    return Ok(Hatched::Done);
                }
                // The egg lapsed or was laid again meanwhile.
                Outcome::Lost(_)
                    if outcome.lost("egg").is_some() && outcome.lost("address").is_none() => {}
                Outcome::Lost(_) => {
                    if let Some(told) = told {
                        self.untell(told).await;
                    }
                    self.take_back_guard(guarded, key).await?;
                    return Ok(Hatched::Lost);
                }
            }
        }
        self.take_back_guard(guarded, key).await?;
        Err(restless())
    }

    /// Guards a key before the duckling that it opens has it: a guard alone opens nothing.
    pub(super) async fn guard_key_of(&self, id: &DucklingId, hash: &str) -> Result<Guarded> {
        let item = guard(key_guard(hash), "duckling_id", id.as_str());
        let put = self
            .client
            .put_item()
            .table_name(self.table("ledger"))
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR duckling_id = :id")
            .expression_attribute_values(":id", text(id.as_str()))
            .return_values(ReturnValue::AllOld);
        match put.send().await {
            Ok(old) if old.attributes().is_none() => Ok(Guarded::Now),
            Ok(_) => Ok(Guarded::Before),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => {
                Ok(Guarded::Foreign)
            }
            Err(error) => Err(failed("guarding a key", &error)),
        }
    }

    /// Removes a guard whose key came to nothing, if it was made for it.
    pub(super) async fn take_back_guard(&self, guarded: Guarded, hash: &str) -> Result<()> {
        if guarded == Guarded::Now { self.drop_key(hash).await } else { Ok(()) }
    }

    /// Removes the guard of a key that opens nothing any more.
    pub(super) async fn drop_key(&self, hash: &str) -> Result<()> {
        let gone = self.client.delete_item().table_name(self.table("ledger"));
        let gone = gone.set_key(Some(guard_key(key_guard(hash)))).send().await;
        gone.map(|_| ()).map_err(|error| failed("dropping a key", &error))
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
            counts.push(("eggs", -1));
        }
        let id = duckling.id.as_str();
        let mut address = guard(email_guard(&duckling.email), "duckling_id", id);
        address.insert("account".into(), text(account.as_str()));
        address.insert("hatched_at".into(), number(millis(duckling.created_at)));
        transaction.create("address", ledger(), "pk", address)?;
        let mut item = item::of_duckling(duckling);
        let is_t0 = certificate.tier == Tier::T0;
        if is_t0 {
            // What its owner's list of events is told of the hatching.
            item.insert("first_cert".into(), text(certificate.id.as_str()));
        }
        transaction.create("duckling", self.table("ducklings"), "duckling_id", item)?;
        let certificate = item::of_certificate(certificate);
        transaction.create("certificate", self.table("certs"), "cert_id", certificate)?;
        self.count(&mut transaction, &counts)?;
        if !is_t0 {
            self.tell(&mut transaction, &audit::of_hatching(hatching))?;
        }
        Ok(transaction)
    }
}
