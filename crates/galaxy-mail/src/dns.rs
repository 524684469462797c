//! Asks a zone's own servers, so that no resolver on the way remembers a "no".
//!
//! A resolver is asked for the servers of the top-level domain only, and for the addresses of
//! servers; from there every step follows the delegation, as in RFC 1034, section 5.3.3.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};

use crate::name::Domain;

mod ask;
mod look;

use ask::{Question, ask, found};
pub use look::Looked;

/// A type of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Who may issue certificates.
    Caa,
    /// Another name.
    Cname,
    /// Mail server.
    Mx,
    /// Name server.
    Ns,
    /// Text.
    Txt,
}

/// What a record was found to say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// An address.
    Address(IpAddr),
    /// Who may issue certificates.
    Caa {
        /// Whether one that does not understand the tag must not issue.
        critical: bool,
        /// What is said.
        tag: String,
        /// To whom.
        value: String,
    },
    /// Another name.
    Cname(Domain),
    /// A mail server, with its dot.
    Mx(u16, String),
    /// A name server.
    Ns(Domain),
    /// A text.
    Txt(String),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Caa { tag, value, .. } => write!(f, "{tag} \"{value}\""),
            Self::Cname(name) | Self::Ns(name) => name.fmt(f),
            Self::Mx(preference, host) => write!(f, "{preference} {}", host.trim_end_matches('.')),
            Self::Txt(text) => f.write_str(text),
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// A server does not answer.
    #[error("the name server {server} does not answer: {reason}")]
    Silent {
        /// Its address.
        server: String,
        /// Why.
        reason: String,
    },
    /// The parent zone names servers that know nothing of the zone.
    #[error("{zone} is delegated to {}, which know nothing of it", list(servers))]
    Lame {
        /// The zone.
        zone: Domain,
        /// The servers that the parent names.
        servers: Vec<Domain>,
    },
    /// Nobody registered the name, or it is not delegated to any server.
    #[error("{name} is not delegated: it is not registered, or has no name servers")]
    Undelegated {
        /// The name.
        name: Domain,
    },
    /// This machine does not know whom to ask.
    #[error("no resolver is known on this machine: {0}")]
    NoResolver(String),
}

/// Names with commas between them.
pub(crate) fn list<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Who gave an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// A server of the zone.
    Zone(Domain),
    /// A resolver, because no name server of the outside can be reached from here. It may
    /// remember what was true a while ago.
    Resolver,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The records of the kind that was asked for, at that very name.
    pub found: Vec<Found>,
    /// The CNAME that stands there instead.
    pub cname: Option<Domain>,
    /// Who said so.
    pub via: Via,
}

/// A zone and its servers, as the parent zone names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The zone.
    pub name: Domain,
    /// The names of its servers.
    pub servers: Vec<Domain>,
    addresses: Vec<IpAddr>,
}

/// Asks questions. What it learns about delegations it keeps, so make a new one for each look.
#[derive(Debug)]
pub struct Dns {
    resolvers: Vec<IpAddr>,
    port: u16,
    patience: Duration,
    zones: Mutex<BTreeMap<Domain, Zone>>,
    /// Who did not answer once is not waited for again.
    silent: Mutex<BTreeMap<IpAddr, Trouble>>,
}

/// How many servers of a zone are tried.
const TRIES: usize = 3;
/// How deep a delegation or a chain of names may be.
const DEPTH: usize = 12;

impl Dns {
    /// Asks these resolvers, and all servers at this port.
    #[must_use]
    pub fn new(resolvers: Vec<IpAddr>, port: u16, patience: Duration) -> Self {
        Self { resolvers, port, patience, zones: Mutex::default(), silent: Mutex::default() }
    }

