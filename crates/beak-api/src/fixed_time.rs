//! Answers at fixed times, for calls whose work differs with the address.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use beak_core::Galaxy;
use tokio::time::{Instant, sleep_until};

/// Holds the answer back until a multiple of the galaxy's step has passed.
pub(crate) async fn at_a_fixed_time(
    State(galaxy): State<Arc<Galaxy>>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let response = next.run(request).await;
    let step = Duration::try_from(galaxy.settings().answer_step).unwrap_or_default();
    #[expect(clippy::disallowed_methods, reason = "a fixed time is the point of it")]
    sleep_until(started + next_multiple(started.elapsed(), step)).await;
    response
}

fn next_multiple(elapsed: Duration, step: Duration) -> Duration {
    let Some(steps) = elapsed.as_nanos().checked_div(step.as_nanos()) else { return elapsed };
    step.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_of_any_length_ends_at_a_multiple() {
        let step = Duration::from_secs(1);
        for (elapsed, answered) in [(0, 1000), (1, 1000), (999, 1000), (1000, 2000), (2500, 3000)] {
            let elapsed = Duration::from_millis(elapsed);
            assert_eq!(next_multiple(elapsed, step), Duration::from_millis(answered));
            assert_eq!(next_multiple(elapsed, Duration::ZERO), elapsed);
        }
    }
}
