//! What an account has to be asked before an installation begins.

use async_trait::async_trait;

use crate::failure::Failure;
use crate::model::Place;

/// Something that goes by a name which only one can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A log group.
    LogGroup,
    /// Where logs of the edge come from.
    DeliverySource,
    /// Where logs of the edge go to.
    DeliveryDestination,
    /// A configuration set of mail.
    ConfigurationSet,
    /// Another name of a key.
    KeyAlias,
    /// A function at the edge.
    EdgeFunction,
    /// How a distribution gets at its bucket.
    OriginAccess,
    /// A policy of response headers.
    HeadersPolicy,
    /// A Lambda function.
    Function,
    /// A managed policy of the account.
    ManagedPolicy,
    /// A domain that a distribution answers for.
    Alias,
}

/// A number that an account may not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quota {
    /// Stacks in a Region.
    Stacks(Place),
    /// Distributions.
    Distributions,
    /// Policies of response headers.
    HeadersPolicies,
    /// Invocations of functions at the same time.
    Concurrency,
    /// Calls a second to all APIs of API Gateway in the home Region.
    GatewayRate,
}

/// How much of a quota there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// What is taken.
    pub used: u64,
    /// What there may be; nothing where the account does not let us know.
    pub limit: Option<u64>,
}

/// Actions that the caller is to have, on things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The actions.
    pub actions: Vec<&'static str>,
    /// ARNs.
    pub resources: Vec<String>,
    /// Keys of conditions with their values, as they will be.
    pub conditions: Vec<(&'static str, Vec<String>)>,
}

/// An action that the caller does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denied {
    /// The action.
    pub action: String,
    /// On what.
    pub resource: String,
    /// Whether somebody forbids it in so many words, so that allowing it would not help.
    pub forbidden: bool,
}

/// Looking at an account before anything is done in it.
#[async_trait]
pub trait Preflight: Send + Sync {
    /// Who we are.
    fn caller(&self) -> String;
    /// When the credentials lapse, in seconds since 1970; nothing where they don't.
    async fn lapse(&self) -> Result<Option<u64>, Failure>;
    /// By how many seconds this machine's clock is ahead of AWS's.
    async fn clock_ahead(&self) -> Result<i64, Failure>;
    /// Which of these actions the caller does not have.
    async fn denied(&self, wishes: &[Wish]) -> Result<Vec<Denied>, Failure>;
    /// Whether a name is taken.
    async fn is_taken(&self, place: Place, thing: Thing, name: &str) -> Result<bool, Failure>;
    /// How much of a quota is taken.
    async fn usage(&self, quota: Quota) -> Result<Usage, Failure>;
}
