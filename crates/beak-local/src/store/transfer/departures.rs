//! Deletions that have begun, as items and back.

use beak_core::Result;

use super::ALL_KEYS;
use super::items::{Item, Read};
use crate::db::{LEAVING, Reading, Writing};
use crate::store::departures::DepartureRow;

/// Keeps a deletion, so that the next sweep of the new home goes on with it.
pub(super) fn take(txn: &Writing, id: &str, read: &Read<'_>) -> Result<()> {
    let reason = read.maybe_text("reason").map(str::to_owned);
    let account_ended = read.text("account")? == "ended";
    txn.put(LEAVING, id, &DepartureRow { reason, account_ended })
}

/// The deletions that are not done.
pub(super) fn give(txn: &Reading, give: &mut dyn FnMut(Item) -> Result<()>) -> Result<()> {
    txn.each::<DepartureRow>(LEAVING, ALL_KEYS, |id, row| {
        let account = if row.account_ended { "ended" } else { "there" };
        let item = Item::ledger("leaving", id).text("account", account);
        give(match row.reason {
            Some(reason) => item.text("reason", reason),
            None => item,
        })
    })
}
