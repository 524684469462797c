//! Tables and user pool, as far as their contents are moved or kept safe.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::types::{UserStatusType, UserType};
use aws_sdk_dynamodb::types::{
    AttributeValue, ContinuousBackupsStatus, KeysAndAttributes, PointInTimeRecoveryStatus,
    PutRequest, WriteRequest,
};
use serde_json::{Value, json};

use super::attributes::{from_json, to_json};
use super::error::{code, translate};
use super::people::UserPools;
use crate::failure::{Failure, Kind};
use crate::model::Secret;
use crate::ports::{Account, Page, Records};

/// How often a batch is offered again of which `DynamoDB` did not take all.
const OFFERS: u32 = 10;

/// The SDK's clients.
pub(super) struct Tables {
    dynamo: aws_sdk_dynamodb::Client,
    pools: aws_sdk_cognitoidentityprovider::Client,
    people: UserPools,
}

impl Tables {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            dynamo: aws_sdk_dynamodb::Client::new(config),
            pools: aws_sdk_cognitoidentityprovider::Client::new(config),
            people: UserPools::new(config),
        }
    }
}

#[async_trait]
impl Records for Tables {
    async fn has_table(&self, table: &str) -> Result<bool, Failure> {
        match self.dynamo.describe_table().table_name(table).send().await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some("ResourceNotFoundException") => Ok(false),
            Err(error) => Err(translate(&format!("looking at the table `{table}`"), None, &error)),
        }
    }

    async fn is_recoverable(&self, table: &str) -> Result<bool, Failure> {
        let answer = self.dynamo.describe_continuous_backups().table_name(table).send().await;
        let answer = answer.map_err(|error| {
            translate(&format!("looking at the backups of `{table}`"), None, &error)
        })?;
        let on = |backups: &aws_sdk_dynamodb::types::ContinuousBackupsDescription| {
            let recovery = backups.point_in_time_recovery_description();
            let recovery = recovery.and_then(|r| r.point_in_time_recovery_status());
            *backups.continuous_backups_status() == ContinuousBackupsStatus::Enabled
                && recovery == Some(&PointInTimeRecoveryStatus::Enabled)
        };
        Ok(answer.continuous_backups_description().is_some_and(on))
    }

    async fn items(&self, table: &str, from: Option<Value>) -> Result<Page<Value>, Failure> {
        let doing = format!("reading the table `{table}`");
        let start = from.as_ref().map(item).transpose()?;
        let asked = self.dynamo.scan().table_name(table).set_exclusive_start_key(start);
        // What was just written has to be in a backup, too.
        let page = asked.consistent_read(true).send().await;
        let page = page.map_err(|error| translate(&doing, None, &error))?;
        let items = page.items().iter().map(whole).collect::<Result<_, _>>()?;
        let next =
            page.last_evaluated_key().filter(|key| !key.is_empty()).map(whole).transpose()?;
        Ok(Page { items, next })
    }

    async fn since(
        &self,
        ledger: &str,
        (partition, from): (&str, &str),
        next: Option<Value>,
    ) -> Result<Page<Value>, Failure> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let asked = self
            .dynamo
            .query()
            .table_name(ledger)
            .key_condition_expression("pk = :pk AND sk >= :from")
            .expression_attribute_values(":pk", text(partition))
            .expression_attribute_values(":from", text(from))
            .consistent_read(true)
            .set_exclusive_start_key(next.as_ref().map(item).transpose()?);
        let page = asked.send().await;
        let page = page.map_err(|error| translate("reading what changed", None, &error))?;
        let items = page.items().iter().map(whole).collect::<Result<_, _>>()?;
        let next = page.last_evaluated_key().filter(|key| !key.is_empty());
        Ok(Page { items, next: next.map(whole).transpose()? })
    }

    async fn named(&self, table: &str, keys: &[Value]) -> Result<Vec<Value>, Failure> {
        let doing = format!("reading from the table `{table}`");
        let mut keys = keys.iter().map(item).collect::<Result<Vec<_>, _>>()?;
        let mut found = Vec::new();
        for offer in 0..OFFERS {
            let asked = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
            let asked = asked.build().map_err(|error| Failure::bug(error.to_string()))?;
            let asked = self.dynamo.batch_get_item().request_items(table, asked);
            let answer = asked.send().await.map_err(|error| translate(&doing, None, &error))?;
            for item in
                answer.responses().and_then(|tables| tables.get(table)).into_iter().flatten()
            {
                found.push(whole(item)?);
            }
            let left = answer.unprocessed_keys.unwrap_or_default().remove(table);
            keys = left.map(|left| left.keys).unwrap_or_default();
            if keys.is_empty() {
                return Ok(found);
            }
            pause(offer).await;
        }
        Err(Failure::new(Kind::Settled, format!("{doing}: DynamoDB does not give it all"))
            .help("run the same command again"))
    }

    async fn put(&self, table: &str, items: &[Value]) -> Result<(), Failure> {
        let doing = format!("writing to the table `{table}`");
        let mut left = Vec::new();
        for one in items {
            let put = PutRequest::builder().set_item(Some(item(one)?)).build();
            let put = put.map_err(|error| Failure::bug(error.to_string()))?;
            left.push(WriteRequest::builder().put_request(put).build());
        }
        for offer in 0..OFFERS {
            let asked = self.dynamo.batch_write_item().request_items(table, left);
            let answer = asked.send().await.map_err(|error| translate(&doing, None, &error))?;
            left = answer.unprocessed_items.unwrap_or_default().remove(table).unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
            pause(offer).await;
        }
        Err(Failure::new(Kind::Settled, format!("{doing}: DynamoDB does not take it all"))
            .help("run the same command again; it resumes where it stopped"))
    }

    async fn remove_table(&self, table: &str) -> Result<(), Failure> {
        let doing = format!("removing the table `{table}`");
        let opened = self.dynamo.update_table().table_name(table);
        match opened.deletion_protection_enabled(false).send().await {
            Ok(_) => {}
            Err(error) if code(&error) == Some("ResourceNotFoundException") => return Ok(()),
            // It is open already.
            Err(error) if code(&error) == Some("ValidationException") => {}
            Err(error) => return Err(translate(&doing, None, &error)),
        }
        match self.dynamo.delete_table().table_name(table).send().await {
            Ok(_) => Ok(()),
            Err(error) if code(&error) == Some("ResourceNotFoundException") => Ok(()),
            Err(error) => Err(translate(&doing, None, &error)),
        }
    }

    async fn accounts(&self, pool: &str, from: Option<Value>) -> Result<Page<Account>, Failure> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let token = from.as_ref().and_then(|from| text(&from["token"]));
        // There are few operators: each page passes them on to the next.
        let operators = match from.as_ref().and_then(|from| from["operators"].as_array()) {
            Some(known) => known.iter().filter_map(text).collect(),
            None => crate::ports::People::operators(&self.people, pool).await?,
        };
        let asked = self.pools.list_users().user_pool_id(pool).set_pagination_token(token);
        let page = asked.send().await;
        let page = page.map_err(|error| translate("listing the user pool", None, &error))?;
        let account = |user: &UserType| {
            let email = user.attributes().iter().find(|attribute| attribute.name() == "email");
            let email = email.and_then(|attribute| attribute.value())?.to_owned();
            let confirmed = user.user_status() != Some(&UserStatusType::Unconfirmed);
            let operator = operators.contains(&email);
            Some(Account { email, confirmed, operator })
        };
        let items = page.users().iter().filter_map(account).collect();
        let next = |token| json!({"token": token, "operators": &operators});
        Ok(Page { items, next: page.pagination_token().map(next) })
    }

    async fn admit(&self, pool: &str, who: &Account, password: &Secret) -> Result<bool, Failure> {
        self.people.admit(pool, &who.email, who.operator, password).await
    }
}

