//! Random operations, held to a small model: what each answers, and what a galaxy shows then.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use time::{Duration, OffsetDateTime};

use super::home::{Home, email, galaxy};
use crate::access::{Caller, Who};
use crate::certificate::{CertStatus, Certificate, Claims};
use crate::duckling::Duckling;
use crate::error::BeakError;
use crate::galaxy::{Credential, Galaxy, NewPeck, Ports, Progress, Verdict};
use crate::id::{CertId, DucklingId, PeckId};
use crate::key::BeakKey;
use crate::peck::{Direction, Message, PeckStatus, PeckType};
use crate::person::DisplayName;
use crate::ports::{AccountId, Clock, Hatched, Hatching, Metrics, Page, Person};
use crate::tier::{Note, Statement, Tier};

/// How many ducklings there are at most: few, so that they meet again and again.
const CROWD: usize = 7;

/// The types of pecks: more than may wait for a pair, and two that a T0 may not ask.
const KINDS: [&str; 5] = ["data.read", "chat.message", "notify.send", "data.write", "x.y"];

/// How often all that one duckling sees is compared.
const LOOKED_AT_EVERY: usize = 40;

/// What a person waits for at most.
const LIFETIME: Duration = Duration::hours(24);

struct Moved(Arc<dyn Clock>, AtomicI64);

impl Clock for Moved {
    fn now(&self) -> OffsetDateTime {
        self.0.now() + Duration::seconds(self.1.load(Ordering::Relaxed))
    }
}

/// xorshift64*: the same seed plays the same operations.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).expect("small")).expect("small")
    }

    fn of<'a, T>(&mut self, some: &'a [T]) -> &'a T {
        &some[self.below(some.len())]
    }
}

/// A duckling as the model knows it.
struct Duck {
    address: usize,
    tier: Tier,
    suspended: bool,
    wants_t2: bool,
    name: String,
    key: BeakKey,
    old_key: Option<BeakKey>,
    blocks: BTreeSet<DucklingId>,
}

/// A peck as the model knows it.
struct Asked {
    source: DucklingId,
    target: DucklingId,
    kind: &'static str,
    stored: PeckStatus,
    until: OffsetDateTime,
}

impl Asked {
    fn at(&self, now: OffsetDateTime) -> PeckStatus {
        let lapsed = self.stored == PeckStatus::Pending && self.until <= now;
        if lapsed { PeckStatus::Expired } else { self.stored }
    }

    fn concerns(&self, id: &DucklingId) -> bool {
        self.source == *id || self.target == *id
    }
}

struct Play {
    home: Home,
    galaxy: Galaxy,
    clock: Arc<Moved>,
    dice: Dice,
    ducks: BTreeMap<DucklingId, Duck>,
    pecks: BTreeMap<PeckId, Asked>,
    issued: u64,
    hatched: usize,
}

type Code = Result<(), &'static str>;

fn code<T>(outcome: &crate::Result<T>) -> Code {
    outcome.as_ref().map(|_| ()).map_err(BeakError::code)
}

fn copy(key: &BeakKey) -> BeakKey {
    BeakKey::parse(key.reveal()).expect("a key")
}

fn note() -> Note {
    Note::parse("by chance").expect("a note")
}

/// Plays random operations and compares each answer with the model's. The same seed plays the
/// same.
pub async fn random_operations(home: Home, seed: u64, operations: usize) {
    let clock = Arc::new(Moved(Arc::clone(&home.ports.clock), AtomicI64::new(0)));
    let own = Arc::clone(&clock) as Arc<dyn Clock>;
    let galaxy = galaxy(&Ports { clock: own, limits: None, ..home.ports.clone() });
    let (ducks, pecks) = (BTreeMap::new(), BTreeMap::new());
    let dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut play = Play { home, galaxy, clock, dice, ducks, pecks, issued: 0, hatched: 0 };
    for number in 0..operations {
        let (did, answered, expected) = play.operate().await;
        assert_eq!(answered, expected, "seed {seed}, operation {number}: {did}");
        if number % LOOKED_AT_EVERY == 0 || number + 1 == operations {
            play.compare(&format!("seed {seed}, behind operation {number}: {did}")).await;
        }
    }
    for id in play.ducks.keys().cloned().collect::<Vec<_>>() {
        play.compare_one(&id, &format!("seed {seed}, at the end")).await;
    }
}

