//! The first gate, in this process's memory: a token bucket for each client address and limit, in
//! front of everything that costs.
//!
//! The exact limits are counted in the store, a write for each call. Without this gate one client
//! could have the function write as often as API Gateway lets calls through, for calls that are
//! all refused. A bucket holds [`TIMES`] a limit, so a client that keeps to the limit never notices
//! it. Lambda runs many processes, and each has buckets of its own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use beak_core::OffsetDateTime;
use beak_core::access::WINDOW;
use beak_core::tier::Tier;

use crate::call::PerAddress;

/// How many times its limit a client may call within a minute before this process refuses.
const TIMES: u32 = 4;

/// Calls without a limit by address are counted together. The store counts them by who calls, so
/// this is the largest such limit: several agents may share an address.
pub(crate) fn of_all() -> PerAddress {
    PerAddress { name: "address", limit: Tier::T2.requests_per_minute() }
}

/// So many buckets are kept: under 2 MB. A flood from more addresses than that makes this gate
/// forget, and the store's limits hold on.
const MOST: usize = 10_000;

/// A call in the units of a bucket: a limit of one call a minute gains one unit a millisecond.
const CALL: u64 = WINDOW as u64 * 1000;

/// The buckets.
#[derive(Default)]
pub(crate) struct Bursts(Mutex<HashMap<(&'static str, String), Bucket>>);

struct Bucket {
    units: u64,
    /// When it last gained units, in milliseconds since 1970.
    at: u64,
}

impl Bursts {
    /// Takes a call out of a client's bucket; in how many seconds there is one, if it is empty.
    pub(crate) fn take(
        &self,
        limit: PerAddress,
        client: &str,
        now: OffsetDateTime,
    ) -> Result<(), u32> {
        let now = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        let gain = u64::from(limit.limit * TIMES).max(1);
        let full = gain * CALL;
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST {
            // Idle for a window, every bucket is full again and as good as none.
            buckets.retain(|_, bucket| now.saturating_sub(bucket.at) < CALL);
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let key = (limit.name, client.to_owned());
        let bucket = buckets.entry(key).or_insert(Bucket { units: full, at: now });
        // A clock that is set back gives nothing and takes nothing.
        let gained = now.saturating_sub(bucket.at).saturating_mul(gain);
        bucket.units = bucket.units.saturating_add(gained).min(full);
        bucket.at = now;
        if let Some(left) = bucket.units.checked_sub(CALL) {
            bucket.units = left;
            return Ok(());
        }
        let milliseconds = (CALL - bucket.units).div_ceil(gain);
        Err(u32::try_from(milliseconds.div_ceil(1000)).unwrap_or(WINDOW))
    }
}

#[cfg(test)]
mod tests {
    use beak_core::Duration;

    use super::*;

    const LIMIT: PerAddress = PerAddress { name: "hatch", limit: 10 };

    fn granted(bursts: &Bursts, client: &str, now: OffsetDateTime) -> usize {
        (0..100).take_while(|_| bursts.take(LIMIT, client, now).is_ok()).count()
    }

    #[test]
    fn a_bucket_holds_several_minutes_and_fills_with_time() {
        let (bursts, now) = (Bursts::default(), OffsetDateTime::UNIX_EPOCH + Duration::DAY);
        assert_eq!(granted(&bursts, "192.0.2.1", now), 40);
        assert_eq!(bursts.take(LIMIT, "192.0.2.1", now), Err(2), "one in a second and a half");
        assert_eq!(granted(&bursts, "192.0.2.2", now), 40, "each client has its own");
        let other = PerAddress { name: "verify", ..LIMIT };
        assert_eq!(bursts.take(other, "192.0.2.1", now), Ok(()), "and each limit");
        assert_eq!(granted(&bursts, "192.0.2.1", now + Duration::milliseconds(1499)), 0);
        assert_eq!(granted(&bursts, "192.0.2.1", now + Duration::milliseconds(1500)), 1);
        assert_eq!(granted(&bursts, "192.0.2.1", now + Duration::MINUTE), 39);
        assert_eq!(granted(&bursts, "192.0.2.1", now + Duration::DAY), 40, "never more than full");
        assert_eq!(granted(&bursts, "192.0.2.1", now), 0, "a clock that is set back");
    }

    #[test]
    fn a_flood_of_addresses_takes_no_more_memory() {
        let (bursts, now) = (Bursts::default(), OffsetDateTime::UNIX_EPOCH);
        for number in 0..3 * MOST {
            assert_eq!(bursts.take(LIMIT, &number.to_string(), now), Ok(()));
        }
        assert!(bursts.0.lock().expect("whole").len() <= MOST);
    }
}
