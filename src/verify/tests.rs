//! A report says what was seen, calls nothing fine that was not, and never fails.

use std::sync::Arc;

use super::*;
use crate::catalog;
use crate::config::{self, Environment};
use crate::drift::{KINDS, Subject};
use crate::model::GalaxyName;
use crate::rehearse::Account;
use crate::render;

fn case(account: &Arc<Account>, drift: Result<Option<Vec<Finding>>, String>) -> Case {
    let environment = Environment { turnstile_site_key: None, turnstile_secret: None };
    let id = AccountId::parse("111122223333").unwrap();
    let home = Region::parse("eu-central-1").unwrap();
    let facts = Facts {
        config: config::parse("galaxy.yaml", "name: pond\n", &environment).unwrap(),
        account: Some(id.clone()),
        region: Some(home.clone()),
        code: None,
        release: "1".into(),
    };
    let one = |stack: Stack| {
        let fill = catalog::fill(stack, &facts);
        (stack, render::render(catalog::template(stack), &fill).unwrap())
    };
    let wanted = |stack: &Stack| catalog::is_wanted(*stack, &facts.config);
    Case {
        rendered: Stack::all().into_iter().filter(wanted).map(one).collect(),
        facts,
        account: id,
        home,
        world: account.world(),
        drift,
        urls: Vec::new(),
    }
}

fn empty() -> Arc<Account> {
    let id = AccountId::parse("111122223333").unwrap();
    Account::new(id, Region::parse("eu-central-1").unwrap())
}

fn verdict<'a>(report: &'a Report, check: &str) -> &'a Checked {
    report.checks.iter().find(|one| one.check == check).unwrap()
}

#[tokio::test]
async fn an_empty_account_gives_a_report() {
    let report = look(&case(&empty(), Err("the bucket can't be read".into()))).await;
    assert_eq!(verdict(&report, "stacks").verdict, Verdict::Wrong);
    let unknown =
        ["drift", "service-role-permissions", "function-role-permissions", "certificate-signature"];
    for check in unknown.into_iter().chain(["throttles"]) {
        assert_eq!(verdict(&report, check).verdict, Verdict::Unknown, "{report:?}");
    }
    assert!(report.answers.iter().all(|one| one.answer == Answer::Unknown), "{report:?}");
    assert!(report.times.is_empty());
}

#[test]
fn the_role_of_the_template_can_be_simulated() {
    let case = case(&empty(), Ok(None));
    let name = GalaxyName::parse("pond").unwrap();
    let values = BTreeMap::new();
    let (account, region) = (&case.account, &case.home);
    let subject = rights::Subject { name: &name, account, region, values: &values };
    let template = &case.rendered[&Stack::Bootstrap].body;
    let (rights, _) = rights::of_role(template, "CfnServiceRole", subject);
    let actions: usize = rights.iter().map(|right| right.actions.len()).sum();
    assert!(actions > 50, "{actions}");
    for right in &rights {
        assert!(right.actions.iter().all(|action| !action.contains('*')), "{right:?}");
        assert!(right.resources.iter().all(|arn| !arn.contains("${")), "{right:?}");
        assert!(right.resources.iter().all(|arn| !arn.contains(":*:*:")), "{right:?}");
        assert!(right.resources.iter().all(|arn| !arn.contains("::*:")), "{right:?}");
    }
    // These are allowed only with a key that the simulator isn't given.
    for action in ["iam:PassRole", "iam:CreateRole", "kms:CreateKey"] {
        assert!(rights.iter().all(|right| !right.actions.iter().any(|a| a == action)), "{action}");
    }
    let tags = rights.iter().find(|r| r.actions.iter().any(|a| a == "apigateway:TagResource"));
    assert!(tags.is_some(), "{rights:?}");
}

/// Every action of the function's policy is asked for, where codes do not come through SES.
#[test]
fn the_role_of_the_function_can_be_simulated() {
    let case = case(&empty(), Ok(None));
    let name = GalaxyName::parse("pond").unwrap();
    let values = [("UserPoolArn", "arn:pool"), ("CertSigningKeyArn", "arn:key")]
        .into_iter()
        .chain([("FunctionLogs.Arn", "arn:logs")])
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let (account, region) = (&case.account, &case.home);
    let subject = rights::Subject { name: &name, account, region, values: &values };
    let template = &case.rendered[&Stack::Api].body;
    let (rights, left_out) = rights::of_role(template, "FunctionRole", subject);
    assert_eq!(left_out, 0, "{rights:?}");
    let of = |action: &str| {
        let right = rights.iter().find(|right| right.actions.iter().any(|one| one == action));
        right.unwrap_or_else(|| panic!("nothing of {action}")).resources.clone()
    };
    assert_eq!(of("kms:Sign"), ["arn:key"]);
    assert_eq!(of("cognito-idp:AdminGetUser"), ["arn:pool"]);
    assert_eq!(of("logs:PutLogEvents"), ["arn:logs"]);
    let tables = of("dynamodb:UpdateItem");
    let ducklings = "arn:aws:dynamodb:eu-central-1:111122223333:table/pond-ducklings";
    assert!(tables.iter().any(|arn| arn == ducklings), "{tables:?}");
}

