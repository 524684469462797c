//! Many calls from a few callers at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::Outcome;

/// How many call at the same time.
const CALLERS: usize = 8;

/// A call.
pub(crate) struct Request {
    url: String,
    key: Option<String>,
}

impl Request {
    pub(crate) fn get(url: String, key: Option<String>) -> Self {
        Self { url, key }
    }
}

/// What it came to.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) per_second: f64,
    p50: Duration,
    p99: Duration,
}

impl Measured {
    pub(crate) fn row(&self) -> String {
        let Self { name, per_second, p50, p99 } = self;
        let (p50, p99) = (p50.as_micros(), p99.as_micros());
        format!("{name}: {per_second:.0} a second, p50 {p50} µs, p99 {p99} µs")
    }
}

/// Calls for a while; `request` makes the n-th call.
pub(crate) fn drive(
    name: &'static str,
    time: Duration,
    request: impl Fn(usize) -> Request + Sync,
) -> Outcome<Measured> {
    let next = AtomicUsize::new(0);
    let since = Instant::now();
    let call = |took: &mut Vec<Duration>| -> Outcome {
        let agent = ureq::Agent::new_with_defaults();
        while since.elapsed() < time {
            let Request { url, key } = request(next.fetch_add(1, Ordering::Relaxed));
            let mut call = agent.get(url);
            if let Some(key) = key {
                call = call.header("authorization", format!("Bearer {key}"));
            }
            let begun = Instant::now();
            let mut answer = call.call().map_err(|error| format!("{name}: {error}"))?;
            answer.body_mut().read_to_vec().map_err(|error| format!("{name}: {error}"))?;
            took.push(begun.elapsed());
        }
        Ok(())
    };
    let parts: Vec<Outcome<Vec<Duration>>> = std::thread::scope(|scope| {
        let caller = |_| {
            scope.spawn(|| {
                let mut took = Vec::new();
                call(&mut took).map(|()| took)
            })
        };
        let callers: Vec<_> = (0..CALLERS).map(caller).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err("a caller broke off".into()))
        };
        callers.into_iter().map(join).collect()
    });
    let elapsed = since.elapsed().as_secs_f64();
    let mut took = Vec::new();
    for part in parts {
        took.extend(part?);
    }
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let per_second = took.len() as f64 / elapsed;
    Ok(Measured { name, per_second, p50: at(50), p99: at(99) })
}

/// Pecks and approvals for a while, each pair of ducklings used by one caller at a time; gives
/// pairs a second.
pub(crate) fn pairs(time: Duration, base: &str, ducks: &[(&str, &str)]) -> Outcome<f64> {
    let since = Instant::now();
    let work = |mine: usize| -> Outcome<usize> {
        let agent = ureq::Agent::new_with_defaults();
        let post = |path: &str, key: &str, body: serde_json::Value| -> Outcome<serde_json::Value> {
            let call = agent.post(format!("{base}{path}"));
            let call = call.header("authorization", format!("Bearer {key}"));
            let mut answer = call.send_json(body).map_err(|error| format!("{path}: {error}"))?;
            answer.body_mut().read_json().map_err(|error| error.to_string())
        };
        let (mut made, mut round) = (0, 0);
        while since.elapsed() < time {
            // Fifty bonds for each pair at most: a tier has its limit.
            let pair = (mine + (round % 50) * CALLERS) % (ducks.len() / 2);
            let ((source, _), (target, id)) = (ducks[2 * pair], ducks[2 * pair + 1]);
            let body = serde_json::json!({
                "target_duckling_id": id, "peck_type": format!("data.round_{round}")
            });
            let peck = post("/peck", source, body)?;
            let named = serde_json::json!({"peck_id": peck["peck_id"]});
            post("/approve", target, named)?;
            (made, round) = (made + 1, round + 1);
        }
        Ok(made)
    };
    let parts: Vec<Outcome<usize>> = std::thread::scope(|scope| {
        let work = &work;
        let callers: Vec<_> = (0..CALLERS).map(|n| scope.spawn(move || work(n))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err("a caller broke off".into()))
        };
        callers.into_iter().map(join).collect()
    });
    let elapsed = since.elapsed().as_secs_f64();
    let made = parts.into_iter().sum::<Outcome<usize>>()?;
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    Ok(made as f64 / elapsed)
}
