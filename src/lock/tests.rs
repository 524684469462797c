//! The lock in an account in memory. Time passes only where a run waits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::*;
use crate::model::{AccountId, Place, Region};
use crate::ports::{Entry, Object, Registry};
use crate::rehearse::{Account, Hiccup};

fn account() -> Arc<Account> {
    let id = AccountId::parse("111122223333").unwrap();
    Account::new(id, Region::parse("eu-central-1").unwrap())
}

fn galaxy() -> GalaxyName {
    GalaxyName::parse("spaceduck").unwrap()
}

/// Every run has the same host name and process id, as in two containers.
fn run(name: &str) -> Holder {
    Holder {
        run: name.into(),
        state: State::Held,
        command: "install".into(),
        host: "ci".into(),
        process: 1,
        since: 1_800_000_000,
        beats: 0,
        lease: LEASE,
    }
}

async fn entries(world: &World) -> Vec<(u64, State)> {
    let found = claims(&world.registry.list(&path(&galaxy())).await.unwrap());
    let one = |(number, claim): (u64, Claim)| (number, claim.holder.unwrap().state);
    found.into_iter().map(one).collect()
}

#[tokio::test]
async fn a_second_run_waits_for_the_first() {
    let world = account().world();
    let first = take(&world, &galaxy(), run("a")).await.unwrap();
    // Heartbeats renew the lock far beyond its lease.
    for _ in 0..9 {
        world.clock.sleep(Duration::from_mins(1)).await;
    }
    let failure = take(&world, &galaxy(), run("b")).await.err().unwrap();
    assert_eq!(failure.kind, Kind::Refused);
    let text = failure.to_text();
    assert!(text.contains("`spaceduck install` is changing this galaxy right now"), "{text}");
    assert!(text.contains("process 1 on ci, since "), "{text}");
    let number = first.number();
    first.release().await.unwrap();
    let second = take(&world, &galaxy(), run("b")).await.unwrap();
    assert_eq!(second.number(), number + 1);
    assert_eq!(entries(&world).await, [(number + 1, State::Held)]);
    second.release().await.unwrap();
    assert_eq!(entries(&world).await, [(number + 1, State::Released)]);
    assert_eq!(look(&world, &galaxy()).await.unwrap(), None);
}

/// The first run is paused: no heartbeat, no effect, until the second one has the lock.
#[tokio::test]
async fn a_run_that_was_paused_has_no_more_effects() {
    let account = account();
    let (one, two) = (fenced(account.world()), fenced(account.world()));
    let first = take(&one, &galaxy(), run("a")).await.unwrap();
    one.notes.put("/spaceduck/x", "1").await.unwrap();
    first.beating.abort();
    two.clock.sleep(Duration::from_secs(LEASE - 10)).await;
    let refused = take(&two, &galaxy(), run("b")).await.err().unwrap();
    assert_eq!(refused.kind, Kind::Refused, "not yet silent for its lease");
    two.clock.sleep(Duration::from_secs(11)).await;
    let second = take(&two, &galaxy(), run("b")).await.unwrap();
    let failure = one.notes.put("/spaceduck/x", "2").await.unwrap_err();
    assert_eq!(failure.kind, Kind::Settled);
    let text = failure.to_text();
    assert!(text.contains("this run has lost the lock of `spaceduck` and stopped"), "{text}");
    assert_eq!(two.notes.get("/spaceduck/x").await.unwrap().as_deref(), Some("1"));
    // Neither its release nor a heartbeat touches what the second run has.
    let before = entries(&two).await;
    first.claimed.beat().await;
    first.release().await.unwrap();
    assert_eq!(entries(&two).await, before);
    two.notes.put("/spaceduck/x", "3").await.unwrap();
    second.release().await.unwrap();
}

#[tokio::test]
async fn a_heartbeat_that_arrives_late_changes_nothing() {
    let account = account();
    let world = account.world();
    let first = take(&world, &galaxy(), run("a")).await.unwrap();
    let number = first.number();
    drop(first);
    world.clock.sleep(Duration::from_secs(LEASE + 1)).await;
    let second = take(&world, &galaxy(), run("b")).await.unwrap();
    let late = format!("{}/{number}", path(&galaxy()));
    world.registry.put(&late, &to_text(&run("a")).unwrap()).await.unwrap();
    second.claimed.look().await.unwrap();
    second.release().await.unwrap();
    let third = take(&world, &galaxy(), run("c")).await.unwrap();
    assert_eq!(third.number(), number + 2);
    assert_eq!(entries(&world).await, [(number + 2, State::Held)], "the late entry is removed");
}

