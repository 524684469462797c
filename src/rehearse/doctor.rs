//! What ails the account in memory, as a look before an installation finds it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::Account;
use crate::failure::{Failure, Kind};
use crate::model::Place;
use crate::ports::{Denied, Preflight, Quota, Thing, Usage, Wish};

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ailment {
    /// We are somebody else.
    Caller(String),
    /// An action is not allowed.
    Missing(String),
    /// An action is forbidden in so many words.
    Forbidden(String),
    /// Nobody lets us ask what is allowed.
    Unasked,
    /// This machine's clock is ahead by so many seconds.
    ClockAhead(i64),
    /// The credentials lapse in so many seconds.
    Lapsing(u64),
    /// Somebody has a name.
    Taken(Thing, String),
    /// This much of a quota is taken.
    Used(Quota, Usage),
}

/// All that ails it.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    caller: Option<String>,
    denied: BTreeMap<String, bool>,
    unasked: bool,
    ahead: i64,
    lapse: Option<u64>,
    taken: BTreeSet<(Thing, String)>,
    used: BTreeMap<Quota, Usage>,
}

impl Health {
    /// Whether an action is not allowed; if so, whether a policy forbids it.
    pub(super) fn is_denied(&self, action: &str) -> Option<bool> {
        self.denied.get(action).copied()
    }
}

impl Account {
    /// Makes something ail the account.
    pub fn ail(&self, ailment: Ailment) {
        let now = Self::now(self).as_secs();
        let health = &mut self.state().health;
        match ailment {
            Ailment::Caller(arn) => health.caller = Some(arn),
            Ailment::Missing(action) => {
                health.denied.insert(action, false);
            }
            Ailment::Forbidden(action) => {
                health.denied.insert(action, true);
            }
            Ailment::Unasked => health.unasked = true,
            Ailment::ClockAhead(seconds) => health.ahead = seconds,
            Ailment::Lapsing(seconds) => health.lapse = Some(super::services::DAY + now + seconds),
            Ailment::Taken(thing, name) => {
                health.taken.insert((thing, name));
            }
            Ailment::Used(quota, usage) => {
                health.used.insert(quota, usage);
            }
        }
    }
}

#[async_trait]
impl Preflight for Account {
    fn caller(&self) -> String {
        let caller = self.state().health.caller.clone();
        caller.unwrap_or_else(|| format!("arn:aws:iam::{}:user/ann", self.id))
    }

    async fn lapse(&self) -> Result<Option<u64>, Failure> {
        Ok(self.state().health.lapse)
    }

    async fn clock_ahead(&self) -> Result<i64, Failure> {
        Ok(self.state().health.ahead)
    }

    async fn denied(&self, wishes: &[Wish]) -> Result<Vec<Denied>, Failure> {
        self.may("Preflight::denied")?;
        let state = self.state();
        if state.health.unasked {
            let message = "simulating our rights: a permission is missing";
            return Err(Failure::new(Kind::Access, message).cause("AccessDenied"));
        }
        let mut denied = Vec::new();
        for wish in wishes {
            for action in &wish.actions {
                if let Some(forbidden) = state.health.denied.get(*action) {
                    let resource = wish.resources.first().cloned().unwrap_or_default();
                    let (action, forbidden) = ((*action).to_owned(), *forbidden);
                    denied.push(Denied { action, resource, forbidden });
                }
            }
        }
        Ok(denied)
    }

    async fn is_taken(&self, _: Place, thing: Thing, name: &str) -> Result<bool, Failure> {
        self.may("Preflight::is_taken")?;
        let state = self.state();
        let now = self.time(&state);
        let mut stacks = state.stacks.iter().filter(|stack| stack.is_there(now));
        let made = thing == Thing::LogGroup && stacks.any(|stack| stack.has_log_group(name));
        Ok(made || state.health.taken.contains(&(thing, name.to_owned())))
    }

    async fn usage(&self, quota: Quota) -> Result<Usage, Failure> {
        self.may("Preflight::usage")?;
        if let Some(usage) = self.state().health.used.get(&quota) {
            return Ok(*usage);
        }
        let usage = |used, limit| Usage { used, limit: Some(limit) };
        Ok(match quota {
            Quota::Stacks(_) => usage(0, 2000),
            Quota::Distributions => usage(0, 200),
            Quota::HeadersPolicies => usage(0, 20),
            Quota::Concurrency => usage(0, 1000),
            Quota::GatewayRate => usage(0, 10_000),
        })
    }
}
