//! How long a plan and its steps take: estimates, and the longest chain of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Action, Plan, StepId};
use crate::event::Times;
use crate::model::Stack;
use crate::pace::{self, PROPAGATION, Verb};
use crate::render::Rendered;

impl Plan {
    /// How long it will take; nothing where there is nothing to do.
    #[must_use]
    pub fn times(&self) -> Option<Times> {
        if self.is_empty() {
            return None;
        }
        let mut ends: BTreeMap<StepId, Duration> = BTreeMap::new();
        for step in &self.steps {
            let begin = step.after.iter().filter_map(|id| ends.get(id)).max().copied();
            ends.insert(step.id, begin.unwrap_or_default() + step.time);
        }
        let all = ends.values().max().copied().unwrap_or_default();
        let usable = ends.get(&StepId::Probe).copied().unwrap_or(all);
        let one_by_one: Duration = self.steps.iter().map(|step| step.time).sum();
        let one_stack = self.as_one_stack();
        let [usable, all, one_stack, one_by_one] =
            [usable, all, one_stack, one_by_one].map(|time| time.as_secs());
        Some(Times { usable, all, one_stack, one_by_one })
    }

    /// How long it would take if all that is not the bootstrap stack were one ordinary stack, if
    /// one could span two Regions. Its resources wait for each other only where they do so here;
    /// but what needs one of its parts waits for all of it, and it is not done before every edge
    /// location has its distributions, nor rolled out express.
    fn as_one_stack(&self) -> Duration {
        let is_part = |id: &StepId| matches!(id, StepId::Stack(s) if *s != Stack::Bootstrap);
        let mut ends: BTreeMap<StepId, Duration> = BTreeMap::new();
        let mut whole = Duration::ZERO;
        // First its parts alone, then everything once more, now that its end is known.
        for _ in 0..2 {
            for step in &self.steps {
                let end = |id: &StepId| ends.get(id).copied().unwrap_or_default();
                let needs_all = |id: &StepId| is_part(id) && !is_part(&step.id);
                let begin = step.after.iter().map(|id| if needs_all(id) { whole } else { end(id) });
                let time = match (step.id, &step.action) {
                    (StepId::Stack(Stack::Site(_)), Action::Create) => step.time + PROPAGATION,
                    // It was waited for already.
                    (StepId::Edge(_), _) => Duration::ZERO,
                    _ => step.time,
                };
                let end = begin.max().unwrap_or_default() + time;
                ends.insert(step.id, end);
            }
            let parts = ends.iter().filter(|(id, _)| is_part(id));
            whole = parts.map(|(_, end)| *end).max().unwrap_or_default();
        }
        ends.into_values().max().unwrap_or_default()
    }
}

/// How long a stack will take.
pub(super) fn stack_time(action: &Action, rendered: &Rendered) -> Duration {
    let takes = |verb| pace::stack(&rendered.resources, verb);
    match action {
        Action::Keep | Action::Check => Duration::ZERO,
        Action::Create | Action::Import(_) | Action::Attach(_) => takes(Verb::Create),
        Action::Update => takes(Verb::Update),
        Action::Recover(_) => takes(Verb::Update) * 2,
        Action::Recreate(_) => takes(Verb::Delete) + takes(Verb::Create),
        Action::Remove => takes(Verb::Delete),
    }
}

/// What is left of a distribution's way to the edge when its site is published.
pub(super) fn propagation(rendered: &Rendered, publishing: Duration) -> Duration {
    let slots = pace::timeline(&rendered.resources, Verb::Create);
    let begin = slots.iter().find(|slot| slot.kind == "AWS::CloudFront::Distribution");
    let begin = begin.map(|slot| slot.begin).unwrap_or_default();
    let past = pace::stack(&rendered.resources, Verb::Create).saturating_sub(begin);
    PROPAGATION.saturating_sub(past + publishing).max(publishing)
}
