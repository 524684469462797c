//! The shield's secret and terms, in an order in which no call is refused that came the right way.

use std::time::Duration;

use super::Job;
use crate::catalog::{self, SHIELD_DIGEST, SHIELD_SECRET};
use crate::failure::Failure;
use crate::model::{Outputs, Stack, StackSeen};
use crate::plan::Action;
use crate::ports::Proposal;
use crate::shield::{self, Terms};

/// Longer than the function keeps the terms that it has read.
const SETTLED: Duration = Duration::from_mins(1);

/// Gives a change of the shield's stack another secret. The function accepts it beside the former
/// ones before the distribution can send it.
pub(super) async fn seal(
    job: &Job,
    stack: Stack,
    proposal: &mut Proposal,
    seen: Option<&StackSeen>,
) -> Result<(), Failure> {
    if stack != Stack::ApiShield {
        return Ok(());
    }
    let digest = draw(proposal)?;
    let terms = terms(job).await?.unwrap_or_default().with(&digest);
    // Where there is no shield, the direct way is the only one.
    let terms = Terms { closed: terms.closed && seen.is_some(), ..terms };
    write(job, &terms).await?;
    if terms.closed {
        job.world.clock.sleep(SETTLED).await;
    }
    Ok(())
}

/// The same for a change that is only looked at.
pub(super) fn seal_preview(stack: Stack, proposal: &mut Proposal) -> Result<(), Failure> {
    if stack == Stack::ApiShield {
        draw(proposal)?;
    }
    Ok(())
}

fn draw(proposal: &mut Proposal) -> Result<String, Failure> {
    let (secret, digest) = shield::draw()?;
    // A stack shows asterisks for the one that it has.
    proposal.parameters.remove(SHIELD_SECRET);
    proposal.parameters.insert(SHIELD_DIGEST.to_owned(), digest.clone());
    proposal.secrets.insert(SHIELD_SECRET.to_owned(), secret);
    Ok(digest)
}

/// Refuses calls that come past the shield from now on, and forgets all secrets but its own.
pub(super) async fn close(job: &Job, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let mut outputs = Outputs::new();
    for name in [SHIELD_DIGEST, "DistributionDomain"] {
        outputs.insert(name.to_owned(), job.output(Stack::ApiShield, name)?);
    }
    let wanted = Terms::only(&outputs);
    if terms(job).await? == wanted {
        return Ok(false);
    }
    if let Some(wanted) = wanted {
        write(job, &wanted).await?;
    }
    Ok(true)
}

/// Forgets the terms of a shield that is about to go.
pub(super) async fn open(job: &Job, stack: Stack) -> Result<(), Failure> {
    if stack == Stack::ApiShield {
        job.world.notes.remove(&catalog::shield_path(&job.facts.config.name)).await?;
    }
    Ok(())
}

/// The API's address through the shield, where one is wanted.
pub(super) fn base(job: &Job) -> Result<Option<String>, Failure> {
    if !job.facts.config.shield.is_on() {
        return Ok(None);
    }
    let name = "DistributionDomain";
    let domain = job.output(Stack::ApiShield, name)?;
    Ok(shield::base(&[(name.to_owned(), domain)].into()))
}

async fn terms(job: &Job) -> Result<Option<Terms>, Failure> {
    let text = job.world.notes.get(&catalog::shield_path(&job.facts.config.name)).await?;
    Ok(text.as_deref().and_then(Terms::parse))
}

async fn write(job: &Job, terms: &Terms) -> Result<(), Failure> {
    let path = catalog::shield_path(&job.facts.config.name);
    job.world.notes.put(&path, &terms.to_text()?).await
}
