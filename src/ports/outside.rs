//! The galaxy as the outside sees it, and time.

use std::time::Duration;

use async_trait::async_trait;

/// What an address answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An HTTP status.
    Status(u16),
    /// No answer, and why.
    Silence(String),
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(200) => f.write_str("answers"),
            Self::Status(status) => write!(f, "answers with status {status}"),
            Self::Silence(reason) => write!(f, "does not answer: {reason}"),
        }
    }
}

/// Looking at the galaxy from outside.
#[async_trait]
pub trait Web: Send + Sync {
    /// One GET, without following redirects.
    async fn get(&self, url: &str) -> Answer;
}

/// Time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Waits.
    async fn sleep(&self, time: Duration);
    /// How long this clock has been running.
    fn elapsed(&self) -> Duration;
    /// Seconds since 1970.
    fn now(&self) -> u64;
}
