//! One at a time: who changes a galaxy says so in the account, and says again and again that it
//! still lives.
//!
//! The note lies in Parameter Store, where "write only if there is none" is one call, and which is
//! there before anything of the galaxy is. Whoever finds a note whose holder is dead takes over.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::failure::{Failure, Kind};
use crate::model::GalaxyName;
use crate::ports::World;

/// How often a holder says that it lives.
const BEAT: Duration = Duration::from_secs(20);

/// After this many seconds without a word a holder counts as dead.
const DEAD_AFTER: u64 = 120;

/// Who changes the galaxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The command.
    pub command: String,
    /// The machine.
    pub host: String,
    /// The process.
    pub process: u32,
    /// Since when, in seconds since 1970.
    pub since: u64,
    /// When it last said that it lives, in seconds since 1970.
    pub beat: u64,
}

impl Holder {
    /// This process.
    #[must_use]
    pub fn here(command: &str, now: u64) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname");
        let host = host.or_else(|_| std::env::var("HOSTNAME")).unwrap_or_default();
        Self {
            command: command.to_owned(),
            host: host.trim().to_owned(),
            process: std::process::id(),
            since: now,
            beat: now,
        }
    }

    /// Whether it is dead: too long silent, or, on this machine, no longer a process.
    fn is_dead(&self, here: &Self, now: u64) -> bool {
        let silent = now.saturating_sub(self.beat) > DEAD_AFTER;
        let processes = std::path::Path::new("/proc");
        let here = !self.host.is_empty() && self.host == here.host && processes.is_dir();
        silent || (here && !processes.join(self.process.to_string()).exists())
    }

    fn to_text(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(|error| Failure::bug(error.to_string()))
    }
}

/// A lock that is held. It is let go by [`Lock::release`]; a process that dies leaves it behind,
/// and the next one takes it over.
pub struct Lock {
    world: World,
    path: String,
    beating: JoinHandle<()>,
}

/// Where the note lies.
#[must_use]
pub fn path(galaxy: &GalaxyName) -> String {
    format!("/{galaxy}/lock")
}

/// Takes the lock, or says who holds it, since when, and whether that one lives.
pub async fn take(world: &World, galaxy: &GalaxyName, me: Holder) -> Result<Lock, Failure> {
    let path = path(galaxy);
    // Twice: whoever takes over removes the note first, and somebody else may be quicker.
    for _ in 0..2 {
        if world.notes.put_new(&path, &me.to_text()?).await? {
            let beating = tokio::spawn(beat(world.clone(), path.clone(), me));
            return Ok(Lock { world: world.clone(), path, beating });
        }
        let now = world.clock.now();
        let Some(text) = world.notes.get(&path).await? else { continue };
        match serde_json::from_str::<Holder>(&text) {
            Ok(holder) if !holder.is_dead(&me, now) => return Err(held(&holder, now)),
            _ => world.notes.remove(&path).await?,
        }
    }
    Err(Failure::new(Kind::Refused, "somebody else has just begun to change this galaxy")
        .help("wait until they are done and run the same command again"))
}

/// Removes the note of a holder that died after its last change, where nothing is left to do.
pub async fn sweep(world: &World, galaxy: &GalaxyName) -> Result<(), Failure> {
    let path = path(galaxy);
    let now = world.clock.now();
    let Some(text) = world.notes.get(&path).await? else { return Ok(()) };
    let me = Holder::here("", now);
    let lives = serde_json::from_str::<Holder>(&text).is_ok_and(|one| !one.is_dead(&me, now));
    if lives { Ok(()) } else { world.notes.remove(&path).await }
}

impl Lock {
    /// Lets go.
    pub async fn release(self) -> Result<(), Failure> {
        self.world.notes.remove(&self.path).await
    }
}

impl Drop for Lock {
    /// Who no longer works does not say that it does.
    fn drop(&mut self) {
        self.beating.abort();
    }
}

async fn beat(world: World, path: String, mut me: Holder) {
    loop {
        world.clock.sleep(BEAT).await;
        me.beat = world.clock.now();
        // One that does not get through is made up for by the next; five have to fail before
        // somebody else may think that this process is dead.
        if let Ok(text) = me.to_text() {
            let _ = world.notes.put(&path, &text).await;
        }
    }
}

fn held(holder: &Holder, now: u64) -> Failure {
    let Holder { command, host, process, since, beat } = holder;
    let (ago, silent) = (now.saturating_sub(*since), now.saturating_sub(*beat));
    let message = format!("`spaceduck {command}` is changing this galaxy right now");
    Failure::new(Kind::Refused, message)
        .cause(format!(
            "process {process} on {host} began {ago} s ago and was last heard of {silent} s ago"
        ))
        .help(format!(
            "nothing was changed. Wait for it; if it was killed, it counts as dead after \
             {DEAD_AFTER} s of silence, and the next command takes over by itself"
        ))
}

/// Does something while holding the lock.
pub async fn holding<T, E: From<Failure>>(
    world: &World,
    galaxy: &GalaxyName,
    command: &str,
    act: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let me = Holder::here(command, world.clock.now());
    let lock = take(world, galaxy, me).await?;
    let result = act.await;
    let released = lock.release().await;
    let value = result?;
    released?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(host: &str, process: u32, beat: u64) -> Holder {
        Holder { command: "install".into(), host: host.into(), process, since: 0, beat }
    }

    #[test]
    fn the_silent_and_the_vanished_are_dead() {
        let me = holder("here", std::process::id(), 100);
        assert!(!holder("there", 1, 100).is_dead(&me, 100 + DEAD_AFTER));
        assert!(holder("there", 1, 100).is_dead(&me, 101 + DEAD_AFTER));
        assert!(!me.is_dead(&me, 100), "this very process");
        // No Linux gives a process this number.
        let gone = holder("here", u32::MAX, 100).is_dead(&me, 100);
        assert_eq!(gone, std::path::Path::new("/proc").is_dir());
        assert!(!holder("", u32::MAX, 100).is_dead(&me, 100), "a machine without a name");
    }
}
