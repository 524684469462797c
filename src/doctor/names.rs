//! Names that the stacks will use and that may already be taken.
//!
//! The list is read off the templates as they would be sent, so that it grows with them.
//! `CloudFormation` checks only some types' names before it begins.

use tokio::task::JoinSet;

use super::{Case, Finding, Level};
use crate::failure::Failure;
use crate::model::{Place, Stack};
use crate::ports::Thing;
use crate::render::Rendered;
use crate::yaml::Node;

/// How many names are looked for at the same time.
const LOOKS: usize = 8;

/// Type → the property with its name, and what it names.
pub(super) const NAMED: &[(&str, &[&str], Thing)] = &[
    ("AWS::CloudFront::Function", &["Name"], Thing::EdgeFunction),
    (
        "AWS::CloudFront::OriginAccessControl",
        &["OriginAccessControlConfig", "Name"],
        Thing::OriginAccess,
    ),
    (
        "AWS::CloudFront::ResponseHeadersPolicy",
        &["ResponseHeadersPolicyConfig", "Name"],
        Thing::HeadersPolicy,
    ),
    ("AWS::IAM::ManagedPolicy", &["ManagedPolicyName"], Thing::ManagedPolicy),
    ("AWS::KMS::Alias", &["AliasName"], Thing::KeyAlias),
    ("AWS::Lambda::Function", &["FunctionName"], Thing::Function),
    ("AWS::Logs::DeliveryDestination", &["Name"], Thing::DeliveryDestination),
    ("AWS::Logs::DeliverySource", &["Name"], Thing::DeliverySource),
    ("AWS::Logs::LogGroup", &["LogGroupName"], Thing::LogGroup),
    ("AWS::SES::ConfigurationSet", &["Name"], Thing::ConfigurationSet),
];

/// A name that a stack will give.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) place: Place,
    pub(super) thing: Thing,
    pub(super) kind: String,
    pub(super) text: String,
}

/// The names that a template gives.
pub(super) fn given(stack: Stack, rendered: &Rendered) -> Result<Vec<Name>, Failure> {
    let root = Node::parse(&rendered.body).map_err(|e| Failure::bug(e.to_string()))?;
    let mut names = Vec::new();
    for (_, resource) in root.get("Resources").map(Node::entries).unwrap_or_default() {
        let kind = resource.get("Type").and_then(Node::text).unwrap_or_default();
        let Some((_, path, thing)) = NAMED.iter().find(|(of, _, _)| *of == kind) else { continue };
        let mut at = resource.get("Properties");
        for step in *path {
            at = at.and_then(|node| node.get(step));
        }
        if let Some(name) = at.and_then(Node::text) {
            let (place, thing, kind) = (stack.place(), *thing, kind.to_owned());
            names.push(Name { place, thing, kind, text: name.to_owned() });
        }
    }
    Ok(names)
}

pub(super) async fn clashes(case: &Case) -> Vec<Finding> {
    if let Some(failure) = &case.unseen {
        return vec![Finding::unknown("names", failure)];
    }
    let mut names = Vec::new();
    for (stack, rendered) in &case.rendered {
        // A stack that is there has its names itself.
        if !case.stacks.contains_key(stack) {
            match given(*stack, rendered) {
                Ok(more) => names.extend(more),
                Err(failure) => return vec![Finding::unknown("names", &failure)],
            }
        }
    }
    let count = names.len();
    let (mut taken, mut unknown) = (Vec::new(), Vec::new());
    let mut looking = JoinSet::new();
    let mut names = names.into_iter();
    loop {
        while looking.len() < LOOKS
            && let Some(name) = names.next()
        {
            let port = case.world.preflight.clone();
            looking.spawn(async move {
                let is_taken = port.is_taken(name.place, name.thing, &name.text).await;
                (name, is_taken)
            });
        }
        match looking.join_next().await {
            None => break,
            Some(Ok((name, Ok(true)))) => taken.push(format!("{} ({})", name.text, name.kind)),
            Some(Ok((_, Ok(false)))) => {}
            Some(Ok((name, Err(failure)))) => unknown.push((name.kind, failure)),
            Some(Err(error)) => unknown.push((String::new(), Failure::bug(error.to_string()))),
        }
    }
    match case.world.ownership.survey().await {
        Ok(survey) => {
            taken.extend(survey.strangers.iter().map(|one| format!("{}: {}", one.what, one.why)));
        }
        Err(failure) => unknown.push(("tags".into(), failure)),
    }
    taken.sort();
    let mut found = Vec::new();
    if !taken.is_empty() {
        let is = format!("taken: {}", taken.join(", "));
        found.push(Finding::new("names", Level::Problem, is));
    }
    unknown.sort_by(|one, other| one.0.cmp(&other.0));
    unknown.dedup_by(|one, other| one.0 == other.0);
    found.extend(unknown.into_iter().map(|(kind, failure)| {
        let finding = Finding::unknown("names", &failure);
        Finding { is: format!("{kind}: {}", finding.is), ..finding }
            .cure("look by hand, or ask for the permission; a name that is taken stops its stack")
    }));
    if found.is_empty() {
        found.push(Finding::new("names", Level::Ok, format!("all {count} are free")));
    }
    found
}
