//! What happens while a command runs, as data: the contract of `--json`, one object a line.
//!
//! Effects push events into a [`Sink`] and never print. `type` comes first in every object; the
//! last line is `finished` or `failed` and holds the outcome. New fields and new types may be
//! added within version 1, nothing is renamed or removed.

use std::sync::Arc;

use serde::Serialize;

mod check;
mod galaxy;
pub mod mail;
mod release;
mod skill;
mod verify;

pub use check::Check;
pub use galaxy::Galaxy;
pub use release::Release;
pub use skill::{Place, Publisher, SkillTold};
pub use verify::{Answered, Timed, Verified};

/// The version of this contract.
pub const VERSION: u32 = 1;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A command began.
    Started {
        /// Version of this contract.
        version: u32,
        /// The command's name.
        command: String,
        /// The galaxy.
        galaxy: String,
        /// The AWS account, once known.
        account: String,
        /// The home Region.
        region: String,
        /// The release that this program carries.
        release: String,
    },
    /// What is about to be done; emitted once, before the first effect.
    Planned {
        /// The steps in order.
        steps: Vec<PlannedStep>,
        /// Its estimated duration; nothing where nothing is to be done.
        #[serde(skip_serializing_if = "Option::is_none")]
        times: Option<Times>,
        /// What the galaxy will cost a month.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        monthly: Vec<Cost>,
    },
    /// What an update would do to a resource, in a plan that is not run; or what a plan does to a
    /// DNS record.
    Change {
        /// Its step.
        step: String,
        /// Its logical id, or the record's name.
        resource: String,
        /// Its type.
        kind: String,
        /// `add`, `modify`, `replace` or `remove`.
        action: String,
        /// Why: the properties that differ, or what it depends on.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        why: Vec<String>,
        /// Whether it would be refused until the person names it.
        refused: bool,
    },
    /// A step began, ended or went on.
    Step {
        /// The step, such as `stack data`.
        step: String,
        /// What became of it.
        state: StepState,
        /// How long it took, in milliseconds, once it has ended.
        #[serde(skip_serializing_if = "Option::is_none")]
        millis: Option<u64>,
        /// A few words for people.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// A resource of a stack changed its status.
    Resource {
        /// Its step.
        step: String,
        /// Its logical id in the template.
        resource: String,
        /// Its type, such as `AWS::S3::Bucket`.
        kind: String,
        /// Its status code.
        status: String,
        /// Why, where `CloudFormation` says.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The state of an item.
    Status {
        /// The item, such as `stack data`, `release 3 0.1.0-1a2b3c4d` or `address api`.
        item: String,
        /// Its state.
        state: String,
    },
    /// A galaxy of the account.
    Galaxy(Galaxy),
    /// A release on record.
    Release(Release),
    /// Something that differs from the installed release, or that can't be checked.
    Finding {
        /// The subject, such as `api.HatchRoute` or `duckgalaxy/index.html`.
        item: String,
        /// `changed`, `missing`, `extra`, `unchecked`, or `kept` where a person decided so.
        state: String,
        /// The actual and the expected state.
        detail: String,
        /// The command that mends it, or that shows what to do.
        #[serde(skip_serializing_if = "Option::is_none")]
        command: Option<String>,
        /// Whether it was found at the last look and is no longer.
        mended: bool,
    },
    /// What a look before an installation has found.
    Check(Check),
    /// The IAM policy for installing.
    Policy {
        /// IAM's documents: one, or several where one would be too long.
        documents: Vec<serde_json::Value>,
    },
    /// A file or folder that was written.
    Written {
        /// Where it is.
        path: String,
    },
    /// A check of an installed galaxy.
    Verified(verify::Verified),
    /// What this account answers to a question that no emulator can.
    Answered(verify::Answered),
    /// How long a stack took to create.
    Timed(verify::Timed),
    /// A requested text.
    Text {
        /// All of it.
        text: String,
    },
    /// The operators, as they were asked for.
    Operators {
        /// Their addresses.
        operators: Vec<String>,
    },
    /// A new account. Emitted once.
    Account {
        /// Its address.
        email: String,
        /// Its password.
        password: String,
    },
    /// What a removal has left in the account. Comes once, when all else is done.
    Receipt {
        /// What is there, and why.
        left: Vec<Left>,
        /// What all of it costs a month, in US cents.
        monthly_cents: u32,
    },
    /// The state of the account's mail at Amazon.
    MailStage(mail::Stage),
    /// An item of the checklist of mail.
    MailItem(mail::Item),
    /// A wanted record of a zone, and its state.
    DnsRecord(mail::Record),
    /// The chances of an application for production access.
    MailChances(mail::Chances),
    /// What Amazon would be sent.
    MailLetter(mail::Letter),
    /// A line of a log.
    Log {
        /// When, in milliseconds since 1970.
        at: u64,
        /// The line, unchanged from the log.
        text: String,
    },
    /// A mistake in a skill; there may be several before the last line.
    Mistake {
        /// What is wrong.
        message: String,
        /// Where.
        #[serde(skip_serializing_if = "Option::is_none")]
        place: Option<Place>,
        /// The fix.
        #[serde(skip_serializing_if = "Option::is_none")]
        help: Option<String>,
    },
    /// A skill that is as it should be.
    Skill(Box<SkillTold>),
    /// The key that signs skills.
    Key {
        /// By which a certificate names it.
        mark: String,
        /// Where it is.
        file: String,
    },
    /// Words for people that no program needs.
    Note {
        /// One sentence.
        text: String,
    },
    /// The command succeeded. Always the last line.
    Finished {
        /// `done`, `unchanged`, `declined`, `planned`, `told`, `drifted`, `ready` or `blocked`.
        outcome: Outcome,
        /// What exists now, by name: sites and API.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        urls: Vec<Url>,
        /// What to do next, one sentence each.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        next: Vec<String>,
    },
    /// The command failed. Always the last line.
    Failed {
        /// The kind of failure in one word.
        kind: String,
        /// What is wrong.
        message: String,
        /// The cause.
        #[serde(skip_serializing_if = "Option::is_none")]
        cause: Option<String>,
        /// What exists now, where something was begun.
        #[serde(skip_serializing_if = "Option::is_none")]
        now: Option<String>,
        /// The fix.
        #[serde(skip_serializing_if = "Option::is_none")]
        help: Option<String>,
        /// The process's exit code.
        exit_code: u8,
    },
}

/// A step of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedStep {
    /// The step, such as `stack data`.
    pub step: String,
    /// What will be done.
    pub action: String,
    /// How many resources it has, where it is a stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<usize>,
    /// How long it will take by itself, in seconds; an estimate.
    pub seconds: u64,
}

