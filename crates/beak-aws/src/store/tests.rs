//! Items read back into the nouns they were made from; a cancelled transaction is read right.

use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason};
use beak_core::certificate::{CertStatus, Certificate};
use beak_core::duckling::{Duckling, Egg};
use beak_core::error::BeakError;
use beak_core::id::{CertId, DucklingId, PeckId};
use beak_core::peck::{Message, Peck, PeckStatus, PeckType};
use beak_core::person::{DisplayName, Email};
use beak_core::ports::{Move, Promotion, Side};
use beak_core::tier::Tier;
use time::{Duration, OffsetDateTime};

use super::rows::{Item, millis, number};
use super::transact::{Loss, Part, Terms, Verdict, verdict};
use super::{counts, ledger, moves, rows};

fn start() -> OffsetDateTime {
    let start = OffsetDateTime::from_unix_timestamp(1_700_000_000).expect("a time");
    start + Duration::milliseconds(123)
}

fn email() -> Email {
    Email::parse("agent@example.com").expect("an address")
}

fn egg() -> Egg {
    Egg {
        email: email(),
        display_name: DisplayName::parse("Duck 🦆").expect("a name"),
        created_at: start(),
        expires_at: start() + Duration::hours(24),
    }
}

fn duckling() -> Duckling {
    Duckling {
        id: DucklingId::new(start(), [1; 16]),
        email: email(),
        display_name: DisplayName::parse("Duck").expect("a name"),
        tier: Tier::T0,
        bonds: 3,
        cert_id: CertId::new(start(), [2; 16]),
        cert_status: CertStatus::Valid,
        key_hash: "ab".repeat(32),
        key_hint: "wxyz".into(),
        created_at: start(),
        last_pulse: None,
    }
}

fn certificate() -> Certificate {
    Certificate {
        id: CertId::new(start(), [3; 16]),
        duckling_id: DucklingId::new(start(), [1; 16]),
        name: "Duck".into(),
        tier: Tier::T1,
        status: CertStatus::Superseded,
        issued_at: start(),
        compact: "a.b.c".into(),
    }
}

fn peck() -> Peck {
    Peck {
        id: PeckId::new(start(), [4; 16]),
        source: DucklingId::new(start(), [1; 16]),
        target: DucklingId::new(start(), [5; 16]),
        kind: PeckType::parse("data.read").expect("a type"),
        message: Message::default(),
        stored: PeckStatus::Pending,
        created_at: start(),
        expires_at: start() + Duration::days(7),
        settled_at: None,
    }
}

fn side(promotion: Option<Promotion>) -> Box<Side> {
    let Duckling { id, tier, .. } = duckling();
    Box::new(Side { id, tier, limit: 3, promotion })
}

fn promotion() -> Promotion {
    Promotion { certificate: certificate(), replaces: duckling().cert_id }
}

#[test]
fn nouns_come_back_as_they_went() {
    assert_eq!(rows::egg_of(&rows::egg_item(&egg(), "due")), Ok(egg()));
    assert_eq!(rows::certificate_of(&rows::certificate_item(&certificate())), Ok(certificate()));
    let alive = Duckling { last_pulse: Some(start()), ..duckling() };
    for duckling in [duckling(), alive] {
        assert_eq!(rows::duckling_of(&rows::duckling_item(&duckling)), Ok(duckling));
    }
    for stored in PeckStatus::ALL {
        let settled_at = (stored != PeckStatus::Pending).then(start);
        let peck = Peck { stored, settled_at, ..peck() };
        assert_eq!(rows::peck_of(&rows::peck_item(&peck)), Ok(peck));
    }
}

#[test]
fn moments_before_1970_are_moments_too() {
    let early = OffsetDateTime::UNIX_EPOCH - Duration::milliseconds(1);
    assert_eq!(millis(early), -1);
    assert_eq!(rows::at_millis(-1), Some(early));
}

#[test]
fn certificates_sort_by_a_text() {
    let item = rows::certificate_item(&certificate());
    assert_eq!(item.get("issued_at"), Some(&AttributeValue::S("001700000000123".into())));
}

#[test]
fn the_backstop_of_an_egg_is_in_seconds() {
    let item = rows::egg_item(&egg(), "due");
    let days = (start() + Duration::days(8)).unix_timestamp();
    assert_eq!(item.get("expires_at"), Some(&AttributeValue::N(days.to_string())));
}

#[test]
fn a_broken_item_is_named_without_its_address() {
    let mut item = rows::egg_item(&egg(), "due");
    item.remove("lapses_at");
    let error = rows::egg_of(&item).expect_err("broken");
    let cause = error.cause().expect("a cause").to_owned();
    assert!(cause.contains(&email().sha256()) && cause.contains("lapses_at"), "{cause}");
    assert!(!cause.contains('@'), "{cause}");

    let mut item = rows::duckling_item(&duckling());
    item.insert("email".into(), number(7));
    let id = duckling().id;
    let cause = format!("ducklings {id}: can't read `email`");
    assert_eq!(rows::duckling_of(&item), Err(BeakError::Internal(cause)));
}

