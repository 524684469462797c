//! What follows from the nouns of an import: guards, indexes, queues, counts and bonds. They are
//! made from the nouns alone, so that no entry of the file can contradict them, and what the nouns
//! themselves contradict each other in is put right and said.
//!
//! A galaxy changes while it is exported, and certificates and pecks are never removed. So of two
//! nouns that do not fit, the later one is right: a certificate that was issued has been issued,
//! and a duckling whose certificate was wiped is deleted.

use std::collections::BTreeMap;

use beak_core::certificate::{CertStatus, Certificate};
use beak_core::duckling::Duckling;
use beak_core::id::CertId;
use beak_core::peck::{Direction, Peck, PeckStatus};
use beak_core::tier::Tier;
use beak_core::{OffsetDateTime, Result};

use super::super::departures::DepartureRow;
use super::super::operators::place;
use super::super::pecks::{count_waiting, pair, peck_due, side};
use super::super::rows::{
    CertificateRow, DucklingRow, EggRow, Millis, OfferRow, OfferState, PeckRow, RepeatRow, millis,
};
use super::super::{changes, egg_due};
use super::items::unreadable;
use super::{COUNTED, Repair, Repairs};
use crate::db::{
    BLOCKS, CERTIFICATES, COUNTS, DUCKLINGS, DUE, EGGS, EMAILS, ISSUERS, KEYS, LEAVING, OFFERS,
    OWNED, PAIRS, PECKS, READERS, REPEATS, REQUESTS, SCRATCH, SIDES, Span, Writing,
};
use crate::identity;

/// Makes everything that follows from the nouns, and says what of them was put right.
pub(crate) fn make_whole(txn: &Writing, password: &str, now: OffsetDateTime) -> Result<Repairs> {
    let mut making = Making { txn, now, repairs: Repairs::default(), counts: BTreeMap::new() };
    // Each step looks up what the ones before have made.
    making.certificates()?;
    making.ducklings(password)?;
    making.orphans()?;
    making.pecks()?;
    making.eggs()?;
    making.entries()?;
    making.readers()?;
    for name in COUNTED {
        txn.put(COUNTS, name, &making.counts.get(name).copied().unwrap_or(0))?;
    }
    Ok(making.repairs)
}

struct Making<'a> {
    txn: &'a Writing,
    now: OffsetDateTime,
    repairs: Repairs,
    counts: BTreeMap<&'static str, i64>,
}

/// Takes back everything that a duckling is found by.
pub(super) fn take_out(txn: &Writing, duckling: &Duckling) -> Result<()> {
    let (id, email) = (duckling.id.as_str(), duckling.email.as_str());
    txn.remove(DUCKLINGS, id)?;
    for (table, key) in [(EMAILS, email), (KEYS, duckling.key_hash.as_str())] {
        if txn.get::<String>(table, key)?.is_some_and(|owner| owner == id) {
            txn.remove(table, key)?;
        }
    }
    if let Some(request) = &duckling.tier_request {
        txn.remove(REQUESTS, &place(request, &duckling.id))?;
    }
    Ok(())
}

/// Whether a certificate says that its duckling was deleted.
fn is_wiped(certificate: &Certificate) -> bool {
    certificate.status == CertStatus::Revoked && certificate.compact.is_empty()
}

