//! One stack, brought up or taken down from whatever state it is in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Job, Pages, data};
use crate::catalog;
use crate::causes;
use crate::event::Event;
use crate::failure::{Failure, Kind};
use crate::model::{Outputs, Stack, StackSeen, StackStatus};
use crate::plan::{self, Action, StepId};
use crate::ports::{Change, ChangeAction, Mode, Proposal, StackEvent};

/// How soon a stack is looked at again, at least and at most: what takes long is looked at less
/// often, for all looks together must stay within what AWS answers.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// How many looks in a row may go unanswered; each was already tried eight times by then.
const UNHEARD: usize = 10;

/// How often a stack may turn out to be in another state before we give up.
const ATTEMPTS: usize = 4;

/// Makes a stack what it is to be. Tells whether anything was done.
pub(super) async fn bring_up(job: &Job, stack: Stack) -> Result<bool, Failure> {
    let (place, name) = (stack.place(), stack.name(&job.facts.config.name));
    for _ in 0..ATTEMPTS {
        let seen = job.world.stacks.find(place, &name).await?;
        let Some(seen) = seen.filter(|seen| seen.status != StackStatus::Gone) else {
            return create(job, stack).await.map(|()| true);
        };
        match &seen.status {
            StackStatus::Ready => return update(job, stack, &seen).await,
            StackStatus::Moving(_) => {
                settle(job, stack, &seen.arn, &mut BTreeSet::new()).await?;
            }
            StackStatus::Leaving(_) if catalog::keeps_data(stack) => return Err(leaving(&name)),
            // A stack that never came to be holds nothing: its template says so.
            StackStatus::Dead(_) | StackStatus::Leaving(_) => remove(job, stack, &seen).await?,
            StackStatus::Stuck(_) => recover(job, stack, &seen).await?,
            StackStatus::Other(code) => return Err(unknown(&name, code)),
            StackStatus::Gone => {}
        }
    }
    Err(restless(&name))
}

/// Takes a stack away, and the bucket that it made. Tells whether anything was done.
pub(super) async fn take_down(job: &Job, stack: Stack, action: &Action) -> Result<bool, Failure> {
    let (place, name) = (stack.place(), stack.name(&job.facts.config.name));
    for _ in 0..ATTEMPTS {
        let seen = job.world.stacks.find(place, &name).await?;
        let Some(seen) = seen.filter(|seen| seen.status != StackStatus::Gone) else {
            // The bucket outlives its stack on purpose; its name is fixed.
            let config = &job.facts.config;
            if let Some(bucket) = catalog::bucket(stack, &config.name, &job.account, &job.home) {
                job.world.assets.remove_bucket(place, &bucket).await?;
            }
            data::remove_leftovers(job, stack).await?;
            return Ok(*action != Action::Keep);
        };
        match &seen.status {
            StackStatus::Moving(_) => {
                settle(job, stack, &seen.arn, &mut BTreeSet::new()).await?;
            }
            StackStatus::Ready => {
                if catalog::keeps_data(stack) {
                    unlock(job, stack, &seen).await?;
                }
                remove(job, stack, &seen).await?;
            }
            StackStatus::Dead(_) | StackStatus::Leaving(_) => remove(job, stack, &seen).await?,
            StackStatus::Stuck(_) => recover(job, stack, &seen).await?,
            StackStatus::Other(code) => return Err(unknown(&name, code)),
            StackStatus::Gone => {}
        }
    }
    Err(restless(&name))
}

async fn create(job: &Job, stack: Stack) -> Result<(), Failure> {
    let mut proposal = proposal(job, stack, inputs(job, stack)?)?;
    if data::leftovers(job, stack).await? {
        proposal.mode = Mode::Adopt;
    }
    let arn = job.world.stacks.create(&proposal).await?;
    let seen = settle(job, stack, &arn, &mut BTreeSet::new()).await?;
    finished(job, stack, seen, "CREATE_COMPLETE").await
}

async fn update(job: &Job, stack: Stack, seen: &StackSeen) -> Result<bool, Failure> {
    let rendered = job.rendered.get(&stack);
    let inputs = inputs(job, stack)?;
    if rendered.is_some_and(|rendered| plan::is_current(seen, rendered, &inputs)) {
        job.learn(stack, seen.outputs.clone());
        return Ok(false);
    }
    if stack == Stack::Api && job.pages == Pages::Program {
        try_out(job, seen, &inputs).await?;
    }
    change(job, stack, seen, proposal(job, stack, inputs)?).await
}

