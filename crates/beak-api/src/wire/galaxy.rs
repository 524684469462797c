//! The galaxy as a whole, and what operators see and decide.

use beak_core::audit::Event;
use beak_core::duckling::Duckling;
use beak_core::feedback::Reports;
use beak_core::ports::Fleet;
use beak_core::ports::{Alarm, MailState, TableState};
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(test)]
use super::text;
use super::{Moment, TierRequestSeen};

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Jwks {
    pub(crate) keys: Vec<Jwk>,
    /// The galaxy's address, then those of galaxies that moved here: the `iss` of its certificates.
    pub(crate) issuers: Vec<String>,
}

/// A public key, RFC 8037.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Jwk {
    pub(crate) kty: &'static str,
    pub(crate) crv: &'static str,
    pub(crate) x: String,
    pub(crate) kid: String,
    pub(crate) alg: &'static str,
    #[serde(rename = "use")]
    pub(crate) purpose: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Metrics {
    pub(crate) total_ducklings: u64,
    /// Ever issued.
    pub(crate) certs_issued: u64,
    /// Bonds that hold now.
    pub(crate) connections: u64,
    pub(crate) eggs: u64,
    pub(crate) pecks: PeckCounts,
    pub(crate) galaxy_version: String,
    #[cfg_attr(test, schemars(with = "text::Moment"))]
    pub(crate) as_of: Moment,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct PeckCounts {
    pub(crate) pending: u64,
    pub(crate) approved: u64,
    pub(crate) denied: u64,
    pub(crate) expired: u64,
    pub(crate) revoked: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct SpaceDuck {
    #[cfg_attr(test, schemars(with = "text::DucklingId"))]
    duckling_id: String,
    display_name: String,
    #[cfg_attr(test, schemars(with = "text::Tier"))]
    trust_tier: &'static str,
    #[cfg_attr(test, schemars(with = "text::CertStatus"))]
    cert_status: &'static str,
    bonds: u32,
    #[cfg_attr(test, schemars(with = "Option<text::Moment>"))]
    last_pulse: Option<Moment>,
    #[cfg_attr(test, schemars(with = "text::Moment"))]
    created_at: Moment,
    /// The end of the Beak Key.
    key_hint: String,
    tier_request: Option<TierRequestSeen>,
}

impl From<Duckling> for SpaceDuck {
    fn from(duckling: Duckling) -> Self {
        Self {
            duckling_id: duckling.id.to_string(),
            display_name: duckling.display_name.as_str().to_owned(),
            trust_tier: duckling.tier.word(),
            cert_status: duckling.cert_status.word(),
            bonds: duckling.bonds,
            last_pulse: duckling.last_pulse.map(Moment),
            created_at: Moment(duckling.created_at),
            key_hint: duckling.key_hint,
            tier_request: duckling.tier_request.map(TierRequestSeen::from),
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct SpaceDucks {
    pub(crate) spaceducks: Vec<SpaceDuck>,
    pub(crate) next_cursor: Option<String>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Decide {
    #[cfg_attr(test, schemars(with = "text::DucklingId"))]
    pub(crate) duckling_id: String,
    #[cfg_attr(test, schemars(with = "text::Decision"))]
    pub(crate) decision: String,
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "text::Message"))]
    pub(crate) note: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Decided {
    #[cfg_attr(test, schemars(with = "text::DucklingId"))]
    pub(crate) duckling_id: String,
    #[cfg_attr(test, schemars(with = "text::Tier"))]
    pub(crate) trust_tier: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct EventSeen {
    #[cfg_attr(test, schemars(with = "text::EventId"))]
    event_id: String,
    #[cfg_attr(test, schemars(with = "text::EventKind"))]
    event: &'static str,
    #[cfg_attr(test, schemars(with = "text::Moment"))]
    at: Moment,
    /// To whom it happened; of a peck, who asked.
    #[cfg_attr(test, schemars(with = "text::DucklingId"))]
    duckling_id: String,
    /// Of a peck, who was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<text::DucklingId>"))]
    other_duckling_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<text::PeckId>"))]
    peck_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<text::CertId>"))]
    cert_id: Option<String>,
    /// The tier that it led to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<text::Tier>"))]
    trust_tier: Option<&'static str>,
    /// What the operator said.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl From<Event> for EventSeen {
    fn from(event: Event) -> Self {
        Self {
            event_id: event.id.to_string(),
            event: event.kind.word(),
            at: Moment(event.at),
            duckling_id: event.duckling.to_string(),
            other_duckling_id: event.other.map(|id| id.to_string()),
            peck_id: event.peck.map(|id| id.to_string()),
            cert_id: event.cert.map(|id| id.to_string()),
            trust_tier: event.tier.map(beak_core::tier::Tier::word),
            note: event.note,
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Events {
    pub(crate) events: Vec<EventSeen>,
    pub(crate) next_cursor: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct SystemStatus {
    #[cfg_attr(test, schemars(with = "text::SystemStatus"))]
    pub(crate) status: &'static str,
    pub(crate) galaxy_version: String,
    pub(crate) release: String,
    /// For operators: the published version of the Lambda function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) function_version: Option<String>,
    /// For operators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mail: Option<MailSeen>,
    /// For operators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fleet: Option<FleetSeen>,
    /// For operators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tables: Option<Vec<TableSeen>>,
    /// For operators. Empty where nothing rings, as on one machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alarms: Option<Vec<AlarmSeen>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct MailSeen {
    /// Whether a sender is set up for the galaxy's own mails.
    sender: bool,
    /// Whether mails reach confirmed addresses only.
    sandbox: bool,
    /// Mails a day; no limit without it.
    quota: Option<u64>,
    /// Mails within 24 hours.
    sent: u64,
    /// Mails that can never arrive. Their addresses are not mailed again.
    bounces: u64,
    /// Mails that recipients marked as spam. Their addresses are not mailed again.
    complaints: u64,
}

impl From<(MailState, Reports)> for MailSeen {
    fn from((state, reports): (MailState, Reports)) -> Self {
        let MailState { sender, sandbox, quota, sent } = state;
        let Reports { bounces, complaints } = reports;
        Self { sender, sandbox, quota, sent, bounces, complaints }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct FleetSeen {
    alive: u64,
    slow: u64,
    offline: u64,
    /// Whether all ducklings were looked at; at most 10,000 are.
    is_whole: bool,
}

impl From<Fleet> for FleetSeen {
    fn from(fleet: Fleet) -> Self {
        let Fleet { alive, slow, offline, is_whole } = fleet;
        Self { alive, slow, offline, is_whole }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct TableSeen {
    name: String,
    active: bool,
    /// As far as the home knows without counting; DynamoDB looks every six hours.
    entries: Option<u64>,
}

impl From<TableState> for TableSeen {
    fn from(state: TableState) -> Self {
        let TableState { name, active, entries } = state;
        Self { name, active, entries }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct AlarmSeen {
    /// As in the galaxy's templates.
    name: String,
    #[cfg_attr(test, schemars(with = "text::AlarmState"))]
    state: &'static str,
    #[cfg_attr(test, schemars(with = "Option<text::Moment>"))]
    since: Option<Moment>,
}

impl From<Alarm> for AlarmSeen {
    fn from(alarm: Alarm) -> Self {
        let Alarm { name, state, since } = alarm;
        Self { name, state: state.word(), since: since.map(Moment) }
    }
}

/// This API's own description.
pub(crate) struct Document;
