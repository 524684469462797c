//! Nouns as the items that `beak-aws` keeps in DynamoDB, in DynamoDB's JSON. The names of
//! attributes are those of `beak-aws/src/dynamo/item.rs`; a test in `beak-aws` moves a galaxy of
//! its own to this side and back.

use beak_core::audit::{Event, EventKind, KEPT};
use beak_core::certificate::{CertStatus, Certificate};
use beak_core::duckling::{Duckling, Egg};
use beak_core::id::{CertId, DucklingId, EventId, PeckId};
use beak_core::peck::{Message, Peck, PeckStatus, PeckType};
use beak_core::person::{DisplayName, Email};
use beak_core::tier::{Statement, Tier, TierRequest};
use beak_core::{BeakError, Duration, OffsetDateTime, Result};
use serde_json::{Map, Value, json};

use super::super::rows::{Millis, millis, moment};

/// An item in the making.
#[derive(Default)]
pub(super) struct Item(Map<String, Value>);

impl Item {
    /// An item of the ledger.
    pub(super) fn ledger(pk: impl AsRef<str>, sk: impl AsRef<str>) -> Self {
        Self::default().text("pk", pk).text("sk", sk)
    }

    /// An item of the ledger that stands alone under its name.
    pub(super) fn guard(pk: impl AsRef<str>) -> Self {
        Self::ledger(pk, "guard")
    }

    pub(super) fn text(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.0.insert(name.to_owned(), json!({ "S": value.as_ref() }));
        self
    }

    pub(super) fn number(mut self, name: &str, value: i64) -> Self {
        self.0.insert(name.to_owned(), json!({ "N": value.to_string() }));
        self
    }

    fn maybe_text(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    pub(super) fn value(self) -> Value {
        Value::Object(self.0)
    }
}

/// An item that is read.
pub(super) struct Read<'a>(pub(super) &'a Value);

impl<'a> Read<'a> {
    pub(super) fn maybe_text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.get("S")?.as_str()
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str> {
        self.maybe_text(name).ok_or_else(|| unreadable(name))
    }

