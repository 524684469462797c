//! Putting an export into a galaxy that has nothing yet.

use std::collections::BTreeMap;
use std::io::BufRead;

use serde_json::Value;

use super::{Line, Reader, Source, Told, unfit};
use crate::failure::Failure;
use crate::model::Secret;
use crate::ports::{Account, Records};

/// `BatchWriteItem` takes this many items. Source: Amazon `DynamoDB` API Reference.
const BATCH: usize = 25;

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

/// Writes an export into the tables and the user pool. Writing it again changes nothing, so that
/// one that was cut off is ended by the same call.
pub async fn restore<R: BufRead + Send>(
    records: &dyn Records,
    source: &Source,
    input: R,
    password: impl Fn() -> Result<Secret, Failure> + Send,
) -> Result<Told, Failure> {
    let mut reader = Reader::new(input);
    let mut waiting = BTreeMap::<String, Vec<Value>>::new();
    while let Some(line) = reader.next_line()? {
        match line {
            Line::Item { table, item } => {
                let name = source.tables.get(&table);
                let name = name.ok_or_else(|| unfit(format!("there is no table `{table}`")))?;
                let batch = waiting.entry(name.clone()).or_default();
                batch.push(item);
                if batch.len() >= BATCH {
                    records.put(name, &std::mem::take(batch)).await?;
                }
            }
            // Who never confirmed an address signs up again.
            Line::Person { email, confirmed: true, operator } => {
                if let Some(pool) = &source.pool {
                    let who = Account { email, confirmed: true, operator };
                    records.admit(pool, &who, &password()?).await?;
                }
            }
            _ => {}
        }
    }
    for (name, batch) in waiting {
        if !batch.is_empty() {
            records.put(&name, &batch).await?;
        }
    }
    reader.finish()
}
