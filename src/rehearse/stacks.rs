//! Stacks of the account in memory: on their way, settled, refused.

use std::collections::{BTreeMap, VecDeque};

use async_trait::async_trait;

use super::{Account, Fault, Sim, is_named, refuse};
use crate::failure::Failure;
use crate::model::{Place, StackSeen};
use crate::ports::{Change, ChangeAction, ChangeSet, Proposal, StackEvent, Stacks};

#[async_trait]
impl Stacks for Account {
    async fn find(&self, place: Place, name: &str) -> Result<Option<StackSeen>, Failure> {
        let mut state = self.state();
        let Some(stack) = state.stacks.iter_mut().find(|s| is_named(s, place, name)) else {
            return Ok(None);
        };
        if let Some(next) = stack.next.pop_front() {
            next.clone_into(&mut stack.code);
            let name = stack.proposal.name.clone();
            stack.event(&name, "AWS::CloudFormation::Stack", next, None);
        }
        let outputs = self.outputs_of(&stack.proposal);
        Ok(Some(stack.seen(outputs)))
    }

    async fn create(&self, proposal: &Proposal) -> Result<String, Failure> {
        self.effect(format!("create {}", proposal.name), |state| {
            let name = &proposal.name;
            if state.stacks.iter().any(|s| is_named(s, proposal.place, name)) {
                return Err(refuse(format!("the stack {name} is already there")));
            }
            let arn = format!("arn:stack/{name}/{}", state.stacks.len());
            let (proposal, code) = (proposal.clone(), String::new());
            let fault = Fault::CreationFails(name.clone());
            let fails = state.faults.iter().position(|known| *known == fault);
            let mut stack = Sim {
                proposal,
                arn: arn.clone(),
                code,
                next: VecDeque::new(),
                protected: true,
                events: Vec::new(),
            };
            if let Some(at) = fails {
                state.faults.remove(at);
                let kind = "AWS::CloudFormation::Stack";
                stack.event(&stack.proposal.name.clone(), kind, "CREATE_IN_PROGRESS", None);
                stack.event("Thing", "AWS::Some::Thing", "CREATE_FAILED", Some("it is no good"));
            } else if let Some(bucket) = self.bucket_of(&stack.proposal) {
                let key = (stack.proposal.place, bucket);
                if state.buckets.insert(key, BTreeMap::new()).is_some() {
                    return Err(refuse("the bucket is already there".into()));
                }
            }
            let name = stack.proposal.name.clone();
            state.stacks.push(stack);
            let way: &[&str] = if fails.is_some() {
                &["ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]
            } else {
                &["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
            };
            Self::started(state, &name, way);
            Ok(arn)
        })
    }

    async fn propose(&self, proposal: &Proposal) -> Result<Option<ChangeSet>, Failure> {
        self.effect(format!("propose {}", proposal.name), |state| {
            let name = &proposal.name;
            let known = state.stacks.iter().find(|s| is_named(s, proposal.place, name));
            let known = known.ok_or_else(|| refuse(format!("there is no stack {name}")))?;
            let same = known.proposal.body == proposal.body
                && known.proposal.parameters == proposal.parameters;
            if same {
                return Ok(None);
            }
            let at = state
                .faults
                .iter()
                .position(|f| matches!(f, Fault::UpdateReplaces(stack, _) if stack == name));
            let change = match at.map(|at| state.faults.remove(at)) {
                Some(Fault::UpdateReplaces(_, kind)) => {
                    Change { resource: "Thing".into(), kind, action: ChangeAction::Replace }
                }
                _ => Change {
                    resource: "Thing".into(),
                    kind: "AWS::Some::Thing".into(),
                    action: ChangeAction::Modify,
                },
            };
            let arn = format!("arn:change-set/{name}/{}", state.change_sets.len());
            state.change_sets.insert(arn.clone(), proposal.clone());
            let (place, stack) = (proposal.place, name.clone());
            Ok(Some(ChangeSet { place, stack, arn, changes: vec![change] }))
        })
    }

    async fn apply(&self, change_set: &ChangeSet) -> Result<(), Failure> {
        self.effect(format!("apply {}", change_set.stack), |state| {
            let proposal = state.change_sets.remove(&change_set.arn);
            let proposal = proposal.ok_or_else(|| refuse("no such change set".into()))?;
            let name = proposal.name.clone();
            for stack in &mut state.stacks {
                if is_named(stack, change_set.place, &name) {
                    stack.proposal = proposal.clone();
                }
            }
            Self::started(state, &name, &["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]);
            Ok(())
        })
    }

    async fn discard(&self, change_set: &ChangeSet) -> Result<(), Failure> {
        self.effect(format!("discard {}", change_set.stack), |state| {
            state.change_sets.remove(&change_set.arn);
            Ok(())
        })
    }

    async fn protect(&self, place: Place, name: &str, on: bool) -> Result<(), Failure> {
        self.effect(format!("protect {name} {on}"), |state| {
            for stack in state.stacks.iter_mut().filter(|s| is_named(s, place, name)) {
                stack.protected = on;
            }
            Ok(())
        })
    }

    async fn delete(&self, place: Place, name: &str) -> Result<(), Failure> {
        self.effect(format!("delete {name}"), |state| {
            let stack = state.stacks.iter().find(|s| is_named(s, place, name));
            if stack.is_some_and(|stack| stack.protected) {
                return Err(refuse(format!("the stack {name} is protected")));
            }
            let dead = stack.is_some_and(|stack| stack.code == "ROLLBACK_COMPLETE");
            if let Some(bucket) = stack.filter(|_| dead).and_then(|s| self.bucket_of(&s.proposal)) {
                // A creation that was rolled back leaves nothing.
                state.buckets.remove(&(place, bucket));
            }
            Self::started(state, name, &["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]);
            Ok(())
        })
    }

    async fn events(&self, place: Place, name: &str) -> Result<Vec<StackEvent>, Failure> {
        let state = self.state();
        let stack = state.stacks.iter().find(|s| is_named(s, place, name));
        Ok(stack.map(|s| s.events.iter().rev().cloned().collect()).unwrap_or_default())
    }
}
