//! Certificates of AWS Certificate Manager, known by the galaxy's tag.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_acm::Client;
use aws_sdk_acm::types::{
    CertificateDetail, CertificateStatus, Filters, KeyAlgorithm, Tag, ValidationMethod,
};
use galaxy_mail::name::Domain;

use super::error::{code, translate};
use crate::failure::Failure;
use crate::model::{Certificate, CertificateState, GalaxyName, ID_TAG, Place, TAG, Tags};
use crate::ports::Certificates;

/// The key of ours. Small, quick, and both `CloudFront` and the gateway take it.
const KEY: KeyAlgorithm = KeyAlgorithm::EcPrime256v1;

/// The SDK's clients, one for each Region.
pub(super) struct CertificateManager {
    home: Client,
    edge: Client,
}

impl CertificateManager {
    pub(super) fn new(home: &SdkConfig, edge: &SdkConfig) -> Self {
        Self { home: Client::new(home), edge: Client::new(edge) }
    }

    fn at(&self, place: Place) -> &Client {
        match place {
            Place::Home => &self.home,
            Place::Edge => &self.edge,
        }
    }

    /// One certificate, if it carries the galaxy's tag. What vanished meanwhile is none.
    async fn look(
        &self,
        place: Place,
        arn: &str,
        galaxy: &GalaxyName,
    ) -> Result<Option<Certificate>, Failure> {
        let client = self.at(place);
        let failed = "looking at a certificate";
        let tags = match client.list_tags_for_certificate().certificate_arn(arn).send().await {
            Ok(answer) => answer.tags.unwrap_or_default(),
            Err(error) if code(&error) == Some(MISSING) => return Ok(None),
            Err(error) => return Err(translate(failed, None, &error)),
        };
        let is_ours = |tag: &Tag| tag.key() == TAG && tag.value() == Some(galaxy.as_str());
        if !tags.iter().any(is_ours) {
            return Ok(None);
        }
        match client.describe_certificate().certificate_arn(arn).send().await {
            Ok(answer) => {
                let id = tags.iter().find(|tag| tag.key() == ID_TAG);
                let mark = id.and_then(Tag::value).map(str::to_owned);
                let found = answer.certificate().and_then(read);
                Ok(found.map(|found| Certificate { mark, ..found }))
            }
            Err(error) if code(&error) == Some(MISSING) => Ok(None),
            Err(error) => Err(translate(failed, None, &error)),
        }
    }
}

const MISSING: &str = "ResourceNotFoundException";

#[async_trait]
impl Certificates for CertificateManager {
    async fn ours(&self, place: Place, galaxy: &GalaxyName) -> Result<Vec<Certificate>, Failure> {
        let failed = "listing the certificates";
        let mut ours = Vec::new();
        // Without a filter only those with RSA keys are listed.
        let filter = Filters::builder().key_types(KEY).build();
        let list = self.at(place).list_certificates().includes(filter).max_items(1000);
        let mut pages = list.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| translate(failed, None, &error))?;
            for one in page.certificate_summary_list() {
                if let Some(arn) = one.certificate_arn() {
                    ours.extend(self.look(place, arn, galaxy).await?);
                }
            }
        }
        Ok(ours)
    }

    async fn request(
        &self,
        place: Place,
        tags: &Tags,
        domain: &Domain,
        token: &str,
    ) -> Result<(), Failure> {
        let doing = format!("asking for a certificate for {domain}");
        let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
        let tags: Result<Vec<Tag>, _> = tags.iter().map(tag).collect();
        let tags = tags.map_err(|error| Failure::bug(error.to_string()))?;
        let ask = self
            .at(place)
            .request_certificate()
            .domain_name(domain.as_str())
            .validation_method(ValidationMethod::Dns)
            .key_algorithm(KEY)
            .idempotency_token(token)
            .set_tags(Some(tags));
        ask.send().await.map(|_| ()).map_err(|error| translate(&doing, None, &error))
    }

    async fn remove(&self, place: Place, arn: &str) -> Result<bool, Failure> {
        match self.at(place).delete_certificate().certificate_arn(arn).send().await {
            Ok(_) => Ok(true),
            Err(error) => match code(&error) {
                Some(MISSING) => Ok(true),
                Some("ResourceInUseException") => Ok(false),
                _ => Err(translate("removing a certificate", None, &error)),
            },
        }
    }
}

/// Our name for its use; nothing where Amazon does not say.
fn read(detail: &CertificateDetail) -> Option<Certificate> {
    let proof = detail.domain_validation_options().iter().find_map(|one| one.resource_record());
    let proof = proof
        .and_then(|one| Some((Domain::parse(&one.name).ok()?, Domain::parse(&one.value).ok()?)));
    let seconds =
        |at: Option<&aws_smithy_types::DateTime>| at.and_then(|at| u64::try_from(at.secs()).ok());
    Some(Certificate {
        arn: detail.certificate_arn()?.to_owned(),
        domain: Domain::parse(detail.domain_name()?).ok()?,
        state: state(detail),
        proof,
        asked: seconds(detail.created_at()),
        ends: seconds(detail.not_after()),
        in_use: !detail.in_use_by().is_empty(),
        mark: None,
    })
}

fn state(detail: &CertificateDetail) -> CertificateState {
    match detail.status() {
        Some(CertificateStatus::PendingValidation) | None => CertificateState::Waiting,
        Some(CertificateStatus::Issued) => CertificateState::Issued,
        Some(CertificateStatus::Failed) => {
            let reason = detail.failure_reason().map_or("FAILED", |reason| reason.as_str());
            CertificateState::Failed(why(reason))
        }
        Some(CertificateStatus::ValidationTimedOut) => {
            CertificateState::Failed("its record was not there for 72 hours".into())
        }
        Some(CertificateStatus::Expired) => CertificateState::Over("it has expired".into()),
        Some(CertificateStatus::Revoked) => {
            let reason = detail.revocation_reason().map_or("", |reason| reason.as_str());
            CertificateState::Over(format!("Amazon has revoked it {reason}").trim().to_owned())
        }
        Some(other) => CertificateState::Other(other.as_str().to_owned()),
    }
}

/// Why Amazon issues none, in words.
/// Source: "Certificate request fails", AWS Certificate Manager User Guide.
fn why(reason: &str) -> String {
    let words = match reason {
        "CAA_ERROR" => {
            "a CAA record of the domain, or of one above it, does not let amazon.com issue"
        }
        "DOMAIN_NOT_ALLOWED" => {
            "a list of unsafe names has the domain; ask Google Safe Browsing to take it off"
        }
        "INVALID_PUBLIC_DOMAIN" => "the domain is not a public one",
        "ADDITIONAL_VERIFICATION_REQUIRED" => {
            "Amazon wants to know more of a well-known name: open a case in the Support Center"
        }
        "DOMAIN_VALIDATION_DENIED" => "the domain could not be proved",
        "NO_AVAILABLE_CONTACTS" => "Amazon found no address to ask",
        "PCA_LIMIT_EXCEEDED" => "an account limit on certificates is reached",
        other => return format!("Amazon says {other}"),
    };
    format!("{words} ({reason})")
}

#[cfg(test)]
mod tests;
