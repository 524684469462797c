//! The rules of the house that a compiler does not hold.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

mod tree;

use tree::{files, root};

fn sources() -> Vec<PathBuf> {
    ["src", "crates", "xtask", "tests"].iter().flat_map(|f| files(&root().join(f), "rs")).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// The part of a file before the tests in it. `#[cfg(test)]` on `mod tests;` or on a single item ends
/// nothing.
fn without_tests(text: &str) -> &str {
    let inline = text
        .match_indices("#[cfg(test)]\nmod ")
        .find(|(at, _)| text[*at..].lines().nth(1).is_some_and(|line| line.ends_with('{')));
    inline.map_or(text, |(at, _)| &text[..at])
}

/// Words behind `crate::`, as in `crate::model::Stack`.
fn rooms_used(text: &str) -> BTreeSet<String> {
    let word = |rest: &str| {
        rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>()
    };
    text.split("crate::").skip(1).map(word).filter(|word| !word.is_empty()).collect()
}

/// Who may use whom in the installer.
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut allowed = BTreeMap::from([
        ("cli", vec![]),
        ("failure", vec![]),
        ("escape", vec![]),
        ("environment", vec!["failure", "model"]),
        ("files", vec!["failure"]),
        ("scrub", vec![]),
        ("model", vec![]),
        ("yaml", vec![]),
        ("event", vec!["model"]),
        ("config", vec!["model", "failure"]),
        ("ports", vec!["model", "failure"]),
        ("site", vec!["failure", "ports", "render"]),
        ("stored", vec!["model", "failure", "ports", "render"]),
        ("release", vec!["model", "failure", "ports", "render"]),
        ("render", vec!["model", "yaml"]),
        ("catalog", vec!["model", "config", "render", "yaml"]),
        ("pace", vec!["render"]),
        ("cost", vec!["model", "render", "event", "yaml"]),
        ("plan", vec!["model", "config", "catalog", "render", "ports", "event", "pace", "release"]),
        ("progress", vec!["escape", "event"]),
        ("publish", vec!["release"]),
        (
            "execute",
            vec![
                "model", "failure", "catalog", "config", "domains", "plan", "render", "ports",
                "event", "files", "site", "release", "archive", "causes", "identity", "publish",
                "stored", "zones",
            ],
        ),
        ("observe", vec!["model", "failure", "catalog", "plan", "ports", "release", "execute"]),
        (
            "back",
            vec![
                "model", "failure", "catalog", "event", "execute", "observe", "plan", "release",
                "render",
            ],
        ),
        (
            "drift",
            vec![
                "model", "failure", "catalog", "config", "domains", "execute", "mail", "plan",
                "ports", "release", "stored", "yaml", "zones",
            ],
        ),
        ("archive", vec!["model", "failure", "ports", "render"]),
        ("causes", vec!["failure", "ports"]),
        ("receipt", vec!["model", "event"]),
        ("lock", vec!["model", "environment", "failure", "ports", "release", "render"]),
        ("operators", vec!["model", "failure", "ports"]),
        ("mail", vec!["model", "failure", "ports", "config", "catalog"]),
        ("domains", vec!["model", "failure", "ports", "config", "catalog"]),
        ("zones", vec!["model", "failure", "ports", "config", "catalog", "domains", "mail"]),
        ("policy", vec!["model"]),
        ("verify", vec!["model", "catalog", "drift", "pace", "policy", "ports", "render", "yaml"]),
        ("identity", vec!["model", "failure", "catalog", "ports", "render", "yaml"]),
        ("init", vec!["config", "failure"]),
        (
            "doctor",
            vec![
                "model", "failure", "catalog", "lock", "policy", "ports", "provider", "release",
                "render", "yaml",
            ],
        ),
    ]);
    allowed.extend(memory());
    allowed.extend(outside());
    allowed
}

/// What reaches AWS and the person at the terminal.
fn outside() -> [(&'static str, Vec<&'static str>); 2] {
    let aws =
        vec!["model", "environment", "failure", "files", "ports", "prompt", "render", "causes"];
    [("prompt", vec!["escape", "failure"]), ("aws", aws)]
}

/// The account in memory, and what only it uses.
fn memory() -> [(&'static str, Vec<&'static str>); 3] {
    let rehearse = vec![
        "model", "failure", "ports", "causes", "iam", "pace", "policy", "provider", "render",
        "yaml",
    ];
    [("iam", vec![]), ("provider", vec!["model"]), ("rehearse", rehearse)]
}

