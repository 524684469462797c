//! The galaxy's record in a plan: made before the first effect, deleted after the last.

use super::{Action, Goal, Observed, Step, StepId};
use crate::model::Stack;
use crate::ports::Claim;

/// Puts the steps about the record around those of a plan.
pub(super) fn around(goal: Goal, observed: &Observed, mut steps: Vec<Step>) -> Vec<Step> {
    let unrecorded = matches!(observed.claim, Claim::Unrecorded(_));
    match goal {
        Goal::Back | Goal::Repair => return steps,
        Goal::Present => {}
        Goal::Absent | Goal::DataOnly => {
            keep_bootstrap(observed, &mut steps);
            if goal == Goal::Absent && observed.claim != Claim::Free {
                let all = steps.iter().map(|step| step.id).collect();
                steps.push(Step::new(StepId::Disclaim, Action::Remove, all));
            }
            if !unrecorded {
                return steps;
            }
        }
    }
    let action = match observed.claim {
        Claim::Free => Action::Create,
        Claim::Unrecorded(_) => Action::Update,
        Claim::Recorded => Action::Keep,
    };
    for step in steps.iter_mut().filter(|step| step.after.is_empty()) {
        step.after.push(StepId::Claim);
    }
    steps.insert(0, Step::new(StepId::Claim, action, Vec::new()));
    steps
}

/// A stack on record that can't be proved stays, and CloudFormation's role with it.
fn keep_bootstrap(observed: &Observed, steps: &mut Vec<Step>) {
    let stays = |thing: &str| thing.starts_with("stack:");
    if observed.strangers.iter().any(|one| one.recorded && stays(&one.thing)) {
        steps.retain(|step| step.id != StepId::Stack(Stack::Bootstrap));
    }
}
