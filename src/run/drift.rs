//! `spaceduck drift`: what is no longer as it was installed.

use std::collections::BTreeMap;

use super::look::{self, Look};
use crate::cli::{Drift, Shared};
use crate::drift::{self, Finding, State, Told};
use crate::event::{Event, Events, Outcome};
use crate::failure::Failure;

/// The exit code where drift was found.
const DRIFTED: u8 = 6;

pub(super) async fn drift(shared: &Shared, wish: Drift, events: &Events) -> Result<u8, Failure> {
    let (_, look) = look::look("drift", shared, events).await?;
    show(&look, wish, events).await
}

/// Shows the findings and gives the exit code.
pub(super) async fn show(look: &Look, wish: Drift, events: &Events) -> Result<u8, Failure> {
    let found = findings(look).await?;
    if wish.since_last {
        let (new, gone) = drift::since_last(&look.job, &found).await?;
        for finding in &new {
            tell(events, finding);
        }
        for told in &gone {
            tell_mended(events, told);
        }
    } else {
        for finding in &found {
            tell(events, finding);
        }
    }
    let drifted = found.iter().any(Finding::is_drift);
    let unchecked = found.iter().filter(|finding| finding.state() == State::Unchecked).count();
    let fails = drifted || (wish.strict && unchecked > 0);
    let outcome = if fails { Outcome::Drifted } else { Outcome::Unchanged };
    events.emit(Event::Finished { outcome, urls: vec![], next: next(&found, unchecked) });
    Ok(if fails { DRIFTED } else { 0 })
}

/// Looks for drift, and marks what a person decided to keep.
pub(super) async fn findings(look: &Look) -> Result<Vec<Finding>, Failure> {
    let mut found = drift::inspect(&look.job, &look.observed.stacks, &look.record).await?;
    drift::mark_kept(&look.job, &mut found).await?;
    Ok(found)
}

pub(super) fn tell(events: &Events, finding: &Finding) {
    let state = if finding.kept { "kept" } else { finding.state().word() };
    events.emit(Event::Finding {
        item: finding.item(),
        state: state.to_owned(),
        detail: finding.detail.clone(),
        command: finding.command(),
        mended: false,
    });
}

fn tell_mended(events: &Events, told: &Told) {
    events.emit(Event::Finding {
        item: told.item.clone(),
        state: told.state.word().to_owned(),
        detail: told.detail.clone(),
        command: None,
        mended: true,
    });
}

/// More items than this are only counted.
const NAMED: usize = 3;

/// The commands that mend what was found, each with what it mends.
fn next(found: &[Finding], unchecked: usize) -> Vec<String> {
    let mut by_command: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for finding in found.iter().filter(|finding| finding.is_drift()) {
        if !finding.kind.mends.is_empty() {
            by_command.entry(finding.kind.mends).or_default().push(finding.item());
        }
    }
    let line = |(command, items): (&str, Vec<String>)| {
        let what = match items.len() {
            count if count > NAMED => format!("{count} findings"),
            _ => items.join(", "),
        };
        match command {
            "spaceduck repair --keep" => format!("`{command} ITEM` accepts: {what}."),
            "spaceduck domains" | "spaceduck mail" => {
                format!("`{command}` shows what to do about: {what}.")
            }
            _ => format!("`{command}` restores: {what}."),
        }
    };
    let mut next: Vec<String> = by_command.into_iter().map(line).collect();
    if unchecked > 0 {
        let count =
            if unchecked == 1 { "1 thing was".into() } else { format!("{unchecked} things were") };
        next.push(format!(
            "{count} not checked, which is no drift; with --strict it is exit code {DRIFTED}."
        ));
    }
    next
}
