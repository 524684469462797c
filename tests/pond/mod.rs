//! A galaxy that changes while it is read: its store, deeds of its people, and the same items page
//! by page as DynamoDB would give them at each moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use beak_core::certificate::{CertStatus, Certificate};
use beak_core::duckling::{Duckling, EGG_LIFETIME, Egg};
use beak_core::id::{CertId, DucklingId, PeckId};
use beak_core::key::BeakKey;
use beak_core::peck::{Direction, Message, Peck, PeckStatus, PeckType};
use beak_core::person::{DisplayName, Email};
use beak_core::ports::{
    AccountId, Deletion, EventQuery, Hatched, Hatching, Metrics, Move, Moved, NewKey, Page,
    PeckQuery, Promotion, Side, Store, Suspension,
};
use beak_core::tier::{Note, Statement, Tier, TierRequest};
use beak_core::{Duration, OffsetDateTime};
use beak_local::pond::Pond;
use serde_json::{Value, json};
use spaceduck::failure::{Failure, Kind};
use spaceduck::model::Secret;
use spaceduck::ports::{Account, Page as Part, Records};
use tempfile::TempDir;

/// How many items a page has.
const PAGE: usize = 5;

/// How many seconds there are between a galaxy's past and its export: long enough for the export to
/// leave the events of before alone.
const PAUSE: i64 = 600;

/// What people do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Hatch,
    Peck,
    Approve,
    Deny,
    Unpeck,
    Rotate,
    Delete,
    Rename,
    Suspend,
    Request,
}

impl Deed {
    const ALL: [Self; 10] = [
        Self::Hatch,
        Self::Peck,
        Self::Approve,
        Self::Deny,
        Self::Unpeck,
        Self::Rotate,
        Self::Delete,
        Self::Rename,
        Self::Suspend,
        Self::Request,
    ];
}

#[derive(Default)]
struct State {
    random: u64,
    /// Whether the past is over.
    begun: bool,
    left: usize,
    at: Option<(usize, Deed)>,
    reads: usize,
    ticks: i64,
    made: u32,
    people: BTreeSet<String>,
    /// How many ducklings hatched and were deleted during the export.
    fleeting: u64,
    names: BTreeMap<String, BTreeSet<String>>,
    before: BTreeMap<String, String>,
}

/// The galaxy.
pub(crate) struct Live {
    pond: Pond,
    state: Mutex<State>,
    _folder: TempDir,
}

/// In memory where there is such a folder: what is tested is not the disk.
pub(crate) fn folder() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap()
}

fn start() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
}

fn all() -> Page {
    Page { limit: 10_000, after: None }
}

