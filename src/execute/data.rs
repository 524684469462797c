//! Keeping a galaxy's data safe: into the artifact bucket before an upgrade, into a file before a
//! teardown or on request.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::Job;
use crate::archive::{self, Sink, Source};
use crate::catalog;
use crate::event::Event;
use crate::failure::Failure;
use crate::files::{Access, Draft, Target};
use crate::model::{Place, Stack};
use crate::ports::Object;
use crate::render::hex;

/// Where backups are kept in the artifact bucket.
const BACKUPS: &str = "backups/";

/// A part of a backup is stored when it has this many bytes, so that no size of a galaxy fills
/// this machine's memory.
const PART_BYTES: usize = 8 << 20;

/// Where the galaxy keeps its data, as far as it is there.
pub async fn source(job: &Job) -> Result<Source, Failure> {
    let galaxy = &job.facts.config.name;
    let mut tables = BTreeMap::new();
    for (table, name) in catalog::tables(galaxy) {
        if job.world.records.has_table(&name).await? {
            tables.insert(table, name);
        }
    }
    let pool = job.output(Stack::Auth, "UserPoolId").ok();
    Ok(Source { galaxy: galaxy.to_string(), tables, pool })
}

/// Reports what an export leaves out because it no longer exists. It may be missed after the
/// galaxy was removed.
pub fn tell_what_is_gone(job: &Job, source: &Source) {
    let tables = catalog::tables(&job.facts.config.name);
    let gone = tables.keys().filter(|table| !source.tables.contains_key(*table));
    let mut gone: Vec<String> = gone.map(|table| format!("the table `{table}`")).collect();
    if source.pool.is_none() {
        gone.push("people, since there is no user pool".to_owned());
    }
    if !gone.is_empty() {
        let text = format!("Not in the export, because it is gone: {}.", gone.join(", "));
        job.events.emit(Event::Note { text });
    }
}

/// Whether an earlier installation has left something that the stack takes over, by its name.
pub(super) async fn leftovers(job: &Job, stack: Stack) -> Result<bool, Failure> {
    let name = &job.facts.config.name;
    if let Some(bucket) = catalog::bucket(stack, name, &job.account, &job.home) {
        return job.world.assets.has_bucket(stack.place(), &bucket).await;
    }
    let mail = &job.facts.config.mail;
    if let (Stack::Mail, Some(domain), false) = (stack, &mail.domain, mail.seen.foreign) {
        return Ok(job.world.mail.identity(domain).await?.is_some());
    }
    if stack == Stack::Data {
        for table in catalog::tables(name).values() {
            if job.world.records.has_table(table).await? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Removes the tables that a stack has left: one whose removal failed keeps them when it goes.
pub(super) async fn remove_leftovers(job: &Job, stack: Stack) -> Result<(), Failure> {
    if stack == Stack::Data {
        for table in catalog::tables(&job.facts.config.name).values() {
            if job.world.records.has_table(table).await? {
                job.world.records.remove_table(table).await?;
            }
        }
    }
    Ok(())
}

/// Makes sure that the data can be brought back: every table to any second, or else all of it is
/// written down. The user pool, which AWS keeps no backup of, is always written down.
pub(super) async fn back_up(job: &Job) -> Result<bool, Failure> {
    let whole = source(job).await?;
    let mut lacking = BTreeMap::new();
    for (table, name) in &whole.tables {
        if !job.world.records.is_recoverable(name).await? {
            lacking.insert(table.clone(), name.clone());
        }
    }
    let bucket = job.output(Stack::Bootstrap, "ArtifactBucketName")?;
    // Named by what it comes before, so that a run that was cut off writes it over.
    let digests = job.rendered.values().map(|rendered| rendered.digest.as_str());
    let before = hex(&Sha256::digest(digests.collect::<String>()));
    let folder = format!("{BACKUPS}before-{}", &before[..8]);
    let mut sink = Parts { job, bucket, folder, text: String::new(), stored: 0 };
    let (records, now) = (job.world.records.as_ref(), job.world.registry.now().await?);
    let source = Source { tables: lacking, ..whole };
    let counts = archive::write(records, &source, now, &mut sink).await.map_err(|failure| {
        failure.within("the data could not be backed up, so nothing was upgraded")
    })?;
    sink.store().await?;
    let recoverable = if source.tables.is_empty() { "every table by the second; " } else { "" };
    let text = format!(
        "Backed up: {recoverable}{} in {}/{}.",
        archive::counted(&counts),
        sink.bucket,
        sink.folder
    );
    job.events.emit(Event::Note { text });
    Ok(true)
}

/// Lines gathered into objects of the artifact bucket.
struct Parts<'a> {
    job: &'a Job,
    bucket: String,
    folder: String,
    text: String,
    stored: usize,
}

impl Parts<'_> {
    async fn store(&mut self) -> Result<(), Failure> {
        if self.text.is_empty() {
            return Ok(());
        }
        self.stored += 1;
        let object = Object {
            key: format!("{}/part-{:04}.jsonl", self.folder, self.stored),
            bytes: std::mem::take(&mut self.text).into(),
            content_type: "application/x-ndjson".into(),
            cache_control: "no-store".into(),
        };
        self.job.world.assets.write(Place::Home, &self.bucket, &object).await
    }
}

impl Sink for Parts<'_> {
    async fn take(&mut self, line: &str) -> Result<(), Failure> {
        self.text.push_str(line);
        if self.text.len() >= PART_BYTES { self.store().await } else { Ok(()) }
    }
}

/// Writes the data into the job's file, if one was requested.
pub(super) async fn export(job: &Job) -> Result<bool, Failure> {
    let Some(target) = &job.export else { return Ok(false) };
    let source = source(job).await?;
    if source.tables.is_empty() && source.pool.is_none() {
        return Ok(false);
    }
    tell_what_is_gone(job, &source);
    let counts = to_file(job, &source, target).await.map_err(|failure| {
        failure.within("the data could not be exported, so none of it was removed")
    })?;
    let text = format!("Exported {} to {}.", archive::counted(&counts), target.path.display());
    job.events.emit(Event::Note { text });
    Ok(true)
}

/// Writes the data into a file that only its owner can read, since it has people's addresses. The
/// file gets its name once it is complete; until then it has another.
pub async fn to_file(
    job: &Job,
    source: &Source,
    target: &Target,
) -> Result<BTreeMap<String, u64>, Failure> {
    let mut draft = target.draft(Access::Private)?;
    let (records, now) = (job.world.records.as_ref(), job.world.registry.now().await?);
    let counts = archive::write(records, source, now, &mut draft).await?;
    draft.keep()?;
    Ok(counts)
}

impl Sink for Draft {
    async fn take(&mut self, line: &str) -> Result<(), Failure> {
        self.add(line)
    }
}
