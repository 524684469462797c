//! Bringing a galaxy to a goal in an account in memory.

#![allow(dead_code, reason = "each test uses its own part of it")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use beak_core::id::{CertId, DucklingId};
use beak_core::{Duration, OffsetDateTime};
use galaxy_sites::{Site, SiteConfig};
use sha2::{Digest as _, Sha256};
use spaceduck::archive::{self, Progress, Reader, Spool};
use spaceduck::back;
use spaceduck::catalog::{self, Code, Facts};
use spaceduck::config::{self, Environment};
use spaceduck::domains;
use spaceduck::event::{Event, Sink};
use spaceduck::execute::{self, Job, Pages};
use spaceduck::failure::{Failure, Kind};
use spaceduck::identity::{self, Subject};
use spaceduck::mail;
use spaceduck::model::{AccountId, Front, GalaxyName, Region, Secret, Stack};
use spaceduck::observe::{self, observe};
use spaceduck::plan::{self, Goal, Observed};
use spaceduck::ports::{Object, World};
use spaceduck::rehearse::Account;
use spaceduck::release::Manifest;
use spaceduck::render::{self, Rendered};
use spaceduck::site;
use spaceduck::zones;

#[derive(Default)]
pub(crate) struct Heard(pub(crate) Mutex<Vec<Event>>);

