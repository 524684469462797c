//! Hatch, verify, resend, and the newsletter's offer.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(test)]
use super::text;

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Hatch {
    #[cfg_attr(test, schemars(with = "text::Email"))]
    pub(crate) email: String,
    #[cfg_attr(test, schemars(with = "text::Password"))]
    pub(crate) password: String,
    #[cfg_attr(test, schemars(with = "text::DisplayName"))]
    pub(crate) display_name: String,
    pub(crate) captcha_token: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct EggLaid {
    pub(crate) status: &'static str,
    pub(crate) email: String,
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
    #[cfg_attr(test, schemars(with = "text::Code"))]
    pub(crate) code: String,
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
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Address {
    #[cfg_attr(test, schemars(with = "text::Email"))]
    pub(crate) email: String,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReader {
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
