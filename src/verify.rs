//! What an installed galaxy shows of itself, and of AWS: checks that a person can act on, answers
//! to what only a real account can answer, and times against the estimates. Changes nothing.
//!
//! A part that could not be looked at is unknown, never fine, and never ends the report.

use std::collections::BTreeMap;

use crate::catalog::Facts;
use crate::drift::Finding;
use crate::model::{AccountId, Region, Stack, StackSeen, StackStatus};
use crate::pace::{self, Verb};
use crate::ports::{Lapse, World};
use crate::render::Rendered;

mod checks;
mod questions;
mod rights;

pub use questions::{Answer, Answered};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is as it should be.
    Ok,
    /// It could not be looked at.
    Unknown,
    /// It is not as it should be.
    Wrong,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Wrong => "wrong",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its name.
    pub check: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was seen.
    pub detail: String,
}

/// How long a stack took to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    /// The stack.
    pub stack: Stack,
    /// What its events say, in seconds.
    pub seconds: u64,
    /// The estimate, in seconds.
    pub estimate: u64,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The checks.
    pub checks: Vec<Checked>,
    /// What this account answered.
    pub answers: Vec<Answered>,
    /// Times.
    pub times: Vec<Timed>,
}

impl Report {
    /// Whether a check found something wrong.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.checks.iter().any(|check| check.verdict == Verdict::Wrong)
    }
}

/// The galaxy that is looked at.
pub struct Case {
    /// What is known beforehand.
    pub facts: Facts,
    /// The account.
    pub account: AccountId,
    /// The home Region.
    pub home: Region,
    /// The doors.
    pub world: World,
    /// The templates as this program would send them.
    pub rendered: BTreeMap<Stack, Rendered>,
    /// Findings of a comparison with the installed release; nothing if no release is on record;
    /// else why there was no comparison.
    pub drift: Result<Option<Vec<Finding>>, String>,
    /// Addresses by name, such as `api`.
    pub urls: Vec<(String, String)>,
}

/// What was seen in the account.
#[derive(Default)]
struct Seen {
    stacks: BTreeMap<Stack, StackSeen>,
    /// Why a stack could not be looked at.
    unseen: Vec<String>,
    histories: BTreeMap<Stack, Vec<Lapse>>,
    trust: Option<String>,
}

/// Looks at everything.
pub async fn look(case: &Case) -> Report {
    let mut seen = Seen::default();
    for stack in Stack::all() {
        let name = stack.name(&case.facts.config.name);
        match case.world.stacks.find(stack.place(), &name).await {
            Ok(Some(found)) if found.status != StackStatus::Gone => {
                let history = case.world.evidence.history(stack.place(), &found.arn).await;
                seen.histories.insert(stack, history.unwrap_or_default());
                seen.stacks.insert(stack, found);
            }
            Ok(_) => {}
            Err(failure) => seen.unseen.push(format!("{stack}: {}", failure.message())),
        }
    }
    if let Some(role) = role(&seen) {
        seen.trust = case.world.evidence.trust(role).await.unwrap_or_default();
    }
    let checks = checks::all(case, &seen).await;
    let answers = questions::answers(case.drift.as_ref().ok().and_then(Option::as_ref), &seen);
    Report { checks, answers, times: times(case, &seen) }
}

/// The ARN of `CloudFormation`'s role.
fn role(seen: &Seen) -> Option<&str> {
    seen.stacks.get(&Stack::Bootstrap)?.outputs.get("CfnServiceRoleArn").map(String::as_str)
}

fn times(case: &Case, seen: &Seen) -> Vec<Timed> {
    let one = |(stack, history): (&Stack, &Vec<Lapse>)| {
        let own = |lapse: &&Lapse| lapse.kind == "AWS::CloudFormation::Stack";
        let mut own = history.iter().filter(own);
        let begun = own.find(|lapse| lapse.status == "CREATE_IN_PROGRESS")?.at;
        let done = own.find(|lapse| lapse.status == "CREATE_COMPLETE")?.at;
        let resources = &case.rendered.get(stack)?.resources;
        let estimate = pace::stack(resources, Verb::Create).as_secs();
        Some(Timed { stack: *stack, seconds: done.saturating_sub(begun), estimate })
    };
    seen.histories.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests;
