//! The sections `cost` and `protection` of `galaxy.yaml`: what a flood of requests may cost, and
//! how the data can be brought back.

use super::document::Value;
use super::{Config, Reader};

/// Ceilings of the bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// `CloudFront`'s price class, as AWS spells it.
    pub price_class: String,
    /// Read request units a second that each table takes at most.
    pub reads_per_second: i64,
    /// Write request units a second that each table takes at most.
    pub writes_per_second: i64,
    /// Calls that the function works on at once at most; 0 leaves it to the account's quota.
    pub parallel_calls: i64,
}

impl Default for Cost {
    fn default() -> Self {
        Self {
            price_class: PRICE_CLASSES[0].to_owned(),
            reads_per_second: 4000,
            writes_per_second: 1000,
            parallel_calls: 0,
        }
    }
}

/// Source: `DistributionConfig`, Amazon `CloudFront` API Reference.
pub const PRICE_CLASSES: &[&str] = &["PriceClass_100", "PriceClass_200", "PriceClass_All"];

/// Request units a second of a table on demand: one at least, the quota of a new account at most.
pub const UNITS: (i64, i64) = (1, 40_000);

/// Reserved concurrency: an account's quota is 1,000 by itself, and 100 of it can't be reserved.
pub const PARALLEL: (i64, i64) = (0, 900);

const COST: [&str; 4] = ["price_class", "reads_per_second", "writes_per_second", "parallel_calls"];

impl Reader<'_> {
    pub(super) fn cost(&mut self, value: &Value, config: &mut Config) {
        for (key, value) in self.map(value) {
            let cost = &mut config.cost;
            match key.text.as_str() {
                "price_class" if PRICE_CLASSES.contains(&value.text.as_str()) => {
                    cost.price_class.clone_from(&value.text);
                }
                "price_class" => {
                    self.wanted(&value, &format!("one of {}", PRICE_CLASSES.join(", ")));
                }
                "reads_per_second" => self.within(&value, UNITS, &mut cost.reads_per_second),
                "writes_per_second" => self.within(&value, UNITS, &mut cost.writes_per_second),
                "parallel_calls" => self.within(&value, PARALLEL, &mut cost.parallel_calls),
                _ => self.unknown(&key, &COST),
            }
        }
    }

    pub(super) fn protection(&mut self, value: &Value, config: &mut Config) {
        for (key, value) in self.map(value) {
            match (key.text.as_str(), value.truth()) {
                ("point_in_time", Some(truth)) => config.point_in_time = truth,
                ("point_in_time", None) => self.wanted(&value, "`true` or `false`"),
                _ => self.unknown(&key, &["point_in_time"]),
            }
        }
    }

    pub(super) fn within(&mut self, value: &Value, (least, most): (i64, i64), place: &mut i64) {
        let wanted = format!("a number from {least} to {most}");
        if let Some(number) = self.number(value, |n| (least..=most).contains(&n), &wanted) {
            *place = number;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Cost, Environment, parse};

    #[test]
    fn ceilings_are_read_and_their_limits_held() {
        let read = |text: &str| parse("galaxy.yaml", text, &Environment::default());
        assert_eq!(read("").map(|config| config.cost), Ok(Cost::default()));
        let text = "cost:\n  price_class: PriceClass_All\n  reads_per_second: 40000\n  \
                    writes_per_second: 1\n  parallel_calls: 900\nprotection:\n  \
                    point_in_time: false\n";
        let config = read(text).unwrap_or_else(|failure| panic!("{}", failure.to_text()));
        let cost = Cost {
            price_class: "PriceClass_All".into(),
            reads_per_second: 40_000,
            writes_per_second: 1,
            parallel_calls: 900,
        };
        assert_eq!((config.cost, config.point_in_time), (cost, false));
        assert!(Config::default().point_in_time);
        for wrong in [
            "cost:\n  price_class: 100\n",
            "cost:\n  reads_per_second: 0\n",
            "cost:\n  writes_per_second: 40001\n",
            "cost:\n  parallel_calls: 901\n",
            "cost:\n  price: 1\n",
            "protection:\n  point_in_time: yes\n",
            "protection:\n  points: true\n",
        ] {
            let failure = read(wrong).err().unwrap_or_else(|| panic!("{wrong}"));
            assert!(failure.to_text().contains("galaxy.yaml:2:"), "{}", failure.to_text());
        }
    }
}
