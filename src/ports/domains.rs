//! Certificates for domains.

use async_trait::async_trait;
use galaxy_mail::name::Domain;

use crate::failure::Failure;
use crate::model::{Certificate, GalaxyName, Place, Tags};

/// AWS Certificate Manager in both Regions.
#[async_trait]
pub trait Certificates: Send + Sync {
    /// The certificates that carry the galaxy's tag.
    async fn ours(&self, place: Place, galaxy: &GalaxyName) -> Result<Vec<Certificate>, Failure>;
    /// Asks for one with these tags, to be proved by a record. The same question with the same
    /// `token`, asked twice, gives one certificate.
    async fn request(
        &self,
        place: Place,
        tags: &Tags,
        domain: &Domain,
        token: &str,
    ) -> Result<(), Failure>;
    /// Removes one; fine where there is none. `false` where something still works with it.
    async fn remove(&self, place: Place, arn: &str) -> Result<bool, Failure>;
}
