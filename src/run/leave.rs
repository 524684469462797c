//! The commands that take a galaxy's data out, in, and away: export, import, teardown.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::home::{self, Start};
use super::{ask, back, claim, life, records};
use crate::archive::{self, Progress, Reader, Spool};
use crate::catalog;
use crate::cli::{MailChoice, Shared, Teardown};
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
    let config = super::configuration(shared, events)?;
    let home = home::reach(shared, &config, Start::Inhabited, events).await?;
    let config = life::with_domains(&home, config).await?;
    let looking = back::blank(&home, config, events);
    let goal = if wish.keep_data { Goal::DataOnly } else { Goal::Absent };
    let file = wish.export_to(&looking.facts.config.name, looking.world.clock.now());
    let file = file.map(|path| super::target(shared, &path)).transpose()?;
    let job = Arc::new(Job {
        rendered: life::render_all(&looking.facts, catalog::fill_disposable)?,
        export: file.clone(),
        ..Arc::into_inner(looking).ok_or_else(|| Failure::bug("a job in two hands"))?
    });
    life::tell_start("teardown", &job);
    job.world.ownership.release(wish.adopted.iter().cloned().collect()).await;
    let (observed, plan) = life::look(&job, goal, file.is_some()).await?;
    claim::leaves(&job, &observed, goal, &wish.adopted)?;
    let finished = |outcome| Event::Finished { outcome, urls: vec![], next: vec![] };
    if plan.is_empty() {
        lock::sweep(&job.world, &job.facts.config.name).await?;
        events.emit(finished(Outcome::Unchanged));
        return Ok(());
    }
    tell_what_stays(&job, goal, &plan.steps);
    if let (Some(file), true) = (&file, plan.steps.iter().any(is_export)) {
        file.check()?;
        let text = format!("Exporting the data to {} first.", file.path.display());
        events.emit(Event::Note { text });
    }
    if !ask::named(&job.facts.config.name, goal == Goal::DataOnly, wish.confirm.as_deref()).await? {
        events.emit(finished(Outcome::Declined));
        return Ok(());
    }
    let had_tables = plan.steps.iter().any(|step| step.id == StepId::Stack(Stack::Data));
    let job = with_mail_choice(job, &observed, wish, goal).await?;
    job.world.ownership.confirm().await;
    life::alone(&job, "teardown", execute::run(&plan, &job)).await?;
    tell_what_is_left(&job, goal, had_tables).await?;
    events.emit(finished(Outcome::Done));
    Ok(())
}

/// The job with the person's choice about the SES identity in it, where the galaxy has one.
async fn with_mail_choice(
    job: Arc<Job>,
    observed: &Observed,
    wish: &Teardown,
    goal: Goal,
) -> Result<Arc<Job>, Failure> {
    let owned = observed.stacks.get(&Stack::Mail).and_then(execute::owned_identity);
    let Some(domain) = owned.filter(|_| goal == Goal::Absent) else { return Ok(job) };
    let removed = match wish.mail {
        Some(choice) => choice == MailChoice::Remove,
        None => wish.confirm.is_none() && ask::removes_identity(domain.as_str()).await?,
    };
    let text = if removed {
        format!("Removing {domain} from SES; mail from it stops.")
    } else {
        format!("Keeping {domain} verified in SES; `--mail remove` removes it.")
    };
    job.events.emit(Event::Note { text });
    let mut job = Arc::into_inner(job).ok_or_else(|| Failure::bug("a job in two hands"))?;
    if removed {
        job.named.insert(execute::IDENTITY.to_owned());
    }
    Ok(Arc::new(job))
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
    let text = format!("Kept with its contents: {}.", staying.join(", "));
    job.events.emit(Event::Note { text });
}

/// Asks the account itself, so that the receipt is no promise but a finding.
async fn tell_what_is_left(job: &Arc<Job>, goal: Goal, tables: bool) -> Result<(), Failure> {
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
        if tables && job.facts.config.point_in_time {
            left.push(receipt::system_backups(name));
        }
        left.extend(records::left(job).await?);
        let written = job.export.iter().filter(|target| target.path.is_file());
        left.extend(written.map(|target| receipt::export(&target.path)));
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
    let config = super::configuration(shared, events)?;
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
    let target = super::target(shared, file)?;
    target.check()?;
    let (job, _) = installed("export", Start::Inhabited, shared, events).await?;
    let source = execute::source(&job).await?;
    execute::tell_what_is_gone(&job, &source);
    let counts = execute::to_file(&job, &source, &target).await?;
    let text = if shared.rehearse {
        format!("Would write {} to {}.", archive::counted(&counts), file.display())
    } else {
        format!("Wrote {} to {}.", archive::counted(&counts), file.display())
    };
    events.emit(Event::Note { text });
    let next = vec![
        "The file contains people's addresses: store it where only you can read it.".into(),
        "Passwords can't be exported: after an import, everyone sets a new one by email.".into(),
    ];
    events.emit(Event::Finished { outcome: Outcome::Done, urls: vec![], next });
    Ok(())
}

/// A file that an export has written.
pub(super) fn exported(file: &Path) -> Result<BufReader<std::fs::File>, Failure> {
    std::fs::File::open(file).map(BufReader::new).map_err(|error| {
        Failure::new(Kind::Input, format!("can't read `{}`", file.display()))
            .cause(error.to_string())
            .help("name a file that `spaceduck export` has written")
    })
}

/// What an export can't hold, said before anything is imported.
pub(super) const LEFT_BEHIND: &str = "\
    Passwords, second factors and the private signing key stay behind. People set a new password \
    with `forgot`; certificates stay valid: the public keys that verify them are in the file.";

pub(super) async fn import(shared: &Shared, file: &Path, events: &Events) -> Result<(), Failure> {
    let open = || exported(file);
    // Whole, or nothing is begun.
    let told = Reader::new(open()?).finish()?;
    let (job, _) = installed("import", Start::Installed, shared, events).await?;
    let source = execute::source(&job).await?;
    let people = told.counts.get("people").copied().unwrap_or_default();
    if source.pool.is_none() && people > 0 {
        let message = format!("there is no user pool for the {people} people in the file");
        return Err(Failure::new(Kind::Refused, message)
            .help("`spaceduck install` brings it back; then run the same command again"));
    }
    let name = &job.facts.config.name;
    let note = catalog::import_path(name);
    let mut progress = Progress::look(&job.world, &note, &told.sha256).await?;
    let records = job.world.records.as_ref();
    if !progress.is_begun() && !archive::is_empty(records, &source).await? {
        let message = format!("the galaxy `{name}` already has people or ducklings");
        return Err(Failure::new(Kind::Refused, message)
            .cause("an import would overwrite entries with the same id and mix the rest")
            .help("import into a newly installed galaxy"));
    }
    let text = format!("From the galaxy `{}`: {}.", told.galaxy, archive::counted(&told.counts));
    events.emit(Event::Note { text });
    events.emit(Event::Note { text: LEFT_BEHIND.into() });
    let spool = Spool::fill(open()?, file.parent().unwrap_or_else(|| Path::new(".")))?;
    for text in spool.repairs() {
        events.emit(Event::Note { text: text.clone() });
    }
    if !ask::agreed(shared, "Import it?").await? {
        events.emit(Event::Finished { outcome: Outcome::Declined, urls: vec![], next: vec![] });
        return Ok(());
    }
    lock::holding(&job.world, name, "import", async {
        archive::restore(&job.world, &source, &spool, &mut progress, operators::password).await
    })
    .await?;
    let next = vec!["Everyone sets a new password by email at the next sign-in (`forgot`).".into()];
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
