//! The subject of a finding. Repairs match on it; its text is for people and for JSON only.

use std::fmt;

use galaxy_sites::Site;

use crate::model::{Front, Part, Stack};
use crate::ports::Extra;

/// The subject of a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A whole stack.
    Stack(Stack),
    /// A resource of a stack, by its logical id.
    Resource {
        /// The stack.
        stack: Stack,
        /// The logical id.
        id: String,
    },
    /// The version of the function that callers get.
    Function,
    /// The bucket of a site.
    SiteBucket(Site),
    /// A file of a site.
    Page {
        /// The site.
        site: Site,
        /// Its path, which is its key in the bucket.
        path: String,
    },
    /// The artifact bucket.
    ArtifactBucket,
    /// An object of the artifact bucket, by its key.
    Artifact(String),
    /// The parameter with the hosts on which captchas count, by its path.
    Hostnames(String),
    /// The parameter with Turnstile's secret, by its path.
    TurnstileSecret(String),
    /// Something added beside a template.
    Extra {
        /// The stack.
        stack: Stack,
        /// The logical id of the resource that it was added to.
        id: String,
        /// What was added.
        extra: Extra,
    },
    /// A tagged resource that no stack of the galaxy made, by its ARN.
    Stray(String),
    /// A domain and its certificate.
    Domain(Front),
    /// A record that leads a domain here, by its name.
    DomainRecord(String),
    /// A record that this galaxy made in Route 53.
    ZoneRecord {
        /// Its purpose.
        part: Part,
        /// Name and type.
        key: String,
    },
    /// The account's mail.
    Mail,
    /// An item of the mail checklist, by its id.
    MailItem(String),
    /// A part of the look that could not be done.
    Look(Area),
}

/// A part of the look, which can fail by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// The resources of a stack.
    Resources(Stack),
    /// What was added beside a stack's template.
    Additions(Stack),
    /// Everything with the galaxy's tag.
    Tagged,
    /// The function.
    Function,
    /// The files of a site.
    Pages(Site),
    /// The objects of the artifact bucket.
    Artifacts,
    /// The parameters.
    Parameters,
    /// Records in Route 53.
    Records,
    /// Domains and their certificates.
    Domains,
    /// Mail.
    Mail,
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resources(stack) => write!(f, "stack {stack}"),
            Self::Additions(stack) => write!(f, "additions to {stack}"),
            Self::Tagged => f.write_str("tagged resources"),
            Self::Function => f.write_str("function"),
            Self::Pages(site) => write!(f, "pages of {}", site.name()),
            Self::Artifacts => f.write_str("artifacts"),
            Self::Parameters => f.write_str("parameters"),
            Self::Records => f.write_str("records"),
            Self::Domains => f.write_str("domains"),
            Self::Mail => f.write_str("mail"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stack(stack) => write!(f, "{stack}"),
            Self::Resource { stack, id } => write!(f, "{stack}.{id}"),
            Self::Function => f.write_str("function"),
            Self::SiteBucket(site) => f.write_str(site.name()),
            Self::Page { site, path } => write!(f, "{}/{path}", site.name()),
            Self::ArtifactBucket => f.write_str("artifacts"),
            Self::Artifact(key) => write!(f, "artifacts/{key}"),
            Self::Hostnames(path) | Self::TurnstileSecret(path) => f.write_str(path),
            Self::Extra { stack, id, extra } => {
                write!(f, "{stack}.{id}/")?;
                added(f, extra)
            }
            Self::Stray(arn) => f.write_str(arn),
            Self::Domain(front) => write!(f, "domains/{front}"),
            Self::DomainRecord(name) => write!(f, "record/{name}"),
            Self::ZoneRecord { part, key } => write!(f, "records/{part}/{key}"),
            Self::Mail => f.write_str("mail"),
            Self::MailItem(id) => write!(f, "mail/{id}"),
            Self::Look(area) => write!(f, "look/{area}"),
        }
    }
}

fn added(f: &mut fmt::Formatter<'_>, extra: &Extra) -> fmt::Result {
    match extra {
        Extra::Attached { arn, .. } => write!(f, "attached/{arn}"),
        Extra::Inlined { name, .. } => write!(f, "inline/{name}"),
        Extra::Weights { .. } => f.write_str("weights"),
        Extra::Permission { qualifier: None, id, .. } => write!(f, "permission/{id}"),
        Extra::Permission { qualifier: Some(alias), id, .. } => {
            write!(f, "permission/{alias}/{id}")
        }
        Extra::Url { qualifier: None, .. } => f.write_str("url"),
        Extra::Url { qualifier: Some(alias), .. } => write!(f, "url/{alias}"),
        Extra::Concurrency { .. } => f.write_str("concurrency"),
        Extra::Client { id, .. } => write!(f, "client/{id}"),
        Extra::Cors { .. } => f.write_str("cors"),
    }
}

impl Subject {
    /// Whether an item that a person typed names this: the item itself, or what contains it.
    #[must_use]
    pub fn is_named(&self, item: &str) -> bool {
        let text = self.to_string();
        let below = |mark: char| text.strip_prefix(item).is_some_and(|rest| rest.starts_with(mark));
        text == item || below('/') || below('.')
    }
}
