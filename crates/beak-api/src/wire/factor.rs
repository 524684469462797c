//! A second factor: enrolling, removing, and the second step of signing in.

use beak_core::galaxy::{Enrolled, Enrolling, FactorState};
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Moment;
use super::people::Tokens;
#[cfg(test)]
use super::text;

/// What a right password gives.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged)]
pub(crate) enum SignedIn {
    /// The account has no second factor.
    Tokens(Tokens),
    /// The account has one: `POST /beak/signin/totp` takes its code.
    Challenge(Challenge),
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
pub(crate) struct Challenge {
    /// `totp`
    pub(crate) challenge: &'static str,
    /// Identifies this sign-in in `POST /beak/signin/totp`.
    pub(crate) session: String,
    /// Seconds that the session waits.
    pub(crate) expires_in: i64,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct SecondStep {
    /// From the answer to `signin`.
    pub(crate) session: String,
    #[cfg_attr(test, schemars(with = "text::FactorCodeTyped"))]
    pub(crate) code: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Factor {
    enabled: bool,
    /// Only where it is enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<text::Moment>"))]
    enrolled_at: Option<Moment>,
    recovery_codes_left: usize,
}

impl From<FactorState> for Factor {
    fn from(state: FactorState) -> Self {
        Self {
            enabled: state.enrolled_at.is_some(),
            enrolled_at: state.enrolled_at.map(Moment),
            recovery_codes_left: state.recovery_codes_left,
        }
    }
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrol {
    /// The account's password.
    #[cfg_attr(test, schemars(with = "text::PasswordTried"))]
    pub(crate) password: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct FactorBegun {
    /// For an app that takes no QR code, in base 32.
    secret: String,
    /// What a QR code for the app holds.
    otpauth_uri: String,
}

impl From<Enrolling> for FactorBegun {
    fn from(begun: Enrolling) -> Self {
        Self { secret: begun.secret, otpauth_uri: begun.otpauth_uri }
    }
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct FactorConfirm {
    #[cfg_attr(test, schemars(with = "text::FactorCodeTyped"))]
    pub(crate) code: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct RecoveryCodes {
    /// Shown only here; each works once.
    recovery_codes: Vec<String>,
}

impl From<&Enrolled> for RecoveryCodes {
    fn from(enrolled: &Enrolled) -> Self {
        let codes = enrolled.recovery_codes.iter();
        Self { recovery_codes: codes.map(beak_core::factor::RecoveryCode::shown).collect() }
    }
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct FactorEnd {
    /// The account's password.
    #[cfg_attr(test, schemars(with = "text::PasswordTried"))]
    pub(crate) password: String,
    #[cfg_attr(test, schemars(with = "text::FactorCodeTyped"))]
    pub(crate) code: String,
}
