//! Whole tables, read from end to end without ever holding all of one.

use beak_core::Result;
use serde::de::DeserializeOwned;

use super::{Reading, Span, Table, Writing, broken, decode};

/// How many entries are in memory at a time where a table may change meanwhile.
const PART: usize = 1000;

/// The end of every table.
pub(crate) const LAST: &str = "\u{10ffff}";

impl Reading {
    /// Gives every entry from one key up to, not including, another one.
    pub(crate) fn each<T: DeserializeOwned>(
        &self,
        table: Table,
        (from, to): (&str, &str),
        mut give: impl FnMut(String, T) -> Result<()>,
    ) -> Result<()> {
        let table = self.0.open_table(table).map_err(broken)?;
        for entry in table.range(from..to).map_err(broken)? {
            let (key, value) = entry.map_err(broken)?;
            give(key.value().to_owned(), decode(value.value())?)?;
        }
        Ok(())
    }
}

impl Writing {
    /// Gives every entry, as it was when its part of the table was read: `give` may change any.
    pub(crate) fn each<T: DeserializeOwned>(
        &self,
        table: Table,
        mut give: impl FnMut(&str, T) -> Result<()>,
    ) -> Result<()> {
        let mut from = String::new();
        loop {
            let span = Span { from: &from, to: LAST, backwards: false, limit: PART };
            let part = self.list::<T>(table, &span)?;
            let Some((last, _)) = part.last() else { return Ok(()) };
            from = format!("{last}\0");
            for (key, row) in part {
                give(&key, row)?;
            }
        }
    }

    /// Removes a whole table.
    pub(crate) fn drop_table(&self, table: Table) -> Result<()> {
        self.0.delete_table(table).map(|_| ()).map_err(broken)
    }
}
