//! A release on record, as `rollback --list` shows it.

use serde::Serialize;

/// A release on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Release {
    /// Its number.
    pub number: u64,
    /// Its name.
    pub id: String,
    /// Version of the program that installed it.
    pub version: String,
    /// When it was first installed, in seconds since 1970; unknown of the first ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed_at: Option<u64>,
    /// Whether it is the one that is installed.
    pub current: bool,
    /// The release that a rollback put back in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
    /// When that was, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_at: Option<u64>,
    /// Whether everything that it needs is in the bucket.
    pub complete: bool,
    /// What is missing or damaged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub damage: Vec<String>,
}
