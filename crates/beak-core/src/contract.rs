//! What every store has to do, as named cases: the tests of each adapter run all of them with
//! [`store_contract!`](crate::store_contract).

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "these are tests"
)]

pub mod accounts;
mod departing;
mod factor;
pub mod feedback;
mod fuse;
pub mod guessing;
pub mod hatching;
pub mod home;
pub mod modelled;

use std::sync::Arc;

use futures_util::future::join_all;
use time::{Duration, OffsetDateTime};

use crate::audit::{Event, EventKind, KEPT};
use crate::certificate::{CertStatus, Certificate};
use crate::duckling::{Duckling, EGG_LIFETIME, Egg};
use crate::id::{CertId, DucklingId, PeckId};
use crate::key::BeakKey;
use crate::newsletter::{Offer, Token};
use crate::peck::{Direction, Message, Peck, PeckStatus, PeckType};
use crate::person::{DisplayName, Email};
use crate::ports::{
    AccountId, Crowd, Decision, Deletion, Departure, EventQuery, Hatched, Hatching, Idempotency,
    Limits, Metrics, Move, Moved, NewKey, Page, PeckQuery, Pecked, Promotion, PublicKey, Side,
    Store, Suspension, Turn,
};
use crate::tier::{Note, Statement, Tier, TierRequest};

/// Makes a test of each case. `$open` is an expression that gives an empty store, as
/// `(Arc<dyn Store>, guard)`; the guard is dropped after the case.
#[macro_export]
macro_rules! store_contract {
    ($open:expr) => {
        $crate::store_contract! { @list tests $open }
    };
    // All cases one after the other, inside an async function: for stores that are costly to open.
    (run $open:expr) => {
        $crate::store_contract! { @list run $open }
    };
    (@list $form:ident $open:expr) => {
        $crate::store_contract! { @$form $open;
            an_egg_lies_once
            an_egg_hatches_once
            a_known_address_lays_an_egg_like_any_other
            a_hatching_needs_no_egg
            a_key_opens_its_duckling_until_it_is_exchanged
            a_peck_waits_once
            a_peck_needs_both_ducklings
            a_bond_is_asked_for_once
            pecks_of_a_source_wait_in_numbers
            pecks_on_a_target_wait_in_numbers
            a_repeated_call_makes_one_peck
            fifty_approvals_have_one_winner
            an_approval_lifts_both_sides_once
            an_approval_that_comes_too_late_loses
            an_unpeck_against_an_approval_has_one_winner
            a_full_side_is_not_bound
            a_changed_side_is_read_again
            lists_are_whole_and_newest_first
            what_lapsed_is_swept_and_counted_once
            a_turn_is_taken_once
            every_change_is_told_once
            events_are_listed_part_by_part_for_ninety_days
            a_duckling_takes_another_name
            a_request_for_t2_is_decided_once
            requests_for_t2_are_listed_oldest_first
            a_blocked_duckling_finds_no_target
            a_suspended_duckling_is_restored_as_it_was
            ducklings_are_read_together
            a_deleted_duckling_leaves_nothing_open
            a_deletion_that_has_begun_is_kept
            a_changed_duckling_is_not_deleted
            a_peck_whose_side_is_gone_is_settled
            a_deletion_leaves_no_peck_that_waits
            an_offer_becomes_a_subscription_once
            a_signing_key_is_remembered
            all_tables_stand
        }
    };
    (@run $open:expr; $($case:ident)*) => {$(
        eprintln!("case {}", stringify!($case));
        let (store, _guard) = $open;
        $crate::contract::$case(store).await;
    )*};
    (@tests $open:expr; $($case:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            let (store, _guard) = $open;
            $crate::contract::$case(store).await;
        }
    )*};
}

type Shared = Arc<dyn Store>;

fn start() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time")
}

/// Random bytes of an id that tell it from the others of a case. A ULID takes the last ten.
fn seed(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (byte, letter) in bytes[6..].iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    bytes
}

fn egg(name: &str) -> Egg {
    Egg {
        email: Email::parse(&format!("{name}@example.com")).expect("an address"),
        display_name: DisplayName::parse(name).expect("a name"),
        created_at: start(),
        expires_at: start() + EGG_LIFETIME,
    }
}

fn certificate(duckling_id: &DucklingId, tag: &str, tier: Tier) -> Certificate {
    Certificate {
        id: CertId::new(start(), seed(tag)),
        duckling_id: duckling_id.clone(),
        name: "Duck".into(),
        tier,
        status: CertStatus::Valid,
        issued_at: start(),
        compact: format!("header.{tag}.signature"),
    }
}

fn hatching(name: &str, tag: &str) -> Hatching {
    let mut random = [7; 32];
    for (byte, letter) in random.iter_mut().zip(tag.bytes()) {
        *byte = letter;
    }
    let key = BeakKey::new(random);
    let certificate = certificate(&DucklingId::new(start(), seed(tag)), tag, Tier::T0);
    let egg = egg(name);
    let account = AccountId::new(format!("account of {tag}"));
    let duckling = Duckling::hatched(egg.email, egg.display_name, &certificate, &key, start());
    Hatching { account, duckling, certificate }
}

async fn hatch(store: &Shared, name: &str) -> Duckling {
    assert_eq!(store.lay_egg(&egg(name)).await, Ok(()));
    let hatching = hatching(name, name);
    assert_eq!(store.hatch(&hatching).await, Ok(Hatched::Done));
    hatching.duckling
}

fn peck(source: &Duckling, target: &Duckling, tag: &str) -> Peck {
    Peck {
        id: PeckId::new(start(), seed(tag)),
        source: source.id.clone(),
        source_tier: Some(source.tier),
        target: target.id.clone(),
        kind: PeckType::parse("data.read").expect("a type"),
        message: Message::parse("hello").expect("a message"),
        stored: PeckStatus::Pending,
        created_at: start(),
        expires_at: start() + Duration::hours(24),
        settled_at: None,
    }
}

async fn asked(store: &Shared, source: &Duckling, target: &Duckling, tag: &str) -> Peck {
    let peck = peck(source, target, tag);
    assert_eq!(store.add_peck(&peck, None).await, Ok(Pecked::Done));
    peck
}

/// One side as it is now, climbing to T1 if it stands at T0.
async fn side(store: &Shared, id: &DucklingId, tag: &str) -> Box<Side> {
    let now = store.duckling(id).await.expect("read").expect("there");
    let promotion = (now.tier == Tier::T0).then(|| Promotion {
        certificate: certificate(id, tag, Tier::T1),
        replaces: now.cert_id.clone(),
    });
    Box::new(Side { id: id.clone(), tier: now.tier, limit: now.tier.bonds(), promotion })
}

