//! Putting pages and record back as they were installed.

use std::collections::BTreeSet;

use galaxy_sites::Site;

use super::super::{Job, Pages};
use super::contents::Wanted;
use super::publish::{put, turn};
use super::rank::point_to;
use super::stored;
use super::{known_site_config, tell_hostnames};
use crate::failure::Failure;
use crate::model::{Place, Stack};
use crate::publish::Files;
use crate::release;

/// Puts a site's files back as the installed release has them: all of them, since a listing does
/// not tell headers, and takes away what does not belong there.
pub(in crate::execute) async fn restore(job: &Job, site: Site) -> Result<bool, Failure> {
    let config = known_site_config(job)?;
    let wanted = Wanted::of(job, site, &config)?;
    wanted.verify(job).await?;
    let bucket = job.output(Stack::Site(site), "BucketName")?;
    put(job, &bucket, &wanted, wanted.files.keys().cloned().collect()).await?;
    let kept: BTreeSet<String> = match &job.pages {
        Pages::Record(manifest) => {
            let record = manifest.sites.get(site.name());
            record.into_iter().flat_map(|record| record.kept.iter().cloned()).collect()
        }
        Pages::Program => BTreeSet::new(),
    };
    let keys = job.world.assets.keys(Place::Edge, &bucket).await?;
    let belongs = |key: &String| wanted.files.contains_key(key) || kept.contains(key);
    let strange: Vec<String> = keys.into_iter().filter(|key| !belongs(key)).collect();
    if !strange.is_empty() {
        job.world.assets.remove(Place::Edge, &bucket, &strange).await?;
    }
    stored::remember(job, site, |path| wanted.files.contains_key(path)).await?;
    turn(job, site, vec!["/*".to_owned()]).await?;
    Ok(true)
}

/// Restores what a rollback needs and gives the function the sites' hosts, where either was lost.
pub(in crate::execute) async fn record_anew(job: &Job) -> Result<bool, Failure> {
    tell_hostnames(job).await?;
    let Pages::Record(manifest) = &job.pages else { return Ok(true) };
    let mut manifest = (**manifest).clone();
    let artifacts = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let assets = &job.world.assets;
    let (before, mut seen) = release::current_tagged(assets.as_ref(), &artifacts).await?;
    manifest.history = before.and_then(|before| before.history).or(manifest.history);
    let stored = stored::sound(job, &artifacts, &manifest).await?;
    if !stored.contains(&release::blob_key(&manifest.template)) {
        stored::template_anew(job, &artifacts, &mut manifest).await?;
    }
    let mut found: BTreeSet<String> = BTreeSet::new();
    for (name, record) in manifest.sites.clone() {
        let Some(site) = Site::parse(&name) else { continue };
        // Files that the record has lost are still in the sites' buckets.
        let is_lost = |sha256: &String| !stored.contains(&manifest.keeper(sha256));
        let lost = record.files.into_iter().filter(|(_, file)| is_lost(&file.sha256));
        let lost: Files = lost.filter(|(_, file)| found.insert(file.sha256.clone())).collect();
        let lost = read_back(job, site, &lost).await?;
        if lost.is_empty() {
            continue;
        }
        let all: Vec<(&str, &[u8])> =
            lost.iter().map(|(sha256, bytes)| (sha256.as_str(), bytes.as_slice())).collect();
        let (pack, spots) = release::pack(&all);
        assets.write(Place::Home, &artifacts, &pack).await?;
        manifest.contents.extend(spots);
    }
    point_to(job, &artifacts, &manifest, &mut seen).await?;
    Ok(true)
}

/// The contents of these files as a site's bucket has them, where they are still those.
async fn read_back(
    job: &Job,
    site: Site,
    files: &Files,
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut found = Vec::new();
    for (path, file) in files {
        let bucket = job.output(Stack::Site(site), "BucketName")?;
        if let Some(bytes) = job.world.assets.read(Place::Edge, &bucket, path).await?
            && release::blob(bytes.clone()).key == release::blob_key(&file.sha256)
        {
            found.push((file.sha256.clone(), bytes));
        }
    }
    Ok(found)
}
