//! The embedded store: each verb is one transaction of the database.

pub(crate) mod accounts;
mod audit;
mod changes;
mod departures;
mod feedback;
mod journals;
mod moves;
mod operators;
pub(crate) mod pecks;
mod rows;
pub(crate) mod sign_ins;
mod sweep;
pub(crate) mod transfer;

use std::sync::Arc;

use async_trait::async_trait;
use beak_core::audit::{Event, of_hatching};
use beak_core::certificate::Certificate;
use beak_core::duckling::{Duckling, Egg};
use beak_core::id::{CertId, DucklingId, PeckId};
use beak_core::key::KeyHash;
use beak_core::newsletter::{Offer, TokenHash};
use beak_core::peck::{Peck, PeckStatus};
use beak_core::person::{DisplayName, Email};
use beak_core::ports::{
    Decision, Deletion, Departure, EventQuery, Hatched, Hatching, Idempotency, Listed, Metrics,
    Move, Moved, NewKey, Page, PeckQuery, Pecked, PublicKey, Store, Suspension, Swept, TableState,
    Turn,
};
use beak_core::tier::TierRequest;
use beak_core::{Duration, OffsetDateTime, Result};

use self::rows::{CertificateRow, DucklingRow, EggRow, OfferRow, OfferState, PeckRow, RepeatRow};
use crate::db::{
    ALL, BLOCKS, CERTIFICATES, COUNTS, DUCKLINGS, DUE, Db, EGGS, EMAILS, ISSUERS, KEYS, LEAVING,
    OFFERS, OWNED, PECKS, READERS, REPEATS, SIGNING_KEYS, Span, TURNS, Table, Writing,
};

pub(crate) use self::feedback::is_ended;
pub(crate) use self::rows::{Millis, millis};

/// Everything of the Beak but passwords and mails.
pub(crate) struct RedbStore {
    db: Arc<Db>,
}

impl RedbStore {
    pub(crate) fn new(db: Arc<Db>) -> Self {
        Self { db }
    }

    /// Forgets what has lapsed and no sweep looks at.
    pub(crate) async fn tidy(&self, now: OffsetDateTime) -> Result<()> {
        let tidied = self.db.write(move |txn| {
            txn.retain(REPEATS, |row: &RepeatRow| row.until > millis(now))?;
            txn.retain(OFFERS, |row: &OfferRow| {
                row.state != OfferState::Waits || row.until > millis(now)
            })?;
            txn.retain(TURNS, |until: &Millis| *until > millis(now))?;
            journals::tidy(txn, millis(now))?;
            sign_ins::tidy(txn, millis(now))?;
            feedback::tidy(txn, now)?;
            audit::tidy(txn, now)
        });
        tidied.await
    }
}

fn egg_due(egg: &Egg) -> String {
    format!("{:015}#egg#{}", millis(egg.expires_at), egg.email.as_str())
}

fn egg_of(txn: &Writing, email: &str) -> Result<Option<Egg>> {
    txn.get::<EggRow>(EGGS, email)?.map(EggRow::read).transpose()
}

#[async_trait]
impl Store for RedbStore {
    async fn lay_egg(&self, egg: &Egg) -> Result<()> {
        let egg = egg.clone();
        self.db.write(move |txn| lay(txn, &egg)).await
    }

    async fn egg(&self, email: &Email) -> Result<Option<Egg>> {
        let row = self.db.read(|txn| txn.get::<EggRow>(EGGS, email.as_str()))?;
        row.map(EggRow::read).transpose()
    }

    async fn hatch(&self, hatching: &Hatching) -> Result<Hatched> {
        let hatching = hatching.clone();
        self.db.write(move |txn| hatch(txn, &hatching)).await
    }

    async fn duckling(&self, id: &DucklingId) -> Result<Option<Duckling>> {
        let row = self.db.read(|txn| txn.get::<DucklingRow>(DUCKLINGS, id.as_str()))?;
        row.map(DucklingRow::read).transpose()
    }

