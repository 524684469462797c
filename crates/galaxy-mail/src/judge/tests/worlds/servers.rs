//! Who answers, and how.

use hickory_proto::op::ResponseCode;

use super::{World, certificate, dkim, dmarc_record, mx, site, spf_record, world};
use crate::judge::tests::play::{Acts, Signing, scene};

const DKIM: &str = "tok._domainkey IN CNAME tok.dkim.amazonses.com.";
const FAILED: &str = "could not be looked up";

pub(super) fn worlds() -> Vec<World> {
    let mut worlds = failing();
    worlds.extend(delegations());
    worlds.extend(disagreeing());
    worlds.extend(signatures());
    worlds
}

#[expect(clippy::too_many_lines, reason = "a list of cases")]
fn failing() -> Vec<World> {
    let code = |code| Acts::Code(code);
    vec![
        world("the record is there", dkim(), scene(DKIM), "right"),
        world("the zone has other records only", dkim(), scene("www IN A 192.0.2.1"), "missing"),
        world(
            "the resolver answers SERVFAIL",
            dkim(),
            scene(DKIM).resolver(code(ResponseCode::ServFail)),
            "the resolver 127.0.0.1 answered SERVFAIL",
        ),
        world(
            "the resolver answers REFUSED",
            dkim(),
            scene(DKIM).resolver(code(ResponseCode::Refused)),
            "the resolver 127.0.0.1 answered REFUSED",
        ),
        world(
            "the resolver answers FORMERR",
            dkim(),
            scene(DKIM).resolver(code(ResponseCode::FormErr)),
            "answered FORMERR",
        ),
        world(
            "the resolver answers NOTIMP",
            mx(),
            scene("").resolver(code(ResponseCode::NotImp)),
            "answered NOTIMP",
        ),
        world(
            "the resolver does not answer",
            dkim(),
            scene(DKIM).resolver(Acts::Silent),
            "gave no answer within 2s",
        ),
        world(
            "the resolver knows no name servers of the top-level domain",
            dkim(),
            scene(DKIM).resolver(Acts::Unaware),
            FAILED,
        ),
        world(
            "the resolver's datagrams are cut off and TCP is closed",
            dkim(),
            scene(DKIM).resolver(Acts::CutOff),
            "the answer was cut off",
        ),
        world(
            "the registry's server answers SERVFAIL",
            dkim(),
            scene(DKIM).registry(code(ResponseCode::ServFail)),
            "ns.registry (127.0.0.2) answered SERVFAIL",
        ),
        world(
            "the zone's only server answers SERVFAIL",
            spf_record(),
            scene("").acts(code(ResponseCode::ServFail)),
            "ns1.provider (127.0.0.3) answered SERVFAIL",
        ),
        world(
            "the zone's only server answers FORMERR, with and without EDNS",
            dmarc_record(),
            scene("").acts(code(ResponseCode::FormErr)),
            "answered FORMERR",
        ),
        world(
            "the zone's only server does not know EDNS",
            dkim(),
            scene(DKIM).acts(Acts::NoEdns),
            "right",
        ),
        world(
            "the zone's only server cuts off every datagram and takes no TCP",
            dkim(),
            scene(DKIM).acts(Acts::CutOff),
            "ns1.provider (127.0.0.3): the answer was cut off",
        ),
        world(
            "the zone's only server does not answer, and the resolver can't reach it",
            certificate(),
            scene("").acts(Acts::Silent).root("example.org. IN NS ns1.provider.\n"),
            "ns1.provider (127.0.0.3) gave no answer within 2s",
        ),
    ]
}

fn delegations() -> Vec<World> {
    let code = |code| Acts::Code(code);
    vec![
        world(
            "the domain is not registered",
            dkim(),
            scene("").unregistered(),
            "say the servers of `org`",
        ),
        world(
            "the domain's only server refuses to answer for it (lame)",
            dkim(),
            scene("").acts(code(ResponseCode::Refused)),
            "is delegated to ns1.provider, but ns1.provider (127.0.0.3) answered REFUSED",
        ),
        world(
            "the domain's only server answers without authority (lame)",
            site(),
            scene("").acts(Acts::Unaware),
            "answered that it is not responsible for the zone",
        ),
        world(
            "the name of the domain's only server has no address",
            dkim(),
            scene(DKIM).homeless(),
            "ns1.tpyo has no address",
        ),
        world(
            "the domain's only server has an IPv6 address only",
            dkim(),
            scene(DKIM).only_v6(),
            "right",
        ),
        world("over IPv6 only, and the record is not there", mx(), scene("").only_v6(), "missing"),
        world(
            "a part of the zone is delegated to a server that does not have it",
            certificate(),
            scene("duck IN NS ns8.provider."),
            "duck.example.org is delegated to ns8.provider",
        ),
    ]
}