/// Has the new version of the function made beside the live one, and asks it whether it is well.
async fn try_out(
    job: &Job,
    seen: &StackSeen,
    inputs: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let stack = Stack::Api;
    let Some(live) = seen.outputs.get(catalog::LIVE_VERSION) else { return Ok(()) };
    let mut inputs = inputs.clone();
    inputs.insert(catalog::LIVE_VERSION.to_owned(), live.clone());
    change(job, stack, seen, proposal(job, stack, inputs)?).await?;
    let (function, version) =
        (job.output(stack, "FunctionName")?, job.output(stack, "NewVersion")?);
    let Some(reason) = job.world.functions.check(&function, &version).await? else {
        return Ok(());
    };
    let message = format!("version {version} of the function is not well; {live} stays live");
    Err(Failure::new(Kind::Settled, message).cause(reason).help(
        "callers notice nothing of it; `spaceduck logs` shows what the new version said. Then run \
         the same command again",
    ))
}

/// Puts back what somebody has changed in a stack, with the template that it has.
pub(super) async fn put_back(job: &Job, stack: Stack) -> Result<bool, Failure> {
    let (place, name) = (stack.place(), stack.name(&job.facts.config.name));
    let Some(seen) = job.world.stacks.find(place, &name).await? else { return Ok(false) };
    let body = job.world.stacks.template(place, &name).await?;
    let mut proposal = proposal_of(job, stack, seen.parameters.clone(), body)?;
    proposal.mode = Mode::RevertDrift;
    change(job, stack, &seen, proposal).await
}

/// Lets a stack's data be deleted with it, which its template otherwise forbids.
async fn unlock(job: &Job, stack: Stack, seen: &StackSeen) -> Result<(), Failure> {
    let Some(rendered) = job.rendered.get(&stack) else { return Ok(()) };
    let mut parameters = seen.parameters.clone();
    parameters.retain(|name, _| rendered.parameters.contains(name));
    let proposal = proposal(job, stack, parameters)?;
    change(job, stack, seen, proposal).await.map(|_| ())
}

/// Works out an update, has policy look at it, and runs it.
async fn change(
    job: &Job,
    stack: Stack,
    seen: &StackSeen,
    proposal: Proposal,
) -> Result<bool, Failure> {
    let Some(change_set) = job.world.stacks.propose(&proposal).await? else {
        job.learn(stack, seen.outputs.clone());
        return Ok(false);
    };
    let is_refused = |change: &&Change| plan::refuses(stack, change, &job.named);
    let refused: Vec<&Change> = change_set.changes.iter().filter(is_refused).collect();
    if !refused.is_empty() {
        let name = &proposal.name;
        let what: Vec<String> =
            refused.iter().map(|change| format!("{} ({})", change.resource, change.kind)).collect();
        let flags: Vec<String> =
            refused.iter().map(|change| format!("--replace {stack}.{}", change.resource)).collect();
        job.world.stacks.discard(&change_set).await?;
        let message = format!("the update of `{name}` would replace or remove {}", what.join(", "));
        return Err(Failure::new(Kind::Refused, message).help(format!(
            "nothing of this stack was changed; what it holds can't be brought back. If it may \
             go, say so with {}",
            flags.join(" ")
        )));
    }
    let mut known = known_events(job, stack).await?;
    job.world.stacks.apply(&change_set).await?;
    let seen = settle(job, stack, &seen.arn, &mut known).await?;
    finished(job, stack, seen, "UPDATE_COMPLETE").await?;
    Ok(true)
}

/// Tells what an update would do, and does nothing of it. `false` where inputs are not known yet.
pub async fn preview(job: &Job, stack: Stack) -> Result<bool, Failure> {
    let Ok(inputs) = inputs(job, stack) else { return Ok(false) };
    let proposal = proposal(job, stack, inputs)?;
    let Some(change_set) = job.world.stacks.propose(&proposal).await? else { return Ok(true) };
    job.world.stacks.discard(&change_set).await?;
    for change in &change_set.changes {
        let action = match &change.action {
            ChangeAction::Add => "add",
            ChangeAction::Modify => "modify",
            ChangeAction::Replace => "replace",
            ChangeAction::Remove => "remove",
            ChangeAction::Other(other) => other,
        };
        job.events.emit(Event::Change {
            step: StepId::Stack(stack).to_string(),
            resource: change.resource.clone(),
            kind: change.kind.clone(),
            action: action.to_owned(),
            why: change.why.clone(),
            refused: plan::refuses(stack, change, &job.named),
        });
    }
    Ok(true)
}

