//! The effects beside the stacks: code, secret, pages and the record of the release.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use galaxy_sites::{Site, SiteConfig};
use tokio::task::JoinSet;

use super::{Job, Pages};
use crate::catalog;
use crate::failure::{Failure, Kind};
use crate::model::{Place, Secret, Stack};
use crate::plan::Action;
use crate::ports::Object;
use crate::release::{self, Manifest, SiteRecord};
use crate::site;

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
    job.world.notes.remove(&catalog::mail_path(name)).await?;
    job.world.secrets.remove(&catalog::turnstile_path(name)).await?;
    Ok(true)
}

/// Puts a site's files into its bucket, all but the two that tell addresses.
pub(super) async fn publish(job: &Job, site: Site, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let bucket = job.output(Stack::Site(site), "BucketName")?;
    // Addresses are not known yet; they only stand in the file that is left out here.
    let config = SiteConfig { api_base: String::new(), ..site_config(job, BTreeMap::new()) };
    let objects = objects(job, site, &config).await?;
    let (pages, others): (Vec<_>, Vec<_>) = objects
        .into_iter()
        .filter(|object| !galaxy_sites::tells_addresses(&object.key))
        .partition(|object| object.content_type.starts_with("text/html"));
    for batch in [others, pages] {
        write_all(job, Place::Edge, &bucket, batch).await?;
    }
    Ok(true)
}

async fn write_all(
    job: &Job,
    place: Place,
    bucket: &str,
    objects: Vec<Object>,
) -> Result<(), Failure> {
    let mut running = JoinSet::new();
    for object in objects {
        if running.len() >= UPLOADS {
            joined(running.join_next().await)?;
        }
        let (assets, bucket) = (Arc::clone(&job.world.assets), bucket.to_owned());
        running.spawn(async move { assets.write(place, &bucket, &object).await });
    }
    while let Some(result) = running.join_next().await {
        joined(Some(result))?;
    }
    Ok(())
}

