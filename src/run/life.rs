//! The commands that bring a galaxy up: plan, install.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};

use super::ask;
use super::home::{self, Home, Start};
use crate::back;
use crate::catalog::{self, Code, Facts};
use crate::cli::Shared;
use crate::config::Config;
use crate::cost;
use crate::event::{Event, Events, Outcome, VERSION};
use crate::execute::{self, Job, Pages};
use crate::failure::{Failure, Kind};
use crate::lock;
use crate::mail;
use crate::model::Stack;
use crate::observe::observe;
use crate::plan::{self, Action, Goal, Plan, StepId};
use crate::render::{self, Rendered};
use crate::site;

/// What this program carries.
pub(super) const RELEASE: &str = env!("CARGO_PKG_VERSION");

pub(super) fn render_all(
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

pub(super) fn tell_start(command: &str, job: &Job) {
    job.events.emit(Event::Started {
        version: VERSION,
        command: command.into(),
        galaxy: job.facts.config.name.to_string(),
        account: job.account.to_string(),
        region: job.home.to_string(),
        release: job.facts.release.clone(),
    });
}

/// The function's code: what this program carries, or, where nothing is real, a stand-in.
fn code(shared: &Shared, events: &Events) -> Result<(Code, Arc<[u8]>), Failure> {
    if shared.rehearse {
        let bytes: Arc<[u8]> = Arc::from(RELEASE.as_bytes());
        let sha256 = render::hex(&Sha256::digest(&bytes));
        return Ok((Code { sha256, architecture: "arm64" }, bytes));
    }
    let zip = beak_package::obtain(|text| events.emit(Event::Note { text: text.into() }))
        .map_err(|error| Failure::new(Kind::Input, error.to_string()).help(error.help()))?;
    Ok((Code { sha256: zip.sha256, architecture: zip.architecture }, zip.bytes.into()))
}

/// Everything that bringing a galaxy up needs.
pub(super) fn arrival(
    home: &Home,
    config: Config,
    code: (Code, Arc<[u8]>),
    named: BTreeSet<String>,
    events: &Events,
) -> Result<Arc<Job>, Failure> {
    let secret = config.turnstile_secret.clone();
    let facts = Facts {
        config,
        account: Some(home.id.clone()),
        region: Some(home.region.clone()),
        code: Some(code.0.clone()),
        release: RELEASE.into(),
    };
    Ok(Arc::new(Job {
        rendered: render_all(&facts, catalog::fill)?,
        world: home.world.clone(),
        events: Arc::clone(events),
        account: home.id.clone(),
        home: home.region.clone(),
        code: Some(code),
        secret,
        facts,
        pages: Pages::Program,
        files: Arc::new(site::objects),
        export: None,
        named,
        outputs: Mutex::default(),
    }))
}

/// Looks at the account and tells what is to be done.
pub(super) async fn look(
    job: &Arc<Job>,
    goal: Goal,
    export: bool,
) -> Result<(plan::Observed, Plan), Failure> {
    let observed = observe(job).await?;
    let plan = plan::plan(goal, &observed, &job.rendered);
    let plan = if export { plan.with_export() } else { plan };
    let monthly = if goal == Goal::Present { cost::monthly(&job.rendered) } else { Vec::new() };
    job.events.emit(Event::Planned { steps: plan.to_steps(), times: plan.times(), monthly });
    Ok((observed, plan))
}

pub(super) async fn plan(shared: &Shared, events: &Events) -> Result<(), Failure> {
    let mut config = super::configuration(shared)?;
    let home = home::reach(shared, &config, Start::Empty, events).await?;
    config.mail.seen = mail::seen(&home.world, &config).await?;
    let job = arrival(&home, config, code(shared, events)?, BTreeSet::new(), events)?;
    tell_start("plan", &job);
    let (_, plan) = look(&job, Goal::Present, false).await?;
    for step in &plan.steps {
        if let (StepId::Stack(stack), Action::Update) = (step.id, &step.action) {
            execute::preview(&job, stack).await?;
        }
    }
    let outcome = if plan.is_empty() { Outcome::Unchanged } else { Outcome::Planned };
    events.emit(Event::Finished { outcome, urls: vec![], next: vec![] });
    Ok(())
}

pub(super) async fn install(
    shared: &Shared,
    named: &[String],
    events: &Events,
) -> Result<(), Failure> {
    let mut config = super::configuration(shared)?;
    let home = home::reach(shared, &config, Start::Empty, events).await?;
    config.mail.seen = mail::seen(&home.world, &config).await?;
    let named = named.iter().cloned().collect();
    let job = arrival(&home, config, code(shared, events)?, named, events)?;
    tell_start("install", &job);
    let (observed, plan) = look(&job, Goal::Present, false).await?;
    let next = next_steps(&job, observed.secret.is_stored() || job.secret.is_some());
    if plan.is_empty() {
        lock::sweep(&job.world, &job.facts.config.name).await?;
        let (outcome, urls) = (Outcome::Unchanged, execute::urls(&job)?);
        events.emit(Event::Finished { outcome, urls, next });
        return Ok(());
    }
    if !ask::agreed(shared, "Go on?")? {
        events.emit(Event::Finished { outcome: Outcome::Declined, urls: vec![], next: vec![] });
        return Ok(());
    }
    let run = async {
        match execute::run(&plan, &job).await {
            Ok(()) => Ok(()),
            Err(broken) => Err(back::after(&job, &observed, broken).await),
        }
    };
    alone(&job, "install", run).await?;
    let urls = execute::urls(&job)?;
    events.emit(Event::Finished { outcome: Outcome::Done, urls, next });
    Ok(())
}

/// Does something while nobody else may. A failure is told with what there is then.
pub(super) async fn alone<E>(
    job: &Arc<Job>,
    command: &str,
    act: impl Future<Output = Result<(), E>>,
) -> Result<(), Failure>
where
    Failure: From<E>,
{
    let act = async {
        match act.await {
            Ok(()) => Ok(()),
            Err(error) => Err(Failure::from(error).now(execute::standing(job).await)),
        }
    };
    lock::holding(&job.world, &job.facts.config.name, command, act).await
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