async fn remove(job: &Job, stack: Stack, seen: &StackSeen) -> Result<(), Failure> {
    let (place, name) = (stack.place(), stack.name(&job.facts.config.name));
    job.world.stacks.protect(place, &name, false).await?;
    let mut known = known_events(job, stack).await?;
    job.world.stacks.delete(place, &name).await?;
    for _ in 0..ATTEMPTS {
        match settle(job, stack, &seen.arn, &mut known).await?.map(|after| after.status) {
            None | Some(StackStatus::Gone) => return Ok(()),
            // No removal ends like that: the answer is older than its beginning.
            Some(StackStatus::Ready) => job.world.clock.sleep(LOOK_AGAIN.0).await,
            Some(_) => break,
        }
    }
    Err(broken(job, stack, &seen.arn, "could not be removed").await)
}

/// Waits until a stack no longer moves, telling what happens to its resources.
async fn settle(
    job: &Job,
    stack: Stack,
    arn: &str,
    known: &mut BTreeSet<String>,
) -> Result<Option<StackSeen>, Failure> {
    let begin = job.world.clock.elapsed();
    let mut unheard = 0;
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
            if known.insert(event.id.clone()) {
                tell(job, stack, event);
            }
        }
        match seen {
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

async fn known_events(job: &Job, stack: Stack) -> Result<BTreeSet<String>, Failure> {
    let name = stack.name(&job.facts.config.name);
    let events = job.world.stacks.events(stack.place(), &name).await?;
    Ok(events.into_iter().map(|event| event.id).collect())
}

async fn finished(
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
async fn broken(job: &Job, stack: Stack, arn: &str, what: &str) -> Failure {
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
    let is_start = |event: &&StackEvent| {
        event.kind == "AWS::CloudFormation::Stack" && starts.contains(&event.status.as_str())
    };
    let operation = newest_first.iter().position(|event| is_start(&event));
    let latest = &newest_first[..operation.unwrap_or(newest_first.len())];
    latest.iter().rev().find(|event| {
        let echo = event.reason.as_deref().is_some_and(|r| r.ends_with("cancelled"));
        event.status.ends_with("_FAILED") && event.kind != "AWS::CloudFormation::Stack" && !echo
    })
}

fn inputs(job: &Job, stack: Stack) -> Result<BTreeMap<String, String>, Failure> {
    let mut values = catalog::constants(stack);
    for input in catalog::inputs(stack) {
        values.insert(input.parameter.to_owned(), job.output(input.stack, input.output)?);
    }
    Ok(values)
}

fn proposal(job: &Job, stack: Stack, parameters: Outputs) -> Result<Proposal, Failure> {
    let rendered = job
        .rendered
        .get(&stack)
        .ok_or_else(|| Failure::bug(format!("the stack `{stack}` was not rendered")))?;
    proposal_of(job, stack, parameters, rendered.body.clone())
}

fn proposal_of(
    job: &Job,
    stack: Stack,
    parameters: Outputs,
    body: String,
) -> Result<Proposal, Failure> {
    let role = match stack {
        Stack::Bootstrap => None,
        _ => Some(job.output(Stack::Bootstrap, "CfnServiceRoleArn")?),
    };
    let galaxy = &job.facts.config.name;
    Ok(Proposal {
        place: stack.place(),
        name: stack.name(galaxy),
        body,
        parameters,
        tags: catalog::tags(galaxy),
        role,
        mode: Mode::Plain,
    })
}

/// Brings a stack back to what it was before an update that failed.
async fn recover(job: &Job, stack: Stack, seen: &StackSeen) -> Result<(), Failure> {
    let mut known = known_events(job, stack).await?;
    job.world.stacks.recover(stack.place(), seen).await?;
    let after = settle(job, stack, &seen.arn, &mut known).await?;
    finished(job, stack, after, "UPDATE_ROLLBACK_COMPLETE").await
}

fn leaving(name: &str) -> Failure {
    let message = format!("the stack `{name}` holds data, and somebody has begun to remove it");
    Failure::new(Kind::Refused, message)
        .cause("its removal ended in DELETE_FAILED")
        .help("`spaceduck teardown` ends the removal; then `spaceduck install` starts anew")
}

fn unknown(name: &str, code: &str) -> Failure {
    let message = format!("the stack `{name}` is in {code}, which this version does not know");
    Failure::new(Kind::Refused, message).help(
        "look at it in the CloudFormation console and bring it to rest, then run the same command \
         again; a newer spaceduck may know the state",
    )
}

fn restless(name: &str) -> Failure {
    Failure::new(Kind::Settled, format!("the stack `{name}` changes faster than it can be read"))
        .help("somebody else is working on it; run the same command again when they are done")
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
