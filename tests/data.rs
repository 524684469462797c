//! A galaxy's data in an account in memory: backed up before an upgrade, written down before it
//! goes, kept, taken up again, put into another galaxy.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod galaxy;

use std::sync::Arc;

use serde_json::{Value, json};
use spaceduck::archive::{self, Line, Reader, Spool};

use spaceduck::event::Event;
use spaceduck::execute::{self, Job};
use spaceduck::files::Target;
use spaceduck::model::Place;
use spaceduck::plan::{self, Goal};
use spaceduck::rehearse::{Account, Cut, Fault};

use galaxy::*;

const DUCKLINGS: &str = "spaceduck-ducklings";
const POOL: &str = "UserPoolId-of-spaceduck-auth";

const CERTIFICATES: &str = "spaceduck-certs";

/// A galaxy with three ducklings, so that every list has more than one page.
async fn inhabited() -> Arc<Account> {
    let account = account();
    install(&account).await.unwrap();
    for name in ["swan", "crane", "heron"] {
        let [duckling, certificate] = duckling(name);
        account.remember(DUCKLINGS, duckling);
        account.remember(CERTIFICATES, certificate);
        account.sign_up(POOL, &format!("{name}@example.com"));
    }
    account
}

fn position(log: &[String], part: &str) -> usize {
    let found = log.iter().position(|effect| effect.contains(part));
    found.unwrap_or_else(|| panic!("nothing of `{part}`: {log:#?}"))
}

/// The backups in the artifact bucket, as one text.
async fn backups(account: &Arc<Account>) -> String {
    let (job, _) = job(account, Goal::Present, "a").await.unwrap();
    let bucket = job.output(spaceduck::model::Stack::Bootstrap, "ArtifactBucketName").unwrap();
    let mut text = String::new();
    for key in job.world.assets.keys(Place::Home, &bucket).await.unwrap() {
        if key.starts_with("backups/") {
            let bytes = job.world.assets.read(Place::Home, &bucket, &key).await.unwrap();
            text.push_str(&String::from_utf8(bytes.unwrap()).unwrap());
        }
    }
    text
}

#[tokio::test]
async fn an_upgrade_begins_with_a_backup() {
    let account = inhabited().await;
    assert_eq!(backups(&account).await, "", "a first installation has nothing to lose");
    let before = account.log().len();
    reach(&account, Goal::Present, "b").await.unwrap();
    let log = account.log().split_off(before);
    assert!(position(&log, "backups/") < position(&log, "propose spaceduck-api"), "{log:#?}");
    let text = backups(&account).await;
    let told = Reader::new(text.as_bytes()).finish().unwrap();
    assert_eq!(told.counts["people"], 3);
    assert_eq!(told.counts.get("ducklings"), None, "AWS can bring the tables back by itself");
}

#[tokio::test]
async fn a_table_that_aws_can_not_bring_back_is_written_down() {
    let account = inhabited().await;
    account.forgets(DUCKLINGS);
    reach(&account, Goal::Present, "b").await.unwrap();
    let text = backups(&account).await;
    let told = Reader::new(text.as_bytes()).finish().unwrap();
    assert_eq!(told.counts["ducklings"], 3);
    assert!(text.contains("heron@example.com"), "{text}");
}

#[tokio::test]
async fn without_a_backup_there_is_no_upgrade() {
    let account = inhabited().await;
    let installed_before = installed(&account).await;
    account.forgets(DUCKLINGS);
    account.fault(Fault::TableUnreadable(DUCKLINGS.into()));
    let before = account.log().len();
    let failure = reach(&account, Goal::Present, "b").await.unwrap_err();
    assert!(failure.message().contains("nothing was upgraded"), "{}", failure.to_text());
    let log = account.log().split_off(before);
    assert!(!log.iter().any(|effect| effect.starts_with("apply")), "{log:#?}");
    assert_eq!(installed(&account).await, installed_before);
    account.mend();
    reach(&account, Goal::Present, "b").await.unwrap();
}

/// Removes a galaxy with an export; what stopped it, if something did.
async fn remove(account: &Arc<Account>, goal: Goal, file: Option<&std::path::Path>) -> String {
    let (looking, observed) = job(account, goal, "a").await.unwrap();
    let plan = plan::plan(goal, &observed, &looking.rendered);
    let plan = if file.is_some() { plan.with_export() } else { plan };
    let looking = Arc::into_inner(looking).unwrap();
    let job = Arc::new(Job { export: file.map(Target::new), ..looking });
    match execute::run(&plan, &job).await {
        Ok(()) => String::new(),
        Err(broken) => broken.failure.to_text(),
    }
}

#[tokio::test]
async fn what_is_removed_was_written_down_before() {
    let account = inhabited().await;
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("galaxy.jsonl");
    assert_eq!(remove(&account, Goal::Absent, Some(&file)).await, "");
    assert_eq!(account.contents(), [].into());
    let told = Reader::new(std::fs::read(&file).unwrap().as_slice()).finish().unwrap();
    assert_eq!((told.counts["ducklings"], told.counts["people"]), (3, 3));
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "no half file beside it");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "it has addresses in it");
    }
}

