//! Cases: what is there → what is planned.

use std::collections::{BTreeMap, BTreeSet};

use galaxy_sites::Site;

use super::{Action, Goal, Observed, Plan, SecretSeen, StepId, is_current, plan, refuses};
use crate::model::{Stack, StackSeen, StackStatus};
use crate::ports::{Change, ChangeAction};
use crate::render::{DIGEST_OUTPUT, Rendered};

fn rendered() -> BTreeMap<Stack, Rendered> {
    let one = |stack: Stack| Rendered {
        body: String::new(),
        digest: format!("digest of {stack}"),
        parameters: super::catalog::inputs(stack).iter().map(|i| i.parameter.into()).collect(),
        resources: Vec::new(),
    };
    Stack::all().into_iter().map(|stack| (stack, one(stack))).collect()
}

/// An account in which everything is as this release wants it.
fn installed() -> Observed {
    let seen = |stack: Stack| {
        let mut outputs = BTreeMap::from([(DIGEST_OUTPUT.into(), format!("digest of {stack}"))]);
        for user in Stack::all() {
            for input in super::catalog::inputs(user).iter().filter(|i| i.stack == stack) {
                outputs.insert(input.output.into(), format!("{}!", input.parameter));
            }
        }
        let parameters = super::catalog::inputs(stack)
            .iter()
            .map(|input| (input.parameter.to_owned(), format!("{}!", input.parameter)))
            .chain(super::catalog::constants(stack))
            .collect();
        StackSeen {
            arn: format!("arn:{stack}"),
            code: "CREATE_COMPLETE".into(),
            status: StackStatus::Ready,
            reason: None,
            changed: None,
            parameters,
            outputs,
            tags: [(crate::model::ID_TAG.to_owned(), "id".to_owned())].into(),
            protected: true,
            role: None,
        }
    };
    Observed {
        shield: crate::plan::ShieldSeen::Only,
        current: None,
        stacks: Stack::all().into_iter().map(|stack| (stack, seen(stack))).collect(),
        buckets: Stack::all().into_iter().collect(),
        code_stored: true,
        secret: SecretSeen::Stored,
        hostnames: true,
        published: Site::ALL.into_iter().collect(),
        released: true,
        domains: crate::config::Domains::default(),
        hosting: crate::config::Hosting::default(),
        claim: crate::ports::Claim::Recorded,
        strangers: Vec::new(),
        adopted: std::collections::BTreeSet::new(),
        retained: Vec::new(),
    }
}

#[test]
fn a_user_pool_keeps_its_tier_and_a_new_one_gets_the_cheapest() {
    let rendered = rendered();
    let mut seen = installed().stacks[&Stack::Auth].clone();
    let tier = |seen: Option<&StackSeen>| {
        super::catalog::kept_values(Stack::Auth, seen).remove("Tier").expect("a tier")
    };
    assert_eq!(tier(None), "LITE");
    assert_eq!(tier(Some(&seen)), "ESSENTIALS", "as every pool was before it could be chosen");
    seen.parameters.insert("Tier".into(), "PLUS".into());
    assert_eq!(tier(Some(&seen)), "PLUS");
    let inputs = super::catalog::constants(Stack::Auth);
    assert!(is_current(&seen, &rendered[&Stack::Auth], &inputs), "nothing to do for it");
}

fn action(plan: &Plan, id: StepId) -> &Action {
    &plan.steps.iter().find(|step| step.id == id).expect("step").action
}

fn position(plan: &Plan, id: StepId) -> usize {
    plan.steps.iter().position(|step| step.id == id).expect("step")
}

#[test]
fn every_step_stands_behind_what_it_waits_for() {
    for goal in [Goal::Present, Goal::Absent] {
        let plan = plan(goal, &Observed::default(), &rendered());
        for (at, step) in plan.steps.iter().enumerate() {
            for before in &step.after {
                assert!(position(&plan, *before) < at, "{before} comes before {}", step.id);
            }
        }
    }
}

#[test]
fn an_empty_account_gets_everything() {
    let plan = plan(Goal::Present, &Observed::default(), &rendered());
    for stack in Stack::all() {
        assert_eq!(action(&plan, StepId::Stack(stack)), &Action::Create, "{stack}");
    }
    assert_eq!(action(&plan, StepId::Code), &Action::Create);
    assert_eq!(action(&plan, StepId::Secret), &Action::Keep, "no secret was given");
    assert_eq!(action(&plan, StepId::Probe), &Action::Check);
    assert!(!plan.is_empty());
}

#[test]
fn an_installed_galaxy_is_left_alone() {
    let plan = plan(Goal::Present, &installed(), &rendered());
    assert!(plan.is_empty(), "{plan:#?}");
}

