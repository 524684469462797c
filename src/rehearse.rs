//! An account in memory behind the installer's ports: with stacks that take as long as in AWS,
//! failures on demand, and a plug that can be pulled at any effect.
//!
//! It is what `--rehearse` plays to a person, in compressed time, and what tests run against. It
//! shows what an emulator can't: stacks in progress, stuck and dead ones, refusals, and a process
//! that dies between an effect and its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use galaxy_mail::name::Domain;
use tokio::time::Instant;

use crate::failure::{Failure, Kind};
use crate::model::{AccountId, Place, Region, Tags};
use crate::ports::{
    Assets, Certificates, Clock, Delivery, Dns, Entry, Evidence, Extra, Functions, Inspection,
    Inventory, LogLine, Logs, Mail, Marks, Notes, Object, People, Preflight, Proposal, Reason,
    Records, Registry, Secrets, Stacks, Unclaimed, Web, World, Zones,
};

mod assets;
mod doctor;
mod domains;
mod evidence;
mod guard;
mod inspection;
mod mail;
mod marks;
mod meddle;
mod obstacles;
mod operator;
mod readback;
mod records;
mod registry;
pub mod rights;
mod services;
mod sim;
mod stacks;
mod time;
mod zones;

pub use doctor::Ailment;
pub use domains::Fate;
pub use mail::{finished_memory, standing};
pub use marks::Foreign;
pub use meddle::Meddling;
pub use operator::ASKED;
use sim::Sim;
pub use zones::Closed;

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The next creation of this stack fails and is rolled back.
    CreationFails(String),
    /// The next update of this stack fails and is rolled back.
    UpdateFails(String),
    /// The version of the function with this number is not well.
    VersionUnwell(String),
    /// The API answers badly while the version with this number is live.
    AnswersBadly(String),
    /// This table can't be read.
    TableUnreadable(String),
    /// The next update of this stack would replace a resource of this type.
    UpdateReplaces(String, String),
    /// A validation or a hook refuses the next operation on this stack.
    Invalid(String, Reason),
    /// AWS has not looked at the account yet: it makes no distributions.
    CloudFrontUnverified,
}

/// When the plug is pulled: at the effect of that number, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before it has happened.
    Before(usize),
    /// After it has happened; its answer is lost.
    After(usize),
}

/// One call that goes wrong; the next ones are fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hiccup {
    /// Which call, counted from 1; looks count too.
    pub call: usize,
    /// Whether it did what it was to do, and only its answer was lost.
    pub done: bool,
    /// What the caller hears.
    pub kind: Kind,
}

/// An account.
pub struct Account {
    id: AccountId,
    home: Region,
    begin: Instant,
    state: Mutex<State>,
}

/// How time passes in the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Time passes at once.
    #[default]
    Skip,
    /// This many of its seconds pass in one of ours.
    Times(u32),
}

