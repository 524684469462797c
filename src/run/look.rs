//! How `status`, `drift` and `repair` look at a galaxy: in whatever state it is, and by its own
//! record.

use std::sync::Arc;

use super::home::{self, Home, Start};
use super::{back, life};
use crate::catalog;
use crate::cli::Shared;
use crate::config::Config;
use crate::drift;
use crate::event::Events;
use crate::execute::Job;
use crate::failure::Failure;
use crate::model::{Stack, StackStatus};
use crate::observe::observe;
use crate::plan::Observed;
use crate::release::{self, Record};

/// What a look gives.
pub(super) struct Look {
    /// A job that goes by the installed release.
    pub(super) job: Arc<Job>,
    /// The account.
    pub(super) observed: Observed,
    /// The record of the release.
    pub(super) record: Record,
}

/// Finds the account and looks at the galaxy.
pub(super) async fn look(
    command: &str,
    shared: &Shared,
    events: &Events,
) -> Result<(Home, Look), Failure> {
    let config = super::configuration(shared, events)?;
    let home = home::reach(shared, &config, Start::Meddled, events).await?;
    let look = at(command, &home, config, events).await?;
    Ok((home, look))
}

/// Looks at the galaxy. Only a galaxy of which nothing at all is there is a failure.
pub(super) async fn at(
    command: &str,
    home: &Home,
    config: Config,
    events: &Events,
) -> Result<Look, Failure> {
    let config = life::with_domains(home, config).await?;
    let looking = back::blank(home, config, events);
    life::tell_start(command, &looking);
    again(&looking).await
}

/// Looks with a job that has looked before.
pub(super) async fn again(looking: &Arc<Job>) -> Result<Look, Failure> {
    let observed = observe(looking).await?;
    if !is_there(&observed) {
        return Err(back::not_installed(looking));
    }
    let live = match looking.output(Stack::Api, "FunctionName") {
        Ok(function) => looking.world.functions.live(&function).await.ok().flatten(),
        Err(_) => None,
    };
    let name = &looking.facts.config.name;
    let record = match catalog::bucket(Stack::Bootstrap, name, &looking.account, &looking.home) {
        Some(bucket) => {
            let live = live.as_ref().map(|live| live.sha256.as_str());
            release::look(looking.world.assets.as_ref(), &bucket, live).await?
        }
        None => Record::default(),
    };
    let job = drift::view(looking, &observed.stacks, &record);
    Ok(Look { job, observed, record })
}

/// Whether anything of the galaxy is there.
pub(super) fn is_there(observed: &Observed) -> bool {
    let mut stacks = observed.stacks.values();
    stacks.any(|seen| seen.status != StackStatus::Gone) || !observed.buckets.is_empty()
}

#[cfg(test)]
mod tests;
