//! The end of a run in which some steps have to wait for AWS, and all others are done.

use std::collections::BTreeSet;

use super::{Broken, Job, probe};
use crate::failure::{Failure, Kind};
use crate::model::Stack;
use crate::plan::StepId;

/// The message for such a run. The API, which needs none of what waits, has to answer.
pub(super) async fn end(
    job: &Job,
    mut held: Vec<(StepId, Failure)>,
    done: &BTreeSet<StepId>,
) -> Broken {
    held.sort_by_key(|(id, _)| *id);
    let steps: Vec<String> = held.iter().map(|(id, _)| id.to_string()).collect();
    let step = held.first().map(|(id, _)| *id);
    let api = StepId::Stack(Stack::Api);
    let mut answers = String::new();
    if done.contains(&api) {
        match probe::api_alone(job).await {
            Ok(url) => answers = format!("; the API answers at {url}"),
            Err(failure) => return Broken { step: Some(StepId::Probe), failure },
        }
    }
    let message = format!(
        "AWS has to verify this account first: {} must wait; everything else is done{answers}",
        steps.join(", ")
    );
    let mut failure = Failure::new(Kind::Waiting, message)
        .help("run the same command again when AWS has verified the account");
    if let Some((_, first)) = held.into_iter().next() {
        if let Some(cure) = first.mistakes.last().and_then(|mistake| mistake.help.clone()) {
            failure = failure.help(cure);
        }
        failure.cause = first.cause;
    }
    Broken { step, failure }
}
