//! `spaceduck support`: everything that helps to find a fault, in one file of plain text that a
//! person can read before sharing it.
//!
//! Each section is the output of a command, so a galaxy or an account that can't be read fills a
//! section with the reason and stops nothing.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::home::{self, Start};
use super::{drift, life, status};
use crate::aws::trace;
use crate::cli::{Drift, Shared, Support};
use crate::doctor;
use crate::environment;
use crate::escape::visible;
use crate::event::{Event, Events, Outcome};
use crate::failure::Failure;
use crate::files::Access;
use crate::progress::JsonLines;
use crate::scrub::scrub;

/// So many of a stack's latest events are kept.
const LATEST: usize = 60;

/// So many bytes of a trace are kept: its end, where the failure is.
const TRACE_BYTES: usize = 4 * 1024 * 1024;

/// The variables that are listed as set or unset, without their values.
const VARIABLES: &[&str] = &[
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SPACEDUCK_TURNSTILE_SITE_KEY",
    "SPACEDUCK_TURNSTILE_SECRET",
    "SPACEDUCK_CONNECT_TO",
    "SPACEDUCK_CALL_TIMEOUT",
];

pub(super) async fn support(
    shared: &Shared,
    wish: &Support,
    events: &Events,
) -> Result<(), Failure> {
    let target = super::target(shared, &wish.file)?;
    let mut file = target.draft(Access::Private)?;
    let mut text = String::from(
        "Space Duck support file. Read it before you share it. Account ids, mail addresses and\n\
         secrets were replaced; names of galaxies and domains were not.\n",
    );
    let mut section = |title: &str, body: &str| {
        let _ = writeln!(text, "\n== {title}\n{}", visible(&scrub(body.trim_end())));
    };
    section("version", &version());
    section("settings", &settings(shared));
    let heard = Heard::default();
    let sink: Events = Arc::new(JsonLines::new(heard.clone()));
    let plan = Box::pin(life::plan(shared, &sink)).await;
    section("plan", &heard.take(plan.err()));
    let status = Box::pin(status::status(shared, &sink)).await;
    section("status", &heard.take(status.err()));
    let latest = stack_events(shared, &sink).await;
    let _ = heard.take(None);
    section("stack events", &latest.unwrap_or_else(|failure| failure.to_text()));
    let drift = Box::pin(drift::drift(shared, Drift::default(), &sink)).await;
    section("drift", &heard.take(drift.err()));
    let (named, body) = last_trace(wish.attach.as_deref());
    section(&format!("last trace: {named}"), &body);
    file.add(&text)?;
    file.keep()?;
    super::tell_written(events, &target);
    let next = vec![format!("Read {} before you share it.", wish.file.display())];
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next });
    Ok(())
}

fn version() -> String {
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    let set: Vec<&str> =
        VARIABLES.iter().filter(|name| environment::path(name).is_some()).copied().collect();
    format!("spaceduck {} on {system} {machine}\nvariables set: {}", life::RELEASE, set.join(", "))
}

/// The file unchanged, and its mistakes. It should hold no secret; what looks like one is replaced
/// all the same.
fn settings(shared: &Shared) -> String {
    let path = shared.config.clone().unwrap_or_else(|| "galaxy.yaml".into());
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => format!("{}: {error}\n", path.display()),
    };
    match super::configured(shared) {
        Ok(_) => text,
        Err(failure) => format!("{text}\n{}", failure.to_text()),
    }
}

async fn stack_events(shared: &Shared, events: &Events) -> Result<String, Failure> {
    let config = super::configuration(shared, events)?;
    let home = home::reach(shared, &config, Start::Installed, events).await?;
    let mut text = String::new();
    for (stack, seen) in doctor::stacks(&home.world, &config.name).await? {
        let _ = writeln!(text, "{stack}: {}", seen.code);
        let history = match home.world.evidence.history(stack.place(), &seen.arn).await {
            Ok(history) => history,
            Err(failure) => {
                text.push_str(&failure.to_text());
                continue;
            }
        };
        for one in history.iter().skip(history.len().saturating_sub(LATEST)) {
            let reason = one.reason.as_deref().unwrap_or_default();
            let _ = writeln!(text, "  {} {} {} {reason}", one.at, one.resource, one.status);
        }
    }
    if text.is_empty() {
        text.push_str("there are no stacks");
    }
    Ok(text)
}

/// The trace that was named, or the newest in this folder, with what it is called.
fn last_trace(named: Option<&Path>) -> (String, String) {
    let Some(path) = named.map(Path::to_owned).or_else(newest) else {
        return ("none".into(), "run the failing command with --trace FILE to record one".into());
    };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let body = match std::fs::read_to_string(&path) {
        Ok(text) => ending(&text).to_owned(),
        Err(error) => error.to_string(),
    };
    (name.unwrap_or_default(), body)
}

/// The end of a long text, from the start of a line.
fn ending(text: &str) -> &str {
    let mut from = text.len().saturating_sub(TRACE_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let rest = &text[from..];
    if from == 0 { rest } else { rest.split_once('\n').map_or(rest, |(_, rest)| rest) }
}

fn newest() -> Option<PathBuf> {
    let entries = std::fs::read_dir(".").ok()?.flatten();
    let traces = entries.filter(|entry| is_trace(&entry.path()));
    let newest = traces.max_by_key(|entry| entry.metadata().and_then(|meta| meta.modified()).ok());
    newest.map(|entry| entry.path())
}

/// A trace is known by its first line.
fn is_trace(path: &Path) -> bool {
    let Ok(file) = std::fs::File::open(path) else { return false };
    if !file.metadata().is_ok_and(|meta| meta.is_file()) {
        return false;
    }
    let mut first = String::new();
    let read = BufReader::new(std::io::Read::take(file, 512)).read_line(&mut first);
    read.is_ok()
        && serde_json::from_str::<trace::Head>(&first).is_ok_and(|h| h.trace == trace::FORMAT)
}

/// Takes what commands tell.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    /// The events since the last time, and the failure.
    fn take(&self, failure: Option<Failure>) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let told = String::from_utf8_lossy(&bytes).into_owned();
        told + &failure.map(|failure| failure.to_text()).unwrap_or_default()
    }
}

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
