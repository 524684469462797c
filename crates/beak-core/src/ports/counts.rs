//! How many there are, and what has lapsed of them.

#[cfg(doc)]
use crate::peck::PeckStatus;

/// How many there are. Exact at the moment of reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Ducklings.
    pub ducklings: u64,
    /// Certificates ever issued.
    pub certificates: u64,
    /// Bonds that hold now.
    pub connections: u64,
    /// Eggs that wait.
    pub eggs: u64,
    /// Pecks by state, in the order of [`PeckStatus::ALL`].
    pub pecks: [u64; 5],
}

impl Metrics {
    /// The same with these counted as lapsed that no sweep has put away yet.
    #[must_use]
    pub fn with_lapsed(mut self, lapsed: Lapsed) -> Self {
        self.eggs = self.eggs.saturating_sub(lapsed.eggs);
        let [pending, _, _, expired, _] = &mut self.pecks;
        *pending = pending.saturating_sub(lapsed.pecks);
        *expired += lapsed.pecks;
        self
    }
}

/// How many have lapsed and were not put away yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lapsed {
    /// Pecks.
    pub pecks: u64,
    /// Eggs.
    pub eggs: u64,
}

/// What a sweep has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many lapsed entries it has found.
    pub found: usize,
    /// How many of them it has put away.
    pub put_away: usize,
    /// How many of them could not be swept: what they name does not exist, or can't be read. They
    /// were put aside, and an operator should look.
    pub put_aside: usize,
}

/// How lively the ducklings are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fleet {
    /// Those with a pulse within ten minutes.
    pub alive: u64,
    /// Within thirty.
    pub slow: u64,
    /// All others.
    pub offline: u64,
    /// Whether all ducklings were looked at.
    pub is_whole: bool,
}
