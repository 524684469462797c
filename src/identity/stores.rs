//! Buckets, tables and parameters behind the guard.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value;

use super::guard::{adopted, stranger};
use super::{Doubt, Guard, Mark, Thing};
use crate::catalog;
use crate::failure::Failure;
use crate::model::{ID_TAG, Place, Secret, Stack};
use crate::ports::{
    Account, Assets, Entry, Listed, Notes, Object, ObjectSeen, Page, Records, Secrets, Tagged,
};

/// A bucket or table.
struct Named<'a> {
    thing: Thing,
    stack: Stack,
    place: Place,
    name: &'a str,
}

impl Guard {
    fn bucket<'a>(&self, place: Place, name: &'a str) -> Result<Named<'a>, Failure> {
        let stack = self.subject.maker(place, name);
        let stack =
            stack.ok_or_else(|| stranger(&format!("the bucket `{name}`"), &Doubt::Unknown))?;
        Ok(Named { thing: Thing::Bucket(stack), stack, place, name })
    }

    fn table<'a>(&self, name: &'a str) -> Result<Named<'a>, Failure> {
        let table = self.subject.table(name);
        let table =
            table.ok_or_else(|| stranger(&format!("the table `{name}`"), &Doubt::Unknown))?;
        Ok(Named { thing: Thing::Table(table), stack: Stack::Data, place: Place::Home, name })
    }

    /// Whether a bucket or table is the galaxy's; `None` if it does not exist.
    async fn verdict(&self, named: &Named<'_>) -> Result<Option<Result<(), Doubt>>, Failure> {
        let Named { thing, stack, place, name } = named;
        let tags = match thing {
            Thing::Bucket(_) => self.raw.marks.bucket(*place, name).await?,
            _ => self.raw.marks.table(name).await?.map(|seen| seen.tags),
        };
        let Some(tags) = tags else { return Ok(None) };
        self.judge_named(thing, (*stack, name), &tags).await.map(Some)
    }

    /// Refuses what is not the galaxy's. `false` if it does not exist.
    async fn proven(&self, named: &Named<'_>) -> Result<bool, Failure> {
        self.required().await?;
        if self.is_proven(&named.thing).await {
            return Ok(true);
        }
        match self.verdict(named).await? {
            None => Ok(false),
            Some(Ok(())) => Ok(true),
            Some(Err(doubt)) => Err(stranger(&format!("`{}`", named.name), &doubt)),
        }
    }

    /// Sees the proofs of what a stack made while the stack can still say so.
    pub(super) async fn prove_made_by(&self, stack: Stack) -> Result<(), Failure> {
        if let Some(bucket) = self.subject.bucket(stack) {
            let named = self.bucket(stack.place(), &bucket)?;
            self.verdict(&named).await?;
        }
        if stack == Stack::Data {
            for table in catalog::tables(&self.subject.galaxy).values() {
                self.verdict(&self.table(table)?).await?;
            }
        }
        Ok(())
    }

    /// Deletion: needs both proofs, and adopted things have to be named. `false` if it does not
    /// exist or is a stranger's, which the survey has reported.
    async fn deletable(&self, named: &Named<'_>) -> Result<bool, Failure> {
        let record = self.required().await?;
        let there = self.is_proven(&named.thing).await
            || self.verdict(named).await?.is_some_and(|verdict| verdict.is_ok());
        if there && self.is_kept(record.held(&named.thing), &named.thing).await {
            return Err(adopted(&format!("`{}`", named.name), &named.thing));
        }
        Ok(there)
    }

    /// Whether a parameter is the galaxy's; `None` if it does not exist.
    async fn parameter(&self, path: &str) -> Result<Option<Result<(), Doubt>>, Failure> {
        let thing = self.subject.parameter(path)?;
        if self.is_proven(&thing).await {
            return Ok(Some(Ok(())));
        }
        let Some(tags) = self.raw.marks.parameter(path).await? else { return Ok(None) };
        let Some(record) = self.record().await? else {
            let ours = self.is_unrecorded(&thing).await?;
            return Ok(Some(if ours { Ok(()) } else { Err(Doubt::Unknown) }));
        };
        let arn = self.subject.arn(&thing);
        let held = record.held(&thing);
        let evidence = super::Evidence { arn: &arn, tags: &tags, member: false };
        let verdict = super::judge(&record, held, evidence);
        if verdict.is_ok() {
            self.prove(thing).await;
        }
        Ok(Some(verdict))
    }

    /// Creates or overwrites a parameter of the galaxy.
    async fn write_parameter(
        &self,
        path: &str,
        text: &Secret,
        encrypted: bool,
    ) -> Result<(), Failure> {
        let what = format!("the parameter `{path}`");
        self.claim_if_free().await?;
        // Twice: another part of this run may create it behind the first look.
        for _ in 0..2 {
            match self.parameter(path).await? {
                Some(Ok(())) if encrypted => return self.raw.secrets.write(path, text).await,
                Some(Ok(())) => return self.raw.notes.put(path, text.expose()).await,
                Some(Err(doubt)) => return Err(stranger(&what, &doubt)),
                None if self.create_parameter(path, text, encrypted).await? => return Ok(()),
                None => {}
            }
        }
        Err(stranger(&what, &Doubt::Unknown))
    }

    /// Creates a parameter with its marks, on record before it is there.
    async fn create_parameter(
        &self,
        path: &str,
        text: &Secret,
        encrypted: bool,
    ) -> Result<bool, Failure> {
        let thing = self.subject.parameter(path)?;
        let arn = self.subject.arn(&thing);
        self.change(|record| record.hold(&thing, arn, Mark::Id)).await?;
        let mut tags = catalog::tags(&self.subject.galaxy);
        tags.insert(ID_TAG.to_owned(), self.required().await?.id);
        let created = self.raw.marks.create_parameter(path, text, encrypted, &tags).await?;
        if created {
            self.prove(thing).await;
        }
        Ok(created)
    }

    /// `false` if the parameter does not exist, or is a stranger's and stays; the survey has
    /// reported those.
    async fn removable(&self, path: &str) -> Result<bool, Failure> {
        let record = self.required().await?;
        match self.parameter(path).await? {
            None | Some(Err(_)) => Ok(false),
            Some(Ok(())) => {
                let thing = self.subject.parameter(path)?;
                let kept = self.is_kept(record.held(&thing), &thing).await;
                self.state.lock().await.proven.remove(&thing);
                Ok(!kept)
            }
        }
    }

    /// The lock of galaxies from before there were records is older than the record, so it can't go
    /// by it: what is there has to be a lock.
    async fn is_lock(&self, path: &str) -> Result<bool, Failure> {
        if path != format!("/{}/lock", self.subject.galaxy) {
            return Ok(false);
        }
        let Some(text) = self.raw.notes.get(path).await? else { return Ok(true) };
        let holder: Result<Value, _> = serde_json::from_str(&text);
        Ok(holder.is_ok_and(|holder| {
            ["command", "host", "process", "beat"].iter().all(|field| holder.get(field).is_some())
        }))
    }
}