    async fn duckling_by_email(&self, email: &Email) -> Result<Option<Duckling>> {
        let row = self.db.read(|txn| match txn.get::<String>(EMAILS, email.as_str())? {
            Some(id) => txn.get::<DucklingRow>(DUCKLINGS, &id),
            None => Ok(None),
        })?;
        row.map(DucklingRow::read).transpose()
    }

    async fn duckling_by_key(&self, key: &KeyHash) -> Result<Option<Duckling>> {
        let row = self.db.read(|txn| match txn.get::<String>(KEYS, &key.to_hex())? {
            Some(id) => txn.get::<DucklingRow>(DUCKLINGS, &id),
            None => Ok(None),
        })?;
        row.map(DucklingRow::read).transpose()
    }

    async fn ducklings(&self, page: &Page) -> Result<Listed<Duckling>> {
        // A space sorts before everything that can stand in an id: the first key behind `after`.
        let from = page.after.as_ref().map_or(String::new(), |after| format!("{after} "));
        let span = Span { from: &from, to: "~", backwards: false, limit: page.limit + 1 };
        let mut rows = self.db.read(|txn| txn.list::<DucklingRow>(DUCKLINGS, &span))?;
        let more = rows.len() > page.limit;
        rows.truncate(page.limit);
        let next = rows.last().filter(|_| more).map(|(id, _)| id.clone());
        let items = rows.into_iter().map(|(_, row)| row.read()).collect::<Result<_>>()?;
        Ok(Listed { items, next })
    }

    async fn pulse(&self, id: &DucklingId, now: OffsetDateTime) -> Result<bool> {
        let id = id.clone();
        let pulsed = self.db.write(move |txn| {
            let row = txn.get::<DucklingRow>(DUCKLINGS, id.as_str())?;
            let Some(mut row) = row else { return Ok(false) };
            row.last_pulse = Some(millis(now));
            txn.put(DUCKLINGS, id.as_str(), &row)?;
            Ok(true)
        });
        pulsed.await
    }

    async fn rotate_key(&self, id: &DucklingId, old: &str, new: &NewKey) -> Result<bool> {
        let (id, old, new) = (id.clone(), old.to_owned(), new.clone());
        self.db.write(move |txn| changes::rotate(txn, &id, &old, &new)).await
    }

    async fn rename(&self, id: &DucklingId, name: &DisplayName) -> Result<bool> {
        let (id, name) = (id.clone(), name.clone());
        self.db.write(move |txn| changes::rename(txn, &id, &name)).await
    }

    async fn request_tier(&self, id: &DucklingId, request: &TierRequest) -> Result<bool> {
        let (id, request) = (id.clone(), request.clone());
        self.db.write(move |txn| operators::request(txn, &id, &request)).await
    }

    async fn decide(&self, decision: &Decision) -> Result<bool> {
        let decision = decision.clone();
        self.db.write(move |txn| operators::decide(txn, &decision)).await
    }

    async fn ducklings_of(&self, ids: &[DucklingId]) -> Result<Vec<Duckling>> {
        self.db.read(|txn| {
            let row = |id: &DucklingId| txn.get::<DucklingRow>(DUCKLINGS, id.as_str()).transpose();
            ids.iter().filter_map(row).map(|row| row?.read()).collect()
        })
    }

    async fn tier_requests(&self, page: &Page) -> Result<Listed<Duckling>> {
        self.db.read(|txn| operators::requests(txn, page))
    }

    async fn suspend(&self, suspension: &Suspension) -> Result<bool> {
        let suspension = suspension.clone();
        self.db.write(move |txn| operators::suspend(txn, &suspension)).await
    }

    async fn block(
        &self,
        owner: &DucklingId,
        other: &DucklingId,
        now: OffsetDateTime,
    ) -> Result<()> {
        let key = pecks::block(owner, other);
        self.db.write(move |txn| txn.put(BLOCKS, &key, &millis(now))).await
    }

    async fn unblock(&self, owner: &DucklingId, other: &DucklingId) -> Result<bool> {
        let key = pecks::block(owner, other);
        self.db.write(move |txn| txn.remove(BLOCKS, &key)).await
    }

    async fn forget_blocks(&self, owner: &DucklingId) -> Result<()> {
        let owner = owner.clone();
        self.db.write(move |txn| pecks::forget_blocks(txn, &owner)).await
    }