async fn approval(store: &Shared, peck: &Peck, tag: &str) -> Move {
    let source = side(store, &peck.source, &format!("{tag}-s")).await;
    let target = side(store, &peck.target, &format!("{tag}-t")).await;
    Move::Approve { source, target }
}

async fn metrics(store: &Shared) -> Metrics {
    store.metrics(start()).await.expect("metrics")
}

/// Puts away what lapsed; how many it were.
async fn sweep(store: &Shared, now: OffsetDateTime, limit: usize) -> usize {
    let swept = store.sweep(now, limit).await.expect("swept");
    assert_eq!(swept.put_aside, 0);
    swept.put_away
}

/// An egg laid again takes the place of the first and is counted once.
pub async fn an_egg_lies_once(store: Shared) {
    assert_eq!(store.lay_egg(&egg("swan")).await, Ok(()));
    let mut again = egg("swan");
    again.display_name = DisplayName::parse("Black Swan").expect("a name");
    again.expires_at += Duration::hours(1);
    assert_eq!(store.lay_egg(&again).await, Ok(()));
    assert_eq!(store.egg(&again.email).await, Ok(Some(again.clone())));
    assert_eq!(metrics(&store).await.eggs, 1);
    // The first one's time is not the second one's.
    assert_eq!(sweep(&store, egg("swan").expires_at, 10).await, 0);
    assert_eq!(sweep(&store, again.expires_at, 10).await, 1);
    assert_eq!(store.egg(&again.email).await, Ok(None));
    assert_eq!(metrics(&store).await, Metrics::default());
}

/// Of ten hatchings of one egg one wins, and nothing of the others is left.
pub async fn an_egg_hatches_once(store: Shared) {
    assert_eq!(store.lay_egg(&egg("swan")).await, Ok(()));
    let tries: Vec<_> = (0..10).map(|n| hatching("swan", &format!("swan{n}"))).collect();
    let outcomes = join_all(tries.iter().map(|try_one| store.hatch(try_one))).await;
    let won = outcomes.iter().filter(|outcome| **outcome == Ok(Hatched::Done)).count();
    assert_eq!(won, 1, "{outcomes:?}");
    let lost = outcomes.iter().filter(|outcome| **outcome == Ok(Hatched::Lost)).count();
    assert_eq!(lost, 9, "{outcomes:?}");
    let expected = Metrics { ducklings: 1, certificates: 1, ..Metrics::default() };
    assert_eq!(metrics(&store).await, expected);
    let mut found = 0;
    for try_one in &tries {
        let kept = store.duckling(&try_one.duckling.id).await.expect("read");
        let certificate = store.certificate(&try_one.certificate.id).await.expect("read");
        assert_eq!(kept.is_some(), certificate.is_some());
        found += usize::from(kept.is_some());
    }
    assert_eq!(found, 1);
}

/// An address with a duckling is counted like any other, and hatches no second one.
pub async fn a_known_address_lays_an_egg_like_any_other(store: Shared) {
    let duckling = hatch(&store, "swan").await;
    assert_eq!(metrics(&store).await.eggs, 0);
    assert_eq!(store.lay_egg(&egg("swan")).await, Ok(()));
    assert_eq!(store.hatch(&hatching("swan", "again")).await, Ok(Hatched::Lost));
    assert_eq!(store.duckling_by_email(&duckling.email).await, Ok(Some(duckling)));
    assert_eq!(metrics(&store).await.eggs, 1);
    assert_eq!(sweep(&store, egg("swan").expires_at, 10).await, 1);
    assert_eq!(metrics(&store).await.eggs, 0);
}

/// A duckling hatches from its account alone: its egg may have lapsed long ago.
pub async fn a_hatching_needs_no_egg(store: Shared) {
    assert_eq!(store.hatch(&hatching("swan", "swan")).await, Ok(Hatched::Done));
    let expected = Metrics { ducklings: 1, certificates: 1, ..Metrics::default() };
    assert_eq!(metrics(&store).await, expected);
}

/// A key opens one duckling; an exchanged one opens nothing; of two exchanges one wins.
pub async fn a_key_opens_its_duckling_until_it_is_exchanged(store: Shared) {
    let duckling = hatch(&store, "swan").await;
    let keys = [BeakKey::new([1; 32]), BeakKey::new([2; 32])];
    let new =
        keys.each_ref().map(|k| NewKey { hash: k.hash().to_hex(), hint: k.hint(), at: start() });
    let rotations =
        join_all(new.iter().map(|n| store.rotate_key(&duckling.id, &duckling.key_hash, n))).await;
    let won: Vec<bool> = rotations.into_iter().map(|r| r.expect("answered")).collect();
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    for (key, won) in keys.iter().zip(won) {
        let opened = store.duckling_by_key(&key.hash()).await.expect("read");
        assert_eq!(opened.map(|d| d.id), won.then(|| duckling.id.clone()));
    }
    let now = store.duckling(&duckling.id).await.expect("read").expect("there");
    assert_ne!(now.key_hash, duckling.key_hash);
    assert_eq!(store.pulse(&duckling.id, start()).await, Ok(true));
    let now = store.duckling(&duckling.id).await.expect("read").expect("there");
    assert_eq!(now.last_pulse, Some(start()));
}

/// One pending peck for a source, a target and a type; a lapsed one makes room.
pub async fn a_peck_waits_once(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let pecks = ["a", "b", "c"].map(|tag| peck(&swan, &crane, tag));
    let outcomes = join_all(pecks.iter().map(|peck| store.add_peck(peck, None))).await;
    let won = outcomes.iter().filter(|outcome| **outcome == Ok(Pecked::Done)).count();
    assert_eq!(won, 1, "{outcomes:?}");
    assert!(outcomes.contains(&Ok(Pecked::AlreadyPending)), "{outcomes:?}");
    let mut late = peck(&swan, &crane, "late");
    late.created_at = pecks[0].expires_at;
    late.expires_at = late.created_at + Duration::hours(24);
    assert_eq!(store.add_peck(&late, None).await, Ok(Pecked::Done));
    assert_eq!(metrics(&store).await.pecks, [1, 0, 0, 1, 0]);
    asked(&store, &crane, &swan, "back").await;
}

/// Neither side may be missing or about to go; a repeated leave changes nothing.
pub async fn a_peck_needs_both_ducklings(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let heron = hatch(&store, "heron").await;
    assert_eq!(store.delete(&deletion(&store, &crane.id).await).await, Ok(true));
    for _ in 0..2 {
        assert_eq!(store.leave(&departure(&heron.id)).await, Ok(()));
    }
    for gone in [&crane, &heron] {
        let to_it = store.add_peck(&peck(&swan, gone, "a"), None).await;
        assert_eq!(to_it, Ok(Pecked::NoTarget));
        let from_it = store.add_peck(&peck(gone, &swan, "b"), None).await;
        assert_eq!(from_it, Ok(Pecked::NoSource));
    }
    assert_eq!(store.leave(&departure(&crane.id)).await, Ok(()));
    assert_eq!(store.duckling(&crane.id).await, Ok(None), "leaving makes no duckling");
    assert_eq!(metrics(&store).await.pecks, [0; 5]);
}

