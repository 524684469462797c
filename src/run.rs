//! One short function per command; the only file that knows both the pure part and the adapters.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::aws::trace;
use crate::catalog::{self, Facts};
use crate::cli::{Cli, Command, Shared};
use crate::config::{self, Config, Environment};
use crate::environment;
use crate::escape::visible;
use crate::event::{Event, Events, Health, Outcome};
use crate::failure::{Failure, Kind};
use crate::files::{self, Target};
use crate::lock;
use crate::model::{Region, Secret, Stack};
use crate::progress::{self, Human, JsonLines, Quiet};
use crate::prompt;
use crate::render::Rendered;

mod adopt;
mod ask;
mod back;
mod claim;
mod doctor;
mod domains;
mod drift;
mod home;
mod init;
mod leave;
mod life;
mod list;
mod local;
mod logs;
mod look;
mod mail;
mod open;
mod operator;
mod parse;
mod pipe;
mod records;
mod region;
mod repair;
mod signals;
mod site;
mod skill;
mod status;
mod support;
mod verify;

use life::{RELEASE, render_all};
pub use parse::parse;

/// How long a stopped run may take to release its lock. The next run waits for the lease otherwise.
const RELEASE_LIMIT: Duration = Duration::from_secs(10);

/// Runs a command and returns the exit code. The only place that reports failures.
pub async fn run(cli: Cli) -> u8 {
    let shared = &cli.shared;
    let events = sink(shared);
    let (telling, json) = (Arc::clone(&events), shared.json);
    signals::insist(&cli.command, move || {
        let failure = if lock::was_taken() { prompt::cut_off() } else { prompt::stopped() };
        tell_failure(&failure, &telling, json);
    });
    let outcome = tokio::select! {
        // In this order: a signal is heard from before the first question on.
        biased;
        () = signals::interrupted(&cli.command) => Err(stopped(&cli.command)),
        outcome = traced(&cli, &events) => outcome,
    };
    lock::abandon(RELEASE_LIMIT).await;
    match outcome.and_then(|code| written(&events).map(|()| code)) {
        Ok(code) => code,
        Err(failure) => {
            tell_failure(&failure, &events, shared.json);
            failure.kind.exit_code()
        }
    }
}

/// Reports a failed run: as its last line of JSON where these are wanted and can be written.
fn tell_failure(failure: &Failure, events: &Events, json: bool) {
    let first = failure.mistakes.first();
    events.emit(Event::Failed {
        kind: failure.kind.word().into(),
        message: failure.message().into(),
        cause: failure.cause.clone(),
        now: failure.now.clone(),
        help: first.and_then(|mistake| mistake.help.clone()),
        exit_code: failure.kind.exit_code(),
    });
    let heard = json && events.health() == Health::Fine;
    if !heard {
        let _ = write!(anstream::stderr(), "{}", coloured(&failure.to_text()));
    }
}

/// Output that could not be written fails a command that did its work. A reader that has gone does
/// not: it has what it wanted.
fn written(events: &Events) -> Result<(), Failure> {
    let Health::Broken(cause) = events.health() else { return Ok(()) };
    Err(Failure::new(Kind::Input, "the command has ended, but its output could not be written")
        .cause(cause)
        .help("make room or send the output elsewhere; `spaceduck status` shows what is installed"))
}

/// The file that a person has named, under the flags of this run.
fn target(shared: &Shared, path: &Path) -> Result<Target, Failure> {
    let (force, rehearse) = (shared.force, shared.rehearse);
    let target = Target { path: path.to_owned(), force, rehearse };
    if shared.json && target.is_stdout() {
        return Err(Failure::new(Kind::Usage, "the file and --json both want standard output")
            .help("name a file instead of `-`, or leave out --json"));
    }
    Ok(target)
}

/// Says where a file is, or that a rehearsal has none.
fn tell_written(events: &Events, target: &Target) {
    let path = target.path.display().to_string();
    if target.rehearse {
        let text = format!("A rehearsal writes no file: `{path}` was left as it is.");
        return events.emit(Event::Note { text });
    }
    if !target.is_stdout() {
        events.emit(Event::Written { path });
    }
}

/// A failure for people: the words at the start of a line in their colours, and sentences within
/// the terminal. What is quoted from a file stays as it is there.
fn coloured(text: &str) -> String {
    let width = console::Term::stderr().size_checked().map(|(_, columns)| usize::from(columns));
    let sentence = |line: &str| {
        let words = ["error: ", "cause: ", "now: ", "help: "];
        words.into_iter().find(|word| line.starts_with(word))
    };
    let fit = |line: &str| match (sentence(line), width) {
        (Some(word), Some(width)) => progress::hang(line, "", &" ".repeat(word.len()), width),
        _ => line.to_owned(),
    };
    let text = visible(text).lines().map(fit).collect::<Vec<_>>().join("\n");
    let paint = |line: &str| {
        for (word, colour) in [("error:", "\u{1b}[1;31m"), ("help:", "\u{1b}[1;36m")] {
            if let Some(rest) = line.strip_prefix(word) {
                return format!("{colour}{word}\u{1b}[0m{rest}\n");
            }
        }
        format!("{line}\n")
    };
    text.lines().map(paint).collect()
}

fn sink(shared: &Shared) -> Events {
    if shared.json {
        return Arc::new(JsonLines::new(std::io::stdout()));
    }
    if shared.quiet {
        return Arc::new(Quiet::new(std::io::stdout()));
    }
    let width = console::Term::stderr().size_checked().map(|(_, columns)| usize::from(columns));
    Arc::new(Human::new(anstream::stderr(), std::io::stdout(), width))
}

