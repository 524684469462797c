//! The door to what visitors get.

use async_trait::async_trait;

use crate::failure::Failure;

/// The switch to another release of a site, when all of its files are uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Another one each time.
    pub reference: String,
    /// Paths below the site's root that were cached for long and have changed or are gone; a star
    /// at the end matches everything with that prefix.
    pub paths: Vec<String>,
}

/// What visitors get of a site. The adapter decides what makes a release visible: files in place,
/// whose old versions the edge invalidates, or a pointer that is moved.
#[async_trait]
pub trait Delivery: Send + Sync {
    /// Whether every edge location has a distribution's latest configuration.
    async fn deployed(&self, distribution: &str) -> Result<bool, Failure>;
    /// Makes what was put into the bucket last what everybody sees.
    async fn turn(&self, distribution: &str, turn: &Turn) -> Result<(), Failure>;
}
