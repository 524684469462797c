//! The galaxy's claim to its things: made, taken over, extended by adoption, given up.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::guard::{Guard, refused};
use super::retained::untyped;
use super::{Mark, Record, Thing, record};
use crate::catalog;
use crate::failure::{Failure, Kind};
use crate::model::{Place, STACK_TAG, Stack};
use crate::ports::{Claim, Ownership, Retained, Stranger, Survey};
use crate::render::{self, DIGEST_OUTPUT};
use crate::yaml::Node;

impl Guard {
    /// Commands that only remember something may come before the first installation.
    pub(super) async fn claim_if_free(&self) -> Result<(), Failure> {
        if self.record().await?.is_none() && self.look().await?.claim == Claim::Free {
            self.begin().await?;
        }
        self.required().await.map(|_| ())
    }

    /// Makes the record of a galaxy that has none: of nothing, or of what is provably its own.
    async fn found(&self, survey: &Survey, adopted: &[Thing]) -> Result<(), Failure> {
        let now = self.raw.registry.now().await?;
        let mut made = Record::new(&self.subject, now)?;
        if let Claim::Unrecorded(things) = &survey.claim {
            self.take_over(&mut made, survey, things).await?;
        }
        self.hold_adopted(&mut made, adopted).await?;
        if !record::create(&self.raw, &self.subject.galaxy, &made).await? {
            let message = "another run has just made this galaxy's record";
            return Err(Failure::new(Kind::Refused, message)
                .help("nothing was changed; run the command again when that run has ended"));
        }
        self.take(made).await;
        Ok(())
    }

    /// Everything that is provably a galaxy's from before there were records.
    async fn take_over(
        &self,
        made: &mut Record,
        survey: &Survey,
        things: &[String],
    ) -> Result<(), Failure> {
        let mut all = Vec::new();
        for (stack, seen) in &survey.stacks {
            made.hold(&Thing::Stack(*stack), seen.arn.clone(), Mark::Install);
            if self.subject.bucket(*stack).is_some() {
                all.push(Thing::Bucket(*stack));
            }
            for (output, thing) in [("UserPoolArn", Thing::Pool), ("CertSigningKeyArn", Thing::Key)]
            {
                if let Some(arn) = seen.outputs.get(output) {
                    made.hold(&thing, arn.clone(), Mark::Install);
                }
            }
        }
        let tables = catalog::tables(&self.subject.galaxy).into_keys().map(Thing::Table);
        all.extend(tables.filter(|_| survey.stacks.contains_key(&Stack::Data)));
        all.extend(
            Stack::all().into_iter().map(Thing::Bucket).filter(|thing| is_in(things, thing)),
        );
        let tables = catalog::tables(&self.subject.galaxy).into_keys().map(Thing::Table);
        all.extend(tables.filter(|thing| is_in(things, thing)));
        for thing in all {
            made.hold(&thing, self.subject.arn(&thing), Mark::Install);
        }
        // Deleted stacks still speak for what they retained.
        made.former.extend(self.makers(things).await?);
        for (thing, _, _) in self.parameters().await? {
            if is_in(things, &thing) {
                // A parameter of those days carries no tag: typing the galaxy's name is its mark.
                made.hold(&thing, self.subject.arn(&thing), Mark::Named);
            }
        }
        for place in [Place::Home, Place::Edge] {
            for one in self.raw.certificates.ours(place, &self.subject.galaxy).await? {
                let thing = Thing::Certificate(place, one.domain.to_string());
                made.hold(&thing, one.domain.to_string(), Mark::Install);
            }
        }
        Ok(())
    }

    /// The stacks that AWS names as makers of these buckets and tables.
    async fn makers(&self, things: &[String]) -> Result<BTreeSet<String>, Failure> {
        let mut makers = BTreeSet::new();
        for stack in Stack::all() {
            if let (Some(name), true) =
                (self.subject.bucket(stack), is_in(things, &Thing::Bucket(stack)))
            {
                let tags = self.raw.marks.bucket(stack.place(), &name).await?;
                makers.extend(tags.and_then(|tags| tags.get(STACK_TAG).cloned()));
            }
        }
        for (table, name) in catalog::tables(&self.subject.galaxy) {
            if is_in(things, &Thing::Table(table)) {
                let seen = self.raw.marks.table(&name).await?;
                makers.extend(seen.and_then(|seen| seen.tags.get(STACK_TAG).cloned()));
            }
        }
        Ok(makers)
    }

