//! The embedded store: each verb is one transaction of the database.

mod audit;
mod changes;
mod codes;
mod feedback;
mod moves;
mod rows;

use std::sync::Arc;

use async_trait::async_trait;
use beak_core::audit::{Event, of_hatching, of_peck};
use beak_core::certificate::Certificate;
use beak_core::duckling::{Duckling, Egg};
use beak_core::id::{CertId, DucklingId, PeckId};
use beak_core::key::KeyHash;
use beak_core::newsletter::{Offer, TokenHash};
use beak_core::peck::{Direction, Peck, PeckStatus};
use beak_core::person::{DisplayName, Email};
use beak_core::ports::{
    Decision, Deletion, EventQuery, Hatched, Hatching, Idempotency, Listed, Metrics, Move, Moved,
    NewKey, Page, PeckQuery, Pecked, PublicKey, Store, TableState, Turn,
};
use beak_core::tier::TierRequest;
use beak_core::{Duration, OffsetDateTime, Result};

use self::rows::{CertificateRow, DucklingRow, EggRow, OfferRow, OfferState, PeckRow, RepeatRow};
use crate::db::{
    ALL, CERTIFICATES, COUNTS, DUCKLINGS, DUE, Db, EGGS, EMAILS, KEYS, OFFERS, OWNED, PAIRS, PECKS,
    READERS, REPEATS, SIDES, SIGNING_KEYS, Span, TURNS, Table, Writing,
};

pub(crate) use self::feedback::is_ended;
pub(crate) use self::rows::{Millis, millis};

/// How long a repeated call is known as such.
const REPEAT_LIFETIME: Duration = Duration::hours(24);

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
            codes::tidy(txn, millis(now))?;
            feedback::tidy(txn, now)?;
            audit::tidy(txn, now)
        });
        tidied.await
    }
}

fn egg_due(egg: &Egg) -> String {
    format!("{:015}#egg#{}", millis(egg.expires_at), egg.email.as_str())
}

fn peck_due(peck: &Peck) -> String {
    format!("{:015}#peck#{}", millis(peck.expires_at), peck.id)
}

fn pair(peck: &Peck) -> String {
    format!("{}#{}#{}", peck.source, peck.target, peck.kind.as_str())
}

fn side(direction: Direction, party: &DucklingId, end: &str) -> String {
    let word = if direction == Direction::In { "in" } else { "out" };
    format!("{word}#{party}#{end}")
}

fn egg_of(txn: &Writing, email: &str) -> Result<Option<Egg>> {
    txn.get::<EggRow>(EGGS, email)?.map(EggRow::read).transpose()
}

fn peck_of(txn: &Writing, id: &str) -> Result<Option<Peck>> {
    txn.get::<PeckRow>(PECKS, id)?.map(PeckRow::read).transpose()
}

#[async_trait]
impl Store for RedbStore {
    async fn lay_egg(&self, egg: &Egg) -> Result<bool> {
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
        self.db.write(move |txn| changes::request(txn, &id, &request)).await
    }

    async fn decide(&self, decision: &Decision) -> Result<bool> {
        let decision = decision.clone();
        self.db.write(move |txn| changes::decide(txn, &decision)).await
    }

    async fn delete(&self, deletion: &Deletion) -> Result<bool> {
        let deletion = deletion.clone();
        self.db.write(move |txn| changes::delete(txn, &deletion)).await
    }

    async fn add_peck(&self, peck: &Peck, idempotency: Option<&Idempotency>) -> Result<Pecked> {
        let (peck, idempotency) = (peck.clone(), idempotency.cloned());
        self.db.write(move |txn| add_peck(txn, &peck, idempotency.as_ref())).await
    }

    async fn peck(&self, id: &PeckId) -> Result<Option<Peck>> {
        let row = self.db.read(|txn| txn.get::<PeckRow>(PECKS, id.as_str()))?;
        row.map(PeckRow::read).transpose()
    }

