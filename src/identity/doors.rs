//! Stacks behind the guard: found if they are the galaxy's, changed and deleted if both proofs are
//! there at that moment, and by ARN.

use async_trait::async_trait;

use super::guard::{adopted, creation, stranger};
use super::retained::drawn;
use super::{Doubt, Guard, Mark, Record, Thing};
use crate::catalog;
use crate::failure::Failure;
use crate::model::{ID_TAG, Place, Stack, StackSeen, StackStatus};
use crate::ports::{
    ChangeSet, LockId, Ownership as _, Proposal, Reason, ResourceDrift, Retained, StackEvent,
    Stacks,
};

impl Guard {
    /// Records what a stack is about to create under names of its own.
    pub(super) fn expect(&self, record: &mut Record, stack: Stack) {
        let mut things = Vec::new();
        if self.subject.bucket(stack).is_some() {
            things.push(Thing::Bucket(stack));
        }
        if stack == Stack::Data {
            things.extend(catalog::tables(&self.subject.galaxy).into_keys().map(Thing::Table));
        }
        for thing in things {
            let known = record.held(&thing).map(|held| held.mark).unwrap_or_default();
            let mark = if known == Mark::Listed { Mark::Id } else { known };
            record.hold(&thing, self.subject.arn(&thing), mark);
        }
    }

    /// Pool and key have ids that AWS draws: they go on record when their stack says them.
    pub(super) async fn learn(&self, seen: &StackSeen) -> Result<(), Failure> {
        if seen.status != StackStatus::Ready || !self.state.lock().await.begun {
            return Ok(());
        }
        let Some(record) = self.record().await? else { return Ok(()) };
        if !record.knows_stack(&seen.arn) {
            return Ok(());
        }
        for (output, thing) in [("UserPoolArn", Thing::Pool), ("CertSigningKeyArn", Thing::Key)] {
            let Some(arn) = seen.outputs.get(output) else { continue };
            if record.held(&thing).is_none_or(|held| held.arn != *arn) {
                self.change(|record| record.hold(&thing, arn.clone(), Mark::Id)).await?;
            }
        }
        Ok(())
    }

    /// The stack that both proofs were just seen of, to be changed.
    async fn changeable(&self, place: Place, name: &str) -> Result<StackSeen, Failure> {
        match self.proven_stack(place, name).await? {
            Some((_, seen)) => Ok(seen),
            None => Err(stranger(&format!("the stack `{name}`"), &Doubt::Unknown)),
        }
    }

