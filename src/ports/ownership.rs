//! What a galaxy owns: the marks on resources, and the verdict about all of them.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use crate::failure::Failure;
use crate::model::{Place, Secret, Stack, StackSeen, Tags};

/// A table, as far as ownership and adoption depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableSeen {
    /// Its tags.
    pub tags: Tags,
    /// Key attributes as `NAME TYPE KIND`, such as `email S HASH`, sorted.
    pub keys: Vec<String>,
}

/// A resource of a stack, as `CloudFormation` lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Logical id.
    pub logical: String,
    /// Type.
    pub kind: String,
    /// Name or id in the account.
    pub physical: String,
}

/// A user pool, as far as ownership depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolSeen {
    /// Its tags.
    pub tags: Tags,
    /// About how many accounts it has.
    pub accounts: u64,
}

/// Something of the galaxy's that outlived its stack: a stack that is made again takes it over by
/// its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Retained {
    /// The stack that it was and will be part of.
    pub stack: Stack,
    /// Logical id in that stack's template.
    pub resource: String,
    /// Type.
    pub kind: String,
    /// The property that `CloudFormation` knows it by, such as `UserPoolId`.
    pub property: String,
    /// That property's value.
    pub id: String,
    /// What it is, for people.
    pub what: String,
}

/// Tags and other marks. A missing permission is a [`Failure`] that names the action.
#[async_trait]
pub trait Marks: Send + Sync {
    /// Tags of a bucket; `None` if there is no such bucket.
    async fn bucket(&self, place: Place, bucket: &str) -> Result<Option<Tags>, Failure>;
    /// Tags and key schema of a table; `None` if there is no such table.
    async fn table(&self, table: &str) -> Result<Option<TableSeen>, Failure>;
    /// A user pool in the home Region by its id; `None` if there is no such pool.
    async fn pool(&self, id: &str) -> Result<Option<PoolSeen>, Failure>;
    /// Tags of a key in the home Region by its ARN; `None` if there is no such key, or its deletion
    /// is scheduled.
    async fn key(&self, arn: &str) -> Result<Option<Tags>, Failure>;
    /// Tags of a parameter in the home Region; `None` if there is no such parameter.
    async fn parameter(&self, path: &str) -> Result<Option<Tags>, Failure>;
    /// Creates a parameter together with its tags and never overwrites one. `false` if a parameter
    /// with other text or other tags is there.
    async fn create_parameter(
        &self,
        path: &str,
        text: &Secret,
        encrypted: bool,
        tags: &Tags,
    ) -> Result<bool, Failure>;
    /// The resources of a stack by its ARN; `CloudFormation` answers for 90 days after a deletion.
    async fn members(&self, place: Place, arn: &str) -> Result<Vec<Member>, Failure>;
}

/// Something whose name fits the galaxy and that is not provably its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stranger {
    /// How to name it to `spaceduck adopt`, such as `table:eggs`.
    pub thing: String,
    /// What it is, with its name, Region and state.
    pub what: String,
    /// Why it does not count as the galaxy's.
    pub why: String,
    /// Whether its ARN is on the galaxy's record: one proof of two.
    pub recorded: bool,
}

/// What the account says about the galaxy's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Claim {
    /// No galaxy of this name has a record, and nothing of one is there.
    #[default]
    Free,
    /// The galaxy has its record.
    Recorded,
    /// A galaxy from before there were records: these things are provably its own.
    Unrecorded(Vec<String>),
}

/// Everything with a name of the galaxy, sorted by whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Whether the galaxy has a record.
    pub claim: Claim,
    /// Its stacks.
    pub stacks: BTreeMap<Stack, StackSeen>,
    /// Everything else with one of its names.
    pub strangers: Vec<Stranger>,
    /// What was adopted, as `spaceduck adopt` names it.
    pub adopted: BTreeSet<String>,
    /// What outlived its stack and holds accounts or signs certificates.
    pub retained: Vec<Retained>,
}

/// The galaxy's record, and the proofs that go by it.
#[async_trait]
pub trait Ownership: Send + Sync {
    /// Looks at everything whose name the galaxy might use.
    async fn survey(&self) -> Result<Survey, Failure>;
    /// What a stack that is not there has left: everything that its creation has to take over at
    /// once, if a user pool or a key is among it. Empty if the stack is there.
    async fn retained(&self, stack: Stack) -> Result<Vec<Retained>, Failure>;
    /// Fails unless the galaxy's name was typed: what this names is about to be taken over.
    async fn consent(&self, what: &[&str]) -> Result<(), Failure>;
    /// Notes that the galaxy's name was typed: a galaxy without a record may get one, and stacks
    /// may take over what outlived them.
    async fn confirm(&self);
    /// Notes which adopted things were named for deletion.
    async fn release(&self, things: BTreeSet<String>);
    /// Makes sure that the galaxy has its record, before any other effect. `true` if it was made.
    async fn begin(&self) -> Result<bool, Failure>;
    /// Deletes the record once nothing on it exists. `false` if something does.
    async fn end(&self) -> Result<bool, Failure>;
    /// The strangers of these names, if the galaxy could work with each of them as it is.
    async fn fit(&self, things: &[String]) -> Result<Vec<Stranger>, Failure>;
    /// Puts strangers' resources on the record, by the names that [`Stranger::thing`] returns.
    async fn adopt(&self, things: &[String]) -> Result<(), Failure>;
}

/// For an account whose galaxy is not named yet: it owns nothing.
pub struct Unclaimed;

fn unclaimed() -> Failure {
    Failure::bug("ownership was looked up before a galaxy was named")
}

#[async_trait]
impl Ownership for Unclaimed {
    async fn survey(&self) -> Result<Survey, Failure> {
        Err(unclaimed())
    }

    async fn retained(&self, _: Stack) -> Result<Vec<Retained>, Failure> {
        Err(unclaimed())
    }

    async fn consent(&self, _: &[&str]) -> Result<(), Failure> {
        Err(unclaimed())
    }

    async fn confirm(&self) {}

    async fn release(&self, _: BTreeSet<String>) {}

    async fn begin(&self) -> Result<bool, Failure> {
        Err(unclaimed())
    }

    async fn end(&self) -> Result<bool, Failure> {
        Err(unclaimed())
    }

    async fn fit(&self, _: &[String]) -> Result<Vec<Stranger>, Failure> {
        Err(unclaimed())
    }

    async fn adopt(&self, _: &[String]) -> Result<(), Failure> {
        Err(unclaimed())
    }
}
