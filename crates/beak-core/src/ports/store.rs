//! Where everything is kept.

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

use crate::audit::Event;
use crate::certificate::{CertStatus, Certificate};
use crate::duckling::{Duckling, Egg};
use crate::error::Result;
use crate::id::{CertId, DucklingId, PeckId};
use crate::key::KeyHash;
use crate::newsletter::{Offer, TokenHash};
use crate::peck::{Direction, Peck, PeckStatus};
use crate::person::{DisplayName, Email};
use crate::ports::{AccountId, Fleet, Metrics, PublicKey, Swept};
use crate::tier::{Note, Tier, TierRequest};

/// A part of a list: at most `limit` entries, behind the one called `after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub limit: usize,
    /// The last entry's id of the part before.
    pub after: Option<String>,
}

/// A list's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The entries.
    pub items: Vec<T>,
    /// What to ask with for the next part; `None` at the end.
    pub next: Option<String>,
}

/// Everything that comes to be when a duckling hatches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hatching {
    /// The account, which is settled with it.
    pub account: AccountId,
    /// The duckling.
    pub duckling: Duckling,
    /// Its first certificate.
    pub certificate: Certificate,
}

/// What became of a hatching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hatched {
    /// A duckling.
    Done,
    /// The address has its duckling.
    Lost,
}

/// What became of a new peck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pecked {
    /// It is there.
    Done,
    /// This call was made before, with the same content: here is what it made.
    Repeated(Peck),
    /// The idempotency key was used for another peck.
    KeyTaken,
    /// The same question already waits for an answer.
    AlreadyPending,
    /// The two are bonded for that type already.
    AlreadyBonded,
    /// The target is not there, or about to go, or it refuses the source's pecks.
    NoTarget,
    /// The asking duckling is not there, or about to go.
    NoSource,
    /// As many pecks wait already as may wait. Lapsed ones that were not put away yet are among
    /// them.
    Crowded(Crowd),
}

/// Whose waiting pecks are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crowd {
    /// Those that the source has asked.
    Source,
    /// Those that wait for the target.
    Target,
    /// Those of the source to this target.
    Pair,
}

/// An idempotency key as it is kept, and what the call was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// SHA-256 of caller and key, as hex.
    pub key: String,
    /// SHA-256 of the request, as hex.
    pub content: String,
}

/// One side of an approval, as it was read before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Who.
    pub id: DucklingId,
    /// Its tier. If it has changed since, nothing is written and the answer is `Stale`.
    pub tier: Tier,
    /// The bonds it may hold.
    pub limit: u32,
    /// The certificate of the tier that it climbs to, and the one that this replaces.
    pub promotion: Option<Promotion>,
}

/// A new tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// What it is superseded by.
    pub certificate: Certificate,
    /// The certificate that was current.
    pub replaces: CertId,
}

/// A move of a peck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// pending → approved; both bond counts grow.
    Approve {
        /// Who asked.
        source: Box<Side>,
        /// The target.
        target: Box<Side>,
    },
    /// pending → denied.
    Deny,
    /// pending → revoked.
    Withdraw,
    /// approved → revoked; both bond counts shrink.
    Revoke,
    /// pending → expired, once its time has passed.
    Expire,
}

/// What became of a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It is so now.
    Done,
    /// The peck is in another state than the move starts from: this one.
    Elsewhere(PeckStatus),
    /// This side has no room for another bond.
    Full(DucklingId),
    /// A side was changed meanwhile: read again and try again.
    Stale,
}

/// Where everything is kept. Each writing verb is one transaction: all of it or nothing, counters
/// included, and its conditions are checked inside.
#[async_trait]
pub trait Store: Send + Sync {
    /// Lays an egg, in place of an older one of the same address.
    async fn lay_egg(&self, egg: &Egg) -> Result<()>;
    /// The egg of an address, alive or not.
    async fn egg(&self, email: &Email) -> Result<Option<Egg>>;
    /// Makes duckling, key and certificate, settles the account and takes the egg away, if there
    /// is one.
    async fn hatch(&self, hatching: &Hatching) -> Result<Hatched>;

