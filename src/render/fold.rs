//! Conditions that are decided already: worked out, and removed with what hung on them.

use std::collections::BTreeMap;

use super::RenderError;
use crate::yaml::Node;

/// Folds every condition that no longer depends on a parameter.
pub(super) fn conditions(root: &mut Node) -> Result<(), RenderError> {
    let definitions = match root.get("Conditions") {
        Some(Node::Map(entries)) => entries.clone(),
        _ => Vec::new(),
    };
    let mut known = BTreeMap::new();
    for (name, _) in &definitions {
        if let Some(value) = decide_named(name, &definitions, 0)? {
            known.insert(name.clone(), value);
        }
    }
    if let Some(section) = root.get_mut("Conditions") {
        for name in known.keys() {
            section.remove(name);
        }
        simplify(section, &known);
    }
    let removed = drop_items(root, "Resources", &known);
    drop_items(root, "Outputs", &known);
    forget_dependencies(root, &removed);
    fold_ifs(root, &known);
    Ok(())
}

fn decide_named(
    name: &str,
    all: &[(String, Node)],
    depth: usize,
) -> Result<Option<bool>, RenderError> {
    let Some((_, node)) = all.iter().find(|(known, _)| known == name) else {
        return Err(RenderError::Dangling(name.to_owned()));
    };
    // Conditions may name each other; a loop would never end.
    if depth > all.len() {
        return Err(RenderError::Unsupported(format!("condition `{name}` depends on itself")));
    }
    decide(node, all, depth)
}

fn decide(node: &Node, all: &[(String, Node)], depth: usize) -> Result<Option<bool>, RenderError> {
    let Node::Call(name, argument) = node else {
        return Err(RenderError::Unsupported("a condition that is not a function".into()));
    };
    match (name.as_str(), argument.as_ref()) {
        ("Condition", Node::Text(other)) => decide_named(other, all, depth + 1),
        ("Equals", Node::List(sides)) if sides.len() == 2 => {
            let literal = sides.iter().all(|side| !matches!(side, Node::Call(..)));
            Ok(literal.then(|| same(&sides[0], &sides[1])))
        }
        ("Not", Node::List(one)) if one.len() == 1 => {
            Ok(decide(&one[0], all, depth)?.map(|value| !value))
        }
        ("And" | "Or", Node::List(items)) => {
            let deciding = name == "Or";
            let values =
                items.iter().map(|item| decide(item, all, depth)).collect::<Result<Vec<_>, _>>()?;
            if values.contains(&Some(deciding)) {
                return Ok(Some(deciding));
            }
            Ok(values.iter().all(Option::is_some).then_some(!deciding))
        }
        _ => Err(RenderError::Unsupported(format!("`!{name}` in a condition"))),
    }
}

/// Equal as `CloudFormation` sees it: it compares the text, so that 0 equals '0'.
fn same(one: &Node, other: &Node) -> bool {
    match (one, other) {
        (Node::Int(number), Node::Text(text)) | (Node::Text(text), Node::Int(number)) => {
            *text == number.to_string()
        }
        _ => one == other,
    }
}

/// In conditions that stay open, decided parts of `!And` and `!Or` are left out.
fn simplify(section: &mut Node, known: &BTreeMap<String, bool>) {
    let Node::Map(entries) = section else { return };
    for (_, node) in entries {
        simplify_one(node, known);
    }
}

fn simplify_one(node: &mut Node, known: &BTreeMap<String, bool>) {
    let Node::Call(_, argument) = node else { return };
    let Node::List(items) = argument.as_mut() else { return };
    items.retain(|item| match item {
        Node::Call(name, target) if name == "Condition" => {
            target.text().is_none_or(|target| !known.contains_key(target))
        }
        _ => true,
    });
    for item in items.iter_mut() {
        simplify_one(item, known);
    }
    if let Node::Call(name, argument) = node
        && matches!(name.as_str(), "And" | "Or")
        && let Node::List(items) = argument.as_mut()
        && items.len() == 1
    {
        *node = items.remove(0);
    }
}

fn drop_items(root: &mut Node, section: &str, known: &BTreeMap<String, bool>) -> Vec<String> {
    let mut removed = Vec::new();
    let Some(Node::Map(items)) = root.get_mut(section) else { return removed };
    items.retain_mut(|(id, item)| {
        let condition = item.get("Condition").and_then(Node::text);
        match condition.and_then(|name| known.get(name)) {
            Some(true) => {
                item.remove("Condition");
                true
            }
            Some(false) => {
                removed.push(id.clone());
                false
            }
            None => true,
        }
    });
    removed
}

fn forget_dependencies(root: &mut Node, removed: &[String]) {
    let Some(Node::Map(resources)) = root.get_mut("Resources") else { return };
    let gone = |node: &Node| node.text().is_some_and(|id| removed.iter().any(|r| r == id));
    for (_, resource) in resources {
        let empty = match resource.get_mut("DependsOn") {
            Some(Node::List(ids)) => {
                ids.retain(|id| !gone(id));
                ids.is_empty()
            }
            Some(one) => gone(one),
            None => false,
        };
        if empty {
            resource.remove("DependsOn");
        }
    }
}

/// Replaces `!If` on a decided condition by its branch, and drops what became `AWS::NoValue`.
fn fold_ifs(node: &mut Node, known: &BTreeMap<String, bool>) {
    if let Some(branch) = chosen(node, known) {
        *node = branch;
        return fold_ifs(node, known);
    }
    match node {
        Node::List(items) => {
            for item in items.iter_mut() {
                fold_ifs(item, known);
            }
            items.retain(|item| !is_no_value(item));
        }
        Node::Map(entries) => {
            for (_, value) in entries.iter_mut() {
                fold_ifs(value, known);
            }
            entries.retain(|(_, value)| !is_no_value(value));
        }
        // A branch that stays open keeps its AWS::NoValue.
        Node::Call(name, argument) if name == "If" => {
            if let Node::List(items) = argument.as_mut() {
                for item in items {
                    fold_ifs(item, known);
                }
            }
        }
        Node::Call(_, argument) => fold_ifs(argument, known),
        _ => {}
    }
}

fn chosen(node: &Node, known: &BTreeMap<String, bool>) -> Option<Node> {
    let Node::Call(name, argument) = node else { return None };
    let Node::List(items) = argument.as_ref() else { return None };
    if name != "If" || items.len() != 3 {
        return None;
    }
    let value = known.get(items[0].text()?)?;
    items.get(if *value { 1 } else { 2 }).cloned()
}

fn is_no_value(node: &Node) -> bool {
    matches!(node, Node::Call(name, target)
        if name == "Ref" && target.text() == Some("AWS::NoValue"))
}
