//! Exports of local galaxies: into a data folder, and out of one.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

use beak_local::LocalError;
use beak_local::transfer::{self, Entry, Repairs};

use super::{Line, Pen, Reader};
use crate::failure::{Failure, Kind};

/// What a local galaxy is called in an export.
const LOCAL: &str = "local";

impl From<LocalError> for Failure {
    fn from(error: LocalError) -> Self {
        let kind = match error {
            LocalError::Occupied(_) | LocalError::InUse(_) => Kind::Refused,
            _ => Kind::Input,
        };
        Self::new(kind, error.to_string()).help(error.help())
    }
}

/// Fills a data folder with an export: with all of it, or not at all. What was put right in it.
pub fn into_folder(input: impl BufRead, folder: &Path) -> Result<Repairs, Failure> {
    let mut reader = Reader::new(input);
    transfer::import(folder, std::iter::from_fn(|| reader.next_line().transpose()).map(entry))
}

fn entry(line: Result<Line, Failure>) -> Result<Entry, Failure> {
    Ok(match line? {
        Line::Item { table, item } | Line::Changed { table, item } => Entry::Item { table, item },
        Line::Gone { table, key } => Entry::Gone { table, key },
        Line::Person { email, confirmed, operator } => Entry::Person { email, confirmed, operator },
        Line::Head { .. } | Line::End { .. } => {
            return Err(Failure::bug("a reader gave the frame of an export"));
        }
    })
}

/// Writes a data folder as an export. How many lines there are of each sort.
pub fn from_folder(
    folder: &Path,
    now: u64,
    mut take: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<BTreeMap<String, u64>, Failure> {
    let mut pen = Pen::default();
    take(&pen.head(LOCAL, now)?)?;
    transfer::export(folder, |entry| {
        take(&pen.line(&match entry {
            Entry::Item { table, item } => Line::Item { table, item },
            Entry::Gone { table, key } => Line::Gone { table, key },
            Entry::Person { email, confirmed, operator } => {
                Line::Person { email, confirmed, operator }
            }
        })?)
    })?;
    let counts = pen.counts.clone();
    take(&pen.end()?)?;
    Ok(counts)
}
