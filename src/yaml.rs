//! YAML as CloudFormation reads it: a tree that keeps the short forms (`!Ref`, `!Sub`, …).
//!
//! `CloudFormation` reads YAML 1.1, where a plain `yes`, `on` or `2012-10-17` is not a string, so
//! everything doubtful is quoted on the way out. Why this library: ADR 2.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_saphyr::Tagged;

/// One node of a template. Maps keep the order of the source.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Nothing, `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A string.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in source order.
    Map(Vec<(String, Node)>),
    /// An intrinsic function in its short form: `Call("Ref", Text("Prefix"))` is `!Ref Prefix`.
    Call(String, Box<Node>),
}

impl Node {
    /// Reads a document. Errors are the parser's, with line, column and an excerpt.
    pub fn parse(text: &str) -> Result<Self, serde_saphyr::Error> {
        // Without these three, a plain `Y`, `0123` or `1_000` would change its type.
        let options = serde_saphyr::options! {
            strict_booleans: true,
            leading_zero_numbers_as_strings: true,
            underscored_numbers_as_strings: true,
        };
        serde_saphyr::from_str_with_options(text, options)
    }

    /// Writes the tree; the same tree gives the same bytes.
    pub fn emit(&self) -> Result<String, serde_saphyr::SerializeError> {
        let options = serde_saphyr::ser_options! { compact_list_indent: false };
        serde_saphyr::to_string_with_options(self, options)
    }

    /// The value under `key`, when this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// As [`Node::get`], to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match self {
            Self::Map(entries) => entries.iter_mut().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// Sets `key`, keeping its place if it is there, else at the end. Nothing on a non-map.
    pub fn set(&mut self, key: &str, value: Self) {
        if let Some(slot) = self.get_mut(key) {
            *slot = value;
        } else if let Self::Map(entries) = self {
            entries.push((key.to_owned(), value));
        }
    }

    /// Takes `key` out of a map.
    pub fn remove(&mut self, key: &str) -> Option<Self> {
        let Self::Map(entries) = self else { return None };
        let at = entries.iter().position(|(k, _)| k == key)?;
        Some(entries.remove(at).1)
    }

    /// The entries of a map; none for anything else.
    #[must_use]
    pub fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none for anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The string, when this is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Tagged(Bare(node), tag) = Tagged::deserialize(deserializer)?;
        Ok(match tag.as_deref().and_then(|tag| tag.strip_prefix('!')) {
            Some(name) => Self::Call(name.to_owned(), Box::new(node)),
            None => node,
        })
    }
}

/// A node without its own tag; its children carry theirs.
struct Bare(Node);

impl<'de> Deserialize<'de> for Bare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BareVisitor).map(Bare)
    }
}

struct BareVisitor;

impl<'de> Visitor<'de> for BareVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a template value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Node, E> {
        i64::try_from(value)
            .map(Node::Int)
            .map_err(|_| E::custom(format!("{value} is too large: quote it to keep its digits")))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Self::Call(name, value) => {
                Tagged(value.as_ref(), Some(format!("!{name}"))).serialize(serializer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Node;

    fn check(source: &str, expected: &str) {
        let node = Node::parse(source).expect(source);
        let emitted = node.emit().expect(source);
        assert_eq!(emitted, expected, "from {source:?}");
        assert_eq!(Node::parse(&emitted).expect(&emitted), node, "reads back the same");
    }

    #[test]
    fn short_forms_survive() {
        check("a: !Ref B\n", "a: !Ref B\n");
        check("a: !Sub '${B}-c'\n", "a: !Sub ${B}-c\n");
        check("a: !GetAtt B.Arn\n", "a: !GetAtt B.Arn\n");
        check(
            "a: !If [Yes1, !Ref B, !Ref AWS::NoValue]\n",
            "a: !If\n  - Yes1\n  - !Ref B\n  - !Ref AWS::NoValue\n",
        );
        check(
            "a: !Not [!Equals [!Ref B, '']]\n",
            "a: !Not\n  - !Equals\n    - !Ref B\n    - \"\"\n",
        );
    }

    #[test]
    fn strings_that_yaml_1_1_reads_as_something_else_are_quoted() {
        for hazard in ["yes", "no", "on", "off", "Y", "2012-10-17", "012", "1:30", "~", "1_000"] {
            let emitted = Node::Map(vec![("a".into(), hazard.into())]).emit().expect(hazard);
            let value = emitted.trim_end().strip_prefix("a: ").expect("one key");
            let quoted = value.starts_with('"') || value.starts_with('\'');
            assert!(quoted, "{hazard} came out as {value}");
        }
    }

    #[test]
    fn a_key_written_twice_is_an_error() {
        let error = Node::parse("a: 1\nb: 2\na: 3\n").expect_err("twice");
        assert_eq!(error.location().map(|at| at.line()), Some(3));
    }
}
