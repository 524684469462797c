//! Lock: one run changes a galaxy at a time.
//!
//! Parameter Store has no compare-and-swap, but it creates an entry only once. So each holder
//! creates the next number below `/_spaceduck/galaxies/NAME/lock/`, and the highest number holds.
//! A heartbeat renews the entry; after a lease without one, by the service's clock, the next run
//! creates the next number. A holder looks at the numbers before its effects and stops at a higher
//! one. The highest number is never removed, so that none is used twice. See ADR 17.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::environment;
use crate::failure::{Failure, Kind};
use crate::model::GalaxyName;
use crate::ports::World;

mod claimed;
mod decide;
mod fenced;
mod former;
#[cfg(test)]
mod model;
mod takeover;
#[cfg(test)]
mod tests;

use claimed::{Claimed, to_text};
pub use decide::{
    Claim, Claims, Decision, Holder, LEASE, LEASES, Standing, State, claims, decide, standing,
};
pub use fenced::fenced;

/// How often another run may be quicker before this one gives up.
const ATTEMPTS: usize = 6;

/// Locks that this process holds, or is about to, for [`abandon`]. A process has one at most; tests
/// have several.
static HELD: Mutex<Vec<Arc<Claimed>>> = Mutex::new(Vec::new());

static TAKEN: AtomicBool = AtomicBool::new(false);

impl Holder {
    /// This process.
    pub fn here(command: &str, now: u64) -> Result<Self, Failure> {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname");
        let host = host.ok().or_else(|| environment::text("HOSTNAME")).unwrap_or_default();
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Self {
            run: crate::render::hex(&random),
            state: State::Held,
            command: command.to_owned(),
            host: host.trim().to_owned(),
            process: std::process::id(),
            since: now,
            beats: 0,
            lease: lease()?,
        })
    }
}

/// `SPACEDUCK_LOCK_LEASE`, in seconds.
fn lease() -> Result<u64, Failure> {
    let Some(said) = environment::text("SPACEDUCK_LOCK_LEASE") else { return Ok(LEASE) };
    said.parse().ok().filter(|lease| LEASES.contains(lease)).ok_or_else(|| {
        let (least, most) = (LEASES.start(), LEASES.end());
        let message = format!(
            "`SPACEDUCK_LOCK_LEASE` must be a number of seconds between {least} and {most}, got \
             `{said}`"
        );
        Failure::new(Kind::Input, message).help(format!("unset it for {LEASE} seconds"))
    })
}

/// Where the entries are.
#[must_use]
pub fn path(galaxy: &GalaxyName) -> String {
    format!("/_spaceduck/galaxies/{galaxy}/lock")
}

/// A lock that is held. [`Lock::release`] ends it; a process that dies leaves its entry, and the
/// next run takes over.
pub struct Lock {
    world: World,
    claimed: Arc<Claimed>,
    beating: JoinHandle<()>,
}

