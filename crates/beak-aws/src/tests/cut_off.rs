//! What a process leaves that ends between what it writes ahead of a transaction, the transaction,
//! and what it writes behind it.

use beak_core::Duration;
use beak_core::audit::{self, EventKind};
use beak_core::id::PeckId;
use beak_core::key::BeakKey;
use beak_core::ports::{Move, Moved, NewKey, Pecked, Swept};
use test_cloud::Cloud;

use super::earlier::{Ledger, millis, number, place, text};
use super::*;

/// The queue has such a peck, and the list of events; both leave it out.
#[tokio::test(flavor = "multi_thread")]
async fn a_peck_that_never_came_about_is_neither_listed_nor_swept() {
    let cloud = Cloud::start();
    let ledger = Ledger::open(&cloud, "cut").await;
    let (swan, crane) = (ledger.hatch("swan", 1).await, ledger.hatch("crane", 2).await);
    let [there, missing] = [11, 12].map(|tag| ledger.peck(&swan, &crane, tag));
    assert_eq!(ledger.store.add_peck(&there, None).await, Ok(Pecked::Done));
    let asked = async || {
        let events = ledger.events(None).await.into_iter();
        let events = events.filter(|event| event.kind == EventKind::PeckRequested);
        events.filter_map(|event| event.peck).collect::<Vec<_>>()
    };
    assert_eq!(asked().await, std::slice::from_ref(&there.id));
    for peck in [&there, &missing] {
        for queue in 0..crate::dynamo::QUEUES {
            let pk = format!("due#{queue:02}");
            let id = ("peck_id", text(peck.id.as_str()));
            ledger.put("ledger", &[("pk", text(&pk)), ("sk", text(&place(peck))), id]).await;
        }
    }
    let event = audit::of_peck(&missing);
    let told = std::collections::HashMap::from([
        ("kind".to_owned(), text("peck.requested")),
        ("of".to_owned(), text(swan.id.as_str())),
        ("other".to_owned(), text(crane.id.as_str())),
        ("peck".to_owned(), text(missing.id.as_str())),
    ]);
    let item = [
        ("pk", text("audit#s03")),
        ("sk", text(event.id.as_str())),
        ("at_ms", number(millis(event.at))),
        ("told", AttributeValue::L(vec![AttributeValue::M(told)])),
        ("if_peck", text(missing.id.as_str())),
    ];
    ledger.put("ledger", &item).await;
    assert_eq!(asked().await, std::slice::from_ref(&there.id));
    let later = ledger.now + Duration::hours(25);
    let counted = ledger.store.metrics(later).await.expect("counted");
    assert_eq!(counted.pecks, [0, 0, 0, 1, 0]);
    let swept = ledger.store.sweep(later, 50).await.expect("swept");
    assert_eq!((swept.put_away, swept.put_aside), (1, 0), "{swept:?}");
    assert_eq!(ledger.store.sweep(later, 50).await, Ok(Swept::default()));
    // The transaction decides: once it is there, its event is listed.
    assert_eq!(ledger.store.add_peck(&missing, None).await, Ok(Pecked::Done));
    assert_eq!(asked().await.len(), 2);
}

/// A new peck takes over the guard that a settled one left; of any number at once, one.
#[tokio::test(flavor = "multi_thread")]
async fn the_guard_of_a_settled_peck_stops_no_other() {
    let cloud = Cloud::start();
    let ledger = Ledger::open(&cloud, "cut").await;
    let (swan, crane) = (ledger.hatch("swan", 1).await, ledger.hatch("crane", 2).await);
    let denied = ledger.peck(&swan, &crane, 11);
    let store = &ledger.store;
    assert_eq!(store.add_peck(&denied, None).await, Ok(Pecked::Done));
    assert_eq!(store.move_peck(&denied.id, &Move::Deny, ledger.now).await, Ok(Moved::Done));
    let pair = format!("pair#{}#{}#{}", denied.source, denied.target, denied.kind.as_str());
    assert!(!ledger.is_there(&pair, "guard").await);
    let guard = [("pk", text(&pair)), ("sk", text("guard"))];
    let guard = [guard[0].clone(), guard[1].clone(), ("peck_id", text(denied.id.as_str()))];
    ledger.put("ledger", &guard).await;
    let again: Vec<_> = (20..26)
        .map(|tag| {
            let mut peck = denied.clone();
            peck.id = PeckId::new(ledger.now, [tag; 16]);
            peck
        })
        .collect();
    let asked = again.iter().map(|peck| store.add_peck(peck, None));
    let answers = futures_util::future::join_all(asked).await;
    let made = answers.iter().filter(|answer| **answer == Ok(Pecked::Done)).count();
    let pending = answers.iter().filter(|answer| **answer == Ok(Pecked::AlreadyPending)).count();
    assert_eq!((made, pending), (1, 5), "{answers:?}");
    assert_eq!(store.metrics(ledger.now).await.expect("counted").pecks, [1, 0, 1, 0, 0]);
}

/// A process remembers where a key leads, not that it opens.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_another_process_replaced_opens_nothing_at_once() {
    let cloud = Cloud::start();
    let ledger = Ledger::open(&cloud, "cut").await;
    let swan = ledger.hatch("swan", 1).await;
    let (old, new) = (BeakKey::new([1; 32]), BeakKey::new([9; 32]));
    let other = store(&configuration(&cloud).await, "cut");
    for store in [&*ledger.store, &other] {
        let opened = store.duckling_by_key(&old.hash()).await.expect("read");
        assert_eq!(opened.map(|duckling| duckling.id), Some(swan.id.clone()));
    }
    let exchange = NewKey { hash: new.hash().to_hex(), hint: new.hint(), at: ledger.now };
    assert_eq!(other.rotate_key(&swan.id, &swan.key_hash, &exchange).await, Ok(true));
    for store in [&*ledger.store, &other] {
        assert_eq!(store.duckling_by_key(&old.hash()).await, Ok(None));
        let opened = store.duckling_by_key(&new.hash()).await.expect("read");
        assert_eq!(opened.map(|duckling| duckling.id), Some(swan.id.clone()));
    }
}
