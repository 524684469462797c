//! Publishing: first what visitors can't see yet, then what they see, then the manifest of what is
//! installed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use galaxy_sites::{Site, SiteConfig};
use tokio::task::JoinSet;

use super::super::{Job, Pages, stacks};
use super::contents::Wanted;
use super::rank::{Past, Rank, point_to};
use super::stored;
use super::{digest, end_back, known_site_config, release_id, site_config, tell_hostnames};
use crate::catalog;
use crate::failure::Failure;
use crate::model::{Place, Stack};
use crate::plan::Action;
use crate::ports::{Object, Turn};
use crate::publish::{self, Changes};
use crate::release::{self, Manifest, Pointer, SiteRecord, Spot};

/// How many objects of a site are stored at the same time.
const UPLOADS: usize = 16;

/// Uploads what a site's visitors can't see yet: everything where nothing was published before,
/// else only what is new. What they see is replaced when the API is ready too.
pub(in crate::execute) async fn publish(
    job: &Job,
    site: Site,
    action: &Action,
) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let bucket = job.output(Stack::Site(site), "BucketName")?;
    // Addresses are not known yet; the files with addresses are left out here.
    let config = SiteConfig { api_base: String::new(), ..site_config(job, BTreeMap::new()) };
    let wanted = Wanted::of(job, site, &config)?;
    let before = current(job).await?;
    let known = before.as_ref().and_then(|before| before.sites.get(site.name()));
    let mut paths: Vec<String> = match known {
        Some(known) => {
            let there = job.world.assets.list(Place::Edge, &bucket).await?;
            publish::changes(&wanted.files, Some(&known.files), &there).fresh
        }
        None => wanted.files.keys().cloned().collect(),
    };
    paths.retain(|path| !galaxy_sites::tells_addresses(path));
    put(job, &bucket, &wanted, paths).await?;
    Ok(true)
}

/// What is written down as installed.
async fn current(job: &Job) -> Result<Option<Manifest>, Failure> {
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    release::current(job.world.assets.as_ref(), &bucket).await
}

