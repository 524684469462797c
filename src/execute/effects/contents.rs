//! The files that a site is to hold: from this program, or from the record of a release.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use galaxy_sites::{Site, SiteConfig};

use super::super::{Job, Pages};
use crate::failure::{Failure, Kind};
use crate::model::Stack;
use crate::ports::Object;
use crate::publish::Files;
use crate::release::{self, Manifest};

/// What a site is to hold.
pub(super) struct Wanted {
    pub(super) files: Files,
    contents: Contents,
}

/// Where the contents are.
enum Contents {
    Here(BTreeMap<String, Object>),
    Kept(Box<Manifest>),
}

impl Wanted {
    /// The files of a site, from wherever this release has them.
    pub(super) fn of(job: &Job, site: Site, config: &SiteConfig) -> Result<Self, Failure> {
        match &job.pages {
            Pages::Program => {
                let objects = (job.files)(site, config)?;
                let files = objects.iter().map(|o| (o.key.clone(), release::file(o))).collect();
                let objects = objects.into_iter().map(|object| (object.key.clone(), object));
                Ok(Self { files, contents: Contents::Here(objects.collect()) })
            }
            Pages::Record(manifest) => {
                let record = manifest.sites.get(site.name());
                let files = record.map(|record| record.files.clone()).unwrap_or_default();
                Ok(Self { files, contents: Contents::Kept(manifest.clone()) })
            }
        }
    }

    /// Some of the files as objects.
    pub(super) async fn objects(
        &self,
        job: &Job,
        paths: &[String],
    ) -> Result<Vec<Object>, Failure> {
        match &self.contents {
            Contents::Here(objects) => {
                Ok(paths.iter().filter_map(|path| objects.get(path)).cloned().collect())
            }
            Contents::Kept(manifest) => self.unpack(job, manifest, paths).await,
        }
    }

    /// Refuses unless everything is there that these files are made of.
    pub(super) async fn verify(&self, job: &Job) -> Result<(), Failure> {
        let Contents::Kept(manifest) = &self.contents else { return Ok(()) };
        let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
        let assets = job.world.assets.as_ref();
        let damaged = release::damage_of(assets, &bucket, manifest, self.files.values()).await?;
        match damaged.first() {
            Some(damage) => Err(damage.to_failure(&manifest.id, &bucket)),
            None => Ok(()),
        }
    }

    /// The contents of this program that no pack has yet.
    pub(super) fn new_contents(&self, known: &BTreeSet<String>) -> Vec<(&str, &[u8])> {
        let Contents::Here(objects) = &self.contents else { return Vec::new() };
        let mut seen = BTreeSet::new();
        let new = self
            .files
            .iter()
            .filter(|(_, file)| !known.contains(&file.sha256) && seen.insert(file.sha256.as_str()));
        let with = new.filter_map(|(path, file)| {
            objects.get(path).map(|object| (file.sha256.as_str(), object.bytes.as_ref()))
        });
        with.collect()
    }

    async fn unpack(
        &self,
        job: &Job,
        manifest: &Manifest,
        paths: &[String],
    ) -> Result<Vec<Object>, Failure> {
        let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
        let mut by_keeper: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        for path in paths {
            if let Some(file) = self.files.get(path) {
                by_keeper.entry(manifest.keeper(&file.sha256)).or_default().push(path);
            }
        }
        let mut objects = Vec::new();
        for (key, paths) in by_keeper {
            let digest = key.rsplit('/').next().unwrap_or_default();
            let assets = job.world.assets.as_ref();
            let kept = release::read_verified(assets, &bucket, &key, digest).await?;
            let kept = kept.map_err(|damage| damage.to_failure(&manifest.id, &bucket))?;
            for path in paths {
                let Some(file) = self.files.get(path) else { continue };
                let bytes = match manifest.contents.get(&file.sha256) {
                    Some(spot) => spot.of(&kept),
                    None => Some(kept.as_slice()),
                };
                // The pack is whole, so only a record that names another place in it gets here.
                let bytes = bytes.filter(|bytes| release::is_intact(bytes, &file.sha256));
                let bytes = bytes.ok_or_else(|| {
                    Failure::new(
                        Kind::Refused,
                        format!("the record `{}` is damaged", manifest.key()),
                    )
                    .cause(format!("what it names in `{bucket}/{key}` is not `{path}`"))
                    .help("`spaceduck rollback --list` shows the complete releases")
                })?;
                objects.push(Object {
                    key: path.clone(),
                    bytes: Bytes::copy_from_slice(bytes),
                    content_type: file.content_type.clone(),
                    cache_control: file.cache_control.clone(),
                });
            }
        }
        Ok(objects)
    }
}
