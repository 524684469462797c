//! What was stored, for later comparisons: when each page was last written, and a fingerprint of
//! Turnstile's secret. Kept in the artifact bucket.
//!
//! A listing has content and time, not headers. A change of headers rewrites the object, so one
//! that was not written since has the headers that it was given. Times have whole seconds: a
//! change in the second of our own write would go unseen. See ADR 18.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;
use crate::model::{Place, Secret};
use crate::ports::{Assets, Object};
use crate::render::hex;

/// Path → when the page was last written, in seconds since 1970 by S3's clock.
pub type Times = BTreeMap<String, i64>;

/// Where the times of a site's pages are.
#[must_use]
pub fn times_key(site: &str) -> String {
    format!("drift/pages/{site}.json")
}

/// Where the fingerprint of Turnstile's secret is.
const SECRET_KEY: &str = "drift/turnstile-secret.json";

/// Reads the times of a site's pages. What can't be read counts as nothing: pages are then looked
/// at one by one.
pub async fn times(assets: &dyn Assets, artifacts: &str, site: &str) -> Result<Times, Failure> {
    let bytes = assets.read(Place::Home, artifacts, &times_key(site)).await?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
}

/// Writes the times of a site's pages.
pub async fn remember(
    assets: &dyn Assets,
    artifacts: &str,
    site: &str,
    times: &Times,
) -> Result<(), Failure> {
    write(assets, artifacts, &times_key(site), times).await
}

/// A fingerprint of a secret. Turnstile's secrets are random, so a plain digest gives nothing
/// away; the bucket's name makes it another one in every galaxy.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Fingerprint {
    sha256: String,
}

impl Fingerprint {
    fn of(artifacts: &str, secret: &Secret) -> Self {
        let mut hash = Sha256::new();
        for part in ["spaceduck turnstile", artifacts, secret.expose()] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        Self { sha256: hex(&hash.finalize()) }
    }
}

/// Writes down which secret was stored.
pub async fn remember_secret(
    assets: &dyn Assets,
    artifacts: &str,
    secret: &Secret,
) -> Result<(), Failure> {
    write(assets, artifacts, SECRET_KEY, &Fingerprint::of(artifacts, secret)).await
}

/// Whether this is the secret that was stored last; nothing where none was written down.
pub async fn is_known_secret(
    assets: &dyn Assets,
    artifacts: &str,
    secret: &Secret,
) -> Result<Option<bool>, Failure> {
    let bytes = assets.read(Place::Home, artifacts, SECRET_KEY).await?;
    let known = bytes.and_then(|bytes| serde_json::from_slice::<Fingerprint>(&bytes).ok());
    Ok(known.map(|known| known == Fingerprint::of(artifacts, secret)))
}

async fn write<T: Serialize>(
    assets: &dyn Assets,
    artifacts: &str,
    key: &str,
    what: &T,
) -> Result<(), Failure> {
    let bytes = serde_json::to_vec(what)
        .map_err(|error| Failure::bug("a note about what was stored").cause(error.to_string()))?;
    let object = Object {
        key: key.to_owned(),
        bytes: bytes.into(),
        content_type: "application/json".into(),
        cache_control: "no-store".into(),
    };
    assets.write(Place::Home, artifacts, &object).await
}