    /// A duckling.
    async fn duckling(&self, id: &DucklingId) -> Result<Option<Duckling>>;
    /// The duckling of an address.
    async fn duckling_by_email(&self, email: &Email) -> Result<Option<Duckling>>;
    /// The duckling that a key opens.
    async fn duckling_by_key(&self, key: &KeyHash) -> Result<Option<Duckling>>;
    /// Those of these ducklings that there are, at most a hundred, in any order.
    async fn ducklings_of(&self, ids: &[DucklingId]) -> Result<Vec<Duckling>>;
    /// All ducklings, part by part.
    async fn ducklings(&self, page: &Page) -> Result<Listed<Duckling>>;
    /// Writes a pulse down. Whether there was such a duckling.
    async fn pulse(&self, id: &DucklingId, now: OffsetDateTime) -> Result<bool>;
    /// Exchanges a duckling's key, if `old` still is its key. Whether it was.
    async fn rotate_key(&self, id: &DucklingId, old: &str, new: &NewKey) -> Result<bool>;
    /// Gives a duckling another name. Whether there was such a duckling.
    async fn rename(&self, id: &DucklingId, name: &DisplayName) -> Result<bool>;
    /// Stores a request for T2, replacing an older one. Returns whether the duckling is at T1.
    async fn request_tier(&self, id: &DucklingId, request: &TierRequest) -> Result<bool>;
    /// Grants or refuses a request for T2 and deletes it. Returns whether the duckling was as it
    /// had been read: at T1, with the certificate that a promotion replaces.
    async fn decide(&self, decision: &Decision) -> Result<bool>;
    /// The ducklings whose requests for T2 wait, the oldest request first.
    async fn tier_requests(&self, page: &Page) -> Result<Listed<Duckling>>;
    /// Suspends a duckling with its certificate, or restores both. Whether it was as it had been
    /// read.
    async fn suspend(&self, suspension: &Suspension) -> Result<bool>;
    /// Refuses a duckling's pecks from now on.
    async fn block(
        &self,
        owner: &DucklingId,
        other: &DucklingId,
        now: OffsetDateTime,
    ) -> Result<()>;
    /// Takes them again. Whether they were refused.
    async fn unblock(&self, owner: &DucklingId, other: &DucklingId) -> Result<bool>;
    /// Forgets whose pecks a duckling refuses.
    async fn forget_blocks(&self, owner: &DucklingId) -> Result<()>;
    /// Keeps that a duckling's deletion has begun, or how far it has come: no new peck is from it
    /// or for it, and its certificate is revoked. Nothing for a duckling that is not there.
    async fn leave(&self, departure: &Departure) -> Result<()>;
    /// How far a duckling's deletion has come, if it has begun.
    async fn departure(&self, id: &DucklingId) -> Result<Option<Departure>>;
    /// The deletions that have begun.
    async fn departures(&self, page: &Page) -> Result<Listed<Departure>>;
    /// Forgets a deletion whose duckling is gone.
    async fn forget_departure(&self, id: &DucklingId) -> Result<()>;
    /// Removes a duckling that holds no bonds and has no pecks that wait, with its departure, and
    /// takes back its certificates. Whether it was as it had been read.
    async fn delete(&self, deletion: &Deletion) -> Result<bool>;

    /// Keeps a new peck, if both ducklings are there and fewer pecks wait than may wait. A repeated
    /// call is answered first, whatever has become of the ducklings.
    async fn add_peck(&self, peck: &Peck, idempotency: Option<&Idempotency>) -> Result<Pecked>;
    /// A peck.
    async fn peck(&self, id: &PeckId) -> Result<Option<Peck>>;
    /// The pecks of one side, newest first.
    async fn pecks(&self, asked: &PeckQuery, page: &Page) -> Result<Listed<Peck>>;
    /// Moves a peck on.
    async fn move_peck(&self, id: &PeckId, to: &Move, now: OffsetDateTime) -> Result<Moved>;

    /// A certificate.
    async fn certificate(&self, id: &CertId) -> Result<Option<Certificate>>;
    /// A duckling's certificates, oldest first.
    async fn certificates_of(&self, id: &DucklingId) -> Result<Vec<Certificate>>;
    /// Remembers a public signing key. Gives all that were ever remembered, so that what an
    /// earlier one has signed can still be checked.
    async fn signing_keys(&self, current: &PublicKey) -> Result<Vec<PublicKey>>;
    /// The addresses of galaxies whose certificates an import brought here: what they issued counts
    /// as this galaxy's own.
    async fn former_issuers(&self) -> Result<Vec<String>>;

