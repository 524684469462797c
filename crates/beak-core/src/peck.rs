//! A peck: one duckling asks another for a trust bond. Once approved, it is the bond.

use std::fmt;

use time::OffsetDateTime;

use crate::error::{BeakError, Result};
use crate::id::{DucklingId, PeckId};
use crate::text::is_plain;
use crate::tier::Tier;

/// The purpose of a bond: a dotted lower-case name, such as `data.read`. Any such name is allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeckType(String);

impl PeckType {
    /// Reads a name of at most 64 characters.
    pub fn parse(text: &str) -> Result<Self> {
        let word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        if text.len() <= 64 && text.split('.').all(word) && text.contains('.') {
            return Ok(Self(text.to_owned()));
        }
        let message = "a peck type is a dotted lower-case name such as `data.read`";
        Err(BeakError::invalid("peck_type", message))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tier that one has to have to ask for it.
    #[must_use]
    pub fn asks_for(&self) -> Tier {
        match self.0.as_str() {
            "data.write" | "task.delegate" => Tier::T1,
            _ => Tier::T0,
        }
    }
}

/// What the asking side says: up to 500 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message(String);

impl Message {
    /// Reads a message of plain text.
    pub fn parse(text: &str) -> Result<Self> {
        if is_plain(text, 500) {
            return Ok(Self(text.to_owned()));
        }
        Err(BeakError::invalid(
            "message",
            "a message has at most 500 characters, none of them hidden",
        ))
    }

    /// A message that was accepted when it was kept, under rules that may have become stricter.
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

/// How many pecks of one duckling to one other wait at most.
pub const WAITING_FOR_A_PAIR: u32 = 3;

/// How many pecks wait for one duckling at most.
pub const WAITING_ON_A_TARGET: u32 = 200;

/// How many of those may come from ducklings at T0, so that newcomers, of whom there can be any
/// number, leave room for the others.
pub const WAITING_ON_A_TARGET_FROM_T0: u32 = 100;

/// The state of a peck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeckStatus {
    /// Waits for the other side.
    Pending,
    /// A bond.
    Approved,
    /// The other side said no.
    Denied,
    /// Not answered in time.
    Expired,
    /// Withdrawn, or a bond that was ended.
    Revoked,
}

impl PeckStatus {
    /// All.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Approved, Self::Denied, Self::Expired, Self::Revoked];

    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}

impl fmt::Display for PeckStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A peck as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peck {
    /// Its id.
    pub id: PeckId,
    /// Who asks.
    pub source: DucklingId,
    /// The tier of the asking side when it asked. `None` in pecks of earlier releases, which count
    /// against no limit of waiting pecks.
    pub source_tier: Option<Tier>,
    /// The duckling that decides.
    pub target: DucklingId,
    /// What for.
    pub kind: PeckType,
    /// In the asking side's words.
    pub message: Message,
    /// The state that was written last. What counts is [`Peck::status_at`].
    pub stored: PeckStatus,
    /// When it was requested.
    pub created_at: OffsetDateTime,
    /// From this moment on a pending peck is expired.
    pub expires_at: OffsetDateTime,
    /// When it was answered or ended.
    pub settled_at: Option<OffsetDateTime>,
}

impl Peck {
    /// The state at a moment: expiry counts at once, whether or not anything has swept.
    #[must_use]
    pub fn status_at(&self, now: OffsetDateTime) -> PeckStatus {
        if self.stored == PeckStatus::Pending && now >= self.expires_at {
            return PeckStatus::Expired;
        }
        self.stored
    }

    /// Whether this duckling is one of the two parties.
    #[must_use]
    pub fn concerns(&self, id: &DucklingId) -> bool {
        self.source == *id || self.target == *id
    }
}

/// Which end of a peck a duckling is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It is the target.
    In,
    /// It is the source.
    Out,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peck_types_are_dotted_names() {
        for text in ["data.read", "notify.send", "my_app.v2.read"] {
            assert!(PeckType::parse(text).is_ok(), "{text}");
        }
        let long = format!("a.{}", "b".repeat(63));
        for text in ["", "data", "Data.read", ".read", "data.", "a..b", "a b.c", "1.a", &long] {
            assert!(PeckType::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn messages_are_plain_and_short() {
        assert!(Message::parse(&"ü".repeat(500)).is_ok());
        assert!(Message::parse("two\nlines").is_ok());
        assert!(Message::parse(&"x".repeat(501)).is_err());
        assert!(Message::parse("👩‍💻 says hi").is_ok());
        for text in ["\u{1b}[31m", "a\u{202e}b", "a\u{200b}b"] {
            assert!(Message::parse(text).is_err(), "{text:?}");
        }
    }
}
