//! One call of the Beak: who may make it, how often, and what answers it.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use beak_core::Galaxy;
use beak_core::access::Who;
use beak_core::tier::Tier;

use crate::burst::Bursts;
use crate::fixed_time::at_a_fixed_time;
use crate::gate::{Guard, gate};
#[cfg(test)]
use crate::openapi::Words;

/// How many calls a minute one address may make, and under which name they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerAddress {
    /// Calls with the same name are counted together.
    pub name: &'static str,
    /// The most of one minute.
    pub limit: u32,
}

/// What the gateway lets through for all callers together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Calls a second, on average.
    pub rate: u32,
    /// Calls at once.
    pub burst: u32,
}

impl Throttle {
    /// Of calls that have none of their own.
    pub const DEFAULT: Self = Self { rate: 100, burst: 200 };
}

/// A row of the table of calls, as far as it is not code.
#[derive(Clone, Debug)]
pub struct Row {
    /// The HTTP method.
    pub method: Method,
    /// The path below the API's base URL.
    pub path: String,
    /// Whom the call is for.
    pub who: Who,
    /// The tier that the calling duckling needs.
    pub tier: Tier,
    /// The limit by address; calls with a credential are limited by their tier instead.
    pub per_address: Option<PerAddress>,
    /// The gateway's own limit.
    pub throttle: Throttle,
    /// What it does, in one sentence.
    pub does: &'static str,
}

/// A row with the code that answers.
pub(crate) struct Call {
    pub(crate) row: Row,
    route: &'static str,
    handler: MethodRouter<Arc<Galaxy>>,
    fixed_time: bool,
    #[cfg(test)]
    pub(crate) words: Words,
}

/// A call without a limit by address, for everybody.
pub(crate) fn call<H, T>(method: &Method, route: &'static str, handler: H) -> Call
where
    H: Handler<T, Arc<Galaxy>>,
    T: 'static,
{
    let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
    Call {
        row: Row {
            method: method.clone(),
            path: format!("/beak{route}"),
            who: Who::Anyone,
            tier: Tier::T0,
            per_address: None,
            throttle: Throttle::DEFAULT,
            does: "",
        },
        route,
        handler: on(filter, handler),
        fixed_time: false,
        #[cfg(test)]
        words: Words::default(),
    }
}

impl Call {
    pub(crate) fn does(mut self, does: &'static str) -> Self {
        self.row.does = does;
        self
    }

    pub(crate) fn only(mut self, who: Who) -> Self {
        self.row.who = who;
        self
    }

    pub(crate) fn at_least(mut self, tier: Tier) -> Self {
        self.row.tier = tier;
        self
    }

    pub(crate) fn per_address(mut self, name: &'static str, limit: u32) -> Self {
        self.row.per_address = Some(PerAddress { name, limit });
        self
    }

    pub(crate) fn throttled(mut self, rate: u32, burst: u32) -> Self {
        self.row.throttle = Throttle { rate, burst };
        self
    }

    /// The work differs with the address; the time of the answer must not.
    pub(crate) fn at_a_fixed_time(mut self) -> Self {
        self.fixed_time = true;
        self
    }

    /// The route behind its gates.
    pub(crate) fn guarded(
        self,
        galaxy: &Arc<Galaxy>,
        bursts: &Arc<Bursts>,
    ) -> (&'static str, MethodRouter<Arc<Galaxy>>) {
        let Row { who, tier, per_address, .. } = self.row;
        let (galaxy, bursts) = (Arc::clone(galaxy), Arc::clone(bursts));
        let guard = Guard { galaxy: Arc::clone(&galaxy), who, tier, per_address, bursts };
        let mut handler = self.handler;
        if self.fixed_time {
            handler = handler.route_layer(from_fn_with_state(galaxy, at_a_fixed_time));
        }
        (self.route, handler.route_layer(from_fn_with_state(guard, gate)))
    }
}

/// What only documents say; the program itself does not carry it.
#[cfg(not(test))]
#[expect(clippy::extra_unused_type_parameters, reason = "the documents' side makes use of them")]
impl Call {
    pub(crate) fn takes<T>(self) -> Self {
        self
    }

    pub(crate) fn asks<T>(self) -> Self {
        self
    }

    pub(crate) fn gives<T>(self, _status: u16) -> Self {
        self
    }

    pub(crate) fn also_for_people(self) -> Self {
        self
    }

    pub(crate) fn gives_page(self) -> Self {
        self
    }

    pub(crate) fn fails(self, _codes: &'static [&'static str]) -> Self {
        self
    }
}