    async fn leave(&self, departure: &Departure) -> Result<()> {
        let departure = departure.clone();
        self.db.write(move |txn| departures::leave(txn, &departure)).await
    }

    async fn departure(&self, id: &DucklingId) -> Result<Option<Departure>> {
        self.db.read(|txn| departures::departure(txn, id))
    }

    async fn departures(&self, page: &Page) -> Result<Listed<Departure>> {
        self.db.read(|txn| departures::departures(txn, page))
    }

    async fn forget_departure(&self, id: &DucklingId) -> Result<()> {
        let id = id.clone();
        self.db.write(move |txn| txn.remove(LEAVING, id.as_str()).map(|_| ())).await
    }

    async fn delete(&self, deletion: &Deletion) -> Result<bool> {
        let deletion = deletion.clone();
        self.db.write(move |txn| changes::delete(txn, &deletion)).await
    }

    async fn add_peck(&self, peck: &Peck, idempotency: Option<&Idempotency>) -> Result<Pecked> {
        let (peck, idempotency) = (peck.clone(), idempotency.cloned());
        self.db.write(move |txn| pecks::add(txn, &peck, idempotency.as_ref())).await
    }

    async fn peck(&self, id: &PeckId) -> Result<Option<Peck>> {
        let row = self.db.read(|txn| txn.get::<PeckRow>(PECKS, id.as_str()))?;
        row.map(PeckRow::read).transpose()
    }

    async fn pecks(&self, asked: &PeckQuery, page: &Page) -> Result<Listed<Peck>> {
        self.db.read(|txn| pecks::list(txn, asked, page))
    }

    async fn move_peck(&self, id: &PeckId, to: &Move, now: OffsetDateTime) -> Result<Moved> {
        let (id, to) = (id.clone(), to.clone());
        self.db.write(move |txn| moves::apply(txn, &id, &to, now)).await
    }

    async fn certificate(&self, id: &CertId) -> Result<Option<Certificate>> {
        let row = self.db.read(|txn| txn.get::<CertificateRow>(CERTIFICATES, id.as_str()))?;
        row.map(CertificateRow::read).transpose()
    }

    async fn certificates_of(&self, id: &DucklingId) -> Result<Vec<Certificate>> {
        let (from, to) = (format!("{id}#"), format!("{id}#~"));
        let span = Span { from: &from, to: &to, backwards: false, limit: usize::MAX };
        self.db.read(|txn| {
            let mut found = Vec::new();
            for (key, ()) in txn.list::<()>(OWNED, &span)? {
                let cert = key.rsplit('#').next().unwrap_or_default();
                let row = txn.get::<CertificateRow>(CERTIFICATES, cert)?;
                found.extend(row.map(CertificateRow::read).transpose()?);
            }
            Ok(found)
        })
    }

    async fn signing_keys(&self, current: &PublicKey) -> Result<Vec<PublicKey>> {
        let current = current.clone();
        let kept = self.db.write(move |txn| {
            txn.put(SIGNING_KEYS, &current.kid, &current.bytes)?;
            let all = Span { from: "", to: "~~", backwards: false, limit: usize::MAX };
            txn.list::<[u8; 32]>(SIGNING_KEYS, &all)
        });
        let key = |(kid, bytes)| PublicKey { kid, bytes };
        Ok(kept.await?.into_iter().map(key).collect())
    }

    async fn former_issuers(&self) -> Result<Vec<String>> {
        let all = Span { from: "", to: "\u{10ffff}", backwards: false, limit: usize::MAX };
        let rows = self.db.read(|txn| txn.list::<()>(ISSUERS, &all))?;
        Ok(rows.into_iter().map(|(issuer, ())| issuer).collect())
    }

    async fn events(&self, asked: &EventQuery, page: &Page) -> Result<Listed<Event>> {
        self.db.read(|txn| audit::list(txn, asked, page))
    }

    async fn offer_newsletter(&self, offer: &Offer) -> Result<()> {
        let offer = offer.clone();
        self.db.write(move |txn| changes::offer(txn, &offer)).await
    }

