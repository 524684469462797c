//! What keeps accounts, attempts and journals has to do, as named cases: the tests of each adapter
//! run all of them with [`accounts_contract!`](crate::accounts_contract).

use std::sync::Arc;

use futures_util::future::join_all;
use time::Duration;

use super::{hatching, seed, start};
use crate::id::HatchId;
use crate::person::DisplayName;
use crate::ports::{
    AccountId, Accounts, Attempt, Deletion, Enrolment, Factor, Hatched, Journal, Journals, Mark,
    SignInState, SignIns, Store,
};

/// Makes a test of each case. `$open` is an expression that gives an empty [`Kept`] and a guard,
/// which is dropped after the case.
#[macro_export]
macro_rules! accounts_contract {
    ($open:expr) => {
        $crate::accounts_contract! { @list tests $open }
    };
    // All cases one after the other, inside an async function.
    (run $open:expr) => {
        $crate::accounts_contract! { @list run $open }
    };
    (@list $form:ident $open:expr) => {
        $crate::accounts_contract! { @$form $open;
            a_journal_has_one_next_version
            a_sign_in_state_has_one_next_version
            an_attempt_is_found_by_its_id_and_its_client
            the_first_word_says_who_made_an_account
            a_hatching_settles_its_account
            the_moment_since_when_accounts_are_settled_stays
        }
    };
    (@run $open:expr; $($case:ident)*) => {$(
        eprintln!("case {}", stringify!($case));
        let (kept, _guard) = $open;
        $crate::contract::accounts::$case(kept).await;
    )*};
    (@tests $open:expr; $($case:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            let (kept, _guard) = $open;
            $crate::contract::accounts::$case(kept).await;
        }
    )*};
}

/// The adapters under test.
pub struct Kept {
    /// Ducklings, for what hatches with an account.
    pub store: Arc<dyn Store>,
    /// Accounts and attempts.
    pub accounts: Arc<dyn Accounts>,
    /// Journals.
    pub journals: Arc<dyn Journals>,
    /// States of signing in.
    pub sign_ins: Arc<dyn SignIns>,
}

fn attempt(tag: &str, address: &str, from: Option<&str>) -> Attempt {
    Attempt {
        id: HatchId::new(start(), seed(tag)),
        address: address.into(),
        from: from.map(str::to_owned),
        display_name: DisplayName::parse(tag).expect("a name"),
        at: start(),
    }
}

/// Of any number of writes at once one wins, and nothing of the others is kept.
pub async fn a_journal_has_one_next_version(Kept { journals, .. }: Kept) {
    assert_eq!(journals.journal("x").await, Ok(None));
    let journal = |version, what: &str| Journal {
        name: "x".into(),
        version,
        until: start() + Duration::hours(1),
        marks: vec![
            Mark { at: start(), what: what.into() },
            Mark { at: start(), what: String::new() },
        ],
        in_a_row: 7,
    };
    assert_eq!(journals.write_journal(&journal(2, "too early")).await, Ok(false));
    for version in [1, 2] {
        let tries: Vec<_> = (0..20).map(|n| journal(version, &n.to_string())).collect();
        let writes = join_all(tries.iter().map(|one| journals.write_journal(one))).await;
        let won = writes.iter().filter(|written| **written == Ok(true)).count();
        assert_eq!(won, 1, "{writes:?}");
        assert!(writes.iter().all(Result::is_ok), "{writes:?}");
        let winner = writes.iter().position(|written| *written == Ok(true)).expect("one");
        assert_eq!(journals.journal("x").await, Ok(Some(tries[winner].clone())));
    }
    assert_eq!(journals.journal("y").await, Ok(None));
}

/// Of any number of writes at once one wins, and all of it is read back.
pub async fn a_sign_in_state_has_one_next_version(Kept { sign_ins, .. }: Kept) {
    assert_eq!(sign_ins.sign_in_state("swan").await, Ok(None));
    let account = AccountId::new("a");
    let bare = |version: u64, generation| SignInState {
        address: "swan".into(),
        version,
        generation,
        factor: None,
        enrolment: None,
        marks: Vec::new(),
        until: None,
    };
    let whole = |version: u64, generation| SignInState {
        factor: Some(Factor {
            account: account.clone(),
            secret: "sealed".into(),
            enrolled_at: start(),
            last_step: 59_999_999,
            recovery: vec!["a".into(), "b".into()],
        }),
        enrolment: Some(Enrolment {
            account: account.clone(),
            secret: "sealed as well".into(),
            begun_at: start(),
        }),
        marks: vec![Mark { at: start(), what: "try x".into() }],
        until: Some(start() + Duration::days(1)),
        ..bare(version, generation)
    };
    assert_eq!(sign_ins.write_sign_in_state(&bare(2, 1)).await, Ok(false));
    for version in 1..=3 {
        let tries: Vec<_> =
            (0..20).map(|n| if version == 2 { whole(2, n) } else { bare(version, n) }).collect();
        let writes = join_all(tries.iter().map(|one| sign_ins.write_sign_in_state(one))).await;
        assert_eq!(writes.iter().filter(|won| **won == Ok(true)).count(), 1, "{writes:?}");
        assert!(writes.iter().all(Result::is_ok), "{writes:?}");
        let winner = writes.iter().position(|won| *won == Ok(true)).expect("one");
        assert_eq!(sign_ins.sign_in_state("swan").await, Ok(Some(tries[winner].clone())));
    }
    assert_eq!(sign_ins.sign_in_state("crane").await, Ok(None));
}

