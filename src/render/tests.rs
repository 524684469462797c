//! Cases: template, fill → what comes out.

use super::{Fill, RenderError, complete, render};
use crate::yaml::Node;

fn fill(values: &[(&str, &str)]) -> Fill {
    let values = values.iter().map(|(k, v)| ((*k).to_owned(), Node::from(*v))).collect();
    Fill { values, ..Fill::default() }
}

/// Renders and cuts off the digest output, which is at the end.
fn check(source: &str, fill: &Fill, expected: &str) {
    let rendered = render(source, fill).expect(source);
    let (body, digest) = rendered.body.split_once("  TemplateDigest:").expect("digest");
    assert_eq!(body.trim_end().trim_end_matches("Outputs:").trim_end(), expected.trim_end());
    assert!(digest.contains(&rendered.digest));
}

const TABLE: &str = "
Parameters:
  Prefix: {Type: String}
  Logs: {Type: String, AllowedValues: ['true', 'false']}
  Key: {Type: String}
Conditions:
  HasLogs: !Equals [!Ref Logs, 'true']
  HasKey: !Not [!Equals [!Ref Key, '']]
  Both: !And [!Condition HasLogs, !Condition HasKey]
Resources:
  Table:
    Type: T
    DependsOn: [Log]
    Properties:
      Name: !Sub ${Prefix}-eggs
      Key: !If [HasKey, !Ref Key, !Ref AWS::NoValue]
      Log: !If [HasLogs, !GetAtt Log.Arn, !Ref AWS::NoValue]
      Note: !Sub ${Prefix} in ${AWS::Region}
  Log:
    Type: L
    Condition: HasLogs
  Deep:
    Type: D
    Condition: Both
";

#[test]
fn a_false_condition_takes_everything_with_it() {
    check(
        TABLE,
        &fill(&[("Prefix", "duck"), ("Logs", "false")]),
        "Parameters:
  Key:
    Type: String
Conditions:
  HasKey: !Not
    - !Equals
      - !Ref Key
      - \"\"
Resources:
  Table:
    Type: T
    Properties:
      Name: duck-eggs
      Key: !If
        - HasKey
        - !Ref Key
        - !Ref AWS::NoValue
      Note: !Sub duck in ${AWS::Region}",
    );
}

#[test]
fn a_true_condition_leaves_no_trace() {
    check(
        TABLE,
        &fill(&[("Prefix", "duck"), ("Logs", "true"), ("Key", "k")]),
        "Resources:
  Table:
    Type: T
    DependsOn:
      - Log
    Properties:
      Name: duck-eggs
      Key: k
      Log: !GetAtt Log.Arn
      Note: !Sub duck in ${AWS::Region}
  Log:
    Type: L
  Deep:
    Type: D",
    );
}

#[test]
fn a_half_decided_condition_keeps_its_open_half() {
    check(
        TABLE,
        &fill(&[("Prefix", "duck"), ("Logs", "true")]),
        "Parameters:
  Key:
    Type: String
Conditions:
  HasKey: !Not
    - !Equals
      - !Ref Key
      - \"\"
  Both: !Condition HasKey
Resources:
  Table:
    Type: T
    DependsOn:
      - Log
    Properties:
      Name: duck-eggs
      Key: !If
        - HasKey
        - !Ref Key
        - !Ref AWS::NoValue
      Log: !GetAtt Log.Arn
      Note: !Sub duck in ${AWS::Region}
  Log:
    Type: L
  Deep:
    Type: D
    Condition: Both",
    );
}

#[test]
fn a_renamed_resource_is_renamed_everywhere() {
    let mut fill = Fill::default();
    fill.renames.insert("V".into(), "V1".into());
    check(
        "Resources:\n  V: {Type: T}\n  A:\n    Type: T\n    DependsOn: V\n    Properties:\n      \
         X: !GetAtt V.Version\n      W: !Sub ${V.Arn}-${V}-${AWS::Region}\n      Z: !Ref V\n",
        &fill,
        "Resources:\n  V1:\n    Type: T\n  A:\n    Type: T\n    DependsOn: V1\n    Properties:\n      \
         X: !GetAtt V1.Version\n      W: !Sub ${V1.Arn}-${V1}-${AWS::Region}\n      Z: !Ref V1",
    );
}

#[test]
fn a_disposable_stack_keeps_nothing_back() {
    let fill = Fill { disposable: true, ..Fill::default() };
    check(
        "Resources:\n  A:\n    Type: T\n    DeletionPolicy: RetainExceptOnCreate\n",
        &fill,
        "Resources:\n  A:\n    Type: T\n    DeletionPolicy: Delete",
    );
}

#[test]
fn mistakes_in_a_template_are_named() {
    let cases: [(&str, Fill, &str); 7] = [
        ("Resources: {A: {X: !Ref Gone}}", Fill::default(), "`Gone` is referred to and not there"),
        ("Resources: {A: {X: !Sub '${B.Arn}'}}", Fill::default(), "`B` is referred to"),
        ("Resources: {A: {Condition: C}}", Fill::default(), "`C` is referred to and not there"),
        ("Parameters: {P: {Type: S}}\nResources: {}", Fill::default(), "`P` is used by nothing"),
        ("Resources: {}", fill(&[("Q", "1")]), "there is no parameter `Q`"),
        ("Resources: {A: {Ref: B}}", Fill::default(), "write `Ref` in its short form"),
        (TABLE, fill(&[("Logs", "maybe")]), "parameter `Logs` does not allow `maybe`"),
    ];
    for (source, fill, expected) in cases {
        let error = render(source, &fill).expect_err(source).to_string();
        assert!(error.contains(expected), "{source}: {error}");
    }
}

#[test]
fn a_template_that_is_too_large_is_refused_before_it_is_sent() {
    let source = format!("Resources:\n  A:\n    X: {}\n", "x".repeat(52_000));
    let error = render(&source, &Fill::default()).expect_err("too large");
    assert!(matches!(error, RenderError::TooLarge(_)), "{error}");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let once = render(TABLE, &fill(&[("Prefix", "duck"), ("Logs", "true")])).expect("once");
    let twice = render(TABLE, &fill(&[("Prefix", "duck"), ("Logs", "true")])).expect("twice");
    assert_eq!(once, twice);
    let other = render(TABLE, &fill(&[("Prefix", "swan"), ("Logs", "true")])).expect("other");
    assert_ne!(once.digest, other.digest);
}

#[test]
fn a_property_that_an_earlier_template_lacks_is_set_and_nothing_else() {
    let before = "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      Path: /\n";
    let set = |body: &str| {
        complete(body, "AWS::IAM::Role", "PermissionsBoundary", "arn").expect("a template")
    };
    let after = Node::parse(&set(before)).expect("YAML");
    let role =
        after.get("Resources").and_then(|all| all.get("R")?.get("Properties")).expect("a role");
    assert_eq!(role.get("PermissionsBoundary").and_then(Node::text), Some("arn"));
    assert_eq!(role.get("Path").and_then(Node::text), Some("/"));
    let there = format!("{before}      PermissionsBoundary: other\n");
    assert_eq!(set(&there), there);
}
