//! Whether a zone's signatures hold, by hickory's validator: it walks from the root's key down to
//! the record, and this module fetches what it needs from the zones' own servers.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures_util::stream::{Stream, once};
use hickory_net::dnssec::DnssecDnsHandle;
use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::xfer::{DnsHandle, FirstAnswer as _};
use hickory_net::{DnsError, NetError};
use hickory_proto::dnssec::Proof;
use hickory_proto::dnssec::rdata::DNSSECRData;
use hickory_proto::op::{DnsRequest, DnsRequestOptions, DnsResponse, Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use time::OffsetDateTime;

use super::{Dns, Kind, Question, Reason, Server, TRIES, ask, code, lock};
use crate::name::Domain;

/// How a record is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// The zone is not signed, and the zones above it prove that.
    No,
    /// Every signature from the root down to the record holds.
    Yes,
    /// The signature of a record in the zone is too old.
    Expired {
        /// The zone.
        zone: Domain,
        /// The last day that it was good on, as `2026-10-31`.
        until: String,
    },
    /// The parent zone announces a key that the zone does not have.
    NoKey {
        /// The zone.
        zone: Domain,
    },
    /// The signatures don't hold.
    Broken {
        /// The zone.
        zone: Domain,
    },
    /// It could not be checked.
    Unknown(String),
}

impl Dns {
    /// Whether the record at a name, or its absence, is signed as the zones above demand.
    pub(super) async fn signed(&self, name: &Domain, kind: Kind) -> Signed {
        let Ok(question) = Question::new(std::net::Ipv4Addr::LOCALHOST.into(), name, kind) else {
            return Signed::Unknown("the name can't be asked for".into());
        };
        let walker = Walker { dns: self.clone(), notes: Arc::default() };
        let notes = Arc::clone(&walker.notes);
        // A resolver that takes signatures away would make every zone look broken.
        if walker.fetch(&Name::root(), RecordType::DNSKEY).await.is_err() {
            let failed = lock(&notes).failed.clone();
            return Signed::Unknown(failed.unwrap_or_default());
        }
        let anchors = Arc::clone(&self.state.anchors);
        let handle = DnssecDnsHandle::with_trust_anchor(walker, anchors);
        let mut options = DnsRequestOptions::default();
        options.edns_set_dnssec_ok = true;
        let query = Query::query(question.name, question.kind);
        let said = handle.lookup(query, options).first_answer().await;
        let (proof, absent) = match said {
            Ok(response) => (worst(&response), response.answers.is_empty()),
            Err(NetError::Dns(DnsError::Nsec { proof, .. })) => (proof, true),
            Err(error) => return Signed::Unknown(error.to_string()),
        };
        let notes = lock(&notes);
        // What was not fetched proves nothing, whatever the validator makes of the gap.
        if let Some(failed) = &notes.failed {
            return Signed::Unknown(failed.clone());
        }
        match proof {
            Proof::Secure => Signed::Yes,
            Proof::Insecure => Signed::No,
            Proof::Indeterminate => Signed::Unknown("the chain of signatures is incomplete".into()),
            Proof::Bogus => match notes.broken(name) {
                // Validators differ in what they take as a proof that there is no record.
                Signed::Broken { .. } if absent => {
                    Signed::Unknown("the proof that there is no record was not understood".into())
                }
                broken => broken,
            },
        }
    }
}

/// The weakest proof in a response.
fn worst(response: &Message) -> Proof {
    let answers = response.answers.iter().chain(&response.authorities);
    let proofs: Vec<Proof> = answers
        .filter(|record| record.record_type() != RecordType::RRSIG)
        .map(|record| record.proof)
        .collect();
    let order = [Proof::Bogus, Proof::Indeterminate, Proof::Insecure];
    let weakest = order.into_iter().find(|proof| proofs.contains(proof));
    // An answer without any record can't be proven, nor can it be broken.
    weakest.unwrap_or(if proofs.is_empty() { Proof::Insecure } else { Proof::Secure })
}

/// What was seen on the way.
#[derive(Debug, Default)]
struct Notes {
    failed: Option<String>,
    /// Zones whose parent announces a key.
    announced: BTreeSet<Domain>,
    /// Zones that have keys.
    keys: BTreeSet<Domain>,
    /// The zone and the last second of signatures that are too old.
    expired: Option<(Domain, u32)>,
}

