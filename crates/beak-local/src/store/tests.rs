//! The store's contract, on a database file.

use std::sync::Arc;

use beak_core::Duration;
use beak_core::OffsetDateTime;
use beak_core::feedback::{KEPT, Report, ReportKind};
use beak_core::person::Email;
use beak_core::ports::{CodeAsked, Codes as _, Feedback, Store};
use tempfile::TempDir;

use super::RedbStore;
use crate::db::Db;

fn new() -> (Arc<RedbStore>, TempDir) {
    let folder = TempDir::new().expect("a folder");
    let db = Db::open(&folder.path().join("galaxy.redb")).expect("a database");
    (Arc::new(RedbStore::new(Arc::new(db))), folder)
}

fn open() -> (Arc<dyn Store>, TempDir) {
    let (store, folder) = new();
    (store, folder)
}

beak_core::store_contract!(open());

fn open_both() -> (Arc<dyn Store>, Arc<dyn Feedback>, TempDir) {
    let (store, folder) = new();
    (Arc::clone(&store) as Arc<dyn Store>, store, folder)
}

beak_core::feedback_contract!(open_both());

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_tried_exactly() {
    let (codes, _folder) = new();
    beak_core::contract::codes_are_tried_exactly(codes).await;
}

#[tokio::test]
async fn what_was_noted_of_a_code_is_forgotten_in_its_time() {
    let (store, _folder) = new();
    let at = OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time");
    let until = at + Duration::hours(24);
    let asked = CodeAsked { name: "hatch#x".into(), at, until, tries: 0 };
    store.note_code(&asked).await.expect("noted");
    let kept = async |now: OffsetDateTime| {
        store.tidy(now).await.expect("tidied");
        store.noted_code(&asked.name).await.expect("read").is_some()
    };
    assert!(kept(until - Duration::seconds(1)).await);
    assert!(!kept(until).await);
}

#[tokio::test]
async fn a_report_is_forgotten_in_its_time_and_what_it_ended_is_not() {
    let (store, _folder) = new();
    let at = OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time");
    let email = Email::parse("a@example.com").expect("an address");
    let report = Report::new("0100-m", ReportKind::Bounce, vec![email.clone()], at);
    let report = report.expect("a report");
    assert_eq!(store.report(&report).await, Ok(true));
    store.tidy(at + KEPT - Duration::seconds(1)).await.expect("tidied");
    assert_eq!(store.report(&report).await, Ok(false));
    store.tidy(at + KEPT).await.expect("tidied");
    assert_eq!(store.report(&report).await, Ok(true));
    assert_eq!(store.is_unreachable(&email).await, Ok(true));
}
