//! What a command was run for, as text for people.

use super::{check, galaxy, hang, mail, moment, plain, release, verify};
use crate::event::Event;

/// The answer in an event, for a terminal of that width; empty where there is none.
pub(super) fn text(event: &Event, width: Option<usize>) -> String {
    match event {
        Event::Status { item, state } => check::status(item, state, width),
        Event::Galaxy(found) => rows(&galaxy::text(found), "    ", width),
        Event::Release(one) => rows(&release::text(one), "      ", width),
        Event::Finding { item, state, detail, mended, .. } => {
            check::finding(if *mended { "mended" } else { state }, item, detail, width)
        }
        Event::Check(one) => check::text(one, width),
        Event::Policy { documents } => check::policy(documents),
        Event::Text { text } => text.clone(),
        Event::Operators { operators } => operators.join("\n"),
        Event::Log { at, text } => format!("{} {}", moment(*at), plain::log(text)),
        Event::Skill(skill) => skill.to_string(),
        Event::Key { mark, .. } => mark.clone(),
        Event::Verified(_) | Event::Answered(_) | Event::Timed(_) => {
            verify::text(event, width).unwrap_or_default()
        }
        _ => mail::text(event, width.unwrap_or(80)),
    }
}

/// Rows of a table; what does not fit continues below, indented.
fn rows(text: &str, indent: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    // A table keeps its columns where it fits.
    let fit = |line: &str| {
        let fits = line.chars().count() <= width;
        if fits { line.to_owned() } else { hang(line, "", indent, width) }
    };
    text.lines().map(fit).collect::<Vec<_>>().join("\n")
}
