//! What a galaxy costs a month: list prices of us-east-1, in cents, free allowances taken off.
//!
//! Two cases: nobody comes, and a small galaxy with 1,000 people, 300,000 calls of the API, 50,000
//! views of each site and 10,000 mails. Source: the AWS price lists of 2026; `KMS`, `S3`, HTTP API,
//! `DynamoDB` on demand, SES Essentials, `CloudFront` and `CloudWatch`.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::Cost;
use crate::model::Stack;
use crate::render::Rendered;

/// Kind of resource that brings the cost, what it is for, cents when idle, cents when small.
const PRICES: [(&str, &str, u32, u32); 7] = [
    ("AWS::KMS::Key", "key that signs certificates", 100, 108),
    ("AWS::DynamoDB::Table", "tables with point-in-time recovery", 0, 95),
    ("AWS::ApiGatewayV2::Api", "API", 0, 30),
    ("AWS::S3::Bucket", "buckets", 2, 5),
    ("AWS::SES::ConfigurationSet", "mails", 0, 160),
    ("AWS::CloudFront::Function", "sites at the edge", 0, 5),
    ("AWS::SQS::Queue", "queue of bounces not written down", 0, 0),
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