impl Play {
    fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    fn some_duck(&mut self) -> Option<DucklingId> {
        let ids: Vec<_> = self.ducks.keys().cloned().collect();
        (!ids.is_empty()).then(|| self.dice.of(&ids).clone())
    }

    /// One of the newest pecks, which are those that something can still happen to.
    fn some_peck(&mut self) -> Option<PeckId> {
        let ids: Vec<_> = self.pecks.keys().rev().take(40).cloned().collect();
        (!ids.is_empty()).then(|| self.dice.of(&ids).clone())
    }

    /// One operation: what it was, its outcome, and the model's.
    async fn operate(&mut self) -> (String, Code, Code) {
        if self.ducks.len() < 2 {
            return self.hatch().await;
        }
        let (Some(duck), Some(other)) = (self.some_duck(), self.some_duck()) else {
            return self.hatch().await;
        };
        match self.dice.below(100) {
            0..3 => self.hatch().await,
            3..30 => self.peck(&duck, &other).await,
            30..50 => self.answer(true).await,
            50..58 => self.answer(false).await,
            58..70 => self.unpeck().await,
            70..72 => self.rotate(&duck).await,
            72..74 => self.rename(&duck).await,
            74..78 => self.block(&duck, &other).await,
            78..82 => self.ask_for_t2(&duck).await,
            82..86 => self.decide(&duck).await,
            86..89 => self.suspend(&duck).await,
            89..92 => self.delete(&duck).await,
            92..95 => self.use_old_key(&duck).await,
            95..98 => self.pass(),
            _ => self.sweep().await,
        }
    }

    async fn admitted(&self, key: &BeakKey, who: Who) -> crate::Result<Caller> {
        self.galaxy.admit(Some(&Credential::Key(copy(key))), who, Tier::T0).await
    }

    /// The duckling behind a key, as the gate lets it in.
    async fn agent(&self, id: &DucklingId) -> crate::Result<Duckling> {
        let caller = self.admitted(&self.ducks[id].key, Who::Key).await?;
        Ok(caller.duckling().expect("an agent").clone())
    }

    fn admits(&self, id: &DucklingId) -> Code {
        if self.ducks[id].suspended { Err("forbidden") } else { Ok(()) }
    }

    async fn hatch(&mut self) -> (String, Code, Code) {
        let address = self.dice.below(CROWD);
        let taken = self.ducks.values().any(|duck| duck.address == address);
        self.hatched += 1;
        let key = BeakKey::new({
            let mut random = [0; 32];
            random[..8].copy_from_slice(&self.dice.next().to_le_bytes());
            random[8..16].copy_from_slice(&self.hatched.to_le_bytes());
            random
        });
        let mut random = [0; 16];
        random[..8].copy_from_slice(&self.hatched.to_le_bytes());
        let (id, name) = (DucklingId::new(self.now(), random), format!("Duck {address}"));
        let claims = Claims {
            issuer: "https://api.example/prod".into(),
            duckling_id: id.clone(),
            cert_id: CertId::new(self.now(), random),
            issued_at: self.now(),
            name: name.clone(),
            email_sha256: email(&format!("d{address}")).sha256(),
            tier: Tier::T0,
        };
        let compact = self.home.ports.authority.issue(&claims).await.expect("signed");
        let certificate = Certificate {
            id: claims.cert_id,
            duckling_id: id.clone(),
            name: name.clone(),
            tier: Tier::T0,
            status: CertStatus::Valid,
            issued_at: claims.issued_at,
            compact,
        };
        let (now, display) = (self.now(), DisplayName::parse(&name).expect("a name"));
        let email = email(&format!("d{address}"));
        let duckling = Duckling::hatched(email, display, &certificate, &key, now);
        let account = AccountId::new(format!("account {}", self.hatched));
        let hatching = Hatching { account, duckling, certificate };
        let outcome = self.home.ports.store.hatch(&hatching).await.expect("answered");
        let answered = if outcome == Hatched::Done { Ok(()) } else { Err("already_exists") };
        let expected = if taken { Err("already_exists") } else { Ok(()) };
        if answered.is_ok() {
            self.issued += 1;
            let (tier, blocks) = (Tier::T0, BTreeSet::new());
            let (suspended, wants_t2, old_key) = (false, false, None);
            let duck = Duck { address, tier, suspended, wants_t2, name, key, old_key, blocks };
            self.ducks.insert(id, duck);
        }
        (format!("hatch d{address}"), answered, expected)
    }