/// While the two are bonded for a type, in this direction.
pub async fn a_bond_is_asked_for_once(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let bond = asked(&store, &swan, &crane, "a").await;
    let to = approval(&store, &bond, "x").await;
    assert_eq!(store.move_peck(&bond.id, &to, start()).await, Ok(Moved::Done));
    let again = peck(&swan, &crane, "b");
    assert_eq!(store.add_peck(&again, None).await, Ok(Pecked::AlreadyBonded));
    let mut other = peck(&swan, &crane, "c");
    other.kind = PeckType::parse("chat.message").expect("a type");
    assert_eq!(store.add_peck(&other, None).await, Ok(Pecked::Done));
    asked(&store, &crane, &swan, "back").await;
    assert_eq!(store.move_peck(&bond.id, &Move::Revoke, start()).await, Ok(Moved::Done));
    assert_eq!(store.add_peck(&again, None).await, Ok(Pecked::Done));
}

/// A peck of some type, so that a pair can have several.
fn numbered(source: &Duckling, target: &Duckling, number: usize) -> Peck {
    let mut peck = peck(source, target, &format!("n{number}"));
    peck.kind = PeckType::parse(&format!("data.read{number}")).expect("a type");
    peck
}

/// Three for a pair, and as many in all as its tier allows; settled ones make room.
pub async fn pecks_of_a_source_wait_in_numbers(store: Shared) {
    let swan = hatch(&store, "swan").await;
    let mut pecks = Vec::new();
    for number in 0..7 {
        let target = hatch(&store, &format!("crane{number}")).await;
        pecks.extend((0..3).map(|n| numbered(&swan, &target, 3 * number + n)));
        if number == 0 {
            let tries: Vec<_> = (40..50).map(|n| numbered(&swan, &target, n)).collect();
            let all = tries.iter().map(|peck| store.add_peck(peck, None));
            let outcomes = join_all(all).await;
            let won = outcomes.iter().filter(|outcome| **outcome == Ok(Pecked::Done)).count();
            assert_eq!(won, 3, "{outcomes:?}");
            let crowded = Ok(Pecked::Crowded(Crowd::Pair));
            assert_eq!(outcomes.iter().filter(|o| **o == crowded).count(), 7, "{outcomes:?}");
            for (peck, outcome) in tries.iter().zip(outcomes) {
                if outcome == Ok(Pecked::Done) {
                    let settled = store.move_peck(&peck.id, &Move::Deny, start()).await;
                    assert_eq!(settled, Ok(Moved::Done));
                }
            }
        }
    }
    for peck in &pecks[..20] {
        assert_eq!(store.add_peck(peck, None).await, Ok(Pecked::Done));
    }
    let crowded = Ok(Pecked::Crowded(Crowd::Source));
    assert_eq!(store.add_peck(&pecks[20], None).await, crowded);
    let mut as_t1 = pecks[20].clone();
    as_t1.source_tier = Some(Tier::T1);
    assert_eq!(store.add_peck(&as_t1, None).await, Ok(Pecked::Done));
    for peck in [&pecks[0], &as_t1] {
        assert_eq!(store.move_peck(&peck.id, &Move::Withdraw, start()).await, Ok(Moved::Done));
    }
    for (at, expected) in [(20, Ok(Pecked::Done)), (0, crowded)] {
        let mut again = pecks[at].clone();
        again.id = PeckId::new(start(), seed(&format!("again{at}")));
        assert_eq!(store.add_peck(&again, None).await, expected);
    }
}

/// Two hundred, half of them at most from those that asked at T0.
pub async fn pecks_on_a_target_wait_in_numbers(store: Shared) {
    let crane = hatch(&store, "crane").await;
    let mut of_tier = Vec::new();
    for (tier, name) in [(Tier::T0, "new"), (Tier::T1, "old")] {
        let mut pecks = Vec::new();
        for number in 0..34 {
            let mut source = hatch(&store, &format!("{name}{number}")).await;
            source.tier = tier;
            pecks.extend((0..3).map(|n| numbered(&source, &crane, 3 * number + n)));
        }
        for peck in &mut pecks {
            let digits = peck.kind.as_str().trim_start_matches("data.read");
            peck.id = PeckId::new(start(), seed(&format!("{name}{digits}")));
        }
        of_tier.push(pecks);
    }
    let crowded = Ok(Pecked::Crowded(Crowd::Target));
    for pecks in &of_tier {
        for peck in &pecks[..100] {
            assert_eq!(store.add_peck(peck, None).await, Ok(Pecked::Done));
        }
        assert_eq!(store.add_peck(&of_tier[0][100], None).await, crowded);
    }
    assert_eq!(store.add_peck(&of_tier[1][100], None).await, crowded);
    assert_eq!(store.move_peck(&of_tier[1][0].id, &Move::Deny, start()).await, Ok(Moved::Done));
    assert_eq!(store.add_peck(&of_tier[0][100], None).await, crowded);
    assert_eq!(store.add_peck(&of_tier[1][100], None).await, Ok(Pecked::Done));
    assert_eq!(metrics(&store).await.pecks, [200, 0, 1, 0, 0]);
}

/// The same call with the same idempotency key gives the same peck; another one is refused.
pub async fn a_repeated_call_makes_one_peck(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let given = Idempotency { key: "aa".into(), content: "bb".into() };
    let first = peck(&swan, &crane, "a");
    assert_eq!(store.add_peck(&first, Some(&given)).await, Ok(Pecked::Done));
    let second = peck(&swan, &crane, "b");
    let repeated = store.add_peck(&second, Some(&given)).await;
    assert_eq!(repeated, Ok(Pecked::Repeated(first.clone())));
    let other = Idempotency { key: "aa".into(), content: "cc".into() };
    assert_eq!(store.add_peck(&second, Some(&other)).await, Ok(Pecked::KeyTaken));
    assert_eq!(metrics(&store).await.pecks[0], 1);
    // Also when its target is gone.
    assert_eq!(store.move_peck(&first.id, &Move::Withdraw, start()).await, Ok(Moved::Done));
    assert_eq!(store.delete(&deletion(&store, &crane.id).await).await, Ok(true));
    let settled = store.peck(&first.id).await.expect("read").expect("kept");
    let repeated = store.add_peck(&second, Some(&given)).await;
    assert_eq!(repeated, Ok(Pecked::Repeated(settled)));
}

