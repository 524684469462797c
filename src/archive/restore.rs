//! Putting an export into a galaxy that has nothing yet.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;
use std::sync::Arc;

use beak_api::jws;
use serde_json::{Value, json};

use tokio::task::{JoinError, JoinSet};

use super::{Line, Reader, Source, Told, stays, unfit};
use crate::failure::Failure;
use crate::model::Secret;
use crate::ports::{Account, Records};

/// The table of certificates, and the one that remembers who issued them.
const CERTIFICATES: &str = "certs";
const LEDGER: &str = "ledger";

/// `BatchWriteItem` takes this many items. Source: Amazon `DynamoDB` API Reference.
const BATCH: usize = 25;

/// Accounts that are made at a time. One takes several calls, and Cognito lets an account make 50
/// calls of that kind a second. Source: "Quotas in Amazon Cognito", category `UserCreation`.
const AT_ONCE: usize = 8;

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
    records: &Arc<dyn Records>,
    source: &Source,
    input: R,
    password: impl Fn() -> Result<Secret, Failure> + Send,
) -> Result<Told, Failure> {
    let mut reader = Reader::new(input);
    let mut waiting = BTreeMap::<String, Vec<Value>>::new();
    let mut issuers = BTreeSet::new();
    let mut admitted = JoinSet::new();
    while let Some(line) = reader.next_line()? {
        match line {
            Line::Item { item, .. } if stays(&item) => {}
            Line::Item { table, item } => {
                let name = source.tables.get(&table);
                let name = name.ok_or_else(|| unfit(format!("there is no table `{table}`")))?;
                if table == CERTIFICATES {
                    issuers.extend(issuer(&item));
                }
                let batch = waiting.entry(name.clone()).or_default();
                batch.push(item);
                if batch.len() >= BATCH {
                    records.put(name, &std::mem::take(batch)).await?;
                }
            }
            // Who never confirmed an address signs up again.
            Line::Person { email, confirmed: true, operator } => {
                if let Some(pool) = source.pool.clone() {
                    if admitted.len() >= AT_ONCE {
                        done(admitted.join_next().await)?;
                    }
                    let who = Account { email, confirmed: true, operator };
                    let (records, password) = (Arc::clone(records), password()?);
                    admitted.spawn(async move { records.admit(&pool, &who, &password).await });
                }
            }
            _ => {}
        }
    }
    while let Some(one) = admitted.join_next().await {
        done(Some(one))?;
    }
    if let Some(ledger) = source.tables.get(LEDGER) {
        waiting.entry(ledger.clone()).or_default().extend(issuers.iter().map(former));
    }
    for (name, batch) in waiting {
        for batch in batch.chunks(BATCH) {
            records.put(&name, batch).await?;
        }
    }
    reader.finish()
}

fn done(admitted: Option<Result<Result<bool, Failure>, JoinError>>) -> Result<(), Failure> {
    let admitted = admitted.transpose().map_err(|error| Failure::bug(error.to_string()))?;
    admitted.transpose().map(|_| ())
}

/// The galaxy that a certificate says it is of.
fn issuer(item: &Value) -> Option<String> {
    let compact = item.get("compact")?.get("S")?.as_str()?;
    jws::peek(compact).map(|claims| claims.issuer)
}

/// The ledger's entry of a galaxy whose certificates count from now on.
fn former(issuer: &String) -> Value {
    json!({"pk": {"S": "issuers"}, "sk": {"S": issuer}})
}