#[async_trait]
impl Assets for Guard {
    async fn has_bucket(&self, place: Place, bucket: &str) -> Result<bool, Failure> {
        let named = self.bucket(place, bucket)?;
        let parent = self.is_proven(&Thing::Stack(named.stack)).await;
        if parent || self.is_proven(&named.thing).await {
            return self.raw.assets.has_bucket(place, bucket).await;
        }
        Ok(self.verdict(&named).await?.is_some_and(|verdict| verdict.is_ok()))
    }

    async fn has(&self, place: Place, bucket: &str, key: &str) -> Result<bool, Failure> {
        self.raw.assets.has(place, bucket, key).await
    }

    async fn read(
        &self,
        place: Place,
        bucket: &str,
        key: &str,
    ) -> Result<Option<Vec<u8>>, Failure> {
        self.raw.assets.read(place, bucket, key).await
    }

    async fn look(
        &self,
        place: Place,
        bucket: &str,
        key: &str,
    ) -> Result<Option<ObjectSeen>, Failure> {
        self.raw.assets.look(place, bucket, key).await
    }

    async fn write(&self, place: Place, bucket: &str, object: &Object) -> Result<(), Failure> {
        self.proven(&self.bucket(place, bucket)?).await?;
        self.raw.assets.write(place, bucket, object).await
    }

    async fn read_tagged(
        &self,
        place: Place,
        bucket: &str,
        key: &str,
    ) -> Result<Option<Tagged>, Failure> {
        self.raw.assets.read_tagged(place, bucket, key).await
    }

    async fn replace(
        &self,
        place: Place,
        bucket: &str,
        object: &Object,
        seen: Option<&str>,
    ) -> Result<Option<String>, Failure> {
        self.proven(&self.bucket(place, bucket)?).await?;
        self.raw.assets.replace(place, bucket, object, seen).await
    }

    async fn keys(&self, place: Place, bucket: &str) -> Result<Vec<String>, Failure> {
        self.raw.assets.keys(place, bucket).await
    }

    async fn listing(
        &self,
        place: Place,
        bucket: &str,
    ) -> Result<Option<BTreeMap<String, Listed>>, Failure> {
        self.raw.assets.listing(place, bucket).await
    }