    /// Before a stack with an adopted resource in it is deleted.
    async fn keeps_adopted(&self, record: &Record, stack: Stack) -> Result<(), Failure> {
        let mut things = vec![Thing::Stack(stack), Thing::Bucket(stack)];
        if stack == Stack::Data {
            things.extend(catalog::tables(&self.subject.galaxy).into_keys().map(Thing::Table));
        }
        things.extend(drawn(stack));
        for thing in things {
            if self.is_kept(record.held(&thing), &thing).await {
                return Err(adopted(&format!("`{thing}`"), &thing));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Stacks for Guard {
    async fn find(&self, place: Place, name: &str) -> Result<Option<StackSeen>, Failure> {
        let Some(seen) = self.raw.stacks.find(place, name).await? else { return Ok(None) };
        let by_arn = name.starts_with("arn:");
        let Some(stack) = self.subject.stack(place, name).filter(|_| !by_arn) else {
            self.learn(&seen).await?;
            return Ok(Some(seen));
        };
        if seen.status == StackStatus::Gone {
            return Ok(Some(seen));
        }
        let verdict = self.judge_stack(stack, &seen).await?;
        self.learn(&seen).await?;
        Ok(verdict.is_ok().then_some(seen))
    }

    async fn template(&self, place: Place, name: &str) -> Result<String, Failure> {
        self.raw.stacks.template(place, name).await
    }

    async fn create(&self, proposal: &Proposal) -> Result<String, Failure> {
        let Proposal { place, name, .. } = proposal;
        let stack = self.subject.stack(*place, name);
        let stack = stack.ok_or_else(|| Failure::bug(format!("`{name}` is no stack of ours")))?;
        let run = self.token().await?;
        let record = self.required().await?;
        let mut marked = proposal.clone();
        marked.tags.insert(ID_TAG.to_owned(), record.id.clone());
        marked.token = Some(creation(&run, stack));
        let arn = self.raw.stacks.create(&marked).await?;
        // AWS says "it is there already" both for a lost answer and for a stranger who was quicker.
        let seen = self.raw.stacks.find(*place, &arn).await?;
        if seen.is_some_and(|seen| seen.tags.get(ID_TAG) != Some(&record.id)) {
            let events = self.raw.stacks.events(*place, &arn).await?;
            if events.iter().all(|event| event.token != marked.token) {
                return Err(stranger(&format!("the stack `{name}`"), &Doubt::Unknown));
            }
        }
        self.change(|record| record.hold(&Thing::Stack(stack), arn.clone(), Mark::Id)).await?;
        self.prove(Thing::Stack(stack)).await;
        Ok(arn)
    }

    async fn import(&self, proposal: &Proposal, things: &[Retained]) -> Result<String, Failure> {
        let Proposal { place, name, .. } = proposal;
        let stack = self.subject.stack(*place, name);
        let stack = stack.ok_or_else(|| Failure::bug(format!("`{name}` is no stack of ours")))?;
        let proven = self.left_by(stack).await?;
        if let Some(other) = things.iter().find(|thing| !proven.contains(thing)) {
            return Err(stranger(&other.what, &Doubt::Unknown));
        }
        let what: Vec<&str> = things.iter().map(|thing| thing.what.as_str()).collect();
        self.consent(&what).await?;
        let run = self.token().await?;
        let record = self.required().await?;
        let mut marked = proposal.clone();
        marked.tags.insert(ID_TAG.to_owned(), record.id);
        marked.token = Some(creation(&run, stack));
        let arn = self.raw.stacks.import(&marked, things).await?;
        self.change(|record| record.hold(&Thing::Stack(stack), arn.clone(), Mark::Id)).await?;
        self.prove(Thing::Stack(stack)).await;
        Ok(arn)
    }

    async fn propose(&self, proposal: &Proposal) -> Result<Option<ChangeSet>, Failure> {
        self.changeable(proposal.place, &proposal.name).await?;
        let mut marked = proposal.clone();
        marked.tags.insert(ID_TAG.to_owned(), self.required().await?.id);
        self.raw.stacks.propose(&marked).await
    }

    async fn apply(&self, change_set: &ChangeSet) -> Result<(), Failure> {
        self.changeable(change_set.place, &change_set.stack).await?;
        self.raw.stacks.apply(change_set).await
    }

    async fn discard(&self, change_set: &ChangeSet) -> Result<(), Failure> {
        self.raw.stacks.discard(change_set).await
    }

    async fn resources(&self, place: Place, name: &str) -> Result<Vec<ResourceDrift>, Failure> {
        self.raw.stacks.resources(place, name).await
    }

    async fn reasons(&self, place: Place, arn: &str) -> Result<Vec<Reason>, Failure> {
        self.raw.stacks.reasons(place, arn).await
    }

    async fn protect(&self, place: Place, name: &str, on: bool) -> Result<(), Failure> {
        let Some((stack, seen)) = self.proven_stack(place, name).await? else { return Ok(()) };
        if !on {
            self.keeps_adopted(&self.required().await?, stack).await?;
        }
        self.raw.stacks.protect(place, &seen.arn, on).await
    }

    async fn recover(&self, place: Place, seen: &StackSeen) -> Result<(), Failure> {
        self.changeable(place, &seen.arn).await?;
        self.raw.stacks.recover(place, seen).await
    }

    async fn drift(&self, place: Place, name: &str) -> Result<Vec<ResourceDrift>, Failure> {
        self.raw.stacks.drift(place, name).await
    }

    async fn delete(&self, place: Place, name: &str) -> Result<(), Failure> {
        let Some((stack, seen)) = self.proven_stack(place, name).await? else { return Ok(()) };
        let record = self.required().await?;
        self.keeps_adopted(&record, stack).await?;
        // While the stack is there, it says which bucket and tables are its own.
        self.prove_made_by(stack).await?;
        let listed = std::mem::take(&mut self.state.lock().await.listed);
        self.change(|record| {
            for thing in listed {
                record.hold(&thing, self.subject.arn(&thing), Mark::Listed);
            }
        })
        .await?;
        self.raw.stacks.delete(place, &seen.arn).await
    }

    async fn retire(&self, place: Place, name: &str, lock: &LockId) -> Result<(), Failure> {
        let Some((_, seen)) = self.proven_stack(place, name).await? else { return Ok(()) };
        self.raw.stacks.retire(place, &seen.arn, lock).await
    }

    async fn events(&self, place: Place, name: &str) -> Result<Vec<StackEvent>, Failure> {
        self.raw.stacks.events(place, name).await
    }
}
