//! Zones that the account keeps, and the records in them.

use async_trait::async_trait;
use galaxy_mail::name::Domain;

use crate::failure::Failure;
use crate::model::{HostedZone, RecordSet};

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// All of it was made.
    Done,
    /// Nothing was, since the zone is not as the caller thinks; and why.
    Refused(String),
    /// Nothing was, since the caller may not; and why.
    Forbidden(String),
}

/// Route 53.
#[async_trait]
pub trait Zones: Send + Sync {
    /// The public zones that contain one of these names. Several may have the same name.
    async fn holding(&self, names: &[Domain]) -> Result<Vec<HostedZone>, Failure>;
    /// All records of a zone; nothing where there is no such zone any more.
    async fn sets(&self, zone: &str) -> Result<Option<Vec<RecordSet>>, Failure>;
    /// Takes records away, just as they are named here, and makes others where there are none:
    /// all of it, or nothing.
    async fn change(
        &self,
        zone: &str,
        away: &[RecordSet],
        new: &[RecordSet],
    ) -> Result<Changed, Failure>;
}
