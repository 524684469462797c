//! A YAML text in which every key and value knows its line and column.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::failure::{Excerpt, Failure, Kind, Mistake};

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
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let parsed: Result<Option<Value>, _> = serde_saphyr::from_str_with_options(text, options);
        let root = parsed.map_err(|error| {
            let mut failure = Failure::new(Kind::Input, format!("`{file}` can't be read"));
            if let Some(at) = error.location() {
                let (line, column) = (place(at.line()), place(at.column()));
                let shown = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
                failure.mistakes[0] = Mistake {
                    message: sentence(&error.to_string()),
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

/// The parser's sentence without the place, which is shown beside it.
fn sentence(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
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
