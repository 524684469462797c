//! Every price has a source, and every resource type and property a row.

use std::collections::{BTreeMap, BTreeSet};

use super::worst::{LARGEST_ANSWER_BYTES, growth, table, worst};
use super::{FREE, PRICES};
use crate::catalog::{self, Code, Facts};
use crate::config::Config;
use crate::model::{AccountId, Region, Stack};
use crate::render::{self, Rendered};
use crate::yaml::Node;

/// Every property that any template sets, and what it costs: `-` for nothing beside its resource's
/// row, `off` for what is billed apart and has to be absent or false.
const FEATURES: &str = include_str!("features.txt");

/// Maps whose keys are no properties.
const FREE_FORM: [&str; 7] = [
    "AssumeRolePolicyDocument",
    "EventPattern",
    "KeyPolicy",
    "PolicyDocument",
    "Policies",
    "Tags",
    "Variables",
];

fn features() -> BTreeMap<&'static str, &'static str> {
    let rows = FEATURES.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|line| line.split_once(' ').expect("a path and what it costs")).collect()
}

/// The paths of all properties below a node, with the values at their ends.
fn paths(node: &Node, path: &str, found: &mut Vec<(String, Node)>) {
    match node {
        Node::Map(entries) => {
            for (key, value) in entries {
                let routes = path.ends_with(".RouteSettings");
                let key = if routes { "*" } else { key.as_str() };
                let path = format!("{path}.{key}");
                if FREE_FORM.contains(&key) {
                    found.push((path, Node::Null));
                } else {
                    paths(value, &path, found);
                }
            }
        }
        Node::List(items) => items.iter().for_each(|item| paths(item, path, found)),
        Node::Call(name, argument) if name == "If" => {
            if let Node::List(items) = argument.as_ref() {
                items.iter().skip(1).for_each(|item| paths(item, path, found));
            }
        }
        leaf => found.push((path.to_owned(), leaf.clone())),
    }
}

fn resources() -> Vec<Node> {
    let templates: BTreeSet<&str> = Stack::all().into_iter().map(catalog::template).collect();
    let roots = templates.into_iter().map(|text| Node::parse(text).expect("a template"));
    let of = |root: Node| -> Vec<Node> {
        root.get("Resources").expect("resources").entries().iter().map(|(_, n)| n.clone()).collect()
    };
    roots.flat_map(of).collect()
}

fn kind(resource: &Node) -> &str {
    resource.get("Type").and_then(Node::text).expect("a type")
}

#[test]
fn every_type_of_resource_has_a_price_or_a_reason_to_have_none() {
    let priced: BTreeSet<&str> = PRICES.iter().map(|row| row.0).collect();
    let free: BTreeSet<&str> = FREE.iter().map(|row| row.0).collect();
    assert!(priced.is_disjoint(&free));
    let all = resources();
    let used: BTreeSet<&str> = all.iter().map(kind).collect();
    for kind in used {
        assert!(priced.contains(kind) || free.contains(kind), "`{kind}` has no row in src/cost.rs");
    }
    let alarms = all.iter().filter(|one| kind(one) == "AWS::CloudWatch::Alarm").count();
    assert!(alarms <= 10, "{alarms} alarms are more than the free ones");
}

#[test]
fn every_property_was_looked_up_and_what_is_billed_apart_is_off() {
    let known = features();
    let mut missing = BTreeSet::new();
    for resource in resources() {
        let Some(properties) = resource.get("Properties") else { continue };
        let mut found = Vec::new();
        paths(properties, kind(&resource), &mut found);
        for (path, value) in found {
            match known.get(path.as_str()).copied() {
                None => {
                    missing.insert(path);
                }
                Some("off") => {
                    let off = [Node::Bool(false), Node::from("PassThrough")];
                    assert!(off.contains(&value), "{path} is billed apart");
                }
                Some(_) => {}
            }
        }
    }
    assert!(
        missing.is_empty(),
        "look up what these cost and add them to src/cost/features.txt: {missing:#?}"
    );
}

