//! The commands that look at a galaxy and put it back: status, logs, open, drift, repair.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use galaxy_sites::Site;

use super::home::{self, Start};
use super::{ask, back, life};
use crate::back::toward;
use crate::catalog;
use crate::cli::Shared;
use crate::drift::{self, Finding, State};
use crate::event::{Event, Events, Outcome};
use crate::execute::{self, Job};
use crate::failure::{Failure, Kind};
use crate::model::Stack;
use crate::observe::{observe, releases};
use crate::plan::Observed;

/// What a look gives: the job that goes by the installed release, and what was observed.
type Looked = (Arc<Job>, Observed);

/// Looks at an installed galaxy as its own record describes it.
async fn look(command: &str, shared: &Shared, events: &Events) -> Result<Looked, Failure> {
    let config = super::configuration(shared)?;
    let home = home::reach(shared, &config, Start::Meddled, events).await?;
    let config = life::with_domains(&home, config).await?;
    let looking = back::blank(&home, config, events);
    life::tell_start(command, &looking);
    let observed = observe(&looking).await?;
    let Some(current) = &observed.current else {
        return Err(back::not_installed(&looking));
    };
    let job = toward(&looking, current.clone()).await?;
    let observed = observe(&job).await?;
    Ok((job, observed))
}

pub(super) async fn drift(
    shared: &Shared,
    since_last: bool,
    events: &Events,
) -> Result<u8, Failure> {
    let (job, observed) = look("drift", shared, events).await?;
    let found = findings(&job, &observed).await?;
    let changed = found.iter().any(|finding| finding.state != State::Unchecked);
    if since_last {
        let (new, gone) = drift::since_last(&job, &found).await?;
        tell(events, &new, false);
        tell(events, &gone, true);
    } else {
        tell(events, &found, false);
    }
    let outcome = if changed { Outcome::Drifted } else { Outcome::Unchanged };
    let next = if changed { vec!["`spaceduck repair` puts it back.".into()] } else { vec![] };
    events.emit(Event::Finished { outcome, urls: vec![], next });
    Ok(if changed { DRIFTED } else { 0 })
}

/// The exit code of a drift that was found.
const DRIFTED: u8 = 6;

async fn findings(job: &Arc<Job>, observed: &Observed) -> Result<Vec<Finding>, Failure> {
    let manifest = observed.current.as_ref().ok_or_else(|| back::not_installed(job))?;
    drift::inspect(job, &observed.stacks, manifest).await
}

fn tell(events: &Events, findings: &[Finding], mended: bool) {
    for finding in findings {
        events.emit(Event::Finding {
            item: finding.item.clone(),
            state: finding.state.word().to_owned(),
            detail: finding.detail.clone(),
            mended,
        });
    }
}

pub(super) async fn repair(
    shared: &Shared,
    items: &[String],
    events: &Events,
) -> Result<(), Failure> {
    let (job, observed) = look("repair", shared, events).await?;
    let found = findings(&job, &observed).await?;
    let plan = drift::repair(&found, items);
    let drifted: Vec<Finding> =
        found.iter().filter(|finding| finding.state != State::Unchecked).cloned().collect();
    tell(events, &drifted, false);
    // How long it takes depends on what AWS finds to do; nobody knows beforehand.
    events.emit(Event::Planned { steps: plan.to_steps(), times: None, monthly: Vec::new() });
    let finish = |outcome| events.emit(Event::Finished { outcome, urls: vec![], next: vec![] });
    if plan.steps.is_empty() {
        if items.is_empty() {
            finish(Outcome::Unchanged);
            return Ok(());
        }
        let message = format!("nothing that can be put back is called {}", items.join(", "));
        return Err(Failure::new(Kind::Input, message)
            .help("`spaceduck drift` lists what has drifted, with the names to use here"));
    }
    if !ask::agreed(shared, "Put it back?")? {
        finish(Outcome::Declined);
        return Ok(());
    }
    life::alone(&job, "repair", execute::run(&plan, &job)).await?;
    // What was done is only said when it can be seen.
    let observed = observe(&job).await?;
    let left = drift::repair(&findings(&job, &observed).await?, items);
    if let Some(step) = left.steps.first() {
        let message = format!("`{}` is still not as it was installed", step.id);
        return Err(Failure::new(Kind::Settled, message).help(
            "`spaceduck drift` shows what is left; where AWS can't put a resource back, remove it \
             by hand and run `spaceduck install`",
        ));
    }
    finish(Outcome::Done);
    Ok(())
}

