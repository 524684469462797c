//! The application to leave the sandbox: a draft from what was observed, its chances by what is
//! usually refused, and what exactly would be sent.
//!
//! A claim without an observed fact behind it is left out and named: nothing is made up.

use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::checklist::{Checklist, State};
use crate::facts::{Facts, Progress, TestMail};
use crate::judge;
use crate::records::Purpose;

/// What Amazon takes at most. Source: `PutAccountDetails`, SES API v2.
pub const MOST_CHARACTERS: usize = 5000;

/// A draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// What it does not say, and why.
    pub left_out: Vec<LeftOut>,
}

/// A claim that has no fact behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What it would have said.
    pub claim: &'static str,
    /// What would have to be observed.
    pub missing: &'static str,
}

/// One claim: what it is about, what it needs, and its words if that is there.
struct Claim {
    about: &'static str,
    missing: &'static str,
    words: fn(&Facts) -> Option<String>,
}

/// In the order of the questions that reviewers ask.
const CLAIMS: [Claim; 10] = [
    Claim {
        about: "who you are and where your site is",
        missing: "a site that responds over TLS on your domain",
        words: who,
    },
    Claim { about: "what is sent", missing: "an installed release and a mail domain", words: what },
    Claim {
        about: "that a captcha protects the sign-up form",
        missing: "Turnstile in galaxy.yaml",
        words: captcha,
    },
    Claim {
        about: "how people subscribe to the newsletter and confirm",
        missing: "an installed release, and the form on a site that responds",
        words: opt_in,
    },
    Claim { about: "how people unsubscribe", missing: "an installed release", words: opt_out },
    Claim {
        about: "how many emails a day you expect",
        missing: "your answer: `spaceduck mail apply --per-day N`",
        words: volume,
    },
    Claim {
        about: "that emails are signed and authenticated",
        missing: "DKIM, MAIL FROM and DMARC, all done",
        words: authentication,
    },
    Claim {
        about: "how bounces and complaints are handled",
        missing: "the configuration sets with their events, and the account's suppression list",
        words: feedback,
    },
    Claim {
        about: "that this was tested",
        missing: "a bounce and a complaint of the mailbox simulator: `spaceduck mail test`",
        words: tested,
    },
    Claim {
        about: "where your privacy policy and contact page are",
        missing: "a privacy page and a contact page that respond",
        words: pages,
    },
];

impl Draft {
    /// Writes what can be said truthfully.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let mut draft = Self { text: String::new(), left_out: Vec::new() };
        for Claim { about, missing, words } in &CLAIMS {
            match words(facts) {
                Some(words) => {
                    draft.text.push_str(&words);
                    draft.text.push_str("\n\n");
                }
                None => draft.left_out.push(LeftOut { claim: about, missing }),
            }
        }
        draft.text.truncate(draft.text.trim_end().len());
        draft
    }
}

fn who(facts: &Facts) -> Option<String> {
    let site = facts.website.as_ref().filter(|site| site.trouble.is_none())?;
    Some(format!(
        "We run {}, our own installation of Space Duck, an open-source identity service for \
         software agents and the people who own them. Our website is {}.",
        facts.galaxy, site.url
    ))
}

fn what(facts: &Facts) -> Option<String> {
    let (domain, _) = (facts.domain.as_ref()?, facts.release.as_ref()?);
    Some(format!(
        "We send email from {domain}. Most of it is transactional: a six-digit code when a \
         person signs up or resets a password, and notices about that person's own account. We \
         also send a newsletter to people who subscribed to it. Transactional email and the \
         newsletter use separate configuration sets. All recipients entered their address in a \
         form on our website; the only other recipients are our own operators."
    ))
}

fn captcha(facts: &Facts) -> Option<String> {
    facts.captcha.then(|| {
        "A captcha (Cloudflare Turnstile) protects the sign-up form. The API also limits how \
         often a code can be requested, for each email address and for each caller, so that our \
         forms cannot be used to flood other people's mailboxes."
            .to_owned()
    })
}

fn opt_in(facts: &Facts) -> Option<String> {
    facts.release.as_ref()?;
    let form = facts.website.as_ref()?.form.as_ref()?;
    Some(format!(
        "People subscribe to the newsletter with the form at {form}. We use double opt-in: a \
         new address receives a single email with a confirmation link, and no newsletter until \
         the subscription is confirmed."
    ))
}

