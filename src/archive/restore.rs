//! Putting an export into a galaxy that has nothing yet.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;

use super::spool::Batch;
use super::{Source, Spool, unfit};
use crate::failure::Failure;
use crate::model::Secret;
use crate::ports::{Account, Records, World};

/// Batches of items that are written at a time.
const BATCHES: usize = 8;

/// Accounts that are made at a time.
const ACCOUNTS: usize = 16;

/// How often an account is begun. One takes a call of each of three categories, and the tightest of
/// them, `UserAccountRecovery`, has 30 a second for all pools of an account and a Region; a third
/// is left to the people of this pool and of others. Source: "Quotas in Amazon Cognito".
const EVERY: Duration = Duration::from_millis(50);

/// After how many accounts it is noted how far an import is.
const NOTED: u64 = 500;

/// Whether a galaxy has no ducklings, eggs or accounts yet, so that nothing is written over.
pub async fn is_empty(records: &dyn Records, source: &Source) -> Result<bool, Failure> {
    for name in source.tables.values() {
        // Short-lived facts, such as counters of calls, gather as soon as a galaxy is up.
        if name.ends_with("-ledger") {
            continue;
        }
        if !records.items(name, None).await?.items.is_empty() {
            return Ok(false);
        }
    }
    let Some(pool) = &source.pool else { return Ok(true) };
    // Whoever installs may have named operators already.
    let people = records.accounts(pool, None).await?.items;
    Ok(people.iter().all(|account| account.operator))
}

/// How far an import is, kept in the account: a run that was cut off finds the galaxy no longer
/// empty, and by this that it may go on, and where.
pub struct Progress {
    note: String,
    sha256: String,
    /// How many people are there; none before all items are.
    people: Option<u64>,
    begun: bool,
}

impl Progress {
    /// Looks up how far the import of a file is, by its digest.
    pub async fn look(world: &World, note: &str, sha256: &str) -> Result<Self, Failure> {
        let text = world.notes.get(note).await?.unwrap_or_default();
        let (of, people) = text.split_once(' ').unwrap_or((&text, ""));
        let begun = of == sha256;
        let people = people.parse().ok().filter(|_| begun);
        Ok(Self { note: note.to_owned(), sha256: sha256.to_owned(), people, begun })
    }

    /// Whether the import of this file was begun.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.begun
    }

    async fn note(&mut self, world: &World, people: Option<u64>) -> Result<(), Failure> {
        self.people = people;
        let people = people.map(|people| format!(" {people}")).unwrap_or_default();
        world.notes.put(&self.note, &format!("{}{people}", self.sha256)).await
    }
}

/// Writes an export into the tables and the user pool. Writing it again changes nothing, so that
/// one that was cut off is ended by the same call.
pub async fn restore(
    world: &World,
    source: &Source,
    spool: &Spool,
    progress: &mut Progress,
    password: impl Fn() -> Result<Secret, Failure> + Send,
) -> Result<(), Failure> {
    if !progress.begun {
        progress.note(world, None).await?;
    }
    let (mut batches, giving) = spool.batches();
    let first = match progress.people {
        None => write_items(world, source, &mut batches).await?,
        Some(_) => skip_items(&mut batches).await,
    };
    let mut admitting = Admitting { world, source, password };
    admitting.all(first, &mut batches, progress).await?;
    giving.await.map_err(|error| Failure::bug(error.to_string()))??;
    world.notes.remove(&progress.note).await
}

/// Writes all items; the first person, if there is one.
async fn write_items(
    world: &World,
    source: &Source,
    batches: &mut Receiver<Batch>,
) -> Result<Option<Account>, Failure> {
    let mut writing = JoinSet::new();
    let mut first = None;
    while let Some(batch) = batches.recv().await {
        let (table, items) = match batch {
            Batch::Items(table, items) => (table, items),
            Batch::Person(who) => {
                first = Some(who);
                break;
            }
        };
        let name = source.tables.get(&table).cloned();
        let name = name.ok_or_else(|| unfit(format!("there is no table `{table}`")))?;
        if writing.len() >= BATCHES {
            ended(writing.join_next().await)?;
        }
        let records = Arc::clone(&world.records);
        writing.spawn(async move { records.put(&name, &items).await });
    }
    while let Some(one) = writing.join_next().await {
        ended(Some(one))?;
    }
    Ok(first)
}

async fn skip_items(batches: &mut Receiver<Batch>) -> Option<Account> {
    while let Some(batch) = batches.recv().await {
        if let Batch::Person(who) = batch {
            return Some(who);
        }
    }
    None
}

struct Admitting<'a, P> {
    world: &'a World,
    source: &'a Source,
    password: P,
}

impl<P: Fn() -> Result<Secret, Failure> + Send> Admitting<'_, P> {
    /// Makes the accounts of all people that are not there yet, several at a time, and not more a
    /// second than Cognito takes.
    async fn all(
        &mut self,
        first: Option<Account>,
        batches: &mut Receiver<Batch>,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let Some(pool) = &self.source.pool else { return Ok(()) };
        let there = progress.people.unwrap_or(0);
        progress.note(self.world, Some(there)).await?;
        let mut admitted = JoinSet::new();
        let (mut number, mut next) = (0, first);
        let begun = self.world.clock.elapsed();
        let mut started = 0;
        while let Some(who) = next {
            number += 1;
            if number > there {
                let due = begun + EVERY * started;
                started += 1;
                let wait = due.saturating_sub(self.world.clock.elapsed());
                if !wait.is_zero() {
                    self.world.clock.sleep(wait).await;
                }
                if admitted.len() >= ACCOUNTS {
                    ended(admitted.join_next().await)?;
                }
                let (records, password) = (Arc::clone(&self.world.records), (self.password)()?);
                let pool = pool.clone();
                admitted.spawn(async move { records.admit(&pool, &who, &password).await });
                if number.is_multiple_of(NOTED) {
                    while let Some(one) = admitted.join_next().await {
                        ended(Some(one))?;
                    }
                    progress.note(self.world, Some(number)).await?;
                }
            }
            next = match batches.recv().await {
                Some(Batch::Person(who)) => Some(who),
                _ => None,
            };
        }
        while let Some(one) = admitted.join_next().await {
            ended(Some(one))?;
        }
        Ok(())
    }
}

fn ended<T>(
    task: Option<Result<Result<T, Failure>, tokio::task::JoinError>>,
) -> Result<(), Failure> {
    let result = task.transpose().map_err(|error| Failure::bug(error.to_string()))?;
    result.transpose().map(|_| ())
}
