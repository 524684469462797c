//! Nouns as items, and items as nouns.
//!
//! Our own times are numbers of milliseconds, enums are the words that the wire has for them.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use beak_core::certificate::{CertStatus, Certificate};
use beak_core::duckling::{Duckling, Egg};
use beak_core::error::{BeakError, Result};
use beak_core::id::{CertId, DucklingId, PeckId};
use beak_core::peck::{Message, Peck, PeckStatus, PeckType};
use beak_core::person::{DisplayName, Email};
use beak_core::tier::Tier;
use time::{Duration, OffsetDateTime};

use super::{CERTS, DUCKLINGS, EGGS, PECKS};

/// An item, or the key of one.
pub(super) type Item = HashMap<String, AttributeValue>;

/// How long DynamoDB leaves a lapsed egg alone. The sweep takes it long before; this is only for
/// a galaxy whose sweep stands still.
const EGG_BACKSTOP: Duration = Duration::days(7);

/// A string.
pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number.
pub(super) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A moment.
pub(super) fn moment(at: OffsetDateTime) -> AttributeValue {
    number(millis(at))
}

/// Milliseconds since 1970.
pub(super) fn millis(at: OffsetDateTime) -> i64 {
    at.unix_timestamp() * 1000 + i64::from(at.millisecond())
}

/// A moment as text that sorts by time.
pub(super) fn padded(at: OffsetDateTime) -> String {
    format!("{:015}", millis(at).max(0))
}

/// The moment of so many milliseconds since 1970.
pub(super) fn at_millis(millis: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok()
}

/// The key of an item in a table without a range key.
pub(super) fn key(name: &str, value: &str) -> Item {
    Item::from([(name.to_owned(), text(value))])
}

fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An item while it is read, with what an error calls it.
pub(super) struct Row<'a> {
    item: &'a Item,
    table: &'static str,
    id: String,
}

impl<'a> Row<'a> {
    /// An item that is called by the attribute `id`. Not for eggs: theirs is an address.
    pub(super) fn new(table: &'static str, id: &str, item: &'a Item) -> Self {
        let id = item.get(id).and_then(|value| value.as_s().ok()).cloned();
        Self { item, table, id: id.unwrap_or_else(|| "without an id".into()) }
    }

    /// An egg, which is called by the hash of its address.
    pub(super) fn egg(item: &'a Item) -> Self {
        let email = item.get("email").and_then(|value| value.as_s().ok());
        let id = email.and_then(|text| Email::parse(text).ok()).map(|email| email.sha256());
        Self { item, table: EGGS, id: id.unwrap_or_else(|| "without an address".into()) }
    }

    /// The error for an item that is not as we write it. It never says the value.
    pub(super) fn broken(&self, name: &str) -> BeakError {
        BeakError::Internal(format!("{} {}: can't read `{name}`", self.table, self.id))
    }

    /// A string.
    pub(super) fn text(&self, name: &str) -> Result<&'a str> {
        let found = self.item.get(name).and_then(|value| value.as_s().ok());
        found.map(String::as_str).ok_or_else(|| self.broken(name))
    }

    /// A number.
    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<T> {
        let found = self.item.get(name).and_then(|value| value.as_n().ok());
        found.and_then(|text| text.parse().ok()).ok_or_else(|| self.broken(name))
    }

    /// A moment.
    pub(super) fn moment(&self, name: &str) -> Result<OffsetDateTime> {
        at_millis(self.number(name)?).ok_or_else(|| self.broken(name))
    }

    /// A moment that need not have come.
    fn maybe_moment(&self, name: &str) -> Result<Option<OffsetDateTime>> {
        self.item.contains_key(name).then(|| self.moment(name)).transpose()
    }

    /// A value of the domain, which checks it again.
    fn parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Result<T>) -> Result<T> {
        parse(self.text(name)?).map_err(|_| self.broken(name))
    }

    /// An enum by its word.
    fn word<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
        parse(self.text(name)?).ok_or_else(|| self.broken(name))
    }
}

/// An egg as an item; `due` is where it stands in the queue.
pub(super) fn egg_item(egg: &Egg, due: &str) -> Item {
    item([
        ("email", text(egg.email.as_str())),
        ("display_name", text(egg.display_name.as_str())),
        ("created_at", moment(egg.created_at)),
        ("lapses_at", moment(egg.expires_at)),
        ("due", text(due)),
        ("expires_at", number((egg.expires_at + EGG_BACKSTOP).unix_timestamp())),
    ])
}

