//! What has lapsed: counted, and put away.
//!
//! ```text
//! due#NN     TIME#peck#PECK, TIME#egg#ADDRESS  the queue of what lapses, in several shards
//! due-swept  guard                             up to which place all is put away
//! due        the same                          the queue of earlier releases
//! due-aside  the same                          what could not be put away
//! ```
//!
//! An entry is written ahead of its peck or egg, and removed behind the change that settles it. A
//! process may die in between, so whether an entry means anything, the peck or egg says when its
//! time has come. What the sweep has put away goes by its own time to live, which costs
//! nothing. Entries of the queue of earlier releases are removed one by one.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use beak_core::id::PeckId;
use beak_core::peck::PeckStatus;
use beak_core::ports::{Lapsed, Metrics, Move, Moved, Swept};
use beak_core::{BeakError, Duration, OffsetDateTime, Result};
use futures_util::future::try_join_all;

use super::item::{Attributes, Item, attributes, due, guard_key, ledger_key, seconds, text};
use super::transaction::{Outcome, Transaction, When};
use super::{DynamoStore, restless};
use crate::failure::{code, failed};

const QUEUE: &str = "due";
const ASIDE: &str = "due-aside";
const SWEPT: &str = "due-swept";

/// Before every place: DynamoDB knows no empty key.
const FIRST: &str = "0";

/// How many partitions the queue has.
pub(crate) const QUEUES: u8 = 6;

/// How long what was put aside is kept for an operator to look at.
const KEPT: Duration = Duration::days(90);

/// How long an entry outlives its time. A sweep that is not made for so long misses it.
pub(super) const ENTRY_KEPT: Duration = Duration::days(14);

/// How many entries of a partition are read at once.
const AT_ONCE: i32 = 200;

/// How many are put away at the same time.
const TOGETHER: usize = 8;

/// How often a sweep reads on where entries meant nothing any more.
const CHUNKS: usize = 20;

/// The counts, in the order of the nouns in [`Metrics`]; pecks by the words of their states.
const COUNTS: [&str; 9] = [
    "ducklings",
    "certificates",
    "connections",
    "eggs",
    "pending",
    "approved",
    "denied",
    "expired",
    "revoked",
];

/// How often the counts are read again because something was swept meanwhile.
const TRIES: usize = 4;

/// The partition of an entry.
pub(super) fn queue_of(place: &str) -> String {
    format!("{QUEUE}#{:02}", super::shard(place, QUEUES))
}

/// An entry whose time has come.
struct Entry {
    place: String,
    item: Attributes,
    /// Whether it is in the queue of earlier releases.
    is_old: bool,
}

impl Entry {
    fn is_peck(&self) -> bool {
        self.place.contains("#peck#")
    }

    /// The table of what it is about, and the key there.
    fn about(&self) -> Result<(&'static str, &'static str, String)> {
        let item = Item(&self.item);
        Ok(if self.is_peck() {
            ("pecks", "peck_id", item.text("peck_id")?.to_owned())
        } else {
            ("eggs", "email", item.text("email")?.to_owned())
        })
    }
}

/// What an entry means by now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// It lapsed and has to be put away.
    Lapsed,
    /// It was settled, hatched or laid again, or it never came about.
    Nothing,
    /// It can't be read, or an earlier release wrote it with a peck that is not there.
    Broken,
}

impl DynamoStore {
    /// A query for what lapsed in a partition, oldest first.
    fn lapsed_in(&self, pk: &str, from: &str, now: OffsetDateTime) -> QueryFluentBuilder {
        // What lapses at this very millisecond has lapsed: `~` sorts behind what follows it.
        let end = format!("{}~", due(now));
        self.client
            .query()
            .table_name(self.table("ledger"))
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :end")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":end", text(end))
            .consistent_read(true)
            .limit(AT_ONCE)
    }

    /// The place up to which all is put away.
    async fn swept(&self) -> Result<String> {
        let item = self.get("ledger", guard_key(SWEPT)).await?;
        let place = item.map(|item| Item(&item).text("place").map(str::to_owned)).transpose()?;
        Ok(place.unwrap_or_else(|| FIRST.into()))
    }

    async fn note_swept(&self, place: &str) -> Result<()> {
        let mut item = guard_key(SWEPT);
        item.insert("place".into(), text(place));
        let put = self.client.put_item().table_name(self.table("ledger")).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(pk) OR place < :place");
        match put.expression_attribute_values(":place", text(place)).send().await {
            Ok(_) => Ok(()),
            // Another sweep has come further.
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(failed("noting what is swept", &error)),
        }
    }

