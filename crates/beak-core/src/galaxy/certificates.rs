//! Looking at certificates and judging them.

use super::Galaxy;
use crate::certificate::{CertStatus, Certificate, Claims};
use crate::duckling::Duckling;
use crate::error::{BeakError, Result};
use crate::id::CertId;
use crate::ports::PublicKey;

/// What this galaxy says about a certificate.
pub struct Opinion {
    /// Whether to trust it.
    pub verdict: Verdict,
    /// What it claims, if the signature is ours.
    pub claims: Option<Claims>,
}

/// Whether a certificate is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Signed here and current.
    Valid,
    /// Not signed here, or changed since.
    NotOurs,
    /// Signed here, but this is what it is worth now.
    Was(CertStatus),
}

impl Galaxy {
    /// The public signing keys.
    pub async fn keys(&self) -> Result<Vec<PublicKey>> {
        self.ports.authority.keys().await
    }

    /// This galaxy's address, then those of galaxies whose data an import brought here. What any of
    /// them issued is this galaxy's own.
    pub async fn issuers(&self) -> Result<Vec<String>> {
        let own = &self.settings.issuer;
        let mut issuers = vec![own.clone()];
        let former = self.ports.store.former_issuers().await?;
        issuers.extend(former.into_iter().filter(|issuer| issuer != own));
        Ok(issuers)
    }

    /// A certificate by its id.
    pub async fn certificate(&self, id: &CertId) -> Result<Certificate> {
        let found = self.ports.store.certificate(id).await?;
        found.ok_or(BeakError::NotFound("such certificate"))
    }

    /// A duckling's current certificate.
    pub async fn certificate_of(&self, duckling: &Duckling) -> Result<Certificate> {
        self.certificate(&duckling.cert_id).await
    }

    /// Judges a certificate: signature, then what has become of it.
    pub async fn judge(&self, compact: &str) -> Result<Opinion> {
        let Some(claims) = self.ports.authority.read(compact).await? else {
            return Ok(Opinion { verdict: Verdict::NotOurs, claims: None });
        };
        let kept = self.ports.store.certificate(&claims.cert_id).await?;
        let verdict = match kept.map(|certificate| certificate.status) {
            Some(CertStatus::Valid) => Verdict::Valid,
            Some(other) => Verdict::Was(other),
            // Signed, but the transaction that was to keep it never came about.
            None => Verdict::Was(CertStatus::Revoked),
        };
        Ok(Opinion { verdict, claims: Some(claims) })
    }
}