pub(super) async fn status(shared: &Shared, events: &Events) -> Result<(), Failure> {
    let (job, observed) = look("status", shared, events).await?;
    for (stack, seen) in &observed.stacks {
        events.emit(Event::Status { item: format!("stack {stack}"), state: seen.code.clone() });
    }
    let current = observed.current.as_ref().map(|manifest| manifest.id.as_str());
    for manifest in releases(&job).await? {
        let state = if current == Some(manifest.id.as_str()) { "installed" } else { "on record" };
        let item = format!("release {} {}", manifest.number, manifest.id);
        events.emit(Event::Status { item, state: state.to_owned() });
    }
    let urls = execute::urls(&job)?;
    for url in &urls {
        let address = match url.name.as_str() {
            "api" => format!("{}/beak/system/status", url.url),
            _ => format!("{}/", url.url),
        };
        let answer = job.world.web.get(&address).await.to_string();
        events.emit(Event::Status { item: format!("address {}", url.name), state: answer });
    }
    events.emit(Event::Finished { outcome: Outcome::Told, urls, next: vec![] });
    Ok(())
}

/// Which lines of the log are wanted.
pub(super) struct LogWish<'a> {
    /// How far back, as it was typed.
    pub(super) since: &'a str,
    /// Only lines with this.
    pub(super) grep: Option<&'a str>,
    /// The gateway's log instead of the function's.
    pub(super) access: bool,
}

/// Between two looks at a log.
const LOG_PAUSE: Duration = Duration::from_secs(2);

/// A line may reach the log this much later than it was written, in milliseconds.
const LATE_MS: u64 = 10_000;

pub(super) async fn logs(
    shared: &Shared,
    wish: &LogWish<'_>,
    follow: bool,
    events: &Events,
) -> Result<(), Failure> {
    let back = seconds(wish.since)?;
    let config = super::configuration(shared)?;
    let home = home::reach(shared, &config, Start::Installed, events).await?;
    let group = catalog::log_group(&config.name, wish.access);
    let mut since = home.world.clock.now().saturating_sub(back) * 1000;
    let mut known = BTreeSet::new();
    loop {
        let lines = home.world.logs.lines(&group, since, wish.grep).await?;
        for line in lines {
            since = since.max(line.at.saturating_sub(LATE_MS));
            if known.insert(line.id) {
                events.emit(Event::Log { at: line.at, text: line.text });
            }
        }
        if !follow {
            break;
        }
        home.world.clock.sleep(LOG_PAUSE).await;
    }
    if known.is_empty() {
        let text = format!("`{group}` has no such lines in the last {}.", wish.since);
        events.emit(Event::Note { text });
    }
    events.emit(Event::Finished { outcome: Outcome::Told, urls: vec![], next: vec![] });
    Ok(())
}

/// Seconds, or a number with its unit.
fn seconds(text: &str) -> Result<u64, Failure> {
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => 0,
    };
    let digits = if unit == 0 { text } else { &text[..text.len() - 1] };
    let time = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit.max(1)));
    time.ok_or_else(|| {
        Failure::new(Kind::Usage, format!("`{text}` is not a time"))
            .help("write it as 90, 90s, 15m, 6h or 2d")
    })
}

pub(super) async fn open(
    shared: &Shared,
    site: Option<&str>,
    events: &Events,
) -> Result<(), Failure> {
    let config = super::configuration(shared)?;
    let home = home::reach(shared, &config, Start::Installed, events).await?;
    let config = life::with_domains(&home, config).await?;
    let job = back::blank(&home, config, events);
    let observed = observe(&job).await?;
    if !observed.stacks.contains_key(&Stack::Api) {
        return Err(back::not_installed(&job));
    }
    let urls = execute::urls(&job)?;
    let wanted = site.unwrap_or(Site::MightySpaceDuck.name());
    let Some(url) = urls.iter().find(|url| url.name == wanted).cloned() else {
        let names: Vec<&str> = urls.iter().map(|url| url.name.as_str()).collect();
        let message = format!("there is no site `{wanted}`");
        return Err(
            Failure::new(Kind::Usage, message).help(format!("there are: {}", names.join(", ")))
        );
    };
    // A program that reads our events wants the address, and a rehearsal's leads nowhere.
    let mut next = Vec::new();
    if !shared.json && !shared.rehearse && ::open::that_detached(&url.url).is_err() {
        next.push("There is no browser here: open the address on another machine.".into());
    }
    events.emit(Event::Finished { outcome: Outcome::Told, urls: vec![url], next });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_read_with_and_without_a_unit() {
        for (text, time) in [("90", 90), ("90s", 90), ("15m", 900), ("6h", 21_600), ("2d", 172_800)]
        {
            assert_eq!(seconds(text).ok(), Some(time), "{text}");
        }
        for text in ["", "m", "-1", "1w", "ä", "99999999999999999999d"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
