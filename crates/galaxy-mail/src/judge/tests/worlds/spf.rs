//! RFC 7208.

use super::{World, spf_record, world};
use crate::judge::tests::play::{Scene, scene};

/// `bounce` with this SPF record; the names that it may include are there.
fn with(spf: &str) -> Scene {
    texts(&[spf])
}

fn texts(texts: &[&str]) -> Scene {
    let quoted = |text: &&str| format!("bounce IN TXT \"{}\"", text.replace('"', "\\\""));
    let records: Vec<String> = texts.iter().map(quoted).collect();
    others(&records.join("\n"))
}

/// What `test.` and `com.` have.
fn others(records: &str) -> Scene {
    scene(records).other("com.", "amazonses IN TXT \"v=spf1 ip4:199.255.192.0/22 -all\"").other(
        "test.",
        "fine IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n\
             broken IN TXT \"v=spf1 ip4:192.0.2.300 -all\"\n\
             two IN TXT \"v=spf1 -all\"\ntwo IN TXT \"v=spf1 ~all\"\n\
             none IN TXT \"hello\"\n\
             loop IN TXT \"v=spf1 include:loop.test -all\"\n\
             via IN TXT \"v=spf1 include:amazonses.com -all\"\n\
             host IN A 192.0.2.1\nsix IN AAAA 2001:db8::1\n\
             failing IN NS ns8.provider.",
    )
}

pub(super) fn worlds() -> Vec<World> {
    let mut worlds = fine();
    worlds.extend(broken());
    worlds.extend(costly());
    worlds.extend(near());
    worlds
}

fn spf(what: &'static str, scene: Scene, says: &'static str) -> World {
    world(what, spf_record(), scene, says)
}

