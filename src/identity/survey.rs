//! Looks at everything whose name the galaxy might use, and sorts it by whose it is.

use std::collections::{BTreeMap, BTreeSet};

use tokio::task::JoinSet;

use super::guard::Guard;
use super::{Doubt, Evidence, Mark, Record, Thing, elsewhere, judge, unrecorded};
use crate::catalog;
use crate::failure::Failure;
use crate::model::{ID_TAG, Place, Stack, StackSeen, StackStatus, TAG, Tags};
use crate::ports::{Claim, Stranger, Survey};

/// A bucket or table that exists although its stack is not the galaxy's, or was deleted.
struct Loose {
    thing: Thing,
    stack: Stack,
    name: String,
    tags: Tags,
}

impl Guard {
    /// The survey of a galaxy with or without a record.
    pub(super) async fn look(&self) -> Result<Survey, Failure> {
        let found = self.stacks_of_our_names().await?;
        match self.record().await? {
            Some(record) => self.recorded(&record, found).await,
            None => self.unrecorded(found).await,
        }
    }

    async fn stacks_of_our_names(&self) -> Result<BTreeMap<Stack, StackSeen>, Failure> {
        let mut looking = JoinSet::new();
        for stack in Stack::all() {
            let (stacks, name) = (self.raw.stacks.clone(), stack.name(&self.subject.galaxy));
            looking.spawn(async move { (stack, stacks.find(stack.place(), &name).await) });
        }
        let mut found = BTreeMap::new();
        while let Some(joined) = looking.join_next().await {
            let (stack, seen) = joined.map_err(|error| Failure::bug(error.to_string()))?;
            found.extend(seen?.filter(|seen| seen.status != StackStatus::Gone).map(|s| (stack, s)));
        }
        Ok(found)
    }

    /// Buckets and tables of our names that are in no stack of ours.
    async fn loose(&self, ours: &BTreeMap<Stack, StackSeen>) -> Result<Vec<Loose>, Failure> {
        let mut loose = Vec::new();
        for stack in Stack::all().into_iter().filter(|stack| !ours.contains_key(stack)) {
            if let Some(name) = self.subject.bucket(stack)
                && let Some(tags) = self.raw.marks.bucket(stack.place(), &name).await?
            {
                loose.push(Loose { thing: Thing::Bucket(stack), stack, name, tags });
            }
        }
        if !ours.contains_key(&Stack::Data) {
            for (table, name) in catalog::tables(&self.subject.galaxy) {
                if let Some(seen) = self.raw.marks.table(&name).await? {
                    let (thing, stack) = (Thing::Table(table), Stack::Data);
                    loose.push(Loose { thing, stack, name, tags: seen.tags });
                }
            }
        }
        Ok(loose)
    }

    /// The parameters of our names, with their tags.
    pub(super) async fn parameters(&self) -> Result<Vec<(Thing, String, Tags)>, Failure> {
        let mut looking = JoinSet::new();
        for path in catalog::parameters(&self.subject.galaxy) {
            let marks = self.raw.marks.clone();
            looking.spawn(async move {
                let tags = marks.parameter(&path).await;
                (path, tags)
            });
        }
        let mut found = Vec::new();
        while let Some(joined) = looking.join_next().await {
            let (path, tags) = joined.map_err(|error| Failure::bug(error.to_string()))?;
            if let Some(tags) = tags? {
                found.push((self.subject.parameter(&path)?, path, tags));
            }
        }
        found.sort();
        Ok(found)
    }

    async fn recorded(
        &self,
        record: &Record,
        found: BTreeMap<Stack, StackSeen>,
    ) -> Result<Survey, Failure> {
        let adopted = record.things.iter().filter(|(_, held)| held.mark == Mark::Typed);
        let adopted = adopted.map(|(thing, _)| thing.clone()).collect();
        let mut survey = Survey { claim: Claim::Recorded, adopted, ..Survey::default() };
        for (stack, seen) in found {
            match self.judge_stack(stack, &seen).await? {
                Ok(()) => {
                    survey.stacks.insert(stack, seen);
                }
                Err(doubt) => {
                    survey.strangers.push(self.stack_stranger(record, stack, &seen, &doubt));
                }
            }
        }
        for loose in self.loose(&survey.stacks).await? {
            let Loose { thing, stack, name, tags } = &loose;
            if let Err(doubt) = self.judge_named(thing, (*stack, name), tags).await? {
                let recorded = doubt.is_recorded(record.held(thing), &self.subject.arn(thing));
                survey.strangers.push(self.named_stranger(&loose, doubt.to_string(), recorded));
            }
        }
        for (thing, path, tags) in self.parameters().await? {
            let arn = self.subject.arn(&thing);
            let held = record.held(&thing);
            let evidence = Evidence { arn: &arn, tags: &tags, member: false };
            if let Err(doubt) = judge(record, held, evidence) {
                let recorded = doubt.is_recorded(held, &arn);
                survey.strangers.push(self.parameter_stranger(&thing, &path, &doubt, recorded));
            } else {
                self.prove(thing).await;
            }
        }
        for stack in [Stack::Auth, Stack::Data] {
            let seen = survey.stacks.get(&stack).map(|seen| &seen.status);
            if matches!(seen, None | Some(StackStatus::Dead(_))) {
                survey.retained.extend(self.left_by(stack).await?);
                survey.strangers.extend(self.doubtful(stack).await?);
            }
        }
        survey.strangers.sort();
        Ok(survey)
    }

