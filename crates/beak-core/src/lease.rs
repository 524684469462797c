//! Limits without a write for each call: a process takes calls of a minute out of the home's
//! counter in blocks, and grants them from memory.
//!
//! The counter of a bucket and minute keeps two numbers: `taken`, the calls that were handed out,
//! and `spare`, those of them that no call may ever use, because a process that holds them may be
//! frozen or gone. A block adds its calls to `taken`; beyond the call that asks for it, they are
//! spare until the same process takes its next block.
//!
//! * Never more than the limit: `taken` never exceeds it, and a call is granted only from it.
//! * Early refusal by at most a tenth: `spare` never exceeds a tenth of the limit, however many
//!   processes there are.
//! * A block shrinks as the minute is used up: at most a third of what is left is spare.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::access::WINDOW;
use crate::error::{BeakError, Result};
use crate::ports::{Limits, Taken};

/// Limits up to this are counted call by call.
pub const LEASED_ABOVE: u32 = 10;

/// How many buckets a process remembers at once. Beyond that it forgets them all: what they held
/// stays spare until the minute is over.
const BUCKETS: usize = 10_000;

/// How often a block is asked for again when other processes were faster.
const TRIES: usize = 16;

/// What a process asks the counter of a bucket and minute for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The limit.
    pub limit: u32,
    /// How many calls to take, at least one.
    pub calls: u32,
    /// How `spare` changes with it.
    pub spare: i64,
    /// The most that `spare` may be before the change.
    pub most: i64,
}

/// The counter of a bucket and minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many calls were handed out.
    pub taken: u32,
    /// How many of those may never be used.
    pub spare: i64,
}

/// What the counter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lent {
    /// The calls are taken; the counter after it.
    Yes(Count),
    /// Nothing is; the counter as it is.
    No(Count),
}

/// The home's counter.
#[async_trait]
pub trait Counter: Send + Sync {
    /// Takes calls if the limit has room for all of them and not too much is spare, as one atomic
    /// change. `minute` counts from 1970.
    async fn lend(&self, bucket: &str, minute: i64, ask: Ask) -> Result<Lent>;
}

/// What this process holds of a bucket.
#[derive(Clone, Copy, Debug, Default)]
struct Lease {
    minute: i64,
    /// Calls to grant from memory.
    calls: u32,
    /// What the counter takes for spare because of this process.
    spare: i64,
    /// The counter when it last answered.
    seen: Count,
}

/// The leases of a process, in front of the home's counter.
pub struct Leases {
    counter: Arc<dyn Counter>,
    held: Mutex<HashMap<String, Lease>>,
}

/// How many calls may be spare in all.
fn tenth(limit: u32) -> i64 {
    i64::from(limit / 10)
}

/// The block to take next: as much beyond the call itself as may be spare, and no more than a third
/// of what is left.
fn next(limit: u32, held: i64, seen: Count) -> Ask {
    let left = i64::from(limit.saturating_sub(seen.taken));
    let others = (seen.spare - held).max(0);
    let spare = (tenth(limit) - others).min(left / 3).min(left - 1).max(0);
    let most = tenth(limit) - (spare - held);
    let calls = u32::try_from(spare + 1).unwrap_or(1);
    // One call alone is spare to no one: only the limit decides.
    let most = if spare == 0 { i64::MAX } else { most };
    Ask { limit, calls, spare: spare - held, most }
}

impl Leases {
    /// Leases in front of a counter.
    #[must_use]
    pub fn new(counter: Arc<dyn Counter>) -> Self {
        Self { counter, held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Lease>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Grants a call from memory, or gives what is known for taking a block. What the counter
    /// takes for spare because of this process leaves its books with it.
    fn recall(&self, bucket: &str, limit: u32, minute: i64) -> std::result::Result<Taken, Lease> {
        let mut held = self.held();
        if held.len() >= BUCKETS && !held.contains_key(bucket) {
            held.clear();
        }
        let lease = held.entry(bucket.to_owned()).or_default();
        if lease.minute != minute {
            *lease = Lease { minute, ..Lease::default() };
        }
        if lease.calls == 0 {
            let known = *lease;
            lease.spare = 0;
            return Err(known);
        }
        lease.calls -= 1;
        let left = limit.saturating_sub(lease.seen.taken) + lease.calls;
        Ok(Taken { granted: true, remaining: left })
    }

    /// Keeps a block that was taken, less the call that asked for it.
    fn keep(&self, bucket: &str, block: Lease) -> u32 {
        let mut held = self.held();
        let lease = held.entry(bucket.to_owned()).or_default();
        if lease.minute != block.minute {
            // A call that took long came back in another minute: its block is lost.
            return 0;
        }
        lease.calls += block.calls - 1;
        lease.spare += block.spare;
        if block.seen.taken >= lease.seen.taken {
            lease.seen = block.seen;
        }
        lease.calls
    }
}

#[async_trait]
impl Limits for Leases {
    async fn take(&self, bucket: &str, limit: u32, now: OffsetDateTime) -> Result<Taken> {
        let minute = now.unix_timestamp().div_euclid(i64::from(WINDOW));
        let one = Ask { limit, calls: 1, spare: 0, most: i64::MAX };
        Ok(match self.counter.lend(bucket, minute, one).await? {
            Lent::Yes(count) => {
                Taken { granted: true, remaining: limit.saturating_sub(count.taken) }
            }
            Lent::No(_) => Taken { granted: false, remaining: 0 },
        })
    }

    async fn take_leased(&self, bucket: &str, limit: u32, now: OffsetDateTime) -> Result<Taken> {
        if limit <= LEASED_ABOVE {
            return self.take(bucket, limit, now).await;
        }
        let minute = now.unix_timestamp().div_euclid(i64::from(WINDOW));
        let known = match self.recall(bucket, limit, minute) {
            Ok(taken) => return Ok(taken),
            Err(known) => known,
        };
        let mut seen = known.seen;
        for _ in 0..TRIES {
            let ask = next(limit, known.spare, seen);
            match self.counter.lend(bucket, minute, ask).await? {
                Lent::Yes(count) => {
                    let (calls, spare) = (ask.calls, ask.spare + known.spare);
                    let calls = self.keep(bucket, Lease { minute, calls, spare, seen: count });
                    let remaining = limit.saturating_sub(count.taken) + calls;
                    return Ok(Taken { granted: true, remaining });
                }
                Lent::No(count) if count.taken >= limit => {
                    return Ok(Taken { granted: false, remaining: 0 });
                }
                Lent::No(count) => seen = count,
            }
        }
        Err(BeakError::Unavailable("other processes kept counting the same caller".into()))
    }
}

#[cfg(test)]
mod tests;
