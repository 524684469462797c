//! The real clock and the operating system's randomness, the same in every home.

use beak_core::ports::{Clock, Entropy};
use beak_core::{BeakError, OffsetDateTime, Result};

/// The time of this machine.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        OffsetDateTime::now_utc()
    }
}

/// The randomness of this machine's kernel.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|error| BeakError::Unavailable(error.to_string()))
    }
}
