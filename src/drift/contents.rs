//! What the record of the release names: the function's code, pages, and what a roll-back needs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use galaxy_sites::Site;
use tokio::task::JoinSet;

use super::kinds::{self, Kind};
use super::{Finding, Subject, artifacts, finding};
use crate::catalog;
use crate::execute::Job;
use crate::failure::Failure;
use crate::model::{Place, Stack};
use crate::ports::{Listed, ObjectSeen};
use crate::release::{self, FileRecord, Manifest, SiteRecord};
use crate::stored::{self, Times};

/// How many objects are looked at together.
const LOOKS: usize = 16;

/// The version of the function that callers get. Nothing where no stack made a function.
pub(super) async fn of_function(job: &Job, manifest: &Manifest) -> Result<Vec<Finding>, Failure> {
    let Ok(function) = job.output(Stack::Api, "FunctionName") else { return Ok(Vec::new()) };
    let Some(live) = job.world.functions.live(&function).await? else {
        return Ok(vec![finding(kinds::FUNCTION_GONE, Subject::Function, "no version is live")]);
    };
    let mut found = Vec::new();
    if live.sha256 != manifest.code {
        let detail = format!("version {} is live with other code than was installed", live.version);
        found.push(finding(kinds::FUNCTION_CHANGED, Subject::Function, detail));
    }
    Ok(found)
}

/// The files of a site. One listing returns content and times; only objects that were written since
/// we stored them get a request each, since only their headers can have changed.
pub(super) async fn of_site(
    job: &Arc<Job>,
    site: Site,
    record: &SiteRecord,
) -> Result<Vec<Finding>, Failure> {
    let name = &job.facts.config.name;
    let bucket = catalog::bucket(Stack::Site(site), name, &job.account, &job.home);
    let Some(bucket) = bucket else { return Ok(Vec::new()) };
    let Some(there) = job.world.assets.listing(Place::Edge, &bucket).await? else {
        let detail = format!("no bucket {bucket}");
        return Ok(vec![finding(kinds::BUCKET_GONE, Subject::SiteBucket(site), detail)]);
    };
    let times = match artifacts(job) {
        Some(artifacts) => {
            stored::times(job.world.assets.as_ref(), &artifacts, site.name()).await?
        }
        None => Times::new(),
    };
    let subject = |path: &str| Subject::Page { site, path: path.to_owned() };
    let mut found = Vec::new();
    let kept: BTreeSet<&str> = record.kept.iter().map(String::as_str).collect();
    let strange = |key: &&String| !record.files.contains_key(*key) && !kept.contains(key.as_str());
    for key in there.keys().filter(strange) {
        found.push(finding(kinds::PAGE_EXTRA, subject(key), "no release put it there"));
    }
    let mut doubtful = Vec::new();
    for (path, file) in &record.files {
        match there.get(path) {
            None => {
                found.push(finding(kinds::PAGE_GONE, subject(path), "it is not in the bucket"));
            }
            Some(listed) if is_untouched(file, listed, times.get(path)) => {}
            Some(_) => doubtful.push((path.clone(), file.clone())),
        }
    }
    let (wrong, fine) = look_at(job, site, (bucket, doubtful)).await?;
    found.extend(wrong);
    remember(job, site, (times, &there), fine).await?;
    Ok(found)
}

/// Whether an object has the content on record and was not written since we stored it.
fn is_untouched(file: &FileRecord, listed: &Listed, stored: Option<&i64>) -> bool {
    !file.md5.is_empty() && listed.md5 == file.md5 && stored == Some(&listed.modified)
}

/// Looks at objects one by one: what is wrong, and the paths of those that are fine.
async fn look_at(
    job: &Arc<Job>,
    site: Site,
    (bucket, files): (String, Vec<(String, FileRecord)>),
) -> Result<(Vec<Finding>, Vec<String>), Failure> {
    let (mut found, mut fine) = (Vec::new(), Vec::new());
    let mut looking = JoinSet::new();
    let mut take = |one: Result<(String, Option<Finding>), Failure>| {
        match one? {
            (_, Some(wrong)) => found.push(wrong),
            (path, None) => fine.push(path),
        }
        Ok::<_, Failure>(())
    };
    for (path, file) in files {
        if looking.len() >= LOOKS
            && let Some(joined) = looking.join_next().await
        {
            take(joined.map_err(|error| Failure::bug(error.to_string()))?)?;
        }
        let (job, bucket) = (Arc::clone(job), bucket.clone());
        let subject = Subject::Page { site, path: path.clone() };
        looking.spawn(async move {
            let seen = job.world.assets.look(Place::Edge, &bucket, &path).await?;
            Ok::<_, Failure>((path, of_object(subject, seen, &file)))
        });
    }
    while let Some(joined) = looking.join_next().await {
        take(joined.map_err(|error| Failure::bug(error.to_string()))?)?;
    }
    Ok((found, fine))
}

