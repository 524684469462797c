//! What has happened: under the name of each party, and once in the week in which it happened. A
//! week's items share a partition, which is enough for writers and few enough for a reader.

use beak_core::audit::{Event, EventKind, KEPT};
use beak_core::id::{CertId, DucklingId, EventId, PeckId};
use beak_core::ports::{EventQuery, Listed, Page};
use beak_core::{Duration, OffsetDateTime, Result};

use super::DynamoStore;
use super::item::{Attributes, Item, damaged, ledger_key, millis, number, seconds, text};
use super::transaction::Transaction;
use crate::failure::failed;

const WEEK: i64 = 7 * 24 * 60 * 60;

fn week(moment: OffsetDateTime) -> i64 {
    moment.unix_timestamp().div_euclid(WEEK)
}

fn of_week(week: i64) -> String {
    format!("audit#w{week}")
}

fn of_party(id: &DucklingId) -> String {
    format!("audit#{id}")
}

fn of_event(pk: String, event: &Event) -> Attributes {
    let mut item = ledger_key(pk, event.id.as_str());
    item.insert("kind".into(), text(event.kind.word()));
    item.insert("at_ms".into(), number(millis(event.at)));
    item.insert("duckling_id".into(), text(event.duckling.as_str()));
    item.insert("expires_at".into(), seconds(event.at + KEPT));
    let more = [
        ("other_id", event.other.as_ref().map(DucklingId::as_str)),
        ("peck_id", event.peck.as_ref().map(PeckId::as_str)),
        ("cert_id", event.cert.as_ref().map(CertId::as_str)),
        ("tier", event.tier.map(beak_core::tier::Tier::word)),
        ("note", event.note.as_deref()),
    ];
    for (name, value) in more {
        item.extend(value.map(|value| (name.to_owned(), text(value))));
    }
    item
}

fn event(item: &Attributes) -> Result<Event> {
    let item = Item(item);
    let tier = item.maybe_text("tier").map(|_| item.tier());
    Ok(Event {
        id: EventId::parse(item.text("sk")?)?,
        kind: EventKind::parse(item.text("kind")?).ok_or_else(|| damaged("kind"))?,
        at: item.moment("at_ms")?,
        duckling: DucklingId::parse(item.text("duckling_id")?)?,
        other: item.maybe_text("other_id").map(DucklingId::parse).transpose()?,
        peck: item.maybe_text("peck_id").map(PeckId::parse).transpose()?,
        cert: item.maybe_text("cert_id").map(CertId::parse).transpose()?,
        tier: tier.transpose()?,
        note: item.maybe_text("note").map(str::to_owned),
    })
}

impl DynamoStore {
    /// Writes events down, as part of the change that they tell of.
    pub(super) fn tell(&self, to: &mut Transaction, events: &[Event]) -> Result<()> {
        for event in events {
            to.put(self.table("ledger"), of_event(of_week(week(event.at)), event))?;
            for party in event.parties() {
                to.put(self.table("ledger"), of_event(of_party(party), event))?;
            }
        }
        Ok(())
    }

    pub(super) async fn list_events(
        &self,
        asked: &EventQuery,
        page: &Page,
    ) -> Result<Listed<Event>> {
        let oldest = asked.now - KEPT + Duration::milliseconds(1);
        let after = page.after.as_deref().map(EventId::parse).transpose()?;
        let partitions: Vec<String> = if let Some(id) = &asked.of {
            vec![of_party(id)]
        } else {
            let newest = after.as_ref().map_or(asked.now, EventId::made_at);
            (week(oldest)..=week(newest)).rev().map(of_week).collect()
        };
        // Ids sort by time, so what is too old is below an id of that time.
        let from = EventId::new(oldest, [0; 16]);
        // A place in a list that is too old: DynamoDB refuses a span whose end is before its start.
        if after.as_ref().is_some_and(|after| *after < from) {
            return Ok(Listed { items: Vec::new(), next: None });
        }
        let (mut items, wanted) = (Vec::new(), page.limit + 1);
        for pk in partitions {
            // The end of a span is part of it, and was the last one of the part before.
            let limit = wanted - items.len() + usize::from(after.is_some());
            let found = self.span_of_events(pk, &from, after.as_ref(), limit).await?;
            items.extend(found.into_iter().filter(|event| after.as_ref() != Some(&event.id)));
            if items.len() >= wanted {
                break;
            }
        }
        let more = items.len() > page.limit;
        items.truncate(page.limit);
        let next = items.last().filter(|_| more).map(|event| event.id.to_string());
        Ok(Listed { items, next })
    }

    async fn span_of_events(
        &self,
        pk: String,
        from: &EventId,
        to: Option<&EventId>,
        limit: usize,
    ) -> Result<Vec<Event>> {
        let asked = self
            .client
            .query()
            .table_name(self.table("ledger"))
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":from", text(from.as_str()))
            .expression_attribute_values(":to", text(to.map_or("~", EventId::as_str)))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let answer = asked.send().await.map_err(|error| failed("listing events", &error))?;
        answer.items().iter().map(event).collect()
    }
}
