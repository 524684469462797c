//! Every item in each of its states.

use super::{Checklist, State, Whom};
use crate::facts::{
    Account, Enforcement, Facts, Identity, Looked, Memory, Progress, Review, Set, SetFound, Test,
    TestMail, Website,
};
use crate::judge::{self, Mistake};
use crate::records::tests::{everything, name};
use crate::records::{Purpose, Zones};
use crate::review::Stage;

fn verified() -> Identity {
    Identity {
        whole_domain: true,
        verified: Progress::Success,
        dkim: Progress::Success,
        bits: Some(2048),
        tokens: vec![],
        mail_from: Some((name("bounce.example.org"), Progress::Success)),
        error: None,
        asked: None,
        tags: std::collections::BTreeMap::new(),
        set: None,
    }
}

/// A galaxy in which everything is done.
pub(crate) fn finished() -> Facts {
    let mail = crate::records::Domains { mail: everything().mail, fronts: vec![] };
    let wanted = mail.wanted(&Zones::default()).unwrap();
    let looked = |wanted| Looked {
        wanted,
        zone: name("example.org"),
        state: judge::State::Right,
        known: None,
    };
    let set = |name: &str| Set {
        name: name.into(),
        found: Some(SetFound { tls: true, events: vec!["BOUNCE".into(), "COMPLAINT".into()] }),
    };
    let mail = |plays: &str, written| TestMail {
        plays: plays.into(),
        message_id: format!("0102-{plays}"),
        written,
    };
    let now = 1_800_000_000;
    Facts {
        now,
        galaxy: "spaceduck".into(),
        release: Some("0.1.0".into()),
        region: "eu-central-1".into(),
        domain: Some(name("example.org")),
        account: Some(Account {
            production: true,
            sending: true,
            enforcement: Enforcement::Healthy,
            per_day: 50_000.0,
            per_second: 14.0,
            sent: 12.0,
            suppresses: (true, true),
            review: Some(Review::Granted),
            case: Some("1111222233".into()),
            plan: Some("ESSENTIALS".into()),
            insights: false,
        }),
        identity: Some(verified()),
        records: wanted.into_iter().map(looked).collect(),
        sets: vec![set("spaceduck-tx"), set("spaceduck-news")],
        listens: true,
        captcha: true,
        alarms: true,
        website: Some(Website {
            url: "https://example.org/".into(),
            trouble: None,
            privacy: Some("https://example.org/privacy/".into()),
            contact: Some("https://example.org/contact/".into()),
            form: Some("https://example.org/newsletter/".into()),
        }),
        memory: Memory {
            confirmed: ["imprint", "mailboxes", "contacts", "price"]
                .map(|id| (id.to_owned(), now - 100))
                .into(),
            test: Some(Test {
                at: now - 1000,
                mails: vec![
                    mail("success", None),
                    mail("bounce", Some(now - 990)),
                    mail("complaint", Some(now - 980)),
                ],
            }),
            per_day: Some(200),
            ..Memory::default()
        },
    }
}

fn state(facts: &Facts, id: &str) -> State {
    let list = Checklist::of(facts);
    list.checks.into_iter().find(|check| check.item.id == id).unwrap().state
}

/// What an item says after a change of what was observed.
fn after(id: &str, change: impl FnOnce(&mut Facts)) -> State {
    let mut facts = finished();
    change(&mut facts);
    state(&facts, id)
}

fn account(facts: &mut Facts) -> &mut Account {
    facts.account.as_mut().unwrap()
}

fn identity(facts: &mut Facts) -> &mut Identity {
    facts.identity.as_mut().unwrap()
}

fn record(facts: &mut Facts, purpose: Purpose) -> &mut Looked {
    facts.records.iter_mut().find(|record| record.wanted.purpose == purpose).unwrap()
}

#[test]
fn a_finished_galaxy_has_twenty_items_done() {
    let list = Checklist::of(&finished());
    let open: Vec<_> = list.checks.iter().filter(|check| !check.state.is_done()).collect();
    assert!(open.is_empty() && list.is_all_done(), "{open:?}");
    assert_eq!((list.done(), list.stage), (20, Some(Stage::Granted)));
}

