//! A trace as a test: every response in it is rebuilt from its shape and given to the code that
//! requests such a response. What the code can't read fails here.
//!
//! Traces are in `tests/fixtures/traces`, one file each; traces of other accounts are put beside
//! them. Those made with an emulator prove the mechanism only; only a service proves its answers.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use aws_config::SdkConfig;
use serde_json::{Map, Value, json};

use super::{Attempt, FORMAT, Head};
use crate::aws::replay::script;
use crate::aws::{self, WallClock};
use crate::failure::Failure;
use crate::model::{GalaxyName, Place};
use crate::ports::{
    Assets as _, Certificates as _, Inventory as _, Mail as _, Notes as _, Quota, Registry as _,
    Stacks as _, Thing, Zones as _,
};

/// A value of each type, where no other one is known.
fn value(kind: &str, format: &str) -> Value {
    match (kind, format) {
        ("number", "json") => json!(1),
        ("number" | "digits", _) => json!("1"),
        ("time", _) => json!("2026-01-02T03:04:05Z"),
        ("address", _) => json!("ann@example.com"),
        ("string", _) => json!("text"),
        (other, _) => json!(other),
    }
}

/// The response in its form, with values of the right types. Lists end: there is no next page.
fn filled(shape: &Value, format: &str) -> Value {
    match shape {
        Value::String(kind) => value(kind, format),
        Value::Array(items) => {
            let is_rest = |item: &&Value| {
                item.as_str().is_some_and(|s| s.starts_with("and ") && s.ends_with(" more"))
            };
            Value::Array(
                items.iter().filter(|item| !is_rest(item)).map(|i| filled(i, format)).collect(),
            )
        }
        Value::Object(fields) => {
            let continues = ["NextToken", "NextMarker", "PaginationToken", "NextContinuationToken"];
            let mut whole: Map<String, Value> = fields
                .iter()
                .filter(|(key, _)| !continues.contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), filled(value, format)))
                .collect();
            if let Some(truncated) = whole.get_mut("IsTruncated") {
                *truncated = if format == "json" { json!(false) } else { json!("false") };
            }
            Value::Object(whole)
        }
        other => other.clone(),
    }
}

fn xml(name: &str, value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| xml(name, item, out)),
        Value::Object(fields) => {
            write!(out, "<{name}>").unwrap();
            fields.iter().for_each(|(name, value)| xml(name, value, out));
            write!(out, "</{name}>").unwrap();
        }
        text => {
            let text = text.as_str().unwrap_or_default();
            write!(out, "<{name}>{text}</{name}>").unwrap();
        }
    }
}

fn body(attempt: &Attempt) -> String {
    let whole = filled(&attempt.response, &attempt.format);
    match (attempt.format.as_str(), whole) {
        ("xml", Value::Object(root)) => {
            let mut out = String::new();
            root.iter().for_each(|(name, value)| xml(name, value, &mut out));
            out
        }
        ("json", whole) => whole.to_string(),
        _ => String::new(),
    }
}

