//! What is wanted, against what is there → what to do. Pure; a plan is data.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use galaxy_sites::Site;

use crate::catalog;
use crate::event::PlannedStep;
use crate::model::{Front, Part, Stack, StackStatus};
use crate::ports::Stranger;
use crate::render::Rendered;

mod absent;
mod before;
mod claim;
mod current;
mod domains;
mod observed;
mod policy;
mod records;
mod shield;
mod times;

pub use current::{is_current, resolve};
pub use observed::{Observed, SecretSeen, ShieldSeen};
pub use policy::refuses;
use times::{propagation, stack_time};

/// What a command wants of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// This release, here.
    Present,
    /// An earlier release, here: function and sites, first of all.
    Back,
    /// The installed release, unchanged.
    Repair,
    /// Nothing, here.
    Absent,
    /// Only the data, here: everything else goes, and a later installation takes it up again.
    DataOnly,
}

/// One step; the name by which others wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepId {
    /// The galaxy gets its record, before anything else.
    Claim,
    /// A stack is brought to its desired state.
    Stack(Stack),
    /// The function's code is put into the artifact bucket.
    Code,
    /// Turnstile's secret is stored or removed.
    Secret,
    /// A site's files are put into its bucket.
    Publish(Site),
    /// The sites learn each other's addresses, and what is installed is written down.
    Release,
    /// Where a roll-back goes is written down, so that the next run goes there too.
    Begin,
    /// The data is kept safe before something is changed that works on it.
    Backup,
    /// The data is written into a file before it goes.
    Export,
    /// Callers get the function's version of an earlier release.
    Alias,
    /// The API is probed from outside.
    Probe,
    /// A roll-back is over.
    End,
    /// The API is probed through its shield, and every edge location has that.
    Shield,
    /// Calls that come past the shield are refused from now on.
    ShieldOnly,
    /// A site is probed from outside, and every edge location has it.
    Edge(Site),
    /// A certificate is requested.
    Certificate(Front),
    /// Certificates that nothing needs are removed.
    Certificates,
    /// Records are made in Route 53.
    Record(Part),
    /// Records that this galaxy has made are removed.
    Records,
    /// The galaxy's record is deleted, after everything on it.
    Disclaim,
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stack(stack) => write!(f, "stack {stack}"),
            Self::Code => f.write_str("lambda code"),
            Self::Secret => f.write_str("turnstile secret"),
            Self::Publish(site) => write!(f, "publish {}", site.name()),
            Self::Release => f.write_str("release"),
            Self::Begin => f.write_str("beginning"),
            Self::End => f.write_str("end"),
            Self::Backup => f.write_str("backup"),
            Self::Export => f.write_str("export"),
            Self::Alias => f.write_str("live version"),
            Self::Probe => f.write_str("probe"),
            Self::Shield => f.write_str("shield"),
            Self::ShieldOnly => f.write_str("shield only"),
            Self::Edge(site) => write!(f, "edge {}", site.name()),
            Self::Certificate(front) => write!(f, "certificate {front}"),
            Self::Certificates => f.write_str("certificates"),
            Self::Record(part) => write!(f, "records {part}"),
            Self::Records => f.write_str("records"),
            Self::Claim => f.write_str("galaxy record"),
            Self::Disclaim => f.write_str("galaxy record, at last"),
        }
    }
}

/// What a step will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make something that is not there.
    Create,
    /// Make a stack around what outlived it; with what that is.
    Import(String),
    /// Change what is there.
    Update,
    /// Remove what is left of a failed attempt and create it again; with the status found.
    Recreate(String),
    /// Bring it back from an update that failed, then change it; with the status found.
    Recover(String),
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
            Self::Import(what) => format!("create around {what}"),
            Self::Update => "update".into(),
            Self::Recreate(code) => format!("recreate, it is {code}"),
            Self::Recover(code) => format!("bring back, it is {code}"),
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
    /// What it will do, as far as that is known beforehand.
    pub action: Action,
    /// What has to be done before.
    pub after: Vec<StepId>,
    /// How many resources it has, where it is a stack.
    pub resources: Option<usize>,
    /// How long it will take by itself; an estimate.
    pub time: Duration,
}