    fn waiting(&self, fits: impl Fn(&Asked) -> bool) -> usize {
        let now = self.now();
        let waits = |peck: &&Asked| peck.at(now) == PeckStatus::Pending && fits(peck);
        self.pecks.values().filter(waits).count()
    }

    fn expected_of_peck(&self, source: &DucklingId, target: &DucklingId, kind: &str) -> Code {
        self.admits(source)?;
        if source == target {
            return Err("invalid_request");
        }
        let tier = self.ducks[source].tier;
        if tier < PeckType::parse(kind).expect("a type").asks_for() {
            return Err("tier_too_low");
        }
        if self.ducks[target].blocks.contains(source) {
            return Err("not_found");
        }
        let now = self.now();
        let same = |peck: &Asked| {
            (&peck.source, &peck.target, peck.kind) == (source, target, kind)
                && matches!(peck.at(now), PeckStatus::Pending | PeckStatus::Approved)
        };
        if self.pecks.values().any(same) {
            return Err("already_exists");
        }
        let most = usize::try_from(tier.waiting_pecks()).expect("small");
        let crowded = self.waiting(|peck| peck.source == *source) >= most
            || self.waiting(|peck| (&peck.source, &peck.target) == (source, target)) >= 3;
        if crowded { Err("conflict") } else { Ok(()) }
    }

    async fn peck(&mut self, source: &DucklingId, target: &DucklingId) -> (String, Code, Code) {
        let kind = *self.dice.of(&KINDS);
        let expected = self.expected_of_peck(source, target, kind);
        let new = NewPeck {
            target: target.clone(),
            kind: PeckType::parse(kind).expect("a type"),
            message: Message::default(),
            idempotency_key: None,
        };
        let outcome = match self.agent(source).await {
            Ok(agent) => self.galaxy.peck(&agent, new).await,
            Err(error) => Err(error),
        };
        let answered = code(&outcome);
        if let Ok(peck) = outcome {
            let (source, target) = (source.clone(), target.clone());
            let (stored, until) = (PeckStatus::Pending, peck.created_at + LIFETIME);
            self.pecks.insert(peck.id, Asked { source, target, kind, stored, until });
        }
        (format!("{source} pecks {target} for {kind}"), answered, expected)
    }

    fn bonds(&self, id: &DucklingId) -> u32 {
        let bonded = |peck: &&Asked| peck.stored == PeckStatus::Approved && peck.concerns(id);
        u32::try_from(self.pecks.values().filter(bonded).count()).expect("few")
    }

    fn expected_of_answer(&self, by: &DucklingId, peck: &PeckId) -> Code {
        self.admits(by)?;
        let asked = &self.pecks[peck];
        if !asked.concerns(by) {
            return Err("not_found");
        }
        if asked.target != *by {
            return Err("forbidden");
        }
        if asked.at(self.now()) == PeckStatus::Pending { Ok(()) } else { Err("conflict") }
    }