/// A growing while, for DynamoDB to take more.
#[expect(
    clippy::disallowed_methods,
    reason = "AWS's pace: an account in memory has nothing to wait for"
)]
async fn pause(offer: u32) {
    tokio::time::sleep(std::time::Duration::from_millis(100 << offer.min(6))).await;
}

/// A JSON object as an item.
fn item(value: &Value) -> Result<HashMap<String, AttributeValue>, Failure> {
    let unfit = || {
        Failure::new(Kind::Input, "an item of the export is not one of DynamoDB's")
            .help("import a file as `spaceduck export` has written it, unchanged")
    };
    let fields = value.as_object().ok_or_else(unfit)?;
    let one = |(name, value): (&String, &Value)| Some((name.clone(), from_json(value)?));
    fields.iter().map(one).collect::<Option<_>>().ok_or_else(unfit)
}

/// An item as a JSON object; fields in their order, so that the same item is the same text.
fn whole(item: &HashMap<String, AttributeValue>) -> Result<Value, Failure> {
    let one = |(name, value): (&String, &AttributeValue)| Some((name.clone(), to_json(value)?));
    let fields: Option<serde_json::Map<String, Value>> = item.iter().map(one).collect();
    let unknown = || {
        Failure::new(Kind::Refused, "a table holds a type of value that this version does not know")
            .help("a newer spaceduck may know it")
    };
    fields.map(Value::Object).ok_or_else(unknown)
}

#[cfg(test)]
mod tests;
