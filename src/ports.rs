//! What the installer needs of the world, in its own words: small doors.
//!
//! The AWS adapters are in `aws/`, an account in memory for tests is in `rehearse.rs`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use crate::failure::Failure;
use crate::model::{Place, Secret, StackSeen};

mod delivery;
mod domains;
mod evidence;
mod fence;
mod functions;
mod inspection;
mod mail;
mod notes;
mod outside;
mod ownership;
mod people;
mod preflight;
mod reasons;
mod records;
mod registry;
mod secrets;
mod zones;

pub use delivery::{Delivery, Turn};
pub use domains::Certificates;
pub use evidence::{Evidence, Lapse, Right, WebPage};
pub use fence::{Fence, LockId, Permit, still_passes};
pub use functions::{Functions, LiveVersion};
pub use inspection::{Extra, Inspection};
pub use mail::{Applied, Dns, Invited, Mail, Play};
pub use notes::Notes;
pub use outside::{Answer, Clock, Web};
pub use ownership::{
    Claim, Marks, Member, Ownership, PoolSeen, Retained, Stranger, Survey, TableSeen, Unclaimed,
};
pub use people::{Joined, Offer, People, Show};
pub use preflight::{Denied, Preflight, Quota, Thing, Usage, Wish};
pub use reasons::{Origin, Reason};
pub use records::{Account, Inventory, LogLine, Logs, Page, Records};
pub use registry::{Entry, Registry};
pub use secrets::Secrets;
pub use zones::{Changed, Zones};

/// The desired state of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Region.
    pub place: Place,
    /// The stack's name.
    pub name: String,
    /// The template's text.
    pub body: String,
    /// A value for every parameter of the template but the secret ones.
    pub parameters: BTreeMap<String, String>,
    /// Values of parameters that `CloudFormation` doesn't show, either.
    pub secrets: BTreeMap<String, Secret>,
    /// Tags of the stack; `CloudFormation` passes them on to its resources.
    pub tags: BTreeMap<String, String>,
    /// The role that `CloudFormation` works with; without one it is the caller.
    pub role: Option<String>,
    /// How the account as it is counts.
    pub mode: Mode,
    /// Whether a creation counts as done before its resources have settled.
    pub express: bool,
    /// `ClientRequestToken` of the creation; events of the stack carry it. Without one the
    /// adapter makes one up.
    pub token: Option<String>,
}

/// How the account as it is counts when a stack is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Only the difference between the last template and this one is carried out.
    #[default]
    Plain,
    /// A creation takes over what an earlier installation left behind, by name.
    Adopt,
    /// Resources that were changed outside the stack are restored, too.
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
    /// It no longer exists.
    Deleted,
    /// `CloudFormation` does not compare this type.
    NotChecked,
    /// `CloudFormation` tried to compare it and could not; with its reason.
    Failed(String),
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
    /// `ClientRequestToken` of the operation that the event is part of.
    pub token: Option<String>,
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
    /// Starts to create a stack around things that are there, and gives the ARN. The template has
    /// exactly these; an update adds the rest.
    async fn import(&self, proposal: &Proposal, things: &[Retained]) -> Result<String, Failure>;
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
    /// Lists the resources of a stack in any status; none of them is compared.
    async fn resources(&self, place: Place, name: &str) -> Result<Vec<ResourceDrift>, Failure>;
    /// Starts the deletion.
    async fn delete(&self, place: Place, name: &str) -> Result<(), Failure>;
    /// Why the latest operation on a stack failed, the first reason first: what its events do not
    /// say, such as the findings of validations and hooks.
    async fn reasons(&self, place: Place, arn: &str) -> Result<Vec<Reason>, Failure>;
    /// Deletes the change sets that were made under locks of a lower number, so that they can no
    /// longer be run. Succeeds if there is no such stack.
    async fn retire(&self, place: Place, name: &str, lock: &LockId) -> Result<(), Failure>;
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

/// An object, as read from the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectSeen {
    /// SHA-256 of the content, as hex; only where it was stored with one, as ours are.
    pub sha256: Option<String>,
    /// `Content-Type`.
    pub content_type: String,
    /// `Cache-Control`.
    pub cache_control: String,
    /// Headers that spaceduck never sets, such as `Content-Encoding`, with their values.
    pub others: BTreeMap<String, String>,
}

/// An object as a listing has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// MD5 of the content, as hex; something else where it came in parts or under a KMS key.
    pub md5: String,
    /// When it was last written, in seconds since 1970 by S3's clock.
    pub modified: i64,
}

/// The content of an object, and the `ETag` that the next write can name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// Content.
    pub bytes: Vec<u8>,
    /// `ETag`, as the service spelled it.
    pub etag: String,
}

/// Objects in buckets.
#[async_trait]
pub trait Assets: Send + Sync {
    /// Whether a bucket exists.
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
    /// The content of an object with its `ETag`; `None` if there is none, or no such bucket.
    async fn read_tagged(
        &self,
        place: Place,
        bucket: &str,
        key: &str,
    ) -> Result<Option<Tagged>, Failure>;
    /// Stores an object if the one under its key is the one that the caller saw: with this `ETag`,
    /// or none. The new `ETag`; `None` if another one is there.
    async fn replace(
        &self,
        place: Place,
        bucket: &str,
        object: &Object,
        seen: Option<&str>,
    ) -> Result<Option<String>, Failure>;
    /// All keys of a bucket.
    async fn keys(&self, place: Place, bucket: &str) -> Result<Vec<String>, Failure>;
    /// All objects of a bucket by their keys, a thousand a request; nothing where there is no such
    /// bucket.
    async fn listing(
        &self,
        place: Place,
        bucket: &str,
    ) -> Result<Option<BTreeMap<String, Listed>>, Failure>;
    /// All keys of a bucket, each with the MD5 of its content, as hex.
    async fn list(&self, place: Place, bucket: &str) -> Result<BTreeMap<String, String>, Failure>;
    /// Removes objects; earlier versions stay.
    async fn remove(&self, place: Place, bucket: &str, keys: &[String]) -> Result<(), Failure>;
    /// Removes every object, every version and then the bucket; fine where there is none.
    async fn remove_bucket(&self, place: Place, bucket: &str) -> Result<(), Failure>;
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
    /// Entries about every galaxy of the account, in us-east-1.
    pub registry: std::sync::Arc<dyn Registry>,
    /// Tags and other marks of ownership.
    pub marks: std::sync::Arc<dyn Marks>,
    /// What of the account is this galaxy's.
    pub ownership: std::sync::Arc<dyn Ownership>,
    /// Operators.
    pub people: std::sync::Arc<dyn People>,
    /// Tables and accounts.
    pub records: std::sync::Arc<dyn Records>,
    /// What is tagged.
    pub inventory: std::sync::Arc<dyn Inventory>,
    /// What was added beside the templates.
    pub inspection: std::sync::Arc<dyn Inspection>,
    /// What is logged.
    pub logs: std::sync::Arc<dyn Logs>,
    /// What is read before anything is done.
    pub preflight: std::sync::Arc<dyn Preflight>,
    /// What an installed galaxy shows.
    pub evidence: std::sync::Arc<dyn Evidence>,
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
    /// What effects pass, and whose number they carry.
    pub fence: std::sync::Arc<Fence>,
    /// The same doors without the fence in front of them, where there is one.
    pub open: Option<std::sync::Arc<World>>,
}

impl World {
    /// The doors without the fence: for the lock itself, and for commands that only remember what
    /// they saw.
    #[must_use]
    pub fn unfenced(&self) -> Self {
        self.open.as_deref().unwrap_or(self).clone()
    }
}
