//! What has lapsed: counted, and put away.
//!
//! ```text
//! due        TIME#peck#PECK, TIME#egg#ADDRESS  the queue of what lapses
//! due-aside  the same                          what could not be put away
//! ```

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use beak_core::id::PeckId;
use beak_core::ports::{Lapsed, Metrics, Move, Swept};
use beak_core::{BeakError, Duration, OffsetDateTime, Result};

use super::item::{Attributes, Item, attributes, due, ledger_key, seconds, text};
use super::transaction::{Outcome, Transaction, When};
use super::{DynamoStore, restless};
use crate::failure::failed;

const QUEUE: &str = "due";
const ASIDE: &str = "due-aside";

/// How long what was put aside is kept for an operator to look at.
const KEPT: Duration = Duration::days(90);

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

impl DynamoStore {
    /// A query for what has lapsed, oldest first.
    fn queue_until(&self, now: OffsetDateTime) -> QueryFluentBuilder {
        // What lapses at this very millisecond has lapsed: `~` sorts behind what follows it.
        let end = format!("{}~", due(now));
        self.client
            .query()
            .table_name(self.table("ledger"))
            .key_condition_expression("pk = :pk AND sk < :end")
            .expression_attribute_values(":pk", text(QUEUE))
            .expression_attribute_values(":end", text(end))
            .consistent_read(true)
    }

    /// The keys of what has lapsed, oldest first.
    async fn lapsed(&self, now: OffsetDateTime) -> Result<Vec<String>> {
        let mut places = Vec::new();
        let mut start = None;
        loop {
            let asked = self.queue_until(now).projection_expression("pk, sk");
            let asked = asked.set_exclusive_start_key(start);
            let answer = asked.send().await;
            let answer = answer.map_err(|error| failed("reading what lapsed", &error))?;
            for item in answer.items() {
                places.push(Item(item).text("sk")?.to_owned());
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(places);
            }
        }
    }

    async fn shards(&self) -> Result<Vec<Attributes>> {
        let asked = self
            .client
            .query()
            .table_name(self.table("ledger"))
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text("metrics"));
        let answer = asked.send().await.map_err(|error| failed("reading the counts", &error))?;
        Ok(answer.items.unwrap_or_default())
    }

    async fn counts(&self) -> Result<Metrics> {
        let shards = self.shards().await?;
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
        let asked = self.queue_until(now).limit(i32::try_from(limit).unwrap_or(100));
        let answer = asked.send().await.map_err(|error| failed("reading what lapsed", &error))?;
        let mut swept = Swept { found: answer.items().len(), ..Swept::default() };
        for entry in answer.items() {
            match self.put_away(entry, now).await {
                Ok(done) => swept.put_away += usize::from(done),
                Err(error @ BeakError::Unavailable(_)) => return Err(error),
                Err(error) => {
                    self.put_aside(entry, &error, now).await?;
                    swept.put_aside += 1;
                }
            }
        }
        Ok(swept)
    }

    /// Puts an entry away. Whether it still had to be.
    async fn put_away(&self, entry: &Attributes, now: OffsetDateTime) -> Result<bool> {
        let item = Item(entry);
        let place = item.text("sk")?;
        if !place.contains("#peck#") {
            return self.drop_egg(place, item.text("email")?).await;
        }
        let id = PeckId::parse(item.text("peck_id")?)?;
        let moved = self.write_move(&id, &Move::Expire, now).await?;
        if moved != beak_core::ports::Moved::Done {
            // Settled already, but its place in the queue was left.
            let gone = self.client.delete_item().table_name(self.table("ledger"));
            let gone = gone.set_key(Some(ledger_key(QUEUE, place))).send().await;
            gone.map_err(|error| failed("leaving the queue", &error))?;
        }
        Ok(moved == beak_core::ports::Moved::Done)
    }

    /// Takes an entry out of the queue and keeps it for an operator.
    async fn put_aside(
        &self,
        entry: &Attributes,
        error: &BeakError,
        now: OffsetDateTime,
    ) -> Result<()> {
        let place = Item(entry).text("sk")?;
        let mut aside = entry.clone();
        aside.extend(ledger_key(ASIDE, place));
        aside.insert(
            "why".into(),
            text(error.cause().map_or_else(|| error.to_string(), str::to_owned)),
        );
        aside.insert("expires_at".into(), seconds(now + KEPT));
        let mut transaction = Transaction::default();
        transaction.put(self.table("ledger"), aside)?;
        transaction.delete(self.table("ledger"), ledger_key(QUEUE, place))?;
        self.run(transaction).await.map(|_| ())
    }

    /// Removes an egg that was never hatched. If it was laid again since, only the old place in
    /// the queue is gone already, and nothing is done.
    async fn drop_egg(&self, place: &str, email: &str) -> Result<bool> {
        let mut transaction = Transaction::default();
        let exists = When { condition: "attribute_exists(pk)", values: Attributes::new() };
        transaction.delete_if("due", self.table("ledger"), ledger_key("due", place), exists)?;
        let key = attributes([("email", text(email))]);
        // DynamoDB's own time to live may have been faster.
        let same = When {
            condition: "attribute_not_exists(email) OR due = :place",
            values: attributes([(":place", text(place))]),
        };
        transaction.delete_if("egg", self.table("eggs"), key, same)?;
        self.count(&mut transaction, &[("eggs", -1)])?;
        Ok(matches!(self.run(transaction).await?, Outcome::Done))
    }
}
