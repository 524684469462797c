//! New pecks and lists of them, and how many wait.

use beak_core::audit::of_peck;
use beak_core::id::DucklingId;
use beak_core::peck::{
    Direction, Peck, PeckStatus, WAITING_FOR_A_PAIR, WAITING_ON_A_TARGET,
    WAITING_ON_A_TARGET_FROM_T0,
};
use beak_core::ports::{Crowd, Idempotency, Listed, Move, Page, PeckQuery, Pecked};
use beak_core::tier::Tier;
use beak_core::{Duration, Result};

use super::changes::duckling;
use super::rows::{Millis, PeckRow, RepeatRow, millis};
use super::{audit, moves};
use crate::db::{
    BLOCKS, COUNTS, DUE, PAIRS, PECKS, REPEATS, Reading, SIDES, Span, WAITING, Writing,
};

/// How long a repeated call is known as such.
const REPEAT_LIFETIME: Duration = Duration::hours(24);

/// How many pecks a filtered list reads at most before it answers.
const LOOKED_AT: usize = 1000;

pub(super) fn peck_due(peck: &Peck) -> String {
    format!("{:015}#peck#{}", millis(peck.expires_at), peck.id)
}

pub(super) fn pair(peck: &Peck) -> String {
    format!("{}#{}#{}", peck.source, peck.target, peck.kind.as_str())
}

pub(super) fn side(direction: Direction, party: &DucklingId, end: &str) -> String {
    let word = if direction == Direction::In { "in" } else { "out" };
    format!("{word}#{party}#{end}")
}

pub(super) fn peck_of(txn: &Writing, id: &str) -> Result<Option<Peck>> {
    txn.get::<PeckRow>(PECKS, id)?.map(PeckRow::read).transpose()
}

pub(super) fn block(owner: &DucklingId, other: &DucklingId) -> String {
    format!("{owner}#{other}")
}

pub(super) fn forget_blocks(txn: &Writing, owner: &DucklingId) -> Result<()> {
    let (from, to) = (format!("{owner}#"), format!("{owner}#~"));
    let span = Span { from: &from, to: &to, backwards: false, limit: usize::MAX };
    for (key, _) in txn.list::<Millis>(BLOCKS, &span)? {
        txn.remove(BLOCKS, &key)?;
    }
    Ok(())
}

/// The counts that a peck is part of while it waits, and how far each may go.
fn waiting(peck: &Peck) -> Vec<(Crowd, String, u32)> {
    // Asked before there were counts.
    let Some(tier) = peck.source_tier else { return Vec::new() };
    let (source, target) = (&peck.source, &peck.target);
    let mut counts = vec![
        (Crowd::Source, side(Direction::Out, source, ""), tier.waiting_pecks()),
        (Crowd::Target, side(Direction::In, target, ""), WAITING_ON_A_TARGET),
        (Crowd::Pair, format!("pair#{source}#{target}"), WAITING_FOR_A_PAIR),
    ];
    if tier == Tier::T0 {
        let name = side(Direction::In, target, "T0");
        counts.push((Crowd::Target, name, WAITING_ON_A_TARGET_FROM_T0));
    }
    counts
}

/// Adds a peck to those that wait, or takes it away.
pub(super) fn count_waiting(txn: &Writing, peck: &Peck, by: i64) -> Result<()> {
    waiting(peck).iter().try_for_each(|(_, name, _)| txn.count_in(WAITING, name, by))
}

