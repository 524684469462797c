//! An export taken apart on this machine's disk, checked and made whole, before any of it is
//! written anywhere else.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

use beak_local::transfer::{self, Entry};
use tempfile::TempDir;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinHandle;

use super::into_folder;
use crate::failure::{Failure, Kind};
use crate::ports::Account;
use serde_json::Value;

/// `BatchWriteItem` takes this many items. Source: Amazon `DynamoDB` API Reference.
const BATCH: usize = 25;

/// How many batches wait at most for the one who writes them.
const AHEAD: usize = 16;

/// A folder that goes when this goes, readable by its owner only.
pub struct Spool {
    folder: TempDir,
    repairs: Vec<String>,
}

/// Something of an export to write.
pub(super) enum Batch {
    /// Items of a table.
    Items(String, Vec<Value>),
    /// A person.
    Person(Account),
}

impl Spool {
    /// Reads an export. Its folder is beside the file if that is allowed: there is room for the
    /// file at least, while a folder for temporary files may be in memory.
    pub fn fill(input: impl BufRead, beside: &Path) -> Result<Self, Failure> {
        let named = || tempfile::Builder::new().prefix(".spaceduck-import-").tempdir_in(beside);
        let folder = named().or_else(|_| tempfile::tempdir()).map_err(|error| {
            Failure::new(Kind::Input, "the export can't be unpacked in its folder")
                .cause(error.to_string())
                .help("allow writing in the export's folder, or make room there")
        })?;
        let repairs = into_folder(input, folder.path())?.sentences();
        Ok(Self { folder, repairs })
    }

    /// What was put right in it, a sentence for each sort.
    #[must_use]
    pub fn repairs(&self) -> &[String] {
        &self.repairs
    }

    /// Gives all that there is, in the same order each time: items, then people.
    pub(super) fn batches(&self) -> (Receiver<Batch>, JoinHandle<Result<(), Failure>>) {
        let (sender, receiver) = channel(AHEAD);
        let folder = self.folder.path().to_owned();
        let giving = tokio::task::spawn_blocking(move || {
            let mut waiting = BTreeMap::<String, Vec<Value>>::new();
            // The one who writes has stopped, and says why.
            let send = |batch| sender.blocking_send(batch).map_err(|_| stopped());
            transfer::pass_on(&folder, |entry| match entry {
                Entry::Item { table, item } => {
                    let batch = waiting.entry(table.clone()).or_default();
                    batch.push(item);
                    let full = batch.len() == BATCH;
                    if full { send(Batch::Items(table, std::mem::take(batch))) } else { Ok(()) }
                }
                Entry::Person { email, confirmed, operator } => {
                    for (table, batch) in std::mem::take(&mut waiting) {
                        send(Batch::Items(table, batch))?;
                    }
                    send(Batch::Person(Account { email, confirmed, operator }))
                }
                Entry::Gone { .. } => Ok(()),
            })?;
            let rest = waiting.into_iter().filter(|(_, batch)| !batch.is_empty());
            rest.into_iter().try_for_each(|(table, batch)| send(Batch::Items(table, batch)))
        });
        (receiver, giving)
    }
}

fn stopped() -> Failure {
    Failure::new(Kind::Input, "the import stopped").help("run the same command again")
}
