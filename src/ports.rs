//! What the installer needs of the world, in its own words: small doors.
//!
//! The AWS adapters are in `aws/`, an account in memory for tests is in `rehearse.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::failure::Failure;
use crate::model::{Place, Secret, StackSeen};

mod delivery;
mod domains;
mod mail;
mod preflight;
mod records;
mod zones;

pub use delivery::{Delivery, Turn};
pub use domains::Certificates;
pub use mail::{Applied, Dns, Invited, Mail, Play};
pub use preflight::{Denied, Preflight, Quota, Thing, Usage, Wish};
pub use records::{Account, Inventory, LogLine, Logs, Page, Records};
pub use zones::{Changed, Zones};

/// A stack as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Region.
    pub place: Place,
    /// The stack's name.
    pub name: String,
    /// The template's text.
    pub body: String,
    /// A value for every parameter of the template.
    pub parameters: BTreeMap<String, String>,
    /// Tags of the stack; `CloudFormation` passes them on to its resources.
    pub tags: BTreeMap<String, String>,
    /// The role that `CloudFormation` works with; without one it is the caller.
    pub role: Option<String>,
    /// How the account as it is counts.
    pub mode: Mode,
}

/// How the account as it is counts when a stack is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Only the difference between the last template and this one is carried out.
    #[default]
    Plain,
    /// A creation takes over what an earlier installation left behind, by name.
    Adopt,
    /// Resources that somebody has changed are put back, too.
    RevertDrift,
}

/// A resource of a stack, compared with its template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceDrift {
    /// Logical id.
    pub resource: String,
    /// Resource type.
    pub kind: String,
    /// Its name or id in the account.
    pub physical: String,
    /// How it compares.
    pub state: DriftState,
}

/// How a resource compares with its template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriftState {
    /// It is as it should be.
    InSync,
    /// Properties that differ: path, what it should be, what it is.
    Modified(Vec<(String, String, String)>),
    /// It is gone.
    Deleted,
    /// `CloudFormation` did not look.
    NotChecked,
}

/// An update that was worked out and not yet run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSet {
    /// Region.
    pub place: Place,
    /// The stack's name.
    pub stack: String,
    /// The change set's ARN.
    pub arn: String,
    /// What it would do.
    pub changes: Vec<Change>,
}

/// One line of a change set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Logical id.
    pub resource: String,
    /// Resource type.
    pub kind: String,
    /// What would happen to it.
    pub action: ChangeAction,
    /// Why: the properties that differ, or what it depends on.
    pub why: Vec<String>,
}

/// What would happen to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeAction {
    /// It would be created.
    Add,
    /// It would be changed in place.
    Modify,
    /// It would, or might, be replaced by a new one.
    Replace,
    /// It would be removed from the stack.
    Remove,
    /// Anything else.
    Other(String),
}

/// Something that happened to a resource of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackEvent {
    /// The event's own id; ids tell old events from new ones.
    pub id: String,
    /// Logical id.
    pub resource: String,
    /// Resource type.
    pub kind: String,
    /// Status code.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
}

/// Stacks.
#[async_trait]
pub trait Stacks: Send + Sync {
    /// The stack by name or ARN; nothing where there is none.
    async fn find(&self, place: Place, name: &str) -> Result<Option<StackSeen>, Failure>;
    /// The template that a stack has.
    async fn template(&self, place: Place, name: &str) -> Result<String, Failure>;
    /// Starts the creation and gives the ARN.
    async fn create(&self, proposal: &Proposal) -> Result<String, Failure>;
    /// Works out an update; nothing where there is nothing to change.
    async fn propose(&self, proposal: &Proposal) -> Result<Option<ChangeSet>, Failure>;
    /// Starts an update that was worked out.
    async fn apply(&self, change_set: &ChangeSet) -> Result<(), Failure>;
    /// Throws away an update that was worked out.
    async fn discard(&self, change_set: &ChangeSet) -> Result<(), Failure>;
    /// Switches the protection against deletion.
    async fn protect(&self, place: Place, name: &str, on: bool) -> Result<(), Failure>;
    /// Starts to bring a stack back from an update that failed, to what it was before.
    async fn recover(&self, place: Place, seen: &StackSeen) -> Result<(), Failure>;
    /// Compares every resource of a stack with its template.
    async fn drift(&self, place: Place, name: &str) -> Result<Vec<ResourceDrift>, Failure>;
    /// Starts the deletion.
    async fn delete(&self, place: Place, name: &str) -> Result<(), Failure>;
    /// The latest events, newest first; at least the last hundred.
    async fn events(&self, place: Place, name: &str) -> Result<Vec<StackEvent>, Failure>;
}

/// An object to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Key in the bucket.
    pub key: String,
    /// Content.
    pub bytes: Bytes,
    /// `Content-Type`.
    pub content_type: String,
    /// `Cache-Control`.
    pub cache_control: String,
}

/// An object as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectSeen {
    /// SHA-256 of the content, as hex; only where it was stored with one, as ours are.
    pub sha256: Option<String>,
    /// `Content-Type`.
    pub content_type: String,
    /// `Cache-Control`.
    pub cache_control: String,
}

