//! Installing and removing in an account in memory: states that take their time, failures, and a
//! process that dies at any moment.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod galaxy;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use spaceduck::back;
use spaceduck::drift::{self, Finding};
use spaceduck::execute::{self, Job, Pages};
use spaceduck::failure::Kind;
use spaceduck::model::Place;
use spaceduck::observe::observe;
use spaceduck::plan::{self, Goal};
use spaceduck::ports::{DriftState, Object};
use spaceduck::rehearse::{Account, Fault, Meddling, Pace};
use spaceduck::release::Record;

use galaxy::*;

fn position(log: &[String], effect: &str) -> usize {
    log.iter().position(|done| done == effect).unwrap_or_else(|| panic!("no `{effect}`: {log:#?}"))
}

#[tokio::test]
async fn an_installation_comes_in_order_and_only_once() {
    let account = account();
    assert!(install(&account).await.unwrap() > 0);
    let log = account.log();
    for later in ["data", "auth", "mail", "site-duckcontrol", "api"] {
        let create = |stack: &str| position(&log, &format!("create spaceduck-{stack}"));
        assert!(create("bootstrap") < create(later), "{later}");
        assert!(later == "api" || create(later) < create("api") || later.starts_with("site"));
    }
    let zip = log.iter().position(|done| done.contains("/lambda/")).unwrap();
    assert!(zip < position(&log, "create spaceduck-api"));
    let before = (account.contents(), account.log().len());
    assert_eq!(install(&account).await.unwrap(), 0);
    assert_eq!((account.contents(), account.log().len()), before);
    assert!(tear_down(&account).await.unwrap() > 0);
    assert_eq!(account.contents(), BTreeMap::new());
    assert_eq!(tear_down(&account).await.unwrap(), 0);
}

