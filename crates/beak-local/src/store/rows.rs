//! The stored form of nouns.

use beak_core::audit::{Event, EventKind};
use beak_core::certificate::{CertStatus, Certificate};
use beak_core::duckling::{Duckling, Egg};
use beak_core::id::{CertId, DucklingId, EventId, PeckId};
use beak_core::peck::{Message, Peck, PeckStatus, PeckType};
use beak_core::person::{DisplayName, Email};
use beak_core::tier::{Statement, Tier, TierRequest};
use beak_core::{BeakError, OffsetDateTime, Result};
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970.
pub(crate) type Millis = i64;

pub(crate) fn millis(moment: OffsetDateTime) -> Millis {
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

pub(super) fn moment(millis: Millis) -> Result<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .map_err(|_| damaged("time"))
}

fn damaged(what: &str) -> BeakError {
    BeakError::Damaged(format!("the database holds an unreadable {what}"))
}

#[derive(Serialize, Deserialize)]
pub(super) struct EggRow {
    email: String,
    display_name: String,
    pub(super) created_at: Millis,
    expires_at: Millis,
}

impl From<&Egg> for EggRow {
    fn from(egg: &Egg) -> Self {
        Self {
            email: egg.email.as_str().to_owned(),
            display_name: egg.display_name.as_str().to_owned(),
            created_at: millis(egg.created_at),
            expires_at: millis(egg.expires_at),
        }
    }
}

