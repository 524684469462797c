//! `spaceduck logs`: what the function or the gateway logged.

use std::collections::BTreeMap;
use std::time::Duration;

use super::home::{self, Home, Start};
use super::pipe::Output;
use super::{back, look};
use crate::catalog;
use crate::cli::Shared;
use crate::config::Config;
use crate::event::{Event, Events, Outcome};
use crate::failure::{Failure, Kind};
use crate::model::{Place, Stack};
use crate::observe::observe;
use crate::ports::Thing;

/// Which lines of the log are wanted.
pub(super) struct LogWish<'a> {
    /// How far back, as it was typed.
    pub(super) since: &'a str,
    /// Only lines with this.
    pub(super) grep: Option<&'a str>,
    /// The gateway's log instead of the function's.
    pub(super) access: bool,
    /// Whether to wait for further lines.
    pub(super) follow: bool,
}

/// Between two looks at a log.
const LOG_PAUSE: Duration = Duration::from_secs(2);

/// A line may reach the log this much later than it was written, in milliseconds.
const LATE_MS: u64 = 10_000;

pub(super) async fn logs(
    shared: &Shared,
    wish: &LogWish<'_>,
    events: &Events,
) -> Result<(), Failure> {
    let back = seconds(wish.since)?;
    let config = super::configuration(shared, events)?;
    let home = home::reach(shared, &config, Start::Installed, events).await?;
    show(&home, config, (wish, back), events).await
}

/// Shows the lines from so many seconds ago on.
pub(super) async fn show(
    home: &Home,
    config: Config,
    (wish, back): (&LogWish<'_>, u64),
    events: &Events,
) -> Result<(), Failure> {
    let group = catalog::log_group(&config.name, wish.access);
    let mut since = home.world.clock.now().saturating_sub(back) * 1000;
    // Ids of lines that a later look can return again, with their times.
    let mut known: BTreeMap<String, u64> = BTreeMap::new();
    let mut shown = false;
    let output = Output::new();
    loop {
        let lines = home.world.logs.lines(&group, since, wish.grep).await?;
        for line in lines {
            since = since.max(line.at.saturating_sub(LATE_MS));
            if known.insert(line.id, line.at).is_none() {
                shown = true;
                events.emit(Event::Log { at: line.at, text: line.text });
            }
        }
        known.retain(|_, at| *at >= since);
        if !wish.follow {
            break;
        }
        home.world.clock.sleep(LOG_PAUSE).await;
        if output.is_over(events).await {
            return Ok(());
        }
    }
    if !shown {
        events.emit(Event::Note { text: silence(home, config, wish, &group, events).await? });
    }
    events.emit(Event::Finished { outcome: Outcome::Told, urls: vec![], next: vec![] });
    Ok(())
}

/// Why there are no lines.
async fn silence(
    home: &Home,
    config: Config,
    wish: &LogWish<'_>,
    group: &str,
    events: &Events,
) -> Result<String, Failure> {
    // A name that is taken is a log group that is there.
    match home.world.preflight.is_taken(Place::Home, Thing::LogGroup, group).await {
        Ok(true) => return Ok(format!("`{group}` has no such lines in the last {}.", wish.since)),
        Ok(false) => {}
        Err(failure) => {
            let reason = failure.message();
            return Ok(format!("No such lines; whether `{group}` exists is unknown: {reason}."));
        }
    }
    let job = back::blank(home, config, events);
    let observed = observe(&job).await?;
    if !look::is_there(&observed) {
        return Err(back::not_installed(&job));
    }
    let resource = if wish.access { "ApiLogs" } else { "FunctionLogs" };
    let command = if observed.stacks.contains_key(&Stack::Api) {
        format!("spaceduck repair api.{resource}")
    } else {
        "spaceduck install".to_owned()
    };
    Ok(format!("The log group `{group}` does not exist. `{command}` restores it."))
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
