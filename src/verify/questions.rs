//! What emulators can't answer, each with what this account showed.

use super::{Seen, Stack};
use crate::drift::{Finding, State};
use crate::ports::Lapse;

/// What an account answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// It did not come up here.
    Unknown,
}

impl Answer {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// A question with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its name.
    pub id: &'static str,
    /// The question.
    pub question: &'static str,
    /// The answer.
    pub answer: Answer,
    /// What says so.
    pub evidence: String,
}

/// How a question is answered.
enum How {
    /// Resources with these logical ids were created, or could not be.
    Created(&'static [&'static str]),
    /// Resources with these logical ids were updated, or could not be.
    Updated(&'static [&'static str]),
    /// Resources with these logical ids show no drift.
    InSync(&'static [&'static str]),
    /// In its own way.
    Own(fn(Option<&[Finding]>, &Seen) -> (Answer, String)),
}

const QUESTIONS: &[(&str, &str, How)] = &[
    (
        "api-tags",
        "May CloudFormation's role create the API's stage with the tags of its stack?",
        How::Created(&["HttpApi", "Prod"]),
    ),
    (
        "log-deliveries",
        "Are the role's rights on log deliveries enough for stages and distributions?",
        How::Created(&["Prod", "LogDelivery"]),
    ),
    (
        "role-conditions",
        "Does CloudFormation send the keys that the role's trust policy demands?",
        How::Own(trusted),
    ),
    ("role-propagation", "Did a new role work in every stack at once?", How::Own(propagated)),
    ("drift-checked", "Can every resource be compared with its template?", How::Own(all_compared)),
    ("drift-stage", "Is an untouched stage of the API in sync?", How::InSync(&["Prod"])),
    ("drift-distributions", "Are untouched distributions in sync?", How::InSync(&["Distribution"])),
    ("drift-user-pool", "Is an untouched user pool in sync?", How::InSync(&["UserPool"])),
    (
        "drift-log-destination",
        "Is an untouched log destination in sync?",
        How::InSync(&["LogDestination"]),
    ),
    (
        "drift-configuration-sets",
        "Can the role read everything that drift compares of configuration sets?",
        How::InSync(&["TransactionalConfigSet", "NewsletterConfigSet"]),
    ),
    ("codes-through-ses", "Did the user pool take its codes to SES?", How::Updated(&["UserPool"])),
    (
        "invoke-config",
        "Was the function's event configuration accepted while its role was new?",
        How::Created(&["MailEventsRetries"]),
    ),
    (
        "import-status",
        "Does a creation that takes up existing tables end as CREATE_COMPLETE?",
        How::Own(imported),
    ),
    (
        "domain-p256",
        "Does the API's own domain take a P-256 certificate, and its tags?",
        How::Created(&["Domain", "Mapping"]),
    ),
];

pub(super) fn answers(drift: Option<&Vec<Finding>>, seen: &Seen) -> Vec<Answered> {
    let drift = drift.map(Vec::as_slice);
    let one = |(id, question, how): &(&'static str, &'static str, How)| {
        let (answer, evidence) = match how {
            How::Created(ids) => happened(seen, ids, "CREATE"),
            How::Updated(ids) => happened(seen, ids, "UPDATE"),
            How::InSync(ids) => in_sync(drift, seen, ids),
            How::Own(look) => look(drift, seen),
        };
        Answered { id, question, answer, evidence }
    };
    QUESTIONS.iter().map(one).collect()
}

fn unknown(why: &str) -> (Answer, String) {
    (Answer::Unknown, why.to_owned())
}

fn lapses(seen: &Seen) -> impl Iterator<Item = (Stack, &Lapse)> {
    seen.histories.iter().flat_map(|(stack, history)| history.iter().map(|one| (*stack, one)))
}

fn happened(seen: &Seen, ids: &[&str], verb: &str) -> (Answer, String) {
    let of = |ending: &str| -> Vec<(Stack, &Lapse)> {
        let status = format!("{verb}_{ending}");
        lapses(seen)
            .filter(|(_, one)| ids.contains(&one.resource.as_str()) && one.status == status)
            .collect()
    };
    if let Some((stack, failed)) = of("FAILED").last() {
        let reason = failed.reason.as_deref().unwrap_or("no reason given");
        return (Answer::No, format!("{stack}.{}: {} {reason}", failed.resource, failed.status));
    }
    let done = of("COMPLETE");
    if done.is_empty() {
        return unknown("no such event in this account");
    }
    let mut names: Vec<String> =
        done.iter().map(|(stack, one)| format!("{stack}.{}", one.resource)).collect();
    names.sort();
    names.dedup();
    (Answer::Yes, format!("{verb}_COMPLETE: {}", names.join(", ")))
}