fn bytes<const N: usize>(number: u32) -> [u8; N] {
    let mut bytes = [7; N];
    bytes[N - 4..].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn refused() -> Failure {
    Failure::new(Kind::Refused, "not in this test").help("do something else")
}

impl Live {
    /// A galaxy with a past, in which so many deeds are to come.
    pub(crate) async fn new(seed: u64, deeds: usize) -> Self {
        let folder = self::folder();
        let pond = Pond::open(folder.path()).unwrap();
        // A small generator is enough, and the same everywhere.
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let state = Mutex::new(State { random, ..State::default() });
        let live = Self { pond, state, _folder: folder };
        for _ in 0..4 {
            live.act(Deed::Hatch).await;
        }
        for _ in 0..16 {
            live.act(live.any_deed()).await;
        }
        live.with(|state| {
            state.names.clear();
            (state.begun, state.left) = (true, deeds);
            state.ticks += PAUSE;
        });
        live
    }

    /// A galaxy with something of each, in which nothing happens but what is told.
    pub(crate) async fn calm() -> Self {
        let live = Self::new(5, 0).await;
        for deed in [Deed::Hatch, Deed::Hatch, Deed::Peck, Deed::Peck, Deed::Approve, Deed::Peck] {
            live.act(deed).await;
        }
        let before = seen(live.store().as_ref(), live.now(), &BTreeSet::new()).await;
        live.with(|state| {
            state.names.clear();
            (state.reads, state.before) = (0, before);
            state.ticks += PAUSE;
        });
        live
    }

    /// Does something right before a read.
    pub(crate) fn at(&self, moment: usize, deed: Deed) {
        self.with(|state| (state.at, state.left) = (Some((moment, deed)), 1));
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap())
    }

    fn random(&self, below: usize) -> usize {
        self.with(|state| {
            state.random ^= state.random << 13;
            state.random ^= state.random >> 7;
            state.random ^= state.random << 17;
            usize::try_from(state.random % below.max(1) as u64).unwrap()
        })
    }

    fn any_deed(&self) -> Deed {
        // More of what makes something than of what ends it.
        let more = [Deed::Hatch, Deed::Peck, Deed::Peck, Deed::Approve, Deed::Approve];
        let deeds: Vec<Deed> = Deed::ALL.into_iter().chain(more).collect();
        deeds[self.random(deeds.len())]
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        self.pond.store()
    }

    pub(crate) fn left(&self) -> usize {
        self.with(|state| state.left)
    }

    pub(crate) fn reads(&self) -> usize {
        self.with(|state| state.reads)
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        start() + Duration::seconds(self.with(|state| state.ticks))
    }

    /// The same as AWS's clock shows it.
    pub(crate) fn seconds(&self) -> u64 {
        u64::try_from(self.now().unix_timestamp()).unwrap()
    }

    pub(crate) fn renamed(&self) -> BTreeSet<String> {
        self.with(|state| state.names.keys().cloned().collect())
    }

    /// Who has an account.
    pub(crate) fn people(&self) -> BTreeSet<String> {
        self.with(|state| state.people.clone())
    }

    /// Whose account an import of an export makes.
    pub(crate) fn people_in(text: &str) -> BTreeSet<String> {
        let folder = self::folder();
        spaceduck::archive::into_folder(text.as_bytes(), folder.path()).unwrap();
        let mut people = BTreeSet::new();
        let take = |entry| {
            if let beak_local::transfer::Entry::Person { email, .. } = entry {
                people.insert(email);
            }
            Ok::<_, beak_local::LocalError>(())
        };
        beak_local::transfer::pass_on(folder.path(), take).unwrap();
        people
    }

    /// Whether each renamed duckling has one of the names that it had during the export.
    pub(crate) async fn has_names_of(&self, store: &Arc<dyn Store>) -> bool {
        for (id, names) in self.with(|state| state.names.clone()) {
            let duckling = store.duckling(&DucklingId::parse(&id).unwrap()).await.unwrap();
            if duckling.is_some_and(|one| !names.contains(one.display_name.as_str())) {
                return false;
            }
        }
        true
    }

    /// What clients saw before a deed, and what they see after it.
    pub(crate) async fn before_and_after(&self) -> [BTreeMap<String, String>; 2] {
        let before = self.with(|state| state.before.clone());
        [before, seen(self.store().as_ref(), self.now(), &self.renamed()).await]
    }

    /// Whether a store has the eggs of this one. Those may be there, too, whose duckling came and
    /// went during the export: eggs have no events.
    pub(crate) async fn has_eggs_of(&self, store: &Arc<dyn Store>) -> bool {
        let found = store.metrics(start()).await.unwrap().eggs;
        let wanted = self.store().metrics(start()).await.unwrap().eggs;
        (wanted..=wanted + self.with(|state| state.fleeting)).contains(&found)
    }

    fn tick(&self) -> (OffsetDateTime, u32) {
        self.with(|state| {
            state.ticks += 1;
            state.made += 1;
        });
        (self.now(), self.with(|state| state.made))
    }

    async fn someone(&self) -> Option<Duckling> {
        let all = self.store().ducklings(&all()).await.unwrap().items;
        let at = self.random(all.len());
        all.into_iter().nth(at)
    }

    /// A peck in one of these states.
    async fn some_peck(&self, wanted: PeckStatus) -> Option<Peck> {
        let mut found = Vec::new();
        for duckling in self.store().ducklings(&all()).await.unwrap().items {
            found.extend(pecks(self.store().as_ref(), &duckling.id, Direction::Out).await);
        }
        found.retain(|peck: &Peck| peck.stored == wanted);
        let at = self.random(found.len());
        found.into_iter().nth(at)
    }

    /// Does something, if anyone can.
    pub(crate) async fn act(&self, deed: Deed) {
        let (now, number) = self.tick();
        let store = self.store();
        match deed {
            Deed::Hatch => self.hatch(now, number).await,
            Deed::Peck => {
                let (Some(source), Some(target)) = (self.someone().await, self.someone().await)
                else {
                    return;
                };
                if source.id != target.id {
                    let peck = peck(&source, &target, (now, number));
                    store.add_peck(&peck, None).await.unwrap();
                }
            }
            Deed::Approve => {
                let Some(peck) = self.some_peck(PeckStatus::Pending).await else { return };
                let source = side(store.as_ref(), &peck.source, (now, number)).await;
                let target = side(store.as_ref(), &peck.target, (now, number + 500_000)).await;
                store.move_peck(&peck.id, &Move::Approve { source, target }, now).await.unwrap();
            }
            Deed::Deny | Deed::Unpeck => {
                let (from, to) = if deed == Deed::Deny {
                    (PeckStatus::Pending, Move::Deny)
                } else {
                    (PeckStatus::Approved, Move::Revoke)
                };
                let Some(peck) = self.some_peck(from).await else { return };
                store.move_peck(&peck.id, &to, now).await.unwrap();
            }
            Deed::Delete => {
                let Some(duckling) = self.someone().await else { return };
                delete(store.as_ref(), &duckling.id, now).await;
                self.with(|state| {
                    state.people.remove(duckling.email.as_str());
                    let begun = start() + Duration::seconds(PAUSE);
                    state.fleeting += u64::from(duckling.created_at > begun);
                });
            }
            other => self.change(other, now, number).await,
        }
    }

    async fn change(&self, deed: Deed, now: OffsetDateTime, number: u32) {
        let Some(duckling) = self.someone().await else { return };
        let store = self.store();
        match deed {
            Deed::Rotate => {
                let key = BeakKey::new(bytes(number));
                let (hash, hint) = (key.hash().to_hex(), key.hint());
                let new = NewKey { hash, hint, at: now };
                store.rotate_key(&duckling.id, &duckling.key_hash, &new).await.unwrap();
            }
            Deed::Rename => {
                let name = DisplayName::parse(&format!("Duck {number}")).unwrap();
                store.rename(&duckling.id, &name).await.unwrap();
                self.with(|state| {
                    let names = state.names.entry(duckling.id.to_string()).or_default();
                    names.insert(duckling.display_name.as_str().to_owned());
                    names.insert(name.as_str().to_owned());
                });
            }
            Deed::Suspend => {
                let suspends = !duckling.is_suspended();
                let reason = Note::parse("seen").unwrap();
                store.suspend(&Suspension { duckling, suspends, reason, at: now }).await.unwrap();
            }
            // A request has no event: it is made before an export begins.
            Deed::Request if !self.with(|state| state.begun) => {
                let statement = Statement::parse("because I am one of you, and long have been");
                let request = TierRequest { statement: statement.unwrap(), at: now };
                store.request_tier(&duckling.id, &request).await.unwrap();
            }
            _ => {}
        }
    }

    async fn hatch(&self, now: OffsetDateTime, number: u32) {
        let store = self.store();
        let email = Email::parse(&format!("duck{number}@example.com")).unwrap();
        let display_name = DisplayName::parse(&format!("Duck {number}")).unwrap();
        let egg = Egg {
            email: email.clone(),
            display_name: display_name.clone(),
            created_at: now - Duration::seconds(1),
            expires_at: now + EGG_LIFETIME,
        };
        if !self.with(|state| state.begun) {
            // Laid for the next one, who hatches during the export.
            let next = Email::parse(&format!("duck{}@example.com", number + 40)).unwrap();
            store.lay_egg(&Egg { email: next, ..egg }).await.unwrap();
        }
        let id = DucklingId::new(now, bytes(number));
        let certificate = certificate(&id, Tier::T0, (now, number));
        let key = BeakKey::new(bytes(number));
        let duckling = Duckling::hatched(email, display_name, &certificate, &key, now);
        let account = AccountId::new(format!("account {number}"));
        let address = duckling.email.as_str().to_owned();
        let hatched = store.hatch(&Hatching { account, duckling, certificate }).await.unwrap();
        assert_eq!(hatched, Hatched::Done);
        self.with(|state| state.people.insert(address));
    }

    /// What happens between one read and the next.
    async fn disturb(&self) {
        let due = self.with(|state| {
            state.reads += 1;
            let at = state.at.filter(|(moment, _)| *moment + 1 == state.reads);
            (state.left > 0, state.at.is_some(), at)
        });
        match due {
            (true, _, Some((_, deed))) => {
                self.with(|state| state.left = 0);
                self.act(deed).await;
            }
            (true, false, None) => {
                // Where nothing ends them, few deeds at a time, but some in each round.
                let odds = if self.left() > 1000 { 6 } else { 2 };
                while self.left() > 0 && self.random(odds) == 0 {
                    self.with(|state| state.left -= 1);
                    self.act(self.any_deed()).await;
                }
            }
            _ => {}
        }
    }

    fn items_of(&self, table: &str) -> BTreeMap<String, Value> {
        let held = self.pond.held().unwrap().into_iter().filter(|(of, _)| of == table);
        held.map(|(_, item)| as_now(item)).map(|item| (key_of(&item), item)).collect()
    }
}