/// Whether pecks from or for a duckling wait.
pub(super) fn are_waiting(txn: &Writing, party: &DucklingId) -> Result<bool> {
    for direction in [Direction::In, Direction::Out] {
        if txn.get::<i64>(WAITING, &side(direction, party, ""))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(crate) fn add(txn: &Writing, peck: &Peck, idempotency: Option<&Idempotency>) -> Result<Pecked> {
    let now = peck.created_at;
    if let Some(given) = idempotency {
        let row = txn.get::<RepeatRow>(REPEATS, &given.key)?;
        if let Some(row) = row.filter(|row| row.until > millis(now)) {
            let earlier = peck_of(txn, &row.peck_id)?.filter(|_| row.content == given.content);
            return Ok(earlier.map_or(Pecked::KeyTaken, Pecked::Repeated));
        }
    }
    if let Some(refusal) = refusal(txn, peck)? {
        return Ok(refusal);
    }
    txn.put(PECKS, peck.id.as_str(), &PeckRow::from(peck))?;
    txn.put(SIDES, &side(Direction::Out, &peck.source, peck.id.as_str()), &())?;
    txn.put(SIDES, &side(Direction::In, &peck.target, peck.id.as_str()), &())?;
    txn.put(PAIRS, &pair(peck), peck.id.as_str())?;
    txn.put(DUE, &peck_due(peck), peck.id.as_str())?;
    count_waiting(txn, peck, 1)?;
    txn.count(PeckStatus::Pending.word(), 1)?;
    audit::tell(txn, &[of_peck(peck)])?;
    if let Some(given) = idempotency {
        let until = millis(now + REPEAT_LIFETIME);
        let (content, peck_id) = (given.content.clone(), peck.id.to_string());
        txn.put(REPEATS, &given.key, &RepeatRow { content, peck_id, until })?;
    }
    Ok(Pecked::Done)
}

/// Why there can be no such peck, if there can't. A lapsed one in its place is put away.
fn refusal(txn: &Writing, peck: &Peck) -> Result<Option<Pecked>> {
    let takes_part = |id: &DucklingId| {
        Ok::<_, beak_core::BeakError>(duckling(txn, id.as_str())?.is_some_and(|d| !d.is_leaving))
    };
    let blocked = txn.get::<Millis>(BLOCKS, &block(&peck.target, &peck.source))?.is_some();
    if blocked || !takes_part(&peck.target)? {
        return Ok(Some(Pecked::NoTarget));
    }
    if !takes_part(&peck.source)? {
        return Ok(Some(Pecked::NoSource));
    }
    let earlier = txn.get::<String>(PAIRS, &pair(peck))?;
    let earlier = earlier.map(|id| peck_of(txn, &id)).transpose()?.flatten();
    if let Some(earlier) = earlier {
        match earlier.status_at(peck.created_at) {
            PeckStatus::Pending => return Ok(Some(Pecked::AlreadyPending)),
            PeckStatus::Approved => return Ok(Some(Pecked::AlreadyBonded)),
            _ => moves::apply(txn, &earlier.id, &Move::Expire, peck.created_at)?,
        };
    }
    for (crowd, name, limit) in waiting(peck) {
        if txn.get::<i64>(WAITING, &name)?.unwrap_or(0) >= i64::from(limit) {
            return Ok(Some(Pecked::Crowded(crowd)));
        }
    }
    Ok(None)
}

pub(super) fn list(txn: &Reading, asked: &PeckQuery, page: &Page) -> Result<Listed<Peck>> {
    let from = side(asked.direction, &asked.party, "");
    let to = side(asked.direction, &asked.party, page.after.as_deref().unwrap_or("~"));
    // Bounded: a filter that fits little must not read a long life's worth of pecks.
    let span = Span { from: &from, to: &to, backwards: true, limit: LOOKED_AT };
    let keys = txn.list::<()>(SIDES, &span)?;
    let (mut items, mut next) = (Vec::new(), None);
    let last = keys.len() == LOOKED_AT;
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
}

/// Under which name it is kept that bonds keep their pairs.
const BONDS_KEEP_PAIRS: &str = "bonds keep pairs";

/// Gives the bonds of earlier releases their pairs, once.
pub(super) fn upgrade(txn: &Writing) -> Result<()> {
    if txn.get::<i64>(COUNTS, BONDS_KEEP_PAIRS)?.is_some() {
        return Ok(());
    }
    let all = Span { from: "", to: "\u{7f}", backwards: false, limit: usize::MAX };
    for (id, row) in txn.list::<PeckRow>(PECKS, &all)? {
        let peck = row.read()?;
        let name = pair(&peck);
        if peck.stored == PeckStatus::Approved && txn.get::<String>(PAIRS, &name)?.is_none() {
            txn.put(PAIRS, &name, &id)?;
        }
    }
    txn.put(COUNTS, BONDS_KEEP_PAIRS, &1_i64)
}
