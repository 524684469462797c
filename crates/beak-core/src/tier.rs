//! Trust tiers and what each allows.

use std::fmt;

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
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
