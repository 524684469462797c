//! Short journals, such as codes that were sent and guesses that were made.

use async_trait::async_trait;
use beak_core::Result;
use beak_core::ports::{Journal, Journals, Mark};
use serde::{Deserialize, Serialize};

use super::RedbStore;
use super::rows::{Millis, millis, moment};
use crate::db::{JOURNALS, Writing};

#[derive(Serialize, Deserialize)]
struct JournalRow {
    version: u64,
    until: Millis,
    marks: Vec<(Millis, String)>,
    in_a_row: u32,
}

impl From<&Journal> for JournalRow {
    fn from(journal: &Journal) -> Self {
        let mark = |mark: &Mark| (millis(mark.at), mark.what.clone());
        Self {
            version: journal.version,
            until: millis(journal.until),
            marks: journal.marks.iter().map(mark).collect(),
            in_a_row: journal.in_a_row,
        }
    }
}

impl JournalRow {
    fn read(self, name: &str) -> Result<Journal> {
        let mark = |(at, what)| Ok(Mark { at: moment(at)?, what });
        Ok(Journal {
            name: name.to_owned(),
            version: self.version,
            until: moment(self.until)?,
            marks: self.marks.into_iter().map(mark).collect::<Result<_>>()?,
            in_a_row: self.in_a_row,
        })
    }
}

pub(super) fn tidy(txn: &Writing, now: Millis) -> Result<()> {
    txn.retain(JOURNALS, |row: &JournalRow| row.until > now)
}

#[async_trait]
impl Journals for RedbStore {
    async fn journal(&self, name: &str) -> Result<Option<Journal>> {
        let row = self.db.read(|txn| txn.get::<JournalRow>(JOURNALS, name))?;
        row.map(|row| row.read(name)).transpose()
    }

    async fn write_journal(&self, journal: &Journal) -> Result<bool> {
        let (name, row) = (journal.name.clone(), JournalRow::from(journal));
        let written = self.db.write(move |txn| {
            let kept = txn.get::<JournalRow>(JOURNALS, &name)?;
            if kept.map_or(0, |kept| kept.version) + 1 != row.version {
                return Ok(false);
            }
            txn.put(JOURNALS, &name, &row)?;
            Ok(true)
        });
        written.await
    }
}