/// Stores files of a site, pages last.
pub(super) async fn put(
    job: &Job,
    bucket: &str,
    wanted: &Wanted,
    paths: Vec<String>,
) -> Result<(), Failure> {
    for batch in publish::in_order(&wanted.files, paths) {
        let objects = wanted.objects(job, &batch).await?;
        write_all(job, Place::Edge, bucket, objects).await?;
    }
    Ok(())
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

fn joined(
    result: Option<Result<Result<(), Failure>, tokio::task::JoinError>>,
) -> Result<(), Failure> {
    match result {
        None => Ok(()),
        Some(Ok(result)) => result,
        Some(Err(error)) => Err(Failure::bug("an upload broke off").cause(error.to_string())),
    }
}

/// The release as it comes about.
struct Turning {
    artifacts: String,
    /// What the record said before.
    before: Option<Manifest>,
    /// The `ETag` of the pointer as this run knows it.
    seen: Option<String>,
    /// Keys of the artifact bucket.
    stored: BTreeSet<String>,
    /// Contents that are kept, and where.
    contents: BTreeMap<String, Spot>,
    /// Whether the record says that visitors may be getting something else.
    noted: bool,
}

/// Turns the sites to this release and writes down what is installed. The record comes last: it is
/// true only when all else is.
pub(in crate::execute) async fn release(job: &Job, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let config = known_site_config(job)?;
    tell_hostnames(job).await?;
    let artifacts = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let (before, seen) = release::current_tagged(job.world.assets.as_ref(), &artifacts).await?;
    let keys = job.world.assets.keys(Place::Home, &artifacts).await?;
    let stored: BTreeSet<String> = keys.into_iter().collect();
    if job.pages == Pages::Program && stored.iter().any(|key| is_intent(key)) {
        // An installation replaces a rollback that was interrupted.
        end_back(job).await?;
    }
    let mut contents = before.as_ref().map(|b| b.contents.clone()).unwrap_or_default();
    contents.retain(|_, spot| stored.contains(&spot.pack));
    let noted = before.as_ref().is_none_or(|before| before.unsettled);
    let mut turning = Turning { artifacts, before, seen, stored, contents, noted };
    let mut sites = BTreeMap::new();
    for site in Site::ALL {
        let record = turning.site(job, site, &config).await?;
        sites.insert(site.name().to_owned(), record);
    }
    let past = Past { artifacts: &turning.artifacts, stored: &turning.stored };
    let rank = past.rank(job, turning.before.as_ref(), &release_id(job, &config)?).await?;
    let manifest = turning.manifest(job, config, sites, rank)?;
    if let Some(rendered) = job.rendered.get(&Stack::Api) {
        let template = release::blob(rendered.body.clone().into_bytes());
        if !turning.stored.contains(&template.key) {
            job.world.assets.write(Place::Home, &turning.artifacts, &template).await?;
        }
    }
    point_to(job, &turning.artifacts, &manifest, &mut turning.seen).await?;
    Ok(true)
}

fn is_intent(key: &str) -> bool {
    release::intent_lock(key).is_some()
}

impl Turning {
    /// Turns one site.
    async fn site(
        &mut self,
        job: &Job,
        site: Site,
        config: &SiteConfig,
    ) -> Result<SiteRecord, Failure> {
        let wanted = Wanted::of(job, site, config)?;
        let digest = digest(job, site, config)?;
        self.pack(job, &wanted).await?;
        let known = self.before.as_ref().and_then(|before| before.sites.get(site.name())).cloned();
        let unsettled = self.before.as_ref().is_some_and(|before| before.unsettled);
        let same = known.as_ref().is_some_and(|known| known.digest == digest);
        let files = known.as_ref().map(|known| &known.files);
        let mut kept = match &known {
            Some(known) if same => known.kept.clone(),
            _ => publish::kept(&wanted.files, files),
        };
        let bucket = job.output(Stack::Site(site), "BucketName")?;
        let there = job.world.assets.list(Place::Edge, &bucket).await?;
        kept.retain(|path| there.contains_key(path));
        // Where nothing is written down, this very run has put everything there, headers and all.
        let base = if unsettled { None } else { files.or(Some(&wanted.files)) };
        let mut changes = publish::changes(&wanted.files, base, &there);
        changes.gone.retain(|path| !kept.contains(path));
        // What no release has had, this run has put there already.
        let is_there = |path: &String| {
            let wanted = wanted.files.get(path).map(|file| &file.md5);
            there.get(path).is_some_and(|etag| Some(etag) == wanted)
        };
        changes.fresh.retain(|path| !is_there(path));
        // What the release before did not have went up in this run, or in one that was cut off.
        let new = |path: &str| {
            let known = known.as_ref().and_then(|known| known.files.get(path));
            known.is_none() || known != wanted.files.get(path)
        };
        if changes == Changes::default() {
            if !self.stored.contains(&crate::stored::times_key(site.name())) {
                stored::remember(job, site, new).await?;
            }
        } else {
            self.note(job, !changes.live.is_empty() || !changes.gone.is_empty()).await?;
            let forget = publish::to_forget(&wanted.files, base, &changes);
            let paths: Vec<String> = changes.fresh.into_iter().chain(changes.live).collect();
            put(job, &bucket, &wanted, paths.clone()).await?;
            let written = |path: &str| new(path) || paths.iter().any(|one| one == path);
            stored::remember(job, site, written).await?;
            if !changes.gone.is_empty() {
                job.world.assets.remove(Place::Edge, &bucket, &changes.gone).await?;
            }
            if self.before.is_some() {
                turn(job, site, forget).await?;
            }
        }
        Ok(SiteRecord { digest, files: wanted.files, kept })
    }

    /// Keeps what no release before had, so that it can come back.
    async fn pack(&mut self, job: &Job, wanted: &Wanted) -> Result<(), Failure> {
        let known: BTreeSet<String> = self.contents.keys().cloned().collect();
        let new = wanted.new_contents(&known);
        if new.is_empty() {
            return Ok(());
        }
        let (pack, spots) = release::pack(&new);
        if self.stored.insert(pack.key.clone()) {
            job.world.assets.write(Place::Home, &self.artifacts, &pack).await?;
        }
        self.contents.extend(spots);
        Ok(())
    }

    /// Records, before the first file is replaced, that publishing has begun: after an interruption
    /// the next run must not take the manifest for what visitors get.
    async fn note(&mut self, job: &Job, replaces: bool) -> Result<(), Failure> {
        if self.noted || !replaces {
            return Ok(());
        }
        self.noted = true;
        let Some(before) = &self.before else { return Ok(()) };
        let lock = job.world.fence.number();
        let note = Pointer { unsettled: true, lock, ..Pointer::to(before) };
        release::point(job.world.assets.as_ref(), &self.artifacts, &note, &mut self.seen).await
    }

    fn manifest(
        &self,
        job: &Job,
        told: SiteConfig,
        sites: BTreeMap<String, SiteRecord>,
        rank: Rank,
    ) -> Result<Manifest, Failure> {
        let id = release_id(job, &told)?;
        let Rank { number, installed_at, history } = rank;
        let history = Some(history);
        if let Pages::Record(manifest) = &job.pages {
            let unsettled = false;
            return Ok(Manifest { number, sites, unsettled, history, ..(**manifest).clone() });
        }
        let code =
            job.facts.code.as_ref().ok_or_else(|| Failure::bug("there is no Lambda code"))?;
        let rendered = job.rendered.get(&Stack::Api);
        let rendered =
            rendered.ok_or_else(|| Failure::bug("the API's template was not rendered"))?;
        let template = release::file(&release::blob(rendered.body.clone().into_bytes())).sha256;
        let files = sites.values().flat_map(|site| site.files.values());
        let used: BTreeSet<&str> = files.map(|file| file.sha256.as_str()).collect();
        let mut contents = self.contents.clone();
        contents.retain(|sha256, _| used.contains(sha256.as_str()));
        Ok(Manifest {
            version: release::VERSION,
            id,
            number,
            installed_at,
            release: job.facts.release.clone(),
            code: code.sha256.clone(),
            architecture: code.architecture.to_owned(),
            function_version: job.output(Stack::Api, catalog::LIVE_VERSION)?,
            version_id: stacks::version_id(job),
            template,
            template_digest: rendered.digest.clone(),
            sites,
            contents,
            told,
            own: job.facts.config.pages.is_some(),
            unsettled: false,
            history,
        })
    }
}

/// Makes what was put into a site's bucket last what everybody sees.
pub(super) async fn turn(job: &Job, site: Site, paths: Vec<String>) -> Result<(), Failure> {
    let distribution = job.output(Stack::Site(site), "DistributionId")?;
    // Another one each time: CloudFront does nothing for a reference that it has seen.
    #[expect(clippy::disallowed_methods, reason = "a unique name, not a time")]
    let stamp = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
    let turn = Turn { reference: format!("spaceduck-{stamp}"), paths };
    job.world.delivery.turn(&distribution, &turn).await
}
