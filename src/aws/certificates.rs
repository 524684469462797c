//! Certificates of AWS Certificate Manager, known by the galaxy's tag.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_wire::{ACM, Call, Client};
use galaxy_mail::name::Domain;
use serde::Deserialize;
use serde_json::json;

use super::error::{code, translate};
use crate::failure::Failure;
use crate::model::{Certificate, CertificateState, GalaxyName, ID_TAG, Place, TAG, Tags};
use crate::ports::Certificates;

/// The key of ours. Small, quick, and both `CloudFront` and the gateway take it.
const KEY: &str = "EC_prime256v1";

/// The clients, one for each Region.
pub(super) struct CertificateManager {
    home: Client,
    edge: Client,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Listed {
    certificate_summary_list: Vec<Summary>,
    next_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Summary {
    certificate_arn: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Tagged {
    tags: Vec<Tag>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Tag {
    key: String,
    value: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Described {
    certificate: Option<Detail>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Detail {
    certificate_arn: Option<String>,
    domain_name: Option<String>,
    status: Option<String>,
    failure_reason: Option<String>,
    revocation_reason: Option<String>,
    domain_validation_options: Vec<Validation>,
    /// In seconds since 1970, as the next one.
    created_at: Option<f64>,
    not_after: Option<f64>,
    in_use_by: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Validation {
    resource_record: Option<Record>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Record {
    name: String,
    value: String,
}

impl CertificateManager {
    pub(super) fn new(home: &SdkConfig, edge: &SdkConfig) -> Self {
        Self { home: Client::new(&ACM, home), edge: Client::new(&ACM, edge) }
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
        let asked = json!({"CertificateArn": arn});
        let call = Call::json("ListTagsForCertificate", asked.clone());
        let tags = match client.ask::<Tagged>(call).await {
            Ok(answer) => answer.tags,
            Err(error) if code(&error) == Some(MISSING) => return Ok(None),
            Err(error) => return Err(translate(failed, None, &error)),
        };
        let is_ours = |tag: &Tag| tag.key == TAG && tag.value.as_deref() == Some(galaxy.as_str());
        if !tags.iter().any(is_ours) {
            return Ok(None);
        }
        match client.ask::<Described>(Call::json("DescribeCertificate", asked)).await {
            Ok(answer) => {
                let id = tags.into_iter().find(|tag| tag.key == ID_TAG);
                let mark = id.and_then(|tag| tag.value);
                let found = answer.certificate.as_ref().and_then(read);
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
        let mut asked = json!({"Includes": {"keyTypes": [KEY]}, "MaxItems": 1000});
        loop {
            let page = self.at(place).ask::<Listed>(Call::json("ListCertificates", asked.clone()));
            let page = page.await.map_err(|error| translate(failed, None, &error))?;
            for arn in page.certificate_summary_list.into_iter().filter_map(|s| s.certificate_arn) {
                ours.extend(self.look(place, &arn, galaxy).await?);
            }
            match page.next_token.filter(|token| !token.is_empty()) {
                Some(token) => asked["NextToken"] = token.into(),
                None => return Ok(ours),
            }
        }
    }

    async fn request(
        &self,
        place: Place,
        tags: &Tags,
        domain: &Domain,
        token: &str,
    ) -> Result<(), Failure> {
        let doing = format!("asking for a certificate for {domain}");
        let tag = |(key, value): (&String, &String)| json!({"Key": key, "Value": value});
        let asked = json!({
            "DomainName": domain.as_str(),
            "ValidationMethod": "DNS",
            "KeyAlgorithm": KEY,
            "IdempotencyToken": token,
            "Tags": tags.iter().map(tag).collect::<Vec<_>>(),
        });
        let answer = self.at(place).tell(Call::json("RequestCertificate", asked)).await;
        answer.map_err(|error| translate(&doing, None, &error))
    }

    async fn remove(&self, place: Place, arn: &str) -> Result<bool, Failure> {
        let asked = json!({"CertificateArn": arn});
        match self.at(place).tell(Call::json("DeleteCertificate", asked)).await {
            Ok(()) => Ok(true),
            Err(error) => match code(&error) {
                Some(MISSING) => Ok(true),
                Some("ResourceInUseException") => Ok(false),
                _ => Err(translate("removing a certificate", None, &error)),
            },
        }
    }
}

/// Our name for its use; nothing where Amazon does not say.
fn read(detail: &Detail) -> Option<Certificate> {
    let mut proofs = detail.domain_validation_options.iter();
    let proof = proofs.find_map(|one| one.resource_record.as_ref());
    let proof = proof
        .and_then(|one| Some((Domain::parse(&one.name).ok()?, Domain::parse(&one.value).ok()?)));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
    let seconds = |at: Option<f64>| at.filter(|at| *at >= 0.0).map(|at| at as u64);
    Some(Certificate {
        arn: detail.certificate_arn.clone()?,
        domain: Domain::parse(detail.domain_name.as_deref()?).ok()?,
        state: state(detail),
        proof,
        asked: seconds(detail.created_at),
        ends: seconds(detail.not_after),
        in_use: !detail.in_use_by.is_empty(),
        mark: None,
    })
}

fn state(detail: &Detail) -> CertificateState {
    match detail.status.as_deref() {
        Some("PENDING_VALIDATION") | None => CertificateState::Waiting,
        Some("ISSUED") => CertificateState::Issued,
        Some("FAILED") => {
            let reason = detail.failure_reason.as_deref().unwrap_or("FAILED");
            CertificateState::Failed(why(reason))
        }
        Some("VALIDATION_TIMED_OUT") => {
            CertificateState::Failed("its record was not there for 72 hours".into())
        }
        Some("EXPIRED") => CertificateState::Over("it has expired".into()),
        Some("REVOKED") => {
            let reason = detail.revocation_reason.as_deref().unwrap_or_default();
            CertificateState::Over(format!("Amazon has revoked it {reason}").trim().to_owned())
        }
        Some(other) => CertificateState::Other(other.to_owned()),
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