#[tokio::test]
async fn an_export_says_what_is_gone() {
    let account = inhabited().await;
    let (looking, _) = job(&account, Goal::Present, "a").await.unwrap();
    let heard = Arc::new(Heard::default());
    let events = Arc::clone(&heard) as spaceduck::event::Events;
    let job = Job { events, ..Arc::into_inner(looking).unwrap() };
    let notes = || {
        let heard = heard.0.lock().unwrap();
        let text = |event: &Event| match event {
            Event::Note { text } => Some(text.clone()),
            _ => None,
        };
        heard.iter().filter_map(text).collect::<Vec<_>>()
    };
    let mut source = execute::source(&job).await.unwrap();
    execute::tell_what_is_gone(&job, &source);
    assert!(notes().is_empty(), "{:?}", notes());
    source.pool = None;
    source.tables.remove("ducklings").unwrap();
    execute::tell_what_is_gone(&job, &source);
    let told = "Not in the export, because it is gone: the table `ducklings`, people, since there \
                is no user pool.";
    assert_eq!(notes(), [told]);
}

#[tokio::test]
async fn what_can_not_be_written_down_stays() {
    let account = inhabited().await;
    let failure = remove(&account, Goal::Absent, Some("/nowhere/galaxy.jsonl".as_ref())).await;
    assert!(failure.contains("none of it was removed"), "{failure}");
    assert_eq!(account.held(DUCKLINGS).len(), 3);
    assert!(account.contents().contains_key("stack spaceduck-data"));
}

#[tokio::test]
async fn kept_data_is_taken_up_by_a_later_installation() {
    let account = inhabited().await;
    assert_eq!(remove(&account, Goal::DataOnly, None).await, "");
    let contents = account.contents();
    assert!(!contents.contains_key("stack spaceduck-api"), "{contents:#?}");
    assert!(contents.contains_key("stack spaceduck-data"), "{contents:#?}");
    assert_eq!(account.held(DUCKLINGS).len(), 3);
    install(&account).await.unwrap();
    assert_eq!(account.held(DUCKLINGS).len(), 3);
    assert_eq!(install(&account).await.unwrap(), 0);
}

async fn exported(account: &Arc<Account>) -> Vec<u8> {
    let (job, _) = job(account, Goal::Present, "a").await.unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("galaxy.jsonl");
    let target = Target::new(&file);
    execute::to_file(&job, &execute::source(&job).await.unwrap(), &target).await.unwrap();
    std::fs::read(&file).unwrap()
}

/// Which tokens count, second factors and what sealing keys are made of never leave their galaxy, and
/// an export that someone put them into brings them nowhere.
#[tokio::test]
async fn second_factors_and_sealing_keys_stay_where_they_are() {
    const LEDGER: &str = "spaceduck-ledger";
    let entry = |pk: &str| json!({"pk": {"S": pk}, "sk": {"S": "guard"}, "secret": {"S": "x"}});
    let account = inhabited().await;
    for pk in ["signin#0a1b", "journal#sealing", "journal#signin#0a1b"] {
        account.remember(LEDGER, entry(pk));
    }
    let text = String::from_utf8(exported(&account).await).unwrap();
    assert!(!text.contains("\"signin#") && !text.contains("journal#sealing"), "{text}");
    assert!(text.contains("journal#signin#"), "what counts failures does leave");
    let crafted = text.replace("journal#signin#0a1b", "signin#0a1b");
    let folder = tempfile::TempDir::new().unwrap();
    let (body, _) = crafted.rsplit_once("{\"line\":\"end\"").unwrap();
    assert!(Spool::fill(body.as_bytes(), folder.path()).is_err(), "no export without its end");
    let target = self::account();
    install(&target).await.unwrap();
    let (job, _) = job(&target, Goal::Present, "a").await.unwrap();
    restored(&job, &whole_again(body)).await.unwrap();
    assert_eq!(target.held(DUCKLINGS).len(), 3);
    assert!(!format!("{:?}", target.held(LEDGER)).contains("signin#"));
}

/// Lines with the end that fits them.
fn whole_again(body: &str) -> String {
    let mut counts = std::collections::BTreeMap::<String, u64>::new();
    for line in body.lines().skip(1) {
        let line: Value = serde_json::from_str(line).unwrap();
        let sort = line["table"].as_str().unwrap_or("people").to_owned();
        *counts.entry(sort).or_default() += 1;
    }
    let digest = <sha2::Sha256 as sha2::Digest>::digest(body);
    let sha256 = beak_core::person::hex(&digest);
    format!("{body}{}\n", json!({"line": "end", "counts": counts, "sha256": sha256}))
}

#[tokio::test]
async fn an_export_becomes_another_galaxy_whenever_it_is_cut_off() {
    let text = String::from_utf8(exported(&inhabited().await).await).unwrap();
    let target = account();
    install(&target).await.unwrap();
    let (job, _) = job(&target, Goal::Present, "a").await.unwrap();
    let source = execute::source(&job).await.unwrap();
    let records = &job.world.records;
    assert!(archive::is_empty(records.as_ref(), &source).await.unwrap());
    let mut tries = 0;
    loop {
        tries += 1;
        target.cut(Some(Cut::After(tries)));
        let outcome = restored(&job, &text).await;
        target.cut(None);
        if outcome.is_ok() {
            break;
        }
        assert!(!archive::is_empty(records.as_ref(), &source).await.unwrap() || tries < 3);
    }
    assert!(tries > 4, "{tries} tries");
    let nouns = |text: &str| -> Vec<Line> {
        let mut reader = Reader::new(text.as_bytes());
        let lines = std::iter::from_fn(|| reader.next_line().unwrap());
        lines
            .filter(|line| !matches!(line, Line::Item { table, .. } if table == "ledger"))
            .collect()
    };
    let mut found = nouns(&String::from_utf8(exported(&target).await).unwrap());
    let mut wanted = nouns(&text);
    let key = |line: &Line| serde_json::to_string(line).unwrap();
    found.sort_by_key(key);
    wanted.sort_by_key(key);
    assert_eq!(found, wanted);
}
