//! Queries a zone's own servers, all of them, so that no resolver on the way caches a "no" and no
//! stale server speaks for the others.
//!
//! A resolver is used for the servers of the top-level domain only, and for the addresses of
//! servers; from there every step follows the delegation, as in RFC 1034, section 5.3.3.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hickory_proto::dnssec::TrustAnchors;
use hickory_proto::op::{Message, ResponseCode};

use crate::name::Domain;

mod answer;
mod ask;
mod look;
mod servers;
mod signed;

pub use answer::{Answer, Failed, Reason, Server, Trouble, View};
use ask::{Question, ask, code, found};
pub use look::Looked;
pub use signed::Signed;

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
        /// The servers.
        value: String,
    },
    /// Another name.
    Cname(Domain),
    /// A mail server, with its dot.
    Mx(u16, String),
    /// A name server.
    Ns(Domain),
    /// The target of a CNAME that is no domain name, such as one with quotes in it.
    Odd(String),
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
            Self::Odd(text) | Self::Txt(text) => f.write_str(text),
        }
    }
}

/// Names with commas between them.
pub(crate) fn list<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A zone and its servers, as the parent zone names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The zone.
    pub name: Domain,
    /// The names of its servers.
    pub servers: Vec<Domain>,
    endpoints: Vec<(Domain, IpAddr)>,
    /// Servers whose addresses could not be found.
    homeless: Vec<Failed>,
}

/// Asks questions. What it learns about delegations it keeps, so make a new one for each look.
#[derive(Clone)]
pub struct Dns {
    state: Arc<State>,
}

struct State {
    resolvers: Vec<IpAddr>,
    port: u16,
    patience: Duration,
    anchors: Arc<TrustAnchors>,
    zones: Mutex<BTreeMap<Domain, Zone>>,
    /// A server that could not be reached once is not waited for again.
    silent: Mutex<BTreeMap<IpAddr, Reason>>,
    /// Answers that prove signatures: DNSKEY, DS and NS, which every record of a zone needs.
    proofs: Mutex<BTreeMap<(String, u16), Message>>,
}

/// What the servers of a zone answered to one question.
struct Round {
    said: Vec<(Server, Message)>,
    failed: Vec<Failed>,
}

/// How many servers are tried for one step of the way down.
const TRIES: usize = 3;
/// How deep a delegation or a chain of names may be.
const DEPTH: usize = 12;

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dns").field("resolvers", &self.state.resolvers).finish_non_exhaustive()
    }
}

impl Dns {
    /// Asks these resolvers, and all servers at this port.
    #[must_use]
    pub fn new(resolvers: Vec<IpAddr>, port: u16, patience: Duration) -> Self {
        Self::anchored(resolvers, port, patience, TrustAnchors::default())
    }

