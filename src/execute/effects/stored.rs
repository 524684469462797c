//! What was stored, and when: pages of a site, and what a roll-back needs.

use std::collections::BTreeSet;

use galaxy_sites::Site;

use super::super::Job;
use crate::failure::Failure;
use crate::model::{Place, Stack};
use crate::release::{self, Manifest};
use crate::render::DIGEST_OUTPUT;
use crate::stored;

/// Lists a site's bucket and notes the times of the pages that were just written. All other times
/// stay as they were: those pages may have been rewritten by someone else since.
pub(super) async fn remember(
    job: &Job,
    site: Site,
    written: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let assets = job.world.assets.as_ref();
    let artifacts = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let bucket = job.output(Stack::Site(site), "BucketName")?;
    let mut times = stored::times(assets, &artifacts, site.name()).await?;
    let there = assets.listing(Place::Edge, &bucket).await?.unwrap_or_default();
    times.retain(|path, _| there.contains_key(path));
    let now = there.into_iter().filter(|(path, _)| written(path));
    times.extend(now.map(|(path, listed)| (path, listed.modified)));
    stored::remember(assets, &artifacts, site.name(), &times).await
}

/// The objects in the artifact bucket that a rollback needs and that are unchanged: each key is the
/// digest of its content.
pub(super) async fn sound(
    job: &Job,
    artifacts: &str,
    manifest: &Manifest,
) -> Result<BTreeSet<String>, Failure> {
    let mut keys = BTreeSet::from([release::blob_key(&manifest.template)]);
    let files = manifest.sites.values().flat_map(|site| site.files.values());
    keys.extend(files.map(|file| manifest.keeper(&file.sha256)));
    let mut sound = BTreeSet::new();
    for key in keys {
        let there = job.world.assets.look(Place::Home, artifacts, &key).await?;
        if there.is_some_and(|there| there.sha256.as_deref() == key.split('/').nth(1)) {
            sound.insert(key);
        }
    }
    Ok(sound)
}

/// Stores the API's template again, if the stack still has it. Its text is not the recorded one:
/// the stack's names the function's version. Both have the same digest as an output.
pub(super) async fn template_anew(
    job: &Job,
    artifacts: &str,
    manifest: &mut Manifest,
) -> Result<(), Failure> {
    let stack = Stack::Api;
    let name = stack.name(&job.facts.config.name);
    let seen = job.world.stacks.find(stack.place(), &name).await?;
    let digest = seen.and_then(|seen| seen.outputs.get(DIGEST_OUTPUT).cloned());
    if digest.as_ref() != Some(&manifest.template_digest) {
        return Ok(());
    }
    let body = job.world.stacks.template(stack.place(), &name).await?;
    let blob = release::blob(body.into_bytes());
    manifest.template = release::file(&blob).sha256;
    job.world.assets.write(Place::Home, artifacts, &blob).await
}
