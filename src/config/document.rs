//! A YAML text in which every key and value knows its line and column.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error, Options, Spanned};

use crate::failure::{Excerpt, Failure, Kind, Mistake};

/// No setting is nested deeper than three levels; a deeper one is reported as a mistake up to here.
const DEEPEST: usize = 8;

/// More entries than any real file has, aliases included.
const MOST: usize = 10_000;

/// What a tag, such as `!!str`, comes to.
const TAG: (&str, &str) =
    ("a tag has no meaning in this file", "take it out; put quotes around a word");

/// A key or a value with its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    /// The text of a scalar as it is written: `2026.10` and `0123` keep their zeros.
    pub(super) text: String,
    /// A scalar written without quotes that YAML takes for a number or a truth value.
    pub(super) plain: bool,
    /// Nothing written, or a word that YAML takes for nothing, such as `null`.
    pub(super) null: bool,
    /// The entries of a map.
    pub(super) entries: Option<Vec<(Value, Value)>>,
    /// Line, from 1.
    pub(super) line: usize,
    /// Column, from 1.
    pub(super) column: usize,
    /// Where it begins in the text and where it ends, in bytes.
    span: Option<(usize, usize)>,
}

impl Value {
    /// A truth value, in the spellings of YAML 1.2.
    pub(super) fn truth(&self) -> Option<bool> {
        match self.text.as_str() {
            "true" | "True" | "TRUE" if self.plain => Some(true),
            "false" | "False" | "FALSE" if self.plain => Some(false),
            _ => None,
        }
    }

    /// A whole number in plain digits: what else YAML calls a number, people read in several ways.
    pub(super) fn number(&self) -> Option<i64> {
        let number: i64 = self.text.parse().ok().filter(|_| self.plain)?;
        (number.to_string() == self.text).then_some(number)
    }

    /// Gives scalars without quotes the text that is written, and finds tags.
    fn settle(&mut self, text: &str) -> Result<(), (usize, usize)> {
        for (key, value) in self.entries.iter_mut().flatten() {
            key.settle(text)?;
            value.settle(text)?;
        }
        let Some((start, end)) = self.span else { return Ok(()) };
        let line = text.get(..start).unwrap_or_default().lines().last().unwrap_or_default();
        let before = line.split_whitespace().last().unwrap_or_default();
        if before.starts_with('!') && !line.contains('#') && !text[..start].ends_with('\n') {
            let column = line.rfind(before).unwrap_or_default();
            return Err((self.line, line[..column].chars().count() + 1));
        }
        if (self.plain || self.null)
            && let Some(written) = text.get(start..end)
        {
            written.clone_into(&mut self.text);
        }
        Ok(())
    }
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
        let root = parsed.map_err(|error| match error.location() {
            Some(at) => {
                let at = (place(at.line()), place(at.column()));
                broken(file, text, at, sentence(&error))
            }
            None => Failure::new(Kind::Input, format!("`{file}` can't be read"))
                .cause(error.to_string())
                .help("compare it with the file that `spaceduck init` writes"),
        })?;
        let nothing = Value { null: true, line: 1, column: 1, ..Value::default() };
        let mut root = root.unwrap_or(nothing);
        let tag = || Sentence { message: TAG.0.to_owned(), help: Some(TAG.1) };
        root.settle(text).map_err(|at| broken(file, text, at, tag()))?;
        Ok(Self { root })
    }
}

/// What is wrong, and what to do about it where that is known.
struct Sentence {
    message: String,
    help: Option<&'static str>,
}

/// A text that can't be read as settings, at the position where that shows.
fn broken(file: &str, text: &str, at: (usize, usize), sentence: Sentence) -> Failure {
    let (line, column) = at;
    let shown = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let (file, text, width) = (file.to_owned(), shown.to_owned(), 1);
    let at = Some(Excerpt { file, line, column, text, width });
    let Sentence { message, help } = sentence;
    let mistake = Mistake { message, at, help: help.map(str::to_owned) };
    Failure { kind: Kind::Input, mistakes: vec![mistake], cause: None, now: None }
}

/// A file's bytes as text, whatever program has saved it.
pub(super) fn decoded(file: &str, bytes: Vec<u8>) -> Result<String, Failure> {
    let help = Some("save it as UTF-8");
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || bytes.contains(&0) {
        let message = "the file is in UTF-16, not in UTF-8".to_owned();
        return Err(broken(file, "", (1, 1), Sentence { message, help }));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let before = text.get(..good).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let message = "this character is not in UTF-8".to_owned();
        broken(file, &text, (line, column), Sentence { message, help })
    })
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
        reject_unsupported_tags: true,
        merge_keys: serde_saphyr::MergeKeyPolicy::Error,
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            max_nodes: MOST,
            max_recorded_anchor_events: MOST,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MOST },
    }
}

