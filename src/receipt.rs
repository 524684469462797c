//! What a removal has left in the account, why, and what it costs. Pure.

use std::path::Path;

use crate::event::Left;
use crate::model::{GalaxyName, Stack, StackSeen};

/// A key costs a dollar a month, from its creation until its deletion is scheduled.
/// Source: AWS Key Management Service pricing.
const KEY_CENTS: u32 = 100;

/// What is left of the stacks, and what else carries the galaxy's tag.
#[must_use]
pub fn receipt(galaxy: &GalaxyName, kept: &[(Stack, StackSeen)], tagged: &[String]) -> Vec<Left> {
    let stack = |(stack, _): &(Stack, StackSeen)| Left {
        item: stack.name(galaxy),
        why: format!("kept: it holds {}", holds(*stack)),
        monthly_cents: if *stack == Stack::Data { KEY_CENTS } else { 0 },
    };
    let mut left: Vec<Left> = kept.iter().map(stack).collect();
    if kept.is_empty() {
        // Resources of stacks that were kept are not listed one by one.
        let mut rest: Vec<Left> = tagged.iter().filter_map(|arn| remains(arn)).collect();
        rest.sort_by(|a, b| a.item.cmp(&b.item));
        left.extend(rest);
    }
    left
}

/// What `DynamoDB` keeps of tables with point-in-time recovery.
/// Source: "Point-in-time backups for `DynamoDB`", Amazon `DynamoDB` Developer Guide.
#[must_use]
pub fn system_backups(galaxy: &GalaxyName) -> Left {
    Left {
        item: format!("system backups of the tables {galaxy}-*"),
        why: "DynamoDB keeps the last state of a deleted table for 35 days, free of charge; it \
              holds people's data and can't be removed sooner"
            .into(),
        monthly_cents: 0,
    }
}

/// The file that a teardown has written.
#[must_use]
pub fn export(file: &Path) -> Left {
    let why = "the export of this teardown, on this machine: people's addresses are in it, so \
               delete it when nothing needs it any more";
    Left { item: file.display().to_string(), why: why.into(), monthly_cents: 0 }
}

/// A record that stays, since it is no longer as it was made.
#[must_use]
pub fn record(key: &str, zone: &str) -> Left {
    let why = format!(
        "in the zone {zone} of Route 53: it was changed since, so it is no longer the galaxy's"
    );
    Left { item: format!("record {key}"), why, monthly_cents: 0 }
}

fn holds(stack: Stack) -> &'static str {
    match stack {
        Stack::Data => "the tables and the key",
        Stack::Auth => "the people's accounts",
        Stack::Mail => "the mail settings",
        Stack::Bootstrap => {
            "the releases, backups of before upgrades, each for 35 days, and the role that the \
             other stacks need"
        }
        Stack::Api | Stack::ApiDomain | Stack::ApiShield | Stack::Site(_) => {
            "nothing that is needed"
        }
    }
}

/// Why something is still listed; nothing for what is only AWS's memory of a stack.
fn remains(arn: &str) -> Option<Left> {
    let service = arn.split(':').nth(2).unwrap_or_default();
    let (why, monthly_cents) = match service {
        "cloudformation" => return None,
        "ses" if arn.contains(":identity/") => (
            "kept: mail from the domain works as before, and the next `spaceduck install` takes it \
             up again; delete it in the SES console if nothing else sends from it",
            0,
        ),
        "kms" => ("it waits 30 days for its deletion and costs nothing then", 0),
        _ => ("AWS still lists it; check again in an hour, and remove it if it is still there", 0),
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

    #[test]
    fn an_identity_that_was_kept_is_told_as_kept() {
        let name = GalaxyName::parse("pond").expect("a name");
        let tagged = ["arn:aws:ses:eu-west-1:1:identity/example.org".to_owned()];
        let left = receipt(&name, &[], &tagged);
        assert!(left[0].why.starts_with("kept: mail from the domain works"), "{}", left[0].why);
    }
}