/// Remembers the objects that were looked at and are fine, so that the next look need not. It only
/// saves time: a look with credentials that may not write finds the same.
async fn remember(
    job: &Job,
    site: Site,
    (mut times, there): (Times, &BTreeMap<String, Listed>),
    fine: Vec<String>,
) -> Result<(), Failure> {
    let (false, Some(artifacts)) = (fine.is_empty(), artifacts(job)) else { return Ok(()) };
    let fine = fine.into_iter().filter_map(|path| {
        let modified = there.get(&path)?.modified;
        Some((path, modified))
    });
    times.extend(fine);
    let assets = job.world.assets.as_ref();
    let _ = stored::remember(assets, &artifacts, site.name(), &times).await;
    Ok(())
}

fn of_object(subject: Subject, seen: Option<ObjectSeen>, file: &FileRecord) -> Option<Finding> {
    let Some(seen) = seen else {
        return Some(finding(kinds::PAGE_GONE, subject, "it is gone"));
    };
    let mut wrong = Vec::new();
    if seen.sha256.as_ref().is_some_and(|sha256| *sha256 != file.sha256) {
        wrong.push("the content is another one".to_owned());
    }
    for (name, is, should) in [
        ("Content-Type", &seen.content_type, &file.content_type),
        ("Cache-Control", &seen.cache_control, &file.cache_control),
    ] {
        if is != should {
            wrong.push(format!("{name} is `{is}`, should be `{should}`"));
        }
    }
    for (name, is) in &seen.others {
        wrong.push(format!("{name} is `{is}`, should not be there"));
    }
    if !wrong.is_empty() {
        return Some(finding(kinds::PAGE_CHANGED, subject, wrong.join("; ")));
    }
    let unknown = "S3 keeps no SHA-256 of it, so spaceduck did not store it";
    seen.sha256.is_none().then(|| finding(kinds::PAGE_CHANGED, subject, unknown))
}

/// Everything that a roll-back would need: whether it is there, and whether it is still what was
/// stored, by the SHA-256 that S3 keeps of it.
pub(super) async fn of_record(job: &Job, manifest: &Manifest) -> Result<Vec<Finding>, Failure> {
    let Some(bucket) = artifacts(job) else { return Ok(Vec::new()) };
    let Some(there) = job.world.assets.listing(Place::Home, &bucket).await? else {
        let detail = format!("no bucket {bucket}");
        return Ok(vec![finding(kinds::ARTIFACTS_GONE, Subject::ArtifactBucket, detail)]);
    };
    let mut found = Vec::new();
    for Wanted { key, what, sha256, gone, changed } in wanted(manifest) {
        if !there.contains_key(&key) {
            let detail = format!("{what} is gone");
            found.push(finding(gone, Subject::Artifact(key), detail));
            continue;
        }
        let Some(sha256) = sha256 else { continue };
        let seen = job.world.assets.look(Place::Home, &bucket, &key).await?;
        if seen.and_then(|seen| seen.sha256) != Some(sha256) {
            let detail = format!("{what} is not what was stored: its SHA-256 is another one");
            found.push(finding(changed, Subject::Artifact(key), detail));
        }
    }
    Ok(found)
}

/// An object of the artifact bucket that a roll-back needs.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    key: String,
    what: &'static str,
    /// The digest of its content, where its key is that.
    sha256: Option<String>,
    gone: Kind,
    changed: Kind,
}

fn wanted(manifest: &Manifest) -> BTreeSet<Wanted> {
    let record = |key: String, what| {
        // packs/SHA256 and blobs/SHA256.
        let sha256 = key.split_once('/').map(|(_, sha256)| sha256.to_owned());
        Wanted { key, what, sha256, gone: kinds::RECORD_GONE, changed: kinds::RECORD_CHANGED }
    };
    let mut all = BTreeSet::from([
        Wanted { sha256: None, ..record(manifest.key(), "the record of the release") },
        record(release::blob_key(&manifest.template), "the API's template"),
        Wanted {
            key: format!("lambda/{}.zip", manifest.code),
            what: "the function's code",
            sha256: Some(manifest.code.clone()),
            gone: kinds::CODE_GONE,
            changed: kinds::CODE_CHANGED,
        },
    ]);
    let files = manifest.sites.values().flat_map(|site| site.files.values());
    all.extend(files.map(|file| record(manifest.keeper(&file.sha256), "what pages are made of")));
    all
}
