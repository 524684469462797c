//! Nouns as DynamoDB items. Times are milliseconds since 1970; `expires_at`, where there is one, is
//! DynamoDB's own time to live, in seconds, and only a backstop: no rule rests on it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use beak_core::certificate::{CertStatus, Certificate};
use beak_core::duckling::{Duckling, Egg};
use beak_core::id::{CertId, DucklingId, PeckId};
use beak_core::peck::{Message, Peck, PeckStatus, PeckType};
use beak_core::person::{DisplayName, Email};
use beak_core::ports::PublicKey;
use beak_core::tier::{Statement, Tier, TierRequest};
use beak_core::{BeakError, OffsetDateTime, Result};

use super::sweep::{ENTRY_KEPT, queue_of};

pub(super) type Attributes = HashMap<String, AttributeValue>;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn millis(moment: OffsetDateTime) -> i64 {
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

pub(super) fn seconds(moment: OffsetDateTime) -> AttributeValue {
    number(moment.unix_timestamp())
}

/// Attributes from pairs.
pub(super) fn attributes<const N: usize>(pairs: [(&str, AttributeValue); N]) -> Attributes {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The key of a ledger item.
pub(super) fn ledger_key(pk: impl Into<String>, sk: impl Into<String>) -> Attributes {
    attributes([("pk", text(pk)), ("sk", text(sk))])
}

/// A ledger item that says by its existence that something is taken.
pub(super) fn guard_key(what: impl Into<String>) -> Attributes {
    ledger_key(what, "guard")
}

pub(super) fn email_guard(email: &Email) -> String {
    address_guard(&email.sha256())
}

/// The same by the digest of an address.
pub(super) fn address_guard(address: &str) -> String {
    format!("email#{address}")
}

pub(super) fn key_guard(hash: &str) -> String {
    format!("key#{hash}")
}

pub(super) fn pair_guard(peck: &Peck) -> String {
    format!("pair#{}#{}#{}", peck.source, peck.target, peck.kind.as_str())
}

pub(super) fn repeat_guard(key: &str) -> String {
    format!("idem#{key}")
}

/// The partition of those whose pecks a duckling refuses.
pub(super) fn blocks(owner: &DucklingId) -> String {
    format!("block#{owner}")
}

pub(super) fn block_key(owner: &DucklingId, other: &DucklingId) -> Attributes {
    ledger_key(blocks(owner), other.as_str())
}

/// When an egg lapses, as a place in the queue of what lapses.
pub(super) fn egg_due(egg: &Egg) -> String {
    format!("{}#egg#{}", due(egg.expires_at), egg.email.sha256())
}

pub(super) fn peck_due(peck: &Peck) -> String {
    format!("{}#peck#{}", due(peck.expires_at), peck.id)
}

pub(super) fn due(moment: OffsetDateTime) -> String {
    format!("{:015}", millis(moment))
}

/// An item that was read.
pub(super) struct Item<'a>(pub(super) &'a Attributes);

impl<'a> Item<'a> {
    pub(super) fn text(&self, name: &str) -> Result<&'a str> {
        let value = self.0.get(name).and_then(|value| value.as_s().ok());
        value.map(String::as_str).ok_or_else(|| damaged(name))
    }

    pub(super) fn maybe_number(&self, name: &str) -> Result<Option<i64>> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let number = value.as_n().ok().and_then(|digits| digits.parse().ok());
        number.map(Some).ok_or_else(|| damaged(name))
    }

    pub(super) fn number(&self, name: &str) -> Result<i64> {
        self.maybe_number(name)?.ok_or_else(|| damaged(name))
    }

    pub(super) fn moment(&self, name: &str) -> Result<OffsetDateTime> {
        moment(self.number(name)?)
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
            bonds: u32::try_from(self.number("bonds")?).map_err(|_| damaged("bonds"))?,
            cert_id: CertId::parse(self.text("cert_id")?)?,
            cert_status: status.ok_or_else(|| damaged("cert_status"))?,
            key_hash: self.text("key_hash")?.to_owned(),
            key_hint: self.text("key_hint")?.to_owned(),
            created_at: self.moment("created_at")?,
            last_pulse: self.maybe_number("last_pulse")?.map(moment).transpose()?,
            tier_request: self.tier_request()?,
            is_leaving: self.0.contains_key("leaving"),
        })
    }

    pub(super) fn public_key(&self) -> Result<PublicKey> {
        let bytes = unhex(self.text("public")?).ok_or_else(|| damaged("public"))?;
        Ok(PublicKey { kid: self.text("sk")?.to_owned(), bytes })
    }

    fn tier_request(&self) -> Result<Option<TierRequest>> {
        let Some(at) = self.maybe_number("tier_requested_at")? else { return Ok(None) };
        let statement = Statement::kept(self.text("tier_statement")?);
        Ok(Some(TierRequest { statement, at: moment(at)? }))
    }

    pub(super) fn maybe_text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
    }

    pub(super) fn tier(&self) -> Result<Tier> {
        tier(self.text("tier")?)
    }

    pub(super) fn peck(&self) -> Result<Peck> {
        let stored = PeckStatus::parse(self.text("status")?);
        Ok(Peck {
            id: PeckId::parse(self.text("peck_id")?)?,
            source: DucklingId::parse(self.text("source_id")?)?,
            source_tier: self.maybe_text("source_tier").map(tier).transpose()?,
            target: DucklingId::parse(self.text("target_id")?)?,
            kind: PeckType::parse(self.text("peck_type")?)?,
            message: Message::kept(self.text("message")?),
            stored: stored.ok_or_else(|| damaged("status"))?,
            created_at: self.moment("created_at")?,
            expires_at: self.moment("lapses_at")?,
            settled_at: self.maybe_number("settled_at")?.map(moment).transpose()?,
        })
    }

    pub(super) fn certificate(&self) -> Result<Certificate> {
        let status = CertStatus::parse(self.text("status")?);
        Ok(Certificate {
            id: CertId::parse(self.text("cert_id")?)?,
            duckling_id: DucklingId::parse(self.text("duckling_id")?)?,
            name: self.text("name")?.to_owned(),
            tier: self.tier()?,
            status: status.ok_or_else(|| damaged("status"))?,
            issued_at: self.moment("issued_at_ms")?,
            compact: self.text("compact")?.to_owned(),
        })
    }
}

