//! What operators need.

use super::document::Value;
use super::{Config, Reader};

impl Reader<'_> {
    pub(super) fn operators(&mut self, value: &Value, config: &mut Config) {
        for (key, value) in self.map(value) {
            match key.text.as_str() {
                "second_factor" => match value.text.as_str() {
                    "required" => config.operators_need_factor = true,
                    "optional" => config.operators_need_factor = false,
                    _ => self.wanted(&value, "`optional` or `required`"),
                },
                _ => self.unknown(&key, &["second_factor"]),
            }
        }
    }
}
