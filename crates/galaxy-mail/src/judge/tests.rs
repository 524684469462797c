//! Zones, good and bad, on name servers of the tests' own: one that plays a resolver with the
//! root, one for `org`, two for the zone. They have addresses of their own and share a port.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use hickory_net::runtime::TokioRuntimeProvider;
use hickory_proto::rr::{LowerName, Name};
use hickory_proto::serialize::txt::Parser;
use hickory_server::Server;
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneHandler, ZoneType};
use tokio::net::{TcpListener, UdpSocket};

use super::{Hosted, Mistake, State, judge};
use crate::dns::{Dns, Trouble, Via};
use crate::records::tests::{everything, name};
use crate::records::{Data, Purpose, Wanted, Zones};

/// What every zone here begins with.
const HEAD: &str = "$TTL 60\n@ IN SOA ns1 admin 1 60 60 60 60\n";
/// The root, with the name servers' addresses, so that the resolver knows them.
const ROOT: &str = "$ORIGIN .\n$TTL 60\n. IN SOA a.root. b.root. 1 60 60 60 60\n\
    org. IN NS ns.registry.\nns.registry. IN A 127.0.0.2\nns1.provider. IN A 127.0.0.3\n\
    old.provider. IN A 127.0.0.4\n";
/// The registry: who has registered what.
const ORG: &str = "$ORIGIN org.\n$TTL 60\n@ IN SOA ns.registry. b.root. 1 60 60 60 60\n\
    @ IN NS ns.registry.\nexample IN NS ns1.provider.\nlame IN NS old.provider.\n";

