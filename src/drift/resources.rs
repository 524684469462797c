//! The resources of the stacks, as `CloudFormation` compares them with their templates.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Finding, Subject, finding, kinds};
use crate::execute::Job;
use crate::failure::{Failure, Kind};
use crate::model::{Stack, StackSeen, StackStatus};
use crate::ports::{DriftState, ResourceDrift};

/// What was found of the stacks' resources.
#[derive(Default)]
pub(super) struct Resources {
    /// The resources, compared or only listed.
    pub(super) listed: Vec<(Stack, ResourceDrift)>,
    /// Stacks that could not be compared, and why.
    pub(super) failed: Vec<(Stack, Failure)>,
    /// Whether every stack that is there was at least listed.
    pub(super) complete: bool,
}

/// Compares every stack at rest, and lists the resources of all others: only a stack at rest can
/// be compared, and what is listed is no stray.
/// Source: "Detect drift on an entire CloudFormation stack", AWS CloudFormation User Guide.
pub(super) async fn look(
    job: &Arc<Job>,
    stacks: &BTreeMap<Stack, StackSeen>,
) -> Result<Resources, Failure> {
    let mut looking = JoinSet::new();
    for (stack, seen) in stacks.iter().filter(|(_, seen)| seen.status != StackStatus::Gone) {
        let (job, seen, stack) = (Arc::clone(job), seen.clone(), *stack);
        looking.spawn(async move { (stack, one(&job, stack, &seen).await) });
    }
    let mut all = Resources { complete: true, ..Resources::default() };
    while let Some(joined) = looking.join_next().await {
        let (stack, (listed, failure)) = joined.map_err(|error| Failure::bug(error.to_string()))?;
        match failure {
            Some(failure) if !matches!(failure.kind, Kind::Access | Kind::Settled) => {
                return Err(failure);
            }
            Some(failure) => all.failed.push((stack, failure)),
            None => {}
        }
        match listed {
            Some(listed) => all.listed.extend(listed.into_iter().map(|one| (stack, one))),
            None => all.complete = false,
        }
    }
    Ok(all)
}

/// The resources, if they could be listed, and why they could not be compared.
async fn one(
    job: &Job,
    stack: Stack,
    seen: &StackSeen,
) -> (Option<Vec<ResourceDrift>>, Option<Failure>) {
    let stacks = &job.world.stacks;
    let failure = if seen.status == StackStatus::Ready {
        match stacks.drift(stack.place(), &seen.arn).await {
            Ok(compared) => return (Some(compared), None),
            Err(failure) => Some(failure),
        }
    } else {
        None
    };
    match stacks.resources(stack.place(), &seen.arn).await {
        Ok(mut listed) => {
            // The stack's own finding says why they were not compared.
            for one in &mut listed {
                one.state = DriftState::InSync;
            }
            (Some(listed), failure)
        }
        Err(second) => (None, Some(failure.unwrap_or(second))),
    }
}

/// Properties whose values are secret: type, and path as `CloudFormation` writes it.
const SECRET: &[(&str, &str)] = &[
    ("AWS::SSM::Parameter", "/Value"),
    (
        "AWS::CloudFront::Distribution",
        "/DistributionConfig/Origins/0/OriginCustomHeaders/0/HeaderValue",
    ),
];

/// Whether `CloudFormation` has masked a value, so that it says nothing of a difference.
fn is_masked(value: &str) -> bool {
    !value.is_empty() && value.chars().all(|c| c == '*')
}

/// What is wrong with a resource.
pub(super) fn of(stack: Stack, drift: &ResourceDrift) -> Option<Finding> {
    let subject = Subject::Resource { stack, id: drift.resource.clone() };
    match &drift.state {
        DriftState::InSync => None,
        DriftState::Deleted => Some(finding(kinds::RESOURCE_GONE, subject, drift.kind.as_str())),
        DriftState::NotChecked => {
            let detail = format!("CloudFormation does not compare {}", drift.kind);
            Some(finding(kinds::RESOURCE_UNKNOWN, subject, detail))
        }
        DriftState::Failed(reason) => {
            let detail = format!("CloudFormation could not compare it: {reason}");
            Some(finding(kinds::RESOURCE_FAILED, subject, detail))
        }
        DriftState::Modified(differences) => {
            let secret = |path: &str| SECRET.contains(&(drift.kind.as_str(), path));
            let one = |(path, expected, actual): &(String, String, String)| {
                if secret(path) {
                    return format!("{path} was changed; its value is secret");
                }
                format!("{path} is {actual}, should be {expected}")
            };
            let masked = |(path, expected, _): &&(String, String, String)| {
                secret(path) && is_masked(expected)
            };
            let all: Vec<String> = differences.iter().filter(|one| !masked(one)).map(one).collect();
            if all.is_empty() && !differences.is_empty() {
                return None;
            }
            Some(finding(kinds::RESOURCE_CHANGED, subject, all.join("; ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_was_changed_is_found_and_not_shown() {
        let value = |text: &str| text.to_owned();
        let differences = vec![
            (value("/Value"), value("the-old-secret"), value("the-new-secret")),
            (value("/Type"), value("String"), value("StringList")),
        ];
        let drift = ResourceDrift {
            resource: value("ApiClientSecret"),
            kind: value("AWS::SSM::Parameter"),
            physical: value("/pond/api-client-secret"),
            state: DriftState::Modified(differences),
        };
        let found = of(Stack::Auth, &drift).expect("a finding");
        assert_eq!(found.kind, kinds::RESOURCE_CHANGED);
        assert_eq!(
            found.detail,
            "/Value was changed; its value is secret; /Type is StringList, should be String"
        );
    }
}
