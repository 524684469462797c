//! What Amazon thinks of the account's mail, and, where a domain sends it, identity, DKIM and the
//! records in its zone.

use std::collections::BTreeMap;

use galaxy_mail::checklist::{Checklist, State};
use galaxy_mail::facts::Enforcement;

use super::{Finding, Subject, finding, kinds};
use crate::execute::Job;
use crate::failure::{Failure, Kind};
use crate::mail::Desk;
use crate::model::{Stack, StackSeen};

/// Looks; what only a person can tell is no finding.
pub(super) async fn find(
    job: &Job,
    stacks: &BTreeMap<Stack, StackSeen>,
    release: &str,
) -> Result<Vec<Finding>, Failure> {
    let account = match job.world.mail.account().await {
        Ok(account) => account,
        // Not every Region has SES, and not everybody who looks for drift may ask it.
        Err(failure) if matches!(failure.kind, Kind::Access | Kind::Settled) => {
            return Ok(vec![finding(kinds::MAIL_UNKNOWN, Subject::Mail, failure.message())]);
        }
        Err(failure) => return Err(failure),
    };
    let mut found = Vec::new();
    if !account.sending || account.enforcement == Enforcement::Shutdown {
        let detail = "Amazon has stopped this account's mail; `spaceduck mail` says what to do";
        found.push(finding(kinds::MAIL_STOPPED, Subject::Mail, detail));
    }
    let config = &job.facts.config;
    if config.mail.domain.is_none() {
        return Ok(found);
    }
    let api = stacks.get(&Stack::Api);
    let desk = Desk {
        world: &job.world,
        config,
        region: &job.home,
        release: Some(release.to_owned()),
        installed: stacks.contains_key(&Stack::Mail),
        listens: api.is_some_and(|api| api.outputs.contains_key("MailEventsRuleName")),
    };
    for check in Checklist::of(&desk.facts().await?).checks {
        if let State::Wrong { is, should, place } = check.state {
            let detail = format!("it is {is}, should be {should}: {place}");
            let subject = Subject::MailItem(check.item.id.to_owned());
            found.push(finding(kinds::MAIL_ITEM, subject, detail));
        }
    }
    Ok(found)
}
