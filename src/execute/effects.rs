//! The effects beside the stacks: code, secret, pages and the record of the release.

use std::collections::BTreeMap;

use bytes::Bytes;
use galaxy_sites::{Site, SiteConfig};

use super::domains::site_hosts;
use super::{Job, Pages, domains, shield, stacks};
use crate::catalog;
use crate::failure::Failure;
use crate::model::{Front, Place, Stack};
use crate::plan::Action;
use crate::ports::Object;
use crate::release;
use crate::site;

mod contents;
mod publish;
mod rank;
mod restore;
mod stored;

pub(super) use publish::{publish, release};
pub(super) use restore::{record_anew, restore};

pub(super) async fn store_code(job: &Job, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let (code, bytes) =
        job.code.as_ref().ok_or_else(|| Failure::bug("there is no Lambda code to store"))?;
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let there = job.world.assets.look(Place::Home, &bucket, &code.key()).await?;
    if there.is_some_and(|there| there.sha256.as_ref() == Some(&code.sha256)) {
        return Ok(false);
    }
    let object = Object {
        key: code.key(),
        bytes: Bytes::copy_from_slice(bytes),
        content_type: "application/zip".into(),
        cache_control: "no-store".into(),
    };
    job.world.assets.write(Place::Home, &bucket, &object).await?;
    Ok(true)
}

pub(super) async fn store_secret(job: &Job, action: &Action) -> Result<bool, Failure> {
    match (&job.secret, action) {
        (Some(secret), Action::Create | Action::Update) => {
            let path = catalog::turnstile_path(&job.facts.config.name);
            // The fingerprint first: a run that is cut off in between stores the secret next time,
            // and would not know of a fingerprint that is missing.
            let artifacts = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
            let assets = job.world.assets.as_ref();
            crate::stored::remember_secret(assets, &artifacts, secret).await?;
            job.world.secrets.write(&path, secret).await?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

pub(super) async fn remove_secret(job: &Job, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let name = &job.facts.config.name;
    job.world.secrets.remove(&catalog::hostnames_path(name)).await?;
    job.world.notes.remove(&catalog::mail_path(name)).await?;
    job.world.secrets.remove(&catalog::turnstile_path(name)).await?;
    Ok(true)
}

/// The digest of a site's files, from wherever this release has them.
pub(crate) fn digest(job: &Job, site: Site, config: &SiteConfig) -> Result<String, Failure> {
    match &job.pages {
        Pages::Program => Ok(site::digest(&(job.files)(site, config)?)),
        Pages::Record(manifest) => {
            let record = manifest.sites.get(site.name());
            Ok(record.map(|record| record.digest.clone()).unwrap_or_default())
        }
    }
}

/// The name of the release that is being installed.
pub(crate) fn release_id(job: &Job, config: &SiteConfig) -> Result<String, Failure> {
    if let Pages::Record(manifest) = &job.pages {
        return Ok(manifest.id.clone());
    }
    let mut sites = BTreeMap::new();
    for site in Site::ALL {
        sites.insert(site.name().to_owned(), digest(job, site, config)?);
    }
    let code = job.facts.code.as_ref().map_or("", |code| code.sha256.as_str());
    let template = job.rendered.get(&Stack::Api).map_or("", |rendered| rendered.digest.as_str());
    Ok(release::id(&job.facts.release, code, template, &sites))
}

/// Writes down where a rollback goes.
pub(super) async fn begin_back(job: &Job) -> Result<bool, Failure> {
    let Pages::Record(manifest) = &job.pages else { return Ok(false) };
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let object = Object {
        key: release::intent_key(job.world.fence.number()),
        bytes: manifest.id.clone().into(),
        content_type: "text/plain".into(),
        cache_control: "no-store".into(),
    };
    job.world.assets.write(Place::Home, &bucket, &object).await?;
    Ok(true)
}

/// Removes what this rollback and those before it have written about that.
pub(super) async fn end_back(job: &Job) -> Result<bool, Failure> {
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let mut keys = job.world.assets.keys(Place::Home, &bucket).await?;
    let ours = job.world.fence.number().unwrap_or(u64::MAX);
    keys.retain(|key| release::intent_lock(key).is_some_and(|lock| lock <= ours));
    if !keys.is_empty() {
        job.world.assets.remove(Place::Home, &bucket, &keys).await?;
    }
    Ok(true)
}

/// Switches callers to the function version of the release that is rolled back to. Where that
/// version no longer exists, or runs with a user pool or key that has been replaced since, the
/// stack publishes another one a little later.
pub(super) async fn point_back(job: &Job) -> Result<bool, Failure> {
    let Pages::Record(manifest) = &job.pages else { return Ok(false) };
    let known = manifest.version_id.as_ref();
    if known.is_some_and(|known| stacks::version_id(job).is_some_and(|now| now != *known)) {
        return Ok(false);
    }
    let function = job.output(Stack::Api, "FunctionName")?;
    job.world.functions.point(&function, &manifest.function_version).await
}

/// Every site's `config.json`, from the stacks' outputs.
pub(crate) fn known_site_config(job: &Job) -> Result<SiteConfig, Failure> {
    let mut addresses = BTreeMap::new();
    for site in Site::ALL {
        let domain = job.output(Stack::Site(site), "DistributionDomain")?;
        let domain = domains::told(job, Front::Site(site)).unwrap_or(domain);
        addresses.insert(site.name().to_owned(), format!("https://{domain}"));
    }
    let api_base = job.output(Stack::Api, "ApiBaseUrl")?;
    let own = domains::told(job, Front::Api).map(|domain| format!("https://{domain}/prod"));
    let api_base = shield::base(job)?.or(own).unwrap_or(api_base);
    Ok(SiteConfig { api_base, ..site_config(job, addresses) })
}

fn site_config(job: &Job, sites: BTreeMap<String, String>) -> SiteConfig {
    let config = &job.facts.config;
    SiteConfig {
        galaxy: config.name.to_string(),
        version: beak_local::GALAXY_VERSION.to_owned(),
        api_base: String::new(),
        turnstile_site_key: config.turnstile_site_key.clone(),
        sites,
        outbox: None,
    }
}

/// Gives the function the hosts on which a captcha may have been solved.
async fn tell_hostnames(job: &Job) -> Result<(), Failure> {
    let wanted = site_hosts(job)?;
    let path = catalog::hostnames_path(&job.facts.config.name);
    if job.world.secrets.read(&path).await?.as_ref() != Some(&wanted) {
        job.world.secrets.write(&path, &wanted).await?;
    }
    Ok(())
}
