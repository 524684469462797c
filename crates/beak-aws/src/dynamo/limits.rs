//! Calls counted in the ledger: one item for a bucket and a minute, gone by itself.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValue;
use beak_core::access::WINDOW;
use beak_core::person::hex;
use beak_core::ports::{Limits, Taken};
use beak_core::{OffsetDateTime, Result};
use sha2::{Digest as _, Sha256};

use super::DynamoStore;
use super::item::{Item, ledger_key, number};
use crate::failure::{code, failed};

#[async_trait]
impl Limits for DynamoStore {
    async fn take(&self, bucket: &str, limit: u32, now: OffsetDateTime) -> Result<Taken> {
        let minute = now.unix_timestamp().div_euclid(i64::from(WINDOW));
        // Hashed: a bucket's name holds an address.
        let pk = format!("rate#{}", hex(&Sha256::digest(bucket.as_bytes())));
        let asked = self
            .client
            .update_item()
            .table_name(self.table("ledger"))
            .set_key(Some(ledger_key(pk, format!("{minute:012}"))))
            .update_expression("ADD hits :one SET expires_at = :gone")
            .condition_expression("attribute_not_exists(hits) OR hits < :limit")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(i64::from(limit)))
            .expression_attribute_values(":gone", number((minute + 2) * i64::from(WINDOW)))
            .return_values(ReturnValue::UpdatedNew);
        match asked.send().await {
            Ok(answer) => {
                let hits = answer.attributes().map(|item| Item(item).number("hits"));
                let hits = u32::try_from(hits.transpose()?.unwrap_or(1)).unwrap_or(u32::MAX);
                Ok(Taken { granted: true, remaining: limit.saturating_sub(hits) })
            }
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => {
                Ok(Taken { granted: false, remaining: 0 })
            }
            Err(error) => Err(failed("counting a call", &error)),
        }
    }
}
