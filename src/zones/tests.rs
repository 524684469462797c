//! Zones in an account in memory: which are used, what is told, what is ours.

use std::sync::Arc;

use galaxy_mail::judge::Hosted;

use super::*;
use crate::config::{Environment, SlotState, parse};
use crate::model::{AccountId, Says};
use crate::rehearse::{Account, Closed};

fn name(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn region() -> Region {
    Region::parse("eu-central-1").unwrap()
}

fn account() -> Arc<Account> {
    Account::new(AccountId::parse("111122223333").unwrap(), region())
}

const MAIL: &str = "mail:\n  domain: mail.example.org\n";

async fn seen_with(account: &Arc<Account>, yaml: &str) -> (Config, Hosting) {
    let mut config = parse("galaxy.yaml", yaml, &Environment::default()).unwrap();
    config.hosting = seen(&account.world(), &config, &region()).await.unwrap();
    let hosting = config.hosting.clone();
    (config, hosting)
}

async fn make_mail(account: &Arc<Account>, yaml: &str) -> Result<Made, Failure> {
    let (config, _) = seen_with(account, yaml).await;
    make(&account.world(), &config, &region(), Part::Mail, Chosen::Wanted).await
}

fn set(at: &str, kind: &str, value: &str) -> RecordSet {
    let says = Says::Values { ttl: 300, values: vec![value.into()] };
    RecordSet { name: name(at), kind: kind.into(), says }
}

fn purposes(hosting: &Hosting) -> Vec<Purpose> {
    hosting.slots.iter().map(|slot| slot.purpose).collect()
}

#[tokio::test]
async fn a_galaxy_without_domains_asks_route_53_nothing() {
    let account = account();
    account.close(Closed::Looking);
    let (_, hosting) = seen_with(&account, "").await;
    assert_eq!(hosting, Hosting::default());
}

#[tokio::test]
async fn without_the_right_to_look_all_records_are_the_persons() {
    let account = account();
    account.host(&name("example.org"));
    account.close(Closed::Looking);
    let (_, hosting) = seen_with(&account, MAIL).await;
    assert_eq!((hosting.slots.len(), hosting.troubles.len()), (0, 1));
    assert!(hosting.troubles[0].contains("AccessDenied"), "{:?}", hosting.troubles);
}

#[tokio::test]
async fn whoever_sets_all_records_by_hand_is_left_alone() {
    let account = account();
    account.host(&name("example.org"));
    let (_, hosting) = seen_with(&account, &format!("dns: manual\n{MAIL}")).await;
    assert_eq!(hosting.slots, []);
    assert!(!seen_with(&account, MAIL).await.1.slots.is_empty());
}

#[tokio::test]
async fn a_zone_that_nobody_is_led_to_is_told_with_its_servers_and_gets_nothing() {
    let account = account();
    account.host(&name("example.org"));
    let elsewhere = Hosted { zone: name("example.org"), servers: vec![name("ns1.provider.net")] };
    account.lead(&name("example.org"), Some(elsewhere));
    let (_, hosting) = seen_with(&account, MAIL).await;
    assert_eq!(hosting.slots, []);
    let told = hosting.troubles.join(" ");
    assert!(told.contains("ns1.provider.net") && told.contains("ns-1.awsdns.example"), "{told}");
    assert_eq!(hosting.expected()[0].servers, [name("ns-1.awsdns.example")]);
    // Nobody can tell, as before the domain is registered: then it is made ready.
    account.lead(&name("example.org"), None);
    let (_, hosting) = seen_with(&account, MAIL).await;
    assert!(!hosting.slots.is_empty() && hosting.troubles.is_empty());
}

#[tokio::test]
async fn of_two_zones_of_one_name_the_one_that_is_led_to_is_used() {
    let account = account();
    let (first, second) = (account.host(&name("example.org")), account.host(&name("example.org")));
    let to = |server: &str| Hosted { zone: name("example.org"), servers: vec![name(server)] };
    account.lead(&name("example.org"), Some(to("ns-2.awsdns.example")));
    let (_, hosting) = seen_with(&account, MAIL).await;
    assert!(hosting.slots.iter().all(|slot| slot.zone.id == second) && hosting.slots.len() > 2);
    account.lead(&name("example.org"), None);
    let (_, hosting) = seen_with(&account, MAIL).await;
    assert_eq!(hosting.slots, []);
    let told = hosting.troubles.join(" ");
    assert!(told.contains(&first) && told.contains(&second), "{told}");
}

#[tokio::test]
async fn a_stricter_policy_of_the_organisation_is_not_weakened() {
    let policy = || set("_dmarc.example.org", "TXT", "\"v=DMARC1; p=reject\"");
    let account = account();
    let zone = account.host(&name("example.org"));
    assert!(purposes(&seen_with(&account, MAIL).await.1).contains(&Purpose::Dmarc));
    account.place(&zone, policy());
    assert!(!purposes(&seen_with(&account, MAIL).await.1).contains(&Purpose::Dmarc));
    // The organisation's zone is somebody else's: its servers tell.
    let account = self::account();
    account.host(&name("mail.example.org"));
    let own = name("_dmarc.mail.example.org");
    for (state, wanted) in [
        (State::Right, false),
        (State::Missing, true),
        (State::Unseen(galaxy_mail::dns::Trouble::NoResolver("none".into())), false),
    ] {
        account.set_record(&own, "TXT", state.clone());
        let there = purposes(&seen_with(&account, MAIL).await.1).contains(&Purpose::Dmarc);
        assert_eq!(there, wanted, "{state:?}");
    }
}

#[tokio::test]
async fn all_of_a_zone_is_made_in_one_change_and_noted_before() {
    let account = account();
    let zone = account.host(&name("example.org"));
    assert_eq!(make_mail(&account, MAIL).await, Ok(Made::All(true)));
    let changes = account.log();
    assert_eq!(changes.len(), 1, "{changes:?}");
    let keys: Vec<String> = account.records(&zone).into_keys().collect();
    let wanted = [
        "_dmarc.mail.example.org TXT",
        "bounce.mail.example.org MX",
        "bounce.mail.example.org TXT",
    ];
    assert_eq!(keys, wanted);
    let (config, hosting) = seen_with(&account, MAIL).await;
    assert_eq!(hosting.ours.len(), 3);
    assert!(hosting.ours.iter().all(|one| one.state == OursState::There && one.wanted));
    assert_eq!(make_mail(&account, MAIL).await, Ok(Made::All(false)));
    assert_eq!(remove(&account.world(), &config.name, Part::Mail, None).await, Ok(true));
    assert_eq!(account.records(&zone), BTreeMap::new());
    assert_eq!(seen_with(&account, MAIL).await.1.noted, BTreeSet::new());
}

#[tokio::test]
async fn what_somebody_sets_in_between_is_neither_overwritten_nor_owned() {
    let account = account();
    let zone = account.host(&name("example.org"));
    let theirs = set("bounce.mail.example.org", "MX", "10 mx.example.net.");
    account.race(&zone, theirs.clone());
    assert_eq!(make_mail(&account, MAIL).await, Ok(Made::All(true)));
    let records = account.records(&zone);
    assert_eq!(records["bounce.mail.example.org MX"], "10 mx.example.net.");
    assert_eq!(records.len(), 3, "the others are made all the same");
    let (config, hosting) = seen_with(&account, MAIL).await;
    assert!(hosting.ours.iter().all(|one| !one.mark.contains(" MX ")), "{:?}", hosting.ours);
    assert!(hosting.left_alone()[0].contains("10 mx.example.net."));
    remove(&account.world(), &config.name, Part::Mail, None).await.unwrap();
    assert_eq!(account.records(&zone).into_keys().collect::<Vec<_>>(), [theirs.key()]);
}

#[tokio::test]
async fn what_was_changed_since_stays_and_is_no_longer_ours() {
    let account = account();
    let zone = account.host(&name("example.org"));
    make_mail(&account, MAIL).await.unwrap();
    account.place(&zone, set("_dmarc.mail.example.org", "TXT", "\"v=DMARC1; p=reject\""));
    let (config, hosting) = seen_with(&account, MAIL).await;
    let changed: Vec<&Ours> =
        hosting.ours.iter().filter(|one| matches!(one.state, OursState::Changed(_))).collect();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].key(), "_dmarc.mail.example.org TXT");
    remove(&account.world(), &config.name, Part::Mail, None).await.unwrap();
    let left: Vec<String> = account.records(&zone).into_keys().collect();
    assert_eq!(left, ["_dmarc.mail.example.org TXT"]);
    assert_eq!(seen_with(&account, MAIL).await.1.ours, []);
}

