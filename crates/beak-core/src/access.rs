//! Who may call, how often, and the caller behind a credential.

use std::net::IpAddr;

use crate::duckling::Duckling;
use crate::ports::Person;

/// Who may make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everybody; a credential changes nothing.
    Anyone,
    /// Everybody; an operator's access token shows more.
    AnyoneMoreForOperators,
    /// A duckling's agent, by its Beak Key.
    Key,
    /// A duckling's agent, or its owner by access token.
    KeyOrPerson,
    /// The same, and a key whose duckling is being deleted.
    KeyOrPersonLeaving,
    /// A signed-in person.
    Person,
    /// A person in the group of operators.
    Operator,
    /// A duckling's agent for itself, an operator for all.
    KeyOrOperator,
}

impl Who {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Anyone,
        Self::AnyoneMoreForOperators,
        Self::Key,
        Self::KeyOrPerson,
        Self::KeyOrPersonLeaving,
        Self::Person,
        Self::Operator,
        Self::KeyOrOperator,
    ];

    /// In words, for documents.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::AnyoneMoreForOperators => "anyone, more for an operator",
            Self::Key => "key",
            Self::KeyOrPerson | Self::KeyOrPersonLeaving => "key or person",
            Self::Person => "person",
            Self::Operator => "operator",
            Self::KeyOrOperator => "key (own) or operator (all)",
        }
    }

    /// Whether a call may come without a credential.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Anyone | Self::AnyoneMoreForOperators)
    }

    /// Whether a Beak Key is of use.
    #[must_use]
    pub fn takes_keys(self) -> bool {
        matches!(
            self,
            Self::Key | Self::KeyOrPerson | Self::KeyOrPersonLeaving | Self::KeyOrOperator
        )
    }
}

/// The authenticated caller.
#[derive(Clone, Debug)]
pub enum Caller {
    /// An anonymous caller.
    Anyone,
    /// A duckling's agent.
    Agent(Box<Duckling>),
    /// A person who has signed in; with the duckling where the call is about one.
    Person(Box<Person>, Option<Box<Duckling>>),
}

impl Caller {
    /// The duckling that the call is from.
    #[must_use]
    pub fn duckling(&self) -> Option<&Duckling> {
        match self {
            Self::Anyone => None,
            Self::Agent(duckling) => Some(duckling),
            Self::Person(_, duckling) => duckling.as_deref(),
        }
    }

    /// Under which name its calls are counted, and how many it has in a minute.
    #[must_use]
    pub fn allowance(&self) -> Option<(String, u32)> {
        match self {
            Self::Anyone => None,
            Self::Agent(duckling) => {
                Some((format!("duckling#{}", duckling.id), duckling.tier.requests_per_minute()))
            }
            Self::Person(person, _) => {
                Some((format!("person#{}", person.email.sha256()), PERSON_PER_MINUTE))
            }
        }
    }
}

/// How many calls a minute a person may make: a page full of lists, and no more.
pub const PERSON_PER_MINUTE: u32 = 300;

/// The window of every limit, in seconds. Windows start with the minutes of the clock.
pub const WINDOW: u32 = 60;

/// The name under which an address is counted. Of IPv6 it is the first half: one household or one
/// server has all of the other half (RFC 6177).
#[must_use]
pub fn counted(address: Option<IpAddr>) -> String {
    match address {
        None => "unknown".into(),
        Some(IpAddr::V4(v4)) => v4.to_string(),
        Some(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            let network = || format!("{a:x}:{b:x}:{c:x}:{d:x}::/64");
            v6.to_ipv4_mapped().map_or_else(network, |v4| v4.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let of = |text: &str| counted(Some(text.parse().expect("an address")));
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2:3::4"), of("2001:db8:1:3:3::4"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(counted(None), "unknown");
    }
}