    async fn unrecorded(&self, found: BTreeMap<Stack, StackSeen>) -> Result<Survey, Failure> {
        let regions = self.regions_of_sites(&found).await?;
        let abroad = regions.values().find(|region| **region != self.subject.home.as_str());
        if let (Some(region), false) = (abroad, found.contains_key(&Stack::Bootstrap)) {
            return Err(elsewhere(&self.subject, region));
        }
        let (ours, others) = unrecorded::sort(&self.subject, found, &regions);
        let mut survey = Survey { stacks: ours, ..Survey::default() };
        let of_others: BTreeSet<Stack> = others.iter().map(|(stack, ..)| *stack).collect();
        for (stack, seen, why) in others {
            let what = self.stack_text(stack, &seen);
            let thing = Thing::Stack(stack).to_string();
            survey.strangers.push(Stranger { thing, what, why, recorded: false });
        }
        let mut things: Vec<String> =
            survey.stacks.keys().map(|stack| Thing::Stack(*stack).to_string()).collect();
        for loose in self.loose(&survey.stacks).await? {
            let maker = loose.stack.name(&self.subject.galaxy);
            // The UUID of its maker, as AWS reports it, is not on record: while another stack of
            // that name exists, it is that one's.
            let verdict = if of_others.contains(&loose.stack) {
                Err(format!("the stack `{maker}`, which could have made it, is another's"))
            } else {
                unrecorded::retained(&self.subject, &maker, &loose.tags)
            };
            match verdict {
                Ok(()) => things.push(loose.thing.to_string()),
                Err(why) => survey.strangers.push(self.named_stranger(&loose, why, false)),
            }
        }
        for (thing, path, tags) in self.parameters().await? {
            if things.is_empty() || tags.contains_key(ID_TAG) {
                survey.strangers.push(self.parameter_stranger(
                    &thing,
                    &path,
                    &Doubt::Unknown,
                    false,
                ));
            } else {
                things.push(thing.to_string());
            }
        }
        for stack in survey.stacks.keys() {
            self.prove(Thing::Stack(*stack)).await;
        }
        self.state.lock().await.unrecorded = Some(things.iter().cloned().collect());
        survey.strangers.sort();
        if !things.is_empty() {
            survey.claim = Claim::Unrecorded(things);
        }
        Ok(survey)
    }

    /// The home Region of the galaxy that a site's template was rendered for.
    async fn regions_of_sites(
        &self,
        found: &BTreeMap<Stack, StackSeen>,
    ) -> Result<BTreeMap<Stack, String>, Failure> {
        let mut regions = BTreeMap::new();
        let name = self.subject.galaxy.as_str();
        for (stack, seen) in found.iter().filter(|(stack, _)| stack.place() == Place::Edge) {
            if seen.tags.get(TAG).is_some_and(|tag| tag == name) {
                let body = self.raw.stacks.template(stack.place(), &seen.arn).await?;
                regions.extend(unrecorded::home_of_site(&body).map(|region| (*stack, region)));
            }
        }
        Ok(regions)
    }

    fn stack_text(&self, stack: Stack, seen: &StackSeen) -> String {
        let region = self.subject.region(stack.place());
        let protected = if seen.protected { ", termination protection on" } else { "" };
        let name = stack.name(&self.subject.galaxy);
        format!("stack `{name}` in {region}, {}{protected}", seen.code)
    }

    fn stack_stranger(
        &self,
        record: &Record,
        stack: Stack,
        seen: &StackSeen,
        doubt: &Doubt,
    ) -> Stranger {
        let thing = Thing::Stack(stack);
        Stranger {
            what: self.stack_text(stack, seen),
            why: doubt.to_string(),
            recorded: doubt.is_recorded(record.held(&thing), &seen.arn),
            thing: thing.to_string(),
        }
    }

    fn named_stranger(&self, loose: &Loose, why: String, recorded: bool) -> Stranger {
        let region = self.subject.region(loose.stack.place());
        let kind = if matches!(loose.thing, Thing::Bucket(_)) { "bucket" } else { "table" };
        let what = format!("{kind} `{}` in {region}", loose.name);
        Stranger { thing: loose.thing.to_string(), what, why, recorded }
    }

    fn parameter_stranger(
        &self,
        thing: &Thing,
        path: &str,
        doubt: &Doubt,
        recorded: bool,
    ) -> Stranger {
        let what = format!("parameter `{path}` in {}", self.subject.home);
        Stranger { thing: thing.to_string(), what, why: doubt.to_string(), recorded }
    }
}
