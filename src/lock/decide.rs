//! Who holds the lock: a pure decision over its entries, shared by the lock and by its model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ports::Entry;

/// Seconds without a heartbeat, by the service's clock, after which a holder counts as dead: the
/// default of a run.
pub const LEASE: u64 = 120;

/// Leases that a run can declare. A heartbeat takes a sixth, so a second is the least for it.
pub const LEASES: std::ops::RangeInclusive<u64> = 6..=3600;

/// What an entry says of its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It works.
    Held,
    /// It ended, and so did each of its calls.
    Released,
    /// It was stopped: a call of its own may still arrive.
    Stopped,
}

/// The run behind an entry. `run`, `state` and `lease` decide; the rest is shown to people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Holder {
    /// Random, one for each run.
    pub run: String,
    /// Whether it still works.
    pub state: State,
    /// The command.
    pub command: String,
    /// The machine.
    pub host: String,
    /// The process.
    pub process: u32,
    /// When it began, in seconds since 1970 by its own clock.
    pub since: u64,
    /// Heartbeats so far.
    pub beats: u64,
    /// Seconds of silence after which it counts as dead.
    pub lease: u64,
}

/// An entry of the lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// The run; `None` if the text can't be read.
    pub holder: Option<Holder>,
    /// When it was last written, in seconds since 1970 by the service's clock.
    pub changed_at: u64,
}

/// The lock's entries, by number.
pub type Claims = BTreeMap<u64, Claim>;

/// Reads the entries below the lock's path. Names that are no number are not the lock's.
#[must_use]
pub fn claims(entries: &BTreeMap<String, Entry>) -> Claims {
    let one = |(path, entry): (&String, &Entry)| {
        let number = path.rsplit('/').next()?.parse().ok()?;
        let holder = serde_json::from_str(&entry.text).ok();
        Some((number, Claim { holder, changed_at: entry.changed_at }))
    };
    entries.iter().filter_map(one).collect()
}

/// What a run may do that wants the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing is on record: create the first number.
    First,
    /// Create this number.
    Create {
        /// One more than the highest.
        number: u64,
        /// Whether calls of the holder before may still arrive.
        unfinished: bool,
    },
    /// Another run holds the lock.
    Held {
        /// The run, if its entry can be read.
        holder: Option<Holder>,
        /// Seconds since its last heartbeat.
        silent: u64,
    },
}

/// Decides by the highest entry. `now` is the service's clock, read before the entries.
///
/// A timestamp further ahead than the lease is no heartbeat: both times come from one service.
#[must_use]
pub fn decide(claims: &Claims, now: u64) -> Decision {
    let Some((number, claim)) = claims.last_key_value() else { return Decision::First };
    let next = |unfinished| Decision::Create { number: number + 1, unfinished };
    let silent = now.abs_diff(claim.changed_at);
    let lease = claim.holder.as_ref().map_or(LEASE, |holder| holder.lease);
    let lease = lease.clamp(*LEASES.start(), *LEASES.end());
    match claim.holder.as_ref().map(|holder| holder.state) {
        Some(State::Released) => next(false),
        Some(State::Stopped) => next(true),
        Some(State::Held) | None if silent > lease => next(true),
        Some(State::Held) | None => Decision::Held { holder: claim.holder.clone(), silent },
    }
}

/// How a holder finds its own entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its entry is the highest.
    Mine,
    /// Another run has a higher number, or this one's entry has changed.
    Lost,
    /// No entry has its number or a higher one. A look may be older than the entry.
    Missing,
}

/// Whether a run still holds the lock under its number.
#[must_use]
pub fn standing(claims: &Claims, number: u64, run: &str) -> Standing {
    match claims.last_key_value() {
        Some((highest, claim)) if *highest == number => {
            let is_mine = |holder: &Holder| holder.run == run && holder.state == State::Held;
            let mine = claim.holder.as_ref().is_some_and(is_mine);
            if mine { Standing::Mine } else { Standing::Lost }
        }
        Some((highest, _)) if *highest > number => Standing::Lost,
        _ => Standing::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(state: State) -> Holder {
        Holder {
            run: "a".into(),
            state,
            command: "install".into(),
            host: "here".into(),
            process: 1,
            since: 0,
            beats: 0,
            lease: LEASE,
        }
    }

    fn at(number: u64, state: State, changed_at: u64) -> Claims {
        [(number, Claim { holder: Some(holder(state)), changed_at })].into()
    }

    #[test]
    fn the_highest_entry_decides() {
        assert_eq!(decide(&Claims::new(), 500), Decision::First);
        let create = |number, unfinished| Decision::Create { number, unfinished };
        assert_eq!(decide(&at(4, State::Released, 500), 500), create(5, false));
        assert_eq!(decide(&at(4, State::Stopped, 500), 500), create(5, true));
        let held = Decision::Held { holder: Some(holder(State::Held)), silent: LEASE };
        assert_eq!(decide(&at(4, State::Held, 500), 500 + LEASE), held);
        assert_eq!(decide(&at(4, State::Held, 500), 501 + LEASE), create(5, true));
        let mut two = at(4, State::Held, 500);
        two.extend(at(7, State::Released, 0));
        assert_eq!(decide(&two, 500), create(8, false), "a late heartbeat of 4 changes nothing");
    }

    #[test]
    fn a_heartbeat_from_the_future_ends() {
        let far = at(4, State::Held, 1_000_000);
        assert_eq!(decide(&far, 500), Decision::Create { number: 5, unfinished: true });
        let near = at(4, State::Held, 510);
        assert!(matches!(decide(&near, 500), Decision::Held { silent: 10, .. }));
    }

    #[test]
    fn an_entry_that_cant_be_read_is_held_until_it_is_silent() {
        let garbled: Claims = [(4, Claim { holder: None, changed_at: 500 })].into();
        assert_eq!(decide(&garbled, 510), Decision::Held { holder: None, silent: 10 });
        let next = Decision::Create { number: 5, unfinished: true };
        assert_eq!(decide(&garbled, 501 + LEASE), next);
        let entry = |text: &str| Entry { text: text.into(), changed_at: 7 };
        let text = serde_json::to_string(&holder(State::Held)).unwrap();
        let entries = BTreeMap::from([
            ("/x/lock/12".to_owned(), entry(&text)),
            ("/x/lock/9".to_owned(), entry("{")),
            ("/x/lock/note".to_owned(), entry(&text)),
        ]);
        let read = claims(&entries);
        assert_eq!(read.keys().collect::<Vec<_>>(), [&9, &12], "by number, not by spelling");
        assert_eq!(read[&12].holder, Some(holder(State::Held)));
        assert_eq!(read[&9].holder, None);
    }

    #[test]
    fn a_holder_knows_its_own_entry() {
        let mine = at(4, State::Held, 1);
        assert_eq!(standing(&mine, 4, "a"), Standing::Mine);
        assert_eq!(standing(&mine, 4, "b"), Standing::Lost);
        assert_eq!(standing(&mine, 3, "a"), Standing::Lost);
        assert_eq!(standing(&mine, 5, "a"), Standing::Missing);
        assert_eq!(standing(&Claims::new(), 4, "a"), Standing::Missing);
        for state in [State::Released, State::Stopped] {
            assert_eq!(standing(&at(4, state, 1), 4, "a"), Standing::Lost);
        }
    }
}
