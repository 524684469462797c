//! What every home has to do with what comes back of mails, as named cases that run in both homes
//! with [`feedback_contract!`](crate::feedback_contract).

use std::sync::Arc;

use futures_util::future::join_all;

use super::{Shared, start};
use crate::feedback::{MOST_RECIPIENTS, Report, ReportKind, Reports};
use crate::newsletter::{OFFER_LIFETIME, Offer, Token};
use crate::person::Email;
use crate::ports::Feedback;

/// Makes a test of each case. `$open` is an expression that gives an empty store, as
/// `(Arc<dyn Store>, Arc<dyn Feedback>, guard)`.
#[macro_export]
macro_rules! feedback_contract {
    ($open:expr) => {
        $crate::feedback_contract! { @list tests $open }
    };
    // All cases one after the other, inside an async function.
    (run $open:expr) => {
        $crate::feedback_contract! { @list run $open }
    };
    (@list $form:ident $open:expr) => {
        $crate::feedback_contract! { @$form $open;
            a_report_counts_once_however_often_it_comes
            a_bounce_or_a_complaint_ends_all_mail
            what_may_arrive_next_time_ends_nothing
            a_report_about_strangers_is_harmless
            a_mail_can_be_told_of_twice
            an_address_is_not_listed_again_by_asking
        }
    };
    (@run $open:expr; $($case:ident)*) => {$(
        eprintln!("case {}", stringify!($case));
        let (store, feedback, _guard) = $open;
        $crate::contract::feedback::$case(store, feedback).await;
    )*};
    (@tests $open:expr; $($case:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            let (store, feedback, _guard) = $open;
            $crate::contract::feedback::$case(store, feedback).await;
        }
    )*};
}

type Told = Arc<dyn Feedback>;

fn email(name: &str) -> Email {
    Email::parse(&format!("{name}@example.com")).expect("an address")
}

fn report(id: &str, kind: ReportKind, names: &[&str]) -> Report {
    let recipients = names.iter().map(|name| email(name)).collect();
    Report::new(id, kind, recipients, start()).expect("a report")
}

async fn reads(store: &Shared, name: &str, seed: u8) -> Token {
    let token = Token::new([seed; 32]);
    let offer =
        Offer { token: token.hash(), email: email(name), expires_at: start() + OFFER_LIFETIME };
    assert_eq!(store.offer_newsletter(&offer).await, Ok(()));
    assert_eq!(store.subscribe(&token.hash(), start()).await, Ok(true));
    token
}

/// Ten times at once and once more later: one of them is new, and the count is one.
pub async fn a_report_counts_once_however_often_it_comes(_: Shared, feedback: Told) {
    assert_eq!(feedback.reports().await, Ok(Reports::default()));
    let bounce = report("0100-m1", ReportKind::Bounce, &["a"]);
    let told = join_all((0..10).map(|_| feedback.report(&bounce))).await;
    assert_eq!(told.iter().filter(|told| **told == Ok(true)).count(), 1, "{told:?}");
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert_eq!(feedback.report(&bounce).await, Ok(false));
    assert_eq!(feedback.reports().await, Ok(Reports { bounces: 1, complaints: 0 }));
    let others: Vec<_> =
        (0..10).map(|n| report(&format!("0100-n{n}"), ReportKind::Complaint, &["a"])).collect();
    let told = join_all(others.iter().map(|other| feedback.report(other))).await;
    assert!(told.iter().all(|told| *told == Ok(true)), "{told:?}");
    assert_eq!(feedback.reports().await, Ok(Reports { bounces: 1, complaints: 10 }));
}

/// For the address that is named, the newsletter included, and for no other.
pub async fn a_bounce_or_a_complaint_ends_all_mail(store: Shared, feedback: Told) {
    for (seed, name) in [(1, "bounces"), (2, "complains"), (3, "neither")] {
        reads(&store, name, seed).await;
    }
    let bounce = report("0100-m1", ReportKind::Bounce, &["bounces"]);
    let complaint = report("0100-m2", ReportKind::Complaint, &["complains"]);
    for told in [&bounce, &complaint] {
        assert_eq!(feedback.report(told).await, Ok(true));
    }
    for (name, ended) in [("bounces", true), ("complains", true), ("neither", false)] {
        assert_eq!(feedback.is_unreachable(&email(name)).await, Ok(ended), "{name}");
        assert_eq!(store.is_subscribed(&email(name)).await, Ok(!ended), "{name}");
    }
    let shouted = Email::parse("BOUNCES@Example.COM").expect("an address");
    assert_eq!(feedback.is_unreachable(&shouted).await, Ok(true));
}

/// A full mailbox is full today. The report is known when it comes again, and not counted.
pub async fn what_may_arrive_next_time_ends_nothing(store: Shared, feedback: Told) {
    reads(&store, "full", 1).await;
    let delay = report("0100-m1", ReportKind::Delay, &["full"]);
    assert_eq!(feedback.report(&delay).await, Ok(true));
    assert_eq!(feedback.report(&delay).await, Ok(false));
    assert_eq!(feedback.is_unreachable(&email("full")).await, Ok(false));
    assert_eq!(store.is_subscribed(&email("full")).await, Ok(true));
    assert_eq!(feedback.reports().await, Ok(Reports::default()));
}

/// No such address is known, or the report names none, or as many as allowed.
pub async fn a_report_about_strangers_is_harmless(store: Shared, feedback: Told) {
    assert_eq!(feedback.is_unreachable(&email("stranger")).await, Ok(false));
    let names: Vec<String> = (0..MOST_RECIPIENTS).map(|n| format!("stranger{n}")).collect();
    let many: Vec<&str> = names.iter().map(String::as_str).collect();
    for (id, names) in [("0100-m1", &["stranger"][..]), ("0100-m2", &[]), ("0100-m3", &many)] {
        assert_eq!(feedback.report(&report(id, ReportKind::Bounce, names)).await, Ok(true));
    }
    assert_eq!(feedback.reports().await, Ok(Reports { bounces: 3, complaints: 0 }));
    assert_eq!(feedback.is_unreachable(&email("stranger39")).await, Ok(true));
    assert_eq!(store.metrics(start()).await, Ok(crate::ports::Metrics::default()));
}

/// Delayed, delivered after all, and marked as spam.
pub async fn a_mail_can_be_told_of_twice(_: Shared, feedback: Told) {
    for (kind, ended) in [(ReportKind::Delay, false), (ReportKind::Complaint, true)] {
        assert_eq!(feedback.report(&report("0100-m1", kind, &["a"])).await, Ok(true));
        assert_eq!(feedback.is_unreachable(&email("a")).await, Ok(ended));
    }
    assert_eq!(feedback.reports().await, Ok(Reports { bounces: 0, complaints: 1 }));
}

/// Neither the link of an older mail nor a new offer makes an address good again.
pub async fn an_address_is_not_listed_again_by_asking(store: Shared, feedback: Told) {
    let older = reads(&store, "a", 1).await;
    assert_eq!(feedback.report(&report("0100-m1", ReportKind::Bounce, &["a"])).await, Ok(true));
    assert_eq!(store.subscribe(&older.hash(), start()).await, Ok(false));
    assert_eq!(store.is_subscribed(&email("a")).await, Ok(false));
    reads(&store, "a", 2).await;
    assert_eq!(feedback.is_unreachable(&email("a")).await, Ok(true));
}
