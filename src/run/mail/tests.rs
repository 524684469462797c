//! The whole walk in rehearsal, in every state of the review, as text at two widths.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use clap::Parser as _;
use galaxy_mail::facts::Memory;
use galaxy_mail::request::Letter;

use super::super::home::Home;
use super::super::life;
use super::Begun;
use sha2::{Digest as _, Sha256};

use crate::catalog::Code;
use crate::cli::{Cli, Command};
use crate::config::{self, Environment};
use crate::event::{Event, Events, Sink};
use crate::execute;
use crate::failure::Failure;
use crate::identity;
use crate::model::{AccountId, Region};
use crate::observe::observe;
use crate::plan::{self, Goal};
use crate::progress::Silent;
use crate::progress::mail::text;
use crate::rehearse::{self, Account};

#[derive(Default)]
struct Heard(Mutex<Vec<Event>>);

impl Sink for Heard {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

const CONFIG: &str = "\
region: eu-central-1
turnstile:
  site_key: 0x4AAAAAAABkMYinukE8nzY1
mail:
  domain: example.org
  reports: reports@example.org
  website: https://example.org
";

/// Runs a command of mail in rehearsal; its exit code and what it told.
async fn run(config: &str, words: &str) -> (Result<u8, Failure>, Vec<Event>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("galaxy.yaml");
    std::fs::write(&path, config).unwrap();
    let line = ["spaceduck", "--rehearse", "--config", path.to_str().unwrap(), "mail"];
    let cli = Cli::parse_from(line.into_iter().chain(words.split_whitespace()));
    let Command::Mail(wish) = &cli.command else { panic!() };
    let heard = Arc::new(Heard::default());
    let events: Events = heard.clone();
    let code = Box::pin(super::run(&cli.shared, wish, &events)).await;
    let told = heard.0.lock().unwrap().clone();
    (code, told)
}

fn page(events: &[Event], width: usize) -> String {
    let lines = events.iter().filter_map(|event| match event {
        Event::Finished { next, .. } => {
            let next = next.iter().map(|line| format!("Next: {line}"));
            Some(next.collect::<Vec<_>>().join("\n"))
        }
        Event::Note { text } => Some(text.clone()),
        Event::Status { item, state } => Some(format!("{item:<32} {state}")),
        other => Some(text(other, width)).filter(|text| !text.is_empty()),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn settled(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC", "[moment]");
    settings.add_filter(r"after \d+ s", "after [n] s");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[tokio::test]
async fn every_state_of_the_review_has_its_page_at_both_widths() {
    for state in
        ["never-asked", "pending", "granted", "denied", "failed", "probation", "shutdown", "paused"]
    {
        let (code, events) = run(CONFIG, &format!("--play {state}")).await;
        assert_eq!(code.unwrap(), if state == "granted" { 0 } else { super::OPEN }, "{state}");
        for width in [80, 120] {
            let page = page(&events, width);
            for line in page.lines() {
                let fits = line.chars().count() <= width || !line.trim().contains(' ');
                assert!(fits || line.starts_with("Next: "), "{state} at {width}: {line}");
            }
            settled(&format!("{state}_{width}"), &page);
        }
    }
}

/// A galaxy in an account in which nobody waits for the clock.
async fn installed() -> (Arc<Account>, Begun) {
    let id = AccountId::parse("111122223333").unwrap();
    let region = Region::parse("eu-central-1").unwrap();
    let account = Account::new(id.clone(), region.clone());
    let config = config::parse("galaxy.yaml", CONFIG, &Environment::default()).unwrap();
    let galaxy = config.name.clone();
    let subject = identity::Subject { galaxy, account: id.clone(), home: region.clone() };
    let home = Home { id, region, world: identity::guard(account.world(), subject) };
    let code = Code { sha256: crate::render::hex(&Sha256::digest(b"zip")), architecture: "arm64" };
    let quiet: Events = Arc::new(Silent);
    let code = (code, Arc::from(&b"zip"[..]));
    let job = life::arrival(&home, config.clone(), code, BTreeSet::new(), &quiet).unwrap();
    let observed = observe(&job).await.unwrap();
    let plan = plan::plan(Goal::Present, &observed, &job.rendered);
    execute::run(&plan, &job).await.unwrap();
    let release = Some(env!("CARGO_PKG_VERSION").into());
    (account, Begun { home, config, release, installed: true, listens: true })
}

/// Somebody who has done everything in the sandbox applies and watches: what changes is told, the
/// simulator is played once more after the grant, and the walk ends by itself when all is done.
#[tokio::test]
async fn whoever_watches_is_told_what_changes_until_all_is_done() {
    let (account, begun) = installed().await;
    account.settle_records();
    account.serve("example.org");
    let finished = rehearse::finished_memory(begun.home.world.clock.now());
    let mut memory: Memory = serde_json::from_str(&finished).unwrap();
    memory.granted = None;
    begun.desk().remember(&memory).await.unwrap();
    let letter = Letter {
        website: "https://example.org/".into(),
        text: "We send codes.".into(),
        contacts: vec![],
    };
    begun.home.world.mail.apply(&letter).await.unwrap();
    let heard = Arc::new(Heard::default());
    let events: Events = heard.clone();
    assert_eq!(super::walk(&begun, true, &events).await.unwrap(), 0);
    let told = heard.0.lock().unwrap().clone();
    let stages = told.iter().filter_map(|event| match event {
        Event::MailStage(stage) => Some(stage.stage.as_str()),
        _ => None,
    });
    assert_eq!(stages.collect::<Vec<_>>(), ["pending", "granted"]);
    let items = told.iter().filter_map(|event| match event {
        Event::MailItem(item) => Some((item.item.as_str(), item.state.as_str())),
        _ => None,
    });
    let items: Vec<_> = items.collect();
    let (first, later) = items.split_at(20);
    assert!(first.contains(&("letter", "waiting")), "{first:?}");
    assert_eq!(later, [("letter", "done"), ("warm_up", "done")], "only what has changed");
    let notes: Vec<_> = told
        .iter()
        .filter_map(|event| match event {
            Event::Note { text } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(notes.iter().filter(|note| note.starts_with("Watching")).count(), 1, "{notes:?}");
    let again = notes.iter().filter(|note| note.contains("once more")).count();
    assert_eq!((again, account.played()), (1, 3), "{notes:?}");
    let memory = begun.desk().memory().await.unwrap();
    assert!(!memory.is_tested_too_early() && memory.test.unwrap().wrote("bounce"));
    // Another walk has nothing to play.
    let events: Events = heard.clone();
    assert_eq!(super::walk(&begun, false, &events).await.unwrap(), 0);
    assert_eq!(account.played(), 3);
}

/// A test that can't be repeated is no reason to show nothing.
#[tokio::test]
async fn a_simulator_that_can_not_be_played_again_is_told_of() {
    let (account, begun) = installed().await;
    account.settle_records();
    account.stand(rehearse::standing("granted"));
    let memory: Memory = serde_json::from_str(&rehearse::finished_memory(1)).unwrap();
    begun.desk().remember(&Memory { granted: None, ..memory }).await.unwrap();
    account.refuse_plays();
    let heard = Arc::new(Heard::default());
    let events: Events = heard.clone();
    assert_eq!(super::walk(&begun, false, &events).await.unwrap(), super::OPEN);
    let page = page(&heard.0.lock().unwrap(), 80);
    assert!(page.contains("They could not be played: "), "{page}");
    assert!(page.contains("run `spaceduck mail test` once more"), "{page}");
}

#[tokio::test]
async fn without_a_domain_nothing_is_wrong() {
    let (code, events) = run("region: eu-central-1\n", "").await;
    assert_eq!(code.unwrap(), super::OPEN);
    settled("no_domain_80", &page(&events, 80));
}

#[tokio::test]
async fn records_that_are_not_there_yet_are_listed_and_a_rehearsal_writes_no_zone() {
    let folder = tempfile::tempdir().unwrap();
    let zone = folder.path().join("zone");
    let (code, events) = run(CONFIG, &format!("records --zone {}", zone.display())).await;
    assert!(matches!(code, Ok(0 | super::OPEN)));
    let records = events.iter().filter(|event| matches!(event, Event::DnsRecord(_))).count();
    assert_eq!(records, 6, "three for DKIM, two for MAIL FROM, one for DMARC");
    assert!(!zone.exists(), "a rehearsal writes no file");
}

#[tokio::test]
async fn the_test_tells_what_the_simulator_took() {
    let (code, events) = run(CONFIG, "test").await;
    assert_eq!(code.unwrap(), 0);
    settled("test_80", &page(&events, 80));
    let (code, _) = run("region: eu-central-1\n", "test").await;
    assert!(code.unwrap_err().to_text().contains("mail.domain"));
}

#[tokio::test]
async fn a_draft_is_scored_and_not_sent() {
    let (code, events) = run(CONFIG, "apply --draft --per-day 200 --play never-asked").await;
    assert_eq!(code.unwrap(), 0);
    settled("draft_80", &page(&events, 80));
}

#[tokio::test]
async fn where_nothing_can_be_applied_for_the_reason_is_told() {
    for state in ["pending", "granted", "probation", "shutdown", "paused"] {
        let (code, events) = run(CONFIG, &format!("apply --draft --play {state}")).await;
        let failure = code.unwrap_err();
        assert_eq!(failure.kind, crate::failure::Kind::Refused, "{state}");
        assert!(failure.to_text().contains("help: "), "{state}");
        assert!(!events.iter().any(|event| matches!(event, Event::MailLetter(_))), "{state}");
    }
}

#[tokio::test]
async fn only_what_a_person_knows_is_confirmed() {
    let (code, _) = run(CONFIG, "confirm imprint").await;
    assert_eq!(code.unwrap(), 0);
    for wrong in ["dkim", "letter", "nonsense"] {
        let (code, _) = run(CONFIG, &format!("confirm {wrong}")).await;
        let text = code.unwrap_err().to_text();
        assert!(text.contains("imprint, mailboxes, contacts, price"), "{text}");
    }
}

#[tokio::test]
async fn an_invitation_is_sent_and_said_so() {
    let (code, events) = run(CONFIG, "invite ann@example.org").await;
    assert_eq!(code.unwrap(), 0);
    assert!(page(&events, 80).contains("Amazon has sent ann@example.org a mail"));
    let (code, _) = run(CONFIG, "invite ann").await;
    assert!(code.is_err());
}

#[tokio::test]
async fn playing_a_state_is_for_rehearsals() {
    let cli = Cli::parse_from(["spaceduck", "mail", "--play", "denied"]);
    let Command::Mail(wish) = &cli.command else { panic!() };
    let events: Events = Arc::new(Heard::default());
    let failure = super::run(&cli.shared, wish, &events).await.unwrap_err();
    assert_eq!(failure.kind, crate::failure::Kind::Usage);
}