#[test]
fn without_the_grant_not_all_is_done() {
    let mut facts = finished();
    account(&mut facts).production = false;
    account(&mut facts).review = Some(Review::Pending);
    let list = Checklist::of(&facts);
    assert!(!list.is_all_done());
    assert_eq!(list.done(), 18, "the letter and what comes after it");
}

#[test]
fn every_item_can_be_otherwise() {
    /// An item, a change that it must notice, and the word for how it then is.
    type Case = (&'static str, fn(&mut Facts), &'static str);
    let cases: [Case; 42] = [
        ("region", |f| f.account = None, "unseen"),
        ("region", |f| account(f).enforcement = Enforcement::Shutdown, "wrong"),
        ("region", |f| account(f).enforcement = Enforcement::Probation, "wrong"),
        ("region", |f| account(f).sending = false, "wrong"),
        ("identity", |f| f.domain = None, "waiting"),
        ("identity", |f| f.identity = None, "waiting"),
        ("identity", |f| identity(f).whole_domain = false, "wrong"),
        ("identity", |f| identity(f).verified = Progress::Pending, "waiting"),
        ("identity", |f| identity(f).verified = Progress::Failed, "wrong"),
        ("identity", |f| identity(f).verified = Progress::Lost, "wrong"),
        ("dkim", |f| record(f, Purpose::Dkim).state = judge::State::Missing, "waiting"),
        ("dkim", |f| identity(f).dkim = Progress::Pending, "waiting"),
        ("dkim", |f| identity(f).dkim = Progress::Failed, "wrong"),
        ("dkim", |f| identity(f).bits = Some(1024), "wrong"),
        ("dkim", |f| identity(f).dkim = Progress::Other("X".into()), "unseen"),
        ("mail_from", |f| identity(f).mail_from = None, "wrong"),
        ("mail_from", |f| record(f, Purpose::Spf).state = judge::State::Missing, "waiting"),
        (
            "mail_from",
            |f| record(f, Purpose::Spf).state = judge::State::Wrong(Mistake::SecondSpf(2)),
            "wrong",
        ),
        ("dmarc", |f| record(f, Purpose::Dmarc).state = judge::State::Missing, "waiting"),
        ("bulk", |f| record(f, Purpose::Dmarc).state = judge::State::Missing, "waiting"),
        ("suppression", |f| account(f).suppresses = (true, false), "wrong"),
        ("suppression", |f| f.account = None, "unseen"),
        ("sets", |f| f.sets[1].found = None, "wrong"),
        ("sets", |f| f.sets[0].found.as_mut().unwrap().tls = false, "wrong"),
        ("sets", |f| f.sets.clear(), "waiting"),
        ("events", |f| f.sets[0].found.as_mut().unwrap().events.retain(|e| e == "BOUNCE"), "wrong"),
        ("events", |f| f.sets[0].found = None, "waiting"),
        ("dmarc", |f| f.domain = None, "waiting"),
        ("simulator", |f| f.memory.test = None, "waiting"),
        ("simulator", |f| f.memory.test.as_mut().unwrap().mails[1].written = None, "wrong"),
        ("simulator", |f| f.memory.test.as_mut().unwrap().mails[0].message_id.clear(), "wrong"),
        ("simulator", |f| f.memory.granted = Some(f.now - 900), "waiting"),
        ("one_click", |f| f.release = None, "waiting"),
        ("opt_in", |f| f.release = None, "waiting"),
        ("imprint", |f| f.memory.confirmed.clear(), "waiting"),
        ("website", |f| f.website = None, "waiting"),
        ("website", |f| f.website.as_mut().unwrap().trouble = Some("answers 404".into()), "wrong"),
        ("website", |f| f.website.as_mut().unwrap().privacy = None, "wrong"),
        ("letter", |f| account(f).production = false, "done"),
        ("price", |f| f.memory.confirmed.clear(), "waiting"),
        ("insights", |f| f.account = None, "unseen"),
        ("warm_up", |f| f.alarms = false, "waiting"),
    ];
    for (index, (id, change, word)) in cases.into_iter().enumerate() {
        assert_eq!(after(id, change).word(), word, "case {index}: {id}");
    }
}

