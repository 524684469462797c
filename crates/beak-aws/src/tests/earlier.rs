//! What earlier releases wrote into the ledger is read, counted and put away like what this one
//! writes.

use beak_core::audit::{self, Event, EventKind};
use beak_core::certificate::{CertStatus, Certificate};
use beak_core::duckling::Duckling;
use beak_core::id::{CertId, DucklingId, HatchId, PeckId};
use beak_core::key::BeakKey;
use beak_core::peck::{Message, Peck, PeckStatus, PeckType};
use beak_core::person::DisplayName;
use beak_core::ports::{
    AccountId, Accounts as _, Crowd, EventQuery, Hatched, Hatching, Listed, Move, Moved, Page,
    Pecked, Swept,
};
use beak_core::tier::Tier;
use beak_core::{Duration, OffsetDateTime};

use super::*;

type Pairs<'a> = &'a [(&'a str, AttributeValue)];

pub(super) struct Ledger {
    client: Client,
    pub(super) store: Arc<DynamoStore>,
    prefix: String,
    pub(super) now: OffsetDateTime,
}

pub(super) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(super) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn millis(moment: OffsetDateTime) -> i64 {
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).expect("a time")
}

impl Ledger {
    pub(super) async fn open(cloud: &Cloud, prefix: &str) -> Self {
        let config = configuration(cloud).await;
        let client = Client::new(&config);
        create_tables(&client, prefix).await;
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time");
        let store = Arc::new(store(&config, prefix));
        Self { store, prefix: prefix.to_owned(), client, now }
    }

    pub(super) fn table(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    pub(super) async fn put(&self, table: &str, item: Pairs<'_>) {
        let mut put = self.client.put_item().table_name(self.table(table));
        for (name, value) in item {
            put = put.item(*name, value.clone());
        }
        put.send().await.expect("put");
    }

    pub(super) async fn is_there(&self, pk: &str, sk: &str) -> bool {
        let get = self.client.get_item().table_name(self.table("ledger"));
        let get = get.key("pk", text(pk)).key("sk", text(sk)).send().await.expect("read");
        get.item.is_some()
    }

    pub(super) async fn hatch(&self, name: &str, tag: u8) -> Duckling {
        let id = DucklingId::new(self.now, [tag; 16]);
        let certificate = Certificate {
            id: CertId::new(self.now, [tag; 16]),
            duckling_id: id,
            name: name.to_owned(),
            tier: Tier::T0,
            status: CertStatus::Valid,
            issued_at: self.now,
            compact: "a.b.c".into(),
        };
        let email = Email::parse(&format!("{name}@example.com")).expect("an address");
        let name = DisplayName::parse(name).expect("a name");
        let account = AccountId::new(name.as_str());
        let key = BeakKey::new([tag; 32]);
        let duckling = Duckling::hatched(email, name, &certificate, &key, self.now);
        let hatching = Hatching { account, duckling, certificate };
        assert_eq!(self.store.hatch(&hatching).await, Ok(Hatched::Done));
        hatching.duckling
    }

    pub(super) fn peck(&self, source: &Duckling, target: &Duckling, tag: u8) -> Peck {
        Peck {
            id: PeckId::new(self.now, [tag; 16]),
            source: source.id.clone(),
            source_tier: Some(Tier::T0),
            target: target.id.clone(),
            kind: PeckType::parse(&format!("data.read{tag}")).expect("a type"),
            message: Message::parse("").expect("a message"),
            stored: PeckStatus::Pending,
            created_at: self.now,
            expires_at: self.now + Duration::hours(24),
            settled_at: None,
        }
    }

    /// A peck as an earlier release made it: counted with its pair, queued in one partition.
    async fn asked_before(&self, peck: &Peck, waiting: i64) {
        let id = text(peck.id.as_str());
        let kind = peck.kind.as_str();
        self.put(
            "pecks",
            &[
                ("peck_id", id.clone()),
                ("source_id", text(peck.source.as_str())),
                ("target_id", text(peck.target.as_str())),
                ("peck_type", text(kind)),
                ("message", text("")),
                ("status", text("pending")),
                ("source_tier", text("T0")),
                ("created_at", number(millis(peck.created_at))),
                ("lapses_at", number(millis(peck.expires_at))),
            ],
        )
        .await;
        let pair = format!("pair#{}#{}#{kind}", peck.source, peck.target);
        let guard = text("guard");
        let pair = [("pk", text(&pair)), ("sk", guard.clone()), ("peck_id", id.clone())];
        self.put("ledger", &pair).await;
        let pair = format!("waiting#{}#{}", peck.source, peck.target);
        self.put("ledger", &[("pk", text(&pair)), ("sk", guard), ("waits", number(waiting))]).await;
        let due = [("pk", text("due")), ("sk", text(&place(peck))), ("peck_id", id)];
        self.put("ledger", &due).await;
        let on_target = "ADD waits_in :one, waits_in_new :one";
        for (side, counts) in [(&peck.source, "ADD waits_out :one"), (&peck.target, on_target)] {
            let update = self.client.update_item().table_name(self.table("ducklings"));
            let update = update.key("duckling_id", text(side.as_str())).update_expression(counts);
            update.expression_attribute_values(":one", number(1)).send().await.expect("counted");
        }
        let shard = [("pk", text("metrics")), ("sk", text("shard#03"))];
        let shard = [shard[0].clone(), shard[1].clone(), ("pending", number(waiting))];
        self.put("ledger", &shard).await;
    }

    /// An event as an earlier release wrote it.
    async fn told_before(&self, event: &Event) {
        let week = event.at.unix_timestamp().div_euclid(7 * 24 * 60 * 60);
        for pk in [format!("audit#w{week}"), format!("audit#{}", event.duckling)] {
            let item = [
                ("pk", text(&pk)),
                ("sk", text(event.id.as_str())),
                ("kind", text(event.kind.word())),
                ("at_ms", number(millis(event.at))),
                ("duckling_id", text(event.duckling.as_str())),
            ];
            self.put("ledger", &item).await;
        }
    }

    /// All events, in parts of three.
    pub(super) async fn events(&self, of: Option<&Duckling>) -> Vec<Event> {
        let asked = EventQuery { of: of.map(|duckling| duckling.id.clone()), now: self.now };
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = Page { limit: 3, after };
            let Listed { items, next } = self.store.events(&asked, &page).await.expect("listed");
            all.extend(items);
            after = next;
            if after.is_none() {
                return all;
            }
        }
    }
}

pub(super) fn place(peck: &Peck) -> String {
    format!("{:015}#peck#{}", millis(peck.expires_at), peck.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn pecks_that_an_earlier_release_left_waiting_are_settled_and_swept() {
    let cloud = Cloud::start();
    let ledger = Ledger::open(&cloud, "earlier").await;
    let (swan, crane) = (ledger.hatch("swan", 1).await, ledger.hatch("crane", 2).await);
    let [first, second] = [11, 12].map(|tag| ledger.peck(&swan, &crane, tag));
    ledger.asked_before(&first, 1).await;
    ledger.asked_before(&second, 2).await;
    let store = &ledger.store;
    assert_eq!(store.metrics(ledger.now).await.expect("counted").pecks, [2, 0, 0, 0, 0]);
    // The two of an earlier release and one of this one: a fourth is one too many for a pair.
    let third = ledger.peck(&swan, &crane, 13);
    assert_eq!(store.add_peck(&third, None).await, Ok(Pecked::Done));
    let fourth = ledger.peck(&swan, &crane, 14);
    let crowded = Ok(Pecked::Crowded(Crowd::Pair));
    assert_eq!(store.add_peck(&fourth, None).await, crowded);
    // The same question is known, in whichever release it was asked.
    let mut again = ledger.peck(&swan, &crane, 12);
    again.id = PeckId::new(ledger.now, [15; 16]);
    assert_eq!(store.add_peck(&again, None).await, Ok(Pecked::AlreadyPending));
    assert_eq!(store.move_peck(&first.id, &Move::Deny, ledger.now).await, Ok(Moved::Done));
    assert_eq!(store.add_peck(&fourth, None).await, Ok(Pecked::Done));
    let later = ledger.now + Duration::hours(25);
    assert_eq!(store.metrics(later).await.expect("counted").pecks, [0, 0, 1, 3, 0]);
    let swept = store.sweep(later, 50).await;
    assert_eq!(swept, Ok(Swept { found: 3, put_away: 3, put_aside: 0 }));
    assert_eq!(store.metrics(later).await.expect("counted").pecks, [0, 0, 1, 3, 0]);
    for peck in [&first, &second] {
        assert!(!ledger.is_there("due", &place(peck)).await, "what nothing else removes");
    }
    let swept = store.sweep(later, 50).await;
    assert_eq!(swept, Ok(Swept::default()), "nothing is swept twice");
    // A peck that is not there is kept for an operator, and stops no other.
    let missing = ledger.peck(&swan, &crane, 16);
    let id = text(missing.id.as_str());
    let due = [("pk", text("due")), ("sk", text(&place(&missing))), ("peck_id", id)];
    ledger.put("ledger", &due).await;
    let swept = store.sweep(later, 50).await;
    assert_eq!(swept, Ok(Swept { found: 1, put_away: 0, put_aside: 1 }));
    assert!(ledger.is_there("due-aside", &place(&missing)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_an_earlier_release_are_listed_among_newer_ones() {
    let cloud = Cloud::start();
    let ledger = Ledger::open(&cloud, "earlier").await;
    let swan = ledger.hatch("swan", 1).await;
    let old: Vec<Event> = (0..8)
        .map(|day| audit::of_rotation(&swan.id, ledger.now - Duration::days(11 * day)))
        .collect();
    for event in &old {
        ledger.told_before(event).await;
    }
    for of in [None, Some(&swan)] {
        let all = ledger.events(of).await;
        assert!(all.is_sorted_by(|a, b| a.id > b.id), "newest first, each once");
        let rotated = all.iter().filter(|event| event.kind == EventKind::KeyRotated);
        assert_eq!(rotated.count(), old.len());
        assert_eq!(all.len(), old.len() + 3, "and the hatching");
    }
}

/// They kept beside an attempt which one is a client's newest.
#[tokio::test(flavor = "multi_thread")]
async fn attempts_of_an_earlier_release_are_found_and_forgotten() {
    let cloud = Cloud::start();
    let ledger = Ledger::open(&cloud, "earlier").await;
    let ids = [1, 2].map(|tag| HatchId::new(ledger.now + Duration::seconds(tag), [3; 16]));
    let pk = ("pk", text("attempt#digest"));
    for id in &ids {
        let id = text(id.as_str());
        let name = ("display_name", text("Swan"));
        let (client, at) = (("client", text("here")), ("made_at", number(millis(ledger.now))));
        let tries = ("tries", number(0));
        let item = [pk.clone(), ("sk", id.clone()), ("hatch_id", id), name, client, at, tries];
        ledger.put("ledger", &item).await;
    }
    let newest = [pk, ("sk", text("from#here")), ("hatch_id", text(ids[1].as_str()))];
    ledger.put("ledger", &newest).await;
    let found = ledger.store.newest_attempt("digest", "here").await.expect("read");
    assert_eq!(found.map(|attempt| attempt.id), Some(ids[1].clone()));
    assert_eq!(ledger.store.newest_attempt("digest", "there").await, Ok(None));
    assert_eq!(ledger.store.forget_attempts("digest").await, Ok(()));
    for sk in [ids[0].as_str(), ids[1].as_str(), "from#here"] {
        assert!(!ledger.is_there("attempt#digest", sk).await, "{sk}");
    }
}