/// An event as this release keeps it, for every other one: those of earlier releases stay.
fn as_now(mut item: Value) -> Value {
    let pk = item["pk"]["S"].as_str().unwrap_or_default();
    let sk = item["sk"]["S"].as_str().unwrap_or_default().to_owned();
    if !pk.starts_with("audit#w") || sk.as_bytes().last().is_some_and(|last| last % 2 == 0) {
        return item;
    }
    let mut event = serde_json::Map::new();
    let names = [
        ("kind", "kind"),
        ("duckling_id", "of"),
        ("other_id", "other"),
        ("peck_id", "peck"),
        ("cert_id", "cert"),
        ("tier", "tier"),
        ("note", "note"),
    ];
    for (old, new) in names {
        if let Some(value) = item.as_object_mut().unwrap().remove(old) {
            event.insert(new.into(), value);
        }
    }
    item["told"] = json!({"L": [{ "M": event }]});
    item["pk"] = json!({"S": "audit#s03"});
    item
}

fn key_of(item: &Value) -> String {
    let text = |name: &str| item[name]["S"].as_str().map(str::to_owned);
    if let (Some(pk), Some(sk)) = (text("pk"), text("sk")) {
        return format!("{pk}\n{sk}");
    }
    let certificate = text("cert_id").filter(|_| item.get("compact").is_some());
    let first = [certificate, text("peck_id"), text("duckling_id"), text("email")];
    first.into_iter().flatten().next().or(text("cert_id")).unwrap()
}

