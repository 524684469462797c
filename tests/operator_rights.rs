//! The rights of the person who installs: without any one of them something in a galaxy's life is
//! refused, and the refusal names the action.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod galaxy;
mod templates_of;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use galaxy_mail::facts::TestMail;
use galaxy_mail::name::Domain;
use galaxy_mail::request::Letter;
use serde_json::{Value, json};
use spaceduck::catalog;
use spaceduck::config;
use spaceduck::failure::{Failure, Kind};
use spaceduck::model::{
    AccountId, GalaxyName, Place, Region, Secret, Stack, StackSeen, StackStatus,
};
use spaceduck::plan::Goal;
use spaceduck::policy::{self, CALLS, Subject};
use spaceduck::ports::{
    self, ChangeSet, Clock as _, Extra, LockId, Mode, Object, Play, Proposal, Quota, Right, Thing,
    Wish, World,
};
use spaceduck::rehearse::{ASKED, Account};
use spaceduck::render;

use galaxy::*;

const MAIL: &str = "mail:\n  domain: mail.example.org\ndomains:\n  api: api.example.org\n";
const POOL: &str = "eu-central-1_x";

fn name() -> GalaxyName {
    GalaxyName::parse("spaceduck").unwrap()
}

fn documents() -> Vec<Value> {
    let (account, region) =
        (AccountId::parse("111122223333").unwrap(), Region::parse("eu-central-1").unwrap());
    policy::documents(Subject { name: &name(), account: &account, region: &region })
}

/// An account whose caller has these rights.
fn permitted(documents: Vec<Value>) -> Arc<Account> {
    let account = account();
    account.permit(&name(), documents);
    account
}

/// The commands of a galaxy's life, one after the other.
async fn life(account: &Arc<Account>) -> Result<(), Failure> {
    account.host(&Domain::parse("example.org").unwrap());
    let mut idle = 0;
    while idle < 2 {
        let done = reach_of(account, Goal::Present, "a", MAIL).await?;
        idle = if done > 0 { 0 } else { idle + 1 };
        account.sleep(Duration::from_mins(10)).await;
    }
    reach_of(account, Goal::Present, "b", MAIL).await?;
    go_back_to(account, None).await?;
    reach_of(account, Goal::DataOnly, "a", MAIL).await?;
    let (job, observed) = job_of(account, Goal::Absent, "a", MAIL).await?;
    job.world.ownership.confirm().await;
    let plan = spaceduck::plan::plan(Goal::Absent, &observed, &job.rendered);
    spaceduck::execute::run(&plan, &job).await?;
    Ok(())
}

/// What the other commands ask of the account: `drift`, `doctor`, `mail`, `operator`, `logs`,
/// `export`, `import`, `verify`, and what only an odd state needs. All refusals.
#[expect(clippy::too_many_lines, reason = "one line for each call")]
async fn others(world: &World) -> Vec<Failure> {
    let (home, stack) = (Place::Home, Stack::Api.name(&name()));
    let domain = Domain::parse("mail.example.org").unwrap();
    let who = ports::Account { email: "a@example.org".into(), confirmed: true, operator: true };
    let secret = Secret::new("s".into());
    let offer = ports::Offer::new(&secret, &|_| Ok(()));
    let play = Play { plays: "bounce".into(), from: "a@example.org".into(), set: "x".into() };
    let mail = TestMail { plays: "bounce".into(), message_id: "0-1".into(), written: None };
    let extra = Extra::Cors { place: home, bucket: "b".into() };
    let right = Right { actions: Vec::new(), resources: Vec::new() };
    let object = Object {
        key: "k".into(),
        bytes: b"x"[..].into(),
        content_type: String::new(),
        cache_control: String::new(),
    };
    let seen = StackSeen {
        arn: "arn:stack/none/0".into(),
        code: "UPDATE_ROLLBACK_FAILED".into(),
        status: StackStatus::Ready,
        reason: None,
        changed: None,
        parameters: BTreeMap::new(),
        outputs: BTreeMap::new(),
        tags: BTreeMap::new(),
        protected: false,
        role: None,
    };
    let (arn, place, changes) = (String::new(), home, Vec::new());
    let change = ChangeSet { place, stack: stack.clone(), arn, changes };
    let lock = LockId { galaxy: "spaceduck".into(), number: 1 };
    let letter = Letter { website: "w".into(), text: "t".into(), contacts: Vec::new() };
    let mut all = vec![
        world.stacks.recover(home, &seen).await.err(),
        world.stacks.discard(&change).await.err(),
        world.stacks.retire(home, &stack, &lock).await.err(),
        world.functions.live("f").await.err(),
        world.registry.list("/_spaceduck/galaxies").await.err(),
        world.marks.bucket(home, "b").await.err(),
        world.marks.pool(POOL).await.err(),
        world.marks.key("k").await.err(),
        world.records.remove_table("t").await.err(),
        world.zones.holding(std::slice::from_ref(&domain)).await.err(),
        world.zones.sets("Z1").await.err(),
        world.mail.apply(&letter).await.err(),
        world.stacks.template(home, &stack).await.err(),
        world.stacks.drift(home, &stack).await.err(),
        world.stacks.resources(home, &stack).await.err(),
        world.stacks.reasons(home, &stack).await.err(),
        world.stacks.events(home, &stack).await.err(),
        world.assets.look(home, "b", "k").await.err(),
        world.assets.replace(home, "b", &object, None).await.err(),
        world.secrets.remove("p").await.err(),
        world.people.add(POOL, "ledger", "a@example.org", offer).await.err(),
        world.people.remove(POOL, "ledger", "a@example.org").await.err(),
        world.people.reset_factor(POOL, "ledger", "a@example.org").await.err(),
        world.people.operators(POOL).await.err(),
        world.records.is_recoverable("t").await.err(),
        world.records.items("t", None).await.err(),
        world.records.since("ledger", ("p", "s"), None).await.err(),
        world.records.named("t", &[json!({})]).await.err(),
        world.records.put("t", &[json!({})]).await.err(),
        world.records.accounts(POOL, None).await.err(),
        world.records.admit(POOL, &who, &secret).await.err(),
        world.inventory.tagged(home, "spaceduck").await.err(),
        world.logs.lines("g", 0, None).await.err(),
        world.inspection.role("r").await.err(),
        world.inspection.function("f").await.err(),
        world.inspection.clients(POOL).await.err(),
        world.inspection.cors(home, "b").await.err(),
        world.inspection.remove(&extra).await.err(),
        world.preflight.denied(&[] as &[Wish]).await.err(),
        world.preflight.is_taken(home, Thing::KeyAlias, "k").await.err(),
        world.preflight.usage(Quota::Concurrency).await.err(),
        world.evidence.denied_to("r", &[right]).await.err(),
        world.evidence.trust("r").await.err(),
        world.mail.clear_default_set(&domain).await.err(),
        world.mail.remove_identity(&domain).await.err(),
        world.mail.create_sender_role().await.err(),
        world.mail.set("s").await.err(),
        world.mail.invite("a@example.org").await.err(),
        world.mail.play(&play).await.err(),
        world.mail.written("t", &mail).await.err(),
    ];
    all.extend(first_stack(world).await);
    all.into_iter().flatten().collect()
}

