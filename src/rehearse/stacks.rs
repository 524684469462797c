//! Stacks of the account in memory: on their way, settled, refused.

use async_trait::async_trait;

use super::obstacles::{NO_GOOD, TAKEN, UNVERIFIED};
use super::sim::Sim;
use super::{Account, Fault, refuse};
use crate::causes;
use crate::failure::Failure;
use crate::model::{Place, StackSeen, StackStatus};
use crate::pace::Verb;
use crate::ports::{
    Change, ChangeAction, ChangeSet, DriftState, LockId, Mode, Proposal, Reason, ResourceDrift,
    Retained, StackEvent, Stacks,
};

impl Account {
    /// Each resource of a stack with how it compares with the template.
    fn compare(&self, place: Place, name: &str) -> Result<Vec<ResourceDrift>, Failure> {
        self.hear()?;
        let state = self.state();
        let now = self.time(&state);
        let stack = state.stacks.iter().find(|stack| stack.is_named(place, name, now));
        if let Some((_, reason)) = stack.and_then(|stack| self.refused_drift(&state, stack)) {
            let message = format!("the stack {name} can't be compared with its template");
            return Err(refuse(message).cause(reason));
        }
        Ok(stack.map(Sim::drift).unwrap_or_default())
    }
}

#[async_trait]
impl Stacks for Account {
    async fn find(&self, place: Place, name: &str) -> Result<Option<StackSeen>, Failure> {
        self.may("Stacks::find")?;
        self.hear()?;
        let state = self.state();
        let then = self.time(&state).saturating_sub(state.lag);
        let stack = state.stacks.iter().find(|stack| stack.is_named(place, name, then));
        let seen = stack.map(|stack| stack.seen(then));
        Ok(seen.filter(|seen| !seen.code.is_empty()))
    }

    async fn template(&self, place: Place, name: &str) -> Result<String, Failure> {
        self.may("Stacks::template")?;
        self.hear()?;
        let state = self.state();
        let now = self.time(&state);
        let stack = state.stacks.iter().find(|stack| stack.is_named(place, name, now));
        let stack = stack.ok_or_else(|| refuse(format!("there is no stack {name}")))?;
        Ok(stack.proposal.body.clone())
    }

    async fn drift(&self, place: Place, name: &str) -> Result<Vec<ResourceDrift>, Failure> {
        self.may("Stacks::drift")?;
        self.compare(place, name)
    }

    async fn resources(&self, place: Place, name: &str) -> Result<Vec<ResourceDrift>, Failure> {
        self.may("Stacks::resources")?;
        let mut listed = self.compare(place, name)?;
        for one in &mut listed {
            one.state = DriftState::NotChecked;
        }
        Ok(listed)
    }

    async fn create(&self, proposal: &Proposal) -> Result<String, Failure> {
        self.may("Stacks::create")?;
        if proposal.role.is_some() {
            self.may("Stacks::create with a role")?;
        }
        let now = self.now();
        self.effect(format!("create {}", proposal.name), |state| {
            let mut stack = state.unborn(proposal, now)?;
            let arn = stack.arn.clone();
            let name = &proposal.name;
            stack.outputs = self.told_by(&mut stack);
            let fault = Fault::CreationFails(name.clone());
            if let Some(reason) = state.take_invalid(name) {
                stack.refuse_early(now, reason);
            } else if state.take(|known| *known == fault).is_some() {
                stack.fail(now, Verb::Create, NO_GOOD);
            } else if let Some(obstacle) = state.obstacle(proposal) {
                stack.fail(now, Verb::Create, obstacle);
            } else if let Some((kind, why)) = self.too_early(state, &stack, now) {
                stack.fail(now, Verb::Create, (kind, &why));
            } else if state.faults.contains(&Fault::CloudFrontUnverified) && stack.has(UNVERIFIED.0)
            {
                stack.fail(now, Verb::Create, UNVERIFIED);
            } else if let Some((kind, reason)) = self.refused_creation(state, &stack) {
                stack.fail(now, Verb::Create, (&kind, &reason));
            } else {
                if let Some(bucket) = self.bucket_of(&stack) {
                    let key = (proposal.place, bucket);
                    if state.buckets.contains_key(&key) && proposal.mode != Mode::Adopt {
                        return Err(refuse("the bucket is already there".into()));
                    }
                    state.buckets.entry(key).or_default();
                }
                for (table, _, keys) in self.tables_of(&stack) {
                    if state.tables.contains_key(&table) && proposal.mode != Mode::Adopt {
                        return Err(refuse(format!("the table {table} is already there")));
                    }
                    state.tables.entry(table.clone()).or_default();
                    state.schemas.entry(table).or_insert(keys);
                }
                if let Some(domain) = self.identity_of(&stack) {
                    if state.post.kept.contains_key(&domain) && proposal.mode != Mode::Adopt {
                        return Err(refuse(format!("the identity {domain} is already there")));
                    }
                    state.post.keep(domain, proposal);
                }
                self.tag(&mut state.marks, &stack);
                stack.begin(now, Verb::Create);
            }
            state.stacks.push(stack);
            Ok(arn)
        })
    }