#[tokio::test]
async fn a_failed_creation_tells_its_cause_and_the_next_run_finishes() {
    let account = account();
    account.fault(Fault::CreationFails("spaceduck-data".into()));
    let failure = install(&account).await.unwrap_err();
    let (job, _) = job(&account, Goal::Present, "a").await.unwrap();
    let now = execute::standing(&job).await;
    assert!(
        now.contains("in ROLLBACK_COMPLETE: data") && now.contains("ready: bootstrap"),
        "{now}"
    );
    assert_eq!(failure.kind, Kind::Settled);
    assert_eq!(failure.message(), "the stack `spaceduck-data` ended in ROLLBACK_COMPLETE");
    assert_eq!(failure.cause.as_deref(), Some("EggsTable (AWS::DynamoDB::Table): it is no good"));
    assert!(install(&account).await.unwrap() > 0);
    assert_eq!(install(&account).await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_in_flight_is_waited_for() {
    let account = account();
    install(&account).await.unwrap();
    account.put("spaceduck-data", "UPDATE_IN_PROGRESS", &["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]);
    let before = account.log().len();
    assert!(install(&account).await.is_ok());
    let log = account.log();
    assert!(!log[before..].iter().any(|done| done.contains("spaceduck-data")), "{log:#?}");
}

/// Every status of a stack, what follows by itself, and how an installation ends that finds it.
/// Source: "Stack status codes", AWS CloudFormation User Guide.
const STATES: [(&str, &[&str], Way); 24] = [
    ("CREATE_COMPLETE", &[], Way::Kept),
    ("CREATE_FAILED", &[], Way::Anew),
    ("CREATE_IN_PROGRESS", &["CREATE_COMPLETE"], Way::Kept),
    ("CREATE_IN_PROGRESS", &["ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"], Way::Anew),
    ("DELETE_FAILED", &[], Way::Leaving),
    ("IMPORT_COMPLETE", &[], Way::Kept),
    ("IMPORT_IN_PROGRESS", &["IMPORT_COMPLETE"], Way::Kept),
    ("IMPORT_ROLLBACK_COMPLETE", &[], Way::Kept),
    ("IMPORT_ROLLBACK_FAILED", &[], Way::Refused),
    ("IMPORT_ROLLBACK_IN_PROGRESS", &["IMPORT_ROLLBACK_COMPLETE"], Way::Kept),
    ("REVIEW_IN_PROGRESS", &[], Way::Anew),
    ("ROLLBACK_COMPLETE", &[], Way::Anew),
    ("ROLLBACK_FAILED", &[], Way::Anew),
    ("ROLLBACK_IN_PROGRESS", &["ROLLBACK_FAILED"], Way::Anew),
    ("UPDATE_COMPLETE", &[], Way::Kept),
    ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", &["UPDATE_COMPLETE"], Way::Kept),
    ("UPDATE_FAILED", &[], Way::Recovered),
    ("UPDATE_IN_PROGRESS", &["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"], Way::Kept),
    ("UPDATE_IN_PROGRESS", &["UPDATE_FAILED"], Way::Recovered),
    ("UPDATE_ROLLBACK_COMPLETE", &[], Way::Kept),
    ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", &["UPDATE_ROLLBACK_COMPLETE"], Way::Kept),
    ("UPDATE_ROLLBACK_FAILED", &[], Way::Recovered),
    ("UPDATE_ROLLBACK_IN_PROGRESS", &["UPDATE_ROLLBACK_FAILED"], Way::Recovered),
    ("TOMORROWS_STATUS", &[], Way::Refused),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It is good as it is.
    Kept,
    /// What is left is removed, and it is made anew.
    Anew,
    /// It is brought back from a failed update.
    Recovered,
    /// Its removal is ended and it is made anew, unless it holds data: then nothing is done.
    Leaving,
    /// Nothing is done to it.
    Refused,
}

#[tokio::test]
async fn every_state_of_a_stack_has_a_safe_way_on() {
    for stack in ["data", "auth", "api", "site-duckgalaxy", "bootstrap"] {
        for (code, next, way) in STATES {
            let account = account();
            install(&account).await.unwrap();
            let name = format!("spaceduck-{stack}");
            account.put(&name, code, next);
            let before = account.log().len();
            let result = install(&account).await;
            let done: Vec<String> = account.log().split_off(before);
            let of = |verb: &str| done.iter().filter(|d| d.starts_with(verb)).count();
            let touched = [of("recover arn:stack"), of("delete "), of("create ")];
            let data = matches!(stack, "data" | "auth");
            let expected = match way {
                Way::Leaving if data => [0, 0, 0],
                Way::Kept | Way::Refused => [0, 0, 0],
                Way::Recovered => [1, 0, 0],
                Way::Anew | Way::Leaving => [0, 1, 1],
            };
            assert_eq!(touched, expected, "{stack} in {code}: {done:#?}");
            let refused = way == Way::Refused || (way == Way::Leaving && data);
            match result {
                Ok(_) => assert!(!refused, "{stack} in {code}"),
                Err(failure) => {
                    assert!(refused, "{stack} in {code}: {}", failure.to_text());
                    assert_eq!(failure.kind, Kind::Refused, "{stack} in {code}");
                    assert!(failure.to_text().contains("help: "), "{stack} in {code}");
                }
            }
            if !refused {
                assert_eq!(install(&account).await.unwrap(), 0, "{stack} in {code}");
            }
            if way != Way::Refused {
                tear_down(&account).await.unwrap_or_else(|f| panic!("{code}: {}", f.to_text()));
                assert_eq!(account.contents(), BTreeMap::new(), "{stack} in {code}");
            }
        }
    }
}

#[tokio::test]
async fn an_update_that_would_replace_data_is_refused() {
    let account = account();
    install(&account).await.unwrap();
    account.fault(Fault::UpdateReplaces("spaceduck-api".into(), "AWS::ApiGatewayV2::Api".into()));
    let failure = reach(&account, Goal::Present, "b").await.unwrap_err();
    assert_eq!(failure.kind, Kind::Refused);
    let log = account.log();
    assert_eq!(log.iter().filter(|done| *done == "apply spaceduck-api").count(), 0);
    assert_eq!(log.iter().filter(|done| *done == "discard spaceduck-api").count(), 1);
}

#[tokio::test]
async fn new_code_changes_the_api_and_nothing_that_holds_data() {
    let account = account();
    install(&account).await.unwrap();
    let before = account.log().len();
    reach(&account, Goal::Present, "b").await.unwrap();
    let log = account.log().split_off(before);
    let applied: Vec<_> = log.iter().filter(|done| done.starts_with("apply ")).collect();
    assert_eq!(applied, ["apply spaceduck-api"; 2], "a version beside the live one, then live");
    assert_eq!(reach(&account, Goal::Present, "b").await.unwrap(), 0);
}

#[tokio::test]
async fn a_new_version_is_asked_before_anybody_gets_it() {
    let account = account();
    install(&account).await.unwrap();
    let before = installed(&account).await;
    account.fault(Fault::VersionUnwell("2".into()));
    let failure = reach(&account, Goal::Present, "b").await.unwrap_err();
    assert_eq!(failure.message(), "version 2 of the function is not well; 1 stays live");
    assert_eq!(installed(&account).await, before);
    // Mended, it goes on from there.
    account.mend();
    reach(&account, Goal::Present, "b").await.unwrap();
    let after = installed(&account).await;
    assert_eq!((after.1.as_str(), after.0 == before.0), ("2", false));
    assert_eq!(reach(&account, Goal::Present, "b").await.unwrap(), 0);
}

#[tokio::test]
async fn a_release_that_is_not_well_gives_way_to_the_one_before() {
    let account = account();
    install(&account).await.unwrap();
    let before = installed(&account).await.0;
    account.fault(Fault::AnswersBadly("2".into()));
    let (job, observed) = job(&account, Goal::Present, "b").await.unwrap();
    let plan = plan::plan(Goal::Present, &observed, &job.rendered);
    let broken = execute::run(&plan, &job).await.unwrap_err();
    let failure = back::after(&job, &observed, broken).await;
    let help = format!("the earlier release {before} is back and answers");
    assert!(failure.to_text().contains(&help), "{}", failure.to_text());
    assert_eq!(installed(&account).await.0, before);
    assert_eq!(install(&account).await.unwrap(), 0, "the earlier release is whole");
}

#[tokio::test]
async fn going_back_is_a_release_like_any_other() {
    let account = account();
    install(&account).await.unwrap();
    let first = (installed(&account).await, account.contents());
    let failure = go_back_to(&account, None).await.unwrap_err();
    assert_eq!(failure.message(), "there is no earlier release to roll back to");
    reach(&account, Goal::Present, "b").await.unwrap();
    let second = installed(&account).await.0;
    let log = account.log().len();
    go_back_to(&account, None).await.unwrap();
    assert_eq!(installed(&account).await.0, first.0.0);
    let log = account.log().split_off(log);
    assert!(log[0].ends_with("/intent/rollback"), "where it goes is noted first: {log:#?}");
    assert_eq!(log[1], "point FunctionName-of-spaceduck-api to 1", "callers come next: {log:#?}");
    assert_eq!(install(&account).await.unwrap(), 0);
    let failure = go_back_to(&account, None).await.unwrap_err();
    assert_eq!(failure.message(), "there is no earlier release to roll back to");
    go_back_to(&account, Some("b")).await.unwrap();
    assert_eq!(installed(&account).await.0, second, "by name, what was left comes again");
}

/// A status of before an operation, seen after it began, is not its end.
#[tokio::test]
async fn a_look_that_comes_late_is_not_believed() {
    let (account, model) = (account(), account());
    account.lag(Duration::from_secs(4));
    for (goal, code) in [(Goal::Present, "a"), (Goal::Present, "b"), (Goal::Absent, "b")] {
        reach(&account, goal, code).await.unwrap_or_else(|f| panic!("{goal:?}: {}", f.to_text()));
        reach(&model, goal, code).await.unwrap();
        account.lag(Duration::ZERO);
        assert_eq!(account.contents(), model.contents(), "{goal:?}");
        if goal == Goal::Present {
            assert_eq!(installed(&account).await, installed(&model).await);
        }
        account.lag(Duration::from_secs(4));
    }
    assert_eq!(account.contents(), [].into());
}

/// What has drifted from the installed release, and the job that goes by it.
async fn drifted(account: &Arc<Account>) -> (Vec<Finding>, Arc<Job>) {
    let (looking, observed) = job(account, Goal::Present, "c").await.unwrap();
    let current = observed.current.unwrap();
    let job = back::toward(&looking, current.clone()).await.unwrap();
    let observed = observe(&job).await.unwrap();
    (drift::inspect(&job, &observed.stacks, &Record::whole(current)).await.unwrap(), job)
}

#[tokio::test]
async fn whatever_somebody_changes_is_found_and_put_back() {
    let text = |text: &str| text.to_owned();
    let bucket = "spaceduck-duckgalaxy-111122223333-us-east-1-an";
    let object = |bytes: &[u8], kind: &str, cache: &str| {
        let (key, bytes) = ("index.html".into(), bytes.to_vec().into());
        Object { key, bytes, content_type: kind.into(), cache_control: cache.into() }
    };
    let page = {
        let account = account();
        install(&account).await.unwrap();
        account.world().assets.read(Place::Edge, bucket, "index.html").await.unwrap().unwrap()
    };
    let html = "text/html; charset=utf-8";
    let resource = |state| Meddling::Resource(text("spaceduck-api"), text("Prod"), state);
    let put = |key: &str, object| Meddling::Object(text(bucket), text(key), object);
    let artifacts = "spaceduck-artifacts-111122223333-eu-central-1-an";
    let cases = [
        (
            resource(DriftState::Modified(vec![(text("/A"), text("1"), text("2"))])),
            "api.Prod changed /A is 2, should be 1",
        ),
        (resource(DriftState::Deleted), "api.Prod missing AWS::ApiGatewayV2::Stage"),
        (
            put("index.html", Some(object(b"<h1>Sale</h1>", html, "no-cache"))),
            "duckgalaxy/index.html changed the content is another one",
        ),
        (
            put("index.html", Some(object(&page, html, "max-age=9"))),
            "duckgalaxy/index.html changed Cache-Control is `max-age=9`, should be `no-cache`",
        ),
        (put("index.html", None), "duckgalaxy/index.html missing it is not in the bucket"),
        (
            put("x.html", Some(object(b"x", html, "no-cache"))),
            "duckgalaxy/x.html extra no release put it there",
        ),
        (
            Meddling::Live(text("1")),
            "function changed version 1 is live with other code than was installed",
        ),
        (
            Meddling::Secret(text("/spaceduck/turnstile-hostnames")),
            "/spaceduck/turnstile-hostnames missing where captchas may be solved",
        ),
    ];
    for (meddling, expected) in cases {
        let account = account();
        install(&account).await.unwrap();
        reach(&account, Goal::Present, "b").await.unwrap();
        assert_eq!(drifted(&account).await.0, [], "before {expected}");
        account.meddle(meddling);
        let (found, job) = drifted(&account).await;
        let shown: Vec<String> = found
            .iter()
            .map(|f| format!("{} {} {}", f.item(), f.state().word(), f.detail))
            .collect();
        assert_eq!(shown, [expected]);
        execute::run(&drift::repair(&found, &[]), &job).await.unwrap();
        assert_eq!(drifted(&account).await.0, [], "after {expected}");
    }
    // The record itself: what a page was made of is found again in its site.
    let account = account();
    install(&account).await.unwrap();
    let keys = account.world().assets.keys(Place::Home, artifacts).await.unwrap();
    let (_, job) = drifted(&account).await;
    let Pages::Record(manifest) = &job.pages else { panic!("no record") };
    let page = &manifest.sites["duckgalaxy"].files["index.html"].sha256;
    let pack = keys.iter().find(|key| **key == manifest.keeper(page)).unwrap();
    account.meddle(Meddling::Object(text(artifacts), pack.clone(), None));
    let (found, job) = drifted(&account).await;
    assert_eq!(found.len(), 1, "{found:?}");
    execute::run(&drift::repair(&found, &[]), &job).await.unwrap();
    assert_eq!(drifted(&account).await.0, []);
}

#[tokio::test]
async fn what_nobody_can_check_is_named_and_is_no_drift() {
    let account = account();
    install(&account).await.unwrap();
    let text = |text: &str| text.to_owned();
    let unchecked = DriftState::NotChecked;
    account.meddle(Meddling::Resource(text("spaceduck-mail"), text("AlarmTopic"), unchecked));
    let (found, job) = drifted(&account).await;
    assert_eq!(found[0].state(), drift::State::Unchecked);
    assert!(drift::repair(&found, &[]).steps.is_empty());
    // The second look has nothing new to tell, and a third tells what is gone.
    let (new, gone) = drift::since_last(&job, &found).await.unwrap();
    assert_eq!((new.len(), gone.len()), (1, 0));
    let (new, gone) = drift::since_last(&job, &found).await.unwrap();
    assert_eq!((new.len(), gone.len()), (0, 0));
    let (new, gone) = drift::since_last(&job, &[]).await.unwrap();
    assert_eq!((new.len(), gone.len()), (0, 1));
}

/// The estimate is the longest chain of steps; played through, that is what it takes.
#[tokio::test]
async fn a_plan_takes_as_long_as_it_says() {
    let account = account();
    // A hundredth: the account's clock runs fast, and the machine's own work counts a hundredfold.
    account.pace(Pace::Times(100));
    let (job, observed) = job(&account, Goal::Present, "a").await.unwrap();
    let plan = plan::plan(Goal::Present, &observed, &job.rendered);
    let times = plan.times().unwrap();
    assert!(times.usable < times.all && times.all < times.one_stack, "{times:?}");
    assert!(times.one_stack < times.one_by_one / 3, "{times:?}");
    execute::run(&plan, &job).await.unwrap();
    let took = account.world().clock.elapsed().as_secs_f64();
    let planned = f64::from(u32::try_from(times.all).unwrap());
    assert!(took > planned * 0.95, "{took} s, planned {planned} s: the account is too quick");
}