/// What the program makes of a response; nothing where it takes several to make something.
async fn read(attempt: &Attempt, config: &SdkConfig) -> Option<Result<(), Failure>> {
    let ses = || aws::mail::Ses::new(config, Arc::new(WallClock(std::time::Instant::now())));
    let examiner = || {
        let caller = "arn:aws:iam::111122223333:root";
        aws::doctor::examiner(config, config, caller, Arc::new(ses()))
    };
    let stacks = || aws::stacks::CloudFormation::new(config, config, Arc::default());
    let buckets = || aws::assets::Buckets::new(config, config);
    let name = GalaxyName::parse("pond").unwrap();
    let home = Place::Home;
    Some(match (attempt.service.as_str(), attempt.operation.as_str()) {
        ("cloudformation", "DescribeStacks") => stacks().find(home, "a").await.map(drop),
        ("cloudformation", "DescribeStackEvents") => stacks().events(home, "a").await.map(drop),
        ("cloudformation", "GetTemplate") => stacks().template(home, "a").await.map(drop),
        ("s3", "HeadBucket") => buckets().has_bucket(home, "a").await.map(drop),
        ("s3", "ListObjectsV2") => buckets().keys(home, "a").await.map(drop),
        ("ssm", "GetParameter") => {
            aws::secrets::ParameterStore::new(config).get("/a").await.map(drop)
        }
        ("ssm", "GetParametersByPath") => {
            aws::registry::EdgeParameters::new(config).list("/a").await.map(drop)
        }
        ("ses", "GetAccount") => ses().account().await.map(drop),
        ("acm", "ListCertificates") if attempt.response["CertificateSummaryList"] == json!([]) => {
            let acm = aws::certificates::CertificateManager::new(config, config);
            acm.ours(home, &name).await.map(drop)
        }
        ("route53", "ListHostedZones") => {
            let pond = galaxy_mail::name::Domain::parse("pond.example.org").unwrap();
            aws::route53::Route53::new(config).holding(&[pond]).await.map(drop)
        }
        ("tagging", "GetResources") => {
            aws::inventory::Tagged::new(config, config).tagged(home, "pond").await.map(drop)
        }
        ("lambda", "GetAccountSettings") => examiner().usage(Quota::Concurrency).await.map(drop),
        ("kms", "ListAliases") => {
            examiner().is_taken(home, Thing::KeyAlias, "alias/a").await.map(drop)
        }
        ("logs", "DescribeLogGroups") => {
            examiner().is_taken(home, Thing::LogGroup, "/aws/a").await.map(drop)
        }
        _ => return None,
    })
}

/// Plays one attempt; the operation, where something reads it.
async fn play(attempt: &Attempt) -> Option<String> {
    let answer = (attempt.status?, body(attempt));
    let (config, played) = script(&[answer]);
    let config = config
        .into_builder()
        .endpoint_url("http://127.0.0.1:1")
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .build();
    let made = read(attempt, &config).await?;
    assert_eq!(played.count(), 1, "{}: asked for something else", attempt.operation);
    match made {
        Ok(()) => {}
        Err(failure) => {
            let text = failure.to_text();
            assert!(attempt.error.is_some(), "{}: {text}\n{}", attempt.operation, body(attempt));
            assert!(!text.contains("can't be understood"), "{}: {text}", attempt.operation);
        }
    }
    Some(attempt.operation.clone())
}

fn attempts(path: &Path) -> Vec<Attempt> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let head: Head = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(head.trace, FORMAT, "{}", path.display());
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn every_trace_can_be_read_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/traces");
    let mut played = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let attempts = attempts(&path);
        // Who we are comes before anything else, and a retry behind what it repeats.
        assert_eq!(attempts[0].operation, "GetCallerIdentity", "{}", path.display());
        for (at, attempt) in attempts.iter().enumerate().filter(|(_, one)| one.attempt > 1) {
            let first = |one: &Attempt| {
                one.operation == attempt.operation && one.attempt == attempt.attempt - 1
            };
            assert!(attempts[..at].iter().any(first), "{}: {attempt:?}", path.display());
        }
        for attempt in &attempts {
            played.extend(play(attempt).await);
        }
    }
    let least = ["DescribeStacks", "GetAccount", "GetParameter", "GetResources", "HeadBucket"];
    for operation in least {
        assert!(played.contains(operation), "{operation} is in no trace: {played:?}");
    }
}

#[tokio::test]
async fn a_response_in_another_form_is_noticed() {
    let attempt = |response: Value| Attempt {
        service: "ssm".into(),
        operation: "GetParameter".into(),
        status: Some(200),
        format: "json".into(),
        response,
        ..Attempt::default()
    };
    assert!(play(&attempt(json!({"Parameter": {"Value": "string"}}))).await.is_some());
    let other = attempt(json!({"Parameter": {"Value": ["string"]}}));
    let noticed = tokio::spawn(async move { play(&other).await }).await;
    assert!(noticed.is_err_and(|error| error.is_panic()), "a list where a text belongs");
}
