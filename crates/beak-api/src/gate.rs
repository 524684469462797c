//! In front of every call: how often, who, which tier. What passes finds its caller in the
//! request's extensions.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use beak_core::access::{Caller, WINDOW, Who, counted};
use beak_core::galaxy::Credential;
use beak_core::tier::Tier;
use beak_core::{BeakError, Duration, Galaxy};

use crate::burst::{self, Bursts};
use crate::call::PerAddress;
use crate::extract::{ClientAddress, credential, receive};
use crate::problem::Problem;
use crate::request::Logged;

/// Draft-ietf-httpapi-ratelimit-headers-10, as is the header below.
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of it.
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// What a call demands.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) galaxy: Arc<Galaxy>,
    pub(crate) who: Who,
    pub(crate) tier: Tier,
    pub(crate) per_address: Option<PerAddress>,
    pub(crate) bursts: Arc<Bursts>,
}

pub(crate) async fn gate(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut headers = HeaderMap::new();
    let presented = Presented::of(&request);
    let admitted = guard.admit(presented, &mut headers).await;
    let (mut parts, body) = request.into_parts();
    // Here, so that no refusal further in leaves a body unread.
    let received = receive(body).await;
    let mut response = match admitted.and_then(|caller| Ok((caller, received?))) {
        Ok((caller, bytes)) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, bytes.into())).await
        }
        Err(error) => Problem::from(error).into_response(),
    };
    response.headers_mut().extend(headers);
    response
}

/// What a request says of who sends it.
struct Presented {
    address: Option<IpAddr>,
    credential: Result<Option<Credential>, BeakError>,
    logged: Option<Logged>,
}

impl Presented {
    fn of(request: &Request) -> Self {
        Self {
            address: request.extensions().get().map(|ClientAddress(address)| *address),
            credential: credential(request.headers()),
            logged: request.extensions().get().cloned(),
        }
    }
}

impl Guard {
    async fn admit(
        &self,
        presented: Presented,
        headers: &mut HeaderMap,
    ) -> Result<Caller, BeakError> {
        // Before anything that costs.
        self.at_once(presented.address, headers)?;
        if let Some(PerAddress { name, limit }) = self.per_address {
            let bucket = format!("{name}#{}", counted(presented.address));
            self.count(name, &bucket, limit, headers).await?;
        }
        // Where a credential is of no use, not even a wrong one is in the way.
        let credential = if self.who == Who::Anyone { None } else { presented.credential? };
        let caller = self.galaxy.admit(credential.as_ref(), self.who, self.tier).await?;
        if let (Some(duckling), Some(logged)) = (caller.duckling(), &presented.logged) {
            logged.set(&duckling.id);
        }
        if let Some((bucket, limit)) = caller.allowance().filter(|_| self.per_address.is_none()) {
            self.count("caller", &bucket, limit, headers).await?;
        }
        Ok(caller)
    }

    /// Refuses a client that calls several times as often as it may, from memory alone.
    fn at_once(&self, from: Option<IpAddr>, headers: &mut HeaderMap) -> Result<(), BeakError> {
        if from.is_none() || !self.galaxy.has_limits() {
            return Ok(());
        }
        let limit = self.per_address.unwrap_or_else(burst::of_all);
        let taken = self.bursts.take(limit, &counted(from), self.galaxy.now());
        taken.map_err(|seconds| {
            let PerAddress { name, limit } = limit;
            tell(headers, name, limit, 0, seconds.into());
            BeakError::RateLimited { retry_after: Duration::seconds(seconds.into()) }
        })
    }

    async fn count(
        &self,
        name: &str,
        bucket: &str,
        limit: u32,
        headers: &mut HeaderMap,
    ) -> Result<(), BeakError> {
        let reset = self.galaxy.until_next_window();
        let Some(taken) = self.galaxy.count(bucket, limit).await? else { return Ok(()) };
        tell(headers, name, limit, taken.remaining, reset.whole_seconds());
        if taken.granted { Ok(()) } else { Err(BeakError::RateLimited { retry_after: reset }) }
    }
}

/// Says which limit it was, how many calls are left, and in how many seconds there are more.
fn tell(headers: &mut HeaderMap, name: &str, limit: u32, left: u32, seconds: i64) {
    let policy = format!("\"{name}\";q={limit};w={WINDOW}");
    let state = format!("\"{name}\";r={left};t={seconds}");
    for (header, text) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, state)] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(header, value);
        }
    }
}
