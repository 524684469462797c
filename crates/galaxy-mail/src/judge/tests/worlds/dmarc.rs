//! RFC 7489 and RFC 9989.

use super::{World, dmarc_record, record, world};
use crate::judge::tests::play::{Scene, scene};
use crate::records::{Data, Purpose};

fn with(text: &str) -> Scene {
    scene(&format!("_dmarc IN TXT \"{}\"", text.replace('"', "\\\"")))
}

fn dmarc(what: &'static str, scene: Scene, says: &'static str) -> World {
    world(what, dmarc_record(), scene, says)
}

pub(super) fn worlds() -> Vec<World> {
    let mut worlds = fine();
    worlds.extend(broken());
    worlds.extend(near());
    worlds.extend(below());
    worlds
}

fn fine() -> Vec<World> {
    vec![
        dmarc("the record that is wanted", with("v=DMARC1; p=none;"), "right"),
        dmarc("a stricter record", with("v=DMARC1;p=reject;sp=quarantine;adkim=s"), "right"),
        dmarc("spaces around every sign", with("v = DMARC1 ; p = reject ; "), "right"),
        dmarc("policy and tags in capital letters", with("V=DMARC1; P=ReJect"), "right"),
        dmarc("with tags of RFC 9989", with("v=DMARC1; p=none; np=reject; psd=n; t=y"), "right"),
        dmarc("a tag that is not known", with("v=DMARC1; p=none; x=1"), "right"),
        dmarc(
            "no policy, but an address for reports",
            with("v=DMARC1; rua=mailto:a@example.org"),
            "right",
        ),
        dmarc(
            "a CNAME to a service for reports",
            scene("_dmarc IN CNAME org.reports.test.")
                .other("test.", "org.reports IN TXT \"v=DMARC1; p=none\""),
            "right",
        ),
        dmarc(
            "a CNAME to a name without a record",
            scene("_dmarc IN CNAME org.reports.test."),
            "reports.test is not delegated",
        ),
        dmarc(
            "CNAMEs in a circle",
            scene("_dmarc IN CNAME a\na IN CNAME _dmarc"),
            "the CNAMEs go in a circle",
        ),
        dmarc(
            "a CNAME to a zone that can't be looked up",
            scene("_dmarc IN CNAME x.failing.test.").other("test.", "failing IN NS ns8.provider."),
            "could not be looked up",
        ),
        dmarc(
            "beside an SPF record",
            scene("_dmarc IN TXT \"v=DMARC1; p=none\"\n_dmarc IN TXT \"v=spf1 -all\""),
            "right",
        ),
        dmarc("none at all", scene(""), "missing"),
    ]
}

fn broken() -> Vec<World> {
    vec![
        dmarc(
            "two records",
            scene("_dmarc IN TXT \"v=DMARC1; p=none\"\n_dmarc IN TXT \"v=DMARC1; p=reject\""),
            "more than one DMARC record",
        ),
        dmarc(
            "a policy that does not exist",
            with("v=DMARC1; p=everything"),
            "it has no valid `p=`",
        ),
        dmarc("no policy", with("v=DMARC1;"), "it has no valid `p=`"),
        dmarc("a share above 100", with("v=DMARC1; p=none; pct=101"), "`pct=101`"),
        dmarc(
            "an alignment that does not exist",
            with("v=DMARC1; p=none; adkim=relaxed"),
            "`adkim=relaxed`",
        ),
        dmarc(
            "an address for reports without `mailto:`",
            with("v=DMARC1; p=none; rua=reports@example.org"),
            "`rua=reports@example.org`",
        ),
        dmarc(
            "a semicolon is missing",
            with("v=DMARC1; p=none rua=mailto:a@example.org"),
            "a `;` is missing between the tags",
        ),
        dmarc("a tag without a value", with("v=DMARC1; none"), "`none` is no tag"),
        dmarc("a tag twice", with("v=DMARC1; p=none; p=reject"), "the tag `p` is there twice"),
    ]
}

fn near() -> Vec<World> {
    vec![
        dmarc(
            "quotes inside the value",
            with("\"v=DMARC1; p=none\""),
            "the quotes are part of its value",
        ),
        dmarc("a space before the version", with(" v=DMARC1; p=none"), "there is a space before"),
        dmarc(
            "the version in small letters",
            with("v=dmarc1; p=none"),
            "its version is not in the right case",
        ),
        dmarc("no semicolon behind the version", with("v=DMARC1 p=none"), "a separator is missing"),
        dmarc(
            "the policy before the version",
            with("p=none; v=DMARC1"),
            "its version is not at the beginning",
        ),
        dmarc("without `v=`", with("DMARC1; p=none"), "its version is misspelled"),
        dmarc(
            "at `dmarc` instead of `_dmarc`",
            scene("dmarc IN TXT \"v=DMARC1; p=none\""),
            "dmarc.example.org has `v=DMARC1; p=none`, but it is at another name",
        ),
        dmarc(
            "at the domain itself",
            scene("@ IN TXT \"v=DMARC1; p=none\""),
            "but it is at another name",
        ),
        dmarc(
            "at a name with the zone twice",
            scene("_dmarc.example.org IN TXT \"v=DMARC1; p=none\""),
            "_dmarc.example.org.example.org",
        ),
    ]
}

/// Section 6.6.3: where the domain has no record, that of its organisation counts.
fn below() -> Vec<World> {
    let mail = |what, scene, says| {
        let text = Data::Txt("v=DMARC1; p=none;".into());
        world(what, record(Purpose::Dmarc, "_dmarc.mail.example.org", text), scene, says)
    };
    vec![
        mail(
            "for a subdomain: the organisation's record counts",
            with("v=DMARC1; p=reject"),
            "right",
        ),
        mail(
            "for a subdomain: its own record is broken",
            scene("_dmarc.mail IN TXT \"v=DMARC1; p=x\"\n_dmarc IN TXT \"v=DMARC1; p=none\""),
            "_dmarc.mail.example.org is broken",
        ),
        mail(
            "for a subdomain: the organisation has two",
            scene("_dmarc IN TXT \"v=DMARC1; p=none\"\n_dmarc IN TXT \"v=DMARC1; p=reject\""),
            "_dmarc.example.org currently has more than one",
        ),
        mail(
            "for a subdomain in a zone of its own: the organisation's can't be looked up",
            scene("mail IN NS ns8.provider.\n_dmarc IN NS ns8.provider.")
                .elsewhere("mail.example.org.", ""),
            "could not be looked up",
        ),
    ]
}
