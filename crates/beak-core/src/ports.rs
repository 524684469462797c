//! What the domain needs from the world, in its own words. Each home brings its own adapters.
//!
//! A port answers `Err` only when something is broken ([`BeakError::Unavailable`] when trying
//! again may help, [`BeakError::Internal`] otherwise). Losing a race is an answer, not an error.

mod accounts;
mod counts;
mod feedback;
mod journals;
mod sign_ins;
mod store;

use std::net::IpAddr;

use async_trait::async_trait;
use time::OffsetDateTime;

pub use self::accounts::{AccountId, Accounts, Attempt};
pub use self::counts::{Fleet, Lapsed, Metrics, Swept};
pub use self::feedback::{Alarm, AlarmState, Alarms, Feedback};
pub use self::journals::{Journal, Journals, Mark};
pub use self::sign_ins::{Enrolment, Factor, Sealing, SealingUse, Session, SignInState, SignIns};
pub use self::store::{
    Crowd, Decision, Deletion, Departure, EventQuery, Hatched, Hatching, Idempotency, Listed, Move,
    Moved, NewKey, Page, PeckQuery, Pecked, Promotion, Side, Store, Suspension, TableState, Turn,
};
use crate::certificate::Claims;
use crate::error::Result;
use crate::mail::Mail;
use crate::person::{Email, OtpCode, Password};

#[cfg(doc)]
use crate::error::BeakError;

/// What became of a sign-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedUp {
    /// This call made the account, and a code is on its way.
    Made(AccountId),
    /// The account may have been made, but its code was not sent.
    Unsent,
    /// There is an account that was never confirmed. Nothing was changed and nothing sent.
    Waiting,
    /// The address is confirmed. Nothing was changed and nothing sent.
    Known,
}

/// An account whose password was right.
pub struct Entered {
    /// The account.
    pub account: AccountId,
    /// Whether this is an operator.
    pub operator: bool,
    /// What keeps it signed in.
    pub session: Session,
}

/// An account whose session is still good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// Whether this is an operator.
    pub operator: bool,
}

/// Who has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub account: AccountId,
    /// The confirmed address.
    pub email: Email,
    /// Whether this is an operator.
    pub operator: bool,
}

/// Passwords, codes and sessions of people.
#[async_trait]
pub trait Identity: Send + Sync {
    /// Refuses a new password that this identity would not take. Asks nothing of anyone.
    fn accepts(&self, _: &Password) -> Result<()> {
        Ok(())
    }
    /// Makes an account with this password and sends a code, unless there is an account.
    async fn sign_up(&self, email: &Email, password: &Password) -> Result<SignedUp>;
    /// Confirms an address by its code, which is used up. The account, if it was this call that
    /// confirmed it; `None` for a code that is wrong, too old or used up, and for an account that
    /// is confirmed or missing. Which of these is not said.
    async fn confirm(&self, email: &Email, code: &OtpCode) -> Result<Option<AccountId>>;
    /// Replaces the password of a confirmed account. Whether the account is still there.
    async fn set_password(
        &self,
        email: &Email,
        account: &AccountId,
        new: &Password,
    ) -> Result<bool>;
    /// Ends all sessions of an account. Fine if there is none.
    async fn sign_out_all(&self, email: &Email, account: &AccountId) -> Result<()>;
    /// Sends a new code, if an account waits for one.
    async fn resend(&self, email: &Email) -> Result<()>;
    /// The account with a new session, for a confirmed address and its password.
    async fn sign_in(&self, email: &Email, password: &Password) -> Result<Option<Entered>>;
    /// Whether a session of an account is still good.
    async fn renew(
        &self,
        email: &Email,
        account: &AccountId,
        session: &Session,
    ) -> Result<Option<Renewed>>;
    /// Sends a code for a new password, if the address is confirmed.
    async fn forgot(&self, email: &Email) -> Result<()>;
    /// Forgets a person, with all of the person's sessions. Fine if there is none.
    async fn delete(&self, email: &Email) -> Result<()>;
    /// Takes a new password, if the code is right. The account, if it was so. Its sessions are the
    /// galaxy's to end.
    async fn reset(
        &self,
        email: &Email,
        code: &OtpCode,
        new: &Password,
    ) -> Result<Option<AccountId>>;
    /// Whether an account was made before a moment. `false` where there is none.
    async fn is_older(&self, account: &AccountId, than: OffsetDateTime) -> Result<bool>;
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

/// What an operator wants to know of the mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailState {
    /// Whether a sender is set up.
    pub sender: bool,
    /// Whether mails reach confirmed addresses only.
    pub sandbox: bool,
    /// How many mails a day may be sent; no limit without it.
    pub quota: Option<u64>,
    /// How many were sent within 24 hours.
    pub sent: u64,
}

/// Sends mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands a mail over.
    async fn send(&self, mail: &Mail) -> Result<()>;
    /// How it stands.
    async fn state(&self) -> Result<MailState>;
}

/// What became of a call that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whether there was one left.
    pub granted: bool,
    /// How many are left now.
    pub remaining: u32,
}

/// Counts calls, minute by minute of the clock.
#[async_trait]
pub trait Limits: Send + Sync {
    /// Takes one of the `limit` calls that a bucket has in the minute of `now`. Exact: of any
    /// number at once, `limit` are granted.
    async fn take(&self, bucket: &str, limit: u32, now: OffsetDateTime) -> Result<Taken>;

    /// The same for limits that may refuse up to a tenth of the calls too early, so that a home can
    /// count them in blocks; never more than `limit` are granted. Limits on guessing are none of
    /// these. `remaining` is a lower bound.
    async fn take_leased(&self, bucket: &str, limit: u32, now: OffsetDateTime) -> Result<Taken> {
        self.take(bucket, limit, now).await
    }
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