#[derive(Clone, Default)]
struct State {
    stacks: Vec<Sim>,
    buckets: BTreeMap<(Place, String), BTreeMap<String, Object>>,
    /// When an object, by bucket and key, was last written, in seconds since 1970.
    written: BTreeMap<(String, String), u64>,
    /// Headers of an object that we never set.
    headers: BTreeMap<(String, String), BTreeMap<String, String>>,
    /// What was added beside the templates.
    extras: Vec<Extra>,
    secrets: BTreeMap<String, String>,
    notes: BTreeMap<String, String>,
    /// When each note was last written.
    noted_at: BTreeMap<String, u64>,
    registry: BTreeMap<String, Entry>,
    /// Addresses in a user pool, and whether each is an operator's.
    people: BTreeMap<(String, String), bool>,
    tables: BTreeMap<String, Vec<serde_json::Value>>,
    /// The keys of tables.
    schemas: BTreeMap<String, Vec<String>>,
    /// Tags of buckets, tables and parameters, by kind and name.
    marks: BTreeMap<String, Tags>,
    /// Actions that are denied to everyone.
    denied: BTreeSet<String>,
    /// Tables that can't be brought back to an earlier second.
    unrecoverable: BTreeSet<String>,
    /// The caller's policies; without any, everything is allowed.
    operator: Option<operator::Operator>,
    /// What carries a galaxy's tag but is in no stack.
    strays: Vec<String>,
    logs: Vec<(String, LogLine)>,
    health: doctor::Health,
    post: mail::Post,
    zones: zones::Hosting,
    certificates: Vec<domains::Asked>,
    /// How many were ever asked for.
    asked_certificates: usize,
    /// What becomes of certificates, by domain.
    fates: BTreeMap<Domain, domains::Fate>,
    /// Domains whose certificates are in use elsewhere.
    held: BTreeSet<Domain>,
    /// Domains that a distribution of another account has.
    elsewhere: BTreeSet<Domain>,
    delays: time::Delays,
    change_sets: BTreeMap<String, Proposal>,
    faults: Vec<Fault>,
    cut: Option<Cut>,
    effects: usize,
    hiccup: Option<Hiccup>,
    calls: usize,
    lag: Duration,
    log: Vec<String>,
    pace: Pace,
    /// When the pace began, in the account's time and in ours.
    since: (Duration, Duration),
}

impl Account {
    /// An empty account in which time passes at once.
    #[must_use]
    pub fn new(id: AccountId, home: Region) -> Arc<Self> {
        Arc::new(Self { id, home, begin: Instant::now(), state: Mutex::default() })
    }

    /// The same account once more, as it is now. From here on each goes its own way.
    #[must_use]
    pub fn copy(&self) -> Arc<Self> {
        self.copy_for(self.home.clone())
    }

    /// The same for galaxies at home in another Region, which find all that was there.
    #[must_use]
    pub fn copy_for(&self, home: Region) -> Arc<Self> {
        let state = Mutex::new(self.state().clone());
        Arc::new(Self { id: self.id.clone(), home, begin: self.begin, state })
    }

    /// Says how time passes from now on.
    pub fn pace(&self, pace: Pace) {
        let mut state = self.state();
        state.since = (self.time(&state), self.begin.elapsed());
        state.pace = pace;
    }

    fn time(&self, state: &State) -> Duration {
        let (at, ours) = state.since;
        match state.pace {
            Pace::Skip => at,
            Pace::Times(speed) => at + self.begin.elapsed().saturating_sub(ours) * speed,
        }
    }

    fn now(&self) -> Duration {
        self.time(&self.state())
    }

    /// The doors to it.
    #[must_use]
    pub fn world(self: &Arc<Self>) -> World {
        World {
            stacks: Arc::clone(self) as Arc<dyn Stacks>,
            assets: Arc::clone(self) as Arc<dyn Assets>,
            delivery: Arc::clone(self) as Arc<dyn Delivery>,
            functions: Arc::clone(self) as Arc<dyn Functions>,
            secrets: Arc::clone(self) as Arc<dyn Secrets>,
            notes: Arc::clone(self) as Arc<dyn Notes>,
            registry: Arc::clone(self) as Arc<dyn Registry>,
            marks: Arc::clone(self) as Arc<dyn Marks>,
            ownership: Arc::new(Unclaimed),
            people: Arc::clone(self) as Arc<dyn People>,
            records: Arc::clone(self) as Arc<dyn Records>,
            inventory: Arc::clone(self) as Arc<dyn Inventory>,
            inspection: Arc::clone(self) as Arc<dyn Inspection>,
            logs: Arc::clone(self) as Arc<dyn Logs>,
            preflight: Arc::clone(self) as Arc<dyn Preflight>,
            evidence: Arc::clone(self) as Arc<dyn Evidence>,
            mail: Arc::clone(self) as Arc<dyn Mail>,
            dns: Arc::clone(self) as Arc<dyn Dns>,
            zones: Arc::clone(self) as Arc<dyn Zones>,
            certificates: Arc::clone(self) as Arc<dyn Certificates>,
            web: Arc::clone(self) as Arc<dyn Web>,
            clock: Arc::clone(self) as Arc<dyn Clock>,
            fence: Arc::default(),
            open: None,
        }
    }

