//! Who owns the account's resources, shown before anything happens to them.

use super::ask;
use super::home::Home;
use crate::event::Event;
use crate::execute::Job;
use crate::failure::{Failure, Kind};
use crate::identity;
use crate::plan::{Goal, Observed};
use crate::ports::Claim;

/// Explains what a first run means for this name: a new galaxy beside others, or a record for one
/// that has none.
pub(super) async fn tell(home: &Home, job: &Job, observed: &Observed) -> Result<(), Failure> {
    tell_retained(job, observed);
    let name = &job.facts.config.name;
    let note = |text: String| job.events.emit(Event::Note { text });
    match &observed.claim {
        Claim::Recorded => {}
        Claim::Unrecorded(things) => note(format!(
            "The galaxy `{name}` gets its record. Its tag, its template digests and its role prove \
             these to be its own: {}.",
            things.join(", ")
        )),
        Claim::Free => {
            let known = identity::galaxies(&home.world).await?;
            let others: Vec<String> =
                known.iter().map(|(name, row)| format!("`{name}`{}", row.whereabouts())).collect();
            if !others.is_empty() {
                note(format!(
                    "`{name}` will be a new galaxy. The account already has {}: it stays as it \
                     is and keeps costing. If you renamed it in galaxy.yaml, put the old name \
                     back, or move its data with `spaceduck export` and `spaceduck import`.",
                    others.join(", ")
                ));
            }
        }
    }
    Ok(())
}

/// Lists what outlived its stack: people's accounts and the key behind their certificates.
fn tell_retained(job: &Job, observed: &Observed) {
    for one in &observed.retained {
        let text = match one.kind.as_str() {
            "AWS::Cognito::UserPool" => format!(
                "{} is there without its stack. The new stack takes it over; name the operators \
                 again with `spaceduck operator add` afterwards.",
                one.what
            ),
            _ => format!("{} is there without its stack; the new stack takes it over.", one.what),
        };
        job.events.emit(Event::Note { text });
    }
}

/// A galaxy without a record gets one only after its name was typed, and a stack takes over what
/// outlived it.
pub(super) async fn confirmed(
    job: &Job,
    observed: &Observed,
    confirm: Option<&str>,
) -> Result<bool, Failure> {
    let asks = matches!(observed.claim, Claim::Unrecorded(_)) || !observed.retained.is_empty();
    if !asks && confirm.is_none() {
        return Ok(true);
    }
    ask::own(&job.facts.config.name, confirm).await?;
    job.world.ownership.confirm().await;
    Ok(true)
}

/// Lists what a teardown leaves alone, and refuses to remove only a part of what was adopted.
pub(super) fn leaves(
    job: &Job,
    observed: &Observed,
    goal: Goal,
    named: &[String],
) -> Result<(), Failure> {
    for one in &observed.strangers {
        let text = format!("Left alone: {} ({}): {}.", one.what, one.thing, one.why);
        job.events.emit(Event::Note { text });
    }
    if let Some(unknown) = named.iter().find(|name| !observed.adopted.contains(*name)) {
        let message = format!("nothing that was adopted is called `{unknown}`");
        let known: Vec<&str> = observed.adopted.iter().map(String::as_str).collect();
        return Err(Failure::new(Kind::Input, message).help(format!(
            "adopted are: {}",
            if known.is_empty() { "no things".into() } else { known.join(", ") }
        )));
    }
    let kept = observed.adopted.iter().filter(|thing| !named.contains(thing));
    let kept: Vec<&str> =
        kept.map(String::as_str).filter(|thing| !thing.starts_with("parameter:")).collect();
    if goal != Goal::Absent || kept.is_empty() {
        return Ok(());
    }
    let flags: Vec<String> = kept.iter().map(|thing| format!("--adopted {thing}")).collect();
    let message = format!("the galaxy works with things that it adopted: {}", kept.join(", "));
    Err(Failure::new(Kind::Refused, message)
        .cause("what was adopted is deleted only if it is named")
        .help(format!(
            "nothing was changed. To delete them with the galaxy, add {}; to keep data and \
             accounts, use --keep-data",
            flags.join(" ")
        )))
}
