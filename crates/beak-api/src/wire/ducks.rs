//! What a duckling shows to others, and what is done about others.

use beak_core::duckling::Duckling;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(test)]
use super::text;
use super::{Moment, SpaceDuck};

/// The path of a duckling.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct DuckPath {
    #[cfg_attr(test, schemars(with = "text::DucklingId"))]
    pub(crate) duckling_id: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Duck {
    #[cfg_attr(test, schemars(with = "text::DucklingId"))]
    duckling_id: String,
    display_name: String,
    #[cfg_attr(test, schemars(with = "text::Tier"))]
    trust_tier: &'static str,
    #[cfg_attr(test, schemars(with = "text::CertId"))]
    cert_id: String,
    #[cfg_attr(test, schemars(with = "text::CertStatus"))]
    cert_status: &'static str,
    #[cfg_attr(test, schemars(with = "text::Moment"))]
    hatched_at: Moment,
    /// How many bonds it has now.
    bonds: u32,
}

impl From<Duckling> for Duck {
    fn from(duckling: Duckling) -> Self {
        Self {
            duckling_id: duckling.id.to_string(),
            display_name: duckling.display_name.as_str().to_owned(),
            trust_tier: duckling.tier.word(),
            cert_id: duckling.cert_id.to_string(),
            cert_status: duckling.cert_status.word(),
            hatched_at: Moment(duckling.created_at),
            bonds: duckling.bonds,
        }
    }
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Block {
    #[cfg_attr(test, schemars(with = "text::DucklingId"))]
    pub(crate) duckling_id: String,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Because {
    /// Why; it goes into the duckling's own audit.
    #[cfg_attr(test, schemars(with = "text::Statement"))]
    pub(crate) reason: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct TierRequests {
    /// The oldest request first.
    pub(crate) requests: Vec<SpaceDuck>,
    pub(crate) next_cursor: Option<String>,
}
