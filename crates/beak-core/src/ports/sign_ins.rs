//! What the galaxy itself keeps of signing in: which tokens of an address still count, and its
//! second factor. The rules are the galaxy's; a store only keeps the state.

use std::fmt;

use async_trait::async_trait;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{AccountId, Mark};
use crate::error::Result;
use crate::sealed::HomeSecret;

/// A session of the identity, of use to the identity alone. It lives inside sealed tokens only and
/// can't be shown.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Session(Zeroizing<String>);

impl Session {
    /// Takes the session as the identity spells it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text, for the identity.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(…)")
    }
}

/// A confirmed second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// Whose it is. An address may change hands; its factor does not.
    pub account: AccountId,
    /// The secret, sealed.
    pub secret: String,
    /// When it was confirmed.
    pub enrolled_at: OffsetDateTime,
    /// The last time step that a code was used of.
    pub last_step: u64,
    /// The keyed hashes of the recovery codes that are left.
    pub recovery: Vec<String>,
}

/// A second factor whose first code was not shown yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// Whose it is.
    pub account: AccountId,
    /// The secret, sealed.
    pub secret: String,
    /// When it began.
    pub begun_at: OffsetDateTime,
}

/// The state of signing in with an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInState {
    /// The digest of the address.
    pub address: String,
    /// How often it was written. A state that was never written has version 0.
    pub version: u64,
    /// A token of another generation is worth nothing.
    pub generation: u64,
    /// The second factor.
    pub factor: Option<Factor>,
    /// The one that waits for its first code.
    pub enrolment: Option<Enrolment>,
    /// Wrong codes and used challenges of the last 24 hours, oldest first.
    pub marks: Vec<Mark>,
    /// From when on it may be forgotten: the account is gone, and by then every token is too.
    pub until: Option<OffsetDateTime>,
}

impl SignInState {
    /// The second factor of an account.
    #[must_use]
    pub fn factor_of(&self, account: &AccountId) -> Option<&Factor> {
        self.factor.as_ref().filter(|factor| factor.account == *account)
    }
}

/// Keeps the states of signing in. They are never exported.
#[async_trait]
pub trait SignIns: Send + Sync {
    /// The state of an address, by its digest.
    async fn sign_in_state(&self, address: &str) -> Result<Option<SignInState>>;
    /// Writes a state in place of the version before it. Whether that version was still the last;
    /// of any number at once, one is.
    async fn write_sign_in_state(&self, state: &SignInState) -> Result<bool>;
}

/// What a sealing key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealingUse {
    /// Tokens of people. Losing this secret signs everyone out.
    Tokens,
    /// Secrets of second factors and hashes of recovery codes. Losing it makes all of them useless.
    Factors,
}

/// Has the secrets that sealing keys are derived from. They are never exported.
#[async_trait]
pub trait Sealing: Send + Sync {
    /// The secret, made by the first call where there is none.
    async fn secret(&self, of: SealingUse) -> Result<HomeSecret>;
}
