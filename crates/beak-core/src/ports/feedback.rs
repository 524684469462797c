//! What comes back of mails, and what watches over the galaxy.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::error::Result;
use crate::feedback::{Report, Reports};
use crate::person::Email;

/// Keeps what receivers tell of mails. An address is kept by its digest only.
#[async_trait]
pub trait Feedback: Send + Sync {
    /// Stores a report; a final one also ends all mail to its recipients, the newsletter included.
    /// One transaction, counts included. `false` if it was stored before.
    async fn report(&self, report: &Report) -> Result<bool>;
    /// Whether an address is not mailed any more. Nothing takes that back.
    async fn is_unreachable(&self, email: &Email) -> Result<bool>;
    /// How many final reports there were.
    async fn reports(&self) -> Result<Reports>;
}

/// The state of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmState {
    /// What it watches is as it should be.
    Ok,
    /// It rings.
    Alarm,
    /// It has seen too little to tell.
    Unknown,
    /// It is not there any more.
    Missing,
}

impl AlarmState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Alarm, Self::Unknown, Self::Missing];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Alarm => "alarm",
            Self::Unknown => "unknown",
            Self::Missing => "missing",
        }
    }
}

/// An alarm of this galaxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its name in the galaxy's templates.
    pub name: String,
    /// Its state.
    pub state: AlarmState,
    /// Since when; not known of one that is missing.
    pub since: Option<OffsetDateTime>,
}

/// What watches over the galaxy and rings.
#[async_trait]
pub trait Alarms: Send + Sync {
    /// All alarms that the galaxy should have, with their states.
    async fn alarms(&self) -> Result<Vec<Alarm>>;
}
