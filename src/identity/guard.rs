//! The record in hand, and the proofs that every effect asks for.

use std::collections::BTreeSet;

use tokio::sync::Mutex;

use super::record::{self, random};
use super::{Doubt, Evidence, Held, Mark, Record, Subject, Thing, elsewhere, judge};
use crate::failure::{Failure, Kind};
use crate::model::{GalaxyName, ID_TAG, Place, Stack, StackSeen, StackStatus, TAG, Tags};
use crate::ports::{Stranger, World};

/// The ports of one galaxy.
pub struct Guard {
    pub(super) raw: World,
    pub(super) subject: Subject,
    pub(super) state: Mutex<State>,
}

/// What a run knows.
#[derive(Default)]
pub(super) struct State {
    /// Whether the record was read.
    read: bool,
    /// The record.
    known: Option<Record>,
    /// Whether this run holds the galaxy, and so may write its record.
    pub(super) begun: bool,
    /// Whether a person typed the galaxy's name.
    pub(super) confirmed: bool,
    /// What both proofs were seen of in this run.
    pub(super) proven: BTreeSet<Thing>,
    /// Certificates of which both proofs were seen.
    pub(super) certificates: BTreeSet<String>,
    /// Things with both proofs, one of which is its stack's list.
    pub(super) listed: BTreeSet<Thing>,
    /// What is provably a galaxy's that has no record, once looked for.
    pub(super) unrecorded: Option<BTreeSet<String>>,
    /// Adopted things that were named for deletion.
    pub(super) released: BTreeSet<String>,
    /// The token of this run's creations.
    pub(super) run: Option<String>,
}

impl Guard {
    /// Of an account as it is.
    #[must_use]
    pub fn new(raw: World, subject: Subject) -> Self {
        Self { raw, subject, state: Mutex::default() }
    }

    /// The galaxy's record.
    pub(super) async fn record(&self) -> Result<Option<Record>, Failure> {
        let mut state = self.state.lock().await;
        if !state.read {
            state.known = record::load(&self.raw, &self.subject.galaxy).await?;
            state.read = true;
        }
        Ok(state.known.clone())
    }

    /// Reads the record again: another run may have changed it before this one had the galaxy.
    pub(super) async fn reload(&self) -> Result<Option<Record>, Failure> {
        self.state.lock().await.read = false;
        let record = self.record().await?;
        match &record {
            Some(found) if found.home != self.subject.home.as_str() => {
                Err(elsewhere(&self.subject, &found.home))
            }
            _ => Ok(record),
        }
    }

    /// The record, for an effect.
    pub(super) async fn required(&self) -> Result<Record, Failure> {
        let galaxy = &self.subject.galaxy;
        self.record().await?.ok_or_else(|| {
            Failure::new(Kind::Refused, format!("the galaxy `{galaxy}` has no record yet"))
                .cause("without its record, nothing here is provably the galaxy's own")
                .help("run `spaceduck install` first: it makes the record from what is provable")
        })
    }

    /// Forgets the record, which was deleted.
    pub(super) async fn forget(&self) {
        let mut state = self.state.lock().await;
        (state.known, state.read, state.begun) = (None, true, false);
    }

    /// Takes a record that was just created.
    pub(super) async fn take(&self, record: Record) {
        let mut state = self.state.lock().await;
        (state.known, state.read, state.begun) = (Some(record), true, true);
    }

    /// Changes the record and writes it, if that changes anything.
    pub(super) async fn change(&self, change: impl FnOnce(&mut Record)) -> Result<(), Failure> {
        let mut state = self.state.lock().await;
        if !state.begun || !state.read {
            // Another run may hold the galaxy and write the record meanwhile.
            state.known = record::load(&self.raw, &self.subject.galaxy).await?;
            state.read = true;
        }
        let Some(mut record) = state.known.clone() else {
            drop(state);
            return self.required().await.map(|_| ());
        };
        let old = record.clone();
        change(&mut record);
        if record != old {
            record::store(&self.raw, &self.subject.galaxy, &record).await?;
            state.known = Some(record);
        }
        Ok(())
    }

