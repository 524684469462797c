//! The command that puts an earlier release back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::home::{self, Home, Start};
use super::{ask, life};
use crate::back;
use crate::catalog::Facts;
use crate::cli::Shared;
use crate::config::Config;
use crate::event::{Event, Events, Outcome};
use crate::execute::{self, Job, Pages};
use crate::failure::{Failure, Kind};
use crate::observe::{intent, observe, releases};
use crate::plan::{self, Goal};
use crate::site;

pub(super) async fn rollback(
    shared: &Shared,
    release: Option<&str>,
    events: &Events,
) -> Result<(), Failure> {
    let config = super::configuration(shared)?;
    let home = home::reach(shared, &config, Start::Upgraded, events).await?;
    let config = life::with_domains(&home, config).await?;
    let looking = blank(&home, config, events);
    life::tell_start("rollback", &looking);
    let observed = observe(&looking).await?;
    let Some(current) = &observed.current else {
        return Err(not_installed(&looking));
    };
    let on_record = releases(&looking).await?;
    let interrupted = intent(&looking).await?;
    let target = back::choose(&on_record, current, release.or(interrupted.as_deref()))?;
    if target.id == current.id && interrupted.is_none() && !current.unsettled {
        events.emit(Event::Finished { outcome: Outcome::Unchanged, urls: vec![], next: vec![] });
        return Ok(());
    }
    let job = back::toward(&looking, target.clone()).await?;
    let observed = observe(&job).await?;
    let plan = plan::plan(Goal::Back, &observed, &job.rendered);
    events.emit(Event::Note { text: format!("From {} back to {}.", current.id, target.id) });
    events.emit(Event::Planned {
        steps: plan.to_steps(),
        times: plan.times(),
        monthly: Vec::new(),
    });
    if !ask::agreed(shared, "Go back?")? {
        events.emit(Event::Finished { outcome: Outcome::Declined, urls: vec![], next: vec![] });
        return Ok(());
    }
    life::alone(&job, "rollback", execute::run(&plan, &job)).await?;
    let urls = execute::urls(&job)?;
    events.emit(Event::Finished { outcome: Outcome::Done, urls, next: vec![] });
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
