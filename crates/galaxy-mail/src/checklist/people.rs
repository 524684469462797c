//! Items that a person has to do or to answer, and the site that a reviewer at Amazon opens.

use super::{Check, State};
use crate::facts::Facts;
use crate::review::Stage;

/// What has to be done before an application has a chance.
const BEFORE_THE_LETTER: [&str; 7] =
    ["identity", "dkim", "mail_from", "dmarc", "suppression", "simulator", "website"];

/// What only a person knows.
pub(super) fn confirmed(id: &str, facts: &Facts) -> State {
    if facts.memory.confirmed.contains_key(id) {
        return State::with("confirmed by you");
    }
    State::you(format!("look, then `spaceduck mail confirm {id}`"), "a few minutes")
}

pub(super) fn price(facts: &Facts) -> State {
    let plan = facts.account.as_ref().and_then(|account| account.plan.as_ref());
    match (plan, confirmed("price", facts)) {
        (Some(plan), State::Done { .. }) => State::with(format!("confirmed by you; plan {plan}")),
        (_, state) => state,
    }
}

pub(super) fn website(facts: &Facts) -> State {
    let Some(site) = &facts.website else {
        return State::you(
            "name your site under `mail.website` in galaxy.yaml",
            "as long as it takes to have one on your domain",
        );
    };
    if let Some(trouble) = &site.trouble {
        return State::wrong(
            format!("{} {trouble}", site.url),
            "answering over TLS",
            "`spaceduck status` shows the site, `spaceduck mail records` its records",
        );
    }
    for (page, found) in [("privacy", &site.privacy), ("contact", &site.contact)] {
        if found.is_none() {
            return State::wrong(
                format!("{} has no page at /{page}/", site.url),
                format!("a {page} page that says what is true"),
                "write it, and publish it with `spaceduck install`",
            );
        }
    }
    State::with(site.url.clone())
}

pub(super) fn letter(facts: &Facts, stage: Option<&Stage>, before: &[Check]) -> State {
    match stage {
        None => return State::unseen("SES did not answer"),
        Some(Stage::Granted) => return State::with("granted"),
        Some(Stage::Pending) => {
            let usual = "a first answer within 24 hours, longer if there are questions";
            return State::amazon("the application is being read", usual);
        }
        Some(Stage::Denied) => {
            let case = facts.account.as_ref().and_then(|account| account.case.clone());
            let place = match case {
                Some(case) => format!("answer case {case} in the AWS Support Center"),
                None => "answer the case in the AWS Support Center".into(),
            };
            return State::wrong("refused", "granted", place);
        }
        Some(stage) if !stage.may_apply() => {
            return State::after("region", "the account has to be in good standing");
        }
        Some(_) => {}
    }
    let open = BEFORE_THE_LETTER
        .iter()
        .find(|id| before.iter().any(|check| check.item.id == **id && !check.state.is_done()));
    match open {
        Some(item) => State::after(item, "an application without it is usually refused"),
        None => State::you("run `spaceduck mail apply`", "a quarter of an hour"),
    }
}
