//! What has lapsed: counted, and put away.

use beak_core::id::PeckId;
use beak_core::ports::{Lapsed, Move, Swept};
use beak_core::{BeakError, OffsetDateTime, Result};

use super::rows::millis;
use super::{egg_due, egg_of, moves};
use crate::db::{ASIDE, DUE, EGGS, Reading, Span, Writing};

/// The end of what has lapsed. It is not included, and what lapses at this very millisecond has.
fn end(now: OffsetDateTime) -> String {
    format!("{:015}", millis(now) + 1)
}

/// How many have lapsed that were not put away yet.
pub(super) fn lapsed(txn: &Reading, now: OffsetDateTime) -> Result<Lapsed> {
    let end = end(now);
    let span = Span { from: "", to: &end, backwards: false, limit: usize::MAX };
    let mut lapsed = Lapsed::default();
    for (place, _) in txn.list_raw(DUE, &span)? {
        if place.contains("#egg#") {
            lapsed.eggs += 1;
        } else {
            lapsed.pecks += 1;
        }
    }
    Ok(lapsed)
}

/// Whether there is anything to put away.
pub(super) fn is_due(txn: &Reading, now: OffsetDateTime) -> Result<bool> {
    let end = end(now);
    let span = Span { from: "", to: &end, backwards: false, limit: 1 };
    Ok(!txn.list_raw(DUE, &span)?.is_empty())
}

/// Sweeps what has expired.
pub(super) fn sweep(txn: &Writing, now: OffsetDateTime, limit: usize) -> Result<Swept> {
    let end = end(now);
    let span = Span { from: "", to: &end, backwards: false, limit };
    let due = txn.list_raw(DUE, &span)?;
    let mut swept = Swept { found: due.len(), ..Swept::default() };
    for (place, bytes) in due {
        match put_away(txn, &place, &bytes, now) {
            Ok(()) => swept.put_away += 1,
            Err(error @ BeakError::Unavailable(_)) => return Err(error),
            Err(_) => {
                txn.put_raw(ASIDE, &place, &bytes)?;
                swept.put_aside += 1;
            }
        }
        // Whatever became of it, it no longer blocks another.
        txn.remove(DUE, &place)?;
    }
    Ok(swept)
}

fn put_away(txn: &Writing, place: &str, bytes: &[u8], now: OffsetDateTime) -> Result<()> {
    let what: String = serde_json::from_slice(bytes)
        .map_err(|error| BeakError::Internal(format!("a lapsed entry: {error}")))?;
    if place.contains("#peck#") {
        // Settled already is as good.
        return moves::apply(txn, &PeckId::parse(&what)?, &Move::Expire, now).map(|_| ());
    }
    let same = egg_of(txn, &what)?.is_some_and(|egg| egg_due(&egg) == place);
    if same {
        txn.remove(EGGS, &what)?;
    }
    txn.count("eggs", -1)
}
