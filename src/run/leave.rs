//! The commands that take a galaxy's data out, in, and away: export, import, teardown.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::home::{self, Start};
use super::{ask, back, life, records};
use crate::archive::{self, Reader};
use crate::catalog;
use crate::cli::{Shared, Teardown};
use crate::event::{Event, Events, Outcome};
use crate::execute::{self, Job};
use crate::failure::{Failure, Kind};
use crate::lock;
use crate::model::{GalaxyName, Place, Stack, StackStatus};
use crate::observe::observe;
use crate::operators;
use crate::plan::{Goal, Observed, Step, StepId};
use crate::receipt;

pub(super) async fn teardown(
    shared: &Shared,
    wish: &Teardown,
    events: &Events,
) -> Result<(), Failure> {
    let config = super::configuration(shared)?;
    let home = home::reach(shared, &config, Start::Inhabited, events).await?;
    let config = life::with_domains(&home, config).await?;
    let looking = back::blank(&home, config, events);
    let goal = if wish.keep_data { Goal::DataOnly } else { Goal::Absent };
    let file = wish.export_to(&looking.facts.config.name, looking.world.clock.now());
    let job = Arc::new(Job {
        rendered: life::render_all(&looking.facts, catalog::fill_disposable)?,
        export: file.clone(),
        ..Arc::into_inner(looking).ok_or_else(|| Failure::bug("a job in two hands"))?
    });
    life::tell_start("teardown", &job);
    let (_, plan) = life::look(&job, goal, file.is_some()).await?;
    let finished = |outcome| Event::Finished { outcome, urls: vec![], next: vec![] };
    if plan.is_empty() {
        lock::sweep(&job.world, &job.facts.config.name).await?;
        events.emit(finished(Outcome::Unchanged));
        return Ok(());
    }
    tell_what_stays(&job, goal, &plan.steps);
    if let (Some(file), true) = (&file, plan.steps.iter().any(is_export)) {
        execute::writable(file)?;
        let text = format!("The data is written to {} before it goes.", file.display());
        events.emit(Event::Note { text });
    }
    if !ask::named(&job.facts.config.name, goal == Goal::DataOnly, wish.confirm.as_deref())? {
        events.emit(finished(Outcome::Declined));
        return Ok(());
    }
    life::alone(&job, "teardown", execute::run(&plan, &job)).await?;
    tell_what_is_left(&job, goal).await?;
    events.emit(finished(Outcome::Done));
    Ok(())
}

fn is_export(step: &Step) -> bool {
    step.id == StepId::Export
}

fn tell_what_stays(job: &Job, goal: Goal, steps: &[Step]) {
    if goal != Goal::DataOnly {
        return;
    }
    let planned = |stack: &Stack| steps.iter().any(|s| s.id == StepId::Stack(*stack));
    let staying: Vec<String> =
        Stack::all().into_iter().filter(|stack| !planned(stack)).map(Stack::key).collect();
    let text = format!("Stays, with all that is in it: {}.", staying.join(", "));
    job.events.emit(Event::Note { text });
}

/// Asks the account itself, so that the receipt is no promise but a finding.
async fn tell_what_is_left(job: &Arc<Job>, goal: Goal) -> Result<(), Failure> {
    let observed = observe(job).await?;
    let standing = observed.stacks.into_iter().filter(|(_, s)| s.status != StackStatus::Gone);
    let standing: Vec<_> = standing.collect();
    let name = &job.facts.config.name;
    let mut tagged = Vec::new();
    for place in [Place::Home, Place::Edge] {
        // A missing permission for this look is no reason to call a removal failed.
        tagged.extend(job.world.inventory.tagged(place, name.as_str()).await.unwrap_or_default());
    }
    tagged.sort();
    tagged.dedup();
    let mut left = receipt::receipt(name, &standing, &tagged);
    if goal == Goal::Absent {
        left.extend(records::left(job).await?);
    }
    let monthly_cents = left.iter().map(|one| one.monthly_cents).sum();
    job.events.emit(Event::Receipt { left, monthly_cents });
    Ok(())
}

/// A job that looks at an installed galaxy.
async fn installed(
    command: &str,
    start: Start,
    shared: &Shared,
    events: &Events,
) -> Result<(Arc<Job>, Observed), Failure> {
    let config = super::configuration(shared)?;
    let home = home::reach(shared, &config, start, events).await?;
    let job = back::blank(&home, config, events);
    life::tell_start(command, &job);
    let observed = observe(&job).await?;
    if !observed.stacks.contains_key(&Stack::Data) {
        return Err(back::not_installed(&job));
    }
    Ok((job, observed))
}

pub(super) async fn export(shared: &Shared, file: &Path, events: &Events) -> Result<(), Failure> {
    let (job, _) = installed("export", Start::Inhabited, shared, events).await?;
    let source = execute::source(&job).await?;
    let counts = execute::to_file(&job, &source, file).await?;
    let text = format!("Wrote {} to {}.", archive::counted(&counts), file.display());
    events.emit(Event::Note { text });
    let next = vec![
        "The file holds people's addresses: keep it where only you can read it.".into(),
        "Passwords can't be exported: after an import everybody sets a new one by mail.".into(),
    ];
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next });
    Ok(())
}

pub(super) async fn import(shared: &Shared, file: &Path, events: &Events) -> Result<(), Failure> {
    let open = || {
        std::fs::File::open(file).map(BufReader::new).map_err(|error| {
            Failure::new(Kind::Input, format!("can't read `{}`", file.display()))
                .cause(error.to_string())
                .help("name a file that `spaceduck export` has written")
        })
    };
    // Whole, or nothing is begun.
    let told = Reader::new(open()?).finish()?;
    let (job, _) = installed("import", Start::Installed, shared, events).await?;
    let source = execute::source(&job).await?;
    let name = &job.facts.config.name;
    let note = format!("/{name}/import");
    let begun = job.world.notes.get(&note).await?;
    let records = job.world.records.as_ref();
    if begun.as_deref() != Some(told.sha256.as_str())
        && !archive::is_empty(records, &source).await?
    {
        let message = format!("the galaxy `{name}` already has people or ducklings");
        return Err(Failure::new(Kind::Refused, message)
            .cause("an import writes over what has the same id, and mixes the rest")
            .help("import into a galaxy that was just installed"));
    }
    let text = format!("From the galaxy `{}`: {}.", told.galaxy, archive::counted(&told.counts));
    events.emit(Event::Note { text });
    if !ask::agreed(shared, "Import it?")? {
        events.emit(Event::Finished { outcome: Outcome::Declined, urls: vec![], next: vec![] });
        return Ok(());
    }
    lock::holding(&job.world, name, "import", async {
        // A run that is cut off finds the galaxy no longer empty, and by this that it may go on.
        job.world.notes.put(&note, &told.sha256).await?;
        archive::restore(records, &source, open()?, operators::password).await?;
        job.world.notes.remove(&note).await
    })
    .await?;
    let next = vec!["Everybody sets a new password at sign-in, by mail: `forgot`.".into()];
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next });
    Ok(())
}

impl Teardown {
    /// The file for the data, unless it is kept or the person wants none.
    fn export_to(&self, galaxy: &GalaxyName, now: u64) -> Option<PathBuf> {
        if self.no_export || self.keep_data {
            return None;
        }
        let named = || PathBuf::from(format!("{galaxy}-export-{now}.jsonl"));
        Some(self.export.clone().unwrap_or_else(named))
    }
}
