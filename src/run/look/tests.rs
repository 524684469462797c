//! Every broken state of a galaxy, against every command that looks: none of them fails, and each
//! finding names a command after which it is gone.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use clap::Parser;

use super::super::logs::{self, LogWish};
use super::super::{drift as command, open, repair, status};
use super::*;
use crate::cli::{Cli, Drift, Repair};
use crate::config::{self, Environment};
use crate::drift::Finding;
use crate::event::{Event, Sink};
use crate::execute;
use crate::failure::{Failure, Kind};
use crate::identity;
use crate::model::{AccountId, Place, Region, Secret};
use crate::ports::{DriftState, Object};
use crate::rehearse::{Account, Meddling};

#[derive(Default)]
struct Heard(Mutex<Vec<Event>>);

impl Sink for Heard {
    fn emit(&self, event: Event) {
        self.0.lock().expect("not poisoned").push(event);
    }
}

const ARTIFACTS: &str = "spaceduck-artifacts-111122223333-eu-central-1-an";
const PAGES: &str = "spaceduck-duckgalaxy-111122223333-us-east-1-an";

/// A galaxy in an account in memory.
struct Galaxy {
    account: Arc<Account>,
    home: Home,
    heard: Arc<Heard>,
}

impl Galaxy {
    /// Installs one, of this program's release.
    async fn new() -> Self {
        let id = AccountId::parse("111122223333").expect("an account");
        let region = Region::parse("eu-central-1").expect("a Region");
        let account = Account::new(id.clone(), region.clone());
        let galaxy = Self::config().name;
        let subject = identity::Subject { galaxy, account: id.clone(), home: region.clone() };
        let home = Home { id, region, world: identity::guard(account.world(), subject) };
        let galaxy = Self { account, home, heard: Arc::default() };
        galaxy.install().await.expect("installed");
        galaxy
    }

    fn config() -> Config {
        let environment = Environment {
            turnstile_site_key: Some("key".into()),
            turnstile_secret: Some(Secret::new("secret".into())),
        };
        config::parse("galaxy.yaml", "", &environment).expect("a configuration")
    }

    fn events(&self) -> Events {
        Arc::clone(&self.heard) as Events
    }

    async fn install(&self) -> Result<(), Failure> {
        let shared = shared();
        let (job, observed) =
            life::ready(&self.home, &shared, Self::config(), &self.events()).await?;
        let goal = crate::plan::Goal::Present;
        let plan = crate::plan::plan(goal, &observed, &job.rendered);
        Ok(execute::run(&plan, &job).await?)
    }

    async fn look(&self) -> Result<Look, Failure> {
        at("drift", &self.home, Self::config(), &self.events()).await
    }

    async fn findings(&self) -> Vec<Finding> {
        let look = self.look().await.expect("looking never fails");
        command::findings(&look).await.expect("looking never fails")
    }

    /// Runs a looking command; its failure, if it has one.
    async fn run(&self, name: &str) -> Result<u8, Failure> {
        let events = self.events();
        match name {
            "status" => status::show(&self.look().await?, &events).await.map(|()| 0),
            "drift" => command::show(&self.look().await?, Drift::default(), &events).await,
            "open" => open::address(&self.home, Self::config(), None, &events).await.map(|_| 0),
            "doctor" => {
                let case = super::super::doctor::case(Self::config(), &self.home).await?;
                let _ = crate::doctor::examine(&case).await;
                Ok(0)
            }
            _ => {
                // Without lines it has to say why there are none.
                let grep = Some("a word in no line");
                let wish = LogWish { since: "15m", grep, access: false, follow: false };
                logs::show(&self.home, Self::config(), (&wish, 900), &events).await.map(|()| 0)
            }
        }
    }

