//! The only ordering of effects: every step whose inputs are ready runs.
//!
//! A step looks before it acts, so running a plan again after an interruption resumes where the
//! last run stopped. There are no questions here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::catalog::{Code, Facts};
use crate::event::{Event, Events, StepState};
use crate::failure::{Failure, Kind};
use crate::files::Target;
use crate::identity;
use crate::model::{AccountId, Outputs, Region, Secret, Stack};
use crate::plan::{Action, Goal, Plan, Step, StepId};
use crate::ports::World;
use crate::release::Manifest;
use crate::render::Rendered;
use crate::site::Files;

mod again;
mod data;
mod domains;
mod effects;
mod held;
mod mail_identity;
mod probe;
mod records;
mod shield;
mod stacks;
mod standing;
mod watch;

pub use data::{source, tell_what_is_gone, to_file};
pub(crate) use domains::site_hosts;
pub(crate) use effects::{digest, known_site_config, release_id};
pub use mail_identity::{IDENTITY, owned as owned_identity};
pub use probe::{known_urls, unknown_urls, urls};
pub use stacks::preview;
pub use standing::standing;

/// Everything the steps need.
pub struct Job {
    /// The doors to the world.
    pub world: World,
    /// Where events go.
    pub events: Events,
    /// What is known of the galaxy.
    pub facts: Facts,
    /// The account.
    pub account: AccountId,
    /// The home Region.
    pub home: Region,
    /// The templates: as desired, or, for a teardown, in a form that can be deleted.
    pub rendered: BTreeMap<Stack, Rendered>,
    /// The function's zip with its digest; a removal needs none.
    pub code: Option<(Code, Arc<[u8]>)>,
    /// Turnstile's secret, where one was given.
    pub secret: Option<Secret>,
    /// Where the sites' files come from.
    pub pages: Pages,
    /// The files of this program's release.
    pub files: Files,
    /// Where the data is written to before it is removed.
    pub export: Option<Target>,
    /// Protected resources that may be replaced or removed, as `STACK.RESOURCE`.
    pub named: BTreeSet<String>,
    /// The stacks' outputs so far.
    pub outputs: Mutex<BTreeMap<Stack, Outputs>>,
}

/// Where the sites' files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pages {
    /// From this program.
    Program,
    /// From the artifact bucket, as an earlier release left them.
    Record(Box<Manifest>),
}

/// Why a plan was not carried out to its end.
#[derive(Debug)]
pub struct Broken {
    /// The step that failed first, where one did.
    pub step: Option<StepId>,
    /// What went wrong.
    pub failure: Failure,
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self { step: None, failure }
    }
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        broken.failure
    }
}

impl Job {
    /// An output of a stack that is done.
    pub fn output(&self, stack: Stack, name: &str) -> Result<String, Failure> {
        let outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        outputs
            .get(&stack)
            .and_then(|outputs| outputs.get(name))
            .cloned()
            .ok_or_else(|| missing(&stack.name(&self.facts.config.name), name))
    }

    /// The stacks of which something is known.
    fn known_stacks(&self) -> Vec<Stack> {
        let outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        outputs.keys().copied().collect()
    }

    pub(crate) fn learn(&self, stack: Stack, outputs: Outputs) {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner).insert(stack, outputs);
    }

    fn say(&self, step: StepId, state: StepState, took: Option<Duration>, detail: Option<String>) {
        let millis = took.and_then(|took| u64::try_from(took.as_millis()).ok());
        self.events.emit(Event::Step { step: step.to_string(), state, millis, detail });
    }
}

/// A stack that was deleted, is half removed or still in progress has no outputs.
fn missing(stack: &str, output: &str) -> Failure {
    let message = format!("the stack `{stack}` is missing or incomplete");
    Failure::new(Kind::Refused, message)
        .cause(format!("it has no output `{output}`"))
        .help("`spaceduck drift` shows what is missing; `spaceduck install` brings it back")
}

