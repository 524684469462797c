//! A template and what is known about it → the template that `CloudFormation` gets.
//!
//! Structural and pure: parse, fill, fold, check, emit. Known parameters become literals (so
//! that names are static, which a later import of kept tables needs), conditions that are thereby
//! decided disappear with what hung on them, and the rest stays a parameter. The same input gives
//! the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::yaml::Node;

mod fold;
mod version;
mod walk;

pub use version::{pin_version, version_id};
pub use walk::Refs;

/// `CloudFormation` takes a template of this many bytes inline; a larger one would need a bucket.
/// Source: "CloudFormation quotas", AWS `CloudFormation` User Guide.
pub const INLINE_LIMIT_BYTES: usize = 51_200;

/// The output that says which template a stack was last given.
pub const DIGEST_OUTPUT: &str = "TemplateDigest";

/// What is known before anything runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fill {
    /// Parameter or pseudo parameter → its value.
    pub values: BTreeMap<String, Node>,
    /// Logical id → the logical id it gets instead.
    pub renames: BTreeMap<String, String>,
    /// Write every resource so that deleting the stack deletes it too.
    pub disposable: bool,
}

/// A template ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The YAML text.
    pub body: String,
    /// SHA-256 of the text without the digest output, as hex.
    pub digest: String,
    /// The parameters that are still to be given.
    pub parameters: BTreeSet<String>,
    /// What the stack has.
    pub resources: Vec<Resource>,
}

/// A resource of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Logical id.
    pub id: String,
    /// Type, such as `AWS::S3::Bucket`.
    pub kind: String,
    /// The resources that it refers to, and so waits for.
    pub after: Vec<String>,
}

/// Why a template can't be rendered: always a mistake in the template or in its table entry.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The text is not YAML.
    #[error("not YAML: {0}")]
    Parse(String),
    /// A value is given for a parameter that the template does not have.
    #[error("there is no parameter `{0}`")]
    UnknownParameter(String),
    /// A value is not among the parameter's `AllowedValues`.
    #[error("parameter `{name}` does not allow `{value}`")]
    NotAllowed {
        /// The parameter.
        name: String,
        /// The value that was given.
        value: String,
    },
    /// Something is referred to that is not there.
    #[error("`{0}` is referred to and not there")]
    Dangling(String),
    /// A parameter is left that nothing uses.
    #[error("parameter `{0}` is used by nothing")]
    Unused(String),
    /// A construct that the templates do without.
    #[error("{0}")]
    Unsupported(String),
    /// Too large to be sent inline.
    #[error("{0} bytes, more than the {INLINE_LIMIT_BYTES} that can be sent inline")]
    TooLarge(usize),
}

/// Renders one template.
pub fn render(source: &str, fill: &Fill) -> Result<Rendered, RenderError> {
    let mut root = Node::parse(source).map_err(|error| RenderError::Parse(error.to_string()))?;
    check_values(&root, fill)?;
    walk::substitute(&mut root, &fill.values);
    if let Some(parameters) = root.get_mut("Parameters") {
        for name in fill.values.keys() {
            parameters.remove(name);
        }
    }
    fold::conditions(&mut root)?;
    walk::rename(&mut root, &fill.renames);
    if fill.disposable {
        make_disposable(&mut root);
    }
    for section in ["Parameters", "Conditions", "Outputs"] {
        if root.get(section).is_some_and(|node| node.entries().is_empty()) {
            root.remove(section);
        }
    }
    let parameters = check_references(&root)?;
    finish(root, parameters)
}

/// Reads a template back that was rendered before.
pub fn read_back(body: &str) -> Result<Rendered, RenderError> {
    let root = Node::parse(body).map_err(|error| RenderError::Parse(error.to_string()))?;
    let output = root.get("Outputs").and_then(|outputs| outputs.get(DIGEST_OUTPUT));
    let digest = output.and_then(|output| output.get("Value")).and_then(Node::text);
    Ok(Rendered {
        body: body.to_owned(),
        digest: digest.unwrap_or_default().to_owned(),
        parameters: check_references(&root)?,
        resources: resources(&root)?,
    })
}

/// Sets a property wherever resources of a type lack it, in a template that was rendered before.
/// Its digest output is unchanged: it identifies the template that the account was given.
pub fn complete(
    body: &str,
    kind: &str,
    property: &str,
    value: &str,
) -> Result<String, RenderError> {
    let mut root = Node::parse(body).map_err(|error| RenderError::Parse(error.to_string()))?;
    let lacks = |node: &Node| {
        let is_it = node.get("Type").and_then(Node::text) == Some(kind);
        is_it && node.get("Properties").is_some_and(|all| all.get(property).is_none())
    };
    let resources = root.get("Resources").map_or(&[][..], Node::entries);
    let ids: Vec<String> =
        resources.iter().filter(|(_, node)| lacks(node)).map(|(id, _)| id.clone()).collect();
    if ids.is_empty() {
        return Ok(body.to_owned());
    }
    for id in ids {
        let resource = root.get_mut("Resources").and_then(|all| all.get_mut(&id));
        if let Some(properties) = resource.and_then(|resource| resource.get_mut("Properties")) {
            properties.set(property, value.into());
        }
    }
    root.emit().map_err(|error| RenderError::Unsupported(error.to_string()))
}

