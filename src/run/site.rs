//! The commands about pages of one's own: checking the folder, and publishing it without an
//! installation.

use std::collections::BTreeSet;
use std::sync::Arc;

use galaxy_sites::{Content, Site, SiteConfig};

use super::home::{self, Home, Start};
use super::{ask, back as going_back, life};
use crate::back;
use crate::catalog;
use crate::cli::{Shared, SiteWish};
use crate::config::Config;
use crate::event::{Event, Events, Outcome};
use crate::execute::{self, Job, Pages};
use crate::failure::{Failure, Kind};
use crate::model::{Place, Stack};
use crate::observe::observe;
use crate::plan::{self, Goal, Plan, Step, StepId};
use crate::release::{CURRENT_KEY, Manifest};
use crate::site::{self, Files};

pub(super) async fn site(shared: &Shared, wish: &SiteWish, events: &Events) -> Result<(), Failure> {
    match wish {
        SiteWish::Check => check(shared, events),
        SiteWish::Publish => publish(shared, events).await,
    }
}

fn check(shared: &Shared, events: &Events) -> Result<(), Failure> {
    let config = super::configuration(shared)?;
    let folder = config.pages.ok_or_else(|| {
        Failure::new(Kind::Input, "there is nothing to check: galaxy.yaml names no folder of pages")
            .help("set `pages` in galaxy.yaml to a folder")
    })?;
    let files = site::own::read(&folder)?.len();
    site::own::content(&folder)?;
    let text = format!("{files} files in {}: no mistake", folder.display());
    events.emit(Event::Note { text });
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next: vec![] });
    Ok(())
}

/// Publishes this program's pages and one's own to the galaxy as it is installed. Where nothing
/// has changed, the record alone is asked for.
async fn publish(shared: &Shared, events: &Events) -> Result<(), Failure> {
    let config = super::configuration(shared)?;
    let content = match &config.pages {
        None => Content::built_in(),
        Some(folder) => site::own::content(folder)?,
    };
    let files: Files = Arc::new(move |site, told: &_| site::objects_of(&content, site, told));
    let home = home::reach(shared, &config, Start::Installed, events).await?;
    let current = current(&home, &config).await?;
    let looking = going_back::blank(&home, config.clone(), events);
    life::tell_start("site publish", &looking);
    let current = current.ok_or_else(|| going_back::not_installed(&looking))?;
    site::own::still_named(config.pages.as_deref(), Some(&current))?;
    if current.release != life::RELEASE {
        let (ours, theirs) = (life::RELEASE, &current.release);
        let message = format!("release {theirs} is installed, and this program is {ours}");
        return Err(Failure::new(Kind::Refused, message)
            .cause("pages and function are one release; these pages would speak to another one")
            .help("`spaceduck install` brings all of it to this release"));
    }
    if is_published(&files, &config, &current)? {
        events.emit(Event::Finished { outcome: Outcome::Unchanged, urls: vec![], next: vec![] });
        return Ok(());
    }
    let job = job(&looking, current, files).await?;
    let observed = observe(&job).await?;
    let plan = of_pages(plan::plan(Goal::Present, &observed, &job.rendered));
    events.emit(Event::Planned {
        steps: plan.to_steps(),
        times: plan.times(),
        monthly: Vec::new(),
    });
    if !ask::agreed(shared, "Publish?")? {
        events.emit(Event::Finished { outcome: Outcome::Declined, urls: vec![], next: vec![] });
        return Ok(());
    }
    life::alone(&job, "site publish", execute::run(&plan, &job)).await?;
    let urls = execute::urls(&job)?;
    events.emit(Event::Finished { outcome: Outcome::Done, urls, next: vec![] });
    Ok(())
}

/// What is written down as installed.
async fn current(home: &Home, config: &Config) -> Result<Option<Manifest>, Failure> {
    let bucket = catalog::bucket(Stack::Bootstrap, &config.name, &home.id, &home.region);
    let Some(bucket) = bucket else { return Ok(None) };
    let bytes = home.world.assets.read(Place::Home, &bucket, CURRENT_KEY).await?;
    Ok(bytes.as_deref().and_then(Manifest::parse))
}

/// Whether the record says that visitors get just this.
fn is_published(files: &Files, config: &Config, current: &Manifest) -> Result<bool, Failure> {
    if current.unsettled || current.own != config.pages.is_some() {
        return Ok(false);
    }
    let turnstile_site_key = config.turnstile_site_key.clone();
    let told = SiteConfig { turnstile_site_key, ..current.told.clone() };
    for site in Site::ALL {
        let digest = site::digest(&files(site, &told)?);
        if current.sites.get(site.name()).map(|record| &record.digest) != Some(&digest) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A job that has the function and the API as they are installed, and other pages.
async fn job(looking: &Arc<Job>, current: Manifest, files: Files) -> Result<Arc<Job>, Failure> {
    // Teaches the job what the stacks tell.
    observe(looking).await?;
    let job = back::toward(looking, current).await?;
    let mut job = Arc::into_inner(job).ok_or_else(|| Failure::bug("a job has two owners"))?;
    (job.pages, job.files) = (Pages::Program, files);
    Ok(Arc::new(job))
}

/// The part of a plan that is about pages.
fn of_pages(plan: Plan) -> Plan {
    let is_it = |id: &StepId| matches!(id, StepId::Publish(_) | StepId::Release);
    let steps: Vec<Step> = plan.steps.into_iter().filter(|step| is_it(&step.id)).collect();
    let known: BTreeSet<StepId> = steps.iter().map(|step| step.id).collect();
    let among = |mut step: Step| {
        step.after.retain(|id| known.contains(id));
        step
    };
    Plan { goal: plan.goal, steps: steps.into_iter().map(among).collect() }
}
