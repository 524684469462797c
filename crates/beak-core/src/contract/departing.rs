//! Deletions that take several steps, crash between two of them, or fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use time::{Duration, OffsetDateTime};

use super::fuse::fused;
use super::home::{Home, email, galaxy, hatched, new_egg, password, verification};
use crate::access::Who;
use crate::certificate::CertStatus;
use crate::error::BeakError;
use crate::galaxy::{Credential, Galaxy, Hatchling, NewPeck, Ports, Progress, Verdict};
use crate::key::BeakKey;
use crate::peck::{Message, PeckType};
use crate::ports::{Clock, Departure, Page};
use crate::tier::Tier;

/// Each look at it takes a second.
struct Slow(Arc<dyn Clock>, AtomicI64);

impl Clock for Slow {
    fn now(&self) -> OffsetDateTime {
        self.0.now() + Duration::seconds(self.1.fetch_add(1, Ordering::Relaxed))
    }
}

/// A galaxy whose calls have time for a bond or two.
fn slow(ports: &Ports) -> Galaxy {
    let clock = Arc::new(Slow(Arc::clone(&ports.clock), AtomicI64::new(0)));
    galaxy(&Ports { clock, ..ports.clone() })
}

/// A duckling with a bond to each of some friends.
async fn befriended(home: &Home, name: &str, friends: usize) -> Hatchling {
    let galaxy = galaxy(&home.ports);
    let duckling = hatched(home, &galaxy, name).await;
    for n in 0..friends {
        let friend = hatched(home, &galaxy, &format!("{name}-f{n}")).await.duckling;
        let peck = NewPeck {
            target: duckling.duckling.id.clone(),
            kind: PeckType::parse("data.read").expect("a type"),
            message: Message::default(),
            idempotency_key: None,
        };
        let peck = galaxy.peck(&friend, peck).await.expect("asked").id;
        let now = home.ports.store.duckling(&duckling.duckling.id).await.expect("read");
        galaxy.approve(&now.expect("there"), &peck).await.expect("approved");
    }
    duckling
}

fn credential(key: &BeakKey) -> Credential {
    Credential::Key(BeakKey::parse(key.reveal()).expect("a key"))
}

/// Deletes by key, as far as one call gets.
async fn delete(galaxy: &Galaxy, key: &BeakKey) -> crate::Result<Progress> {
    let who = Who::KeyOrPersonLeaving;
    let caller = galaxy.admit(Some(&credential(key)), who, Tier::T0).await?;
    galaxy.delete(&caller).await
}

async fn bonds(home: &Home) -> u64 {
    galaxy(&home.ports).metrics().await.expect("counted").connections
}

async fn departures(home: &Home) -> Vec<Departure> {
    let page = Page { limit: 10, after: None };
    home.ports.store.departures(&page).await.expect("listed").items
}

/// From the first step on the key, the certificate and the account are dead; bonds end call by
/// call.
pub async fn a_deletion_with_many_bonds_takes_several_calls(home: Home) {
    let swan = befriended(&home, "swan", 3).await;
    let ports = &home.ports;
    assert_eq!(delete(&slow(ports), &swan.key).await, Ok(Progress::Continues));
    let left = bonds(&home).await;
    assert!((1..=3).contains(&left), "{left}");
    for who in [Who::Key, Who::KeyOrPerson, Who::KeyOrOperator] {
        let refused = galaxy(ports).admit(Some(&credential(&swan.key)), who, Tier::T0).await;
        assert!(matches!(refused, Err(BeakError::Unauthorized)), "{who:?}: {refused:?}");
    }
    let judged = galaxy(ports).judge(&swan.certificate).await.expect("judged");
    assert!(matches!(judged.verdict, Verdict::Was(CertStatus::Superseded | CertStatus::Revoked)));
    let now = ports.store.duckling(&swan.duckling.id).await.expect("read").expect("still there");
    assert_eq!(now.cert_status, CertStatus::Revoked);
    let current = ports.store.certificate(&now.cert_id).await.expect("read").expect("there");
    assert_eq!(current.status, CertStatus::Revoked);
    let seen = galaxy(ports).duck(&swan.duckling.id).await;
    assert_eq!(seen, Err(BeakError::NotFound("such duckling")));
    let entered = ports.identity.sign_in(&email("swan"), &password(super::home::PASSWORD)).await;
    assert!(entered.expect("answered").is_none());
    let mut calls = 1;
    while delete(&slow(ports), &swan.key).await == Ok(Progress::Continues) {
        let fewer = bonds(&home).await;
        calls += 1;
        assert!(fewer <= left && calls < 20, "{fewer} bonds after {calls} calls");
    }
    assert!(calls > 1);
    assert_eq!((bonds(&home).await, departures(&home).await), (0, Vec::new()));
    let counts = galaxy(ports).metrics().await.expect("counted");
    assert_eq!(counts.ducklings, 3);
    assert_eq!(delete(&galaxy(ports), &swan.key).await, Err(BeakError::Unauthorized));
}

