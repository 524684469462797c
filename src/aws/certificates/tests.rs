//! Every state of a certificate, pages of a list, and requests held to the service's own model.

use serde_json::{Value, json};

use super::*;
use crate::aws::replay::{Script, script, values};
use crate::failure::Kind;

const ARN: &str =
    "arn:aws:acm:us-east-1:111122223333:certificate/12345678-1234-1234-1234-123456789012";

fn played(answers: &[Value]) -> (CertificateManager, Script) {
    let answer = |body: &Value| {
        let status = if body.get("__type").is_some() { 400 } else { 200 };
        (status, body.to_string())
    };
    let (config, script) = script(&answers.iter().map(answer).collect::<Vec<_>>());
    (CertificateManager::new(&config, &config), script)
}

fn galaxy() -> GalaxyName {
    GalaxyName::parse("pond").unwrap()
}

fn ours() -> Value {
    json!({"Tags": [{"Key": "team", "Value": "x"}, {"Key": TAG, "Value": "pond"}]})
}

fn listed(arn: &str, next: Option<&str>) -> Value {
    let mut page = json!({"CertificateSummaryList": [{"CertificateArn": arn}]});
    if let Some(next) = next {
        page["NextToken"] = next.into();
    }
    page
}

/// A certificate as it is described, with this beside what all of them have.
fn described(more: &Value) -> Value {
    let mut detail = json!({
        "CertificateArn": ARN,
        "DomainName": "docs.example.org",
        "CreatedAt": 1_800_000_000,
        "InUseBy": [],
        "DomainValidationOptions": [{
            "DomainName": "docs.example.org",
            "ValidationStatus": "PENDING_VALIDATION",
            "ResourceRecord": {
                "Name": "_a79865eb.docs.example.org.",
                "Type": "CNAME",
                "Value": "_424c7224.acm-validations.aws.",
            },
        }],
    });
    for (key, value) in more.as_object().unwrap() {
        detail[key] = value.clone();
    }
    json!({"Certificate": detail})
}

async fn read_as(more: Value) -> Certificate {
    let (port, script) = played(&[listed(ARN, None), ours(), described(&more)]);
    let mut found = port.ours(Place::Edge, &galaxy()).await.unwrap();
    script.judged();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

#[tokio::test]
async fn one_that_waits_tells_its_record_without_dots() {
    let found = read_as(json!({"Status": "PENDING_VALIDATION"})).await;
    let (name, value) = found.proof.clone().unwrap();
    assert_eq!(name.as_str(), "_a79865eb.docs.example.org");
    assert_eq!(value.as_str(), "_424c7224.acm-validations.aws");
    assert_eq!(found.state, CertificateState::Waiting);
    assert_eq!((found.asked, found.ends, found.in_use), (Some(1_800_000_000), None, false));
    // In its first seconds Amazon has no record yet.
    let young = json!({
        "Status": "PENDING_VALIDATION",
        "DomainValidationOptions": [{"DomainName": "docs.example.org"}],
    });
    assert_eq!(read_as(young).await.proof, None);
}

#[tokio::test]
async fn every_state_that_the_model_lists_is_known() {
    let mut states = values("acm", "CertificateStatus");
    states.sort();
    let known = [
        "EXPIRED",
        "FAILED",
        "INACTIVE",
        "ISSUED",
        "PENDING_VALIDATION",
        "REVOKED",
        "VALIDATION_TIMED_OUT",
    ];
    assert_eq!(states, known);
    for status in states {
        let found = read_as(json!({"Status": status, "NotAfter": 1_817_000_000})).await;
        let is = match status.as_str() {
            "ISSUED" => found.state == CertificateState::Issued && found.ends.is_some(),
            "PENDING_VALIDATION" => found.state == CertificateState::Waiting,
            "EXPIRED" | "REVOKED" => matches!(found.state, CertificateState::Over(_)),
            "FAILED" | "VALIDATION_TIMED_OUT" => {
                matches!(found.state, CertificateState::Failed(_))
            }
            _ => found.state == CertificateState::Other(status.clone()),
        };
        assert!(is, "{status}: {found:?}");
    }
}

#[tokio::test]
async fn every_reason_that_concerns_a_public_domain_has_words() {
    let reasons = values("acm", "FailureReason");
    assert!(reasons.len() > 10);
    for reason in reasons {
        let found = read_as(json!({"Status": "FAILED", "FailureReason": reason})).await;
        let CertificateState::Failed(words) = found.state else { panic!("{reason}") };
        assert!(words.contains(&reason), "{words}");
    }
    assert!(why("CAA_ERROR").contains("amazon.com"));
}

#[tokio::test]
async fn all_pages_are_read_and_only_what_carries_the_tag_is_ours() {
    let (other, second) = (ARN.replace("123456789012", "000000000000"), ARN);
    let (port, script) = played(&[
        listed(&other, Some("more")),
        json!({"Tags": [{"Key": TAG, "Value": "lake"}]}),
        listed(second, None),
        ours(),
        described(
            &json!({"Status": "ISSUED", "InUseBy": ["arn:aws:cloudfront::1:distribution/E1"]}),
        ),
    ]);
    let found = port.ours(Place::Edge, &galaxy()).await.unwrap();
    assert_eq!(found.iter().map(|one| one.arn.as_str()).collect::<Vec<_>>(), [ARN]);
    assert!(found[0].in_use);
    let asked = script.judged();
    // Without it those with small keys, which ours are, are not told of.
    assert_eq!(asked[0].params["Includes"]["keyTypes"], json!(["EC_prime256v1"]));
    assert_eq!(asked[2].params["NextToken"], "more");
}

#[tokio::test]
async fn one_that_vanishes_between_two_looks_is_none() {
    let gone = json!({"__type": "ResourceNotFoundException", "message": ""});
    let (port, script) = played(&[listed(ARN, None), gone.clone()]);
    assert_eq!(port.ours(Place::Home, &galaxy()).await.unwrap(), []);
    script.judged();
    let (port, script) = played(&[listed(ARN, None), ours(), gone]);
    assert_eq!(port.ours(Place::Home, &galaxy()).await.unwrap(), []);
    script.judged();
}

#[tokio::test]
async fn a_request_is_proved_by_dns_and_carries_tag_and_token() {
    let (port, script) = played(&[json!({"CertificateArn": ARN})]);
    let domain = Domain::parse("docs.example.org").unwrap();
    let tags = [(TAG.to_owned(), "pond".to_owned())].into();
    port.request(Place::Edge, &tags, &domain, &"a".repeat(32)).await.unwrap();
    let params = &script.judged()[0].params;
    assert_eq!(params["DomainName"], "docs.example.org");
    assert_eq!(params["ValidationMethod"], "DNS");
    assert_eq!(params["Tags"], json!([{"Key": TAG, "Value": "pond"}]));
    assert_eq!(params["IdempotencyToken"], "a".repeat(32));
}

#[tokio::test]
async fn removing_says_whether_something_holds_it() {
    let refused = |code: &str| json!({"__type": code, "message": "no"});
    for (answer, removed) in [
        (json!({}), Some(true)),
        (refused("ResourceNotFoundException"), Some(true)),
        (refused("ResourceInUseException"), Some(false)),
        (refused("AccessDeniedException"), None),
    ] {
        let (port, script) = played(std::slice::from_ref(&answer));
        let result = port.remove(Place::Home, ARN).await;
        match removed {
            Some(removed) => assert_eq!(result.unwrap(), removed, "{answer}"),
            None => assert_eq!(result.unwrap_err().kind, Kind::Access, "{answer}"),
        }
        script.judged();
    }
}
