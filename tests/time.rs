//! What time does to an installation: roles that spread, names that stay taken, accounts that AWS
//! has not verified, pools and keys that are replaced; and the reasons that CloudFormation keeps
//! for those who ask for them.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;
use std::time::Duration;

use spaceduck::drift;
use spaceduck::event::{Event, StepState};
use spaceduck::execute;
use spaceduck::failure::{Failure, Kind};
use spaceduck::model::{Place, Stack};
use spaceduck::plan::{self, Goal};
use spaceduck::ports::{Origin, Reason};
use spaceduck::rehearse::{Account, Fault};
use spaceduck::release::Record;

mod galaxy;

use galaxy::{Heard, account, go_back_to, install, installed, job, reach, tear_down};

/// Installs and gives what the steps said meanwhile.
async fn heard(account: &Arc<Account>) -> (Result<(), Failure>, Vec<String>) {
    heard_of(account, "a").await
}

/// The same with this code.
async fn heard_of(account: &Arc<Account>, code: &str) -> (Result<(), Failure>, Vec<String>) {
    let (job, observed) = job(account, Goal::Present, code).await.unwrap();
    let mut job = Arc::into_inner(job).unwrap();
    let ear = Arc::new(Heard::default());
    job.events = ear.clone();
    let job = Arc::new(job);
    let plan = plan::plan(Goal::Present, &observed, &job.rendered);
    let result = execute::run(&plan, &job).await.map_err(Failure::from);
    let said = ear.0.lock().unwrap().iter().filter_map(detail).collect();
    (result, said)
}

fn detail(event: &Event) -> Option<String> {
    match event {
        Event::Step { step, state: StepState::Running, detail: Some(detail), .. } => {
            Some(format!("{step}: {detail}"))
        }
        _ => None,
    }
}

fn retries(said: &[String]) -> Vec<&String> {
    said.iter().filter(|line| line.contains("trying once more")).collect()
}

#[tokio::test]
async fn the_role_of_a_fresh_bootstrap_is_known_before_anything_works_with_it() {
    let (result, said) = heard(&account()).await;
    result.unwrap();
    assert!(retries(&said).is_empty(), "{said:?}");
}

#[tokio::test]
async fn a_denial_by_a_role_that_still_spreads_is_retried_once_and_told_as_that() {
    let account = account();
    account.spread(Duration::from_secs(40));
    let (result, said) = heard(&account).await;
    result.unwrap();
    let retries = retries(&said);
    assert!(!retries.is_empty(), "{said:?}");
    assert!(retries.iter().all(|line| line.contains("a role or policy changed a moment ago")));
    assert!(retries.iter().any(|line| line.contains("site-")), "both Regions: {retries:?}");
}

#[tokio::test]
async fn a_role_that_never_becomes_able_is_a_missing_permission_after_one_more_try() {
    let account = account();
    account.spread(Duration::from_hours(10));
    let (result, said) = heard(&account).await;
    let failure = result.unwrap_err();
    assert!(failure.cause.unwrap().contains("may not do this"));
    let data = retries(&said).into_iter().filter(|line| line.starts_with("stack data")).count();
    assert_eq!(data, 1, "{said:?}");
    // Much later nothing is new any more.
    account.spread(Duration::from_hours(20));
    account.world().clock.sleep(Duration::from_hours(1)).await;
    let (result, said) = heard(&account).await;
    assert!(result.is_err() && retries(&said).is_empty(), "{said:?}");
}

#[tokio::test]
async fn an_update_is_retried_while_the_policy_of_its_role_spreads() {
    let account = account();
    install(&account).await.unwrap();
    account.put("spaceduck-bootstrap", "DELETE_COMPLETE", &[]);
    // The role is new, and the API's stack is updated with it.
    account.spread(Duration::from_secs(50));
    let (result, said) = heard_of(&account, "b").await;
    result.unwrap();
    assert!(retries(&said).iter().any(|line| line.starts_with("stack api: ")), "{said:?}");
}

#[tokio::test]
async fn a_name_that_is_not_free_yet_is_waited_for() {
    let account = account();
    install(&account).await.unwrap();
    let stacks = &account.world().stacks;
    stacks.protect(Place::Home, "spaceduck-mail", false).await.unwrap();
    stacks.delete(Place::Home, "spaceduck-mail").await.unwrap();
    account.put("spaceduck-mail", "DELETE_COMPLETE", &[]);
    let (result, said) = heard(&account).await;
    result.unwrap();
    let retries = retries(&said);
    assert!(retries.iter().any(|line| line.starts_with("stack mail: AWS is still removing")));
    tear_down(&account).await.unwrap();
}