impl Sink for Heard {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// The home Region of galaxies that are not said to live elsewhere.
const HOME: &str = "eu-central-1";

pub(crate) fn account() -> Arc<Account> {
    let id = AccountId::parse("111122223333").unwrap();
    Account::new(id, Region::parse(HOME).unwrap())
}

/// A function's zip with its digest.
fn zip(code: &str) -> (Code, Arc<[u8]>) {
    let bytes: Arc<[u8]> = Arc::from(code.as_bytes());
    (Code { sha256: render::hex(&Sha256::digest(&bytes)), architecture: "x86_64" }, bytes)
}

/// The account with the proofs of ownership in front of it, as every command has it.
pub(crate) fn guarded(account: &Arc<Account>, galaxy: &GalaxyName) -> World {
    guarded_in(account, galaxy, HOME)
}

fn guarded_in(account: &Arc<Account>, galaxy: &GalaxyName, region: &str) -> World {
    let subject = Subject {
        galaxy: galaxy.clone(),
        account: AccountId::parse("111122223333").unwrap(),
        home: Region::parse(region).unwrap(),
    };
    identity::guard(account.world(), subject)
}

/// A site of four files: whoever plays thousands of runs needs no more than one of each sort.
fn few(site: Site, config: &SiteConfig) -> Result<Vec<Object>, Failure> {
    let style = galaxy_sites::named("shared/style.css");
    let wanted = [style.as_str(), "config.json", "sites/index.html", "index.html"];
    let mut objects = site::objects(site, config)?;
    objects.retain(|object| wanted.contains(&object.key.as_str()));
    assert_eq!(objects.len(), wanted.len());
    Ok(objects)
}

/// What was rendered before is not rendered again: thousands of runs need the same few templates.
fn memoised(
    what: &str,
    render: impl FnOnce() -> BTreeMap<Stack, Rendered>,
) -> BTreeMap<Stack, Rendered> {
    thread_local! {
        static KNOWN: RefCell<BTreeMap<String, BTreeMap<Stack, Rendered>>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| known.entry(what.to_owned()).or_insert_with(render).clone())
}

/// What of the domains and of mail is rendered.
fn attached(facts: &Facts) -> String {
    let (domains, mail) = (&facts.config.domains, &facts.config.mail);
    let of = |front: &Front| (domains.attach(*front), domains.hsts(*front));
    let fronts: Vec<_> = domains.names.keys().map(of).collect();
    let whose = (&facts.config.name, &facts.region, facts.config.shield, &facts.config.cost);
    format!("{whose:?} {fronts:?} {:?} {:?} {:?}", mail.domain, mail.sender, mail.seen)
}

pub(crate) async fn job(
    account: &Arc<Account>,
    goal: Goal,
    code: &str,
) -> Result<(Arc<Job>, Observed), Failure> {
    job_of(account, goal, code, "").await
}

/// The same with a `galaxy.yaml`.
pub(crate) async fn job_of(
    account: &Arc<Account>,
    goal: Goal,
    code: &str,
    yaml: &str,
) -> Result<(Arc<Job>, Observed), Failure> {
    job_in(account, goal, code, yaml, HOME).await
}

/// The same in another Region.
pub(crate) async fn job_in(
    account: &Arc<Account>,
    goal: Goal,
    code: &str,
    yaml: &str,
    region: &str,
) -> Result<(Arc<Job>, Observed), Failure> {
    let environment = Environment {
        turnstile_site_key: Some("key".into()),
        turnstile_secret: Some(Secret::new("secret".into())),
    };
    let home = Region::parse(region).unwrap();
    let (code, zip) = zip(code);
    let mut config = config::parse("galaxy.yaml", yaml, &environment)?;
    let world = guarded_in(account, &config.name, region);
    config.mail.seen = mail::seen(&world, &config).await?;
    config.domains = domains::seen(&world, &config).await?;
    config.hosting = zones::seen(&world, &config, &home).await?;
    let facts = Facts {
        config,
        account: Some(AccountId::parse("111122223333").unwrap()),
        region: Some(home.clone()),
        code: Some(code.clone()),
        release: "1".into(),
    };
    let fill = if goal == Goal::Present { catalog::fill } else { catalog::fill_disposable };
    let rendered = |stack: Stack| {
        let rendered = render::render(catalog::template(stack), &fill(stack, &facts)).unwrap();
        (stack, rendered)
    };
    let job = Arc::new(Job {
        world: world.clone(),
        events: Arc::new(Heard::default()),
        account: AccountId::parse("111122223333").unwrap(),
        home,
        rendered: memoised(&format!("{goal:?} {} {}", code.sha256, attached(&facts)), || {
            let wanted = |stack: &Stack| catalog::is_wanted(*stack, &facts.config);
            Stack::all().into_iter().filter(wanted).map(rendered).collect()
        }),
        code: Some((code, zip)),
        secret: facts.config.turnstile_secret.clone(),
        facts,
        pages: Pages::Program,
        files: Arc::new(few),
        export: None,
        named: BTreeSet::new(),
        outputs: Mutex::default(),
    });
    let observed = observe(&job).await?;
    Ok((job, observed))
}

/// The same account with a galaxy of another name in it that lives in another Region.
pub(crate) async fn with_neighbour(account: &Account, name: &str, region: &str) -> Arc<Account> {
    let there = account.copy_for(Region::parse(region).unwrap());
    let yaml = format!("name: {name}\n");
    let (job, observed) = job_in(&there, Goal::Present, "a", &yaml, region).await.unwrap();
    let plan = plan::plan(Goal::Present, &observed, &job.rendered);
    execute::run(&plan, &job).await.unwrap();
    there.copy_for(Region::parse(HOME).unwrap())
}

/// Observes, plans and runs; the number of steps that had something to do.
pub(crate) async fn reach(
    account: &Arc<Account>,
    goal: Goal,
    code: &str,
) -> Result<usize, Failure> {
    reach_of(account, goal, code, "").await
}

/// The same with a `galaxy.yaml`.
pub(crate) async fn reach_of(
    account: &Arc<Account>,
    goal: Goal,
    code: &str,
    yaml: &str,
) -> Result<usize, Failure> {
    let (job, observed) = job_of(account, goal, code, yaml).await?;
    if matches!(goal, Goal::Present) {
        domains::remember(&job.world, &job.facts.config).await?;
    }
    let plan = plan::plan(goal, &observed, &job.rendered);
    if plan.is_empty() {
        return Ok(0);
    }
    execute::run(&plan, &job).await?;
    Ok(plan.to_steps().iter().filter(|step| step.action != "keep").count())
}

/// The same after the galaxy's name was typed.
pub(crate) async fn reach_typed(account: &Arc<Account>, goal: Goal) -> Result<usize, Failure> {
    reach_typed_of(account, goal, "a", "").await
}

/// The same with another code and a `galaxy.yaml`.
pub(crate) async fn reach_typed_of(
    account: &Arc<Account>,
    goal: Goal,
    code: &str,
    yaml: &str,
) -> Result<usize, Failure> {
    let (job, observed) = job_of(account, goal, code, yaml).await?;
    job.world.ownership.confirm().await;
    let plan = plan::plan(goal, &observed, &job.rendered);
    execute::run(&plan, &job).await?;
    Ok(plan.to_steps().iter().filter(|step| step.action != "keep").count())
}

pub(crate) async fn install(account: &Arc<Account>) -> Result<usize, Failure> {
    reach(account, Goal::Present, "a").await
}

pub(crate) async fn tear_down(account: &Arc<Account>) -> Result<usize, Failure> {
    reach(account, Goal::Absent, "a").await
}

/// Goes back to the release with that code; without one it is the release before.
pub(crate) async fn go_back_to(account: &Arc<Account>, code: Option<&str>) -> Result<(), Failure> {
    let (looking, observed) = job(account, Goal::Present, "c").await?;
    let on_record = observe::releases(&looking).await?;
    let fits = |m: &&Manifest| code.is_some_and(|code| m.code == zip(code).0.sha256);
    let named = on_record.iter().find(fits);
    let named = named.map(|manifest| manifest.id.as_str());
    let interrupted = observe::intent(&looking).await?;
    let none = || Failure::new(Kind::Refused, "no release is on record");
    let current = observed.current.ok_or_else(none)?;
    let target = back::choose(&on_record, &current, named.or(interrupted.as_deref()))?;
    back::verify(&looking, target).await?;
    let job = back::toward(&looking, target.clone()).await?;
    let observed = observe(&job).await?;
    Ok(execute::run(&plan::plan(Goal::Back, &observed, &job.rendered), &job).await?)
}

/// What is installed: the name of the release and the function's version that is live.
pub(crate) async fn installed(account: &Arc<Account>) -> (String, String) {
    let (job, observed) = job(account, Goal::Present, "c").await.unwrap();
    (observed.current.unwrap().id, job.output(Stack::Api, "LiveVersion").unwrap())
}

/// A duckling and its certificate.
pub(crate) fn duckling(name: &str) -> [serde_json::Value; 2] {
    let mut seed = [0; 16];
    for (byte, letter) in seed[6..].iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    let now = OffsetDateTime::UNIX_EPOCH + Duration::days(1);
    let (id, cert) = (DucklingId::new(now, seed), CertId::new(now, seed));
    let text = |text: &str| serde_json::json!({ "S": text });
    let at = serde_json::json!({"N": "86400000"});
    let certificate = serde_json::json!({
        "cert_id": text(cert.as_str()), "duckling_id": text(id.as_str()), "name": text(name),
        "tier": text("T0"), "status": text("valid"), "issued_at": text("000000086400000"),
        "issued_at_ms": at, "compact": text("header.claims.signature"),
    });
    let duckling = serde_json::json!({
        "duckling_id": text(id.as_str()), "email": text(&format!("{name}@example.com")),
        "display_name": text(name), "tier": text("T0"), "bonds": {"N": "0"},
        "cert_id": text(cert.as_str()), "cert_status": text("valid"), "key_hash": text(name),
        "key_hint": text("…"), "created_at": at,
    });
    [duckling, certificate]
}

/// Puts an export into a galaxy, or ends what an earlier try has begun.
pub(crate) async fn restored(job: &Job, text: &str) -> Result<(), Failure> {
    let told = Reader::new(text.as_bytes()).finish()?;
    let folder = tempfile::TempDir::new().unwrap();
    let spool = Spool::fill(text.as_bytes(), folder.path())?;
    let source = execute::source(job).await?;
    let note = catalog::import_path(&job.facts.config.name);
    let mut progress = Progress::look(&job.world, &note, &told.sha256).await?;
    let password = || Ok(Secret::new("nobody knows it".into()));
    archive::restore(&job.world, &source, &spool, &mut progress, password).await
}
