//! Certificates. The duckling says which one is current: a climb writes the new one and the
//! duckling, and leaves the old one as it is.

use beak_core::Result;
use beak_core::certificate::{CertStatus, Certificate};
use beak_core::duckling::Duckling;
use beak_core::id::{CertId, DucklingId};

use super::DynamoStore;
use super::item::{Item, attributes, text};
use crate::failure::failed;

/// What a certificate that was never taken back is worth beside its duckling as it is now.
fn standing(certificate: Certificate, duckling: Option<&Duckling>) -> Certificate {
    let status = match (certificate.status, duckling) {
        (CertStatus::Valid, None) => CertStatus::Revoked,
        (CertStatus::Valid, Some(duckling)) if duckling.cert_id != certificate.id => {
            CertStatus::Superseded
        }
        (kept, _) => kept,
    };
    Certificate { status, ..certificate }
}

impl DynamoStore {
    pub(super) async fn read_certificate(&self, id: &CertId) -> Result<Option<Certificate>> {
        let item = self.get("certs", attributes([("cert_id", text(id.as_str()))])).await?;
        let Some(item) = item else { return Ok(None) };
        let certificate = Item(&item).certificate()?;
        if certificate.status != CertStatus::Valid {
            return Ok(Some(certificate));
        }
        // Behind the certificate: the transaction that wrote it is in what is read now.
        let duckling = self.duckling_named(certificate.duckling_id.as_str()).await?;
        Ok(Some(standing(certificate, duckling.as_ref())))
    }

    pub(super) async fn list_certificates(&self, id: &DucklingId) -> Result<Vec<Certificate>> {
        let asked = self
            .client
            .query()
            .table_name(self.table("certs"))
            .index_name("by_duckling")
            .key_condition_expression("duckling_id = :id")
            .expression_attribute_values(":id", text(id.as_str()));
        let answer = asked.send().await.map_err(|error| failed("listing certificates", &error))?;
        let certificates = answer.items().iter().map(|item| Item(item).certificate());
        let certificates = certificates.collect::<Result<Vec<_>>>()?;
        let duckling = self.duckling_named(id.as_str()).await?;
        let standing = |certificate| standing(certificate, duckling.as_ref());
        Ok(certificates.into_iter().map(standing).collect())
    }
}