    /// Does what a finding says, as a person would who types it.
    async fn follow(&self, typed: &str) -> Result<(), Failure> {
        let mut words: Vec<&str> = vec!["spaceduck", "--rehearse", "--yes"];
        words.extend(typed.split(' ').skip(1));
        let cli = Cli::try_parse_from(words).expect("advice is a command line");
        match &cli.command {
            crate::cli::Command::Install(wish) => {
                if wish.confirm.as_deref() == Some("spaceduck") {
                    self.home.world.ownership.confirm().await;
                }
                self.install().await
            }
            crate::cli::Command::Repair(wish) => self.repair(wish).await,
            other => panic!("{other:?} mends nothing by itself"),
        }
    }

    async fn repair(&self, wish: &Repair) -> Result<(), Failure> {
        let look = self.look().await?;
        repair::with(&self.home, look, (&shared(), wish), &self.events()).await
    }

    fn delete(&self, stack: &str) {
        self.account.put(&format!("spaceduck-{stack}"), "DELETE_COMPLETE", &[]);
    }

    fn drop_object(&self, key: &str) {
        self.account.meddle(Meddling::Object(ARTIFACTS.into(), key.into(), None));
    }

    async fn artifact(&self, beginning: &str) -> String {
        let keys = self.home.world.assets.keys(Place::Home, ARTIFACTS).await.expect("keys");
        keys.into_iter().find(|key| key.starts_with(beginning)).expect("there is one")
    }
}

fn shared() -> Shared {
    Cli::try_parse_from(["spaceduck", "--rehearse", "--yes", "status"]).expect("flags").shared
}

fn object(key: &str, bytes: &[u8]) -> Object {
    Object {
        key: key.into(),
        bytes: bytes.to_vec().into(),
        content_type: "application/json".into(),
        cache_control: "no-store".into(),
    }
}

/// What can be broken. Each is a state that a person, a script or a cut-off removal leaves.
const BROKEN: [&str; 24] = [
    "stack bootstrap gone",
    "stack data gone",
    "stack auth gone",
    "stack mail gone",
    "stack api gone",
    "stack site-duckgalaxy gone",
    "site in ROLLBACK_COMPLETE",
    "api in UPDATE_ROLLBACK_FAILED",
    "data in DELETE_FAILED",
    "mail in TOMORROWS_STATUS",
    "auth in UPDATE_IN_PROGRESS",
    "pointer gone",
    "pointer garbled",
    "pointer from the future",
    "manifest gone",
    "manifest garbled",
    "code gone",
    "template gone",
    "pack gone",
    "artifact bucket gone",
    "site bucket gone",
    "log group gone",
    "only buckets left",
    "parameters gone",
];

