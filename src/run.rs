//! One short function per command; the only file that knows both the pure part and the adapters.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::aws;
use crate::catalog::{self, Code, Facts};
use crate::cli::{Cli, Command, OperatorWish, Shared};
use crate::config::{self, Config, Environment};
use crate::event::{Event, Events, Outcome, VERSION};
use crate::execute::{self, Job};
use crate::failure::{Failure, Kind};
use crate::model::{GalaxyName, Region, Secret, Stack};
use crate::observe::observe;
use crate::operators::{self, Told, Wish};
use crate::plan::{self, Goal};
use crate::progress::{Human, JsonLines, Quiet};
use crate::render::{self, Rendered};

/// What this program carries.
const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// Runs a command and gives the exit code. Failures are told here and nowhere else.
pub async fn run(cli: Cli) -> u8 {
    let shared = &cli.shared;
    let events = sink(shared);
    let outcome = tokio::select! {
        outcome = dispatch(&cli, &events) => outcome,
        () = interrupted(&cli.command) => Err(stopped()),
    };
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            let first = failure.mistakes.first();
            events.emit(Event::Failed {
                kind: failure.kind.word().into(),
                message: failure.message().into(),
                cause: failure.cause.clone(),
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

fn stopped() -> Failure {
    Failure::new(Kind::Interrupted, "stopped; AWS goes on with what was already started")
        .help("run the same command again: it waits for that and goes on from there")
}

async fn dispatch(cli: &Cli, events: &Events) -> Result<(), Failure> {
    match &cli.command {
        Command::Install => install(&cli.shared, events).await,
        Command::Teardown { confirm } => teardown(&cli.shared, confirm.as_deref(), events).await,
        Command::Render { out } => render_to(&cli.shared, out, events),
        Command::Operator { wish } => operator(&cli.shared, wish, events).await,
        Command::Local { port, data, no_limits } => {
            local(beak_local::Options { port: *port, data: data.clone(), limits: !no_limits }).await
        }
    }
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

async fn connect(shared: &Shared, config: &Config) -> Result<aws::Account, Failure> {
    let settings = aws::Settings {
        profile: shared.profile.clone(),
        region: config.region.clone(),
        connect_to: shared.connect_to.clone(),
    };
    aws::connect(&settings).await
}

fn started(command: &str, facts: &Facts, account: &aws::Account) -> Event {
    Event::Started {
        version: VERSION,
        command: command.into(),
        galaxy: facts.config.name.to_string(),
        account: account.id.to_string(),
        region: account.region.to_string(),
        release: facts.release.clone(),
    }
}

fn render_all(
    facts: &Facts,
    fill: fn(Stack, &Facts) -> render::Fill,
) -> Result<BTreeMap<Stack, Rendered>, Failure> {
    let one = |stack: Stack| {
        render::render(catalog::template(stack), &fill(stack, facts))
            .map(|rendered| (stack, rendered))
            .map_err(|error| {
                Failure::bug(format!("the template of `{stack}` can't be rendered"))
                    .cause(error.to_string())
            })
    };
    Stack::all().into_iter().map(one).collect()
}

async fn install(shared: &Shared, events: &Events) -> Result<(), Failure> {
    let config = configuration(shared)?;
    let account = connect(shared, &config).await?;
    let zip = beak_package::obtain(|text| events.emit(Event::Note { text: text.into() }))
        .map_err(|error| Failure::new(Kind::Input, error.to_string()).help(error.help()))?;
    let code = Code { sha256: zip.sha256.clone(), architecture: zip.architecture };
    let secret = config.turnstile_secret.clone();
    let facts = Facts {
        config,
        region: Some(account.region.clone()),
        code: Some(code.clone()),
        release: RELEASE.into(),
    };
    events.emit(started("install", &facts, &account));
    let rendered = render_all(&facts, catalog::fill)?;
    let job = Arc::new(Job {
        world: account.world,
        events: Arc::clone(events),
        account: account.id,
        home: account.region,
        rendered,
        code: Some((code, zip.bytes.into())),
        secret,
        facts,
        outputs: Mutex::default(),
    });
    let observed = observe(&job).await?;
    let plan = plan::plan(Goal::Present, &observed, &job.rendered);
    events.emit(Event::Planned { steps: plan.to_steps() });
    let next = next_steps(&job, observed.secret.is_stored() || job.secret.is_some());
    if plan.is_empty() {
        let (outcome, urls) = (Outcome::Unchanged, execute::urls(&job)?);
        events.emit(Event::Finished { outcome, urls, next });
        return Ok(());
    }
    if !agreed(shared, "Go on?")? {
        events.emit(Event::Finished { outcome: Outcome::Declined, urls: vec![], next: vec![] });
        return Ok(());
    }
    execute::run(&plan, &job).await?;
    let urls = execute::urls(&job)?;
    events.emit(Event::Finished { outcome: Outcome::Done, urls, next });
    Ok(())
}

fn next_steps(job: &Job, captcha: bool) -> Vec<String> {
    let mut next = Vec::new();
    if !captcha {
        next.push(
            "Nobody can hatch yet: make a Turnstile widget at Cloudflare, set \
             SPACEDUCK_TURNSTILE_SITE_KEY and SPACEDUCK_TURNSTILE_SECRET, and run `spaceduck \
             install` again."
                .into(),
        );
    }
    next.push(
        "Codes come from Cognito's own sender, which mails anyone but only about 50 times a day."
            .into(),
    );
    let name = &job.facts.config.name;
    next.push(format!("`spaceduck teardown --confirm {name}` removes everything again."));
    next
}

async fn teardown(shared: &Shared, confirm: Option<&str>, events: &Events) -> Result<(), Failure> {
    let config = configuration(shared)?;
    let account = connect(shared, &config).await?;
    let (region, release) = (Some(account.region.clone()), RELEASE.into());
    let facts = Facts { config, region, code: None, release };
    events.emit(started("teardown", &facts, &account));
    let job = Arc::new(Job {
        rendered: render_all(&facts, catalog::fill_disposable)?,
        world: account.world,
        events: Arc::clone(events),
        account: account.id,
        home: account.region,
        code: None,
        secret: None,
        facts,
        outputs: Mutex::default(),
    });
    let observed = observe(&job).await?;
    let plan = plan::plan(Goal::Absent, &observed, &job.rendered);
    events.emit(Event::Planned { steps: plan.to_steps() });
    let finished = |outcome| Event::Finished { outcome, urls: vec![], next: vec![] };
    if plan.is_empty() {
        events.emit(finished(Outcome::Unchanged));
        return Ok(());
    }
    if !named(&job.facts.config.name, confirm)? {
        events.emit(finished(Outcome::Declined));
        return Ok(());
    }
    execute::run(&plan, &job).await?;
    events.emit(finished(Outcome::Done));
    Ok(())
}

/// The one question of an installation.
fn agreed(shared: &Shared, question: &str) -> Result<bool, Failure> {
    if shared.yes {
        return Ok(true);
    }
    let answer = ask(&format!("{question} [y/N] "), "answer it beforehand with --yes")?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Data goes: the galaxy's name has to be typed.
fn named(galaxy: &GalaxyName, confirm: Option<&str>) -> Result<bool, Failure> {
    let typed = match confirm {
        Some(name) => name.to_owned(),
        None => ask(
            &format!("All ducklings, bonds and certificates go. Type `{galaxy}` to remove it: "),
            &format!("name the galaxy with --confirm {galaxy}"),
        )?,
    };
    if typed.trim() == galaxy.as_str() {
        return Ok(true);
    }
    let message = format!("`{}` is not the galaxy's name; nothing was removed", typed.trim());
    Err(Failure::new(Kind::Refused, message).help(format!("it is called `{galaxy}`")))
}

fn ask(question: &str, otherwise: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(Kind::Refused, "there is nobody to ask; nothing was changed")
            .help(otherwise));
    }
    let mut err = anstream::stderr();
    let _ = write!(err, "{question}").and_then(|()| err.flush());
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|error| {
        Failure::new(Kind::Refused, "the answer can't be read; nothing was changed")
            .cause(error.to_string())
    })?;
    Ok(answer)
}

fn render_to(shared: &Shared, out: &Path, events: &Events) -> Result<(), Failure> {
    let config = configuration(shared)?;
    let region = config.region.clone();
    let facts = Facts { config, region, code: None, release: RELEASE.into() };
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
        let account = connect(shared, &config).await?;
        operators::in_account(&account.world, &config.name, &wish).await?
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

async fn local(options: beak_local::Options) -> Result<(), Failure> {
    beak_local::serve(options)
        .await
        .map_err(|error| Failure::new(Kind::Input, error.to_string()).help(error.help()))
}
