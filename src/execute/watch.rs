//! Watching one stack until it rests, and telling how it ended.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Job;
use crate::causes;
use crate::event::Event;
use crate::failure::{Failure, Kind};
use crate::model::{Stack, StackSeen, StackStatus};
use crate::plan::StepId;
use crate::ports::StackEvent;

/// How soon a stack is looked at again, at least and at most: what takes long is looked at less
/// often, for all looks together must stay within what AWS answers.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// The type of a stack's events about itself.
const STACK: &str = "AWS::CloudFormation::Stack";

/// How many looks in a row may go unanswered; each was already tried eight times by then.
const UNHEARD: usize = 10;

/// How many looks in a row may show a stack as it was before its operation began. AWS answers from
/// what it knew a moment ago; no answer is that old.
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
    /// Not known: somebody else began it.
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
        // Events are there to be watched. Without them the run goes on all the same.
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

/// Judges how an operation ended; learns the stack's outputs where it ended well.
pub(super) async fn finished(
    job: &Job,
    stack: Stack,
    seen: Option<StackSeen>,
    wanted: &str,
) -> Result<(), Failure> {
    match seen {
        Some(seen) if seen.code == wanted => {
            job.learn(stack, seen.outputs);
            Ok(())
        }
        Some(seen) => {
            let what = format!("ended in {}", seen.code);
            Err(broken(job, stack, &seen.arn, &what).await)
        }
        None => {
            let name = stack.name(&job.facts.config.name);
            Err(Failure::new(Kind::Settled, format!("the stack `{name}` disappeared meanwhile"))
                .help("somebody else may have deleted it; run the same command again"))
        }
    }
}

/// A stack's failure with its root: the first resource that failed by itself.
pub(super) async fn broken(job: &Job, stack: Stack, arn: &str, what: &str) -> Failure {
    let name = stack.name(&job.facts.config.name);
    let events = job.world.stacks.events(stack.place(), arn).await.unwrap_or_default();
    let root = root_cause(&events);
    let mut failure = Failure::new(Kind::Settled, format!("the stack `{name}` {what}"))
        .help("cure the cause and run the same command again; it goes on from here");
    if let Some(event) = root {
        let reason = event.reason.as_deref().unwrap_or("no reason was given");
        let said = format!("{} ({}): {reason}", event.resource, event.kind);
        failure = match causes::known(&event.kind, reason) {
            Some(known) => failure.cause(format!("{}\n  {said}", known.means)).help(known.cure),
            None => failure.cause(said),
        };
    }
    failure
}

/// The first failure of the latest operation that is not the echo of another one.
fn root_cause(newest_first: &[StackEvent]) -> Option<&StackEvent> {
    let starts = ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"];
    let is_start =
        |event: &&StackEvent| event.kind == STACK && starts.contains(&event.status.as_str());
    let operation = newest_first.iter().position(|event| is_start(&event));
    let latest = &newest_first[..operation.unwrap_or(newest_first.len())];
    latest.iter().rev().find(|event| {
        let echo = event.reason.as_deref().is_some_and(|r| r.ends_with("cancelled"));
        event.status.ends_with("_FAILED") && event.kind != STACK && !echo
    })
}

#[cfg(test)]
mod tests {
    use super::root_cause;
    use crate::ports::StackEvent;

    fn event(resource: &str, kind: &str, status: &str, reason: Option<&str>) -> StackEvent {
        StackEvent {
            id: format!("{resource}{status}"),
            resource: resource.into(),
            kind: kind.into(),
            status: status.into(),
            reason: reason.map(str::to_owned),
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
        assert_eq!(root_cause(&newest_first).map(|e| e.resource.as_str()), Some("A"));
    }
}