/// How long a plan will take, in seconds; estimates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Times {
    /// Until the API answers.
    pub usable: u64,
    /// Until every site is at every edge and all else is done: the longest chain of steps.
    pub all: u64,
    /// What the same would take as one ordinary stack.
    pub one_stack: u64,
    /// What the same would take with one step after the other.
    pub one_by_one: u64,
}

/// A line of the monthly bill, in US cents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Its purpose.
    pub what: String,
    /// When idle.
    pub idle_cents: u32,
    /// With about 1,000 people.
    pub small_cents: u32,
}

/// Something that a removal has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Its ARN, or the stack's name.
    pub item: String,
    /// Why it is still there.
    pub why: String,
    /// What it costs a month, in US cents.
    pub monthly_cents: u32,
}

/// A name and an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Url {
    /// What is there.
    pub name: String,
    /// The address.
    pub url: String,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It runs.
    Running,
    /// It is done.
    Done,
    /// There was nothing to do.
    Unchanged,
    /// It failed.
    Failed,
}

/// How a command that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Something was done.
    Done,
    /// There was nothing to do.
    Unchanged,
    /// The person said no; nothing was done.
    Declined,
    /// There is something to do, and it was only shown.
    Planned,
    /// The answer was printed.
    Told,
    /// Something differs from the installed release.
    Drifted,
    /// Nothing prevents an installation.
    Ready,
    /// Something prevents an installation.
    Blocked,
}

/// What has become of a command's output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// All of it was written.
    #[default]
    Fine,
    /// The reader closed the pipe, as `head` does when it has its lines.
    Closed,
    /// Some of it could not be written: why, in the system's words.
    Broken(String),
}

impl Health {
    /// What a write that failed has made of it.
    #[must_use]
    pub fn after(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::Closed;
        }
        Self::Broken(error.to_string())
    }
}

/// Where events go.
pub trait Sink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: Event);

    /// What has become of the output so far.
    fn health(&self) -> Health {
        Health::Fine
    }
}

/// A sink that several steps share.
pub type Events = Arc<dyn Sink>;

#[cfg(test)]
mod tests {
    use super::{Event, StepState};

    #[test]
    fn the_type_comes_first() {
        let (step, state) = ("stack data".into(), StepState::Done);
        let event = Event::Step { step, state, millis: None, detail: None };
        let line = serde_json::to_string(&event).expect("json");
        assert_eq!(line, r#"{"type":"step","step":"stack data","state":"done"}"#);
    }
}
