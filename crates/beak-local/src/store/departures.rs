//! Deletions that have begun.

use beak_core::Result;
use beak_core::certificate::CertStatus;
use beak_core::id::DucklingId;
use beak_core::ports::{Departure, Listed, Page};
use beak_core::tier::Note;
use serde::{Deserialize, Serialize};

use super::rows::{CertificateRow, DucklingRow};
use crate::db::{CERTIFICATES, DUCKLINGS, LEAVING, Reading, Span, Writing};

/// A deletion under the id of its duckling.
#[derive(Serialize, Deserialize)]
pub(super) struct DepartureRow {
    pub(super) reason: Option<String>,
    pub(super) account_ended: bool,
}

impl DepartureRow {
    pub(super) fn read(self, id: &str) -> Result<Departure> {
        Ok(Departure {
            id: DucklingId::parse(id)?,
            reason: self.reason.as_deref().map(Note::parse).transpose()?,
            account_ended: self.account_ended,
        })
    }
}

pub(super) fn leave(txn: &Writing, departure: &Departure) -> Result<()> {
    let id = departure.id.as_str();
    let Some(mut row) = txn.get::<DucklingRow>(DUCKLINGS, id)? else { return Ok(()) };
    let revoked = CertStatus::Revoked.word();
    if let Some(mut certificate) = txn.get::<CertificateRow>(CERTIFICATES, &row.cert_id)? {
        revoked.clone_into(&mut certificate.status);
        txn.put(CERTIFICATES, &row.cert_id, &certificate)?;
    }
    revoked.clone_into(&mut row.cert_status);
    row.is_leaving = true;
    txn.put(DUCKLINGS, id, &row)?;
    let reason = departure.reason.as_ref().map(|reason| reason.as_str().to_owned());
    txn.put(LEAVING, id, &DepartureRow { reason, account_ended: departure.account_ended })
}

pub(super) fn departure(txn: &Reading, id: &DucklingId) -> Result<Option<Departure>> {
    let row = txn.get::<DepartureRow>(LEAVING, id.as_str())?;
    row.map(|row| row.read(id.as_str())).transpose()
}

pub(super) fn departures(txn: &Reading, page: &Page) -> Result<Listed<Departure>> {
    // A space sorts before every character of an id: the first key after `after`.
    let from = page.after.as_ref().map_or(String::new(), |after| format!("{after} "));
    let span = Span { from: &from, to: "~", backwards: false, limit: page.limit + 1 };
    let mut rows = txn.list::<DepartureRow>(LEAVING, &span)?;
    let more = rows.len() > page.limit;
    rows.truncate(page.limit);
    let next = rows.last().filter(|_| more).map(|(id, _)| id.clone());
    let items = rows.into_iter().map(|(id, row)| row.read(&id)).collect::<Result<_>>()?;
    Ok(Listed { items, next })
}
