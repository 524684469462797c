//! The nouns that cross a boundary. Each has one door: a value in hand is a valid one.

use std::collections::BTreeMap;
use std::fmt;

use galaxy_sites::Site;
use serde::Serialize;

mod front;
mod zone;

pub use front::{Certificate, CertificateState, Front};
pub use zone::{HostedZone, Part, RecordSet, Says};

/// The tag that all things of a galaxy carry; its value is the galaxy's name.
pub const TAG: &str = "spaceduck:install";

/// The tag whose value is the galaxy's id, on every stack and on what takes its stack's tags.
pub const ID_TAG: &str = "spaceduck:id";

/// The tag by which `CloudFormation` itself names the stack that made a resource. Its prefix is
/// reserved: only AWS writes it.
/// Source: "Resource tag", AWS `CloudFormation` User Guide.
pub const STACK_TAG: &str = "aws:cloudformation:stack-id";

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Says what is wrong with a word that was given for one of these nouns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

/// Prefixes that no physical name may have, with their source. A galaxy's name is the prefix of
/// buckets, parameters, roles and more.
/// Sources: "Creating Systems Manager parameters", AWS Systems Manager User Guide; "General purpose
/// bucket naming rules", Amazon S3 User Guide.
const RESERVED: [(&str, &str); 5] = [
    ("aws", "Systems Manager"),
    ("ssm", "Systems Manager"),
    ("xn--", "Amazon S3"),
    ("sthree-", "Amazon S3"),
    ("amzn-s3-demo-", "Amazon S3"),
];

/// Starts of Regions in partitions other than `aws`. Source: `partitions.json` of the AWS SDKs.
const OTHER_PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
];

/// The name of a galaxy; it starts every physical name in the account.
///
/// 3 to 20 characters, lower-case letters, digits and hyphens: the longest bucket name, with
/// site, account and Region behind it, has to stay within the 63 characters that S3 allows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct GalaxyName(String);

