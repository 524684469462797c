//! A galaxy of 2026-11-27, from before galaxies had ids and records, with data: today's `install`
//! gives it a record once its name is typed, and keeps everything that holds data.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod galaxy;
mod old;

use std::collections::BTreeMap;
use std::sync::Arc;

use spaceduck::failure::Kind;
use spaceduck::identity;
use spaceduck::model::{GalaxyName, Place, Stack, TAG, Tags};
use spaceduck::plan::Goal;
use spaceduck::ports::{Mode, Object, Proposal};
use spaceduck::rehearse::{Account, Foreign};
use spaceduck::yaml::Node;

use galaxy::*;

const ACCOUNT: &str = "111122223333";
const POOL_KIND: &str = "AWS::Cognito::UserPool";

/// What holds data, with the properties that can't change without another resource.
/// Source: `createOnlyProperties` of the resource provider schemas.
const HOLDS_DATA: [(&str, &[&str]); 4] = [
    ("AWS::DynamoDB::Table", &["TableName", "KeySchema"]),
    ("AWS::S3::Bucket", &["BucketName"]),
    (POOL_KIND, &["UsernameAttributes", "UsernameConfiguration", "AliasAttributes", "Schema"]),
    ("AWS::KMS::Key", &["KeySpec", "KeyUsage"]),
];

fn name() -> GalaxyName {
    GalaxyName::parse("spaceduck").unwrap()
}

/// The galaxy of that day, with people and data.
async fn old() -> Arc<Account> {
    let account = account();
    for stack in old::stacks() {
        let role = "CfnServiceRoleArn-of-spaceduck-bootstrap".to_owned();
        let proposal = Proposal {
            place: stack.place(),
            name: stack.name(&name()),
            body: old::template(stack, ACCOUNT),
            parameters: BTreeMap::new(),
            secrets: BTreeMap::new(),
            tags: Tags::from([(TAG.to_owned(), "spaceduck".to_owned())]),
            role: (stack != Stack::Bootstrap).then_some(role),
            mode: Mode::Plain,
            express: true,
            token: None,
        };
        account.settle(Foreign::Stack(Box::new(proposal), true));
    }
    for (path, text) in [
        ("/spaceduck/turnstile-secret", "secret"),
        ("/spaceduck/turnstile-hostnames", "mightyspaceduck.example"),
        ("/spaceduck/mail", "{}"),
    ] {
        account.settle(Foreign::Parameter(path.into(), text.into(), Tags::new()));
    }
    for (table, item) in old::rows() {
        account.remember(&table, item);
    }
    for person in ["swan", "crane"] {
        account.sign_up(&output(&account, Stack::Auth, "UserPoolId").await, person);
    }
    let bucket = output(&account, Stack::Bootstrap, "ArtifactBucketName").await;
    for key in ["current", "0.1.0-5f0c6c1d2e3b"] {
        let key = format!("releases/{key}.json");
        let object = Object {
            bytes: old::read(&key).into_bytes().into(),
            key,
            content_type: "application/json".into(),
            cache_control: "no-store".into(),
        };
        account.world().assets.write(Place::Home, &bucket, &object).await.unwrap();
    }
    account
}

async fn output(account: &Arc<Account>, stack: Stack, name: &str) -> String {
    let found = account.world().stacks.find(stack.place(), &stack.name(&self::name())).await;
    found.unwrap().unwrap().outputs[name].clone()
}

async fn drawn(account: &Arc<Account>) -> [String; 2] {
    let pool = output(account, Stack::Auth, "UserPoolId").await;
    [pool, output(account, Stack::Data, "CertSigningKeyArn").await]
}

/// Everything in a template that holds data: logical id and what can't change.
fn holding(body: &str) -> BTreeMap<String, String> {
    let root = Node::parse(body).unwrap();
    let resources = root.get("Resources").unwrap().entries().iter();
    let held = resources.filter_map(|(id, node)| {
        let kind = node.get("Type").and_then(Node::text)?;
        let (_, fixed) = HOLDS_DATA.iter().find(|(known, _)| *known == kind)?;
        let of =
            |property: &&str| node.get("Properties").and_then(|all| all.get(property)).cloned();
        let fixed: Vec<Option<Node>> = fixed.iter().map(of).collect();
        Some((id.clone(), format!("{kind} {fixed:?} {:?}", node.get("DeletionPolicy"))))
    });
    held.collect()
}

#[tokio::test]
async fn an_old_galaxy_is_upgraded_once_its_name_is_typed() {
    let account = old().await;
    let (before, done) = (account.dump(), account.log().len());
    let ids = drawn(&account).await;
    let failure = install(&account).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Refused, "{}", failure.to_text());
    assert!(failure.to_text().contains("--confirm spaceduck"), "{}", failure.to_text());
    assert_eq!((account.dump(), account.log().len()), (before, done), "nothing was changed");

    assert!(reach_typed(&account, Goal::Present).await.unwrap() > 0);
    for (table, item) in old::rows() {
        assert!(account.held(&table).contains(&item), "{table}: {item}");
    }
    for (table, held) in account.contents().iter().filter(|(key, _)| key.starts_with("table ")) {
        let kept = old::rows().iter().filter(|(of, _)| table.ends_with(of)).count();
        assert_eq!(*held, kept.to_string(), "{table}");
    }
    assert_eq!(drawn(&account).await, ids, "the same accounts and the same key");
    let people = account.world().records.accounts(&ids[0], None).await.unwrap();
    assert_eq!(people.items.len(), 2);
    let log = account.log().split_off(done);
    let lost = ["delete ", "create spaceduck-", "remove the table", "import "];
    let lossy: Vec<&String> =
        log.iter().filter(|effect| lost.iter().any(|verb| effect.starts_with(verb))).collect();
    assert_eq!(lossy, Vec::<&String>::new());
    let record = identity::load(&account.world(), &name()).await.unwrap().unwrap();
    for stack in old::stacks() {
        assert!(record.held(&identity::Thing::Stack(stack)).is_some(), "{stack}");
    }
    assert_eq!(install(&account).await.unwrap(), 0);
}

/// The account in memory does not work out replacements, so the templates are compared.
#[tokio::test]
async fn everything_that_holds_data_keeps_its_identity() {
    let account = old().await;
    reach_typed(&account, Goal::Present).await.unwrap();
    let mut compared = 0;
    for stack in old::stacks() {
        let body = account.world().stacks.template(stack.place(), &stack.name(&name())).await;
        let now = holding(&body.unwrap());
        for (id, fixed) in holding(&old::template(stack, ACCOUNT)) {
            assert_eq!(now.get(&id), Some(&fixed), "{stack}: {id}");
            compared += 1;
        }
    }
    assert_eq!(compared, 6 + 1 + 1 + 1 + 5, "tables, key, pool, artifacts, five sites");
}
