//! One short function per command; the only file that knows both the pure part and the adapters.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use crate::catalog::{self, Facts};
use crate::cli::{Cli, Command, OperatorWish, Shared};
use crate::config::{self, Config, Environment};
use crate::event::{Event, Events, Outcome};
use crate::failure::{Failure, Kind};
use crate::model::{Region, Secret};
use crate::operators::{self, Told, Wish};
use crate::progress::{Human, JsonLines, Quiet};

mod ask;
mod back;
mod doctor;
mod domains;
mod home;
mod init;
mod leave;
mod life;
mod local;
mod mail;
mod records;
mod site;
mod skill;
mod state;

use home::Start;
use life::{RELEASE, render_all};

/// Runs a command and gives the exit code. Failures are told here and nowhere else.
pub async fn run(cli: Cli) -> u8 {
    let shared = &cli.shared;
    let events = sink(shared);
    let outcome = tokio::select! {
        outcome = dispatch(&cli, &events) => outcome,
        () = interrupted(&cli.command) => Err(stopped(&cli.command)),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            let first = failure.mistakes.first();
            events.emit(Event::Failed {
                kind: failure.kind.word().into(),
                message: failure.message().into(),
                cause: failure.cause.clone(),
                now: failure.now.clone(),
                help: first.and_then(|mistake| mistake.help.clone()),
                exit_code: failure.kind.exit_code(),
            });
            if !shared.json {
                let _ = write!(anstream::stderr(), "{}", coloured(&failure.to_text()));
            }
            failure.kind.exit_code()
        }
    }
}

/// The words at the start of a line in their colours; the terminal's wishes are kept elsewhere.
fn coloured(text: &str) -> String {
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
        return Arc::new(Quiet);
    }
    let width = console::Term::stderr().size_checked().map(|(_, columns)| usize::from(columns));
    Arc::new(Human::new(anstream::stderr(), width))
}

/// Ctrl-C. The local galaxy ends by itself, in order.
async fn interrupted(command: &Command) {
    if matches!(command, Command::Local { .. }) || tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn stopped(command: &Command) -> Failure {
    if matches!(command, Command::Init(_)) {
        return Failure::new(Kind::Interrupted, "stopped; nothing was written");
    }
    Failure::new(Kind::Interrupted, "stopped; AWS goes on with what was already started")
        .help("run the same command again: it waits for that and goes on from there")
}

/// Runs the command; the exit code of one that did not fail.
async fn dispatch(cli: &Cli, events: &Events) -> Result<u8, Failure> {
    let shared = &cli.shared;
    match &cli.command {
        Command::Init(wish) => init::init(shared, wish, events).await,
        Command::Doctor(wish) => return doctor::doctor(shared, wish, events).await,
        Command::Schema => {
            init::schema(events);
            Ok(())
        }
        Command::Completions { shell } => {
            init::completions(*shell, events);
            Ok(())
        }
        Command::Man { out } => init::man(out, events),
        Command::Plan => life::plan(shared, events).await,
        Command::Install { replace, watch } => life::install(shared, replace, *watch, events).await,
        Command::Rollback { release } => back::rollback(shared, release.as_deref(), events).await,
        Command::Status => state::status(shared, events).await,
        Command::Drift { since_last } => return state::drift(shared, *since_last, events).await,
        Command::Repair { items } => state::repair(shared, items, events).await,
        Command::Teardown(wish) => leave::teardown(shared, wish, events).await,
        Command::Export { file } => leave::export(shared, file, events).await,
        Command::Import { file } => leave::import(shared, file, events).await,
        Command::Logs { since, grep, access, follow } => {
            let wish = state::LogWish { since, grep: grep.as_deref(), access: *access };
            state::logs(shared, &wish, *follow, events).await
        }
        Command::Open { site } => state::open(shared, site.as_deref(), events).await,
        Command::Render { out } => render_to(shared, out, events),
        Command::Operator { wish } => operator(shared, wish, events).await,
        Command::Site { wish } => site::site(shared, wish, events).await,
        Command::Skill { wish } => skill::run(wish, events).await,
        Command::Domains(wish) => return domains::run(shared, wish, events).await,
        Command::Mail(wish) => return mail::run(shared, wish, events).await,
        Command::Local { port, data, no_limits } => {
            local::local(shared, *port, data, !no_limits).await
        }
    }?;
    Ok(0)
}

fn configuration(shared: &Shared) -> Result<Config, Failure> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let environment = Environment {
        turnstile_site_key: variable("SPACEDUCK_TURNSTILE_SITE_KEY"),
        turnstile_secret: variable("SPACEDUCK_TURNSTILE_SECRET").map(Secret::new),
    };
    let path = shared.config.as_deref().unwrap_or(Path::new("galaxy.yaml"));
    let mut config = config::load(path, shared.config.is_some(), &environment)?;
    if let Some(region) = &shared.region {
        let region = Region::parse(region)
            .map_err(|invalid| Failure::new(Kind::Usage, invalid.to_string()))?;
        config.region = Some(region);
    }
    Ok(config)
}

fn render_to(shared: &Shared, out: &Path, events: &Events) -> Result<(), Failure> {
    let config = configuration(shared)?;
    let region = config.region.clone();
    let facts = Facts { config, account: None, region, code: None, release: RELEASE.into() };
    let unwritable = |path: &Path, error: &std::io::Error| {
        Failure::new(Kind::Input, format!("can't write `{}`", path.display()))
            .cause(error.to_string())
            .help("name another folder with --out, or make room")
    };
    std::fs::create_dir_all(out).map_err(|error| unwritable(out, &error))?;
    for (stack, rendered) in render_all(&facts, catalog::fill)? {
        let path = out.join(format!("{}.yaml", stack.name(&facts.config.name)));
        std::fs::write(&path, &rendered.body).map_err(|error| unwritable(&path, &error))?;
        events.emit(Event::Note { text: path.display().to_string() });
    }
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next: vec![] });
    Ok(())
}

async fn operator(shared: &Shared, wish: &OperatorWish, events: &Events) -> Result<(), Failure> {
    let (wish, home) = match wish {
        OperatorWish::Add { email, home } => (Wish::Add(operators::address(email)?), home),
        OperatorWish::Remove { email, home } => (Wish::Remove(operators::address(email)?), home),
        OperatorWish::List { home } => (Wish::List, home),
    };
    let told = if let Some(data) = &home.data {
        operators::in_folder(data, &wish).await?
    } else {
        let config = configuration(shared)?;
        let home = home::reach(shared, &config, Start::Installed, events).await?;
        operators::in_account(&home.world, &config.name, &wish).await?
    };
    let mut outcome = Outcome::Done;
    match (told, &wish) {
        (Told::Operators(operators), _) => events.emit(Event::Operators { operators }),
        (Told::Added(Some(password)), Wish::Add(email)) => events.emit(Event::Account {
            email: email.as_str().to_owned(),
            password: password.expose().to_owned(),
        }),
        (Told::Unchanged, _) => outcome = Outcome::Unchanged,
        _ => {}
    }
    events.emit(Event::Finished { outcome, urls: vec![], next: vec![] });
    Ok(())
}