    /// With the resolvers of this machine.
    pub fn system() -> Result<Self, Trouble> {
        let trouble = |error: &dyn fmt::Display| Trouble::NoResolver(error.to_string());
        let text = std::fs::read("/etc/resolv.conf").map_err(|error| trouble(&error))?;
        let config = resolv_conf::Config::parse(text).map_err(|error| trouble(&error))?;
        let resolvers: Vec<IpAddr> = config.nameservers.iter().map(IpAddr::from).collect();
        if resolvers.is_empty() {
            return Err(Trouble::NoResolver("/etc/resolv.conf names none".into()));
        }
        Ok(Self::new(resolvers, 53, Duration::from_secs(3)))
    }

    /// The records of a kind at a name, as the zone's own servers tell them.
    pub async fn answer(&self, name: &Domain, kind: Kind) -> Result<Answer, Trouble> {
        match self.descend(name, kind).await {
            // Some networks let nobody out to port 53 but their resolver.
            Err(Trouble::Silent { .. }) => {
                let message = self.resolve(name, kind).await?;
                Ok(read(&message, name, Via::Resolver))
            }
            other => other.map(|(zone, message)| read(&message, name, Via::Zone(zone.name))),
        }
    }

    /// The zone that a name lies in, with the servers that the parent zone names.
    pub async fn zone(&self, name: &Domain) -> Result<Zone, Trouble> {
        self.descend(name, Kind::Txt).await.map(|(zone, _)| zone)
    }

    /// The addresses of a name, through its CNAMEs.
    pub async fn addresses(&self, name: &Domain) -> Result<Vec<IpAddr>, Trouble> {
        let mut name = name.clone();
        for _ in 0..DEPTH {
            let mut addresses = Vec::new();
            let mut next = None;
            for kind in [Kind::A, Kind::Aaaa] {
                let answer = self.answer(&name, kind).await?;
                next = next.or(answer.cname);
                addresses.extend(answer.found.iter().filter_map(|found| match found {
                    Found::Address(address) => Some(*address),
                    _ => None,
                }));
            }
            match next {
                Some(target) if addresses.is_empty() => name = target,
                _ => return Ok(addresses),
            }
        }
        Ok(Vec::new())
    }

    /// From the top down to the servers that answer for the name, and their answer.
    async fn descend(&self, name: &Domain, kind: Kind) -> Result<(Zone, Message), Trouble> {
        let mut zone = match self.nearest(name) {
            Some(zone) => zone,
            None => self.top(name).await?,
        };
        for _ in 0..DEPTH {
            let message = self.ask_zone(&zone, name, kind).await?;
            let code = message.metadata.response_code;
            if let Some((child, servers)) = referral(&message, &zone.name, name) {
                zone = self.delegated(child, servers, &message).await?;
                self.keep(&zone);
                continue;
            }
            // A registry that answers by itself has nobody to refer to.
            if zone.name.registrable().is_none() && code == ResponseCode::NXDomain {
                return Err(Trouble::Undelegated { name: name.organisational() });
            }
            return Ok((zone, message));
        }
        Err(Trouble::Lame { zone: zone.name, servers: zone.servers })
    }

    /// Asks one server of the zone after the other until one knows.
    async fn ask_zone(&self, zone: &Zone, name: &Domain, kind: Kind) -> Result<Message, Trouble> {
        let lame = || Trouble::Lame { zone: zone.name.clone(), servers: zone.servers.clone() };
        let mut trouble = lame();
        for server in zone.addresses.iter().take(TRIES) {
            if let Some(before) = lock(&self.silent).get(server) {
                trouble = before.clone();
                continue;
            }
            let question = Question { server: *server, name, kind, recursion: false };
            match ask(question, self.port, self.patience).await {
                Ok(message) if knows(&message, &zone.name, name) => return Ok(message),
                Ok(_) => trouble = lame(),
                Err(silent) => {
                    lock(&self.silent).insert(*server, silent.clone());
                    trouble = silent;
                }
            }
        }
        Err(trouble)
    }