#[test]
fn one_difference_is_one_action() {
    let mut other_template = installed();
    let data = other_template.stacks.get_mut(&Stack::Data).expect("data");
    data.outputs.insert(DIGEST_OUTPUT.into(), "older".into());
    let mut other_pool = installed();
    let auth = other_pool.stacks.get_mut(&Stack::Auth).expect("auth");
    auth.outputs.insert("UserPoolId".into(), "another".into());
    let mut other_secret = installed();
    other_secret.secret = SecretSeen::Outdated;
    let mut other_pages = installed();
    other_pages.published.remove(&Site::DuckControl);
    let cases = [
        (other_template, StepId::Stack(Stack::Data)),
        (other_pool, StepId::Stack(Stack::Api)),
        (other_secret, StepId::Secret),
        (other_pages, StepId::Publish(Site::DuckControl)),
    ];
    for (observed, changed) in cases {
        let plan = plan(Goal::Present, &observed, &rendered());
        for step in &plan.steps {
            let expected = match step.id {
                // What works on the data is changed only after a backup.
                StepId::Release | StepId::Backup => Action::Create,
                StepId::Probe | StepId::Edge(_) => Action::Check,
                id if id == changed => Action::Update,
                _ => Action::Keep,
            };
            assert_eq!(step.action, expected, "{} when {changed} differs", step.id);
        }
    }
}

#[test]
fn a_stack_in_any_state_has_its_action() {
    let cases = [
        ("ROLLBACK_COMPLETE", Action::Recreate("ROLLBACK_COMPLETE".into())),
        ("REVIEW_IN_PROGRESS", Action::Recreate("REVIEW_IN_PROGRESS".into())),
        ("CREATE_IN_PROGRESS", Action::Attach("CREATE_IN_PROGRESS".into())),
        ("DELETE_COMPLETE", Action::Create),
        ("DELETE_FAILED", Action::Recreate("DELETE_FAILED".into())),
        ("UPDATE_ROLLBACK_FAILED", Action::Recover("UPDATE_ROLLBACK_FAILED".into())),
        ("UPDATE_ROLLBACK_COMPLETE", Action::Keep),
    ];
    for (code, expected) in cases {
        let mut observed = installed();
        let mail = observed.stacks.get_mut(&Stack::Mail).expect("mail");
        mail.status = StackStatus::parse(code);
        let plan = plan(Goal::Present, &observed, &rendered());
        assert_eq!(action(&plan, StepId::Stack(Stack::Mail)), &expected, "{code}");
    }
}

#[test]
fn teardown_takes_the_role_last_and_finds_leftover_buckets() {
    let plan = plan(Goal::Absent, &installed(), &rendered());
    let last: Vec<StepId> = plan.steps.iter().rev().take(2).map(|step| step.id).collect();
    assert_eq!(last, [StepId::Disclaim, StepId::Stack(Stack::Bootstrap)]);
    assert!(plan.steps.iter().all(|step| step.action == Action::Remove));

    let nothing = super::plan(Goal::Absent, &Observed::default(), &rendered());
    assert!(nothing.is_empty());

    let mut leftover = Observed::default();
    leftover.buckets.insert(Stack::Site(Site::DuckGalaxy));
    let plan = super::plan(Goal::Absent, &leftover, &rendered());
    assert_eq!(action(&plan, StepId::Stack(Stack::Site(Site::DuckGalaxy))), &Action::Remove);
}

#[test]
fn replacing_or_removing_what_is_protected_is_refused() {
    let change = |kind: &str, action| Change {
        resource: "X".into(),
        kind: kind.into(),
        action,
        why: Vec::new(),
    };
    let changes = [
        change("AWS::DynamoDB::Table", ChangeAction::Modify),
        change("AWS::DynamoDB::Table", ChangeAction::Replace),
        change("AWS::Cognito::UserPool", ChangeAction::Remove),
        change("AWS::Lambda::Version", ChangeAction::Remove),
        change("AWS::KMS::Key", ChangeAction::Add),
    ];
    let refused = |named: &BTreeSet<String>| -> Vec<&str> {
        let refused = changes.iter().filter(|change| refuses(Stack::Data, change, named));
        refused.map(|change| change.kind.as_str()).collect()
    };
    assert_eq!(refused(&BTreeSet::new()), ["AWS::DynamoDB::Table", "AWS::Cognito::UserPool"]);
    assert_eq!(refused(&BTreeSet::from(["data.X".into()])), [""; 0]);
    assert_eq!(refused(&BTreeSet::from(["auth.X".into()])).len(), 2, "another stack's");
}