    /// Makes something go wrong.
    pub fn fault(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Makes everything right that was made to go wrong.
    pub fn mend(&self) {
        self.state().faults.clear();
    }

    /// Crashes at an effect, or no longer does; the count starts again.
    pub fn cut(&self, cut: Option<Cut>) {
        let mut state = self.state();
        (state.cut, state.effects) = (cut, 0);
    }

    /// Makes one call fail, or none; the count starts again. Returns the calls counted so far.
    pub fn hiccup(&self, hiccup: Option<Hiccup>) -> usize {
        let mut state = self.state();
        state.hiccup = hiccup;
        std::mem::take(&mut state.calls)
    }

    /// A look: counted, and with a hiccup not answered.
    fn hear(&self) -> Result<(), Failure> {
        match self.state().count() {
            Some(hiccup) => Err(went_wrong(hiccup.kind)),
            None => Ok(()),
        }
    }

    /// From now on a look at a stack shows how it was so long ago.
    pub fn lag(&self, lag: Duration) {
        self.state().lag = lag;
    }

    /// Puts a stack into a status, with the ones that follow by themselves.
    pub fn put(&self, name: &str, code: &str, next: &[&'static str]) {
        let now = self.now();
        for stack in &mut self.state().stacks {
            if stack.proposal.name == name && stack.is_there(now) {
                stack.put(now, code, next);
            }
        }
    }

    /// The effects so far, in their order.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    /// What there is: stacks with their status, buckets and tables with how much they hold,
    /// secrets, certificates and records of galaxies.
    #[must_use]
    pub fn contents(&self) -> BTreeMap<String, String> {
        let state = self.state();
        let now = self.time(&state);
        let stacks = state.stacks.iter().filter(|stack| stack.is_there(now));
        let stacks = stacks.map(|s| (format!("stack {}", s.proposal.name), s.code(now).to_owned()));
        let buckets = state.buckets.iter();
        let buckets =
            buckets.map(|((_, name), keys)| (format!("bucket {name}"), keys.len().to_string()));
        let secrets = state.secrets.keys().map(|path| (format!("secret {path}"), String::new()));
        let tables = state.tables.iter();
        let tables = tables.map(|(name, items)| (format!("table {name}"), items.len().to_string()));
        let certificates = state.certificates.iter();
        let certificates =
            certificates.map(|one| (format!("certificate {}", one.domain), String::new()));
        let records = state.registry.keys().filter(|path| path.ends_with("/record"));
        let records = records.map(|path| (format!("entry {path}"), String::new()));
        let others = secrets.chain(tables).chain(certificates).chain(records);
        stacks.chain(buckets).chain(others).collect()
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
        let hiccup = state.count();
        if let Some(Hiccup { done: false, kind, .. }) = hiccup {
            return Err(went_wrong(kind));
        }
        state.log.push(what);
        let result = act(&mut state);
        if let Some(hiccup) = hiccup {
            return Err(went_wrong(hiccup.kind));
        }
        if state.cut == Some(Cut::After(number)) { Err(unplugged()) } else { result }
    }
}

impl State {
    /// Counts a call; the hiccup, where it is this one's.
    fn count(&mut self) -> Option<Hiccup> {
        self.calls += 1;
        self.hiccup.filter(|hiccup| hiccup.call == self.calls)
    }
}

fn went_wrong(kind: Kind) -> Failure {
    let message = match kind {
        Kind::Access => "the AWS credentials have expired",
        _ => "AWS did not answer in time",
    };
    Failure::new(kind, message).help("run the same command again; it resumes where it stopped")
}

fn unplugged() -> Failure {
    Failure::new(Kind::Interrupted, "the plug was pulled")
}

fn refuse(message: String) -> Failure {
    Failure::new(Kind::Settled, message)
}
