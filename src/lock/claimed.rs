//! A number that this run holds: looks, heartbeats, release.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::decide::{self, Claims, Holder, Standing, State, standing};
use super::path;
use crate::failure::{Failure, Kind};
use crate::model::GalaxyName;
use crate::ports::{Permit, World};

/// Effects within this time share one look at the lock.
pub(super) const WINDOW: Duration = Duration::from_secs(1);

/// How often an entry is looked for that a look did not show: Parameter Store may answer from a
/// copy that is older than the entry.
const LOOKS: usize = 5;

/// A number that this run has created.
pub(super) struct Claimed {
    /// Ports without the fence.
    pub(super) world: World,
    pub(super) galaxy: GalaxyName,
    pub(super) number: u64,
    pub(super) holder: Holder,
    /// When the last good look began: by the monotonic clock and by the wall clock, since the
    /// first one does not run while a machine sleeps.
    fresh: Mutex<Option<(Duration, u64)>>,
    lost: AtomicBool,
}

impl Claimed {
    pub(super) fn new(world: World, galaxy: GalaxyName, number: u64, holder: Holder) -> Self {
        let (fresh, lost) = (Mutex::default(), AtomicBool::new(false));
        Self { world, galaxy, number, holder, fresh, lost }
    }

    pub(super) fn entry(&self) -> String {
        format!("{}/{}", path(&self.galaxy), self.number)
    }

    /// Looks whether this run still holds the lock; fails if it doesn't, or if the look does.
    pub(super) async fn look(&self) -> Result<Claims, Failure> {
        for _ in 0..LOOKS {
            let entries = self.world.registry.list(&path(&self.galaxy)).await?;
            let claims = decide::claims(&entries);
            match standing(&claims, self.number, &self.holder.run) {
                Standing::Mine => return Ok(claims),
                Standing::Lost => {
                    self.lost.store(true, Ordering::Relaxed);
                    let last = claims.last_key_value();
                    return Err(self.taken_over(last.and_then(|(_, one)| one.holder.as_ref())));
                }
                Standing::Missing => self.world.clock.sleep(WINDOW).await,
            }
        }
        self.lost.store(true, Ordering::Relaxed);
        Err(self.taken_over(None))
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Renews the entry until the lock is lost. A heartbeat that does not get through is made up
    /// for by the next; six in a row have to fail before another run takes over.
    pub(super) async fn beat(&self) {
        let mut holder = self.holder.clone();
        let pause = Duration::from_secs(holder.lease / 6);
        loop {
            self.world.clock.sleep(pause).await;
            // A write would bring an entry back that the next holder has removed.
            if self.look().await.is_err() {
                if self.is_lost() {
                    return;
                }
                continue;
            }
            holder.beats += 1;
            let _ = self.write(&holder).await;
        }
    }

    /// Says that the run has ended; nothing if another one has taken over.
    pub(super) async fn end(&self, state: State) -> Result<(), Failure> {
        if self.is_lost() {
            return Ok(());
        }
        self.write(&Holder { state, ..self.holder.clone() }).await
    }

    async fn write(&self, holder: &Holder) -> Result<(), Failure> {
        self.world.registry.put(&self.entry(), &to_text(holder)?).await
    }

    fn taken_over(&self, by: Option<&Holder>) -> Failure {
        let Holder { command, lease, .. } = &self.holder;
        let message = format!("this run has lost the lock of `{}` and stopped", self.galaxy);
        let cause = match by {
            Some(by) if by.run != self.holder.run => format!(
                "`spaceduck {}`, process {} on {}, took it over: this run sent no heartbeat for \
                 more than {lease} s",
                by.command, by.process, by.host
            ),
            _ => format!("its entry `{}` in us-east-1 was removed or changed", self.entry()),
        };
        Failure::new(Kind::Settled, message).cause(cause).help(format!(
            "wait until the other run has ended, then run `spaceduck {command}` again"
        ))
    }
}

#[async_trait]
impl Permit for Claimed {
    async fn check(&self) -> Result<(), Failure> {
        let mut fresh = self.fresh.lock().await;
        let (elapsed, now) = (self.world.clock.elapsed(), self.world.clock.now());
        let is_fresh = |(then, at): &(Duration, u64)| {
            elapsed.saturating_sub(*then) < WINDOW && now.abs_diff(*at) <= WINDOW.as_secs()
        };
        if !self.is_lost() && fresh.as_ref().is_some_and(is_fresh) {
            return Ok(());
        }
        *fresh = None;
        self.look().await?;
        *fresh = Some((elapsed, now));
        Ok(())
    }

    fn galaxy(&self) -> &str {
        self.galaxy.as_str()
    }

    fn number(&self) -> u64 {
        self.number
    }
}

pub(super) fn to_text(holder: &Holder) -> Result<String, Failure> {
    serde_json::to_string(holder).map_err(|error| Failure::bug(error.to_string()))
}
