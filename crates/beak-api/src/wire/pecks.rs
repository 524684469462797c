//! Pecks and bonds.

use beak_core::OffsetDateTime;
use beak_core::galaxy::Parties;
use beak_core::id::DucklingId;
use beak_core::peck::Peck;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Moment;
#[cfg(test)]
use super::text;

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPeck {
    #[cfg_attr(test, schemars(with = "text::DucklingId"))]
    pub(crate) target_duckling_id: String,
    #[cfg_attr(test, schemars(with = "text::PeckType"))]
    pub(crate) peck_type: String,
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "text::Message"))]
    pub(crate) message: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct PeckAsked {
    #[cfg_attr(test, schemars(with = "text::PeckId"))]
    pub(crate) peck_id: String,
    #[cfg_attr(test, schemars(with = "text::PeckStatus"))]
    pub(crate) status: &'static str,
    #[cfg_attr(test, schemars(with = "text::Moment"))]
    pub(crate) expires_at: Moment,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct PeckNamed {
    #[cfg_attr(test, schemars(with = "text::PeckId"))]
    pub(crate) peck_id: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct PeckApproved {
    #[cfg_attr(test, schemars(with = "text::PeckId"))]
    pub(crate) peck_id: String,
    #[cfg_attr(test, schemars(with = "text::PeckStatus"))]
    pub(crate) status: &'static str,
    /// The tier that the approving side has now.
    #[cfg_attr(test, schemars(with = "text::Tier"))]
    pub(crate) trust_tier: &'static str,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct PecksAsked {
    /// `in`, if it is not said.
    #[cfg_attr(test, schemars(with = "Option<text::Direction>"))]
    pub(crate) direction: Option<String>,
    #[cfg_attr(test, schemars(with = "Option<text::PeckStatus>"))]
    pub(crate) status: Option<String>,
    #[cfg_attr(test, schemars(with = "Option<text::Limit>"))]
    pub(crate) limit: Option<String>,
    /// `next_cursor` of the part before.
    #[cfg_attr(test, schemars(with = "Option<text::Cursor>"))]
    pub(crate) cursor: Option<String>,
}

/// One side of a peck, as it is now. What is missing went with the duckling.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Party {
    #[cfg_attr(test, schemars(with = "text::DucklingId"))]
    duckling_id: String,
    display_name: Option<String>,
    #[cfg_attr(test, schemars(with = "Option<text::Tier>"))]
    trust_tier: Option<&'static str>,
    #[cfg_attr(test, schemars(with = "Option<text::CertId>"))]
    cert_id: Option<String>,
}

impl Party {
    fn of(id: &DucklingId, parties: &Parties) -> Self {
        let now = parties.get(id);
        Self {
            duckling_id: id.to_string(),
            display_name: now.map(|duckling| duckling.display_name.as_str().to_owned()),
            trust_tier: now.map(|duckling| duckling.tier.word()),
            cert_id: now.map(|duckling| duckling.cert_id.to_string()),
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct PeckSeen {
    #[cfg_attr(test, schemars(with = "text::PeckId"))]
    peck_id: String,
    /// Who asks. Not in an export.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Party>,
    /// The duckling that was pecked. Not in an export.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Party>,
    #[cfg_attr(test, schemars(with = "text::DucklingId"))]
    source_duckling_id: String,
    #[cfg_attr(test, schemars(with = "text::DucklingId"))]
    target_duckling_id: String,
    #[cfg_attr(test, schemars(with = "text::PeckType"))]
    peck_type: String,
    message: String,
    #[cfg_attr(test, schemars(with = "text::PeckStatus"))]
    status: &'static str,
    #[cfg_attr(test, schemars(with = "text::Moment"))]
    created_at: Moment,
    #[cfg_attr(test, schemars(with = "text::Moment"))]
    expires_at: Moment,
    #[cfg_attr(test, schemars(with = "Option<text::Moment>"))]
    settled_at: Option<Moment>,
}

impl PeckSeen {
    pub(crate) fn of(peck: &Peck, parties: Option<&Parties>, now: OffsetDateTime) -> Self {
        Self {
            peck_id: peck.id.to_string(),
            source: parties.map(|parties| Party::of(&peck.source, parties)),
            target: parties.map(|parties| Party::of(&peck.target, parties)),
            source_duckling_id: peck.source.to_string(),
            target_duckling_id: peck.target.to_string(),
            peck_type: peck.kind.as_str().to_owned(),
            message: peck.message.as_str().to_owned(),
            status: peck.status_at(now).word(),
            created_at: Moment(peck.created_at),
            expires_at: Moment(peck.expires_at),
            settled_at: peck.settled_at.map(Moment),
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Pecks {
    pub(crate) pecks: Vec<PeckSeen>,
    pub(crate) next_cursor: Option<String>,
}

/// The header that makes a repeated call count once.
#[cfg_attr(test, derive(JsonSchema), expect(dead_code, reason = "only its schema is of use"))]
pub(crate) struct Idempotent {
    /// The same key with the same body gives the same peck, for 24 hours.
    #[cfg(test)]
    #[schemars(rename = "Idempotency-Key", with = "Option<text::IdempotencyKey>")]
    key: Option<String>,
}

/// The path of a peck.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct PeckPath {
    #[cfg_attr(test, schemars(with = "text::PeckId"))]
    pub(crate) peck_id: String,
}

/// The path of a certificate.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct CertificatePath {
    #[cfg_attr(test, schemars(with = "text::CertId"))]
    pub(crate) cert_id: String,
}
