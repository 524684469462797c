//! What is wanted, against what is there → what to do. Pure; a plan is data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use galaxy_sites::Site;

use crate::catalog;
use crate::event::PlannedStep;
use crate::model::{Outputs, Stack, StackSeen, StackStatus};
use crate::ports::{Change, ChangeAction};
use crate::render::{DIGEST_OUTPUT, Rendered};

/// What a command wants of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// This release, here.
    Present,
    /// Nothing, here.
    Absent,
}

/// One step; the name by which others wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepId {
    /// A stack is brought to what it is to be.
    Stack(Stack),
    /// The function's code is put into the artifact bucket.
    Code,
    /// Turnstile's secret is stored or removed.
    Secret,
    /// A site's files are put into its bucket.
    Publish(Site),
    /// The sites learn each other's addresses, and what is installed is written down.
    Release,
    /// API and sites are asked from outside.
    Probe,
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stack(stack) => write!(f, "stack {stack}"),
            Self::Code => f.write_str("lambda code"),
            Self::Secret => f.write_str("turnstile secret"),
            Self::Publish(site) => write!(f, "publish {}", site.name()),
            Self::Release => f.write_str("release"),
            Self::Probe => f.write_str("probe"),
        }
    }
}

/// What a step will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make something that is not there.
    Create,
    /// Change what is there.
    Update,
    /// Remove what is left of a failed attempt and make it anew; with the status found.
    Recreate(String),
    /// Wait for what is already going on, then look again; with the status found.
    Attach(String),
    /// Take it away.
    Remove,
    /// Ask it from outside.
    Check,
    /// Nothing.
    Keep,
}

impl Action {
    fn word(&self) -> String {
        match self {
            Self::Create => "create".into(),
            Self::Update => "update".into(),
            Self::Recreate(code) => format!("create anew, it is {code}"),
            Self::Attach(code) => format!("wait for it, it is {code}"),
            Self::Remove => "remove".into(),
            Self::Check => "check".into(),
            Self::Keep => "keep".into(),
        }
    }
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub id: StepId,
    /// What it will do as far as can be told beforehand.
    pub action: Action,
    /// What has to be done before.
    pub after: Vec<StepId>,
    /// How many resources it has, where it is a stack.
    pub resources: Option<usize>,
}

/// Everything that will be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What is wanted.
    pub goal: Goal,
    /// The steps, each behind those it waits for.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Keep)
    }

    /// The steps as an event carries them.
    #[must_use]
    pub fn to_steps(&self) -> Vec<PlannedStep> {
        let planned = |step: &Step| PlannedStep {
            step: step.id.to_string(),
            action: step.action.word(),
            resources: step.resources,
        };
        self.steps.iter().map(planned).collect()
    }
}

/// What was found in the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The stacks that are there.
    pub stacks: BTreeMap<Stack, StackSeen>,
    /// Buckets that are there, whether their stack is or not.
    pub buckets: BTreeSet<Stack>,
    /// Whether the function's code is in the artifact bucket.
    pub code_stored: bool,
    /// The Turnstile secret.
    pub secret: SecretSeen,
    /// Whether the hosts of captchas are stored.
    pub hostnames: bool,
    /// Sites whose files are as they are to be.
    pub published: BTreeSet<Site>,
    /// Whether what is installed is written down as this release.
    pub released: bool,
}

/// What was found of the Turnstile secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretSeen {
    /// None is stored, and none was given.
    #[default]
    None,
    /// None is stored, and one was given.
    Missing,
    /// One is stored, and no other one was given.
    Stored,
    /// One is stored, and another one was given.
    Outdated,
}

impl SecretSeen {
    /// Whether one is stored.
    #[must_use]
    pub fn is_stored(self) -> bool {
        matches!(self, Self::Stored | Self::Outdated)
    }
}

/// Plans a goal. `rendered` has every stack that is wanted.
#[must_use]
pub fn plan(goal: Goal, observed: &Observed, rendered: &BTreeMap<Stack, Rendered>) -> Plan {
    let steps = match goal {
        Goal::Present => present(observed, rendered),
        Goal::Absent => absent(observed),
    };
    Plan { goal, steps }
}

fn present(observed: &Observed, rendered: &BTreeMap<Stack, Rendered>) -> Vec<Step> {
    let step = |id, action, after| Step { id, action, after, resources: None };
    let mut steps = Vec::new();
    for stack in Stack::all() {
        let Some(rendered) = rendered.get(&stack) else { continue };
        let action = stack_action(stack, observed, rendered);
        let after = before_stack(stack);
        let resources = Some(rendered.resources);
        if stack == Stack::Api {
            let action = if observed.code_stored { Action::Keep } else { Action::Create };
            steps.push(step(StepId::Code, action, vec![StepId::Stack(Stack::Bootstrap)]));
        }
        steps.push(Step { id: StepId::Stack(stack), action, after, resources });
    }
    let secret = match observed.secret {
        SecretSeen::Missing => Action::Create,
        SecretSeen::Outdated => Action::Update,
        SecretSeen::None | SecretSeen::Stored => Action::Keep,
    };
    steps.push(step(StepId::Secret, secret, Vec::new()));
    for site in Site::ALL {
        let fresh = !observed.stacks.contains_key(&Stack::Site(site));
        let action = match (observed.published.contains(&site), fresh) {
            (true, _) => Action::Keep,
            (false, true) => Action::Create,
            (false, false) => Action::Update,
        };
        let after = vec![StepId::Stack(Stack::Site(site))];
        steps.push(step(StepId::Publish(site), action, after));
    }
    let kept = steps.iter().all(|step| step.action == Action::Keep) && observed.released;
    let mut after: Vec<StepId> = Site::ALL.into_iter().map(StepId::Publish).collect();
    after.push(StepId::Stack(Stack::Api));
    let action = if kept { Action::Keep } else { Action::Create };
    steps.push(step(StepId::Release, action, after));
    let action = if kept { Action::Keep } else { Action::Check };
    steps.push(step(StepId::Probe, action, vec![StepId::Release, StepId::Secret]));
    steps
}

