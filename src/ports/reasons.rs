//! Why `CloudFormation` did not do something.

use std::fmt;

/// Who said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The service behind a resource.
    Resource,
    /// `CloudFormation`, before it changed anything.
    Validation,
    /// A hook of the account or its organisation.
    Hook,
    /// `CloudFormation`, about the stack as a whole.
    Stack,
}

/// Why an operation on a stack failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Who said no.
    pub origin: Origin,
    /// Logical id; empty where no single resource is to blame.
    pub resource: String,
    /// Resource type; empty where no single resource is to blame.
    pub kind: String,
    /// What AWS said.
    pub text: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.resource.as_str(), self.kind.as_str()) {
            ("", _) => f.write_str(&self.text),
            (resource, "") => write!(f, "{resource}: {}", self.text),
            (resource, kind) => write!(f, "{resource} ({kind}): {}", self.text),
        }
    }
}