fn fine() -> Vec<World> {
    vec![
        spf("the record that is wanted", with("v=spf1 include:amazonses.com ~all"), "right"),
        spf(
            "others may send as well",
            with("v=spf1 ip4:192.0.2.1 include:fine.test include:amazonses.com -all"),
            "right",
        ),
        spf("Amazon through another include", with("v=spf1 include:via.test -all"), "right"),
        spf("in capital letters", with("V=SPF1 INCLUDE:AMAZONSES.COM ~ALL"), "right"),
        spf(
            "in several strings",
            others("bounce IN TXT \"v=spf1 include:amaz\" \"onses.com ~all\""),
            "right",
        ),
        spf(
            "through a CNAME",
            others("bounce IN CNAME spf\nspf IN TXT \"v=spf1 include:amazonses.com ~all\""),
            "right",
        ),
        spf(
            "a modifier that is not known",
            with("v=spf1 x-own=1 include:amazonses.com ~all"),
            "right",
        ),
        spf(
            "beside other texts",
            texts(&["google-site-verification=1", "v=spf1 include:amazonses.com ~all"]),
            "right",
        ),
        spf(
            "Amazon may not send",
            with("v=spf1 mx:host.test -all"),
            "add `include:amazonses.com` to it",
        ),
        spf(
            "Amazon comes behind `all`",
            with("v=spf1 -all include:amazonses.com"),
            "add `include:amazonses.com` to it",
        ),
        spf(
            "Amazon is forbidden by `-include`",
            with("v=spf1 -include:amazonses.com ~all"),
            "add `include:amazonses.com` to it",
        ),
        spf(
            "it depends on macros",
            with("v=spf1 include:%{d}._spf.test -all"),
            "can't be decided in advance",
        ),
        spf(
            "macros beside Amazon",
            with("v=spf1 include:amazonses.com exists:%{i}._spf.test -all"),
            "right",
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a list of cases")]
fn broken() -> Vec<World> {
    vec![
        spf(
            "two records",
            texts(&["v=spf1 include:amazonses.com ~all", "v=spf1 -all"]),
            "there are currently 2 SPF records",
        ),
        spf(
            "an address that is none",
            with("v=spf1 include:amazonses.com ip4:192.0.2.300 ~all"),
            "`ip4:192.0.2.300`",
        ),
        spf(
            "a prefix length that is too long",
            with("v=spf1 include:amazonses.com ip4:192.0.2.0/33 ~all"),
            "`ip4:192.0.2.0/33`",
        ),
        spf(
            "an IPv6 address in `ip4`",
            with("v=spf1 include:amazonses.com ip4:2001:db8::1 ~all"),
            "is no IPv4 address",
        ),
        spf(
            "a prefix length of `a` that is too long",
            with("v=spf1 a/33 include:amazonses.com ~all"),
            "`a/33`",
        ),
        spf(
            "two `redirect=`",
            with("v=spf1 include:amazonses.com redirect=fine.test redirect=via.test"),
            "one `redirect=` only",
        ),
        spf(
            "two `exp=`",
            with("v=spf1 include:amazonses.com exp=a.test exp=b.test ~all"),
            "one `exp=` only",
        ),
        spf(
            "a mechanism that does not exist",
            with("v=spf1 ipv4:192.0.2.1 include:amazonses.com ~all"),
            "did you mean `ip4`?",
        ),
        spf(
            "a domain without `include:`",
            with("v=spf1 amazonses.com ~all"),
            "did you mean `include:`?",
        ),
        spf("a dot behind `~all`", with("v=spf1 include:amazonses.com ~all."), "`~all.`"),
        spf(
            "`include` without a domain",
            with("v=spf1 include: include:amazonses.com ~all"),
            "a value is missing",
        ),
        spf(
            "a broken macro",
            with("v=spf1 exists:%{x}.test include:amazonses.com ~all"),
            "`%{x}` is no macro",
        ),
        spf(
            "a mistake behind `all`",
            with("v=spf1 include:amazonses.com ~all ip6:nonsense"),
            "`ip6:nonsense`",
        ),
        spf(
            "an include with a broken record",
            with("v=spf1 include:amazonses.com include:broken.test ~all"),
            "the SPF record of broken.test",
        ),
        spf(
            "an include with two records",
            with("v=spf1 include:amazonses.com include:two.test ~all"),
            "two.test has 2 SPF records",
        ),
        spf(
            "an include without a record",
            with("v=spf1 include:amazonses.com include:none.test ~all"),
            "`include:none.test` leads to none.test",
        ),
        spf(
            "an include of a domain that is not there",
            with("v=spf1 include:amazonses.com include:gone.test ~all"),
            "`include:gone.test`",
        ),
        spf(
            "a `redirect=` to a domain without a record",
            with("v=spf1 include:amazonses.com redirect=none.test"),
            "`redirect=none.test`",
        ),
        spf(
            "an include that can't be looked up",
            with("v=spf1 include:amazonses.com include:failing.test ~all"),
            "could not be looked up",
        ),
    ]
}

fn costly() -> Vec<World> {
    let ten = format!("v=spf1{} include:amazonses.com ~all", " a:host.test".repeat(9));
    let eleven = format!("v=spf1{} include:amazonses.com ~all", " a:host.test".repeat(10));
    vec![
        spf("ten look-ups", with(&ten), "right"),
        spf("eleven look-ups", with(&eleven), "costs more than 10 look-ups"),
        spf(
            "an include of itself",
            with("v=spf1 include:amazonses.com include:loop.test ~all"),
            "costs more than 10 look-ups",
        ),
        spf(
            "two terms that find nothing",
            with("v=spf1 a:void1.test mx:void2.test include:amazonses.com ~all"),
            "right",
        ),
        spf(
            "hosts that have IPv6 addresses only",
            with("v=spf1 a:six.test a:six.test a:six.test include:amazonses.com ~all"),
            "right",
        ),
        spf(
            "three terms that find nothing",
            with("v=spf1 a:void1.test mx:void2.test exists:void3.test include:amazonses.com ~all"),
            "more than 2 terms that find nothing",
        ),
    ]
}

fn near() -> Vec<World> {
    vec![
        spf(
            "quotes inside the value",
            with("\"v=spf1 include:amazonses.com ~all\""),
            "the quotes are part of its value",
        ),
        spf(
            "the version and the first term in one",
            with("v=spf1include:amazonses.com ~all"),
            "a separator is missing",
        ),
        spf(
            "a space before the version",
            with(" v=spf1 include:amazonses.com ~all"),
            "there is a space before",
        ),
        spf(
            "a version that does not exist",
            with("v=spf2 include:amazonses.com ~all"),
            "its version is misspelled",
        ),
        spf(
            "the version is missing its `v=`",
            with("spf1 include:amazonses.com ~all"),
            "its version is misspelled",
        ),
        spf(
            "the terms come before the version",
            with("include:amazonses.com v=spf1 ~all"),
            "its version is not at the beginning",
        ),
        spf(
            "at the mail domain instead of the name that bounces go to",
            others("@ IN TXT \"v=spf1 include:amazonses.com ~all\""),
            "example.org has `v=spf1 include:amazonses.com ~all`, but it is at another name",
        ),
        spf("another text only", with("hello"), "missing"),
    ]
}