#[test]
fn since_when_mail_may_go_to_everybody_is_remembered() {
    let mut facts = finished();
    facts.memory.granted = Some(facts.now - 2000);
    let later = Checklist::of(&facts).remember(&facts.memory, facts.now);
    assert_eq!(later.granted, Some(facts.now - 2000), "the first time counts");
    assert!(Checklist::of(&facts).is_all_done(), "tested since");
    facts.memory.granted = None;
    let first = Checklist::of(&facts).remember(&facts.memory, facts.now);
    assert_eq!((first.granted, first.is_tested_too_early()), (Some(facts.now), true));
    account(&mut facts).production = false;
    account(&mut facts).review = Some(Review::Pending);
    assert_eq!(Checklist::of(&facts).remember(&facts.memory, facts.now).granted, None);
}

#[test]
fn the_simulator_is_given_five_minutes() {
    let waiting = after("simulator", |facts| {
        let test = facts.memory.test.as_mut().unwrap();
        test.at = facts.now - 20;
        test.mails[2].written = None;
    });
    let State::Waiting { whom, what, .. } = waiting else { panic!("{waiting:?}") };
    assert_eq!((whom, what.as_str()), (Whom::Amazon, "complaint"));
}

#[test]
fn where_the_api_does_not_listen_nothing_is_said_of_what_came_back() {
    let state = after("simulator", |facts| {
        facts.listens = false;
        for mail in &mut facts.memory.test.as_mut().unwrap().mails {
            mail.written = None;
        }
    });
    let State::Done { detail: Some(detail) } = state else { panic!("{state:?}") };
    assert!(detail.contains("does not write down what comes back"), "{detail}");
}

#[test]
fn a_mistake_in_the_zone_is_told_with_what_should_be_and_where() {
    let wrong = after("dkim", |facts| {
        let twice = name("tok1._domainkey.example.org.example.org");
        record(facts, Purpose::Dkim).state = judge::State::Wrong(Mistake::NameTwice(twice));
    });
    let State::Wrong { is, should, place } = wrong else { panic!("{wrong:?}") };
    assert!(is.contains("is currently set at tok1._domainkey.example.org.example.org"), "{is}");
    assert!(should.contains("the same record at tok1._domainkey.example.org"), "{should}");
    assert!(place.contains("adds `.example.org` by itself"), "{place}");
}

#[test]
fn the_letter_comes_after_what_it_needs() {
    let never = |facts: &mut Facts| {
        account(facts).production = false;
        account(facts).review = None;
    };
    let ready = after("letter", never);
    assert!(matches!(ready, State::Waiting { whom: Whom::You, .. }), "{ready:?}");
    let early = after("letter", |facts| {
        never(facts);
        record(facts, Purpose::Dmarc).state = judge::State::Missing;
    });
    assert!(matches!(early, State::Waiting { whom: Whom::Item("dmarc"), .. }), "{early:?}");
    let refused = after("letter", |facts| {
        account(facts).production = false;
        account(facts).review = Some(Review::Denied);
    });
    let State::Wrong { place, .. } = refused else { panic!("{refused:?}") };
    assert!(place.contains("1111222233"), "{place}");
}

#[test]
fn since_when_is_remembered_while_it_lasts() {
    let mut facts = finished();
    facts.memory.confirmed.clear();
    let first = Checklist::of(&facts).remember(&facts.memory, facts.now);
    assert_eq!(first.since.get("imprint"), Some(&facts.now));
    facts.memory = first;
    facts.now += 3600;
    let later = Checklist::of(&facts);
    let memory = later.remember(&facts.memory, facts.now);
    assert_eq!(memory.since.get("imprint"), Some(&(facts.now - 3600)), "the first time counts");
    let State::Waiting { since, .. } = state(&facts, "imprint") else { panic!() };
    assert_eq!(since, Some(facts.now - 3600));
    facts.memory = memory;
    facts.memory.confirmed.insert("imprint".into(), facts.now);
    let done = Checklist::of(&facts).remember(&facts.memory, facts.now);
    assert!(!done.since.contains_key("imprint"), "what is done is forgotten");
}
