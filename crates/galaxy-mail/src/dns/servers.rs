//! Asking the servers of a zone, and finding out which they are.

use std::net::IpAddr;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;
use tokio::task::JoinSet;

use super::{
    Dns, Failed, Found, Kind, Question, Reason, Round, Server, TRIES, Trouble, Zone, ask, code,
    found, knows, lock, referral,
};
use crate::name::Domain;

/// A server with its answer.
type Said = (Server, Result<Message, Reason>);

impl Round {
    fn add(&mut self, all: Vec<Said>) {
        for (server, said) in all {
            match said {
                Ok(message) => self.said.push((server, message)),
                Err(reason) => self.failed.push(Failed { server, reason }),
            }
        }
        self.said.sort_by(|(one, _), (other, _)| one.cmp(other));
        self.failed.sort();
        // A machine without IPv6 says nothing about a server that answers over IPv4.
        let said: Vec<Server> = self.said.iter().map(|(server, _)| server.clone()).collect();
        self.failed.retain(|failed| {
            let answers = said.iter().any(|server| server.name == failed.server.name);
            !(matches!(failed.reason, Reason::Unreachable(_)) && answers)
        });
    }
}

impl Dns {
    /// Asks the servers of a zone: one after the other until one knows, and where that is the
    /// answer and no referral, all others as well.
    pub(super) async fn ask_zone(
        &self,
        zone: &Zone,
        name: &Domain,
        kind: Kind,
    ) -> Result<Round, Trouble> {
        let mut round = Round { said: Vec::new(), failed: zone.homeless.clone() };
        let mut rest = zone.endpoints.iter().cloned();
        for (server, address) in rest.by_ref() {
            let said = self.ask_server(&zone.name, address, name, kind).await;
            let server = Server { name: Some(server), address: Some(address) };
            match said {
                Ok(message) => {
                    round.said.push((server, message));
                    break;
                }
                Err(reason) => round.failed.push(Failed { server, reason }),
            }
        }
        let is_referral =
            round.said.iter().any(|(_, message)| referral(message, &zone.name, name).is_some());
        if !is_referral {
            let said = self.ask_all(zone, rest.collect(), name, kind).await;
            round.add(said);
        }
        if round.said.is_empty() {
            let failed = round.failed;
            let lame = !failed.is_empty() && failed.iter().all(|one| one.reason.is_lame());
            let (zone, servers) = (zone.name.clone(), zone.servers.clone());
            return Err(if lame {
                Trouble::Lame { zone, servers, failed }
            } else {
                Trouble::Failed { servers: failed }
            });
        }
        Ok(round)
    }

    /// At once, so that one slow server does not add to another.
    async fn ask_all(
        &self,
        zone: &Zone,
        endpoints: Vec<(Domain, IpAddr)>,
        name: &Domain,
        kind: Kind,
    ) -> Vec<Said> {
        let mut tasks = JoinSet::new();
        for (server, address) in endpoints {
            let (dns, zone, name) = (self.clone(), zone.name.clone(), name.clone());
            tasks.spawn(async move {
                let said = dns.ask_server(&zone, address, &name, kind).await;
                (Server { name: Some(server), address: Some(address) }, said)
            });
        }
        let mut all = Vec::new();
        while let Some(done) = tasks.join_next().await {
            all.extend(done);
        }
        all
    }

