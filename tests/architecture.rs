//! The rules of the house that a compiler does not hold.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeMap;
use std::path::Path;

mod documents;
mod source;
mod tree;

use source::{SOURCES, Source, Taken};
use tree::{files, root};

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
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
                "shield", "stored", "zones",
            ],
        ),
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
    allowed.extend(looking());
    allowed.extend(memory());
    allowed.extend(outside());
    allowed
}

/// What reads the account before a plan, and the terms that it compares.
fn looking() -> [(&'static str, Vec<&'static str>); 2] {
    let observe =
        vec!["model", "failure", "catalog", "plan", "ports", "release", "execute", "shield"];
    [("observe", observe), ("shield", vec!["model", "failure", "catalog", "render"])]
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
    for source in SOURCES.iter() {
        let Some(inside) = source.place.strip_prefix("src/") else { continue };
        let room = inside.split('/').next().unwrap().trim_end_matches(".rs");
        if ["main", "lib", "run"].contains(&room) || inside.ends_with("tests.rs") {
            continue;
        }
        let allowed = allowed.get(room).unwrap_or_else(|| panic!("`{room}` has no rule"));
        for used in &source.code.rooms {
            let fine = used == room || allowed.contains(&used.as_str());
            assert!(fine, "{} uses `{used}`", source.place);
        }
    }
}

#[test]
fn the_aws_sdk_stays_behind_its_walls() {
    for Source { place, text, .. } in SOURCES.iter() {
        let uses = ["aws_sdk_", "aws_config", "aws_wire"].iter().any(|name| text.contains(name));
        let behind = place.starts_with("src/aws/") || place.starts_with("crates/beak-aws/");
        assert!(!uses || behind || place == "tests/architecture.rs", "{place}");
    }
    for (crate_name, forbidden) in [
        ("aws-wire", &["aws-sdk-", "aws-config", "beak-", "galaxy-"][..]),
        ("beak-core", &["serde", "tokio", "http", "axum", "aws", "redb", "beak-"]),
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
    for source in SOURCES.iter() {
        let place = &source.place;
        assert!(source.text.starts_with("//!"), "{place} does not say what it is for");
        let lines = source.lines().count();
        assert!(source.is_test() || lines <= 400, "{place} has {lines} lines");
        // Tests quote whole outputs.
        for (number, line) in source.lines() {
            let width = line.chars().count();
            assert!(source.is_test() || width <= 100, "{place}:{number} has {width} columns");
        }
    }
}

/// Clippy counts lines and parameters; this rule counts what is in tuples, too.
#[test]
fn functions_take_at_most_five_values() {
    let mut found = Vec::new();
    for source in SOURCES.iter().filter(|source| !source.is_test()) {
        for Taken { name, line, values } in &source.code.functions {
            if *values > 5 {
                found.push(format!("{}:{line}: `{name}` takes {values}", source.place));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn limits_of_size_hold_everywhere_but_in_tests() {
    for source in SOURCES.iter() {
        let exempt = &source.code.exempt;
        let size = exempt.iter().find(|lints| lints.contains("clippy::too_many_"));
        assert!(source.is_test() || size.is_none(), "{}: {size:?}", source.place);
        let silent = exempt.iter().find(|lints| !lints.contains("reason="));
        assert!(silent.is_none(), "{}: {silent:?} has no reason", source.place);
    }
}

/// A crate that forgot this line would be built without any lint.
#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    let manifests = files(&root().join("crates"), "toml");
    let manifests = manifests.iter().filter(|path| path.ends_with("Cargo.toml"));
    let own = [root().join("Cargo.toml"), root().join("xtask/Cargo.toml")];
    let mut seen = 0;
    for manifest in manifests.chain(&own) {
        seen += 1;
        assert!(read(manifest).contains("[lints]\nworkspace = true"), "{}", shown(manifest));
    }
    assert!(seen > 10, "{seen} crates");
}

/// Everything else emits events. The lints `print_stdout` and `print_stderr` cover `println!`; this
/// covers the ways round them.
#[test]
fn few_files_touch_the_terminal() {
    let allowed = [
        ("src/main.rs", "the entry point: what fails before there is a run"),
        ("src/run.rs", "gives `progress` its writers"),
        ("src/run/parse.rs", "help and usage errors, before there is a run"),
        ("src/run/pipe.rs", "notices that the reader of a pipe is gone"),
        ("src/prompt.rs", "questions"),
        ("src/progress/check.rs", "asks for the terminal's width"),
        ("src/files.rs", "`--out -` is the standard output"),
        ("crates/beak-local/src/main.rs", "a program of its own"),
        ("crates/beak-local/src/bin/fill.rs", "a program of its own"),
    ];
    let mut used = Vec::new();
    for source in SOURCES.iter().filter(|source| !source.is_test()) {
        let words = ["io::stdout(", "io::stderr(", "anstream::stdout(", "anstream::stderr("];
        let touches = source.lines().any(|(_, line)| words.iter().any(|word| line.contains(word)));
        let allowed = allowed.iter().find(|(place, _)| source.place == *place);
        assert!(!touches || allowed.is_some(), "{} writes to the terminal", source.place);
        used.extend(allowed.filter(|_| touches).map(|(place, _)| *place));
    }
    assert_eq!(used.len(), allowed.len(), "only these need it: {used:?}");
}

#[test]
fn every_ban_has_a_reason() {
    let bans = read(&root().join("clippy.toml"));
    let bans: Vec<&str> = bans.split("[[disallowed-methods]]").skip(1).collect();
    for path in ["std::env::var", "std::time::SystemTime::now", "std::thread::sleep"] {
        let wanted = format!("path = \"{path}\"");
        assert!(bans.iter().any(|ban| ban.contains(&wanted)), "{path} is not banned");
    }
    for ban in bans {
        assert!(ban.contains("\nreason = \""), "{ban}");
    }
}

#[test]
fn the_rules_see_code_beside_and_behind_tests() {
    let text = "use crate::{model::{Stack, self}, plan as steps};\n\
        use super::super::zones;\nuse super::sibling;\n\
        #[cfg(test)]\nmod tests {\n    use crate::rehearse;\n    fn f((a, b): (u8, u8)) {}\n}\n\
        fn g((a, b): (u8, u8), c: &(u8, (u8, u8))) {\n    vec![crate::aws::x()];\n}\n\
        mod inner {\n    fn h() -> super::super::super::cost::Sum {}\n}\n\
        #[cfg(all(test, unix))]\nmod more {}\n#[allow(clippy::too_many_lines)]\nfn last() {}\n";
    let source = Source::parse("src/a/b.rs".into(), text.into());
    let code = &source.code;
    let rooms: Vec<&str> = code.rooms.iter().map(String::as_str).collect();
    assert_eq!(rooms, ["aws", "cost", "model", "plan", "zones"]);
    let functions: Vec<(&str, usize)> =
        code.functions.iter().map(|taken| (taken.name.as_str(), taken.values)).collect();
    assert_eq!(functions, [("g", 5), ("h", 0), ("last", 0)]);
    assert_eq!(code.exempt, ["clippy::too_many_lines"]);
    let lines: Vec<usize> = source.lines().map(|(number, _)| number).collect();
    assert_eq!(lines, [1, 2, 3, 9, 10, 11, 12, 13, 14, 17, 18]);
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
