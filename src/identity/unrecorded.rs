//! Galaxies from before there were records: what proves that a resource is theirs. Pure.
//!
//! Every stack carries the tag `spaceduck:install` with the galaxy's name and outputs the digest of
//! its template; every stack but the first works with the role that the first one made, and IAM
//! draws a part of that role's name; a site's template names the home Region. Together no other
//! galaxy has them.

use std::collections::BTreeMap;

use super::Subject;
use crate::model::{ID_TAG, STACK_TAG, Stack, StackSeen, StackStatus, TAG, Tags};
use crate::render::DIGEST_OUTPUT;

/// Stacks that are not the galaxy's, and why.
type Others = Vec<(Stack, StackSeen, String)>;

/// Sorts stacks of the galaxy's names: its own, and others.
pub(super) fn sort(
    subject: &Subject,
    found: BTreeMap<Stack, StackSeen>,
    regions: &BTreeMap<Stack, String>,
) -> (BTreeMap<Stack, StackSeen>, Others) {
    let first = found.get(&Stack::Bootstrap);
    let first = first.filter(|seen| doubt(subject, seen).is_none()).cloned();
    let (mut ours, mut others) = (BTreeMap::new(), Vec::new());
    for (stack, seen) in found {
        let why = doubt(subject, &seen).or_else(|| apart(subject, stack, &seen, first.as_ref()));
        let abroad = regions.get(&stack).filter(|region| **region != subject.home.as_str());
        let why = why.or_else(|| {
            abroad.map(|region| {
                format!("it is of the galaxy `{}` that lives in {region}", subject.galaxy)
            })
        });
        match why {
            None => {
                ours.insert(stack, seen);
            }
            Some(why) => others.push((stack, seen, why)),
        }
    }
    (ours, others)
}

/// Why a stack by itself is not the galaxy's.
fn doubt(subject: &Subject, seen: &StackSeen) -> Option<String> {
    if let Some(id) = seen.tags.get(ID_TAG) {
        return Some(format!("its tag `{ID_TAG}` names the galaxy {id}, which has no record"));
    }
    if seen.tags.get(TAG).is_none_or(|name| *name != subject.galaxy.as_str()) {
        return Some(format!("it does not carry the tag `{TAG}`"));
    }
    // A stack that never came to be, or is on its way, says nothing yet.
    let says = matches!(seen.status, StackStatus::Ready | StackStatus::Stuck(_));
    (says && !seen.outputs.contains_key(DIGEST_OUTPUT))
        .then(|| "it does not say the digest of a spaceduck template".to_owned())
}

/// Why a stack does not belong to the galaxy's first one.
fn apart(
    subject: &Subject,
    stack: Stack,
    seen: &StackSeen,
    first: Option<&StackSeen>,
) -> Option<String> {
    if stack == Stack::Bootstrap {
        return None;
    }
    let Some(first) = first else {
        let name = Stack::Bootstrap.name(&subject.galaxy);
        return Some(format!("there is no stack `{name}` of the galaxy that it could be part of"));
    };
    let (role, ours) = (seen.role.as_ref()?, first.outputs.get("CfnServiceRoleArn")?);
    (role != ours).then(|| format!("CloudFormation works on it with another role, {role}"))
}

/// Whether something that a stack retained is the galaxy's.
pub(super) fn retained(subject: &Subject, maker: &str, tags: &Tags) -> Result<(), String> {
    if let Some(id) = tags.get(ID_TAG) {
        return Err(format!("its tag `{ID_TAG}` names the galaxy {id}, which has no record"));
    }
    if tags.get(TAG).is_none_or(|name| *name != subject.galaxy.as_str()) {
        return Err(format!("it does not carry the tag `{TAG}`"));
    }
    match tags.get(STACK_TAG) {
        Some(arn) if arn.contains(&format!("stack/{maker}/")) => Ok(()),
        Some(arn) => Err(format!("AWS says that another stack made it, {arn}")),
        None => Err("AWS does not say that a stack of the galaxy made it".to_owned()),
    }
}

/// The Region whose APIs a site's template lets its pages call.
pub(super) fn home_of_site(body: &str) -> Option<String> {
    let (_, rest) = body.split_once("https://*.execute-api.")?;
    let (region, _) = rest.split_once(".amazonaws.com")?;
    (!region.is_empty() && !region.contains('*')).then(|| region.to_owned())
}
