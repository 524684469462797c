//! What servers answered, who said it, and why there is no answer.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::Found;
use crate::name::Domain;

/// Why the answer of one server can't be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Reason {
    /// Nothing came back.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// Nothing could be sent.
    #[error("can't be reached: {0}")]
    Unreachable(String),
    /// An error code.
    #[error("answered {0}")]
    Code(String),
    /// It does not have the zone.
    #[error("answered that it is not responsible for the zone")]
    NotAuthoritative,
    /// The answer did not fit into a datagram, and TCP failed.
    #[error("the answer was cut off and could not be read over TCP: {0}")]
    CutOff(String),
    /// The server's name leads nowhere.
    #[error("has no address")]
    NoAddress,
    /// Something else came back.
    #[error("sent an unreadable answer: {0}")]
    Garbled(String),
}

impl Reason {
    /// Whether the server was there and just does not have the zone.
    pub(super) fn is_lame(&self) -> bool {
        match self {
            Self::NotAuthoritative => true,
            Self::Code(code) => code == "REFUSED" || code == "NOTAUTH",
            _ => false,
        }
    }

    /// Whether nothing got through, so that a resolver may know more.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self, Self::Timeout(_) | Self::Unreachable(_))
    }
}

/// A server that was queried.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Server {
    /// Its name; none for a resolver, which only has an address.
    pub name: Option<Domain>,
    /// Its address; none where its name has none.
    pub address: Option<IpAddr>,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.address) {
            (Some(name), Some(address)) => write!(f, "{name} ({address})"),
            (Some(name), None) => name.fmt(f),
            (None, Some(address)) => write!(f, "the resolver {address}"),
            (None, None) => f.write_str("the resolver"),
        }
    }
}

/// A server that gave no usable answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failed {
    /// The server.
    pub server: Server,
    /// Why.
    pub reason: Reason,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::CutOff(_) => write!(f, "{}: {}", self.server, self.reason),
            Reason::Timeout(_) => write!(f, "{} gave {}", self.server, self.reason),
            reason => write!(f, "{} {reason}", self.server),
        }
    }
}

fn all(failed: &[Failed]) -> String {
    failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Why there is no answer, or none to go by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// No server gave a usable answer.
    #[error("could not be looked up: {}", all(servers))]
    Failed {
        /// The servers.
        servers: Vec<Failed>,
    },
    /// The parent zone names servers that don't have the zone.
    #[error(
        "could not be looked up: {zone} is delegated to {}, but {}",
        super::list(servers),
        all(failed)
    )]
    Lame {
        /// The zone.
        zone: Domain,
        /// The servers that the parent names.
        servers: Vec<Domain>,
        /// What they said.
        failed: Vec<Failed>,
    },
    /// The parent zone has no delegation for the name. Its servers say so themselves.
    #[error(
        "{name} is not delegated: it is not registered or has no name servers, say the servers \
         of `{parent}`"
    )]
    Undelegated {
        /// The name.
        name: Domain,
        /// The parent zone.
        parent: Domain,
    },
    /// A chain of CNAMEs that comes back to where it was.
    #[error("the CNAMEs go in a circle: {}", chain(.0))]
    Loop(Vec<Domain>),
    /// A chain of CNAMEs that resolvers give up on.
    #[error("the chain of CNAMEs has more than {} links: {} …", super::DEPTH, chain(.0))]
    LongChain(Vec<Domain>),
    /// An SPF record that differs from mail to mail.
    #[error("can't be decided in advance: the SPF record of {at} depends on each mail (`{term}`)")]
    Macro {
        /// Where.
        at: Domain,
        /// The term with the macro.
        term: String,
    },
    /// This machine has no resolver.
    #[error("could not be looked up: this machine has no DNS resolver ({0})")]
    NoResolver(String),
}

fn chain(names: &[Domain]) -> String {
    names.iter().take(4).map(ToString::to_string).collect::<Vec<_>>().join(" → ")
}

/// What one server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The server.
    pub server: Server,
    /// The records of the requested type, at that very name.
    pub found: Vec<Found>,
    /// The CNAME that is there instead.
    pub cname: Option<Domain>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The records of the requested type, as the first server gave them.
    pub found: Vec<Found>,
    /// The CNAME that is there instead.
    pub cname: Option<Domain>,
    /// The names that CNAMEs led through before the records were found.
    pub chain: Vec<Domain>,
    /// The zone whose own servers answered; none where only a resolver could be asked.
    pub zone: Option<Domain>,
    /// What each server says.
    pub views: Vec<View>,
    /// Servers that gave no usable answer.
    pub failed: Vec<Failed>,
}

impl Answer {
    /// Its provenance: the servers that were asked, and those that failed to answer.
    #[must_use]
    pub fn known(&self) -> String {
        let servers: Vec<&Server> = self.views.iter().map(|view| &view.server).collect();
        let mut text = if self.zone.is_some() {
            let names: std::collections::BTreeSet<String> = servers
                .iter()
                .filter_map(|server| server.name.as_ref().map(ToString::to_string))
                .collect();
            format!("asked {}", names.into_iter().collect::<Vec<_>>().join(", "))
        } else {
            let names: Vec<String> = servers.iter().map(ToString::to_string).collect();
            format!(
                "from {}, because the zone's own servers can't be reached from here; it may be \
                 out of date",
                names.join(", ")
            )
        };
        if !self.chain.is_empty() {
            text = format!("{text}; through the CNAME {}", chain(&self.chain));
        }
        if !self.failed.is_empty() && self.zone.is_some() {
            text = format!("{text}; {}", all(&self.failed));
        }
        text
    }

    /// Who says what, where servers differ in what `of` takes from their answers.
    #[must_use]
    pub fn differences(&self, of: impl Fn(&View) -> Vec<String>) -> Option<Vec<(String, String)>> {
        let mut groups: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
        for view in &self.views {
            let mut says = of(view);
            says.sort();
            groups.entry(says).or_default().push(view.server.to_string());
        }
        let one = |(says, servers): (Vec<String>, Vec<String>)| {
            let says =
                if says.is_empty() { "nothing".into() } else { format!("`{}`", says.join("`, `")) };
            (servers.join(" and "), says)
        };
        (groups.len() > 1).then(|| groups.into_iter().rev().map(one).collect())
    }
}
