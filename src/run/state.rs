//! The commands that look at a galaxy and put it back: status, drift, repair.

use std::sync::Arc;

use super::home::{self, Start};
use super::{ask, back, life};
use crate::back::toward;
use crate::cli::Shared;
use crate::drift::{self, Finding, State};
use crate::event::{Event, Events, Outcome};
use crate::execute::{self, Job};
use crate::failure::{Failure, Kind};
use crate::lock;
use crate::observe::{observe, releases};
use crate::plan::Observed;

/// What a look gives: the job that goes by the installed release, and what was observed.
type Looked = (Arc<Job>, Observed);

/// Looks at an installed galaxy as its own record describes it.
async fn look(command: &str, shared: &Shared, events: &Events) -> Result<Looked, Failure> {
    let config = super::configuration(shared)?;
    let home = home::reach(shared, &config, Start::Meddled, events).await?;
    let looking = back::blank(&home, config, events);
    life::tell_start(command, &looking);
    let observed = observe(&looking).await?;
    let Some(current) = &observed.current else {
        return Err(back::not_installed(&looking));
    };
    let job = toward(&looking, current.clone()).await?;
    let observed = observe(&job).await?;
    Ok((job, observed))
}

pub(super) async fn drift(
    shared: &Shared,
    since_last: bool,
    events: &Events,
) -> Result<u8, Failure> {
    let (job, observed) = look("drift", shared, events).await?;
    let found = findings(&job, &observed).await?;
    let changed = found.iter().any(|finding| finding.state != State::Unchecked);
    if since_last {
        let (new, gone) = drift::since_last(&job, &found).await?;
        tell(events, &new, false);
        tell(events, &gone, true);
    } else {
        tell(events, &found, false);
    }
    let outcome = if changed { Outcome::Drifted } else { Outcome::Unchanged };
    let next = if changed { vec!["`spaceduck repair` puts it back.".into()] } else { vec![] };
    events.emit(Event::Finished { outcome, urls: vec![], next });
    Ok(if changed { DRIFTED } else { 0 })
}

/// The exit code of a drift that was found.
const DRIFTED: u8 = 6;

async fn findings(job: &Arc<Job>, observed: &Observed) -> Result<Vec<Finding>, Failure> {
    let manifest = observed.current.as_ref().ok_or_else(|| back::not_installed(job))?;
    drift::inspect(job, &observed.stacks, manifest).await
}

fn tell(events: &Events, findings: &[Finding], mended: bool) {
    for finding in findings {
        events.emit(Event::Finding {
            item: finding.item.clone(),
            state: finding.state.word().to_owned(),
            detail: finding.detail.clone(),
            mended,
        });
    }
}

pub(super) async fn repair(
    shared: &Shared,
    items: &[String],
    events: &Events,
) -> Result<(), Failure> {
    let (job, observed) = look("repair", shared, events).await?;
    let found = findings(&job, &observed).await?;
    let plan = drift::repair(&found, items);
    let drifted: Vec<Finding> =
        found.iter().filter(|finding| finding.state != State::Unchecked).cloned().collect();
    tell(events, &drifted, false);
    // How long it takes depends on what AWS finds to do; nobody knows beforehand.
    events.emit(Event::Planned { steps: plan.to_steps(), times: None, monthly: Vec::new() });
    let finish = |outcome| events.emit(Event::Finished { outcome, urls: vec![], next: vec![] });
    if plan.steps.is_empty() {
        if items.is_empty() {
            finish(Outcome::Unchanged);
            return Ok(());
        }
        let message = format!("nothing that can be put back is called {}", items.join(", "));
        return Err(Failure::new(Kind::Input, message)
            .help("`spaceduck drift` lists what has drifted, with the names to use here"));
    }
    if !ask::agreed(shared, "Put it back?")? {
        finish(Outcome::Declined);
        return Ok(());
    }
    let name = &job.facts.config.name;
    lock::holding(&job.world, name, "repair", execute::run(&plan, &job)).await?;
    // What was done is only said when it can be seen.
    let observed = observe(&job).await?;
    let left = drift::repair(&findings(&job, &observed).await?, items);
    if let Some(step) = left.steps.first() {
        let message = format!("`{}` is still not as it was installed", step.id);
        return Err(Failure::new(Kind::Settled, message).help(
            "`spaceduck drift` shows what is left; where AWS can't put a resource back, remove it \
             by hand and run `spaceduck install`",
        ));
    }
    finish(Outcome::Done);
    Ok(())
}

pub(super) async fn status(shared: &Shared, events: &Events) -> Result<(), Failure> {
    let (job, observed) = look("status", shared, events).await?;
    for (stack, seen) in &observed.stacks {
        events.emit(Event::Status { item: format!("stack {stack}"), state: seen.code.clone() });
    }
    let current = observed.current.as_ref().map(|manifest| manifest.id.as_str());
    for manifest in releases(&job).await? {
        let state = if current == Some(manifest.id.as_str()) { "installed" } else { "on record" };
        let item = format!("release {} {}", manifest.number, manifest.id);
        events.emit(Event::Status { item, state: state.to_owned() });
    }
    let urls = execute::urls(&job)?;
    for url in &urls {
        let address = match url.name.as_str() {
            "api" => format!("{}/beak/system/status", url.url),
            _ => format!("{}/", url.url),
        };
        let answer = job.world.web.get(&address).await.to_string();
        events.emit(Event::Status { item: format!("address {}", url.name), state: answer });
    }
    events.emit(Event::Finished { outcome: Outcome::Told, urls, next: vec![] });
    Ok(())
}