#[tokio::test]
async fn effects_need_the_lock_and_share_a_look() {
    let account = account();
    let world = fenced(account.world());
    let failure = world.notes.put("/spaceduck/x", "1").await.unwrap_err();
    assert_eq!(failure.kind, Kind::Bug);
    assert_eq!(world.notes.get("/spaceduck/x").await.unwrap(), None);
    let lock = take(&world, &galaxy(), run("a")).await.unwrap();
    lock.beating.abort();
    account.hiccup(None);
    for _ in 0..100 {
        world.secrets.remove("/spaceduck/none").await.unwrap();
    }
    assert_eq!(account.hiccup(None), 101, "a hundred effects and one look");
    world.clock.sleep(Duration::from_secs(1)).await;
    world.secrets.remove("/spaceduck/none").await.unwrap();
    assert_eq!(account.hiccup(None), 2);
    // Whoever deletes the entry breaks the lock.
    world.unfenced().registry.remove(&lock.claimed.entry()).await.unwrap();
    world.clock.sleep(Duration::from_secs(1)).await;
    let failure = world.secrets.remove("/spaceduck/none").await.unwrap_err();
    assert!(failure.to_text().contains("was removed or changed"), "{}", failure.to_text());
}

/// Each call of taking and releasing the lock loses its answer once, having done its work or not.
#[tokio::test]
async fn a_lost_answer_leaves_no_lock_that_blocks() {
    let calls = {
        let account = account();
        account.hiccup(None);
        holding(&account.world(), &galaxy(), "install", async { Ok::<_, Failure>(()) })
            .await
            .unwrap();
        account.hiccup(None)
    };
    assert!(calls >= 5, "{calls}");
    for call in 1..=calls {
        for done in [false, true] {
            let account = account();
            let world = account.world();
            account.hiccup(Some(Hiccup { call, done, kind: Kind::Settled }));
            let act = async { Ok::<_, Failure>(()) };
            let first = holding(&world, &galaxy(), "install", act).await;
            account.hiccup(None);
            let act = async { Ok::<_, Failure>(()) };
            let second = holding(&world, &galaxy(), "install", act).await;
            // Only an end that was not written down has to be waited for.
            if first.is_ok() || call < calls {
                second.unwrap_or_else(|f| panic!("call {call}, {done}: {}", f.to_text()));
            }
        }
    }
}

#[tokio::test]
async fn a_run_that_was_stopped_is_followed_at_once() {
    let account = account();
    let world = account.world();
    let lock = take(&world, &galaxy(), run("a")).await.unwrap();
    let number = lock.number();
    let held = Arc::clone(&lock.claimed);
    drop(lock);
    held.end(State::Stopped).await.unwrap();
    let second = take(&world, &galaxy(), run("b")).await.unwrap();
    assert_eq!(second.number(), number + 1);
}

#[tokio::test]
async fn a_failure_releases_the_lock_too() {
    let world = account().world();
    let act = async { Err::<(), _>(Failure::new(Kind::Settled, "a step failed")) };
    let failure = holding(&world, &galaxy(), "install", act).await.unwrap_err();
    assert_eq!(failure.message(), "a step failed");
    assert_eq!(entries(&world).await[0].1, State::Stopped);
    take(&world, &galaxy(), run("b")).await.unwrap();
}

