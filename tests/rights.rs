//! The rights of `CloudFormation`'s role, both ways: whatever the provider schemas and AWS's
//! documents say it needs it has, and it has nothing else.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod templates_of;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use spaceduck::catalog::{self, Facts};
use spaceduck::iam::{self, Context, Decision, Request};
use spaceduck::model::{AccountId, Place, Region, Stack};
use spaceduck::policy::{self, Subject};
use spaceduck::ports::{Mode, Proposal};
use spaceduck::rehearse::Account;
use spaceduck::rehearse::rights::{self, Scene};
use spaceduck::render::Rendered;
use spaceduck::yaml::Node;
use templates_of::{ACCOUNT, HOME};

/// A role takes inline policies of this many characters in all.
/// Source: "IAM and AWS STS quotas", IAM User Guide.
const INLINE_LIMIT: usize = 10_240;

/// Long enough for a refusal to be among the events.
const MINUTE: Duration = Duration::from_mins(1);

/// Rights that no handler of ours is known to call, with the reason.
const UNPROVEN: &[(&str, &str)] = &[
    ("lambda:GetFunction*", "covers the configurations that reads list one by one"),
    ("apigateway:*", "verbs: one for each method, of which types list their own"),
];

fn scene(galaxy: &str, stack: Stack) -> Scene {
    let region = if stack.place() == Place::Home { HOME } else { "us-east-1" };
    Scene {
        galaxy: galaxy.into(),
        stack: stack.name(&templates_of::galaxy(galaxy)),
        account: ACCOUNT.into(),
        region: region.into(),
        home: HOME.into(),
    }
}

fn root(rendered: &Rendered) -> Node {
    Node::parse(&rendered.body).unwrap()
}

fn resources(root: &Node) -> Vec<(String, String, Node)> {
    let one = |(id, node): &(String, Node)| {
        let kind = node.get("Type").and_then(Node::text).unwrap().to_owned();
        (id.clone(), kind, node.get("Properties").cloned().unwrap_or(Node::Null))
    };
    root.get("Resources").unwrap().entries().iter().map(one).collect()
}

fn first(galaxy: &str) -> Node {
    root(&templates_of::whole(galaxy)[&Stack::Bootstrap])
}

/// The policies of `CloudFormation`'s role in a galaxy.
fn role(galaxy: &str) -> Vec<Value> {
    rights::policies(&first(galaxy), "CfnServiceRole", &scene(galaxy, Stack::Bootstrap))
}

/// The boundary of a galaxy's roles.
fn boundary(galaxy: &str) -> Vec<Value> {
    let root = first(galaxy);
    let found = resources(&root).into_iter().find(|(id, ..)| id == "Boundary").unwrap();
    let document = found.2.get("PolicyDocument").unwrap();
    vec![rights::to_json(document, &scene(galaxy, Stack::Bootstrap))]
}

/// Everything that any handler of any resource asks for under any setting, but the first stack's.
fn asked(galaxy: &str) -> BTreeSet<(String, String, String, Context)> {
    let mut all = BTreeSet::new();
    for (stack, rendered) in templates_of::every(galaxy) {
        if stack == Stack::Bootstrap {
            continue;
        }
        let scene = scene(galaxy, stack);
        for (id, kind, properties) in resources(&root(&rendered)) {
            for handler in ["create", "read", "update", "delete", "list", "tag"] {
                for action in rights::called(&kind, handler) {
                    let request = rights::request(&kind, &id, &properties, &action, &scene);
                    let Request { action, resource, context } = request;
                    all.insert((format!("{kind} {handler}"), action, resource, context));
                }
            }
        }
    }
    all
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    }
}

/// Each action as it is written, with where it stands.
fn written(documents: &[Value]) -> Vec<(usize, String)> {
    let statements = documents[0]["Statement"].as_array().unwrap();
    let each = statements.iter().enumerate();
    each.flat_map(|(at, one)| strings(&one["Action"]).into_iter().map(move |a| (at, a))).collect()
}

