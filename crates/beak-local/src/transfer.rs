//! Moving a galaxy into a data folder and out of one, as the items and accounts that
//! `spaceduck export` writes. Both homes read the same items.

use std::path::Path;

use beak_api::system::{SystemClock, SystemEntropy};
use beak_core::BeakError;
use beak_core::ports::{Clock as _, Entropy as _};
use serde_json::Value;

use crate::broken;
use crate::data::{DATABASE, Data};
use crate::db::Writing;
use crate::error::LocalError;
use crate::identity;
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
/// Accounts get a password that no one knows, so their owners set one with `forgot`. Accounts
/// whose address was never confirmed are left out.
pub fn import<E: From<LocalError>>(
    folder: &Path,
    entries: impl Iterator<Item = Result<Entry, E>>,
) -> Result<(), E> {
    let db = Data::open(folder)?.db;
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
        Ok(())
    });
    match (stopped, written) {
        (Some(error), _) => Err(error),
        (None, Err(_)) if occupied => Err(LocalError::Occupied(folder.to_owned()).into()),
        (None, Err(error)) => Err(LocalError::Unfit(reason(&error)).into()),
        (None, Ok(())) => Ok(()),
    }
}

fn take(txn: &Writing, entry: Entry, password: &str) -> beak_core::Result<()> {
    match entry {
        Entry::Item { table, item } => transfer::take(txn, &table, &item),
        Entry::Person { email, confirmed: true, operator } => {
            identity::move_in(txn, &email, operator, password)
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
    mut take: impl FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    if !folder.join(DATABASE).exists() {
        return Err(LocalError::NoGalaxy(folder.to_owned()).into());
    }
    let data = Data::open(folder)?;
    // The key that signs goes into the list of keys, even if nothing was signed with it yet.
    let current = data.public_key()?;
    let now = millis(SystemClock.now());
    let mut stopped = None;
    let read = data.db.read(|txn| {
        let mut give = |entry| {
            take(entry).map_err(|error| {
                stopped = Some(error);
                unfit()
            })
        };
        transfer::give(txn, &current, now, &mut |table, item| {
            give(Entry::Item { table: table.to_owned(), item })
        })?;
        for (email, confirmed, operator) in identity::people(txn)? {
            give(Entry::Person { email, confirmed, operator })?;
        }
        Ok(())
    });
    match (stopped, read) {
        (Some(error), _) => Err(error),
        (None, read) => Ok(read.map_err(broken)?),
    }
}