    async fn subscribe(&self, token: &TokenHash, now: OffsetDateTime) -> Result<bool> {
        let token = token.clone();
        self.db.write(move |txn| changes::subscribe(txn, &token, now)).await
    }

    async fn unsubscribe(&self, token: &TokenHash) -> Result<bool> {
        let token = token.clone();
        self.db.write(move |txn| changes::unsubscribe(txn, &token)).await
    }

    async fn is_subscribed(&self, email: &Email) -> Result<bool> {
        let row = self.db.read(|txn| txn.get::<Millis>(READERS, email.as_str()))?;
        Ok(row.is_some())
    }

    async fn tables(&self) -> Result<Vec<TableState>> {
        self.db.read(|txn| {
            let state = |table: Table| {
                let name = redb::TableHandle::name(&table).to_owned();
                Ok(TableState { name, active: true, entries: Some(txn.len(table)?) })
            };
            ALL.into_iter().map(state).collect()
        })
    }

    async fn metrics(&self, now: OffsetDateTime) -> Result<Metrics> {
        self.db.read(|txn| {
            let count = |name: &str| {
                let count: Option<i64> = txn.get(COUNTS, name)?;
                Ok::<_, beak_core::BeakError>(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
            };
            let mut pecks = [0; 5];
            for (count_of, status) in pecks.iter_mut().zip(PeckStatus::ALL) {
                *count_of = count(status.word())?;
            }
            let counts = Metrics {
                ducklings: count("ducklings")?,
                certificates: count("certificates")?,
                connections: count("connections")?,
                eggs: count("eggs")?,
                pecks,
            };
            Ok(counts.with_lapsed(sweep::lapsed(txn, now)?))
        })
    }

    async fn sweep(&self, now: OffsetDateTime, limit: usize) -> Result<Swept> {
        // Most of the time there is nothing, and a write waits for the disk.
        if !self.db.read(|txn| sweep::is_due(txn, now))? {
            return Ok(Swept::default());
        }
        self.db.write(move |txn| sweep::sweep(txn, now, limit)).await
    }

    async fn takes_writes(&self) -> bool {
        self.db.takes_writes().await
    }

    async fn take_turn(&self, turn: &Turn) -> Result<Option<Duration>> {
        let (name, now) = (turn.name.clone(), millis(turn.now));
        let next = millis(turn.now + turn.every);
        let taken = self.db.write(move |txn| {
            let until: Option<Millis> = txn.get(TURNS, &name)?;
            if let Some(until) = until.filter(|until| *until > now) {
                return Ok(Some(Duration::milliseconds(until - now)));
            }
            txn.put(TURNS, &name, &next)?;
            Ok(None)
        });
        taken.await
    }
}

#[cfg(test)]
mod tests;

pub(crate) fn lay(txn: &Writing, egg: &Egg) -> Result<()> {
    let email = egg.email.as_str();
    match egg_of(txn, email)? {
        Some(older) => {
            txn.remove(DUE, &egg_due(&older))?;
        }
        None => txn.count("eggs", 1)?,
    }
    txn.put(DUE, &egg_due(egg), email)?;
    txn.put(EGGS, email, &EggRow::from(egg))
}

pub(crate) fn hatch(txn: &Writing, hatching: &Hatching) -> Result<Hatched> {
    let Hatching { account, duckling, certificate } = hatching;
    let email = duckling.email.as_str();
    if txn.get::<String>(EMAILS, email)?.is_some() {
        return Ok(Hatched::Lost);
    }
    if let Some(egg) = egg_of(txn, email)? {
        txn.remove(EGGS, email)?;
        txn.remove(DUE, &egg_due(&egg))?;
        txn.count("eggs", -1)?;
    }
    accounts::settle(txn, account.as_str(), millis(duckling.created_at))?;
    txn.put(EMAILS, email, duckling.id.as_str())?;
    txn.put(KEYS, &duckling.key_hash, duckling.id.as_str())?;
    txn.put(DUCKLINGS, duckling.id.as_str(), &DucklingRow::from(duckling))?;
    changes::certify(txn, certificate)?;
    txn.count("ducklings", 1)?;
    audit::tell(txn, &of_hatching(hatching))?;
    Ok(Hatched::Done)
}