fn tier(word: &str) -> Result<Tier> {
    Tier::parse(word).ok_or_else(|| damaged("tier"))
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.map(byte).collect::<Option<Vec<u8>>>()?.try_into().ok()
}

pub(super) fn damaged(name: &str) -> BeakError {
    BeakError::Internal(format!("an item's `{name}` can't be read"))
}

pub(super) fn moment(millis: i64) -> Result<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .map_err(|_| damaged("time"))
}

pub(super) fn of_egg(egg: &Egg) -> Attributes {
    attributes([
        ("email", text(egg.email.as_str())),
        ("display_name", text(egg.display_name.as_str())),
        ("created_at", number(millis(egg.created_at))),
        ("lapses_at", number(millis(egg.expires_at))),
        ("due", text(egg_due(egg))),
        // A sweep takes it much earlier, and counts it.
        ("expires_at", seconds(egg.expires_at + ENTRY_KEPT)),
    ])
}

pub(super) fn of_duckling(duckling: &Duckling) -> Attributes {
    let mut item = attributes([
        ("duckling_id", text(duckling.id.as_str())),
        ("email", text(duckling.email.as_str())),
        ("display_name", text(duckling.display_name.as_str())),
        ("tier", text(duckling.tier.word())),
        ("bonds", number(i64::from(duckling.bonds))),
        ("cert_id", text(duckling.cert_id.as_str())),
        ("cert_status", text(duckling.cert_status.word())),
        ("key_hash", text(&duckling.key_hash)),
        ("key_hint", text(&duckling.key_hint)),
        ("created_at", number(millis(duckling.created_at))),
    ]);
    if let Some(pulse) = duckling.last_pulse {
        item.insert("last_pulse".into(), number(millis(pulse)));
    }
    item
}

pub(super) fn of_peck(peck: &Peck) -> Attributes {
    let mut item = attributes([
        ("peck_id", text(peck.id.as_str())),
        ("source_id", text(peck.source.as_str())),
        ("target_id", text(peck.target.as_str())),
        ("peck_type", text(peck.kind.as_str())),
        ("message", text(peck.message.as_str())),
        ("status", text(peck.stored.word())),
        ("created_at", number(millis(peck.created_at))),
        ("lapses_at", number(millis(peck.expires_at))),
    ]);
    item.extend(peck.source_tier.map(|tier| ("source_tier".into(), text(tier.word()))));
    item
}

pub(super) fn of_certificate(certificate: &Certificate) -> Attributes {
    attributes([
        ("cert_id", text(certificate.id.as_str())),
        ("duckling_id", text(certificate.duckling_id.as_str())),
        ("name", text(&certificate.name)),
        ("tier", text(certificate.tier.word())),
        ("status", text(certificate.status.word())),
        // The index sorts by this text; the number is what is read back.
        ("issued_at", text(due(certificate.issued_at))),
        ("issued_at_ms", number(millis(certificate.issued_at))),
        ("compact", text(&certificate.compact)),
    ])
}

/// A guard with what it points to.
pub(super) fn guard(what: String, name: &str, value: &str) -> Attributes {
    let mut item = guard_key(what);
    item.insert(name.to_owned(), text(value));
    item
}

/// An entry in the queue of what lapses at a time.
pub(super) fn of_due(place: String, at: OffsetDateTime, name: &str, value: &str) -> Attributes {
    let mut item = ledger_key(queue_of(&place), place);
    item.insert(name.to_owned(), text(value));
    item.insert("expires_at".into(), seconds(at + ENTRY_KEPT));
    item
}

#[cfg(test)]
mod tests {
    use beak_core::Duration;

    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time");
        let id = DucklingId::new(now, [1; 16]);
        let duckling = Duckling {
            id: id.clone(),
            email: Email::parse("a@example.com").expect("an address"),
            display_name: DisplayName::parse("Dück").expect("a name"),
            tier: Tier::T1,
            bonds: 2,
            cert_id: CertId::new(now, [2; 16]),
            cert_status: CertStatus::Valid,
            key_hash: "ab".into(),
            key_hint: "…cdef".into(),
            created_at: now,
            last_pulse: Some(now + Duration::milliseconds(5)),
            tier_request: None,
            is_leaving: false,
        };
        let mut item = of_duckling(&duckling);
        assert_eq!(Item(&item).duckling(), Ok(duckling));
        item.insert("tier".into(), text("T9"));
        let error = Item(&item).duckling().expect_err("no such tier");
        assert_eq!(
            (error.code(), error.cause()),
            ("internal", Some("an item's `tier` can't be read"))
        );
        let peck = Peck {
            id: PeckId::new(now, [3; 16]),
            source: id.clone(),
            source_tier: Some(Tier::T1),
            target: id,
            kind: PeckType::parse("data.read").expect("a type"),
            message: Message::parse("").expect("a message"),
            stored: PeckStatus::Pending,
            created_at: now,
            expires_at: now + Duration::hours(24),
            settled_at: None,
        };
        assert_eq!(Item(&of_peck(&peck)).peck(), Ok(peck));
    }
}