fn part(items: impl Iterator<Item = (String, Value)>, from: Option<&Value>) -> Part<Value> {
    let after = from.and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut rest = items.filter(|(key, _)| *key > after).peekable();
    let page: Vec<(String, Value)> = rest.by_ref().take(PAGE).collect();
    let last = page.last().map(|(key, _)| Value::from(key.as_str()));
    let next = last.filter(|_| rest.peek().is_some());
    Part { items: page.into_iter().map(|(_, item)| item).collect(), next }
}

#[async_trait]
impl Records for Live {
    async fn has_table(&self, _: &str) -> Result<bool, Failure> {
        Ok(true)
    }

    async fn is_recoverable(&self, _: &str) -> Result<bool, Failure> {
        Ok(false)
    }

    async fn items(&self, table: &str, from: Option<Value>) -> Result<Part<Value>, Failure> {
        self.disturb().await;
        Ok(part(self.items_of(table).into_iter(), from.as_ref()))
    }

    async fn since(
        &self,
        ledger: &str,
        (partition, from): (&str, &str),
        next: Option<Value>,
    ) -> Result<Part<Value>, Failure> {
        self.disturb().await;
        let first = format!("{partition}\n{from}");
        let items = self.items_of(ledger).into_iter();
        let fits = |(key, item): &(String, Value)| item["pk"]["S"] == partition && *key >= first;
        Ok(part(items.filter(fits), next.as_ref()))
    }

    async fn named(&self, table: &str, keys: &[Value]) -> Result<Vec<Value>, Failure> {
        self.disturb().await;
        let items = self.items_of(table);
        let value = |key: &Value| {
            let first = key.as_object()?.values().next()?;
            first["S"].as_str().map(str::to_owned)
        };
        Ok(keys.iter().filter_map(|key| items.get(&value(key)?).cloned()).collect())
    }

