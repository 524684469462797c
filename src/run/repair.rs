//! `spaceduck repair`: puts back what has drifted, or keeps it on purpose.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::home::Home;
use super::life::RELEASE;
use super::look::{self, Look};
use super::{ask, drift as command, life};
use crate::cli::{Repair, Shared};
use crate::drift::{self, Finding};
use crate::event::{Event, Events, Outcome, PlannedStep, StepState};
use crate::execute::{self, Job};
use crate::failure::{Failure, Kind};
use crate::model::Stack;
use crate::plan::{Goal, Plan};
use crate::ports::Extra;

/// How often putting one thing back may make another one visible, such as the pages of a stack
/// that came back.
const ROUNDS: usize = 4;

pub(super) async fn repair(shared: &Shared, wish: &Repair, events: &Events) -> Result<(), Failure> {
    let (home, look) = look::look("repair", shared, events).await?;
    with(&home, look, (shared, wish), events).await
}

/// Repairs what a look has found.
pub(super) async fn with(
    home: &Home,
    look: Look,
    (shared, wish): (&Shared, &Repair),
    events: &Events,
) -> Result<(), Failure> {
    let found = command::findings(&look).await?;
    if wish.keep {
        return keep(shared, wish, (&look, &found), events).await;
    }
    let wanted: Vec<&Finding> =
        found.iter().filter(|finding| drift::is_wanted(finding, &wish.items)).collect();
    for finding in &wanted {
        command::tell(events, finding);
    }
    let finish = |outcome, next| events.emit(Event::Finished { outcome, urls: vec![], next });
    let work = Work { home, shared, items: &wish.items };
    let Some(doable) = work.next(&look, &found).await? else {
        if wanted.is_empty() && wish.items.is_empty() {
            finish(Outcome::Unchanged, vec![]);
            return Ok(());
        }
        return Err(nothing(wish, &wanted, &look));
    };
    // How long it takes depends on what AWS finds to do.
    let steps = doable.to_steps();
    events.emit(Event::Planned { steps, times: None, monthly: Vec::new() });
    if !ask::agreed(shared, "Restore it?").await? {
        finish(Outcome::Declined, vec![]);
        return Ok(());
    }
    let job = Arc::clone(&doable.job);
    life::alone(&job, "repair", Box::pin(work.carry_out(doable))).await?;
    // What was done is only said when it can be seen.
    let look = look::again(&look.job).await?;
    let left = command::findings(&look).await?;
    let left: Vec<&Finding> =
        left.iter().filter(|finding| drift::is_wanted(finding, &wish.items)).collect();
    if let Some(failure) = unmended(&left) {
        return Err(failure);
    }
    finish(Outcome::Done, left.iter().filter_map(|finding| advice(finding)).collect());
    Ok(())
}

/// Keeps findings as they are, by their whole names.
async fn keep(
    shared: &Shared,
    wish: &Repair,
    (look, found): (&Look, &[Finding]),
    events: &Events,
) -> Result<(), Failure> {
    let named = |finding: &&Finding| wish.items.contains(&finding.item());
    for finding in found.iter().filter(named) {
        command::tell(events, finding);
    }
    if !ask::agreed(shared, "Accept these changes?").await? {
        let outcome = Outcome::Declined;
        events.emit(Event::Finished { outcome, urls: vec![], next: vec![] });
        return Ok(());
    }
    drift::keep(&look.job, found, &wish.items).await?;
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next: vec![] });
    Ok(())
}

/// What can be done at once.
struct Doable {
    job: Arc<Job>,
    plan: Plan,
    /// What is taken away, by its item.
    extras: Vec<(String, Extra)>,
}

impl Doable {
    fn to_steps(&self) -> Vec<PlannedStep> {
        let mut steps = self.plan.to_steps();
        steps.extend(self.extras.iter().map(|(item, _)| PlannedStep {
            step: item.clone(),
            action: "remove".to_owned(),
            resources: None,
            seconds: 1,
        }));
        steps
    }

    /// By which it is known again: doing the same twice leads nowhere.
    fn names(&self) -> BTreeSet<String> {
        self.to_steps().into_iter().map(|step| format!("{} {}", step.action, step.step)).collect()
    }

    async fn run(&self) -> Result<(), Failure> {
        for (item, extra) in &self.extras {
            let tell = |state| {
                let (step, millis, detail) = (item.clone(), None, None);
                self.job.events.emit(Event::Step { step, state, millis, detail });
            };
            tell(StepState::Running);
            let result = self.job.world.inspection.remove(extra).await;
            tell(if result.is_ok() { StepState::Done } else { StepState::Failed });
            result?;
        }
        Ok(execute::run(&self.plan, &self.job).await?)
    }
}

