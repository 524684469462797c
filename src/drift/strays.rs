//! What carries the galaxy's tag and belongs to none of its stacks: left behind by a removal that
//! was cut off by hand, or tagged by somebody.

use std::collections::BTreeSet;

use super::{Finding, finding, kinds};
use crate::execute::Job;
use crate::failure::Failure;
use crate::model::{Place, Stack};
use crate::ports::ResourceDrift;

/// Looks in both Regions.
pub(super) async fn find(
    job: &Job,
    resources: &[(Stack, ResourceDrift)],
) -> Result<Vec<Finding>, Failure> {
    let galaxy = job.facts.config.name.as_str();
    let mut arns = BTreeSet::new();
    for place in [Place::Home, Place::Edge] {
        arns.extend(job.world.inventory.tagged(place, galaxy).await?);
    }
    let owned: BTreeSet<&str> = resources.iter().map(|(_, r)| r.physical.as_str()).collect();
    // Certificates belong to no stack: each is asked for and removed by itself.
    let certificate = |arn: &str| arn.contains(":acm:") && job.facts.config.domains.noted;
    let stray = |arn: &&String| !is_owned(arn, &owned) && !certificate(arn);
    let found = arns.iter().filter(stray).map(|arn| {
        if arn.contains(":kms:") {
            let detail = "a key of no stack; one that waits for its deletion looks like this, too";
            return finding(kinds::STRAY_KEY, arn, detail);
        }
        finding(kinds::STRAY, arn, "it carries the galaxy's tag, and no stack of it made it")
    });
    Ok(found.collect())
}

/// Whether a stack made it: an ARN ends in the physical id, or is one. Stacks own themselves, and
/// a part of a thing, such as a stage of an API, belongs to whoever owns the thing.
fn is_owned(arn: &str, owned: &BTreeSet<&str>) -> bool {
    if owned.contains(arn) || arn.contains(":cloudformation:") {
        return true;
    }
    let mut parts = arn.splitn(6, ':').skip(2);
    let mut part = || parts.next().unwrap_or_default();
    let (service, _region, account, resource) = (part(), part(), part(), part());
    if service == "sqs" {
        // A stack knows a queue by its URL, which ends in the account and the name.
        // Source: "AWS::SQS::Queue", return values, AWS CloudFormation User Guide.
        return owned.iter().any(|id| id.ends_with(&format!("/{account}/{resource}")));
    }
    resource.split(['/', ':']).any(|part| owned.contains(part))
        || owned.iter().any(|id| !id.is_empty() && resource.ends_with(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_owned_by_whoever_owns_its_id() {
        let owned = BTreeSet::from([
            "pond-eggs",
            "a1b2c3",
            "/aws/lambda/pond-beak",
            "arn:aws:sns:eu-west-1:1:pond-alarms",
            "https://sqs.eu-west-1.amazonaws.com/1/pond-api-Letters-X1",
        ]);
        for arn in [
            "arn:aws:dynamodb:eu-west-1:1:table/pond-eggs",
            "arn:aws:apigateway:eu-west-1::/apis/a1b2c3/stages/prod",
            "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/pond-beak",
            "arn:aws:sns:eu-west-1:1:pond-alarms",
            "arn:aws:cloudformation:eu-west-1:1:stack/pond-data/x",
            "arn:aws:sqs:eu-west-1:1:pond-api-Letters-X1",
        ] {
            assert!(is_owned(arn, &owned), "{arn}");
        }
        for arn in [
            "arn:aws:dynamodb:eu-west-1:1:table/pond-eggs-old",
            "arn:aws:apigateway:eu-west-1::/apis/zzz/stages/prod",
            "arn:aws:s3:::somebody",
            "arn:aws:sqs:eu-west-1:1:X1",
            "arn:aws:sqs:eu-west-1:2:pond-api-Letters-X1",
        ] {
            assert!(!is_owned(arn, &owned), "{arn}");
        }
    }
}