/// What a call leaves the sweep does, and an account that the address got since then stays.
pub async fn a_sweep_finishes_a_deletion_and_spares_a_new_account(home: Home) {
    let swan = befriended(&home, "swan", 3).await;
    let ports = &home.ports;
    assert_eq!(delete(&slow(ports), &swan.key).await, Ok(Progress::Continues));
    let again = galaxy(ports);
    let laid = again.hatch(new_egg("swan")).await.expect("laid");
    let code = home.letters.code(&email("swan")).await;
    let chosen = || password("another good password");
    let mut verification = verification("swan", code, Some(laid.hatch_id));
    verification.password = Some(chosen());
    let early = again.verify(verification).await;
    assert_eq!(early.err().map(|error| error.code()), Some("conflict"));
    // Once more by the old key: it knows nothing of the new account.
    let _ = delete(&slow(ports), &swan.key).await;
    let mut sweeps = 0;
    while !departures(&home).await.is_empty() {
        sweeps += 1;
        assert!(sweeps < 20, "never done");
        slow(ports).sweep().await.expect("swept");
    }
    assert_eq!(bonds(&home).await, 0);
    let entered = ports.identity.sign_in(&email("swan"), &chosen()).await.expect("answered");
    assert!(entered.is_some(), "the new account is gone");
    let counts = galaxy(ports).metrics().await.expect("counted");
    assert_eq!(counts.ducklings, 3);
}

/// Wherever a process dies, the sweep finishes what has begun.
pub async fn a_deletion_that_crashed_is_finished_by_the_sweep(home: Home) {
    for calls in 0..12 {
        let name = format!("swan{calls}");
        let swan = befriended(&home, &name, 1).await;
        let outcome = delete(&galaxy(&fused(&home.ports, calls)), &swan.key).await;
        if outcome.is_err() {
            assert_eq!(departures(&home).await.len(), 1, "after {calls} calls");
        }
        galaxy(&home.ports).sweep().await.expect("swept");
        assert_eq!((bonds(&home).await, departures(&home).await), (0, Vec::new()));
        let gone = home.ports.store.duckling(&swan.duckling.id).await;
        assert_eq!(gone, Ok(None), "after {calls} calls");
        let identity = &home.ports.identity;
        let entered = identity.sign_in(&email(&name), &password(super::home::PASSWORD)).await;
        assert!(entered.expect("answered").is_none(), "after {calls} calls");
    }
}

/// An account that can't be deleted now holds up its own duckling only.
pub async fn a_deletion_that_fails_stops_no_other(home: Home) {
    let ports = &home.ports;
    let [swan, crane] =
        [hatched(&home, &galaxy(ports), "swan").await, befriended(&home, "crane", 1).await];
    for (duckling, account_ended) in [(&swan, false), (&crane, true)] {
        let id = duckling.duckling.id.clone();
        let departure = Departure { id, reason: None, account_ended };
        assert_eq!(ports.store.leave(&departure).await, Ok(()));
    }
    let failed = galaxy(&fused(ports, 0)).sweep().await;
    assert!(matches!(failed, Err(BeakError::Unavailable(_))), "{failed:?}");
    let left: Vec<_> = departures(&home).await.into_iter().map(|departure| departure.id).collect();
    assert_eq!(left, std::slice::from_ref(&swan.duckling.id));
    assert_eq!(bonds(&home).await, 0);
    galaxy(ports).sweep().await.expect("swept");
    assert_eq!(departures(&home).await, Vec::new());
}
