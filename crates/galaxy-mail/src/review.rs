//! Every state of the account and of Amazon's review: what it means, what to do now, what to avoid.

use serde::Serialize;

use crate::facts::{Account, Enforcement, Review};

/// An account's stage at Amazon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// In the sandbox, without an application.
    NeverAsked,
    /// The application is being read.
    Pending,
    /// Out of the sandbox: email reaches every address.
    Granted,
    /// The application was refused.
    Denied,
    /// The application failed to send.
    Failed,
    /// The account is on probation more closely.
    Probation,
    /// Amazon has stopped it.
    Shutdown,
    /// Sending is switched off.
    Paused,
    /// A word that came later than this release.
    Other(String),
}

impl Stage {
    /// An account's stage. What stops sending counts before what has been granted.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        match (&account.enforcement, &account.review) {
            (Enforcement::Shutdown, _) => Self::Shutdown,
            (Enforcement::Other(word), _) => Self::Other(word.clone()),
            _ if !account.sending => Self::Paused,
            (Enforcement::Probation, _) => Self::Probation,
            _ if account.production => Self::Granted,
            (_, None) => Self::NeverAsked,
            (_, Some(Review::Pending)) => Self::Pending,
            // Granted, and the account's own flag is a little behind.
            (_, Some(Review::Granted)) => Self::Granted,
            (_, Some(Review::Denied)) => Self::Denied,
            (_, Some(Review::Failed)) => Self::Failed,
            (_, Some(Review::Other(word))) => Self::Other(word.clone()),
        }
    }

    /// Its word in JSON.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::NeverAsked => "never_asked",
            Self::Pending => "pending",
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Probation => "probation",
            Self::Shutdown => "shutdown",
            Self::Paused => "paused",
            Self::Other(word) => word,
        }
    }

    /// Whether an application may be sent now.
    #[must_use]
    pub fn may_apply(&self) -> bool {
        matches!(self, Self::NeverAsked | Self::Failed | Self::Denied)
    }
}

/// A page of the walk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    /// In a few words.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do now, in order.
    pub now: &'static [&'static str],
    /// What to avoid.
    pub avoid: &'static [&'static str],
    /// How long it usually takes until something changes.
    pub usual: Option<&'static str>,
}

impl Page {
    /// The page for a stage.
    #[must_use]
    pub fn of(stage: &Stage) -> Self {
        match stage {
            Stage::NeverAsked => NEVER_ASKED,
            Stage::Pending => PENDING,
            Stage::Granted => GRANTED,
            Stage::Denied => DENIED,
            Stage::Failed => FAILED,
            Stage::Probation => PROBATION,
            Stage::Shutdown => SHUTDOWN,
            Stage::Paused => PAUSED,
            Stage::Other(_) => OTHER,
        }
    }
}

const NEVER_ASKED: Page = Page {
    title: "In the SES sandbox; no application sent yet",
    meaning: "SES delivers only to verified addresses, at most 200 emails a day. Until you \
    leave the sandbox, Cognito's own sender mails the codes: to any address, about 50 a day.",
    now: &[
        "Complete the items below; most are DNS records.",
        "Then run `spaceduck mail apply`: it drafts the application from what it observed, and \
         you decide.",
        "Until then, `spaceduck mail invite ADDRESS` verifies one recipient.",
    ],
    avoid: &[
        "Don't apply before the domain, DKIM, MAIL FROM and DMARC are done: that is the usual \
         reason for a refusal.",
    ],
    usual: None,
};

const PENDING: Page = Page {
    title: "Amazon is reading the application",
    meaning: "You can't change the application until the review is over. Nothing else waits for \
    it: the galaxy works, and Cognito's own sender mails the codes.",
    now: &[
        "Watch the account's root mailbox and the case in the Support Center. If Amazon has a \
         question, answer it there within a day.",
        "Keep the site and its privacy page reachable: the reviewer opens them.",
        "`spaceduck mail --watch` shows the decision.",
    ],
    avoid: &["Don't send a second application: Amazon refuses it while the first is in review."],
    usual: Some("a first answer within 24 hours, longer if there are questions"),
};

const GRANTED: Page = Page {
    title: "Mails may go to everybody",
    meaning: "The account has left the sandbox in this Region, with the quota shown below.",
    now: &[
        "Run `spaceduck install`, which moves the codes from Cognito's own sender to your \
         domain.",
        "`spaceduck mail` repeats the simulator test on its own.",
        "Start slowly: the quota grows as you send without bounces.",
    ],
    avoid: &[
        "Don't send a newsletter to a list that you bought or found.",
        "Don't use the whole quota on the first day.",
    ],
    usual: None,
};