async fn break_it(galaxy: &Galaxy, state: &str) {
    let account = &galaxy.account;
    let garble = |key: &str, bytes: &[u8]| {
        account.meddle(Meddling::Object(ARTIFACTS.into(), key.into(), Some(object(key, bytes))));
    };
    let current = crate::release::CURRENT_KEY;
    let words: Vec<&str> = state.split(' ').collect();
    match (state, words.as_slice()) {
        (_, ["stack", stack, "gone"]) => galaxy.delete(stack),
        (_, [stack, "in", code]) => {
            let stack = if *stack == "site" { "site-duckgalaxy" } else { stack };
            account.put(&format!("spaceduck-{stack}"), code, &[]);
        }
        ("pointer gone", _) => galaxy.drop_object(current),
        ("pointer garbled", _) => garble(current, b"{\"version\": 4, \"id\""),
        ("pointer from the future", _) => garble(current, br#"{"version":99}"#),
        ("manifest gone" | "manifest garbled", _) => {
            for key in galaxy.home.world.assets.keys(Place::Home, ARTIFACTS).await.expect("keys") {
                if key.starts_with("releases/") && key != current {
                    match state {
                        "manifest gone" => galaxy.drop_object(&key),
                        _ => garble(&key, b"\xff\xfe not JSON"),
                    }
                }
            }
        }
        ("code gone", _) => galaxy.drop_object(&galaxy.artifact("lambda/").await),
        ("template gone", _) => galaxy.drop_object(&galaxy.artifact("blobs/").await),
        ("pack gone", _) => galaxy.drop_object(&galaxy.artifact("packs/").await),
        ("artifact bucket gone", _) => account.meddle(Meddling::Bucket(ARTIFACTS.into())),
        ("site bucket gone", _) => account.meddle(Meddling::Bucket(PAGES.into())),
        ("log group gone", _) => account.meddle(Meddling::Resource(
            "spaceduck-api".into(),
            "FunctionLogs".into(),
            DriftState::Deleted,
        )),
        ("only buckets left", _) => {
            for stack in Stack::all() {
                galaxy.delete(&stack.key());
            }
        }
        ("parameters gone", _) => {
            for name in ["turnstile-hostnames", "turnstile-secret"] {
                account.meddle(Meddling::Secret(format!("/spaceduck/{name}")));
            }
        }
        _ => panic!("{state}?"),
    }
}

/// What a command may end with, where it does not show everything it knows.
fn may_refuse(command: &str, failure: &Failure) -> bool {
    // The address of a site whose stack does not say is unknown, and that is told.
    command == "open" && failure.kind == Kind::Refused && failure.to_text().contains("help:")
}

#[tokio::test]
async fn looking_never_fails_because_something_is_broken() {
    for state in BROKEN {
        let galaxy = Galaxy::new().await;
        break_it(&galaxy, state).await;
        for command in ["status", "drift", "doctor", "open", "logs"] {
            match galaxy.run(command).await {
                Ok(6) => assert_eq!(command, "drift", "{state}"),
                Ok(code) => assert!(code == 0 && command != "drift", "{command}, {state}"),
                Err(failure) => {
                    assert!(may_refuse(command, &failure), "{command}, {state}: {failure:?}");
                }
            }
        }
    }
}

/// States out of which the program leads on its own: what it advises, it can do.
#[tokio::test]
async fn the_advice_of_every_finding_mends_it() {
    for state in BROKEN {
        // Neither has a safe way on: a status of tomorrow, and data in the middle of a removal.
        if ["mail in TOMORROWS_STATUS", "data in DELETE_FAILED"].contains(&state) {
            continue;
        }
        let galaxy = Galaxy::new().await;
        break_it(&galaxy, state).await;
        if state == "auth in UPDATE_IN_PROGRESS" {
            galaxy.account.put("spaceduck-auth", "UPDATE_IN_PROGRESS", &["UPDATE_COMPLETE"]);
        }
        for round in 0.. {
            let found = galaxy.findings().await;
            let drifted: Vec<&Finding> = found.iter().filter(|one| one.is_drift()).collect();
            let Some(first) = drifted.first() else { break };
            assert!(round < 12, "{state}: still {drifted:#?}");
            let typed = first.command().expect("each finding names a command");
            if let Err(failure) = galaxy.follow(&typed).await {
                panic!("{state}: `{typed}` for {first:?}: {}", failure.to_text());
            }
            let left = galaxy.findings().await;
            assert!(
                !left.iter().any(|one| one.subject == first.subject && one.kind == first.kind),
                "{state}: `{typed}` did not mend {first:?}: {left:#?}"
            );
        }
        let mut shown = BTreeSet::new();
        for event in galaxy.heard.0.lock().expect("not poisoned").iter() {
            if let Event::Failed { kind, .. } = event {
                shown.insert(kind.clone());
            }
        }
        assert_eq!(shown, BTreeSet::new(), "{state}");
    }
}

#[tokio::test]
async fn one_repair_brings_back_everything_that_this_program_carries() {
    for state in ["stack site-duckgalaxy gone", "stack api gone", "artifact bucket gone"] {
        let galaxy = Galaxy::new().await;
        break_it(&galaxy, state).await;
        galaxy.repair(&Repair::default()).await.expect("repaired");
        let left = galaxy.findings().await;
        assert!(!left.iter().any(Finding::is_drift), "{state}: {left:#?}");
    }
}

#[tokio::test]
async fn what_is_kept_on_purpose_is_no_drift_until_it_changes() {
    let galaxy = Galaxy::new().await;
    let arn = "arn:aws:dynamodb:eu-central-1:111122223333:table/spaceduck-eggs-old";
    galaxy.account.stray(arn);
    let found = galaxy.findings().await;
    assert_eq!(found.len(), 1, "{found:?}");
    let command = found[0].command().expect("a command");
    assert_eq!(command, format!("spaceduck repair --keep {arn}"));
    let other = Repair { items: vec!["spaceduck-eggs-old".into()], keep: true };
    let failure = galaxy.repair(&other).await.expect_err("whole names only");
    assert_eq!(failure.kind, Kind::Input);
    galaxy.follow(&command).await.expect("kept");
    let found = galaxy.findings().await;
    assert!(found[0].kept && !found[0].is_drift() && found[0].command().is_none());
    assert_eq!(galaxy.run("drift").await, Ok(0));
    galaxy.account.stray("arn:aws:s3:::another");
    assert_eq!(galaxy.run("drift").await, Ok(6));
}

#[tokio::test]
async fn unchecked_things_change_the_exit_code_only_if_asked() {
    let galaxy = Galaxy::new().await;
    let reason = DriftState::Failed("not authorized to perform logs:DescribeIndexPolicies".into());
    galaxy.account.meddle(Meddling::Resource(
        "spaceduck-api".into(),
        "FunctionLogs".into(),
        reason,
    ));
    let look = galaxy.look().await.expect("a look");
    for (strict, code) in [(false, 0), (true, 6)] {
        let wish = Drift { strict, ..Drift::default() };
        assert_eq!(command::show(&look, wish, &galaxy.events()).await, Ok(code));
    }
    let found = galaxy.findings().await;
    assert!(found[0].detail.contains("logs:DescribeIndexPolicies"), "{found:?}");
    let heard = galaxy.heard.0.lock().expect("not poisoned");
    let told = heard.iter().any(|event| {
        matches!(event, Event::Finished { next, .. } if next.iter().any(|n| n.contains("--strict")))
    });
    assert!(told);
}

#[tokio::test]
async fn a_galaxy_of_which_nothing_is_there_is_not_installed() {
    let galaxy = Galaxy::new().await;
    break_it(&galaxy, "only buckets left").await;
    for site in galaxy_sites::Site::ALL {
        let bucket = format!("spaceduck-{}-111122223333-us-east-1-an", site.name());
        galaxy.account.meddle(Meddling::Bucket(bucket));
    }
    galaxy.account.meddle(Meddling::Bucket(ARTIFACTS.into()));
    for command in ["status", "drift", "open", "logs"] {
        let failure = galaxy.run(command).await.expect_err(command);
        assert_eq!(failure.kind, Kind::Refused, "{command}");
        assert!(failure.message().starts_with("no galaxy called"), "{command}");
    }
}

#[tokio::test]
async fn an_older_program_installs_nothing() {
    let galaxy = Galaxy::new().await;
    let assets = &galaxy.home.world.assets;
    for key in assets.keys(Place::Home, ARTIFACTS).await.expect("keys") {
        if !key.starts_with(crate::release::PREFIX) {
            continue;
        }
        let bytes = assets.read(Place::Home, ARTIFACTS, &key).await.expect("read").expect("there");
        let mut record: serde_json::Value = serde_json::from_slice(&bytes).expect("a record");
        record["release"] = "99.0.0".into();
        let object = Object {
            key: key.clone(),
            bytes: record.to_string().into_bytes().into(),
            content_type: "application/json".into(),
            cache_control: "no-store".into(),
        };
        galaxy.account.meddle(Meddling::Object(ARTIFACTS.into(), key, Some(object)));
    }
    let events = galaxy.events();
    let ready = life::ready(&galaxy.home, &shared(), Galaxy::config(), &events).await;
    let (job, _) = ready.expect("looking never fails");
    let failure = life::look(&job, crate::plan::Goal::Present, false).await.expect_err("refused");
    assert_eq!(failure.kind, Kind::Refused);
    let said = format!("{failure:?}");
    assert!(said.contains("release 99.0.0") && said.contains("spaceduck rollback"), "{said}");
    let away = life::look(&job, crate::plan::Goal::Absent, false).await;
    assert!(away.is_ok(), "a teardown needs no newer program");
}