fn lapse(resource: &str, kind: &str, status: &str, at: u64, reason: Option<&str>) -> Lapse {
    Lapse {
        resource: resource.into(),
        kind: kind.into(),
        status: status.into(),
        reason: reason.map(str::to_owned),
        at,
    }
}

fn stack(outputs: &[(&str, &str)]) -> StackSeen {
    StackSeen {
        outputs: outputs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        ..StackSeen {
            arn: "arn".into(),
            code: "CREATE_COMPLETE".into(),
            status: StackStatus::Ready,
            reason: None,
            changed: None,
            parameters: BTreeMap::new(),
            outputs: BTreeMap::new(),
            tags: BTreeMap::new(),
            protected: true,
            role: None,
        }
    }
}

/// What one account has shown, and what each question makes of it.
#[test]
fn questions_are_answered_by_events_and_findings() {
    let kind = "AWS::X::Y";
    let mut seen = Seen { trust: Some("StringEquals aws:SourceArn".into()), ..Seen::default() };
    for one in [Stack::Bootstrap, Stack::Data, Stack::Auth, Stack::Api] {
        seen.stacks.insert(one, stack(&[]));
    }
    let role = lapse("CfnServiceRole", "AWS::IAM::Role", "CREATE_COMPLETE", 100, None);
    seen.histories.insert(Stack::Bootstrap, vec![role]);
    let own = "AWS::CloudFormation::Stack";
    seen.histories.insert(
        Stack::Data,
        vec![
            lapse("pond-data", own, "CREATE_IN_PROGRESS", 104, None),
            lapse("EggsTable", kind, "IMPORT_COMPLETE", 105, None),
            lapse("pond-data", own, "CREATE_COMPLETE", 140, None),
        ],
    );
    let denied = Some("not authorized to perform: apigateway:TagResource");
    seen.histories.insert(
        Stack::Api,
        vec![
            lapse("HttpApi", kind, "CREATE_COMPLETE", 110, None),
            lapse("Prod", kind, "CREATE_FAILED", 120, denied),
        ],
    );
    seen.histories.insert(Stack::Auth, vec![lapse("UserPool", kind, "CREATE_COMPLETE", 110, None)]);
    let differs = Finding {
        subject: Subject::Resource { stack: Stack::Auth, id: "UserPool".into() },
        kind: KINDS.into_iter().find(|kind| kind.id == "resource-changed").unwrap(),
        detail: "/Schema is 21, should be 1".into(),
        kept: false,
        typed: None,
    };
    let found = questions::answers(Some(&vec![differs]), &seen);
    let answer = |id: &str| {
        let one = found.iter().find(|one| one.id == id).unwrap();
        (one.answer, one.evidence.as_str())
    };
    assert_eq!(answer("api-tags").0, Answer::No);
    assert!(answer("api-tags").1.contains("apigateway:TagResource"));
    assert_eq!(answer("role-propagation").0, Answer::No, "a refusal within 20 s");
    assert_eq!(answer("role-conditions").0, Answer::Yes);
    assert_eq!(answer("drift-user-pool").0, Answer::No);
    assert_eq!(answer("drift-distributions").0, Answer::Unknown, "there is none");
    assert_eq!(answer("drift-checked").0, Answer::Yes);
    assert_eq!(answer("import-status").0, Answer::Yes);
    assert_eq!(answer("codes-through-ses").0, Answer::Unknown);
    // Without a comparison nothing is in sync.
    let found = questions::answers(None, &seen);
    let drifts = found.iter().filter(|one| one.id.starts_with("drift-"));
    assert!(drifts.into_iter().all(|one| one.answer == Answer::Unknown), "{found:?}");
}

/// The ids that questions name are those of the templates: a renamed one would never be answered.
#[test]
fn questions_name_resources_that_exist() {
    let mut known = std::collections::BTreeSet::new();
    for stack in Stack::all() {
        let root = crate::yaml::Node::parse(catalog::template(stack)).unwrap();
        let resources = root.get("Resources").unwrap().entries();
        known.extend(resources.iter().map(|(id, _)| id.clone()));
    }
    for id in questions::ids() {
        assert!(known.contains(id), "no template has `{id}`");
    }
}