    /// What has happened, newest first.
    async fn events(&self, asked: &EventQuery, page: &Page) -> Result<Listed<Event>>;

    /// Keeps an offer of the newsletter until it lapses.
    async fn offer_newsletter(&self, offer: &Offer) -> Result<()>;
    /// Takes an offer up. Whether there was one that had not lapsed; again is as good as once.
    async fn subscribe(&self, token: &TokenHash, now: OffsetDateTime) -> Result<bool>;
    /// Ends a subscription. Whether the token was ever good for it; again is as good as once.
    async fn unsubscribe(&self, token: &TokenHash) -> Result<bool>;
    /// Whether an address gets the newsletter.
    async fn is_subscribed(&self, email: &Email) -> Result<bool>;

    /// The counts at a moment: what has lapsed counts as such, swept or not.
    async fn metrics(&self, now: OffsetDateTime) -> Result<Metrics>;
    /// Puts away at most `limit` pecks and eggs whose time has passed.
    async fn sweep(&self, now: OffsetDateTime, limit: usize) -> Result<Swept>;
    /// Whether operators are shown a census instead of a count: where counting is billed.
    fn keeps_census(&self) -> bool {
        false
    }
    /// Keeps how lively the ducklings are.
    async fn keep_census(&self, _: &Fleet) -> Result<()> {
        Ok(())
    }
    /// How lively they were when it was last kept.
    async fn census(&self) -> Result<Option<Fleet>> {
        Ok(None)
    }
    /// Whether what is written now would be kept.
    async fn takes_writes(&self) -> bool;
    /// The tables and how they stand.
    async fn tables(&self) -> Result<Vec<TableState>>;
    /// Takes the only turn of a while: `None`, or how long until the next one.
    async fn take_turn(&self, turn: &Turn) -> Result<Option<Duration>>;
}

/// A new key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// SHA-256, as hex.
    pub hash: String,
    /// By which its owner recognises it.
    pub hint: String,
    /// When it was made.
    pub at: OffsetDateTime,
}

/// What an operator has decided about a request for T2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// About whom.
    pub id: DucklingId,
    /// T2, if it was granted.
    pub promotion: Option<Promotion>,
    /// In the operator's words.
    pub note: Note,
    /// When.
    pub at: OffsetDateTime,
}

/// What an operator does about a duckling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// The duckling as it was read.
    pub duckling: Duckling,
    /// Whether it is suspended from now on, or restored.
    pub suspends: bool,
    /// In the operator's words.
    pub reason: Note,
    /// When.
    pub at: OffsetDateTime,
}

impl Suspension {
    /// What the certificate is worth before it and after it.
    #[must_use]
    pub fn turns(&self) -> [CertStatus; 2] {
        let turns = [CertStatus::Valid, CertStatus::Suspended];
        if self.suspends { turns } else { [turns[1], turns[0]] }
    }
}

/// A deletion that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// Whose.
    pub id: DucklingId,
    /// Why, if it was an operator's decision.
    pub reason: Option<Note>,
    /// Whether the owner's account is deleted. From then on the address may have another one.
    pub account_ended: bool,
}

/// The end of a duckling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The duckling as it was read.
    pub duckling: Duckling,
    /// Its certificates, the current one among them.
    pub certificates: Vec<CertId>,
    /// Why, if it was an operator's decision.
    pub reason: Option<Note>,
    /// When.
    pub at: OffsetDateTime,
}

/// Whose events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventQuery {
    /// Of this duckling only.
    pub of: Option<DucklingId>,
    /// The moment that decides what is too old.
    pub now: OffsetDateTime,
}

/// A table with its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableState {
    /// Its name.
    pub name: String,
    /// Whether it answers.
    pub active: bool,
    /// How many entries it has, as far as the home knows without counting.
    pub entries: Option<u64>,
}

/// Whose pecks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeckQuery {
    /// Of whom.
    pub party: DucklingId,
    /// On which side.
    pub direction: Direction,
    /// In this state only.
    pub status: Option<PeckStatus>,
    /// The moment that decides what has expired.
    pub now: OffsetDateTime,
}

/// Something that may be done once in a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What, and for whom.
    pub name: String,
    /// Now.
    pub now: OffsetDateTime,
    /// The while.
    pub every: Duration,
}
