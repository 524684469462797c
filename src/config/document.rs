//! A YAML text in which every key and value knows its line and column.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error, Options, Spanned};

use crate::failure::{Excerpt, Failure, Kind, Mistake};

/// No setting lies deeper than three; what does is a mistake, told as such up to here.
const DEEPEST: usize = 8;

/// More than this nobody writes, and nothing may grow to it by repeating itself either.
const MOST: usize = 10_000;

/// A key or a value with its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    /// The text of a scalar.
    pub(super) text: String,
    /// A scalar written without quotes that is a number or a truth value.
    pub(super) plain: bool,
    /// Nothing written.
    pub(super) null: bool,
    /// The entries of a map.
    pub(super) entries: Option<Vec<(Value, Value)>>,
    /// Line, from 1.
    pub(super) line: usize,
    /// Column, from 1.
    pub(super) column: usize,
}

/// A whole file.
pub(super) struct Document {
    /// Its only value.
    pub(super) root: Value,
}

impl Document {
    /// Reads a text; what is not YAML is shown at the place where it breaks.
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, Failure> {
        let parsed: Result<Option<Value>, _> = serde_saphyr::from_str_with_options(text, options());
        let root = parsed.map_err(|error| {
            let mut failure = Failure::new(Kind::Input, format!("`{file}` can't be read"));
            if let Some(at) = error.location() {
                let (line, column) = (place(at.line()), place(at.column()));
                let shown = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
                failure.mistakes[0] = Mistake {
                    message: sentence(&error),
                    at: Some(Excerpt {
                        file: file.to_owned(),
                        line,
                        column,
                        text: shown.to_owned(),
                        width: 1,
                    }),
                    help: None,
                };
                return failure;
            }
            failure.cause(error.to_string())
        })?;
        let nothing = Value { null: true, line: 1, column: 1, ..Value::default() };
        Ok(Self { root: root.unwrap_or(nothing) })
    }
}

/// A line or column as everything here counts them.
fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// How a text is read: strictly, and no further than a file of settings goes.
fn options() -> Options {
    serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            max_nodes: MOST,
            max_recorded_anchor_events: MOST,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MOST },
    }
}

/// The parser's sentence without the place, which is shown beside it; our own where the text goes
/// further than [`options`] allow.
fn sentence(error: &Error) -> String {
    match limit(error) {
        Some(sentence) => sentence,
        None => words(&error.to_string()),
    }
}

fn limit(error: &Error) -> Option<String> {
    match error {
        Error::AliasError { error, .. } | Error::WithSnippet { error, .. } => limit(error),
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => Some(too_deep()),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. } => {
            Some(format!("more than {MOST} keys and values, with all that is repeated by `*`"))
        }
        _ => None,
    }
}

fn too_deep() -> String {
    format!("nested more than {DEEPEST} levels deep; no setting is")
}

fn words(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    // The scanner's own limit for brackets, which it meets before anything is read.
    if first.starts_with("recursion limit exceeded") {
        return too_deep();
    }
    // The advice to whoever called the library is not for the person who wrote the file.
    let end = first.find(", set DuplicateKeyPolicy").or_else(|| first.rfind(" at line "));
    first[..end.unwrap_or(first.len())].trim_end_matches([':', ',']).to_owned()
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Bare>::deserialize(deserializer)?;
        let mut value = spanned.value.0;
        value.line = place(spanned.referenced.line());
        value.column = place(spanned.referenced.column());
        Ok(value)
    }
}

struct Bare(Value);

impl<'de> Deserialize<'de> for Bare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BareVisitor).map(Bare)
    }
}

struct BareVisitor;

fn scalar(text: String, plain: bool) -> Value {
    Value { text, plain, ..Value::default() }
}

impl<'de> Visitor<'de> for BareVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a setting")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value { null: true, ..Value::default() })
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(scalar(value.to_string(), true))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(scalar(value.to_string(), true))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(scalar(value.to_string(), true))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(scalar(value.to_string(), true))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(scalar(value.to_owned(), false))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        while access.next_element::<Value>()?.is_some() {}
        Ok(scalar("a list".to_owned(), false))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Value { entries: Some(entries), ..Value::default() })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn refused(text: &str) -> String {
        let refused = Document::parse("galaxy.yaml", text);
        refused.err().map(|failure| failure.to_text()).unwrap_or_default()
    }

    #[test]
    fn a_text_nested_without_end_is_refused_in_one_sentence() {
        let blocks = (0..5_000).fold(String::new(), |mut text, level| {
            // Writing to a String can't fail.
            let _ = writeln!(text, "{}a:", " ".repeat(level));
            text
        });
        let flows = format!("name: {}", "[".repeat(100_000));
        let maps = format!("name: {}", "{a: ".repeat(100_000));
        for text in [blocks, flows, maps, "- ".repeat(100_000)] {
            let told = refused(&text);
            let told = told.lines().next().unwrap_or_default();
            assert_eq!(told, "error: nested more than 8 levels deep; no setting is");
        }
        let eight = "a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}";
        assert_eq!(refused(eight), "");
        assert_ne!(refused(&format!("a: {{{eight}}}")), "");
    }

    #[test]
    fn a_text_that_grows_when_it_is_read_is_refused_in_one_sentence() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..7 {
            let below = vec![format!("*a{}", level - 1); 9].join(", ");
            let _ = writeln!(bomb, "a{level}: &a{level} [{below}]");
        }
        let flat = (0..20_000).fold(String::new(), |mut text, n| {
            let _ = writeln!(text, "k{n}: v");
            text
        });
        for text in [bomb, flat] {
            let told = refused(&text);
            let wanted = "error: more than 10000 keys and values, with all that is repeated by";
            assert!(told.starts_with(wanted), "{told}");
            assert!(told.contains("at galaxy.yaml:"), "{told}");
        }
        assert_eq!(refused("name: &a pond\nregion: *a\n"), "", "what is short may repeat itself");
    }
}
