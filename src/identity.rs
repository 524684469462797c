//! Whose something is: the galaxy's id, its record in the account, and the two proofs without
//! which nothing is changed or deleted.
//!
//! [`guard`] puts the proofs in front of every port that can change what the galaxy did not make.
//! What a command sees through the guarded ports is the galaxy's own.

use std::fmt;
use std::sync::Arc;

use crate::catalog;
use crate::failure::{Failure, Kind};
use crate::model::{AccountId, GalaxyName, Place, Region, Stack};
use crate::ports::World;

mod certificates;
mod claims;
mod doors;
mod guard;
mod proof;
mod record;
mod retained;
mod rows;
mod stores;
mod survey;
mod unrecorded;

pub use guard::{Guard, refused};
pub use proof::{Doubt, Evidence, judge};
pub use record::{Held, Mark, Record, VERSION, entry_path, load, store};
pub use rows::{Row, galaxies};

/// Where the registry keeps what it knows of galaxies.
pub const GALAXIES: &str = "/_spaceduck/galaxies";

/// One galaxy in one account, as a command names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name.
    pub galaxy: GalaxyName,
    /// The account.
    pub account: AccountId,
    /// The Region that the command works in.
    pub home: Region,
}

/// Something that a galaxy can own. Its text is what `spaceduck adopt` takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A stack.
    Stack(Stack),
    /// The bucket of a stack.
    Bucket(Stack),
    /// A table, without the galaxy's name.
    Table(String),
    /// A parameter, without the galaxy's prefix.
    Parameter(String),
    /// A certificate of a domain.
    Certificate(Place, String),
    /// The user pool.
    Pool,
    /// The key that signs certificates.
    Key,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stack(stack) => write!(f, "stack:{stack}"),
            Self::Bucket(stack) => write!(f, "bucket:{stack}"),
            Self::Table(table) => write!(f, "table:{table}"),
            Self::Parameter(path) => write!(f, "parameter:{path}"),
            Self::Certificate(Place::Home, domain) => write!(f, "certificate:home/{domain}"),
            Self::Certificate(Place::Edge, domain) => write!(f, "certificate:edge/{domain}"),
            Self::Pool => f.write_str("pool"),
            Self::Key => f.write_str("key"),
        }
    }
}

impl Subject {
    /// The Region that a place is in.
    #[must_use]
    pub fn region(&self, place: Place) -> Region {
        match place {
            Place::Home => self.home.clone(),
            Place::Edge => Region::edge(),
        }
    }

    /// The stack of a name.
    fn stack(&self, place: Place, name: &str) -> Option<Stack> {
        let named = |stack: &Stack| stack.place() == place && stack.name(&self.galaxy) == name;
        Stack::all().into_iter().find(named)
    }

    /// The bucket of a stack, by its fixed name.
    fn bucket(&self, stack: Stack) -> Option<String> {
        catalog::bucket(stack, &self.galaxy, &self.account, &self.home)
    }

    /// The stack that makes a bucket.
    fn maker(&self, place: Place, bucket: &str) -> Option<Stack> {
        let makes = |stack: &Stack| {
            stack.place() == place && self.bucket(*stack).as_deref() == Some(bucket)
        };
        Stack::all().into_iter().find(makes)
    }

    /// A table without the galaxy's name, if it is one of the galaxy's.
    fn table(&self, name: &str) -> Option<String> {
        let tables = catalog::tables(&self.galaxy);
        tables.into_iter().find(|(_, full)| full == name).map(|(table, _)| table)
    }

    /// A parameter's path without the galaxy's prefix.
    fn parameter(&self, path: &str) -> Result<Thing, Failure> {
        let rest = path.strip_prefix(&format!("/{}/", self.galaxy));
        rest.map(|rest| Thing::Parameter(rest.to_owned()))
            .ok_or_else(|| Failure::bug(format!("`{path}` is no parameter of this galaxy")))
    }

    /// The ARN of a bucket or table. Both follow from the name.
    fn arn(&self, thing: &Thing) -> String {
        let Self { galaxy, account, home } = self;
        match thing {
            Thing::Bucket(stack) => {
                format!("arn:aws:s3:::{}", self.bucket(*stack).unwrap_or_default())
            }
            Thing::Table(table) => {
                format!("arn:aws:dynamodb:{home}:{account}:table/{galaxy}-{table}")
            }
            Thing::Parameter(rest) => {
                format!("arn:aws:ssm:{home}:{account}:parameter/{galaxy}/{rest}")
            }
            other => other.to_string(),
        }
    }
}

/// The same account, where nothing is changed or deleted without two proofs that it is the
/// galaxy's, and what is not the galaxy's is not found.
#[must_use]
pub fn guard(raw: World, subject: Subject) -> World {
    let guard = Arc::new(Guard::new(raw.clone(), subject));
    World {
        stacks: guard.clone(),
        assets: guard.clone(),
        secrets: guard.clone(),
        notes: guard.clone(),
        records: guard.clone(),
        certificates: guard.clone(),
        ownership: guard,
        ..raw
    }
}

/// As [`guard`], if the galaxy lives in this Region or nowhere yet.
pub async fn guard_at_home(raw: World, subject: Subject) -> Result<World, Failure> {
    let record = load(&raw, &subject.galaxy).await?;
    if let Some(record) = record.filter(|record| record.home != subject.home.as_str()) {
        return Err(elsewhere(&subject, &record.home));
    }
    Ok(guard(raw, subject))
}

/// The galaxy lives in another Region than the command was run in.
fn elsewhere(subject: &Subject, home: &str) -> Failure {
    let Subject { galaxy, account, home: here } = subject;
    let message = format!("the galaxy `{galaxy}` lives in {home}, not in {here}");
    Failure::new(Kind::Refused, message)
        .cause(format!("account {account} has one galaxy of a name; nothing was changed"))
        .help(format!(
            "run the command with --region {home}. To move the galaxy to {here}: `spaceduck export \
             FILE --region {home}`, install under another name, `spaceduck import FILE`; until \
             `spaceduck teardown --region {home}` the one in {home} keeps running and costing"
        ))
}
