//! When one-time codes were asked for, and how often they were tried since.

use async_trait::async_trait;
use beak_core::Result;
use beak_core::ports::{CodeAsked, Codes};
use serde::{Deserialize, Serialize};

use super::RedbStore;
use super::rows::{Millis, millis, moment};
use crate::db::{CODES, Writing};

#[derive(Serialize, Deserialize)]
struct CodeRow {
    at: Millis,
    until: Millis,
    tries: u32,
}

pub(super) fn tidy(txn: &Writing, now: Millis) -> Result<()> {
    txn.retain(CODES, |row: &CodeRow| row.until > now)
}

/// What was noted, unless a code was asked for since.
fn same(txn: &Writing, asked: &CodeAsked) -> Result<Option<CodeRow>> {
    let row = txn.get::<CodeRow>(CODES, &asked.name)?;
    Ok(row.filter(|row| row.at == millis(asked.at)))
}

#[async_trait]
impl Codes for RedbStore {
    async fn note_code(&self, asked: &CodeAsked) -> Result<()> {
        let name = asked.name.clone();
        let (at, until) = (millis(asked.at), millis(asked.until));
        let row = CodeRow { at, until, tries: asked.tries };
        self.db.write(move |txn| txn.put(CODES, &name, &row)).await
    }

    async fn noted_code(&self, name: &str) -> Result<Option<CodeAsked>> {
        let row = self.db.read(|txn| txn.get::<CodeRow>(CODES, name))?;
        let Some(row) = row else { return Ok(None) };
        let (at, until) = (moment(row.at)?, moment(row.until)?);
        Ok(Some(CodeAsked { name: name.to_owned(), at, until, tries: row.tries }))
    }

    async fn take_try(&self, asked: &CodeAsked, limit: u32) -> Result<bool> {
        let asked = asked.clone();
        let taken = self.db.write(move |txn| {
            let row = same(txn, &asked)?.filter(|row| row.tries < limit);
            let Some(row) = row else { return Ok(false) };
            txn.put(CODES, &asked.name, &CodeRow { tries: row.tries + 1, ..row })?;
            Ok(true)
        });
        taken.await
    }

    async fn give_back(&self, asked: &CodeAsked) -> Result<()> {
        let asked = asked.clone();
        let given = self.db.write(move |txn| {
            let Some(row) = same(txn, &asked)? else { return Ok(()) };
            let tries = row.tries.saturating_sub(1);
            txn.put(CODES, &asked.name, &CodeRow { tries, ..row })
        });
        given.await
    }
}