fn opt_out(facts: &Facts) -> Option<String> {
    facts.release.as_ref()?;
    Some(
        "Every newsletter contains an unsubscribe link and the one-click unsubscribe headers of \
         RFC 8058. Both take effect immediately, without signing in. Anyone who deletes their \
         account stops receiving mail."
            .to_owned(),
    )
}

fn volume(facts: &Facts) -> Option<String> {
    let per_day = facts.memory.per_day?;
    Some(format!(
        "We expect to send about {per_day} emails a day at launch, and we request no more than \
         that needs."
    ))
}

fn right(facts: &Facts, purpose: Purpose) -> bool {
    let mut records = facts.records.iter().filter(|look| look.wanted.purpose == purpose).peekable();
    records.peek().is_some() && records.all(|look| look.state == judge::State::Right)
}

fn authentication(facts: &Facts) -> Option<String> {
    let (domain, identity) = (facts.domain.as_ref()?, facts.identity.as_ref()?);
    let (mail_from, state) = identity.mail_from.as_ref()?;
    let done = identity.verified == Progress::Success
        && identity.dkim == Progress::Success
        && *state == Progress::Success
        && [Purpose::Dkim, Purpose::MailFrom, Purpose::Spf, Purpose::Dmarc]
            .into_iter()
            .all(|purpose| right(facts, purpose));
    done.then(|| {
        format!(
            "{domain} is verified and signed with Easy DKIM. The custom MAIL FROM domain is \
             {mail_from}, with its MX and SPF records published. A DMARC policy is published."
        )
    })
}

fn feedback(facts: &Facts) -> Option<String> {
    let told = |event: &str| {
        let has = |found: &crate::facts::SetFound| found.events.iter().any(|e| e == event);
        facts.sets.iter().all(|set| set.found.as_ref().is_some_and(has))
    };
    let account = facts.account.as_ref()?;
    let done = !facts.sets.is_empty()
        && told("BOUNCE")
        && told("COMPLAINT")
        && account.suppresses == (true, true);
    let alarms = if facts.alarms {
        " Alarms alert our operators at a bounce rate of 3 % and a complaint \
        rate of 0.08 %."
    } else {
        ""
    };
    let names: Vec<&str> = facts.sets.iter().map(|set| set.name.as_str()).collect();
    done.then(|| {
        format!(
            "The configuration sets {} report every bounce and complaint to our application \
             through Amazon EventBridge. The account-level suppression list is enabled for both \
             reasons, so SES sends nothing more to such an address.{alarms}",
            names.join(" and ")
        )
    })
}

fn tested(facts: &Facts) -> Option<String> {
    let test = facts.memory.test.as_ref()?;
    let line = |plays: &str| {
        let mail: &TestMail = test.mails.iter().find(|mail| mail.plays == plays)?;
        let after = mail.written?.saturating_sub(test.at);
        let id = &mail.message_id;
        Some(format!("our application recorded the {plays} (message {id}) after {after} seconds"))
    };
    let (bounce, complaint) = (line("bounce")?, line("complaint")?);
    Some(format!(
        "We tested this with the SES mailbox simulator on {}: {bounce}; {complaint}. Our \
         application sends nothing more to an address after a permanent bounce or a complaint.",
        day(test.at)?
    ))
}

fn pages(facts: &Facts) -> Option<String> {
    let site = facts.website.as_ref()?;
    let (privacy, contact) = (site.privacy.as_ref()?, site.contact.as_ref()?);
    Some(format!("Our privacy policy is at {privacy}, and our contact page is at {contact}."))
}

fn day(seconds: u64) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    at.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).ok()
}

/// A known reason for refusals, and whether it is out of the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The reason.
    pub reason: &'static str,
    /// Points out of 100.
    pub points: u8,
    /// Whether it is out of the way.
    pub met: bool,
    /// The item of the checklist that does so.
    pub item: &'static str,
}

/// The chances of an application, by what is known of refusals. A score, not a promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Out of 100.
    pub points: u8,
    /// Every reason.
    pub findings: Vec<Finding>,
}

/// Who asks for more than this at first is often refused.
const SMALL_PER_DAY: u32 = 1000;