    async fn put(&self, _: &str, _: &[Value]) -> Result<(), Failure> {
        Err(refused())
    }

    async fn remove_table(&self, _: &str) -> Result<(), Failure> {
        Err(refused())
    }

    async fn accounts(&self, _: &str, from: Option<Value>) -> Result<Part<Account>, Failure> {
        self.disturb().await;
        let people = self.people().into_iter().map(|email| (email.clone(), Value::from(email)));
        let page = part(people, from.as_ref());
        let account = |email: &Value| Account {
            email: email.as_str().unwrap_or_default().to_owned(),
            confirmed: true,
            operator: false,
        };
        Ok(Part { items: page.items.iter().map(account).collect(), next: page.next })
    }

    async fn admit(&self, _: &str, _: &Account, _: &Secret) -> Result<bool, Failure> {
        Err(refused())
    }
}

fn certificate(id: &DucklingId, tier: Tier, (now, number): (OffsetDateTime, u32)) -> Certificate {
    Certificate {
        id: CertId::new(now, bytes(number)),
        duckling_id: id.clone(),
        name: "Duck".into(),
        tier,
        status: CertStatus::Valid,
        issued_at: now,
        compact: format!("header.{number}.signature"),
    }
}

fn peck(source: &Duckling, target: &Duckling, (now, number): (OffsetDateTime, u32)) -> Peck {
    Peck {
        id: PeckId::new(now, bytes(number)),
        source: source.id.clone(),
        source_tier: Some(source.tier),
        target: target.id.clone(),
        kind: PeckType::parse(["data.read", "chat.message"][number as usize % 2]).unwrap(),
        message: Message::parse("hello").unwrap(),
        stored: PeckStatus::Pending,
        created_at: now,
        expires_at: now + Duration::hours(24),
        settled_at: None,
    }
}

async fn side(store: &dyn Store, id: &DucklingId, at: (OffsetDateTime, u32)) -> Box<Side> {
    let now = store.duckling(id).await.unwrap().unwrap();
    let promotion = (now.tier == Tier::T0).then(|| Promotion {
        certificate: certificate(id, Tier::T1, at),
        replaces: now.cert_id.clone(),
    });
    Box::new(Side { id: id.clone(), tier: now.tier, limit: now.tier.bonds(), promotion })
}

async fn pecks(store: &dyn Store, id: &DucklingId, direction: Direction) -> Vec<Peck> {
    let (party, now) = (id.clone(), start());
    let asked = PeckQuery { party, direction, status: None, now };
    store.pecks(&asked, &all()).await.unwrap().items
}

/// Settles all of a duckling's pecks and deletes it.
async fn delete(store: &dyn Store, id: &DucklingId, now: OffsetDateTime) {
    for direction in [Direction::In, Direction::Out] {
        for peck in pecks(store, id, direction).await {
            let to = match (peck.stored, direction) {
                (PeckStatus::Pending, Direction::In) => Move::Deny,
                (PeckStatus::Pending, Direction::Out) => Move::Withdraw,
                (PeckStatus::Approved, _) => Move::Revoke,
                _ => continue,
            };
            assert_eq!(store.move_peck(&peck.id, &to, now).await, Ok(Moved::Done), "{peck:?}");
        }
    }
    let duckling = store.duckling(id).await.unwrap().unwrap();
    let certificates = store.certificates_of(id).await.unwrap();
    let certificates = certificates.into_iter().map(|one| one.id).collect();
    store.forget_blocks(id).await.unwrap();
    let deletion = Deletion { duckling, certificates, reason: None, at: now };
    assert_eq!(store.delete(&deletion).await, Ok(true), "{id}");
}

