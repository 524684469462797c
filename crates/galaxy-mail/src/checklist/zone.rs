//! Items that the DNS decides.

use super::State;
use crate::facts::{Facts, Identity, Looked, Progress};
use crate::judge;
use crate::records::Purpose;

const DNS_TIME: &str = "minutes after the record is set, rarely up to 72 hours";

/// The identity of the mail domain; without a domain, the state that its items have until then.
fn identified(facts: &Facts) -> Result<&Identity, State> {
    if facts.domain.is_none() {
        return Err(State::you(
            "set `mail.domain` in galaxy.yaml, when you have a domain",
            "as long as you like: codes leave through Cognito's own sender",
        ));
    }
    facts.identity.as_ref().ok_or_else(|| State::you("run `spaceduck install`", "a few minutes"))
}

/// The same for what comes after it.
fn known(facts: &Facts) -> Result<&Identity, State> {
    identified(facts).map_err(|_| State::after("identity", "it begins with the mail domain"))
}

pub(super) fn identity(facts: &Facts) -> State {
    let identity = match identified(facts) {
        Ok(identity) => identity,
        Err(state) => return state,
    };
    if !identity.whole_domain {
        return State::wrong(
            "a single address is verified",
            "the whole domain",
            "write the domain, without anything before it, under `mail.domain` in galaxy.yaml",
        );
    }
    match &identity.verified {
        Progress::Success => State::done(),
        Progress::Failed => State::wrong(
            format!("Amazon gave up looking{}", looked(identity)),
            "verified",
            "mend the DKIM records, then `spaceduck install` asks Amazon for new ones",
        ),
        Progress::Lost => State::wrong(
            format!("Amazon does not find the records any more{}", looked(identity)),
            "found",
            "set the records that `spaceduck mail records` shows, and keep them",
        ),
        Progress::Other(word) => State::unseen(format!("Amazon says `{word}`")),
        Progress::NotStarted | Progress::Pending => {
            State::after("dkim", "the DKIM records verify the domain, too")
        }
    }
}

/// What Amazon's last look ended with.
fn looked(identity: &Identity) -> String {
    let asked = identity.asked.as_ref().map(|server| format!(" at {server}"));
    let asked = asked.unwrap_or_default();
    identity.error.as_ref().map_or(asked.clone(), |error| format!(" ({error}{asked})"))
}

pub(super) fn dkim(facts: &Facts) -> State {
    let identity = match known(facts) {
        Ok(identity) => identity,
        Err(state) => return state,
    };
    if let Some(state) = records(facts, &[Purpose::Dkim]) {
        return state;
    }
    match &identity.dkim {
        Progress::Success if identity.bits == Some(1024) => State::wrong(
            "a key of 1024 bits",
            "2048 bits",
            "the domain's Authentication tab in the SES console: Easy DKIM, RSA_2048_BIT",
        ),
        Progress::Success => State::done(),
        Progress::Failed => State::wrong(
            format!("Amazon gave up looking{}", looked(identity)),
            "found",
            "the domain's Authentication tab in the SES console: publish DKIM again, then set the \
             new records",
        ),
        Progress::Lost => State::wrong(
            format!("Amazon does not find the records any more{}", looked(identity)),
            "found",
            "set the records that `spaceduck mail records` shows, and keep them",
        ),
        Progress::Other(word) => State::unseen(format!("Amazon says `{word}`")),
        Progress::NotStarted | Progress::Pending => {
            State::amazon("the records are there; Amazon has to see them", DNS_TIME)
        }
    }
}

pub(super) fn mail_from(facts: &Facts) -> State {
    let identity = match known(facts) {
        Ok(identity) => identity,
        Err(state) => return state,
    };
    if let Some(state) = records(facts, &[Purpose::MailFrom, Purpose::Spf]) {
        return state;
    }
    match &identity.mail_from {
        None => State::wrong(
            "no MAIL FROM domain is set",
            "one below the mail domain",
            "run `spaceduck install`, or where the domain was there before, its Authentication tab \
             in the SES console",
        ),
        Some((_, Progress::Success)) => State::done(),
        Some((domain, Progress::Failed)) => State::wrong(
            format!("Amazon gave up looking for {domain}"),
            "found",
            "the domain's Authentication tab in the SES console: set the same MAIL FROM domain \
             again",
        ),
        Some((_, Progress::Other(word))) => State::unseen(format!("Amazon says `{word}`")),
        Some(_) => State::amazon("the records are there; Amazon has to see them", DNS_TIME),
    }
}

pub(super) fn dmarc(facts: &Facts) -> State {
    if let Err(state) = known(facts) {
        return state;
    }
    records(facts, &[Purpose::Dmarc]).unwrap_or_else(State::done)
}

/// The first fault in records of these kinds, else the first missing record.
fn records(facts: &Facts, purposes: &[Purpose]) -> Option<State> {
    let all: Vec<&Looked> =
        facts.records.iter().filter(|record| purposes.contains(&record.wanted.purpose)).collect();
    if all.is_empty() {
        return Some(State::amazon("the records' values come with the domain", "a few minutes"));
    }
    let wrong = all.iter().find_map(|record| match &record.state {
        judge::State::Wrong(mistake) => Some(State::wrong(
            format!("{} {mistake}", record.wanted.name),
            mistake.should(&record.wanted),
            mistake.cure(&record.wanted, record.zone.as_str()),
        )),
        _ => None,
    });
    let unseen = all.iter().find_map(|record| match &record.state {
        judge::State::Unseen(trouble) => Some(State::unseen(trouble.to_string())),
        _ => None,
    });
    let missing: Vec<String> = all
        .iter()
        .filter(|record| record.state == judge::State::Missing)
        .map(|record| format!("{} {}", record.wanted.data.kind(), record.wanted.name))
        .collect();
    wrong.or(unseen).or_else(|| {
        let what = || format!("set {}; `spaceduck mail records` shows how", missing.join(", "));
        (!missing.is_empty()).then(|| State::you(what(), DNS_TIME))
    })
}