    async fn import(&self, proposal: &Proposal, things: &[Retained]) -> Result<String, Failure> {
        self.may("Stacks::import")?;
        if proposal.role.is_some() {
            self.may("Stacks::create with a role")?;
        }
        let now = self.now();
        self.effect(format!("import {}", proposal.name), |state| {
            let mut stack = state.unborn(proposal, now)?;
            let arn = stack.arn.clone();
            for thing in things {
                let there = match thing.kind.as_str() {
                    "AWS::DynamoDB::Table" => state.tables.contains_key(&thing.id),
                    "AWS::KMS::Key" => {
                        state.marks.contains_key(&format!("key {}", self.key_arn(&thing.id)))
                    }
                    _ => state.marks.contains_key(&format!("pool {}", thing.id)),
                };
                if !there {
                    return Err(refuse(format!("there is no {} to import", thing.id)));
                }
                stack.imported.insert(thing.resource.clone(), thing.id.clone());
            }
            // An import takes over everything in its template and makes nothing.
            let whole = stack.each().all(|(id, node)| {
                let kept = node.get("DeletionPolicy").is_some();
                stack.imported.contains_key(id) && kept
            });
            if !whole || stack.each().count() != things.len() {
                return Err(refuse("the template has other resources than the import".into()));
            }
            self.tag(&mut state.marks, &stack);
            stack.begin_import(now);
            state.stacks.push(stack);
            Ok(arn)
        })
    }

