//! The walk of mail as text, for a width.

use std::fmt::Write as _;

use super::{hang, moment};
use crate::escape::one_line;
use crate::event::Event;
use crate::event::mail::{Chances, Item, Letter, Record, Stage};

/// The text of an event of the walk; of another it is empty.
pub(crate) fn text(event: &Event, width: usize) -> String {
    match event {
        Event::MailStage(one) => stage(one, width),
        Event::MailItem(one) => item(one, width),
        Event::DnsRecord(one) => record(one, width),
        Event::MailChances(one) => chances(one, width),
        Event::MailLetter(one) => letter(one, width),
        _ => String::new(),
    }
}

/// The page of a stage.
fn stage(stage: &Stage, width: usize) -> String {
    let mut text = format!("{}\n", stage.title);
    // Writing to a String can't fail.
    let _ = writeln!(text, "{}", hang(&stage.meaning, "  ", "  ", width));
    for fact in &stage.facts {
        let _ = writeln!(text, "{}", hang(fact, "  ", "  ", width));
    }
    if let Some(usual) = &stage.usual {
        let usual = format!("Usually takes: {usual}.");
        let _ = writeln!(text, "{}", hang(&usual, "  ", "  ", width));
    }
    for (title, lines) in [("Now:", &stage.now), ("Avoid:", &stage.avoid)] {
        if !lines.is_empty() {
            let _ = writeln!(text, "\n  {title}");
        }
        for line in lines {
            let _ = writeln!(text, "{}", hang(line, "  - ", "    ", width));
        }
    }
    text
}

/// An item of the checklist.
fn item(item: &Item, width: usize) -> String {
    let mark = match item.state.as_str() {
        "done" => "✓",
        "waiting" => "…",
        "wrong" => "✗",
        _ => "?",
    };
    let asked = !item.checked && item.state == "waiting";
    let judge = if asked { " (only you can tell)" } else { "" };
    let head = format!("{}{judge}", item.title);
    let mut text = hang(&head, &format!("{mark} {:>2}. ", item.number), "      ", width);
    let mut line = |words: &str| {
        let words = one_line(words);
        let _ = write!(text, "\n{}", hang(&words, "      ", "      ", width));
    };
    if let Some(is) = &item.is {
        line(&format!("is: {is}"));
        line(&format!("should be: {}", item.should.as_deref().unwrap_or_default()));
        line(&format!("where: {}", item.place.as_deref().unwrap_or_default()));
    }
    if let (Some(whom), Some(what)) = (&item.whom, &item.what) {
        match whom.as_str() {
            "you" => line(&format!("waits for you: {what}")),
            "amazon" => line(&format!("waits for Amazon: {what}")),
            other => line(&format!("comes after `{other}`: {what}")),
        }
        // What comes by itself has no time of its own.
        if matches!(whom.as_str(), "you" | "amazon") {
            let since = item.since.map(|since| format!("since {}", minute(since)));
            let usual = item.usual.as_ref().map(|usual| format!("usually {usual}"));
            line(&since.into_iter().chain(usual).collect::<Vec<_>>().join("; "));
        }
    }
    if let Some(detail) = &item.detail {
        line(detail);
    }
    text
}

/// A moment to the minute.
fn minute(seconds: u64) -> String {
    let whole = moment(seconds * 1000);
    let cut = whole.get(..16).unwrap_or(&whole);
    format!("{} UTC", cut.replace('T', " "))
}

/// A record with its state.
fn record(record: &Record, width: usize) -> String {
    let mark = match record.state.as_str() {
        "right" => "✓",
        "missing" => "…",
        "wrong" => "✗",
        _ => "?",
    };
    let Record { kind, host, zone, value, purpose, by, .. } = record;
    let about = format!("({purpose}, set by {by})");
    let mut text = format!("{mark} {kind:5}  {host}  in {zone}  {about}\n         {value}");
    if let Some(detail) = &record.detail {
        let _ = write!(text, "\n{}", hang(&one_line(detail), "         ", "         ", width));
    }
    // What is right needs no proof; what is not has to say how that is known.
    if let Some(known) = record.known.as_ref().filter(|_| record.state != "right") {
        let _ = write!(text, "\n{}", hang(&format!("({known})"), "         ", "         ", width));
    }
    text
}

/// The chances of an application.
fn chances(chances: &Chances, width: usize) -> String {
    let mut text = format!("Score: {} of 100, {}\n", chances.points, chances.words);
    for (title, lines) in [
        ("Reasons for a refusal that still apply:", &chances.open),
        ("Left out of the draft, because it was not observed:", &chances.left_out),
    ] {
        if !lines.is_empty() {
            let _ = writeln!(text, "\n{title}");
        }
        for line in lines {
            let _ = writeln!(text, "{}", hang(line, "  - ", "    ", width));
        }
    }
    text
}

/// What would be sent.
fn letter(letter: &Letter, width: usize) -> String {
    let mut text = "Amazon receives exactly this:\n\n".to_owned();
    let contacts = if letter.contacts.is_empty() {
        "only the account's own addresses".to_owned()
    } else {
        letter.contacts.join(", ")
    };
    for (name, value) in [
        ("website", &letter.website),
        ("mail type", &letter.mail_type),
        ("language", &letter.language),
        ("also told", &contacts),
    ] {
        let _ = writeln!(text, "  {name:<10} {value}");
    }
    let _ = writeln!(text, "  text");
    for paragraph in letter.text.lines() {
        let _ = writeln!(text, "{}", hang(paragraph, "    | ", "    | ", width));
    }
    text
}
