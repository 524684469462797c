//! Output that is not drawn: streams that remember a failed write, JSON Lines, and answers alone.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use super::check;
use crate::escape::{json, one_line, visible};
use crate::event::{Event, Health, Sink};

/// A stream, and what has become of it. After a write that failed nothing more is tried: a reader
/// that went away is no reason to stop half-way through an account.
pub(super) struct Channel<W> {
    out: W,
    pub(super) health: Health,
}

impl<W: Write> Channel<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, health: Health::Fine }
    }

    pub(super) fn line(&mut self, text: &str) {
        if self.health == Health::Fine {
            let written = writeln!(self.out, "{text}").and_then(|()| self.out.flush());
            self.health = written.err().map_or(Health::Fine, |error| Health::after(&error));
        }
    }

    /// What a command was run for.
    pub(super) fn answer(&mut self, text: &str) {
        if !text.is_empty() {
            self.line(&visible(text));
        }
    }
}

/// One JSON object a line.
pub struct JsonLines<W: Write + Send>(Mutex<Channel<W>>);

impl<W: Write + Send> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self(Mutex::new(Channel::new(out)))
    }
}

impl<W: Write + Send> Sink for JsonLines<W> {
    fn emit(&self, event: Event) {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(line) = serde_json::to_string(&event) {
            out.line(&json(&line));
        }
    }

    fn health(&self) -> Health {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).health.clone()
    }
}

/// Nothing at all.
pub struct Silent;

impl Sink for Silent {
    fn emit(&self, _: Event) {}
}

/// Nothing but answers; a failure is printed elsewhere.
pub struct Quiet<W: Write + Send>(Mutex<Channel<W>>);

impl<W: Write + Send> Quiet<W> {
    /// Writes answers to `out`.
    pub fn new(out: W) -> Self {
        Self(Mutex::new(Channel::new(out)))
    }
}

impl<W: Write + Send> Sink for Quiet<W> {
    fn emit(&self, event: Event) {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            // Answers, and what can't be found out again.
            Event::Operators { operators } => out.answer(&operators.join("\n")),
            Event::Account { password, .. } => out.answer(&password),
            Event::Log { text, .. } => out.answer(&log(&text)),
            Event::Text { text } => out.answer(&text),
            Event::Policy { documents } => out.answer(&check::policy(&documents)),
            Event::Check(check) if check.level == "problem" => {
                out.answer(&format!("{}: {}", check.check, one_line(&check.is)));
            }
            Event::Key { mark, .. } => out.answer(&mark),
            _ => {}
        }
    }

    fn health(&self) -> Health {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).health.clone()
    }
}

/// A log's entry, whose further lines are indented: none passes for an entry of its own.
pub(super) fn log(text: &str) -> String {
    text.trim_end().replace('\n', "\n    ")
}