#[test]
fn each_room_uses_only_those_before_it() {
    let allowed = allowed();
    for path in files(&root().join("src"), "rs") {
        let inside = path.strip_prefix(root().join("src")).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if ["main", "lib", "run"].contains(&room) || path.ends_with("tests.rs") {
            continue;
        }
        let allowed = allowed.get(room).unwrap_or_else(|| panic!("`{room}` has no rule"));
        for used in rooms_used(without_tests(&read(&path))) {
            let fine = used == room || allowed.contains(&used.as_str());
            assert!(fine, "{} uses `{used}`", shown(&path));
        }
    }
}

#[test]
fn the_aws_sdk_stays_behind_its_walls() {
    for path in sources() {
        let place = shown(&path);
        let text = read(&path);
        let uses = text.contains("aws_sdk_") || text.contains("aws_config");
        let behind = place.starts_with("src/aws/") || place.starts_with("crates/beak-aws/");
        assert!(!uses || behind || place == "tests/architecture.rs", "{place}");
    }
    for (crate_name, forbidden) in [
        ("beak-core", &["serde", "tokio", "http", "axum", "aws", "redb", "beak-"][..]),
        ("beak-api", &["aws", "redb", "beak-local", "beak-aws", "lambda"]),
        ("beak-local", &["aws", "lambda", "beak-aws"]),
        ("galaxy-pages", &["aws", "beak-", "axum", "tokio", "galaxy-"]),
        ("galaxy-sites", &["aws", "beak-", "axum"]),
        ("galaxy-skill", &["aws", "axum", "beak-aws", "beak-local", "clap", "http", "tokio"]),
    ] {
        let manifest = read(&root().join(format!("crates/{crate_name}/Cargo.toml")));
        let start = manifest.find("[dependencies]").unwrap();
        let dependencies = manifest[start..].split("\n[").next().unwrap();
        for line in dependencies.lines().skip(1) {
            let hit = forbidden.iter().find(|name| line.starts_with(**name));
            assert!(hit.is_none(), "{crate_name}: {line}");
        }
    }
}

#[test]
fn files_are_short_and_open_with_their_job() {
    for path in sources() {
        let (place, text) = (shown(&path), read(&path));
        assert!(text.starts_with("//!"), "{place} does not say what it is for");
        let lines = without_tests(&text).lines().count();
        // Contracts and whole-program tests are lists of cases.
        let cases = place.contains("tests") || place.contains("/contract");
        assert!(cases || lines <= 400, "{place} has {lines} lines");
        // Tests quote whole outputs.
        for (number, line) in without_tests(&text).lines().enumerate() {
            let width = line.chars().count();
            assert!(cases || width <= 100, "{place}:{} has {width} columns", number + 1);
        }
    }
}

#[test]
fn documents_are_short_and_their_links_lead_somewhere() {
    let mut documents = files(&root().join("docs"), "md");
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        documents.push(root().join(name));
    }
    for path in documents {
        let (place, text) = (shown(&path), read(&path));
        assert!(text.lines().count() <= 200, "{place}");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let local = !link.contains("://") && !link.starts_with('#');
            let target = path.parent().unwrap().join(link.split('#').next().unwrap());
            assert!(!local || target.exists(), "{place}: {link}");
        }
    }
}

/// What the documents say about commands is what the programs take.
#[test]
fn every_command_of_the_readme_exists() {
    let readme = read(&root().join("README.md"));
    let help =
        std::process::Command::new(env!("CARGO_BIN_EXE_spaceduck")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for rest in readme.split("\nspaceduck ").skip(1) {
        let command = rest.split_whitespace().next().unwrap();
        assert!(help.contains(&format!("\n  {command} ")), "spaceduck {command}");
    }
    let aliases = read(&root().join(".cargo/config.toml"));
    for rest in readme.split("\ncargo ").skip(1) {
        let command = rest.split_whitespace().next().unwrap();
        assert!(command == "build" || aliases.contains(&format!("{command} = ")), "{command}");
    }
}

/// `cargo run --package X`, which the README's `cargo galaxy` stands for, must know which program.
#[test]
#[expect(clippy::disallowed_methods, reason = "tests are told to write what they compare with")]
fn a_package_with_several_programs_says_which_one_runs() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut metadata = std::process::Command::new(cargo);
    metadata.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let output = metadata.current_dir(root()).output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut several = 0;
    for package in told["packages"].as_array().unwrap() {
        let targets = package["targets"].as_array().unwrap().iter();
        let is_program = |target: &&serde_json::Value| target["kind"][0] == "bin";
        if targets.filter(is_program).count() > 1 {
            several += 1;
            assert!(package["default_run"].is_string(), "{}", package["name"]);
        }
    }
    assert!(several > 0, "the galaxy's package has two");
}