/// Everything that clients see, by what it is about.
pub(crate) async fn seen(
    store: &dyn Store,
    now: OffsetDateTime,
    renamed: &BTreeSet<String>,
) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    let mut note = |about: String, what: String| drop(seen.insert(about, what));
    // Eggs are counted on their own.
    let metrics = Metrics { eggs: 0, ..store.metrics(start()).await.unwrap() };
    note("metrics".into(), format!("{metrics:?}"));
    for mut duckling in store.ducklings(&all()).await.unwrap().items {
        let id = duckling.id.clone();
        let found = store.duckling_by_email(&duckling.email).await.unwrap();
        note(format!("address of {id}"), format!("{:?}", found.map(|one| one.id)));
        for direction in [Direction::In, Direction::Out] {
            let list = pecks(store, &id, direction).await;
            note(format!("pecks {direction:?} of {id}"), format!("{list:?}"));
        }
        let certificates = store.certificates_of(&id).await.unwrap();
        note(format!("certificates of {id}"), format!("{certificates:?}"));
        let asked = EventQuery { of: Some(id.clone()), now };
        let events = store.events(&asked, &all()).await.unwrap().items;
        note(format!("events of {id}"), format!("{events:?}"));
        if renamed.contains(id.as_str()) {
            duckling.display_name = DisplayName::kept("");
        }
        note(format!("duckling {id}"), format!("{duckling:?}"));
    }
    let events = store.events(&EventQuery { of: None, now }, &all()).await.unwrap().items;
    note("events".into(), format!("{events:?}"));
    for number in 0..80 {
        let opened = store.duckling_by_key(&BeakKey::new(bytes(number)).hash()).await.unwrap();
        note(format!("key {number}"), format!("{:?}", opened.map(|one| one.id)));
    }
    let requests = store.tier_requests(&all()).await.unwrap().items;
    let requests: Vec<DucklingId> = requests.into_iter().map(|one| one.id).collect();
    note("requests".into(), format!("{requests:?}"));
    seen
}

/// That counts are right, every bond and every duckling can end, and every address is free then.
pub(crate) async fn sound(store: &Arc<dyn Store>, now: OffsetDateTime, what: &str) {
    let ducklings = store.ducklings(&all()).await.unwrap().items;
    let metrics = store.metrics(start()).await.unwrap();
    assert_eq!(metrics.ducklings, ducklings.len() as u64, "{what}");
    let mut of_state = BTreeMap::<&str, u64>::new();
    let mut told = BTreeSet::new();
    for duckling in &ducklings {
        let found = store.duckling_by_email(&duckling.email).await.unwrap();
        assert_eq!(found.as_ref(), Some(duckling), "{what}");
        let current = store.certificate(&duckling.cert_id).await.unwrap().unwrap();
        let stands = (current.tier, current.status);
        assert_eq!(stands, (duckling.tier, duckling.cert_status), "{what}: {duckling:?}");
        let mut bonds = 0;
        for direction in [Direction::In, Direction::Out] {
            for peck in pecks(store.as_ref(), &duckling.id, direction).await {
                bonds += u32::from(peck.stored == PeckStatus::Approved);
                if told.insert(peck.id.to_string()) {
                    *of_state.entry(peck.stored.word()).or_default() += 1;
                }
            }
        }
        assert_eq!(duckling.bonds, bonds, "{what}: {duckling:?}");
    }
    let open = |status: PeckStatus| of_state.get(status.word()).copied().unwrap_or(0);
    assert_eq!(metrics.connections, open(PeckStatus::Approved), "{what}");
    assert_eq!(metrics.pecks[0], open(PeckStatus::Pending), "{what}");
    for duckling in &ducklings {
        delete(store.as_ref(), &duckling.id, now).await;
    }
    for (number, duckling) in (900_000..).zip(ducklings) {
        let id = DucklingId::new(now, bytes(number));
        let certificate = certificate(&id, Tier::T0, (now, number));
        let key = BeakKey::new(bytes(number));
        let (email, name) = (duckling.email, duckling.display_name);
        let duckling = Duckling::hatched(email, name, &certificate, &key, now);
        let account = AccountId::new(format!("account {number}"));
        let hatched = store.hatch(&Hatching { account, duckling, certificate }).await;
        assert_eq!(hatched, Ok(Hatched::Done), "{what}");
    }
    let later = now + Duration::hours(48);
    let swept = store.sweep(later, 1000).await.unwrap();
    assert_eq!(swept.put_aside, 0, "{what}");
    let metrics = store.metrics(later).await.unwrap();
    assert_eq!((metrics.connections, metrics.eggs, metrics.pecks[0]), (0, 0, 0), "{what}");
}
