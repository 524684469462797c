//! A small Internet for tests: a resolver with the root, a registry, and the name servers of
//! `example.org`, each with an address of its own at one port. Every server can misbehave.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_net::runtime::{Time, TokioRuntimeProvider};
use hickory_proto::dnssec::crypto::EcdsaSigningKey;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, RRSIG};
use hickory_proto::dnssec::{Algorithm, DigestType, DnssecSigner, SigningKey as _, TrustAnchors};
use hickory_proto::op::{Header, HeaderCounts, Metadata, ResponseCode};
use hickory_proto::rr::{DNSClass, LowerName, Name, RData, Record, RecordType};
use hickory_proto::serialize::txt::Parser;
use hickory_server::Server;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{
    AxfrPolicy, Catalog, MessageResponseBuilder, ZoneHandler, ZoneType,
};
use time::OffsetDateTime;
use tokio::net::{TcpListener, UdpSocket};

use crate::dns::Dns;

/// What every zone begins with.
pub(crate) const HEAD: &str = "$TTL 60\n@ IN SOA ns1 admin 1 60 60 60 60\n";

/// How a server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acts {
    /// As it should.
    Well,
    /// It answers every question with an error code.
    Code(ResponseCode),
    /// It never answers.
    Silent,
    /// It knows no zone, and says so politely.
    Unaware,
    /// Its datagrams are cut off, and it takes no TCP.
    CutOff,
    /// It does not understand EDNS.
    NoEdns,
}

/// What is wrong with the signatures of `example.org`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signing {
    /// Nothing: all is signed.
    Good,
    /// The zone is not signed, and the registry proves that.
    NotBelow,
    /// They ended in 2020.
    Expired,
    /// They fit other records.
    Tampered,
    /// The registry announces a key, but the zone has none.
    NoKey,
    /// The registry announces another key.
    OtherKey,
}

/// A server of `example.org`.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    name: &'static str,
    address: IpAddr,
    records: String,
    acts: Acts,
}

/// What is played.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    hosts: Vec<Host>,
    resolver: Acts,
    registry: Acts,
    registered: bool,
    root: String,
    /// Zones of others, at the registry's server.
    others: Vec<(&'static str, String)>,
    /// Zones at the resolver, as if it had asked for them.
    resolved: Vec<(&'static str, String)>,
    /// Zones at `ns8.provider`.
    elsewhere: Vec<(&'static str, String)>,
    /// A CNAME of `example.org` whose target is this label.
    odd: Option<(&'static str, &'static str)>,
    signing: Option<Signing>,
}

/// `example.org` with these records, at one server.
pub(crate) fn scene(records: &str) -> Scene {
    Scene {
        hosts: vec![host(1, records, Acts::Well)],
        resolver: Acts::Well,
        registry: Acts::Well,
        registered: true,
        root: String::new(),
        others: Vec::new(),
        resolved: Vec::new(),
        elsewhere: Vec::new(),
        odd: None,
        signing: None,
    }
}

fn host(number: u8, records: &str, acts: Acts) -> Host {
    let name = ["ns1.provider", "ns2.provider"][usize::from(number) - 1];
    let address = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2 + number));
    Host { name, address, records: records.to_owned(), acts }
}

impl Scene {
    /// The first server behaves like this.
    pub(crate) fn acts(mut self, acts: Acts) -> Self {
        self.hosts[0].acts = acts;
        self
    }

    /// A second server, with these records.
    pub(crate) fn second(mut self, records: &str, acts: Acts) -> Self {
        self.hosts.push(host(2, records, acts));
        self
    }

    /// The first server has an IPv6 address only.
    pub(crate) fn only_v6(mut self) -> Self {
        self.hosts[0].address = IpAddr::V6(Ipv6Addr::LOCALHOST);
        self
    }

    /// The first server's name has no address.
    pub(crate) fn homeless(mut self) -> Self {
        self.hosts[0].name = "ns1.tpyo";
        self
    }

    pub(crate) fn resolver(mut self, acts: Acts) -> Self {
        self.resolver = acts;
        self
    }