/// A repair that is going on.
struct Work<'a> {
    home: &'a Home,
    shared: &'a Shared,
    items: &'a [String],
}

impl Work<'_> {
    /// What can be done next: first what only has to be put back, then, where this program carries
    /// the installed release, what an installation brings back.
    async fn next(&self, look: &Look, found: &[Finding]) -> Result<Option<Doable>, Failure> {
        let plan = drift::repair(found, self.items);
        let extras = drift::extras(found, self.items).into_iter();
        let extras: Vec<_> = extras.map(|(f, extra)| (f.item(), extra.clone())).collect();
        if !plan.steps.is_empty() || !extras.is_empty() {
            return Ok(Some(Doable { job: Arc::clone(&look.job), plan, extras }));
        }
        let missing = |finding: &&Finding| {
            drift::needs_install(finding) && drift::is_wanted(finding, self.items)
        };
        let release = look.record.manifest.as_ref().map(|manifest| manifest.release.as_str());
        let other = release.is_some_and(|release| release != RELEASE);
        if other || !found.iter().any(|finding| missing(&finding)) {
            return Ok(None);
        }
        let base = look.job.facts.config.clone();
        let events = &look.job.events;
        let ready = life::ready(self.home, self.shared, base, events);
        let (job, observed) = Box::pin(ready).await?;
        if release.is_none() && !runs_ours(&job).await {
            return Ok(None);
        }
        let plan = crate::plan::plan(Goal::Present, &observed, &job.rendered);
        let extras = Vec::new();
        Ok((!plan.is_empty()).then_some(Doable { job, plan, extras }))
    }

    /// Runs a plan, and those that its end makes possible.
    async fn carry_out(&self, first: Doable) -> Result<(), Failure> {
        let mut work = Some(first);
        for _ in 0..ROUNDS {
            let Some(now) = work.take() else { break };
            now.run().await?;
            let look = look::again(&now.job).await?;
            let found = command::findings(&look).await?;
            let next = self.next(&look, &found).await?;
            work = next.filter(|next| next.names() != now.names());
        }
        Ok(())
    }
}

/// Whether callers get this program's code: where the manifest is lost, that shows the release.
async fn runs_ours(job: &Job) -> bool {
    let Ok(function) = job.output(Stack::Api, "FunctionName") else { return false };
    let live = job.world.functions.live(&function).await.ok().flatten();
    let ours = job.code.as_ref().map(|(code, _)| code.sha256.as_str());
    live.is_some_and(|live| Some(live.sha256.as_str()) == ours)
}

/// What to do about a finding that a repair does not mend.
fn advice(finding: &Finding) -> Option<String> {
    Some(format!("`{}` is left: `{}`.", finding.item(), finding.command()?))
}

/// A failure where something that can be put back is still not as it was installed.
fn unmended(left: &[&Finding]) -> Option<Failure> {
    let owned: Vec<Finding> = left.iter().map(|finding| (*finding).clone()).collect();
    let is_left =
        !drift::repair(&owned, &[]).steps.is_empty() || !drift::extras(&owned, &[]).is_empty();
    let mut left =
        left.iter().filter(|finding| is_left && finding.kind.mends == "spaceduck repair");
    let item = left.next()?.item();
    let message = format!("`{item}` still differs from the installed release");
    Some(Failure::new(Kind::Settled, message).help(format!(
        "`spaceduck drift` shows what remains; to accept it: `spaceduck repair --keep {item}`"
    )))
}

fn nothing(wish: &Repair, wanted: &[&Finding], look: &Look) -> Failure {
    let commands: BTreeSet<String> =
        wanted.iter().filter_map(|finding| finding.command()).collect();
    if wanted.is_empty() {
        let message = format!("there is no finding named {}", wish.items.join(", "));
        return Failure::new(Kind::Input, message)
            .help("`spaceduck drift` lists what has drifted, with the names to use here");
    }
    let mut help: Vec<String> = commands.iter().map(|command| format!("`{command}`")).collect();
    if let (Some(manifest), true) =
        (&look.record.manifest, wanted.iter().any(|finding| drift::needs_install(finding)))
        && manifest.release != RELEASE
    {
        let theirs = &manifest.release;
        help.push(format!("this program carries {RELEASE}, and {theirs} is installed"));
    }
    Failure::new(Kind::Refused, "`repair` can't restore this; nothing was changed")
        .help(format!("use instead: {}", help.join("; ")))
}