    /// The next entries behind a place, of the queue of earlier releases behind another one; oldest
    /// first, and whether these are all.
    async fn entries(
        &self,
        after: &str,
        after_of_old: &str,
        now: OffsetDateTime,
    ) -> Result<(Vec<Entry>, bool)> {
        let (mut entries, mut end) = (Vec::new(), None::<String>);
        let mut asked = Vec::new();
        let old = [(QUEUE.to_owned(), after_of_old, true)];
        let shards = (0..QUEUES).map(|n| (format!("{QUEUE}#{n:02}"), after, false));
        for (pk, from, is_old) in old.into_iter().chain(shards) {
            // DynamoDB refuses a span whose end is before its start.
            if *from > *format!("{}~", due(now)) {
                continue;
            }
            asked.push(async move {
                let answer = self.lapsed_in(&pk, from, now).send().await;
                let answer = answer.map_err(|error| failed("reading what lapsed", &error))?;
                Ok::<_, BeakError>((from, is_old, answer))
            });
        }
        for (from, is_old, answer) in try_join_all(asked).await? {
            let mut last = None;
            for item in answer.items.unwrap_or_default() {
                let place = Item(&item).text("sk")?.to_owned();
                last = Some(place.clone());
                // The place itself was read before.
                if place != from {
                    entries.push(Entry { place, item, is_old });
                }
            }
            if answer.last_evaluated_key.is_some() {
                end = [end, last].into_iter().flatten().min();
            }
        }
        // Beyond the end of what was read of one partition, others are ahead of it.
        entries.retain(|entry| end.as_ref().is_none_or(|end| entry.place <= *end));
        entries.sort_unstable_by(|a, b| a.place.cmp(&b.place));
        Ok((entries, end.is_none()))
    }

