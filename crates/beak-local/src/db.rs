//! The database file: opening it, reading, and writing in durable transactions.
//!
//! Every table maps text to JSON. The file has one owner at a time; redb holds a lock on it.

mod whole;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use beak_core::{BeakError, Result};
use redb::{Database, ReadTransaction, ReadableDatabase as _, ReadableTable};
use redb::{ReadableTableMetadata as _, TableDefinition, TableError, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use self::whole::LAST;

/// A table.
pub(crate) type Table = TableDefinition<'static, &'static str, &'static [u8]>;

/// E-mail address → egg.
pub(crate) const EGGS: Table = Table::new("eggs");
/// Id → duckling.
pub(crate) const DUCKLINGS: Table = Table::new("ducklings");
/// E-mail address → duckling id.
pub(crate) const EMAILS: Table = Table::new("emails");
/// Hash of a Beak Key → duckling id.
pub(crate) const KEYS: Table = Table::new("keys");
/// Id → peck.
pub(crate) const PECKS: Table = Table::new("pecks");
/// Side, duckling and peck id → nothing.
pub(crate) const SIDES: Table = Table::new("sides");
/// Source, target and type of a peck that waits or is a bond → its id.
pub(crate) const PAIRS: Table = Table::new("pairs");
/// Duckling, or pair, and direction → how many pecks wait.
pub(crate) const WAITING: Table = Table::new("waiting");
/// Owner and other → since when the owner refuses the other's pecks.
pub(crate) const BLOCKS: Table = Table::new("blocks");
/// Duckling → how far its deletion has come.
pub(crate) const LEAVING: Table = Table::new("leaving");
/// Time and duckling → nothing, for each request for T2 that waits.
pub(crate) const REQUESTS: Table = Table::new("requests");
/// What lapses, by its time.
pub(crate) const DUE: Table = Table::new("due");
/// What lapsed and could not be put away, by its time.
pub(crate) const ASIDE: Table = Table::new("aside");
/// Id → certificate.
pub(crate) const CERTIFICATES: Table = Table::new("certificates");
/// Duckling and certificate id → nothing.
pub(crate) const OWNED: Table = Table::new("owned");
/// Id of a signing key → its public half, as hex.
pub(crate) const SIGNING_KEYS: Table = Table::new("signing_keys");
/// Address of a galaxy whose certificates came with an import → nothing.
pub(crate) const ISSUERS: Table = Table::new("issuers");
/// Duckling, or `*` for all, and event id → event.
pub(crate) const EVENTS: Table = Table::new("events");
/// Hash of a newsletter's token → whose offer it is.
pub(crate) const OFFERS: Table = Table::new("offers");
/// E-mail address → since when it gets the newsletter.
pub(crate) const READERS: Table = Table::new("readers");
/// Number of a mail and a word → when a receiver told so.
pub(crate) const REPORTS: Table = Table::new("reports");
/// Digest of an address that is not mailed any more → why.
pub(crate) const UNREACHABLE: Table = Table::new("unreachable");
/// Idempotency key → what it made.
pub(crate) const REPEATS: Table = Table::new("repeats");
/// What may be done once in a while → when next.
pub(crate) const TURNS: Table = Table::new("turns");
/// What it is about and the address's digest → what happened not long ago.
pub(crate) const JOURNALS: Table = Table::new("journals");
/// The address's digest, and an attempt's id or the client's digest → the attempt to hatch.
pub(crate) const ATTEMPTS: Table = Table::new("attempts");
/// Id of an account → which attempt made it, and whether its password counts.
pub(crate) const ACCOUNTS: Table = Table::new("accounts");
/// Name → count.
pub(crate) const COUNTS: Table = Table::new("counts");
/// E-mail address → password, code.
pub(crate) const PEOPLE: Table = Table::new("people");
/// The address's digest → which tokens count, and the second factor.
pub(crate) const SIGN_INS: Table = Table::new("sign_ins");
/// Hash of a token → whose it was, in earlier releases.
const TOKENS: Table = Table::new("tokens");
/// Number → mail.
pub(crate) const OUTBOX: Table = Table::new("outbox");
/// What an import needs while it looks at everything once more; gone when it is done.
pub(crate) const SCRATCH: Table = Table::new("scratch");

pub(crate) const ALL: [Table; 31] = [
    EGGS,
    DUCKLINGS,
    EMAILS,
    KEYS,
    PECKS,
    SIDES,
    PAIRS,
    WAITING,
    BLOCKS,
    LEAVING,
    REQUESTS,
    DUE,
    ASIDE,
    CERTIFICATES,
    OWNED,
    SIGNING_KEYS,
    ISSUERS,
    EVENTS,
    OFFERS,
    READERS,
    REPORTS,
    UNREACHABLE,
    REPEATS,
    TURNS,
    JOURNALS,
    ATTEMPTS,
    ACCOUNTS,
    COUNTS,
    PEOPLE,
    SIGN_INS,
    OUTBOX,
];

/// The open database.
pub(crate) struct Db {
    path: PathBuf,
    /// `None` only if opening it again has failed after the disk had failed.
    open: RwLock<Option<Database>>,
    /// Whether the last write failed for want of the disk.
    is_failing: AtomicBool,
}

impl Db {
    /// Opens the file or makes it. `cache` is how many bytes of it are in memory, unless redb's own
    /// choice is right.
    pub(crate) fn open(
        path: &Path,
        cache: Option<usize>,
    ) -> std::result::Result<Self, redb::Error> {
        let mut builder = Database::builder();
        if let Some(bytes) = cache {
            builder.set_cache_size(bytes);
        }
        let database = builder.create(path)?;
        let txn = database.begin_write()?;
        for table in ALL {
            txn.open_table(table)?;
        }
        txn.delete_table(TOKENS)?;
        txn.commit()?;
        let open = RwLock::new(Some(database));
        Ok(Self { path: path.to_owned(), open, is_failing: AtomicBool::new(false) })
    }

    /// Reads; everything that `f` sees is of one moment.
    pub(crate) fn read<T>(&self, f: impl FnOnce(&Reading) -> Result<T>) -> Result<T> {
        let result = self.with(|database| {
            let txn = database.begin_read().map_err(broken)?;
            f(&Reading(txn))
        });
        self.recover(result)
    }

    /// Writes: all of what `f` does, on disk when this returns, or nothing. Off the async threads,
    /// because a commit waits for the disk.
    pub(crate) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        f: impl FnOnce(&Writing) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let db = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let result = db.write_now(f);
            db.recover(result)
        });
        done.await.map_err(|error| BeakError::Internal(error.to_string()))?
    }

    /// The same on this thread, before any async one waits.
    pub(crate) fn write_now<T>(&self, f: impl FnOnce(&Writing) -> Result<T>) -> Result<T> {
        let written = self.with(|database| {
            let writing = Writing(database.begin_write().map_err(broken)?);
            // On an error the transaction is dropped, and with it all that it did.
            let value = f(&writing)?;
            writing.0.commit().map_err(broken)?;
            Ok(value)
        });
        // A later write that is kept says little: it may fit where a larger one did not.
        if matches!(written, Err(BeakError::Unavailable(_))) {
            self.is_failing.store(true, Ordering::Relaxed);
        }
        written
    }

    /// Whether what is written now would be kept. After a failure that is tried out, with more than
    /// the pages hold that the database has free.
    pub(crate) async fn takes_writes(self: &Arc<Self>) -> bool {
        const TRY: &str = "last try";
        if !self.is_failing.load(Ordering::Relaxed) {
            return true;
        }
        let much = "x".repeat(1 << 18);
        let tried = self.write(move |txn| txn.put(COUNTS, TRY, &much)).await;
        let takes = tried.is_ok() && self.write(|txn| txn.remove(COUNTS, TRY)).await.is_ok();
        if takes {
            self.is_failing.store(false, Ordering::Relaxed);
        }
        takes
    }

    fn with<T>(&self, f: impl FnOnce(&Database) -> Result<T>) -> Result<T> {
        let guard = self.open.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let closed = || BeakError::Unavailable("the database is closed".into());
        f(guard.as_ref().ok_or_else(closed)?)
    }

    /// After a failure of the disk redb answers nothing any more until the file is opened again,
    /// so that is tried after every such failure: a full disk that was cleared heals by itself.
    fn recover<T>(&self, result: Result<T>) -> Result<T> {
        if matches!(&result, Err(BeakError::Unavailable(_))) {
            let mut guard = self.open.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            drop(guard.take());
            *guard = Database::create(&self.path).ok();
        }
        result
    }
}