    pub(super) fn maybe_number(&self, name: &str) -> Result<Option<i64>> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let number = value.get("N").and_then(Value::as_str).and_then(|digits| digits.parse().ok());
        number.map(Some).ok_or_else(|| unreadable(name))
    }

    pub(super) fn number(&self, name: &str) -> Result<i64> {
        self.maybe_number(name)?.ok_or_else(|| unreadable(name))
    }

    /// Every number of the item, by its name.
    pub(super) fn numbers(&self) -> Result<Vec<(&'a str, i64)>> {
        let fields = self.0.as_object().ok_or_else(|| unreadable("item"))?;
        let named = fields.iter().filter(|(_, value)| value.get("N").is_some());
        named.map(|(name, _)| Ok((name.as_str(), self.number(name)?))).collect()
    }

    fn moment(&self, name: &str) -> Result<OffsetDateTime> {
        moment(self.number(name)?)
    }

    fn tier(&self) -> Result<Tier> {
        Tier::parse(self.text("tier")?).ok_or_else(|| unreadable("tier"))
    }

    pub(super) fn egg(&self) -> Result<Egg> {
        Ok(Egg {
            email: Email::parse(self.text("email")?)?,
            display_name: DisplayName::kept(self.text("display_name")?),
            created_at: self.moment("created_at")?,
            expires_at: self.moment("lapses_at")?,
        })
    }

    pub(super) fn duckling(&self) -> Result<Duckling> {
        let status = CertStatus::parse(self.text("cert_status")?);
        Ok(Duckling {
            id: DucklingId::parse(self.text("duckling_id")?)?,
            email: Email::parse(self.text("email")?)?,
            display_name: DisplayName::kept(self.text("display_name")?),
            tier: self.tier()?,
            bonds: u32::try_from(self.number("bonds")?).map_err(|_| unreadable("bonds"))?,
            cert_id: CertId::parse(self.text("cert_id")?)?,
            cert_status: status.ok_or_else(|| unreadable("cert_status"))?,
            key_hash: self.text("key_hash")?.to_owned(),
            key_hint: self.text("key_hint")?.to_owned(),
            created_at: self.moment("created_at")?,
            last_pulse: self.maybe_number("last_pulse")?.map(moment).transpose()?,
            tier_request: self.tier_request()?,
            is_leaving: self.0.get("leaving").is_some(),
        })
    }

    fn tier_request(&self) -> Result<Option<TierRequest>> {
        let Some(at) = self.maybe_number("tier_requested_at")? else { return Ok(None) };
        let statement = Statement::kept(self.text("tier_statement")?);
        Ok(Some(TierRequest { statement, at: moment(at)? }))
    }

    pub(super) fn peck(&self) -> Result<Peck> {
        Ok(Peck {
            id: PeckId::parse(self.text("peck_id")?)?,
            source: DucklingId::parse(self.text("source_id")?)?,
            target: DucklingId::parse(self.text("target_id")?)?,
            kind: PeckType::parse(self.text("peck_type")?)?,
            message: Message::kept(self.text("message")?),
            stored: PeckStatus::parse(self.text("status")?).ok_or_else(|| unreadable("status"))?,
            created_at: self.moment("created_at")?,
            expires_at: self.moment("lapses_at")?,
            settled_at: self.maybe_number("settled_at")?.map(moment).transpose()?,
            source_tier: self.maybe_text("source_tier").and_then(Tier::parse),
        })
    }

    pub(super) fn certificate(&self) -> Result<Certificate> {
        Ok(Certificate {
            id: CertId::parse(self.text("cert_id")?)?,
            duckling_id: DucklingId::parse(self.text("duckling_id")?)?,
            name: self.text("name")?.to_owned(),
            tier: self.tier()?,
            status: CertStatus::parse(self.text("status")?).ok_or_else(|| unreadable("status"))?,
            issued_at: self.moment("issued_at_ms")?,
            compact: self.text("compact")?.to_owned(),
        })
    }

    /// The events of an item: those of a transaction, or one of an earlier release.
    pub(super) fn events(&self) -> Result<Vec<Event>> {
        let Some(told) = self.0.get("told") else { return Ok(vec![self.event()?]) };
        let told = told.get("L").and_then(Value::as_array).ok_or_else(|| unreadable("told"))?;
        let maps = told.iter().map(|one| one.get("M").ok_or_else(|| unreadable("told")));
        maps.map(|map| Read(map?).told(self.moment("at_ms")?)).collect()
    }

    fn told(&self, at: OffsetDateTime) -> Result<Event> {
        let kind = EventKind::parse(self.text("kind")?);
        let event = Event {
            id: EventId::new(at, [0; 16]),
            kind: kind.ok_or_else(|| unreadable("kind"))?,
            at,
            duckling: DucklingId::parse(self.text("of")?)?,
            other: self.maybe_text("other").map(DucklingId::parse).transpose()?,
            peck: self.maybe_text("peck").map(PeckId::parse).transpose()?,
            cert: self.maybe_text("cert").map(CertId::parse).transpose()?,
            tier: self.maybe_text("tier").map(|_| self.tier()).transpose()?,
            note: self.maybe_text("note").map(str::to_owned),
        };
        // An event's id follows from its content.
        Ok(event.named())
    }

    fn event(&self) -> Result<Event> {
        let kind = EventKind::parse(self.text("kind")?);
        Ok(Event {
            id: EventId::parse(self.text("sk")?)?,
            kind: kind.ok_or_else(|| unreadable("kind"))?,
            at: self.moment("at_ms")?,
            duckling: DucklingId::parse(self.text("duckling_id")?)?,
            other: self.maybe_text("other_id").map(DucklingId::parse).transpose()?,
            peck: self.maybe_text("peck_id").map(PeckId::parse).transpose()?,
            cert: self.maybe_text("cert_id").map(CertId::parse).transpose()?,
            tier: self.maybe_text("tier").map(|_| self.tier()).transpose()?,
            note: self.maybe_text("note").map(str::to_owned),
        })
    }
}

pub(super) fn unreadable(name: &str) -> BeakError {
    BeakError::Internal(format!("an item's `{name}` can't be read"))
}

/// Where something that lapses stands in DynamoDB's queue.
fn due(at: OffsetDateTime, sort: &str, what: &str) -> String {
    format!("{:015}#{sort}#{what}", millis(at))
}