fn stopped(command: &Command) -> Failure {
    if matches!(command, Command::Init(_)) {
        return Failure::new(Kind::Interrupted, "stopped; nothing was written")
            .help("run the same command again");
    }
    if !lock::was_taken() {
        return prompt::stopped();
    }
    Failure::new(Kind::Interrupted, "stopped; AWS finishes what was already started")
        .help("run the same command again: it waits for that and resumes")
}

/// Runs the command, with a trace where one is wanted.
async fn traced(cli: &Cli, events: &Events) -> Result<u8, Failure> {
    if let Some(path) = &cli.shared.trace {
        let told = Arc::clone(events);
        let broken = move |text| told.emit(Event::Note { text });
        trace::begin(&target(&cli.shared, path)?, cli.command.name(), broken)?;
    }
    Box::pin(dispatch(cli, events)).await
}

/// Runs the command; the exit code of one that did not fail.
async fn dispatch(cli: &Cli, events: &Events) -> Result<u8, Failure> {
    let shared = &cli.shared;
    environment::check(!shared.rehearse && cli.command.needs_network())?;
    match &cli.command {
        Command::Init(wish) => init::init(shared, wish, events).await,
        Command::Doctor(wish) => return Box::pin(doctor::doctor(shared, wish, events)).await,
        Command::Schema => {
            init::schema(events);
            Ok(())
        }
        Command::Completions { shell } => {
            init::completions(*shell, events);
            Ok(())
        }
        Command::Man { out } => init::man(shared, out, events),
        Command::Plan => life::plan(shared, events).await,
        Command::Install(wish) => Box::pin(life::install(shared, wish, events)).await,
        Command::Adopt(wish) => adopt::adopt(shared, wish, events).await,
        Command::List => Box::pin(list::list(shared, events)).await,
        Command::Rollback { release, list } => {
            let request = back::Request { release: release.as_deref(), list: *list };
            Box::pin(back::rollback(shared, &request, events)).await
        }
        Command::Status => status::status(shared, events).await,
        Command::Drift(wish) => return drift::drift(shared, *wish, events).await,
        Command::Repair(wish) => repair::repair(shared, wish, events).await,
        Command::Verify(wish) => return verify::verify(shared, wish, events).await,
        Command::Support(wish) => support::support(shared, wish, events).await,
        Command::Teardown(wish) => leave::teardown(shared, wish, events).await,
        Command::Export { file } => leave::export(shared, file, events).await,
        Command::Import { file } => leave::import(shared, file, events).await,
        Command::Logs { since, grep, access, follow } => {
            let (grep, access, follow) = (grep.as_deref(), *access, *follow);
            logs::logs(shared, &logs::LogWish { since, grep, access, follow }, events).await
        }
        Command::Open { site } => open::open(shared, site.as_deref(), events).await,
        Command::Render { out } => render_to(shared, out, events),
        Command::Operator { wish } => operator::operator(shared, wish, events).await,
        Command::Site { wish } => site::site(shared, wish, events).await,
        Command::Skill { wish } => skill::run(shared, wish, events).await,
        Command::Domains(wish) => return domains::run(shared, wish, events).await,
        Command::Mail(wish) => return mail::run(shared, wish, events).await,
        Command::Local { data, export: Some(file), .. } => {
            local::export(shared, data, file, events)
        }
        Command::Local { port, data, no_limits, import, .. } => {
            if let Some(file) = import {
                local::import(data, file, events)?;
            }
            local::local(shared, *port, data, !no_limits, events).await
        }
    }?;
    Ok(0)
}

/// The configuration, with what a person has to know of it said.
fn configuration(shared: &Shared, events: &Events) -> Result<Config, Failure> {
    let mut config = configured(shared)?;
    for text in std::mem::take(&mut config.warnings) {
        events.emit(Event::Note { text });
    }
    Ok(config)
}

fn configured(shared: &Shared) -> Result<Config, Failure> {
    let environment = Environment {
        turnstile_site_key: environment::text("SPACEDUCK_TURNSTILE_SITE_KEY"),
        turnstile_secret: environment::text("SPACEDUCK_TURNSTILE_SECRET").map(Secret::new),
    };
    let path = shared.config.as_deref().unwrap_or(Path::new("galaxy.yaml"));
    let mut config = config::load(path, shared.config.is_some(), &environment)?;
    if let Some(region) = &shared.region {
        let region = Region::parse(region).map_err(|invalid| {
            Failure::new(Kind::Usage, invalid.to_string())
                .help("name a Region by its code: --region eu-central-1")
        })?;
        config.region = Some(region);
    }
    Ok(config)
}

fn render_to(shared: &Shared, out: &Path, events: &Events) -> Result<(), Failure> {
    let config = configuration(shared, events)?;
    let region = config.region.clone();
    let facts = Facts { config, account: None, region, code: None, release: RELEASE.into() };
    let template = |(stack, rendered): (Stack, Rendered)| {
        (format!("{}.yaml", stack.name(&facts.config.name)), rendered.body.into_bytes())
    };
    let templates: Vec<_> = render_all(&facts, catalog::fill)?.into_iter().map(template).collect();
    let folder = target(shared, out)?;
    for path in files::write_folder(&folder, &templates)? {
        tell_written(events, &Target { path, ..folder.clone() });
    }
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next: vec![] });
    Ok(())
}
