//! What a version is made of, and what makes a new one.

use std::collections::BTreeMap;

use super::{IDENTITY, LOOSE, pin_version, version_id};
use crate::render::walk;
use crate::yaml::Node;

/// The properties of a function that its versions freeze.
/// Source: "Manage Lambda function versions", AWS Lambda Developer Guide; the same table is
/// `VERSION_LOCKED` in the AWS CDK's `function-hash.ts`.
const FROZEN: &[&str] = &[
    "Architectures",
    "Code",
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "FileSystemConfigs",
    "FunctionName",
    "Handler",
    "ImageConfig",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "Role",
    "Runtime",
    "SnapStart",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
];

const API: &str = include_str!("../../../templates/api.yaml");

fn parameters() -> BTreeMap<String, String> {
    let root = Node::parse(API).expect("the template");
    let entries = root.get("Parameters").expect("parameters").entries();
    entries.iter().map(|(name, _)| (name.clone(), "one".to_owned())).collect()
}

fn id(body: &str, parameters: &BTreeMap<String, String>) -> String {
    version_id(&pin_version(body, parameters).expect("pinned")).expect("a version")
}

fn function() -> Node {
    let root = Node::parse(API).expect("the template");
    let resources = root.get("Resources").expect("resources");
    resources
        .get("BeakFunction")
        .expect("the function")
        .get("Properties")
        .expect("properties")
        .clone()
}

#[test]
fn every_input_of_the_function_makes_another_version_and_no_other_does() {
    let before = id(API, &parameters());
    assert_eq!(id(API, &parameters()), before, "the same every time");
    let mut properties = function();
    properties.remove("ReservedConcurrentExecutions");
    properties.get_mut("Code").expect("code").remove("S3Bucket");
    let used = walk::references(&properties).expect("references").values;
    assert!(used.contains("UserPoolId") && used.contains("CertSigningKeyArn"), "{used:?}");
    for name in parameters().into_keys() {
        let mut changed = parameters();
        changed.insert(name.clone(), "two".into());
        assert_eq!(id(API, &changed) != before, used.contains(&name), "{name}");
    }
}

#[test]
fn every_frozen_property_makes_another_version_and_no_loose_one_does() {
    let before = id(API, &parameters());
    for (name, _) in function().entries() {
        let mut root = Node::parse(API).expect("the template");
        let resources = root.get_mut("Resources").expect("resources");
        let function = resources.get_mut("BeakFunction").expect("the function");
        function.get_mut("Properties").expect("properties").set(name, "changed".into());
        let after = id(&root.emit().expect("yaml"), &parameters());
        assert_eq!(after != before, FROZEN.contains(&name.as_str()), "{name}");
        assert!(FROZEN.contains(&name.as_str()) || LOOSE.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn what_the_function_refers_to_has_a_known_identity() {
    let root = Node::parse(API).expect("the template");
    let before = id(API, &parameters());
    for name in walk::references(&function()).expect("references").values {
        let Some(resource) = root.get("Resources").expect("resources").get(&name) else { continue };
        let kind = resource.get("Type").and_then(Node::text).expect("a type");
        let known = IDENTITY.iter().find(|(known, _)| *known == kind);
        let (_, properties) = known.unwrap_or_else(|| panic!("{kind} has no row"));
        for property in *properties {
            let mut root = root.clone();
            let resources = root.get_mut("Resources").expect("resources");
            let resource = resources.get_mut(&name).expect("it");
            resource.get_mut("Properties").expect("properties").set(property, "changed".into());
            assert_ne!(id(&root.emit().expect("yaml"), &parameters()), before, "{name}.{property}");
        }
    }
}

#[test]
fn an_id_that_was_pinned_before_is_replaced_and_not_lengthened() {
    let once = pin_version(API, &parameters()).expect("once");
    let twice = pin_version(&once, &parameters()).expect("twice");
    assert_eq!(once, twice);
    let mut other = parameters();
    other.insert("UserPoolId".into(), "another".into());
    let moved = pin_version(&once, &other).expect("another");
    assert_eq!(version_id(&moved).expect("an id").len(), version_id(&once).expect("an id").len());
    assert!(!moved.contains(&version_id(&once).expect("an id")), "no reference to the old one");
}

#[test]
fn a_template_without_a_function_stays_as_it_is() {
    let body = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n";
    assert_eq!(pin_version(body, &BTreeMap::new()).expect("the same"), body);
}
