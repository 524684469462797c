//! What a template gives to a role, as IAM's simulator can be asked for it.

use std::collections::BTreeMap;

use crate::model::{AccountId, GalaxyName, Region};
use crate::ports::Right;
use crate::yaml::Node;

/// Who a template is for.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) name: &'a GalaxyName,
    pub(super) account: &'a AccountId,
    pub(super) region: &'a Region,
    /// The stack's parameters, and attributes of its resources as `ID.Attribute`.
    pub(super) values: &'a BTreeMap<String, String>,
}

/// The rights in the policies of a role of the template, and how many actions the simulator can't
/// be asked for: those with wildcards, without an ARN that is known, or on a condition that needs a
/// key. A condition `…IfExists` holds for a request without its key.
pub(super) fn of_role(template: &str, role: &str, subject: Subject<'_>) -> (Vec<Right>, usize) {
    let Ok(root) = Node::parse(template) else { return (Vec::new(), 1) };
    let statements = root
        .get("Resources")
        .and_then(|all| all.get(role)?.get("Properties")?.get("Policies"))
        .map(list)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|policy| policy.get("PolicyDocument")?.get("Statement"))
        .flat_map(list)
        .map(|statement| match statement {
            // What is there only on a condition is looked at as if it were there.
            Node::Call(name, parts) if name == "If" => list(parts).get(1).copied().unwrap_or(parts),
            statement => statement,
        });
    let (mut rights, mut left_out) = (Vec::new(), 0);
    for statement in statements {
        let texts = |key: &str| statement.get(key).map(list).unwrap_or_default();
        let resources: Vec<String> =
            texts("Resource").into_iter().filter_map(|node| resolved(node, subject)).collect();
        let actions = texts("Action").into_iter().filter_map(Node::text);
        let (wild, actions): (Vec<&str>, Vec<&str>) = actions.partition(|a| a.contains('*'));
        let allows = statement.get("Effect").and_then(Node::text) == Some("Allow");
        left_out += wild.len();
        if !allows || needs_a_key(statement) || resources.is_empty() {
            left_out += actions.len();
        } else if !actions.is_empty() {
            let actions = actions.into_iter().map(str::to_owned).collect();
            rights.push(Right { actions, resources });
        }
    }
    (rights, left_out)
}

fn needs_a_key(statement: &Node) -> bool {
    let operators = statement.get("Condition").map_or(&[][..], Node::entries);
    operators.iter().any(|(operator, _)| !operator.ends_with("IfExists"))
}

fn list(node: &Node) -> Vec<&Node> {
    match node {
        Node::List(items) => items.iter().collect(),
        one => vec![one],
    }
}

/// An ARN with its variables filled in; nothing if it has others.
fn resolved(node: &Node, subject: Subject<'_>) -> Option<String> {
    let text = match node {
        Node::Text(text) => text.clone(),
        Node::Call(name, text) if name == "Sub" => text.text()?.to_owned(),
        Node::Call(name, of) if name == "Ref" || name == "GetAtt" => {
            return subject.values.get(of.text()?).cloned();
        }
        _ => return None,
    };
    let account = subject.account.to_string();
    let known: [(&str, &str); 4] = [
        ("${AWS::Partition}", "aws"),
        ("${AWS::Region}", subject.region.as_str()),
        ("${AWS::AccountId}", &account),
        ("${Prefix}", subject.name.as_str()),
    ];
    let text = known.iter().fold(text, |text, (name, value)| text.replace(name, value));
    (!text.contains("${")).then(|| at_home(&text, subject))
}

/// An ARN that leaves Region or account open, with ours: the simulator takes another account's
/// resource for one whose own policy has to allow the caller too.
fn at_home(arn: &str, subject: Subject<'_>) -> String {
    let account = subject.account.to_string();
    let ours = [None, None, None, Some(subject.region.as_str()), Some(account.as_str())];
    let parts = arn.splitn(6, ':').enumerate().map(|(at, part)| match ours.get(at) {
        Some(Some(ours)) if part == "*" => *ours,
        _ => part,
    });
    parts.collect::<Vec<_>>().join(":")
}
