//! An account in memory behind the installer's ports: with states that take their time, failures
//! on demand, and a plug that can be pulled after any effect.
//!
//! It shows what an emulator can't: stacks in progress, stuck and dead ones, refusals, and a
//! process that dies between an effect and its answer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::failure::{Failure, Kind};
use crate::model::{AccountId, Outputs, Place, Region, Secret, StackSeen, StackStatus};
use crate::ports::{
    Answer, Assets, Clock, Joined, Object, People, Proposal, Secrets, StackEvent, Stacks, Web,
    World,
};

mod stacks;

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The next creation of this stack fails and is rolled back.
    CreationFails(String),
    /// The next update of this stack would replace a resource of this type.
    UpdateReplaces(String, String),
}

/// When the plug is pulled: at the effect of that number, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before it has happened.
    Before(usize),
    /// After it has happened; nobody hears of it.
    After(usize),
}

/// An account.
pub struct Account {
    id: AccountId,
    home: Region,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stacks: Vec<Sim>,
    buckets: BTreeMap<(Place, String), BTreeMap<String, Vec<u8>>>,
    secrets: BTreeMap<String, String>,
    /// Addresses in a user pool, and whether each is an operator's.
    people: BTreeMap<(String, String), bool>,
    change_sets: BTreeMap<String, Proposal>,
    faults: Vec<Fault>,
    cut: Option<Cut>,
    effects: usize,
    log: Vec<String>,
    elapsed: Duration,
}

/// A stack, living or deleted.
struct Sim {
    proposal: Proposal,
    arn: String,
    code: String,
    /// What its status becomes, one step each time somebody looks.
    next: VecDeque<&'static str>,
    protected: bool,
    events: Vec<StackEvent>,
}

impl Sim {
    fn is_there(&self) -> bool {
        self.code != "DELETE_COMPLETE"
    }

    fn seen(&self, outputs: Outputs) -> StackSeen {
        StackSeen {
            arn: self.arn.clone(),
            code: self.code.clone(),
            status: StackStatus::parse(&self.code),
            reason: None,
            parameters: self.proposal.parameters.clone(),
            outputs,
        }
    }

    fn event(&mut self, resource: &str, kind: &str, status: &str, reason: Option<&str>) {
        let id = format!("{}-{}", self.arn, self.events.len());
        let (resource, kind) = (resource.to_owned(), kind.to_owned());
        let (status, reason) = (status.to_owned(), reason.map(str::to_owned));
        self.events.push(StackEvent { id, resource, kind, status, reason });
    }
}

impl Account {
    /// An empty account.
    #[must_use]
    pub fn new(id: AccountId, home: Region) -> Arc<Self> {
        Arc::new(Self { id, home, state: Mutex::default() })
    }

    /// The doors to it.
    #[must_use]
    pub fn world(self: &Arc<Self>) -> World {
        World {
            stacks: Arc::clone(self) as Arc<dyn Stacks>,
            assets: Arc::clone(self) as Arc<dyn Assets>,
            secrets: Arc::clone(self) as Arc<dyn Secrets>,
            people: Arc::clone(self) as Arc<dyn People>,
            web: Arc::clone(self) as Arc<dyn Web>,
            clock: Arc::clone(self) as Arc<dyn Clock>,
        }
    }

