//! What has happened, as items of the ledger: one for a transaction with all of its events, and one
//! for each party with those that name it.
//!
//! ```text
//! audit#sNN       EVENT  the events of a transaction, in one of many shards
//! audit#DUCKLING  EVENT  those of a party
//! audit#wWEEK     EVENT  one event, as earlier releases kept it
//! ```
//!
//! An item is written in the transaction of its change or, where a peck or certificate comes to be
//! that tells whether the transaction was, ahead of it for half the units: `if_peck` or `if_cert`
//! names that one, and a list leaves out what has none.
//!
//! The sort key is the newest event of the item. Two kinds of events are in no item of a party,
//! since its other items have them already: that it hatched is in the duckling, and that a peck was
//! asked in the peck, which the indexes of the pecks list by either side.

use std::collections::{BTreeSet, HashSet};

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
use crate::failure::failed;

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

/// What comes to be with the change that events were written ahead of.
#[derive(Clone, Copy)]
pub(super) enum Proof<'a> {
    Peck(&'a PeckId),
    Certificate(&'a CertId),
}

/// The attribute that names a proof, its table and the key there.
const PROOFS: [[&str; 3]; 2] = [["if_peck", "pecks", "peck_id"], ["if_cert", "certs", "cert_id"]];

impl DynamoStore {
    /// Writes the events of a change down ahead of it, for the list of all. Gives the item's key.
    pub(super) async fn tell_ahead(
        &self,
        events: &[Event],
        proof: Proof<'_>,
    ) -> Result<Attributes> {
        let events: Vec<&Event> = events.iter().collect();
        let item = together(|newest| of_shard(shard(newest)), &events);
        let mut item = item.ok_or_else(|| damaged("told"))?;
        let key = ledger_key(Item(&item).text("pk")?, Item(&item).text("sk")?);
        let (name, id) = match proof {
            Proof::Peck(id) => (PROOFS[0][0], id.as_str()),
            Proof::Certificate(id) => (PROOFS[1][0], id.as_str()),
        };
        item.insert(name.into(), text(id));
        let put = self.client.put_item().table_name(self.table("ledger")).set_item(Some(item));
        put.send().await.map_err(|error| failed("writing events down", &error))?;
        Ok(key)
    }

    /// Removes what was written ahead of a change that did not come about. Best effort: lists leave
    /// it out.
    pub(super) async fn untell(&self, key: Attributes) {
        let gone = self.client.delete_item().table_name(self.table("ledger"));
        let _ = gone.set_key(Some(key)).send().await;
    }

    /// Those of the items whose change came about.
    pub(super) async fn proven(&self, items: Vec<Attributes>) -> Result<Vec<Attributes>> {
        let mut there = HashSet::new();
        for [name, table, key] in PROOFS {
            let ids = items.iter().filter_map(|item| Item(item).maybe_text(name));
            let mut ids: BTreeSet<&str> = ids.collect();
            // Neither is ever removed: only what was written just now, or not at all, takes a look
            // at the newest version.
            for newest in [false, true] {
                let keys = ids.iter().map(|id| attributes([(key, text(*id))])).collect();
                for found in self.batch_of(table, keys, newest).await? {
                    let id = Item(&found).text(key)?;
                    ids.remove(id);
                    there.insert(id.to_owned());
                }
            }
        }
        let is_proven = |item: &Attributes| {
            let mut names = PROOFS.iter().filter_map(|[name, ..]| Item(item).maybe_text(name));
            names.all(|id| there.contains(id))
        };
        Ok(items.into_iter().filter(is_proven).collect())
    }

    /// Writes events of one moment down, as part of the change that they tell of.
    pub(super) fn tell(&self, to: &mut Transaction, events: &[Event]) -> Result<()> {
        let all: Vec<&Event> = events.iter().collect();
        let mut items = vec![together(|newest| of_shard(shard(newest)), &all)];
        let mut parties: Vec<&DucklingId> = events.iter().flat_map(Event::parties).collect();
        parties.sort_unstable();
        parties.dedup();
        for party in parties {
            let own = |event: &&&Event| {
                event.parties().any(|one| one == party) && event.kind != EventKind::PeckRequested
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
