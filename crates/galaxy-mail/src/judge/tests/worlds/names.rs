//! Records that are names, and what stands in their way.

use super::{World, apex, certificate, dkim, mx, site, world};
use crate::judge::tests::play::scene;

pub(super) fn worlds() -> Vec<World> {
    let mut worlds = cnames();
    worlds.extend(sites());
    worlds.extend(mail_servers());
    worlds.extend(issuers());
    worlds
}

#[expect(clippy::too_many_lines, reason = "a list of cases")]
fn cnames() -> Vec<World> {
    vec![
        world(
            "another CNAME",
            dkim(),
            scene("tok._domainkey IN CNAME old.dkim.test."),
            "is currently old.dkim.test",
        ),
        world(
            "a CNAME in capital letters",
            dkim(),
            scene("TOK._DOMAINKEY IN CNAME Tok.DKIM.AmazonSES.com."),
            "right",
        ),
        world(
            "the zone's name is there twice in the record's name",
            dkim(),
            scene("tok._domainkey.example.org IN CNAME tok.dkim.amazonses.com."),
            "is currently set at tok._domainkey.example.org.example.org",
        ),
        world(
            "the zone's name is behind the value",
            dkim(),
            scene("tok._domainkey IN CNAME tok.dkim.amazonses.com"),
            "currently leads to tok.dkim.amazonses.com.example.org",
        ),
        world(
            "the value of the CNAME has quotes",
            dkim(),
            scene("").odd("tok._domainkey", "\"tok.dkim.amazonses.com\""),
            "its value is no domain name",
        ),
        world(
            "the value of the CNAME is an address of the web",
            certificate(),
            scene("").odd("_3f1.duck", "https://_9c2.acm-validations.aws"),
            "its value is no domain name",
        ),
        world(
            "a TXT record instead of a CNAME",
            dkim(),
            scene("tok._domainkey IN TXT \"tok.dkim.amazonses.com\""),
            "it is a TXT record, not a CNAME",
        ),
        world(
            "a certificate's proof as a TXT record",
            certificate(),
            scene("_3f1.duck IN TXT \"_9c2.acm-validations.aws.\""),
            "it is a TXT record, not a CNAME",
        ),
        world(
            "a CNAME to another CNAME that leads to the target: not good for a key",
            dkim(),
            scene("tok._domainkey IN CNAME via\nvia IN CNAME tok.dkim.amazonses.com."),
            "is currently via.example.org",
        ),
        world(
            "an address instead of the CNAME",
            dkim(),
            scene("tok._domainkey IN A 192.0.2.5"),
            "is currently 192.0.2.5",
        ),
        world(
            "a wildcard CNAME answers",
            dkim(),
            scene("*._domainkey IN CNAME parking.test."),
            "a wildcard answers only while there is none",
        ),
        world(
            "a wildcard address answers",
            dkim(),
            scene("* IN A 192.0.2.9"),
            "a wildcard answers only while there is none",
        ),
        world(
            "hidden behind Cloudflare's proxy",
            dkim(),
            scene("tok._domainkey IN A 172.67.1.2\ntok._domainkey IN AAAA 2606:4700::1"),
            "behind Cloudflare's proxy",
        ),
    ]
}