/// The life of the first stack, which `CloudFormation` makes in the caller's name.
async fn first_stack(world: &World) -> Vec<Option<Failure>> {
    let (home, name) = (Place::Home, Stack::Bootstrap.name(&name()));
    let facts = templates_of::facts("spaceduck", "", config::Seen::default());
    let fill = catalog::fill_disposable(Stack::Bootstrap, &facts);
    let body = render::render(catalog::template(Stack::Bootstrap), &fill).unwrap().body;
    let mut proposal = Proposal {
        place: home,
        name: name.clone(),
        body: body.clone(),
        parameters: BTreeMap::new(),
        secrets: BTreeMap::new(),
        tags: catalog::tags(&facts.config.name),
        role: None,
        mode: Mode::Plain,
        express: false,
        token: None,
    };
    let mut all = vec![world.stacks.create(&proposal).await.err()];
    world.clock.sleep(Duration::from_mins(10)).await;
    proposal.body = templates_of::changed(&body);
    match world.stacks.propose(&proposal).await {
        Ok(change) => all.push(world.stacks.apply(&change.unwrap()).await.err()),
        Err(failure) => all.push(Some(failure)),
    }
    world.clock.sleep(Duration::from_mins(10)).await;
    let events = world.stacks.events(home, &name).await.unwrap_or_default();
    let reasons = events.into_iter().filter_map(|event| event.reason);
    all.extend(reasons.map(|reason| Some(Failure::new(Kind::Settled, reason))));
    all.push(world.stacks.drift(home, &name).await.err());
    all.push(world.stacks.delete(home, &name).await.err());
    all
}

/// The action that IAM refused, where it was IAM.
fn refused(failure: &Failure) -> Option<String> {
    let text = format!("{failure:?}");
    let told = text.split("not authorized to perform: ").nth(1)?;
    Some(told.split(' ').next()?.to_owned())
}

#[tokio::test]
async fn the_policy_is_enough_for_a_whole_life() {
    life(&permitted(documents())).await.unwrap();
    let world = permitted(documents()).world();
    let denied: Vec<_> = others(&world).await.iter().filter_map(refused).collect();
    assert_eq!(denied, Vec::<String>::new());
}

/// Each action with the documents that lack it in every statement: some stand in two, whose
/// resources overlap.
fn each_without() -> BTreeMap<String, Vec<Value>> {
    let whole = documents();
    let statements = |documents: &[Value]| -> Vec<Value> {
        documents.iter().flat_map(|one| one["Statement"].as_array().unwrap().clone()).collect()
    };
    let actions = |statement: &Value| statement["Action"].as_array().unwrap().clone();
    let all: BTreeSet<String> = statements(&whole)
        .iter()
        .flat_map(actions)
        .map(|action| action.as_str().unwrap().to_owned())
        .collect();
    let lacking = |action: String| {
        let mut less = whole.clone();
        for document in &mut less {
            for statement in document["Statement"].as_array_mut().unwrap() {
                let kept = statement["Action"].as_array_mut().unwrap();
                kept.retain(|one| *one != action.as_str());
            }
        }
        (action, less)
    };
    all.into_iter().map(lacking).collect()
}

#[tokio::test]
async fn without_any_one_action_something_is_refused_by_its_name() {
    let mut silent = BTreeSet::new();
    for (action, documents) in each_without() {
        let world = permitted(documents.clone()).world();
        let mut refusals: Vec<String> = others(&world).await.iter().filter_map(refused).collect();
        if !refusals.contains(&action) {
            refusals.extend(life(&permitted(documents)).await.err().as_ref().and_then(refused));
        }
        if !refusals.contains(&action) {
            silent.insert(action);
        }
    }
    assert_eq!(silent, BTreeSet::new());
}

/// A call that no method of a port is known to make would be allowed by the account in memory
/// whatever the policies say.
#[test]
fn every_call_is_some_ports() {
    let known = |call: &&policy::Call| {
        let mut asked = ASKED.iter().flat_map(|(_, asked)| *asked);
        asked.any(|(operation, on)| *operation == call.operation && *on == call.on)
    };
    let with_actions = CALLS.iter().filter(|call| !call.actions.is_empty());
    let unknown: Vec<_> = with_actions.filter(|call| !known(call)).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}
