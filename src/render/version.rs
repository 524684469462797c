//! The logical id of a function's version: a digest of all that the version freezes.
//!
//! A published version never changes, so `CloudFormation` makes another one only under another
//! logical id. The id has to change exactly when the version would: with less in it, callers keep
//! the old settings; with more, Lambda refuses to publish the same version twice.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{RenderError, hex, walk};
use crate::yaml::Node;

/// The properties that belong to the function as a whole; its versions freeze all the others.
/// Source: "Manage Lambda function versions", AWS Lambda Developer Guide.
const LOOSE: &[&str] = &[
    "CodeSigningConfigArn",
    "RecursiveLoop",
    "ReservedConcurrentExecutions",
    "RuntimeManagementConfig",
    "Tags",
];

/// The properties by which a resource that a function refers to would become another one, with
/// another ARN or address. Source: `createOnlyProperties` of the resource provider schemas.
const IDENTITY: &[(&str, &[&str])] = &[
    ("AWS::ApiGatewayV2::Api", &["ProtocolType"]),
    ("AWS::IAM::Role", &["Path", "RoleName"]),
    ("AWS::Logs::LogGroup", &["LogGroupName"]),
];

/// How many hexadecimal digits of the digest the id carries.
const DIGITS: usize = 10;

/// Gives the function's version in a rendered template the id that its settings and the stack's
/// parameters make. A template without one stays as it is.
pub fn pin_version(
    body: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<String, RenderError> {
    let mut root = Node::parse(body).map_err(|error| RenderError::Parse(error.to_string()))?;
    let of_kind = |kind: &str| {
        let entries = root.get("Resources").map_or(&[][..], Node::entries);
        let is_it = |(_, node): &&(String, Node)| text(node, "Type") == Some(kind);
        entries.iter().find(is_it).cloned()
    };
    let (Some((_, function)), Some((old, _))) =
        (of_kind("AWS::Lambda::Function"), of_kind("AWS::Lambda::Version"))
    else {
        return Ok(body.to_owned());
    };
    let digest = hex(&Sha256::digest(frozen(&root, &function, parameters)?));
    let base = old.trim_end_matches(|c: char| c.is_ascii_hexdigit() && !c.is_ascii_uppercase());
    let base = if base.len() + DIGITS == old.len() { base } else { &old };
    let new = format!("{base}{}", &digest[..DIGITS]);
    walk::rename(&mut root, &BTreeMap::from([(old.clone(), new)]));
    root.emit().map_err(|error| RenderError::Unsupported(error.to_string()))
}

/// All that a version freezes, as text: properties, the parameters in them, and what makes the
/// resources in them the ones they are.
fn frozen(
    root: &Node,
    function: &Node,
    parameters: &BTreeMap<String, String>,
) -> Result<String, RenderError> {
    let mut properties = function.get("Properties").cloned().unwrap_or(Node::Null);
    for name in LOOSE {
        properties.remove(name);
    }
    // The key names the content; a copy of it in another bucket is the same code.
    if let Some(code) = properties.get_mut("Code") {
        code.remove("S3Bucket");
    }
    let emit =
        |node: &Node| node.emit().map_err(|error| RenderError::Unsupported(error.to_string()));
    let mut text = emit(&properties)?;
    for name in walk::references(&properties)?.values {
        if let Some(value) = parameters.get(&name) {
            text.extend([&name, "=", value, "\n"]);
        }
        let Some(resource) = root.get("Resources").and_then(|all| all.get(&name)) else { continue };
        let kind = self::text(resource, "Type").unwrap_or_default();
        let identity = IDENTITY.iter().find(|(known, _)| *known == kind);
        for property in identity.map_or(&[][..], |(_, properties)| properties) {
            let value = resource.get("Properties").and_then(|all| all.get(property));
            let value = value.map(&emit).transpose()?.unwrap_or_default();
            text.extend([&name, ".", property, "=", &value, "\n"]);
        }
    }
    Ok(text)
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::text)
}

/// The logical id of the function's version in a rendered template.
#[must_use]
pub fn version_id(body: &str) -> Option<String> {
    let root = Node::parse(body).ok()?;
    let is_version =
        |(_, node): &&(String, Node)| text(node, "Type") == Some("AWS::Lambda::Version");
    root.get("Resources")?.entries().iter().find(is_version).map(|(id, _)| id.clone())
}

#[cfg(test)]
mod tests;