    /// Makes something go wrong.
    pub fn fault(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Pulls the plug at an effect, or puts it back in; counting starts anew.
    pub fn cut(&self, cut: Option<Cut>) {
        let mut state = self.state();
        (state.cut, state.effects) = (cut, 0);
    }

    /// Puts a stack into a status, with the ones that follow by themselves.
    pub fn put(&self, name: &str, code: &str, next: &[&'static str]) {
        for stack in &mut self.state().stacks {
            if stack.proposal.name == name && stack.is_there() {
                code.clone_into(&mut stack.code);
                stack.next = next.iter().copied().collect();
            }
        }
    }

    /// The effects so far, in their order.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    /// What there is: stacks with their status, buckets with the number of their objects, secrets.
    #[must_use]
    pub fn contents(&self) -> BTreeMap<String, String> {
        let state = self.state();
        let stacks = state.stacks.iter().filter(|stack| stack.is_there());
        let stacks = stacks.map(|s| (format!("stack {}", s.proposal.name), s.code.clone()));
        let buckets = state.buckets.iter();
        let buckets =
            buckets.map(|((_, name), keys)| (format!("bucket {name}"), keys.len().to_string()));
        let secrets = state.secrets.keys().map(|path| (format!("secret {path}"), String::new()));
        stacks.chain(buckets).chain(secrets).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An effect: counted, and with the plug pulled either not done or done unheard.
    fn effect<T>(
        &self,
        what: String,
        act: impl FnOnce(&mut State) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut state = self.state();
        state.effects += 1;
        let number = state.effects;
        let dead = |at: usize| number > at;
        match state.cut {
            Some(Cut::Before(at)) if number == at || dead(at) => return Err(unplugged()),
            Some(Cut::After(at)) if dead(at) => return Err(unplugged()),
            _ => {}
        }
        state.log.push(what);
        let result = act(&mut state);
        if state.cut == Some(Cut::After(number)) { Err(unplugged()) } else { result }
    }

    fn region(&self, place: Place) -> &str {
        if place == Place::Home { self.home.as_str() } else { "us-east-1" }
    }

    /// The bucket that a template makes.
    fn bucket_of(&self, proposal: &Proposal) -> Option<String> {
        let line = proposal.body.lines().find(|line| line.trim().starts_with("BucketName: "))?;
        let name = line.trim().trim_start_matches("BucketName: ").trim_start_matches("!Sub ");
        let name = name.trim_matches(['\'', '"']);
        let name = name.replace("${AWS::AccountId}", &self.id.to_string());
        Some(name.replace("${AWS::Region}", self.region(proposal.place)))
    }

    /// What a stack tells: literals as they stand, everything else made up.
    fn outputs_of(&self, proposal: &Proposal) -> Outputs {
        let Some((_, outputs)) = proposal.body.split_once("\nOutputs:\n") else {
            return Outputs::new();
        };
        let mut found = Outputs::new();
        let mut name = "";
        for line in outputs.lines() {
            if let Some(value) = line.strip_prefix("    Value: ") {
                let value = value.trim_matches(['\'', '"']);
                let digest = value.len() == 64 && value.chars().all(|c| c.is_ascii_hexdigit());
                let value = match self.bucket_of(proposal) {
                    Some(bucket) if name.ends_with("BucketName") => bucket,
                    _ if digest => value.to_owned(),
                    _ => format!("{name}-of-{}", proposal.name),
                };
                found.insert(name.to_owned(), value);
            } else if let Some(key) = line.strip_prefix("  ").filter(|k| !k.starts_with(' ')) {
                name = key.trim_end_matches(':');
            }
        }
        found
    }

    fn started(state: &mut State, name: &str, next: &[&'static str]) {
        let stack = state.stacks.iter_mut().find(|s| s.proposal.name == name && s.is_there());
        if let Some(stack) = stack {
            let first = next.first().copied().unwrap_or_default();
            first.clone_into(&mut stack.code);
            stack.next = next.iter().skip(1).copied().collect();
            stack.event(name, "AWS::CloudFormation::Stack", first, None);
        }
    }
}

fn unplugged() -> Failure {
    Failure::new(Kind::Interrupted, "the plug was pulled")
}

fn refuse(message: String) -> Failure {
    Failure::new(Kind::Settled, message)
}

fn is_named(stack: &Sim, place: Place, name: &str) -> bool {
    let by_name = stack.proposal.name == name && stack.is_there();
    stack.proposal.place == place && (stack.arn == name || by_name)
}

#[async_trait]
impl Assets for Account {
    async fn has_bucket(&self, place: Place, bucket: &str) -> Result<bool, Failure> {
        Ok(self.state().buckets.contains_key(&(place, bucket.to_owned())))
    }

    async fn has(&self, place: Place, bucket: &str, key: &str) -> Result<bool, Failure> {
        Ok(Assets::read(self, place, bucket, key).await?.is_some())
    }

    async fn read(
        &self,
        place: Place,
        bucket: &str,
        key: &str,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let state = self.state();
        let objects = state.buckets.get(&(place, bucket.to_owned()));
        Ok(objects.and_then(|objects| objects.get(key)).cloned())
    }

    async fn write(&self, place: Place, bucket: &str, object: &Object) -> Result<(), Failure> {
        self.effect(format!("write {bucket}/{}", object.key), |state| {
            let objects = state.buckets.get_mut(&(place, bucket.to_owned()));
            let objects = objects.ok_or_else(|| refuse(format!("there is no bucket {bucket}")))?;
            objects.insert(object.key.clone(), object.bytes.clone());
            Ok(())
        })
    }

    async fn keys(&self, place: Place, bucket: &str) -> Result<Vec<String>, Failure> {
        let state = self.state();
        let objects = state.buckets.get(&(place, bucket.to_owned()));
        Ok(objects.map(|objects| objects.keys().cloned().collect()).unwrap_or_default())
    }

    async fn remove(&self, place: Place, bucket: &str, keys: &[String]) -> Result<(), Failure> {
        self.effect(format!("remove {} of {bucket}", keys.len()), |state| {
            if let Some(objects) = state.buckets.get_mut(&(place, bucket.to_owned())) {
                objects.retain(|key, _| !keys.contains(key));
            }
            Ok(())
        })
    }

    async fn remove_bucket(&self, place: Place, bucket: &str) -> Result<(), Failure> {
        self.effect(format!("remove {bucket}"), |state| {
            state.buckets.remove(&(place, bucket.to_owned()));
            Ok(())
        })
    }

    async fn invalidate(&self, distribution: &str, _: &str) -> Result<(), Failure> {
        self.effect(format!("invalidate {distribution}"), |_| Ok(()))
    }
}

#[async_trait]
impl Secrets for Account {
    async fn read(&self, path: &str) -> Result<Option<Secret>, Failure> {
        Ok(self.state().secrets.get(path).cloned().map(Secret::new))
    }

    async fn write(&self, path: &str, secret: &Secret) -> Result<(), Failure> {
        self.effect(format!("write {path}"), |state| {
            state.secrets.insert(path.to_owned(), secret.expose().to_owned());
            Ok(())
        })
    }

    async fn remove(&self, path: &str) -> Result<(), Failure> {
        self.effect(format!("remove {path}"), |state| {
            state.secrets.remove(path);
            Ok(())
        })
    }
}

#[async_trait]
impl Web for Account {
    async fn get(&self, _: &str) -> Answer {
        Answer::Status(200)
    }
}

#[async_trait]
impl Clock for Account {
    async fn sleep(&self, time: Duration) {
        self.state().elapsed += time;
        // Others get their turn; nobody waits.
        tokio::task::yield_now().await;
    }

    fn elapsed(&self) -> Duration {
        self.state().elapsed
    }
}

#[async_trait]
impl People for Account {
    async fn add(&self, pool: &str, email: &str, _: &Secret) -> Result<Joined, Failure> {
        let key = (pool.to_owned(), email.to_owned());
        Ok(match self.state().people.insert(key, true) {
            None => Joined::New,
            Some(false) => Joined::Member,
            Some(true) => Joined::Already,
        })
    }

    async fn remove(&self, pool: &str, email: &str) -> Result<bool, Failure> {
        let key = (pool.to_owned(), email.to_owned());
        let mut state = self.state();
        Ok(state.people.get_mut(&key).is_some_and(|operator| std::mem::replace(operator, false)))
    }

    async fn operators(&self, pool: &str) -> Result<Vec<String>, Failure> {
        let state = self.state();
        let operators = state.people.iter().filter(|((of, _), is)| of == pool && **is);
        Ok(operators.map(|((_, email), _)| email.clone()).collect())
    }
}