/// Takes the lock, or says who holds it.
pub async fn take(world: &World, galaxy: &GalaxyName, me: Holder) -> Result<Lock, Failure> {
    let open = world.unfenced();
    let former = former::honour(&open, galaxy).await?;
    for _ in 0..ATTEMPTS {
        let Some((number, before)) = next(&open, galaxy).await? else { continue };
        let claimed = Claimed::new(open.clone(), galaxy.clone(), number, me.clone());
        let claimed = Arc::new(claimed);
        // From here on a run that is stopped may leave an entry.
        hold(&claimed);
        let created = create(&claimed).await;
        if !matches!(created, Ok(true)) {
            forget(&claimed);
            created?;
            continue;
        }
        let seen = claimed.look().await;
        // Between the read and the creation other runs may have come and gone.
        if claimed.is_lost() {
            forget(&claimed);
            continue;
        }
        let lock = Lock::begin(world, claimed);
        let settled = match seen {
            Ok(claims) => lock.settle(&claims, former, before).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = settled {
            let _ = lock.end(State::Stopped).await;
            return Err(failure);
        }
        return Ok(lock);
    }
    Err(Failure::new(Kind::Refused, "other runs have just begun to change this galaxy")
        .help("wait until they have ended and run the same command again"))
}

/// What is known of the holder before.
enum Before {
    /// None, or all of its calls have ended.
    Finished,
    /// Its calls may still arrive; and whether they may delete stacks.
    Unfinished { removing: bool },
}

/// The number to create, or `None` if entries changed meanwhile.
async fn next(world: &World, galaxy: &GalaxyName) -> Result<Option<(u64, Before)>, Failure> {
    let read = || async { world.registry.list(&path(galaxy)).await.map(|found| claims(&found)) };
    // Without a holder the time decides nothing, and asking for it is a request.
    let mut found = read().await?;
    let mut decision = decide(&found, 0);
    if needs_time(&found) {
        // The clock first: a pause in between makes the holder look younger, never older.
        let mut now = world.registry.now().await?;
        found = read().await?;
        if found.values().any(|claim| claim.changed_at > now) {
            now = world.registry.now().await?;
        }
        decision = decide(&found, now);
    }
    let last = found.last_key_value().and_then(|(_, claim)| claim.holder.as_ref());
    match decision {
        // Numbers grow even if the entries were deleted by hand.
        Decision::First => Ok(Some((world.registry.now().await?, Before::Finished))),
        Decision::Create { number, unfinished: false } => Ok(Some((number, Before::Finished))),
        Decision::Create { number, unfinished: true } => {
            let removing = last.is_none_or(|holder| holder.command == "teardown");
            Ok(Some((number, Before::Unfinished { removing })))
        }
        Decision::Held { holder, silent } => {
            let lease = holder.as_ref().map_or(LEASE, |holder| holder.lease);
            Err(held(holder.map(Shown::from).as_ref(), silent, lease))
        }
    }
}

fn needs_time(claims: &Claims) -> bool {
    let last = claims.last_key_value();
    last.is_some_and(|(_, one)| one.holder.as_ref().is_none_or(|one| one.state == State::Held))
}

/// Creates the number. `false` if another run has it.
async fn create(claimed: &Claimed) -> Result<bool, Failure> {
    let text = to_text(&claimed.holder)?;
    let created = claimed.world.registry.create(&claimed.entry(), &text).await;
    let Err(failure) = created else { return created };
    // The response may be lost although the entry is there; then it is ours to use, or to end.
    match claimed.look().await {
        Ok(_) => Ok(true),
        Err(_) => Err(failure),
    }
}

impl Lock {
    fn begin(world: &World, claimed: Arc<Claimed>) -> Self {
        let beating = Arc::clone(&claimed);
        let beating = tokio::spawn(async move { beating.beat().await });
        world.fence.open(Arc::clone(&claimed) as Arc<_>);
        Self { world: world.clone(), claimed, beating }
    }

    /// Makes late calls of the holder before harmless and removes old entries.
    async fn settle(&self, seen: &Claims, former: bool, before: Before) -> Result<(), Failure> {
        let claimed = &self.claimed;
        let (open, galaxy) = (&claimed.world, &claimed.galaxy);
        match before {
            Before::Unfinished { removing } => takeover::retire(claimed, removing).await?,
            Before::Finished if former => takeover::retire(claimed, true).await?,
            Before::Finished => {}
        }
        if former {
            former::remove(open, galaxy).await?;
        }
        for number in seen.keys().filter(|number| **number < claimed.number) {
            // One that stays is removed by a later holder.
            let _ = open.registry.remove(&format!("{}/{number}", path(galaxy))).await;
        }
        Ok(())
    }

    /// The lock's number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.claimed.number
    }

    /// Releases it: this run and each of its calls have ended.
    pub async fn release(self) -> Result<(), Failure> {
        self.end(State::Released).await
    }

    async fn end(&self, state: State) -> Result<(), Failure> {
        self.beating.abort();
        forget(&self.claimed);
        self.claimed.end(state).await
    }
}

impl Drop for Lock {
    /// Without heartbeats and effects, but with its entry: [`abandon`] ends that one.
    fn drop(&mut self) {
        self.beating.abort();
        self.world.fence.close();
    }
}

