//! How lively the ducklings were at the last sweep, so that a page of operators reads one item.

use aws_sdk_dynamodb::types::AttributeValue;
use beak_core::Result;
use beak_core::ports::Fleet;

use super::DynamoStore;
use super::item::{Item, damaged, guard_key, number};
use crate::failure::failed;

const CENSUS: &str = "census";

impl DynamoStore {
    pub(super) async fn write_census(&self, fleet: &Fleet) -> Result<()> {
        let mut item = guard_key(CENSUS);
        let counts = [("alive", fleet.alive), ("slow", fleet.slow), ("offline", fleet.offline)];
        for (name, count) in counts {
            item.insert(name.into(), number(i64::try_from(count).unwrap_or(i64::MAX)));
        }
        item.insert("is_whole".into(), AttributeValue::Bool(fleet.is_whole));
        let put = self.client.put_item().table_name(self.table("ledger")).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(|error| failed("keeping a census", &error))
    }

    pub(super) async fn read_census(&self) -> Result<Option<Fleet>> {
        let Some(item) = self.get("ledger", guard_key(CENSUS)).await? else { return Ok(None) };
        let count = |name| {
            let count = Item(&item).number(name)?;
            u64::try_from(count).map_err(|_| damaged(name))
        };
        let is_whole = item.get("is_whole").and_then(|value| value.as_bool().ok());
        Ok(Some(Fleet {
            alive: count("alive")?,
            slow: count("slow")?,
            offline: count("offline")?,
            is_whole: *is_whole.ok_or_else(|| damaged("is_whole"))?,
        }))
    }
}
