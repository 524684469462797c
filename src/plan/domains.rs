//! What domains add to a plan: certificates, and what is no longer wanted.

use super::{Action, Observed, Step, StepId};
use crate::model::{CertificateState, Stack, StackStatus};

/// Asks for the certificates that are missing, and removes those that nothing needs. None of the
/// other steps waits for it.
pub(super) fn present(steps: &mut Vec<Step>, observed: &Observed) {
    let domains = &observed.domains;
    for (front, served) in &domains.seen {
        let action = match served.certificate.as_ref().map(|one| &one.state) {
            None => Action::Create,
            Some(CertificateState::Failed(why) | CertificateState::Over(why)) => {
                Action::Recreate(why.clone())
            }
            Some(_) => Action::Keep,
        };
        steps.push(Step::new(StepId::Certificate(*front), action, Vec::new()));
    }
    if !domains.stale.is_empty() {
        let stacks = steps.iter().map(|step| step.id);
        let stacks = stacks.filter(|id| matches!(id, StepId::Stack(_))).collect();
        steps.push(Step::new(StepId::Certificates, Action::Remove, stacks));
    }
}

/// A stack that this configuration has no use for, where there is one.
pub(super) fn unwanted(stack: Stack, observed: &Observed) -> Option<Step> {
    let there = observed.stacks.get(&stack).is_some_and(|seen| seen.status != StackStatus::Gone);
    let step = || Step::new(StepId::Stack(stack), Action::Remove, Vec::new());
    // A shield goes when nothing uses its address any more.
    (stack == Stack::ApiDomain && there).then(step)
}

/// On the way out: all certificates, as soon as nothing works with them any more.
pub(super) fn absent(observed: &Observed, users: &[StepId]) -> Step {
    let action = if observed.domains.noted { Action::Remove } else { Action::Keep };
    Step::new(StepId::Certificates, action, users.to_vec())
}
