//! Stacks of the account in memory: on their way, settled, refused.

use async_trait::async_trait;

use super::sim::Sim;
use super::{Account, Fault, State, refuse};
use crate::failure::Failure;
use crate::model::{Place, StackSeen, StackStatus};
use crate::pace::Verb;
use crate::ports::{
    Change, ChangeAction, ChangeSet, Mode, Proposal, ResourceDrift, StackEvent, Stacks,
};

/// A failure of the first resource, as nobody has met it.
const NO_GOOD: (&str, &str) = ("", "it is no good");
/// A domain that another distribution has, as CloudFormation tells it.
const TAKEN: (&str, &str) = (
    "AWS::CloudFront::Distribution",
    "Invalid request provided: AWS::CloudFront::Distribution: One or more of the CNAMEs you \
     provided are already associated with a different resource. (Service: CloudFront, Status \
     Code: 409)",
);

impl State {
    /// Takes a fault out of the list, if it is there.
    fn take(&mut self, is_it: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let at = self.faults.iter().position(is_it)?;
        Some(self.faults.remove(at))
    }
}

#[async_trait]
impl Stacks for Account {
    async fn find(&self, place: Place, name: &str) -> Result<Option<StackSeen>, Failure> {
        self.hear()?;
        let state = self.state();
        let then = self.time(&state).saturating_sub(state.lag);
        let stack = state.stacks.iter().find(|stack| stack.is_named(place, name, then));
        let seen = stack.map(|stack| stack.seen(then));
        Ok(seen.filter(|seen| !seen.code.is_empty()))
    }

    async fn template(&self, place: Place, name: &str) -> Result<String, Failure> {
        self.hear()?;
        let state = self.state();
        let now = self.time(&state);
        let stack = state.stacks.iter().find(|stack| stack.is_named(place, name, now));
        let stack = stack.ok_or_else(|| refuse(format!("there is no stack {name}")))?;
        Ok(stack.proposal.body.clone())
    }

    async fn drift(&self, place: Place, name: &str) -> Result<Vec<ResourceDrift>, Failure> {
        self.hear()?;
        let state = self.state();
        let now = self.time(&state);
        let stack = state.stacks.iter().find(|stack| stack.is_named(place, name, now));
        Ok(stack.map(Sim::drift).unwrap_or_default())
    }

    async fn create(&self, proposal: &Proposal) -> Result<String, Failure> {
        let now = self.now();
        self.effect(format!("create {}", proposal.name), |state| {
            let name = &proposal.name;
            if state.stacks.iter().any(|s| s.is_named(proposal.place, name, now)) {
                return Err(refuse(format!("the stack {name} is already there")));
            }
            let before = state.stacks.iter().filter(|s| s.proposal.name == *name).count();
            let arn = format!("arn:stack/{name}/{before}");
            let mut stack = Sim::new(proposal.clone(), arn.clone());
            stack.outputs = self.told_by(&mut stack);
            let fault = Fault::CreationFails(name.clone());
            if state.take(|known| *known == fault).is_some() {
                stack.fail(now, Verb::Create, NO_GOOD);
            } else {
                if let Some(bucket) = self.bucket_of(&stack) {
                    let key = (proposal.place, bucket);
                    if state.buckets.contains_key(&key) && proposal.mode != Mode::Adopt {
                        return Err(refuse("the bucket is already there".into()));
                    }
                    state.buckets.entry(key).or_default();
                }
                for (table, _) in self.tables_of(&stack) {
                    if state.tables.contains_key(&table) && proposal.mode != Mode::Adopt {
                        return Err(refuse(format!("the table {table} is already there")));
                    }
                    state.tables.entry(table).or_default();
                }
                stack.begin(now, Verb::Create);
            }
            state.stacks.push(stack);
            Ok(arn)
        })
    }

