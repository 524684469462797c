//! Counts calls in memory: one process, one galaxy.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use beak_core::access::WINDOW;
use beak_core::ports::{Limits, Taken};
use beak_core::{OffsetDateTime, Result};

/// The calls of the current minute. By hand, because the counts have to be those of the minutes of
/// the clock, as they are on AWS; the libraries for it count by a sliding scale.
#[derive(Default)]
pub(crate) struct Counter {
    minute: Mutex<(i64, HashMap<String, u32>)>,
}

#[async_trait]
impl Limits for Counter {
    async fn take(&self, bucket: &str, limit: u32, now: OffsetDateTime) -> Result<Taken> {
        let current = now.unix_timestamp().div_euclid(i64::from(WINDOW));
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, counts) = &mut *minute;
        if *since != current {
            *since = current;
            counts.clear();
        }
        let count = counts.entry(bucket.to_owned()).or_default();
        let granted = *count < limit;
        *count += u32::from(granted);
        Ok(Taken { granted, remaining: limit.saturating_sub(*count) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    #[tokio::test(flavor = "multi_thread")]
    async fn calls_are_counted_exactly() {
        beak_core::contract::calls_are_counted_exactly(Arc::new(super::Counter::default())).await;
    }
}
