//! `spaceduck status`: what is installed, and whether it answers.

use super::home::Home;
use super::look::{self, Look};
use crate::cli::Shared;
use crate::event::{Event, Events, Outcome};
use crate::execute;
use crate::failure::Failure;
use crate::model::{Stack, StackStatus};
use crate::observe::releases;

pub(super) async fn status(shared: &Shared, events: &Events) -> Result<(), Failure> {
    let (_, look): (Home, Look) = look::look("status", shared, events).await?;
    show(&look, events).await
}

/// Shows everything that is known; what is missing is shown as missing.
pub(super) async fn show(look: &Look, events: &Events) -> Result<(), Failure> {
    let Look { job, observed, record } = look;
    let tell = |item: String, state: &str| {
        events.emit(Event::Status { item, state: state.to_owned() });
    };
    let mut ill = record.trouble.is_some();
    for stack in Stack::all() {
        match observed.stacks.get(&stack).filter(|seen| seen.status != StackStatus::Gone) {
            None if stack.is_optional() => {}
            None => {
                ill = true;
                tell(format!("stack {stack}"), "missing");
            }
            Some(seen) => {
                ill |= seen.status != StackStatus::Ready;
                tell(format!("stack {stack}"), &seen.code);
            }
        }
    }
    if let Some(trouble) = &record.trouble {
        tell("release record".to_owned(), &trouble.to_string());
    }
    let current = record.manifest.as_ref().map(|manifest| manifest.id.as_str());
    for manifest in releases(job).await? {
        let state = match (&record.trouble, current == Some(manifest.id.as_str())) {
            (None, true) => "installed",
            (Some(_), true) => "probably installed: the live function has its code",
            (_, false) => "on record",
        };
        tell(format!("release {} {}", manifest.number, manifest.id), state);
    }
    let urls = execute::known_urls(job);
    for url in &urls {
        let address = match url.name.as_str() {
            "api" => format!("{}/beak/system/status", url.url),
            _ => format!("{}/", url.url),
        };
        let answer = job.world.web.get(&address).await.to_string();
        tell(format!("address {}", url.name), &answer);
    }
    for name in execute::unknown_urls(&urls) {
        ill = true;
        tell(format!("address {name}"), "unknown: the stack has no output for it");
    }
    let next = if ill {
        vec!["`spaceduck drift` lists what is wrong and the command for each.".to_owned()]
    } else {
        Vec::new()
    };
    events.emit(Event::Finished { outcome: Outcome::Told, urls, next });
    Ok(())
}
