//! Every state of the account and of Amazon's review: what it means, what to do now, what to avoid.

use serde::Serialize;

use crate::facts::{Account, Enforcement, Review};

/// Where an account stands with Amazon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// In the sandbox; nobody has asked for more.
    NeverAsked,
    /// The application is being read.
    Pending,
    /// Mails may go to everybody.
    Granted,
    /// The application was refused.
    Denied,
    /// The application never arrived.
    Failed,
    /// Amazon watches the account more closely.
    Probation,
    /// Amazon has stopped it.
    Shutdown,
    /// Sending is switched off.
    Paused,
    /// A word that came later than this release.
    Other(String),
}

impl Stage {
    /// Where an account stands. What stops sending counts before what has been granted.
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
    title: "In the sandbox, and nobody has asked to leave it",
    meaning: "SES delivers only to addresses that are verified, at most 200 mails a day. Until you \
              leave, codes come from Cognito's own sender: to anybody, about 50 a day.",
    now: &[
        "Get the items below done; most are DNS records.",
        "Then run `spaceduck mail apply`: it writes a draft from what it has seen, and you decide.",
        "Until then, `spaceduck mail invite ADDRESS` lets one person receive mail from SES today.",
    ],
    avoid: &[
        "Don't apply before the domain, DKIM, MAIL FROM and DMARC are done: it is the usual reason \
         for a refusal.",
    ],
    usual: None,
};

const PENDING: Page = Page {
    title: "Amazon is reading the application",
    meaning: "The details are frozen until the review is over. Nothing else waits for it: the \
              galaxy works, and codes come from Cognito's own sender.",
    now: &[
        "Watch the root address of the account and the case in the Support Center: if Amazon asks \
         something, answer there within a day.",
        "Keep the site and its privacy page reachable; somebody opens them now.",
        "`spaceduck mail --watch` tells when it is decided.",
    ],
    avoid: &["Don't send a second application; it is refused while the first one is read."],
    usual: Some("a first answer within 24 hours, longer if there are questions"),
};

const GRANTED: Page = Page {
    title: "Mails may go to everybody",
    meaning: "The account has left the sandbox in this Region, with the quota shown below.",
    now: &[
        "Run `spaceduck install`: it moves the codes from Cognito's own sender to your domain.",
        "`spaceduck mail` plays the simulator's mails once more by itself, now that mail leaves.",
        "Begin slowly; the quota grows with what you send well.",
    ],
    avoid: &[
        "Don't send a newsletter to a list that you bought or found.",
        "Don't use the whole quota on the first day.",
    ],
    usual: None,
};

const DENIED: Page = Page {
    title: "Amazon has refused",
    meaning: "The account stays in the sandbox. The refusal seldom says why; the score of \
              `spaceduck mail apply` names what usually is the reason.",
    now: &[
        "Open the case in the Support Center and answer there: that is the way an appeal takes.",
        "Get every item below done first, and say in your answer what has changed.",
        "Codes go on through Cognito's own sender meanwhile.",
    ],
    avoid: &[
        "Don't send the same text again: blind repetition makes it worse. This program never does \
         so by itself.",
        "Don't try another Region or account instead; it is seen as an evasion.",
    ],
    usual: Some("an answer to an appeal within 24 to 48 hours"),
};

const FAILED: Page = Page {
    title: "The application never arrived",
    meaning: "Amazon had an error of its own and has not received the text. Nobody has judged it.",
    now: &["Run `spaceduck mail apply` again with the same text; that is safe here."],
    avoid: &[],
    usual: None,
};

const PROBATION: Page = Page {
    title: "Amazon watches the account",
    meaning: "Too many mails bounced or were complained about, or there was another reason; the \
              mail to the root address says which. Sending goes on for now.",
    now: &[
        "Read that mail and the case in the Support Center, mend the cause, and answer there \
         by the \
         date it names.",
        "Stop the newsletter; keep the codes.",
        "Look at who bounced: /beak/system/status shows it to operators.",
    ],
    avoid: &["Don't wait for it to pass; without an answer the account is stopped."],
    usual: Some("until the date in Amazon's mail"),
};

const SHUTDOWN: Page = Page {
    title: "Amazon has stopped the account from sending",
    meaning: "No mail leaves through SES in this Region. Codes still come from Cognito's own \
              sender, if the user pool has not moved to SES yet.",
    now: &[
        "Open the case in the Support Center: say what happened, what you have changed, and how it \
         can't happen again.",
        "Run `spaceduck install` with `mail.sender: cognito` in galaxy.yaml, so that people can go \
         on signing up.",
    ],
    avoid: &["Don't open a second account to go on sending; Amazon closes that one, too."],
    usual: Some("an answer within 24 to 48 hours"),
};

const PAUSED: Page = Page {
    title: "Sending is switched off",
    meaning: "Sending is off for this account in this Region: somebody, or an alarm of yours, has \
              switched it off, or Amazon has.",
    now: &[
        "Find out who switched it off: CloudTrail names the caller of \
         PutAccountSendingAttributes.",
        "If it was you, switch it on again in the SES console under Account dashboard. If it was \
         Amazon, answer the case first.",
    ],
    avoid: &["Don't switch it on again before the cause is mended."],
    usual: None,
};

const OTHER: Page = Page {
    title: "Amazon says something that this release does not know",
    meaning: "The word that Amazon uses came later than this release.",
    now: &["Look at Account dashboard in the SES console, and install a newer release."],
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
