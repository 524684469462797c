//! What others have under a galaxy's names, in an emulated AWS: the built program leaves it as it
//! is, and says where a galaxy lives.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use serde_json::{Value, json};

mod person;

use person::{Person, text};

fn others(person: &Person, arguments: &[&str]) -> Value {
    serde_json::from_str(&person.script("others.py", arguments)).unwrap()
}

#[test]
fn nothing_of_others_is_changed_before_a_galaxy_is_there() {
    for kind in ["stacks", "buckets", "tables", "parameters"] {
        let person = Person::new();
        let before = others(&person, &["make", kind]);
        for arguments in [&["install", "--yes"][..], &["plan"]] {
            let refused = person.spaceduck(arguments);
            assert_eq!(refused.code, Some(3), "{kind}: {} {}", refused.last(), refused.stderr);
            let help = text(refused.last(), "help");
            assert!(help.contains("spaceduck adopt"), "{kind}: {help}");
        }
        let removed = person.spaceduck(&["teardown", "--confirm", "spaceduck"]);
        assert_eq!(removed.last()["outcome"], "unchanged", "{kind}: {}", removed.last());
        assert_eq!(others(&person, &["show"]), before, "{kind}");
    }
}

#[test]
fn one_name_has_one_home() {
    let person = Person::new();
    let installed = person.spaceduck(&["install", "--yes"]);
    assert_eq!(installed.code, Some(0), "{} {}", installed.last(), installed.stderr);
    let before = person.account();
    for arguments in [
        &["teardown", "--confirm", "spaceduck"][..],
        &["install", "--yes"],
        &["status"],
        &["drift"],
        &["plan"],
        &["logs"],
    ] {
        let abroad = [arguments, &["--region", "us-west-2"]].concat();
        let refused = person.spaceduck(&abroad);
        assert_eq!(refused.code, Some(3), "{abroad:?}: {} {}", refused.last(), refused.stderr);
        let message = text(refused.last(), "message");
        assert!(message.contains("lives in eu-central-1"), "{abroad:?}: {message}");
    }
    assert_eq!(person.account(), before);
    let listed = person.spaceduck(&["list", "--region", "us-west-2"]);
    let row = listed.lines.iter().find(|line| line["type"] == "galaxy").unwrap();
    assert_eq!((&row["galaxy"], &row["region"]), (&json!("spaceduck"), &json!("eu-central-1")));
    assert_eq!(row["wrong"], Value::Null, "{row}");
    assert!(row["idle_cents"].as_u64().unwrap() >= 100, "{row}");
    let removed = person.spaceduck(&["teardown", "--confirm", "spaceduck"]);
    assert_eq!(removed.code, Some(0), "{} {}", removed.last(), removed.stderr);
    assert_eq!(person.account(), json!({}));
    let listed = person.spaceduck(&["list"]);
    assert!(listed.lines.iter().all(|line| line["type"] != "galaxy"), "{:?}", listed.lines);
}
