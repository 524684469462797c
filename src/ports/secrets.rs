//! Secrets.

use async_trait::async_trait;

use crate::failure::Failure;
use crate::model::Secret;

/// Secrets that the API reads by itself.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The secret by its path.
    async fn read(&self, path: &str) -> Result<Option<Secret>, Failure>;
    /// Stores it, encrypted.
    async fn write(&self, path: &str, secret: &Secret) -> Result<(), Failure>;
    /// Removes it; fine where there is none.
    async fn remove(&self, path: &str) -> Result<(), Failure>;
}