/// An item as an egg.
pub(super) fn egg_of(item: &Item) -> Result<Egg> {
    let row = Row::egg(item);
    Ok(Egg {
        email: row.parsed("email", Email::parse)?,
        display_name: row.parsed("display_name", DisplayName::parse)?,
        created_at: row.moment("created_at")?,
        expires_at: row.moment("lapses_at")?,
    })
}

/// A duckling as an item.
pub(super) fn duckling_item(duckling: &Duckling) -> Item {
    let mut item = item([
        ("duckling_id", text(duckling.id.as_str())),
        ("email", text(duckling.email.as_str())),
        ("display_name", text(duckling.display_name.as_str())),
        ("tier", text(duckling.tier.word())),
        ("bonds", number(duckling.bonds)),
        ("cert_id", text(duckling.cert_id.as_str())),
        ("cert_status", text(duckling.cert_status.word())),
        ("key_hash", text(duckling.key_hash.as_str())),
        ("key_hint", text(duckling.key_hint.as_str())),
        ("created_at", moment(duckling.created_at)),
    ]);
    if let Some(at) = duckling.last_pulse {
        item.insert("last_pulse".into(), moment(at));
    }
    item
}

/// An item as a duckling.
pub(super) fn duckling_of(item: &Item) -> Result<Duckling> {
    let row = Row::new(DUCKLINGS, "duckling_id", item);
    Ok(Duckling {
        id: row.parsed("duckling_id", DucklingId::parse)?,
        email: row.parsed("email", Email::parse)?,
        display_name: row.parsed("display_name", DisplayName::parse)?,
        tier: row.word("tier", Tier::parse)?,
        bonds: row.number("bonds")?,
        cert_id: row.parsed("cert_id", CertId::parse)?,
        cert_status: row.word("cert_status", CertStatus::parse)?,
        key_hash: row.text("key_hash")?.to_owned(),
        key_hint: row.text("key_hint")?.to_owned(),
        created_at: row.moment("created_at")?,
        last_pulse: row.maybe_moment("last_pulse")?,
    })
}

/// A certificate as an item.
pub(super) fn certificate_item(certificate: &Certificate) -> Item {
    item([
        ("cert_id", text(certificate.id.as_str())),
        ("duckling_id", text(certificate.duckling_id.as_str())),
        ("name", text(certificate.name.as_str())),
        ("tier", text(certificate.tier.word())),
        ("status", text(certificate.status.word())),
        // The index `by_duckling` sorts by text; what is read back is the number.
        ("issued_at", text(padded(certificate.issued_at))),
        ("issued_at_ms", moment(certificate.issued_at)),
        ("compact", text(certificate.compact.as_str())),
    ])
}

/// An item as a certificate.
pub(super) fn certificate_of(item: &Item) -> Result<Certificate> {
    let row = Row::new(CERTS, "cert_id", item);
    Ok(Certificate {
        id: row.parsed("cert_id", CertId::parse)?,
        duckling_id: row.parsed("duckling_id", DucklingId::parse)?,
        name: row.text("name")?.to_owned(),
        tier: row.word("tier", Tier::parse)?,
        status: row.word("status", CertStatus::parse)?,
        issued_at: row.moment("issued_at_ms")?,
        compact: row.text("compact")?.to_owned(),
    })
}

/// A peck as an item.
pub(super) fn peck_item(peck: &Peck) -> Item {
    let mut item = item([
        ("peck_id", text(peck.id.as_str())),
        ("source_id", text(peck.source.as_str())),
        ("target_id", text(peck.target.as_str())),
        ("peck_type", text(peck.kind.as_str())),
        ("message", text(peck.message.as_str())),
        ("status", text(peck.stored.word())),
        ("created_at", moment(peck.created_at)),
        ("expires_at_ms", moment(peck.expires_at)),
    ]);
    if let Some(at) = peck.settled_at {
        item.insert("settled_at".into(), moment(at));
    }
    item
}

/// An item as a peck.
pub(super) fn peck_of(item: &Item) -> Result<Peck> {
    let row = Row::new(PECKS, "peck_id", item);
    Ok(Peck {
        id: row.parsed("peck_id", PeckId::parse)?,
        source: row.parsed("source_id", DucklingId::parse)?,
        target: row.parsed("target_id", DucklingId::parse)?,
        kind: row.parsed("peck_type", PeckType::parse)?,
        message: row.parsed("message", Message::parse)?,
        stored: row.word("status", PeckStatus::parse)?,
        created_at: row.moment("created_at")?,
        expires_at: row.moment("expires_at_ms")?,
        settled_at: row.maybe_moment("settled_at")?,
    })
}
