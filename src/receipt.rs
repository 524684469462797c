//! What a removal has left in the account, why, and what it costs. Pure.

use crate::event::Left;
use crate::model::{GalaxyName, Stack, StackSeen};

/// A key costs a dollar a month, from its creation until its deletion is asked for.
/// Source: AWS Key Management Service pricing.
const KEY_CENTS: u32 = 100;

/// What stands of the stacks, and what else carries the galaxy's tag.
#[must_use]
pub fn receipt(galaxy: &GalaxyName, kept: &[(Stack, StackSeen)], tagged: &[String]) -> Vec<Left> {
    let stack = |(stack, _): &(Stack, StackSeen)| Left {
        item: stack.name(galaxy),
        why: format!("kept: it holds {}", holds(*stack)),
        monthly_cents: if *stack == Stack::Data { KEY_CENTS } else { 0 },
    };
    let mut left: Vec<Left> = kept.iter().map(stack).collect();
    if kept.is_empty() {
        // Of stacks that were kept nothing is told one by one.
        let mut rest: Vec<Left> = tagged.iter().filter_map(|arn| remains(arn)).collect();
        rest.sort_by(|a, b| a.item.cmp(&b.item));
        left.extend(rest);
    }
    left
}

/// A record that stays, since it is no longer as it was made.
#[must_use]
pub fn record(key: &str, zone: &str) -> Left {
    let why = format!(
        "in the zone {zone} of Route 53: somebody has changed it since it was made, so it is not \
         the galaxy's any more"
    );
    Left { item: format!("record {key}"), why, monthly_cents: 0 }
}

fn holds(stack: Stack) -> &'static str {
    match stack {
        Stack::Data => "the tables and the key",
        Stack::Auth => "the people's accounts",
        Stack::Mail => "the mail settings",
        Stack::Bootstrap => "the releases and the role that the other stacks need",
        Stack::Api | Stack::ApiDomain | Stack::Site(_) => "nothing that is needed",
    }
}

/// Why something is still told of; nothing for what is only AWS's memory of a stack.
fn remains(arn: &str) -> Option<Left> {
    let service = arn.split(':').nth(2).unwrap_or_default();
    let (why, monthly_cents) = match service {
        "cloudformation" => return None,
        "kms" => ("it waits 30 days for its deletion and costs nothing then", 0),
        _ => ("AWS still tells of it; look again in an hour, and remove it if it stays", 0),
    };
    Some(Left { item: arn.to_owned(), why: why.to_owned(), monthly_cents })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_removal_leaves_what_aws_keeps_for_a_while() {
        let name = GalaxyName::parse("pond").expect("a name");
        let tagged = [
            "arn:aws:kms:eu-west-1:1:key/k".to_owned(),
            "arn:aws:cloudformation:eu-west-1:1:stack/pond-data/x".to_owned(),
        ];
        let left = receipt(&name, &[], &tagged);
        assert_eq!(left.len(), 1);
        assert!(left[0].item.contains(":kms:") && left[0].monthly_cents == 0);
    }
}
