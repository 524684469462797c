//! A galaxy's store for tests that play with one, and what DynamoDB would hold of it right now.

use std::path::Path;
use std::sync::Arc;

use beak_core::ports::Store;
use serde_json::Value;

use crate::broken;
use crate::data::Data;
use crate::db::Db;
use crate::error::LocalError;
use crate::store::{RedbStore, transfer};

/// A store without a server.
pub struct Pond {
    db: Arc<Db>,
}

impl Pond {
    /// Opens a folder or makes it.
    pub fn open(folder: &Path) -> Result<Self, LocalError> {
        Ok(Self { db: Arc::new(Data::open(folder)?.db) })
    }

    /// Its store.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::new(RedbStore::new(Arc::clone(&self.db)))
    }

    /// Every item of every table at this moment.
    pub fn held(&self) -> Result<Vec<(String, Value)>, LocalError> {
        let mut held = Vec::new();
        let read = self.db.read(|txn| {
            transfer::give(txn, None, 0, &mut |table, item| {
                held.push((table.to_owned(), item));
                Ok(())
            })
        });
        read.map_err(broken)?;
        Ok(held)
    }
}
