//! From findings to the plan that puts things back.

use std::collections::BTreeSet;

use super::kinds::{self, REPAIR};
use super::{Finding, State, Subject};
use crate::model::Stack;
use crate::plan::{Action, Goal, Plan, Step, StepId};
use crate::ports::Extra;

/// The plan that puts back what was found, or, with items named, only those. What is kept, what
/// could not be checked and what another command mends is left out.
#[must_use]
pub fn repair(found: &[Finding], items: &[String]) -> Plan {
    let mut wanted = BTreeSet::new();
    for finding in found.iter().filter(|finding| is_wanted(finding, items)) {
        wanted.extend(steps_for(finding));
    }
    // Pages are put back from the record, and a damaged one is made whole from the pages: the
    // record comes first, and the pages are for the next plan, which reads it again.
    let of_record =
        |one: &Finding| matches!(one.subject, Subject::Artifact(_) | Subject::ArtifactBucket);
    if found.iter().any(|one| of_record(one) && is_wanted(one, items)) {
        wanted.retain(|id| !matches!(id, StepId::Publish(_)));
    }
    let step = |id: StepId| {
        // Contents of a stack wait for that stack.
        let after = match id {
            StepId::Publish(site) => vec![StepId::Stack(Stack::Site(site))],
            StepId::Alias => vec![StepId::Stack(Stack::Api)],
            StepId::Release => vec![StepId::Stack(Stack::Bootstrap)],
            StepId::Shield => vec![StepId::Stack(Stack::ApiShield)],
            StepId::ShieldOnly => vec![StepId::Shield],
            _ => Vec::new(),
        };
        let after = after.into_iter().filter(|id| wanted.contains(id)).collect();
        Step::new(id, Action::Update, after)
    };
    let steps = wanted.iter().map(|id| step(*id)).collect();
    Plan { goal: Goal::Repair, steps, refused: Vec::new() }
}

/// Whether a finding counts as drift and is among the items; without items all are.
#[must_use]
pub fn is_wanted(finding: &Finding, items: &[String]) -> bool {
    let named = items.is_empty() || items.iter().any(|item| finding.subject.is_named(item));
    finding.is_drift() && named
}

fn steps_for(finding: &Finding) -> Vec<StepId> {
    if finding.kind.mends != REPAIR {
        return Vec::new();
    }
    match &finding.subject {
        // Its stack gets another secret with every change.
        Subject::Resource { stack: stack @ Stack::ApiShield, .. }
        | Subject::Stack(stack @ Stack::ApiShield) => {
            vec![StepId::Stack(*stack), StepId::Shield, StepId::ShieldOnly]
        }
        Subject::Resource { stack, .. } | Subject::Stack(stack) => vec![StepId::Stack(*stack)],
        Subject::Function if finding.state() == State::Missing => {
            vec![StepId::Stack(Stack::Api), StepId::Alias]
        }
        Subject::Function => vec![StepId::Alias],
        Subject::SiteBucket(site) => {
            vec![StepId::Stack(Stack::Site(*site)), StepId::Publish(*site)]
        }
        Subject::Page { site, .. } => vec![StepId::Publish(*site)],
        Subject::ArtifactBucket => vec![StepId::Stack(Stack::Bootstrap), StepId::Release],
        Subject::Artifact(_) | Subject::Hostnames(_) => vec![StepId::Release],
        Subject::ZoneRecord { part, .. } => vec![StepId::Record(*part)],
        Subject::TurnstileSecret(_)
        | Subject::Extra { .. }
        | Subject::Stray(_)
        | Subject::Domain(_)
        | Subject::DomainRecord(_)
        | Subject::Mail
        | Subject::MailItem(_)
        | Subject::Look(_) => Vec::new(),
    }
}

/// Additions outside the templates that will be removed.
#[must_use]
pub fn extras<'f>(found: &'f [Finding], items: &[String]) -> Vec<(&'f Finding, &'f Extra)> {
    let extra = |finding: &'f Finding| match &finding.subject {
        Subject::Extra { extra, .. } => Some((finding, extra)),
        _ => None,
    };
    found.iter().filter(|finding| is_wanted(finding, items)).filter_map(extra).collect()
}

/// Whether `install` is what mends a finding.
#[must_use]
pub fn needs_install(finding: &Finding) -> bool {
    finding.is_drift() && finding.kind.mends == kinds::INSTALL
}

#[cfg(test)]
mod tests {
    use galaxy_sites::Site;

    use super::*;
    use crate::drift::finding;
    use crate::model::Part;

    #[test]
    fn a_finding_has_the_step_that_mends_it() {
        let resource = |stack, id: &str| Subject::Resource { stack, id: id.to_owned() };
        let site = Site::DuckGalaxy;
        let page = Subject::Page { site, path: "index.html".to_owned() };
        let record = |part, key: &str| Subject::ZoneRecord { part, key: key.to_owned() };
        let found = [
            finding(kinds::RESOURCE_CHANGED, resource(Stack::Api, "HatchRoute"), ""),
            finding(kinds::RESOURCE_UNKNOWN, resource(Stack::Data, "EggsTable"), ""),
            finding(kinds::PAGE_GONE, page, ""),
            finding(kinds::FUNCTION_CHANGED, Subject::Function, ""),
            finding(kinds::RESOURCE_CHANGED, resource(Stack::Site(site), "Oac"), ""),
            finding(kinds::ZONE_RECORD_GONE, record(Part::Proofs, "_x.example.org/CNAME"), ""),
            finding(kinds::ZONE_RECORD_CHANGED, record(Part::Mail, "_dmarc.example.org/TXT"), ""),
        ];
        let ids = |items: &[&str]| -> Vec<StepId> {
            let items: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
            repair(&found, &items).steps.iter().map(|step| step.id).collect()
        };
        let api = StepId::Stack(Stack::Api);
        let (front, pages) = (StepId::Stack(Stack::Site(site)), StepId::Publish(site));
        let proofs = StepId::Record(Part::Proofs);
        assert_eq!(ids(&[]), [api, front, pages, StepId::Alias, proofs]);
        assert_eq!(ids(&["records"]), [proofs], "a record that somebody changed is theirs");
        assert_eq!(ids(&["api.HatchRoute"]), [api]);
        assert_eq!(ids(&["duckgalaxy"]), [pages]);
        assert_eq!(ids(&["data.EggsTable"]), []);
        let key = Subject::Artifact("packs/0a1b".to_owned());
        let damaged = finding(kinds::RECORD_CHANGED, key, "");
        let both: Vec<Finding> = found.iter().cloned().chain([damaged]).collect();
        let first = repair(&both, &[]).steps;
        assert!(first.iter().any(|step| step.id == StepId::Release));
        assert!(!first.iter().any(|step| step.id == pages), "the record first, then the pages");
        let waits = repair(&found, &[]).steps.into_iter().find(|step| step.id == pages);
        assert_eq!(waits.map(|step| step.after), Some(vec![front]));
    }
}
