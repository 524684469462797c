//! What carries the galaxy's tag and belongs to none of its stacks: left behind by a removal that
//! was cut off, or tagged by hand.

use std::collections::BTreeSet;

use super::{Finding, Subject, finding, kinds};
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
    let owned: Vec<&ResourceDrift> = resources.iter().map(|(_, resource)| resource).collect();
    // Certificates belong to no stack: each is asked for and removed by itself.
    let certificate = |arn: &str| arn.contains(":acm:") && job.facts.config.domains.noted;
    let stacks: Vec<String> =
        Stack::all().into_iter().map(|stack| stack.name(&job.facts.config.name)).collect();
    let stray = |arn: &&String| !is_owned(arn, &owned, &stacks) && !certificate(arn);
    let found = arns.iter().filter(stray).map(|arn| {
        let subject = Subject::Stray(arn.clone());
        if arn.contains(":kms:") {
            let detail = "a key of no stack; one that waits for its deletion looks like this, too";
            return finding(kinds::STRAY_KEY, subject, detail);
        }
        finding(kinds::STRAY, subject, "it carries the galaxy's tag, and no stack of it made it")
    });
    Ok(found.collect())
}

/// Whether a stack made it. The ARN is the physical id, or names it as a whole: `my-prod` is not
/// `prod`. A stack owns itself, and a part of a thing, such as a stage of an API, belongs to the
/// owner of the thing.
fn is_owned(arn: &str, owned: &[&ResourceDrift], stacks: &[String]) -> bool {
    let (service, _, resource) = parts(arn);
    if service == "cloudformation" {
        let name = resource.split('/').nth(1).unwrap_or_default();
        return stacks.iter().any(|stack| stack == name);
    }
    owned.iter().any(|one| names(one, arn))
}

/// Service, account and resource of an ARN.
fn parts(arn: &str) -> (&str, &str, &str) {
    let mut parts = arn.splitn(6, ':').skip(2);
    let mut part = || parts.next().unwrap_or_default();
    let (service, _region, account, resource) = (part(), part(), part(), part());
    (service, account, resource)
}

/// Whether a physical id and an ARN name the same thing.
fn names(one: &ResourceDrift, arn: &str) -> bool {
    let (service, account, resource) = parts(arn);
    let id = one.physical.as_str();
    if id.is_empty() {
        return false;
    }
    if id == arn {
        return true;
    }
    if service == "sqs" {
        // A stack knows a queue by its URL, which ends in the account and the name.
        // Source: "AWS::SQS::Queue", return values, AWS CloudFormation User Guide.
        return id.ends_with(&format!("/{account}/{resource}"));
    }
    if !one.kind.is_empty() && !is_of(&one.kind, service) {
        return false;
    }
    // `TYPE/ID`, `TYPE:ID`, `ID`, and for parts `TYPE/ID/…` or `TYPE:ID:…`. An id may have slashes
    // of its own, as those of log groups, IAM roles and parameters do.
    let rest = resource.strip_prefix('/').unwrap_or(resource);
    let bare = id.strip_prefix('/').unwrap_or(id);
    let after_type = rest.find(['/', ':']).map(|at| &rest[at + 1..]);
    let matches = |text: &str| {
        let text = text.strip_prefix('/').unwrap_or(text);
        text.strip_prefix(bare).is_some_and(|left| left.is_empty() || left.starts_with(['/', ':']))
    };
    // An IAM role's ARN has its path between type and name, and its physical id has none.
    let by_name = service == "iam" && resource.rsplit('/').next() == Some(id);
    matches(rest) || after_type.is_some_and(matches) || by_name
}

