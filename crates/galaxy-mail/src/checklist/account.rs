//! Items read from the account: what SES reports, and what has been set up in it.

use super::State;
use crate::facts::{Account, Facts, Set};
use crate::review::Stage;

/// How long the simulator's answers usually take.
const SIMULATOR_SECONDS: u64 = 300;

fn account(facts: &Facts) -> Result<&Account, State> {
    facts.account.as_ref().ok_or_else(|| State::unseen("SES did not answer"))
}

pub(super) fn region(facts: &Facts, stage: Option<&Stage>) -> State {
    let region = &facts.region;
    let case = match facts.account.as_ref().and_then(|account| account.case.as_ref()) {
        Some(case) => format!("answer case {case} in the AWS Support Center"),
        None => "the AWS Support Center, or the mail to the account's root address".to_owned(),
    };
    match stage {
        None => State::unseen("SES did not answer"),
        Some(Stage::Shutdown) => {
            State::wrong(format!("stopped by Amazon in {region}"), "allowed to send", case)
        }
        Some(Stage::Probation) => {
            State::wrong(format!("watched by Amazon in {region}"), "in good standing", case)
        }
        Some(Stage::Paused) => State::wrong(
            format!("switched off in {region}"),
            "switched on",
            "Account dashboard in the SES console, once the reason is known",
        ),
        Some(_) => State::with(format!("in {region}")),
    }
}

pub(super) fn suppression(facts: &Facts) -> State {
    let account = match account(facts) {
        Ok(account) => account,
        Err(state) => return state,
    };
    let is = match account.suppresses {
        (true, true) => return State::done(),
        (true, false) => "bounces only",
        (false, true) => "complaints only",
        (false, false) => "neither",
    };
    let place = "Suppression list in the SES console, account-level settings";
    State::wrong(is, "bounces and complaints", place)
}

fn missing(sets: &[Set]) -> Option<State> {
    let gone = |set: &&Set| set.found.is_none();
    let set = sets.iter().find(gone)?;
    let is = format!("the configuration set `{}` is not there", set.name);
    Some(State::wrong(is, "there", "run `spaceduck install`, which makes it"))
}

pub(super) fn sets(facts: &Facts) -> State {
    if let Some(state) = missing(&facts.sets) {
        return state;
    }
    let open = |set: &&Set| set.found.as_ref().is_some_and(|found| !found.tls);
    match facts.sets.iter().find(open) {
        _ if facts.sets.is_empty() => State::you("run `spaceduck install`", "a few minutes"),
        Some(set) => State::wrong(
            format!("`{}` sends without TLS where the other side has none", set.name),
            "TLS required",
            "run `spaceduck repair`, which sets it again",
        ),
        None => State::done(),
    }
}

pub(super) fn events(facts: &Facts) -> State {
    if facts.sets.is_empty() || missing(&facts.sets).is_some() {
        return State::after("sets", "the configuration sets have to be there");
    }
    for set in &facts.sets {
        let told = set.found.as_ref().map(|found| found.events.as_slice()).unwrap_or_default();
        for event in ["BOUNCE", "COMPLAINT"] {
            if !told.iter().any(|told| told == event) {
                return State::wrong(
                    format!("`{}` does not report a {}", set.name, event.to_lowercase()),
                    "bounces and complaints told to the event bus",
                    "run `spaceduck repair`, which sets it again",
                );
            }
        }
    }
    State::done()
}

pub(super) fn simulator(facts: &Facts) -> State {
    if facts.domain.is_none() {
        return State::after("identity", "it needs a sender");
    }
    let Some(test) = &facts.memory.test else {
        return State::you("run `spaceduck mail test`", "about a minute");
    };
    let all = ["success", "bounce", "complaint"];
    if let Some(plays) = all.into_iter().find(|plays| !test.took(plays)) {
        return State::wrong(
            format!("SES did not take the {plays}"),
            "all three taken",
            "run `spaceduck mail test` again; it says why",
        );
    }
    if facts.memory.is_tested_too_early() {
        let what = "run `spaceduck mail test` once more: the last one was in the sandbox";
        return State::you(what, "about a minute");
    }
    if !facts.listens {
        return State::with("SES took all three; this release does not write down what comes back");
    }
    let open: Vec<&str> =
        ["bounce", "complaint"].into_iter().filter(|plays| !test.wrote(plays)).collect();
    if open.is_empty() {
        return State::with("a bounce and a complaint were written down by the API");
    }
    let what = open.join(" and ");
    if facts.now.saturating_sub(test.at) < SIMULATOR_SECONDS {
        return State::amazon(what, "less than a minute");
    }
    State::wrong(
        format!("{what} was played and never reached the API"),
        "written down by the API",
        "`spaceduck drift` finds a rule or a permission that is gone; then `spaceduck mail test`",
    )
}

/// What the release does by itself, and is tested to do.
pub(super) fn release(facts: &Facts) -> State {
    match &facts.release {
        Some(release) => State::with(format!("release {release} is tested to do so")),
        None => State::you("run `spaceduck install`", "a few minutes"),
    }
}

pub(super) fn insights(facts: &Facts) -> State {
    match account(facts) {
        Ok(account) if account.insights => State::with("on; see its price in the SES console"),
        Ok(_) => State::with("off, which costs nothing"),
        Err(state) => state,
    }
}

pub(super) fn warm_up(facts: &Facts, stage: Option<&Stage>) -> State {
    if !facts.alarms {
        return State::you("run `spaceduck install`, which sets the alarms", "a few minutes");
    }
    match (stage, &facts.account) {
        (Some(Stage::Granted), Some(account)) => {
            let limit = if account.per_day < 0.0 {
                "without a daily limit".to_owned()
            } else {
                format!("of {} a day", account.per_day)
            };
            State::with(format!("alarms are set; {} mails sent in 24 hours, {limit}", account.sent))
        }
        _ => State::after("letter", "begins when mails may go to everybody"),
    }
}