fn disagreeing() -> Vec<World> {
    let code = |code| Acts::Code(code);
    let amazon = "bounce IN TXT \"v=spf1 include:amazonses.com ~all\"";
    vec![
        world(
            "both servers have the record",
            dkim(),
            scene(DKIM).second(DKIM, Acts::Well),
            "right",
        ),
        world("neither server has it", dkim(), scene("").second("", Acts::Well), "missing"),
        world(
            "the second server does not have the record yet",
            dkim(),
            scene(DKIM).second("", Acts::Well),
            "is not everywhere yet",
        ),
        world(
            "the first server does not have the record yet",
            dkim(),
            scene("").second(DKIM, Acts::Well),
            "ns1.provider (127.0.0.3) says nothing",
        ),
        world(
            "the servers have different mail servers",
            mx(),
            scene("bounce IN MX 10 old.test.")
                .second("bounce IN MX 10 feedback-smtp.eu-central-1.amazonses.com.", Acts::Well),
            "ns1.provider (127.0.0.3) says `10 old.test`",
        ),
        world(
            "the second server still has the old SPF record",
            spf_record(),
            scene(amazon).second("bounce IN TXT \"v=spf1 -all\"", Acts::Well),
            "ns2.provider (127.0.0.4) says `v=spf1 -all`",
        ),
        world(
            "the servers differ in a text that is no SPF record",
            spf_record(),
            scene(amazon)
                .second(&format!("{amazon}\nbounce IN TXT \"site=1\""), Acts::Well)
                .other("com.", "amazonses IN TXT \"v=spf1 -all\""),
            "right",
        ),
        world(
            "the servers have different DMARC records",
            dmarc_record(),
            scene("_dmarc IN TXT \"v=DMARC1; p=none\"")
                .second("_dmarc IN TXT \"v=DMARC1; p=reject\"", Acts::Well),
            "is not everywhere yet",
        ),
        world(
            "the second server answers SERVFAIL, the first one is right",
            dkim(),
            scene(DKIM).second(DKIM, code(ResponseCode::ServFail)),
            "right",
        ),
        world(
            "the first server does not answer, the second one is right",
            dkim(),
            scene("").acts(Acts::Silent).second(DKIM, Acts::Well),
            "right",
        ),
        world(
            "one server refuses, the other one fails",
            dkim(),
            scene("").acts(code(ResponseCode::Refused)).second("", code(ResponseCode::ServFail)),
            FAILED,
        ),
    ]
}

fn signatures() -> Vec<World> {
    vec![
        world(
            "the zone is signed, and the record is there",
            dkim(),
            scene(DKIM).signed(Signing::Good),
            "right",
        ),
        world(
            "the zone is signed, and the record is not there",
            dkim(),
            scene("").signed(Signing::Good),
            "missing",
        ),
        world(
            "the zone is not signed, the registry is",
            dkim(),
            scene(DKIM).signed(Signing::NotBelow),
            "right",
        ),
        world(
            "the zone's signatures expired",
            dkim(),
            scene(DKIM).signed(Signing::Expired),
            "a DNSSEC signature of example.org expired on 2020-01-11",
        ),
        world(
            "the zone's signatures fit other records",
            spf_record(),
            scene("bounce IN TXT \"v=spf1 include:amazonses.com ~all\"")
                .signed(Signing::Tampered)
                .other("com.", "amazonses IN TXT \"v=spf1 -all\""),
            "the DNSSEC signatures of its zone don't hold",
        ),
        world(
            "the registry has a DS record, and the zone has no key",
            dkim(),
            scene(DKIM).signed(Signing::NoKey),
            "the registry has a DS record for example.org, but the zone is not signed",
        ),
        world(
            "the registry has a DS record of another key",
            dmarc_record(),
            scene("_dmarc IN TXT \"v=DMARC1; p=none\"").signed(Signing::OtherKey),
            "can't be seen by validating resolvers",
        ),
        world(
            "the signatures expired, and the record is not there",
            mx(),
            scene("").signed(Signing::Expired),
            "expired on 2020-01-11",
        ),
    ]
}
