//! Rolling back to a release on record: on demand, and by itself when a new one is not well.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::catalog::{self, Code, Facts};
use crate::event::Event;
use crate::execute::{self, Broken, Job, Pages};
use crate::failure::{Failure, Kind};
use crate::model::{Place, Stack};
use crate::observe::observe;
use crate::plan::{self, Goal, Observed, StepId};
use crate::release::{self, History, Manifest};
use crate::render;

/// The requested release, or the nearest one below the current one. What a rollback has left is
/// no longer below.
pub fn choose<'a>(
    on_record: &'a [Manifest],
    current: &Manifest,
    wanted: Option<&str>,
) -> Result<&'a Manifest, Failure> {
    let found = if let Some(wanted) = wanted {
        let fits = |one: &&Manifest| one.id == wanted || one.number.to_string() == wanted;
        on_record.iter().find(fits)
    } else {
        let implied = || History::implied(on_record, current);
        let history = current.history.clone().unwrap_or_else(implied);
        let known = |id: &String| on_record.iter().find(|one| one.id == *id);
        history.trail.iter().rev().find_map(known)
    };
    found.ok_or_else(|| {
        let message = match wanted {
            Some(wanted) => format!("there is no release `{wanted}` to roll back to"),
            None => "there is no earlier release to roll back to".to_owned(),
        };
        let names: Vec<&str> = on_record.iter().map(|manifest| manifest.id.as_str()).collect();
        Failure::new(Kind::Refused, message).help(format!(
            "`spaceduck rollback RELEASE` takes one by name or number; on record: {}",
            names.join(", ")
        ))
    })
}

/// Refuses a release that is missing something or was damaged, before anything is changed.
pub async fn verify(job: &Job, manifest: &Manifest) -> Result<(), Failure> {
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let damaged = release::damage(job.world.assets.as_ref(), &bucket, manifest).await?;
    damaged.first().map_or(Ok(()), |damage| Err(damage.to_failure(&manifest.id, &bucket)))
}

/// A job that brings a release on record back.
pub async fn toward(job: &Job, manifest: Manifest) -> Result<Arc<Job>, Failure> {
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let key = release::blob_key(&manifest.template);
    let gone = |what: &str| {
        let message = format!("release `{}` is incomplete; nothing was changed", manifest.id);
        Failure::new(Kind::Refused, message)
            .cause(format!("{what} is not in the bucket `{bucket}`"))
            .help("roll back to another release, or run `spaceduck install`")
    };
    let body = job.world.assets.read(Place::Home, &bucket, &key).await?;
    let body = body.filter(|bytes| release::is_intact(bytes, &manifest.template));
    let body = body.and_then(|bytes| String::from_utf8(bytes).ok());
    let body = body.ok_or_else(|| gone("the API's template"))?;
    // A release from before the boundary has a role without one, and CloudFormation's role may not
    // take it away.
    let boundary = catalog::boundary(&job.facts.config.name, &job.account);
    let rendered = render::complete(&body, "AWS::IAM::Role", "PermissionsBoundary", &boundary)
        .and_then(|body| render::read_back(&body))
        .map_err(|error| Failure::bug("a template on record").cause(error.to_string()))?;
    let architecture = if manifest.architecture == "arm64" { "arm64" } else { "x86_64" };
    let code = Code { sha256: manifest.code.clone(), architecture };
    if !job.world.assets.has(Place::Home, &bucket, &code.key()).await? {
        return Err(gone("the function's code"));
    }
    Ok(Arc::new(Job {
        rendered: BTreeMap::from([(Stack::Api, rendered)]),
        world: job.world.clone(),
        events: Arc::clone(&job.events),
        account: job.account.clone(),
        home: job.home.clone(),
        code: None,
        secret: None,
        facts: Facts { release: manifest.release.clone(), code: Some(code), ..job.facts.clone() },
        pages: Pages::Record(Box::new(manifest)),
        files: Arc::clone(&job.files),
        export: None,
        named: job.named.clone(),
        outputs: Mutex::default(),
    }))
}

/// What to tell of an installation that broke. A release that is not well gives way to the one
/// before it.
pub async fn after(job: &Arc<Job>, before: &Observed, broken: Broken) -> Failure {
    // Credentials that have expired say nothing of the release, and could not bring another back.
    let asked = matches!(broken.step, Some(StepId::Probe | StepId::Edge(_)));
    let unwell = asked && broken.failure.kind != Kind::Access;
    let Some(earlier) = before.current.clone().filter(|_| unwell && !before.released) else {
        return broken.failure;
    };
    let id = earlier.id.clone();
    let text = format!("The new release is not well; the earlier one, {id}, comes back.");
    job.events.emit(Event::Note { text });
    let mut failure = broken.failure;
    match return_to(job, earlier).await {
        Ok(()) => failure.help(format!(
            "the earlier release {id} is back and answers; `spaceduck logs` shows what the new one \
             said"
        )),
        Err(second) => {
            let cause = failure.cause.take().unwrap_or_default();
            let message = second.message().to_owned();
            failure
                .cause(format!("{cause}; and {id} could not be put back: {message}"))
                .help(format!("run `spaceduck rollback {id}`; it resumes where it stopped"))
        }
    }
}

async fn return_to(job: &Arc<Job>, earlier: Manifest) -> Result<(), Failure> {
    verify(job, &earlier).await?;
    let back = toward(job, earlier).await?;
    let observed = observe(&back).await?;
    execute::run(&plan::plan(Goal::Back, &observed, &back.rendered), &back).await?;
    Ok(())
}
