//! One more try of a stack operation that failed only because it came too early.

use std::time::Duration;

use super::Job;
use super::watch::Ended;
use crate::causes::Again;
use crate::event::StepState;
use crate::model::Stack;
use crate::plan::StepId;

/// For how long a role or policy counts as new. IAM publishes no limit; a denial later than this
/// is a missing permission.
const NEW: Duration = Duration::from_mins(5);

/// Whether an operation may be tried again. Each may, once.
#[derive(Default)]
pub(super) struct SecondTry {
    used: bool,
}

impl SecondTry {
    /// Whether to try again; waits until that is worth it, and says what for.
    pub(super) async fn granted(&mut self, job: &Job, stack: Stack, ended: &Ended) -> bool {
        let Some((known, again)) = ended.known.and_then(|known| Some((known, known.again()?)))
        else {
            return false;
        };
        let pause = match again {
            Again::After(pause) => pause,
            Again::IfRoleIsNew(pause) if ended.changed_role || role_is_new(job, stack).await => {
                pause
            }
            Again::IfRoleIsNew(_) => return false,
        };
        if std::mem::replace(&mut self.used, true) {
            return false;
        }
        let means = match again {
            Again::After(_) => known.means,
            Again::IfRoleIsNew(_) => {
                "a role or policy changed a moment ago and AWS denies it still"
            }
        };
        let detail = format!("{means}; trying once more in {} s", pause.as_secs());
        job.say(StepId::Stack(stack), StepState::Running, None, Some(detail));
        job.world.clock.sleep(pause).await;
        true
    }
}

/// Whether the role that `CloudFormation` works with, or its policy, has just been changed.
async fn role_is_new(job: &Job, stack: Stack) -> bool {
    if stack == Stack::Bootstrap {
        return false;
    }
    let bootstrap = Stack::Bootstrap;
    let name = bootstrap.name(&job.facts.config.name);
    let seen = job.world.stacks.find(bootstrap.place(), &name).await;
    let changed = seen.ok().flatten().and_then(|seen| seen.changed);
    changed.is_some_and(|at| job.world.clock.now().saturating_sub(at) < NEW.as_secs())
}