/// Everything that will be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What is wanted.
    pub goal: Goal,
    /// The steps, each behind those it waits for.
    pub steps: Vec<Step>,
    /// What forbids it: it has a name of the galaxy and is not provably its own. With any, nothing
    /// is done.
    pub refused: Vec<Stranger>,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Keep)
    }

    /// With the data written into a file before it goes, where there is any.
    #[must_use]
    pub fn with_export(mut self) -> Self {
        absent::export(&mut self.steps);
        self
    }

    /// The steps as an event carries them.
    #[must_use]
    pub fn to_steps(&self) -> Vec<PlannedStep> {
        let planned = |step: &Step| PlannedStep {
            step: step.id.to_string(),
            action: step.action.word(),
            resources: step.resources,
            seconds: step.time.as_secs(),
        };
        self.steps.iter().map(planned).collect()
    }
}

/// Plans a goal. `rendered` has every stack that is wanted.
#[must_use]
pub fn plan(goal: Goal, observed: &Observed, rendered: &BTreeMap<Stack, Rendered>) -> Plan {
    let steps = match goal {
        Goal::Present => present(observed, rendered),
        Goal::Back => back(observed, rendered),
        // Repairs are not planned here: drift plans them from its findings.
        Goal::Repair => Vec::new(),
        Goal::Absent => absent::steps(observed, rendered, false),
        Goal::DataOnly => absent::steps(observed, rendered, true),
    };
    // A removal leaves strangers alone; everything else would run into them.
    let leaves = matches!(goal, Goal::Absent | Goal::DataOnly);
    let refused = if leaves { Vec::new() } else { observed.strangers.clone() };
    Plan { goal, steps: claim::around(goal, observed, steps), refused }
}

fn present(observed: &Observed, rendered: &BTreeMap<Stack, Rendered>) -> Vec<Step> {
    let mut steps = Vec::new();
    for stack in Stack::all() {
        let Some(rendered) = rendered.get(&stack) else {
            steps.extend(domains::unwanted(stack, observed));
            continue;
        };
        let action = stack_action(stack, observed, rendered);
        if stack == Stack::Api {
            let kept = observed.code_stored && !is_made(&steps, Stack::Bootstrap);
            let action = if kept { Action::Keep } else { Action::Create };
            steps.push(Step::new(StepId::Code, action, vec![StepId::Stack(Stack::Bootstrap)]));
        }
        let time = stack_time(&action, rendered);
        let mut after = before::stack(stack);
        if needs_backup(stack, &action) {
            after.push(StepId::Backup);
            if !steps.iter().any(|step| step.id == StepId::Backup) {
                let before = vec![StepId::Stack(Stack::Bootstrap)];
                steps.push(Step::new(StepId::Backup, Action::Create, before));
            }
        }
        let mut step = Step::new(StepId::Stack(stack), action, after);
        (step.resources, step.time) = (Some(rendered.resources.len()), time);
        steps.push(step);
    }
    let secret = match observed.secret {
        SecretSeen::Missing => Action::Create,
        SecretSeen::Outdated => Action::Update,
        SecretSeen::None | SecretSeen::Stored => Action::Keep,
    };
    // Its fingerprint goes into the artifact bucket.
    steps.push(Step::new(StepId::Secret, secret, vec![StepId::Stack(Stack::Bootstrap)]));
    for site in Site::ALL {
        let action = match (observed.published.contains(&site), is_made(&steps, Stack::Site(site)))
        {
            (_, true) => Action::Create,
            (true, false) => Action::Keep,
            (false, false) => Action::Update,
        };
        let after = vec![StepId::Stack(Stack::Site(site))];
        steps.push(Step::new(StepId::Publish(site), action, after));
    }
    let front = shield::before(&mut steps, observed, rendered);
    let kept = steps.iter().all(|step| step.action == Action::Keep) && observed.released;
    let unless_kept = |action| if kept { Action::Keep } else { action };
    let mut after: Vec<StepId> = Site::ALL.into_iter().map(StepId::Publish).collect();
    after.push(StepId::Stack(Stack::Api));
    after.extend(front);
    steps.push(Step::new(StepId::Release, unless_kept(Action::Create), after));
    let after = vec![StepId::Release, StepId::Secret];
    steps.push(Step::new(StepId::Probe, unless_kept(Action::Check), after));
    for site in Site::ALL {
        let after = vec![StepId::Publish(site)];
        let mut step = Step::new(StepId::Edge(site), unless_kept(Action::Check), after);
        let created = |step: &&Step| {
            step.id == StepId::Stack(Stack::Site(site)) && step.action == Action::Create
        };
        if let (Some(rendered), true) =
            (rendered.get(&Stack::Site(site)), steps.iter().any(|step| created(&step)))
        {
            step.time = propagation(rendered, step.time);
        }
        steps.push(step);
    }
    shield::after(&mut steps, observed);
    domains::present(&mut steps, observed);
    records::present(&mut steps, observed);
    steps
}

