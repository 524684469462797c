//! The section `api` of `galaxy.yaml`: the function's memory, and how many calls API Gateway lets
//! through for all callers together.

use super::document::Value;
use super::{Config, Reader};

/// A throttle of API Gateway: a token bucket. Source: "Throttling requests to your HTTP API", API
/// Gateway Developer Guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Calls a second.
    pub per_second: i64,
    /// Calls at once: the size of the bucket.
    pub burst: i64,
}

/// The throttles of the API. The defaults are those of the table of calls; a test compares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttles {
    /// Calls without a throttle of their own, together.
    pub calls: Throttle,
    /// Each of the calls that take a password or a code: sign-in, verify, reset.
    pub sign_in: Throttle,
    /// Each of the calls that may send mail: hatch, resend, forgot, newsletter.
    pub hatch: Throttle,
}

/// Whether a distribution with a rate rule stands in front of the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shield {
    /// The API is called at API Gateway's own address, or its own domain.
    #[default]
    Off,
    /// It is called through the distribution only.
    On,
}

impl Shield {
    /// Whether there is to be one.
    #[must_use]
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

impl Default for Throttles {
    fn default() -> Self {
        Self {
            calls: Throttle { per_second: 100, burst: 200 },
            sign_in: Throttle { per_second: 50, burst: 100 },
            hatch: Throttle { per_second: 5, burst: 10 },
        }
    }
}

/// Calls a second or at once; an account's quota is 10,000 a second unless AWS raises it.
/// Source: "Amazon API Gateway quotas", API Gateway Developer Guide.
pub const CALLS: (i64, i64) = (1, 100_000);

/// What the function may have, in MB. Source: "Lambda quotas", AWS Lambda Developer Guide.
const MEMORY: (i64, i64) = (128, 3008);

const API: [&str; 8] = [
    "memory_mb",
    "calls_per_second",
    "calls_burst",
    "sign_in_per_second",
    "sign_in_burst",
    "hatch_per_second",
    "hatch_burst",
    "shield",
];

impl Reader<'_> {
    pub(super) fn api(&mut self, value: &Value, config: &mut Config) {
        for (key, value) in self.map(value) {
            let Throttles { calls, sign_in, hatch } = &mut config.throttles;
            let place = match key.text.as_str() {
                "memory_mb" => {
                    let range = |mb: i64| (MEMORY.0..=MEMORY.1).contains(&mb);
                    let wanted = format!("a number of MB from {} to {}", MEMORY.0, MEMORY.1);
                    if let Some(mb) = self.number(&value, range, &wanted) {
                        config.memory_mb = mb;
                    }
                    continue;
                }
                "shield" => {
                    match value.truth() {
                        Some(truth) => config.shield = if truth { Shield::On } else { Shield::Off },
                        None => self.wanted(&value, "`true` or `false`"),
                    }
                    continue;
                }
                "calls_per_second" => &mut calls.per_second,
                "calls_burst" => &mut calls.burst,
                "sign_in_per_second" => &mut sign_in.per_second,
                "sign_in_burst" => &mut sign_in.burst,
                "hatch_per_second" => &mut hatch.per_second,
                "hatch_burst" => &mut hatch.burst,
                _ => {
                    self.unknown(&key, &API);
                    continue;
                }
            };
            self.within(&value, CALLS, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, parse};

    #[test]
    fn throttles_are_read_and_their_limits_held() {
        let read = |text: &str| parse("galaxy.yaml", text, &Environment::default());
        assert_eq!(read("").map(|config| config.throttles), Ok(Throttles::default()));
        let text = "api:\n  memory_mb: 512\n  calls_per_second: 1\n  calls_burst: 2\n  \
                    sign_in_per_second: 3\n  sign_in_burst: 4\n  hatch_per_second: 5\n  \
                    hatch_burst: 100000\n";
        let config = read(text).unwrap_or_else(|failure| panic!("{}", failure.to_text()));
        let of = |per_second, burst| Throttle { per_second, burst };
        let wanted = Throttles { calls: of(1, 2), sign_in: of(3, 4), hatch: of(5, 100_000) };
        assert_eq!((config.throttles, config.memory_mb, config.shield), (wanted, 512, Shield::Off));
        let shielded = read("api:\n  shield: true\n").map(|config| config.shield);
        assert_eq!(shielded, Ok(Shield::On));
        for wrong in [
            "api:\n  calls_per_second: 0\n",
            "api:\n  sign_in_burst: 100001\n",
            "api:\n  hatch_per_second: 0.5\n",
            "api:\n  hatch_per_second: many\n",
            "api:\n  calls: 1\n",
            "api:\n  shield: yes\n",
        ] {
            let failure = read(wrong).err().unwrap_or_else(|| panic!("{wrong}"));
            assert!(failure.to_text().contains("galaxy.yaml:2:"), "{}", failure.to_text());
        }
    }
}