    async fn answer(&mut self, yes: bool) -> (String, Code, Code) {
        let Some(peck) = self.some_peck() else { return self.hatch().await };
        // Mostly who may, and who may not now and then.
        let target = self.pecks[&peck].target.clone();
        let by = match self.dice.below(5) {
            0 => self.some_duck().expect("some"),
            _ => target,
        };
        if !self.ducks.contains_key(&by) {
            return self.sweep().await;
        }
        let mut expected = self.expected_of_answer(&by, &peck);
        let sides = [self.pecks[&peck].source.clone(), self.pecks[&peck].target.clone()];
        if yes && expected.is_ok() {
            let full = |id: &DucklingId| self.bonds(id) >= self.ducks[id].tier.bonds();
            if sides.iter().any(full) {
                expected = Err("conflict");
            }
        }
        let answered = match self.agent(&by).await {
            Ok(agent) if yes => code(&self.galaxy.approve(&agent, &peck).await),
            Ok(agent) => code(&self.galaxy.deny(&agent, &peck).await),
            Err(error) => Err(error.code()),
        };
        if answered.is_ok() {
            let stored = if yes { PeckStatus::Approved } else { PeckStatus::Denied };
            self.pecks.get_mut(&peck).expect("there").stored = stored;
            let climbs = |duck: &&mut Duck| yes && duck.tier == Tier::T0 && !duck.suspended;
            for id in &sides {
                if let Some(duck) = self.ducks.get_mut(id).filter(climbs) {
                    duck.tier = Tier::T1;
                    self.issued += 1;
                }
            }
        }
        (format!("{by} says {yes} to {peck}"), answered, expected)
    }

    async fn unpeck(&mut self) -> (String, Code, Code) {
        let Some(peck) = self.some_peck() else { return self.hatch().await };
        let asked = &self.pecks[&peck];
        let sides = [asked.source.clone(), asked.target.clone()];
        let by = match self.dice.below(4) {
            0 => self.some_duck().expect("some"),
            _ => self.dice.of(&sides).clone(),
        };
        if !self.ducks.contains_key(&by) {
            return self.sweep().await;
        }
        let asked = &self.pecks[&peck];
        let expected = self.admits(&by).and_then(|()| match asked.at(self.now()) {
            _ if !asked.concerns(&by) => Err("not_found"),
            PeckStatus::Approved => Ok(()),
            PeckStatus::Pending if asked.source == by => Ok(()),
            _ => Err("conflict"),
        });
        let answered = match self.agent(&by).await {
            Ok(agent) => code(&self.galaxy.unpeck(&agent, &peck).await),
            Err(error) => Err(error.code()),
        };
        if answered.is_ok() {
            self.pecks.get_mut(&peck).expect("there").stored = PeckStatus::Revoked;
        }
        (format!("{by} ends {peck}"), answered, expected)
    }

    async fn rotate(&mut self, id: &DucklingId) -> (String, Code, Code) {
        let expected = self.admits(id);
        let outcome = match self.agent(id).await {
            Ok(agent) => self.galaxy.rotate_key(&agent).await,
            Err(error) => Err(error),
        };
        let answered = code(&outcome);
        if let (Ok(key), Some(duck)) = (outcome, self.ducks.get_mut(id)) {
            duck.old_key = Some(std::mem::replace(&mut duck.key, key));
        }
        (format!("{id} exchanges its key"), answered, expected)
    }

    async fn use_old_key(&mut self, id: &DucklingId) -> (String, Code, Code) {
        let Some(old) = self.ducks[id].old_key.as_ref().map(copy) else {
            return self.rotate(id).await;
        };
        let outcome = self.admitted(&old, Who::KeyOrPersonLeaving).await;
        (format!("{id} uses its old key"), code(&outcome), Err("unauthorized"))
    }

    async fn rename(&mut self, id: &DucklingId) -> (String, Code, Code) {
        let name = format!("Name {}", self.dice.below(1000));
        let expected = self.admits(id);
        let answered = match self.agent(id).await {
            Ok(agent) => {
                let display = DisplayName::parse(&name).expect("a name");
                code(&self.galaxy.rename(agent, display).await)
            }
            Err(error) => Err(error.code()),
        };
        if answered.is_ok() {
            self.ducks.get_mut(id).expect("there").name = name;
        }
        (format!("{id} takes another name"), answered, expected)
    }