/// What redb says, in the Beak's words.
pub(crate) fn broken(error: impl Into<redb::Error>) -> BeakError {
    match error.into() {
        error @ (redb::Error::Io(_) | redb::Error::PreviousIo | redb::Error::DatabaseClosed) => {
            BeakError::Unavailable(error.to_string())
        }
        error @ redb::Error::Corrupted(_) => BeakError::Damaged(error.to_string()),
        error => BeakError::Internal(error.to_string()),
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| BeakError::Damaged(format!("an entry can't be read: {error}")))
}

fn look<T: DeserializeOwned>(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    key: &str,
) -> Result<Option<T>> {
    let found = table.get(key).map_err(broken)?;
    found.map(|guard| decode(guard.value())).transpose()
}

/// An entry's key and value.
pub(crate) type Entry<T> = (String, T);

fn walk<T: DeserializeOwned>(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    span: &Span<'_>,
) -> Result<Vec<Entry<T>>> {
    let range = table.range(span.from..span.to).map_err(broken)?;
    let decoded = |entry: std::result::Result<_, redb::StorageError>| {
        let (key, value): (redb::AccessGuard<&str>, redb::AccessGuard<&[u8]>) =
            entry.map_err(broken)?;
        Ok((key.value().to_owned(), decode(value.value())?))
    };
    if span.backwards {
        return range.rev().take(span.limit).map(decoded).collect();
    }
    range.take(span.limit).map(decoded).collect()
}

