//! What has happened, as items of the ledger: one for a transaction with all of its events, and one
//! for each party with those that name it.
//!
//! ```text
//! audit#sNN       EVENT  the events of a transaction, in one of many shards
//! audit#DUCKLING  EVENT  those of a party
//! audit#wWEEK     EVENT  one event, as earlier releases kept it
//! ```
//!
//! The sort key is the newest event of the item. Two kinds of events are in no item of a party,
//! since its other items have them already: that it hatched is in the duckling, and that a peck was
//! asked in the peck, which the indexes of the pecks list by either side.

use aws_sdk_dynamodb::types::AttributeValue;
use beak_core::audit::{self, Event, EventKind, KEPT};
use beak_core::id::{CertId, DucklingId, EventId, PeckId};
use beak_core::tier::Tier;
use beak_core::{OffsetDateTime, Result};

use super::DynamoStore;
use super::item::{
    Attributes, Item, attributes, damaged, ledger_key, millis, number, seconds, text,
};
use super::transaction::Transaction;

/// How many partitions the events of all ducklings have.
pub(crate) const AUDIT_SHARDS: u8 = audit::SHARDS;

/// The partition of a shard.
pub(super) fn of_shard(shard: u8) -> String {
    format!("audit#s{shard:02}")
}

/// The partition of a week, in seconds divided by its length.
pub(super) fn of_week(week: i64) -> String {
    format!("audit#w{week}")
}

pub(super) fn of_party(id: &DucklingId) -> String {
    format!("audit#{id}")
}

/// The shard of an item.
fn shard(newest: &EventId) -> u8 {
    super::shard(newest.as_str(), AUDIT_SHARDS)
}

/// An event without what the item says of all of its events, and without its id, which follows from
/// its content.
fn written(event: &Event) -> AttributeValue {
    let mut map =
        attributes([("kind", text(event.kind.word())), ("of", text(event.duckling.as_str()))]);
    let more = [
        ("other", event.other.as_ref().map(DucklingId::as_str)),
        ("peck", event.peck.as_ref().map(PeckId::as_str)),
        ("cert", event.cert.as_ref().map(CertId::as_str)),
        ("tier", event.tier.map(Tier::word)),
        ("note", event.note.as_deref()),
    ];
    for (name, value) in more {
        map.extend(value.map(|value| (name.to_owned(), text(value))));
    }
    AttributeValue::M(map)
}

/// An item with events of one moment; `None` where there is none.
fn together(pk: impl FnOnce(&EventId) -> String, events: &[&Event]) -> Option<Attributes> {
    let newest = events.iter().max_by(|a, b| a.id.cmp(&b.id))?;
    let mut item = ledger_key(pk(&newest.id), newest.id.as_str());
    item.insert("at_ms".into(), number(millis(newest.at)));
    item.insert("expires_at".into(), seconds(newest.at + KEPT));
    let told = events.iter().map(|event| written(event)).collect();
    item.insert("told".into(), AttributeValue::L(told));
    Some(item)
}

fn read(map: &Attributes, at: OffsetDateTime) -> Result<Event> {
    let item = Item(map);
    let event = Event {
        id: EventId::new(at, [0; 16]),
        kind: EventKind::parse(item.text("kind")?).ok_or_else(|| damaged("kind"))?,
        at,
        duckling: DucklingId::parse(item.text("of")?)?,
        other: item.maybe_text("other").map(DucklingId::parse).transpose()?,
        peck: item.maybe_text("peck").map(PeckId::parse).transpose()?,
        cert: item.maybe_text("cert").map(CertId::parse).transpose()?,
        tier: item.maybe_text("tier").map(|_| item.tier()).transpose()?,
        note: item.maybe_text("note").map(str::to_owned),
    };
    Ok(event.named())
}

/// The one event of an item of an earlier release.
fn single(item: &Attributes) -> Result<Event> {
    let item = Item(item);
    Ok(Event {
        id: EventId::parse(item.text("sk")?)?,
        kind: EventKind::parse(item.text("kind")?).ok_or_else(|| damaged("kind"))?,
        at: item.moment("at_ms")?,
        duckling: DucklingId::parse(item.text("duckling_id")?)?,
        other: item.maybe_text("other_id").map(DucklingId::parse).transpose()?,
        peck: item.maybe_text("peck_id").map(PeckId::parse).transpose()?,
        cert: item.maybe_text("cert_id").map(CertId::parse).transpose()?,
        tier: item.maybe_text("tier").map(|_| item.tier()).transpose()?,
        note: item.maybe_text("note").map(str::to_owned),
    })
}

/// The events of an item.
pub(super) fn events_of(item: &Attributes) -> Result<Vec<Event>> {
    let Some(told) = item.get("told") else { return single(item).map(|event| vec![event]) };
    let at = Item(item).moment("at_ms")?;
    let told = told.as_l().map_err(|_| damaged("told"))?;
    let maps = told.iter().map(|one| one.as_m().map_err(|_| damaged("told")));
    maps.map(|map| read(map?, at)).collect()
}

/// What a duckling's item says of its hatching; nothing for ducklings of earlier releases, which
/// have events of their own for it.
pub(super) fn birth(item: &Attributes) -> Result<Vec<Event>> {
    let item = Item(item);
    let Some(first) = item.maybe_text("first_cert") else { return Ok(Vec::new()) };
    let id = DucklingId::parse(item.text("duckling_id")?)?;
    let first = CertId::parse(first)?;
    Ok(audit::of_birth(item.moment("created_at")?, &id, (&first, Tier::T0)).into())
}

/// Whether a party's list has an event without an item of its own.
fn is_elsewhere(event: &Event, births: bool) -> bool {
    event.kind == EventKind::PeckRequested || births
}

impl DynamoStore {
    /// Writes events of one moment down, as part of the change that they tell of.
    pub(super) fn tell(&self, to: &mut Transaction, events: &[Event]) -> Result<()> {
        self.tell_parties(to, events, false)
    }

    /// The same for a hatching, which its owner's list takes from the duckling's item.
    pub(super) fn tell_birth(&self, to: &mut Transaction, events: &[Event]) -> Result<()> {
        self.tell_parties(to, events, true)
    }

    fn tell_parties(&self, to: &mut Transaction, events: &[Event], births: bool) -> Result<()> {
        let all: Vec<&Event> = events.iter().collect();
        let mut items = vec![together(|newest| of_shard(shard(newest)), &all)];
        let mut parties: Vec<&DucklingId> = events.iter().flat_map(Event::parties).collect();
        parties.sort_unstable();
        parties.dedup();
        for party in parties {
            let own = |event: &&&Event| {
                event.parties().any(|one| one == party) && !is_elsewhere(event, births)
            };
            let own: Vec<&Event> = all.iter().filter(own).copied().collect();
            items.push(together(|_| of_party(party), &own));
        }
        for item in items.into_iter().flatten() {
            to.put(self.table("ledger"), item)?;
        }
        Ok(())
    }
}
