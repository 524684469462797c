//! Watching one stack until it rests, and telling how it ended.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Job;
use crate::causes::{self, Known};
use crate::event::Event;
use crate::failure::{Failure, Kind};
use crate::model::{Stack, StackSeen, StackStatus};
use crate::plan::StepId;
use crate::ports::{Origin, Reason, StackEvent};

/// How soon a stack is looked at again, at least and at most: what takes long is looked at less
/// often, for all looks together must stay within what AWS answers.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// The type of a stack's events about itself.
const STACK: &str = "AWS::CloudFormation::Stack";

/// How many looks in a row may go unanswered; each was already tried eight times by then.
const UNHEARD: usize = 10;

/// How many reads in a row may show a stack's state from before its operation began. AWS answers
/// from slightly stale data, but never that stale.
const DOUBTED: usize = 12;

/// What was known of a stack when an operation on it began.
#[derive(Default)]
pub(super) struct Watch {
    /// Events of earlier operations.
    known: BTreeSet<String>,
    before: Before,
}

/// How a stack was before an operation, which a look may still show.
#[derive(Default)]
enum Before {
    /// Unknown: another caller started it.
    #[default]
    Unknown,
    /// There was none.
    Absent,
    /// In one of these states; only an event of the operation's end makes it credible again.
    Codes(BTreeSet<String>),
}

impl Watch {
    /// A stack that we have just begun to create.
    pub(super) fn creation() -> Self {
        Self { before: Before::Absent, ..Self::default() }
    }

    /// To be made before the operation begins.
    pub(super) async fn from(job: &Job, stack: Stack, seen: &StackSeen) -> Result<Self, Failure> {
        let events = job.world.stacks.events(stack.place(), &seen.arn).await?;
        // What was seen may be older than the last operation of ours.
        let last = events.iter().find(|event| event.kind == STACK).map(|e| e.status.clone());
        let codes = last.into_iter().chain([seen.code.clone()]).collect();
        let known = events.into_iter().map(|event| event.id).collect();
        Ok(Self { known, before: Before::Codes(codes) })
    }

    /// Takes note of something new.
    fn notice(&mut self, event: &StackEvent) {
        if let Before::Codes(before) = &mut self.before
            && event.kind == STACK
        {
            // It has come to that by itself: now that may be believed.
            before.remove(&event.status);
        }
    }

    /// Whether a look may be older than the operation.
    fn doubts(&self, seen: Option<&StackSeen>) -> bool {
        match (&self.before, seen) {
            (Before::Absent, None) => true,
            (Before::Codes(before), Some(seen)) => before.contains(&seen.code),
            _ => false,
        }
    }
}

/// Waits until a stack no longer moves, telling what happens to its resources.
pub(super) async fn settle(
    job: &Job,
    stack: Stack,
    arn: &str,
    mut watch: Watch,
) -> Result<Option<StackSeen>, Failure> {
    let begin = job.world.clock.elapsed();
    let (mut unheard, mut doubted) = (0, 0);
    loop {
        let seen = match job.world.stacks.find(stack.place(), arn).await {
            // A look that fails changes nothing in AWS; only credentials don't mend themselves.
            Err(failure) if failure.kind == Kind::Settled && unheard < UNHEARD => {
                unheard += 1;
                None
            }
            result => Some(result?),
        };
        // Events are only for display. Without them the run continues.
        let events = job.world.stacks.events(stack.place(), arn).await.unwrap_or_default();
        for event in events.into_iter().rev() {
            if watch.known.insert(event.id.clone()) {
                watch.notice(&event);
                tell(job, stack, event);
            }
        }
        match seen {
            Some(seen) if doubted < DOUBTED && watch.doubts(seen.as_ref()) => {
                doubted += 1;
                job.world.clock.sleep(LOOK_AGAIN.0).await;
            }
            None | Some(Some(StackSeen { status: StackStatus::Moving(_), .. })) => {
                let past = job.world.clock.elapsed().saturating_sub(begin);
                job.world.clock.sleep((past / 12).clamp(LOOK_AGAIN.0, LOOK_AGAIN.1)).await;
            }
            Some(seen) => return Ok(seen),
        }
    }
}

