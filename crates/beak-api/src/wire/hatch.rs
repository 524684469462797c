//! Hatch, verify, resend, and the newsletter's offer.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(test)]
use super::text;

/// A person who has signed in sends `display_name` alone; all others send all of it.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Hatch {
    #[cfg_attr(test, schemars(with = "Option<text::Email>"))]
    pub(crate) email: Option<String>,
    #[cfg_attr(test, schemars(with = "Option<text::Password>"))]
    pub(crate) password: Option<String>,
    #[cfg_attr(test, schemars(with = "text::DisplayName"))]
    pub(crate) display_name: String,
    pub(crate) captcha_token: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct EggLaid {
    pub(crate) status: &'static str,
    pub(crate) email: String,
    /// Names this attempt in `verify` and `resend`.
    #[cfg_attr(test, schemars(with = "text::HatchId"))]
    pub(crate) hatch_id: String,
    /// Seconds that the code is good for.
    pub(crate) expires_in: i64,
    /// What to know while this galaxy's mail does not reach everybody. For every address alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<&'static str>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Verify {
    #[cfg_attr(test, schemars(with = "text::Email"))]
    pub(crate) email: String,
    #[cfg_attr(test, schemars(with = "text::CodeTyped"))]
    pub(crate) code: String,
    /// From the answer to `hatch`.
    #[cfg_attr(test, schemars(with = "Option<text::HatchId>"))]
    pub(crate) hatch_id: Option<String>,
    /// Counts, whatever was sent to `hatch`.
    #[cfg_attr(test, schemars(with = "Option<text::Password>"))]
    pub(crate) password: Option<String>,
    /// Counts, whatever was sent to `hatch`.
    #[cfg_attr(test, schemars(with = "Option<text::DisplayName>"))]
    pub(crate) display_name: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Hatched {
    /// Shown only here.
    #[cfg_attr(test, schemars(with = "text::BeakKey"))]
    pub(crate) beak_key: String,
    #[cfg_attr(test, schemars(with = "text::DucklingId"))]
    pub(crate) duckling_id: String,
    #[cfg_attr(test, schemars(with = "text::CertId"))]
    pub(crate) cert_id: String,
    /// A compact JWS, RFC 7515.
    pub(crate) certificate: String,
    #[cfg_attr(test, schemars(with = "text::Tier"))]
    pub(crate) trust_tier: &'static str,
    /// True where other people hatched with this address and no password came with the code:
    /// `forgot` and `reset` set one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) password_reset_required: bool,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Resend {
    #[cfg_attr(test, schemars(with = "text::Email"))]
    pub(crate) email: String,
    /// From the answer to `hatch`; without it a captcha is needed.
    #[cfg_attr(test, schemars(with = "Option<text::HatchId>"))]
    pub(crate) hatch_id: Option<String>,
    pub(crate) captcha_token: Option<String>,
}

/// An address, and a captcha that keeps programs from mailing it.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Guarded {
    #[cfg_attr(test, schemars(with = "text::Email"))]
    pub(crate) email: String,
    pub(crate) captcha_token: String,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenAsked {
    /// From a mail's link.
    #[cfg_attr(test, schemars(with = "text::MailToken"))]
    pub(crate) token: String,
}
