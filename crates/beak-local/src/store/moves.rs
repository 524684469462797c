//! Pecks on their way from state to state.

use beak_core::certificate::CertStatus;
use beak_core::id::PeckId;
use beak_core::peck::{Peck, PeckStatus};
use beak_core::ports::{Move, Moved, Side};
use beak_core::{BeakError, OffsetDateTime, Result, audit};

use super::audit::tell;
use super::changes::{duckling, promote};
use super::pecks::{count_waiting, pair, peck_due, peck_of};
use super::rows::{DucklingRow, PeckRow};
use crate::db::{DUCKLINGS, DUE, PAIRS, PECKS, Writing};

/// Moves a peck on, if it is in the state where the move starts.
pub(super) fn apply(txn: &Writing, id: &PeckId, to: &Move, now: OffsetDateTime) -> Result<Moved> {
    let gone = || BeakError::NotFound("such peck");
    let peck = peck_of(txn, id.as_str())?.ok_or_else(gone)?;
    let standing = peck.status_at(now);
    let (start, end) = match to {
        Move::Approve { .. } => (PeckStatus::Pending, PeckStatus::Approved),
        Move::Deny => (PeckStatus::Pending, PeckStatus::Denied),
        Move::Withdraw => (PeckStatus::Pending, PeckStatus::Revoked),
        Move::Revoke => (PeckStatus::Approved, PeckStatus::Revoked),
        Move::Expire => (PeckStatus::Expired, PeckStatus::Expired),
    };
    // An expiry is written once only.
    if standing != start || (start == end && peck.stored != PeckStatus::Pending) {
        return Ok(Moved::Elsewhere(standing));
    }
    match to {
        Move::Approve { source, target } => {
            for side in [source, target] {
                if let Some(refusal) = refusal(txn, side)? {
                    return Ok(refusal);
                }
            }
            for side in [source, target] {
                bind(txn, side)?;
            }
            txn.count("connections", 1)?;
        }
        Move::Revoke => {
            for id in [&peck.source, &peck.target] {
                unbind(txn, id.as_str())?;
            }
            txn.count("connections", -1)?;
        }
        Move::Deny | Move::Withdraw | Move::Expire => {}
    }
    tell(txn, &audit::of_move(&peck, to, now))?;
    settle(txn, peck, end, now)?;
    Ok(Moved::Done)
}

fn settle(txn: &Writing, mut peck: Peck, end: PeckStatus, now: OffsetDateTime) -> Result<()> {
    if peck.stored == PeckStatus::Pending {
        txn.remove(DUE, &peck_due(&peck))?;
        count_waiting(txn, &peck, -1)?;
    }
    // A bond keeps its pair; one of an earlier release may have lost it to another peck.
    let own = txn.get::<String>(PAIRS, &pair(&peck))?.is_some_and(|id| id == peck.id.as_str());
    if own && end != PeckStatus::Approved {
        txn.remove(PAIRS, &pair(&peck))?;
    }
    txn.count(peck.stored.word(), -1)?;
    txn.count(end.word(), 1)?;
    peck.stored = end;
    peck.settled_at = Some(if end == PeckStatus::Expired { peck.expires_at } else { now });
    txn.put(PECKS, peck.id.as_str(), &PeckRow::from(&peck))
}

/// Why a side can't be bound, if it can't.
fn refusal(txn: &Writing, side: &Side) -> Result<Option<Moved>> {
    let Some(now) = duckling(txn, side.id.as_str())? else { return Ok(Some(Moved::Stale)) };
    let replaced = side
        .promotion
        .as_ref()
        .is_some_and(|p| p.replaces != now.cert_id || now.cert_status != CertStatus::Valid);
    if now.tier != side.tier || replaced {
        return Ok(Some(Moved::Stale));
    }
    let full = now.bonds >= side.limit;
    Ok(full.then(|| Moved::Full(side.id.clone())))
}

fn bind(txn: &Writing, side: &Side) -> Result<()> {
    let Some(mut duckling) = duckling(txn, side.id.as_str())? else { return Ok(()) };
    duckling.bonds += 1;
    if let Some(promotion) = &side.promotion {
        promote(txn, &mut duckling, promotion)?;
    }
    txn.put(DUCKLINGS, side.id.as_str(), &DucklingRow::from(&duckling))
}

fn unbind(txn: &Writing, id: &str) -> Result<()> {
    let Some(mut duckling) = duckling(txn, id)? else { return Ok(()) };
    duckling.bonds = duckling.bonds.saturating_sub(1);
    txn.put(DUCKLINGS, id, &DucklingRow::from(&duckling))
}