fn tell(job: &Job, stack: Stack, event: StackEvent) {
    job.events.emit(Event::Resource {
        step: StepId::Stack(stack).to_string(),
        resource: event.resource,
        kind: event.kind,
        status: event.status,
        reason: event.reason,
    });
}

/// Why an operation ended badly.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) failure: Failure,
    /// What is known about the reason.
    pub(super) known: Option<&'static Known>,
    /// Whether the same operation has changed a role or a policy, too.
    pub(super) changed_role: bool,
}

impl From<Box<Ended>> for Failure {
    fn from(ended: Box<Ended>) -> Self {
        ended.failure
    }
}

/// Judges how an operation ended; learns the stack's outputs where it ended well.
pub(super) async fn finished(
    job: &Job,
    stack: Stack,
    seen: Option<StackSeen>,
    wanted: &str,
) -> Result<(), Box<Ended>> {
    match seen {
        Some(seen) if seen.code == wanted => {
            job.learn(stack, seen.outputs);
            Ok(())
        }
        Some(seen) => {
            let what = format!("ended in {}", seen.code);
            Err(Box::new(broken(job, stack, &seen, &what).await))
        }
        None => {
            let name = stack.name(&job.facts.config.name);
            let message = format!("the stack `{name}` disappeared meanwhile");
            let failure = Failure::new(Kind::Settled, message)
                .help("it may have been deleted by another process; run the command again");
            Err(Box::new(Ended { failure, known: None, changed_role: false }))
        }
    }
}

/// A stack's failure with its reasons: the first resource that failed by itself, else what
/// validations and hooks found, else what is said of the stack as a whole.
pub(super) async fn broken(job: &Job, stack: Stack, seen: &StackSeen, what: &str) -> Ended {
    let name = stack.name(&job.facts.config.name);
    let failure = Failure::new(Kind::Settled, format!("the stack `{name}` {what}"))
        .help("fix the problem and run the same command again; it resumes where it stopped");
    let events = match job.world.stacks.events(stack.place(), &seen.arn).await {
        Ok(events) => events,
        Err(unread) => {
            let reasons: Vec<Reason> = whole(seen.reason.as_deref()).into_iter().collect();
            let failure = causes::unread(causes::explain(failure, &reasons), &unread);
            return Ended { failure, known: None, changed_role: false };
        }
    };
    let latest = latest_operation(&events);
    let changed_role = latest.iter().any(|event| {
        let done = ["CREATE_COMPLETE", "UPDATE_COMPLETE"].contains(&event.status.as_str());
        done && event.kind.starts_with("AWS::IAM::")
    });
    // Where the way back failed, what blocks it has to go first.
    let is_stuck = seen.code.ends_with("ROLLBACK_FAILED");
    let blocker = is_stuck.then(|| root_cause(latest_rollback(latest))).flatten();
    let root = root_cause(latest).filter(|root| blocker.is_none_or(|one| one.id != root.id));
    let mut reasons: Vec<Reason> = blocker.into_iter().chain(root).filter_map(reason_of).collect();
    let mut unread = None;
    // A hook or a validation writes only its name into the stack's events.
    let vague = |reason: &Reason| {
        causes::behind(reason).is_some_and(|known| ["hook", "validation"].contains(&known.id))
    };
    if reasons.iter().all(vague) {
        match job.world.stacks.reasons(stack.place(), &seen.arn).await {
            Ok(more) if !more.is_empty() => reasons = more,
            Ok(_) => {}
            Err(failure) => unread = Some(failure),
        }
    }
    if reasons.is_empty() {
        let mut of_stack =
            latest.iter().rev().filter(|event| event.kind == STACK && !is_start(event));
        let said = of_stack.find_map(|event| event.reason.as_deref());
        reasons.extend(whole(said.or(seen.reason.as_deref())));
    }
    let known = reasons.iter().find_map(causes::behind);
    let mut failure = causes::explain(failure, &reasons);
    if let Some(unread) = unread.filter(|_| known.is_none_or(|known| known.id == "validation")) {
        failure = causes::unread(failure, &unread);
    }
    Ended { failure, known, changed_role }
}

fn reason_of(event: &StackEvent) -> Option<Reason> {
    Some(Reason {
        origin: Origin::Resource,
        resource: event.resource.clone(),
        kind: event.kind.clone(),
        text: event.reason.clone()?,
    })
}

