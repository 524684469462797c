//! The list of events, merged from all places that have some: shards, a party's partition, the
//! pecks that it asked or was asked, and what earlier releases wrote week by week.

use beak_core::audit::{self, Event, KEPT};
use beak_core::id::{DucklingId, EventId};
use beak_core::peck::Direction;
use beak_core::ports::{EventQuery, Listed, Page};
use beak_core::{Duration, OffsetDateTime, Result};
use futures_util::future::try_join_all;

use super::DynamoStore;
use super::audit::{AUDIT_SHARDS, birth, events_of, of_party, of_shard, of_week};
use super::item::{Attributes, Item, text};
use crate::failure::failed;

const WEEK: i64 = 7 * 24 * 60 * 60;

/// How long a process takes it for granted that no week of an earlier release has events.
const NO_WEEKS_FOR: Duration = Duration::minutes(10);

/// Behind every id: `~` sorts after all that an id has.
const LAST: &str = "~";

/// The span of a list, by ids of events: from the oldest that is kept to the end of the millisecond
/// at which the part before ended, and how many of them at once.
struct Span {
    from: EventId,
    to: String,
    limit: usize,
}

/// The prefix of an id and the ten characters that are its millisecond.
fn moment_of(id: &str) -> &str {
    id.get(..14).unwrap_or(id)
}

/// Where a source reads.
enum Place {
    /// A partition of the ledger.
    Partition(String),
    /// Weeks of an earlier release, from this one back to the oldest.
    Weeks { next: i64, oldest: i64 },
    /// Pecks that a duckling asked, or was asked.
    Pecks(Direction, DucklingId),
}

/// One of the places, as far as it was read.
struct Source {
    place: Place,
    start: Option<Attributes>,
    events: Vec<Event>,
    /// What was not read yet is below this; `None` once all is read.
    below: Option<String>,
}

impl Source {
    fn new(place: Place) -> Self {
        Self { place, start: None, events: Vec::new(), below: Some(LAST.into()) }
    }
}

fn week(moment: OffsetDateTime) -> i64 {
    moment.unix_timestamp().div_euclid(WEEK)
}

impl DynamoStore {
    pub(super) async fn list_events(
        &self,
        asked: &EventQuery,
        page: &Page,
    ) -> Result<Listed<Event>> {
        let oldest = asked.now - KEPT + Duration::milliseconds(1);
        let after = page.after.as_deref().map(EventId::parse).transpose()?;
        // Ids sort by time, so what is too old is below an id of that time.
        let from = EventId::new(oldest, [0; 16]);
        // A place in a list that is too old: DynamoDB refuses a span whose end is before its start.
        if after.as_ref().is_some_and(|after| *after < from) {
            return Ok(Listed { items: Vec::new(), next: None });
        }
        let to = after.as_ref().map_or(LAST.into(), |id| moment_of(id.as_str()).to_owned() + LAST);
        let newest = after.as_ref().map_or(asked.now, EventId::made_at);
        let mut sources = match &asked.of {
            Some(id) => self.sources_of(id).await?,
            None => self.all_sources(week(newest), week(oldest), asked.now),
        };
        let wanted = page.limit + 1;
        let span = Span { from, to, limit: wanted.div_ceil(sources.len().max(1)) + 1 };
        loop {
            let below = sources.iter().filter_map(|source| source.below.clone()).max();
            let fits = |event: &&Event| {
                event.id >= span.from
                    && after.as_ref().is_none_or(|after| event.id < *after)
                    && below.as_ref().is_none_or(|below| event.id.as_str() >= below.as_str())
            };
            let found = sources.iter().flat_map(|source| &source.events).filter(fits);
            let mut items: Vec<Event> = found.cloned().collect();
            items.sort_unstable_by(|a, b| b.id.cmp(&a.id));
            items.dedup_by(|a, b| a.id == b.id);
            if items.len() >= wanted || below.is_none() {
                let more = items.len() > page.limit;
                items.truncate(page.limit);
                let next = items.last().filter(|_| more).map(|event| event.id.to_string());
                return Ok(Listed { items, next });
            }
            // What is not read yet of these comes next.
            let behind = sources.iter_mut().filter(|source| source.below == below);
            try_join_all(behind.map(|source| self.read_on(source, &span))).await?;
            self.note_weeks(&sources, after.is_none(), asked.now);
        }
    }

    async fn sources_of(&self, id: &DucklingId) -> Result<Vec<Source>> {
        let mut sources = vec![Source::new(Place::Partition(of_party(id)))];
        for direction in [Direction::Out, Direction::In] {
            sources.push(Source::new(Place::Pecks(direction, id.clone())));
        }
        if let Some(item) = self.get("ducklings", super::changes::key(id)).await? {
            let mut hatching = Source::new(Place::Partition(String::new()));
            (hatching.events, hatching.below) = (birth(&item)?, None);
            sources.push(hatching);
        }
        Ok(sources)
    }

