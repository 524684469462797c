//! Which tokens of an address count, and its second factor, in the ledger.
//!
//! ```text
//! signin#ADDRESS  guard  version, generation, factor, enrolment, marks
//! ```
//!
//! `spaceduck operator` raises `generation` and `version` by one, also where there is no item.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use beak_core::Result;
use beak_core::ports::{AccountId, Enrolment, Factor, SignInState, SignIns};

use super::DynamoStore;
use super::item::{
    Attributes, Item, attributes, damaged, guard_key, millis, moment, number, seconds, text,
};
use super::journals::{read_mark, written_mark};
use crate::failure::{code, failed};

fn pk(address: &str) -> String {
    format!("signin#{address}")
}

fn written(state: &SignInState) -> Attributes {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut item = guard_key(pk(&state.address));
    item.insert("version".into(), number(whole(state.version)));
    item.insert("generation".into(), number(whole(state.generation)));
    let marks = state.marks.iter().map(written_mark).collect();
    item.insert("marks".into(), AttributeValue::L(marks));
    if let Some(factor) = &state.factor {
        let recovery = factor.recovery.iter().map(text).collect();
        let factor = attributes([
            ("account", text(factor.account.as_str())),
            ("secret", text(&factor.secret)),
            ("enrolled_at", number(millis(factor.enrolled_at))),
            ("last_step", number(whole(factor.last_step))),
            ("recovery", AttributeValue::L(recovery)),
        ]);
        item.insert("factor".into(), AttributeValue::M(factor));
    }
    if let Some(enrolment) = &state.enrolment {
        let enrolment = attributes([
            ("account", text(enrolment.account.as_str())),
            ("secret", text(&enrolment.secret)),
            ("begun_at", number(millis(enrolment.begun_at))),
        ]);
        item.insert("enrolment".into(), AttributeValue::M(enrolment));
    }
    if let Some(until) = state.until {
        item.insert("lapses_at".into(), number(millis(until)));
        item.insert("expires_at".into(), seconds(until));
    }
    item
}

fn list<T>(
    item: &Attributes,
    name: &str,
    read: impl Fn(&AttributeValue) -> Result<T>,
) -> Result<Vec<T>> {
    let Some(value) = item.get(name) else { return Ok(Vec::new()) };
    value.as_l().map_err(|_| damaged(name))?.iter().map(read).collect()
}

fn part<'a>(item: &'a Attributes, name: &str) -> Result<Option<&'a Attributes>> {
    item.get(name).map(|value| value.as_m().map_err(|_| damaged(name))).transpose()
}

fn count(item: &Attributes, name: &str) -> Result<u64> {
    u64::try_from(Item(item).number(name)?).map_err(|_| damaged(name))
}

fn read(item: &Attributes, address: &str) -> Result<SignInState> {
    let hash = |value: &AttributeValue| value.as_s().cloned().map_err(|_| damaged("recovery"));
    let factor = |factor: &Attributes| {
        let read = Item(factor);
        Ok(Factor {
            account: AccountId::new(read.text("account")?),
            secret: read.text("secret")?.to_owned(),
            enrolled_at: read.moment("enrolled_at")?,
            last_step: count(factor, "last_step")?,
            recovery: list(factor, "recovery", hash)?,
        })
    };
    let enrolment = |enrolment: &Attributes| {
        let read = Item(enrolment);
        let (account, secret) = (AccountId::new(read.text("account")?), read.text("secret")?);
        Ok(Enrolment { account, secret: secret.to_owned(), begun_at: read.moment("begun_at")? })
    };
    Ok(SignInState {
        address: address.to_owned(),
        version: count(item, "version")?,
        generation: count(item, "generation")?,
        factor: part(item, "factor")?.map(factor).transpose()?,
        enrolment: part(item, "enrolment")?.map(enrolment).transpose()?,
        marks: list(item, "marks", read_mark)?,
        until: Item(item).maybe_number("lapses_at")?.map(moment).transpose()?,
    })
}

#[async_trait]
impl SignIns for DynamoStore {
    async fn sign_in_state(&self, address: &str) -> Result<Option<SignInState>> {
        let item = self.get("ledger", guard_key(pk(address))).await?;
        item.map(|item| read(&item, address)).transpose()
    }

    async fn write_sign_in_state(&self, state: &SignInState) -> Result<bool> {
        let item = written(state);
        let before = number(i64::try_from(state.version).unwrap_or(i64::MAX) - 1);
        let put = self.client.put_item().table_name(self.table("ledger")).set_item(Some(item));
        let put = if state.version == 1 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("#version = :before")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":before", before)
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(failed("writing a state of signing in", &error)),
        }
    }
}
