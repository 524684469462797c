//! The checklist: what was observed → how each of the twenty items is. Pure.

use serde::Serialize;

use crate::facts::{Facts, Memory};
use crate::items::{ITEMS, Item};
use crate::review::Stage;

mod account;
mod people;
mod zone;

/// Who is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// The reader.
    You,
    /// Amazon.
    Amazon,
    /// Another item has to be done first.
    Item(&'static str),
}

/// How an item is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It is done.
    Done {
        /// More of it, where there is something to say.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// A person has to act, or something takes its time.
    Waiting {
        /// Who has to act.
        whom: Whom,
        /// For what.
        what: String,
        /// When it was first seen, in seconds since 1970.
        #[serde(skip_serializing_if = "Option::is_none")]
        since: Option<u64>,
        /// How long it usually takes.
        usual: &'static str,
    },
    /// It can't stay like this.
    Wrong {
        /// Its state.
        is: String,
        /// How it should be.
        should: String,
        /// Where to change it, and how.
        place: String,
    },
    /// Could not be checked.
    Unseen {
        /// Why.
        why: String,
    },
}

impl State {
    fn done() -> Self {
        Self::Done { detail: None }
    }

    fn with(detail: impl Into<String>) -> Self {
        Self::Done { detail: Some(detail.into()) }
    }

    fn you(what: impl Into<String>, usual: &'static str) -> Self {
        Self::Waiting { whom: Whom::You, what: what.into(), since: None, usual }
    }

    fn amazon(what: impl Into<String>, usual: &'static str) -> Self {
        Self::Waiting { whom: Whom::Amazon, what: what.into(), since: None, usual }
    }

    fn after(item: &'static str, what: impl Into<String>) -> Self {
        let usual = "comes by itself";
        Self::Waiting { whom: Whom::Item(item), what: what.into(), since: None, usual }
    }

    fn wrong(is: impl Into<String>, should: impl Into<String>, place: impl Into<String>) -> Self {
        Self::Wrong { is: is.into(), should: should.into(), place: place.into() }
    }

    fn unseen(why: impl Into<String>) -> Self {
        Self::Unseen { why: why.into() }
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }

    /// Its word in JSON.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Waiting { .. } => "waiting",
            Self::Wrong { .. } => "wrong",
            Self::Unseen { .. } => "unseen",
        }
    }
}

/// An item and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The item.
    pub item: &'static Item,
    /// Its state.
    pub state: State,
}

/// The whole list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checklist {
    /// The account's stage; nothing where Amazon could not be reached.
    pub stage: Option<Stage>,
    /// The twenty items.
    pub checks: Vec<Check>,
}

impl Checklist {
    /// Goes through all items.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let stage = facts.account.as_ref().map(Stage::of);
        let mut checks: Vec<Check> = Vec::new();
        for item in &ITEMS {
            let judged = one(item.id, facts, stage.as_ref(), &checks);
            checks.push(Check { item, state: since(judged, item.id, &facts.memory) });
        }
        Self { stage, checks }
    }

    /// Whether mails may go to everybody and nothing is left to do.
    #[must_use]
    pub fn is_all_done(&self) -> bool {
        self.stage == Some(Stage::Granted) && self.checks.iter().all(|check| check.state.is_done())
    }

    /// How many are done.
    #[must_use]
    pub fn done(&self) -> usize {
        self.checks.iter().filter(|check| check.state.is_done()).count()
    }

    /// What to remember: since when each item has been waiting, and since when mail may go to any
    /// address.
    #[must_use]
    pub fn remember(&self, memory: &Memory, now: u64) -> Memory {
        let mut next = memory.clone();
        next.since.clear();
        if self.stage == Some(Stage::Granted) {
            next.granted.get_or_insert(now);
        }
        for check in &self.checks {
            if matches!(check.state, State::Waiting { .. }) {
                let before = memory.since.get(check.item.id).copied();
                next.since.insert(check.item.id.to_owned(), before.unwrap_or(now));
            }
        }
        next
    }
}

fn one(id: &str, facts: &Facts, stage: Option<&Stage>, before: &[Check]) -> State {
    match id {
        "region" => account::region(facts, stage),
        "identity" => zone::identity(facts),
        "dkim" => zone::dkim(facts),
        "mail_from" => zone::mail_from(facts),
        "dmarc" => zone::dmarc(facts),
        "bulk" => follows(before, &["mail_from", "dkim", "dmarc"]),
        "suppression" => account::suppression(facts),
        "sets" => account::sets(facts),
        "events" => account::events(facts),
        "simulator" => account::simulator(facts),
        "one_click" | "opt_in" => account::release(facts),
        "website" => people::website(facts),
        "letter" => people::letter(facts, stage, before),
        "price" => people::price(facts),
        "insights" => account::insights(facts),
        "warm_up" => account::warm_up(facts, stage),
        _ => people::confirmed(id, facts),
    }
}

/// Done as soon as all of these are.
fn follows(before: &[Check], needs: &[&'static str]) -> State {
    let open =
        |id: &&&str| before.iter().any(|check| check.item.id == **id && !check.state.is_done());
    match needs.iter().find(open) {
        Some(item) => State::after(item, "SPF, DKIM and DMARC have to be right"),
        None => State::done(),
    }
}

fn since(state: State, id: &str, memory: &Memory) -> State {
    match state {
        State::Waiting { whom, what, usual, .. } => {
            State::Waiting { whom, what, usual, since: memory.since.get(id).copied() }
        }
        other => other,
    }
}

#[cfg(test)]
pub(crate) mod tests;