    async fn list(&self, place: Place, bucket: &str) -> Result<BTreeMap<String, String>, Failure> {
        self.raw.assets.list(place, bucket).await
    }

    async fn remove(&self, place: Place, bucket: &str, keys: &[String]) -> Result<(), Failure> {
        self.proven(&self.bucket(place, bucket)?).await?;
        self.raw.assets.remove(place, bucket, keys).await
    }

    async fn remove_bucket(&self, place: Place, bucket: &str) -> Result<(), Failure> {
        if self.deletable(&self.bucket(place, bucket)?).await? {
            self.raw.assets.remove_bucket(place, bucket).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Secrets for Guard {
    async fn read(&self, path: &str) -> Result<Option<Secret>, Failure> {
        let Some(secret) = self.raw.secrets.read(path).await? else { return Ok(None) };
        let ours = self.parameter(path).await?.is_some_and(|verdict| verdict.is_ok());
        Ok(ours.then_some(secret))
    }

    async fn write(&self, path: &str, secret: &Secret) -> Result<(), Failure> {
        self.write_parameter(path, secret, true).await
    }

    async fn remove(&self, path: &str) -> Result<(), Failure> {
        if self.removable(path).await? { self.raw.secrets.remove(path).await } else { Ok(()) }
    }
}

#[async_trait]
impl Notes for Guard {
    async fn get(&self, path: &str) -> Result<Option<String>, Failure> {
        let Some(text) = self.raw.notes.get(path).await? else { return Ok(None) };
        if self.is_lock(path).await? {
            return Ok(Some(text));
        }
        let ours = self.parameter(path).await?.is_some_and(|verdict| verdict.is_ok());
        Ok(ours.then_some(text))
    }

    async fn put_new(&self, path: &str, text: &str) -> Result<bool, Failure> {
        if self.is_lock(path).await? {
            return self.raw.notes.put_new(path, text).await;
        }
        self.claim_if_free().await?;
        match self.parameter(path).await? {
            Some(Ok(())) => self.raw.notes.put_new(path, text).await,
            Some(Err(doubt)) => Err(stranger(&format!("the parameter `{path}`"), &doubt)),
            None => self.create_parameter(path, &Secret::new(text.to_owned()), false).await,
        }
    }

    async fn put(&self, path: &str, text: &str) -> Result<(), Failure> {
        if self.is_lock(path).await? {
            return self.raw.notes.put(path, text).await;
        }
        self.write_parameter(path, &Secret::new(text.to_owned()), false).await
    }

    async fn remove(&self, path: &str) -> Result<(), Failure> {
        if self.is_lock(path).await? || self.removable(path).await? {
            return self.raw.notes.remove(path).await;
        }
        Ok(())
    }

    async fn entry(&self, path: &str) -> Result<Option<Entry>, Failure> {
        self.raw.notes.entry(path).await
    }
}

#[async_trait]
impl Records for Guard {
    async fn has_table(&self, table: &str) -> Result<bool, Failure> {
        let named = self.table(table)?;
        let parent = self.is_proven(&Thing::Stack(named.stack)).await;
        if parent || self.is_proven(&named.thing).await {
            return self.raw.records.has_table(table).await;
        }
        Ok(self.verdict(&named).await?.is_some_and(|verdict| verdict.is_ok()))
    }

    async fn is_recoverable(&self, table: &str) -> Result<bool, Failure> {
        self.raw.records.is_recoverable(table).await
    }

    async fn items(&self, table: &str, from: Option<Value>) -> Result<Page<Value>, Failure> {
        self.raw.records.items(table, from).await
    }

    async fn since(
        &self,
        ledger: &str,
        span: (&str, &str),
        next: Option<Value>,
    ) -> Result<Page<Value>, Failure> {
        self.raw.records.since(ledger, span, next).await
    }

    async fn named(&self, table: &str, keys: &[Value]) -> Result<Vec<Value>, Failure> {
        self.raw.records.named(table, keys).await
    }

    async fn put(&self, table: &str, items: &[Value]) -> Result<(), Failure> {
        self.proven(&self.table(table)?).await?;
        self.raw.records.put(table, items).await
    }

    async fn remove_table(&self, table: &str) -> Result<(), Failure> {
        if self.deletable(&self.table(table)?).await? {
            self.raw.records.remove_table(table).await?;
        }
        Ok(())
    }

    async fn accounts(&self, pool: &str, from: Option<Value>) -> Result<Page<Account>, Failure> {
        self.raw.records.accounts(pool, from).await
    }

    async fn admit(&self, pool: &str, who: &Account, password: &Secret) -> Result<bool, Failure> {
        self.raw.records.admit(pool, who, password).await
    }
}