impl Making<'_> {
    fn add(&mut self, name: &'static str, by: i64) {
        *self.counts.entry(name).or_default() += by;
    }

    /// Who has which certificates, and the galaxies that issued them.
    fn certificates(&mut self) -> Result<()> {
        let (txn, mut issued) = (self.txn, 0);
        txn.each::<CertificateRow>(CERTIFICATES, |_, row| {
            let certificate = row.read()?;
            if let Some(claims) = beak_api::jws::peek(&certificate.compact) {
                txn.put(ISSUERS, &claims.issuer, &())?;
            }
            issued += 1;
            changes::keep(txn, &certificate)
        })?;
        self.add("certificates", issued);
        Ok(())
    }

    fn ducklings(&mut self, password: &str) -> Result<()> {
        let (txn, mut count) = (self.txn, 0);
        txn.each::<DucklingRow>(DUCKLINGS, |_, row| self.duckling(row.read()?, password))?;
        txn.each::<DucklingRow>(DUCKLINGS, |_, _| {
            count += 1;
            Ok(())
        })?;
        self.add("ducklings", count);
        Ok(())
    }

    fn duckling(&mut self, mut duckling: Duckling, password: &str) -> Result<()> {
        let txn = self.txn;
        let owned = self.owned(&duckling)?;
        if owned.iter().any(is_wiped) {
            self.repairs.note(Repair::DucklingDeleted);
            identity::move_out(txn, duckling.email.as_str())?;
            return take_out(txn, &duckling);
        }
        let Some(newest) = owned.iter().max_by_key(|one| (one.tier, one.issued_at, &one.id)) else {
            self.repairs.note(Repair::DucklingUncertified);
            return take_out(txn, &duckling);
        };
        self.certify(&mut duckling, newest, &owned)?;
        let (id, email) = (duckling.id.as_str(), duckling.email.as_str());
        if let Some(older) = txn.get::<String>(EMAILS, email)?.filter(|older| older != id) {
            // Ids sort by time: the one before was deleted, or its owner could not hatch again.
            self.repairs.note(Repair::DucklingReplaced);
            if let Some(row) = txn.get::<DucklingRow>(DUCKLINGS, &older)? {
                take_out(txn, &row.read()?)?;
            }
        }
        if txn.get::<String>(KEYS, &duckling.key_hash)?.is_some() {
            return Err(unreadable("key_hash"));
        }
        txn.put(EMAILS, email, id)?;
        txn.put(KEYS, &duckling.key_hash, id)?;
        let hatched = |row: &EggRow| row.created_at < millis(duckling.created_at);
        if txn.get::<EggRow>(EGGS, email)?.is_some_and(|row| hatched(&row)) {
            txn.remove(EGGS, email)?;
        }
        if identity::move_in(txn, email, false, password)? {
            self.repairs.note(Repair::PersonAdded);
        }
        // A mark without a departure, of an earlier release: its account may have gone long ago.
        let id = duckling.id.as_str();
        if duckling.is_leaving && txn.get::<DepartureRow>(LEAVING, id)?.is_none() {
            txn.put(LEAVING, id, &DepartureRow { reason: None, account_ended: true })?;
        }
        match &duckling.tier_request {
            Some(request) if duckling.tier == Tier::T1 => {
                txn.put(REQUESTS, &place(request, &duckling.id), &())?;
            }
            _ => duckling.tier_request = None,
        }
        // Its pecks count them.
        duckling.bonds = 0;
        txn.put(DUCKLINGS, duckling.id.as_str(), &DucklingRow::from(&duckling))
    }

    /// A duckling has the tier and the state of its newest certificate; the others are superseded.
    fn certify(
        &mut self,
        duckling: &mut Duckling,
        newest: &Certificate,
        owned: &[Certificate],
    ) -> Result<()> {
        let mut newest = newest.clone();
        if newest.status == CertStatus::Superseded {
            newest.status = CertStatus::Valid;
        }
        let before = (&duckling.cert_id, duckling.tier, duckling.cert_status);
        let is_current = before == (&newest.id, newest.tier, newest.status);
        let mut is_changed = !is_current;
        for one in owned {
            let status = match one.status {
                _ if one.id == newest.id => newest.status,
                CertStatus::Revoked => CertStatus::Revoked,
                _ => CertStatus::Superseded,
            };
            if status != one.status {
                // DynamoDB keeps no more than which certificate is the current one.
                is_changed |= (one.status, status) != (CertStatus::Valid, CertStatus::Superseded);
                let row = CertificateRow::from(&Certificate { status, ..one.clone() });
                self.txn.put(CERTIFICATES, one.id.as_str(), &row)?;
            }
        }
        if is_changed {
            self.repairs.note(Repair::CertificateMatched);
        }
        duckling.cert_id = newest.id;
        duckling.tier = newest.tier;
        duckling.cert_status = newest.status;
        Ok(())
    }

    fn owned(&self, duckling: &Duckling) -> Result<Vec<Certificate>> {
        let (from, to) = (format!("{}#", duckling.id), format!("{}#~", duckling.id));
        let span = Span { from: &from, to: &to, backwards: false, limit: usize::MAX };
        let mut owned = Vec::new();
        for (key, ()) in self.txn.list::<()>(OWNED, &span)? {
            let id = CertId::parse(&key[from.len()..])?;
            let row = self.txn.get::<CertificateRow>(CERTIFICATES, id.as_str())?;
            owned.push(row.ok_or_else(|| unreadable("cert_id"))?.read()?);
        }
        Ok(owned)
    }

    /// Certificates of ducklings that are not there are as a deletion leaves them.
    fn orphans(&mut self) -> Result<()> {
        let txn = self.txn;
        txn.each::<CertificateRow>(CERTIFICATES, |id, row| {
            let certificate = row.read()?;
            let owner = certificate.duckling_id.as_str();
            let is_owned = txn.get::<DucklingRow>(DUCKLINGS, owner)?.is_some();
            if is_owned || certificate.status == CertStatus::Revoked {
                return Ok(());
            }
            self.repairs.note(Repair::CertificateRevoked);
            let status = CertStatus::Revoked;
            let (name, compact) = (String::new(), String::new());
            let wiped = Certificate { status, name, compact, ..certificate };
            txn.put(CERTIFICATES, id, &CertificateRow::from(&wiped))
        })
    }

    fn pecks(&mut self) -> Result<()> {
        let txn = self.txn;
        // The newest of a pair, which comes last, has its guard.
        txn.each::<PeckRow>(PECKS, |id, row| {
            let peck = row.read()?;
            let is_open = matches!(peck.stored, PeckStatus::Pending | PeckStatus::Approved);
            if is_open { txn.put(PAIRS, &pair(&peck), id) } else { Ok(()) }
        })?;
        txn.each::<PeckRow>(PECKS, |_, row| self.peck(row.read()?))
    }

    fn peck(&mut self, mut peck: Peck) -> Result<()> {
        let (txn, id) = (self.txn, peck.id.to_string());
        let is_open = matches!(peck.stored, PeckStatus::Pending | PeckStatus::Approved);
        if is_open && !self.has_both(&peck)? {
            self.end(&mut peck, PeckStatus::Revoked, self.now)?;
            self.repairs.note(Repair::PeckEnded);
        }
        let owner = txn.get::<String>(PAIRS, &pair(&peck))?;
        if peck.stored == PeckStatus::Pending && owner.is_some_and(|owner| owner != id) {
            let at = peck.expires_at;
            self.end(&mut peck, PeckStatus::Expired, at)?;
            self.repairs.note(Repair::PeckEnded);
        }
        txn.put(SIDES, &side(Direction::Out, &peck.source, &id), &())?;
        txn.put(SIDES, &side(Direction::In, &peck.target, &id), &())?;
        self.add(peck.stored.word(), 1);
        if peck.stored == PeckStatus::Pending {
            txn.put(DUE, &peck_due(&peck), &id)?;
            count_waiting(txn, &peck, 1)?;
        }
        if peck.stored == PeckStatus::Approved {
            self.add("connections", 1);
            for party in [&peck.source, &peck.target] {
                let row = txn.get::<DucklingRow>(DUCKLINGS, party.as_str())?;
                let mut row = row.ok_or_else(|| unreadable("source_id"))?;
                row.bonds += 1;
                txn.put(DUCKLINGS, party.as_str(), &row)?;
            }
        }
        Ok(())
    }

    fn has_both(&self, peck: &Peck) -> Result<bool> {
        for party in [&peck.source, &peck.target] {
            if self.txn.get::<DucklingRow>(DUCKLINGS, party.as_str())?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn end(&self, peck: &mut Peck, end: PeckStatus, at: OffsetDateTime) -> Result<()> {
        (peck.stored, peck.settled_at) = (end, Some(at));
        let name = pair(peck);
        if self.txn.get::<String>(PAIRS, &name)?.is_some_and(|owner| owner == peck.id.as_str()) {
            self.txn.remove(PAIRS, &name)?;
        }
        self.txn.put(PECKS, peck.id.as_str(), &PeckRow::from(&*peck))
    }

    fn eggs(&mut self) -> Result<()> {
        let (txn, mut count) = (self.txn, 0);
        txn.each::<EggRow>(EGGS, |_, row| {
            let egg = row.read()?;
            count += 1;
            txn.put(DUE, &egg_due(&egg), egg.email.as_str())
        })?;
        self.add("eggs", count);
        Ok(())
    }

    /// Blocks end with their owner, and an idempotency key means nothing without its peck.
    fn entries(&mut self) -> Result<()> {
        let txn = self.txn;
        txn.each::<Millis>(BLOCKS, |key, _| {
            let owner = key.split('#').next().unwrap_or_default();
            let is_owned = txn.get::<DucklingRow>(DUCKLINGS, owner)?.is_some();
            if is_owned { Ok(()) } else { txn.remove(BLOCKS, key).map(|_| ()) }
        })?;
        txn.each::<RepeatRow>(REPEATS, |key, row| {
            let is_there = txn.get::<PeckRow>(PECKS, &row.peck_id)?.is_some();
            if is_there { Ok(()) } else { txn.remove(REPEATS, key).map(|_| ()) }
        })
    }

    /// Readers who unsubscribed while the export was made: of their offers, each has ended.
    fn readers(&mut self) -> Result<()> {
        let txn = self.txn;
        txn.each::<OfferRow>(OFFERS, |_, row| {
            let other = txn.get::<bool>(SCRATCH, &row.email)?.unwrap_or(false);
            let ended_only = row.state == OfferState::Ended;
            match row.state {
                OfferState::Waits => Ok(()),
                _ if other => Ok(()),
                _ => txn.put(SCRATCH, &row.email, &!ended_only),
            }
        })?;
        txn.each::<Millis>(READERS, |email, _| {
            if txn.get::<bool>(SCRATCH, email)? == Some(false) {
                self.repairs.note(Repair::ReaderLeft);
                txn.remove(READERS, email)?;
            }
            Ok(())
        })?;
        txn.drop_table(SCRATCH)
    }
}
