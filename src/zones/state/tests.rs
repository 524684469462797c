//! Every way in which something wanted can be found in its zone.

use super::*;

fn name(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn wish(purpose: Purpose, at: &str, data: Data) -> Wish {
    let part = match purpose {
        Purpose::Certificate => Part::Proofs,
        Purpose::Site | Purpose::Api => Part::Addresses,
        _ => Part::Mail,
    };
    let wanted = Some(Wanted { purpose, name: name(at), data });
    let alias = (part == Part::Addresses).then(|| "Z2FDTNDATAQYW2".to_owned());
    Wish { part, purpose, domain: name("example.org"), wanted, alias }
}

fn site() -> Wish {
    wish(Purpose::Site, "docs.example.org", Data::Alias(name("d111.cloudfront.net")))
}

fn proof() -> Wish {
    wish(Purpose::Certificate, "_3f1.example.org", Data::Cname(name("_9c2.acm-validations.aws")))
}

fn spf() -> Wish {
    let text = "v=spf1 include:amazonses.com ~all".to_owned();
    wish(Purpose::Spf, "bounce.example.org", Data::Txt(text))
}

fn dmarc() -> Wish {
    wish(Purpose::Dmarc, "_dmarc.example.org", Data::Txt("v=DMARC1; p=none;".into()))
}

fn mx() -> Wish {
    let host = name("feedback-smtp.eu-central-1.amazonses.com");
    wish(Purpose::MailFrom, "bounce.example.org", Data::Mx(10, host))
}

fn set(at: &str, kind: &str, values: &[&str]) -> RecordSet {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    RecordSet { name: name(at), kind: kind.into(), says: Says::Values { ttl: 60, values } }
}

fn look(wish: &Wish, sets: &[RecordSet], ours: &[RecordSet]) -> Slot {
    let zone = HostedZone { id: "Z1".into(), name: name("example.org"), servers: Vec::new() };
    slot(wish, &zone, sets, &ours.iter().map(RecordSet::mark).collect())
}

fn state_of(wish: &Wish, sets: &[RecordSet]) -> SlotState {
    look(wish, sets, &[]).state
}

fn is_taken(wish: &Wish, sets: &[RecordSet], words: &str) -> bool {
    matches!(state_of(wish, sets), SlotState::Taken(is, _) if is == words)
}

#[test]
fn what_is_wanted_is_what_route_53_takes() {
    let alias = |kind: &str| RecordSet {
        name: name("docs.example.org"),
        kind: kind.into(),
        says: Says::Alias {
            zone: "Z2FDTNDATAQYW2".into(),
            target: name("d111.cloudfront.net"),
            watched: false,
        },
    };
    assert_eq!(site().sets(), [alias("A"), alias("AAAA")]);
    let api = wish(Purpose::Api, "api.example.org", Data::Alias(name("d-1.execute-api.aws")));
    assert_eq!(api.kinds(), ["A"], "the gateway has no IPv6");
    let values = |wish: &Wish| match &wish.sets()[..] {
        [RecordSet { says: Says::Values { ttl: 300, values }, .. }] => values.join("|"),
        other => panic!("{other:?}"),
    };
    assert_eq!(values(&proof()), "_9c2.acm-validations.aws.");
    assert_eq!(values(&mx()), "10 feedback-smtp.eu-central-1.amazonses.com.");
    assert_eq!(values(&spf()), "\"v=spf1 include:amazonses.com ~all\"");
}

#[test]
fn nothing_there_is_missing_and_what_was_made_is_there() {
    for wish in [site(), proof(), spf(), dmarc(), mx()] {
        assert_eq!(state_of(&wish, &[]), SlotState::Missing(wish.sets()), "{wish:?}");
        let made = look(&wish, &wish.sets(), &wish.sets());
        assert_eq!((made.state, made.ours), (SlotState::There, true), "{wish:?}");
        let by_hand = look(&wish, &wish.sets(), &[]);
        assert_eq!((by_hand.state, by_hand.ours), (SlotState::There, false), "used, not owned");
    }
    let later = Wish { wanted: None, ..proof() };
    assert_eq!(state_of(&later, &[]), SlotState::Later);
    // The name of an address is known before its target is.
    let (at, other) = (name("docs.example.org"), set("docs.example.org", "A", &["192.0.2.1"]));
    let early = Wish { wanted: None, domain: at, ..site() };
    assert_eq!(state_of(&early, &[]), SlotState::Later);
    let taken = SlotState::Taken("A 192.0.2.1".into(), None);
    assert_eq!(state_of(&early, std::slice::from_ref(&other)), taken);
    let ours = std::slice::from_ref(&other);
    assert_eq!(look(&early, ours, ours).state, SlotState::Later, "it will be replaced");
}

#[test]
fn what_somebody_has_set_is_taken_and_never_half_replaced() {
    let v4 = set("docs.example.org", "A", &["192.0.2.1"]);
    assert!(is_taken(&site(), std::slice::from_ref(&v4), "A 192.0.2.1"));
    let only_v6 = set("docs.example.org", "AAAA", &["2001:db8::1"]);
    assert!(is_taken(&site(), &[only_v6], "AAAA 2001:db8::1"));
    let routed = RecordSet { says: Says::Routed, ..v4.clone() };
    assert!(is_taken(&site(), &[routed], "A a routing policy"));
    let other = set("_3f1.example.org", "CNAME", &["old.acm-validations.aws."]);
    assert!(is_taken(&proof(), &[other], "CNAME old.acm-validations.aws."));
    // Nothing can stand beside a CNAME.
    let text = set("_3f1.example.org", "TXT", &["\"x\""]);
    assert!(is_taken(&proof(), &[text], "TXT \"x\""));
    let bounce = set("bounce.example.org", "CNAME", &["mail.example.net."]);
    assert!(is_taken(&mx(), std::slice::from_ref(&bounce), "CNAME mail.example.net."));
    assert!(is_taken(&spf(), &[bounce], "CNAME mail.example.net."));
    // What stands at other names is nobody's business.
    assert!(matches!(state_of(&mx(), &[v4]), SlotState::Missing(_)));
}

#[test]
fn half_of_it_is_completed() {
    let [v4, v6] = &site().sets()[..] else { panic!() };
    assert_eq!(state_of(&site(), std::slice::from_ref(v4)), SlotState::Missing(vec![v6.clone()]));
}

#[test]
fn a_cname_of_somebodys_is_as_good_where_it_leads_to_the_same() {
    let cname = |to: &str| set("docs.example.org", "CNAME", &[to]);
    let good = look(&site(), &[cname("D111.cloudfront.net")], &[]);
    assert_eq!((good.state, good.kinds, good.ours), (SlotState::There, vec!["CNAME"], false));
    assert!(is_taken(&site(), &[cname("old.example.net.")], "CNAME old.example.net."));
}

#[test]
fn an_spf_record_gets_no_second_one_beside_it() {
    let at = |values: &[&str]| vec![set("bounce.example.org", "TXT", values)];
    for fine in [
        "\"v=spf1 include:amazonses.com -all\"",
        "\"v=spf1 mx include:\" \"amazonses.com ~all\"",
        "\"v=spf1 +include:amazonses.com ?all\"",
    ] {
        assert_eq!(state_of(&spf(), &at(&[fine])), SlotState::There, "{fine}");
    }
    let others = ["\"v=spf1 mx -all\"", "\"v=spf1 include:notamazonses.com ~all\"", "\"hello\""];
    for other in others {
        let words = format!("TXT {other}");
        assert!(is_taken(&spf(), &at(&[other]), &words), "{other}");
    }
    let two = ["\"v=spf1 include:amazonses.com ~all\"", "\"v=spf1 mx -all\""];
    assert!(matches!(state_of(&spf(), &at(&two)), SlotState::Taken(..)));
}

#[test]
fn one_mail_server_and_any_policy_are_right() {
    let right = "10 feedback-smtp.eu-central-1.amazonses.com";
    let at = |values: &[&str]| vec![set("bounce.example.org", "MX", values)];
    assert_eq!(state_of(&mx(), &at(&[right])), SlotState::There);
    assert!(matches!(state_of(&mx(), &at(&[right, "20 b.test."])), SlotState::Taken(..)));
    assert!(matches!(state_of(&mx(), &at(&["10 b.test."])), SlotState::Taken(..)));
    let policy = |text: &str| vec![set("_dmarc.example.org", "TXT", &[text])];
    assert_eq!(state_of(&dmarc(), &policy("\"v=DMARC1; p=reject\"")), SlotState::There);
    assert!(matches!(state_of(&dmarc(), &policy("\"p=reject\"")), SlotState::Taken(..)));
    let service = set("_dmarc.example.org", "CNAME", &["x.reports.example."]);
    assert_eq!(state_of(&dmarc(), &[service]), SlotState::There);
}

#[test]
fn what_was_made_and_is_to_say_something_else_by_now_is_replaced() {
    let old = wish(Purpose::Site, "docs.example.org", Data::Alias(name("d999.cloudfront.net")));
    let slot = look(&site(), &old.sets(), &old.sets());
    assert_eq!(slot.state, SlotState::Stale(old.sets(), site().sets()));
    assert!(matches!(state_of(&site(), &old.sets()), SlotState::Taken(..)), "only what is ours");
    let old = wish(Purpose::Certificate, "_3f1.example.org", Data::Cname(name("old.aws")));
    let slot = look(&proof(), &old.sets(), &old.sets());
    assert_eq!(slot.state, SlotState::Stale(old.sets(), proof().sets()));
    // Another address for reports: still a policy, and ours to bring up to date.
    let text = Data::Txt("v=DMARC1; p=none; rua=mailto:a@example.org;".into());
    let old = wish(Purpose::Dmarc, "_dmarc.example.org", text);
    let slot = look(&dmarc(), &old.sets(), &old.sets());
    assert_eq!(slot.state, SlotState::Stale(old.sets(), dmarc().sets()));
    assert_eq!(state_of(&dmarc(), &old.sets()), SlotState::There);
}

#[test]
fn texts_are_read_as_they_are_asked_for() {
    assert_eq!(text(r#""a b" "c\"d""#), r#"a bc"d"#);
    assert_eq!(text("plain"), "plain");
}