fn walk_raw(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    span: &Span<'_>,
) -> Result<Vec<Entry<Vec<u8>>>> {
    let range = table.range(span.from..span.to).map_err(broken)?;
    let copied = |entry: std::result::Result<_, redb::StorageError>| {
        let (key, value): (redb::AccessGuard<&str>, redb::AccessGuard<&[u8]>) =
            entry.map_err(broken)?;
        Ok((key.value().to_owned(), value.value().to_vec()))
    };
    range.take(span.limit).map(copied).collect()
}

/// Which entries of a table: keys from `from` up to, not including, `to`.
pub(crate) struct Span<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) backwards: bool,
    pub(crate) limit: usize,
}

/// A moment of the database.
pub(crate) struct Reading(ReadTransaction);

impl Reading {
    pub(crate) fn get<T: DeserializeOwned>(&self, table: Table, key: &str) -> Result<Option<T>> {
        look(&self.0.open_table(table).map_err(broken)?, key)
    }

    pub(crate) fn list<T: DeserializeOwned>(
        &self,
        table: Table,
        span: &Span<'_>,
    ) -> Result<Vec<Entry<T>>> {
        walk(&self.0.open_table(table).map_err(broken)?, span)
    }

    /// Entries as they are, readable or not, from the front.
    pub(crate) fn list_raw(&self, table: Table, span: &Span<'_>) -> Result<Vec<Entry<Vec<u8>>>> {
        walk_raw(&self.0.open_table(table).map_err(broken)?, span)
    }

    /// How many entries a table has.
    pub(crate) fn len(&self, table: Table) -> Result<u64> {
        self.0.open_table(table).map_err(broken)?.len().map_err(broken)
    }
}

/// An open transaction. Conditions first, writes after them: returning `Ok` commits.
pub(crate) struct Writing(WriteTransaction);

impl Writing {
    fn table(&self, table: Table) -> Result<redb::Table<'_, &'static str, &'static [u8]>> {
        self.0.open_table(table).map_err(|error: TableError| broken(error))
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, table: Table, key: &str) -> Result<Option<T>> {
        look(&self.table(table)?, key)
    }

    pub(crate) fn list<T: DeserializeOwned>(
        &self,
        table: Table,
        span: &Span<'_>,
    ) -> Result<Vec<Entry<T>>> {
        walk(&self.table(table)?, span)
    }

    pub(crate) fn put<T: Serialize + ?Sized>(
        &self,
        table: Table,
        key: &str,
        value: &T,
    ) -> Result<()> {
        let json = serde_json::to_vec(value).map_err(|e| BeakError::Internal(e.to_string()))?;
        self.table(table)?.insert(key, json.as_slice()).map_err(broken)?;
        Ok(())
    }

    /// Entries as they are, readable or not, from the front.
    pub(crate) fn list_raw(&self, table: Table, span: &Span<'_>) -> Result<Vec<Entry<Vec<u8>>>> {
        walk_raw(&self.table(table)?, span)
    }

    pub(crate) fn put_raw(&self, table: Table, key: &str, value: &[u8]) -> Result<()> {
        self.table(table)?.insert(key, value).map_err(broken)?;
        Ok(())
    }

    pub(crate) fn remove(&self, table: Table, key: &str) -> Result<bool> {
        Ok(self.table(table)?.remove(key).map_err(broken)?.is_some())
    }

    /// Keeps only the entries that `keep` accepts.
    pub(crate) fn retain<T: DeserializeOwned>(
        &self,
        table: Table,
        keep: impl Fn(&T) -> bool,
    ) -> Result<()> {
        let keep = |_: &str, json: &[u8]| serde_json::from_slice(json).is_ok_and(|v| keep(&v));
        self.table(table)?.retain(keep).map_err(broken)
    }

    /// Adds to a count.
    pub(crate) fn count(&self, name: &str, by: i64) -> Result<()> {
        let now: i64 = self.get(COUNTS, name)?.unwrap_or(0);
        self.put(COUNTS, name, &(now + by))
    }

    /// Adds to a count that is kept only while it is not zero.
    pub(crate) fn count_in(&self, table: Table, name: &str, by: i64) -> Result<()> {
        match self.get(table, name)?.unwrap_or(0_i64) + by {
            0 => self.remove(table, name).map(|_| ()),
            now => self.put(table, name, &now),
        }
    }
}
