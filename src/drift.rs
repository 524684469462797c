//! What differs from the installed release: stacks, function, pages, manifest, parameters; and what
//! could not be checked.
//!
//! It compares with the manifest of the installed release, not with what this program would
//! install. Each part can fail by itself: the others still report.

use std::collections::BTreeMap;
use std::sync::Arc;

use galaxy_sites::Site;
use serde::{Deserialize, Serialize};

use crate::catalog;
use crate::execute::{Job, Pages, site_hosts};
use crate::failure::{Failure, Kind as FailureKind};
use crate::model::{Stack, StackSeen, StackStatus};
use crate::release::{Manifest, Record};

mod added;
mod contents;
mod domains;
mod kinds;
mod mail;
mod memory;
mod records;
mod repair;
mod resources;
mod strays;
mod subject;

pub use kinds::{KINDS, Kind};
pub use memory::{Told, keep, mark_kept, since_last};
pub use repair::{extras, is_wanted, needs_install, repair};
pub use subject::{Area, Subject};

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// What sort of finding it is.
    pub kind: Kind,
    /// The actual and the expected state.
    pub detail: String,
    /// Whether a person decided to keep it so.
    pub kept: bool,
    /// The galaxy's name, if its command wants it typed.
    pub typed: Option<String>,
}

impl Finding {
    /// The subject in words, such as `api.HatchRoute` or `duckgalaxy/index.html`.
    #[must_use]
    pub fn item(&self) -> String {
        self.subject.to_string()
    }

    /// What is wrong with it.
    #[must_use]
    pub fn state(&self) -> State {
        self.kind.state
    }

    /// Whether it counts as drift.
    #[must_use]
    pub fn is_drift(&self) -> bool {
        self.state() != State::Unchecked && !self.kept
    }

    /// The command that mends it, ready for a shell.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        let command = self.kind.mends;
        match command {
            "" => None,
            _ if self.kept => None,
            kinds::REPAIR | kinds::KEEP => Some(format!("{command} {}", quoted(&self.item()))),
            _ => Some(match &self.typed {
                Some(name) => format!("{command} --confirm {name}"),
                None => command.to_owned(),
            }),
        }
    }
}

/// An argument for a shell, quoted where necessary.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there and different.
    Changed,
    /// It no longer exists.
    Missing,
    /// It is there and does not belong there.
    Extra,
    /// It could not be checked. This is no drift.
    Unchecked,
}