impl Score {
    /// Goes through the known reasons.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let list = Checklist::of(facts);
        let done = |id: &str| {
            let check = list.checks.iter().find(|check| check.item.id == id);
            check.is_some_and(|check| matches!(check.state, State::Done { .. }))
        };
        let site = facts.website.as_ref();
        let reachable = site.is_some_and(|site| site.trouble.is_none());
        let sender = facts.domain.as_ref().map(crate::name::Domain::organisational);
        let same = site.and_then(|site| host(&site.url)).map(|host| host.organisational());
        let test = facts.memory.test.as_ref();
        let proven = test.is_some_and(|test| test.wrote("bounce") && test.wrote("complaint"));
        let small = facts.memory.per_day.is_some_and(|per_day| per_day <= SMALL_PER_DAY);
        let finding = |points, met, item, reason| Finding { reason, points, met, item };
        let findings = vec![
            finding(20, reachable, "website", "the website does not respond over TLS"),
            finding(
                10,
                reachable && same.is_some() && same == sender,
                "website",
                "the website is not on the domain that sends the emails",
            ),
            finding(
                10,
                site.is_some_and(|site| site.privacy.is_some()),
                "website",
                "there is no privacy page",
            ),
            finding(
                5,
                site.is_some_and(|site| site.contact.is_some()),
                "website",
                "there is no contact page",
            ),
            finding(
                15,
                done("identity") && done("dkim"),
                "dkim",
                "the domain is not verified or not signed",
            ),
            finding(5, done("mail_from"), "mail_from", "bounces go to Amazon's own domain"),
            finding(10, done("dmarc"), "dmarc", "there is no DMARC policy"),
            finding(
                5,
                done("suppression"),
                "suppression",
                "the suppression list does not cover bounces and complaints",
            ),
            finding(
                5,
                done("sets") && done("events"),
                "events",
                "bounces and complaints are not reported",
            ),
            finding(10, proven, "simulator", "handling bounces and complaints was not tested"),
            finding(5, small, "letter", "the volume is missing, or high for a start"),
        ];
        let points = findings.iter().filter(|one| one.met).map(|one| one.points).sum();
        Self { points, findings }
    }

    /// The score in words.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self.points {
            100 => "no known reason for a refusal",
            80..100 => "good; complete the missing points first",
            50..80 => "likely to be refused",
            _ => "almost certain to be refused",
        }
    }
}

fn host(url: &str) -> Option<crate::name::Domain> {
    let rest = url.strip_prefix("https://")?;
    let host = rest.split(['/', ':', '?', '#']).next()?;
    crate::name::Domain::parse_host(host).ok()
}

/// What would be sent, exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Letter {
    /// The website.
    pub website: String,
    /// The text.
    pub text: String,
    /// Other recipients of the outcome.
    pub contacts: Vec<String>,
}

/// What a person reads above the draft in the editor; lines like these are not sent.
pub const EDITOR_HEAD: &str = "\
# Amazon receives this text. Edit it until it is accurate and in your own words.
# Lines starting with `#` are not sent. Leave the text empty to send nothing.
";

impl Letter {
    /// Reads what came back from the editor.
    pub fn parse(website: &str, edited: &str, contacts: &[String]) -> Result<Self, String> {
        let lines: Vec<&str> = edited.lines().filter(|line| !line.starts_with('#')).collect();
        let text = lines.join("\n").trim().to_owned();
        let length = text.chars().count();
        if text.is_empty() {
            return Err("the text is empty; nothing was sent".into());
        }
        if length > MOST_CHARACTERS {
            return Err(format!(
                "the text has {length} characters; Amazon takes at most {MOST_CHARACTERS}"
            ));
        }
        if host(website).is_none() {
            return Err(format!("`{website}` is not the https address of a site of yours"));
        }
        let address = |address: &String| {
            let whole = (6..=254).contains(&address.len());
            whole
                && address.split_once('@').is_some_and(|(name, at)| {
                    !name.is_empty() && crate::name::Domain::parse(at).is_ok()
                })
        };
        if contacts.len() > 4 || !contacts.iter().all(address) {
            return Err("Amazon takes up to four contact addresses".into());
        }
        Ok(Self { website: website.to_owned(), text, contacts: contacts.to_vec() })
    }
}

#[cfg(test)]
mod tests;