impl Notes {
    fn broken(&self, name: &Domain) -> Signed {
        if let Some((zone, until)) = &self.expired {
            let at = OffsetDateTime::from_unix_timestamp(i64::from(*until));
            let until = at.map_or_else(|_| until.to_string(), |at| at.date().to_string());
            return Signed::Expired { zone: zone.clone(), until };
        }
        let deepest = |zones: &BTreeSet<Domain>| {
            zones
                .iter()
                .filter(|zone| name.is_within(zone))
                .max_by_key(|zone| zone.as_str().len())
                .cloned()
        };
        let announced = deepest(&self.announced);
        if let Some(zone) = announced.clone().filter(|zone| !self.keys.contains(zone)) {
            return Signed::NoKey { zone };
        }
        let zone =
            announced.or_else(|| deepest(&self.keys)).unwrap_or_else(|| name.organisational());
        Signed::Broken { zone }
    }

    fn see(&mut self, message: &Message) {
        #[expect(clippy::disallowed_methods, reason = "signatures hold at a time (RFC 4035)")]
        let now = u32::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or(u32::MAX);
        for record in message.answers.iter().chain(&message.authorities) {
            let (RData::DNSSEC(data), Ok(owner)) =
                (&record.data, Domain::parse(&record.name.to_ascii()))
            else {
                continue;
            };
            match data {
                DNSSECRData::DS(_) => {
                    self.announced.insert(owner);
                }
                DNSSECRData::DNSKEY(_) => {
                    self.keys.insert(owner);
                }
                DNSSECRData::RRSIG(signature) => {
                    let input = signature.input();
                    let until = input.sig_expiration.get();
                    if until < now
                        && let Ok(zone) = Domain::parse(&input.signer_name.to_ascii())
                    {
                        self.expired = Some((zone, until));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Fetches what the validator asks for.
#[derive(Clone)]
struct Walker {
    dns: Dns,
    notes: Arc<Mutex<Notes>>,
}

impl DnsHandle for Walker {
    type Response = Pin<Box<dyn Stream<Item = Result<DnsResponse, NetError>> + Send>>;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, request: DnsRequest) -> Self::Response {
        let walker = self.clone();
        let query = request.queries.first().cloned();
        Box::pin(once(async move {
            let query = query.ok_or_else(|| NetError::from("a request without a question"))?;
            let message = walker.fetch(&query.name, query.query_type).await?;
            let message = message.into_response();
            DnsResponse::from_message(message).map_err(NetError::from)
        }))
    }
}

impl Walker {
    async fn fetch(&self, name: &Name, kind: RecordType) -> Result<Message, NetError> {
        let key = (name.to_ascii().to_ascii_lowercase(), u16::from(kind));
        let kept = lock(&self.dns.state.proofs).get(&key).cloned();
        let message = match kept {
            Some(message) => message,
            None => match self.ask(name, kind).await {
                Ok(message) => {
                    lock(&self.dns.state.proofs).insert(key, message.clone());
                    message
                }
                Err(reason) => {
                    lock(&self.notes).failed.get_or_insert_with(|| reason.clone());
                    return Err(NetError::from(reason));
                }
            },
        };
        lock(&self.notes).see(&message);
        Ok(message)
    }

    async fn ask(&self, name: &Name, kind: RecordType) -> Result<Message, String> {
        // A DS record is in the zone above the one that it is about (RFC 4035, section 3.1.4.1).
        let from = if kind == RecordType::DS { name.base_name() } else { name.clone() };
        let endpoints: Vec<(Server, bool)> = if from.is_root() {
            let resolvers = self.dns.state.resolvers.iter();
            resolvers.map(|at| (Server { name: None, address: Some(*at) }, true)).collect()
        } else {
            let from = Domain::parse(&from.to_ascii()).map_err(|error| error.to_string())?;
            let zone = self.dns.zone(&from).await.map_err(|error| error.to_string())?;
            let own = |(name, at): (Domain, std::net::IpAddr)| {
                (Server { name: Some(name), address: Some(at) }, false)
            };
            zone.endpoints.into_iter().map(own).collect()
        };
        let mut reasons = Vec::new();
        for (server, recursion) in endpoints.into_iter().take(TRIES) {
            let Some(address) = server.address else { continue };
            let question =
                Question { server: address, name: name.clone(), kind, recursion, signed: true };
            match self.one(&question).await {
                Ok(message) => return Ok(message),
                Err(reason) => reasons.push(format!("{kind} {name} at {server}: {reason}")),
            }
        }
        Err(if reasons.is_empty() { "no server to ask".into() } else { reasons.join("; ") })
    }

    async fn one(&self, question: &Question) -> Result<Message, Reason> {
        let message = ask(question, self.dns.state.port, self.dns.state.patience).await?;
        match message.metadata.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => {}
            other => return Err(Reason::Code(code(other))),
        }
        let all = message.answers.iter().chain(&message.authorities);
        let signed = all.into_iter().any(|record| record.record_type() == RecordType::RRSIG);
        if question.recursion && !signed {
            return Err(Reason::Garbled("without signatures".into()));
        }
        Ok(message)
    }
}
