//! Short texts in the home Region.

use async_trait::async_trait;

use super::Entry;
use crate::failure::Failure;

/// Short texts that are no secret and that everybody who works on the galaxy sees at once.
#[async_trait]
pub trait Notes: Send + Sync {
    /// The text.
    async fn get(&self, path: &str) -> Result<Option<String>, Failure>;
    /// Writes it if there is none. Whether it was written.
    async fn put_new(&self, path: &str, text: &str) -> Result<bool, Failure>;
    /// Writes it over whatever is there.
    async fn put(&self, path: &str, text: &str) -> Result<(), Failure>;
    /// Removes it; fine where there is none.
    async fn remove(&self, path: &str) -> Result<(), Failure>;
    /// The text, and when the service wrote it last.
    async fn entry(&self, path: &str) -> Result<Option<Entry>, Failure>;
}