    async fn ask_server(
        &self,
        zone: &Domain,
        address: IpAddr,
        name: &Domain,
        kind: Kind,
    ) -> Result<Message, Reason> {
        if let Some(before) = lock(&self.state.silent).get(&address) {
            return Err(before.clone());
        }
        let question = Question::new(address, name, kind)?;
        let message = self.send(&question).await?;
        if knows(&message, zone, name) {
            return Ok(message);
        }
        Err(match message.metadata.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => Reason::NotAuthoritative,
            other => Reason::Code(code(other)),
        })
    }

    /// Asks, and remembers a server that can't be reached.
    async fn send(&self, question: &Question) -> Result<Message, Reason> {
        let said = ask(question, self.state.port, self.state.patience).await;
        if let Err(reason) = &said
            && reason.is_silence()
        {
            lock(&self.state.silent).insert(question.server, reason.clone());
        }
        said
    }

    /// The servers of the top-level domain, which a resolver knows.
    pub(super) async fn top(&self, name: &Domain) -> Result<Zone, Trouble> {
        let label = name.labels().next_back().unwrap_or_default();
        let top = Domain::parse(label).unwrap_or_else(|_| name.clone());
        let (server, message) = self.resolve(&top, Kind::Ns).await?;
        let servers: Vec<Domain> = message
            .answers
            .iter()
            .filter_map(found)
            .filter_map(
                |(_, found)| if let Found::Ns(server) = found { Some(server) } else { None },
            )
            .collect();
        if servers.is_empty() {
            // A "no" about a whole top-level domain comes from the root, unless the resolver keeps
            // people in, as in a hotel.
            if message.metadata.response_code == ResponseCode::NXDomain {
                let parent = Domain::parse("root").unwrap_or_else(|_| top.clone());
                return Err(Trouble::Undelegated { name: top, parent });
            }
            let reason = Reason::Garbled(format!("no name servers for `{top}`"));
            return Err(Trouble::Failed { servers: vec![Failed { server, reason }] });
        }
        let zone = self.delegated(top, servers, &message).await;
        self.keep(&zone);
        Ok(zone)
    }

    /// A zone with the addresses of its servers, IPv4 and IPv6: those that came along, else those
    /// that a resolver knows.
    pub(super) async fn delegated(
        &self,
        name: Domain,
        servers: Vec<Domain>,
        message: &Message,
    ) -> Zone {
        let mut endpoints: Vec<(Domain, IpAddr)> = message
            .additionals
            .iter()
            .filter_map(found)
            .filter(|(owner, _)| servers.contains(owner))
            .filter_map(|(owner, found)| match found {
                Found::Address(at) => Some((owner, at)),
                _ => None,
            })
            .collect();
        let mut homeless = Vec::new();
        for server in &servers {
            if endpoints.iter().any(|(name, _)| name == server) {
                continue;
            }
            let mut reason = Reason::NoAddress;
            for kind in [Kind::A, Kind::Aaaa] {
                match self.resolve(server, kind).await {
                    Ok((_, message)) => {
                        endpoints.extend(addresses_in(&message).map(|at| (server.clone(), at)));
                    }
                    Err(Trouble::Failed { servers }) => {
                        reason = Reason::Unreachable(format!(
                            "its address {}",
                            Trouble::Failed { servers }
                        ));
                    }
                    Err(other) => reason = Reason::Unreachable(other.to_string()),
                }
            }
            if !endpoints.iter().any(|(name, _)| name == server) {
                let server = Server { name: Some(server.clone()), address: None };
                homeless.push(Failed { server, reason });
            }
        }
        // Many networks still have no IPv6.
        endpoints.sort_by_key(|(_, address)| address.is_ipv6());
        endpoints.dedup();
        Zone { name, servers, endpoints, homeless }
    }

    /// A resolver's answer. An error code is no answer.
    pub(super) async fn resolve(
        &self,
        name: &Domain,
        kind: Kind,
    ) -> Result<(Server, Message), Trouble> {
        let mut failed = Vec::new();
        for address in self.state.resolvers.iter().take(TRIES) {
            let server = Server { name: None, address: Some(*address) };
            let said = match Question::new(*address, name, kind) {
                Ok(question) => {
                    let question = Question { recursion: true, ..question };
                    ask(&question, self.state.port, self.state.patience).await
                }
                Err(reason) => Err(reason),
            };
            let reason = match said {
                Ok(message) if is_passed_on(&message) => {
                    Reason::Garbled("it leads to other servers instead of asking them".into())
                }
                Ok(message) => match message.metadata.response_code {
                    ResponseCode::NoError | ResponseCode::NXDomain => return Ok((server, message)),
                    other => Reason::Code(code(other)),
                },
                Err(reason) => reason,
            };
            failed.push(Failed { server, reason });
        }
        if failed.is_empty() {
            return Err(Trouble::NoResolver("none is configured".into()));
        }
        Err(Trouble::Failed { servers: failed })
    }
}

/// Whether a resolver did not do its work: a referral is no answer.
fn is_passed_on(message: &Message) -> bool {
    let has = |kind| message.authorities.iter().any(|record| record.record_type() == kind);
    message.answers.is_empty() && has(RecordType::NS) && !has(RecordType::SOA)
}

fn addresses_in(message: &Message) -> impl Iterator<Item = IpAddr> {
    message.answers.iter().filter_map(found).filter_map(|(_, found)| match found {
        Found::Address(at) => Some(at),
        _ => None,
    })
}