fn in_sync(drift: Option<&[Finding]>, seen: &Seen, ids: &[&str]) -> (Answer, String) {
    let Some(found) = drift else { return unknown("there was no comparison") };
    let made: Vec<String> = lapses(seen)
        .filter(|(stack, one)| {
            seen.stacks.contains_key(stack) && ids.contains(&one.resource.as_str())
        })
        .map(|(stack, one)| format!("{stack}.{}", one.resource))
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    if made.is_empty() {
        return unknown("there is no such resource");
    }
    let open = |one: &&Finding| made.contains(&one.item()) && one.state() == State::Unchecked;
    if let Some(one) = found.iter().find(open) {
        return (Answer::Unknown, format!("{}: {}", one.item(), one.detail));
    }
    match found.iter().find(|one| made.contains(&one.item())) {
        Some(one) => (Answer::No, format!("{}: {}", one.item(), one.detail)),
        None => (Answer::Yes, format!("in sync: {}", made.join(", "))),
    }
}

fn all_compared(drift: Option<&[Finding]>, _: &Seen) -> (Answer, String) {
    let Some(found) = drift else { return unknown("there was no comparison") };
    let unchecked = |one: &&Finding| one.state() == State::Unchecked;
    let open: Vec<String> = found.iter().filter(unchecked).map(Finding::item).collect();
    if open.is_empty() {
        return (Answer::Yes, "nothing was left unchecked".into());
    }
    (Answer::No, format!("{} unchecked: {}", open.len(), open.join(", ")))
}

/// Whether stacks came to be under a role whose trust policy demands keys of the request.
fn trusted(_: Option<&[Finding]>, seen: &Seen) -> (Answer, String) {
    let Some(trust) = &seen.trust else { return unknown("the role can't be read") };
    let conditions = ["aws:SourceArn", "aws:SourceAccount"];
    if !conditions.iter().any(|key| trust.contains(key)) {
        return unknown("the trust policy demands no keys");
    }
    if trust.contains("IfExists") {
        return unknown("the trust policy demands the keys only if they are sent");
    }
    let others = seen.stacks.keys().filter(|stack| **stack != Stack::Bootstrap).count();
    if others == 0 {
        return unknown("the role has made no stack yet");
    }
    (Answer::Yes, format!("it demands them, and {others} stacks exist"))
}

/// How soon after its creation the role was used, and whether a refusal followed.
fn propagated(_: Option<&[Finding]>, seen: &Seen) -> (Answer, String) {
    let made = lapses(seen).find(|(stack, one)| {
        *stack == Stack::Bootstrap
            && one.kind == "AWS::IAM::Role"
            && one.status == "CREATE_COMPLETE"
    });
    let used = lapses(seen)
        .filter(|(stack, one)| *stack != Stack::Bootstrap && one.status == "CREATE_IN_PROGRESS")
        .map(|(_, one)| one.at)
        .min();
    let (Some((_, made)), Some(used)) = (made, used) else {
        return unknown("the events of the first installation are gone");
    };
    let refused = lapses(seen).find(|(stack, one)| {
        let reason = one.reason.as_deref().unwrap_or_default();
        let says = ["AccessDenied", "not authorized", "cannot be assumed"];
        *stack != Stack::Bootstrap
            && one.status == "CREATE_FAILED"
            && one.at < made.at + 300
            && says.iter().any(|words| reason.contains(words))
    });
    let after = used.saturating_sub(made.at);
    match refused {
        None => (Answer::Yes, format!("it was used {after} s after it was made")),
        Some((stack, one)) => {
            let soon = one.at.saturating_sub(made.at);
            (Answer::No, format!("{stack}.{} was refused {soon} s after it was made", one.resource))
        }
    }
}

fn imported(_: Option<&[Finding]>, seen: &Seen) -> (Answer, String) {
    let Some((stack, _)) = lapses(seen).find(|(_, one)| one.status == "IMPORT_COMPLETE") else {
        return unknown("nothing was taken up in this account");
    };
    let own = lapses(seen)
        .filter(|(of, one)| *of == stack && one.kind == "AWS::CloudFormation::Stack")
        .find(|(_, one)| one.status.ends_with("_COMPLETE"));
    match own {
        Some((_, one)) if one.status == "CREATE_COMPLETE" => {
            (Answer::Yes, format!("{stack} ended as CREATE_COMPLETE"))
        }
        Some((_, one)) => (Answer::No, format!("{stack} ended as {}", one.status)),
        None => unknown("the stack's own events are gone"),
    }
}

/// Every logical id that a question names.
#[cfg(test)]
pub(super) fn ids() -> Vec<&'static str> {
    let of = |how: &How| match how {
        How::Created(ids) | How::Updated(ids) | How::InSync(ids) => *ids,
        How::Own(_) => &[],
    };
    QUESTIONS.iter().flat_map(|(_, _, how)| of(how).iter().copied()).collect()
}