/// Ends the locks of a run that was stopped. Returns after `limit` even if AWS does not answer.
pub async fn abandon(limit: Duration) {
    let held = std::mem::take(&mut *HELD.lock().unwrap_or_else(PoisonError::into_inner));
    let end = async {
        for claimed in held {
            stop(&claimed).await;
        }
    };
    let _ = tokio::time::timeout(limit, end).await;
}

/// A run that can't say it has ended is taken over after its lease. One that was stopped while it
/// created its entry may not have one, and may not bring back what another run has removed.
async fn stop(claimed: &Claimed) {
    if claimed.look().await.is_ok() {
        let _ = claimed.end(State::Stopped).await;
    }
}

/// Whether this process has had a lock, or has begun to take one: without one it changes nothing.
#[must_use]
pub fn was_taken() -> bool {
    TAKEN.load(Ordering::Relaxed)
}

fn hold(claimed: &Arc<Claimed>) {
    TAKEN.store(true, Ordering::Relaxed);
    HELD.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(claimed));
}

fn forget(claimed: &Arc<Claimed>) {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    held.retain(|one| !Arc::ptr_eq(one, claimed));
}

/// Removes the dead lock of an earlier version, where nothing is left to do.
pub async fn sweep(world: &World, galaxy: &GalaxyName) -> Result<(), Failure> {
    former::sweep(&world.unfenced(), galaxy).await
}

/// A holder as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The command.
    pub command: String,
    /// The machine.
    pub host: String,
    /// The process.
    pub process: u32,
    /// When it began, in seconds since 1970 by its own clock.
    pub since: u64,
}

impl From<Holder> for Shown {
    fn from(holder: Holder) -> Self {
        let Holder { command, host, process, since, .. } = holder;
        Self { command, host, process, since }
    }
}

/// Who holds the lock and for how many seconds it has been silent; `None` if it is free.
pub async fn look(
    world: &World,
    galaxy: &GalaxyName,
) -> Result<Option<(Option<Shown>, u64)>, Failure> {
    let found = claims(&world.registry.list(&path(galaxy)).await?);
    if needs_time(&found) {
        let now = world.registry.now().await?;
        let last = found.into_iter().next_back().map(|(_, claim)| claim);
        return Ok(
            last.map(|claim| (claim.holder.map(Shown::from), now.abs_diff(claim.changed_at)))
        );
    }
    former::find(world, galaxy).await
}

fn held(holder: Option<&Shown>, silent: u64, lease: u64) -> Failure {
    let (message, cause) = match holder {
        Some(Shown { command, host, process, since }) => (
            format!("`spaceduck {command}` is changing this galaxy right now"),
            format!(
                "process {process} on {host}, since {}; last heartbeat {silent} s ago",
                local(*since)
            ),
        ),
        None => (
            "another run is changing this galaxy right now".to_owned(),
            format!("its entry can't be read; last heartbeat {silent} s ago"),
        ),
    };
    Failure::new(Kind::Refused, message).cause(cause).help(format!(
        "nothing was changed. Wait for it; if it was killed, the next run takes over after {lease} \
         s without a heartbeat"
    ))
}

/// A time as people read it: hours and minutes, in UTC since machines disagree about the rest.
fn local(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok();
    let at = at.and_then(|at| time::OffsetDateTime::from_unix_timestamp(at).ok());
    at.map_or_else(
        || "an unknown time".to_owned(),
        |at| format!("{:02}:{:02} UTC", at.hour(), at.minute()),
    )
}

/// Does something while holding the lock.
pub async fn holding<T, E: From<Failure>>(
    world: &World,
    galaxy: &GalaxyName,
    command: &str,
    act: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let me = Holder::here(command, world.clock.now())?;
    let lock = take(world, galaxy, me).await?;
    match act.await {
        Ok(value) => {
            lock.release().await?;
            Ok(value)
        }
        Err(error) => {
            // Steps that ran beside the one that failed may have calls on their way. The failure
            // is what the person needs to hear of.
            let _ = lock.end(State::Stopped).await;
            Err(error)
        }
    }
}