impl State {
    /// Its name in output.
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

fn finding(kind: Kind, subject: Subject, detail: impl Into<String>) -> Finding {
    Finding { subject, kind, detail: detail.into(), kept: false, typed: None }
}

/// A job that goes by a release on record, in whatever state that is: unlike a job for a roll-back
/// it needs neither template nor code.
#[must_use]
pub fn view(job: &Job, stacks: &BTreeMap<Stack, StackSeen>, record: &Record) -> Arc<Job> {
    let mut facts = job.facts.clone();
    let mut pages = Pages::Program;
    if let Some(manifest) = &record.manifest {
        facts.release.clone_from(&manifest.release);
        pages = Pages::Record(Box::new(manifest.clone()));
    }
    let job = Job {
        rendered: BTreeMap::new(),
        world: job.world.clone(),
        events: Arc::clone(&job.events),
        account: job.account.clone(),
        home: job.home.clone(),
        code: None,
        secret: None,
        facts,
        pages,
        files: Arc::clone(&job.files),
        export: None,
        named: job.named.clone(),
        outputs: std::sync::Mutex::default(),
    };
    for (stack, seen) in stacks {
        job.learn(*stack, seen.outputs.clone());
    }
    Arc::new(job)
}

/// The parts of a look: what they found, and which of them failed.
#[derive(Default)]
struct Looks {
    found: Vec<Finding>,
    failed: Vec<(Area, Failure)>,
    fine: usize,
}

impl Looks {
    fn take(&mut self, area: Area, result: Result<Vec<Finding>, Failure>) -> Result<(), Failure> {
        match result {
            Ok(found) => {
                self.fine += 1;
                self.found.extend(found);
            }
            Err(failure) if matches!(failure.kind, FailureKind::Access | FailureKind::Settled) => {
                self.failed.push((area, failure));
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// All findings; a look of which no part worked has failed.
    fn finish(mut self) -> Result<Vec<Finding>, Failure> {
        if self.fine == 0 && !self.failed.is_empty() {
            return Err(self.failed.remove(0).1);
        }
        for (area, failure) in self.failed {
            let cause = failure.cause.as_deref().map(|cause| format!(" ({cause})"));
            let detail = format!("{}{}", failure.message(), cause.unwrap_or_default());
            self.found.push(finding(kinds::LOOK_FAILED, Subject::Look(area), detail));
        }
        self.found.sort();
        Ok(self.found)
    }
}

/// Looks at everything.
pub async fn inspect(
    job: &Arc<Job>,
    stacks: &BTreeMap<Stack, StackSeen>,
    record: &Record,
) -> Result<Vec<Finding>, Failure> {
    let found = of_stacks(stacks, job.facts.config.shield.is_on());
    let mut looks = Looks { found, ..Looks::default() };
    looks.found.extend(of_trouble(record));
    let resources = resources::look(job, stacks).await?;
    looks.fine += usize::from(!resources.listed.is_empty());
    let failed = resources.failed.iter();
    looks.failed.extend(failed.map(|(stack, why)| (Area::Resources(*stack), why.clone())));
    let compared = resources.listed.iter();
    looks.found.extend(compared.filter_map(|(stack, drift)| resources::of(*stack, drift)));
    of_additions(job, &resources, &mut looks).await?;
    let strays = if resources.complete {
        strays::find(job, &resources.listed).await
    } else {
        let message = "the resources of a stack could not be listed, so strays can't be told apart";
        Err(Failure::new(FailureKind::Settled, message)
            .help("run the same command again when AWS answers"))
    };
    looks.take(Area::Tagged, strays)?;
    if let Some(manifest) = &record.manifest {
        of_release(job, stacks, manifest, &mut looks).await?;
    }
    looks.take(Area::Parameters, of_parameters(job).await)?;
    let records = records::find(job).await;
    let told = records.clone().unwrap_or_default();
    looks.take(Area::Records, records)?;
    looks.take(Area::Domains, domains::find(job, &told).await)?;
    looks.take(Area::Mail, mail::find(job, stacks, &job.facts.release).await)?;
    let mut found = looks.finish()?;
    // Accounts and the signing key outlive their stacks, and a typed name takes them over.
    let gone = |stack: &Stack| catalog::keeps_data(*stack) && !is_there(stacks, *stack);
    if Stack::all().iter().any(gone) {
        for one in found.iter_mut().filter(|one| one.kind.mends == kinds::INSTALL) {
            one.typed = Some(job.facts.config.name.as_str().to_owned());
        }
    }
    Ok(found)
}

fn is_there(stacks: &BTreeMap<Stack, StackSeen>, stack: Stack) -> bool {
    stacks.get(&stack).is_some_and(|seen| seen.status != StackStatus::Gone)
}

/// What was added to the resources of each stack.
async fn of_additions(
    job: &Arc<Job>,
    resources: &resources::Resources,
    looks: &mut Looks,
) -> Result<(), Failure> {
    for stack in Stack::all() {
        let of_stack = resources.listed.iter().filter(|(of, _)| *of == stack);
        let of_stack: Vec<_> = of_stack.map(|(_, resource)| resource).collect();
        if !of_stack.is_empty() {
            looks.take(Area::Additions(stack), added::find(job, stack, &of_stack).await)?;
        }
    }
    Ok(())
}

async fn of_release(
    job: &Arc<Job>,
    stacks: &BTreeMap<Stack, StackSeen>,
    manifest: &Manifest,
    looks: &mut Looks,
) -> Result<(), Failure> {
    looks.take(Area::Function, contents::of_function(job, manifest).await)?;
    for site in Site::ALL {
        if let (true, Some(record)) =
            (stacks.contains_key(&Stack::Site(site)), manifest.sites.get(site.name()))
        {
            looks.take(Area::Pages(site), contents::of_site(job, site, record).await)?;
        }
    }
    looks.take(Area::Artifacts, contents::of_record(job, manifest).await)
}

fn of_stacks(stacks: &BTreeMap<Stack, StackSeen>, shield: bool) -> Vec<Finding> {
    let spare = |stack: Stack| stack.is_optional() && !(shield && stack == Stack::ApiShield);
    let one = |stack: Stack| match stacks.get(&stack).filter(|s| s.status != StackStatus::Gone) {
        None if spare(stack) => None,
        None => Some(finding(kinds::STACK_GONE, Subject::Stack(stack), "the stack is gone")),
        Some(seen) if seen.status == StackStatus::Ready && seen.protected => None,
        Some(seen) if seen.status == StackStatus::Ready => {
            let detail = "termination protection is off";
            Some(finding(kinds::STACK_UNPROTECTED, Subject::Stack(stack), detail))
        }
        Some(seen) => {
            let detail = format!("it is in {}", seen.code);
            Some(finding(kinds::STACK_ILL, Subject::Stack(stack), detail))
        }
    };
    Stack::all().into_iter().filter_map(one).collect()
}

/// What is wrong with the record itself.
fn of_trouble(record: &Record) -> Option<Finding> {
    let trouble = record.trouble.as_ref()?;
    let subject = match trouble.key() {
        Some(key) => Subject::Artifact(key),
        None => Subject::ArtifactBucket,
    };
    let detail = trouble.to_string();
    Some(match (&record.manifest, &subject) {
        (_, Subject::ArtifactBucket) => finding(kinds::ARTIFACTS_GONE, subject, detail),
        (Some(manifest), _) => {
            let detail = format!("{detail}; compared with the record of {}", manifest.id);
            finding(kinds::POINTER_BROKEN, subject, detail)
        }
        (None, _) => finding(kinds::POINTER_LOST, subject, detail),
    })
}

/// The artifact bucket, by its fixed name: it can be there without its stack.
fn artifacts(job: &Job) -> Option<String> {
    catalog::bucket(Stack::Bootstrap, &job.facts.config.name, &job.account, &job.home)
}

async fn of_parameters(job: &Job) -> Result<Vec<Finding>, Failure> {
    let name = &job.facts.config.name;
    let path = catalog::hostnames_path(name);
    let mut found = Vec::new();
    // Without every site's address there is nothing to compare with, and a stack is missing.
    if let Ok(wanted) = site_hosts(job) {
        match job.world.secrets.read(&path).await? {
            None => {
                let detail = "where captchas may be solved";
                found.push(finding(kinds::HOSTS_GONE, Subject::Hostnames(path), detail));
            }
            Some(hosts) if hosts != wanted => {
                let detail = "captchas count on other hosts";
                found.push(finding(kinds::HOSTS_CHANGED, Subject::Hostnames(path), detail));
            }
            Some(_) => {}
        }
    }
    found.extend(of_secret(job).await?);
    Ok(found)
}

async fn of_secret(job: &Job) -> Result<Option<Finding>, Failure> {
    let config = &job.facts.config;
    if config.turnstile_site_key.is_none() {
        return Ok(None);
    }
    let path = catalog::turnstile_path(&config.name);
    let stored = job.world.secrets.read(&path).await?;
    let subject = Subject::TurnstileSecret(path);
    let Some(stored) = stored else {
        let detail = "no egg can hatch; set SPACEDUCK_TURNSTILE_SECRET and install";
        return Ok(Some(finding(kinds::SECRET_GONE, subject, detail)));
    };
    let changed = |detail: &str| Ok(Some(finding(kinds::SECRET_CHANGED, subject.clone(), detail)));
    match &config.turnstile_secret {
        Some(given) if *given != stored => {
            return changed("it is not the one in SPACEDUCK_TURNSTILE_SECRET");
        }
        Some(_) => return Ok(None),
        None => {}
    }
    let Some(bucket) = artifacts(job) else { return Ok(None) };
    let assets = job.world.assets.as_ref();
    match crate::stored::is_known_secret(assets, &bucket, &stored).await? {
        Some(true) => Ok(None),
        Some(false) => {
            changed("it is not the one that was stored; set SPACEDUCK_TURNSTILE_SECRET and install")
        }
        None => {
            let detail = "no fingerprint of it is on record; it gets one when it is next stored";
            Ok(Some(finding(kinds::SECRET_UNKNOWN, subject, detail)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted_into_a_shell() {
        let page = |path: &str| Subject::Page { site: Site::DuckGalaxy, path: path.to_owned() };
        let command = |path: &str| finding(kinds::PAGE_EXTRA, page(path), "").command();
        assert_eq!(command("a.html").as_deref(), Some("spaceduck repair duckgalaxy/a.html"));
        let odd = "spaceduck repair 'duckgalaxy/it'\\''s $(here).html'";
        assert_eq!(command("it's $(here).html").as_deref(), Some(odd));
    }

    #[test]
    fn a_part_that_fails_is_unchecked_and_a_look_without_any_part_has_failed() {
        let refused = || Failure::new(FailureKind::Access, "a permission is missing");
        let mut looks = Looks::default();
        looks.take(Area::Mail, Err(refused())).expect("told later");
        assert_eq!(looks.finish().expect_err("nothing worked").kind, FailureKind::Access);
        let mut looks = Looks::default();
        looks.take(Area::Mail, Err(refused())).expect("told later");
        looks.take(Area::Tagged, Ok(Vec::new())).expect("fine");
        let found = looks.finish().expect("something worked");
        assert_eq!((found.len(), found[0].item().as_str()), (1, "look/mail"));
        assert!(!found[0].is_drift());
    }
}
