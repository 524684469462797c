//! The policy is whole, narrow, and short enough.

use super::*;
use crate::model::{AccountId, GalaxyName, Region};

fn all(name: &str, region: &str) -> Vec<Value> {
    let (name, region) = (GalaxyName::parse(name), Region::parse(region));
    let account = AccountId::parse("111122223333").expect("an account");
    let (name, region) = (name.expect("a name"), region.expect("a Region"));
    documents(Subject { name: &name, account: &account, region: &region })
}

#[test]
fn the_longest_names_stay_within_what_iam_takes() {
    let documents = all("abcdefghijklmnopqrst", "ap-southeast-5");
    for document in &documents {
        let characters = characters(document);
        assert!(characters <= LIMIT_CHARACTERS, "{characters}");
    }
    assert!(documents.len() <= 3, "{}", documents.len());
}

#[test]
fn splitting_loses_nothing() {
    let statements: usize = all("pond", "eu-west-1")
        .iter()
        .map(|document| document["Statement"].as_array().expect("statements").len())
        .sum();
    let (name, account) = (GalaxyName::parse("pond"), AccountId::parse("111122223333"));
    let (name, account) = (name.expect("a name"), account.expect("an account"));
    let region = Region::parse("eu-west-1").expect("a Region");
    let subject = Subject { name: &name, account: &account, region: &region };
    assert_eq!(statements, super::statements(subject).len());
}

#[test]
fn what_knows_resources_is_held_to_the_galaxy() {
    for document in all("pond", "eu-west-1") {
        for statement in document["Statement"].as_array().expect("statements") {
            let sid = statement["Sid"].as_str().expect("a name");
            let narrow = |arn: &Value| arn.as_str().is_some_and(|arn| arn.contains("pond"));
            let resources = statement["Resource"].as_array().expect("ARNs");
            let by_tag = statement["Condition"].to_string().contains("\"pond\"");
            let exempt = matches!(
                sid,
                "Anything"
                    | "Certificates"
                    | "Galaxies"
                    | "HostedRecords"
                    | "HostedZones"
                    | "Identities"
                    | "Principals"
                    | "Quotas"
                    | "SenderRole"
            );
            assert!(exempt || by_tag || resources.iter().all(narrow), "{statement}");
            if ["Anything", "Galaxies"].contains(&sid) {
                let reads = |action: &Value| {
                    let action = action.as_str().and_then(|action| action.split(':').nth(1));
                    let reads = |action: &str| {
                        // Applying for more mail is about the whole account, and a certificate
                        // has no name before there is one.
                        ["PutAccountDetails", "RequestCertificate"].contains(&action)
                            || ["BatchDescribe", "Describe", "Get", "List"]
                                .iter()
                                .any(|r| action.starts_with(r))
                    };
                    action.is_some_and(reads)
                };
                let actions = statement["Action"].as_array().expect("actions");
                assert!(actions.iter().all(reads), "{statement}");
            }
        }
    }
}

#[test]
fn the_role_is_handed_to_cloudformation_only() {
    let documents = all("pond", "eu-west-1");
    let statements = documents.iter().flat_map(|d| d["Statement"].as_array().expect("statements"));
    let with_pass: Vec<&Value> =
        statements.filter(|s| s["Action"].to_string().contains("iam:PassRole")).collect();
    assert_eq!(with_pass.len(), 1);
    assert_eq!(
        with_pass[0]["Condition"],
        json!({"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}})
    );
}

#[test]
fn what_only_looks_is_told_from_what_is_needed() {
    for spare in ["servicequotas:GetServiceQuota", "kms:ListAliases"] {
        assert!(is_spare(spare), "{spare}");
    }
    // The first stack's role is read by CloudFormation in our name, whatever the doctor does.
    for needed in ["iam:GetRole", "cloudformation:CreateStack", "s3:PutObject", "iam:PassRole"] {
        assert!(!is_spare(needed), "{needed}");
    }
}

#[test]
fn records_are_made_and_removed_and_never_written_over() {
    let documents = all("pond", "eu-west-1");
    let statements = documents.iter().flat_map(|d| d["Statement"].as_array().expect("statements"));
    let changes: Vec<&Value> = statements
        .filter(|s| s["Action"].to_string().contains("route53:ChangeResourceRecordSets"))
        .collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(
        changes[0]["Condition"]["ForAllValues:StringEquals"],
        json!({
            "route53:ChangeResourceRecordSetsActions": ["CREATE", "DELETE"],
            "route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA", "CNAME", "MX", "TXT"],
        })
    );
}
