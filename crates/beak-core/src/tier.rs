//! Trust tiers and what each allows.

use std::fmt;

use time::OffsetDateTime;

use crate::error::{BeakError, Result};
use crate::text::is_plain;

/// How far a duckling is trusted. Tiers never fall by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Its e-mail is verified.
    T0,
    /// It has a valid certificate and has had an approved bond.
    T1,
    /// An operator has vouched for it.
    T2,
}

impl Tier {
    /// All, lowest first.
    pub const ALL: [Self; 3] = [Self::T0, Self::T1, Self::T2];

    /// The word on the wire and in certificates.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::T0 => "T0",
            Self::T1 => "T1",
            Self::T2 => "T2",
        }
    }

    /// The tier of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.word() == word)
    }

    /// How many bonds a duckling of this tier may hold at once.
    #[must_use]
    pub fn bonds(self) -> u32 {
        match self {
            Self::T0 => 3,
            Self::T1 => 100,
            Self::T2 => 10_000,
        }
    }

    /// How many pecks of a duckling of this tier may wait for an answer at once.
    #[must_use]
    pub fn waiting_pecks(self) -> u32 {
        match self {
            Self::T0 => 20,
            Self::T1 | Self::T2 => 100,
        }
    }

    /// How many requests a minute a duckling of this tier may make.
    #[must_use]
    pub fn requests_per_minute(self) -> u32 {
        match self {
            Self::T0 => 60,
            Self::T1 => 300,
            Self::T2 => 1200,
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a duckling asks for T2: 1 to 500 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement(String);

impl Statement {
    /// Reads a statement.
    pub fn parse(text: &str) -> Result<Self> {
        if !text.trim().is_empty() && is_plain(text, 500) {
            return Ok(Self(text.to_owned()));
        }
        let message = "a statement has 1 to 500 characters of plain text";
        Err(BeakError::invalid("statement", message))
    }

    /// A statement that was accepted when it was kept, under rules that may have become stricter.
    #[must_use]
    pub fn kept(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an operator says to a decision: up to 500 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note(String);

impl Note {
    /// Reads a note.
    pub fn parse(text: &str) -> Result<Self> {
        if is_plain(text, 500) {
            return Ok(Self(text.to_owned()));
        }
        Err(BeakError::invalid("note", "a note has at most 500 characters of plain text"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request for T2 that waits for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierRequest {
    /// Why.
    pub statement: Statement,
    /// Since when.
    pub at: OffsetDateTime,
}
