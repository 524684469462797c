//! What is no longer as it was installed: stacks, function, pages, record, secrets; and what
//! nobody can check.
//!
//! It goes by the record of what is installed, not by what this program would install.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use galaxy_sites::Site;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::catalog;
use crate::execute::{Job, site_hosts};
use crate::failure::Failure;
use crate::model::{Part, Place, Stack, StackSeen, StackStatus};
use crate::plan::{Action, Goal, Plan, Step, StepId};
use crate::ports::{DriftState, Object, ObjectSeen, ResourceDrift};
use crate::release::{self, FileRecord, Manifest, SiteRecord};

mod domains;
mod kinds;
mod mail;
mod records;
mod strays;

pub use kinds::{KINDS, Kind};

/// Where the findings of the last look are kept.
const LAST_KEY: &str = "drift/last.json";

/// How many objects are looked at together.
const LOOKS: usize = 16;

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// What it is about, such as `api.HatchRoute` or `duckgalaxy/index.html`.
    pub item: String,
    /// What is wrong with it.
    pub state: State,
    /// How it is and how it was to be.
    pub detail: String,
}

/// What is wrong with a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there and different.
    Changed,
    /// It is gone.
    Missing,
    /// It is there and does not belong there.
    Extra,
    /// Nobody can tell. This is no drift.
    Unchecked,
}

impl State {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Unchecked => "unchecked",
        }
    }
}

fn finding(kind: Kind, item: impl Into<String>, detail: impl Into<String>) -> Finding {
    Finding { item: item.into(), state: kind.state, detail: detail.into() }
}

/// Looks at everything.
pub async fn inspect(
    job: &Arc<Job>,
    stacks: &BTreeMap<Stack, StackSeen>,
    manifest: &Manifest,
) -> Result<Vec<Finding>, Failure> {
    let drifts = of_resources(job, stacks).await?;
    let mut found = of_stacks(stacks);
    found.extend(strays::find(job, &drifts).await?);
    found.extend(drifts.into_iter().filter_map(|(stack, drift)| of_resource(stack, drift)));
    if stacks.contains_key(&Stack::Api) {
        found.extend(of_function(job, manifest).await?);
    }
    for site in Site::ALL {
        if let (true, Some(record)) =
            (stacks.contains_key(&Stack::Site(site)), manifest.sites.get(site.name()))
        {
            found.extend(of_site(job, site, record).await?);
        }
    }
    found.extend(of_record(job, manifest).await?);
    found.extend(of_secrets(job).await?);
    let records = records::find(job).await?;
    found.extend(domains::find(job, &records).await?);
    found.extend(records);
    found.extend(mail::find(job, stacks, &manifest.release).await?);
    found.sort();
    Ok(found)
}

fn of_stacks(stacks: &BTreeMap<Stack, StackSeen>) -> Vec<Finding> {
    let one = |stack: Stack| match stacks.get(&stack) {
        None if stack.is_optional() => None,
        None => Some(finding(kinds::STACK_GONE, stack.key(), "the stack is gone")),
        Some(seen) if seen.status == StackStatus::Ready => None,
        Some(seen) => {
            Some(finding(kinds::STACK_ILL, stack.key(), format!("it is in {}", seen.code)))
        }
    };
    Stack::all().into_iter().filter_map(one).collect()
}

/// How every resource of every stack that is at rest compares with its template.
async fn of_resources(
    job: &Arc<Job>,
    stacks: &BTreeMap<Stack, StackSeen>,
) -> Result<Vec<(Stack, ResourceDrift)>, Failure> {
    let mut looking = JoinSet::new();
    for (stack, seen) in stacks.iter().filter(|(_, seen)| seen.status == StackStatus::Ready) {
        let (job, arn, stack) = (Arc::clone(job), seen.arn.clone(), *stack);
        looking.spawn(async move { (stack, job.world.stacks.drift(stack.place(), &arn).await) });
    }
    let mut found = Vec::new();
    while let Some(joined) = looking.join_next().await {
        let (stack, drifts) = joined.map_err(|error| Failure::bug(error.to_string()))?;
        found.extend(drifts?.into_iter().map(|drift| (stack, drift)));
    }
    Ok(found)
}

fn of_resource(stack: Stack, drift: ResourceDrift) -> Option<Finding> {
    let item = format!("{stack}.{}", drift.resource);
    match drift.state {
        DriftState::InSync => None,
        DriftState::Deleted => Some(finding(kinds::RESOURCE_GONE, item, drift.kind)),
        DriftState::NotChecked => {
            let detail = format!("CloudFormation can't check {}", drift.kind);
            Some(finding(kinds::RESOURCE_UNKNOWN, item, detail))
        }
        DriftState::Modified(differences) => {
            let one = |(path, expected, actual): &(String, String, String)| {
                format!("{path} is {actual}, should be {expected}")
            };
            let all: Vec<String> = differences.iter().map(one).collect();
            Some(finding(kinds::RESOURCE_CHANGED, item, all.join("; ")))
        }
    }
}

