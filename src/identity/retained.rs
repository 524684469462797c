//! User pools and keys that outlived their stacks. AWS draws their ids, so a stack that is made
//! again would get new ones, and people's accounts would be set aside.

use super::claims::resource_of;
use super::guard::Guard;
use super::{Doubt, Evidence, Thing, judge};
use crate::catalog;
use crate::failure::{Failure, Kind};
use crate::model::{GalaxyName, Stack, StackStatus};
use crate::ports::{Retained, Stranger};

/// Refuses to take over what outlived its stack before the galaxy's name was typed.
pub(super) fn untyped(galaxy: &GalaxyName, what: &[&str]) -> Failure {
    let message = format!("{} outlived its stack", what.join(", "));
    Failure::new(Kind::Refused, message)
        .cause("a stack takes it over only after the galaxy's name was typed")
        .help(format!("nothing was changed; run `spaceduck install --confirm {galaxy}`"))
}

/// What of a stack has an id that AWS draws.
pub(super) fn drawn(stack: Stack) -> Option<Thing> {
    match stack {
        Stack::Auth => Some(Thing::Pool),
        Stack::Data => Some(Thing::Key),
        _ => None,
    }
}

impl Guard {
    /// What a stack that is not there has left, with both proofs.
    pub(super) async fn left_by(&self, stack: Stack) -> Result<Vec<Retained>, Failure> {
        let Some(thing) = drawn(stack) else { return Ok(Vec::new()) };
        let name = stack.name(&self.subject.galaxy);
        let seen = self.raw.stacks.find(stack.place(), &name).await?;
        // An import that was rolled back leaves an empty stack.
        let is_empty =
            |code: &str| matches!(code, "REVIEW_IN_PROGRESS" | "IMPORT_ROLLBACK_COMPLETE");
        if seen.is_some_and(|seen| seen.status != StackStatus::Gone && !is_empty(&seen.code)) {
            return Ok(Vec::new());
        }
        let Some((one, doubt)) = self.drawn_left(stack, &thing).await? else {
            return Ok(Vec::new());
        };
        if doubt.is_some() {
            return Ok(Vec::new());
        }
        let mut left = vec![one];
        if stack == Stack::Data {
            // One operation takes over all; what it leaves out would be in the way later.
            left.extend(self.tables_left().await?);
        }
        Ok(left)
    }

    /// What is on record of a stack that is not there and lacks its mark.
    pub(super) async fn doubtful(&self, stack: Stack) -> Result<Option<Stranger>, Failure> {
        let Some(thing) = drawn(stack) else { return Ok(None) };
        let Some((one, Some(doubt))) = self.drawn_left(stack, &thing).await? else {
            return Ok(None);
        };
        let (thing, why) = (thing.to_string(), doubt.to_string());
        Ok(Some(Stranger { thing, what: one.what, why, recorded: true }))
    }

    /// The user pool or key on record, if it exists, and why it is not provably the galaxy's.
    async fn drawn_left(
        &self,
        stack: Stack,
        thing: &Thing,
    ) -> Result<Option<(Retained, Option<Doubt>)>, Failure> {
        let Some(record) = self.record().await? else { return Ok(None) };
        let Some(held) = record.held(thing) else { return Ok(None) };
        let id = held.arn.rsplit('/').next().unwrap_or_default().to_owned();
        let (tags, what, parts) = if *thing == Thing::Pool {
            let Some(seen) = self.raw.marks.pool(&id).await? else { return Ok(None) };
            let what = format!("the user pool `{id}` with about {} accounts", seen.accounts);
            (seen.tags, what, ["UserPool", "AWS::Cognito::UserPool", "UserPoolId"])
        } else {
            let Some(tags) = self.raw.marks.key(&held.arn).await? else { return Ok(None) };
            let what = format!("the key `{id}` that signs certificates");
            (tags, what, ["CertSigningKey", "AWS::KMS::Key", "KeyId"])
        };
        let evidence = Evidence { arn: &held.arn, tags: &tags, member: false };
        let doubt = judge(&record, Some(held), evidence).err();
        let [resource, kind, property] = parts.map(str::to_owned);
        Ok(Some((Retained { stack, resource, kind, property, id, what }, doubt)))
    }

    async fn tables_left(&self) -> Result<Vec<Retained>, Failure> {
        let mut left = Vec::new();
        for (table, name) in catalog::tables(&self.subject.galaxy) {
            let Some(seen) = self.raw.marks.table(&name).await? else { continue };
            let resource = resource_of(&table)?;
            let thing = Thing::Table(table);
            if self.judge_named(&thing, (Stack::Data, &name), &seen.tags).await?.is_ok() {
                left.push(Retained {
                    stack: Stack::Data,
                    resource,
                    kind: "AWS::DynamoDB::Table".into(),
                    property: "TableName".into(),
                    what: format!("the table `{name}`"),
                    id: name,
                });
            }
        }
        Ok(left)
    }
}