/// Runs a plan. After a failure nothing new is started; what runs is waited for. A step that has
/// to wait for AWS holds up only those that need it.
pub async fn run(plan: &Plan, job: &Arc<Job>) -> Result<(), Broken> {
    if !plan.refused.is_empty() {
        return Err(identity::refused(&job.facts.config.name, &plan.refused).into());
    }
    let taken: Vec<&str> = plan.steps.iter().filter_map(Step::imports).collect();
    if !taken.is_empty() {
        job.world.ownership.consent(&taken).await?;
    }
    if matches!(plan.goal, Goal::Back | Goal::Repair) {
        job.world.ownership.begin().await?;
    }
    let mut waiting = plan.steps.clone();
    let mut done: BTreeSet<StepId> = BTreeSet::new();
    let mut held: Vec<(StepId, Failure)> = Vec::new();
    let mut running = JoinSet::new();
    let mut first: Option<Broken> = None;
    loop {
        if first.is_none() {
            let is_ready = |after: &[StepId]| after.iter().all(|id| done.contains(id));
            let (ready, rest) = waiting.into_iter().partition(|step| is_ready(&step.after));
            waiting = rest;
            let ready: Vec<Step> = ready;
            for step in ready {
                let (job, goal) = (Arc::clone(job), plan.goal);
                running
                    .spawn(async move { (step.id, one(&job, goal, step.id, &step.action).await) });
            }
        }
        let Some(joined) = running.join_next().await else { break };
        match joined {
            Ok((id, Ok(()))) => {
                done.insert(id);
            }
            Ok((id, Err(failure))) if failure.kind == Kind::Waiting => held.push((id, failure)),
            Ok((id, Err(failure))) => {
                first.get_or_insert(Broken { step: Some(id), failure });
            }
            Err(error) => {
                let failure = Failure::bug("a step broke off").cause(error.to_string());
                first.get_or_insert(Broken { step: None, failure });
            }
        }
    }
    let failure = Failure::bug("the plan waits for a step that it does not have");
    match first {
        Some(broken) => Err(broken),
        None if !held.is_empty() => Err(held::end(job, held, &done).await),
        None if waiting.is_empty() => Ok(()),
        None => Err(Broken { step: None, failure }),
    }
}

async fn one(job: &Arc<Job>, goal: Goal, id: StepId, action: &Action) -> Result<(), Failure> {
    let begin = job.world.clock.elapsed();
    if *action != Action::Keep {
        job.say(id, StepState::Running, None, None);
    }
    let result = match (goal, id) {
        (_, StepId::Claim) => job.world.ownership.begin().await,
        (_, StepId::Disclaim) => job.world.ownership.end().await,
        (Goal::Repair, StepId::Stack(stack)) => stacks::put_back(job, stack).await,
        (Goal::Repair, StepId::Publish(site)) => effects::restore(job, site).await,
        (Goal::Repair, StepId::Release) => effects::record_anew(job).await,
        (_, StepId::Stack(stack)) if *action == Action::Remove => {
            stacks::take_down(job, stack, action).await
        }
        (Goal::Present | Goal::Back, StepId::Stack(stack)) => stacks::bring_up(job, stack).await,
        (Goal::Absent | Goal::DataOnly, StepId::Stack(stack)) => {
            stacks::take_down(job, stack, action).await
        }
        (Goal::Present | Goal::Back | Goal::Repair, StepId::Secret) => {
            effects::store_secret(job, action).await
        }
        (Goal::Absent | Goal::DataOnly, StepId::Secret) => {
            effects::remove_secret(job, action).await
        }
        (_, StepId::Backup) => data::back_up(job).await,
        (_, StepId::Export) => data::export(job).await,
        (_, StepId::Code) => effects::store_code(job, action).await,
        (_, StepId::Publish(site)) => effects::publish(job, site, action).await,
        (_, StepId::Begin) => effects::begin_back(job).await,
        (_, StepId::End) => effects::end_back(job).await,
        (_, StepId::Alias) => effects::point_back(job).await,
        (_, StepId::Release) => effects::release(job, action).await,
        (_, StepId::Probe) => probe::api(job, action).await,
        (_, StepId::Shield) => probe::shield(job, action).await,
        (_, StepId::ShieldOnly) => shield::close(job, action).await,
        (_, StepId::Edge(site)) => probe::site(job, site, action).await,
        (_, StepId::Certificate(front)) => domains::request(job, front, action).await,
        (Goal::Absent | Goal::DataOnly, StepId::Certificates) => {
            domains::remove_all(job, action).await
        }
        (_, StepId::Certificates) => domains::sweep(job, action).await,
        (_, StepId::Record(part)) => records::make(job, goal, part, action).await,
        (Goal::Absent | Goal::DataOnly, StepId::Records) => {
            records::remove_all(job, goal, action).await
        }
        (_, StepId::Records) => records::sweep(job, action).await,
    };
    let took = Some(job.world.clock.elapsed().saturating_sub(begin));
    match &result {
        Ok(true) => job.say(id, StepState::Done, took, None),
        Ok(false) => job.say(id, StepState::Unchanged, took, None),
        Err(failure) => job.say(id, StepState::Failed, took, Some(failure.message().to_owned())),
    }
    result.map(|_| ())
}
