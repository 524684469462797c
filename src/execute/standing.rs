//! What exists after a failure, read from the account itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Job;
use crate::failure::Kind;
use crate::model::{Stack, StackStatus};

/// One sentence about every stack. Where even looking fails, what this run has seen.
pub async fn standing(job: &Arc<Job>) -> String {
    let mut by_state = BTreeMap::<String, Vec<String>>::new();
    let mut unseen = false;
    for stack in Stack::all() {
        let name = stack.name(&job.facts.config.name);
        let state = match job.world.stacks.find(stack.place(), &name).await {
            Ok(Some(seen)) if seen.status == StackStatus::Ready => "ready".to_owned(),
            Ok(Some(seen)) if seen.status != StackStatus::Gone => format!("in {}", seen.code),
            Ok(_) => continue,
            Err(failure) => {
                unseen = true;
                if failure.kind == Kind::Access {
                    break;
                }
                continue;
            }
        };
        by_state.entry(state).or_default().push(stack.key());
    }
    let told = |(state, stacks): (&String, &Vec<String>)| format!("{state}: {}", stacks.join(", "));
    let mut words: Vec<String> = by_state.iter().map(told).collect();
    if unseen {
        let known: Vec<String> = job.known_stacks().into_iter().map(Stack::key).collect();
        words = vec![format!("AWS does not answer; when it last did, ready: {}", known.join(", "))];
    }
    if words.is_empty() { "no stack of this galaxy".into() } else { words.join("; ") }
}