    async fn propose(&self, proposal: &Proposal) -> Result<Option<ChangeSet>, Failure> {
        self.may("Stacks::propose")?;
        if proposal.role.is_some() {
            self.may("Stacks::create with a role")?;
        }
        let now = self.now();
        self.effect(format!("propose {}", proposal.name), |state| {
            let name = &proposal.name;
            let known = state.stacks.iter().find(|s| s.is_named(proposal.place, name, now));
            let known = known.ok_or_else(|| refuse(format!("there is no stack {name}")))?;
            let same = known.proposal.body == proposal.body
                && known.proposal.parameters == proposal.parameters
                && known.proposal.secrets == proposal.secrets
                && known.proposal.tags == proposal.tags;
            let reverts = proposal.mode == Mode::RevertDrift && !known.drifted.is_empty();
            if same && !reverts {
                return Ok(None);
            }
            if let Some(reason) = state.take_invalid(name) {
                let message = format!("CloudFormation could not prepare the change of `{name}`");
                return Err(causes::explain(refuse(message), &[reason]));
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
        self.may("Stacks::apply")?;
        let now = self.now();
        self.effect(format!("apply {}", change_set.stack), |state| {
            let proposal = state.change_sets.remove(&change_set.arn);
            let proposal = proposal.ok_or_else(|| refuse("no such change set".into()))?;
            let fault = Fault::UpdateFails(proposal.name.clone());
            let fails = state.take(|known| *known == fault).is_some();
            let elsewhere = state.elsewhere.iter().any(|domain| {
                proposal.body.contains(domain.as_str()) && proposal.name.contains("-site-")
            });
            let obstacle = state.obstacle(&proposal);
            let place = change_set.place;
            let at = state.stacks.iter().position(|s| s.is_named(place, &proposal.name, now));
            let early = at.and_then(|at| self.too_early(state, &state.stacks[at], now));
            let known = state.stacks.iter().find(|s| s.is_named(place, &proposal.name, now));
            let refused = known.and_then(|known| self.refused_update(state, known, &proposal));
            let stack = state.stacks.iter_mut().find(|s| s.is_named(place, &proposal.name, now));
            let stack = stack.ok_or_else(|| refuse("the stack is gone".into()))?;
            if fails {
                stack.fail(now, Verb::Update, NO_GOOD);
            } else if elsewhere {
                stack.fail(now, Verb::Update, TAKEN);
            } else if let Some(obstacle) = obstacle {
                stack.fail(now, Verb::Update, obstacle);
            } else if let Some((kind, why)) = early {
                stack.fail(now, Verb::Update, (kind, &why));
            } else if let Some((kind, reason)) = refused {
                stack.fail(now, Verb::Update, (&kind, &reason));
            } else {
                let reverts = proposal.mode == Mode::RevertDrift;
                stack.drifted.retain(|_, _| !reverts);
                stack.take(proposal);
                stack.outputs = self.told_by(stack);
                if let Some(domain) = self.identity_of(stack) {
                    state.post.keep(domain, &stack.proposal);
                }
                stack.begin(now, Verb::Update);
                if let Some(bucket) = self.bucket_of(stack).filter(|_| reverts) {
                    state.buckets.entry((place, bucket)).or_default();
                }
                self.tag(&mut state.marks, stack);
            }
            Ok(())
        })
    }

    async fn discard(&self, change_set: &ChangeSet) -> Result<(), Failure> {
        self.may("Stacks::discard")?;
        self.effect(format!("discard {}", change_set.stack), |state| {
            state.change_sets.remove(&change_set.arn);
            Ok(())
        })
    }

    async fn protect(&self, place: Place, name: &str, on: bool) -> Result<(), Failure> {
        self.may("Stacks::protect")?;
        let now = self.now();
        let told = self.name_of(place, name);
        self.effect(format!("protect {told} {on}"), |state| {
            for stack in state.stacks.iter_mut().filter(|s| s.is_named(place, name, now)) {
                stack.protected = on;
            }
            Ok(())
        })
    }

    async fn recover(&self, place: Place, seen: &StackSeen) -> Result<(), Failure> {
        self.may("Stacks::recover")?;
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
        self.may("Stacks::delete")?;
        let now = self.now();
        let told = self.name_of(place, name);
        self.effect(format!("delete {told}"), |state| {
            let at = state.stacks.iter().position(|s| s.is_named(place, name, now));
            let Some(at) = at else { return Ok(()) };
            if let Some((_, reason)) = self.refused_removal(state, &state.stacks[at]) {
                return Err(refuse(format!("the stack {name} can't be deleted")).cause(reason));
            }
            let lived = matches!(state.stacks[at].seen(now).status, StackStatus::Ready);
            if lived && !state.stacks[at].protected {
                self.hold_names(state, at, now);
            }
            let stack = &mut state.stacks[at];
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
            for (table, goes, _) in self.tables_of(stack) {
                if goes || dead {
                    state.tables.remove(&table);
                }
            }
            for (mark, goes) in self.accounts_of(stack) {
                if goes || dead {
                    state.marks.remove(&mark);
                }
            }
            Ok(())
        })
    }

    async fn reasons(&self, place: Place, arn: &str) -> Result<Vec<Reason>, Failure> {
        self.may("Stacks::reasons")?;
        self.hear()?;
        let state = self.state();
        let now = self.time(&state);
        let stack = state.stacks.iter().find(|s| s.is_named(place, arn, now));
        Ok(stack.map(|stack| stack.reasons.clone()).unwrap_or_default())
    }

    /// A change set in memory has no name, so all of the stack's are deleted: the run that retires
    /// change sets has made none yet.
    async fn retire(&self, place: Place, name: &str, _: &LockId) -> Result<(), Failure> {
        self.may("Stacks::retire")?;
        self.effect(format!("retire {name}"), |state| {
            let is_its = |known: &Proposal| known.place == place && known.name == name;
            state.change_sets.retain(|_, known| !is_its(known));
            Ok(())
        })
    }

    async fn events(&self, place: Place, name: &str) -> Result<Vec<StackEvent>, Failure> {
        self.may("Stacks::events")?;
        self.hear()?;
        let state = self.state();
        let now = self.time(&state);
        let stack = state.stacks.iter().find(|s| s.is_named(place, name, now));
        Ok(stack.map(|stack| stack.events(now)).unwrap_or_default())
    }
}
