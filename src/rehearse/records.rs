//! What the account in memory keeps of people, what is tagged in it, and what its function says.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::Value;

use super::sim::Sim;
use super::{Account, Fault, refuse};
use crate::failure::Failure;
use crate::model::{Place, Secret, TAG};
use crate::ports::{self, Inventory, LogLine, Logs, Page, Records};

/// How many items a page has: few, so that every list has several.
const PAGE: usize = 2;

impl Account {
    /// Writes an item into a table, as a user of the galaxy would.
    pub fn remember(&self, table: &str, item: Value) {
        if let Some(items) = self.state().tables.get_mut(table) {
            items.push(item);
        }
    }

    /// Adds an account that signed up.
    pub fn sign_up(&self, pool: &str, email: &str) {
        self.state().people.insert((pool.to_owned(), email.to_owned()), false);
    }

    /// What a table holds.
    #[must_use]
    pub fn held(&self, table: &str) -> Vec<Value> {
        self.state().tables.get(table).cloned().unwrap_or_default()
    }

    /// Switches a table's point-in-time recovery off.
    pub fn forgets(&self, table: &str) {
        self.state().unrecoverable.insert(table.to_owned());
    }

    /// Adds something that carries a galaxy's tag but is in no stack.
    pub fn stray(&self, arn: &str) {
        self.state().strays.push(arn.to_owned());
    }
}

