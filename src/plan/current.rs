//! Whether a stack is as its template and the other stacks' outputs want it.

use std::collections::BTreeMap;

use crate::catalog;
use crate::model::{ID_TAG, Outputs, Stack, StackSeen};
use crate::render::{DIGEST_OUTPUT, Rendered};

/// The values that other stacks give, if all of them are known.
#[must_use]
pub fn resolve(
    stack: Stack,
    outputs: &BTreeMap<Stack, &Outputs>,
) -> Option<BTreeMap<String, String>> {
    let value = |input: catalog::Input| {
        let value = outputs.get(&input.stack)?.get(input.output)?.clone();
        Some((input.parameter.to_owned(), value))
    };
    let mut values = catalog::constants(stack);
    for input in catalog::inputs(stack) {
        let (parameter, value) = value(input)?;
        values.insert(parameter, value);
    }
    Some(values)
}

/// Whether a stack already is what this template and these values would make of it.
#[must_use]
pub fn is_current(
    seen: &StackSeen,
    rendered: &Rendered,
    inputs: &BTreeMap<String, String>,
) -> bool {
    let marked = seen.tags.contains_key(ID_TAG);
    // What a stack keeps is not for us to compare.
    let mut has = seen.parameters.clone();
    let drawn = [catalog::SHIELD_SECRET, catalog::SHIELD_DIGEST];
    has.retain(|name, _| {
        let kept = catalog::kept(Stack::Auth).is_some_and(|kept| kept.0 == name);
        !kept && !drawn.contains(&name.as_str())
    });
    let digest = seen.outputs.get(DIGEST_OUTPUT);
    marked && digest == Some(&rendered.digest) && has == *inputs
}
