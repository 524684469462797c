//! What a galaxy costs a month: list prices of us-east-1, in cents, free allowances taken off.
//!
//! Two cases: nobody comes, and a small galaxy with 1,000 people, 300,000 calls of the API, 50,000
//! views of each site and 10,000 mails. What every ceiling would cost is in `worst`. Source: the
//! AWS price lists of 2026, by the pricing page of each service.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::Cost;
use crate::model::Stack;
use crate::render::Rendered;

pub mod worst;

/// Kind of resource that brings the cost, what it is for, cents when idle, cents when small.
const PRICES: [(&str, &str, u32, u32); 8] = [
    // A web ACL, a rule, and 60 cents a million requests. Source: "AWS WAF Pricing".
    ("AWS::WAFv2::WebACL", "shield in front of the API", 600, 618),
    ("AWS::KMS::Key", "key that signs certificates", 100, 108),
    ("AWS::DynamoDB::Table", "tables with point-in-time recovery", 0, 95),
    ("AWS::ApiGatewayV2::Api", "API", 0, 30),
    ("AWS::S3::Bucket", "buckets", 2, 5),
    ("AWS::SES::ConfigurationSet", "mails", 0, 160),
    ("AWS::CloudFront::Function", "sites at the edge", 0, 5),
    ("AWS::SQS::Queue", "queue of bounces not written down", 0, 0),
];

/// Kinds of resources that bring no cost in either case, and why. A test holds the templates to
/// both tables.
pub const FREE: &[(&str, &str)] = &[
    ("AWS::ApiGatewayV2::ApiMapping", "no charge"),
    ("AWS::ApiGatewayV2::DomainName", "no charge"),
    ("AWS::ApiGatewayV2::Integration", "no charge"),
    ("AWS::ApiGatewayV2::Route", "no charge"),
    ("AWS::ApiGatewayV2::Stage", "its calls are in the API's row"),
    ("AWS::CloudFront::Distribution", "always free: 1 TB and 10 million requests a month"),
    ("AWS::CloudFront::OriginAccessControl", "no charge"),
    ("AWS::CloudFront::ResponseHeadersPolicy", "no charge"),
    ("AWS::CloudWatch::Alarm", "always free: 10 alarms on standard metrics"),
    ("AWS::Cognito::UserPool", "free: 10,000 monthly active users of tier Lite"),
    ("AWS::Cognito::UserPoolClient", "no charge"),
    ("AWS::Cognito::UserPoolGroup", "no charge"),
    ("AWS::Events::Rule", "events of AWS services and of schedules are free"),
    ("AWS::IAM::ManagedPolicy", "no charge"),
    ("AWS::IAM::Role", "no charge"),
    ("AWS::KMS::Alias", "no charge"),
    ("AWS::Lambda::Alias", "no charge"),
    ("AWS::Lambda::EventInvokeConfig", "no charge"),
    ("AWS::Lambda::Function", "always free: a million calls and 400,000 GB-seconds a month"),
    ("AWS::Lambda::Permission", "no charge"),
    ("AWS::Lambda::Version", "75 GB of code are free"),
    ("AWS::Logs::Delivery", "what it delivers counts as logs"),
    ("AWS::Logs::DeliveryDestination", "no charge"),
    ("AWS::Logs::DeliverySource", "no charge"),
    ("AWS::Logs::LogGroup", "always free: 5 GB a month, ingested and kept"),
    ("AWS::S3::BucketPolicy", "no charge"),
    ("AWS::SES::ConfigurationSetEventDestination", "events to EventBridge are in the mails' row"),
    ("AWS::SES::EmailIdentity", "no charge"),
    ("AWS::SNS::Subscription", "always free: 1,000 mails a month"),
    ("AWS::SNS::Topic", "no charge; its mails are the subscription's"),
    ("AWS::SQS::QueuePolicy", "no charge"),
    ("AWS::SSM::Parameter", "standard parameters are free, and so are 40 reads a second"),
];

/// The cost of these stacks, the dearest line first.
#[must_use]
pub fn monthly(rendered: &BTreeMap<Stack, Rendered>) -> Vec<Cost> {
    let resources = rendered.values().flat_map(|rendered| &rendered.resources);
    let kinds: BTreeSet<&str> = resources.map(|resource| resource.kind.as_str()).collect();
    let there = PRICES.iter().filter(|(kind, ..)| kinds.contains(kind));
    let mut costs: Vec<Cost> = there
        .map(|(_, what, idle_cents, small_cents)| Cost {
            what: (*what).to_owned(),
            idle_cents: *idle_cents,
            small_cents: *small_cents,
        })
        .collect();
    costs.sort_by_key(|cost| std::cmp::Reverse(cost.small_cents));
    costs
}

#[cfg(test)]
mod tests;
