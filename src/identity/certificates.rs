//! Certificates behind the guard.

use async_trait::async_trait;
use galaxy_mail::name::Domain;

use super::guard::stranger;
use super::{Doubt, Guard, Mark, Thing};
use crate::failure::Failure;
use crate::model::{Certificate, GalaxyName, ID_TAG, Place, TAG, Tags};
use crate::ports::Certificates;

#[async_trait]
impl Certificates for Guard {
    async fn ours(&self, place: Place, galaxy: &GalaxyName) -> Result<Vec<Certificate>, Failure> {
        let mut found = self.raw.certificates.ours(place, galaxy).await?;
        // Without a record, the tag alone lets a certificate be seen; no effect goes by that.
        let Some(record) = self.record().await? else { return Ok(found) };
        found.retain(|one| {
            let held = record.held(&Thing::Certificate(place, one.domain.to_string()));
            held.is_some_and(|held| match (&one.mark, held.mark) {
                (Some(id), _) => *id == record.id,
                (None, mark) => mark == Mark::Install,
            })
        });
        let arns = found.iter().map(|one| one.arn.clone());
        self.state.lock().await.certificates.extend(arns);
        Ok(found)
    }

    async fn request(
        &self,
        place: Place,
        tags: &Tags,
        domain: &Domain,
        token: &str,
    ) -> Result<(), Failure> {
        // On record before it exists: its domain is its id there, since AWS draws the ARN.
        let thing = Thing::Certificate(place, domain.to_string());
        let record = self.required().await?;
        let mark = record.held(&thing).map(|held| held.mark).unwrap_or_default();
        self.change(|record| record.hold(&thing, domain.to_string(), mark)).await?;
        let mut tags = tags.clone();
        tags.insert(TAG.to_owned(), self.subject.galaxy.to_string());
        tags.insert(ID_TAG.to_owned(), record.id);
        self.raw.certificates.request(place, &tags, domain, token).await
    }

    async fn remove(&self, place: Place, arn: &str) -> Result<bool, Failure> {
        self.required().await?;
        if !self.state.lock().await.certificates.contains(arn) {
            self.ours(place, &self.subject.galaxy).await?;
        }
        if !self.state.lock().await.certificates.contains(arn) {
            return Err(stranger(&format!("the certificate `{arn}`"), &Doubt::Unknown));
        }
        self.raw.certificates.remove(place, arn).await
    }
}