    pub(crate) fn registry(mut self, acts: Acts) -> Self {
        self.registry = acts;
        self
    }

    pub(crate) fn unregistered(mut self) -> Self {
        self.registered = false;
        self
    }

    pub(crate) fn signed(mut self, signing: Signing) -> Self {
        self.signing = Some(signing);
        self
    }

    /// What the resolver knows besides: lines of the root zone.
    pub(crate) fn root(mut self, lines: &str) -> Self {
        self.root.push_str(lines);
        self
    }

    /// A zone that belongs to others, such as `com.`.
    pub(crate) fn other(mut self, origin: &'static str, records: &str) -> Self {
        self.others.push((origin, records.to_owned()));
        self
    }

    /// A zone that the resolver has asked for already.
    pub(crate) fn resolved(mut self, origin: &'static str, records: &str) -> Self {
        self.resolved.push((origin, records.to_owned()));
        self
    }

    /// A zone at `ns8.provider`, a server of its own.
    pub(crate) fn elsewhere(mut self, origin: &'static str, records: &str) -> Self {
        self.elsewhere.push((origin, records.to_owned()));
        self
    }

    /// A CNAME whose target is a label that no zone file takes.
    pub(crate) fn odd(mut self, owner: &'static str, label: &'static str) -> Self {
        self.odd = Some((owner, label));
        self
    }

    /// Starts the servers.
    pub(crate) async fn play(&self) -> Play {
        let keys =
            self.signing.map(|_| [Key::new("."), Key::new("org."), Key::new("example.org.")]);
        let key = |at: usize| keys.as_ref().map(|keys| &keys[at]);
        let mut casts = vec![
            (IpAddr::V4(Ipv4Addr::LOCALHOST), self.resolver, self.resolver_zones(key(0), key(1))),
            (
                IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)),
                self.registry,
                self.registry_zones(key(1), key(2)),
            ),
        ];
        for host in &self.hosts {
            let text = format!("{HEAD}@ IN NS ns1.provider.\n{}\n", host.records);
            let signed = !matches!(self.signing, Some(Signing::NotBelow | Signing::NoKey));
            let odd: Vec<Record> = self.odd.iter().map(|(at, label)| odd(at, label)).collect();
            let zone = zone("example.org.", &text, &odd, key(2).filter(|_| signed), self.signing);
            casts.push((host.address, host.acts, vec![zone]));
        }
        let elsewhere = self.elsewhere.iter().map(|(origin, records)| plain(origin, records));
        let ns8 = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 5));
        casts.push((ns8, Acts::Well, elsewhere.collect()));
        let casts: Vec<_> = casts
            .into_iter()
            .map(|(address, acts, zones)| {
                let mut catalog = Catalog::new();
                for (origin, zone) in zones {
                    catalog.upsert(LowerName::from(origin), vec![zone]);
                }
                (address, Actor { acts, catalog: Arc::new(catalog) })
            })
            .collect();
        let (port, servers) = start(&casts).await;
        let mut anchors = TrustAnchors::empty();
        match key(0) {
            Some(root) => {
                anchors.insert(&root.signer(Duration::from_secs(1)).key().to_public_key().unwrap());
            }
            None => anchors = TrustAnchors::default(),
        }
        let resolver = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
        let dns = Dns::anchored(resolver, port, Duration::from_secs(2), anchors);
        Play { dns, _servers: servers }
    }

    fn resolver_zones(&self, root: Option<&Key>, org: Option<&Key>) -> Vec<Zone> {
        let mut text =
            "$ORIGIN .\n$TTL 60\n. IN SOA a.root. b.root. 1 60 60 60 60\n. IN NS a.root.\n\
            a.root. IN A 127.0.0.1\norg. IN NS ns.registry.\ncom. IN NS ns.registry.\n\
            test. IN NS ns.registry.\nns.registry. IN A 127.0.0.2\n\
            ns8.provider. IN A 127.0.0.5\n"
                .to_owned();
        for host in self.hosts.iter().filter(|host| host.name != "ns1.tpyo") {
            let kind = if host.address.is_ipv6() { "AAAA" } else { "A" };
            let _ = writeln!(text, "{}. IN {kind} {}", host.name, host.address);
        }
        text.push_str(&self.root);
        let ds: Vec<Record> = org.iter().map(|key| key.ds("org.")).collect();
        let resolved = self.resolved.iter().map(|(origin, records)| plain(origin, records));
        std::iter::once(zone(".", &text, &ds, root, None)).chain(resolved).collect()
    }

    fn registry_zones(&self, org: Option<&Key>, example: Option<&Key>) -> Vec<Zone> {
        let mut text = format!("{HEAD}@ IN NS ns.registry.\n");
        for host in self.hosts.iter().filter(|_| self.registered) {
            let _ = writeln!(text, "example IN NS {}.", host.name);
        }
        let ds = match self.signing {
            None | Some(Signing::NotBelow) => None,
            Some(Signing::OtherKey) => Some(Key::new("example.org.").ds("example.org.")),
            Some(_) => example.map(|key| key.ds("example.org.")),
        };
        let ds: Vec<Record> = ds.into_iter().collect();
        let mut zones = vec![zone("org.", &text, &ds, org, None)];
        for (origin, records) in &self.others {
            zones.push(plain(origin, records));
        }
        for origin in ["com.", "test."] {
            if !self.others.iter().any(|(other, _)| *other == origin) {
                zones.push(zone(origin, HEAD, &[], None, None));
            }
        }
        zones
    }
}