#[tokio::test]
async fn the_lock_of_an_earlier_version_is_honoured() {
    let account = account();
    let world = account.world();
    // Its own timestamps count for nothing: this clock is two years ahead.
    let text =
        r#"{"command":"install","host":"ci","process":1,"since":1900000000,"beat":1900000000}"#;
    let note = "/spaceduck/lock";
    world.notes.put(note, text).await.unwrap();
    let failure = take(&world, &galaxy(), run("a")).await.err().unwrap();
    assert_eq!(failure.kind, Kind::Refused);
    assert!(failure.to_text().contains("process 1 on ci"), "{}", failure.to_text());
    assert_eq!(entries(&world).await, []);
    world.clock.sleep(Duration::from_secs(LEASE)).await;
    world.notes.put(note, text).await.unwrap();
    assert!(take(&world, &galaxy(), run("a")).await.is_err(), "it has just been renewed");
    sweep(&world, &galaxy()).await.unwrap();
    assert!(world.notes.get(note).await.unwrap().is_some(), "a live one is not swept");
    world.clock.sleep(Duration::from_secs(LEASE + 1)).await;
    let lock = take(&world, &galaxy(), run("a")).await.unwrap();
    assert_eq!(world.notes.get(note).await.unwrap(), None);
    lock.release().await.unwrap();
}

/// A conditional write is refused where another run has written meanwhile, and a repetition of
/// one's own is not.
#[tokio::test]
async fn a_conditional_write_goes_over_what_was_seen() {
    let account = account();
    let world = account.world();
    let bucket = "spaceduck-artifacts";
    account.hold_bucket(Place::Home, bucket);
    let object = |text: &'static [u8]| Object {
        key: "k".into(),
        bytes: text.into(),
        content_type: "text/plain".into(),
        cache_control: "no-store".into(),
    };
    let assets = &world.assets;
    let put = async |text, seen: Option<&str>| {
        assets.replace(Place::Home, bucket, &object(text), seen).await.unwrap().is_some()
    };
    assert!(put(b"1", None).await);
    assert!(put(b"1", None).await, "the answer was lost and it is written again");
    assert!(!put(b"2", None).await, "there is one already");
    let seen = assets.read_tagged(Place::Home, bucket, "k").await.unwrap().unwrap();
    assert_eq!(seen.bytes, b"1");
    assert!(put(b"2", Some(&seen.etag)).await);
    assert!(!put(b"3", Some(&seen.etag)).await, "another run was quicker");
}

/// A registry whose answer to a creation does not arrive.
struct Unheard {
    registry: Arc<dyn Registry>,
    created: Notify,
}

#[async_trait]
impl Registry for Unheard {
    async fn get(&self, path: &str) -> Result<Option<Entry>, Failure> {
        self.registry.get(path).await
    }

    async fn list(&self, path: &str) -> Result<BTreeMap<String, Entry>, Failure> {
        self.registry.list(path).await
    }

    async fn create(&self, path: &str, text: &str) -> Result<bool, Failure> {
        self.registry.create(path, text).await?;
        self.created.notify_one();
        std::future::pending().await
    }

    async fn put(&self, path: &str, text: &str) -> Result<(), Failure> {
        self.registry.put(path, text).await
    }

    async fn remove(&self, path: &str) -> Result<(), Failure> {
        self.registry.remove(path).await
    }

    async fn now(&self) -> Result<u64, Failure> {
        self.registry.now().await
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_while_it_takes_the_lock_leaves_none() {
    let account = account();
    let mut cut = account.world();
    let unheard = Arc::new(Unheard { registry: Arc::clone(&cut.registry), created: Notify::new() });
    cut.registry = Arc::clone(&unheard) as Arc<dyn Registry>;
    let galaxy = galaxy();
    tokio::select! {
        _ = take(&cut, &galaxy, run("cut")) => panic!("the answer can't arrive"),
        () = unheard.created.notified() => {}
    }
    let world = account.world();
    assert_eq!(entries(&world).await[0].1, State::Held, "the entry is there");
    let held: Vec<_> = HELD.lock().unwrap().iter().cloned().collect();
    let mine: Vec<_> = held.into_iter().filter(|one| one.holder.run == "cut").collect();
    assert_eq!(mine.len(), 1);
    forget(&mine[0]);
    stop(&mine[0]).await;
    assert_eq!(entries(&world).await[0].1, State::Stopped);
    take(&world, &galaxy, run("next")).await.unwrap().release().await.unwrap();
    // Its entry is gone by now, and stays so.
    let before = entries(&world).await;
    stop(&mine[0]).await;
    assert_eq!(entries(&world).await, before);
}
