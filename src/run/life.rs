//! The commands that bring a galaxy up: plan, install.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::home::{self, Home, Start};
use super::{ask, claim, records, region};
use crate::back;
use crate::catalog::{self, Code, Facts};
use crate::cli::{Install, Shared};
use crate::config::Config;
use crate::cost;
use crate::domains;
use crate::event::{Event, Events, Outcome, VERSION};
use crate::execute::{self, Job, Pages};
use crate::failure::{Failure, Kind};
use crate::identity;
use crate::lock;
use crate::mail;
use crate::model::{Region, Stack};
use crate::observe::observe;
use crate::plan::{self, Action, Goal, Plan, StepId};
use crate::ports::{Claim, World};
use crate::release;
use crate::render::{self, Rendered};
use crate::site::{self, own::Own};
use crate::zones;

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
    let wanted = |stack: &Stack| catalog::is_wanted(*stack, &facts.config);
    Stack::all().into_iter().filter(wanted).map(one).collect()
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

/// The function's code and its zip.
type Artifact = (Code, Arc<[u8]>);

/// The function's code: what this program carries, or, where nothing is real, a stand-in.
fn code(shared: &Shared, events: &Events) -> Result<Artifact, Failure> {
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
    code: Artifact,
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
    let files = match &facts.config.pages {
        None => Arc::new(site::objects) as site::Files,
        Some(folder) => {
            let Own { content, notes } = site::own::content(folder)?;
            for text in notes {
                events.emit(Event::Note { text });
            }
            Arc::new(move |site, config: &_| site::objects_of(&content, site, config))
        }
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
        files,
        export: None,
        named,
        outputs: Mutex::default(),
    }))
}

/// Reads the account and shows the plan.
pub(super) async fn look(
    job: &Arc<Job>,
    goal: Goal,
    export: bool,
) -> Result<(plan::Observed, Plan), Failure> {
    if goal == Goal::Present {
        region::check(&job.home, &job.events)?;
    }
    let observed = observe(job).await?;
    if goal == Goal::Present {
        let current = observed.current.as_ref();
        release::not_older(current.map(|current| current.release.as_str()), RELEASE)?;
        let installed = current.is_some_and(|current| current.own);
        site::own::still_named(job.facts.config.pages.as_deref(), installed)?;
    }
    let plan = plan::plan(goal, &observed, &job.rendered);
    let plan = if export { plan.with_export() } else { plan };
    if !plan.refused.is_empty() {
        return Err(identity::refused(&job.facts.config.name, &plan.refused));
    }
    let monthly = if goal == Goal::Present { cost::monthly(&job.rendered) } else { Vec::new() };
    job.events.emit(Event::Planned { steps: plan.to_steps(), times: plan.times(), monthly });
    records::tell(&job.events, &plan, &observed.hosting);
    Ok((observed, plan))
}

/// The configuration with what was seen in the account that decides what is rendered.
async fn looked(world: &World, mut config: Config, region: &Region) -> Result<Config, Failure> {
    config.mail.seen = mail::seen(world, &config).await?;
    config.domains = domains::seen(world, &config).await?;
    config.hosting = zones::seen(world, &config, region).await?;
    Ok(config)
}

/// The configuration with what was seen of the domains.
pub(super) async fn with_domains(home: &Home, mut config: Config) -> Result<Config, Failure> {
    config.domains = domains::seen(&home.world, &config).await?;
    config.hosting = zones::seen(&home.world, &config, &home.region).await?;
    Ok(config)
}

/// A job that brings up this program's release, and what it finds.
pub(super) async fn ready(
    home: &Home,
    shared: &Shared,
    base: Config,
    events: &Events,
) -> Result<(Arc<Job>, plan::Observed), Failure> {
    let code = code(shared, events)?;
    let config = looked(&home.world, base, &home.region).await?;
    let job = arrival(home, config, code, BTreeSet::new(), events)?;
    let observed = observe(&job).await?;
    Ok((job, observed))
}

pub(super) async fn plan(shared: &Shared, events: &Events) -> Result<(), Failure> {
    let config = super::configuration(shared, events)?;
    let home = home::reach(shared, &config, Start::Empty, events).await?;
    let config = looked(&home.world, config, &home.region).await?;
    let job = arrival(&home, config, code(shared, events)?, BTreeSet::new(), events)?;
    tell_start("plan", &job);
    let (observed, plan) = look(&job, Goal::Present, false).await?;
    claim::tell(&home, &job, &observed).await?;
    for step in &plan.steps {
        // Without a record nothing may be worked out for a stack.
        let recorded = observed.claim == Claim::Recorded;
        if let (StepId::Stack(stack), Action::Update, true) = (step.id, &step.action, recorded) {
            execute::preview(&job, stack).await?;
        }
    }
    let outcome = if plan.is_empty() { Outcome::Unchanged } else { Outcome::Planned };
    let next = waiting(&job.facts.config);
    events.emit(Event::Finished { outcome, urls: vec![], next });
    Ok(())
}

