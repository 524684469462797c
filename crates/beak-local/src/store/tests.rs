//! The store's contract, on a database file.

use std::sync::Arc;

use beak_core::Duration;
use beak_core::OffsetDateTime;
use beak_core::contract::accounts::Kept;
use beak_core::duckling::Egg;
use beak_core::feedback::{KEPT, Report, ReportKind};
use beak_core::person::{DisplayName, Email};
use beak_core::ports::{Feedback, Journal, Journals as _, SignIns, Store, Swept};
use tempfile::TempDir;

use super::RedbStore;
use crate::db::{ASIDE, DUE, Db};

fn new() -> (Arc<RedbStore>, TempDir) {
    let folder = TempDir::new().expect("a folder");
    let db = Db::open(&folder.path().join("galaxy.redb"), None).expect("a database");
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

fn open_accounts() -> (Kept, TempDir) {
    let (store, folder) = new();
    let (accounts, journals) = (Arc::clone(&store), Arc::clone(&store));
    let sign_ins = Arc::clone(&store) as Arc<dyn SignIns>;
    (Kept { store, accounts, journals, sign_ins }, folder)
}

beak_core::accounts_contract!(open_accounts());

#[tokio::test]
async fn a_journal_is_forgotten_in_its_time() {
    let (store, _folder) = new();
    let at = OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time");
    let until = at + Duration::hours(24);
    let (name, marks) = ("hatch#x".to_owned(), Vec::new());
    let journal = Journal { name, version: 1, until, marks, in_a_row: 0 };
    assert_eq!(store.write_journal(&journal).await, Ok(true));
    let kept = async |now: OffsetDateTime| {
        store.tidy(now).await.expect("tidied");
        store.journal("hatch#x").await.expect("read").is_some()
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

#[tokio::test]
async fn a_lapsed_entry_that_cannot_be_put_away_is_put_aside() {
    let (store, _folder) = new();
    let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time");
    let poison = |at: usize, bytes: &'static [u8]| (format!("{at:015}#peck#pck_{at}"), bytes);
    let entries = [
        poison(1, b"no JSON"),
        poison(2, b"\"no id\""),
        poison(3, b"\"pck_01KAVQAB2C3D4E5F6G7H8J9K0M\""),
    ];
    let count = entries.len();
    let laid = store.db.write(move |txn| {
        entries.iter().try_for_each(|(place, bytes)| txn.put_raw(DUE, place, bytes))
    });
    assert_eq!(laid.await, Ok(()));
    let egg = Egg {
        email: Email::parse("swan@example.com").expect("an address"),
        display_name: DisplayName::parse("Swan").expect("a name"),
        created_at: now - Duration::hours(48),
        expires_at: now - Duration::hours(24),
    };
    assert_eq!(store.lay_egg(&egg).await, Ok(()));
    let swept = store.sweep(now, 10).await;
    assert_eq!(swept, Ok(Swept { found: 4, put_away: 1, put_aside: count }));
    assert_eq!(store.sweep(now, 10).await, Ok(Swept::default()));
    let aside = store.db.read(|txn| txn.len(ASIDE));
    assert_eq!(aside, Ok(count as u64));
    assert_eq!(store.metrics(now).await.map(|counts| counts.eggs), Ok(0));
}
