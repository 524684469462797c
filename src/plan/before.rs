//! What has to be done before a stack.

use super::StepId;
use crate::catalog;
use crate::model::Stack;

pub(super) fn stack(stack: Stack) -> Vec<StepId> {
    match stack {
        Stack::Bootstrap => Vec::new(),
        Stack::Api | Stack::ApiDomain | Stack::ApiShield => {
            let code = (stack == Stack::Api).then_some(StepId::Code);
            let mut after: Vec<StepId> = code.into_iter().collect();
            for input in catalog::inputs(stack) {
                if !after.contains(&StepId::Stack(input.stack)) {
                    after.push(StepId::Stack(input.stack));
                }
            }
            after
        }
        // The role that CloudFormation works with comes from there.
        _ => vec![StepId::Stack(Stack::Bootstrap)],
    }
}
