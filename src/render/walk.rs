//! Going through a template: fill in values, rename logical ids, collect references.

use std::collections::{BTreeMap, BTreeSet};

use super::RenderError;
use crate::yaml::Node;

/// What a template refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refs {
    /// Parameters, resources and pseudo parameters.
    pub values: BTreeSet<String>,
    /// Conditions.
    pub conditions: BTreeSet<String>,
}

/// Puts literals where `!Ref` and `!Sub` name a known parameter.
pub(super) fn substitute(node: &mut Node, values: &BTreeMap<String, Node>) {
    match node {
        Node::List(items) => items.iter_mut().for_each(|item| substitute(item, values)),
        Node::Map(entries) => entries.iter_mut().for_each(|(_, v)| substitute(v, values)),
        Node::Call(name, argument) => {
            substitute(argument, values);
            let replacement = match (name.as_str(), argument.as_ref()) {
                ("Ref", Node::Text(target)) => values.get(target).cloned(),
                ("Sub", Node::Text(text)) => Some(fill_text(text, values)),
                _ => None,
            };
            if let Some(replacement) = replacement {
                *node = replacement;
            }
        }
        _ => {}
    }
}

fn fill_text(text: &str, values: &BTreeMap<String, Node>) -> Node {
    let mut open = false;
    let mut filled = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Plain(plain) => filled.push_str(plain),
            Part::Name(name) => match values.get(name) {
                Some(Node::Text(value)) => filled.push_str(value),
                Some(Node::Int(value)) => filled.push_str(&value.to_string()),
                _ => {
                    open = true;
                    filled.push_str("${");
                    filled.push_str(name);
                    filled.push('}');
                }
            },
        }
    }
    // `${!X}` stays as written only inside a `!Sub`, which is where it means `${X}`.
    if open || filled.contains("${!") {
        Node::Call("Sub".into(), Box::new(Node::Text(filled)))
    } else {
        Node::Text(filled)
    }
}

enum Part<'a> {
    Plain(&'a str),
    Name(&'a str),
}

/// Splits the text of a `!Sub` at its `${Name}`s; `${!Name}` is plain text.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let (before, inner) = (&rest[..start], &rest[start + 2..start + length]);
        let end = start + length + 1;
        if inner.starts_with('!') {
            found.push(Part::Plain(&rest[..end]));
        } else {
            found.push(Part::Plain(before));
            found.push(Part::Name(inner));
        }
        rest = &rest[end..];
    }
    found.push(Part::Plain(rest));
    found
}

/// Gives logical ids other names, wherever they are written.
pub(super) fn rename(root: &mut Node, renames: &BTreeMap<String, String>) {
    if renames.is_empty() {
        return;
    }
    if let Some(Node::Map(resources)) = root.get_mut("Resources") {
        for (id, resource) in resources {
            if let Some(new) = renames.get(id) {
                new.clone_into(id);
            }
            match resource.get_mut("DependsOn") {
                Some(Node::List(items)) => items.iter_mut().for_each(|i| rename_text(i, renames)),
                Some(one) => rename_text(one, renames),
                None => {}
            }
        }
    }
    rename_calls(root, renames);
}

fn rename_calls(node: &mut Node, renames: &BTreeMap<String, String>) {
    match node {
        Node::List(items) => items.iter_mut().for_each(|item| rename_calls(item, renames)),
        Node::Map(entries) => entries.iter_mut().for_each(|(_, v)| rename_calls(v, renames)),
        Node::Call(name, argument) => match (name.as_str(), argument.as_mut()) {
            ("Ref" | "GetAtt", target @ Node::Text(_)) => rename_text(target, renames),
            ("Sub", Node::Text(text)) => {
                for (old, new) in renames {
                    *text = text
                        .replace(&format!("${{{old}}}"), &format!("${{{new}}}"))
                        .replace(&format!("${{{old}."), &format!("${{{new}."));
                }
            }
            (_, other) => rename_calls(other, renames),
        },
        _ => {}
    }
}

/// `Old` → `New` and `Old.Attribute` → `New.Attribute`.
fn rename_text(node: &mut Node, renames: &BTreeMap<String, String>) {
    let Node::Text(text) = node else { return };
    let (id, attribute) = match text.split_once('.') {
        Some((id, attribute)) => (id, format!(".{attribute}")),
        None => (text.as_str(), String::new()),
    };
    if let Some(new) = renames.get(id) {
        *text = format!("{new}{attribute}");
    }
}

/// Everything that a template refers to, or why it can't be determined.
pub(super) fn references(root: &Node) -> Result<Refs, RenderError> {
    let mut refs = Refs::default();
    collect(root, &mut refs)?;
    for section in ["Resources", "Outputs"] {
        for (_, item) in root.get(section).map_or(&[][..], Node::entries) {
            if let Some(condition) = item.get("Condition").and_then(Node::text) {
                refs.conditions.insert(condition.to_owned());
            }
            match item.get("DependsOn") {
                Some(Node::List(ids)) => {
                    refs.values.extend(ids.iter().filter_map(Node::text).map(str::to_owned));
                }
                Some(Node::Text(id)) => {
                    refs.values.insert(id.clone());
                }
                _ => {}
            }
        }
    }
    Ok(refs)
}

fn collect(node: &Node, refs: &mut Refs) -> Result<(), RenderError> {
    match node {
        Node::List(items) => items.iter().try_for_each(|item| collect(item, refs)),
        Node::Map(entries) => entries.iter().try_for_each(|(key, value)| {
            if key == "Ref" || key.starts_with("Fn::") {
                let message = format!("write `{key}` in its short form");
                return Err(RenderError::Unsupported(message));
            }
            collect(value, refs)
        }),
        Node::Call(name, argument) => collect_call(name, argument, refs),
        _ => Ok(()),
    }
}

fn collect_call(name: &str, argument: &Node, refs: &mut Refs) -> Result<(), RenderError> {
    match (name, argument) {
        ("Ref", Node::Text(target)) => {
            refs.values.insert(target.clone());
        }
        ("GetAtt", Node::Text(target)) => {
            let id = target.split('.').next().unwrap_or(target);
            refs.values.insert(id.to_owned());
        }
        ("Sub", Node::Text(text)) => {
            for part in parts(text) {
                if let Part::Name(name) = part {
                    let id = name.split('.').next().unwrap_or(name);
                    refs.values.insert(id.to_owned());
                }
            }
        }
        ("Condition", Node::Text(condition)) => {
            refs.conditions.insert(condition.clone());
        }
        ("If", Node::List(items)) if items.len() == 3 => {
            if let Some(condition) = items[0].text() {
                refs.conditions.insert(condition.to_owned());
            }
            return items[1..].iter().try_for_each(|item| collect(item, refs));
        }
        ("Equals" | "Not" | "And" | "Or" | "Select" | "Join" | "Split", Node::List(_)) => {
            return collect(argument, refs);
        }
        _ => return Err(RenderError::Unsupported(format!("`!{name}` in this form"))),
    }
    Ok(())
}