    /// The token of this run's creations, written down before the first of them.
    pub(super) async fn token(&self) -> Result<String, Failure> {
        let known = self.state.lock().await.run.clone();
        let run = match known {
            Some(run) => run,
            None => random(5)?,
        };
        self.state.lock().await.run = Some(run.clone());
        // All at once: Parameter Store takes three writes a second.
        self.change(|record| {
            record.expect(&run);
            for stack in Stack::all() {
                self.expect(record, stack);
            }
        })
        .await?;
        Ok(run)
    }

    pub(super) async fn is_proven(&self, thing: &Thing) -> bool {
        self.state.lock().await.proven.contains(thing)
    }

    pub(super) async fn prove(&self, thing: Thing) {
        self.state.lock().await.proven.insert(thing);
    }

    /// Whether a stack is the galaxy's, or why not.
    pub(super) async fn judge_stack(
        &self,
        stack: Stack,
        seen: &StackSeen,
    ) -> Result<Result<(), Doubt>, Failure> {
        let thing = Thing::Stack(stack);
        let Some(record) = self.record().await? else {
            // A look at a galaxy from before there were records. No effect goes by this.
            let named =
                seen.tags.get(TAG).is_some_and(|name| *name == self.subject.galaxy.as_str());
            let plain = named && !seen.tags.contains_key(ID_TAG);
            return Ok(if plain { Ok(()) } else { Err(Doubt::Unknown) });
        };
        let evidence = Evidence { arn: &seen.arn, tags: &seen.tags, member: false };
        let verdict = judge(&record, record.held(&thing), evidence);
        if verdict.is_err() && self.is_created_by_us(&record, stack, seen).await? {
            self.prove(thing).await;
            return Ok(Ok(()));
        }
        if verdict.is_ok() {
            self.prove(thing).await;
        }
        Ok(verdict)
    }

    /// Whether a run that is on record created the stack and ended before it could say so.
    async fn is_created_by_us(
        &self,
        record: &Record,
        stack: Stack,
        seen: &StackSeen,
    ) -> Result<bool, Failure> {
        if record.runs.is_empty() || seen.tags.get(ID_TAG) != Some(&record.id) {
            return Ok(false);
        }
        let fits = |token: &String| record.runs.iter().any(|run| *token == creation(run, stack));
        let events = self.raw.stacks.events(stack.place(), &seen.arn).await?;
        // A change set whose execution never began has made nothing, and has no event of its own.
        let empty = seen.code == "REVIEW_IN_PROGRESS";
        Ok(empty || events.iter().filter_map(|event| event.token.as_ref()).any(fits))
    }

    /// A stack of which both proofs are there now.
    pub(super) async fn proven_stack(
        &self,
        place: Place,
        name: &str,
    ) -> Result<Option<(Stack, StackSeen)>, Failure> {
        let record = self.required().await?;
        let Some(seen) = self.raw.stacks.find(place, name).await? else { return Ok(None) };
        if seen.status == StackStatus::Gone {
            return Ok(None);
        }
        // By name, also where the ARN is given: a run that was cut off knows a stack by its ARN
        // before the record does. The proofs below decide.
        let named = seen.arn.split(":stack/").nth(1).and_then(|rest| rest.split('/').next());
        let by_name = |name| self.subject.stack(place, name);
        let stack = by_name(name).or_else(|| named.and_then(by_name)).or_else(|| {
            let held = |stack: &Stack| {
                let held = record.held(&Thing::Stack(*stack));
                stack.place() == place && held.is_some_and(|held| held.arn == seen.arn)
            };
            Stack::all().into_iter().find(held)
        });
        let what = format!("the stack `{name}`");
        let stack = stack.ok_or_else(|| stranger(&what, &Doubt::Unknown))?;
        match self.judge_stack(stack, &seen).await? {
            Ok(()) => Ok(Some((stack, seen))),
            Err(doubt) => Err(stranger(&what, &doubt)),
        }
    }

    /// What is provably a galaxy's that has no record.
    pub(super) async fn is_unrecorded(&self, thing: &Thing) -> Result<bool, Failure> {
        if self.state.lock().await.unrecorded.is_none() {
            self.look().await?;
        }
        let state = self.state.lock().await;
        let known = state.unrecorded.as_ref();
        Ok(known.is_some_and(|things| things.contains(&thing.to_string())))
    }

