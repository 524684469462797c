//! What records in Route 53 add to a plan: those to make as soon as it is known what they say, and
//! those of ours that nothing wants any more.

use super::{Action, Observed, Step, StepId};
use crate::config::{Slot, SlotState};
use crate::model::{Part, Stack};

/// Creates missing records, each group after the step that knows its values. Nothing waits for it.
pub(super) fn present(steps: &mut Vec<Step>, observed: &Observed) {
    let mut made = Vec::new();
    for part in Part::ALL {
        let slots: Vec<&Slot> =
            observed.hosting.slots.iter().filter(|slot| slot.part == part).collect();
        if slots.is_empty() {
            continue;
        }
        let before: Vec<&Step> = steps.iter().filter(|step| tells(part, step.id)).collect();
        // A value that this run does not learn again would not be known at its end, either.
        let moving = before.iter().any(|step| step.action != Action::Keep);
        let new = |slot: &&Slot| match slot.state {
            SlotState::Missing(_) => true,
            SlotState::Later => moving,
            _ => false,
        };
        let action = if slots.iter().any(new) {
            Action::Create
        } else if slots.iter().any(|slot| matches!(slot.state, SlotState::Stale(..))) {
            Action::Update
        } else {
            Action::Keep
        };
        let after = before.iter().map(|step| step.id).collect();
        made.push(Step::new(StepId::Record(part), action, after));
    }
    if observed.hosting.ours.iter().any(|one| !one.wanted) {
        let after = made.iter().map(|step| step.id).collect();
        made.push(Step::new(StepId::Records, Action::Remove, after));
    }
    steps.extend(made);
}

/// Whether a step is one after which it is known what the records of a part say.
fn tells(part: Part, id: StepId) -> bool {
    match part {
        Part::Proofs => matches!(id, StepId::Certificate(_)),
        Part::Mail => id == StepId::Stack(Stack::Mail),
        Part::Addresses => matches!(id, StepId::Stack(Stack::Site(_) | Stack::ApiDomain)),
    }
}

/// On teardown: first of all, so that no name leads to an address that someone else gets next. With
/// `keep` mail stays, and its records with it.
pub(super) fn absent(observed: &Observed, keep: bool) -> Option<Step> {
    let goes = |part: &Part| !keep || *part != Part::Mail;
    let any = observed.hosting.noted.iter().any(goes);
    any.then(|| Step::new(StepId::Records, Action::Remove, Vec::new()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use galaxy_mail::name::Domain;
    use galaxy_mail::records::Purpose;

    use super::*;
    use crate::config::Hosting;
    use crate::model::HostedZone;
    use crate::plan::{Goal, plan};

    fn slot(part: Part, state: SlotState) -> Slot {
        let domain = Domain::parse("docs.example.org").expect("a name");
        let zone = HostedZone { id: "Z1".into(), name: domain.clone(), servers: Vec::new() };
        let (purpose, kinds) = (Purpose::Site, vec!["A"]);
        Slot { part, purpose, domain, name: None, kinds, zone, state, ours: false }
    }

    fn action(part: Part, state: SlotState, step: Action) -> Action {
        let hosting = Hosting { slots: vec![slot(part, state)], ..Hosting::default() };
        let observed = Observed { hosting, ..Observed::default() };
        let mut steps = vec![Step::new(StepId::Stack(Stack::Mail), step, Vec::new())];
        present(&mut steps, &observed);
        assert_eq!(steps.len(), 2);
        steps[1].action.clone()
    }

    #[test]
    fn what_is_not_known_yet_is_made_only_behind_what_tells_it() {
        let of = |state, step| action(Part::Mail, state, step);
        assert_eq!(of(SlotState::Later, Action::Create), Action::Create);
        assert_eq!(
            of(SlotState::Later, Action::Keep),
            Action::Keep,
            "else no run is ever the last"
        );
        assert_eq!(of(SlotState::Missing(Vec::new()), Action::Keep), Action::Create);
        assert_eq!(of(SlotState::Stale(Vec::new(), Vec::new()), Action::Keep), Action::Update);
        assert_eq!(of(SlotState::There, Action::Create), Action::Keep);
    }

    #[test]
    fn records_go_before_what_they_lead_to_and_those_of_mail_stay_with_it() {
        let noted = |part| Hosting { noted: [part].into(), ..Hosting::default() };
        let steps = |goal, part| {
            let observed = Observed { hosting: noted(part), ..Observed::default() };
            plan(goal, &observed, &BTreeMap::new()).steps
        };
        let first = |goal, part| steps(goal, part).first().map(|step| step.id);
        assert_eq!(first(Goal::Absent, Part::Mail), Some(StepId::Records));
        assert_eq!(first(Goal::DataOnly, Part::Addresses), Some(StepId::Records));
        assert!(!steps(Goal::DataOnly, Part::Mail).iter().any(|step| step.id == StepId::Records));
        let all = steps(Goal::Absent, Part::Proofs);
        assert!(
            all[0].after.is_empty() && all.last().is_some_and(|s| s.after.contains(&all[0].id))
        );
    }
}