fn before_stack(stack: Stack) -> Vec<StepId> {
    match stack {
        Stack::Bootstrap => Vec::new(),
        Stack::Api => {
            let mut after = vec![StepId::Code];
            for input in catalog::inputs(stack) {
                if !after.contains(&StepId::Stack(input.stack)) {
                    after.push(StepId::Stack(input.stack));
                }
            }
            after
        }
        // The role that CloudFormation works with comes from there.
        _ => vec![StepId::Stack(Stack::Bootstrap)],
    }
}

fn stack_action(stack: Stack, observed: &Observed, rendered: &Rendered) -> Action {
    let Some(seen) = observed.stacks.get(&stack) else { return Action::Create };
    match &seen.status {
        StackStatus::Gone => Action::Create,
        StackStatus::Dead(code) => Action::Recreate(code.clone()),
        StackStatus::Moving(code) => Action::Attach(code.clone()),
        StackStatus::Ready => {
            let outputs = observed.stacks.iter().map(|(stack, seen)| (*stack, &seen.outputs));
            let inputs = resolve(stack, &outputs.collect());
            match inputs {
                Some(inputs) if is_current(seen, rendered, &inputs) => Action::Keep,
                _ => Action::Update,
            }
        }
        StackStatus::Stuck(_) | StackStatus::Other(_) => Action::Update,
    }
}

/// The values that other stacks give, if all of them are known.
#[must_use]
pub fn resolve(
    stack: Stack,
    outputs: &BTreeMap<Stack, &Outputs>,
) -> Option<BTreeMap<String, String>> {
    let value = |input: catalog::Input| {
        let value = outputs.get(&input.stack)?.get(input.output)?.clone();
        Some((input.parameter.to_owned(), value))
    };
    catalog::inputs(stack).into_iter().map(value).collect()
}

/// Whether a stack already is what this template and these values would make of it.
#[must_use]
pub fn is_current(
    seen: &StackSeen,
    rendered: &Rendered,
    inputs: &BTreeMap<String, String>,
) -> bool {
    seen.outputs.get(DIGEST_OUTPUT) == Some(&rendered.digest) && seen.parameters == *inputs
}

fn absent(observed: &Observed) -> Vec<Step> {
    let there = |stack: &Stack| {
        let stands = observed.stacks.get(stack).is_some_and(|s| s.status != StackStatus::Gone);
        stands || observed.buckets.contains(stack)
    };
    let remove = |id, after, there| Step {
        id,
        action: if there { Action::Remove } else { Action::Keep },
        after,
        resources: None,
    };
    let users: Vec<StepId> = Stack::all()
        .into_iter()
        .filter(|stack| matches!(stack, Stack::Api | Stack::Site(_)))
        .map(StepId::Stack)
        .collect();
    let api = vec![StepId::Stack(Stack::Api)];
    let mut steps = Vec::new();
    for id in &users {
        if let StepId::Stack(stack) = id {
            steps.push(remove(*id, Vec::new(), there(stack)));
        }
    }
    steps.push(remove(
        StepId::Secret,
        api.clone(),
        observed.secret.is_stored() || observed.hostnames,
    ));
    for stack in [Stack::Mail, Stack::Auth, Stack::Data] {
        steps.push(remove(StepId::Stack(stack), api.clone(), there(&stack)));
    }
    // Last: CloudFormation removes all others with the role that lives here.
    let all = steps.iter().map(|step| step.id).collect();
    let bootstrap = Stack::Bootstrap;
    steps.push(remove(StepId::Stack(bootstrap), all, there(&bootstrap)));
    steps
}

/// Types that hold what a person can't get back, or whose id other people have written down.
const PROTECTED: [&str; 8] = [
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::Cognito::UserPool",
    "AWS::S3::Bucket",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudFront::Distribution",
    "AWS::SES::EmailIdentity",
];

/// The changes of a change set that policy refuses: replacing or removing what is protected.
#[must_use]
pub fn refused(changes: &[Change]) -> Vec<&Change> {
    let destroys = |change: &&Change| {
        let action = matches!(change.action, ChangeAction::Replace | ChangeAction::Remove);
        action && PROTECTED.contains(&change.kind.as_str())
    };
    changes.iter().filter(destroys).collect()
}

#[cfg(test)]
mod tests;
