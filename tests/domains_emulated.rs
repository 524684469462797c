//! Domains in an emulated AWS: its Certificate Manager issues at once, so what is seen here is the
//! real calls and what the real stacks make of a certificate.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]
#![allow(dead_code, reason = "each test uses its own part of a person")]

use serde_json::json;

mod person;

use person::Person;

#[test]
fn a_domain_is_attached_and_its_certificate_goes_with_the_galaxy() {
    let person = Person::new();
    let yaml = "logs:\n  site_access: false\ndomains:\n  duckgalaxy: docs.example.org\n  api: \
                api.example.org\n";
    std::fs::write(person.folder.path().join("galaxy.yaml"), yaml).unwrap();
    // The emulator takes every change of a distribution for a new one; AWS does not.
    let may = ["--replace", "site-duckgalaxy.Distribution"];
    let installed = person.spaceduck(&["install", "--yes", may[0], may[1]]);
    assert_eq!(installed.code, Some(0), "{} {}", installed.last(), installed.stderr);
    let asked = installed.lines.iter().filter(|line| line["step"] == "certificate duckgalaxy");
    assert!(asked.count() > 0, "it is asked for");
    let sheet = person.spaceduck(&["domains"]);
    let certificate = sheet.lines.iter().find(|line| line["purpose"] == "certificate");
    let certificate = certificate.unwrap_or_else(|| panic!("{:#?}", sheet.lines));
    assert_eq!(certificate["kind"], "CNAME");
    // The emulator's edge answers for any name that is an alias, so all is done in one run.
    assert_eq!(installed.url("duckgalaxy"), "https://docs.example.org");
    let status = person.spaceduck(&["status"]);
    let door = status.lines.iter().find(|line| line["item"] == "stack api-domain");
    let door = door.unwrap_or_else(|| panic!("{:#?}", status.lines));
    assert_eq!(door["state"], "CREATE_COMPLETE");
    let again = person.spaceduck(&["install", "--yes"]);
    assert_eq!(again.last()["outcome"], "unchanged", "{}", again.stderr);
    let removed = person.spaceduck(&["teardown", "--confirm", "spaceduck"]);
    assert_eq!(removed.code, Some(0), "{} {}", removed.last(), removed.stderr);
    assert_eq!(person.account(), json!({}));
    let gone = person.spaceduck(&["domains"]);
    let left = gone.lines.iter().filter(|line| line["purpose"] == "certificate").count();
    assert_eq!(left, 0, "{:#?}", gone.lines);
}
