//! Going back to a release on record: on demand, and by itself when a new one is not well.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::catalog::{Code, Facts};
use crate::event::Event;
use crate::execute::{self, Broken, Job, Pages};
use crate::failure::{Failure, Kind};
use crate::model::{Place, Stack};
use crate::observe::observe;
use crate::plan::{self, Goal, Observed, StepId};
use crate::release::{self, Manifest};
use crate::render;

/// The release that was asked for, or the one before the current one.
pub fn choose<'a>(
    on_record: &'a [Manifest],
    current: &Manifest,
    wanted: Option<&str>,
) -> Result<&'a Manifest, Failure> {
    let fits = |manifest: &&Manifest| match wanted {
        Some(wanted) => manifest.id == wanted || manifest.number.to_string() == wanted,
        None => manifest.id != current.id,
    };
    on_record.iter().find(fits).ok_or_else(|| {
        let names: Vec<&str> = on_record.iter().map(|manifest| manifest.id.as_str()).collect();
        let message = match wanted {
            Some(wanted) => format!("there is no release `{wanted}` to go back to"),
            None => "there is no earlier release to go back to".to_owned(),
        };
        Failure::new(Kind::Refused, message).help(format!("on record: {}", names.join(", ")))
    })
}

/// A job that brings a release on record back.
pub async fn toward(job: &Job, manifest: Manifest) -> Result<Arc<Job>, Failure> {
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    let key = release::blob_key(&manifest.template);
    let gone = |what: &str| {
        let message = format!("the release `{}` is no longer whole", manifest.id);
        Failure::new(Kind::Refused, message)
            .cause(format!("{what} is not in the bucket `{bucket}`"))
            .help("go back to another release, or `spaceduck install`")
    };
    let body = job.world.assets.read(Place::Home, &bucket, &key).await?;
    let body = body.and_then(|bytes| String::from_utf8(bytes).ok());
    let body = body.ok_or_else(|| gone("the API's template"))?;
    let rendered = render::read_back(&body)
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
                .help(format!("run `spaceduck rollback {id}`; it goes on from here"))
        }
    }
}

async fn return_to(job: &Arc<Job>, earlier: Manifest) -> Result<(), Failure> {
    let back = toward(job, earlier).await?;
    let observed = observe(&back).await?;
    execute::run(&plan::plan(Goal::Back, &observed, &back.rendered), &back).await?;
    Ok(())
}