/// Fifty approvals at once: one wins, the others see it, and the counts are exact.
pub async fn fifty_approvals_have_one_winner(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let peck = asked(&store, &swan, &crane, "a").await;
    let mut moves = Vec::new();
    for n in 0..50 {
        moves.push(approval(&store, &peck, &n.to_string()).await);
    }
    let outcomes = join_all(moves.iter().map(|to| store.move_peck(&peck.id, to, start()))).await;
    let won = outcomes.iter().filter(|outcome| **outcome == Ok(Moved::Done)).count();
    assert_eq!(won, 1, "{outcomes:?}");
    let seen = Ok(Moved::Elsewhere(PeckStatus::Approved));
    let all =
        outcomes.iter().all(|o| *o == Ok(Moved::Done) || *o == seen || *o == Ok(Moved::Stale));
    assert!(all, "{outcomes:?}");
    let expected =
        Metrics { ducklings: 2, certificates: 4, connections: 1, eggs: 0, pecks: [0, 1, 0, 0, 0] };
    assert_eq!(metrics(&store).await, expected);
    for id in [&swan.id, &crane.id] {
        let now = store.duckling(id).await.expect("read").expect("there");
        assert_eq!((now.bonds, now.tier), (1, Tier::T1));
    }
}

/// The first bond makes T1 of both; their old certificates are superseded. Ending it keeps T1.
pub async fn an_approval_lifts_both_sides_once(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let peck = asked(&store, &swan, &crane, "a").await;
    let to = approval(&store, &peck, "x").await;
    assert_eq!(store.move_peck(&peck.id, &to, start()).await, Ok(Moved::Done));
    for before in [&swan, &crane] {
        let now = store.duckling(&before.id).await.expect("read").expect("there");
        assert_eq!((now.tier, now.cert_status), (Tier::T1, CertStatus::Valid));
        let old = store.certificate(&before.cert_id).await.expect("read").expect("kept");
        assert_eq!(old.status, CertStatus::Superseded);
        let new = store.certificate(&now.cert_id).await.expect("read").expect("kept");
        assert_eq!((new.status, new.tier), (CertStatus::Valid, Tier::T1));
    }
    assert_eq!(store.move_peck(&peck.id, &Move::Revoke, start()).await, Ok(Moved::Done));
    let again = store.move_peck(&peck.id, &Move::Revoke, start()).await;
    assert_eq!(again, Ok(Moved::Elsewhere(PeckStatus::Revoked)));
    let now = store.duckling(&swan.id).await.expect("read").expect("there");
    assert_eq!((now.bonds, now.tier), (0, Tier::T1));
    let counts = metrics(&store).await;
    assert_eq!((counts.connections, counts.pecks), (0, [0, 0, 0, 0, 1]));
}

/// Expiry counts the moment it comes, swept or not.
pub async fn an_approval_that_comes_too_late_loses(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let peck = asked(&store, &swan, &crane, "a").await;
    let to = approval(&store, &peck, "x").await;
    let expired = Ok(Moved::Elsewhere(PeckStatus::Expired));
    assert_eq!(store.move_peck(&peck.id, &to, peck.expires_at).await, expired);
    for to in [Move::Deny, Move::Withdraw] {
        assert_eq!(store.move_peck(&peck.id, &to, peck.expires_at).await, expired);
    }
    let early = store.move_peck(&peck.id, &Move::Expire, start()).await;
    assert_eq!(early, Ok(Moved::Elsewhere(PeckStatus::Pending)));
    let (approved, swept) = futures_util::join!(
        store.move_peck(&peck.id, &to, peck.expires_at),
        sweep(&store, peck.expires_at, 10)
    );
    assert_eq!((approved, swept), (expired, 1));
    assert_eq!(metrics(&store).await.pecks, [0, 0, 0, 1, 0]);
}

/// Withdrawn or approved, never both.
pub async fn an_unpeck_against_an_approval_has_one_winner(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    for round in 0..10 {
        let peck = asked(&store, &swan, &crane, &format!("p{round}")).await;
        let to = approval(&store, &peck, &format!("r{round}")).await;
        let (approved, withdrawn) = futures_util::join!(
            store.move_peck(&peck.id, &to, start()),
            store.move_peck(&peck.id, &Move::Withdraw, start())
        );
        let (approved, withdrawn) = (approved.expect("answered"), withdrawn.expect("answered"));
        let one = (approved == Moved::Done) != (withdrawn == Moved::Done);
        assert!(one, "{approved:?} {withdrawn:?}");
        if approved == Moved::Done {
            let ended = store.move_peck(&peck.id, &Move::Revoke, start()).await;
            assert_eq!(ended, Ok(Moved::Done));
        }
    }
    let counts = metrics(&store).await;
    assert_eq!((counts.connections, counts.pecks), (0, [0, 0, 0, 0, 10]));
    let now = store.duckling(&swan.id).await.expect("read").expect("there");
    assert_eq!(now.bonds, 0);
}

/// A side at its tier's limit is named, and nothing is written.
pub async fn a_full_side_is_not_bound(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let peck = asked(&store, &swan, &crane, "a").await;
    let mut target = side(&store, &crane.id, "t").await;
    target.limit = 0;
    let source = side(&store, &swan.id, "s").await;
    let to = Move::Approve { source, target };
    let outcome = store.move_peck(&peck.id, &to, start()).await;
    assert_eq!(outcome, Ok(Moved::Full(crane.id.clone())));
    assert_eq!(metrics(&store).await.pecks, [1, 0, 0, 0, 0]);
    assert_eq!(store.duckling(&swan.id).await, Ok(Some(swan)));
}

/// An approval that was prepared for another tier writes nothing.
pub async fn a_changed_side_is_read_again(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let peck = asked(&store, &swan, &crane, "a").await;
    let mut source = side(&store, &swan.id, "s").await;
    source.tier = Tier::T1;
    source.promotion = None;
    let target = side(&store, &crane.id, "t").await;
    let to = Move::Approve { source, target };
    assert_eq!(store.move_peck(&peck.id, &to, start()).await, Ok(Moved::Stale));
    assert_eq!(metrics(&store).await.certificates, 2);
}

