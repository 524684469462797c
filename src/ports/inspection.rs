//! What is added beside the stacks' templates, where `CloudFormation`'s comparison does not look.

use async_trait::async_trait;

use crate::failure::Failure;
use crate::model::Place;

/// Something added beside a template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extra {
    /// A managed policy that is attached to a role.
    Attached {
        /// The role's name.
        role: String,
        /// The policy's ARN.
        arn: String,
    },
    /// A policy that is written into a role.
    Inlined {
        /// The role's name.
        role: String,
        /// The policy's name.
        name: String,
    },
    /// A part of the calls goes to other versions than the alias names.
    Weights {
        /// The function's name.
        function: String,
        /// The versions with their parts.
        to: String,
    },
    /// A statement of the function's resource policy.
    Permission {
        /// The function's name.
        function: String,
        /// The alias that it is about; nothing for the function itself.
        qualifier: Option<String>,
        /// The statement's id.
        id: String,
        /// Who may call.
        who: String,
    },
    /// A URL of the function's own.
    Url {
        /// The function's name.
        function: String,
        /// The alias that it is about; nothing for the function itself.
        qualifier: Option<String>,
        /// How callers are known: `NONE` is everyone.
        auth: String,
    },
    /// A limit of how many calls are answered at once.
    Concurrency {
        /// The function's name.
        function: String,
        /// The limit.
        limit: i32,
    },
    /// A client of the user pool.
    Client {
        /// The pool's id.
        pool: String,
        /// The client's id.
        id: String,
        /// The client's name.
        name: String,
    },
    /// Rules that let other origins read a bucket.
    Cors {
        /// The bucket's Region.
        place: Place,
        /// The bucket's name.
        bucket: String,
    },
}

/// Looks at roles, function, user pool and buckets, and takes away what was added. Everything that
/// is there is listed, what the templates made included: the caller knows what is the galaxy's.
#[async_trait]
pub trait Inspection: Send + Sync {
    /// The policies of a role, attached and inlined.
    async fn role(&self, role: &str) -> Result<Vec<Extra>, Failure>;
    /// Weights, permissions, URLs and the limit of a function and its alias.
    async fn function(&self, function: &str) -> Result<Vec<Extra>, Failure>;
    /// The clients of a user pool.
    async fn clients(&self, pool: &str) -> Result<Vec<Extra>, Failure>;
    /// The rules of a bucket for other origins, where it has any.
    async fn cors(&self, place: Place, bucket: &str) -> Result<Option<Extra>, Failure>;
    /// Removes it; succeeds where it no longer exists.
    async fn remove(&self, extra: &Extra) -> Result<(), Failure>;
}
