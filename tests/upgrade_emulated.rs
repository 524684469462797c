//! A galaxy of 2026-11-27 with people and data in an emulated AWS: the built program gives it a
//! record once its name is typed, brings it to today's release, and keeps what it holds.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::path::Path;

use serde_json::Value;
use spaceduck::model::Place;

mod old;
mod person;

use person::{Person, text};

/// The account of the emulator.
const ACCOUNT: &str = "000000000000";

fn settle(person: &Person) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (number, stack) in old::stacks().enumerate() {
        let place = if stack.place() == Place::Home { "home" } else { "edge" };
        let file = format!("{number:02}-{place}-{}.yaml", stack.key());
        std::fs::write(at.join(file), old::template(stack, ACCOUNT)).unwrap();
    }
    std::fs::copy(old::fixture("rows.jsonl"), at.join("rows.jsonl")).unwrap();
    std::fs::create_dir(at.join("releases")).unwrap();
    for record in std::fs::read_dir(old::fixture("releases")).unwrap() {
        let record = record.unwrap();
        std::fs::copy(record.path(), at.join("releases").join(record.file_name())).unwrap();
    }
    let zip = beak_package::build(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let arguments = [at.to_str().unwrap(), zip.to_str().unwrap()];
    person.script("old_galaxy.py", &arguments);
}

#[test]
fn an_old_galaxy_is_upgraded_and_keeps_its_data() {
    let person = Person::new();
    settle(&person);
    let before = person.account();
    let refused = person.spaceduck(&["install", "--yes"]);
    assert_eq!(refused.code, Some(3), "{} {}", refused.last(), refused.stderr);
    let help = text(refused.last(), "help");
    assert!(help.contains("--confirm spaceduck"), "{help}");
    assert_eq!(person.account(), before, "nothing was changed");

    // The emulator says of every change of a bucket, API, stage or distribution that it may need
    // another. AWS changes these properties in place. Source: "Update requires" in the resource
    // reference of `AWS::S3::Bucket`, `AWS::ApiGatewayV2::Api` (`CorsConfiguration`),
    // `AWS::ApiGatewayV2::Stage` and `AWS::CloudFront::Distribution`.
    let sites = galaxy_sites::Site::ALL.map(|site| format!("site-{}.Distribution", site.name()));
    let mut install = vec!["install", "--yes", "--confirm", "spaceduck"];
    let others = ["bootstrap.ArtifactBucket", "api.HttpApi", "api.Prod"];
    for named in sites.iter().map(String::as_str).chain(others) {
        install.extend(["--replace", named]);
    }
    let upgraded = person.spaceduck(&install);
    assert_eq!(upgraded.code, Some(0), "{} {}", upgraded.last(), upgraded.stderr);
    assert_eq!(person.account()["keys"], before["keys"], "the same signing key");
    let exported = person.spaceduck(&["export", "galaxy.jsonl"]);
    assert_eq!(exported.code, Some(0), "{} {}", exported.last(), exported.stderr);
    let lines = std::fs::read_to_string(person.folder.path().join("galaxy.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (table, item) in old::rows() {
        let table = table.strip_prefix("spaceduck-").unwrap();
        let is_it = |line: &&Value| line["table"] == table && line["item"] == item;
        assert!(lines.iter().any(|line| is_it(&line)), "{table}: {item}");
    }
    let people = lines.iter().filter(|line| line["line"] == "person").count();
    assert_eq!(people, 2, "swan and crane");
    let again = person.spaceduck(&["install", "--yes"]);
    assert_eq!((again.code, &again.last()["outcome"]), (Some(0), &"unchanged".into()));
    let api = upgraded.url("api");
    person.hatch(&api, "agent@example.com");
    let removed = person.spaceduck(&["teardown", "--confirm", "spaceduck", "--no-export"]);
    assert_eq!(removed.code, Some(0), "{} {}", removed.last(), removed.stderr);
}