type Zone = (&'static str, String);

/// Servers that end with the test.
struct World {
    port: u16,
    _servers: Vec<Server<Catalog>>,
}

fn catalog(zones: &[Zone]) -> Catalog {
    let mut catalog = Catalog::new();
    for (origin, text) in zones {
        let origin = Name::from_ascii(origin).unwrap();
        let (_, records) = Parser::new(text.clone(), None, Some(origin.clone())).parse().unwrap();
        let zone = InMemoryZoneHandler::<TokioRuntimeProvider>::new(
            origin.clone(),
            records,
            ZoneType::Primary,
            AxfrPolicy::Deny,
        )
        .unwrap();
        let handlers: Vec<Arc<dyn ZoneHandler>> = vec![Arc::new(zone)];
        catalog.upsert(LowerName::from(origin), handlers);
    }
    catalog
}

/// Starts the four servers at one port of four loopback addresses.
async fn world(resolver: &[Zone], provider: &[Zone], old: &[Zone]) -> World {
    let zones =
        [resolver.to_vec(), vec![("org.", ORG.to_owned())], provider.to_vec(), old.to_vec()];
    'port: loop {
        let first = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = first.local_addr().unwrap().port();
        let mut sockets = vec![first];
        for last in 2..=4 {
            match UdpSocket::bind((Ipv4Addr::new(127, 0, 0, last), port)).await {
                Ok(socket) => sockets.push(socket),
                Err(_) => continue 'port,
            }
        }
        let mut servers = Vec::new();
        for (socket, zones) in sockets.into_iter().zip(&zones) {
            let address = socket.local_addr().unwrap();
            let Ok(listener) = TcpListener::bind(address).await else { continue 'port };
            let mut server = Server::new(catalog(zones));
            server.register_socket(socket);
            server.register_listener(listener, Duration::from_secs(5), 4096);
            servers.push(server);
        }
        return World { port, _servers: servers };
    }
}

/// A world in which the zone `example.org` says this.
async fn with_zone(records: &str) -> World {
    world(
        &[(".", ROOT.to_owned())],
        &[("example.org.", format!("{HEAD}@ IN NS ns1.provider.\n{records}\n"))],
        &[],
    )
    .await
}

impl World {
    fn dns(&self) -> Dns {
        let resolver = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Dns::new(vec![resolver], self.port, Duration::from_secs(2))
    }

    async fn judge(&self, wanted: &Wanted) -> State {
        judge(wanted, &self.dns().look(wanted).await, None)
    }
}

fn wanted(purpose: Purpose, at: &str, data: Data) -> Wanted {
    Wanted { purpose, name: name(at), data }
}

fn dkim() -> Wanted {
    wanted(Purpose::Dkim, "tok._domainkey.example.org", Data::Cname(name("tok.dkim.test")))
}

fn mx() -> Wanted {
    let host = name("feedback-smtp.eu-central-1.amazonses.com");
    wanted(Purpose::MailFrom, "bounce.example.org", Data::Mx(10, host))
}

fn spf() -> Wanted {
    let text = "v=spf1 include:amazonses.com ~all".into();
    wanted(Purpose::Spf, "bounce.example.org", Data::Txt(text))
}

fn dmarc() -> Wanted {
    wanted(Purpose::Dmarc, "_dmarc.mail.example.org", Data::Txt("v=DMARC1; p=none;".into()))
}

fn certificate() -> Wanted {
    let data = Data::Cname(name("_9c2.acm-validations.test"));
    wanted(Purpose::Certificate, "_3f1.duck.example.org", data)
}

fn alias() -> Wanted {
    wanted(Purpose::Site, "example.org", Data::Alias(name("d111.example.org")))
}

#[tokio::test]
async fn a_zone_made_from_the_zone_file_is_right() {
    let zones = Zones::default();
    let domains = crate::records::Domains {
        mail: everything().mail,
        fronts: everything().fronts.into_iter().skip(1).take(1).collect(),
    };
    let wanted = domains.wanted(&zones).unwrap();
    let text = crate::sheet::zone_file(&wanted, &zones);
    let world = with_zone(&text).await;
    for record in &wanted {
        // What SES includes is not in this world; whoever follows it finds nothing.
        if record.purpose != Purpose::Spf {
            assert_eq!(world.judge(record).await, State::Right, "{record:?}");
        }
    }
}

#[tokio::test]
async fn the_zones_own_servers_are_asked() {
    let world = with_zone("tok._domainkey IN CNAME tok.dkim.test.").await;
    let looked = world.dns().look(&dkim()).await;
    assert_eq!(looked.answer.unwrap().via, Via::Zone(name("example.org")));
    assert_eq!(looked.zone.unwrap().servers, [name("ns1.provider")]);
}

#[tokio::test]
async fn nothing_there_is_missing() {
    let world = with_zone("www IN A 192.0.2.1").await;
    for record in [dkim(), mx(), spf(), dmarc(), certificate(), alias()] {
        assert_eq!(world.judge(&record).await, State::Missing, "{record:?}");
    }
}

#[tokio::test]
async fn another_value_is_told() {
    let world = with_zone(
        "tok._domainkey IN CNAME old.dkim.test.\nbounce IN MX 10 mx.other.test.\n\
         bounce IN TXT \"v=spf1 -all\"",
    )
    .await;
    let is = |text: &str| State::Wrong(Mistake::Different(vec![text.into()]));
    assert_eq!(world.judge(&dkim()).await, is("old.dkim.test"));
    assert_eq!(world.judge(&mx()).await, is("10 mx.other.test"));
    assert_eq!(world.judge(&spf()).await, is("v=spf1 -all"));
}

#[tokio::test]
async fn the_zone_appended_twice() {
    let world = with_zone(
        "tok._domainkey.example.org IN CNAME tok.dkim.test.\n\
         bounce.example.org IN MX 10 feedback-smtp.eu-central-1.amazonses.com.\n\
         bounce.example.org IN TXT \"v=spf1 include:amazonses.com ~all\"",
    )
    .await;
    for (record, at) in [
        (dkim(), "tok._domainkey.example.org.example.org"),
        (mx(), "bounce.example.org.example.org"),
        (spf(), "bounce.example.org.example.org"),
    ] {
        assert_eq!(world.judge(&record).await, State::Wrong(Mistake::NameTwice(name(at))));
    }
    let value = with_zone("tok._domainkey IN CNAME tok.dkim.test").await;
    let twice = Mistake::ValueTwice(name("tok.dkim.test.example.org"));
    assert_eq!(value.judge(&dkim()).await, State::Wrong(twice));
}

#[tokio::test]
async fn a_zone_that_nobody_is_led_to() {
    let world = with_zone("tok._domainkey IN CNAME tok.dkim.test.").await;
    let looked = world.dns().look(&dkim()).await;
    let ours = hosted("example.org", &["ns-1.awsdns-01.org", "ns-2.awsdns-02.net"]);
    let wrong = Mistake::WrongZone {
        zone: name("example.org"),
        is: vec![name("ns1.provider")],
        should: ours.servers.clone(),
    };
    assert_eq!(judge(&dkim(), &looked, Some(&ours)), State::Wrong(wrong));
    let theirs = hosted("example.org", &["ns1.provider", "ns-2.awsdns-02.net"]);
    assert_eq!(judge(&dkim(), &looked, Some(&theirs)), State::Right);
}

fn hosted(zone: &str, servers: &[&str]) -> Hosted {
    Hosted { zone: name(zone), servers: servers.iter().map(|server| name(server)).collect() }
}

#[tokio::test]
async fn a_zone_below_another_one_that_does_not_lead_to_it() {
    let world = with_zone("tok._domainkey IN CNAME tok.dkim.test.").await;
    let looked = world.dns().look(&dkim()).await;
    let below = hosted("_domainkey.example.org", &["ns-1.awsdns-01.org"]);
    let not_led = Mistake::NotLed {
        zone: below.zone.clone(),
        parent: name("example.org"),
        should: below.servers.clone(),
    };
    assert_eq!(judge(&dkim(), &looked, Some(&below)), State::Wrong(not_led));
    // Nor is it a mistake that a zone further down is kept elsewhere.
    let above = hosted("org", &["ns-1.awsdns-01.org"]);
    assert_eq!(judge(&dkim(), &looked, Some(&above)), State::Right);
}

#[tokio::test]
async fn a_delegation_to_servers_that_know_nothing() {
    let world = with_zone("").await;
    let record = wanted(Purpose::Dkim, "x.lame.org", Data::Cname(name("x.dkim.test")));
    let (zone, servers) = (name("lame.org"), vec![name("old.provider")]);
    let lame = Mistake::Delegation(Trouble::Lame { zone: zone.clone(), servers: servers.clone() });
    assert_eq!(world.judge(&record).await, State::Wrong(lame));
    // Whoever knows where the zone is now says so.
    let now = hosted("lame.org", &["ns-1.awsdns-01.org"]);
    let looked = world.dns().look(&record).await;
    let old = Mistake::WrongZone { zone, is: servers, should: now.servers.clone() };
    assert_eq!(judge(&record, &looked, Some(&now)), State::Wrong(old));
}

#[tokio::test]
async fn a_domain_that_nobody_registered() {
    let world = with_zone("").await;
    let record = wanted(Purpose::Dkim, "x.exmaple.org", Data::Cname(name("x.dkim.test")));
    let nobody = Mistake::Delegation(Trouble::Undelegated { name: name("exmaple.org") });
    assert_eq!(world.judge(&record).await, State::Wrong(nobody));
    // Whoever already has a zone for it is told its servers.
    let ready = hosted("exmaple.org", &["ns-1.awsdns-01.org"]);
    let looked = world.dns().look(&record).await;
    let State::Wrong(told) = judge(&record, &looked, Some(&ready)) else { panic!("it is wrong") };
    assert!(told.to_string().contains("no name servers"), "{told}");
    assert_eq!(told.should(&record), "delegated to ns-1.awsdns-01.org");
}

#[tokio::test]
async fn a_delegated_subdomain_is_asked_at_its_own_servers() {
    let zones =
        [("example.org.", format!("{HEAD}@ IN NS ns1.provider.\nduck IN NS old.provider.\n"))];
    let below =
        [("duck.example.org.", format!("{HEAD}_3f1 IN CNAME _9c2.acm-validations.test.\n"))];
    let world = world(&[(".", ROOT.to_owned())], &zones, &below).await;
    let looked = world.dns().look(&certificate()).await;
    assert_eq!(looked.zone.as_ref().unwrap().name, name("duck.example.org"));
    assert_eq!(judge(&certificate(), &looked, None), State::Right);
}

#[tokio::test]
async fn a_second_spf_record() {
    let world = with_zone(
        "bounce IN TXT \"v=spf1 include:amazonses.com ~all\"\nbounce IN TXT \"v=spf1 mx -all\"",
    )
    .await;
    assert_eq!(world.judge(&spf()).await, State::Wrong(Mistake::SecondSpf(2)));
}

#[tokio::test]
async fn spf_that_allows_others_too_is_fine_and_eleven_look_ups_are_not() {
    let zone = |spf: &str| {
        [("example.org.", format!("{HEAD}@ IN NS ns1.provider.\nbounce IN TXT \"{spf}\"\n"))]
    };
    // Nobody listens where the servers of `com` should be, so the resolver is asked.
    let nowhere = "com. IN NS ns.nowhere.\nns.nowhere. IN A 127.0.0.9\n";
    let root = [
        (".", format!("{ROOT}{nowhere}")),
        ("amazonses.com.", format!("{HEAD}@ IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n")),
    ];
    let fine = world(&root, &zone("v=spf1 a include:amazonses.com ~all"), &[]).await;
    assert_eq!(fine.judge(&spf()).await, State::Right);
    let many = format!("v=spf1{} include:amazonses.com ~all", " a".repeat(10));
    let many = world(&root, &zone(&many), &[]).await;
    let problem = crate::spf::Problem::TooMany { at: name("bounce.example.org") };
    assert_eq!(many.judge(&spf()).await, State::Wrong(Mistake::Spf(problem)));
}

#[tokio::test]
async fn exactly_one_mail_server() {
    let world = with_zone(
        "bounce IN MX 10 feedback-smtp.eu-central-1.amazonses.com.\nbounce IN MX 20 mx.other.test.",
    )
    .await;
    let State::Wrong(Mistake::ExtraMx(is)) = world.judge(&mx()).await else { panic!() };
    assert_eq!(is.len(), 2);
}

#[tokio::test]
async fn dmarc_at_the_organisational_domain_counts() {
    let world = with_zone("_dmarc IN TXT \"v=DMARC1; p=reject\"").await;
    assert_eq!(world.judge(&dmarc()).await, State::Right);
    let two = with_zone("_dmarc IN TXT \"v=DMARC1; p=reject\"\n_dmarc IN TXT \"v=DMARC1;p=none\"");
    let several = Mistake::SecondDmarc(name("example.org"));
    assert_eq!(two.await.judge(&dmarc()).await, State::Wrong(several));
    let broken = with_zone("_dmarc.mail IN TXT \"v=DMARC1; p=everything\"").await;
    let wrong = Mistake::Dmarc(name("mail.example.org"), crate::dmarc::Wrong::NoPolicy);
    assert_eq!(broken.judge(&dmarc()).await, State::Wrong(wrong));
}

/// RFC 8659, sections 3 and 4.
#[tokio::test]
async fn caa_that_forbids_amazon() {
    let record = "_3f1.duck IN CNAME _9c2.acm-validations.test.\n";
    for (caa, allows) in [
        ("@ IN CAA 0 issue \"letsencrypt.org\"", Some(vec!["letsencrypt.org"])),
        ("@ IN CAA 0 issue \";\"", Some(vec![])),
        ("duck IN CAA 0 issue \"amazontrust.com; account=1\"", None),
        // The nearer one counts.
        ("@ IN CAA 0 issue \"ca.test\"\nduck IN CAA 0 issue \"amazon.com\"", None),
        // Only about wildcards.
        ("@ IN CAA 0 issuewild \"letsencrypt.org\"", None),
    ] {
        let world = with_zone(&format!("{record}{caa}")).await;
        let expected = match allows {
            None => State::Right,
            Some(allows) => State::Wrong(Mistake::Caa {
                at: name("example.org"),
                allows: allows.into_iter().map(str::to_owned).collect(),
            }),
        };
        assert_eq!(world.judge(&certificate()).await, expected, "{caa}");
    }
}

#[tokio::test]
async fn the_top_of_a_zone_can_be_no_cname() {
    let zone = "d111 IN A 192.0.2.7\n";
    let fine = with_zone(&format!("{zone}@ IN A 192.0.2.7")).await;
    assert_eq!(fine.judge(&alias()).await, State::Right);
    let typed = wanted(Purpose::Site, "example.org", Data::Cname(name("d111.example.org")));
    assert_eq!(fine.judge(&typed).await, State::Wrong(Mistake::TopCname));
    let elsewhere = with_zone(&format!("{zone}@ IN A 192.0.2.8")).await;
    let at = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 8));
    let elsewhere = elsewhere.judge(&alias()).await;
    assert_eq!(elsewhere, State::Wrong(Mistake::Elsewhere(vec![at])));
}

