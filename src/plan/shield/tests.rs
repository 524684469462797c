//! In which order a shield comes and goes.

use std::collections::BTreeMap;

use super::*;
use crate::catalog::{self, Code, Facts, SHIELD_DIGEST};
use crate::config::{Config, Shield};
use crate::model::{AccountId, ID_TAG, Outputs, Region, StackSeen, Tags};
use crate::plan::{Goal, Plan, plan};
use crate::render::{self, DIGEST_OUTPUT};

fn rendered(shield: Shield) -> BTreeMap<Stack, Rendered> {
    let facts = Facts {
        config: Config { shield, ..Config::default() },
        account: AccountId::parse("111122223333").ok(),
        region: Region::parse("eu-west-1").ok(),
        code: Some(Code { sha256: "0".repeat(64), architecture: "x86_64" }),
        release: "1.2.3".into(),
    };
    let one = |stack| {
        let text = catalog::template(stack);
        (stack, render::render(text, &catalog::fill(stack, &facts)).expect("rendered"))
    };
    let all = Stack::all().into_iter().filter(|stack| catalog::is_wanted(*stack, &facts.config));
    all.map(one).collect()
}

/// The shield's stack as an installation of `made` leaves it.
fn stands(made: &Rendered, shield: ShieldSeen) -> Observed {
    let digest = (DIGEST_OUTPUT.to_owned(), made.digest.clone());
    let parameters = [("ApiId", "a1"), ("OriginSecret", "****"), (SHIELD_DIGEST, "9f86")];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let seen = StackSeen {
        arn: "arn:shield".into(),
        code: "UPDATE_COMPLETE".into(),
        status: StackStatus::Ready,
        reason: None,
        changed: None,
        parameters: parameters.map(owned).into(),
        outputs: [digest].into(),
        tags: Tags::from([(ID_TAG.to_owned(), "0123456789abcdef".to_owned())]),
        protected: true,
        role: None,
    };
    let api = StackSeen {
        outputs: Outputs::from([("ApiId".to_owned(), "a1".to_owned())]),
        ..seen.clone()
    };
    let stacks = [(Stack::ApiShield, seen), (Stack::Api, api)].into();
    Observed { stacks, shield, ..Observed::default() }
}

fn step(plan: &Plan, id: StepId) -> Option<(Action, Vec<StepId>)> {
    let step = plan.steps.iter().find(|step| step.id == id)?;
    Some((step.action.clone(), step.after.clone()))
}

/// Whether one step waits for another, however many are between.
fn waits(plan: &Plan, id: StepId, other: StepId) -> bool {
    let after = step(plan, id).map(|(_, after)| after).unwrap_or_default();
    after.iter().any(|one| *one == other || waits(plan, *one, other))
}

#[test]
fn the_address_is_published_when_it_answers_and_the_direct_way_closed_after_that() {
    let plan = plan(Goal::Present, &Observed::default(), &rendered(Shield::On));
    assert_eq!(step(&plan, STACK).map(|(action, _)| action), Some(Action::Create));
    for (id, other) in [
        (STACK, StepId::Stack(Stack::Api)),
        (STACK, StepId::Stack(Stack::Bootstrap)),
        (StepId::Shield, STACK),
        (StepId::Release, StepId::Shield),
        (StepId::Probe, StepId::Release),
        (StepId::ShieldOnly, StepId::Probe),
    ] {
        assert!(waits(&plan, id, other), "{id} is not behind {other}");
    }
    let shield = plan.steps.iter().find(|step| step.id == StepId::Shield);
    assert!(shield.is_some_and(|step| step.time.as_secs() > 60), "the edge takes minutes");
}

#[test]
fn a_shield_as_it_should_be_is_kept_and_anything_else_is_finished() {
    let all = rendered(Shield::On);
    let of = |shield| {
        let plan = plan(Goal::Present, &stands(&all[&Stack::ApiShield], shield), &all);
        [STACK, StepId::Shield, StepId::ShieldOnly].map(|id| step(&plan, id).map(|(one, _)| one))
    };
    assert_eq!(of(ShieldSeen::Only), [Action::Keep, Action::Keep, Action::Keep].map(Some));
    for shield in [ShieldSeen::Unfinished, ShieldSeen::None] {
        assert_eq!(of(shield), [Action::Keep, Action::Check, Action::Update].map(Some));
    }
}

#[test]
fn a_shield_that_is_not_wanted_goes_after_its_address() {
    let (all, none) = (rendered(Shield::On), rendered(Shield::Off));
    let observed = stands(&all[&Stack::ApiShield], ShieldSeen::Only);
    let plan = plan(Goal::Present, &observed, &none);
    assert_eq!(step(&plan, STACK).map(|(action, _)| action), Some(Action::Remove));
    for other in [StepId::Stack(Stack::Api), StepId::Release, StepId::Probe] {
        assert!(waits(&plan, STACK, other), "{other}");
    }
    assert_eq!(step(&plan, StepId::Shield), None);
    for goal in [Goal::Absent, Goal::DataOnly] {
        let plan = super::super::plan(goal, &observed, &all);
        assert_eq!(step(&plan, STACK).map(|(action, _)| action), Some(Action::Remove));
        let plan = super::super::plan(goal, &Observed::default(), &all);
        assert_eq!(step(&plan, STACK), None, "there is none");
    }
}

#[test]
fn galaxies_without_a_shield_are_as_before() {
    let none = rendered(Shield::Off);
    let plan = plan(Goal::Present, &Observed::default(), &none);
    for id in [STACK, StepId::Shield, StepId::ShieldOnly] {
        assert_eq!(step(&plan, id), None);
    }
    for (stack, rendered) in &none {
        let words = ["SD_SHIELD", "cloudfront.net", "OriginSecret"];
        let told = words.iter().find(|word| rendered.body.contains(**word));
        assert_eq!(told, None, "{stack}");
    }
    let with = &rendered(Shield::On)[&Stack::Api].body;
    assert!(with.contains("SD_SHIELD: 'on'") || with.contains("SD_SHIELD: \"on\""), "{with}");
}
