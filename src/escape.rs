//! Text from outside the program, made safe for a terminal: log lines, DNS texts, object keys and
//! AWS's own sentences may hold control sequences that repaint the screen or hide words.
//!
//! By hand: crates that strip escape sequences lose what was there, and leave bidirectional marks.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal acts on the character, or shows the text around it in another order or not
/// at all. Emoji need the zero-width joiner, so it stays.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{061c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        || c.is_control()
}

fn escaped(text: &str, is_kept: fn(char) -> bool) -> Cow<'_, str> {
    let acts = |c: char| is_hidden(c) && !is_kept(c);
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if acts(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// The text with control characters and invisible marks written out, as in `\u{1b}`. Line breaks
/// and tabs stay.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

/// The same on one line: a name or value with a line break can't pass for two lines.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// A line of JSON with the same characters as `\uXXXX`: JSON itself lets most of them through.
#[must_use]
pub fn json(line: &str) -> Cow<'_, str> {
    if !line.contains(is_hidden) {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len() + 8);
    for c in line.chars() {
        if is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String can't fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::{json, one_line, visible};

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left() {
        let sly = "a\u{1b}[2J\u{9b}0m\r\u{7}\u{7f}\u{202e}b\u{2066}\u{feff}\u{e0041}";
        let shown = "a\\u{1b}[2J\\u{9b}0m\\r\\u{7}\\u{7f}\\u{202e}b\\u{2066}\\u{feff}\\u{e0041}";
        assert_eq!(visible(sly), shown);
        assert_eq!(visible("two\n\tlines ü 🦆 👩\u{200d}🚀"), "two\n\tlines ü 🦆 👩\u{200d}🚀");
        assert_eq!(one_line("a\nb\tc"), "a\\nb\\tc");
        let line = serde_json::to_string(sly).expect("json");
        assert!(json(&line).is_ascii(), "{}", json(&line));
        assert_eq!(serde_json::from_str::<String>(&json(&line)).expect("json"), sly);
    }
}