/// The files of a site, from wherever this release has them.
async fn objects(job: &Job, site: Site, config: &SiteConfig) -> Result<Vec<Object>, Failure> {
    let Pages::Record(manifest) = &job.pages else { return (job.files)(site, config) };
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let record = manifest.sites.get(site.name());
    let mut objects = Vec::new();
    for (path, file) in record.iter().flat_map(|record| &record.files) {
        let key = release::blob_key(&file.sha256);
        let bytes = job.world.assets.read(Place::Home, &bucket, &key).await?.ok_or_else(|| {
            let message = format!("the release `{}` is no longer whole", manifest.id);
            Failure::new(Kind::Refused, message)
                .cause(format!(
                    "there is no `{bucket}/{key}`, which is `{path}` of {}",
                    site.name()
                ))
                .help("go back to another release, or `spaceduck install`")
        })?;
        objects.push(Object {
            key: path.clone(),
            bytes,
            content_type: file.content_type.clone(),
            cache_control: file.cache_control.clone(),
        });
    }
    Ok(objects)
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

/// Writes down where a roll-back goes.
pub(super) async fn begin_back(job: &Job) -> Result<bool, Failure> {
    let Pages::Record(manifest) = &job.pages else { return Ok(false) };
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let object = Object {
        key: release::INTENT_KEY.into(),
        bytes: manifest.id.clone().into_bytes(),
        content_type: "text/plain".into(),
        cache_control: "no-store".into(),
    };
    job.world.assets.write(Place::Home, &bucket, &object).await?;
    Ok(true)
}

/// Forgets it again.
pub(super) async fn end_back(job: &Job) -> Result<bool, Failure> {
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    job.world.assets.remove(Place::Home, &bucket, &[release::INTENT_KEY.to_owned()]).await?;
    Ok(true)
}

/// Gives callers the function's version of the release that is gone back to. Where that version
/// is no longer there, the stack makes it anew a little later.
pub(super) async fn point_back(job: &Job) -> Result<bool, Failure> {
    let Pages::Record(manifest) = &job.pages else { return Ok(false) };
    let function = job.output(Stack::Api, "FunctionName")?;
    job.world.functions.point(&function, &manifest.function_version).await
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

/// On which hosts a captcha may have been solved: those of the sites.
pub(crate) fn site_hosts(config: &SiteConfig) -> Secret {
    let host = |address: &String| address.trim_start_matches("https://").to_owned();
    let hosts: Vec<String> = config.sites.values().map(host).collect();
    Secret::new(hosts.join(","))
}

/// Tells the function on which hosts a captcha may have been solved.
async fn tell_hostnames(job: &Job, config: &SiteConfig) -> Result<(), Failure> {
    let wanted = site_hosts(config);
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
    let before = assets.read(Place::Home, &artifacts, release::CURRENT_KEY).await?;
    let before = before.as_deref().and_then(Manifest::parse);
    let stored: BTreeSet<String> =
        assets.keys(Place::Home, &artifacts).await?.into_iter().collect();
    if job.pages == Pages::Program && stored.contains(release::INTENT_KEY) {
        // Whoever installs has given up going back.
        end_back(job).await?;
    }
    let mut sites = BTreeMap::new();
    for site in Site::ALL {
        let digest = digest(job, site, &config)?;
        let objects = objects(job, site, &config).await?;
        let known = before.as_ref().and_then(|before| before.sites.get(site.name()));
        if known.is_none_or(|known| known.digest != digest) {
            refresh(job, site, &objects, before.is_some()).await?;
        }
        let files = objects.iter().map(|o| (o.key.clone(), release::file(o))).collect();
        let blobs = objects.into_iter().map(|object| release::blob(object.bytes));
        let new = blobs.filter(|blob| !stored.contains(&blob.key)).collect();
        write_all(job, Place::Home, &artifacts, new).await?;
        sites.insert(site.name().to_owned(), SiteRecord { digest, files });
    }
    let manifest = manifest(job, release_id(job, &config)?, sites, before.as_ref())?;
    if let Some(rendered) = job.rendered.get(&Stack::Api) {
        let template = release::blob(rendered.body.clone().into_bytes());
        if !stored.contains(&template.key) {
            assets.write(Place::Home, &artifacts, &template).await?;
        }
    }
    for key in [manifest.key(), release::CURRENT_KEY.to_owned()] {
        assets.write(Place::Home, &artifacts, &manifest.to_object(&key)?).await?;
    }
    Ok(true)
}

/// Puts a site's files back as the installed release has them.
pub(super) async fn restore(job: &Job, site: Site) -> Result<bool, Failure> {
    let config = known_site_config(job)?;
    let objects = objects(job, site, &config).await?;
    let bucket = job.output(Stack::Site(site), "BucketName")?;
    write_all(job, Place::Edge, &bucket, objects.clone()).await?;
    refresh(job, site, &objects, true).await?;
    Ok(true)
}

/// Stores what a roll-back needs and tells the function the sites' hosts, where either was lost.
pub(super) async fn record_anew(job: &Job) -> Result<bool, Failure> {
    let config = known_site_config(job)?;
    tell_hostnames(job, &config).await?;
    let Pages::Record(manifest) = &job.pages else { return Ok(true) };
    let artifacts = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let assets = &job.world.assets;
    for key in [manifest.key(), release::CURRENT_KEY.to_owned()] {
        assets.write(Place::Home, &artifacts, &manifest.to_object(&key)?).await?;
    }
    // Pages that the record has lost are still in the sites' buckets.
    for (name, record) in &manifest.sites {
        let Some(site) = Site::parse(name) else { continue };
        let bucket = job.output(Stack::Site(site), "BucketName")?;
        for (path, file) in &record.files {
            if assets.has(Place::Home, &artifacts, &release::blob_key(&file.sha256)).await? {
                continue;
            }
            if let Some(bytes) = assets.read(Place::Edge, &bucket, path).await? {
                let blob = release::blob(bytes);
                if blob.key == release::blob_key(&file.sha256) {
                    assets.write(Place::Home, &artifacts, &blob).await?;
                }
            }
        }
    }
    Ok(true)
}

fn manifest(
    job: &Job,
    id: String,
    sites: BTreeMap<String, SiteRecord>,
    before: Option<&Manifest>,
) -> Result<Manifest, Failure> {
    let number = match before {
        Some(before) if before.id == id => before.number,
        Some(before) => before.number + 1,
        None => 1,
    };
    if let Pages::Record(manifest) = &job.pages {
        return Ok(Manifest { number, ..(**manifest).clone() });
    }
    let code = job.facts.code.as_ref().ok_or_else(|| Failure::bug("there is no Lambda code"))?;
    let rendered = job.rendered.get(&Stack::Api);
    let rendered = rendered.ok_or_else(|| Failure::bug("the API's template was not rendered"))?;
    let template = release::file(&release::blob(rendered.body.clone().into_bytes())).sha256;
    Ok(Manifest {
        version: 2,
        id,
        number,
        release: job.facts.release.clone(),
        code: code.sha256.clone(),
        architecture: code.architecture.to_owned(),
        function_version: job.output(Stack::Api, catalog::LIVE_VERSION)?,
        template,
        template_digest: rendered.digest.clone(),
        sites,
    })
}

/// Makes a site's bucket hold these objects and no others; where it held others before, the edge
/// has to forget them.
async fn refresh(job: &Job, site: Site, objects: &[Object], again: bool) -> Result<(), Failure> {
    let assets = &job.world.assets;
    let bucket = job.output(Stack::Site(site), "BucketName")?;
    let wanted: BTreeSet<&str> = objects.iter().map(|object| object.key.as_str()).collect();
    for object in objects.iter().filter(|o| galaxy_sites::tells_addresses(&o.key)) {
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
        // Another one each time: CloudFront does nothing for a reference that it has seen.
        let stamp = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
        assets.invalidate(&distribution, &format!("spaceduck-{stamp}")).await?;
    }
    Ok(())
}
