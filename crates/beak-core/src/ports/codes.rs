//! Where it is kept when one-time codes were asked for, and how often they were tried since.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::error::Result;

/// That somebody asked for a code, whether or not one was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeAsked {
    /// What the code is for and the digest of the address, never the address itself.
    pub name: String,
    /// When.
    pub at: OffsetDateTime,
    /// From when on this is to be forgotten.
    pub until: OffsetDateTime,
    /// How often a code was tried since.
    pub tries: u32,
}

/// Keeps who asked for codes, by digest, until it is to be forgotten.
#[async_trait]
pub trait Codes: Send + Sync {
    /// Notes that a code was asked for, in place of what this name had.
    async fn note_code(&self, asked: &CodeAsked) -> Result<()>;
    /// What was noted last. It may still be there for a while after it was to be forgotten.
    async fn noted_code(&self, name: &str) -> Result<Option<CodeAsked>>;
    /// Takes one of the `limit` tries. Whether one was left and no code was asked for since.
    /// Exact: of any number at once, `limit` are granted.
    async fn take_try(&self, asked: &CodeAsked, limit: u32) -> Result<bool>;
    /// Gives a try back, unless a code was asked for since.
    async fn give_back(&self, asked: &CodeAsked) -> Result<()>;
}
