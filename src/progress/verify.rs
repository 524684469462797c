//! The events of `verify`, as text.

use super::hang;
use crate::escape::one_line;
use crate::event::{Answered, Event, Timed, Verified};

/// The column below which everything but the verdict begins.
const INDENT: &str = "         ";

/// A check on one line.
fn check(one: &Verified) -> String {
    format!("{:<8} {}: {}", one.verdict, one.check, one_line(&one.detail))
}

/// A question with its answer, and below it the evidence.
fn answer(one: &Answered) -> String {
    format!("{:<8} {}\n{INDENT}{}: {}", one.answer, one.question, one.id, one_line(&one.evidence))
}

/// A time with its estimate.
fn time(one: &Timed) -> String {
    format!("time     {}: {} s, estimated {} s", one.stack, one.seconds, one.estimate)
}

/// Any of them, for a terminal of that width; nothing for other events.
pub(crate) fn text(event: &Event, width: Option<usize>) -> Option<String> {
    let text = match event {
        Event::Verified(one) => check(one),
        Event::Answered(one) => answer(one),
        Event::Timed(one) => time(one),
        _ => return None,
    };
    let Some(width) = width else { return Some(text) };
    let fit = |line: &str| match line.strip_prefix(INDENT) {
        Some(rest) => hang(rest, INDENT, INDENT, width),
        None => hang(line, "", INDENT, width),
    };
    Some(text.lines().map(fit).collect::<Vec<_>>().join("\n"))
}
