//! The commands for your own pages: checking the folder, and publishing it without an installation.

use std::collections::BTreeSet;
use std::sync::Arc;

use galaxy_sites::{Content, Site, SiteConfig};

use super::home::{self, Start};
use super::{ask, back as going_back, life};
use crate::back;
use crate::catalog;
use crate::cli::{Shared, SiteWish};
use crate::config::Config;
use crate::event::{Event, Events, Outcome};
use crate::execute::{self, Job, Pages};
use crate::failure::{Failure, Kind};
use crate::model::Stack;
use crate::observe::observe;
use crate::plan::{self, Goal, Plan, Step, StepId};
use crate::release::{self, Manifest, Pointer};
use crate::site::{self, Files};

pub(super) async fn site(shared: &Shared, wish: &SiteWish, events: &Events) -> Result<(), Failure> {
    match wish {
        SiteWish::Check => check(shared, events),
        SiteWish::Publish => publish(shared, events).await,
    }
}

fn check(shared: &Shared, events: &Events) -> Result<(), Failure> {
    let config = super::configuration(shared, events)?;
    let folder = config.pages.ok_or_else(|| {
        Failure::new(Kind::Input, "there is nothing to check: galaxy.yaml names no folder of pages")
            .help("set `pages` in galaxy.yaml to a folder")
    })?;
    let files = site::own::read(&folder)?.content.len();
    for text in site::own::content(&folder)?.notes {
        events.emit(Event::Note { text });
    }
    let text = format!("{files} files in {}: no mistakes", folder.display());
    events.emit(Event::Note { text });
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next: vec![] });
    Ok(())
}

/// Publishes this program's pages and your own to the installed galaxy. Where nothing has changed,
/// the only request is for the installed release.
async fn publish(shared: &Shared, events: &Events) -> Result<(), Failure> {
    let config = super::configuration(shared, events)?;
    let asked = async {
        let home = home::reach(shared, &config, Start::Installed, events).await?;
        let bucket = catalog::bucket(Stack::Bootstrap, &config.name, &home.id, &home.region);
        let bucket = bucket.ok_or_else(|| Failure::bug("the artifact bucket has no name"))?;
        let pointer = release::pointer(home.world.assets.as_ref(), &bucket).await?;
        Ok((home, bucket, pointer))
    };
    // The disk and the account are read in parallel.
    let (content, (home, bucket, pointer)) = tokio::try_join!(content(&config, events), asked)?;
    let files: Files = Arc::new(move |site, told: &_| site::objects_of(&content, site, told));
    let looking = going_back::blank(&home, config.clone(), events);
    life::tell_start("site publish", &looking);
    let pointer = pointer.ok_or_else(|| going_back::not_installed(&looking))?;
    site::own::still_named(config.pages.as_deref(), pointer.own)?;
    release::not_older(Some(&pointer.release), life::RELEASE)?;
    if pointer.release != life::RELEASE {
        let (ours, theirs) = (life::RELEASE, &pointer.release);
        let message = format!("release {theirs} is installed, and this program is {ours}");
        return Err(Failure::new(Kind::Refused, message)
            .cause("pages and function are one release; these pages would speak to another one")
            .help("`spaceduck install` brings all of it to this release"));
    }
    if is_published(&files, &config, &pointer)? {
        events.emit(Event::Finished { outcome: Outcome::Unchanged, urls: vec![], next: vec![] });
        return Ok(());
    }
    let current = release::current(home.world.assets.as_ref(), &bucket).await?;
    let current = current.ok_or_else(|| going_back::not_installed(&looking))?;
    let job = job(&looking, current, files).await?;
    let observed = observe(&job).await?;
    let plan = of_pages(plan::plan(Goal::Present, &observed, &job.rendered));
    events.emit(Event::Planned {
        steps: plan.to_steps(),
        times: plan.times(),
        monthly: Vec::new(),
    });
    if !ask::agreed(shared, "Publish?").await? {
        events.emit(Event::Finished { outcome: Outcome::Declined, urls: vec![], next: vec![] });
        return Ok(());
    }
    life::alone(&job, "site publish", execute::run(&plan, &job)).await?;
    let urls = execute::urls(&job)?;
    events.emit(Event::Finished { outcome: Outcome::Done, urls, next: vec![] });
    Ok(())
}

/// This program's pages and your own.
async fn content(config: &Config, events: &Events) -> Result<Content, Failure> {
    let Some(folder) = config.pages.clone() else { return Ok(Content::built_in()) };
    let reading = tokio::task::spawn_blocking(move || site::own::content(&folder));
    let own = reading
        .await
        .map_err(|error| Failure::bug("reading the pages broke off").cause(error.to_string()))??;
    for text in own.notes {
        events.emit(Event::Note { text });
    }
    Ok(own.content)
}

/// Whether visitors are said to get just this.
fn is_published(files: &Files, config: &Config, current: &Pointer) -> Result<bool, Failure> {
    if current.unsettled || current.own != config.pages.is_some() {
        return Ok(false);
    }
    let turnstile_site_key = config.turnstile_site_key.clone();
    let told = SiteConfig { turnstile_site_key, ..current.told.clone() };
    let same = |site: Site| {
        let digest = site::digest(&files(site, &told)?);
        Ok(current.digests.get(site.name()) == Some(&digest))
    };
    let all: Vec<Result<bool, Failure>> = std::thread::scope(|scope| {
        let running: Vec<_> = Site::ALL.map(|site| scope.spawn(move || same(site))).into();
        let broken = || Err(Failure::bug("comparing the pages broke off"));
        running.into_iter().map(|one| one.join().unwrap_or_else(|_| broken())).collect()
    });
    all.into_iter().try_fold(true, |so_far, one| Ok(so_far && one?))
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
    Plan { steps: steps.into_iter().map(among).collect(), ..plan }
}