fn finish(mut root: Node, parameters: BTreeSet<String>) -> Result<Rendered, RenderError> {
    let emit = |root: &Node| root.emit().map_err(|e| RenderError::Unsupported(e.to_string()));
    let digest = hex(&Sha256::digest(emit(&root)?));
    if root.get("Outputs").is_none() {
        root.set("Outputs", Node::Map(Vec::new()));
    }
    if let Some(outputs) = root.get_mut("Outputs") {
        let entry = vec![
            ("Description".to_owned(), "Which template this stack was last given".into()),
            ("Value".to_owned(), digest.as_str().into()),
        ];
        outputs.set(DIGEST_OUTPUT, Node::Map(entry));
    }
    let body = emit(&root)?;
    if body.len() > INLINE_LIMIT_BYTES {
        return Err(RenderError::TooLarge(body.len()));
    }
    let resources = resources(&root)?;
    Ok(Rendered { body, digest, parameters, resources })
}

/// The resources of a template, with what each waits for.
pub fn resources(root: &Node) -> Result<Vec<Resource>, RenderError> {
    let entries = root.get("Resources").map_or(&[][..], Node::entries);
    let one = |(id, node): &(String, Node)| {
        let refs = walk::references(node)?.values;
        let is_other = |name: &String| name != id && entries.iter().any(|(id, _)| id == name);
        let mut after: BTreeSet<String> = refs.into_iter().filter(is_other).collect();
        match node.get("DependsOn") {
            Some(Node::Text(name)) => after.extend([name.clone()]),
            Some(Node::List(names)) => {
                after.extend(names.iter().filter_map(Node::text).map(str::to_owned));
            }
            _ => {}
        }
        let kind = node.get("Type").and_then(Node::text).unwrap_or_default().to_owned();
        Ok(Resource { id: id.clone(), kind, after: after.into_iter().collect() })
    };
    entries.iter().map(one).collect()
}

fn check_values(root: &Node, fill: &Fill) -> Result<(), RenderError> {
    for (name, value) in &fill.values {
        if name.starts_with("AWS::") {
            continue;
        }
        let parameter = root
            .get("Parameters")
            .and_then(|parameters| parameters.get(name))
            .ok_or_else(|| RenderError::UnknownParameter(name.clone()))?;
        if let Some(Node::List(allowed)) = parameter.get("AllowedValues")
            && !allowed.contains(value)
        {
            let value = value.text().map_or_else(|| format!("{value:?}"), str::to_owned);
            return Err(RenderError::NotAllowed { name: name.clone(), value });
        }
    }
    Ok(())
}

/// Every reference has a target and every parameter left has a use.
fn check_references(root: &Node) -> Result<BTreeSet<String>, RenderError> {
    let names = |section: &str| -> BTreeSet<String> {
        let entries = root.get(section).map_or(&[][..], Node::entries);
        entries.iter().map(|(name, _)| name.clone()).collect()
    };
    let (parameters, resources) = (names("Parameters"), names("Resources"));
    let conditions = names("Conditions");
    let refs = walk::references(root)?;
    for name in &refs.values {
        let known = name.starts_with("AWS::") || parameters.contains(name);
        if !known && !resources.contains(name) {
            return Err(RenderError::Dangling(name.clone()));
        }
    }
    if let Some(name) = refs.conditions.difference(&conditions).next() {
        return Err(RenderError::Dangling(name.clone()));
    }
    if let Some(name) = parameters.difference(&refs.values).next() {
        return Err(RenderError::Unused(name.clone()));
    }
    Ok(parameters)
}

/// The template with only these resources and without outputs: what `CloudFormation` takes to make
/// a stack around resources that are there.
pub fn only(body: &str, resources: &[&str]) -> Result<String, RenderError> {
    let mut root = Node::parse(body).map_err(|error| RenderError::Parse(error.to_string()))?;
    root.remove("Outputs");
    if let Some(Node::Map(all)) = root.get_mut("Resources") {
        all.retain(|(id, _)| resources.contains(&id.as_str()));
    }
    root.emit().map_err(|error| RenderError::Unsupported(error.to_string()))
}

fn make_disposable(root: &mut Node) {
    let Some(Node::Map(resources)) = root.get_mut("Resources") else { return };
    for (_, resource) in resources {
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            if resource.get(policy).is_some() {
                resource.set(policy, "Delete".into());
            }
        }
    }
}

/// Bytes as lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The key attributes of a table in a template, as `NAME TYPE KIND`, sorted.
#[must_use]
pub fn table_keys(resource: &Node) -> Vec<String> {
    let properties = resource.get("Properties");
    let list = |name: &str| properties.and_then(|of| of.get(name)).map_or(&[][..], Node::items);
    let text = |node: &Node, name: &str| {
        node.get(name).and_then(Node::text).unwrap_or_default().to_owned()
    };
    let kind_of = |attribute: &str| {
        let named = |node: &&Node| text(node, "AttributeName") == attribute;
        list("AttributeDefinitions").iter().find(named).map(|node| text(node, "AttributeType"))
    };
    let key = |node: &Node| {
        let name = text(node, "AttributeName");
        format!("{name} {} {}", kind_of(&name).unwrap_or_default(), text(node, "KeyType"))
    };
    let mut keys: Vec<String> = list("KeySchema").iter().map(key).collect();
    keys.sort();
    keys
}

#[cfg(test)]
mod tests;