#[tokio::test]
async fn a_repair_makes_what_was_made_before_and_nothing_else() {
    let account = account();
    let zone = account.host(&name("example.org"));
    account.place(&zone, set("bounce.mail.example.org", "MX", "10 mx.example.net."));
    make_mail(&account, MAIL).await.unwrap();
    for key in ["bounce.mail.example.org MX", "_dmarc.mail.example.org TXT"] {
        account.displace(key);
    }
    let (config, _) = seen_with(&account, MAIL).await;
    let (world, region) = (account.world(), region());
    let repair = make(&world, &config, &region, Part::Mail, Chosen::Made);
    assert_eq!(repair.await, Ok(Made::All(true)));
    let there: Vec<String> = account.records(&zone).into_keys().collect();
    assert_eq!(there, ["_dmarc.mail.example.org TXT", "bounce.mail.example.org TXT"]);
}

#[tokio::test]
async fn whoever_may_not_change_is_told_and_owns_nothing() {
    let account = account();
    account.host(&name("example.org"));
    account.close(Closed::Changing);
    assert!(matches!(make_mail(&account, MAIL).await, Ok(Made::Forbidden(_))));
    account.close(Closed::Open);
    assert_eq!(seen_with(&account, MAIL).await.1.noted, BTreeSet::new());
    // A removal that may not be is no removal.
    make_mail(&account, MAIL).await.unwrap();
    account.close(Closed::Changing);
    let (config, _) = seen_with(&account, MAIL).await;
    let failure = remove(&account.world(), &config.name, Part::Mail, None).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Access);
}

#[tokio::test]
async fn what_is_no_longer_wanted_is_told_from_what_is() {
    let account = account();
    let zone = account.host(&name("example.org"));
    make_mail(&account, MAIL).await.unwrap();
    let (_, hosting) = seen_with(&account, "mail:\n  domain: post.example.org\n").await;
    assert!(hosting.ours.iter().all(|one| !one.wanted && one.zone == zone));
    assert_eq!(hosting.ours.len(), 3);
    let ready = hosting.slots.iter().filter(|slot| slot.is_ready()).count();
    assert_eq!(ready, 3, "{:?}", hosting.slots);
    assert!(hosting.slots.iter().any(|slot| slot.state == SlotState::Later), "DKIM");
}

#[tokio::test]
async fn a_note_that_nobody_can_read_is_no_note_of_nothing() {
    let account = account();
    account.host(&name("example.org"));
    let (config, _) = seen_with(&account, MAIL).await;
    let path = crate::catalog::records_path(&config.name, Part::Mail);
    account.world().notes.put(&path, "{").await.unwrap();
    let failure = seen(&account.world(), &config, &region()).await.unwrap_err();
    assert!(failure.message().contains("/spaceduck/records/mail"), "{}", failure.message());
}
