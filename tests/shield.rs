//! A shield in front of the API in an account in memory: it comes, changes and goes, and at every
//! moment the function accepts what the distribution sends.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod galaxy;

use std::sync::Arc;

use galaxy_sites::Site;
use spaceduck::catalog;
use spaceduck::config::{self, Environment};
use spaceduck::cost;
use spaceduck::drift::{self, Finding};
use spaceduck::execute;
use spaceduck::model::{Place, Stack};
use spaceduck::plan::{self, Goal, ShieldSeen};
use spaceduck::rehearse::{Account, Cut};
use spaceduck::release::Record;
use spaceduck::shield::Terms;

use galaxy::*;

const ON: &str = "api:\n  shield: true\n";
/// Another template of the distribution.
const FURTHER: &str = "api:\n  shield: true\ncost:\n  price_class: PriceClass_All\n";

async fn reach_with(account: &Arc<Account>, yaml: &str) -> usize {
    reach_of(account, Goal::Present, "a", yaml).await.unwrap_or_else(|f| panic!("{}", f.to_text()))
}

async fn terms(account: &Arc<Account>) -> Option<Terms> {
    let text = account.world().notes.get("/spaceduck/shield").await.unwrap();
    text.as_deref().and_then(Terms::parse)
}

/// An output of the shield's stack.
async fn output(account: &Arc<Account>, name: &str) -> Option<String> {
    let stacks = account.world().stacks;
    let seen = stacks.find(Place::Edge, "spaceduck-api-shield").await.unwrap()?;
    seen.outputs.get(name).cloned()
}

async fn api_base(account: &Arc<Account>, yaml: &str) -> String {
    let (job, _) = job_of(account, Goal::Present, "a", yaml).await.unwrap();
    let bucket = job.output(Stack::Site(Site::SpaceDuckling), "BucketName").unwrap();
    let read = job.world.assets.read(Place::Edge, &bucket, "config.json").await;
    let told: serde_json::Value = serde_json::from_slice(&read.unwrap().unwrap()).unwrap();
    let urls = execute::known_urls(&job);
    let base = told["api_base"].as_str().unwrap().to_owned();
    assert_eq!(urls[0].url, base, "`status` shows what the sites call");
    base
}

#[tokio::test]
async fn a_shield_is_there_from_the_first_installation_on() {
    let account = account();
    reach_with(&account, ON).await;
    let domain = output(&account, "DistributionDomain").await.unwrap();
    let base = format!("https://{domain}/prod");
    assert_eq!(api_base(&account, ON).await, base);
    let digest = output(&account, catalog::SHIELD_DIGEST).await.unwrap();
    let wanted = Terms { accepted: vec![digest], closed: true, base: Some(base) };
    assert_eq!(terms(&account).await, Some(wanted));
    assert_eq!(reach_with(&account, ON).await, 0, "nothing is left to do");
    let site = account.world().stacks.template(Place::Edge, "spaceduck-site-spaceduckling").await;
    assert!(site.unwrap().contains("https://*.cloudfront.net"), "pages may call it");
}

#[tokio::test]
async fn the_secret_is_in_nothing_that_can_be_read() {
    let account = account();
    reach_with(&account, ON).await;
    let stacks = account.world().stacks;
    let seen = stacks.find(Place::Edge, "spaceduck-api-shield").await.unwrap().unwrap();
    assert_eq!(seen.parameters["OriginSecret"], "****");
    assert_eq!(seen.parameters["OriginDigest"], seen.outputs["OriginDigest"]);
    let body = stacks.template(Place::Edge, "spaceduck-api-shield").await.unwrap();
    assert!(body.contains("!Ref OriginSecret") && body.contains("NoEcho: true"), "{body}");
}

/// Callers find one of the two ways open all the time: sites are told the address only when it
/// answers, and the direct way is closed only after that.
#[tokio::test]
async fn it_comes_to_a_living_galaxy_and_goes_again() {
    let account = account();
    reach_with(&account, "").await;
    let direct = api_base(&account, "").await;
    assert!(direct.contains("execute-api"), "{direct}");
    assert_eq!(terms(&account).await, None);
    assert!(reach_with(&account, ON).await > 0);
    let through = api_base(&account, ON).await;
    assert!(through.contains(".cloudfront.net/prod"), "{through}");
    assert!(terms(&account).await.unwrap().closed);
    let log = account.log();
    let at = |what: &str| log.iter().rposition(|done| done.contains(what)).unwrap();
    assert!(at("create spaceduck-api-shield") < at("config.json"), "{log:#?}");
    assert!(reach_with(&account, "").await > 0);
    assert_eq!(api_base(&account, "").await, direct, "certificates name it as their issuer");
    assert_eq!(output(&account, "DistributionDomain").await, None);
    assert_eq!(terms(&account).await, None);
    let log = account.log();
    let last = |what: &str| log.iter().rposition(|done| done.contains(what)).unwrap();
    assert!(last("config.json") < last("delete spaceduck-api-shield"), "{log:#?}");
    assert_eq!(reach_with(&account, "").await, 0);
}

#[tokio::test]
async fn every_change_brings_another_secret_and_the_former_ones_end() {
    let account = account();
    reach_with(&account, ON).await;
    let before = output(&account, catalog::SHIELD_DIGEST).await.unwrap();
    assert!(reach_with(&account, FURTHER).await > 0);
    let after = output(&account, catalog::SHIELD_DIGEST).await.unwrap();
    assert_ne!(before, after);
    assert_eq!(terms(&account).await.unwrap().accepted, [after]);
    assert_eq!(reach_with(&account, FURTHER).await, 0);
}