    async fn pecks(&self, asked: &PeckQuery, page: &Page) -> Result<Listed<Peck>> {
        let from = side(asked.direction, &asked.party, "");
        let end = page.after.as_deref().unwrap_or("~");
        let to = side(asked.direction, &asked.party, end);
        self.db.read(|txn| {
            // Bounded: a filter that fits little must not read a long life's worth of pecks.
            let span = Span { from: &from, to: &to, backwards: true, limit: 1000 };
            let keys = txn.list::<()>(SIDES, &span)?;
            let (mut items, mut next) = (Vec::new(), None);
            let last = keys.len() == 1000;
            for (at, (key, ())) in keys.iter().enumerate() {
                let id = key.rsplit('#').next().unwrap_or_default();
                let row = txn.get::<PeckRow>(PECKS, id)?.map(PeckRow::read).transpose()?;
                let fits = |p: &Peck| asked.status.is_none_or(|s| s == p.status_at(asked.now));
                items.extend(row.filter(fits));
                if items.len() == page.limit {
                    next = (last || at + 1 < keys.len()).then(|| id.to_owned());
                    break;
                }
                if last && at + 1 == keys.len() {
                    next = Some(id.to_owned());
                }
            }
            Ok(Listed { items, next })
        })
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

    async fn metrics(&self) -> Result<Metrics> {
        self.db.read(|txn| {
            let count = |name: &str| {
                let count: Option<i64> = txn.get(COUNTS, name)?;
                Ok::<_, beak_core::BeakError>(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
            };
            let mut pecks = [0; 5];
            for (count_of, status) in pecks.iter_mut().zip(PeckStatus::ALL) {
                *count_of = count(status.word())?;
            }
            Ok(Metrics {
                ducklings: count("ducklings")?,
                certificates: count("certificates")?,
                connections: count("connections")?,
                eggs: count("eggs")?,
                pecks,
            })
        })
    }

    async fn sweep(&self, now: OffsetDateTime, limit: usize) -> Result<usize> {
        // The end is not included, and what lapses at this very millisecond has lapsed.
        let end = format!("{:015}", millis(now) + 1);
        let span = Span { from: "", to: &end, backwards: false, limit };
        let due = self.db.read(|txn| txn.list::<String>(DUE, &span))?;
        if due.is_empty() {
            return Ok(0);
        }
        self.db.write(move |txn| moves::sweep(txn, &due, now)).await
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

pub(crate) fn lay(txn: &Writing, egg: &Egg) -> Result<bool> {
    let email = egg.email.as_str();
    if txn.get::<String>(EMAILS, email)?.is_some() {
        return Ok(false);
    }
    match egg_of(txn, email)? {
        Some(older) => {
            txn.remove(DUE, &egg_due(&older))?;
        }
        None => txn.count("eggs", 1)?,
    }
    txn.put(DUE, &egg_due(egg), email)?;
    txn.put(EGGS, email, &EggRow::from(egg))?;
    Ok(true)
}

pub(crate) fn hatch(txn: &Writing, hatching: &Hatching) -> Result<Hatched> {
    let Hatching { duckling, certificate } = hatching;
    let email = duckling.email.as_str();
    let taken = txn.get::<String>(EMAILS, email)?.is_some();
    let egg = egg_of(txn, email)?.filter(|_| !taken);
    let Some(egg) = egg else { return Ok(Hatched::Lost) };
    txn.remove(EGGS, email)?;
    txn.remove(DUE, &egg_due(&egg))?;
    txn.put(EMAILS, email, duckling.id.as_str())?;
    txn.put(KEYS, &duckling.key_hash, duckling.id.as_str())?;
    txn.put(DUCKLINGS, duckling.id.as_str(), &DucklingRow::from(duckling))?;
    changes::certify(txn, certificate)?;
    txn.count("eggs", -1)?;
    txn.count("ducklings", 1)?;
    audit::tell(txn, &of_hatching(hatching))?;
    Ok(Hatched::Done)
}

pub(crate) fn add_peck(
    txn: &Writing,
    peck: &Peck,
    idempotency: Option<&Idempotency>,
) -> Result<Pecked> {
    let now = peck.created_at;
    if let Some(given) = idempotency {
        let row = txn.get::<RepeatRow>(REPEATS, &given.key)?;
        if let Some(row) = row.filter(|row| row.until > millis(now)) {
            let earlier = peck_of(txn, &row.peck_id)?.filter(|_| row.content == given.content);
            return Ok(earlier.map_or(Pecked::KeyTaken, Pecked::Repeated));
        }
    }
    if let Some(id) = txn.get::<String>(PAIRS, &pair(peck))? {
        let waiting = peck_of(txn, &id)?;
        if let Some(waiting) = waiting {
            if waiting.status_at(now) == PeckStatus::Pending {
                return Ok(Pecked::AlreadyPending);
            }
            moves::apply(txn, &waiting.id, &Move::Expire, now)?;
        }
    }
    txn.put(PECKS, peck.id.as_str(), &PeckRow::from(peck))?;
    txn.put(SIDES, &side(Direction::Out, &peck.source, peck.id.as_str()), &())?;
    txn.put(SIDES, &side(Direction::In, &peck.target, peck.id.as_str()), &())?;
    txn.put(PAIRS, &pair(peck), peck.id.as_str())?;
    txn.put(DUE, &peck_due(peck), peck.id.as_str())?;
    txn.count(PeckStatus::Pending.word(), 1)?;
    audit::tell(txn, &[of_peck(peck)])?;
    if let Some(given) = idempotency {
        let until = millis(now + REPEAT_LIFETIME);
        let (content, peck_id) = (given.content.clone(), peck.id.to_string());
        txn.put(REPEATS, &given.key, &RepeatRow { content, peck_id, until })?;
    }
    Ok(Pecked::Done)
}