    fn all_sources(&self, newest: i64, oldest: i64, now: OffsetDateTime) -> Vec<Source> {
        let shards = (0..AUDIT_SHARDS).map(|shard| Source::new(Place::Partition(of_shard(shard))));
        let mut sources: Vec<Source> = shards.collect();
        let known = *self.no_weeks_until.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.is_none_or(|until| until <= now) {
            sources.push(Source::new(Place::Weeks { next: newest, oldest }));
        }
        sources
    }

    /// Remembers that all weeks were read and had nothing, so that quiet ones are not read again
    /// and again.
    fn note_weeks(&self, sources: &[Source], from_the_newest: bool, now: OffsetDateTime) {
        let weeks = sources.iter().find(|source| matches!(source.place, Place::Weeks { .. }));
        let Some(weeks) = weeks.filter(|weeks| from_the_newest && weeks.below.is_none()) else {
            return;
        };
        if weeks.events.is_empty() {
            let known = self.no_weeks_until.lock();
            *known.unwrap_or_else(std::sync::PoisonError::into_inner) = Some(now + NO_WEEKS_FOR);
        }
    }

    /// Reads a source on, until it has something more or its end.
    async fn read_on(&self, source: &mut Source, span: &Span) -> Result<()> {
        match &source.place {
            Place::Partition(pk) => {
                let pk = pk.clone();
                self.read_partition(source, pk, span).await
            }
            Place::Weeks { .. } => self.read_weeks(source, span).await,
            Place::Pecks(direction, id) => {
                let asked = (*direction, id.clone());
                self.read_pecks(source, asked, span).await
            }
        }
    }

    async fn read_partition(&self, source: &mut Source, pk: String, span: &Span) -> Result<()> {
        let asked = self
            .client
            .query()
            .table_name(self.table("ledger"))
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":from", text(span.from.as_str()))
            .expression_attribute_values(":to", text(&span.to))
            .scan_index_forward(false)
            .consistent_read(true)
            .set_exclusive_start_key(source.start.take())
            .limit(i32::try_from(span.limit).unwrap_or(i32::MAX));
        let answer = asked.send().await.map_err(|error| failed("listing events", &error))?;
        let last = answer.items().last().map(|item| Item(item).text("sk").map(str::to_owned));
        source.start = answer.last_evaluated_key;
        source.below = last.transpose()?.filter(|_| source.start.is_some());
        for item in self.proven(answer.items.unwrap_or_default()).await? {
            source.events.extend(events_of(&item)?);
        }
        Ok(())
    }

    async fn read_weeks(&self, source: &mut Source, span: &Span) -> Result<()> {
        let before = source.events.len();
        while let Place::Weeks { next, oldest } = source.place {
            if next < oldest {
                source.below = None;
                break;
            }
            self.read_partition(source, of_week(next), span).await?;
            if source.below.is_some() {
                break;
            }
            source.place = Place::Weeks { next: next - 1, oldest };
            // Older weeks are below the first moment of this one.
            let start = OffsetDateTime::from_unix_timestamp(next * WEEK).ok();
            let start = start.map(|at| EventId::new(at, [0; 16]).to_string());
            source.below = start.or_else(|| Some(LAST.into()));
            if source.events.len() > before {
                break;
            }
        }
        Ok(())
    }

    async fn read_pecks(
        &self,
        source: &mut Source,
        (direction, id): (Direction, DucklingId),
        span: &Span,
    ) -> Result<()> {
        let (index, side) = super::pecks::index_of(direction);
        let asked = self
            .client
            .query()
            .table_name(self.table("pecks"))
            .index_name(index)
            .key_condition_expression(format!("{side} = :party AND peck_id BETWEEN :from AND :to"))
            .expression_attribute_values(":party", text(id.as_str()))
            .expression_attribute_values(":from", text(peck_id(span.from.as_str())))
            .expression_attribute_values(":to", text(peck_id(&span.to)))
            .scan_index_forward(false)
            .set_exclusive_start_key(source.start.take())
            .limit(i32::try_from(span.limit).unwrap_or(i32::MAX));
        let answer = asked.send().await.map_err(|error| failed("listing pecks", &error))?;
        let mut last = None;
        for item in answer.items() {
            let event = audit::of_peck(&Item(item).peck()?);
            // A peck of the same millisecond may sort elsewhere than its event.
            last = Some(moment_of(event.id.as_str()).to_owned() + LAST);
            source.events.push(event);
        }
        source.start = answer.last_evaluated_key;
        source.below = last.filter(|_| source.start.is_some());
        Ok(())
    }
}

/// The place among pecks that an event's id has among events.
fn peck_id(event: &str) -> String {
    event.replacen("evt_", "pck_", 1)
}