/// The attributes of a table's key that an item has.
fn key_of(item: &Value) -> Value {
    const KEYS: [&[&str]; 5] =
        [&["pk", "sk"], &["peck_id"], &["cert_id", "compact"], &["duckling_id"], &["email"]];
    let names = KEYS.into_iter().find(|names| names.iter().all(|name| item.get(name).is_some()));
    let names = names.unwrap_or_default().iter().filter(|name| **name != "compact");
    names
        .map(|name| ((*name).to_owned(), item[*name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn has_key(item: &Value, key: &Value) -> bool {
    key.as_object().is_some_and(|key| key.iter().all(|(name, value)| item.get(name) == Some(value)))
}

fn part<T: Clone>(all: &[T], from: Option<&Value>) -> Page<T> {
    let begin = from.and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok());
    let begin = begin.unwrap_or_default().min(all.len());
    let end = (begin + PAGE).min(all.len());
    let next = (end < all.len()).then(|| Value::from(end));
    Page { items: all[begin..end].to_vec(), next }
}

#[async_trait]
impl Records for Account {
    async fn has_table(&self, table: &str) -> Result<bool, Failure> {
        self.may("Records::has_table")?;
        self.hear()?;
        Ok(self.state().tables.contains_key(table))
    }

    async fn is_recoverable(&self, table: &str) -> Result<bool, Failure> {
        self.may("Records::is_recoverable")?;
        self.hear()?;
        Ok(!self.state().unrecoverable.contains(table))
    }

    async fn items(&self, table: &str, from: Option<Value>) -> Result<Page<Value>, Failure> {
        self.may("Records::items")?;
        self.hear()?;
        let state = self.state();
        if state.faults.contains(&Fault::TableUnreadable(table.to_owned())) {
            return Err(refuse(format!("the table {table} can't be read")));
        }
        let items = state.tables.get(table);
        let items = items.ok_or_else(|| refuse(format!("there is no table {table}")))?;
        Ok(part(items, from.as_ref()))
    }

    async fn since(
        &self,
        ledger: &str,
        (partition, from): (&str, &str),
        next: Option<Value>,
    ) -> Result<Page<Value>, Failure> {
        self.may("Records::since")?;
        self.hear()?;
        let text = |item: &Value, name: &str| item[name]["S"].as_str().map(str::to_owned);
        let fits = |item: &&Value| {
            text(item, "pk").is_some_and(|pk| pk == partition)
                && text(item, "sk").is_some_and(|sk| *sk >= *from)
        };
        let mut items: Vec<Value> = self.held(ledger).iter().filter(fits).cloned().collect();
        items.sort_by_key(|item| text(item, "sk"));
        Ok(part(&items, next.as_ref()))
    }

    async fn named(&self, table: &str, keys: &[Value]) -> Result<Vec<Value>, Failure> {
        self.may("Records::named")?;
        self.hear()?;
        let is_named = |item: &&Value| keys.iter().any(|key| has_key(item, key));
        Ok(self.held(table).iter().filter(is_named).cloned().collect())
    }

    async fn put(&self, table: &str, items: &[Value]) -> Result<(), Failure> {
        self.may("Records::put")?;
        self.effect(format!("put {} into {table}", items.len()), |state| {
            let known = state.tables.get_mut(table);
            let known = known.ok_or_else(|| refuse(format!("there is no table {table}")))?;
            for item in items {
                known.retain(|old| !has_key(old, &key_of(item)));
                known.push(item.clone());
            }
            Ok(())
        })
    }

    async fn remove_table(&self, table: &str) -> Result<(), Failure> {
        self.may("Records::remove_table")?;
        self.effect(format!("remove the table {table}"), |state| {
            state.tables.remove(table);
            Ok(())
        })
    }

    async fn accounts(
        &self,
        pool: &str,
        from: Option<Value>,
    ) -> Result<Page<ports::Account>, Failure> {
        self.may("Records::accounts")?;
        self.hear()?;
        let state = self.state();
        let of_pool = state.people.iter().filter(|((at, _), _)| at == pool);
        let all: Vec<ports::Account> = of_pool
            .map(|((_, email), operator)| ports::Account {
                email: email.clone(),
                confirmed: true,
                operator: *operator,
            })
            .collect();
        Ok(part(&all, from.as_ref()))
    }

    async fn admit(&self, pool: &str, who: &ports::Account, _: &Secret) -> Result<bool, Failure> {
        self.may("Records::admit")?;
        self.effect(format!("admit {}", who.email), |state| {
            let key = (pool.to_owned(), who.email.clone());
            let known = state.people.insert(key, who.operator);
            Ok(known.is_none())
        })
    }
}

#[async_trait]
impl Inventory for Account {
    async fn galaxies(&self, place: Place) -> Result<BTreeSet<String>, Failure> {
        self.may("Inventory::galaxies")?;
        self.hear()?;
        let state = self.state();
        let now = self.time(&state);
        let there = |stack: &&Sim| stack.proposal.place == place && stack.is_there(now);
        let stacks = state.stacks.iter().filter(there);
        Ok(stacks.filter_map(|stack| stack.proposal.tags.get(TAG).cloned()).collect())
    }

    async fn tagged(&self, place: Place, _: &str) -> Result<Vec<String>, Failure> {
        self.may("Inventory::tagged")?;
        self.hear()?;
        let state = self.state();
        let now = self.time(&state);
        let there = |stack: &&Sim| stack.proposal.place == place && stack.is_there(now);
        let arn = |stack: &Sim| {
            let (id, name) = (&self.id, &stack.proposal.name);
            format!("arn:aws:cloudformation:{}:{id}:stack/{name}/1", self.home)
        };
        let mut arns: Vec<String> = state.stacks.iter().filter(there).map(arn).collect();
        if place == Place::Home {
            arns.extend(state.strays.iter().cloned());
        }
        Ok(arns)
    }
}

#[async_trait]
impl Logs for Account {
    async fn lines(
        &self,
        group: &str,
        since: u64,
        word: Option<&str>,
    ) -> Result<Vec<LogLine>, Failure> {
        self.may("Logs::lines")?;
        self.hear()?;
        let state = self.state();
        let fits = |line: &&(String, LogLine)| {
            line.0 == group
                && line.1.at >= since
                && word.is_none_or(|word| line.1.text.contains(word))
        };
        Ok(state.logs.iter().filter(fits).map(|(_, line)| line.clone()).collect())
    }
}
