//! Domains whose zone is in Route 53, in an account in memory: what is made, what is left alone,
//! and what is ours to remove, whatever goes wrong on the way.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod galaxy;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use galaxy_mail::name::Domain;
use spaceduck::catalog;
use spaceduck::drift;
use spaceduck::execute;
use spaceduck::failure::Failure;
use spaceduck::model::{Front, Part, RecordSet, Says};
use spaceduck::plan::{self, Action, Goal, StepId};
use spaceduck::ports::Clock as _;
use spaceduck::rehearse::{Account, Closed, Cut};
use spaceduck::release::Record;

use galaxy::*;

const TWO: &str = "domains:\n  duckgalaxy: docs.example.org\n  api: api.example.org\n";

fn name(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

async fn pass(account: &Arc<Account>, seconds: u64) {
    account.sleep(Duration::from_secs(seconds)).await;
}

fn set(at: &str, kind: &str, value: &str) -> RecordSet {
    let says = Says::Values { ttl: 300, values: vec![value.into()] };
    RecordSet { name: name(at), kind: kind.into(), says }
}

/// An account with a zone in which somebody already has something.
fn hosted() -> (Arc<Account>, String) {
    let account = account();
    let zone = account.host(&name("example.org"));
    account.place(&zone, set("example.org", "MX", "10 mx.example.net."));
    (account, zone)
}

fn keys(account: &Account, zone: &str) -> Vec<String> {
    account.records(zone).into_keys().collect()
}

/// Installs until nothing is left to do, and after a while still is not; how often there was
/// something.
async fn settle(account: &Arc<Account>, yaml: &str) -> Result<usize, Failure> {
    let (mut busy, mut idle) = (0, 0);
    while idle < 2 {
        let done = reach_of(account, Goal::Present, "a", yaml).await?;
        (busy, idle) = if done > 0 { (busy + 1, 0) } else { (busy, idle + 1) };
        assert!(busy < 8, "no run is the last: {:#?}", account.log());
        pass(account, 600).await;
    }
    Ok(busy)
}

#[tokio::test]
async fn records_are_made_by_the_installation_and_everything_follows_by_itself() {
    let (account, zone) = hosted();
    // Nobody sets anything by hand.
    assert!(settle(&account, TWO).await.unwrap() > 1);
    let there = [
        "_3f1c0a9b.api.example.org CNAME",
        "_3f1c0a9b.docs.example.org CNAME",
        "api.example.org A",
        "docs.example.org A",
        "docs.example.org AAAA",
        "example.org MX",
    ];
    assert_eq!(keys(&account, &zone), there);
    let (_, observed) = job_of(&account, Goal::Present, "a", TWO).await.unwrap();
    assert!(observed.domains.seen.values().all(|served| served.since.is_some()));
    assert_eq!(observed.hosting.ours.len(), 5);
    // As soon as it is known what they say: those that prove come before any site is there.
    let log = account.log();
    let at = |what: &str| log.iter().position(|done| done.contains(what)).unwrap();
    assert!(at("_3f1c0a9b.docs.example.org CNAME") < at("docs.example.org AAAA"));
    let changes = log.iter().filter(|done| done.starts_with("records in")).count();
    assert_eq!(changes, 3, "one for proofs, one for the site, one for the API: {log:#?}");
    assert!(reach_of(&account, Goal::Absent, "a", "").await.unwrap() > 0);
    assert_eq!(account.contents(), BTreeMap::new());
    assert_eq!(keys(&account, &zone), ["example.org MX"]);
    for part in Part::ALL {
        let path = catalog::records_path(&observed_name(), part);
        assert_eq!(account.world().notes.get(&path).await.unwrap(), None, "{part}");
    }
    assert_eq!(reach_of(&account, Goal::Absent, "a", "").await.unwrap(), 0);
}

fn observed_name() -> spaceduck::model::GalaxyName {
    spaceduck::model::GalaxyName::parse("spaceduck").unwrap()
}

#[tokio::test]
async fn a_plan_tells_records_before_anything_happens() {
    let (account, zone) = hosted();
    account.place(&zone, set("api.example.org", "A", "192.0.2.1"));
    let (job, observed) = job_of(&account, Goal::Present, "a", TWO).await.unwrap();
    let plan = plan::plan(Goal::Present, &observed, &job.rendered);
    let step = |id: StepId| plan.steps.iter().find(|step| step.id == id).unwrap();
    let proofs = step(StepId::Record(Part::Proofs));
    assert_eq!(proofs.action, Action::Create);
    assert!(proofs.after.contains(&StepId::Certificate(Front::Api)));
    assert_eq!(step(StepId::Record(Part::Addresses)).action, Action::Create);
    assert_eq!(account.log(), Vec::<String>::new());
    // On the way out they go before what they lead to.
    settle(&account, TWO).await.unwrap();
    let (job, observed) = job_of(&account, Goal::Absent, "a", TWO).await.unwrap();
    let plan = plan::plan(Goal::Absent, &observed, &job.rendered);
    assert_eq!((plan.steps[0].id, &plan.steps[0].action), (StepId::Records, &Action::Remove));
}

#[tokio::test]
async fn what_was_there_is_used_and_never_owned() {
    let (account, zone) = hosted();
    let theirs = [
        set("_3f1c0a9b.docs.example.org", "CNAME", "_7d2e.acm-validations.aws"),
        set("api.example.org", "A", "192.0.2.1"),
    ];
    for one in &theirs {
        account.place(&zone, one.clone());
    }
    settle(&account, TWO).await.unwrap();
    let records = account.records(&zone);
    assert_eq!(records["api.example.org A"], "192.0.2.1", "not written over");
    let (job, observed) = job_of(&account, Goal::Present, "a", TWO).await.unwrap();
    let told = observed.hosting.left_alone().join(" ");
    assert!(told.contains("api.example.org") && told.contains("A 192.0.2.1"), "{told}");
    assert!(!observed.hosting.ours.iter().any(|one| one.mark.contains("docs.example.org CNAME")));
    drop(job);
    reach_of(&account, Goal::Absent, "a", TWO).await.unwrap();
    let left: Vec<String> = theirs.iter().map(RecordSet::key).collect();
    assert_eq!(keys(&account, &zone), [&left[..], &["example.org MX".to_owned()]].concat());
}

#[tokio::test]
async fn a_domain_that_is_no_longer_wanted_loses_its_records_and_another_one_gets_them() {
    let (account, zone) = hosted();
    settle(&account, TWO).await.unwrap();
    let other = TWO.replace("docs.", "guide.");
    settle(&account, &other).await.unwrap();
    let there = keys(&account, &zone);
    assert!(there.contains(&"guide.example.org A".to_owned()), "{there:?}");
    assert!(!there.iter().any(|key| key.contains("docs.")), "{there:?}");
    settle(&account, "").await.unwrap();
    assert_eq!(keys(&account, &zone), ["example.org MX"]);
}

#[tokio::test]
async fn data_that_stays_keeps_the_records_of_its_mail() {
    let yaml = format!("{TWO}mail:\n  domain: mail.example.org\n");
    let (account, zone) = hosted();
    settle(&account, &yaml).await.unwrap();
    assert!(keys(&account, &zone).len() > 8, "{:?}", keys(&account, &zone));
    reach_of(&account, Goal::DataOnly, "a", &yaml).await.unwrap();
    let left = keys(&account, &zone);
    let of_mail = |key: &&String| key.contains("mail.example.org");
    assert_eq!(left.iter().filter(of_mail).count(), left.len() - 1, "{left:?}");
    assert!(left.len() > 4, "{left:?}");
    reach_of(&account, Goal::Absent, "a", &yaml).await.unwrap();
    assert_eq!(keys(&account, &zone), ["example.org MX"]);
}

/// What drift finds about records.
async fn found(account: &Arc<Account>) -> Vec<drift::Finding> {
    let (job, observed) = job_of(account, Goal::Present, "a", TWO).await.unwrap();
    let manifest = observed.current.clone().unwrap();
    let found = drift::inspect(&job, &observed.stacks, &Record::whole(manifest)).await.unwrap();
    found.into_iter().filter(|one| one.item().contains("record")).collect()
}

#[tokio::test]
async fn drift_tells_what_is_gone_or_changed_and_repair_makes_what_is_gone() {
    let (account, zone) = hosted();
    settle(&account, TWO).await.unwrap();
    assert_eq!(found(&account).await, []);
    account.displace("docs.example.org A");
    account.displace("docs.example.org AAAA");
    account.place(&zone, set("api.example.org", "A", "192.0.2.1"));
    let drifted = found(&account).await;
    let items: Vec<String> = drifted.iter().map(drift::Finding::item).collect();
    let wanted = [
        "records/addresses/api.example.org/A",
        "records/addresses/docs.example.org/A",
        "records/addresses/docs.example.org/AAAA",
    ];
    assert_eq!(items, wanted, "each told once");
    assert!(drifted[0].detail.contains("192.0.2.1"), "{drifted:?}");
    let (job, _) = job_of(&account, Goal::Present, "a", TWO).await.unwrap();
    let plan = drift::repair(&drifted, &[]);
    let steps: Vec<StepId> = plan.steps.iter().map(|step| step.id).collect();
    assert_eq!(steps, [StepId::Record(Part::Addresses)]);
    execute::run(&plan, &job).await.unwrap();
    let left: Vec<String> = found(&account).await.into_iter().map(|one| one.item()).collect();
    assert_eq!(left, [wanted[0]], "what somebody has changed is somebody's");
    assert_eq!(account.records(&zone)["api.example.org A"], "192.0.2.1");
}

#[tokio::test]
async fn where_route_53_is_closed_everything_else_goes_on() {
    for closed in [Closed::Looking, Closed::Changing] {
        let (account, zone) = hosted();
        account.close(closed);
        for _ in 0..2 {
            reach_of(&account, Goal::Present, "a", TWO).await.unwrap();
        }
        assert_eq!(keys(&account, &zone), ["example.org MX"], "{closed:?}");
        account.close(Closed::Open);
        settle(&account, TWO).await.unwrap();
        assert_eq!(keys(&account, &zone).len(), 6, "{closed:?}");
    }
}

/// A life: installed to the end; and what is in zone and account then.
async fn life(account: &Arc<Account>, zone: &str) -> Result<String, Failure> {
    settle(account, TWO).await?;
    let mut contents = account.contents();
    contents.retain(|what, _| !what.contains("artifacts"));
    Ok(format!("{:#?} {contents:#?}", account.records(zone)))
}

/// Dies at every change of a zone, before it and after it, on the way in and out.
#[tokio::test]
async fn whenever_it_is_cut_off_nothing_is_orphaned_and_nothing_foreign_is_removed() {
    let (undisturbed, zone) = hosted();
    let wanted = life(&undisturbed, &zone).await.unwrap();
    let mut played = 0;
    for (at, what) in undisturbed.log().iter().enumerate() {
        if !what.starts_with("records in") {
            continue;
        }
        for cut in [Cut::Before(at + 1), Cut::After(at + 1)] {
            let (account, zone) = hosted();
            account.cut(Some(cut));
            assert!(life(&account, &zone).await.is_err(), "{what}");
            account.cut(None);
            assert_eq!(life(&account, &zone).await.unwrap(), wanted, "{cut:?} {what}");
            reach_of(&account, Goal::Absent, "a", "").await.unwrap();
            assert_eq!(keys(&account, &zone), ["example.org MX"], "{cut:?} {what}");
            assert_eq!(account.contents(), BTreeMap::new(), "{cut:?} {what}");
            played += 1;
        }
        // Never gone on with: a removal finds what was made, and only that.
        let (account, zone) = hosted();
        account.cut(Some(Cut::After(at + 1)));
        assert!(life(&account, &zone).await.is_err(), "{what}");
        account.cut(None);
        reach_of(&account, Goal::Absent, "a", "").await.unwrap();
        assert_eq!(keys(&account, &zone), ["example.org MX"], "{what}");
    }
    assert!(played >= 6, "{played}");
    for change in 1.. {
        let (account, zone) = hosted();
        settle(&account, TWO).await.unwrap();
        account.cut(Some(Cut::After(change)));
        let removed = reach_of(&account, Goal::Absent, "a", "").await;
        account.cut(None);
        if removed.is_ok() {
            assert!(change > 3, "{change}");
            break;
        }
        reach_of(&account, Goal::Absent, "a", "").await.unwrap();
        assert_eq!(keys(&account, &zone), ["example.org MX"], "after change {change}");
    }
}
