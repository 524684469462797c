//! What changes while a galaxy is written down.
//!
//! Every change of a duckling, a certificate or a peck writes its events in the same transaction.
//! So the events since the beginning name what has to be read once more. That is repeated until no
//! event is new: then nothing named by events changed during the round, and what the file holds of
//! it is the galaxy then. Under a load that never stops, the last round holds what changed within a
//! moment; an import puts that right.
//!
//! What has no events is in one item each: a name, a pulse, a block, an egg, a reader.

use std::collections::BTreeSet;

use beak_core::id::EventId;
use beak_core::{Duration, OffsetDateTime, audit};
use serde_json::{Value, json};

use super::{Line, Pen, Sink, Source};
use crate::failure::Failure;
use crate::ports::Records;

/// An event may be written so much later than the moment it names: a call may take ten seconds, and
/// the clocks of AWS's machines differ by less than one.
const LATE: Duration = Duration::minutes(1);

/// How often it is looked for events; each round has what came during the one before.
const ROUNDS: usize = 20;

/// `BatchGetItem` takes this many keys. Source: Amazon `DynamoDB` API Reference.
const KEYS: usize = 100;

/// How many seconds of events earlier releases kept in a partition.
const WEEK: i64 = 7 * 24 * 60 * 60;

/// The tables that events name something of, in the order in which they are read: what names
/// something comes first.
const NOUNS: [(&str, &str); 3] =
    [("pecks", "peck_id"), ("ducklings", "duckling_id"), ("certs", "cert_id")];

/// Under which names an event has a peck, ducklings and a certificate: in an item of several
/// events, and in one of its own, as earlier releases kept it.
const NAMES: [(&str, &[&str]); 3] = [
    ("pecks", &["peck", "peck_id"]),
    ("ducklings", &["of", "other", "duckling_id", "other_id"]),
    ("certs", &["cert", "cert_id"]),
];

const LEDGER: &str = "ledger";

/// Ids of ducklings, pecks or certificates, by their table.
type Named = BTreeSet<(&'static str, String)>;

/// Writes down what changed since `begun`, which is AWS's time.
pub(super) async fn write<S: Sink + Send>(
    records: &dyn Records,
    source: &Source,
    begun: u64,
    (pen, sink): (&mut Pen, &mut S),
) -> Result<(), Failure> {
    let Some(ledger) = source.tables.get(LEDGER) else { return Ok(()) };
    let begun = i64::try_from(begun).ok();
    let begun = begun.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    let begun = begun.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut watch = Watch { from: begun.saturating_sub(LATE), seen: BTreeSet::new() };
    for _ in 0..ROUNDS {
        let mut is_quiet = true;
        let from = EventId::new(watch.from, [0; 16]);
        for partition in watch.partitions() {
            let mut next = None;
            loop {
                let span = (partition.as_str(), from.as_str());
                let page = records.since(ledger, span, next).await?;
                let mut named = Named::new();
                for item in page.items.into_iter().filter(|item| watch.is_new(item, &partition)) {
                    is_quiet = false;
                    collect(&item, &mut named);
                    let line = Line::Changed { table: LEDGER.into(), item };
                    sink.take(&pen.line(&line)?).await?;
                }
                read_again(records, source, named, (pen, sink)).await?;
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
        }
        if is_quiet {
            break;
        }
        watch.move_on();
    }
    Ok(())
}

/// Writes down how everything that was named is now.
async fn read_again<S: Sink + Send>(
    records: &dyn Records,
    source: &Source,
    mut named: Named,
    (pen, sink): (&mut Pen, &mut S),
) -> Result<(), Failure> {
    for (table, key) in NOUNS {
        let Some(name) = source.tables.get(table) else { continue };
        let of_table = named.iter().filter(|(of, _)| *of == table);
        let ids: Vec<String> = of_table.map(|(_, id)| id.clone()).collect();
        for ids in ids.chunks(KEYS) {
            let keys: Vec<Value> = ids.iter().map(|id| json!({ key: {"S": id} })).collect();
            let items = records.named(name, &keys).await?;
            for line in lines((table, key), &keys, items, &mut named) {
                sink.take(&pen.line(&line)?).await?;
            }
        }
    }
    Ok(())
}

/// What was read of some keys, as lines. A duckling's certificate is read after it.
fn lines(
    (table, key): (&str, &str),
    keys: &[Value],
    items: Vec<Value>,
    named: &mut Named,
) -> Vec<Line> {
    let found: BTreeSet<String> =
        items.iter().filter_map(|item| text(item, key).map(str::to_owned)).collect();
    let is_gone = |one: &&Value| text(one, key).is_some_and(|id| !found.contains(id));
    let gone = keys.iter().filter(is_gone).cloned();
    let gone = gone.map(|key| Line::Gone { table: table.to_owned(), key });
    let mut lines: Vec<Line> = gone.collect();
    for item in items {
        if table == "ducklings" {
            let certificate = text(&item, "cert_id").map(str::to_owned);
            named.extend(certificate.map(|id| ("certs", id)));
        }
        lines.push(Line::Changed { table: table.to_owned(), item });
    }
    lines
}

fn text<'a>(item: &'a Value, name: &str) -> Option<&'a str> {
    item.get(name)?.get("S")?.as_str()
}

/// The ids in an item of the audit.
fn collect(item: &Value, named: &mut Named) {
    let told = item.get("told").and_then(|told| told.get("L")).and_then(Value::as_array);
    let events = told.into_iter().flatten().filter_map(|one| one.get("M"));
    for event in events.chain([item]) {
        for (table, names) in NAMES {
            let ids = names.iter().filter_map(|name| text(event, name));
            named.extend(ids.map(|id| (table, id.to_owned())));
        }
    }
}

/// Which events were seen.
struct Watch {
    /// All that happened before was seen.
    from: OffsetDateTime,
    /// What was seen since then.
    seen: BTreeSet<String>,
}

impl Watch {
    /// Where events are: in shards, and week by week where an earlier release writes them.
    fn partitions(&self) -> Vec<String> {
        let week = self.from.unix_timestamp().div_euclid(WEEK);
        let weeks = [week, week + 1].map(|week| format!("audit#w{week}"));
        let shards = (0..audit::SHARDS).map(|shard| format!("audit#s{shard:02}"));
        shards.chain(weeks).collect()
    }

    fn is_new(&mut self, item: &Value, partition: &str) -> bool {
        text(item, "sk").is_some_and(|id| self.seen.insert(format!("{id} {partition}")))
    }

    /// Forgets what can't come up again.
    fn move_on(&mut self) {
        let newest = self.seen.last().and_then(|seen| seen.split(' ').next());
        let Some(newest) = newest.and_then(|id| EventId::parse(id).ok()) else { return };
        self.from = self.from.max(newest.made_at().saturating_sub(LATE));
        let oldest = EventId::new(self.from, [0; 16]).to_string();
        self.seen = self.seen.split_off(&oldest);
    }
}