    async fn block(&mut self, id: &DucklingId, other: &DucklingId) -> (String, Code, Code) {
        let blocks = self.dice.below(2) == 0;
        let duck = &self.ducks[id];
        let expected = self.admits(id).and_then(|()| match blocks {
            true if id == other => Err("invalid_request"),
            false if !duck.blocks.contains(other) => Err("not_found"),
            _ => Ok(()),
        });
        let answered = match self.agent(id).await {
            Ok(agent) if blocks => code(&self.galaxy.block(&agent, other).await),
            Ok(agent) => code(&self.galaxy.unblock(&agent, other).await),
            Err(error) => Err(error.code()),
        };
        if answered.is_ok() {
            let duck = self.ducks.get_mut(id).expect("there");
            if blocks {
                duck.blocks.insert(other.clone());
            } else {
                duck.blocks.remove(other);
            }
        }
        (format!("{id} blocks {other}: {blocks}"), answered, expected)
    }

    async fn ask_for_t2(&mut self, id: &DucklingId) -> (String, Code, Code) {
        let expected = self.admits(id).and_then(|()| match self.ducks[id].tier {
            Tier::T1 => Ok(()),
            _ => Err("conflict"),
        });
        let answered = match self.agent(id).await {
            Ok(agent) => {
                let statement = Statement::parse("I am well behaved").expect("a statement");
                code(&self.galaxy.request_tier(&agent, statement).await)
            }
            Err(error) => Err(error.code()),
        };
        if answered.is_ok() {
            self.ducks.get_mut(id).expect("there").wants_t2 = true;
        }
        (format!("{id} asks for T2"), answered, expected)
    }

    async fn decide(&mut self, id: &DucklingId) -> (String, Code, Code) {
        let grants = self.dice.below(3) == 0;
        let duck = &self.ducks[id];
        let allowed = !duck.suspended && duck.tier == Tier::T1;
        let expected = if allowed { Ok(()) } else { Err("conflict") };
        let answered = code(&self.galaxy.decide(id, grants, note()).await);
        if answered.is_ok() {
            let duck = self.ducks.get_mut(id).expect("there");
            duck.wants_t2 = false;
            if grants {
                duck.tier = Tier::T2;
                self.issued += 1;
            }
        }
        (format!("an operator grants {id} T2: {grants}"), answered, expected)
    }

    async fn suspend(&mut self, id: &DucklingId) -> (String, Code, Code) {
        // More often restored than suspended, or all of them would stand still.
        let suspends = self.dice.below(3) == 0;
        let answered = code(&self.galaxy.suspend(id, suspends, note()).await);
        self.ducks.get_mut(id).expect("there").suspended = suspends;
        (format!("an operator suspends {id}: {suspends}"), answered, Ok(()))
    }

    /// By its own key or by an operator; with the sweep that ends what had lapsed.
    async fn delete(&mut self, id: &DucklingId) -> (String, Code, Code) {
        let by_key = self.dice.below(2) == 0;
        let expected = if by_key { self.admits(id) } else { Ok(()) };
        let outcome = if by_key {
            match self.admitted(&self.ducks[id].key, Who::KeyOrPersonLeaving).await {
                Ok(caller) => self.galaxy.delete(&caller).await,
                Err(error) => Err(error),
            }
        } else {
            let operator = Person {
                account: AccountId::new("an operator's"),
                email: email("operator"),
                operator: true,
            };
            self.galaxy.remove(&operator, id, &note()).await
        };
        let answered = code(&outcome);
        if let Ok(progress) = outcome {
            let now = self.now();
            if progress == Progress::Continues {
                self.galaxy.sweep().await.expect("swept");
            }
            for peck in self.pecks.values_mut().filter(|peck| peck.concerns(id)) {
                peck.stored = match peck.at(now) {
                    PeckStatus::Approved => PeckStatus::Revoked,
                    PeckStatus::Pending if peck.source == *id => PeckStatus::Revoked,
                    PeckStatus::Pending => PeckStatus::Denied,
                    settled => settled,
                };
            }
            self.ducks.remove(id);
        }
        (format!("{id} is deleted, by its key: {by_key}"), answered, expected)
    }