#[test]
fn the_role_may_do_whatever_a_handler_calls() {
    let documents = role("pond");
    let missing: BTreeSet<String> = asked("pond")
        .into_iter()
        .filter_map(|(who, action, resource, context)| {
            let request = Request { action, resource, context };
            (iam::decide(&documents, &request) != Decision::Allowed)
                .then(|| format!("{who}: {} on {}", request.action, request.resource))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn the_role_may_do_nothing_that_no_handler_calls() {
    let documents = role("pond");
    let asked: BTreeSet<String> = asked("pond").into_iter().map(|(_, a, ..)| a).collect();
    let unused: BTreeSet<String> = written(&documents)
        .into_iter()
        .map(|(_, action)| action)
        .filter(|pattern| !asked.iter().any(|action| iam::matches(pattern, action)))
        .filter(|pattern| !UNPROVEN.iter().any(|(known, _)| iam::matches(known, pattern)))
        .collect();
    assert!(unused.is_empty(), "{unused:#?}");
}

#[test]
fn an_exception_that_excuses_nothing_is_no_exception() {
    let kinds = templates_of::kinds();
    for (of, actions, _) in rights::EXCUSED {
        for pattern in *actions {
            let handlers = ["create", "read", "update", "delete", "list", "tag"];
            let excuses = kinds.iter().filter(|kind| iam::matches(of, kind)).any(|kind| {
                let listed = handlers.iter().flat_map(|h| spaceduck::provider::actions(kind, h));
                let mut listed = listed;
                listed.any(|action| iam::matches(pattern, action))
            });
            assert!(excuses, "{of} {pattern}");
        }
    }
}

#[test]
fn the_policies_stay_within_what_iam_takes() {
    let longest = "abcdefghijklmnopqrst";
    let characters = |documents: &[Value]| documents.iter().map(policy::characters).sum::<usize>();
    let inline = characters(&role(longest));
    // The longest Region has four characters more, in every ARN.
    let arns = role(longest)[0].to_string().matches("arn:").count() * 4;
    assert!(inline + arns <= INLINE_LIMIT, "{inline} + {arns}");
    assert!(characters(&boundary(longest)) + 200 <= policy::LIMIT_CHARACTERS);
}

/// Galaxies whose names begin alike, or whose names and stacks put together do.
const ALIKE: &[&str] = &["pond", "pond-b", "pond-api", "pond-site", "pond-mail", "pon", "b-pond"];

#[test]
fn galaxies_of_similar_names_cannot_touch_each_other() {
    // What knows neither names nor tags: lists, and what AWS draws an id for without tags.
    let shared = |action: &str| {
        let service_wide = ["*:List*", "*:Describe*", "*:CreateUserPool", "kms:CreateKey"];
        let untagged = [
            "cloudfront:*OriginAccessControl",
            "cloudfront:*ResponseHeadersPolicy",
            "iam:CreateServiceLinkedRole",
            "logs:*Deliver*",
            "logs:PutResourcePolicy",
            "sns:*Subscription*",
            "sns:Unsubscribe",
        ];
        service_wide.iter().chain(&untagged).any(|pattern| iam::matches(pattern, action))
    };
    for one in ALIKE {
        let documents = role(one);
        for other in ALIKE.iter().filter(|other| *other != one) {
            for (who, action, resource, context) in asked(other) {
                // The artifact bucket is read by exact name; passing is bound to the role's.
                if shared(&action) || resource == "*" {
                    continue;
                }
                let request = Request { action, resource, context };
                let decision = iam::decide(&documents, &request);
                assert_ne!(decision, Decision::Allowed, "{one} reaches {other}: {who} {request:?}");
            }
        }
    }
}

#[test]
fn the_person_who_installs_reaches_no_other_galaxy() {
    let (account, home) = (AccountId::parse(ACCOUNT).unwrap(), Region::parse(HOME).unwrap());
    let statements = |name: &str| {
        let name = templates_of::galaxy(name);
        policy::statements(Subject { name: &name, account: &account, region: &home })
    };
    for one in ALIKE {
        for other in ALIKE.iter().filter(|other| *other != one) {
            let theirs = statements(other);
            for ours in statements(one) {
                let same = theirs.iter().find(|their| their.on == ours.on).unwrap();
                for resource in same.resources.iter().filter(|r| r.contains(*other)) {
                    let concrete = resource.replace('*', "x");
                    let reached = ours.resources.iter().find(|r| iam::matches(r, &concrete));
                    let by_tag = ours.condition.as_ref().is_some_and(|condition| {
                        condition.allowed().iter().any(|(key, _)| key.contains("ResourceTag"))
                    });
                    assert!(by_tag || reached.is_none(), "{one}: {reached:?} is {other}'s");
                }
            }
        }
    }
}

fn ask(action: &str, resource: &str, context: &[(&str, &str)]) -> Request {
    let value = |(key, value): &(&str, &str)| ((*key).to_owned(), vec![(*value).to_owned()]);
    let context = context.iter().map(value).collect();
    Request { action: action.into(), resource: resource.into(), context }
}

#[test]
fn roles_are_made_and_changed_only_within_the_boundary() {
    let documents = role("pond");
    let function = "arn:aws:iam::111122223333:role/spaceduck/pond-api-FunctionRole-1A2B";
    let own = "arn:aws:iam::111122223333:role/spaceduck/pond-bootstrap-CfnServiceRole-1A2B";
    let ours = "arn:aws:iam::111122223333:policy/spaceduck/pond-boundary";
    let key = "iam:PermissionsBoundary";
    let allowed = |request: &Request| iam::decide(&documents, request) == Decision::Allowed;
    for action in ["iam:CreateRole", "iam:PutRolePermissionsBoundary"] {
        assert!(allowed(&ask(action, function, &[(key, ours)])), "{action}");
        assert!(!allowed(&ask(action, function, &[])), "{action}");
        assert!(!allowed(&ask(action, function, &[(key, "arn:aws:iam::aws:policy/Admin")])));
    }
    assert!(allowed(&ask("iam:PutRolePolicy", function, &[(key, ours)])));
    assert!(!allowed(&ask("iam:PutRolePolicy", function, &[(key, "arn:aws:iam::1:policy/x")])));
    assert!(!allowed(&ask("iam:DeleteRolePermissionsBoundary", function, &[(key, ours)])));
    for action in ["iam:AttachRolePolicy", "iam:PutUserPolicy", "iam:CreatePolicyVersion"] {
        for resource in [function, own, ours] {
            assert!(!allowed(&ask(action, resource, &[(key, ours)])), "{action}");
        }
    }
    for (_, action) in written(&documents).iter().filter(|(_, action)| action.contains("Role")) {
        if action == "iam:CreateServiceLinkedRole" || action == "iam:ListRoles" {
            continue;
        }
        let request =
            ask(action, own, &[(key, ours), ("iam:PassedToService", "lambda.amazonaws.com")]);
        assert!(!allowed(&request), "the role changes itself: {action}");
    }
}

#[test]
fn the_function_may_do_what_its_role_says_within_the_boundary() {
    let boundary = boundary("pond");
    for (stack, rendered) in templates_of::every("pond") {
        if stack != Stack::Api {
            continue;
        }
        let scene = scene("pond", stack);
        let root = root(&rendered);
        let documents = rights::policies(&root, "FunctionRole", &scene);
        let names = BTreeMap::from([
            (
                "${FunctionLogs.Arn}",
                "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/pond-beak:*",
            ),
            (
                "${UserPoolArn}",
                "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_x",
            ),
            ("${CertSigningKeyArn}", "arn:aws:kms:eu-central-1:111122223333:key/1"),
        ]);
        for statement in documents[0]["Statement"].as_array().unwrap() {
            for (action, resource) in strings(&statement["Action"]).into_iter().flat_map(|action| {
                strings(&statement["Resource"]).into_iter().map(move |r| (action.clone(), r))
            }) {
                let resource = names.get(resource.as_str()).map_or(resource.as_str(), |arn| *arn);
                let request = ask(&action, resource, &[]);
                let decision = iam::decide(&boundary, &request);
                assert_eq!(decision, Decision::Allowed, "widen the boundary: {request:?}");
            }
        }
    }
}

fn proposal(facts: &Facts, stack: Stack, body: &str) -> Proposal {
    let first = stack == Stack::Bootstrap;
    Proposal {
        place: stack.place(),
        name: stack.name(&facts.config.name),
        body: body.to_owned(),
        parameters: BTreeMap::new(),
        secrets: BTreeMap::new(),
        tags: catalog::tags(&facts.config.name),
        role: (!first).then(|| "arn:aws:iam::111122223333:role/spaceduck/r".to_owned()),
        mode: Mode::Plain,
        express: !first,
        token: None,
    }
}

/// Every stack as it can be removed, with everything in it.
fn disposable() -> BTreeMap<Stack, Rendered> {
    let mut all = BTreeMap::new();
    for (stack, rendered) in templates_of::every("pond") {
        let kept = rendered.body.contains("RetainExceptOnCreate");
        let more = all
            .get(&stack)
            .is_none_or(|known: &Rendered| known.resources.len() <= rendered.resources.len());
        if !kept && more {
            all.insert(stack, rendered);
        }
    }
    all
}

/// An upgrade gives the role of an earlier release its boundary before anything else is refused.
#[tokio::test]
async fn a_role_without_a_boundary_gets_it_by_an_update() {
    let stacks = disposable();
    let mut root = Node::parse(&stacks[&Stack::Api].body).unwrap();
    let role = root.get_mut("Resources").unwrap().get_mut("FunctionRole").unwrap();
    role.get_mut("Properties").unwrap().remove("PermissionsBoundary");
    let before = root.emit().unwrap();
    let account: Arc<Account> =
        Account::new(AccountId::parse(ACCOUNT).unwrap(), Region::parse(HOME).unwrap());
    let world = account.world();
    let facts = templates_of::facts("pond", "", spaceduck::config::Seen::default());
    // Made with the rights of that release: before the account looks at ours.
    world.stacks.create(&proposal(&facts, Stack::Api, &before)).await.unwrap();
    account.put("pond-api", "CREATE_COMPLETE", &[]);
    let body = &stacks[&Stack::Bootstrap].body;
    world.stacks.create(&proposal(&facts, Stack::Bootstrap, body)).await.unwrap();
    account.put("pond-bootstrap", "CREATE_COMPLETE", &[]);
    let after = proposal(&facts, Stack::Api, &stacks[&Stack::Api].body);
    let change = world.stacks.propose(&after).await.unwrap().unwrap();
    world.stacks.apply(&change).await.unwrap();
    world.clock.sleep(MINUTE).await;
    let events = world.stacks.events(Place::Home, "pond-api").await.unwrap();
    let denied = events.iter().find_map(|event| event.reason.clone());
    assert_eq!(denied, None);
}

/// The first stack's template without one action of `CloudFormation`'s role.
fn without(root: &Node, statement: usize, action: &str) -> String {
    let mut root = root.clone();
    let role = root.get_mut("Resources").unwrap().get_mut("CfnServiceRole").unwrap();
    let Some(Node::List(policies)) = role.get_mut("Properties").unwrap().get_mut("Policies") else {
        unreachable!("the role has policies");
    };
    let document = policies[0].get_mut("PolicyDocument").unwrap();
    let Some(Node::List(statements)) = document.get_mut("Statement") else {
        unreachable!("the policy has statements");
    };
    match statements[statement].get_mut("Action") {
        Some(Node::List(actions)) => actions.retain(|one| one.text() != Some(action)),
        Some(one) => *one = Node::List(Vec::new()),
        None => unreachable!("a statement names actions"),
    }
    root.emit().unwrap()
}

/// The reasons with which an account refuses a stack somewhere in its life, under a role.
async fn refusals(first: &str, stack: Stack, body: &str) -> Vec<String> {
    let account: Arc<Account> =
        Account::new(AccountId::parse(ACCOUNT).unwrap(), Region::parse(HOME).unwrap());
    let world = account.world();
    let facts = templates_of::facts("pond", "", spaceduck::config::Seen::default());
    world.stacks.create(&proposal(&facts, Stack::Bootstrap, first)).await.unwrap();
    account.put("pond-bootstrap", "CREATE_COMPLETE", &[]);
    let (place, name) = (stack.place(), stack.name(&facts.config.name));
    world.mail.create_sender_role().await.unwrap();
    let mut all = Vec::new();
    world.stacks.create(&proposal(&facts, stack, body)).await.unwrap();
    account.put(&name, "CREATE_COMPLETE", &[]);
    let after = proposal(&facts, stack, &templates_of::changed(body));
    let change = world.stacks.propose(&after).await.unwrap().unwrap();
    world.stacks.apply(&change).await.unwrap();
    world.clock.sleep(MINUTE).await;
    let events = world.stacks.events(place, &name).await.unwrap();
    all.extend(events.into_iter().filter_map(|event| event.reason));
    account.put(&name, "UPDATE_COMPLETE", &[]);
    world.stacks.protect(place, &name, false).await.unwrap();
    for failure in [
        world.stacks.drift(place, &name).await.err(),
        world.stacks.delete(place, &name).await.err(),
    ] {
        all.extend(failure.map(|failure| format!("{failure:?}")));
    }
    all
}

/// Every right of the role is needed somewhere in a galaxy's life, and its lack is told by name.
#[tokio::test]
async fn whatever_right_the_role_lacks_the_account_names_it() {
    let stacks = disposable();
    let root = first("pond");
    let whole = root.emit().unwrap();
    for (stack, rendered) in stacks.iter().filter(|(stack, _)| **stack != Stack::Bootstrap) {
        let refused = refusals(&whole, *stack, &rendered.body).await;
        assert!(refused.iter().all(|r| !r.contains("not authorized")), "{stack:?} {refused:#?}");
    }
    // A list is asked for by imports and by early validations, which the account does not play.
    let listed: BTreeSet<String> = stacks
        .values()
        .flat_map(|rendered| rendered.resources.iter())
        .flat_map(|one| rights::called(&one.kind, "list"))
        .collect();
    let mut silent = BTreeSet::new();
    for (statement, action) in written(&role("pond")) {
        if listed.iter().any(|list| iam::matches(&action, list)) {
            continue;
        }
        if UNPROVEN.iter().any(|(known, _)| iam::matches(known, &action)) {
            continue;
        }
        let first = without(&root, statement, &action);
        let mut named = false;
        for (stack, rendered) in stacks.iter().filter(|(stack, _)| **stack != Stack::Bootstrap) {
            for reason in refusals(&first, *stack, &rendered.body).await {
                let told = reason.split("not authorized to perform: ").nth(1);
                let told = told.and_then(|rest| rest.split(' ').next());
                named |= told.is_some_and(|told| iam::matches(&action, told));
            }
            if named {
                break;
            }
        }
        if !named {
            silent.insert(format!("{statement} {action}"));
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}
