//! What is wrong with a skill, and where.

use crate::text::visible;

/// A place in a file of the skill, with the line it is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, from the skill's folder on.
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

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where.
    pub at: Option<Place>,
    /// The fix.
    pub help: Option<String>,
}

impl Mistake {
    /// A mistake without a place. What is quoted in it may be a stranger's.
    pub(crate) fn new(message: impl AsRef<str>) -> Self {
        Self { message: visible(message.as_ref()), at: None, help: None }
    }

    /// Adds the fix.
    pub(crate) fn help(mut self, help: impl AsRef<str>) -> Self {
        self.help = Some(visible(help.as_ref()));
        self
    }

    /// Adds the place: the line and column are from 1, the width is in characters.
    pub(crate) fn at(mut self, source: Source<'_>, place: (usize, usize), width: usize) -> Self {
        let (line, column) = place;
        let text = source.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let file = source.file.to_owned();
        self.at = Some(Place { file, line, column, text: visible(text), width });
        self
    }
}

/// A file that can have mistakes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    /// Its name.
    pub(crate) file: &'a str,
    /// Its text.
    pub(crate) text: &'a str,
}

impl Source<'_> {
    /// Line and column of a byte.
    pub(crate) fn place(self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }
}