/// What is said of a stack as a whole.
fn whole(text: Option<&str>) -> Option<Reason> {
    let text = text?.to_owned();
    Some(Reason { origin: Origin::Stack, resource: String::new(), kind: String::new(), text })
}

fn is_start(event: &StackEvent) -> bool {
    let starts =
        ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"];
    event.kind == STACK && starts.contains(&event.status.as_str())
}

/// The events of the latest operation, newest first.
fn latest_operation(newest_first: &[StackEvent]) -> &[StackEvent] {
    let operation = newest_first.iter().position(is_start);
    &newest_first[..operation.map_or(newest_first.len(), |at| at + 1)]
}

/// The events of the latest way back, newest first.
fn latest_rollback(newest_first: &[StackEvent]) -> &[StackEvent] {
    let begins =
        |event: &StackEvent| event.kind == STACK && event.status.ends_with("ROLLBACK_IN_PROGRESS");
    let begin = newest_first.iter().position(begins);
    &newest_first[..begin.map_or(0, |at| at + 1)]
}

/// The first failure that is not the echo of another one.
fn root_cause(latest: &[StackEvent]) -> Option<&StackEvent> {
    latest.iter().rev().find(|event| {
        let echo = event.reason.as_deref().is_some_and(|r| r.ends_with("cancelled"));
        event.status.ends_with("_FAILED") && event.kind != STACK && !echo
    })
}

#[cfg(test)]
mod tests {
    use super::{latest_operation, latest_rollback, root_cause};
    use crate::ports::StackEvent;

    fn event(resource: &str, kind: &str, status: &str, reason: Option<&str>) -> StackEvent {
        StackEvent {
            id: format!("{resource}{status}"),
            resource: resource.into(),
            kind: kind.into(),
            status: status.into(),
            reason: reason.map(str::to_owned),
            token: None,
        }
    }

    #[test]
    fn the_root_is_the_first_failure_that_is_no_echo() {
        let stack = "AWS::CloudFormation::Stack";
        let newest_first = [
            event("s", stack, "ROLLBACK_COMPLETE", None),
            event("C", "T", "CREATE_FAILED", Some("Resource creation cancelled")),
            event("A", "T", "CREATE_FAILED", Some("name taken")),
            event("B", "T", "CREATE_FAILED", Some("Resource creation cancelled")),
            event("s", stack, "CREATE_IN_PROGRESS", None),
            event("Old", "T", "CREATE_FAILED", Some("an earlier attempt")),
        ];
        let latest = latest_operation(&newest_first);
        assert_eq!(root_cause(latest).map(|e| e.resource.as_str()), Some("A"));
        assert!(latest_rollback(latest).is_empty());
    }

    #[test]
    fn what_blocks_a_rollback_is_told_apart_from_what_began_it() {
        let stack = "AWS::CloudFormation::Stack";
        let newest_first = [
            event("s", stack, "UPDATE_ROLLBACK_FAILED", None),
            event(
                "Role",
                "T",
                "UPDATE_FAILED",
                Some("not authorized to perform: iam:PutRolePolicy"),
            ),
            event("s", stack, "UPDATE_ROLLBACK_IN_PROGRESS", None),
            event("s", stack, "UPDATE_ROLLBACK_FAILED", None),
            event("Role", "T", "UPDATE_FAILED", Some("an earlier way back")),
            event("s", stack, "UPDATE_ROLLBACK_IN_PROGRESS", None),
            event("Table", "T", "UPDATE_FAILED", Some("too many indexes")),
            event("s", stack, "UPDATE_IN_PROGRESS", None),
        ];
        let latest = latest_operation(&newest_first);
        let reason = |events| root_cause(events).and_then(|event| event.reason.as_deref());
        assert_eq!(reason(latest), Some("too many indexes"));
        let blocker = reason(latest_rollback(latest)).unwrap();
        assert!(blocker.contains("iam:PutRolePolicy"), "{blocker}");
        let import = [
            event("s", stack, "IMPORT_IN_PROGRESS", None),
            event("Old", "T", "CREATE_FAILED", None),
        ];
        assert_eq!(latest_operation(&import).len(), 1);
    }
}
