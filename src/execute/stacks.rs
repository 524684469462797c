//! One stack, brought up or taken down from whatever state it is in.

use std::collections::BTreeMap;

use super::again::SecondTry;
use super::watch::{Watch, broken, finished, settle};
use super::{Job, Pages, data, mail_identity, shield};
use crate::catalog;
use crate::event::Event;
use crate::failure::{Failure, Kind};
use crate::model::{Outputs, Stack, StackSeen, StackStatus};
use crate::plan::{self, Action, StepId};
use crate::ports::{Change, ChangeAction, ChangeSet, Mode, Proposal, Retained};
use crate::render;

/// How often a stack may change its state under us before we give up.
const ATTEMPTS: usize = 4;

/// Brings a stack to its desired state. Returns whether anything was done.
pub(super) async fn bring_up(job: &Job, stack: Stack) -> Result<bool, Failure> {
    let (place, name) = (stack.place(), stack.name(&job.facts.config.name));
    for _ in 0..ATTEMPTS {
        let seen = job.world.stacks.find(place, &name).await?;
        let Some(seen) = seen.filter(|seen| seen.status != StackStatus::Gone) else {
            return create(job, stack).await.map(|()| true);
        };
        match &seen.status {
            // The resource to import is still outside; an update would create a second one.
            StackStatus::Ready if is_rolled_back(&seen) => remove(job, stack, &seen).await?,
            StackStatus::Ready => return update(job, stack, &seen).await,
            StackStatus::Moving(_) => {
                settle(job, stack, &seen.arn, Watch::default()).await?;
            }
            StackStatus::Leaving(_) if catalog::keeps_data(stack) => return Err(leaving(&name)),
            // A stack that was never created holds nothing: its template says so.
            StackStatus::Dead(_) | StackStatus::Leaving(_) => remove(job, stack, &seen).await?,
            StackStatus::Stuck(_) => recover(job, stack, &seen).await?,
            StackStatus::Other(code) => return Err(unknown(&name, code)),
            StackStatus::Gone => {}
        }
    }
    Err(restless(&name))
}

/// Deletes a stack, and the bucket that it made. Returns whether anything was done.
pub(super) async fn take_down(job: &Job, stack: Stack, action: &Action) -> Result<bool, Failure> {
    let (place, name) = (stack.place(), stack.name(&job.facts.config.name));
    shield::open(job, stack).await?;
    for _ in 0..ATTEMPTS {
        let seen = job.world.stacks.find(place, &name).await?;
        let Some(seen) = seen.filter(|seen| seen.status != StackStatus::Gone) else {
            remove_remains(job, stack).await?;
            return Ok(*action != Action::Keep);
        };
        match &seen.status {
            StackStatus::Moving(_) => {
                settle(job, stack, &seen.arn, Watch::default()).await?;
            }
            StackStatus::Ready | StackStatus::Dead(_) | StackStatus::Leaving(_) => {
                if seen.status == StackStatus::Ready && catalog::keeps_data(stack) {
                    unlock(job, stack, &seen).await?;
                }
                mail_identity::detach(job, stack, &seen).await?;
                remove(job, stack, &seen).await?;
                mail_identity::remove(job, stack, &seen).await?;
                return remove_remains(job, stack).await.map(|()| true);
            }
            StackStatus::Stuck(_) => recover(job, stack, &seen).await?,
            StackStatus::Other(code) => return Err(unknown(&name, code)),
            StackStatus::Gone => {}
        }
    }
    Err(restless(&name))
}

/// Takes away what outlives a stack: its bucket on purpose, its tables after a removal that failed.
async fn remove_remains(job: &Job, stack: Stack) -> Result<(), Failure> {
    let config = &job.facts.config;
    if let Some(bucket) = catalog::bucket(stack, &config.name, &job.account, &job.home) {
        job.world.assets.remove_bucket(stack.place(), &bucket).await?;
    }
    data::remove_leftovers(job, stack).await
}

/// Whether an import into a new stack was rolled back, which leaves it empty.
fn is_rolled_back(seen: &StackSeen) -> bool {
    seen.code == "IMPORT_ROLLBACK_COMPLETE" && seen.outputs.is_empty()
}

/// Makes a stack around what outlived it, then adds the rest of its template.
async fn take_over(job: &Job, stack: Stack, left: &[Retained]) -> Result<(), Failure> {
    let mut values = inputs(job, stack)?;
    values.extend(catalog::kept_values(stack, None));
    let mut proposal = proposal(job, stack, values)?;
    let resources: Vec<&str> = left.iter().map(|left| left.resource.as_str()).collect();
    proposal.body = render::only(&proposal.body, &resources).map_err(|error| {
        Failure::bug(format!("the template of `{stack}`")).cause(error.to_string())
    })?;
    let arn = job.world.stacks.import(&proposal, left).await?;
    let seen = settle(job, stack, &arn, Watch::creation()).await?;
    finished(job, stack, seen, "IMPORT_COMPLETE").await?;
    if let Some(seen) = job.world.stacks.find(stack.place(), &arn).await? {
        update(job, stack, &seen).await?;
    }
    Ok(())
}

