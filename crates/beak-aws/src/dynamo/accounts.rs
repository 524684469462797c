//! Attempts to hatch, and whose passwords count, in the ledger.
//!
//! ```text
//! attempt#ADDRESS  HATCH_ID     an attempt
//! attempt#ADDRESS  from#CLIENT  the id of a client's newest attempt, as earlier releases kept it
//! account#ACCOUNT  guard        which attempt made it; when it was settled
//! email#ADDRESS    guard        the duckling, and the account that hatched it and so is settled
//! ```
//!
//! None of these has a time to live: an account that was never confirmed can be confirmed at any
//! time. A hatching takes the attempts away.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use beak_core::id::HatchId;
use beak_core::person::DisplayName;
use beak_core::ports::{AccountId, Accounts, Attempt};
use beak_core::{OffsetDateTime, Result};

use super::DynamoStore;
use super::item::{
    Attributes, Item, address_guard, guard_key, ledger_key, millis, moment, number, text,
};
use crate::failure::{code, failed};

/// Under which name it is kept since when accounts are settled.
const SETTLES_SINCE: &str = "settles-since";

fn attempts(address: &str) -> String {
    format!("attempt#{address}")
}

fn account_key(account: &AccountId) -> Attributes {
    guard_key(format!("account#{}", account.as_str()))
}

fn read(item: &Attributes, address: &str) -> Result<Attempt> {
    let item = Item(item);
    Ok(Attempt {
        id: HatchId::parse(item.text("hatch_id")?)?,
        address: address.to_owned(),
        from: item.maybe_text("client").map(str::to_owned),
        display_name: DisplayName::kept(item.text("display_name")?),
        at: item.moment("made_at")?,
    })
}

impl DynamoStore {
    /// Whether the hatching of an address was this account's, which settles it. Kept beside the
    /// account then: it outlives the duckling, and earlier releases look nowhere else.
    async fn is_hatched(&self, account: &AccountId, address: &str) -> Result<bool> {
        let guard = self.get("ledger", guard_key(address_guard(address))).await?;
        let Some(guard) = guard else { return Ok(false) };
        let guard = Item(&guard);
        if guard.maybe_text("account") != Some(account.as_str()) {
            return Ok(false);
        }
        self.settle(account, guard.moment("hatched_at")?).await?;
        Ok(true)
    }

    /// Keeps a value of an account, unless it has one.
    async fn keep(
        &self,
        account: &AccountId,
        name: &str,
        value: AttributeValue,
        doing: &str,
    ) -> Result<()> {
        let asked = self
            .client
            .update_item()
            .table_name(self.table("ledger"))
            .set_key(Some(account_key(account)))
            .update_expression(format!("SET {name} = if_not_exists({name}, :value)"))
            .expression_attribute_values(":value", value);
        asked.send().await.map(|_| ()).map_err(|error| failed(doing, &error))
    }
}

#[async_trait]
impl Accounts for DynamoStore {
    async fn note_attempt(&self, attempt: &Attempt) -> Result<()> {
        let id = attempt.id.as_str();
        let mut item = ledger_key(attempts(&attempt.address), id);
        item.insert("hatch_id".into(), text(id));
        item.insert("display_name".into(), text(attempt.display_name.as_str()));
        item.insert("made_at".into(), number(millis(attempt.at)));
        // Earlier releases count them here.
        item.insert("tries".into(), number(0));
        item.extend(attempt.from.as_ref().map(|from| ("client".into(), text(from))));
        let put = self.client.put_item().table_name(self.table("ledger")).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(|error| failed("noting an attempt", &error))
    }

    async fn attempt(&self, address: &str, id: &HatchId) -> Result<Option<Attempt>> {
        let item = self.get("ledger", ledger_key(attempts(address), id.as_str())).await?;
        item.map(|item| read(&item, address)).transpose()
    }

    async fn newest_attempt(&self, address: &str, from: &str) -> Result<Option<Attempt>> {
        // Ids sort by time. Each attempt that is looked at was paid for with a captcha.
        let mut newest_first = self
            .client
            .query()
            .table_name(self.table("ledger"))
            .key_condition_expression("pk = :pk AND begins_with(sk, :attempt)")
            .expression_attribute_values(":pk", text(attempts(address)))
            .expression_attribute_values(":attempt", text("htc_"))
            .scan_index_forward(false)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        while let Some(item) = newest_first.next().await {
            let item = item.map_err(|error| failed("reading attempts", &error))?;
            if Item(&item).maybe_text("client") == Some(from) {
                return read(&item, address).map(Some);
            }
        }
        Ok(None)
    }

    async fn forget_attempts(&self, address: &str) -> Result<()> {
        self.clear(&attempts(address)).await
    }

    async fn note_maker(&self, account: &AccountId, attempt: &HatchId) -> Result<()> {
        let value = text(attempt.as_str());
        self.keep(account, "made_by", value, "noting who made an account").await
    }

    async fn maker(&self, account: &AccountId) -> Result<Option<HatchId>> {
        let item = self.get("ledger", account_key(account)).await?;
        let made_by = item.as_ref().and_then(|item| Item(item).maybe_text("made_by"));
        made_by.map(HatchId::parse).transpose()
    }

    async fn settle(&self, account: &AccountId, now: OffsetDateTime) -> Result<()> {
        self.keep(account, "settled_at", number(millis(now)), "settling an account").await
    }

    async fn is_settled(&self, account: &AccountId, address: &str) -> Result<bool> {
        let item = self.get("ledger", account_key(account)).await?;
        let at = item.map(|item| Item(&item).maybe_number("settled_at")).transpose()?;
        Ok(at.flatten().is_some() || self.is_hatched(account, address).await?)
    }

    async fn forget_account(&self, account: &AccountId) -> Result<()> {
        let asked = self.client.delete_item().table_name(self.table("ledger"));
        let gone = asked.set_key(Some(account_key(account))).send().await;
        gone.map(|_| ()).map_err(|error| failed("forgetting an account", &error))
    }

    async fn settles_since(&self, now: OffsetDateTime) -> Result<OffsetDateTime> {
        // It never changes, so one look lasts as long as the process.
        if let Some(since) = self.settles_since.get() {
            return Ok(*since);
        }
        let mut item = guard_key(SETTLES_SINCE);
        item.insert("since".into(), number(millis(now)));
        let put = self.client.put_item().table_name(self.table("ledger")).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(pk)").send().await;
        let since = match put {
            Ok(_) => moment(millis(now))?,
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => {
                let kept = self.get("ledger", guard_key(SETTLES_SINCE)).await?;
                Item(&kept.unwrap_or_default()).moment("since")?
            }
            Err(error) => return Err(failed("noting since when accounts are settled", &error)),
        };
        Ok(*self.settles_since.get_or_init(|| since))
    }
}
