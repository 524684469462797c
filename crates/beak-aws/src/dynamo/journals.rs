//! Short journals in the ledger: one item for a name, gone by itself.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use beak_core::Result;
use beak_core::ports::{Journal, Journals, Mark};

use super::DynamoStore;
use super::item::{Item, damaged, guard_key, millis, moment, number, seconds, text};
use crate::failure::{code, failed};

fn pk(name: &str) -> String {
    format!("journal#{name}")
}

/// A mark as text: milliseconds, a space, and what happened.
pub(super) fn written_mark(mark: &Mark) -> AttributeValue {
    text(format!("{} {}", millis(mark.at), mark.what))
}

pub(super) fn read_mark(value: &AttributeValue) -> Result<Mark> {
    let parts = value.as_s().ok().and_then(|text| text.split_once(' '));
    let (at, what) = parts.ok_or_else(|| damaged("marks"))?;
    let at = at.parse().map_err(|_| damaged("marks"))?;
    Ok(Mark { at: moment(at)?, what: what.to_owned() })
}

#[async_trait]
impl Journals for DynamoStore {
    async fn journal(&self, name: &str) -> Result<Option<Journal>> {
        let item = self.get("ledger", guard_key(pk(name))).await?;
        let Some(item) = item else { return Ok(None) };
        let marks = item.get("marks").and_then(|marks| marks.as_l().ok());
        let marks = marks.ok_or_else(|| damaged("marks"))?.iter().map(read_mark);
        let marks = marks.collect::<Result<_>>()?;
        let item = Item(&item);
        Ok(Some(Journal {
            name: name.to_owned(),
            version: u64::try_from(item.number("version")?).map_err(|_| damaged("version"))?,
            until: item.moment("lapses_at")?,
            marks,
            in_a_row: u32::try_from(item.number("in_a_row")?).map_err(|_| damaged("in_a_row"))?,
        }))
    }

    async fn write_journal(&self, journal: &Journal) -> Result<bool> {
        let version = i64::try_from(journal.version).unwrap_or(i64::MAX);
        let mut item = guard_key(pk(&journal.name));
        let marks = journal.marks.iter().map(written_mark).collect();
        item.insert("marks".into(), AttributeValue::L(marks));
        item.insert("version".into(), number(version));
        item.insert("in_a_row".into(), number(journal.in_a_row.into()));
        item.insert("lapses_at".into(), number(millis(journal.until)));
        item.insert("expires_at".into(), seconds(journal.until));
        let put = self.client.put_item().table_name(self.table("ledger")).set_item(Some(item));
        let put = if version == 1 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("#version = :before")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":before", number(version - 1))
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(failed("writing a journal", &error)),
        }
    }
}
