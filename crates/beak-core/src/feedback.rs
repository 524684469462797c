//! What receivers report about our mails: bounces and complaints. An address that bounced for good,
//! or complained, gets no more mail.

use time::{Duration, OffsetDateTime};

use crate::error::{BeakError, Result};
use crate::person::Email;

/// How long a report is kept. That an address is not mailed again is kept for good.
pub const KEPT: Duration = Duration::days(90);

/// How many recipients a report may name; every mail of ours has one. It is written in one
/// transaction with all of them.
pub const MOST_RECIPIENTS: usize = 40;

/// What a report says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// Nothing will ever arrive there.
    Bounce,
    /// It did not arrive this time: a full mailbox, a server that rests.
    Delay,
    /// A person called it spam.
    Complaint,
}

impl ReportKind {
    /// Its word, as it is kept.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Bounce => "bounce",
            Self::Delay => "delay",
            Self::Complaint => "complaint",
        }
    }

    /// Whether it ends all mail to the address.
    #[must_use]
    pub fn is_final(self) -> bool {
        self != Self::Delay
    }
}

/// A report about one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    message_id: String,
    kind: ReportKind,
    recipients: Vec<Email>,
    at: OffsetDateTime,
}

impl Report {
    /// A report about a mail, by the mail's id, which is part of keys: letters, digits and hyphens.
    /// Each recipient counts once.
    pub fn new(
        message_id: &str,
        kind: ReportKind,
        mut recipients: Vec<Email>,
        at: OffsetDateTime,
    ) -> Result<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
        if !(1..=200).contains(&message_id.len()) || !message_id.bytes().all(plain) {
            return Err(BeakError::invalid("message_id", "this is not the number of a mail"));
        }
        recipients.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        recipients.dedup();
        if recipients.len() > MOST_RECIPIENTS {
            return Err(BeakError::invalid("recipients", "no mail of ours has so many"));
        }
        Ok(Self { message_id: message_id.to_owned(), kind, recipients, at })
    }

    /// The number that the mail was sent under.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// What it says.
    #[must_use]
    pub fn kind(&self) -> ReportKind {
        self.kind
    }

    /// About which recipients, each once.
    #[must_use]
    pub fn recipients(&self) -> &[Email] {
        &self.recipients
    }

    /// When it came.
    #[must_use]
    pub fn at(&self) -> OffsetDateTime {
        self.at
    }
}

/// How many final reports there were, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reports {
    /// Bounces for good.
    pub bounces: u64,
    /// Complaints.
    pub complaints: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_no_report_of_ours_is_refused() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let email = |n: usize| Email::parse(&format!("a{n}@example.com")).expect("an address");
        let report = |id: &str, names: &[usize]| {
            Report::new(id, ReportKind::Bounce, names.iter().map(|n| email(*n)).collect(), now)
        };
        let twice = report("0100-abc", &[1, 2, 1]).expect("a report");
        assert_eq!(twice.recipients(), [email(1), email(2)]);
        let most: Vec<usize> = (0..MOST_RECIPIENTS).collect();
        assert!(report(&"m".repeat(200), &most).is_ok());
        for id in ["", "x#y", "x y", "ü", "x\n", &"m".repeat(201)] {
            assert!(report(id, &[1]).is_err(), "{id}");
        }
        let more: Vec<usize> = (0..=MOST_RECIPIENTS).collect();
        assert!(report("0100-abc", &more).is_err());
    }
}