/// Cut off anywhere, the function accepts the secret of the distribution, and the next run ends it.
#[tokio::test]
async fn killed_anywhere_nobody_is_locked_out() {
    let start = account();
    reach_with(&start, ON).await;
    let whole = start.copy();
    let begin = whole.log().len();
    reach_with(&whole, FURTHER).await;
    let effects = whole.log().len() - begin;
    assert!(effects > 1);
    for cut in (begin + 1..=begin + effects).flat_map(|at| [Cut::Before(at), Cut::After(at)]) {
        let account = start.copy();
        account.cut(Some(cut));
        let done = reach_of(&account, Goal::Present, "a", FURTHER).await;
        account.cut(None);
        let sent = output(&account, catalog::SHIELD_DIGEST).await.unwrap();
        let known = terms(&account).await.unwrap();
        assert!(known.accepted.contains(&sent), "{cut:?} {done:?}");
        reach_with(&account, FURTHER).await;
        let sent = output(&account, catalog::SHIELD_DIGEST).await.unwrap();
        let known = terms(&account).await.unwrap();
        assert_eq!((known.accepted, known.closed), (vec![sent], true), "{cut:?}");
    }
}

#[tokio::test]
async fn terms_that_went_are_written_again() {
    let account = account();
    reach_with(&account, ON).await;
    let wanted = terms(&account).await;
    account.world().notes.remove("/spaceduck/shield").await.unwrap();
    let (_, observed) = job_of(&account, Goal::Present, "a", ON).await.unwrap();
    assert_eq!(observed.shield, ShieldSeen::None);
    assert!(reach_with(&account, ON).await > 0);
    assert_eq!(terms(&account).await, wanted);
}

#[tokio::test]
async fn nothing_differs_and_nothing_is_left_behind() {
    let account = account();
    reach_with(&account, ON).await;
    let (job, observed) = job_of(&account, Goal::Present, "a", ON).await.unwrap();
    let record = Record::whole(observed.current.clone().unwrap());
    let found = drift::inspect(&job, &observed.stacks, &record).await.unwrap();
    let items: Vec<String> =
        found.iter().filter(|one| Finding::is_drift(one)).map(Finding::item).collect();
    assert_eq!(items, [""; 0]);
    for (goal, left) in [(Goal::DataOnly, true), (Goal::Absent, false)] {
        let account = account.copy();
        reach_of(&account, goal, "a", ON).await.unwrap();
        assert_eq!(output(&account, "DistributionDomain").await, None);
        assert_eq!(terms(&account).await, None);
        assert_eq!(account.contents().is_empty(), !left, "{:?}", account.contents());
        reach_with(&account, ON).await;
        assert!(terms(&account).await.unwrap().closed, "it comes again");
    }
}

#[tokio::test]
async fn a_shield_that_went_is_found_and_comes_again() {
    let account = account();
    reach_with(&account, ON).await;
    account.put("spaceduck-api-shield", "DELETE_COMPLETE", &[]);
    let (job, observed) = job_of(&account, Goal::Present, "a", ON).await.unwrap();
    let record = Record::whole(observed.current.clone().unwrap());
    let found = drift::inspect(&job, &observed.stacks, &record).await.unwrap();
    let items: Vec<String> = found.iter().map(Finding::item).collect();
    assert!(items.iter().any(|item| item == "api-shield"), "{items:?}");
    reach_with(&account, ON).await;
    let known = terms(&account).await.unwrap();
    assert_eq!(known.accepted, [output(&account, catalog::SHIELD_DIGEST).await.unwrap()]);
    assert_eq!(reach_with(&account, ON).await, 0);
}

#[tokio::test]
async fn an_earlier_release_is_rolled_back_to_behind_the_shield() {
    let account = account();
    reach_with(&account, ON).await;
    reach_of(&account, Goal::Present, "b", ON).await.unwrap();
    let before = account.log().len();
    let (looking, observed) = job_of(&account, Goal::Present, "c", ON).await.unwrap();
    let on_record = spaceduck::observe::releases(&looking).await.unwrap();
    let target = spaceduck::back::choose(&on_record, &observed.current.unwrap(), None).unwrap();
    let job = spaceduck::back::toward(&looking, target.clone()).await.unwrap();
    let observed = spaceduck::observe::observe(&job).await.unwrap();
    execute::run(&plan::plan(Goal::Back, &observed, &job.rendered), &job).await.unwrap();
    let done = account.log().split_off(before);
    assert!(!done.iter().any(|done| done.contains("api-shield")), "{done:#?}");
    assert!(api_base(&account, ON).await.contains("cloudfront.net"));
}

#[tokio::test]
async fn its_price_is_in_the_plan() {
    for (yaml, cents) in [("", None), (ON, Some((600, 618)))] {
        let (job, _) = job_of(&account(), Goal::Present, "a", yaml).await.unwrap();
        let costs = cost::monthly(&job.rendered);
        let shield = costs.iter().find(|cost| cost.what.contains("shield"));
        assert_eq!(shield.map(|cost| (cost.idle_cents, cost.small_cents)), cents);
    }
}

#[test]
fn a_domain_of_the_api_does_not_go_with_it() {
    let text = "api:\n  shield: true\ndomains:\n  api: api.example.org\n";
    let failure = config::parse("galaxy.yaml", text, &Environment::default()).unwrap_err();
    let said = failure.to_text();
    assert!(said.contains("galaxy.yaml:4:8") && said.contains("does not go with"), "{said}");
}
