//! A galaxy of the account, as `list` shows it.

use serde::Serialize;

/// A galaxy of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Galaxy {
    /// Its name.
    pub galaxy: String,
    /// Its id, if its record can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its home Region, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The installed release, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// How long ago its record was made, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<u64>,
    /// Its monthly cost when idle, in US cents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_cents: Option<u32>,
    /// What it costs a month with about 1,000 people, in US cents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub small_cents: Option<u32>,
    /// What is wrong with it, one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<String>,
}