/// Lists: each entry once, whatever the size of the parts; filters see expiry.
pub async fn lists_are_whole_and_newest_first(store: Shared) {
    let swan = hatch(&store, "swan").await;
    let mut pecks = Vec::new();
    for n in 0..5_u8 {
        let target = hatch(&store, &format!("crane{n}")).await;
        let mut peck = peck(&swan, &target, &format!("p{n}"));
        peck.id = PeckId::new(start() + Duration::seconds(i64::from(n)), seed("p"));
        peck.expires_at = start() + Duration::minutes(i64::from(n) + 1);
        assert_eq!(store.add_peck(&peck, None).await, Ok(Pecked::Done));
        pecks.insert(0, peck);
    }
    let query =
        |status, now| PeckQuery { party: swan.id.clone(), direction: Direction::Out, status, now };
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = Page { limit: 2, after };
        let listed = store.pecks(&query(None, start()), &page).await.expect("listed");
        seen.extend(listed.items);
        after = listed.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, pecks);
    let all = Page { limit: 100, after: None };
    let asked = query(Some(PeckStatus::Expired), start() + Duration::minutes(2));
    let expired = store.pecks(&asked, &all).await.expect("listed").items;
    assert_eq!(expired.len(), 2);
    let (mut after, mut names) = (None, Vec::new());
    loop {
        let listed = store.ducklings(&Page { limit: 4, after }).await.expect("listed");
        names.extend(listed.items.into_iter().map(|d| d.display_name.as_str().to_owned()));
        after = listed.next;
        if after.is_none() {
            break;
        }
    }
    names.sort();
    assert_eq!(names, ["crane0", "crane1", "crane2", "crane3", "crane4", "swan"]);
}

/// Two sweeps at once put everything away exactly once, and no more than they were asked to.
pub async fn what_lapsed_is_swept_and_counted_once(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    asked(&store, &swan, &crane, "a").await;
    asked(&store, &crane, &swan, "b").await;
    assert_eq!(store.lay_egg(&egg("heron")).await, Ok(()));
    let later = start() + Duration::hours(25);
    assert_eq!(sweep(&store, later, 1).await, 1);
    // Counted as it is, before anything has swept.
    let expected =
        Metrics { ducklings: 2, certificates: 2, pecks: [0, 0, 0, 2, 0], ..Metrics::default() };
    assert_eq!(store.metrics(later).await, Ok(expected));
    let swept = futures_util::join!(sweep(&store, later, 10), sweep(&store, later, 10));
    assert_eq!(swept.0 + swept.1, 2);
    assert_eq!(sweep(&store, later, 10).await, 0);
    let expected =
        Metrics { ducklings: 2, certificates: 2, pecks: [0, 0, 0, 2, 0], ..Metrics::default() };
    assert_eq!(metrics(&store).await, expected);
}

/// Of two at once one gets the turn; the other learns how long to wait.
pub async fn a_turn_is_taken_once(store: Shared) {
    let turn = Turn { name: "resend#x".into(), now: start(), every: Duration::seconds(60) };
    let both = futures_util::join!(store.take_turn(&turn), store.take_turn(&turn));
    let both = [both.0.expect("answered"), both.1.expect("answered")];
    assert!(both.contains(&None) && both.contains(&Some(turn.every)), "{both:?}");
    let soon = Turn { now: start() + Duration::seconds(59), ..turn.clone() };
    assert_eq!(store.take_turn(&soon).await, Ok(Some(Duration::seconds(1))));
    let later = Turn { now: start() + Duration::seconds(60), ..turn };
    assert_eq!(store.take_turn(&later).await, Ok(None));
}

async fn events(store: &Shared, of: Option<&DucklingId>, now: OffsetDateTime) -> Vec<Event> {
    let asked = EventQuery { of: of.cloned(), now };
    let page = Page { limit: 100, after: None };
    store.events(&asked, &page).await.expect("listed").items
}

/// How often each kind of event is in a list.
fn tally(events: &[Event]) -> Vec<(&'static str, usize)> {
    let count = |kind: EventKind| events.iter().filter(|event| event.kind == kind).count();
    let all = EventKind::ALL.into_iter().map(|kind| (kind.word(), count(kind)));
    all.filter(|(_, count)| *count > 0).collect()
}

/// Each change has its events, under both parties and for operators; what lost a race has none.
pub async fn every_change_is_told_once(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let peck = asked(&store, &swan, &crane, "a").await;
    let to = approval(&store, &peck, "x").await;
    let both = futures_util::join!(
        store.move_peck(&peck.id, &to, start()),
        store.move_peck(&peck.id, &to, start())
    );
    assert!(both.0 == Ok(Moved::Done) || both.1 == Ok(Moved::Done), "{both:?}");
    assert_eq!(store.move_peck(&peck.id, &Move::Revoke, start()).await, Ok(Moved::Done));
    let lapses = asked(&store, &swan, &crane, "b").await;
    assert_eq!(sweep(&store, lapses.expires_at + Duration::hours(1), 10).await, 1);
    let new = NewKey { hash: "ab".into(), hint: "…".into(), at: start() };
    assert_eq!(store.rotate_key(&swan.id, &swan.key_hash, &new).await, Ok(true));
    assert_eq!(store.rotate_key(&swan.id, &swan.key_hash, &new).await, Ok(false));
    let of_swan = events(&store, Some(&swan.id), start()).await;
    let expected = [
        ("duck.hatched", 1),
        ("duck.verified", 1),
        ("cert.issued", 2),
        ("key.rotated", 1),
        ("peck.requested", 2),
        ("peck.approved", 1),
        ("peck.expired", 1),
        ("peck.revoked", 1),
        ("tier.changed", 1),
    ];
    assert_eq!(tally(&of_swan), expected);
    let expired = of_swan.iter().find(|event| event.kind == EventKind::PeckExpired);
    let expired = expired.expect("told");
    assert_eq!((expired.at, expired.other.as_ref()), (lapses.expires_at, Some(&crane.id)));
    assert!(events(&store, Some(&crane.id), start()).await.contains(expired));
    let all = events(&store, None, start() + Duration::days(2)).await;
    let count = |word: &str| tally(&all).iter().find(|(w, _)| *w == word).map(|(_, count)| *count);
    let counts = ["duck.hatched", "peck.approved", "tier.changed", "cert.issued"].map(count);
    assert_eq!(counts, [Some(2), Some(1), Some(2), Some(4)]);
}

/// Newest first, each once, whatever the size of the parts, and not longer than they are kept.
pub async fn events_are_listed_part_by_part_for_ninety_days(store: Shared) {
    let mut swan = hatch(&store, "swan").await;
    // A weekly rhythm: a home may keep its events in parts by time.
    for week in 1..=14_i64 {
        let hash = format!("{week:064}");
        let at = start() + Duration::days(7 * week);
        let new = NewKey { hash: hash.clone(), hint: "…".into(), at };
        assert_eq!(store.rotate_key(&swan.id, &swan.key_hash, &new).await, Ok(true));
        swan.key_hash = hash;
    }
    let now = start() + Duration::days(7 * 14);
    for of in [Some(swan.id.clone()), None] {
        let asked = EventQuery { of, now };
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let listed = store.events(&asked, &Page { limit: 3, after }).await.expect("listed");
            seen.extend(listed.items);
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        // The first week's is 91 days old, and the hatching 98.
        assert_eq!(seen.len(), 13);
        assert!(seen.is_sorted_by(|a, b| a.id > b.id));
        assert!(seen.iter().all(|event| event.at + KEPT > now));
    }
}