const DENIED: Page = Page {
    title: "Amazon denied the application",
    meaning: "The account stays in the sandbox. Amazon seldom gives the reason; the score of \
    `spaceduck mail apply` lists the usual ones.",
    now: &[
        "Open the case in the Support Center and answer there: that is how you appeal.",
        "Complete every item below first, and say in your answer what has changed.",
        "Cognito's own sender keeps mailing the codes.",
    ],
    avoid: &[
        "Don't send the same text again: repetition makes it worse. This program never does.",
        "Don't try another Region or account instead: Amazon treats that as evasion.",
    ],
    usual: Some("an answer to an appeal within 24 to 48 hours"),
};

const FAILED: Page = Page {
    title: "The application never arrived",
    meaning: "Amazon had an internal error and did not receive the text. It was not reviewed.",
    now: &["Run `spaceduck mail apply` again with the same text; here, that is safe."],
    avoid: &[],
    usual: None,
};

const PROBATION: Page = Page {
    title: "Amazon watches the account",
    meaning: "Too many bounces or complaints, or another reason; Amazon's email to the root \
    address says which. Sending still works.",
    now: &[
        "Read that email and the case in the Support Center, fix the cause, and answer there by \
         the date it names.",
        "Stop the newsletter; keep sending codes.",
        "Check the bounces: /beak/system/status shows them to operators.",
    ],
    avoid: &["Don't wait: without an answer, Amazon stops the account from sending."],
    usual: Some("until the date in Amazon's email"),
};

const SHUTDOWN: Page = Page {
    title: "Amazon has stopped the account from sending",
    meaning: "SES sends nothing in this Region. Cognito's own sender still mails the codes if \
    the user pool has not moved to SES.",
    now: &[
        "Open the case in the Support Center: explain what happened, what you changed, and how \
         you prevent it from happening again.",
        "Run `spaceduck install` with `mail.sender: cognito` in galaxy.yaml, so that people can \
         keep signing up.",
    ],
    avoid: &["Don't open a second account to keep sending: Amazon closes that one, too."],
    usual: Some("an answer within 24 to 48 hours"),
};

const PAUSED: Page = Page {
    title: "Sending is switched off",
    meaning: "Sending is off for this account in this Region. A person, one of your alarms, or \
    Amazon switched it off.",
    now: &[
        "Find out who switched it off: CloudTrail names the caller of \
         PutAccountSendingAttributes.",
        "If it was you, switch it on again in the SES console under Account dashboard. If it was \
         Amazon, answer the case first.",
    ],
    avoid: &["Don't switch it on again before you fix the cause."],
    usual: None,
};

const OTHER: Page = Page {
    title: "Unknown review state",
    meaning: "Amazon reports a state that is newer than this release.",
    now: &["Check the Account dashboard in the SES console, and install a newer release."],
    avoid: &["Don't apply before you know what it means."],
    usual: None,
};

#[cfg(test)]
mod tests {
    use super::{Page, Stage};
    use crate::facts::{Account, Enforcement, Review};

    fn account() -> Account {
        Account { sending: true, ..Account::default() }
    }

    #[test]
    fn every_review_leads_to_its_stage() {
        for (review, stage) in [
            (None, Stage::NeverAsked),
            (Some(Review::Pending), Stage::Pending),
            (Some(Review::Granted), Stage::Granted),
            (Some(Review::Denied), Stage::Denied),
            (Some(Review::Failed), Stage::Failed),
            (Some(Review::Other("ESCALATED".into())), Stage::Other("ESCALATED".into())),
        ] {
            assert_eq!(Stage::of(&Account { review, ..account() }), stage);
        }
        // Accounts that left the sandbox before there was this interface have no review.
        assert_eq!(Stage::of(&Account { production: true, ..account() }), Stage::Granted);
    }

    #[test]
    fn what_stops_sending_counts_first() {
        let granted = Account { production: true, ..account() };
        let with = |enforcement| Account { enforcement, ..granted.clone() };
        assert_eq!(Stage::of(&with(Enforcement::Probation)), Stage::Probation);
        assert_eq!(Stage::of(&with(Enforcement::Shutdown)), Stage::Shutdown);
        let off = Account { sending: false, ..with(Enforcement::Probation) };
        assert_eq!(Stage::of(&off), Stage::Paused);
        let stopped = Account { sending: false, ..with(Enforcement::Shutdown) };
        assert_eq!(Stage::of(&stopped), Stage::Shutdown);
    }

    #[test]
    fn every_stage_says_what_to_do() {
        for stage in [
            Stage::NeverAsked,
            Stage::Pending,
            Stage::Granted,
            Stage::Denied,
            Stage::Failed,
            Stage::Probation,
            Stage::Shutdown,
            Stage::Paused,
            Stage::Other("X".into()),
        ] {
            let page = Page::of(&stage);
            assert!(!page.now.is_empty() && page.meaning.ends_with('.'), "{}", stage.word());
        }
    }

    #[test]
    fn only_where_nobody_is_reading_may_one_apply() {
        assert!(Stage::NeverAsked.may_apply() && Stage::Failed.may_apply());
        for stage in [Stage::Pending, Stage::Granted, Stage::Probation, Stage::Shutdown] {
            assert!(!stage.may_apply(), "{}", stage.word());
        }
    }
}
