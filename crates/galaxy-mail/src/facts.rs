//! What was observed: of the account, of the zones, of the galaxy, and what people have answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::judge::State;
use crate::name::Domain;
use crate::records::Wanted;

/// Everything that the walk goes by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Seconds since 1970.
    pub now: u64,
    /// The galaxy's name.
    pub galaxy: String,
    /// The release that is installed.
    pub release: Option<String>,
    /// The Region that mails leave from.
    pub region: String,
    /// The part after the `@`; none while Cognito's own sender is used.
    pub domain: Option<Domain>,
    /// The account, where it could be asked.
    pub account: Option<Account>,
    /// The mail domain as SES knows it.
    pub identity: Option<Identity>,
    /// Wanted records and how they are.
    pub records: Vec<Looked>,
    /// The configuration sets that should be there.
    pub sets: Vec<Set>,
    /// Whether the API listens to what comes back of its mails.
    pub listens: bool,
    /// Whether a captcha guards the sign-up.
    pub captcha: bool,
    /// Whether the alarms before Amazon's thresholds are set.
    pub alarms: bool,
    /// The site that the application names.
    pub website: Option<Website>,
    /// What was kept from earlier looks.
    pub memory: Memory,
}

/// A wanted record and its state.
#[derive(Clone, Debug, PartialEq)]
pub struct Looked {
    /// The record.
    pub wanted: Wanted,
    /// Its zone.
    pub zone: Domain,
    /// Its state.
    pub state: State,
    /// How that is known: which servers were asked, which did not answer; none where nothing was
    /// looked up.
    pub known: Option<String>,
}

/// How Amazon thinks of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// All is well.
    #[default]
    Healthy,
    /// It is under review; sending continues.
    Probation,
    /// Sending was stopped.
    Shutdown,
    /// A word that came later than this release.
    Other(String),
}

/// The state of the application's review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// Amazon is reviewing it.
    Pending,
    /// It was granted.
    Granted,
    /// It was refused.
    Denied,
    /// It never arrived.
    Failed,
    /// A word that came later than this release.
    Other(String),
}

/// What SES says of the account in this Region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// Whether mails may go to everybody.
    pub production: bool,
    /// Whether sending is switched on.
    pub sending: bool,
    /// How Amazon thinks of it.
    pub enforcement: Enforcement,
    /// Mails a day; below zero without limit.
    pub per_day: f64,
    /// Mails a second.
    pub per_second: f64,
    /// Mails in the last 24 hours.
    pub sent: f64,
    /// Whether the account's list holds bounces, and whether complaints.
    pub suppresses: (bool, bool),
    /// The review, if there was an application.
    pub review: Option<Review>,
    /// The number of the case at Amazon.
    pub case: Option<String>,
    /// The pricing plan, where Amazon reports it.
    pub plan: Option<String>,
    /// Whether Virtual Deliverability Manager is on.
    pub insights: bool,
}

/// How far Amazon has come with something that it looks for in the DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not asked for, or not looked for yet.
    NotStarted,
    /// It is looking.
    Pending,
    /// It found it.
    Success,
    /// It gave up.
    Failed,
    /// It found it once and does not at the moment.
    Lost,
    /// A word that came later than this release.
    Other(String),
}

/// The mail domain as SES knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Whether it is a whole domain.
    pub whole_domain: bool,
    /// Whether it may be sent from.
    pub verified: Progress,
    /// DKIM.
    pub dkim: Progress,
    /// The length of the DKIM key in bits.
    pub bits: Option<u16>,
    /// Names and values of the three DKIM records.
    pub tokens: Vec<(Domain, Domain)>,
    /// The MAIL FROM domain and its state.
    pub mail_from: Option<(Domain, Progress)>,
    /// What Amazon's last look at the DNS ended with.
    pub error: Option<String>,
    /// The name server that Amazon's last look went to.
    pub asked: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The configuration set that mail without one leaves by.
    pub set: Option<String>,
}

/// A configuration set as it should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its name.
    pub name: String,
    /// How it was found; nothing where there is none.
    pub found: Option<SetFound>,
}

/// A configuration set, as read from SES.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetFound {
    /// Whether it insists on TLS.
    pub tls: bool,
    /// The events that it publishes to the event bus.
    pub events: Vec<String>,
}

/// A website as a stranger sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Website {
    /// Its address.
    pub url: String,
    /// What is wrong with the start page; nothing where it answers over TLS.
    pub trouble: Option<String>,
    /// The privacy page, where it answers.
    pub privacy: Option<String>,
    /// The contact page, where it answers.
    pub contact: Option<String>,
    /// The page with the newsletter's form, where it answers.
    pub form: Option<String>,
}

/// What is kept between looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Since when an item has been as it is: item → seconds since 1970.
    pub since: BTreeMap<String, u64>,
    /// What people have confirmed, and when.
    pub confirmed: BTreeMap<String, u64>,
    /// When the application was sent.
    pub applied: Option<u64>,
    /// When mail to any address was first seen to be allowed.
    pub granted: Option<u64>,
    /// The last test with the mailbox simulator.
    pub test: Option<Test>,
    /// How many mails a day are expected, as a person said.
    pub per_day: Option<u32>,
}

/// A test with the mailbox simulator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Test {
    /// When it began.
    pub at: u64,
    /// The mails that were sent.
    pub mails: Vec<TestMail>,
}

/// A mail to the mailbox simulator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TestMail {
    /// What it plays: `success`, `bounce` or `complaint`.
    pub plays: String,
    /// The number that SES gave it.
    pub message_id: String,
    /// When the API had written down what came of it. A success leaves nothing to write.
    pub written: Option<u64>,
}

impl Memory {
    /// Whether the simulator ran only before mail could go to any address: a result from the
    /// sandbox has to be confirmed once more.
    #[must_use]
    pub fn is_tested_too_early(&self) -> bool {
        let at = self.test.as_ref().map(|test| test.at);
        matches!((at, self.granted), (Some(at), Some(granted)) if at < granted)
    }
}

impl Test {
    /// Whether the simulator accepted such a mail.
    #[must_use]
    pub fn took(&self, plays: &str) -> bool {
        self.mails.iter().any(|mail| mail.plays == plays && !mail.message_id.is_empty())
    }

    /// Whether the API has stored the report about such a mail.
    #[must_use]
    pub fn wrote(&self, plays: &str) -> bool {
        self.mails.iter().any(|mail| mail.plays == plays && mail.written.is_some())
    }
}