/// Servers that end with the test.
pub(crate) struct Play {
    pub(crate) dns: Dns,
    _servers: Vec<Server<Actor>>,
}

type Zone = (Name, Arc<dyn ZoneHandler>);

struct Key {
    pkcs8: Vec<u8>,
    name: Name,
}

impl Key {
    fn new(zone: &str) -> Self {
        let pkcs8 = EcdsaSigningKey::generate_pkcs8(Algorithm::ECDSAP256SHA256).unwrap();
        Self { pkcs8: pkcs8.secret_pkcs8_der().to_vec(), name: Name::from_ascii(zone).unwrap() }
    }

    fn signer(&self, good_for: Duration) -> DnssecSigner {
        let key =
            EcdsaSigningKey::from_pkcs8(&self.pkcs8.as_slice().into(), Algorithm::ECDSAP256SHA256)
                .unwrap();
        let public = DNSKEY::from_key(&key.to_public_key().unwrap());
        DnssecSigner::new(public, Box::new(key), self.name.clone(), good_for)
    }

    fn ds(&self, zone: &str) -> Record {
        let zone = Name::from_ascii(zone).unwrap();
        let key = self.signer(Duration::from_secs(1)).to_dnskey();
        let digest = key.to_digest(&zone, DigestType::SHA256).unwrap();
        let tag = key.calculate_key_tag().unwrap();
        let ds =
            DS::new(tag, Algorithm::ECDSAP256SHA256, DigestType::SHA256, digest.as_ref().to_vec());
        Record::from_rdata(zone, 60, RData::DNSSEC(DNSSECRData::DS(ds)))
    }
}

fn zone(
    origin: &str,
    text: &str,
    more: &[Record],
    key: Option<&Key>,
    signing: Option<Signing>,
) -> Zone {
    let origin = Name::from_ascii(origin).unwrap();
    let (_, records) = Parser::new(text.to_owned(), None, Some(origin.clone()))
        .parse()
        .unwrap_or_else(|error| panic!("{error}: {text}"));
    let mut zone = InMemoryZoneHandler::<TokioRuntimeProvider>::new(
        origin.clone(),
        records,
        ZoneType::Primary,
        AxfrPolicy::Deny,
        key.map(|_| hickory_server::dnssec::NxProofKind::Nsec),
    )
    .unwrap();
    for record in more {
        zone.upsert_mut(record.clone(), 1);
    }
    if let Some(key) = key {
        zone.add_zone_signing_key_mut(key.signer(Duration::from_hours(240))).unwrap();
        zone.secure_zone_mut().unwrap();
        damage(&mut zone, key, signing);
    }
    (origin, Arc::new(zone))
}

