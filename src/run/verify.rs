//! `spaceduck verify`: what an installed galaxy shows, as text, as JSON lines, and in a file.

use std::sync::Arc;

use super::home::{self, Home, Start};
use super::{back, drift, life, look, mail};
use crate::catalog;
use crate::cli::{Mail, MailWish, Shared, Verify};
use crate::config::Config;
use crate::drift::Finding;
use crate::event::{self, Event, Events, Outcome};
use crate::execute::{self, Job};
use crate::failure::{Failure, Kind};
use crate::files::Access;
use crate::progress::{self, Silent};
use crate::scrub::scrub;
use crate::verify::{self, Case, Report, Verdict};

/// The exit code if a check found something wrong.
const WRONG: u8 = 6;

pub(super) async fn verify(shared: &Shared, wish: &Verify, events: &Events) -> Result<u8, Failure> {
    // A file that can't be written is reported now, not after minutes of work.
    let target = wish.out.as_deref().map(|path| super::target(shared, path)).transpose()?;
    let draft = target.as_ref().map(|target| target.draft(Access::Private)).transpose()?;
    let config = super::configuration(shared, events)?;
    let home = home::reach(shared, &config, Start::Inhabited, events).await?;
    let config = match life::with_domains(&home, config.clone()).await {
        Ok(config) => config,
        // The report goes without them.
        Err(_) => config,
    };
    let job = back::blank(&home, config.clone(), events);
    life::tell_start("verify", &job);
    let report = verify::look(&case(&home, config, &job).await?).await;
    let mut told = told(&report);
    if wish.send {
        told.push(simulated(shared).await);
    }
    let wrong = report.is_wrong() || told.iter().any(is_wrong);
    for event in &told {
        events.emit(event.clone());
    }
    if let (Some(mut draft), Some(target)) = (draft, &target) {
        draft.add(&written(&told))?;
        draft.keep()?;
        super::tell_written(events, target);
    }
    let outcome = if wrong { Outcome::Drifted } else { Outcome::Told };
    events.emit(Event::Finished { outcome, urls: vec![], next: vec![] });
    Ok(if wrong { WRONG } else { 0 })
}

async fn case(home: &Home, config: Config, job: &Arc<Job>) -> Result<Case, Failure> {
    let facts = catalog::Facts {
        config,
        account: Some(home.id.clone()),
        region: Some(home.region.clone()),
        code: None,
        release: life::RELEASE.into(),
    };
    let drift = compared(job).await.map_err(|failure| failure.message().to_owned());
    // What the stacks tell was learned by the comparison, as far as it came.
    let urls = execute::urls(job).unwrap_or_default();
    Ok(Case {
        rendered: life::render_all(&facts, catalog::fill)?,
        account: home.id.clone(),
        home: home.region.clone(),
        world: home.world.clone(),
        facts,
        drift,
        urls: urls.into_iter().map(|url| (url.name, url.url)).collect(),
    })
}

/// How the account differs from the installed release; nothing if none is on record.
async fn compared(job: &Arc<Job>) -> Result<Option<Vec<Finding>>, Failure> {
    let look = match look::again(job).await {
        Ok(look) => look,
        Err(failure) if failure.kind == Kind::Refused => return Ok(None),
        Err(failure) => return Err(failure),
    };
    if look.record.manifest.is_none() {
        return Ok(None);
    }
    drift::findings(&look).await.map(Some)
}

/// The report as events, without anything that identifies a person or an account.
fn told(report: &Report) -> Vec<Event> {
    let checks = report.checks.iter().map(|one| {
        Event::Verified(event::Verified {
            check: one.check.to_owned(),
            verdict: one.verdict.word().to_owned(),
            detail: scrub(&one.detail),
        })
    });
    let answers = report.answers.iter().map(|one| {
        Event::Answered(event::Answered {
            id: one.id.to_owned(),
            question: one.question.to_owned(),
            answer: one.answer.word().to_owned(),
            evidence: scrub(&one.evidence),
        })
    });
    let times = report.times.iter().map(|one| {
        let (stack, seconds, estimate) = (one.stack.to_string(), one.seconds, one.estimate);
        Event::Timed(event::Timed { stack, seconds, estimate })
    });
    checks.chain(answers).chain(times).collect()
}

/// Plays a delivery, a bounce and a complaint with the mailbox simulator.
async fn simulated(shared: &Shared) -> Event {
    let wish = Mail { watch: false, play: None, wish: Some(MailWish::Test) };
    let quiet: Events = Arc::new(Silent);
    let (verdict, detail) = match Box::pin(mail::run(shared, &wish, &quiet)).await {
        Ok(0) => (Verdict::Ok, "delivery, bounce and complaint arrived".to_owned()),
        Ok(_) => (Verdict::Wrong, "a bounce or complaint was not recorded".to_owned()),
        Err(failure) => (Verdict::Unknown, scrub(failure.message())),
    };
    let (check, verdict) = ("mail-simulator".to_owned(), verdict.word().to_owned());
    Event::Verified(event::Verified { check, verdict, detail })
}

fn is_wrong(event: &Event) -> bool {
    matches!(event, Event::Verified(one) if one.verdict == Verdict::Wrong.word())
}

/// The file: the text that the terminal shows, and the same as JSON lines below it.
fn written(told: &[Event]) -> String {
    let mut text = format!("spaceduck {} verify\n\n", life::RELEASE);
    for line in told.iter().filter_map(|event| progress::verify::text(event, None)) {
        text.push_str(&line);
        text.push('\n');
    }
    text.push('\n');
    for line in told.iter().filter_map(|event| serde_json::to_string(event).ok()) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}
