//! Attempts to hatch, and whose passwords count.

use async_trait::async_trait;
use beak_core::id::HatchId;
use beak_core::person::DisplayName;
use beak_core::ports::{AccountId, Accounts, Attempt};
use beak_core::{OffsetDateTime, Result};
use serde::{Deserialize, Serialize};

use super::rows::{Millis, millis, moment};
use super::{RedbStore, operators, pecks};
use crate::db::{ACCOUNTS, ATTEMPTS, COUNTS, EMAILS, PEOPLE, Span, Writing};
use crate::identity::{PersonRow, new_account};

#[derive(Serialize, Deserialize)]
struct AttemptRow {
    id: String,
    from: Option<String>,
    display_name: String,
    at: Millis,
    /// Earlier releases count them here.
    tries: u32,
}

impl AttemptRow {
    fn read(self, address: &str) -> Result<Attempt> {
        Ok(Attempt {
            id: HatchId::parse(&self.id)?,
            address: address.to_owned(),
            from: self.from,
            display_name: DisplayName::kept(&self.display_name),
            at: moment(self.at)?,
        })
    }
}

/// What the galaxy knows of an account.
#[derive(Default, Serialize, Deserialize)]
struct AccountRow {
    made_by: Option<String>,
    settled_at: Option<Millis>,
}

/// Under which count it is kept since when accounts are settled.
const SETTLES_SINCE: &str = "settles-since";

fn key(address: &str, id: &str) -> String {
    format!("{address}#{id}")
}

/// The key of what points to a client's newest attempt.
fn newest_key(address: &str, from: &str) -> String {
    format!("{address}@{from}")
}

pub(crate) fn settle(txn: &Writing, account: &str, now: Millis) -> Result<()> {
    let row = txn.get::<AccountRow>(ACCOUNTS, account)?.unwrap_or_default();
    if row.settled_at.is_some() {
        return Ok(());
    }
    txn.put(ACCOUNTS, account, &AccountRow { settled_at: Some(now), ..row })
}

pub(crate) fn is_settled(txn: &Writing, account: &str) -> Result<bool> {
    let row = txn.get::<AccountRow>(ACCOUNTS, account)?;
    Ok(row.is_some_and(|row| row.settled_at.is_some()))
}

/// Gives ids to the accounts of earlier releases, which had none, and settles those whose password
/// was in use: of ducklings' owners and of operators.
pub(crate) fn upgrade(txn: &Writing, now: Millis) -> Result<()> {
    txn.each::<PersonRow>(PEOPLE, |email, mut row| {
        if !row.account.is_empty() {
            return Ok(());
        }
        row.account = new_account()?;
        let in_use = row.operator || txn.get::<String>(EMAILS, email)?.is_some();
        if row.confirmed && in_use {
            settle(txn, &row.account, now)?;
        }
        txn.put(PEOPLE, email, &row)
    })?;
    operators::upgrade(txn)?;
    pecks::upgrade(txn)
}

#[async_trait]
impl Accounts for RedbStore {
    async fn note_attempt(&self, attempt: &Attempt) -> Result<()> {
        let Attempt { id, address, from, display_name, at } = attempt.clone();
        let row = AttemptRow {
            id: id.to_string(),
            from: from.clone(),
            display_name: display_name.as_str().to_owned(),
            at: millis(at),
            tries: 0,
        };
        let noted = self.db.write(move |txn| {
            txn.put(ATTEMPTS, &key(&address, id.as_str()), &row)?;
            match from {
                Some(from) => txn.put(ATTEMPTS, &newest_key(&address, &from), &row),
                None => Ok(()),
            }
        });
        noted.await
    }

    async fn attempt(&self, address: &str, id: &HatchId) -> Result<Option<Attempt>> {
        let key = key(address, id.as_str());
        let row = self.db.read(|txn| txn.get::<AttemptRow>(ATTEMPTS, &key))?;
        row.map(|row| row.read(address)).transpose()
    }

    async fn newest_attempt(&self, address: &str, from: &str) -> Result<Option<Attempt>> {
        let key = newest_key(address, from);
        let row = self.db.read(|txn| txn.get::<AttemptRow>(ATTEMPTS, &key))?;
        row.map(|row| row.read(address)).transpose()
    }

    async fn forget_attempts(&self, address: &str) -> Result<()> {
        let (from, to) = (address.to_owned(), format!("{address}~"));
        let forgotten = self.db.write(move |txn| {
            let span = Span { from: &from, to: &to, backwards: false, limit: usize::MAX };
            for (key, _) in txn.list::<AttemptRow>(ATTEMPTS, &span)? {
                txn.remove(ATTEMPTS, &key)?;
            }
            Ok(())
        });
        forgotten.await
    }

    async fn note_maker(&self, account: &AccountId, attempt: &HatchId) -> Result<()> {
        let (account, attempt) = (account.as_str().to_owned(), attempt.to_string());
        let noted = self.db.write(move |txn| {
            let row = txn.get::<AccountRow>(ACCOUNTS, &account)?.unwrap_or_default();
            if row.made_by.is_some() {
                return Ok(());
            }
            txn.put(ACCOUNTS, &account, &AccountRow { made_by: Some(attempt), ..row })
        });
        noted.await
    }

    async fn maker(&self, account: &AccountId) -> Result<Option<HatchId>> {
        let row = self.db.read(|txn| txn.get::<AccountRow>(ACCOUNTS, account.as_str()))?;
        row.and_then(|row| row.made_by).as_deref().map(HatchId::parse).transpose()
    }

    async fn settle(&self, account: &AccountId, now: OffsetDateTime) -> Result<()> {
        let account = account.as_str().to_owned();
        self.db.write(move |txn| settle(txn, &account, millis(now))).await
    }

    async fn is_settled(&self, account: &AccountId, _: &str) -> Result<bool> {
        let row = self.db.read(|txn| txn.get::<AccountRow>(ACCOUNTS, account.as_str()))?;
        Ok(row.is_some_and(|row| row.settled_at.is_some()))
    }

    async fn forget_account(&self, account: &AccountId) -> Result<()> {
        let account = account.as_str().to_owned();
        self.db.write(move |txn| txn.remove(ACCOUNTS, &account).map(|_| ())).await
    }

    async fn settles_since(&self, now: OffsetDateTime) -> Result<OffsetDateTime> {
        if let Some(since) = self.db.read(|txn| txn.get::<Millis>(COUNTS, SETTLES_SINCE))? {
            return moment(since);
        }
        let since = self.db.write(move |txn| {
            let kept = txn.get::<Millis>(COUNTS, SETTLES_SINCE)?;
            let since = kept.unwrap_or(millis(now));
            txn.put(COUNTS, SETTLES_SINCE, &since)?;
            Ok(since)
        });
        moment(since.await?)
    }
}
