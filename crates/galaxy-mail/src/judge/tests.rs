//! What the worlds don't show: zones that are hosted elsewhere, and every mistake in words.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use tokio::net::UdpSocket;

use super::{Hosted, Mistake, State, judge};
use crate::dns::{Dns, Signed, Trouble};
use crate::near::{Near, Slip};
use crate::records::tests::{everything, name};
use crate::records::{Data, Purpose, Wanted, Zones};
use play::{Acts, Play, scene};

mod play;
mod worlds;

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
    let play = scene(&text).other("com.", "amazonses IN TXT \"v=spf1 -all\"").play().await;
    for record in &wanted {
        assert_eq!(state(&play, record).await, State::Right, "{record:?}");
    }
}

async fn state(play: &Play, wanted: &Wanted) -> State {
    judge(wanted, &play.dns.look(wanted).await, None)
}

#[tokio::test]
async fn all_of_the_zones_own_servers_are_asked() {
    let zone = "tok._domainkey IN CNAME tok.dkim.test.";
    let play = scene(zone).second(zone, Acts::Well).play().await;
    let looked = play.dns.look(&dkim()).await;
    let answer = looked.answer.clone().unwrap();
    assert_eq!(answer.zone, Some(name("example.org")));
    assert_eq!(answer.views.len(), 2);
    assert!(looked.known().starts_with("asked ns1.provider, ns2.provider"), "{}", looked.known());
    assert_eq!(looked.zone.unwrap().servers.len(), 2);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named() {
    let zone = "tok._domainkey IN CNAME tok.dkim.test.";
    let play = scene(zone).second("", Acts::Code(ResponseCode::ServFail)).play().await;
    let known = play.dns.look(&dkim()).await.known();
    assert!(
        known.contains("asked ns1.provider; ns2.provider (127.0.0.4) answered SERVFAIL"),
        "{known}"
    );
}

#[tokio::test]
async fn a_zone_that_is_not_delegated_to_its_servers() {
    let play = scene("tok._domainkey IN CNAME tok.dkim.test.").play().await;
    let looked = play.dns.look(&dkim()).await;
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
    let play = scene("tok._domainkey IN CNAME tok.dkim.test.").play().await;
    let looked = play.dns.look(&dkim()).await;
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

/// Lame servers alone lead to no advice. A zone that is known to be elsewhere does.
#[tokio::test]
async fn a_delegation_to_servers_that_do_not_have_the_zone() {
    let play = scene("").acts(Acts::Unaware).play().await;
    let looked = play.dns.look(&dkim()).await;
    let State::Unseen(Trouble::Lame { servers, .. }) = judge(&dkim(), &looked, None) else {
        panic!("{looked:?}")
    };
    assert_eq!(servers, [name("ns1.provider")]);
    let now = hosted("example.org", &["ns-1.awsdns-01.org"]);
    let old =
        Mistake::WrongZone { zone: name("example.org"), is: servers, should: now.servers.clone() };
    assert_eq!(judge(&dkim(), &looked, Some(&now)), State::Wrong(old));
    // The right servers, which refuse for a moment, are no reason to change the delegation.
    let same = hosted("example.org", &["ns1.provider"]);
    assert!(matches!(judge(&dkim(), &looked, Some(&same)), State::Unseen(_)));
}

#[tokio::test]
async fn a_domain_that_is_not_registered_but_has_a_zone_ready() {
    let play = scene("").unregistered().play().await;
    let ready = hosted("example.org", &["ns-1.awsdns-01.org"]);
    let looked = play.dns.look(&dkim()).await;
    let State::Wrong(told) = judge(&dkim(), &looked, Some(&ready)) else { panic!("it is wrong") };
    assert!(told.to_string().contains("no name servers"), "{told}");
    assert_eq!(told.should(&dkim()), "delegated to ns-1.awsdns-01.org");
}

#[tokio::test]
async fn a_delegated_subdomain_is_asked_at_its_own_servers() {
    let below = "_3f1 IN CNAME _9c2.acm-validations.test.";
    let play = scene("duck IN NS ns8.provider.").elsewhere("duck.example.org.", below).play().await;
    let looked = play.dns.look(&certificate()).await;
    assert_eq!(looked.zone.as_ref().unwrap().name, name("duck.example.org"));
    assert_eq!(judge(&certificate(), &looked, None), State::Right);
}

#[tokio::test]
async fn an_answer_too_long_for_a_datagram_comes_by_tcp() {
    let filler = |n: usize| format!("bounce IN TXT \"filler {n} {}\"\n", "x".repeat(60));
    let many: Vec<String> = (0..90).map(filler).collect();
    let play = scene(&format!("{}bounce IN TXT \"v=spf1 -all\"", many.concat())).play().await;
    let different = Mistake::Different(vec!["v=spf1 -all".into()]);
    assert_eq!(state(&play, &spf()).await, State::Wrong(different));
}

#[tokio::test]
async fn where_only_a_resolver_can_be_reached_it_is_asked_and_named() {
    let record = "tok._domainkey IN CNAME tok.dkim.test.";
    let play = scene("").registry(Acts::Silent).resolved("example.org.", record).play().await;
    let looked = play.dns.look(&dkim()).await;
    let answer = looked.answer.clone().unwrap();
    assert_eq!((answer.zone, answer.cname), (None, Some(name("tok.dkim.test"))));
    assert!(looked.known().starts_with("from the resolver 127.0.0.1"), "{}", looked.known());
}

#[tokio::test]
async fn without_a_server_to_ask_nothing_is_claimed() {
    let port = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let alone = Dns::new(vec!["127.0.0.1".parse().unwrap()], port, Duration::from_millis(200));
    let state = judge(&dkim(), &alone.look(&dkim()).await, None);
    assert!(matches!(state, State::Unseen(Trouble::Failed { .. })), "{state:?}");
}

/// Every mistake in words, as it stands in the checklist.
#[test]
fn the_words_of_every_mistake() {
    let zone = || name("example.org");
    let address = || vec![IpAddr::V4(Ipv4Addr::new(104, 21, 3, 4))];
    let lost = Trouble::Undelegated { name: name("exmaple.org"), parent: name("org") };
    let broken = |zone| Mistake::Signatures(Signed::Broken { zone });
    let near =
        |at: &str, slip| Mistake::Near(Near { at: name(at), says: "\"v=spf1 -all\"".into(), slip });
    let differ =
        vec![("ns1".to_owned(), "`a`".to_owned()), ("ns2".to_owned(), "nothing".to_owned())];
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
        (dkim(), Mistake::Delegation(lost)),
        (dkim(), Mistake::NotEverywhere(differ)),
        (mx(), Mistake::Chain(Trouble::Loop(vec![zone(), name("a.test"), zone()]))),
        (dkim(), broken(zone())),
        (dkim(), Mistake::Signatures(Signed::NoKey { zone: zone() })),
        (spf(), near("bounce.example.org", Slip::Quotes)),
        (spf(), near("example.org", Slip::Place)),
        (dkim(), near("tok._domainkey.example.org", Slip::Type)),
        (spf(), Mistake::SecondSpf(2)),
        (spf(), Mistake::Spf(crate::spf::Problem::TooMany { at: zone() })),
        (dmarc(), Mistake::SecondDmarc(zone())),
        (dmarc(), Mistake::Dmarc(zone(), crate::dmarc::Wrong::NoPolicy)),
        (mx(), Mistake::ExtraMx(vec!["10 a.test".into(), "20 b.test".into()])),
        (certificate(), Mistake::Caa { at: zone(), allows: vec!["letsencrypt.org".into()] }),
        (certificate(), Mistake::Caa { at: zone(), allows: vec![] }),
        (certificate(), Mistake::CriticalCaa { at: zone(), tag: "tbs".into() }),
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