#[test]
fn the_queue_sorts_by_time_and_holds_what_is_due_now() {
    let due = ledger::egg_due(&email(), start());
    assert!(due.starts_with("001700000000123#egg#"), "{due}");
    assert!(due < ledger::due_until(start()));
    assert!(due > ledger::due_until(start() - Duration::milliseconds(1)));
    let later = ledger::peck_due(&peck().id, start() + Duration::days(9000));
    assert!(due < later);
}

#[test]
fn expressions_name_what_they_use_and_nothing_else() {
    let terms = Terms::change("SET #a_b = :x, #c = #c + :y", "attribute_exists(#d) AND #a_b < :z");
    let mut names = terms.names().expect("names").into_iter().collect::<Vec<_>>();
    names.sort();
    let expected = [("#a_b", "a_b"), ("#c", "c"), ("#d", "d")];
    assert_eq!(names, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert_eq!(Terms::none().names(), None);
}

fn reason(code: &str) -> CancellationReason {
    CancellationReason::builder().code(code).build()
}

#[test]
fn a_lost_condition_counts_for_more_than_a_conflict() {
    let parts = [Part::Peck, Part::Source, Part::Counts];
    let row = rows::peck_item(&peck());
    let lost = CancellationReason::builder().code("ConditionalCheckFailed");
    let lost = lost.set_item(Some(row.clone())).build();
    let found = verdict(&parts, &[lost, reason("None"), reason("TransactionConflict")]);
    assert_eq!(found, Verdict::Lost(vec![Loss { part: Part::Peck, item: Some(row) }]));
}

#[test]
fn a_loss_without_an_item_means_there_was_none() {
    let empty = CancellationReason::builder().code("ConditionalCheckFailed");
    let empty = empty.set_item(Some(Item::new())).build();
    let parts = [Part::Source, Part::Target];
    let found = verdict(&parts, &[empty, reason("ConditionalCheckFailed")]);
    let none = |part| Loss { part, item: None };
    assert_eq!(found, Verdict::Lost(vec![none(Part::Source), none(Part::Target)]));
}

#[test]
fn only_what_passes_is_tried_again() {
    let parts = [Part::Peck, Part::Counts];
    for code in ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
        assert_eq!(verdict(&parts, &[reason("None"), reason(code)]), Verdict::Again, "{code}");
    }
    let found = verdict(&parts, &[reason("TransactionConflict"), reason("ValidationError")]);
    assert_eq!(found, Verdict::Broken("Counts ValidationError".into()));
}

#[test]
fn a_side_is_full_only_if_it_is_as_it_was_read() {
    let loss = |duckling: &Duckling| Loss {
        part: Part::Source,
        item: Some(rows::duckling_item(duckling)),
    };
    let climbed = Duckling { tier: Tier::T1, ..duckling() };
    let renewed = Duckling { cert_id: CertId::new(start(), [9; 16]), ..duckling() };
    let (plain, rising) = (side(None), side(Some(promotion())));
    assert_eq!(moves::is_full(&plain, &loss(&duckling())), Ok(true));
    assert_eq!(moves::is_full(&plain, &loss(&climbed)), Ok(false));
    assert_eq!(moves::is_full(&plain, &loss(&renewed)), Ok(true));
    assert_eq!(moves::is_full(&rising, &loss(&renewed)), Ok(false));
    assert_eq!(moves::is_full(&plain, &Loss { part: Part::Source, item: None }), Ok(false));
}

#[test]
fn moves_count_what_they_change() {
    let approve = Move::Approve { source: side(None), target: side(Some(promotion())) };
    let expected = [("pending", -1), ("approved", 1), ("connections", 1), ("certificates", 1)];
    assert_eq!(moves::counts(&approve), expected);
    assert_eq!(moves::counts(&Move::Withdraw), [("pending", -1), ("revoked", 1)]);
    let expected = [("approved", -1), ("revoked", 1), ("connections", -1)];
    assert_eq!(moves::counts(&Move::Revoke), expected);
}

#[test]
fn a_shard_may_be_below_zero_but_no_sum() {
    let shard = |random, eggs: i64| {
        let mut item = ledger::shard(random);
        item.insert("eggs".into(), number(eggs));
        item
    };
    let metrics = counts::sums(&[shard(0, -2), shard(17, 5)]).expect("read").expect("sums");
    assert_eq!((metrics.eggs, metrics.ducklings), (3, 0));
    assert_eq!(counts::sums(&[shard(0, -2), shard(1, 1)]), Ok(None));
}