impl EggRow {
    pub(super) fn read(self) -> Result<Egg> {
        Ok(Egg {
            email: Email::parse(&self.email)?,
            display_name: DisplayName::kept(&self.display_name),
            created_at: moment(self.created_at)?,
            expires_at: moment(self.expires_at)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct DucklingRow {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) display_name: String,
    pub(super) tier: String,
    pub(super) bonds: u32,
    pub(super) cert_id: String,
    pub(super) cert_status: String,
    pub(super) key_hash: String,
    pub(super) key_hint: String,
    pub(super) created_at: Millis,
    pub(super) last_pulse: Option<Millis>,
    #[serde(default)]
    pub(super) tier_request: Option<RequestRow>,
    #[serde(default)]
    pub(super) is_leaving: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RequestRow {
    statement: String,
    at: Millis,
}

impl From<&TierRequest> for RequestRow {
    fn from(request: &TierRequest) -> Self {
        Self { statement: request.statement.as_str().to_owned(), at: millis(request.at) }
    }
}

impl RequestRow {
    fn read(self) -> Result<TierRequest> {
        Ok(TierRequest { statement: Statement::kept(&self.statement), at: moment(self.at)? })
    }
}

impl From<&Duckling> for DucklingRow {
    fn from(duckling: &Duckling) -> Self {
        Self {
            id: duckling.id.to_string(),
            email: duckling.email.as_str().to_owned(),
            display_name: duckling.display_name.as_str().to_owned(),
            tier: duckling.tier.to_string(),
            bonds: duckling.bonds,
            cert_id: duckling.cert_id.to_string(),
            cert_status: duckling.cert_status.word().to_owned(),
            key_hash: duckling.key_hash.clone(),
            key_hint: duckling.key_hint.clone(),
            created_at: millis(duckling.created_at),
            last_pulse: duckling.last_pulse.map(millis),
            tier_request: duckling.tier_request.as_ref().map(RequestRow::from),
            is_leaving: duckling.is_leaving,
        }
    }
}

impl DucklingRow {
    pub(super) fn read(self) -> Result<Duckling> {
        Ok(Duckling {
            id: DucklingId::parse(&self.id)?,
            email: Email::parse(&self.email)?,
            display_name: DisplayName::kept(&self.display_name),
            tier: Tier::parse(&self.tier).ok_or_else(|| damaged("tier"))?,
            bonds: self.bonds,
            cert_id: CertId::parse(&self.cert_id)?,
            cert_status: cert_status(&self.cert_status)?,
            key_hash: self.key_hash,
            key_hint: self.key_hint,
            created_at: moment(self.created_at)?,
            last_pulse: self.last_pulse.map(moment).transpose()?,
            tier_request: self.tier_request.map(RequestRow::read).transpose()?,
            is_leaving: self.is_leaving,
        })
    }
}

fn cert_status(word: &str) -> Result<CertStatus> {
    CertStatus::parse(word).ok_or_else(|| damaged("certificate"))
}

#[derive(Serialize, Deserialize)]
pub(super) struct PeckRow {
    id: String,
    source: String,
    #[serde(default)]
    source_tier: Option<String>,
    target: String,
    kind: String,
    message: String,
    stored: String,
    created_at: Millis,
    expires_at: Millis,
    settled_at: Option<Millis>,
}

impl From<&Peck> for PeckRow {
    fn from(peck: &Peck) -> Self {
        Self {
            id: peck.id.to_string(),
            source: peck.source.to_string(),
            source_tier: peck.source_tier.as_ref().map(Tier::to_string),
            target: peck.target.to_string(),
            kind: peck.kind.as_str().to_owned(),
            message: peck.message.as_str().to_owned(),
            stored: peck.stored.word().to_owned(),
            created_at: millis(peck.created_at),
            expires_at: millis(peck.expires_at),
            settled_at: peck.settled_at.map(millis),
        }
    }
}

impl PeckRow {
    pub(super) fn read(self) -> Result<Peck> {
        let tier = self.source_tier.map(|word| Tier::parse(&word).ok_or_else(|| damaged("tier")));
        Ok(Peck {
            id: PeckId::parse(&self.id)?,
            source: DucklingId::parse(&self.source)?,
            source_tier: tier.transpose()?,
            target: DucklingId::parse(&self.target)?,
            kind: PeckType::parse(&self.kind)?,
            message: Message::kept(&self.message),
            stored: PeckStatus::parse(&self.stored).ok_or_else(|| damaged("peck"))?,
            created_at: moment(self.created_at)?,
            expires_at: moment(self.expires_at)?,
            settled_at: self.settled_at.map(moment).transpose()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct CertificateRow {
    id: String,
    duckling_id: String,
    pub(super) name: String,
    tier: String,
    pub(super) status: String,
    issued_at: Millis,
    pub(super) compact: String,
}

impl From<&Certificate> for CertificateRow {
    fn from(certificate: &Certificate) -> Self {
        Self {
            id: certificate.id.to_string(),
            duckling_id: certificate.duckling_id.to_string(),
            name: certificate.name.clone(),
            tier: certificate.tier.to_string(),
            status: certificate.status.word().to_owned(),
            issued_at: millis(certificate.issued_at),
            compact: certificate.compact.clone(),
        }
    }
}

impl CertificateRow {
    pub(super) fn read(self) -> Result<Certificate> {
        Ok(Certificate {
            id: CertId::parse(&self.id)?,
            duckling_id: DucklingId::parse(&self.duckling_id)?,
            name: self.name,
            tier: Tier::parse(&self.tier).ok_or_else(|| damaged("tier"))?,
            status: cert_status(&self.status)?,
            issued_at: moment(self.issued_at)?,
            compact: self.compact,
        })
    }
}

/// What an idempotency key has made.
#[derive(Serialize, Deserialize)]
pub(super) struct RepeatRow {
    pub(super) content: String,
    pub(super) peck_id: String,
    pub(super) until: Millis,
}

#[derive(Serialize, Deserialize)]
pub(super) struct EventRow {
    id: String,
    kind: String,
    pub(super) at: Millis,
    duckling: String,
    other: Option<String>,
    peck: Option<String>,
    cert: Option<String>,
    tier: Option<String>,
    note: Option<String>,
}

impl From<&Event> for EventRow {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id.to_string(),
            kind: event.kind.word().to_owned(),
            at: millis(event.at),
            duckling: event.duckling.to_string(),
            other: event.other.as_ref().map(DucklingId::to_string),
            peck: event.peck.as_ref().map(PeckId::to_string),
            cert: event.cert.as_ref().map(CertId::to_string),
            tier: event.tier.as_ref().map(Tier::to_string),
            note: event.note.clone(),
        }
    }
}

impl EventRow {
    pub(super) fn read(self) -> Result<Event> {
        let tier = self.tier.map(|word| Tier::parse(&word).ok_or_else(|| damaged("tier")));
        Ok(Event {
            id: EventId::parse(&self.id)?,
            kind: EventKind::parse(&self.kind).ok_or_else(|| damaged("event"))?,
            at: moment(self.at)?,
            duckling: DucklingId::parse(&self.duckling)?,
            other: self.other.as_deref().map(DucklingId::parse).transpose()?,
            peck: self.peck.as_deref().map(PeckId::parse).transpose()?,
            cert: self.cert.as_deref().map(CertId::parse).transpose()?,
            tier: tier.transpose()?,
            note: self.note,
        })
    }
}

/// What a token of the newsletter is good for.
#[derive(Serialize, Deserialize)]
pub(super) struct OfferRow {
    pub(super) email: String,
    pub(super) until: Millis,
    pub(super) state: OfferState,
}

/// The state of an offer.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum OfferState {
    /// For its confirmation.
    Waits,
    /// It became a subscription.
    Taken,
    /// It was declined, or its subscription ended.
    Ended,
}