/// An egg and its place in the queue.
pub(super) fn of_egg(egg: &Egg) -> [(&'static str, Item); 2] {
    let place = due(egg.expires_at, "egg", &egg.email.sha256());
    let item = Item::default()
        .text("email", egg.email.as_str())
        .text("display_name", egg.display_name.as_str())
        .number("created_at", millis(egg.created_at))
        .number("lapses_at", millis(egg.expires_at))
        .text("due", &place)
        .number("expires_at", (egg.expires_at + Duration::days(14)).unix_timestamp());
    [("eggs", item), ("ledger", Item::ledger("due", place).text("email", egg.email.as_str()))]
}

/// A duckling with how many of its pecks wait, and the guards of its address and key.
pub(super) fn of_duckling(
    duckling: &Duckling,
    [out, all_in, new_in]: [i64; 3],
) -> Vec<(&'static str, Item)> {
    let id = duckling.id.as_str();
    let mut item = Item::default()
        .text("duckling_id", id)
        .text("email", duckling.email.as_str())
        .text("display_name", duckling.display_name.as_str())
        .text("tier", duckling.tier.word())
        .number("bonds", i64::from(duckling.bonds))
        .text("cert_id", duckling.cert_id.as_str())
        .text("cert_status", duckling.cert_status.word())
        .text("key_hash", &duckling.key_hash)
        .text("key_hint", &duckling.key_hint)
        .number("created_at", millis(duckling.created_at));
    if let Some(pulse) = duckling.last_pulse {
        item = item.number("last_pulse", millis(pulse));
    }
    if duckling.is_leaving {
        item = item.number("leaving", 1);
    }
    for (name, count) in [("waits_out", out), ("waits_in", all_in), ("waits_in_new", new_in)] {
        if count > 0 {
            item = item.number(name, count);
        }
    }
    let guard = |what: String| ("ledger", Item::guard(what).text("duckling_id", id));
    let mut items = vec![
        guard(format!("email#{}", duckling.email.sha256())),
        guard(format!("key#{}", duckling.key_hash)),
    ];
    if let Some(request) = &duckling.tier_request {
        item = item
            .text("tier_statement", request.statement.as_str())
            .number("tier_requested_at", millis(request.at));
        let place = format!("{:015}#{id}", millis(request.at));
        items.push(("ledger", Item::ledger("tier-requests", place).text("duckling_id", id)));
    }
    items.push(("ducklings", item));
    items
}

/// A peck with its guard while it waits or is a bond, and its place in the queue while it waits. It
/// has no slot among those of its pair: how many of them wait is an entry of its own.
pub(super) fn of_peck(peck: &Peck) -> Vec<(&'static str, Item)> {
    let id = peck.id.as_str();
    let mut item = Item::default()
        .text("peck_id", id)
        .text("source_id", peck.source.as_str())
        .text("target_id", peck.target.as_str())
        .text("peck_type", peck.kind.as_str())
        .text("message", peck.message.as_str())
        .text("status", peck.stored.word())
        .number("created_at", millis(peck.created_at))
        .number("lapses_at", millis(peck.expires_at))
        .maybe_text("source_tier", peck.source_tier.map(Tier::word));
    if let Some(at) = peck.settled_at {
        item = item.number("settled_at", millis(at));
    }
    let mut items = vec![("pecks", item)];
    if matches!(peck.stored, PeckStatus::Pending | PeckStatus::Approved) {
        let pair = format!("pair#{}#{}#{}", peck.source, peck.target, peck.kind.as_str());
        items.push(("ledger", Item::guard(pair).text("peck_id", id)));
    }
    if peck.stored == PeckStatus::Pending {
        let place = due(peck.expires_at, "peck", id);
        items.push(("ledger", Item::ledger("due", place).text("peck_id", id)));
    }
    items
}

pub(super) fn of_certificate(certificate: &Certificate) -> Item {
    let issued = millis(certificate.issued_at);
    Item::default()
        .text("cert_id", certificate.id.as_str())
        .text("duckling_id", certificate.duckling_id.as_str())
        .text("name", &certificate.name)
        .text("tier", certificate.tier.word())
        .text("status", certificate.status.word())
        .text("issued_at", format!("{issued:015}"))
        .number("issued_at_ms", issued)
        .text("compact", &certificate.compact)
}

/// An event under the week in which it happened and under each party.
pub(super) fn of_event(event: &Event) -> Vec<Item> {
    const WEEK: i64 = 7 * 24 * 60 * 60;
    let week = event.at.unix_timestamp().div_euclid(WEEK);
    let mut partitions = vec![format!("audit#w{week}")];
    partitions.extend(event.parties().map(|party| format!("audit#{party}")));
    let one = |pk: String| {
        Item::ledger(pk, event.id.as_str())
            .text("kind", event.kind.word())
            .number("at_ms", millis(event.at))
            .text("duckling_id", event.duckling.as_str())
            .number("expires_at", (event.at + KEPT).unix_timestamp())
            .maybe_text("other_id", event.other.as_ref().map(DucklingId::as_str))
            .maybe_text("peck_id", event.peck.as_ref().map(PeckId::as_str))
            .maybe_text("cert_id", event.cert.as_ref().map(CertId::as_str))
            .maybe_text("tier", event.tier.map(Tier::word))
            .maybe_text("note", event.note.as_deref())
    };
    partitions.into_iter().map(one).collect()
}

/// Milliseconds as the seconds of DynamoDB's time to live.
pub(super) fn seconds(at: Millis) -> i64 {
    at.div_euclid(1000)
}