    async fn propose(&self, proposal: &Proposal) -> Result<Option<ChangeSet>, Failure> {
        let now = self.now();
        self.effect(format!("propose {}", proposal.name), |state| {
            let name = &proposal.name;
            let known = state.stacks.iter().find(|s| s.is_named(proposal.place, name, now));
            let known = known.ok_or_else(|| refuse(format!("there is no stack {name}")))?;
            let same = known.proposal.body == proposal.body
                && known.proposal.parameters == proposal.parameters;
            let reverts = proposal.mode == Mode::RevertDrift && !known.drifted.is_empty();
            if same && !reverts {
                return Ok(None);
            }
            let fault =
                state.take(|f| matches!(f, Fault::UpdateReplaces(stack, _) if stack == name));
            let change = match fault {
                Some(Fault::UpdateReplaces(_, kind)) => Change {
                    resource: "Thing".into(),
                    kind,
                    action: ChangeAction::Replace,
                    why: vec!["Name".into()],
                },
                _ => Change {
                    resource: "Thing".into(),
                    kind: "AWS::Some::Thing".into(),
                    action: ChangeAction::Modify,
                    why: vec!["Size".into()],
                },
            };
            let arn = format!("arn:change-set/{name}/{}", state.change_sets.len());
            state.change_sets.insert(arn.clone(), proposal.clone());
            let (place, stack) = (proposal.place, name.clone());
            Ok(Some(ChangeSet { place, stack, arn, changes: vec![change] }))
        })
    }

    async fn apply(&self, change_set: &ChangeSet) -> Result<(), Failure> {
        let now = self.now();
        self.effect(format!("apply {}", change_set.stack), |state| {
            let proposal = state.change_sets.remove(&change_set.arn);
            let proposal = proposal.ok_or_else(|| refuse("no such change set".into()))?;
            let fault = Fault::UpdateFails(proposal.name.clone());
            let fails = state.take(|known| *known == fault).is_some();
            let elsewhere = state.elsewhere.iter().any(|domain| {
                proposal.body.contains(domain.as_str()) && proposal.name.contains("-site-")
            });
            let place = change_set.place;
            let stack = state.stacks.iter_mut().find(|s| s.is_named(place, &proposal.name, now));
            let stack = stack.ok_or_else(|| refuse("the stack is gone".into()))?;
            if fails {
                stack.fail(now, Verb::Update, NO_GOOD);
            } else if elsewhere {
                stack.fail(now, Verb::Update, TAKEN);
            } else {
                stack.drifted.retain(|_, _| proposal.mode != Mode::RevertDrift);
                stack.take(proposal);
                stack.outputs = self.told_by(stack);
                stack.begin(now, Verb::Update);
            }
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
        let now = self.now();
        self.effect(format!("protect {name} {on}"), |state| {
            for stack in state.stacks.iter_mut().filter(|s| s.is_named(place, name, now)) {
                stack.protected = on;
            }
            Ok(())
        })
    }

    async fn recover(&self, place: Place, seen: &StackSeen) -> Result<(), Failure> {
        let now = self.now();
        self.effect(format!("recover {}", seen.arn), |state| {
            let stack = state.stacks.iter_mut().find(|s| s.is_named(place, &seen.arn, now));
            let stack = stack.ok_or_else(|| refuse("there is no such stack".into()))?;
            if !matches!(stack.code(now), "UPDATE_FAILED" | "UPDATE_ROLLBACK_FAILED") {
                return Err(refuse(format!("nothing to bring back from {}", stack.code(now))));
            }
            stack.put(now, "UPDATE_ROLLBACK_IN_PROGRESS", &["UPDATE_ROLLBACK_COMPLETE"]);
            Ok(())
        })
    }

    async fn delete(&self, place: Place, name: &str) -> Result<(), Failure> {
        let now = self.now();
        self.effect(format!("delete {name}"), |state| {
            let stack = state.stacks.iter_mut().find(|s| s.is_named(place, name, now));
            let Some(stack) = stack else { return Ok(()) };
            if stack.protected {
                return Err(refuse(format!("the stack {name} is protected")));
            }
            let dead = matches!(stack.seen(now).status, StackStatus::Dead(_));
            if matches!(stack.seen(now).status, StackStatus::Moving(_)) {
                return Err(refuse(format!("the stack {name} is busy")));
            }
            stack.begin(now, Verb::Delete);
            // A creation that was rolled back leaves nothing.
            if let Some(bucket) = self.bucket_of(stack).filter(|_| dead) {
                state.buckets.remove(&(place, bucket));
            }
            for (table, goes) in self.tables_of(stack) {
                if goes || dead {
                    state.tables.remove(&table);
                }
            }
            Ok(())
        })
    }

    async fn events(&self, place: Place, name: &str) -> Result<Vec<StackEvent>, Failure> {
        self.hear()?;
        let state = self.state();
        let now = self.time(&state);
        let stack = state.stacks.iter().find(|s| s.is_named(place, name, now));
        Ok(stack.map(|stack| stack.events(now)).unwrap_or_default())
    }
}
