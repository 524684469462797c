//! The SES identity at a teardown: kept and working, or removed, as the person chose.

use galaxy_mail::name::Domain;

use super::Job;
use crate::failure::Failure;
use crate::model::{Stack, StackSeen};

/// How a person says that the identity may go: the way protected resources are named.
pub const IDENTITY: &str = "mail.MailIdentity";

/// The domain of the identity that the mail stack owns, if it owns one.
#[must_use]
pub fn owned(seen: &StackSeen) -> Option<Domain> {
    let record = seen.outputs.get("DkimName1")?;
    let (_, domain) = record.split_once("._domainkey.")?;
    Domain::parse(domain).ok()
}

/// Before the stack goes: its configuration set must not stay the identity's default, or every mail
/// from the domain would be refused. Source: "Assigning default configuration sets", Amazon SES
/// Developer Guide.
pub(super) async fn detach(job: &Job, stack: Stack, seen: &StackSeen) -> Result<(), Failure> {
    let Some(domain) = owned_by(stack, seen) else { return Ok(()) };
    let set = format!("{}-tx", job.facts.config.name);
    let identity = job.world.mail.identity(&domain).await?;
    if identity.is_some_and(|identity| identity.set.as_ref() == Some(&set)) {
        job.world.mail.clear_default_set(&domain).await?;
    }
    Ok(())
}

/// After the stack is deleted: the identity goes too, if the person chose so.
pub(super) async fn remove(job: &Job, stack: Stack, seen: &StackSeen) -> Result<(), Failure> {
    match owned_by(stack, seen) {
        Some(domain) if job.named.contains(IDENTITY) => {
            job.world.mail.remove_identity(&domain).await
        }
        _ => Ok(()),
    }
}

fn owned_by(stack: Stack, seen: &StackSeen) -> Option<Domain> {
    (stack == Stack::Mail).then(|| owned(seen)).flatten()
}
