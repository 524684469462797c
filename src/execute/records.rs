//! Records in Route 53: made where nothing is in their place, and removed where they are ours.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Job;
use crate::config::Config;
use crate::domains;
use crate::event::Event;
use crate::failure::Failure;
use crate::model::Part;
use crate::plan::{Action, Goal};
use crate::zones::{self, Chosen, Made};

/// How long Certificate Manager may take to publish its validation records, and how often we poll.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(2);

/// Makes what is missing; in a repair only what was there once.
pub(super) async fn make(
    job: &Job,
    goal: Goal,
    part: Part,
    action: &Action,
) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let chosen = if goal == Goal::Repair { Chosen::Made } else { Chosen::Wanted };
    let known;
    let config = if part == Part::Proofs {
        known = with_proofs(job).await?;
        &known
    } else {
        &job.facts.config
    };
    match zones::make(&job.world, config, &job.home, part, chosen).await? {
        Made::All(any) => Ok(any),
        Made::Forbidden(why) => {
            let text = format!(
                "The records of the part `{part}` are yours to set: Route 53 lets us look and not \
                 change ({why}). Allow route53:ChangeResourceRecordSets, or set `dns: manual` in \
                 galaxy.yaml."
            );
            job.events.emit(Event::Note { text });
            Ok(false)
        }
    }
}

/// The configuration with the current certificates. In its first seconds a certificate has no
/// validation record; one that takes longer is left to the next run.
async fn with_proofs(job: &Job) -> Result<Config, Failure> {
    let mut config = job.facts.config.clone();
    let begin = job.world.clock.elapsed();
    loop {
        let known = domains::certificates(&job.world, &config).await?;
        let told = known.values().filter(|one| one.proof.is_some()).count();
        let past = job.world.clock.elapsed().saturating_sub(begin);
        if told == config.domains.names.len() || past >= PATIENCE {
            for (front, certificate) in known {
                config.domains.seen.entry(front).or_default().certificate = Some(certificate);
            }
            return Ok(config);
        }
        job.world.clock.sleep(PAUSE).await;
    }
}

/// Removes those of ours that nothing wants any more.
pub(super) async fn sweep(job: &Job, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let config = &job.facts.config;
    let mut any = false;
    for part in Part::ALL {
        let unwanted = config.hosting.ours.iter().filter(|one| one.part == part && !one.wanted);
        let unwanted: BTreeSet<(String, String)> =
            unwanted.map(|one| (one.zone.clone(), one.mark.clone())).collect();
        if !unwanted.is_empty() {
            any |= zones::remove(&job.world, &config.name, part, Some(&unwanted)).await?;
        }
    }
    Ok(any)
}

/// Removes all of ours; where the data stays, mail does too, with its records.
pub(super) async fn remove_all(job: &Job, goal: Goal, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let mut any = false;
    for part in Part::ALL {
        if goal == Goal::Absent || part != Part::Mail {
            any |= zones::remove(&job.world, &job.facts.config.name, part, None).await?;
        }
    }
    Ok(any)
}