    async fn hold_adopted(&self, record: &mut Record, things: &[Thing]) -> Result<(), Failure> {
        for thing in things {
            let arn = match thing {
                Thing::Stack(stack) => {
                    let name = stack.name(&self.subject.galaxy);
                    let seen = self.raw.stacks.find(stack.place(), &name).await?;
                    seen.map(|seen| seen.arn).unwrap_or_default()
                }
                // Only the record knows an id that AWS drew.
                Thing::Pool | Thing::Key => {
                    record.held(thing).map(|held| held.arn.clone()).unwrap_or_default()
                }
                thing => self.subject.arn(thing),
            };
            record.hold(thing, arn, Mark::Typed);
        }
        Ok(())
    }

    /// Stacks that a run created without being able to write them down go on record.
    async fn catch_up(&self, survey: &Survey) -> Result<(), Failure> {
        self.change(|record| {
            for (stack, seen) in &survey.stacks {
                let thing = Thing::Stack(*stack);
                if record.held(&thing).is_none_or(|held| held.arn != seen.arn) {
                    record.hold(&thing, seen.arn.clone(), Mark::Id);
                }
            }
        })
        .await
    }

    /// A stranger's resource, if the galaxy could use it.
    async fn fitting(&self, stranger: &Stranger) -> Result<Thing, Failure> {
        let galaxy = &self.subject.galaxy;
        let unfit = |why: String| {
            let message = format!("{} can't be adopted: {why}", stranger.what);
            Failure::new(Kind::Refused, message)
                .help("nothing was changed; choose another `name` in galaxy.yaml")
        };
        let is_it = |thing: &Thing| thing.to_string() == stranger.thing;
        if let Some(thing) = [Thing::Pool, Thing::Key].into_iter().find(is_it) {
            return Ok(thing);
        }
        for stack in Stack::all() {
            let thing = Thing::Stack(stack);
            if is_it(&thing) {
                let name = stack.name(galaxy);
                let seen = self.raw.stacks.find(stack.place(), &name).await?;
                let digest = seen.is_some_and(|seen| seen.outputs.contains_key(DIGEST_OUTPUT));
                let body = self.raw.stacks.template(stack.place(), &name).await?;
                let other = foreign_resources(stack, &body)?;
                return match (digest, other.as_slice()) {
                    (true, []) => Ok(thing),
                    (false, []) => Err(unfit("it says no digest of a spaceduck template".into())),
                    (_, other) => Err(unfit(format!(
                        "its template has resources that this galaxy's has not: {}",
                        other.join(", ")
                    ))),
                };
            }
            if is_it(&Thing::Bucket(stack)) {
                return Ok(Thing::Bucket(stack));
            }
        }
        for (table, name) in catalog::tables(galaxy) {
            let thing = Thing::Table(table.clone());
            if is_it(&thing) {
                let seen = self.raw.marks.table(&name).await?.unwrap_or_default();
                let wanted = keys_of(&table)?;
                if seen.keys != wanted {
                    let (is, should) = (seen.keys.join(", "), wanted.join(", "));
                    return Err(unfit(format!("its key is {is}; the galaxy's is {should}")));
                }
                return Ok(thing);
            }
        }
        for path in catalog::parameters(galaxy) {
            let thing = self.subject.parameter(&path)?;
            if is_it(&thing) {
                return Ok(thing);
            }
        }
        Err(unfit("it is of a kind that can't".into()))
    }
}

fn is_in(things: &[String], thing: &Thing) -> bool {
    things.contains(&thing.to_string())
}

fn template(stack: Stack) -> Result<Node, Failure> {
    Node::parse(catalog::template(stack)).map_err(|error| Failure::bug(error.to_string()))
}

/// The key of one of the galaxy's tables, as its template has it.
fn keys_of(table: &str) -> Result<Vec<String>, Failure> {
    Ok(table_resource(table)?.map(|(_, node)| render::table_keys(&node)).unwrap_or_default())
}

/// The logical id of one of the galaxy's tables.
pub(super) fn resource_of(table: &str) -> Result<String, Failure> {
    let found = table_resource(table)?.map(|(id, _)| id);
    found.ok_or_else(|| Failure::bug(format!("the template has no table `{table}`")))
}

fn table_resource(table: &str) -> Result<Option<(String, Node)>, Failure> {
    let root = template(Stack::Data)?;
    let named = |node: &Node| {
        let name = node.get("Properties").and_then(|of| of.get("TableName"));
        match name {
            Some(Node::Call(_, text)) => text.text() == Some(&format!("${{Prefix}}-{table}")),
            _ => false,
        }
    };
    let resources = root.get("Resources").map(Node::entries).unwrap_or_default();
    Ok(resources.iter().find(|(_, node)| named(node)).cloned())
}

