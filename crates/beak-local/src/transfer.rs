//! Moving a galaxy into a data folder and out of one, as the items and accounts that
//! `spaceduck export` writes. Both homes read the same items.

use std::path::Path;

use beak_api::system::{SystemClock, SystemEntropy};
use beak_core::BeakError;
use beak_core::ports::{Clock as _, Entropy as _, PublicKey};
use serde_json::Value;

use crate::broken;
use crate::data::{DATABASE, Data};
use crate::db::Writing;
use crate::error::LocalError;
use crate::identity;
pub use crate::store::transfer::{Repair, Repairs};
use crate::store::{millis, transfer};

/// One item of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An item as `DynamoDB` writes it in JSON.
    Item {
        /// The table: `eggs`, `ducklings`, …
        table: String,
        /// Attribute → typed value.
        item: Value,
    },
    /// An item of `DynamoDB` that was removed after it had been given, by its key.
    Gone {
        /// The table.
        table: String,
        /// The attributes of its key.
        key: Value,
    },
    /// An account, without its password.
    Person {
        /// The address.
        email: String,
        /// Whether the address was confirmed by mail.
        confirmed: bool,
        /// Whether the person is an operator.
        operator: bool,
    },
}

/// Fills a data folder in one transaction: an entry that can't be read, or an error of the
/// iterator, leaves the folder as it was. Refuses a folder that already holds people or ducklings.
///
/// Of several states of the same item the last one counts. Guards, queues, counts and bonds are
/// made from the nouns; what was put right so that all of it fits is the answer.
///
/// Accounts get a password that no one knows, so their owners set one with `forgot`. Accounts
/// whose address was never confirmed are left out.
pub fn import<E: From<LocalError>>(
    folder: &Path,
    entries: impl Iterator<Item = Result<Entry, E>>,
) -> Result<Repairs, E> {
    let db = Data::open_lean(folder)?.db;
    let mut random = [0; 32];
    SystemEntropy.fill(&mut random).map_err(broken)?;
    let password = identity::unknown_password(&random).map_err(broken)?;
    let (mut stopped, mut occupied) = (None, false);
    let written = db.write_now(|txn| {
        occupied = !transfer::is_empty(txn)?;
        if occupied {
            return Err(unfit());
        }
        for entry in entries {
            match entry {
                Ok(entry) => take(txn, entry, &password)?,
                Err(error) => {
                    stopped = Some(error);
                    return Err(unfit());
                }
            }
        }
        transfer::make_whole(txn, &password, SystemClock.now())
    });
    match (stopped, written) {
        (Some(error), _) => Err(error),
        (None, Err(_)) if occupied => Err(LocalError::Occupied(folder.to_owned()).into()),
        (None, Err(error @ BeakError::Unavailable(_))) => {
            Err(LocalError::Folder(folder.to_owned(), reason(&error)).into())
        }
        (None, Err(error)) => Err(LocalError::Unfit(reason(&error)).into()),
        (None, Ok(repairs)) => Ok(repairs),
    }
}

fn take(txn: &Writing, entry: Entry, password: &str) -> beak_core::Result<()> {
    match entry {
        Entry::Item { table, item } => transfer::take(txn, &table, &item),
        Entry::Gone { table, key } => transfer::take_back(txn, &table, &key),
        Entry::Person { email, confirmed: true, operator } => {
            identity::move_in(txn, &email, operator, password).map(|_| ())
        }
        Entry::Person { confirmed: false, .. } => Ok(()),
    }
}

fn unfit() -> BeakError {
    BeakError::Internal("the import stopped".into())
}

fn reason(error: &BeakError) -> String {
    error.cause().map_or_else(|| error.to_string(), str::to_owned)
}

/// Gives everything in a data folder that a move carries. Fails if a galaxy is running on the
/// folder, or if there is none in it.
pub fn export<E: From<LocalError>>(
    folder: &Path,
    take: impl FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    let data = existing(folder)?;
    // The key that signs goes into the list of keys, even if nothing was signed with it yet.
    let own = data.public_key()?;
    give(&data, Some(&own), take)
}

/// Gives what an import into a folder has made whole, and nothing of the folder's own.
pub fn pass_on<E: From<LocalError>>(
    folder: &Path,
    take: impl FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    give(&existing(folder)?, None, take)
}

fn existing(folder: &Path) -> Result<Data, LocalError> {
    if !folder.join(DATABASE).exists() {
        return Err(LocalError::NoGalaxy(folder.to_owned()));
    }
    Data::open_lean(folder)
}

fn give<E: From<LocalError>>(
    data: &Data,
    own: Option<&PublicKey>,
    mut take: impl FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    let now = millis(SystemClock.now());
    let mut stopped = None;
    let read = data.db.read(|txn| {
        let mut give = |entry| {
            take(entry).map_err(|error| {
                stopped = Some(error);
                unfit()
            })
        };
        transfer::give(txn, own, now, &mut |table, item| {
            give(Entry::Item { table: table.to_owned(), item })
        })?;
        identity::people(txn, |email, confirmed, operator| {
            give(Entry::Person { email, confirmed, operator })
        })
    });
    match (stopped, read) {
        (Some(error), _) => Err(error),
        (None, read) => Ok(read.map_err(broken)?),
    }
}
