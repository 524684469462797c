//! The registry of the in-memory account.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::Account;
use super::services::DAY;
use crate::failure::Failure;
use crate::ports::{Clock, Entry, Registry};

#[async_trait]
impl Registry for Account {
    async fn get(&self, path: &str) -> Result<Option<Entry>, Failure> {
        self.may("Registry::get")?;
        self.hear()?;
        Ok(self.state().registry.get(path).cloned())
    }

    async fn create(&self, path: &str, text: &str) -> Result<bool, Failure> {
        self.may("Registry::create")?;
        let changed_at = Clock::now(self);
        self.effect(format!("create {path}"), |state| {
            if let Some(entry) = state.registry.get(path) {
                return Ok(entry.text == text);
            }
            state.registry.insert(path.to_owned(), Entry { text: text.to_owned(), changed_at });
            Ok(true)
        })
    }

    async fn put(&self, path: &str, text: &str) -> Result<(), Failure> {
        self.may("Registry::put")?;
        let changed_at = Clock::now(self);
        self.effect(format!("write {path}"), |state| {
            state.registry.insert(path.to_owned(), Entry { text: text.to_owned(), changed_at });
            Ok(())
        })
    }

    async fn remove(&self, path: &str) -> Result<(), Failure> {
        self.may("Registry::remove")?;
        self.effect(format!("remove {path}"), |state| {
            state.registry.remove(path);
            Ok(())
        })
    }

    async fn list(&self, below: &str) -> Result<BTreeMap<String, Entry>, Failure> {
        self.may("Registry::list")?;
        self.hear()?;
        let below = format!("{}/", below.trim_end_matches('/'));
        let state = self.state();
        let found = state.registry.iter().filter(|(path, _)| path.starts_with(&below));
        Ok(found.map(|(path, entry)| (path.clone(), entry.clone())).collect())
    }

    async fn now(&self) -> Result<u64, Failure> {
        self.may("Registry::now")?;
        self.hear()?;
        Ok(Clock::now(self).max(DAY))
    }
}