/// Whether the data has to be safe before a stack is changed: it holds the data, or the code that
/// works on it.
fn needs_backup(stack: Stack, action: &Action) -> bool {
    let works_on_it = catalog::keeps_data(stack) || stack == Stack::Api;
    works_on_it && matches!(action, Action::Update | Action::Recover(_))
}

/// Going back: first what callers see, then the stack, which catches up.
fn back(observed: &Observed, rendered: &BTreeMap<Stack, Rendered>) -> Vec<Step> {
    let begin = vec![StepId::Begin];
    let mut steps = vec![
        Step::new(StepId::Begin, Action::Create, Vec::new()),
        Step::new(StepId::Alias, Action::Update, begin.clone()),
    ];
    for site in Site::ALL {
        let there = observed.published.contains(&site);
        let action = if there { Action::Keep } else { Action::Update };
        steps.push(Step::new(StepId::Publish(site), action, begin.clone()));
    }
    let after = steps.iter().map(|step| step.id).collect();
    steps.push(Step::new(StepId::Release, Action::Create, after));
    steps.push(Step::new(StepId::Probe, Action::Check, vec![StepId::Release]));
    if let Some(rendered) = rendered.get(&Stack::Api) {
        let action = stack_action(Stack::Api, observed, rendered);
        let time = stack_time(&action, rendered);
        let mut step = Step::new(StepId::Stack(Stack::Api), action, vec![StepId::Probe]);
        (step.resources, step.time) = (Some(rendered.resources.len()), time);
        steps.push(step);
    }
    let all = steps.iter().map(|step| step.id).collect();
    steps.push(Step::new(StepId::End, Action::Remove, all));
    steps
}

impl Step {
    /// What it takes over, if it makes a stack around something.
    #[must_use]
    pub fn imports(&self) -> Option<&str> {
        match &self.action {
            Action::Import(what) => Some(what),
            _ => None,
        }
    }

    /// A step that is no stack.
    #[must_use]
    pub fn new(id: StepId, action: Action, after: Vec<StepId>) -> Self {
        let time = Duration::from_secs(match (&action, id) {
            (Action::Keep, _) => 0,
            (_, StepId::Code) => 5,
            (_, StepId::Publish(_) | StepId::Release | StepId::Backup | StepId::Export) => 3,
            _ => 1,
        });
        Self { id, action, after, resources: None, time }
    }
}

/// Whether a stack will be recreated, or may be, and its bucket with it.
fn is_made(steps: &[Step], stack: Stack) -> bool {
    let made = |step: &Step| {
        let action = &step.action;
        matches!(
            action,
            Action::Create | Action::Import(_) | Action::Recreate(_) | Action::Attach(_)
        )
    };
    steps.iter().any(|step| step.id == StepId::Stack(stack) && made(step))
}

fn stack_action(stack: Stack, observed: &Observed, rendered: &Rendered) -> Action {
    let Some(seen) = observed.stacks.get(&stack) else {
        let left = observed.retained.iter().filter(|left| left.stack == stack);
        let left: Vec<&str> = left.map(|left| left.what.as_str()).collect();
        return if left.is_empty() { Action::Create } else { Action::Import(left.join(", ")) };
    };
    match &seen.status {
        StackStatus::Gone => Action::Create,
        StackStatus::Dead(code) | StackStatus::Leaving(code) => Action::Recreate(code.clone()),
        StackStatus::Moving(code) => Action::Attach(code.clone()),
        StackStatus::Ready => {
            let outputs = observed.stacks.iter().map(|(stack, seen)| (*stack, &seen.outputs));
            let inputs = resolve(stack, &outputs.collect());
            match inputs {
                Some(inputs) if is_current(seen, rendered, &inputs) => Action::Keep,
                _ => Action::Update,
            }
        }
        StackStatus::Stuck(code) => Action::Recover(code.clone()),
        StackStatus::Other(_) => Action::Update,
    }
}

#[cfg(test)]
mod tests;