/// Another name, and nothing else.
pub async fn a_duckling_takes_another_name(store: Shared) {
    let swan = hatch(&store, "swan").await;
    let name = DisplayName::parse("Black Swan").expect("a name");
    assert_eq!(store.rename(&swan.id, &name).await, Ok(true));
    let expected = Duckling { display_name: name.clone(), ..swan.clone() };
    assert_eq!(store.duckling(&swan.id).await, Ok(Some(expected)));
    let nobody = DucklingId::new(start(), seed("nobody"));
    assert_eq!(store.rename(&nobody, &name).await, Ok(false));
    assert_eq!(store.duckling(&nobody).await, Ok(None));
}

fn decision(duckling: &Duckling, tag: Option<&str>) -> Decision {
    let promotion = tag.map(|tag| Promotion {
        certificate: certificate(&duckling.id, tag, Tier::T2),
        replaces: duckling.cert_id.clone(),
    });
    let note = Note::parse("well done").expect("a note");
    Decision { id: duckling.id.clone(), promotion, note, at: start() }
}

/// Only from T1; of many grants at once one is written, with one certificate.
pub async fn a_request_for_t2_is_decided_once(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let statement = Statement::parse("I am well behaved").expect("a statement");
    let request = TierRequest { statement, at: start() };
    assert_eq!(store.request_tier(&swan.id, &request).await, Ok(false));
    assert_eq!(store.decide(&decision(&swan, Some("early"))).await, Ok(false));
    let peck = asked(&store, &swan, &crane, "a").await;
    let to = approval(&store, &peck, "x").await;
    assert_eq!(store.move_peck(&peck.id, &to, start()).await, Ok(Moved::Done));
    assert_eq!(store.request_tier(&swan.id, &request).await, Ok(true));
    let swan = store.duckling(&swan.id).await.expect("read").expect("there");
    assert_eq!(swan.tier_request, Some(request.clone()));
    assert_eq!(store.decide(&decision(&swan, None)).await, Ok(true));
    let refused = store.duckling(&swan.id).await.expect("read").expect("there");
    assert_eq!((refused.tier, refused.tier_request), (Tier::T1, None));
    assert_eq!(store.request_tier(&swan.id, &request).await, Ok(true));
    let grants: Vec<_> = (0..10).map(|n| decision(&swan, Some(&format!("g{n}")))).collect();
    let outcomes = join_all(grants.iter().map(|grant| store.decide(grant))).await;
    assert_eq!(outcomes.iter().filter(|won| **won == Ok(true)).count(), 1, "{outcomes:?}");
    let now = store.duckling(&swan.id).await.expect("read").expect("there");
    assert_eq!((now.tier, now.tier_request, now.bonds), (Tier::T2, None, 1));
    assert_eq!(metrics(&store).await.certificates, 5);
    let kept = store.certificates_of(&swan.id).await.expect("read");
    let tiers: Vec<_> = kept.iter().map(|c| (c.tier, c.status)).collect();
    assert_eq!(kept.len(), 3, "{tiers:?}");
    assert!(tiers.contains(&(Tier::T2, CertStatus::Valid)), "{tiers:?}");
    assert!(tiers.contains(&(Tier::T1, CertStatus::Superseded)), "{tiers:?}");
    let told = events(&store, Some(&swan.id), start()).await;
    let note = told.iter().filter(|event| event.kind == EventKind::OperatorDecided);
    assert!(note.clone().all(|event| event.note.as_deref() == Some("well done")));
    assert_eq!(store.request_tier(&swan.id, &request).await, Ok(false));
}

/// One of T1, with a bond to another one.
async fn grown(store: &Shared, name: &str) -> Duckling {
    let duckling = hatch(store, name).await;
    let friend = hatch(store, &format!("{name}-f")).await;
    let peck = asked(store, &duckling, &friend, name).await;
    let to = approval(store, &peck, name).await;
    assert_eq!(store.move_peck(&peck.id, &to, start()).await, Ok(Moved::Done));
    store.duckling(&duckling.id).await.expect("read").expect("there")
}

/// Every open request once, in its newest form, however the list is cut.
pub async fn requests_for_t2_are_listed_oldest_first(store: Shared) {
    let mut ducklings = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ducklings.push(grown(&store, name).await);
    }
    let ask = async |at: usize, seconds: i64| {
        let statement = Statement::parse(&format!("after {seconds} s")).expect("a statement");
        let request = TierRequest { statement, at: start() + Duration::seconds(seconds) };
        assert_eq!(store.request_tier(&ducklings[at].id, &request).await, Ok(true));
    };
    for (at, seconds) in [(0, 5), (1, 1), (2, 3), (3, 2), (4, 4), (1, 9), (1, 9)] {
        ask(at, seconds).await;
    }
    let listed = async || {
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = Page { limit: 2, after };
            let listed = store.tier_requests(&page).await.expect("listed");
            seen.extend(listed.items.into_iter().map(|d| d.display_name.as_str().to_owned()));
            after = listed.next;
            if after.is_none() {
                return seen;
            }
        }
    };
    assert_eq!(listed().await, ["d", "c", "e", "a", "b"]);
    let now = store.duckling(&ducklings[2].id).await.expect("read").expect("there");
    assert_eq!(store.decide(&decision(&now, Some("granted"))).await, Ok(true));
    let now = store.duckling(&ducklings[4].id).await.expect("read").expect("there");
    assert_eq!(store.decide(&decision(&now, None)).await, Ok(true));
    assert_eq!(listed().await, ["d", "a", "b"]);
}

/// For as long as the block lasts; the other way it may peck, and others may.
pub async fn a_blocked_duckling_finds_no_target(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let heron = hatch(&store, "heron").await;
    for _ in 0..2 {
        assert_eq!(store.block(&crane.id, &swan.id, start()).await, Ok(()));
    }
    let blocked = peck(&swan, &crane, "a");
    assert_eq!(store.add_peck(&blocked, None).await, Ok(Pecked::NoTarget));
    asked(&store, &heron, &crane, "b").await;
    asked(&store, &crane, &swan, "c").await;
    assert_eq!(store.unblock(&crane.id, &swan.id).await, Ok(true));
    assert_eq!(store.unblock(&crane.id, &swan.id).await, Ok(false));
    assert_eq!(store.add_peck(&blocked, None).await, Ok(Pecked::Done));
    for other in [&swan, &heron] {
        assert_eq!(store.block(&crane.id, &other.id, start()).await, Ok(()));
    }
    assert_eq!(store.forget_blocks(&crane.id).await, Ok(()));
    assert_eq!(store.unblock(&crane.id, &heron.id).await, Ok(false));
}