#[tokio::test]
async fn a_record_behind_a_proxy() {
    let proxied = with_zone(
        "@ IN A 104.21.3.4\ntok._domainkey IN A 172.67.1.2\ntok._domainkey IN AAAA 2606:4700::1",
    )
    .await;
    for record in [dkim(), alias()] {
        let state = proxied.judge(&record).await;
        assert!(matches!(state, State::Wrong(Mistake::Proxied(_))), "{state:?}");
    }
    let beside = with_zone("tok._domainkey IN A 104.32.0.1").await;
    assert!(matches!(beside.judge(&dkim()).await, State::Wrong(Mistake::Different(_))));
}

#[tokio::test]
async fn a_wildcard_answers_instead() {
    let cname = with_zone("*._domainkey IN CNAME parking.test.").await;
    let parking = Mistake::Wildcard(vec!["parking.test".into()]);
    assert_eq!(cname.judge(&dkim()).await, State::Wrong(parking));
    let address = with_zone("* IN A 192.0.2.9").await;
    let parking = Mistake::Wildcard(vec!["192.0.2.9".into()]);
    assert_eq!(address.judge(&dkim()).await, State::Wrong(parking));
}

#[tokio::test]
async fn an_answer_too_long_for_a_datagram_comes_by_tcp() {
    let filler = |n: usize| format!("bounce IN TXT \"filler {n} {}\"\n", "x".repeat(60));
    let many: Vec<String> = (0..90).map(filler).collect();
    let many = many.concat();
    let world = with_zone(&format!("{many}bounce IN TXT \"v=spf1 -all\"")).await;
    let different = Mistake::Different(vec!["v=spf1 -all".into()]);
    assert_eq!(world.judge(&spf()).await, State::Wrong(different));
}