/// Whether resources of a type have ARNs of a service.
fn is_of(kind: &str, service: &str) -> bool {
    let named = kind.split("::").nth(1).unwrap_or_default();
    match named {
        "ApiGatewayV2" => service == "apigateway",
        "Cognito" => service == "cognito-idp",
        "CloudWatch" => service == "cloudwatch",
        _ => named.eq_ignore_ascii_case(service),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::DriftState;

    fn resource(kind: &str, physical: &str) -> ResourceDrift {
        let (resource, state) = ("X".to_owned(), DriftState::InSync);
        ResourceDrift { resource, kind: kind.into(), physical: physical.into(), state }
    }

    #[test]
    fn an_arn_is_owned_only_by_its_exact_id() {
        let owned = [
            resource("AWS::DynamoDB::Table", "pond-eggs"),
            resource("AWS::ApiGatewayV2::Api", "a1b2c3"),
            resource("AWS::ApiGatewayV2::Stage", "prod"),
            resource("AWS::Logs::LogGroup", "/aws/lambda/pond-beak"),
            resource("AWS::SNS::Topic", "arn:aws:sns:eu-west-1:1:pond-alarms"),
            resource(
                "AWS::SQS::Queue",
                "https://sqs.eu-west-1.amazonaws.com/1/pond-api-Letters-X1",
            ),
            resource("AWS::IAM::Role", "pond-api-FunctionRole-X"),
            resource("AWS::S3::Bucket", "pond-artifacts"),
            resource("AWS::KMS::Key", "0a1b-2c3d"),
            resource("AWS::Cognito::UserPool", "eu-west-1_AbC"),
            resource("AWS::CloudWatch::Alarm", "pond-ErrorsAlarm"),
            resource("AWS::CloudFront::Distribution", "E123"),
            resource("AWS::SSM::Parameter", "/pond/api-client-secret"),
        ];
        let owned: Vec<&ResourceDrift> = owned.iter().collect();
        let stacks = ["pond-data".to_owned()];
        for arn in [
            "arn:aws:dynamodb:eu-west-1:1:table/pond-eggs",
            "arn:aws:apigateway:eu-west-1::/apis/a1b2c3",
            "arn:aws:apigateway:eu-west-1::/apis/a1b2c3/stages/prod",
            "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/pond-beak",
            "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/pond-beak:*",
            "arn:aws:sns:eu-west-1:1:pond-alarms",
            "arn:aws:cloudformation:eu-west-1:1:stack/pond-data/x",
            "arn:aws:sqs:eu-west-1:1:pond-api-Letters-X1",
            "arn:aws:iam::1:role/spaceduck/pond-api-FunctionRole-X",
            "arn:aws:s3:::pond-artifacts",
            "arn:aws:kms:eu-west-1:1:key/0a1b-2c3d",
            "arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_AbC",
            "arn:aws:cloudwatch:eu-west-1:1:alarm:pond-ErrorsAlarm",
            "arn:aws:cloudfront::1:distribution/E123",
            "arn:aws:ssm:eu-west-1:1:parameter/pond/api-client-secret",
        ] {
            assert!(is_owned(arn, &owned, &stacks), "{arn}");
        }
        for arn in [
            "arn:aws:dynamodb:eu-west-1:1:table/pond-eggs-old",
            "arn:aws:dynamodb:eu-west-1:1:table/old-pond-eggs",
            "arn:aws:dynamodb:eu-west-1:1:table/my-prod",
            "arn:aws:dynamodb:eu-west-1:1:table/prod",
            "arn:aws:apigateway:eu-west-1::/apis/zzz/stages/prod",
            "arn:aws:cloudformation:eu-west-1:1:stack/pond-data-old/x",
            "arn:aws:s3:::another",
            "arn:aws:s3:::my-pond-artifacts",
            "arn:aws:sqs:eu-west-1:1:X1",
            "arn:aws:sqs:eu-west-1:2:pond-api-Letters-X1",
            "arn:aws:sns:eu-west-1:1:pond-eggs",
            "arn:aws:ssm:eu-west-1:1:parameter/my/pond/api-client-secret",
            "arn:aws:logs:eu-west-1:1:log-group:/my/aws/lambda/pond-beak",
        ] {
            assert!(!is_owned(arn, &owned, &stacks), "{arn}");
        }
    }
}