#[tokio::test]
async fn without_cloudfront_all_else_is_installed_and_the_next_run_resumes() {
    let account = account();
    account.fault(Fault::CloudFrontUnverified);
    let (result, _) = heard(&account).await;
    let failure = result.unwrap_err();
    assert_eq!(failure.kind, Kind::Waiting);
    assert_eq!(failure.kind.exit_code(), 8);
    let text = failure.to_text();
    assert!(text.contains("must be verified") && text.contains("AWS Support"), "{text}");
    assert!(text.contains("the API answers at https://"), "{text}");
    let contents = account.contents();
    for stack in [Stack::Data, Stack::Auth, Stack::Mail, Stack::Api] {
        let key = format!("stack spaceduck-{}", stack.key());
        assert_eq!(contents.get(&key).map(String::as_str), Some("CREATE_COMPLETE"), "{key}");
    }
    account.mend();
    install(&account).await.unwrap();
    assert_eq!(install(&account).await.unwrap(), 0);
}

#[tokio::test]
async fn another_failure_beside_it_is_told_first() {
    let account = account();
    account.fault(Fault::CloudFrontUnverified);
    account.fault(Fault::CreationFails("spaceduck-auth".into()));
    let (result, _) = heard(&account).await;
    let failure = result.unwrap_err();
    assert_eq!(failure.kind, Kind::Settled);
    assert!(failure.message().contains("spaceduck-auth"), "{}", failure.message());
}

fn taken(origin: Origin) -> Reason {
    Reason {
        origin,
        resource: "AlarmTopic".into(),
        kind: "AWS::SNS::Topic".into(),
        text: "Resource of type 'AWS::SNS::Topic' with identifier 'x' already exists.".into(),
    }
}

#[tokio::test]
async fn what_only_validations_and_hooks_say_is_told_at_creation_and_at_update() {
    for (origin, means) in
        [(Origin::Validation, "something of that name"), (Origin::Hook, "your organisation")]
    {
        let account = account();
        let fault = Fault::Invalid("spaceduck-mail".into(), taken(origin));
        account.fault(fault);
        let (result, _) = heard(&account).await;
        let failure = result.unwrap_err();
        let cause = failure.cause.unwrap();
        assert!(cause.contains(means) && cause.contains("identifier 'x'"), "{cause}");
        install(&account).await.unwrap();
        let fault = Fault::Invalid("spaceduck-api".into(), taken(origin));
        account.fault(fault);
        let failure = reach(&account, Goal::Present, "b").await.unwrap_err();
        let cause = failure.cause.unwrap();
        assert!(cause.contains(means) && cause.contains("identifier 'x'"), "{cause}");
    }
}

async fn drifted(account: &Arc<Account>) -> Vec<String> {
    let (job, observed) = job(account, Goal::Present, "a").await.unwrap();
    let current = observed.current.clone().unwrap();
    let found = drift::inspect(&job, &observed.stacks, &Record::whole(current)).await.unwrap();
    found.into_iter().map(|one| format!("{}: {}", one.item(), one.detail)).collect()
}

#[tokio::test]
async fn a_replaced_pool_or_key_never_leaves_the_old_version_live() {
    for stack in ["spaceduck-auth", "spaceduck-data"] {
        let account = account();
        install(&account).await.unwrap();
        let (release, before) = installed(&account).await;
        account.put(stack, "DELETE_COMPLETE", &[]);
        account.lose_drawn();
        install(&account).await.unwrap();
        let (same, after) = installed(&account).await;
        assert_eq!(release, same);
        assert_ne!(before, after, "{stack}: the function runs with the new one");
        assert_eq!(drifted(&account).await, Vec::<String>::new());
        assert_eq!(install(&account).await.unwrap(), 0, "and that is the end of it");
    }
}

#[tokio::test]
async fn a_rollback_does_not_bring_a_version_back_that_knows_the_old_pool() {
    let account = account();
    install(&account).await.unwrap();
    let (_, old) = installed(&account).await;
    account.put("spaceduck-auth", "DELETE_COMPLETE", &[]);
    account.lose_drawn();
    reach(&account, Goal::Present, "b").await.unwrap();
    go_back_to(&account, Some("a")).await.unwrap();
    let (_, live) = installed(&account).await;
    assert_ne!(live, old);
    let log = account.log();
    assert!(!log.iter().any(|line| line.starts_with("point ")), "{log:?}");
}