async fn create(job: &Job, stack: Stack) -> Result<(), Failure> {
    let (place, name) = (stack.place(), stack.name(&job.facts.config.name));
    allow_sender(job, stack).await?;
    let left = job.world.ownership.retained(stack).await?;
    if !left.is_empty() {
        return take_over(job, stack, &left).await;
    }
    let mut second = SecondTry::default();
    loop {
        let mut values = inputs(job, stack)?;
        values.extend(catalog::kept_values(stack, None));
        let mut proposal = proposal(job, stack, values)?;
        if data::leftovers(job, stack).await? {
            proposal.mode = Mode::Adopt;
        }
        shield::seal(job, stack, &mut proposal, None).await?;
        let arn = job.world.stacks.create(&proposal).await?;
        let seen = settle(job, stack, &arn, Watch::creation()).await?;
        let Err(ended) = finished(job, stack, seen, "CREATE_COMPLETE").await else {
            return Ok(());
        };
        if !second.granted(job, stack, &ended).await {
            return Err(ended.failure);
        }
        // A creation that was rolled back can only be deleted.
        let seen = job.world.stacks.find(place, &name).await?;
        if let Some(seen) = seen.filter(|seen| matches!(seen.status, StackStatus::Dead(_))) {
            remove(job, stack, &seen).await?;
        }
    }
}

async fn update(job: &Job, stack: Stack, seen: &StackSeen) -> Result<bool, Failure> {
    let rendered = job.rendered.get(&stack);
    let inputs = inputs(job, stack)?;
    if rendered.is_some_and(|rendered| plan::is_current(seen, rendered, &inputs)) {
        job.learn(stack, seen.outputs.clone());
        return Ok(false);
    }
    allow_sender(job, stack).await?;
    if stack == Stack::Api && job.pages == Pages::Program {
        try_out(job, seen, &inputs).await?;
    }
    let mut values = inputs;
    values.extend(catalog::kept_values(stack, Some(seen)));
    let mut proposal = proposal(job, stack, values)?;
    shield::seal(job, stack, &mut proposal, Some(seen)).await?;
    change(job, stack, seen, proposal).await
}

