//! Versions of the API's function.

use async_trait::async_trait;

use crate::failure::Failure;

/// The version of a function that callers get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveVersion {
    /// Its number.
    pub version: String,
    /// SHA-256 of its zip, as hex.
    pub sha256: String,
}

/// Versions of the API's function.
#[async_trait]
pub trait Functions: Send + Sync {
    /// Asks a version whether it is well; what is wrong, if it is not.
    async fn check(&self, function: &str, version: &str) -> Result<Option<String>, Failure>;
    /// The version that callers get; nothing where there is none.
    async fn live(&self, function: &str) -> Result<Option<LiveVersion>, Failure>;
    /// Makes a version the one that callers get. `false` where there is no such version.
    async fn point(&self, function: &str, version: &str) -> Result<bool, Failure>;
}
