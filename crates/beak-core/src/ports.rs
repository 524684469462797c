//! What the domain needs from the world, in its own words. Each home brings its own adapters.
//!
//! A port answers `Err` only when something is broken ([`BeakError::Unavailable`] when trying
//! again may help, [`BeakError::Internal`] otherwise). Losing a race is an answer, not an error.

use std::net::IpAddr;

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

use crate::certificate::{Certificate, Claims};
use crate::duckling::{Duckling, Egg};
use crate::error::Result;
use crate::id::{CertId, DucklingId, PeckId};
use crate::key::KeyHash;
use crate::mail::Mail;
use crate::peck::{Direction, Peck, PeckStatus};
use crate::person::{Email, OtpCode, Password};
use crate::tier::Tier;

#[cfg(doc)]
use crate::error::BeakError;

/// How many there are. Exact at the moment of reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Ducklings.
    pub ducklings: u64,
    /// Certificates ever issued.
    pub certificates: u64,
    /// Bonds that hold now.
    pub connections: u64,
    /// Eggs that wait.
    pub eggs: u64,
    /// Pecks by state, in the order of [`PeckStatus::ALL`].
    pub pecks: [u64; 5],
}

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

/// Everything that comes to be when an egg hatches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hatching {
    /// The duckling.
    pub duckling: Duckling,
    /// Its first certificate.
    pub certificate: Certificate,
}

/// What became of an egg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hatched {
    /// A duckling.
    Done,
    /// There was no egg (any more), or the address has its duckling.
    Lost,
}

/// What became of a new peck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pecked {
    /// It is there.
    Done,
    /// This call was made before, with the same content: here is what it made.
    Repeated(Peck),
    /// The idempotency key belongs to another peck.
    KeyTaken,
    /// The same question already waits for an answer.
    AlreadyPending,
}

/// An idempotency key as it is kept, and what the call was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// SHA-256 of caller and key, as hex.
    pub key: String,
    /// SHA-256 of what was asked, as hex.
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
        /// Who was asked.
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
    /// Lays an egg, in place of an older one of the same address. Whether there was room for it:
    /// `false` when the address has its duckling.
    async fn lay_egg(&self, egg: &Egg) -> Result<bool>;
    /// The egg of an address, alive or not.
    async fn egg(&self, email: &Email) -> Result<Option<Egg>>;
    /// Egg → duckling, key, certificate.
    async fn hatch(&self, hatching: &Hatching) -> Result<Hatched>;

    /// A duckling.
    async fn duckling(&self, id: &DucklingId) -> Result<Option<Duckling>>;
    /// The duckling of an address.
    async fn duckling_by_email(&self, email: &Email) -> Result<Option<Duckling>>;
    /// The duckling that a key opens.
    async fn duckling_by_key(&self, key: &KeyHash) -> Result<Option<Duckling>>;
    /// All ducklings, part by part.
    async fn ducklings(&self, page: &Page) -> Result<Listed<Duckling>>;
    /// Writes a pulse down. Whether there was such a duckling.
    async fn pulse(&self, id: &DucklingId, now: OffsetDateTime) -> Result<bool>;
    /// Exchanges a duckling's key, if `old` still is its key. Whether it was.
    async fn rotate_key(&self, id: &DucklingId, old: &str, new: &NewKey) -> Result<bool>;

    /// Keeps a new peck.
    async fn add_peck(&self, peck: &Peck, idempotency: Option<&Idempotency>) -> Result<Pecked>;
    /// A peck.
    async fn peck(&self, id: &PeckId) -> Result<Option<Peck>>;
    /// The pecks of one side, newest first.
    async fn pecks(&self, asked: &PeckQuery, page: &Page) -> Result<Listed<Peck>>;
    /// Moves a peck on.
    async fn move_peck(&self, id: &PeckId, to: &Move, now: OffsetDateTime) -> Result<Moved>;

    /// A certificate.
    async fn certificate(&self, id: &CertId) -> Result<Option<Certificate>>;

    /// The counts.
    async fn metrics(&self) -> Result<Metrics>;
    /// Puts away at most `limit` pecks and eggs whose time has passed; how many it were.
    async fn sweep(&self, now: OffsetDateTime, limit: usize) -> Result<usize>;
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

/// What became of a sign-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedUp {
    /// A code is on its way.
    CodeSent,
    /// The address is confirmed; nothing was changed and nothing sent.
    Known,
}

/// What a code was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// It was right.
    Yes,
    /// It was wrong, or nobody waits for one. The two can't be told apart.
    Mismatch,
    /// It is too old or was tried too often.
    Expired,
}

/// What a person signs in with from then on.
pub struct Tokens {
    /// For the `Authorization` header.
    pub access: String,
    /// For new access tokens; none in the answer to a refresh.
    pub refresh: Option<String>,
    /// How long the access token is good.
    pub expires_in: Duration,
}

/// Who holds an access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The confirmed address.
    pub email: Email,
    /// Whether this is an operator.
    pub operator: bool,
}

/// Passwords, codes and tokens of people.
#[async_trait]
pub trait Identity: Send + Sync {
    /// Takes a password for an address and sends a code there. Done again before the code was
    /// used, it takes the new password and sends a new code.
    async fn sign_up(&self, email: &Email, password: &Password) -> Result<SignedUp>;
    /// Confirms an address by its code.
    async fn confirm(&self, email: &Email, code: &OtpCode) -> Result<Confirmed>;
    /// Sends a new code, if one is waited for.
    async fn resend(&self, email: &Email) -> Result<()>;
    /// Tokens for a confirmed address and its password.
    async fn sign_in(&self, email: &Email, password: &Password) -> Result<Option<Tokens>>;
    /// A new access token.
    async fn refresh(&self, refresh_token: &str) -> Result<Option<Tokens>>;
    /// Ends all of a person's tokens.
    async fn sign_out(&self, access_token: &str) -> Result<()>;
    /// Who this is.
    async fn who(&self, access_token: &str) -> Result<Option<Person>>;
    /// Sends a code for a new password, if the address is confirmed.
    async fn forgot(&self, email: &Email) -> Result<()>;
    /// Takes a new password, if the code is right; ends all of the person's tokens.
    async fn reset(&self, email: &Email, code: &OtpCode, new: &Password) -> Result<Confirmed>;
}

/// A public signing key: Ed25519.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// By which a certificate names it.
    pub kid: String,
    /// The 32 bytes of RFC 8032.
    pub bytes: [u8; 32],
}

/// Signs certificates and checks them.
#[async_trait]
pub trait CertificateAuthority: Send + Sync {
    /// The compact JWS over these claims.
    async fn issue(&self, claims: &Claims) -> Result<String>;
    /// The claims of a certificate that this galaxy has signed; `None` for any other text.
    async fn read(&self, compact: &str) -> Result<Option<Claims>>;
    /// The keys, current one first.
    async fn keys(&self) -> Result<Vec<PublicKey>>;
}

/// Tells people from programs.
#[async_trait]
pub trait Captcha: Send + Sync {
    /// Whether the token was earned, for this action, from this address.
    async fn check(&self, token: &str, action: &str, from: Option<IpAddr>) -> Result<bool>;
}

/// Sends mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands a mail over.
    async fn send(&self, mail: &Mail) -> Result<()>;
}

/// The time.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> OffsetDateTime;
}

/// Randomness that nobody can guess.
pub trait Entropy: Send + Sync {
    /// Fills all of it.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
}
