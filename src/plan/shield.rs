//! What a shield adds to a plan. Its address is published once it answers, and the direct way is
//! closed once that is published: at any time, callers find one of the two open.

use std::collections::BTreeMap;

use super::observed::ShieldSeen;
use super::times::propagation;
use super::{Action, Observed, Step, StepId};
use crate::model::{Stack, StackStatus};
use crate::render::Rendered;

const STACK: StepId = StepId::Stack(Stack::ApiShield);

/// What will be done to its stack, where a shield is wanted.
fn stack(steps: &[Step]) -> Option<Action> {
    steps.iter().find(|step| step.id == STACK).map(|step| step.action.clone())
}

/// The step after which the shield answers, where one is wanted.
pub(super) fn before(
    steps: &mut Vec<Step>,
    observed: &Observed,
    rendered: &BTreeMap<Stack, Rendered>,
) -> Option<StepId> {
    let stack = stack(steps)?;
    let kept = stack == Action::Keep && observed.shield == ShieldSeen::Only;
    let action = if kept { Action::Keep } else { Action::Check };
    let mut step = Step::new(StepId::Shield, action, vec![STACK]);
    if let (Some(rendered), Action::Create) = (rendered.get(&Stack::ApiShield), &stack) {
        step.time = propagation(rendered, step.time);
    }
    steps.push(step);
    Some(StepId::Shield)
}

/// Closes the direct way, or takes away a shield that is no longer wanted once its address is no
/// longer published: the function answers every call by then.
pub(super) fn after(steps: &mut Vec<Step>, observed: &Observed) {
    if let Some(stack) = stack(steps) {
        let kept = stack == Action::Keep && observed.shield == ShieldSeen::Only;
        let action = if kept { Action::Keep } else { Action::Update };
        steps.push(Step::new(StepId::ShieldOnly, action, vec![StepId::Probe]));
    } else if is_there(observed) {
        steps.push(Step::new(STACK, Action::Remove, vec![StepId::Probe]));
    }
}

/// Whether there is one in the account.
pub(super) fn is_there(observed: &Observed) -> bool {
    let seen = observed.stacks.get(&Stack::ApiShield);
    seen.is_some_and(|seen| seen.status != StackStatus::Gone)
}

#[cfg(test)]
mod tests;
