//! The JSON of every call. Field names here are the contract; nothing else of the Beak knows serde.

use beak_core::OffsetDateTime;
use beak_core::certificate::Certificate;
use beak_core::duckling::Duckling;
use beak_core::peck::Peck;
use serde::{Deserialize, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;

/// A moment as RFC 3339 in UTC.
#[derive(Clone, Copy)]
pub(crate) struct Moment(pub(crate) OffsetDateTime);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.to_offset(time::UtcOffset::UTC).format(&Rfc3339);
        serializer.serialize_str(&text.map_err(serde::ser::Error::custom)?)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hatch {
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) display_name: String,
    pub(crate) captcha_token: String,
}

#[derive(Serialize)]
pub(crate) struct EggLaid {
    pub(crate) status: &'static str,
    pub(crate) email: String,
    pub(crate) expires_in: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verify {
    pub(crate) email: String,
    pub(crate) code: String,
}

#[derive(Serialize)]
pub(crate) struct Hatched {
    pub(crate) beak_key: String,
    pub(crate) duckling_id: String,
    pub(crate) cert_id: String,
    pub(crate) certificate: String,
    pub(crate) trust_tier: &'static str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Address {
    pub(crate) email: String,
}

/// An answer that says only what has become of it.
#[derive(Serialize)]
pub(crate) struct Status {
    pub(crate) status: &'static str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    pub(crate) email: String,
    pub(crate) password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    pub(crate) refresh_token: String,
}

#[derive(Serialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    pub(crate) expires_in: i64,
    pub(crate) token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hatched: Option<Hatched>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reset {
    pub(crate) email: String,
    pub(crate) code: String,
    pub(crate) password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPeck {
    pub(crate) target_duckling_id: String,
    pub(crate) peck_type: String,
    #[serde(default)]
    pub(crate) message: String,
}

#[derive(Serialize)]
pub(crate) struct PeckAsked {
    pub(crate) peck_id: String,
    pub(crate) status: &'static str,
    pub(crate) expires_at: Moment,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeckNamed {
    pub(crate) peck_id: String,
}

#[derive(Serialize)]
pub(crate) struct PeckApproved {
    pub(crate) peck_id: String,
    pub(crate) status: &'static str,
    pub(crate) trust_tier: &'static str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PecksAsked {
    pub(crate) direction: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) limit: Option<String>,
    pub(crate) cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageAsked {
    pub(crate) limit: Option<String>,
    pub(crate) cursor: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct PeckSeen {
    peck_id: String,
    source_duckling_id: String,
    target_duckling_id: String,
    peck_type: String,
    message: String,
    status: &'static str,
    created_at: Moment,
    expires_at: Moment,
    settled_at: Option<Moment>,
}

impl PeckSeen {
    pub(crate) fn of(peck: &Peck, now: OffsetDateTime) -> Self {
        Self {
            peck_id: peck.id.to_string(),
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
pub(crate) struct Pecks {
    pub(crate) pecks: Vec<PeckSeen>,
    pub(crate) next_cursor: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Me {
    duckling_id: String,
    email: String,
    display_name: String,
    trust_tier: &'static str,
    bonds: u32,
    cert_id: String,
    cert_status: &'static str,
    key_hint: String,
    created_at: Moment,
    last_pulse: Option<Moment>,
    liveness: &'static str,
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
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Rotated {
    pub(crate) beak_key: String,
}

#[derive(Serialize)]
pub(crate) struct CertificateSeen {
    cert_id: String,
    duckling_id: String,
    display_name: String,
    trust_tier: &'static str,
    status: &'static str,
    issued_at: Moment,
    /// For its owner only: it carries a hash of the e-mail address.
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
#[serde(deny_unknown_fields)]
pub(crate) struct Judge {
    pub(crate) certificate: String,
}

#[derive(Default, Serialize)]
pub(crate) struct Judged {
    pub(crate) valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cert_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duckling_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trust_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<&'static str>,
}

#[derive(Serialize)]
pub(crate) struct Jwks {
    pub(crate) keys: Vec<Jwk>,
}

#[derive(Serialize)]
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
pub(crate) struct Metrics {
    pub(crate) total_ducklings: u64,
    pub(crate) certs_issued: u64,
    pub(crate) connections: u64,
    pub(crate) eggs: u64,
    pub(crate) pecks: PeckCounts,
    pub(crate) galaxy_version: String,
    pub(crate) as_of: Moment,
}

#[derive(Serialize)]
pub(crate) struct PeckCounts {
    pub(crate) pending: u64,
    pub(crate) approved: u64,
    pub(crate) denied: u64,
    pub(crate) expired: u64,
    pub(crate) revoked: u64,
}

#[derive(Serialize)]
pub(crate) struct SpaceDuck {
    duckling_id: String,
    display_name: String,
    trust_tier: &'static str,
    cert_status: &'static str,
    bonds: u32,
    last_pulse: Option<Moment>,
    created_at: Moment,
    key_hint: String,
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
        }
    }
}

#[derive(Serialize)]
pub(crate) struct SpaceDucks {
    pub(crate) spaceducks: Vec<SpaceDuck>,
    pub(crate) next_cursor: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct SystemStatus {
    pub(crate) status: &'static str,
    pub(crate) galaxy_version: String,
    pub(crate) release: String,
}
