//! What the galaxy itself knows of accounts: who tried to hatch with an address, which attempt made
//! an account, and whether the reader of the mailbox chose its password.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::error::Result;
use crate::id::HatchId;
use crate::person::DisplayName;

/// The id that an identity gives an account. It is never used again, whatever becomes of the
/// address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(String);

impl AccountId {
    /// Takes the id as the identity spells it.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An attempt to hatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its id, which only its caller learns.
    pub id: HatchId,
    /// The digest of the e-mail address.
    pub address: String,
    /// The digest of the client's address; `None` where the home does not know it.
    pub from: Option<String>,
    /// The name that came with it.
    pub display_name: DisplayName,
    /// When.
    pub at: OffsetDateTime,
}

/// Keeps attempts and accounts. Nothing here lapses by itself: an account that was never confirmed
/// can be confirmed at any time, and its attempts decide then whose password it keeps.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Keeps an attempt.
    async fn note_attempt(&self, attempt: &Attempt) -> Result<()>;
    /// The attempt of an address with this id.
    async fn attempt(&self, address: &str, id: &HatchId) -> Result<Option<Attempt>>;
    /// The newest attempt of an address from a client.
    async fn newest_attempt(&self, address: &str, from: &str) -> Result<Option<Attempt>>;
    /// Forgets the attempts of an address.
    async fn forget_attempts(&self, address: &str) -> Result<()>;
    /// Keeps which attempt made an account. The first word counts.
    async fn note_maker(&self, account: &AccountId, attempt: &HatchId) -> Result<()>;
    /// The attempt that made an account; `None` if the galaxy never learned it.
    async fn maker(&self, account: &AccountId) -> Result<Option<HatchId>>;
    /// Keeps that the reader of the mailbox, or an operator of the installation, chose the
    /// password of an account.
    async fn settle(&self, account: &AccountId, now: OffsetDateTime) -> Result<()>;
    /// Whether an account is settled; `address` is the digest of its address.
    async fn is_settled(&self, account: &AccountId, address: &str) -> Result<bool>;
    /// Forgets an account.
    async fn forget_account(&self, account: &AccountId) -> Result<()>;
    /// Since when this galaxy settles accounts: the moment of the first such call. Earlier
    /// releases did not, so the ducklings and operators of that time count as settled.
    async fn settles_since(&self, now: OffsetDateTime) -> Result<OffsetDateTime>;
}
