//! How long things take in AWS: the figures behind every estimate and behind a rehearsal.
//!
//! Seconds, as measured by others on real accounts with Express creation; where there is no
//! measurement, a guess of a few seconds. Source: the benchmarks that cdkd publishes (July
//! and August 2026, medians); "Deleting a distribution", Amazon `CloudFront` Developer Guide.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::render::Resource;

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It comes to be.
    Create,
    /// It is changed in place.
    Update,
    /// It goes.
    Delete,
}

/// From the creation of a distribution until the edge has it.
pub const PROPAGATION: Duration = Duration::from_secs(170);

/// What `CloudFormation` needs around the resources of a stack.
const OVERHEAD: u64 = 5;

/// How long one resource takes.
#[must_use]
pub fn resource(kind: &str, verb: Verb) -> Duration {
    let (create, update, delete) = match kind {
        "AWS::DynamoDB::Table" => (34, 15, 10),
        "AWS::KMS::Key" => (20, 10, 5),
        "AWS::S3::Bucket" | "AWS::SQS::Queue" => (22, 10, 5),
        "AWS::IAM::Role" => (15, 10, 5),
        "AWS::Lambda::Function" => (19, 15, 10),
        // An Express creation is done when CloudFront has accepted it; a removal has to be
        // switched off at every edge first.
        "AWS::CloudFront::Distribution" => (11, 232, 420),
        "AWS::Cognito::UserPool" => (8, 8, 8),
        "AWS::Lambda::Version" | "AWS::ApiGatewayV2::Stage" => (5, 5, 3),
        _ => (3, 3, 3),
    };
    Duration::from_secs(match verb {
        Verb::Create => create,
        Verb::Update => update,
        Verb::Delete => delete,
    })
}

/// When a resource of a stack is begun and done, from the start of the stack's operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Logical id.
    pub id: String,
    /// Resource type.
    pub kind: String,
    /// When it is begun.
    pub begin: Duration,
    /// When it is done.
    pub end: Duration,
}

/// The order in which the resources of a stack are worked on: each as soon as those that it
/// refers to are done, or, on the way out, those that refer to it.
#[must_use]
pub fn timeline(resources: &[Resource], verb: Verb) -> Vec<Slot> {
    let mut ends: BTreeMap<&str, Duration> = BTreeMap::new();
    let mut slots = Vec::new();
    let mut left: Vec<&Resource> = resources.iter().collect();
    while !left.is_empty() {
        let waits = |resource: &Resource, other: &Resource| match verb {
            Verb::Delete => other.after.contains(&resource.id),
            Verb::Create | Verb::Update => resource.after.contains(&other.id),
        };
        let is_ready = |one: &&Resource| !left.iter().any(|other| waits(one, other));
        let (mut ready, rest): (Vec<_>, Vec<_>) = left.iter().copied().partition(is_ready);
        if ready.is_empty() {
            // A circle, which CloudFormation would refuse: all at once, so that this ends.
            ready.clone_from(&left);
        }
        for one in &ready {
            let before = resources.iter().filter(|other| waits(one, other));
            let begin = before.filter_map(|other| ends.get(other.id.as_str())).max();
            let begin = begin.copied().unwrap_or_default();
            let end = begin + self::resource(&one.kind, verb);
            ends.insert(&one.id, end);
            slots.push(Slot { id: one.id.clone(), kind: one.kind.clone(), begin, end });
        }
        left = if ready.len() == left.len() { Vec::new() } else { rest };
    }
    slots.sort_by(|a, b| a.end.cmp(&b.end).then_with(|| a.id.cmp(&b.id)));
    slots
}

/// How long a stack takes.
#[must_use]
pub fn stack(resources: &[Resource], verb: Verb) -> Duration {
    let longest = timeline(resources, verb).last().map(|slot| slot.end).unwrap_or_default();
    longest + Duration::from_secs(OVERHEAD)
}

/// How long a stack would take with one resource after the other.
#[must_use]
pub fn one_by_one(resources: &[Resource], verb: Verb) -> Duration {
    let all: Duration = resources.iter().map(|one| resource(&one.kind, verb)).sum();
    all + Duration::from_secs(OVERHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: &str, kind: &str, after: &[&str]) -> Resource {
        let after = after.iter().map(|name| (*name).to_owned()).collect();
        Resource { id: id.into(), kind: kind.into(), after }
    }

    #[test]
    fn what_refers_waits_and_what_does_not_runs_beside() {
        let resources = [
            named("Policy", "AWS::S3::BucketPolicy", &["Bucket"]),
            named("Bucket", "AWS::S3::Bucket", &[]),
            named("Table", "AWS::DynamoDB::Table", &[]),
        ];
        let there = timeline(&resources, Verb::Create);
        let order: Vec<&str> = there.iter().map(|slot| slot.id.as_str()).collect();
        assert_eq!(order, ["Bucket", "Policy", "Table"]);
        assert_eq!(stack(&resources, Verb::Create).as_secs(), 34 + OVERHEAD);
        assert_eq!(one_by_one(&resources, Verb::Create).as_secs(), 22 + 3 + 34 + OVERHEAD);
        let away = timeline(&resources, Verb::Delete);
        let bucket = away.iter().find(|slot| slot.id == "Bucket").expect("bucket");
        assert_eq!(bucket.begin.as_secs(), 3, "its policy goes first");
    }

    #[test]
    fn a_circle_ends() {
        let resources = [named("A", "T", &["B"]), named("B", "T", &["A"])];
        assert_eq!(timeline(&resources, Verb::Create).len(), 2);
    }
}