#[tokio::test]
async fn where_only_a_resolver_can_be_reached_it_is_asked_and_named() {
    // Nobody listens where the registry should be.
    let zone = format!("{HEAD}tok._domainkey IN CNAME tok.dkim.test.\n");
    let root = [(".", ROOT.replace("127.0.0.2", "127.0.0.9")), ("example.org.", zone)];
    let world = world(&root, &[], &[]).await;
    let answer = world.dns().look(&dkim()).await.answer.unwrap();
    assert_eq!((answer.via, answer.cname), (Via::Resolver, Some(name("tok.dkim.test"))));
}

#[tokio::test]
async fn without_anybody_to_ask_nothing_is_claimed() {
    let port = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let nobody = Dns::new(vec!["127.0.0.1".parse().unwrap()], port, Duration::from_millis(200));
    let state = judge(&dkim(), &nobody.look(&dkim()).await, None);
    assert!(matches!(state, State::Unseen(Trouble::Silent { .. })), "{state:?}");
}

/// Every mistake in words, as it stands in the checklist.
#[test]
fn the_words_of_every_mistake() {
    let zone = || name("example.org");
    let address = || vec![IpAddr::V4(Ipv4Addr::new(104, 21, 3, 4))];
    let trouble = |lame: bool| {
        if lame {
            Trouble::Lame { zone: zone(), servers: vec![name("old.provider")] }
        } else {
            Trouble::Undelegated { name: name("exmaple.org") }
        }
    };
    let all: Vec<(Wanted, Mistake)> = vec![
        (dkim(), Mistake::Different(vec!["old.dkim.test".into()])),
        (dkim(), Mistake::NameTwice(name("tok._domainkey.example.org.example.org"))),
        (dkim(), Mistake::ValueTwice(name("tok.dkim.test.example.org"))),
        (
            dkim(),
            Mistake::WrongZone {
                zone: zone(),
                is: vec![name("ns1.provider")],
                should: vec![name("ns-1.awsdns-01.org")],
            },
        ),
        (
            dkim(),
            Mistake::NotLed {
                zone: name("_domainkey.example.org"),
                parent: zone(),
                should: vec![name("ns-1.awsdns-01.org")],
            },
        ),
        (spf(), Mistake::Different(vec!["v=spf1 mx -all".into()])),
        (dkim(), Mistake::Delegation(trouble(true))),
        (dkim(), Mistake::Delegation(trouble(false))),
        (spf(), Mistake::SecondSpf(2)),
        (spf(), Mistake::Spf(crate::spf::Problem::TooMany { at: zone() })),
        (dmarc(), Mistake::SecondDmarc(zone())),
        (dmarc(), Mistake::Dmarc(zone(), crate::dmarc::Wrong::NoPolicy)),
        (mx(), Mistake::ExtraMx(vec!["10 a.test".into(), "20 b.test".into()])),
        (certificate(), Mistake::Caa { at: zone(), allows: vec!["letsencrypt.org".into()] }),
        (certificate(), Mistake::Caa { at: zone(), allows: vec![] }),
        (alias(), Mistake::TopCname),
        (dkim(), Mistake::Proxied(address())),
        (dkim(), Mistake::Wildcard(vec!["parking.test".into()])),
        (alias(), Mistake::Elsewhere(address())),
    ];
    let text: Vec<String> = all
        .iter()
        .map(|(wanted, mistake)| {
            let (should, cure) = (mistake.should(wanted), mistake.cure(wanted, "example.org"));
            format!("{}: {mistake};\n  should be {should}\n  {cure}", wanted.name)
        })
        .collect();
    insta::assert_snapshot!(text.join("\n"));
}
