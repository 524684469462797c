//! The store's contract, on a database file.

use std::sync::Arc;

use beak_core::ports::Store;
use tempfile::TempDir;

use super::RedbStore;
use crate::db::Db;

fn open() -> (Arc<dyn Store>, TempDir) {
    let folder = TempDir::new().expect("a folder");
    let db = Db::open(&folder.path().join("galaxy.redb")).expect("a database");
    (Arc::new(RedbStore::new(Arc::new(db))), folder)
}

beak_core::store_contract!(open());
