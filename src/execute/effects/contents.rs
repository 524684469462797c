//! The files that a site is to hold: from this program, or from the record of a release.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use galaxy_sites::{Site, SiteConfig};

use super::super::{Job, Pages};
use crate::failure::{Failure, Kind};
use crate::model::{Place, Stack};
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
            let pack = job.world.assets.read(Place::Home, &bucket, &key).await?;
            for path in paths {
                let Some(file) = self.files.get(path) else { continue };
                let bytes = match manifest.contents.get(&file.sha256) {
                    Some(spot) => pack.as_deref().and_then(|pack| spot.of(pack)),
                    None => pack.as_deref(),
                };
                let bytes = bytes.ok_or_else(|| {
                    let message = format!("the release `{}` is no longer whole", manifest.id);
                    Failure::new(Kind::Refused, message)
                        .cause(format!("there is no `{path}` in `{bucket}/{key}`"))
                        .help("go back to another release, or `spaceduck install`")
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
