//! When one-time codes were asked for, in the ledger: one item for a purpose and an address's
//! digest, gone by itself.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use beak_core::Result;
use beak_core::ports::{CodeAsked, Codes};

use super::DynamoStore;
use super::item::{Item, guard_key, millis, number, seconds};
use crate::failure::{code, failed};

fn pk(name: &str) -> String {
    format!("code#{name}")
}

impl DynamoStore {
    /// Adds to the tries, if no code was asked for since and `only_if` holds. Whether it was so.
    async fn add_tries(
        &self,
        asked: &CodeAsked,
        by: i64,
        (only_if, bound): (&str, AttributeValue),
    ) -> Result<bool> {
        let change = self
            .client
            .update_item()
            .table_name(self.table("ledger"))
            .set_key(Some(guard_key(pk(&asked.name))))
            .update_expression("ADD tries :by")
            .condition_expression(format!("asked_at = :at AND {only_if}"))
            .expression_attribute_values(":at", number(millis(asked.at)))
            .expression_attribute_values(":by", number(by))
            .expression_attribute_values(":bound", bound);
        match change.send().await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(failed("counting the tries of a code", &error)),
        }
    }
}

#[async_trait]
impl Codes for DynamoStore {
    async fn note_code(&self, asked: &CodeAsked) -> Result<()> {
        let mut item = guard_key(pk(&asked.name));
        item.insert("asked_at".into(), number(millis(asked.at)));
        item.insert("lapses_at".into(), number(millis(asked.until)));
        item.insert("tries".into(), number(asked.tries.into()));
        item.insert("expires_at".into(), seconds(asked.until));
        let put = self.client.put_item().table_name(self.table("ledger"));
        let put = put.set_item(Some(item)).send().await;
        put.map(|_| ()).map_err(|error| failed("noting that a code was asked for", &error))
    }

    async fn noted_code(&self, name: &str) -> Result<Option<CodeAsked>> {
        let item = self.get("ledger", guard_key(pk(name))).await?;
        let Some(item) = item else { return Ok(None) };
        let item = Item(&item);
        Ok(Some(CodeAsked {
            name: name.to_owned(),
            at: item.moment("asked_at")?,
            until: item.moment("lapses_at")?,
            tries: u32::try_from(item.number("tries")?).unwrap_or(u32::MAX),
        }))
    }

    async fn take_try(&self, asked: &CodeAsked, limit: u32) -> Result<bool> {
        self.add_tries(asked, 1, ("tries < :bound", number(limit.into()))).await
    }

    async fn give_back(&self, asked: &CodeAsked) -> Result<()> {
        self.add_tries(asked, -1, ("tries > :bound", number(0))).await.map(|_| ())
    }
}
