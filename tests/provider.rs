//! `src/provider.json`, made of the provider schemas that cfn-lint keeps; with `UPDATE_DOCS=1` it is
//! written.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod templates_of;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

#[test]
#[expect(clippy::disallowed_methods, reason = "tests are told to write what they compare with")]
fn what_the_schemas_say_of_our_types_is_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new(root.join(".venv/bin/python"));
    let mut child = python
        .arg(root.join("tests/provider.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`cargo xtask setup` first");
    let kinds = json!(templates_of::kinds()).to_string();
    child.stdin.take().unwrap().write_all(kinds.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let known: Value = serde_json::from_slice(&output.stdout).unwrap();
    let path = root.join("src/provider.json");
    let there = || -> Option<Value> { serde_json::from_slice(&std::fs::read(&path).ok()?).ok() };
    if std::env::var_os("UPDATE_DOCS").is_some() && there().as_ref() != Some(&known) {
        std::fs::write(&path, lines(&known)).unwrap();
    }
    assert!(
        there().as_ref() == Some(&known),
        "{} is out of date: cargo xtask docs",
        path.display()
    );
}

/// One line for each type and each Region, so that a change is easy to read.
fn lines(known: &Value) -> String {
    let section = |name: &str| {
        let entries = known[name].as_object().unwrap().iter();
        let entries: Vec<String> =
            entries.map(|(key, value)| format!("    {}: {value}", json!(key))).collect();
        format!("  {}: {{\n{}\n  }}", json!(name), entries.join(",\n"))
    };
    format!("{{\n{},\n{}\n}}\n", section("regions"), section("types"))
}