    fn pass(&mut self) -> (String, Code, Code) {
        let seconds = i64::try_from(self.dice.below(20 * 3600)).expect("small");
        self.clock.1.fetch_add(seconds, Ordering::Relaxed);
        (format!("{seconds} seconds pass"), Ok(()), Ok(()))
    }

    async fn sweep(&mut self) -> (String, Code, Code) {
        ("a sweep".into(), code(&self.galaxy.sweep().await), Ok(()))
    }

    /// The counts, the requests for T2, and one duckling.
    async fn compare(&mut self, when: &str) {
        let now = self.now();
        let count = |status: PeckStatus| {
            self.pecks.values().filter(|peck| peck.at(now) == status).count() as u64
        };
        let connections = count(PeckStatus::Approved);
        let pecks = [
            count(PeckStatus::Pending),
            connections,
            count(PeckStatus::Denied),
            count(PeckStatus::Expired),
            count(PeckStatus::Revoked),
        ];
        let (ducklings, certificates) = (self.ducks.len() as u64, self.issued);
        let expected = Metrics { ducklings, certificates, connections, eggs: 0, pecks };
        same(&self.galaxy.metrics().await, expected, when);
        let page = Page { limit: 100, after: None };
        let requests = self.galaxy.tier_requests(&page).await.map(|listed| {
            listed.items.into_iter().map(|duckling| duckling.id).collect::<BTreeSet<_>>()
        });
        let wanting = self.ducks.iter().filter(|(_, duck)| duck.wants_t2);
        same(&requests, wanting.map(|(id, _)| id.clone()).collect(), when);
        if let Some(id) = self.some_duck() {
            self.compare_one(&id, when).await;
        }
    }

    /// A duckling, its certificate, and its lists.
    async fn compare_one(&self, id: &DucklingId, when: &str) {
        let duck = &self.ducks[id];
        let seen = self.galaxy.duck(id).await.expect("there");
        let seen_as = (seen.tier, seen.bonds, seen.display_name.as_str(), seen.is_suspended());
        let expected = (duck.tier, self.bonds(id), duck.name.as_str(), duck.suspended);
        assert_eq!(seen_as, expected, "{id}, {when}");
        for certificate in self.home.ports.store.certificates_of(id).await.expect("read") {
            let judged = self.galaxy.judge(&certificate.compact).await.expect("judged");
            let expected = match (certificate.id == seen.cert_id, duck.suspended) {
                (true, false) => Verdict::Valid,
                (true, true) => Verdict::Was(CertStatus::Suspended),
                (false, _) => Verdict::Was(CertStatus::Superseded),
            };
            assert_eq!(judged.verdict, expected, "{}, {when}", certificate.id);
        }
        for direction in [Direction::In, Direction::Out] {
            let mut listed = BTreeMap::new();
            let mut page = Page { limit: 100, after: None };
            loop {
                let some = self.galaxy.pecks(&seen, direction, None, &page).await.expect("listed");
                let status =
                    |peck: crate::peck::Peck| (peck.id.clone(), peck.status_at(self.now()));
                listed.extend(some.items.into_iter().map(status));
                page.after = some.next;
                if page.after.is_none() {
                    break;
                }
            }
            let own = |peck: &&Asked| match direction {
                Direction::In => peck.target == *id,
                Direction::Out => peck.source == *id,
            };
            let expected = self.pecks.iter().filter(|(_, peck)| own(peck));
            let expected = expected.map(|(id, peck)| (id.clone(), peck.at(self.now()))).collect();
            assert_eq!(listed, expected, "{direction:?} of {id}, {when}");
        }
    }
}

fn same<T: PartialEq + Debug>(answered: &crate::Result<T>, expected: T, when: &str) {
    assert_eq!(*answered, Ok(expected), "{when}");
}
