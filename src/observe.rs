//! Looks at the account before anything is planned: stacks, buckets, code, secret, record.

use std::collections::BTreeSet;
use std::sync::Arc;

use galaxy_sites::Site;
use tokio::task::JoinSet;

use crate::catalog;
use crate::execute::{Job, digest, known_site_config, release_id};
use crate::failure::Failure;
use crate::model::{Place, Stack};
use crate::plan::{Observed, SecretSeen, ShieldSeen};
use crate::release::{self, Manifest};
use crate::shield::Terms;

/// Reads everything that a plan depends on. Also teaches the job what the stacks tell.
pub async fn observe(job: &Arc<Job>) -> Result<Observed, Failure> {
    let (domains, hosting) = (job.facts.config.domains.clone(), job.facts.config.hosting.clone());
    let survey = job.world.ownership.survey().await?;
    let mut observed = Observed {
        stacks: survey.stacks,
        claim: survey.claim,
        strangers: survey.strangers,
        adopted: survey.adopted,
        retained: survey.retained,
        domains,
        hosting,
        ..Observed::default()
    };
    for (stack, seen) in &observed.stacks {
        job.learn(*stack, seen.outputs.clone());
    }
    observed.buckets = buckets(job).await?;
    let has_artifacts = observed.buckets.contains(&Stack::Bootstrap);
    if let (Some((code, _)), Some(bucket)) = (&job.code, artifacts(job))
        && has_artifacts
    {
        // An object named by the digest of the code must be that code.
        let there = job.world.assets.look(Place::Home, &bucket, &code.key()).await?;
        observed.code_stored =
            there.is_some_and(|there| there.sha256.as_ref() == Some(&code.sha256));
    }
    let name = &job.facts.config.name;
    let hostnames = job.world.secrets.read(&catalog::hostnames_path(name)).await?;
    observed.hostnames = hostnames.is_some();
    let stored = job.world.secrets.read(&catalog::turnstile_path(name)).await?;
    observed.secret = match (&stored, &job.secret) {
        (None, None) => SecretSeen::None,
        (None, Some(_)) => SecretSeen::Missing,
        (Some(stored), Some(given)) if stored != given => SecretSeen::Outdated,
        (Some(_), _) => SecretSeen::Stored,
    };
    observed.shield = shield(job, &observed).await?;
    if has_artifacts {
        record(job, &mut observed).await?;
    }
    Ok(observed)
}

/// The shield's terms. Nothing is asked for a galaxy that has none.
async fn shield(job: &Job, observed: &Observed) -> Result<ShieldSeen, Failure> {
    let Some(seen) = observed.stacks.get(&Stack::ApiShield) else { return Ok(ShieldSeen::None) };
    let path = catalog::shield_path(&job.facts.config.name);
    let Some(text) = job.world.notes.get(&path).await? else { return Ok(ShieldSeen::None) };
    let wanted = Terms::only(&seen.outputs);
    let only = wanted.is_some() && Terms::parse(&text) == wanted;
    Ok(if only { ShieldSeen::Only } else { ShieldSeen::Unfinished })
}

fn artifacts(job: &Job) -> Option<String> {
    bucket(job, Stack::Bootstrap)
}

fn bucket(job: &Job, stack: Stack) -> Option<String> {
    catalog::bucket(stack, &job.facts.config.name, &job.account, &job.home)
}

async fn buckets(job: &Arc<Job>) -> Result<BTreeSet<Stack>, Failure> {
    let mut looking = JoinSet::new();
    for stack in Stack::all() {
        let Some(bucket) = bucket(job, stack) else { continue };
        let job = Arc::clone(job);
        looking.spawn(
            async move { (stack, job.world.assets.has_bucket(stack.place(), &bucket).await) },
        );
    }
    let mut found = BTreeSet::new();
    while let Some(joined) = looking.join_next().await {
        let (stack, there) = joined.map_err(|error| Failure::bug(error.to_string()))?;
        if there? {
            found.insert(stack);
        }
    }
    Ok(found)
}

/// Compares what is written down with what this program would publish.
async fn record(job: &Arc<Job>, observed: &mut Observed) -> Result<(), Failure> {
    let Some(bucket) = artifacts(job) else { return Ok(()) };
    let Some(manifest) = release::current(job.world.assets.as_ref(), &bucket).await? else {
        return Ok(());
    };
    // Without all addresses there is nothing to compare with.
    if let Ok(config) = known_site_config(job) {
        for site in Site::ALL {
            let known = manifest.sites.get(site.name()).map(|record| &record.digest);
            if !manifest.unsettled && known == Some(&digest(job, site, &config)?) {
                observed.published.insert(site);
            }
        }
        observed.released = !manifest.unsettled && manifest.id == release_id(job, &config)?;
    }
    observed.current = Some(manifest);
    Ok(())
}

/// The release that an interrupted rollback was putting back.
pub async fn intent(job: &Job) -> Result<Option<String>, Failure> {
    let Some(bucket) = artifacts(job) else { return Ok(None) };
    let keys = job.world.assets.keys(Place::Home, &bucket).await?;
    let intents = keys.iter().filter_map(|key| Some((release::intent_lock(key)?, key)));
    let Some((_, latest)) = intents.max() else { return Ok(None) };
    let bytes = job.world.assets.read(Place::Home, &bucket, latest).await?;
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}

/// All releases on record, the latest first.
pub async fn releases(job: &Job) -> Result<Vec<Manifest>, Failure> {
    let Some(bucket) = artifacts(job) else { return Ok(Vec::new()) };
    let assets = &job.world.assets;
    if !assets.has_bucket(Place::Home, &bucket).await? {
        return Ok(Vec::new());
    }
    let mut releases = Vec::new();
    for key in assets.keys(Place::Home, &bucket).await? {
        if key.starts_with(release::PREFIX) && key != release::CURRENT_KEY {
            let bytes = assets.read(Place::Home, &bucket, &key).await?;
            releases.extend(bytes.as_deref().and_then(Manifest::parse));
        }
    }
    releases.sort_by_key(|manifest| std::cmp::Reverse(manifest.number));
    Ok(releases)
}
