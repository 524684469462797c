//! Domains whose zone is in the emulated Route 53: the real calls, from the first record to the
//! last one's removal.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]
#![allow(dead_code, reason = "each test uses its own part of a person")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

mod person;

use person::{Moment, Person, judge};

const YAML: &str = "logs:\n  site_access: false\ndomains:\n  duckgalaxy: docs.duck.example\n  \
                    spaceduckling: people.duck.example\n  api: api.duck.example\n";

/// Somebody at Route 53's console.
fn console(person: &Person, arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new(root.join(".venv/bin/python"));
    python.envs(person.cloud.environment()).arg(root.join("tests/zone.py")).args(arguments);
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn records(person: &Person, zone: &str) -> BTreeMap<String, String> {
    serde_json::from_str(&console(person, &["list", zone])).unwrap()
}

/// Somebody with a zone that has a record of its own, one in the way, and another zone beside it.
fn somebody() -> (Person, String) {
    let person = Person::new();
    std::fs::write(person.folder.path().join("galaxy.yaml"), YAML).unwrap();
    console(&person, &["make", "duck.example", "private"]);
    let zone = console(&person, &["make", "duck.example"]);
    console(&person, &["place", &zone, "duck.example", "MX", "10 mx.example.net."]);
    console(&person, &["place", &zone, "people.duck.example", "A", "192.0.2.7"]);
    (person, zone)
}

// The emulator takes every change of a distribution for a new one; AWS does not.
const INSTALL: [&str; 6] = [
    "install",
    "--yes",
    "--replace",
    "site-duckgalaxy.Distribution",
    "--replace",
    "site-spaceduckling.Distribution",
];

fn foreign() -> BTreeMap<String, String> {
    let one = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    [one("duck.example MX", "10 mx.example.net."), one("people.duck.example A", "192.0.2.7")].into()
}

#[test]
fn records_are_made_and_go_with_the_galaxy_and_those_of_others_stay() {
    let (person, zone) = somebody();
    let planned = person.spaceduck(&["plan"]);
    let change = |step: &str, resource: &str| {
        let is = |line: &&Value| line["step"] == step && line["resource"] == resource;
        planned.lines.iter().filter(|line| line["type"] == "change").any(|line| is(&line))
    };
    assert!(change("records addresses", "docs.duck.example"), "{:#?}", planned.lines);
    assert!(change("records proofs", "below docs.duck.example, as Amazon names it"));
    assert!(!change("records addresses", "people.duck.example"), "it is taken");
    assert_eq!(records(&person, &zone), foreign(), "a plan makes nothing");

    let installed = person.spaceduck(&INSTALL);
    assert_eq!(installed.code, Some(0), "{} {}", installed.last(), installed.stderr);
    judge(installed.calls.iter());
    let there = records(&person, &zone);
    let kinds = |kind: &str| there.keys().filter(|key| key.ends_with(kind)).count();
    assert_eq!((kinds(" CNAME"), kinds(" A"), kinds(" AAAA")), (3, 3, 1), "{there:#?}");
    let alias = &there["docs.duck.example AAAA"];
    assert!(
        alias.starts_with("alias Z2FDTNDATAQYW2 ") && alias.contains(".cloudfront."),
        "{alias}"
    );
    assert!(there["api.duck.example A"].starts_with("alias "), "{there:#?}");
    assert_eq!(there["people.duck.example A"], "192.0.2.7");
    let told = installed.last()["next"].to_string();
    assert!(told.contains("people.duck.example in the zone duck.example is currently A 192.0.2.7"));

    let sheet = person.spaceduck(&["domains"]);
    let by = |name: &str| {
        let line = sheet.lines.iter().find(|line| line["name"] == name);
        line.unwrap_or_else(|| panic!("{:#?}", sheet.lines))["by"].clone()
    };
    assert_eq!(by("docs.duck.example"), "spaceduck");
    assert_eq!(by("people.duck.example"), "you");
    let again = person.spaceduck(&["install", "--yes"]);
    assert_eq!(again.last()["outcome"], "unchanged", "{} {}", again.last(), again.stderr);

    console(&person, &["remove", &zone, "docs.duck.example", "AAAA"]);
    let drift = person.spaceduck(&["drift"]);
    let item = "records/addresses/docs.duck.example/AAAA";
    assert!(drift.lines.iter().any(|line| line["item"] == item), "{:#?}", drift.lines);
    let repaired = person.spaceduck(&["repair", "records", "--yes"]);
    assert_eq!(repaired.code, Some(0), "{} {}", repaired.last(), repaired.stderr);
    assert_eq!(records(&person, &zone), there);

    let removed = person.spaceduck(&["teardown", "--confirm", "spaceduck"]);
    assert_eq!(removed.code, Some(0), "{} {}", removed.last(), removed.stderr);
    judge(removed.calls.iter());
    assert_eq!(records(&person, &zone), foreign());
    assert_eq!(person.account(), json!({}));
}

#[test]
fn killed_at_a_change_of_the_zone_a_removal_finds_what_was_made() {
    for moment in [Moment::Before, Moment::After] {
        let (person, zone) = somebody();
        let change = |call: &test_cloud::Call| call.changes && call.name.starts_with("route53 ");
        let killed = person.killed(&INSTALL, moment, change);
        let said = format!("{} {}", killed.last(), killed.stderr);
        assert_eq!((killed.code, killed.troubled), (None, 1), "{moment:?}: {said}");
        let made = records(&person, &zone).len() > foreign().len();
        assert_eq!(made, moment == Moment::After);
        let removed = person.spaceduck(&["teardown", "--confirm", "spaceduck", "--no-export"]);
        assert_eq!(removed.code, Some(0), "{} {}", removed.last(), removed.stderr);
        assert_eq!(records(&person, &zone), foreign(), "{moment:?}");
        assert_eq!(person.account(), json!({}), "{moment:?}");
    }
}
