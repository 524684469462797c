//! Records in Route 53: shown before anything happens to them, and those that are left afterwards.

use crate::config::{Hosting, OursState, Slot, SlotState};
use crate::event::{Event, Events, Left};
use crate::execute::Job;
use crate::failure::Failure;
use crate::model::Part;
use crate::plan::{Action, Goal, Plan, StepId};
use crate::receipt;

/// Shows each record that a plan creates or removes.
pub(super) fn tell(events: &Events, plan: &Plan, hosting: &Hosting) {
    for step in plan.steps.iter().filter(|step| step.action != Action::Keep) {
        match step.id {
            StepId::Record(part) => {
                let slots = hosting.slots.iter().filter(|slot| slot.part == part && slot.is_open());
                slots.for_each(|slot| events.emit(change(step.id, slot)));
            }
            StepId::Records => {
                let goes = |part| plan.goal == Goal::Absent || part != Part::Mail;
                let leaving = plan.goal != Goal::Present;
                for one in hosting.ours.iter().filter(|one| one.state == OursState::There) {
                    let goes = if leaving { goes(one.part) } else { !one.wanted };
                    let (name, kind) = one.key().split_once(' ').unwrap_or((one.key(), ""));
                    let zone = hosting.zones.iter().find(|kept| kept.zone.id == one.zone);
                    let zone = zone.map_or(one.zone.as_str(), |kept| kept.zone.name.as_str());
                    if goes {
                        events.emit(event(step.id, name.into(), kind.into(), "remove", zone));
                    }
                }
            }
            _ => {}
        }
    }
}

fn change(step: StepId, slot: &Slot) -> Event {
    let action = if matches!(slot.state, SlotState::Stale(..)) { "modify" } else { "add" };
    let (resource, kinds) = match (&slot.name, &slot.state) {
        (Some(name), SlotState::Missing(new) | SlotState::Stale(_, new)) => {
            let kinds: Vec<&str> = new.iter().map(|set| set.kind.as_str()).collect();
            (name.to_string(), kinds.join(" and "))
        }
        (None, _) if slot.kinds == ["CNAME"] => {
            (format!("below {}, as Amazon names it", slot.domain), "CNAME".into())
        }
        _ => (slot.domain.to_string(), slot.kinds.join(" and ")),
    };
    event(step, resource, kinds, action, slot.zone.name.as_str())
}

fn event(step: StepId, resource: String, kind: String, action: &str, zone: &str) -> Event {
    Event::Change {
        step: step.to_string(),
        resource,
        kind,
        action: action.into(),
        why: vec![format!("in the zone {zone}")],
        refused: false,
    }
}

/// Whether a record can be made now that could not when the last plan was made.
pub(super) fn is_further(before: &Hosting, now: &Hosting) -> bool {
    let known = |slot: &Slot| {
        let same = |old: &&Slot| old.purpose == slot.purpose && old.domain == slot.domain;
        before.slots.iter().filter(same).any(|old| old.is_ready() && old.name == slot.name)
    };
    now.slots.iter().any(|slot| slot.is_ready() && !known(slot))
}

/// The records that stay: those that were changed by someone else since we made them.
pub(super) async fn left(job: &Job) -> Result<Vec<Left>, Failure> {
    let mut left = Vec::new();
    let hosting = &job.facts.config.hosting;
    for one in &hosting.ours {
        let Some(sets) = job.world.zones.sets(&one.zone).await? else { continue };
        if sets.iter().any(|set| set.key() == one.key()) {
            left.push(receipt::record(one.key(), &one.zone));
        }
    }
    Ok(left)
}