impl GalaxyName {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if let Some((start, owner)) = RESERVED.iter().find(|(start, _)| text.starts_with(start)) {
            return Err(Invalid(format!(
                "`{text}` can't be the name of a galaxy: {owner} reserves names that start with \
                 `{start}`"
            )));
        }
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
        let ends = !text.ends_with('-');
        if (3..=20).contains(&text.len()) && text.chars().all(inner) && starts && ends {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid(format!(
            "`{text}` can't be the name of a galaxy: 3 to 20 lower-case letters, digits and \
             hyphens, starting with a letter and not ending in a hyphen"
        )))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GalaxyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An AWS Region, such as `eu-central-1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Region(String);

impl Region {
    /// Reads a Region code of the partition `aws`. Otherwise only the form is checked: AWS adds
    /// Regions without asking us.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let other = OTHER_PARTITIONS.iter().find(|(start, _)| text.starts_with(start));
        if let Some((_, partition)) = other {
            return Err(Invalid(format!(
                "`{text}` is in the partition {partition}; galaxies live in the partition aws only"
            )));
        }
        let parts: Vec<&str> = text.split('-').collect();
        let number = parts.last().is_some_and(|n| !n.is_empty() && n.parse::<u8>().is_ok());
        let words = parts.len().saturating_sub(1);
        let lower = |w: &&str| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase());
        if number && (2..=3).contains(&words) && parts.iter().take(words).all(lower) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid(format!("`{text}` is not the code of an AWS Region, such as `eu-central-1`")))
    }

    /// The Region of `CloudFront`'s own resources, in the partition that we support.
    #[must_use]
    pub fn edge() -> Self {
        Self("us-east-1".to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The twelve digits of an AWS account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AccountId(String);

impl AccountId {
    /// Reads an account id.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid(format!("`{text}` is not the id of an AWS account")))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The Region of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The Region that the person chose.
    Home,
    /// us-east-1, `CloudFront`'s own.
    Edge,
}

/// One of a galaxy's stacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stack {
    /// Artifact bucket and the role that `CloudFormation` works with.
    Bootstrap,
    /// Tables and the certificate signing key.
    Data,
    /// Cognito user pool.
    Auth,
    /// SES configuration sets, events and alarms.
    Mail,
    /// Lambda function and HTTP API.
    Api,
    /// The API's own domain; only where one is configured and has its certificate.
    ApiDomain,
    /// The distribution with a rate rule in front of the API; only where one is configured.
    ApiShield,
    /// Bucket and distribution of one site.
    Site(Site),
}

impl Stack {
    /// All stacks, in an order in which they could be created one by one.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Bootstrap, Self::Data, Self::Auth, Self::Mail, Self::Api];
        all.extend(Site::ALL.into_iter().map(Self::Site));
        all.extend([Self::ApiDomain, Self::ApiShield]);
        all
    }

    /// The part of the stack's name behind the galaxy's.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Bootstrap => "bootstrap".into(),
            Self::Data => "data".into(),
            Self::Auth => "auth".into(),
            Self::Mail => "mail".into(),
            Self::Api => "api".into(),
            Self::ApiDomain => "api-domain".into(),
            Self::ApiShield => "api-shield".into(),
            Self::Site(site) => format!("site-{}", site.name()),
        }
    }

    /// Whether a galaxy is whole without it.
    #[must_use]
    pub fn is_optional(self) -> bool {
        matches!(self, Self::ApiDomain | Self::ApiShield)
    }

    /// The stack's name in the account.
    #[must_use]
    pub fn name(self, galaxy: &GalaxyName) -> String {
        format!("{galaxy}-{}", self.key())
    }

    /// The Region it lives in.
    #[must_use]
    pub fn place(self) -> Place {
        match self {
            Self::Site(_) | Self::ApiShield => Place::Edge,
            _ => Place::Home,
        }
    }
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key())
    }
}

impl Serialize for Stack {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.key())
    }
}

/// A stack's outputs, by name.
pub type Outputs = BTreeMap<String, String>;

/// The state of a stack, sorted by what can be done with it.
///
/// Source: "Stack status codes", AWS `CloudFormation` User Guide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StackStatus {
    /// Settled and usable; it can be updated.
    Ready,
    /// Something is going on; it settles by itself.
    Moving(String),
    /// Never came to be: it can only be deleted.
    Dead(String),
    /// Its removal failed half-way: it can only be deleted.
    Leaving(String),
    /// Stuck in an update that failed: it can be brought back to what it was before.
    Stuck(String),
    /// Deleted.
    Gone,
    /// A status that this version does not know.
    Other(String),
}

impl StackStatus {
    /// Reads a status code.
    #[must_use]
    pub fn parse(code: &str) -> Self {
        match code {
            "CREATE_COMPLETE"
            | "UPDATE_COMPLETE"
            | "UPDATE_ROLLBACK_COMPLETE"
            | "IMPORT_COMPLETE"
            | "IMPORT_ROLLBACK_COMPLETE" => Self::Ready,
            "DELETE_COMPLETE" => Self::Gone,
            "REVIEW_IN_PROGRESS" | "CREATE_FAILED" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" => {
                Self::Dead(code.to_owned())
            }
            "DELETE_FAILED" => Self::Leaving(code.to_owned()),
            "UPDATE_FAILED" | "UPDATE_ROLLBACK_FAILED" => Self::Stuck(code.to_owned()),
            code if code.ends_with("_IN_PROGRESS") => Self::Moving(code.to_owned()),
            code => Self::Other(code.to_owned()),
        }
    }
}

/// A stack, as read from the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackSeen {
    /// Its ARN: the only name by which a deleted stack can still be asked about.
    pub arn: String,
    /// The code that `CloudFormation` gave.
    pub code: String,
    /// What can be done with it.
    pub status: StackStatus,
    /// Why it is in that status, where `CloudFormation` says.
    pub reason: Option<String>,
    /// When its creation or last update began, in seconds since 1970.
    pub changed: Option<u64>,
    /// Its parameters as they are now.
    pub parameters: BTreeMap<String, String>,
    /// Its outputs as they are now.
    pub outputs: Outputs,
    /// Its tags as they are now.
    pub tags: Tags,
    /// Whether termination protection is on.
    pub protected: bool,
    /// ARN of the role that `CloudFormation` works with, where AWS says.
    pub role: Option<String>,
}

/// A secret: it can be used, and neither shown, logged nor serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text that must not be shown.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for the one call that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{GalaxyName, Region, Secret, StackStatus};

    #[test]
    fn names_of_galaxies() {
        for good in ["duck", "a1b", "my-galaxy-2", "abcdefghijklmnopqrst"] {
            assert!(GalaxyName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "ab", "Duck", "1duck", "duck-", "du_ck", "abcdefghijklmnopqrstu", "dück"] {
            assert!(GalaxyName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn codes_of_regions() {
        for good in ["us-east-1", "eu-central-2", "ap-southeast-5", "eu-north-7"] {
            assert!(Region::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "frankfurt", "us-east", "us-east-1a", "US-EAST-1", "us--1", "a-b-c-d-1"] {
            assert!(Region::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn other_partitions_are_refused_by_name() {
        let others = [
            ("us-gov-west-1", "aws-us-gov"),
            ("cn-north-1", "aws-cn"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-west-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ];
        for (region, partition) in others {
            let said = Region::parse(region).expect_err(region).to_string();
            assert!(said.contains(&format!("partition {partition};")), "{said}");
        }
    }

    #[test]
    fn names_that_aws_reserves_are_refused_with_the_reason() {
        for bad in ["aws", "awsome", "ssm-duck", "xn--duck", "sthree-duck", "amzn-s3-demo-duck"] {
            let said = GalaxyName::parse(bad).expect_err(bad).to_string();
            assert!(said.contains("reserves names"), "{said}");
        }
        for good in ["my-aws", "assm", "sthree", "amzn-duck"] {
            assert!(GalaxyName::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn statuses_are_sorted_by_what_can_be_done() {
        assert_eq!(StackStatus::parse("UPDATE_ROLLBACK_COMPLETE"), StackStatus::Ready);
        assert!(matches!(StackStatus::parse("ROLLBACK_IN_PROGRESS"), StackStatus::Moving(_)));
        assert!(matches!(StackStatus::parse("REVIEW_IN_PROGRESS"), StackStatus::Dead(_)));
        assert!(matches!(StackStatus::parse("ROLLBACK_COMPLETE"), StackStatus::Dead(_)));
        assert!(matches!(StackStatus::parse("UPDATE_ROLLBACK_FAILED"), StackStatus::Stuck(_)));
        assert!(matches!(StackStatus::parse("TOMORROWS_STATUS"), StackStatus::Other(_)));
    }

    #[test]
    fn a_secret_does_not_show() {
        assert_eq!(format!("{:?}", Secret::new("hush".into())), "Secret(…)");
    }
}
