//! What `verify` looks at beyond what the other ports show.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::Denied;
use crate::failure::Failure;
use crate::model::Place;

/// A status that a resource of a stack had, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lapse {
    /// Logical id; the stack's own name for the stack itself.
    pub resource: String,
    /// Resource type.
    pub kind: String,
    /// Status code.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// Seconds since 1970.
    pub at: u64,
}

/// Actions that a role is to have, on these ARNs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// The actions, without wildcards.
    pub actions: Vec<String>,
    /// ARNs, with `*` where not everything is known.
    pub resources: Vec<String>,
}

/// A response from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebPage {
    /// HTTP status.
    pub status: u16,
    /// Header fields; their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body, if it is text; its first 256 KiB.
    pub text: String,
}

/// Looking at an installed galaxy without changing anything.
#[async_trait]
pub trait Evidence: Send + Sync {
    /// Every event of a stack that `CloudFormation` still keeps, oldest first.
    async fn history(&self, place: Place, stack: &str) -> Result<Vec<Lapse>, Failure>;
    /// Which of these actions a role does not have.
    async fn denied_to(&self, role: &str, rights: &[Right]) -> Result<Vec<Denied>, Failure>;
    /// A role's trust policy as JSON; nothing if there is no such role.
    async fn trust(&self, role: &str) -> Result<Option<String>, Failure>;
    /// One GET, without following redirects; or why there is no response.
    async fn page(&self, url: &str) -> Result<WebPage, String>;
}