fn rendered() -> BTreeMap<Stack, Rendered> {
    let facts = Facts {
        config: Config::default(),
        account: AccountId::parse("111122223333").ok(),
        region: Region::parse("eu-central-1").ok(),
        code: Some(Code { sha256: "a".repeat(64), architecture: "arm64" }),
        release: "1".into(),
    };
    let one = |stack: Stack| {
        let filled = catalog::fill(stack, &facts);
        (stack, render::render(catalog::template(stack), &filled).expect("rendered"))
    };
    let wanted = |stack: &Stack| catalog::is_wanted(*stack, &facts.config);
    Stack::all().into_iter().filter(wanted).map(one).collect()
}

#[test]
fn every_table_and_every_index_has_ceilings() {
    for resource in resources().iter().filter(|one| kind(one) == "AWS::DynamoDB::Table") {
        let properties = resource.get("Properties").expect("properties");
        let indexes = match properties.get("GlobalSecondaryIndexes") {
            Some(Node::List(indexes)) => indexes.clone(),
            _ => Vec::new(),
        };
        for one in std::iter::once(properties).chain(&indexes) {
            let most = one.get("OnDemandThroughput").expect("ceilings");
            assert!(most.get("MaxReadRequestUnits").is_some(), "{one:?}");
            assert!(most.get("MaxWriteRequestUnits").is_some(), "{one:?}");
        }
    }
}

#[test]
fn the_documentation_prints_the_worst_month_as_it_is_computed() {
    let worst = table(&worst(&rendered()));
    prints("mightyspaceduck/faq/aws-and-cost.md", "| what | held by |", |_| worst.clone());
}

#[test]
fn the_documentation_prints_what_growth_costs_as_it_is_computed() {
    prints(growth::PAGE, "| a month |", growth::table);
}

/// That a page has a table as it is made of the page here; or makes it so.
#[expect(clippy::disallowed_methods, reason = "tests are told to write what they compare with")]
fn prints(page: &str, head: &str, table: impl Fn(&str) -> String) {
    let page = format!("{}/pages/{page}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&page).expect("the page");
    let table = table(&text);
    let begin = text.find(head).expect("a table");
    let length = text[begin..].find("\n\n").expect("its end");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let new = format!("{}{table}{}", &text[..begin], &text[begin + length..]);
        std::fs::write(page, new).expect("written");
        return;
    }
    assert_eq!(&text[begin..begin + length], table, "run `cargo xtask docs`");
}

#[test]
fn the_worst_month_follows_the_ceilings() {
    let dollars = |rendered: &BTreeMap<Stack, Rendered>, what: &str| {
        let ceilings = worst(rendered);
        ceilings.iter().find(|one| one.what == what).expect("a ceiling").dollars
    };
    let before = rendered();
    // 5 hatches a second for 30 days are 12,960,000 accounts of tier Lite.
    assert_eq!(dollars(&before, "accounts"), 41_285);
    // 4,000 units a second on six tables and three indexes.
    assert_eq!(dollars(&before, "reading the tables"), 11_664);
    let mut after = before.clone();
    for (stack, old, new) in [
        (Stack::Data, "MaxReadRequestUnits: 4000", "MaxReadRequestUnits: 2000"),
        (Stack::Auth, "Default: LITE", "Default: ESSENTIALS"),
    ] {
        let one = after.get_mut(&stack).expect("a stack");
        assert!(one.body.contains(old), "{}", one.body);
        one.body = one.body.replace(old, new);
    }
    assert_eq!(dollars(&after, "reading the tables"), 11_664 / 2);
    assert_eq!(dollars(&after, "accounts"), 194_250);
}

#[test]
fn the_largest_answer_is_no_larger_than_counted() {
    let openapi = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/beak-api/openapi.json");
    let bytes = std::fs::metadata(openapi).expect("the document").len();
    assert!(bytes <= u64::from(LARGEST_ANSWER_BYTES), "{bytes}");
}