fn suspension(duckling: &Duckling, suspends: bool) -> Suspension {
    let reason = Note::parse("said too much").expect("a note");
    Suspension { duckling: duckling.clone(), suspends, reason, at: start() }
}

/// Of two suspensions at once one is written; meanwhile it climbs to no tier.
pub async fn a_suspended_duckling_is_restored_as_it_was(store: Shared) {
    let swan = grown(&store, "swan").await;
    assert_eq!(store.suspend(&suspension(&swan, false)).await, Ok(false));
    let once = suspension(&swan, true);
    let both = futures_util::join!(store.suspend(&once), store.suspend(&once));
    let both = [both.0.expect("answered"), both.1.expect("answered")];
    assert_eq!(both.iter().filter(|won| **won).count(), 1);
    let suspended = store.duckling(&swan.id).await.expect("read").expect("there");
    assert!(suspended.is_suspended());
    let certificate = store.certificate(&swan.cert_id).await.expect("read").expect("kept");
    assert_eq!(certificate.status, CertStatus::Suspended);
    assert_eq!(store.decide(&decision(&swan, Some("granted"))).await, Ok(false));
    assert_eq!(store.suspend(&suspension(&suspended, false)).await, Ok(true));
    assert_eq!(store.duckling(&swan.id).await, Ok(Some(swan.clone())));
    let certificate = store.certificate(&swan.cert_id).await.expect("read").expect("kept");
    assert_eq!(certificate.status, CertStatus::Valid);
    let told = events(&store, Some(&swan.id), start()).await;
    let about: Vec<_> = told
        .iter()
        .filter(|event| event.note.as_deref() == Some("said too much"))
        .map(|event| event.kind.word())
        .collect();
    assert_eq!(about.len(), 2, "{about:?}");
    assert!(about.contains(&"duck.suspended") && about.contains(&"duck.restored"), "{about:?}");
}

/// Those that there are; the others are left out.
pub async fn ducklings_are_read_together(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let gone = DucklingId::new(start(), seed("gone"));
    let ids = [swan.id.clone(), gone, crane.id.clone()];
    let mut found = store.ducklings_of(&ids).await.expect("read");
    found.sort_by(|a, b| b.display_name.as_str().cmp(a.display_name.as_str()));
    assert_eq!(found, [swan, crane]);
    assert_eq!(store.ducklings_of(&[]).await, Ok(Vec::new()));
}

fn departure(id: &DucklingId) -> Departure {
    Departure { id: id.clone(), reason: None, account_ended: false }
}

