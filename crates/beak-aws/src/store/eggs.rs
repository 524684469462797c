//! Eggs: laid, laid again, hatched.

use beak_core::duckling::Egg;
use beak_core::error::Result;
use beak_core::person::Email;
use beak_core::ports::{Hatched, Hatching};

use super::rows::{self, Item, Row, text};
use super::transact::{Outcome, Part, Step, Terms};
use super::{CERTS, DUCKLINGS, DynamoStore, EGGS, LEDGER, ROUNDS, failure, ledger};

impl DynamoStore {
    /// An egg as it is kept.
    pub(super) async fn egg_item(&self, email: &Email) -> Result<Option<Item>> {
        self.get(EGGS, rows::key("email", email.as_str())).await
    }

    /// Lays an egg, in place of an older one.
    pub(super) async fn lay(&self, egg: &Egg) -> Result<bool> {
        for _ in 0..ROUNDS {
            let old = self.egg_item(&egg.email).await?;
            let old = old.as_ref().map(|item| Row::egg(item).text("due")).transpose()?;
            let count = i64::from(old.is_none());
            let outcome = self.transact(self.laying(egg, old)?, &[("eggs", count)]).await?;
            if outcome == Outcome::Done {
                return Ok(true);
            }
            if outcome.loss(Part::EmailGuard).is_some() {
                return Ok(false);
            }
        }
        Err(failure::restless("lay_egg"))
    }

    fn laying(&self, egg: &Egg, old: Option<&str>) -> Result<Vec<Step>> {
        let due = ledger::egg_due(&egg.email, egg.expires_at);
        let as_read = match old {
            Some(old) => Terms::when("#due = :old").with("old", text(old)),
            None => Terms::absent("email"),
        };
        let entry = ledger::key(ledger::DUE, due.as_str());
        let entry = ledger::naming(entry, "email", egg.email.as_str());
        let guard = ledger::email_guard(&egg.email);
        let mut steps = vec![
            Step::check(Part::EmailGuard, self.table(LEDGER), guard, Terms::absent("pk"))?,
            Step::put(Part::Egg, self.table(EGGS), rows::egg_item(egg, &due), as_read)?,
            Step::put(Part::Due, self.table(LEDGER), entry, Terms::none())?,
        ];
        // A transaction may touch an item only once; the same entry is simply written again.
        if let Some(old) = old.filter(|old| *old != due) {
            steps.push(self.undue(old, Terms::none())?);
        }
        Ok(steps)
    }

    /// Removes an entry of the due queue.
    pub(super) fn undue(&self, entry: &str, terms: Terms) -> Result<Step> {
        Step::delete(Part::Due, self.table(LEDGER), ledger::key(ledger::DUE, entry), terms)
    }

    /// Egg → duckling, key, certificate.
    pub(super) async fn hatch_egg(&self, hatching: &Hatching) -> Result<Hatched> {
        for _ in 0..ROUNDS {
            let Some(egg) = self.egg_item(&hatching.duckling.email).await? else {
                return Ok(Hatched::Lost);
            };
            let due = Row::egg(&egg).text("due")?;
            let counts = [("eggs", -1), ("ducklings", 1), ("certificates", 1)];
            let outcome = self.transact(self.hatching(hatching, due)?, &counts).await?;
            if outcome == Outcome::Done {
                return Ok(Hatched::Done);
            }
            if outcome.loss(Part::EmailGuard).is_some() {
                return Ok(Hatched::Lost);
            }
            // Otherwise the egg is gone or was laid again: the next reading tells which.
            if outcome.loss(Part::Egg).is_none() {
                return Err(failure::inconsistent("a new duckling's id or key is taken"));
            }
        }
        Err(failure::restless("hatch"))
    }

    fn hatching(&self, hatching: &Hatching, due: &str) -> Result<Vec<Step>> {
        let Hatching { duckling, certificate } = hatching;
        let id = duckling.id.as_str();
        let egg = rows::key("email", duckling.email.as_str());
        let as_read = Terms::when("#due = :due").with("due", text(due));
        let email = ledger::naming(ledger::email_guard(&duckling.email), "duckling_id", id);
        let key = ledger::naming(ledger::key_guard(&duckling.key_hash), "duckling_id", id);
        let (row, cert) = (rows::duckling_item(duckling), rows::certificate_item(certificate));
        let (new_row, new_cert) = (Terms::absent("duckling_id"), Terms::absent("cert_id"));
        Ok(vec![
            Step::delete(Part::Egg, self.table(EGGS), egg, as_read)?,
            self.undue(due, Terms::none())?,
            Step::put(Part::EmailGuard, self.table(LEDGER), email, Terms::absent("pk"))?,
            Step::put(Part::KeyGuard, self.table(LEDGER), key, Terms::absent("pk"))?,
            Step::put(Part::Duckling, self.table(DUCKLINGS), row, new_row)?,
            Step::put(Part::Certificate, self.table(CERTS), cert, new_cert)?,
        ])
    }
}
