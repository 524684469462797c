//! The number of a release, its trail of earlier releases, and the manifest with both.

use std::collections::BTreeSet;

use super::super::{Job, Pages};
use crate::failure::{Failure, Kind};
use crate::model::Place;
use crate::release::{self, History, Manifest, Pointer};

/// A release among all others.
pub(super) struct Rank {
    pub(super) number: u64,
    pub(super) installed_at: Option<u64>,
    pub(super) history: History,
}

/// The artifact bucket as this run found it.
pub(super) struct Past<'a> {
    pub(super) artifacts: &'a str,
    /// Its keys.
    pub(super) stored: &'a BTreeSet<String>,
}

impl Past<'_> {
    /// The number that a release has or gets, and what leads back from it.
    pub(super) async fn rank(
        &self,
        job: &Job,
        before: Option<&Manifest>,
        id: &str,
    ) -> Result<Rank, Failure> {
        let now = job.world.clock.now();
        let Some(before) = before else {
            let history = History { last: 1, ..History::default() };
            return Ok(Rank { number: 1, installed_at: Some(now), history });
        };
        let history = match before.history.clone() {
            Some(history) => history,
            None => History::implied(&self.on_record(job).await?, before),
        };
        if let Pages::Record(manifest) = &job.pages {
            let (number, installed_at) = (manifest.number, manifest.installed_at);
            let history = history.rolled_back(before, id, now);
            return Ok(Rank { number, installed_at, history });
        }
        let mut history = history.installed(&before.id, id);
        let known = self.known(job, id).await?;
        let (number, installed_at) = known.map_or_else(
            || (history.last.max(before.number) + 1, Some(now)),
            |known| (known.number, known.installed_at),
        );
        history.last = history.last.max(number);
        Ok(Rank { number, installed_at, history })
    }

    /// The record of a release, if it was installed before.
    async fn known(&self, job: &Job, id: &str) -> Result<Option<Manifest>, Failure> {
        let key = release::key(id);
        if !self.stored.contains(&key) {
            return Ok(None);
        }
        let bytes = job.world.assets.read(Place::Home, self.artifacts, &key).await?;
        Ok(bytes.as_deref().and_then(Manifest::parse))
    }

    /// All records. Only read where an earlier version of this program wrote the pointer.
    async fn on_record(&self, job: &Job) -> Result<Vec<Manifest>, Failure> {
        let mut found = Vec::new();
        let is_record =
            |key: &&String| key.starts_with(release::PREFIX) && *key != release::CURRENT_KEY;
        for key in self.stored.iter().filter(is_record) {
            let bytes = job.world.assets.read(Place::Home, self.artifacts, key).await?;
            found.extend(bytes.as_deref().and_then(Manifest::parse));
        }
        Ok(found)
    }
}

/// Writes the record of a release, and then the pointer to it.
pub(super) async fn point_to(
    job: &Job,
    artifacts: &str,
    manifest: &Manifest,
    seen: &mut Option<String>,
) -> Result<(), Failure> {
    let assets = job.world.assets.as_ref();
    let record = manifest.to_object()?;
    // The record is named by what it says, apart from files that stay for a while.
    let there = assets.read_tagged(Place::Home, artifacts, &record.key).await?;
    if there.as_ref().is_none_or(|there| there.bytes != record.bytes) {
        let etag = there.map(|there| there.etag);
        let written = assets.replace(Place::Home, artifacts, &record, etag.as_deref()).await?;
        if written.is_none() {
            let message = format!("`{artifacts}/{}` was changed meanwhile", record.key);
            return Err(Failure::new(Kind::Settled, message)
                .cause("another program has written this record")
                .help("run `spaceduck status`, then the same command again"));
        }
    }
    let lock = job.world.fence.number();
    let pointer = Pointer { lock, ..Pointer::to(manifest) };
    release::point(assets, artifacts, &pointer, seen).await
}