/// How far it has come, until the duckling is gone; every one is listed once.
pub async fn a_deletion_that_has_begun_is_kept(store: Shared) {
    let mut begun = Vec::new();
    for name in ["swan", "crane", "heron"] {
        begun.push(departure(&hatch(&store, name).await.id));
    }
    begun.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(store.departure(&begun[0].id).await, Ok(None));
    for departure in &mut begun {
        assert_eq!(store.leave(departure).await, Ok(()));
        departure.reason = Some(Note::parse("a swindler").expect("a note"));
        departure.account_ended = true;
        assert_eq!(store.leave(departure).await, Ok(()));
        assert_eq!(store.departure(&departure.id).await, Ok(Some(departure.clone())));
        let now = store.duckling(&departure.id).await.expect("read").expect("there");
        assert_eq!((now.is_leaving, now.cert_status), (true, CertStatus::Revoked));
        let certificate = store.certificate(&now.cert_id).await.expect("read").expect("there");
        assert_eq!(certificate.status, CertStatus::Revoked);
    }
    let (mut listed, mut page) = (Vec::new(), Page { limit: 2, after: None });
    loop {
        let some = store.departures(&page).await.expect("listed");
        listed.extend(some.items);
        page.after = some.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(listed, begun);
    assert_eq!(store.delete(&deletion(&store, &begun[0].id).await).await, Ok(true));
    assert_eq!(store.forget_departure(&begun[1].id).await, Ok(()));
    let all = Page { limit: 10, after: None };
    let left = store.departures(&all).await.expect("listed");
    assert_eq!((left.items, left.next), (vec![begun[2].clone()], None));
    // A mark without a departure is one of earlier releases.
    assert_eq!(store.leave(&begun[1]).await, Ok(()));
    assert_eq!(store.departure(&begun[1].id).await, Ok(Some(begun[1].clone())));
    let unknown = departure(&DucklingId::new(start(), seed("nobody")));
    assert_eq!(store.leave(&unknown).await, Ok(()));
    assert_eq!(store.departure(&unknown.id).await, Ok(None));
}

async fn deletion(store: &Shared, id: &DucklingId) -> Deletion {
    let duckling = store.duckling(id).await.expect("read").expect("there");
    let certificates = store.certificates_of(id).await.expect("read");
    let certificates = certificates.into_iter().map(|certificate| certificate.id).collect();
    Deletion { duckling, certificates, reason: None, at: start() }
}

/// Its key opens nothing, its address is free, its certificates are revoked; of two deletions one
/// wins, and the counts are exact.
pub async fn a_deleted_duckling_leaves_nothing_open(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let peck = asked(&store, &swan, &crane, "a").await;
    let to = approval(&store, &peck, "x").await;
    assert_eq!(store.move_peck(&peck.id, &to, start()).await, Ok(Moved::Done));
    assert_eq!(store.delete(&deletion(&store, &swan.id).await).await, Ok(false));
    assert_eq!(store.move_peck(&peck.id, &Move::Revoke, start()).await, Ok(Moved::Done));
    let end = deletion(&store, &swan.id).await;
    assert_eq!(end.certificates.len(), 2);
    let both = futures_util::join!(store.delete(&end), store.delete(&end));
    let both = [both.0.expect("answered"), both.1.expect("answered")];
    assert_eq!(both.iter().filter(|won| **won).count(), 1);
    assert_eq!(store.duckling(&swan.id).await, Ok(None));
    assert_eq!(store.duckling_by_email(&swan.email).await, Ok(None));
    for cert in &end.certificates {
        let kept = store.certificate(cert).await.expect("read").expect("kept");
        assert_eq!((kept.status, kept.name.as_str()), (CertStatus::Revoked, ""));
        assert_eq!(kept.compact, "");
    }
    let counts = metrics(&store).await;
    assert_eq!((counts.ducklings, counts.certificates, counts.connections), (1, 4, 0));
    let told = tally(&events(&store, Some(&swan.id), start()).await);
    assert!(told.contains(&("duck.deleted", 1)) && told.contains(&("cert.revoked", 2)), "{told:?}");
    assert_eq!(store.lay_egg(&egg("swan")).await, Ok(()));
    assert_eq!(store.hatch(&hatching("swan", "again")).await, Ok(Hatched::Done));
}

/// What was read before another write is not what is deleted.
pub async fn a_changed_duckling_is_not_deleted(store: Shared) {
    let swan = hatch(&store, "swan").await;
    let end = deletion(&store, &swan.id).await;
    let new = NewKey { hash: "ab".repeat(32), hint: "…".into(), at: start() };
    assert_eq!(store.rotate_key(&swan.id, &swan.key_hash, &new).await, Ok(true));
    assert_eq!(store.delete(&end).await, Ok(false));
    assert_eq!(store.delete(&deletion(&store, &swan.id).await).await, Ok(true));
}

/// Earlier releases let a duckling go while a peck for it waited.
pub async fn a_peck_whose_side_is_gone_is_settled(store: Shared) {
    let (swan, crane) = (hatch(&store, "swan").await, hatch(&store, "crane").await);
    let mut early = peck(&crane, &swan, "a");
    early.source_tier = None;
    assert_eq!(store.add_peck(&early, None).await, Ok(Pecked::Done));
    let to = approval(&store, &early, "x").await;
    assert_eq!(store.delete(&deletion(&store, &swan.id).await).await, Ok(true));
    assert_eq!(store.move_peck(&early.id, &to, start()).await, Ok(Moved::Stale));
    assert_eq!(store.move_peck(&early.id, &Move::Deny, start()).await, Ok(Moved::Done));
    assert_eq!(metrics(&store).await.pecks, [0, 0, 1, 0, 0]);
}

/// Pecks that come while a duckling is deleted are there before it or not at all.
pub async fn a_deletion_leaves_no_peck_that_waits(store: Shared) {
    for round in 0..5 {
        let swan = hatch(&store, &format!("swan{round}")).await;
        let crane = hatch(&store, &format!("crane{round}")).await;
        let end = deletion(&store, &swan.id).await;
        let pecks =
            [peck(&swan, &crane, &format!("o{round}")), peck(&crane, &swan, &format!("i{round}"))];
        let (gone, out, into) = futures_util::join!(
            store.delete(&end),
            store.add_peck(&pecks[0], None),
            store.add_peck(&pecks[1], None)
        );
        let gone = gone.expect("answered");
        let asked = [(out, Pecked::NoSource), (into, Pecked::NoTarget)];
        let waits = asked.iter().filter(|(outcome, _)| *outcome == Ok(Pecked::Done)).count();
        assert_eq!(gone, waits == 0, "{asked:?}");
        for (peck, (outcome, refused)) in pecks.iter().zip(asked) {
            if outcome == Ok(Pecked::Done) {
                let settled = store.move_peck(&peck.id, &Move::Deny, start()).await;
                assert_eq!(settled, Ok(Moved::Done));
            } else {
                assert_eq!(outcome, Ok(refused));
            }
        }
        if !gone {
            assert_eq!(store.delete(&end).await, Ok(true));
        }
    }
}

/// Until it lapses; confirmed twice it is one subscription; ended it stays ended.
pub async fn an_offer_becomes_a_subscription_once(store: Shared) {
    let email = Email::parse("reader@example.com").expect("an address");
    let (first, second) = (Token::new([1; 32]), Token::new([2; 32]));
    let expires_at = start() + Duration::hours(24);
    for token in [&first, &second] {
        let offer = Offer { token: token.hash(), email: email.clone(), expires_at };
        assert_eq!(store.offer_newsletter(&offer).await, Ok(()));
    }
    let unknown = Token::new([3; 32]).hash();
    assert_eq!(store.subscribe(&unknown, start()).await, Ok(false));
    assert_eq!(store.unsubscribe(&unknown).await, Ok(false));
    assert_eq!(store.subscribe(&first.hash(), expires_at).await, Ok(false));
    assert_eq!(store.is_subscribed(&email).await, Ok(false));
    let (a, b) = (first.hash(), first.hash());
    let both = futures_util::join!(store.subscribe(&a, start()), store.subscribe(&b, start()));
    assert_eq!(both, (Ok(true), Ok(true)));
    // Taken up in time, it stays so.
    assert_eq!(store.subscribe(&first.hash(), expires_at).await, Ok(true));
    assert_eq!(store.is_subscribed(&email).await, Ok(true));
    for _ in 0..2 {
        assert_eq!(store.unsubscribe(&first.hash()).await, Ok(true));
        assert_eq!(store.is_subscribed(&email).await, Ok(false));
    }
    assert_eq!(store.subscribe(&first.hash(), start()).await, Ok(false));
    assert_eq!(store.unsubscribe(&second.hash()).await, Ok(true));
    assert_eq!(store.subscribe(&second.hash(), start()).await, Ok(false));
}

/// All keys that ever signed, each once.
pub async fn a_signing_key_is_remembered(store: Shared) {
    let keys = [1, 2].map(|n: u8| PublicKey { kid: format!("kid{n}"), bytes: [n; 32] });
    for key in [&keys[0], &keys[1], &keys[1]] {
        assert!(store.signing_keys(key).await.expect("kept").contains(key));
    }
    let mut kept = store.signing_keys(&keys[0]).await.expect("kept");
    kept.sort_by(|a, b| a.kid.cmp(&b.kid));
    assert_eq!(kept, keys);
}

/// There are tables, and they answer.
pub async fn all_tables_stand(store: Shared) {
    let tables = store.tables().await.expect("listed");
    assert!(tables.len() >= 6 && tables.iter().all(|table| table.active), "{tables:?}");
}

/// Of any number of calls at once, as many are granted as there are; a minute later all anew.
pub async fn calls_are_counted_exactly(limits: Arc<dyn Limits>) {
    let now = start();
    let takes = join_all((0..50).map(|_| limits.take("hatch#192.0.2.1", 20, now))).await;
    let takes: Vec<_> = takes.into_iter().map(|taken| taken.expect("counted")).collect();
    assert_eq!(takes.iter().filter(|taken| taken.granted).count(), 20);
    let mut left: Vec<_> = takes.iter().filter(|t| t.granted).map(|t| t.remaining).collect();
    left.sort_unstable();
    assert_eq!(left, (0..20).collect::<Vec<_>>());
    assert!(takes.iter().filter(|taken| !taken.granted).all(|taken| taken.remaining == 0));
    let other = limits.take("hatch#192.0.2.2", 20, now).await.expect("counted");
    assert_eq!((other.granted, other.remaining), (true, 19));
    let soon = now + Duration::seconds(59);
    assert!(!limits.take("hatch#192.0.2.1", 20, soon).await.expect("counted").granted);
    let later = now + Duration::seconds(60);
    assert!(limits.take("hatch#192.0.2.1", 20, later).await.expect("counted").granted);
}
