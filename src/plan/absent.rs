//! The way out: what is removed, in which order, and what is saved before.

use std::collections::BTreeMap;

use super::{Action, Observed, Step, StepId, domains, records, shield, stack_time};
use crate::model::{Stack, StackStatus};
use crate::render::Rendered;

/// The steps of a removal. With `keep` the stacks that hold data stay, and what they and a later
/// installation need.
pub(super) fn steps(
    observed: &Observed,
    rendered: &BTreeMap<Stack, Rendered>,
    keep: bool,
) -> Vec<Step> {
    let there = |stack: &Stack| {
        let stands = observed.stacks.get(stack).is_some_and(|s| s.status != StackStatus::Gone);
        stands || observed.buckets.contains(stack)
    };
    let remove = |id, after, there| {
        let action = if there { Action::Remove } else { Action::Keep };
        let mut step = Step::new(id, action, after);
        if let StepId::Stack(stack) = id
            && let Some(rendered) = rendered.get(&stack)
        {
            step.resources = Some(rendered.resources.len());
            step.time = stack_time(&step.action, rendered);
        }
        step
    };
    let users: Vec<StepId> = Stack::all()
        .into_iter()
        .filter(|stack| matches!(stack, Stack::Api | Stack::Site(_)))
        .map(StepId::Stack)
        .collect();
    let api = vec![StepId::Stack(Stack::Api)];
    let mut steps: Vec<Step> = records::absent(observed, keep).into_iter().collect();
    let door = StepId::Stack(Stack::ApiDomain);
    if observed.domains.noted || there(&Stack::ApiDomain) {
        steps.push(remove(door, Vec::new(), there(&Stack::ApiDomain)));
    }
    if shield::is_there(observed) {
        steps.push(remove(StepId::Stack(Stack::ApiShield), Vec::new(), true));
    }
    for id in &users {
        if let StepId::Stack(stack) = id {
            // An API can't go while a domain leads to it.
            let first = *stack == Stack::Api && steps.iter().any(|step| step.id == door);
            let after = if first { vec![door] } else { Vec::new() };
            steps.push(remove(*id, after, there(stack)));
        }
    }
    if observed.domains.noted {
        steps.push(domains::absent(observed, &users));
    }
    if keep {
        return steps;
    }
    steps.push(remove(
        StepId::Secret,
        api.clone(),
        observed.secret.is_stored() || observed.hostnames,
    ));
    for stack in [Stack::Mail, Stack::Auth, Stack::Data] {
        steps.push(remove(StepId::Stack(stack), api.clone(), there(&stack)));
    }
    // Last: CloudFormation removes all others with the role that lives here.
    let all = steps.iter().map(|step| step.id).collect();
    let bootstrap = Stack::Bootstrap;
    steps.push(remove(StepId::Stack(bootstrap), all, there(&bootstrap)));
    steps
}

/// Places the export where no one can write any more and nothing is lost yet: after the API,
/// before the stacks that hold data.
pub(super) fn export(steps: &mut Vec<Step>) {
    let holds = |step: &Step| matches!(step.id, StepId::Stack(Stack::Auth | Stack::Data));
    let goes = |step: &Step| holds(step) && step.action != Action::Keep;
    let Some(at) = steps.iter().position(goes) else { return };
    let later = |step: &&mut Step| holds(step) || step.id == StepId::Stack(Stack::Bootstrap);
    for step in steps.iter_mut().filter(later) {
        step.after.push(StepId::Export);
    }
    let after = vec![StepId::Stack(Stack::Api)];
    steps.insert(at, Step::new(StepId::Export, Action::Create, after));
}
