//! The shield: which calls came through the distribution in front of the API, and from where. It
//! proves itself by a secret of which this side knows only the digest, from a parameter that the
//! installer writes. ADR 31.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use beak_api::ClientAddress;
use beak_api::front::Way;
use beak_core::person::hex;
use beak_core::{BeakError, Result};
use lambda_http::Request;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use tokio::sync::Mutex;

use crate::parameters::Parameters;

/// The header by which the distribution proves itself; it replaces what a viewer sends by that
/// name.
const SECRET: HeaderName = HeaderName::from_static("x-spaceduck-origin");
/// The header with the viewer's address, which the distribution sets.
const VIEWER: HeaderName = HeaderName::from_static("x-spaceduck-viewer");

/// Other terms count after so long at the latest; the installer waits a little longer.
const AGE: Duration = Duration::from_secs(50);
/// Calls wait for the terms, so not for long.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which secrets count, and whether calls without one are refused.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Terms {
    /// SHA-256 of the secrets, as hex: one, and while it is rotated another.
    accepted: Vec<String>,
    /// Whether calls that came past the distribution are refused.
    closed: bool,
    /// The API's address through the distribution, once it is known.
    base: Option<String>,
}

impl Terms {
    /// Compares in constant time, and with each of them: the time tells nothing.
    fn accept(&self, secret: Option<&HeaderValue>) -> bool {
        let Some(secret) = secret else { return false };
        let digest = hex(&Sha256::digest(secret.as_bytes()));
        let is = |one: &String| one.as_bytes().ct_eq(digest.as_bytes());
        self.accepted.iter().map(is).fold(Choice::from(0), |any, one| any | one).into()
    }
}

pub(crate) struct Shield {
    parameters: Arc<dyn Parameters>,
    name: String,
    kept: Mutex<Option<(Instant, Arc<Terms>)>>,
}

impl Shield {
    pub(crate) fn new(parameters: Arc<dyn Parameters>, prefix: &str) -> Self {
        Self { parameters, name: format!("/{prefix}/shield"), kept: Mutex::default() }
    }

    /// Notes on a request which way it took. Only with the right secret the viewer's address
    /// counts, or anyone could count as anyone.
    pub(crate) async fn mark(&self, request: &mut Request) {
        let (secret, viewer) = taken(request.headers_mut());
        let way = match self.terms().await {
            Ok(terms) if terms.accept(secret.as_ref()) => {
                if let Some(address) = viewer {
                    request.extensions_mut().insert(ClientAddress(address));
                }
                terms.base.as_deref().map(|base| Way::Front(base.into()))
            }
            Ok(terms) => terms.closed.then_some(Way::Past),
            Err(error) => {
                let cause = error.cause().unwrap_or("the shield's terms are unknown");
                Some(Way::Unknown(cause.to_owned()))
            }
        };
        if let Some(way) = way {
            request.extensions_mut().insert(way);
        }
    }

    /// As if the terms had been read so long ago that they have to be read again.
    #[cfg(test)]
    pub(crate) async fn age(&self) {
        if let Some((since, _)) = self.kept.lock().await.as_mut() {
            *since = since.checked_sub(AGE).unwrap_or(*since);
        }
    }

    async fn terms(&self) -> Result<Arc<Terms>> {
        let mut kept = self.kept.lock().await;
        if let Some((since, terms)) = kept.as_ref()
            && since.elapsed() < AGE
        {
            return Ok(Arc::clone(terms));
        }
        let terms = match (self.read().await, kept.take()) {
            (Ok(terms), _) => Arc::new(terms),
            // What counted until now goes on counting while Parameter Store is out of reach.
            (Err(error), Some((_, terms))) => {
                tracing::warn!(cause = error.cause(), "the shield's terms could not be read again");
                terms
            }
            (Err(error), None) => return Err(error),
        };
        *kept = Some((Instant::now(), Arc::clone(&terms)));
        Ok(terms)
    }

    /// Without a parameter there is no distribution yet, and every call is direct.
    async fn read(&self) -> Result<Terms> {
        let read = tokio::time::timeout(PATIENCE, self.parameters.parameter(&self.name)).await;
        let failed = |what: &str| BeakError::Unavailable(format!("reading {}: {what}", self.name));
        let Some(text) = read.map_err(|_| failed("no answer in time"))?? else {
            return Ok(Terms::default());
        };
        serde_json::from_str(&text).map_err(|_| failed("not understood"))
    }
}

/// Secret and viewer, taken out so that nothing further in can show them.
fn taken(headers: &mut HeaderMap) -> (Option<HeaderValue>, Option<IpAddr>) {
    let secret = headers.remove(SECRET);
    let viewer = headers.remove(VIEWER);
    let address = viewer.as_ref().and_then(|viewer| viewer.to_str().ok()?.parse().ok());
    (secret, address)
}