/// Resources of a template that the galaxy's own stack would not have.
fn foreign_resources(stack: Stack, body: &str) -> Result<Vec<String>, Failure> {
    let kinds = |root: &Node| -> BTreeMap<String, String> {
        let resources = root.get("Resources").map(Node::entries).unwrap_or_default();
        let kind =
            |node: &Node| node.get("Type").and_then(Node::text).unwrap_or_default().to_owned();
        resources.iter().map(|(id, node)| (id.clone(), kind(node))).collect()
    };
    let ours = kinds(&template(stack)?);
    let Ok(theirs) = Node::parse(body) else { return Ok(vec!["what can't be read".into()]) };
    // A version of the function has its content in its logical id.
    let fits = |id: &str, kind: &str| {
        ours.get(id).is_some_and(|of| of == kind)
            || (kind == "AWS::Lambda::Version" && ours.values().any(|of| of == kind))
    };
    let theirs = kinds(&theirs).into_iter().filter(|(id, kind)| !fits(id, kind));
    Ok(theirs.map(|(id, kind)| format!("{id} ({kind})")).collect())
}

/// The strangers of these names.
fn named<'a>(survey: &'a Survey, things: &[String]) -> Result<Vec<&'a Stranger>, Failure> {
    let find = |name: &String| {
        survey.strangers.iter().find(|one| one.thing == *name).ok_or_else(|| {
            let known: Vec<&str> = survey.strangers.iter().map(|one| one.thing.as_str()).collect();
            let message = format!("there is nothing to adopt that is called `{name}`");
            let help = if known.is_empty() {
                "everything with the galaxy's names is its own".to_owned()
            } else {
                format!("there are: {}", known.join(", "))
            };
            Failure::new(Kind::Input, message).help(help)
        })
    };
    things.iter().map(find).collect()
}

#[async_trait]
impl Ownership for Guard {
    async fn survey(&self) -> Result<Survey, Failure> {
        self.look().await
    }

    async fn retained(&self, stack: Stack) -> Result<Vec<Retained>, Failure> {
        self.left_by(stack).await
    }

    async fn consent(&self, what: &[&str]) -> Result<(), Failure> {
        if self.state.lock().await.confirmed {
            return Ok(());
        }
        Err(untyped(&self.subject.galaxy, what))
    }

    async fn confirm(&self) {
        self.state.lock().await.confirmed = true;
    }

    async fn release(&self, things: BTreeSet<String>) {
        self.state.lock().await.released = things;
    }

    async fn begin(&self) -> Result<bool, Failure> {
        let recorded = self.reload().await?.is_some();
        let survey = self.look().await?;
        if recorded {
            self.state.lock().await.begun = true;
            self.catch_up(&survey).await?;
            return Ok(false);
        }
        let old = matches!(survey.claim, Claim::Unrecorded(_));
        if !survey.strangers.is_empty() && !old {
            return Err(refused(&self.subject.galaxy, &survey.strangers));
        }
        if old && !self.state.lock().await.confirmed {
            let galaxy = &self.subject.galaxy;
            let message = format!("the galaxy `{galaxy}` has no record yet");
            return Err(Failure::new(Kind::Refused, message)
                .help(format!("type its name once, or pass --confirm {galaxy}")));
        }
        self.found(&survey, &[]).await?;
        Ok(true)
    }

    async fn end(&self) -> Result<bool, Failure> {
        let Some(record) = self.record().await? else { return Ok(true) };
        let survey = self.look().await?;
        if !survey.stacks.is_empty() || survey.strangers.iter().any(|one| one.recorded) {
            return Ok(false);
        }
        for stack in Stack::all() {
            if let (Some(name), Some(_)) =
                (self.subject.bucket(stack), record.held(&Thing::Bucket(stack)))
                && self.raw.marks.bucket(stack.place(), &name).await?.is_some()
            {
                return Ok(false);
            }
        }
        for (table, name) in catalog::tables(&self.subject.galaxy) {
            if record.held(&Thing::Table(table)).is_some()
                && self.raw.marks.table(&name).await?.is_some()
            {
                return Ok(false);
            }
        }
        self.raw.registry.remove(&record::entry_path(&self.subject.galaxy)).await?;
        self.forget().await;
        Ok(true)
    }

    async fn fit(&self, things: &[String]) -> Result<Vec<Stranger>, Failure> {
        let survey = self.look().await?;
        let mut found = Vec::new();
        for stranger in named(&survey, things)? {
            self.fitting(stranger).await?;
            found.push(stranger.clone());
        }
        Ok(found)
    }

    async fn adopt(&self, things: &[String]) -> Result<(), Failure> {
        let recorded = self.reload().await?.is_some();
        let survey = self.look().await?;
        let mut fitting = Vec::new();
        for stranger in named(&survey, things)? {
            fitting.push(self.fitting(stranger).await?);
        }
        if !recorded {
            return self.found(&survey, &fitting).await;
        }
        let mut record = self.required().await?;
        self.hold_adopted(&mut record, &fitting).await?;
        let things = record.things;
        self.change(|record| record.things = things).await
    }
}