    /// Whether the stack that makes a resource exists and lists it.
    pub(super) async fn is_member(
        &self,
        record: &Record,
        stack: Stack,
        physical: &str,
    ) -> Result<bool, Failure> {
        let Some(held) = record.held(&Thing::Stack(stack)) else { return Ok(false) };
        // What a deleted stack once listed may have been replaced since.
        let seen = self.raw.stacks.find(stack.place(), &held.arn).await?;
        if seen.is_none_or(|seen| seen.status == StackStatus::Gone) {
            return Ok(false);
        }
        let members = self.raw.marks.members(stack.place(), &held.arn).await?;
        Ok(members.iter().any(|member| member.physical == physical))
    }

    /// Whether a bucket or table with these tags is the galaxy's, or why not.
    pub(super) async fn judge_named(
        &self,
        thing: &Thing,
        (stack, name): (Stack, &str),
        tags: &Tags,
    ) -> Result<Result<(), Doubt>, Failure> {
        let Some(record) = self.record().await? else {
            let named = tags.get(TAG).is_some_and(|name| *name == self.subject.galaxy.as_str());
            let parent = self.is_proven(&Thing::Stack(stack)).await;
            let ours = (named || parent) && !tags.contains_key(ID_TAG);
            return Ok(if ours { Ok(()) } else { Err(Doubt::Unknown) });
        };
        let arn = self.subject.arn(thing);
        let held = record.held(thing);
        let mut verdict = judge(&record, held, Evidence { arn: &arn, tags, member: false });
        if verdict == Err(Doubt::NotMarked) && self.is_member(&record, stack, name).await? {
            verdict = judge(&record, held, Evidence { arn: &arn, tags, member: true });
            self.state.lock().await.listed.insert(thing.clone());
        }
        if verdict.is_ok() {
            self.prove(thing.clone()).await;
        }
        Ok(verdict)
    }

    /// What has to be named before it is deleted.
    pub(super) async fn is_kept(&self, held: Option<&Held>, thing: &Thing) -> bool {
        let adopted = held.is_some_and(|held| held.mark == Mark::Typed);
        adopted && !self.state.lock().await.released.contains(&thing.to_string())
    }
}

/// The token of a stack's creation in a run.
pub(super) fn creation(run: &str, stack: Stack) -> String {
    format!("spaceduck-{run}-{stack}")
}

/// Refuses an effect on what is not provably the galaxy's.
pub(super) fn stranger(what: &str, doubt: &Doubt) -> Failure {
    Failure::new(Kind::Refused, format!("{what} is not provably this galaxy's; it was left alone"))
        .cause(doubt.to_string())
        .help("`spaceduck plan` lists everything of the kind, and what to do about it")
}

/// Refuses to delete what was adopted and not named.
pub(super) fn adopted(what: &str, thing: &Thing) -> Failure {
    Failure::new(Kind::Refused, format!("{what} was adopted; it was left alone")).help(format!(
        "to delete it with the galaxy: `spaceduck teardown --adopted {thing}`; `--keep-data` keeps \
         data and accounts"
    ))
}

/// Refuses before anything happens, and lists what forbids it.
#[must_use]
pub fn refused(galaxy: &GalaxyName, strangers: &[Stranger]) -> Failure {
    let count = strangers.len();
    let (things, are) = if count == 1 { ("thing", "is") } else { ("things", "are") };
    let message =
        format!("{count} {things} with names of the galaxy `{galaxy}` {are} not provably its own");
    let one = |one: &Stranger| format!("{} ({}): {}", one.what, one.thing, one.why);
    let names: Vec<&str> = strangers.iter().map(|one| one.thing.as_str()).collect();
    Failure::new(Kind::Refused, message)
        .cause(strangers.iter().map(one).collect::<Vec<_>>().join("; "))
        .help(format!(
            "nothing was changed. Choose another `name` in galaxy.yaml; or, if they are yours and \
             the galaxy should take them over: `spaceduck adopt {}`",
            names.join(" ")
        ))
}
