//! A user pool or a key whose stack was deleted: nothing sets it aside, and a stack that is made
//! again takes it over once the galaxy's name was typed.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod galaxy;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use spaceduck::failure::Kind;
use spaceduck::identity;
use spaceduck::model::{GalaxyName, ID_TAG, Place, Stack, TAG, Tags};
use spaceduck::plan::{self, Goal};
use spaceduck::rehearse::{Account, Cut};

use galaxy::*;

const POOL: &str = "UserPoolId-of-spaceduck-auth";
const DUCKLINGS: &str = "spaceduck-ducklings";

/// An installed galaxy with three accounts, and a stack of it deleted by hand.
async fn orphaned(stack: Stack) -> Arc<Account> {
    let account = account();
    install(&account).await.unwrap();
    for name in ["swan", "crane", "heron"] {
        account.sign_up(POOL, &format!("{name}@example.com"));
        let item = serde_json::json!({"duckling_id": {"S": format!("dkl_{name}")}});
        account.remember(DUCKLINGS, item);
    }
    let (world, name) = (account.world(), stack.name(&name()));
    world.stacks.protect(Place::Home, &name, false).await.unwrap();
    world.stacks.delete(Place::Home, &name).await.unwrap();
    world.clock.sleep(Duration::from_hours(1)).await;
    assert!(!account.contents().contains_key(&format!("stack {name}")));
    account
}

fn name() -> GalaxyName {
    GalaxyName::parse("spaceduck").unwrap()
}

/// What AWS drew: the pool, its ARN and the key's, as the stacks say them now.
async fn ids(account: &Arc<Account>) -> [String; 3] {
    let (job, _) = job(account, Goal::Present, "a").await.unwrap();
    [
        job.output(Stack::Auth, "UserPoolId").unwrap(),
        job.output(Stack::Auth, "UserPoolArn").unwrap(),
        job.output(Stack::Data, "CertSigningKeyArn").unwrap(),
    ]
}

fn drawn(account: &Account) -> BTreeMap<String, String> {
    let mut all = account.dump();
    all.retain(|key, _| key.starts_with("pool ") || key.starts_with("key "));
    all
}

#[tokio::test]
async fn nothing_happens_before_the_name_is_typed() {
    for (stack, what) in [(Stack::Auth, "3 accounts"), (Stack::Data, "signs certificates")] {
        let account = orphaned(stack).await;
        let before = (account.dump(), account.log().len());
        let (job, observed) = job(&account, Goal::Present, "a").await.unwrap();
        let plan = plan::plan(Goal::Present, &observed, &job.rendered);
        let step = plan.to_steps().into_iter().find(|step| step.step == format!("stack {stack}"));
        let action = step.unwrap().action;
        assert!(action.starts_with("create around the ") && action.contains(what), "{action}");
        let failure = install(&account).await.unwrap_err();
        let text = failure.to_text();
        assert_eq!(failure.kind, Kind::Refused, "{text}");
        assert!(text.contains(what) && text.contains("install --confirm spaceduck"), "{text}");
        assert_eq!((account.dump(), account.log().len()), before, "{stack}");
    }
}

#[tokio::test]
async fn accounts_and_key_are_taken_over_as_they_are() {
    for stack in [Stack::Auth, Stack::Data] {
        let untouched = account();
        install(&untouched).await.unwrap();
        let wanted = ids(&untouched).await;
        let account = orphaned(stack).await;
        assert!(reach_typed(&account, Goal::Present).await.unwrap() > 0);
        assert_eq!(ids(&account).await, wanted, "{stack}");
        assert_eq!(account.held(DUCKLINGS).len(), 3);
        let record = identity::load(&account.world(), &name()).await.unwrap().unwrap();
        assert_eq!(record.held(&identity::Thing::Pool).unwrap().arn, wanted[1]);
        assert_eq!(install(&account).await.unwrap(), 0, "{stack}");
        assert_eq!(drawn(&account).len(), 2, "no second pool or key");
        tear_down(&account).await.unwrap();
        assert_eq!(account.dump(), BTreeMap::new(), "{stack}");
    }
}

#[tokio::test]
async fn a_takeover_that_is_cut_off_anywhere_is_ended_by_the_same_command() {
    for stack in [Stack::Auth, Stack::Data] {
        let account = orphaned(stack).await;
        let wanted = drawn(&account).into_keys().collect::<Vec<_>>();
        let before = account.log().len();
        reach_typed(&account, Goal::Present).await.unwrap();
        let effects = account.log().len() - before;
        assert!(effects > 2, "{effects}");
        for number in 1..=effects {
            for cut in [Cut::Before(number), Cut::After(number)] {
                let account = orphaned(stack).await;
                account.cut(Some(cut));
                reach_typed(&account, Goal::Present).await.unwrap_err();
                account.cut(None);
                reach_typed(&account, Goal::Present).await.unwrap();
                let now = drawn(&account).into_keys().collect::<Vec<_>>();
                assert_eq!(now, wanted, "{stack} {cut:?}");
                assert_eq!(install(&account).await.unwrap(), 0, "{stack} {cut:?}");
            }
        }
    }
}

/// On record and without the galaxy's mark, it is one proof: told, refused, adopted if typed.
#[tokio::test]
async fn a_pool_or_key_without_its_mark_is_told_and_left() {
    for (stack, thing) in [(Stack::Auth, "pool"), (Stack::Data, "key")] {
        for tags in [&[][..], &[(TAG, "spaceduck"), (ID_TAG, "0123456789abcdefghjkmnpqrs")]] {
            let account = orphaned(stack).await;
            let pairs = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            account.remark(&format!("{thing} "), &pairs.collect::<Tags>());
            let before = drawn(&account);
            let failure = reach_typed(&account, Goal::Present).await.unwrap_err();
            let text = failure.to_text();
            assert_eq!(failure.kind, Kind::Refused, "{text}");
            assert!(text.contains(&format!("spaceduck adopt {thing}")), "{text}");
            assert_eq!(drawn(&account), before);
            let things = vec![thing.to_owned()];
            let world = guarded(&account, &name());
            assert_eq!(world.ownership.fit(&things).await.unwrap().len(), 1);
            world.ownership.adopt(&things).await.unwrap();
            reach_typed(&account, Goal::Present).await.unwrap();
            let keys = |all: BTreeMap<String, String>| all.into_keys().collect::<Vec<_>>();
            assert_eq!(keys(drawn(&account)), keys(before), "{thing}");
            let failure = tear_down(&account).await.unwrap_err();
            assert!(failure.to_text().contains(&format!("--adopted {thing}")), "{thing}");
        }
    }
}

#[tokio::test]
async fn without_the_right_to_look_nothing_is_set_aside() {
    for (stack, action) in
        [(Stack::Auth, "cognito-idp:DescribeUserPool"), (Stack::Data, "kms:ListResourceTags")]
    {
        let account = orphaned(stack).await;
        account.deny(action);
        let before = account.log().len();
        let failure = reach_typed(&account, Goal::Present).await.unwrap_err();
        assert_eq!(failure.kind, Kind::Access, "{action}");
        assert!(failure.to_text().contains(action), "{}", failure.to_text());
        assert_eq!(account.log().len(), before, "{action}");
    }
}