/// A zone without signatures.
fn plain(origin: &str, records: &str) -> Zone {
    zone(origin, &format!("{HEAD}{records}\n"), &[], None, None)
}

/// A CNAME in `example.org` to a single label.
fn odd(owner: &str, label: &str) -> Record {
    let owner = Name::from_ascii(format!("{owner}.example.org.")).unwrap();
    let target = Name::from_labels([label.as_bytes()]).unwrap();
    Record::from_rdata(owner, 60, RData::CNAME(hickory_proto::rr::rdata::CNAME(target)))
}

/// Spoils the signatures.
fn damage(
    zone: &mut InMemoryZoneHandler<TokioRuntimeProvider>,
    key: &Key,
    signing: Option<Signing>,
) {
    let old = OffsetDateTime::from_unix_timestamp(1_577_836_800).unwrap();
    let signer = key.signer(Duration::from_hours(240));
    for set in zone.records_get_mut().values_mut() {
        let set = Arc::make_mut(set);
        let Ok(signature) = RRSIG::from_rrset(set, DNSClass::IN, old, &signer) else { continue };
        let signature = match signing {
            Some(Signing::Expired) => signature,
            Some(Signing::Tampered) if set.record_type() != RecordType::DNSKEY => {
                #[expect(clippy::disallowed_methods, reason = "signatures hold at a time")]
                let now = RRSIG::from_rrset(set, DNSClass::IN, OffsetDateTime::now_utc(), &signer);
                RRSIG::from_sig(now.unwrap().input().clone(), vec![7; 64])
            }
            _ => continue,
        };
        set.clear_rrsigs();
        let data = RData::DNSSEC(DNSSECRData::RRSIG(signature));
        set.insert_rrsig(Record::from_rdata(set.name().clone(), set.ttl(), data));
    }
}

/// One port at all addresses.
async fn start(casts: &[(IpAddr, Actor)]) -> (u16, Vec<Server<Actor>>) {
    'port: loop {
        let first = UdpSocket::bind((casts[0].0, 0)).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let mut sockets = vec![first];
        for (address, _) in &casts[1..] {
            match UdpSocket::bind(SocketAddr::new(*address, port)).await {
                Ok(socket) => sockets.push(socket),
                Err(_) => continue 'port,
            }
        }
        let mut servers = Vec::new();
        for (socket, (address, actor)) in sockets.into_iter().zip(casts) {
            let mut server = Server::new(actor.clone());
            server.register_socket(socket);
            if actor.acts != Acts::CutOff {
                let at = SocketAddr::new(*address, port);
                let Ok(listener) = TcpListener::bind(at).await else { continue 'port };
                server.register_listener(listener, Duration::from_secs(5), 4096);
            }
            servers.push(server);
        }
        return (port, servers);
    }
}

/// A server that behaves as it is told.
#[derive(Clone)]
struct Actor {
    acts: Acts,
    catalog: Arc<Catalog>,
}

#[async_trait::async_trait]
impl RequestHandler for Actor {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut responses: R,
    ) -> ResponseInfo {
        let mut metadata = Metadata::response_from_request(&request.metadata);
        match self.acts {
            Acts::Well => return self.catalog.handle_request::<R, T>(request, responses).await,
            Acts::NoEdns if request.edns.is_none() => {
                return self.catalog.handle_request::<R, T>(request, responses).await;
            }
            Acts::Silent => {
                return ResponseInfo::from(Header { metadata, counts: HeaderCounts::default() });
            }
            Acts::Code(code) => metadata.response_code = code,
            Acts::NoEdns => metadata.response_code = ResponseCode::FormErr,
            Acts::CutOff => (metadata.truncation, metadata.authoritative) = (true, true),
            Acts::Unaware => {}
        }
        let response = MessageResponseBuilder::from_message_request(request);
        responses.send_response(response.build_no_records(metadata)).await.unwrap()
    }
}