    /// What entries mean by now.
    async fn meanings(&self, entries: &[Entry]) -> Result<Vec<Meaning>> {
        let mut found: HashMap<(&'static str, String), Attributes> = HashMap::new();
        for (table, name) in [("pecks", "peck_id"), ("eggs", "email")] {
            let about = entries.iter().filter_map(|entry| entry.about().ok());
            // An address that was laid several times is asked for once.
            let keys: BTreeSet<String> =
                about.filter(|about| about.0 == table).map(|about| about.2).collect();
            let keys = keys.into_iter().map(|key| attributes([(name, text(key))])).collect();
            for item in self.batch(table, keys).await? {
                let key = Item(&item).text(name)?.to_owned();
                found.insert((table, key), item);
            }
        }
        let meaning = |entry: &Entry| {
            let Ok((table, _, key)) = entry.about() else { return Meaning::Broken };
            let item = found.get(&(table, key)).map(Item);
            let still = match (table, item) {
                // Earlier releases wrote both at once, and a peck is never removed.
                ("pecks", None) if entry.is_old => return Meaning::Broken,
                ("pecks", None) => false,
                ("pecks", Some(peck)) => match peck.text("status") {
                    Ok(status) => status == PeckStatus::Pending.word(),
                    Err(_) => return Meaning::Broken,
                },
                (_, egg) => egg.is_some_and(|egg| egg.maybe_text("due") == Some(&entry.place)),
            };
            if still { Meaning::Lapsed } else { Meaning::Nothing }
        };
        Ok(entries.iter().map(meaning).collect())
    }

    /// The places of what has lapsed and was not put away, oldest first.
    async fn lapsed(&self, now: OffsetDateTime) -> Result<Vec<String>> {
        let mut after = self.swept().await?;
        let mut after_of_old = FIRST.to_owned();
        let mut places = Vec::new();
        loop {
            let (entries, is_all) = self.entries(&after, &after_of_old, now).await?;
            let meanings = self.meanings(&entries).await?;
            let lapsed = entries.iter().zip(meanings).filter(|(_, m)| *m == Meaning::Lapsed);
            places.extend(lapsed.map(|(entry, _)| entry.place.clone()));
            match entries.last() {
                Some(last) if !is_all => {
                    after_of_old.clone_from(&last.place);
                    after = after.max(last.place.clone());
                }
                _ => break,
            }
        }
        places.sort_unstable();
        places.dedup();
        Ok(places)
    }

    async fn counts(&self) -> Result<Metrics> {
        let parts = (0..super::COUNT_PARTS).map(super::counts_in);
        // Those of earlier releases are in one partition.
        let parts = parts.chain(["metrics".into()]);
        let read = async |part: String| self.partition(&part, "reading the counts").await;
        let shards = try_join_all(parts.map(read)).await?.concat();
        let mut sums = [0_u64; 9];
        for (sum, name) in sums.iter_mut().zip(COUNTS) {
            let mut total = 0;
            for shard in &shards {
                total += Item(shard).maybe_number(name)?.unwrap_or(0);
            }
            *sum = u64::try_from(total).unwrap_or(0);
        }
        let [ducklings, certificates, connections, eggs, pecks @ ..] = sums;
        Ok(Metrics { ducklings, certificates, connections, eggs, pecks })
    }

    /// The counts at a moment. The queue is looked at before and after, so that nothing that is
    /// swept meanwhile is counted twice.
    pub(super) async fn read_metrics(&self, now: OffsetDateTime) -> Result<Metrics> {
        let mut before = self.lapsed(now).await?;
        for _ in 0..TRIES {
            let counts = self.counts().await?;
            let after = self.lapsed(now).await?;
            if before == after {
                let eggs = after.iter().filter(|place| place.contains("#egg#")).count() as u64;
                let pecks = after.len() as u64 - eggs;
                return Ok(counts.with_lapsed(Lapsed { pecks, eggs }));
            }
            before = after;
        }
        Err(restless())
    }

    pub(super) async fn sweep_due(&self, now: OffsetDateTime, limit: usize) -> Result<Swept> {
        let mut swept = Swept::default();
        let mut after = self.swept().await?;
        for _ in 0..CHUNKS {
            let begun = after.clone();
            let (entries, is_all) = self.entries(&after, FIRST, now).await?;
            let meanings = self.meanings(&entries).await?;
            let mut next = entries.iter().zip(meanings).peekable();
            while next.peek().is_some() && swept.found < limit {
                let mut group = Vec::new();
                let mut place = None;
                while group.len() < TOGETHER && swept.found < limit {
                    let Some((entry, meaning)) = next.next() else { break };
                    swept.found += usize::from(meaning != Meaning::Nothing);
                    place = Some(&entry.place);
                    group.push(self.take_away(entry, meaning, now));
                }
                for one in try_join_all(group).await? {
                    swept.put_away += one.put_away;
                    swept.put_aside += one.put_aside;
                }
                // All up to this one are away, and what failed starts over from the one before.
                if let Some(place) = place {
                    after = after.max(place.clone());
                }
            }
            if after > begun {
                self.note_swept(&after).await?;
            }
            if swept.found == limit || is_all {
                break;
            }
        }
        Ok(swept)
    }

    /// Does what an entry asks for, and removes it where nothing else will.
    async fn take_away(
        &self,
        entry: &Entry,
        meaning: Meaning,
        now: OffsetDateTime,
    ) -> Result<Swept> {
        let mut swept = Swept::default();
        let outcome = match meaning {
            Meaning::Nothing => Ok(false),
            Meaning::Broken => Err(BeakError::Internal("what it names can't be read".into())),
            Meaning::Lapsed => self.put_away(entry, now).await,
        };
        match outcome {
            Ok(done) => swept.put_away += usize::from(done),
            Err(error @ BeakError::Unavailable(_)) => return Err(error),
            Err(error) => {
                self.put_aside(entry, &error, now).await?;
                swept.put_aside += 1;
            }
        }
        if entry.is_old {
            self.leave_queue(QUEUE, &entry.place).await?;
        }
        Ok(swept)
    }

    /// Queues what is to be written next: no peck or egg is without its entry.
    pub(super) async fn queue(&self, entry: Attributes) -> Result<()> {
        let put = self.client.put_item().table_name(self.table("ledger")).set_item(Some(entry));
        put.send().await.map(|_| ()).map_err(|error| failed("queueing what lapses", &error))
    }

    async fn leave_queue(&self, pk: &str, place: &str) -> Result<()> {
        let gone = self.client.delete_item().table_name(self.table("ledger"));
        let gone = gone.set_key(Some(ledger_key(pk, place))).send().await;
        gone.map(|_| ()).map_err(|error| failed("leaving the queue", &error))
    }

    /// Removes the entry of what was settled. Best effort: it was, and an entry that is left means
    /// nothing.
    pub(super) async fn settle_due(&self, place: &str) {
        let _ = self.leave_queue(&queue_of(place), place).await;
    }

    /// Puts an entry away. Whether it still had to be.
    async fn put_away(&self, entry: &Entry, now: OffsetDateTime) -> Result<bool> {
        let item = Item(&entry.item);
        if !entry.is_peck() {
            return self.drop_egg(&entry.place, item.text("email")?).await;
        }
        let id = PeckId::parse(item.text("peck_id")?)?;
        Ok(self.write_move(&id, &Move::Expire, now).await? == Moved::Done)
    }

    /// Keeps an entry for an operator.
    async fn put_aside(&self, entry: &Entry, error: &BeakError, now: OffsetDateTime) -> Result<()> {
        let mut aside = entry.item.clone();
        aside.extend(ledger_key(ASIDE, &entry.place));
        aside.insert(
            "why".into(),
            text(error.cause().map_or_else(|| error.to_string(), str::to_owned)),
        );
        aside.insert("expires_at".into(), seconds(now + KEPT));
        let put = self.client.put_item().table_name(self.table("ledger")).set_item(Some(aside));
        put.send().await.map(|_| ()).map_err(|error| failed("putting an entry aside", &error))
    }

    /// Removes an egg that was never hatched, unless it hatched or was laid again just now.
    async fn drop_egg(&self, place: &str, email: &str) -> Result<bool> {
        let mut transaction = Transaction::default();
        let key = attributes([("email", text(email))]);
        let values = attributes([(":place", text(place))]);
        let same = When { condition: "due = :place", values };
        transaction.delete_if("egg", self.table("eggs"), key, same)?;
        self.count(&mut transaction, &[("eggs", -1)])?;
        Ok(matches!(self.run(transaction).await?, Outcome::Done))
    }
}
