//! What a handler asks IAM, resource by resource, and whether a stack's role may.
//!
//! Which actions a handler calls is in `provider.json`, generated of the provider schemas. What
//! they leave out, and what they list for properties that our templates don't use, is in
//! `tables.rs`, with the sources.

use serde_json::{Map, Value, json};

use crate::iam::{Context, Request};
use crate::provider;
use crate::yaml::Node;

mod arns;
mod tables;

use arns::linked_service;
pub use arns::request;
use tables::KEPT;
pub use tables::{DEMANDED, EXCUSED};

/// Where the stack is.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The galaxy.
    pub galaxy: String,
    /// The stack's name.
    pub stack: String,
    /// The account.
    pub account: String,
    /// The stack's Region.
    pub region: String,
    /// The home Region.
    pub home: String,
}

fn fits(pattern: &str, text: &str) -> bool {
    crate::iam::matches(pattern, text)
}

/// Whether a listed action is one for properties that we don't use.
#[must_use]
pub fn is_excused(kind: &str, action: &str) -> bool {
    let kept = KEPT.iter().any(|(of, kept)| *of == kind && kept.contains(&action));
    let excused = |(of, actions, _): &(&str, &[&str], &str)| {
        fits(of, kind) && actions.iter().any(|pattern| fits(pattern, action))
    };
    !kept && EXCUSED.iter().any(excused)
}

/// The actions that a handler calls for us.
#[must_use]
pub fn called(kind: &str, handler: &str) -> Vec<String> {
    let listed = provider::actions(kind, handler).iter();
    let listed = listed.filter(|action| !is_excused(kind, action)).cloned();
    let demanded = DEMANDED.iter().filter(|(of, on, ..)| *of == kind && *on == handler);
    let demanded = demanded.flat_map(|(_, _, actions, _)| *actions);
    let mut all: Vec<String> = listed.chain(demanded.map(|a| (*a).to_owned())).collect();
    // Listed for tags in buckets, and no action of IAM.
    all.retain(|action| action != "s3:DeleteBucketTagging");
    all.sort_unstable();
    all.dedup();
    all
}

/// The text of a property, with references made up in AWS's manner.
fn text(value: Option<&Node>, scene: &Scene) -> Option<String> {
    let value = value?;
    let raw = match value {
        Node::Call(name, argument) => match (name.as_str(), argument.as_ref()) {
            ("Sub", Node::Text(text)) => text.clone(),
            ("GetAtt" | "Ref", Node::Text(target)) => format!("${{{target}}}"),
            _ => return None,
        },
        Node::Text(text) => text.clone(),
        _ => return None,
    };
    let raw = raw
        .replace("${AWS::Partition}", "aws")
        .replace("${AWS::AccountId}", &scene.account)
        .replace("${AWS::Region}", &scene.region)
        .replace("${Boundary}", &boundary_arn(scene));
    Some(raw)
}

/// The ARN of the boundary of every role in a galaxy.
#[must_use]
pub fn boundary_arn(scene: &Scene) -> String {
    format!("arn:aws:iam::{}:policy/spaceduck/{}-boundary", scene.account, scene.galaxy)
}

/// A node of a policy document as JSON.
#[must_use]
pub fn to_json(node: &Node, scene: &Scene) -> Value {
    match node {
        Node::List(items) => {
            let kept = items.iter().map(|item| to_json(item, scene));
            Value::Array(kept.filter(|item| !item.is_null()).collect())
        }
        Node::Map(entries) => {
            let entry = |(key, value): &(String, Node)| (key.clone(), to_json(value, scene));
            let entries: Map<String, Value> = entries.iter().map(entry).collect();
            Value::Object(entries.into_iter().filter(|(_, value)| !value.is_null()).collect())
        }
        node => text(Some(node), scene).map_or(Value::Null, Value::String),
    }
}

/// The policy documents of a role in a template, by its logical id.
#[must_use]
pub fn policies(root: &Node, role: &str, scene: &Scene) -> Vec<Value> {
    let properties = root.get("Resources").and_then(|all| all.get(role)?.get("Properties"));
    let Some(Node::List(policies)) = properties.and_then(|p| p.get("Policies")) else {
        return Vec::new();
    };
    policies.iter().filter_map(|p| p.get("PolicyDocument")).map(|d| to_json(d, scene)).collect()
}

fn context(kind: &str, properties: &Node, scene: &Scene) -> Context {
    let mut context = Context::new();
    let mut set = |key: &str, value: String| {
        context.insert(key.to_owned(), vec![value]);
    };
    set("aws:RequestedRegion", scene.region.clone());
    set("aws:ResourceTag/spaceduck:install", scene.galaxy.clone());
    set("iam:PassedToService", "lambda.amazonaws.com".into());
    set("iam:AWSServiceName", linked_service(kind).into());
    if kind == "AWS::IAM::Role"
        && let Some(boundary) = text(properties.get("PermissionsBoundary"), scene)
    {
        set("iam:PermissionsBoundary", boundary);
    }
    context
}

/// What IAM says to a caller without a right.
#[must_use]
pub fn refusal(request: &Request, who: &str) -> String {
    format!(
        "User: {who} is not authorized to perform: {} on resource: {} because no identity-based \
         policy allows the {} action (Status Code: 403, AccessDenied)",
        request.action, request.resource, request.action
    )
}

/// The trust policy of a role in a template.
#[must_use]
pub fn trust(root: &Node, role: &str, scene: &Scene) -> Value {
    let properties = root.get("Resources").and_then(|all| all.get(role)?.get("Properties"));
    let document = properties.and_then(|p| p.get("AssumeRolePolicyDocument"));
    document.map_or(json!(null), |document| to_json(document, scene))
}
