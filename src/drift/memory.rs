//! What a look remembers in the artifact bucket: the findings of the last one, and those that a
//! person decided to keep.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Finding, State, artifacts};
use crate::execute::Job;
use crate::failure::{Failure, Kind};
use crate::model::Place;
use crate::ports::Object;

/// Where the findings of the last look are kept.
const LAST_KEY: &str = "drift/last.json";
/// Where the findings that a person decided to keep are written down.
const KEPT_KEY: &str = "drift/kept.json";

/// A finding in words, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Told {
    /// Its item.
    pub item: String,
    /// What is wrong with it.
    pub state: State,
    /// The actual and the expected state.
    pub detail: String,
}

impl Told {
    /// The words of a finding.
    #[must_use]
    pub fn of(finding: &Finding) -> Self {
        Self { item: finding.item(), state: finding.state(), detail: finding.detail.clone() }
    }
}

/// What was found that was not there at the last look, and what was there and no longer is. Then
/// remembers this look.
pub async fn since_last(
    job: &Job,
    found: &[Finding],
) -> Result<(Vec<Finding>, Vec<Told>), Failure> {
    let last: Vec<Told> = read(job, LAST_KEY).await?;
    let now: Vec<Told> = found.iter().map(Told::of).collect();
    let new = found.iter().filter(|one| !last.contains(&Told::of(one))).cloned().collect();
    let gone = last.into_iter().filter(|one| !now.contains(one)).collect();
    write(job, LAST_KEY, &now).await?;
    Ok((new, gone))
}

/// Marks the findings that a person decided to keep. One whose detail has changed since is drift
/// again.
pub async fn mark_kept(job: &Job, found: &mut [Finding]) -> Result<(), Failure> {
    let kept: Vec<Told> = read(job, KEPT_KEY).await?;
    for one in found.iter_mut() {
        one.kept = kept.contains(&Told::of(one));
    }
    Ok(())
}

/// Stores that findings are accepted, by their exact items. Changes nothing if one of the items is
/// no finding.
pub async fn keep(job: &Job, found: &[Finding], items: &[String]) -> Result<(), Failure> {
    let mut kept: Vec<Told> = read(job, KEPT_KEY).await?;
    let all: Vec<Told> = found.iter().map(Told::of).collect();
    // What is no longer found needs no note.
    kept.retain(|one| all.contains(one));
    for item in items {
        let mut named = all.iter().filter(|one| one.item == *item).peekable();
        if named.peek().is_none() {
            let message = format!("no finding is called `{item}`; nothing was changed");
            return Err(Failure::new(Kind::Input, message)
                .help("`spaceduck drift` lists the findings: --keep takes whole names"));
        }
        kept.extend(named.cloned());
    }
    kept.sort();
    kept.dedup();
    write(job, KEPT_KEY, &kept).await
}

/// A list that cannot be read counts as empty: it only remembers.
async fn read<T: DeserializeOwned>(job: &Job, key: &str) -> Result<Vec<T>, Failure> {
    let Some(bucket) = artifacts(job) else { return Ok(Vec::new()) };
    let bytes = job.world.assets.read(Place::Home, &bucket, key).await?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
}

async fn write<T: Serialize>(job: &Job, key: &str, all: &[T]) -> Result<(), Failure> {
    let missing = || {
        Failure::new(Kind::Refused, "there is no artifact bucket to remember it in")
            .help("`spaceduck repair` brings the bucket back")
    };
    let bucket = artifacts(job).ok_or_else(missing)?;
    if !job.world.assets.has_bucket(Place::Home, &bucket).await? {
        return Err(missing());
    }
    let bytes = serde_json::to_vec_pretty(all)
        .map_err(|error| Failure::bug("the findings").cause(error.to_string()))?;
    let object = Object {
        key: key.into(),
        bytes: bytes.into(),
        content_type: "application/json".into(),
        cache_control: "no-store".into(),
    };
    // A look needs no lock: this only remembers what it found, or what is kept on purpose.
    job.world.unfenced().assets.write(Place::Home, &bucket, &object).await
}