/// Lets Cognito send through SES, before a user pool is configured to.
async fn allow_sender(job: &Job, stack: Stack) -> Result<(), Failure> {
    if stack == Stack::Auth && job.facts.config.mail.by_ses() {
        job.world.mail.create_sender_role().await?;
    }
    Ok(())
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

/// Restores what was changed in a stack, with the template that it has.
pub(super) async fn put_back(job: &Job, stack: Stack) -> Result<bool, Failure> {
    let (place, name) = (stack.place(), stack.name(&job.facts.config.name));
    let Some(seen) = job.world.stacks.find(place, &name).await? else { return Ok(false) };
    if !seen.protected {
        job.world.stacks.protect(place, &name, true).await?;
    }
    let body = job.world.stacks.template(place, &name).await?;
    let mut proposal = proposal_of(job, stack, seen.parameters.clone(), body)?;
    proposal.mode = Mode::RevertDrift;
    shield::seal(job, stack, &mut proposal, Some(&seen)).await?;
    Ok(change(job, stack, &seen, proposal).await? || !seen.protected)
}

/// Lets a stack's data be deleted with it, which its template otherwise forbids.
async fn unlock(job: &Job, stack: Stack, seen: &StackSeen) -> Result<(), Failure> {
    let Some(rendered) = job.rendered.get(&stack) else { return Ok(()) };
    let mut parameters = seen.parameters.clone();
    parameters.retain(|name, _| rendered.parameters.contains(name));
    parameters.extend(catalog::kept_values(stack, Some(seen)));
    let proposal = proposal(job, stack, parameters)?;
    let Err(failure) = change(job, stack, seen, proposal).await else { return Ok(()) };
    // The status may be older than the stack's deletion; a deleted stack has no lock.
    let after = job.world.stacks.find(stack.place(), &seen.arn).await?;
    match after.map(|after| after.status) {
        None | Some(StackStatus::Gone) => Ok(()),
        Some(_) => Err(failure),
    }
}

/// Works out an update, has policy look at it, and runs it.
async fn change(
    job: &Job,
    stack: Stack,
    seen: &StackSeen,
    proposal: Proposal,
) -> Result<bool, Failure> {
    let mut second = SecondTry::default();
    loop {
        let Some(change_set) = job.world.stacks.propose(&proposal).await? else {
            job.learn(stack, seen.outputs.clone());
            return Ok(false);
        };
        check_refused(job, stack, &change_set).await?;
        let watch = Watch::from(job, stack, seen).await?;
        job.world.stacks.apply(&change_set).await?;
        let after = settle(job, stack, &seen.arn, watch).await?;
        let back = after.as_ref().is_some_and(|after| after.code == "UPDATE_ROLLBACK_COMPLETE");
        let Err(ended) = finished(job, stack, after, "UPDATE_COMPLETE").await else {
            return Ok(true);
        };
        if !back || !second.granted(job, stack, &ended).await {
            return Err(ended.failure);
        }
    }
}

/// Throws an update away that would replace or remove what holds data, unless it was named.
async fn check_refused(job: &Job, stack: Stack, change_set: &ChangeSet) -> Result<(), Failure> {
    let is_refused = |change: &&Change| plan::refuses(stack, change, &job.named);
    let refused: Vec<&Change> = change_set.changes.iter().filter(is_refused).collect();
    if !refused.is_empty() {
        let name = &change_set.stack;
        let what: Vec<String> =
            refused.iter().map(|change| format!("{} ({})", change.resource, change.kind)).collect();
        let flags: Vec<String> =
            refused.iter().map(|change| format!("--replace {stack}.{}", change.resource)).collect();
        job.world.stacks.discard(change_set).await?;
        let message = format!("the update of `{name}` would replace or remove {}", what.join(", "));
        return Err(Failure::new(Kind::Refused, message).help(format!(
            "nothing of this stack was changed; what it holds can't be brought back. If it may \
             go, say so with {}",
            flags.join(" ")
        )));
    }
    Ok(())
}

/// Previews an update and changes nothing. `false` where inputs are not known yet.
pub async fn preview(job: &Job, stack: Stack) -> Result<bool, Failure> {
    let Ok(mut inputs) = inputs(job, stack) else { return Ok(false) };
    let seen = job.world.stacks.find(stack.place(), &stack.name(&job.facts.config.name)).await?;
    inputs.extend(catalog::kept_values(stack, seen.as_ref()));
    let mut proposal = proposal(job, stack, inputs)?;
    shield::seal_preview(stack, &mut proposal)?;
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
    let watch = Watch::from(job, stack, seen).await?;
    job.world.stacks.delete(place, &name).await?;
    let Some(after) = settle(job, stack, &seen.arn, watch).await? else { return Ok(()) };
    if after.status == StackStatus::Gone {
        return Ok(());
    }
    Err(broken(job, stack, &after, "could not be removed").await.failure)
}

fn inputs(job: &Job, stack: Stack) -> Result<BTreeMap<String, String>, Failure> {
    let mut values = catalog::constants(stack);
    for input in catalog::inputs(stack) {
        values.insert(input.parameter.to_owned(), job.output(input.stack, input.output)?);
    }
    Ok(values)
}

/// The logical id that the function's version has, or would have, in the API's stack now.
pub(super) fn version_id(job: &Job) -> Option<String> {
    let rendered = job.rendered.get(&Stack::Api)?;
    let body = render::pin_version(&rendered.body, &inputs(job, Stack::Api).ok()?).ok()?;
    render::version_id(&body)
}

fn proposal(job: &Job, stack: Stack, parameters: Outputs) -> Result<Proposal, Failure> {
    let rendered = job
        .rendered
        .get(&stack)
        .ok_or_else(|| Failure::bug(format!("the stack `{stack}` was not rendered")))?;
    let body = render::pin_version(&rendered.body, &parameters).map_err(|error| {
        Failure::bug(format!("the template of `{stack}`")).cause(error.to_string())
    })?;
    proposal_of(job, stack, parameters, body)
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
        secrets: BTreeMap::new(),
        tags: catalog::tags(galaxy),
        role,
        mode: Mode::Plain,
        // What comes next works with the role in it, so that has to be known everywhere.
        express: stack != Stack::Bootstrap,
        token: None,
    })
}

/// Brings a stack back to what it was before an update that failed.
async fn recover(job: &Job, stack: Stack, seen: &StackSeen) -> Result<(), Failure> {
    let watch = Watch::from(job, stack, seen).await?;
    job.world.stacks.recover(stack.place(), seen).await?;
    let after = settle(job, stack, &seen.arn, watch).await?;
    Ok(finished(job, stack, after, "UPDATE_ROLLBACK_COMPLETE").await?)
}

fn leaving(name: &str) -> Failure {
    let message = format!("the stack `{name}` holds data, and its deletion has started");
    Failure::new(Kind::Refused, message)
        .cause("its removal ended in DELETE_FAILED")
        .help("`spaceduck teardown` finishes the removal; then run `spaceduck install`")
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
        .help("another operation is in progress; run the command again when it is done")
}