    /// The servers of the top-level domain, which a resolver knows.
    async fn top(&self, name: &Domain) -> Result<Zone, Trouble> {
        let label = name.labels().next_back().unwrap_or_default();
        let top = Domain::parse(label).unwrap_or_else(|_| name.clone());
        let message = self.resolve(&top, Kind::Ns).await?;
        let servers: Vec<Domain> = message
            .answers
            .iter()
            .filter_map(found)
            .filter_map(
                |(_, found)| if let Found::Ns(server) = found { Some(server) } else { None },
            )
            .collect();
        if servers.is_empty() {
            return Err(Trouble::Undelegated { name: name.organisational() });
        }
        let zone = self.delegated(top, servers, &message).await?;
        self.keep(&zone);
        Ok(zone)
    }

    /// A zone with the addresses of its servers: those that came along, else those that a
    /// resolver knows.
    async fn delegated(
        &self,
        name: Domain,
        servers: Vec<Domain>,
        message: &Message,
    ) -> Result<Zone, Trouble> {
        let mut addresses: Vec<IpAddr> = message
            .additionals
            .iter()
            .filter_map(found)
            .filter(|(owner, _)| servers.contains(owner))
            .filter_map(|(_, found)| if let Found::Address(at) = found { Some(at) } else { None })
            .collect();
        for server in servers.iter().take(TRIES) {
            if addresses.len() >= TRIES {
                break;
            }
            let message = self.resolve(server, Kind::A).await?;
            addresses.extend(message.answers.iter().filter_map(found).filter_map(|(_, found)| {
                if let Found::Address(at) = found { Some(at) } else { None }
            }));
        }
        // Many networks still have no IPv6.
        addresses.sort_by_key(IpAddr::is_ipv6);
        addresses.dedup();
        Ok(Zone { name, servers, addresses })
    }

    async fn resolve(&self, name: &Domain, kind: Kind) -> Result<Message, Trouble> {
        let mut trouble = Trouble::NoResolver("there is none".into());
        for server in self.resolvers.iter().take(TRIES) {
            let question = Question { server: *server, name, kind, recursion: true };
            match ask(question, self.port, self.patience).await {
                Ok(message) => return Ok(message),
                Err(silent) => trouble = silent,
            }
        }
        Err(trouble)
    }

    fn nearest(&self, name: &Domain) -> Option<Zone> {
        let zones = lock(&self.zones);
        let above = zones.values().filter(|zone| name.is_within(&zone.name));
        above.max_by_key(|zone| zone.name.as_str().len()).cloned()
    }

    fn keep(&self, zone: &Zone) {
        lock(&self.zones).insert(zone.name.clone(), zone.clone());
    }
}

/// What another task left behind when it broke off is still good here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A zone below this one, on the way to the name, and its servers.
fn referral(message: &Message, zone: &Domain, name: &Domain) -> Option<(Domain, Vec<Domain>)> {
    if !message.answers.is_empty() || message.metadata.response_code != ResponseCode::NoError {
        return None;
    }
    let mut servers = Vec::new();
    let mut child = None;
    for (owner, found) in message.authorities.iter().filter_map(found) {
        let Found::Ns(server) = found else { continue };
        if owner != *zone && owner.is_within(zone) && name.is_within(&owner) {
            child = Some(owner);
            servers.push(server);
        }
    }
    child.map(|child| (child, servers))
}

/// Whether an answer is one that only a server of the zone can give.
fn knows(message: &Message, zone: &Domain, name: &Domain) -> bool {
    let fine =
        matches!(message.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain);
    fine && (message.metadata.authoritative || referral(message, zone, name).is_some())
}

fn read(message: &Message, name: &Domain, via: Via) -> Answer {
    let mut answer = Answer { found: Vec::new(), cname: None, via };
    for (owner, found) in message.answers.iter().filter_map(found) {
        if owner != *name {
            continue;
        }
        match found {
            Found::Cname(target) => answer.cname = Some(target),
            other => answer.found.push(other),
        }
    }
    answer
}
