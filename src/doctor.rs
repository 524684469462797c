//! Everything that would stop an installation later, found before anything is created, with its
//! cure.
//!
//! It only looks. What nobody lets it look at is told as unknown, never as fine.

use std::collections::BTreeMap;

use crate::catalog::Facts;
use crate::failure::Failure;
use crate::model::{AccountId, GalaxyName, Region, Stack, StackSeen, StackStatus};
use crate::ports::World;
use crate::render::Rendered;

mod account;
mod checks;
mod domains;
mod galaxy;
mod names;
mod throttles;

pub use account::clock_finding;
pub use checks::{CHECKS, Check, check};

/// How a finding counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is as it should be.
    Ok,
    /// Nobody can tell.
    Unknown,
    /// An installation goes through, and somebody may mind nevertheless.
    Warning,
    /// An installation would fail.
    Problem,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which check.
    pub check: &'static Check,
    /// How it counts.
    pub level: Level,
    /// How it is.
    pub is: String,
    /// What to do; nothing where nothing is to be done.
    pub cure: Option<String>,
}

impl Finding {
    /// A finding of a check in the table. What is not fine has the table's cure.
    #[must_use]
    pub fn new(id: &str, level: Level, is: impl Into<String>) -> Self {
        let check = check(id);
        let cure = (level != Level::Ok).then(|| check.cure.to_owned());
        Self { check, level, is: is.into(), cure }
    }

    /// With a cure of its own.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// What could not be looked at.
    #[must_use]
    pub fn unknown(id: &str, failure: &Failure) -> Self {
        let cause = failure.cause.as_deref().map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::new(id, Level::Unknown, format!("{}{cause}", failure.message()))
    }

    /// What went wrong in a check that everything else hangs on.
    #[must_use]
    pub fn failed(id: &str, failure: &Failure) -> Self {
        let finding = Self { level: Level::Problem, ..Self::unknown(id, failure) };
        match failure.mistakes.first().and_then(|mistake| mistake.help.clone()) {
            Some(help) => finding.cure(help),
            None => finding,
        }
    }
}

/// The galaxy that is to be, and the account that it is to be in.
pub struct Case {
    /// What is known beforehand.
    pub facts: Facts,
    /// The account.
    pub account: AccountId,
    /// The home Region.
    pub home: Region,
    /// The doors.
    pub world: World,
    /// The templates as they would be sent.
    pub rendered: BTreeMap<Stack, Rendered>,
    /// The stacks that are there.
    pub stacks: BTreeMap<Stack, StackSeen>,
    /// Why nobody knows which stacks are there.
    pub unseen: Option<Failure>,
}

/// What this machine brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The function's code.
    pub function: FunctionCode,
    /// How many bytes are free where it works; nothing where nobody tells.
    pub free: Option<u64>,
}

/// Where the function's code comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FunctionCode {
    /// It lies beside the program.
    Packed,
    /// It will be built from the sources.
    Source,
    /// It is nowhere, and what to do.
    Missing(String),
}

/// Building the function from the sources takes this many bytes; a packed one hardly any.
const BUILDING: u64 = 3_000_000_000;
const PACKED: u64 = 200_000_000;

/// Looks at this machine; needs no account.
#[must_use]
pub fn look_at(machine: &Machine) -> Vec<Finding> {
    let (level, is) = match &machine.function {
        FunctionCode::Packed => (Level::Ok, "it lies beside the program".to_owned()),
        FunctionCode::Source => {
            (Level::Ok, "the first installation builds it from the sources".to_owned())
        }
        FunctionCode::Missing(why) => (Level::Problem, why.clone()),
    };
    let function = Finding::new("function", level, is);
    let needed = if machine.function == FunctionCode::Source { BUILDING } else { PACKED };
    let disk = match machine.free {
        None => Finding::new("disk", Level::Unknown, "the amount of free space is unknown"),
        Some(free) => {
            let level = if free < needed { Level::Problem } else { Level::Ok };
            let (free, needed) = (free / 1_000_000, needed / 1_000_000);
            Finding::new("disk", level, format!("{free} MB are free, {needed} MB are needed"))
        }
    };
    vec![function, disk]
}

/// The stacks that are there.
pub async fn stacks(
    world: &World,
    galaxy: &GalaxyName,
) -> Result<BTreeMap<Stack, StackSeen>, Failure> {
    let mut there = BTreeMap::new();
    for stack in Stack::all() {
        let seen = world.stacks.find(stack.place(), &stack.name(galaxy)).await?;
        if let Some(seen) = seen.filter(|seen| seen.status != StackStatus::Gone) {
            there.insert(stack, seen);
        }
    }
    Ok(there)
}

/// Looks at the account, all of it at once; the findings in the table's order.
pub async fn examine(case: &Case) -> Vec<Finding> {
    let (who, rights, clock, quotas, throttles, names, left, mail, domains, galaxy) = tokio::join!(
        account::credentials(case),
        account::permissions(case),
        account::clock(case),
        account::quotas(case),
        throttles::find(case),
        names::clashes(case),
        galaxy::leftovers(case),
        galaxy::mail(case),
        domains::find(case),
        galaxy::state(case),
    );
    let all = [who, rights, clock, quotas, throttles, names, left, mail, domains, galaxy];
    let mut found: Vec<Finding> = all.into_iter().flatten().collect();
    let place = |finding: &Finding| CHECKS.iter().position(|check| check == finding.check);
    found.sort_by_key(place);
    found
}

#[cfg(test)]
mod tests;