async fn of_function(job: &Job, manifest: &Manifest) -> Result<Vec<Finding>, Failure> {
    let function = job.output(Stack::Api, "FunctionName")?;
    let Some(live) = job.world.functions.live(&function).await? else {
        return Ok(vec![finding(kinds::FUNCTION_GONE, "function", "no version is live")]);
    };
    let mut found = Vec::new();
    if live.sha256 != manifest.code {
        let detail = format!("version {} is live with other code than was installed", live.version);
        found.push(finding(kinds::FUNCTION_CHANGED, "function", detail));
    }
    Ok(found)
}

async fn of_site(job: &Arc<Job>, site: Site, record: &SiteRecord) -> Result<Vec<Finding>, Failure> {
    let files = &record.files;
    let bucket = job.output(Stack::Site(site), "BucketName")?;
    let item = |key: &str| format!("{}/{key}", site.name());
    if !job.world.assets.has_bucket(Place::Edge, &bucket).await? {
        let detail = format!("no bucket {bucket}");
        return Ok(vec![finding(kinds::BUCKET_GONE, site.name(), detail)]);
    }
    let keys = job.world.assets.keys(Place::Edge, &bucket).await?;
    let there: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    let kept: BTreeSet<&str> = record.kept.iter().map(String::as_str).collect();
    for key in there.iter().filter(|key| !files.contains_key(**key) && !kept.contains(**key)) {
        found.push(finding(kinds::PAGE_EXTRA, item(key), "no release put it there"));
    }
    let mut looking = JoinSet::new();
    for (path, file) in files {
        if looking.len() >= LOOKS
            && let Some(joined) = looking.join_next().await
        {
            found.extend(joined.map_err(|error| Failure::bug(error.to_string()))??);
        }
        if !there.contains(path.as_str()) {
            found.push(finding(kinds::PAGE_GONE, item(path), "it is not in the bucket"));
            continue;
        }
        let (job, bucket, item) = (Arc::clone(job), bucket.clone(), item(path));
        let (path, file) = (path.clone(), file.clone());
        looking.spawn(async move {
            let seen = job.world.assets.look(Place::Edge, &bucket, &path).await?;
            Ok::<_, Failure>(of_object(item, seen, &file))
        });
    }
    while let Some(joined) = looking.join_next().await {
        found.extend(joined.map_err(|error| Failure::bug(error.to_string()))??);
    }
    Ok(found)
}

fn of_object(item: String, seen: Option<ObjectSeen>, file: &FileRecord) -> Option<Finding> {
    let Some(seen) = seen else { return Some(finding(kinds::PAGE_GONE, item, "it is gone")) };
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
    if !wrong.is_empty() {
        return Some(finding(kinds::PAGE_CHANGED, item, wrong.join("; ")));
    }
    let unknown = "S3 keeps no SHA-256 of it; somebody else stored it";
    seen.sha256.is_none().then(|| finding(kinds::PAGE_CHANGED, item, unknown))
}

/// Everything that a roll-back would need.
async fn of_record(job: &Job, manifest: &Manifest) -> Result<Vec<Finding>, Failure> {
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let keys = job.world.assets.keys(Place::Home, &bucket).await?;
    let keys: BTreeSet<String> = keys.into_iter().collect();
    let mut wanted = vec![
        (manifest.key(), "the record of the release"),
        (release::blob_key(&manifest.template), "the API's template"),
        (format!("lambda/{}.zip", manifest.code), "the function's code"),
    ];
    let files = manifest.sites.values().flat_map(|site| site.files.values());
    wanted.extend(files.map(|file| (manifest.keeper(&file.sha256), "what pages are made of")));
    wanted.sort();
    wanted.dedup();
    let gone = wanted.into_iter().filter(|(key, _)| !keys.contains(key));
    let found = gone.map(|(key, what)| {
        finding(kinds::RECORD_GONE, format!("artifacts/{key}"), format!("{what} is gone"))
    });
    Ok(found.collect())
}

async fn of_secrets(job: &Job) -> Result<Vec<Finding>, Failure> {
    let name = &job.facts.config.name;
    let path = catalog::hostnames_path(name);
    let mut found = Vec::new();
    if let Ok(wanted) = site_hosts(job) {
        match job.world.secrets.read(&path).await? {
            None => {
                let detail = "where captchas may be solved";
                found.push(finding(kinds::HOSTS_GONE, &path, detail));
            }
            Some(hosts) if hosts != wanted => {
                let detail = "captchas count on other hosts";
                found.push(finding(kinds::HOSTS_CHANGED, &path, detail));
            }
            Some(_) => {}
        }
    }
    let path = catalog::turnstile_path(name);
    if job.facts.config.turnstile_site_key.is_some()
        && job.world.secrets.read(&path).await?.is_none()
    {
        let detail = "nobody can hatch; set SPACEDUCK_TURNSTILE_SECRET and install";
        found.push(finding(kinds::SECRET_GONE, &path, detail));
    }
    Ok(found)
}

