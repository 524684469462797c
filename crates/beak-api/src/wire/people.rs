//! Signing in, and a duckling about itself.

use beak_core::OffsetDateTime;
use beak_core::certificate::Certificate;
use beak_core::duckling::Duckling;
use beak_core::galaxy::Export;
use beak_core::tier::TierRequest;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(test)]
use super::text;
use super::{EventSeen, Moment, PeckSeen};

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    #[cfg_attr(test, schemars(with = "text::Email"))]
    pub(crate) email: String,
    #[cfg_attr(test, schemars(with = "text::PasswordTried"))]
    pub(crate) password: String,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    pub(crate) refresh_token: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    /// Not in the answer to a refresh: the old one stays good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    /// Seconds that the access token is good for.
    pub(crate) expires_in: i64,
    pub(crate) token_type: &'static str,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Reset {
    #[cfg_attr(test, schemars(with = "text::Email"))]
    pub(crate) email: String,
    #[cfg_attr(test, schemars(with = "text::CodeTyped"))]
    pub(crate) code: String,
    #[cfg_attr(test, schemars(with = "text::Password"))]
    pub(crate) password: String,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Rename {
    #[cfg_attr(test, schemars(with = "text::DisplayName"))]
    pub(crate) display_name: String,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct TierAsked {
    #[cfg_attr(test, schemars(with = "text::Statement"))]
    pub(crate) statement: String,
}

/// A request for T2 that waits for an operator.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct TierRequestSeen {
    statement: String,
    #[cfg_attr(test, schemars(with = "text::Moment"))]
    requested_at: Moment,
}

impl From<TierRequest> for TierRequestSeen {
    fn from(request: TierRequest) -> Self {
        let statement = request.statement.as_str().to_owned();
        Self { statement, requested_at: Moment(request.at) }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Me {
    #[cfg_attr(test, schemars(with = "text::DucklingId"))]
    duckling_id: String,
    email: String,
    display_name: String,
    #[cfg_attr(test, schemars(with = "text::Tier"))]
    trust_tier: &'static str,
    bonds: u32,
    #[cfg_attr(test, schemars(with = "text::CertId"))]
    cert_id: String,
    #[cfg_attr(test, schemars(with = "text::CertStatus"))]
    cert_status: &'static str,
    /// The end of the Beak Key.
    key_hint: String,
    #[cfg_attr(test, schemars(with = "text::Moment"))]
    created_at: Moment,
    #[cfg_attr(test, schemars(with = "Option<text::Moment>"))]
    last_pulse: Option<Moment>,
    #[cfg_attr(test, schemars(with = "text::Liveness"))]
    liveness: &'static str,
    tier_request: Option<TierRequestSeen>,
}

impl Me {
    pub(crate) fn of(duckling: Duckling, now: OffsetDateTime) -> Self {
        Self {
            liveness: duckling.liveness(now).word(),
            duckling_id: duckling.id.to_string(),
            email: duckling.email.as_str().to_owned(),
            display_name: duckling.display_name.as_str().to_owned(),
            trust_tier: duckling.tier.word(),
            bonds: duckling.bonds,
            cert_id: duckling.cert_id.to_string(),
            cert_status: duckling.cert_status.word(),
            key_hint: duckling.key_hint,
            created_at: Moment(duckling.created_at),
            last_pulse: duckling.last_pulse.map(Moment),
            tier_request: duckling.tier_request.map(TierRequestSeen::from),
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Exported {
    profile: Me,
    /// Oldest first.
    certificates: Vec<CertificateSeen>,
    /// Newest first.
    pecks: Vec<PeckSeen>,
    /// Newest first.
    events: Vec<EventSeen>,
    /// Whether a list was longer than an export may be, and was cut.
    is_cut: bool,
    #[cfg_attr(test, schemars(with = "text::Moment"))]
    as_of: Moment,
}

impl Exported {
    pub(crate) fn of(export: Export, now: OffsetDateTime) -> Self {
        let own = |certificate| CertificateSeen::of(certificate, true);
        Self {
            profile: Me::of(export.duckling, now),
            certificates: export.certificates.into_iter().map(own).collect(),
            pecks: export.pecks.iter().map(|peck| PeckSeen::of(peck, None, now)).collect(),
            events: export.events.into_iter().map(EventSeen::from).collect(),
            is_cut: export.is_cut,
            as_of: Moment(now),
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Rotated {
    /// Shown only here.
    #[cfg_attr(test, schemars(with = "text::BeakKey"))]
    pub(crate) beak_key: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct CertificateSeen {
    #[cfg_attr(test, schemars(with = "text::CertId"))]
    cert_id: String,
    #[cfg_attr(test, schemars(with = "text::DucklingId"))]
    duckling_id: String,
    display_name: String,
    #[cfg_attr(test, schemars(with = "text::Tier"))]
    trust_tier: &'static str,
    #[cfg_attr(test, schemars(with = "text::CertStatus"))]
    status: &'static str,
    #[cfg_attr(test, schemars(with = "text::Moment"))]
    issued_at: Moment,
    /// The compact JWS, for its owner only: it carries a hash of the e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
}

impl CertificateSeen {
    pub(crate) fn of(certificate: Certificate, owner: bool) -> Self {
        Self {
            cert_id: certificate.id.to_string(),
            duckling_id: certificate.duckling_id.to_string(),
            display_name: certificate.name,
            trust_tier: certificate.tier.word(),
            status: certificate.status.word(),
            issued_at: Moment(certificate.issued_at),
            certificate: owner.then_some(certificate.compact),
        }
    }
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Judge {
    pub(crate) certificate: String,
}

#[derive(Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Judged {
    pub(crate) valid: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<text::CertId>"))]
    pub(crate) cert_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<text::DucklingId>"))]
    pub(crate) duckling_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<text::Tier>"))]
    pub(crate) trust_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<text::CertStatus>"))]
    pub(crate) status: Option<&'static str>,
}
