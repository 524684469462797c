//! The front matter as a tree in which every key and value knows its line and column.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::mistake::{Mistake, Source};

/// How long front matter may be, in bytes. All fields at their limits have a quarter of it.
const LIMIT: usize = 16 * 1024;

/// What is written behind a key.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// Words.
    Text(String),
    /// What YAML takes for a number or a truth value.
    Plain(String),
    /// Nothing.
    Null,
    /// A list.
    List,
    /// Keys with their values, in the order of the file.
    Map(Vec<(At, At)>),
}

/// A key or a value with its place.
#[derive(Clone, Debug)]
pub(crate) struct At {
    /// What it is.
    pub(crate) node: Node,
    /// Line and column, from 1.
    pub(crate) place: (usize, usize),
}

impl At {
    /// The text of a key.
    pub(crate) fn key(&self) -> &str {
        match &self.node {
            Node::Text(text) | Node::Plain(text) => text,
            _ => "",
        }
    }
}

/// Reads the front matter: the part of the file up to the second `---`, that line not included, so
/// that places are those of the file.
pub(crate) fn read(source: Source<'_>, front: &str) -> Result<At, Mistake> {
    if front.len() > LIMIT {
        let message = format!("the front matter has more than {} KiB", LIMIT >> 10);
        return Err(Mistake::new(message).help("say the rest in the instructions"));
    }
    // Fields, fields in `metadata`, and one list at most; and nothing that grows when it is read:
    // the file is untrusted.
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! { max_depth: 4, max_anchors: 0, max_aliases: 0 },
    };
    let parsed: Result<Option<At>, _> = serde_saphyr::from_str_with_options(front, options);
    match parsed {
        Ok(Some(root)) => Ok(root),
        Ok(None) => Ok(At { node: Node::Null, place: (1, 1) }),
        Err(error) => {
            let mistake = Mistake::new(sentence(&error.to_string()));
            let at = error.location().map_or((1, 1), |at| (number(at.line()), number(at.column())));
            Err(mistake.at(source, at, 1))
        }
    }
}

fn number(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The parser's sentence without the place, which is shown beside it.
fn sentence(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    let end = first.find(", set DuplicateKeyPolicy").or_else(|| first.rfind(" at line "));
    let first = first[..end.unwrap_or(first.len())].trim_end_matches([':', ',']);
    format!("the front matter is not YAML that agents read: {first}")
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Node>::deserialize(deserializer)?;
        let at = spanned.referenced;
        Ok(Self { node: spanned.value, place: (number(at.line()), number(at.column())) })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a field")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Plain(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Plain(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Plain(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Plain(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        while access.next_element::<serde::de::IgnoredAny>()?.is_some() {}
        Ok(Node::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}
