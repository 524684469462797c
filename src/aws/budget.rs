//! One rate limit for reading `CloudFormation`, shared by all stacks.
//!
//! AWS publishes no limits; in practice an account gets about five reads a second. The SDK slows
//! down only after it has been throttled, and tries a call eight times at most; so we stay below
//! that from the start, and its adaptive retries cover what others do in the account.
//! By hand, because the SDK's own limiter starts without a limit and crates for this bring clocks,
//! keys and a tree of their own for ten lines of arithmetic.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Looks a second in the long run.
const RATE: f64 = 4.0;

/// Reads allowed in one burst after a quiet time: ten stacks, a dozen reads each. Work of seconds
/// never waits for this, only work of minutes.
const BURST: f64 = 120.0;

/// What is left, and as of when. Less than nothing while some are waiting.
#[derive(Debug)]
struct Left {
    looks: f64,
    at: Instant,
}

impl Left {
    /// Takes one look and says how long it has to wait.
    fn take(&mut self, now: Instant) -> Duration {
        let past = now.saturating_duration_since(self.at).as_secs_f64();
        self.looks = past.mul_add(RATE, self.looks).min(BURST) - 1.0;
        self.at = now;
        Duration::from_secs_f64((-self.looks / RATE).max(0.0))
    }
}

/// The budget.
#[derive(Debug)]
pub(super) struct Budget(Mutex<Left>);

impl Budget {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Left { looks: BURST, at: Instant::now() }))
    }

    /// Waits for one's turn.
    pub(super) async fn turn(&self) {
        let wait = self.0.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
        if !wait.is_zero() {
            #[expect(
                clippy::disallowed_methods,
                reason = "AWS's pace: an account in memory has nothing to wait for"
            )]
            tokio::time::sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_what_follows_keeps_the_rate() {
        let begin = Instant::now();
        let mut left = Left { looks: BURST, at: begin };
        let waits: Vec<Duration> = (0..128).map(|_| left.take(begin)).collect();
        assert!(waits[..120].iter().all(Duration::is_zero), "{waits:?}");
        // Waiters get their turns one after another, a quarter of a second apart.
        let late: Vec<u128> = waits[120..].iter().map(Duration::as_millis).collect();
        assert_eq!(late, [250, 500, 750, 1000, 1250, 1500, 1750, 2000]);
    }

    #[test]
    fn what_is_not_used_is_saved_up_to_a_limit() {
        let begin = Instant::now();
        let mut left = Left { looks: 0.0, at: begin };
        assert_eq!(left.take(begin + Duration::from_secs(1)), Duration::ZERO);
        assert!((left.looks - 3.0).abs() < 1e-9, "{left:?}");
        left.take(begin + Duration::from_hours(1));
        assert!((left.looks - (BURST - 1.0)).abs() < 1e-9, "{left:?}");
    }
}
