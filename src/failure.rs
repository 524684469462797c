//! How a command fails: kind, sentence, place, cause, fix; and the exit code of each kind.

use std::fmt::Write as _;

/// What sort of failure it is; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The configuration or another input is wrong.
    Input,
    /// The command line is wrong.
    Usage,
    /// Refused before anything was changed.
    Refused,
    /// A stack, or a step beside the stacks, ended badly.
    Settled,
    /// Credentials are missing or expired, or a permission is.
    Access,
    /// AWS has to do something first; everything else is done, and the next run resumes.
    Waiting,
    /// Our own mistake.
    Bug,
    /// The person stopped it.
    Interrupted,
}

impl Kind {
    /// The process's exit code.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Input => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Settled => 4,
            Self::Access => 5,
            Self::Waiting => 8,
            Self::Bug => 70,
            Self::Interrupted => 130,
        }
    }

    /// Its name in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Settled => "failed",
            Self::Access => "access",
            Self::Waiting => "waiting",
            Self::Bug => "bug",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A place in a file, with the line it is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The file's name as the person knows it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The text of the line.
    pub text: String,
    /// How many characters are at fault.
    pub width: usize,
}

/// One mistake: a sentence and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where.
    pub at: Option<Excerpt>,
    /// The fix.
    pub help: Option<String>,
}

/// A failure as the person sees it: at least one mistake, and its cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Decides the exit code.
    pub kind: Kind,
    /// What is wrong; several where a file has several mistakes.
    pub mistakes: Vec<Mistake>,
    /// What AWS or the operating system said.
    pub cause: Option<String>,
    /// What exists now, where something was begun.
    pub now: Option<String>,
}

impl Failure {
    /// A failure with one sentence.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let mistake = Mistake { message: message.into(), at: None, help: None };
        Self { kind, mistakes: vec![mistake], cause: None, now: None }
    }

    /// Adds the fix.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        if let Some(last) = self.mistakes.last_mut() {
            last.help = Some(help.into());
        }
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds what exists now.
    #[must_use]
    pub fn now(mut self, now: impl Into<String>) -> Self {
        self.now = Some(now.into());
        self
    }

    /// Puts words in front of the first sentence.
    #[must_use]
    pub fn within(mut self, context: &str) -> Self {
        if let Some(first) = self.mistakes.first_mut() {
            first.message = format!("{context}: {}", first.message);
        }
        self
    }

    /// Our own mistake: something that can't happen did.
    #[must_use]
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message)
            .help("this is a mistake in spaceduck itself; please report it")
    }

    /// The first sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        self.mistakes.first().map_or("", |mistake| &mistake.message)
    }

    /// The text for a terminal: `error:`, place, cause and `help:`, without colour.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for mistake in &self.mistakes {
            // Writing to a String can't fail.
            let _ = writeln!(text, "error: {}", mistake.message);
            if let Some(at) = &mistake.at {
                let place = format!("  at {}:{}:{} | ", at.file, at.line, at.column);
                let gap = " ".repeat(place.chars().count() + at.column.saturating_sub(1));
                let _ = writeln!(text, "{place}{}", at.text);
                let _ = writeln!(text, "{gap}{}", "^".repeat(at.width.max(1)));
            }
            if let (Some(cause), true) = (&self.cause, self.mistakes.len() == 1) {
                let _ = writeln!(text, "cause: {cause}");
            }
            if let (Some(now), true) = (&self.now, self.mistakes.len() == 1) {
                let _ = writeln!(text, "now: {now}");
            }
            if let Some(help) = &mistake.help {
                let _ = writeln!(text, "help: {help}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Excerpt, Failure, Kind, Mistake};

    #[test]
    fn the_caret_stands_under_the_word() {
        let mut failure = Failure::new(Kind::Input, "no such key").help("write `name`");
        failure.mistakes[0].at = Some(Excerpt {
            file: "galaxy.yaml".into(),
            line: 2,
            column: 3,
            text: "  nmae: duck".into(),
            width: 4,
        });
        let expected = "error: no such key\n  at galaxy.yaml:2:3 |   nmae: duck\n                         \
                        ^^^^\nhelp: write `name`\n";
        assert_eq!(failure.to_text(), expected);
    }

    #[test]
    fn every_mistake_is_shown() {
        let mut failure = Failure::new(Kind::Input, "first");
        failure.mistakes.push(Mistake { message: "second".into(), at: None, help: None });
        assert_eq!(failure.to_text(), "error: first\nerror: second\n");
    }
}