/// What was found that was not there at the last look, and what was there and no longer is. Then
/// remembers this look.
pub async fn since_last(
    job: &Job,
    found: &[Finding],
) -> Result<(Vec<Finding>, Vec<Finding>), Failure> {
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let bytes = job.world.assets.read(Place::Home, &bucket, LAST_KEY).await?;
    let last: Vec<Finding> =
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let without = |these: &[Finding], those: &[Finding]| {
        these.iter().filter(|one| !those.contains(one)).cloned().collect()
    };
    let changes = (without(found, &last), without(&last, found));
    let bytes = serde_json::to_vec_pretty(found)
        .map_err(|error| Failure::bug("the findings").cause(error.to_string()))?;
    let object = Object {
        key: LAST_KEY.into(),
        bytes: bytes.into(),
        content_type: "application/json".into(),
        cache_control: "no-store".into(),
    };
    job.world.assets.write(Place::Home, &bucket, &object).await?;
    Ok(changes)
}

/// The plan that puts back what was found, or, with items named, only those. What nobody can
/// check and what only a secret or an installation can mend is left out.
#[must_use]
pub fn repair(found: &[Finding], items: &[String]) -> Plan {
    let named = |finding: &&Finding| {
        let whole = |item: &String| {
            finding.item == *item
                || finding.item.starts_with(&format!("{item}/"))
                || finding.item.starts_with(&format!("{item}."))
        };
        finding.state != State::Unchecked && (items.is_empty() || items.iter().any(whole))
    };
    let mut wanted = BTreeSet::new();
    for finding in found.iter().filter(named) {
        wanted.extend(step_for(finding));
    }
    let step = |id: StepId| {
        // Pages and live version first wait for the stack that they lie in.
        let after = match id {
            StepId::Publish(site) => vec![StepId::Stack(Stack::Site(site))],
            StepId::Alias => vec![StepId::Stack(Stack::Api)],
            _ => Vec::new(),
        };
        let after = after.into_iter().filter(|id| wanted.contains(id)).collect();
        Step::new(id, Action::Update, after)
    };
    Plan { goal: Goal::Repair, steps: wanted.iter().map(|id| step(*id)).collect() }
}

fn step_for(finding: &Finding) -> Option<StepId> {
    let item = finding.item.as_str();
    if let Some(rest) = item.strip_prefix("records/") {
        let part = rest.split('/').next().and_then(Part::parse);
        return part.filter(|_| finding.state == State::Missing).map(StepId::Record);
    }
    if item == "function" {
        return Some(StepId::Alias);
    }
    if item.ends_with("/turnstile-hostnames") || item.starts_with("artifacts/") {
        return Some(StepId::Release);
    }
    if let Some(site) = item.split_once('/').and_then(|(site, _)| Site::parse(site)) {
        return Some(StepId::Publish(site));
    }
    let stack = item.split('.').next()?;
    let drifted = item.contains('.');
    Stack::all().into_iter().find(|known| drifted && known.key() == stack).map(StepId::Stack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_has_the_step_that_mends_it() {
        let finding = |item: &str, state, detail: &str| Finding {
            item: item.to_owned(),
            state,
            detail: detail.to_owned(),
        };
        let found = [
            finding("api.HatchRoute", State::Changed, ""),
            finding("data.EggsTable", State::Unchecked, ""),
            finding("duckgalaxy/index.html", State::Missing, ""),
            finding("function", State::Changed, ""),
            finding("site-duckgalaxy.Oac", State::Changed, ""),
            finding("records/proofs/_x.example.org/CNAME", State::Missing, ""),
            finding("records/mail/_dmarc.example.org/TXT", State::Changed, ""),
        ];
        let ids = |items: &[&str]| -> Vec<StepId> {
            let items: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
            repair(&found, &items).steps.iter().map(|step| step.id).collect()
        };
        let (api, site) = (StepId::Stack(Stack::Api), Site::DuckGalaxy);
        let (front, pages) = (StepId::Stack(Stack::Site(site)), StepId::Publish(site));
        let proofs = StepId::Record(Part::Proofs);
        assert_eq!(ids(&[]), [api, front, pages, StepId::Alias, proofs]);
        assert_eq!(ids(&["records"]), [proofs], "what somebody has changed is somebody's");
        assert_eq!(ids(&["api.HatchRoute"]), [api]);
        assert_eq!(ids(&["duckgalaxy"]), [pages]);
        assert_eq!(ids(&["data.EggsTable"]), []);
        let waits = repair(&found, &[]).steps.into_iter().find(|step| step.id == pages);
        assert_eq!(waits.map(|step| step.after), Some(vec![front]));
    }
}