    /// Trusts other keys of the root than IANA's.
    pub(crate) fn anchored(
        resolvers: Vec<IpAddr>,
        port: u16,
        patience: Duration,
        anchors: TrustAnchors,
    ) -> Self {
        let state = State {
            resolvers,
            port,
            patience,
            anchors: Arc::new(anchors),
            zones: Mutex::default(),
            silent: Mutex::default(),
            proofs: Mutex::default(),
        };
        Self { state: Arc::new(state) }
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

    /// The records of a kind at a name, as all servers of the zone give them.
    pub async fn answer(&self, name: &Domain, kind: Kind) -> Result<Answer, Trouble> {
        match self.descend(name, kind).await {
            // Some networks let nothing out to port 53 but their resolver's questions.
            Err(Trouble::Failed { servers })
                if servers.iter().all(|failed| failed.reason.is_silence()) =>
            {
                let (server, message) = self.resolve(name, kind).await.map_err(|_| {
                    // The zone's own servers are the ones to name.
                    Trouble::Failed { servers: servers.clone() }
                })?;
                let round = Round { said: vec![(server, message)], failed: servers };
                Ok(read(round, name, None))
            }
            other => other.map(|(zone, round)| read(round, name, Some(zone.name))),
        }
    }

    /// The zone of a name, with the servers that the parent zone names.
    pub async fn zone(&self, name: &Domain) -> Result<Zone, Trouble> {
        self.descend(name, Kind::Txt).await.map(|(zone, _)| zone)
    }

    /// The records at a name or at the end of its CNAMEs.
    pub async fn follow(&self, name: &Domain, kind: Kind) -> Result<Answer, Trouble> {
        let mut chain = Vec::new();
        let mut at = name.clone();
        loop {
            let mut answer = self.answer(&at, kind).await?;
            let Some(target) = answer.cname.take() else {
                answer.chain = chain;
                return Ok(answer);
            };
            chain.push(target.clone());
            if target == *name || chain[..chain.len() - 1].contains(&target) {
                chain.insert(0, name.clone());
                return Err(Trouble::Loop(chain));
            }
            if chain.len() > DEPTH {
                chain.insert(0, name.clone());
                return Err(Trouble::LongChain(chain));
            }
            at = target;
        }
    }

    /// The addresses of a name, through its CNAMEs.
    pub async fn addresses(&self, name: &Domain) -> Result<Vec<IpAddr>, Trouble> {
        let mut addresses = Vec::new();
        for kind in [Kind::A, Kind::Aaaa] {
            let answer = self.follow(name, kind).await?;
            // Servers may give out different addresses of the same target in turn.
            for view in &answer.views {
                addresses.extend(view.found.iter().filter_map(|found| match found {
                    Found::Address(address) => Some(*address),
                    _ => None,
                }));
            }
        }
        addresses.sort();
        addresses.dedup();
        Ok(addresses)
    }

    /// From the top down to the servers that answer for the name, and their answers.
    async fn descend(&self, name: &Domain, kind: Kind) -> Result<(Zone, Round), Trouble> {
        let mut zone = match self.nearest(name) {
            Some(zone) => zone,
            None => self.top(name).await?,
        };
        for _ in 0..DEPTH {
            let round = self.ask_zone(&zone, name, kind).await?;
            let down = round.said.iter().find_map(|(_, message)| {
                let (child, servers) = referral(message, &zone.name, name)?;
                Some((child, servers, message))
            });
            if let Some((child, servers, message)) = down {
                let next = self.delegated(child, servers, message).await;
                self.keep(&next);
                zone = next;
                continue;
            }
            // A registry that answers by itself has no delegation for the name.
            let code = round.said.first().map(|(_, message)| message.metadata.response_code);
            if zone.name.registrable().is_none() && code == Some(ResponseCode::NXDomain) {
                return Err(Trouble::Undelegated {
                    name: name.organisational(),
                    parent: zone.name,
                });
            }
            return Ok((zone, round));
        }
        Err(Trouble::Lame { zone: zone.name, servers: zone.servers, failed: Vec::new() })
    }

    fn nearest(&self, name: &Domain) -> Option<Zone> {
        let zones = lock(&self.state.zones);
        let above = zones.values().filter(|zone| name.is_within(&zone.name));
        above.max_by_key(|zone| zone.name.as_str().len()).cloned()
    }

    fn keep(&self, zone: &Zone) {
        lock(&self.state.zones).insert(zone.name.clone(), zone.clone());
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

fn read(round: Round, name: &Domain, zone: Option<Domain>) -> Answer {
    let views: Vec<View> = round
        .said
        .into_iter()
        .map(|(server, message)| {
            let mut view = View { server, found: Vec::new(), cname: None };
            for (owner, found) in message.answers.iter().filter_map(found) {
                match found {
                    _ if owner != *name => {}
                    Found::Cname(target) => view.cname = Some(target),
                    other => view.found.push(other),
                }
            }
            view
        })
        .collect();
    let (found, cname) =
        views.first().map(|view| (view.found.clone(), view.cname.clone())).unwrap_or_default();
    Answer { found, cname, chain: Vec::new(), zone, views, failed: round.failed }
}