/// Objects in buckets.
#[async_trait]
pub trait Assets: Send + Sync {
    /// Whether there is such a bucket.
    async fn has_bucket(&self, place: Place, bucket: &str) -> Result<bool, Failure>;
    /// Whether there is such an object.
    async fn has(&self, place: Place, bucket: &str, key: &str) -> Result<bool, Failure>;
    /// The content of an object; nothing where there is none, or no such bucket.
    async fn read(&self, place: Place, bucket: &str, key: &str)
    -> Result<Option<Vec<u8>>, Failure>;
    /// Looks at an object without fetching it; nothing where there is none.
    async fn look(
        &self,
        place: Place,
        bucket: &str,
        key: &str,
    ) -> Result<Option<ObjectSeen>, Failure>;
    /// Stores an object.
    async fn write(&self, place: Place, bucket: &str, object: &Object) -> Result<(), Failure>;
    /// All keys of a bucket.
    async fn keys(&self, place: Place, bucket: &str) -> Result<Vec<String>, Failure>;
    /// All keys of a bucket, each with the MD5 of its content, as hex.
    async fn list(&self, place: Place, bucket: &str) -> Result<BTreeMap<String, String>, Failure>;
    /// Removes objects; earlier versions stay.
    async fn remove(&self, place: Place, bucket: &str, keys: &[String]) -> Result<(), Failure>;
    /// Removes every object, every version and then the bucket; fine where there is none.
    async fn remove_bucket(&self, place: Place, bucket: &str) -> Result<(), Failure>;
}

/// Secrets that the API reads by itself.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The secret by its path.
    async fn read(&self, path: &str) -> Result<Option<Secret>, Failure>;
    /// Stores it, encrypted.
    async fn write(&self, path: &str, secret: &Secret) -> Result<(), Failure>;
    /// Removes it; fine where there is none.
    async fn remove(&self, path: &str) -> Result<(), Failure>;
}

/// Short texts that are no secret and that everybody who works on the galaxy sees at once.
#[async_trait]
pub trait Notes: Send + Sync {
    /// The text.
    async fn get(&self, path: &str) -> Result<Option<String>, Failure>;
    /// Writes it if there is none. Whether it was written.
    async fn put_new(&self, path: &str, text: &str) -> Result<bool, Failure>;
    /// Writes it over whatever is there.
    async fn put(&self, path: &str, text: &str) -> Result<(), Failure>;
    /// Removes it; fine where there is none.
    async fn remove(&self, path: &str) -> Result<(), Failure>;
}

/// The version of a function that callers get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveVersion {
    /// Its number.
    pub version: String,
    /// SHA-256 of its zip, as hex.
    pub sha256: String,
}

/// Versions of the API's function.
#[async_trait]
pub trait Functions: Send + Sync {
    /// Asks a version whether it is well; what is wrong, if it is not.
    async fn check(&self, function: &str, version: &str) -> Result<Option<String>, Failure>;
    /// The version that callers get; nothing where there is none.
    async fn live(&self, function: &str) -> Result<Option<LiveVersion>, Failure>;
    /// Makes a version the one that callers get. `false` where there is no such version.
    async fn point(&self, function: &str, version: &str) -> Result<bool, Failure>;
}

/// What became of somebody who was to be an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// There was nothing to do.
    Already,
    /// The person had an account and keeps the password.
    Member,
    /// An account was made, with the password that was given.
    New,
}

/// The people of a user pool, as far as they are operators.
#[async_trait]
pub trait People: Send + Sync {
    /// Makes an operator; an account with this password, where there is none that was confirmed.
    async fn add(&self, pool: &str, email: &str, password: &Secret) -> Result<Joined, Failure>;
    /// Makes an operator an ordinary person, and ends the sessions. Whether it was one.
    async fn remove(&self, pool: &str, email: &str) -> Result<bool, Failure>;
    /// The operators' addresses.
    async fn operators(&self, pool: &str) -> Result<Vec<String>, Failure>;
}

/// What an address answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An HTTP status.
    Status(u16),
    /// No answer, and why.
    Silence(String),
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(200) => f.write_str("answers"),
            Self::Status(status) => write!(f, "answers with status {status}"),
            Self::Silence(reason) => write!(f, "does not answer: {reason}"),
        }
    }
}

/// Looking at the galaxy from outside.
#[async_trait]
pub trait Web: Send + Sync {
    /// One GET, without following redirects.
    async fn get(&self, url: &str) -> Answer;
}

/// Time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Waits.
    async fn sleep(&self, time: Duration);
    /// How long this clock has been running.
    fn elapsed(&self) -> Duration;
    /// Seconds since 1970.
    fn now(&self) -> u64;
}

/// All of it.
#[derive(Clone)]
pub struct World {
    /// Stacks.
    pub stacks: std::sync::Arc<dyn Stacks>,
    /// Objects.
    pub assets: std::sync::Arc<dyn Assets>,
    /// What visitors get.
    pub delivery: std::sync::Arc<dyn Delivery>,
    /// The function's versions.
    pub functions: std::sync::Arc<dyn Functions>,
    /// Secrets.
    pub secrets: std::sync::Arc<dyn Secrets>,
    /// Notes.
    pub notes: std::sync::Arc<dyn Notes>,
    /// Operators.
    pub people: std::sync::Arc<dyn People>,
    /// Tables and accounts.
    pub records: std::sync::Arc<dyn Records>,
    /// What is tagged.
    pub inventory: std::sync::Arc<dyn Inventory>,
    /// What is logged.
    pub logs: std::sync::Arc<dyn Logs>,
    /// What is asked before anything is done.
    pub preflight: std::sync::Arc<dyn Preflight>,
    /// Mail.
    pub mail: std::sync::Arc<dyn Mail>,
    /// Certificates.
    pub certificates: std::sync::Arc<dyn Certificates>,
    /// Zones, as everybody sees them.
    pub dns: std::sync::Arc<dyn Dns>,
    /// Zones of the account.
    pub zones: std::sync::Arc<dyn Zones>,
    /// The outside.
    pub web: std::sync::Arc<dyn Web>,
    /// Time.
    pub clock: std::sync::Arc<dyn Clock>,
}
