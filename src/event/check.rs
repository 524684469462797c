//! A finding of a look before an installation.

use serde::Serialize;

/// What one check has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which check; its name never changes.
    pub check: String,
    /// `ok`, `unknown`, `warning` or `problem`.
    pub level: String,
    /// What it is about.
    pub title: String,
    /// The actual state.
    pub is: String,
    /// How it should be.
    pub should: String,
    /// What to do; nothing where nothing is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}
