//! The command that puts an earlier release back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::home::{self, Home, Start};
use super::{ask, life};
use crate::back;
use crate::catalog::Facts;
use crate::cli::Shared;
use crate::config::Config;
use crate::event::{Event, Events, Outcome, Release};
use crate::execute::{self, Job, Pages};
use crate::failure::{Failure, Kind};
use crate::model::Stack;
use crate::observe::{intent, observe, releases};
use crate::plan::{self, Goal};
use crate::release::{self, History, Manifest};
use crate::site;

/// What `rollback` was run with.
pub(super) struct Request<'a> {
    pub(super) release: Option<&'a str>,
    pub(super) list: bool,
}

pub(super) async fn rollback(
    shared: &Shared,
    request: &Request<'_>,
    events: &Events,
) -> Result<(), Failure> {
    let config = super::configuration(shared, events)?;
    let home = home::reach(shared, &config, Start::Upgraded, events).await?;
    let config = life::with_domains(&home, config).await?;
    let looking = blank(&home, config, events);
    life::tell_start("rollback", &looking);
    let observed = observe(&looking).await?;
    let Some(current) = &observed.current else {
        return Err(not_installed(&looking));
    };
    let on_record = releases(&looking).await?;
    if request.list {
        return list(&looking, current, &on_record).await;
    }
    let interrupted = intent(&looking).await?;
    let target = back::choose(&on_record, current, request.release.or(interrupted.as_deref()))?;
    if target.id == current.id && interrupted.is_none() && !current.unsettled {
        events.emit(Event::Finished { outcome: Outcome::Unchanged, urls: vec![], next: vec![] });
        return Ok(());
    }
    back::verify(&looking, target).await?;
    let job = back::toward(&looking, target.clone()).await?;
    let observed = observe(&job).await?;
    let plan = plan::plan(Goal::Back, &observed, &job.rendered);
    events.emit(Event::Note {
        text: format!(
            "From release {} ({}) to release {} ({}).",
            current.number, current.id, target.number, target.id
        ),
    });
    events.emit(Event::Planned {
        steps: plan.to_steps(),
        times: plan.times(),
        monthly: Vec::new(),
    });
    if !ask::agreed(shared, "Roll back?").await? {
        events.emit(Event::Finished { outcome: Outcome::Declined, urls: vec![], next: vec![] });
        return Ok(());
    }
    life::alone(&job, "rollback", execute::run(&plan, &job)).await?;
    let urls = execute::urls(&job)?;
    events.emit(Event::Finished { outcome: Outcome::Done, urls, next: vec![] });
    Ok(())
}

/// Shows every release: what it is, whether a rollback has left it, and whether it is complete.
async fn list(job: &Job, current: &Manifest, on_record: &[Manifest]) -> Result<(), Failure> {
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let implied = || History::implied(on_record, current);
    let history = current.history.clone().unwrap_or_else(implied);
    for manifest in on_record {
        let damaged = release::damage(job.world.assets.as_ref(), &bucket, manifest).await?;
        let left = history.left(&manifest.id);
        job.events.emit(Event::Release(Release {
            number: manifest.number,
            id: manifest.id.clone(),
            version: manifest.release.clone(),
            installed_at: manifest.installed_at,
            current: manifest.id == current.id,
            left: left.map(|left| left.to.clone()),
            left_at: left.and_then(|left| left.at),
            complete: damaged.is_empty(),
            damage: damaged.iter().map(|damage| damage.text(&bucket)).collect(),
        }));
    }
    let next = match back::choose(on_record, current, None) {
        Ok(target) => format!("`spaceduck rollback` rolls back to release {}.", target.number),
        Err(_) => "There is no earlier release.".to_owned(),
    };
    let next = vec![next];
    job.events.emit(Event::Finished { outcome: Outcome::Told, urls: vec![], next });
    Ok(())
}

pub(super) fn not_installed(job: &Job) -> Failure {
    let message = format!("no galaxy called `{}` is installed here", job.facts.config.name);
    Failure::new(Kind::Refused, message).help("check `name` in galaxy.yaml, account and Region")
}

/// A job that only looks.
pub(super) fn blank(home: &Home, config: Config, events: &Events) -> Arc<Job> {
    let region = Some(home.region.clone());
    let account = Some(home.id.clone());
    let facts = Facts { config, account, region, code: None, release: life::RELEASE.into() };
    Arc::new(Job {
        rendered: BTreeMap::new(),
        world: home.world.clone(),
        events: Arc::clone(events),
        account: home.id.clone(),
        home: home.region.clone(),
        code: None,
        secret: None,
        facts,
        pages: Pages::Program,
        files: Arc::new(site::objects),
        export: None,
        named: BTreeSet::new(),
        outputs: Mutex::default(),
    })
}
