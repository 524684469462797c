//! Mail that leaves through SES, and the zones that it depends on.

use async_trait::async_trait;
use galaxy_mail::facts::{Account, Identity, Looked, SetFound, TestMail};
use galaxy_mail::judge::Hosted;
use galaxy_mail::name::Domain;
use galaxy_mail::records::Wanted;
use galaxy_mail::request::Letter;

use crate::failure::Failure;

/// What became of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Amazon has it.
    Sent,
    /// An earlier one is still being read; this one was not taken.
    UnderReview,
}

/// What became of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invited {
    /// Amazon has sent a mail with a link, which the person has to follow.
    Sent,
    /// The link of an earlier mail was not followed yet.
    Pending,
    /// The person can receive mail.
    Verified,
}

/// A mail to Amazon's mailbox simulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Play {
    /// The simulator's scenario: `success`, `bounce` or `complaint`.
    pub plays: String,
    /// The sender.
    pub from: String,
    /// The configuration set that it leaves by.
    pub set: String,
}

/// SES in the home Region.
#[async_trait]
pub trait Mail: Send + Sync {
    /// What it says of the account.
    async fn account(&self) -> Result<Account, Failure>;
    /// What it knows of a domain; nothing where it does not know it.
    async fn identity(&self, domain: &Domain) -> Result<Option<Identity>, Failure>;
    /// Lets mail from a domain leave by no configuration set unless the sender names one.
    async fn clear_default_set(&self, domain: &Domain) -> Result<(), Failure>;
    /// Removes a domain from SES; fine where it is unknown.
    async fn remove_identity(&self, domain: &Domain) -> Result<(), Failure>;
    /// Creates the role by which Cognito sends through SES, unless the account has it.
    async fn create_sender_role(&self) -> Result<(), Failure>;
    /// A configuration set; nothing where there is none.
    async fn set(&self, name: &str) -> Result<Option<SetFound>, Failure>;
    /// Asks for production access. Only ever called after a person has agreed in so many words.
    async fn apply(&self, letter: &Letter) -> Result<Applied, Failure>;
    /// Asks a person to verify an address, so that mail reaches it in the sandbox.
    async fn invite(&self, address: &str) -> Result<Invited, Failure>;
    /// Sends a mail to the mailbox simulator, and gives the number it got.
    async fn play(&self, play: &Play) -> Result<String, Failure>;
    /// When the API wrote down what came of a mail, in seconds since 1970; nothing before it did.
    async fn written(&self, ledger: &str, mail: &TestMail) -> Result<Option<u64>, Failure>;
}

/// Zones, as their own servers tell them.
#[async_trait]
pub trait Dns: Send + Sync {
    /// How wanted records are. A record within one of the `hosted` zones is expected there.
    async fn look(&self, wanted: &[Wanted], hosted: &[Hosted]) -> Result<Vec<Looked>, Failure>;
    /// The zone that answers for a name, with the servers that its parent names; nothing where that
    /// can't be found out.
    async fn led(&self, name: &Domain) -> Result<Option<Hosted>, Failure>;
}
