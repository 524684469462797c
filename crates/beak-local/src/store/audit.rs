//! What has happened, kept under the name of each party and once for all.

use beak_core::audit::{Event, KEPT};
use beak_core::ports::{EventQuery, Listed, Page};
use beak_core::{OffsetDateTime, Result};

use super::rows::{EventRow, millis};
use crate::db::{EVENTS, Reading, Span, Writing};

/// The key of the list of all events.
const ALL: &str = "*";

fn key(of: &str, id: &str) -> String {
    format!("{of}#{id}")
}

/// Writes events down, as part of the change that they tell of.
pub(super) fn tell(txn: &Writing, events: &[Event]) -> Result<()> {
    for event in events {
        let row = EventRow::from(event);
        txn.put(EVENTS, &key(ALL, event.id.as_str()), &row)?;
        for party in event.parties() {
            txn.put(EVENTS, &key(party.as_str(), event.id.as_str()), &row)?;
        }
    }
    Ok(())
}

pub(super) fn list(txn: &Reading, asked: &EventQuery, page: &Page) -> Result<Listed<Event>> {
    let of = asked.of.as_ref().map_or(ALL, |id| id.as_str());
    let oldest = millis(asked.now - KEPT);
    let (from, to) = (key(of, ""), key(of, page.after.as_deref().unwrap_or("~")));
    let span = Span { from: &from, to: &to, backwards: true, limit: page.limit + 1 };
    let mut rows: Vec<_> = txn.list::<EventRow>(EVENTS, &span)?;
    rows.retain(|(_, row)| row.at > oldest);
    let more = rows.len() > page.limit;
    rows.truncate(page.limit);
    let items = rows.into_iter().map(|(_, row)| row.read()).collect::<Result<Vec<_>>>()?;
    let next = items.last().filter(|_| more).map(|event| event.id.to_string());
    Ok(Listed { items, next })
}

/// Forgets what is too old, oldest first.
pub(super) fn tidy(txn: &Writing, now: OffsetDateTime) -> Result<()> {
    let oldest = millis(now - KEPT);
    let (from, to) = (key(ALL, ""), key(ALL, "~"));
    loop {
        let span = Span { from: &from, to: &to, backwards: false, limit: 1000 };
        let rows = txn.list::<EventRow>(EVENTS, &span)?;
        let old: Vec<_> = rows.into_iter().take_while(|(_, row)| row.at <= oldest).collect();
        if old.is_empty() {
            return Ok(());
        }
        for (key_of_all, row) in old {
            txn.remove(EVENTS, &key_of_all)?;
            let event = row.read()?;
            for party in event.parties() {
                txn.remove(EVENTS, &key(party.as_str(), event.id.as_str()))?;
            }
        }
    }
}