/// What is wrong and the way out, without the place, which is shown beside it: our own words where
/// the library speaks to those who call it, or where the text goes further than [`options`] allow.
fn sentence(error: &Error) -> Sentence {
    if let Some(message) = limit(error) {
        return Sentence { message, help: None };
    }
    let text = words(&error.to_string());
    for (start, ours, help) in [
        ("multiple YAML documents", "a second document begins here", "keep one galaxy in a file"),
        ("unsupported tag", TAG.0, TAG.1),
        ("alias references unknown", "no anchor of that name is above", "write the value out"),
        ("YAML merge", "merge keys are not read in this file", "write the settings out"),
        ("merge key", "merge keys are not read in this file", "write the settings out"),
        ("tabs disallowed", "a tab can't indent a line", "use spaces"),
        ("non-finite float", "no setting takes this number", "put quotes around a word"),
    ] {
        if text.starts_with(start) {
            return Sentence { message: ours.to_owned(), help: Some(help) };
        }
    }
    match text.strip_prefix("duplicate mapping key: ") {
        Some(key) => Sentence {
            message: format!("`{key}` is set a second time"),
            help: Some("keep one of them"),
        },
        None => Sentence { message: text, help: None },
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
    // The library's advice is for its caller, not for the person who wrote the file.
    let end = first.find(", set DuplicateKeyPolicy").or_else(|| first.rfind(" at line "));
    first[..end.unwrap_or(first.len())].trim_end_matches([':', ',']).to_owned()
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Bare>::deserialize(deserializer)?;
        let mut value = spanned.value.0;
        value.line = place(spanned.referenced.line());
        value.column = place(spanned.referenced.column());
        // The position of an alias is where it is used; its text is where it is defined.
        let span = spanned.defined.span();
        value.span = span.byte_offset().zip(span.byte_len()).map(|(start, length)| {
            let start = place(start);
            (start, start.saturating_add(place(length)))
        });
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

    fn read(text: &str) -> (String, bool, bool) {
        let root = Document::parse("galaxy.yaml", text);
        let root = root.unwrap_or_else(|failure| panic!("{text:?}: {}", failure.to_text())).root;
        let (_, value) = root.entries.expect(text).pop().expect(text);
        (value.text, value.plain, value.null)
    }

    #[test]
    fn a_scalar_is_what_was_written() {
        for written in [
            "2026.10",
            "0123",
            "1e3",
            "0x10",
            "0o17",
            "1_000",
            "1.0",
            "-0",
            "+5",
            "true",
            "True",
            "99999999999999999999999",
            "007",
        ] {
            for text in [
                format!("pages: {written}\n"),
                format!("pages: {written} # and why\n"),
                format!("# \u{fc}\npages:\t{written}\r\n"),
                format!("\u{feff}pages: {written}"),
                format!("{{pages: {written}}}"),
                format!("other: &a {written}\npages: *a\n"),
                format!("pages: '{written}'\n"),
                format!("pages: \"{written}\"\n"),
            ] {
                let (found, plain, null) = read(&text);
                assert_eq!(found, written, "{text:?}");
                assert_eq!((plain, null), (!text.contains(['\'', '"']), false), "{text:?}");
            }
        }
        for word in ["on", "yes", "no", "off", "2026-11-29", "12:30:45", "a#b"] {
            assert_eq!(read(&format!("pages: {word}\n")), (word.to_owned(), false, false));
        }
        for (text, written) in [("a: null", "null"), ("a: ~", "~"), ("a: Null", "Null"), ("a:", "")]
        {
            assert_eq!(read(text), (written.to_owned(), false, true), "{text}");
        }
    }

    #[test]
    fn what_no_setting_needs_is_one_sentence_with_its_place() {
        for (text, sentence, place) in [
            ("a: 1\n---\nb: 2\n", "a second document begins here", "3:1"),
            ("a: !!str 123\n", TAG.0, "1:4"),
            ("a: !!int \"5\"\n", TAG.0, "1:4"),
            ("a: !!binary aGk=\n", TAG.0, "1:4"),
            ("a: ! 12\n", TAG.0, "1:4"),
            ("a: !mine x\n", TAG.0, "1:10"),
            ("a: !include x.yaml\n", TAG.0, "1:13"),
            ("a: *b\n", "no anchor of that name is above", "1:4"),
            ("a: &x {b: 1}\nc:\n  <<: *x\n", "merge keys are not read in this file", "3:3"),
            ("a: 1\na: 2\n", "`a` is set a second time", "2:1"),
            ("a:\n  b: 1\n  b: 2\n", "`b` is set a second time", "3:3"),
            ("a:\n\tb: 1\n", "a tab can't indent a line", "2:2"),
            ("a: .inf\n", "no setting takes this number", "1:4"),
            ("a: .NaN\n", "no setting takes this number", "1:4"),
        ] {
            let told = refused(text);
            let start = format!("error: {sentence}\n  at galaxy.yaml:{place} | ");
            assert!(told.starts_with(&start), "{text:?}: {told}");
            assert!(told.contains("\nhelp: "), "{text:?}: {told}");
        }
    }

    #[test]
    fn another_encoding_is_one_sentence_with_its_place() {
        let wide = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        for bytes in [
            wide("\u{feff}name: duck", u16::to_le_bytes),
            wide("\u{feff}name: duck", u16::to_be_bytes),
            wide("name: duck", u16::to_le_bytes),
        ] {
            let told = decoded("galaxy.yaml", bytes).expect_err("UTF-16").to_text();
            let start = "error: the file is in UTF-16, not in UTF-8\n  at galaxy.yaml:1:1 | ";
            assert!(told.starts_with(start), "{told}");
        }
        let latin = b"name: duck\npages: gr\xfcn\n".to_vec();
        let told = decoded("galaxy.yaml", latin).expect_err("Latin-1").to_text();
        let start = "error: this character is not in UTF-8\n  at galaxy.yaml:2:10 | ";
        assert!(told.starts_with(start), "{told}");
        assert_eq!(decoded("galaxy.yaml", "ü".into()).expect("UTF-8"), "ü");
    }
}
