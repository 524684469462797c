//! Requests for T2 and what operators do about ducklings.

use beak_core::duckling::Duckling;
use beak_core::id::DucklingId;
use beak_core::ports::{Decision, Listed, Page, Suspension};
use beak_core::tier::{Tier, TierRequest};
use beak_core::{Result, audit};

use super::audit::tell;
use super::changes::{duckling, promote};
use super::rows::{CertificateRow, DucklingRow, millis};
use crate::db::{CERTIFICATES, COUNTS, DUCKLINGS, REQUESTS, Reading, Span, Writing};

/// The place of a request in the queue.
pub(super) fn place(request: &TierRequest, id: &DucklingId) -> String {
    format!("{:015}#{id}", millis(request.at))
}

pub(super) fn request(txn: &Writing, id: &DucklingId, request: &TierRequest) -> Result<bool> {
    let found = duckling(txn, id.as_str())?.filter(|duckling| duckling.tier == Tier::T1);
    let Some(mut duckling) = found else { return Ok(false) };
    if let Some(older) = &duckling.tier_request {
        txn.remove(REQUESTS, &place(older, id))?;
    }
    txn.put(REQUESTS, &place(request, id), &())?;
    duckling.tier_request = Some(request.clone());
    txn.put(DUCKLINGS, id.as_str(), &DucklingRow::from(&duckling))?;
    Ok(true)
}

pub(super) fn requests(txn: &Reading, page: &Page) -> Result<Listed<Duckling>> {
    // A space sorts before every character of an id: the first key after `after`.
    let from = page.after.as_ref().map_or(String::new(), |after| format!("{after} "));
    let span = Span { from: &from, to: "~", backwards: false, limit: page.limit + 1 };
    let mut places = txn.list::<()>(REQUESTS, &span)?;
    let more = places.len() > page.limit;
    places.truncate(page.limit);
    let next = places.last().filter(|_| more).map(|(place, ())| place.clone());
    let mut items = Vec::new();
    for (place, ()) in places {
        let id = place.rsplit('#').next().unwrap_or_default();
        let row = txn.get::<DucklingRow>(DUCKLINGS, id)?;
        items.extend(row.map(DucklingRow::read).transpose()?);
    }
    Ok(Listed { items, next })
}

pub(super) fn decide(txn: &Writing, decision: &Decision) -> Result<bool> {
    let found = duckling(txn, decision.id.as_str())?.filter(|d| d.tier == Tier::T1);
    let Some(mut duckling) = found else { return Ok(false) };
    if let Some(promotion) = &decision.promotion {
        if promotion.replaces != duckling.cert_id || duckling.is_suspended() {
            return Ok(false);
        }
        promote(txn, &mut duckling, promotion)?;
    }
    if let Some(request) = duckling.tier_request.take() {
        txn.remove(REQUESTS, &place(&request, &decision.id))?;
    }
    txn.put(DUCKLINGS, decision.id.as_str(), &DucklingRow::from(&duckling))?;
    tell(txn, &audit::of_decision(decision))?;
    Ok(true)
}

pub(super) fn suspend(txn: &Writing, suspension: &Suspension) -> Result<bool> {
    let read = &suspension.duckling;
    let [before, after] = suspension.turns();
    let same = |d: &Duckling| d.cert_id == read.cert_id && d.cert_status == before;
    let found = duckling(txn, read.id.as_str())?.filter(same);
    let Some(mut duckling) = found else { return Ok(false) };
    duckling.cert_status = after;
    txn.put(DUCKLINGS, read.id.as_str(), &DucklingRow::from(&duckling))?;
    if let Some(mut row) = txn.get::<CertificateRow>(CERTIFICATES, read.cert_id.as_str())? {
        after.word().clone_into(&mut row.status);
        txn.put(CERTIFICATES, read.cert_id.as_str(), &row)?;
    }
    tell(txn, &[audit::of_suspension(suspension)])?;
    Ok(true)
}

/// The key of the note that requests are in a queue.
const REQUESTS_QUEUE: &str = "requests queue";

/// Puts the requests of earlier releases into the queue, once.
pub(super) fn upgrade(txn: &Writing) -> Result<()> {
    if txn.get::<i64>(COUNTS, REQUESTS_QUEUE)?.is_some() {
        return Ok(());
    }
    let all = Span { from: "", to: "~", backwards: false, limit: usize::MAX };
    for (_, row) in txn.list::<DucklingRow>(DUCKLINGS, &all)? {
        let duckling = row.read()?;
        if let Some(request) = &duckling.tier_request {
            txn.put(REQUESTS, &place(request, &duckling.id), &())?;
        }
    }
    txn.put(COUNTS, REQUESTS_QUEUE, &1_i64)
}