/// By no other address, and by no other client.
pub async fn an_attempt_is_found_by_its_id_and_its_client(Kept { accounts, .. }: Kept) {
    let first = attempt("first", "swan", Some("here"));
    let newer = attempt("newer", "swan", Some("here"));
    let elsewhere = attempt("elsewhere", "swan", Some("there"));
    let unknown = attempt("unknown", "swan", None);
    let other = attempt("other", "crane", Some("here"));
    for one in [&first, &newer, &elsewhere, &unknown, &other] {
        assert_eq!(accounts.note_attempt(one).await, Ok(()));
    }
    for one in [&first, &newer, &elsewhere, &unknown] {
        assert_eq!(accounts.attempt("swan", &one.id).await, Ok(Some(one.clone())));
        assert_eq!(accounts.attempt("crane", &one.id).await, Ok(None));
    }
    assert_eq!(accounts.newest_attempt("swan", "here").await, Ok(Some(newer.clone())));
    assert_eq!(accounts.newest_attempt("swan", "there").await, Ok(Some(elsewhere)));
    assert_eq!(accounts.newest_attempt("swan", "nowhere").await, Ok(None));
    assert_eq!(accounts.forget_attempts("swan").await, Ok(()));
    assert_eq!(accounts.attempt("swan", &newer.id).await, Ok(None));
    assert_eq!(accounts.newest_attempt("swan", "here").await, Ok(None));
    assert_eq!(accounts.newest_attempt("crane", "here").await, Ok(Some(other)));
}

/// A second word, which came late, changes nothing.
pub async fn the_first_word_says_who_made_an_account(Kept { accounts, .. }: Kept) {
    let (account, other) = (AccountId::new("a"), AccountId::new("b"));
    let ids = ["first", "second"].map(|tag| attempt(tag, "swan", None).id);
    assert_eq!(accounts.maker(&account).await, Ok(None));
    for id in &ids {
        assert_eq!(accounts.note_maker(&account, id).await, Ok(()));
    }
    assert_eq!(accounts.maker(&account).await, Ok(Some(ids[0].clone())));
    assert_eq!(accounts.maker(&other).await, Ok(None));
    assert_eq!(accounts.is_settled(&account, "swan").await, Ok(false));
    for _ in 0..2 {
        assert_eq!(accounts.settle(&account, start()).await, Ok(()));
    }
    assert_eq!(accounts.is_settled(&account, "swan").await, Ok(true));
    assert_eq!(accounts.is_settled(&other, "swan").await, Ok(false));
    assert_eq!(accounts.maker(&account).await, Ok(Some(ids[0].clone())));
    assert_eq!(accounts.forget_account(&account).await, Ok(()));
    assert_eq!(accounts.is_settled(&account, "swan").await, Ok(false));
    assert_eq!(accounts.maker(&account).await, Ok(None));
}

/// In the same transaction: a hatching that was lost settles nothing.
pub async fn a_hatching_settles_its_account(Kept { store, accounts, .. }: Kept) {
    let (first, second) = (hatching("swan", "first"), hatching("swan", "second"));
    let id = attempt("one", "swan", None).id;
    assert_eq!(accounts.note_maker(&first.account, &id).await, Ok(()));
    assert_eq!(store.hatch(&first).await, Ok(Hatched::Done));
    assert_eq!(store.hatch(&second).await, Ok(Hatched::Lost));
    let address = first.duckling.email.sha256();
    for _ in 0..2 {
        assert_eq!(accounts.is_settled(&first.account, &address).await, Ok(true));
        assert_eq!(accounts.is_settled(&second.account, &address).await, Ok(false));
    }
    assert_eq!(accounts.maker(&first.account).await, Ok(Some(id)));
    // The end of the duckling does not unsettle an account that was looked at.
    let certificates = vec![first.certificate.id.clone()];
    let duckling = first.duckling.clone();
    let deletion = Deletion { duckling, certificates, reason: None, at: start() };
    assert_eq!(store.delete(&deletion).await, Ok(true));
    assert_eq!(accounts.is_settled(&first.account, &address).await, Ok(true));
    assert_eq!(accounts.forget_account(&first.account).await, Ok(()));
    assert_eq!(accounts.is_settled(&first.account, &address).await, Ok(false));
}

/// The first of any number of calls says when it was.
pub async fn the_moment_since_when_accounts_are_settled_stays(Kept { accounts, .. }: Kept) {
    let asked = |n| accounts.settles_since(start() + Duration::seconds(n));
    let moments = join_all((0..20).map(asked)).await;
    assert!(moments.iter().all(Result::is_ok), "{moments:?}");
    let since = accounts.settles_since(start() + Duration::days(1)).await.expect("kept");
    assert!(since < start() + Duration::seconds(20));
    assert!(moments.iter().all(|moment| *moment == Ok(since)), "{moments:?}");
}