pub(super) async fn install(
    shared: &Shared,
    wish: &Install,
    events: &Events,
) -> Result<(), Failure> {
    let mut base = super::configuration(shared, events)?;
    let home = home::reach(shared, &base, Start::Empty, events).await?;
    if let Some(secret) = ask::captcha_secret(shared, &home.world, &base).await? {
        base.turnstile_secret = Some(secret);
    }
    let code = code(shared, events)?;
    let mut config = looked(&home.world, base.clone(), &home.region).await?;
    let mut outcome = None;
    loop {
        let named = wish.replace.iter().cloned().collect();
        let job = arrival(&home, config, code.clone(), named, events)?;
        if outcome.is_none() {
            tell_start("install", &job);
        }
        let (observed, plan) = look(&job, Goal::Present, false).await?;
        let idle = plan.is_empty();
        if idle {
            outcome.get_or_insert(Outcome::Unchanged);
        } else {
            if outcome.is_none() {
                claim::tell(&home, &job, &observed).await?;
            }
            let agreed = outcome.is_some()
                || claim::confirmed(&job, &observed, wish.confirm.as_deref()).await?
                    && ask::agreed(shared, "Go on?").await?;
            if !agreed {
                let outcome = Outcome::Declined;
                events.emit(Event::Finished { outcome, urls: vec![], next: vec![] });
                return Ok(());
            }
            carry_out(&job, &observed, &plan).await?;
            outcome = Some(Outcome::Done);
        }
        let (now, further) = further(&job, &base, wish.watch, idle).await?;
        config = now;
        if !further {
            let captcha = observed.secret.is_stored() || job.secret.is_some();
            let mut next = waiting(&config);
            next.extend(next_steps(captcha));
            let (outcome, urls) = (outcome.unwrap_or(Outcome::Done), execute::urls(&job)?);
            events.emit(Event::Finished { outcome, urls, next });
            return Ok(());
        }
        let text = "Amazon has gone on: what it has issued is put to work now.";
        events.emit(Event::Note { text: text.into() });
    }
}

/// Runs a plan under the lock.
async fn carry_out(job: &Arc<Job>, observed: &plan::Observed, plan: &Plan) -> Result<(), Failure> {
    let run = async {
        domains::remember(&job.world, &job.facts.config).await?;
        match execute::run(plan, job).await {
            Ok(()) => Ok(()),
            Err(broken) => Err(back::after(job, observed, broken).await),
        }
    };
    alone(job, "install", Box::pin(run)).await
}

/// How often `--watch` looks at domains; Amazon is not faster.
const WATCH: Duration = Duration::from_secs(30);

/// The configuration with the current state, and whether there is something new to do. Only
/// `--watch` waits for a domain.
async fn further(
    job: &Arc<Job>,
    base: &Config,
    watch: bool,
    idle: bool,
) -> Result<(Config, bool), Failure> {
    let before = &job.facts.config;
    if before.domains.names.is_empty() && before.hosting.slots.is_empty() {
        return Ok((before.clone(), false));
    }
    let mut told = false;
    loop {
        let now = looked(&job.world, base.clone(), &job.home).await?;
        let further = domains::is_further(&before.domains, &now.domains)
            || records::is_further(&before.hosting, &now.hosting);
        // A run that found nothing to do would find nothing the second time, either.
        if further && (!idle || told) {
            return Ok((now, true));
        }
        if !watch || domains::is_settled(&now.domains) {
            return Ok((now, false));
        }
        if !told {
            told = true;
            let text = "Waiting for domains. Ctrl-C stops; the same command resumes later.";
            job.events.emit(Event::Note { text: text.into() });
            for line in waiting(&now) {
                job.events.emit(Event::Note { text: line });
            }
        }
        job.world.clock.sleep(WATCH).await;
    }
}

/// What domains wait for, and whom.
fn waiting(config: &Config) -> Vec<String> {
    let domains = &config.domains;
    let open = domains.names.iter().filter(|(front, _)| domains.answering(**front).is_none());
    let mut lines: Vec<String> = open
        .map(|(front, domain)| {
            format!("{front} at {domain}: {}.", domains::standing(domains, *front))
        })
        .collect();
    if !lines.is_empty() {
        lines.push("`spaceduck domains` lists the records to set and how they are now.".into());
    }
    lines.extend(config.hosting.left_alone());
    lines
}

/// Runs something under the lock. A failure is reported with what exists then.
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
    lock::holding(&job.world, &job.facts.config.name, command, Box::pin(act)).await
}

fn next_steps(captcha: bool) -> Vec<String> {
    let mut next = Vec::new();
    if !captcha {
        next.push(
            "Hatching is closed: create a Turnstile widget at Cloudflare, set \
             SPACEDUCK_TURNSTILE_SITE_KEY and SPACEDUCK_TURNSTILE_SECRET, and run `spaceduck \
             install` again."
                .into(),
        );
    }
    next.push("Make yourself an operator: `spaceduck operator add EMAIL`.".into());
    next.push("Open Mission Control: `spaceduck open duckcontrol`.".into());
    next.push(
        "Cognito's own sender mails the codes, to any address but only about 50 a day. \
         `spaceduck mail` shows the way to your own domain."
            .into(),
    );
    next
}
