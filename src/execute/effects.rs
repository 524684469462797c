//! The effects beside the stacks: code, secret, pages and the record of the release.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use galaxy_sites::{Site, SiteConfig};
use tokio::task::JoinSet;

use super::Job;
use crate::catalog;
use crate::failure::Failure;
use crate::model::{Place, Secret, Stack};
use crate::plan::Action;
use crate::ports::Object;
use crate::site::{self, Manifest};

/// How many objects are stored at the same time.
const UPLOADS: usize = 16;

pub(super) async fn store_code(job: &Job, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let (code, bytes) =
        job.code.as_ref().ok_or_else(|| Failure::bug("there is no Lambda code to store"))?;
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    if job.world.assets.has(Place::Home, &bucket, &code.key()).await? {
        return Ok(false);
    }
    let object = Object {
        key: code.key(),
        bytes: bytes.to_vec(),
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
    job.world.secrets.remove(&catalog::turnstile_path(name)).await?;
    Ok(true)
}

/// Puts a site's files into its bucket, all but the one that knows addresses.
pub(super) async fn publish(job: &Job, site: Site, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let bucket = job.output(Stack::Site(site), "BucketName")?;
    // Addresses are not known yet; they only stand in the file that is left out here.
    let config = SiteConfig { api_base: String::new(), ..site_config(job, BTreeMap::new()) };
    let objects = site::objects(site, &config)?;
    let (pages, others): (Vec<_>, Vec<_>) = objects
        .into_iter()
        .filter(|object| object.key != site::CONFIG_KEY)
        .partition(|object| object.content_type.starts_with("text/html"));
    for batch in [others, pages] {
        write_all(job, &bucket, batch).await?;
    }
    Ok(true)
}

async fn write_all(job: &Job, bucket: &str, objects: Vec<Object>) -> Result<(), Failure> {
    let mut running = JoinSet::new();
    for object in objects {
        if running.len() >= UPLOADS {
            joined(running.join_next().await)?;
        }
        let (assets, bucket) = (Arc::clone(&job.world.assets), bucket.to_owned());
        running.spawn(async move { assets.write(Place::Edge, &bucket, &object).await });
    }
    while let Some(result) = running.join_next().await {
        joined(Some(result))?;
    }
    Ok(())
}

fn joined(
    result: Option<Result<Result<(), Failure>, tokio::task::JoinError>>,
) -> Result<(), Failure> {
    match result {
        None => Ok(()),
        Some(Ok(result)) => result,
        Some(Err(error)) => Err(Failure::bug("an upload broke off").cause(error.to_string())),
    }
}

/// What every site is told, from what the stacks told.
pub(crate) fn known_site_config(job: &Job) -> Result<SiteConfig, Failure> {
    let mut addresses = BTreeMap::new();
    for site in Site::ALL {
        let domain = job.output(Stack::Site(site), "DistributionDomain")?;
        addresses.insert(site.name().to_owned(), format!("https://{domain}"));
    }
    let api_base = job.output(Stack::Api, "ApiBaseUrl")?;
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

/// Tells the function on which hosts a captcha may have been solved: those of the sites.
async fn tell_hostnames(job: &Job, config: &SiteConfig) -> Result<(), Failure> {
    let host = |address: &String| address.trim_start_matches("https://").to_owned();
    let hosts: Vec<String> = config.sites.values().map(host).collect();
    let wanted = Secret::new(hosts.join(","));
    let path = catalog::hostnames_path(&job.facts.config.name);
    if job.world.secrets.read(&path).await?.as_ref() != Some(&wanted) {
        job.world.secrets.write(&path, &wanted).await?;
    }
    Ok(())
}

/// Tells the sites all addresses, clears what is left of earlier releases and writes down what
/// is installed. The record comes last: it is true only when all else is.
pub(super) async fn release(job: &Job, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let config = known_site_config(job)?;
    tell_hostnames(job, &config).await?;
    let artifacts = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let assets = &job.world.assets;
    let before = assets.read(Place::Home, &artifacts, site::MANIFEST_KEY).await?;
    let before = before.as_deref().and_then(Manifest::parse);
    let mut sites = BTreeMap::new();
    for site in Site::ALL {
        let digest = site::digest(site, &config)?;
        if before.as_ref().is_none_or(|b| b.sites.get(site.name()) != Some(&digest)) {
            refresh(job, site, &config, before.is_some()).await?;
        }
        sites.insert(site.name().to_owned(), digest);
    }
    let code = job.facts.code.as_ref().map(|code| code.sha256.clone()).unwrap_or_default();
    let manifest = Manifest { version: 1, release: job.facts.release.clone(), code, sites };
    assets.write(Place::Home, &artifacts, &manifest.to_object()?).await?;
    Ok(true)
}

async fn refresh(job: &Job, site: Site, config: &SiteConfig, again: bool) -> Result<(), Failure> {
    let assets = &job.world.assets;
    let bucket = job.output(Stack::Site(site), "BucketName")?;
    let objects = site::objects(site, config)?;
    let wanted: BTreeSet<&str> = objects.iter().map(|object| object.key.as_str()).collect();
    if let Some(object) = objects.iter().find(|object| object.key == site::CONFIG_KEY) {
        assets.write(Place::Edge, &bucket, object).await?;
    }
    let keys = assets.keys(Place::Edge, &bucket).await?;
    let stale: Vec<String> =
        keys.into_iter().filter(|key| !wanted.contains(key.as_str())).collect();
    if !stale.is_empty() {
        assets.remove(Place::Edge, &bucket, &stale).await?;
    }
    if again {
        let distribution = job.output(Stack::Site(site), "DistributionId")?;
        assets.invalidate(&distribution, &site::digest(site, config)?).await?;
    }
    Ok(())
}