fn sites() -> Vec<World> {
    let target = "d111 IN A 192.0.2.7";
    vec![
        world("a site's CNAME", site(), scene("duck IN CNAME d111.cloudfront.net."), "right"),
        world(
            "a site's CNAME through another name",
            site(),
            scene("duck IN CNAME www\nwww IN CNAME d111.cloudfront.net."),
            "right",
        ),
        world(
            "a site's CNAME in a circle",
            site(),
            scene("duck IN CNAME www\nwww IN CNAME duck"),
            "is currently www.example.org",
        ),
        world(
            "a site's CNAME to another distribution",
            site(),
            scene("duck IN CNAME d999.cloudfront.net."),
            "is currently d999.cloudfront.net",
        ),
        world(
            "an alias at the top of the zone",
            apex(),
            scene("@ IN A 192.0.2.7").other("test.", target),
            "right",
        ),
        world(
            "no address at the top of the zone",
            apex(),
            scene("").other("test.", target),
            "missing",
        ),
        world(
            "other addresses at the top of the zone",
            apex(),
            scene("@ IN A 192.0.2.8").other("test.", target),
            "currently has the addresses 192.0.2.8",
        ),
        world(
            "the top of the zone behind a proxy",
            apex(),
            scene("@ IN A 104.21.3.4").other("test.", target),
            "behind Cloudflare's proxy",
        ),
        world(
            "an alias whose target can't be looked up",
            apex(),
            scene("@ IN A 192.0.2.7").other("test.", "d111 IN NS ns9.provider."),
            "could not be looked up",
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a list of cases")]
fn mail_servers() -> Vec<World> {
    let ses = "bounce IN MX 10 feedback-smtp.eu-central-1.amazonses.com.";
    vec![
        world("the mail server of bounces", mx(), scene(ses), "right"),
        world(
            "with another preference",
            mx(),
            scene("bounce IN MX 5 FEEDBACK-SMTP.eu-central-1.amazonses.com."),
            "right",
        ),
        world(
            "another mail server",
            mx(),
            scene("bounce IN MX 10 mx.other.test."),
            "is currently 10 mx.other.test",
        ),
        world(
            "of another Region",
            mx(),
            scene("bounce IN MX 10 feedback-smtp.us-east-1.amazonses.com."),
            "is currently 10 feedback-smtp.us-east-1",
        ),
        world(
            "a second mail server",
            mx(),
            scene(&format!("{ses}\nbounce IN MX 20 mx.other.test.")),
            "there are currently several",
        ),
        world("the null MX of RFC 7505", mx(), scene("bounce IN MX 0 ."), "is currently 0"),
        world(
            "the zone's name behind the mail server",
            mx(),
            scene("bounce IN MX 10 feedback-smtp.eu-central-1.amazonses.com"),
            "amazonses.com.example.org",
        ),
        world(
            "the mail server through a CNAME",
            mx(),
            scene("bounce IN CNAME post\npost IN MX 10 feedback-smtp.eu-central-1.amazonses.com."),
            "right",
        ),
        world(
            "CNAMEs in a circle",
            mx(),
            scene("bounce IN CNAME a\na IN CNAME b\nb IN CNAME bounce"),
            "the CNAMEs go in a circle",
        ),
        world(
            "a CNAME to itself",
            mx(),
            scene("bounce IN CNAME bounce"),
            "the CNAMEs go in a circle",
        ),
        world(
            "a chain of CNAMEs without end",
            mx(),
            scene(&chain(20)),
            "the chain of CNAMEs has more than 12 links",
        ),
        world(
            "a CNAME to a domain that is not registered",
            mx(),
            scene("bounce IN CNAME gone.example.com."),
            "example.com is not delegated",
        ),
        world(
            "the mail server at a name with the zone twice",
            mx(),
            scene("bounce.example.org IN MX 10 feedback-smtp.eu-central-1.amazonses.com."),
            "bounce.example.org.example.org",
        ),
    ]
}

/// `bounce` → `n1` → … → a record.
fn chain(links: usize) -> String {
    let link = |link: usize| format!("n{link} IN CNAME n{}\n", link + 1);
    "bounce IN CNAME n1\n".to_owned() + &(1..links).map(link).collect::<String>()
}

/// RFC 8659, sections 3 and 4.
fn issuers() -> Vec<World> {
    let with = |caa: &str| scene(&format!("_3f1.duck IN CNAME _9c2.acm-validations.aws.\n{caa}"));
    let allowed = "duck IN CAA 0 issue \"amazontrust.com; account=1\"";
    vec![
        world("a certificate's proof without CAA records", certificate(), with(""), "right"),
        world(
            "CAA lets another authority issue only",
            certificate(),
            with("@ IN CAA 0 issue \"letsencrypt.org\""),
            "let only letsencrypt.org issue",
        ),
        world(
            "CAA forbids every certificate",
            certificate(),
            with("@ IN CAA 0 issue \";\""),
            "CAA records of example.org",
        ),
        world("CAA lets Amazon issue", certificate(), with(allowed), "right"),
        world(
            "the nearer CAA record lets Amazon issue",
            certificate(),
            with("@ IN CAA 0 issue \"ca.test\"\nduck IN CAA 0 issue \"amazon.com\""),
            "right",
        ),
        world(
            "CAA about wildcards only",
            certificate(),
            with("@ IN CAA 0 issuewild \"letsencrypt.org\""),
            "right",
        ),
        world(
            "CAA with a critical rule that is not known",
            certificate(),
            with("@ IN CAA 128 tbs \"x\""),
            "the tag `tbs`, marked as critical",
        ),
        world(
            "CAA through a CNAME of the site",
            certificate(),
            with("duck IN CNAME rules\nrules IN CAA 0 issue \"letsencrypt.org\""),
            "let only letsencrypt.org issue",
        ),
    ]
}
