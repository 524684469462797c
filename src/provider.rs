//! What AWS's provider schemas say about the resource types in our templates: which actions each
//! handler calls, and which Regions have the type. Pure.
//!
//! `provider.json` is generated from the schemas that cfn-lint keeps; a test holds it to them, and
//! `cargo xtask docs` writes it again.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::Region;

#[derive(Debug, Default, Deserialize)]
struct Schemas {
    /// Resource type → handler, such as `create`, or `tag` → actions.
    types: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Region → the types that it lacks.
    regions: BTreeMap<String, Vec<String>>,
}

static SCHEMAS: LazyLock<Schemas> =
    LazyLock::new(|| serde_json::from_str(include_str!("provider.json")).unwrap_or_default());

/// Regions without account-regional bucket names, which every bucket of ours has. The schemas list
/// types only. Source: "Introducing account regional namespaces for Amazon S3 general purpose
/// buckets", AWS News Blog.
const NO_BUCKET_NAMESPACE: &[&str] = &["me-central-1", "me-south-1"];

/// The actions that a handler of a resource type calls; none for a type we don't use.
#[must_use]
pub fn actions(kind: &str, handler: &str) -> &'static [String] {
    let handlers = SCHEMAS.types.get(kind);
    handlers.and_then(|handlers| handlers.get(handler)).map_or(&[], Vec::as_slice)
}

/// Whether a galaxy can live in a Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suits {
    /// It has everything.
    Yes,
    /// It lacks these.
    Lacks(Vec<String>),
    /// AWS added it after this program was built.
    Unknown,
}

impl Suits {
    /// Looks a Region up.
    #[must_use]
    pub fn of(region: &Region) -> Self {
        let name = region.as_str();
        let mut lacks: Vec<String> = match SCHEMAS.regions.get(name) {
            Some(lacks) => lacks.clone(),
            None if NO_BUCKET_NAMESPACE.contains(&name) => Vec::new(),
            None => return Self::Unknown,
        };
        if NO_BUCKET_NAMESPACE.contains(&name) {
            lacks.push("account-regional S3 bucket names".to_owned());
        }
        if lacks.is_empty() { Self::Yes } else { Self::Lacks(lacks) }
    }

    /// What to say where it is not a plain yes.
    #[must_use]
    pub fn sentence(&self, region: &Region) -> Option<String> {
        match self {
            Self::Yes => None,
            Self::Lacks(what) => Some(format!("{region} has no {}", what.join(", no "))),
            Self::Unknown => {
                Some(format!("{region} is newer than this program, which can't tell what it has"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(region: &str) -> Suits {
        Suits::of(&Region::parse(region).expect("a Region"))
    }

    #[test]
    fn a_region_without_a_type_is_told_from_one_that_is_new() {
        assert_eq!(of("eu-central-1"), Suits::Yes);
        assert_eq!(of("us-east-1"), Suits::Yes, "the Region of the sites");
        for without_mail in ["ap-east-1", "ap-southeast-7", "eu-south-2", "mx-central-1"] {
            let Suits::Lacks(what) = of(without_mail) else { panic!("{without_mail}") };
            assert!(what.contains(&"AWS::SES::EmailIdentity".to_owned()), "{what:?}");
        }
        for without_buckets in NO_BUCKET_NAMESPACE {
            assert!(matches!(of(without_buckets), Suits::Lacks(_)), "{without_buckets}");
        }
        assert_eq!(of("eu-north-7"), Suits::Unknown);
        let said = of("eu-north-7").sentence(&Region::parse("eu-north-7").expect("a Region"));
        assert!(said.is_some_and(|said| said.contains("newer than this program")));
    }

    #[test]
    fn handlers_are_known_for_our_types() {
        assert!(actions("AWS::ApiGatewayV2::Stage", "create").len() > 1);
        assert!(actions("AWS::Some::Thing", "create").is_empty());
    }
}
