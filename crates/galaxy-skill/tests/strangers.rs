//! Programs that we did not write: a validator of JSON Schema, and the reference library of Agent
//! Skills. All agree on what a skill is.

#![expect(clippy::expect_used, reason = "these are tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

use galaxy_skill::{Tree, check, schema};
use serde_json::{Value, json};
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a script in the tests' Python environment; gives what it prints, as JSON.
fn python(script: &str, arguments: &[&Path]) -> Value {
    let program = root().join(".venv/bin/python");
    assert!(program.exists(), "there is no .venv: run `cargo xtask setup` first");
    let output = Command::new(program).args(["-c", script]).args(arguments).output();
    let output = output.expect("it runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    serde_json::from_slice(&output.stdout).expect("json")
}

fn good() -> Value {
    json!({
        "name": "wave",
        "description": "Waves at other ducks. Use to be polite.",
        "metadata": {
            "version": "1.0.0",
            "galaxy-skill": "1",
            "galaxy-capabilities": "wave.send wave.read",
            "galaxy-tier": "T0",
            "galaxy-permissions": "none",
        },
    })
}

/// The good one with one field set, or taken out.
fn with(field: &str, value: &Value) -> Value {
    let mut front = good();
    let mut at = &mut front;
    let mut key = field;
    if let Some((outer, inner)) = field.split_once('/') {
        (at, key) = (&mut at[outer], inner);
    }
    let map = at.as_object_mut().expect("a map");
    if value.is_null() {
        map.remove(key);
    } else {
        map.insert(key.to_owned(), value.clone());
    }
    front
}

fn cases() -> Vec<Value> {
    let mut cases = vec![good()];
    let fields: [(&str, &[&str]); 12] = [
        ("name", &["wave", "Wave", "-wave", "wave-", "a--b", "wa ve", "wäve", ""]),
        ("description", &["x", " ", "", "a < b", "Zwei\nZeilen", "🦆"]),
        ("license", &["MIT", "", "  "]),
        ("compatibility", &["curl", ""]),
        ("allowed-tools", &["Read", "Bash(curl:*) Read", "Read  Write", "(x", ""]),
        (
            "metadata/version",
            &["0.0.0", "1.2", "1.2.3-rc.1", "1.2.3-01", "01.2.3", "1.2.3+x", "v1.2.3"],
        ),
        ("metadata/galaxy-skill", &["1", "2", ""]),
        (
            "metadata/galaxy-capabilities",
            &["a.b", "a", "a.b ", " a.b", "a.b  c.d", "A.b", "a..b", "a.1"],
        ),
        ("metadata/galaxy-tier", &["T0", "T1", "T2", "T3", "t0", "T0 T1"]),
        (
            "metadata/galaxy-permissions",
            &[
                "none",
                "beak-key files:read run:curl network:galaxy network:a.example",
                "root",
                "network:",
                "run:",
                "run:../x",
                "network:*",
                "run:a/b",
            ],
        ),
        (
            "metadata/galaxy-publisher",
            &["dkl_01HF7YAT00040G40R40M30E209", "dkl_abc", "pck_01HF7YAT00040G40R40M30E209"],
        ),
        ("metadata/author", &["anybody", ""]),
    ];
    for (field, values) in fields {
        cases.extend(values.iter().map(|value| with(field, &json!(value))));
        cases.push(with(field, &Value::Null));
        cases.push(with(field, &json!(7)));
        cases.push(with(field, &json!(true)));
        cases.push(with(field, &json!(["x"])));
    }
    let lengths = [("description", 1024), ("compatibility", 500), ("name", 64)];
    for (field, limit) in lengths {
        cases.push(with(field, &json!("x".repeat(limit))));
        cases.push(with(field, &json!("x".repeat(limit + 1))));
    }
    // Characters, not bytes.
    cases.push(with("description", &json!("ü".repeat(1024))));
    for (field, value) in [("version", "1.0.0"), ("tier", "T0"), ("metadata/galaxy-tiers", "T0")] {
        cases.push(with(field, &json!(value)));
    }
    cases.push(with("metadata", &Value::Null));
    cases.push(with("metadata", &json!("x")));
    cases.push(with("metadata/author", &json!({"name": "x"})));
    cases
}

/// Front matter as YAML in blocks; a JSON string is one of YAML too.
fn yaml(front: &Value, indent: &str) -> String {
    let map = front.as_object().expect("a map");
    let one = |(key, value): (&String, &Value)| match value {
        Value::Object(_) => format!("{indent}{key}:\n{}", yaml(value, &format!("{indent}  "))),
        Value::Array(values) => format!("{indent}{key}:\n{indent}  - {}\n", values[0]),
        other => format!("{indent}{key}: {other}\n"),
    };
    map.iter().map(one).collect()
}

/// Lays a skill down in a folder of its name.
fn lay(folder: &Path, front: &Value) -> PathBuf {
    let name = front["name"].as_str().filter(|name| !name.is_empty()).unwrap_or("wave");
    let skill = folder.join(name);
    std::fs::create_dir_all(&skill).expect("made");
    let text = format!("---\n{}---\n\nWave.\n", yaml(front, ""));
    std::fs::write(skill.join("SKILL.md"), text).expect("written");
    skill
}

fn is_right(skill: &Path) -> bool {
    let name = skill.file_name().expect("a name").to_str().expect("text");
    Tree::read(skill).and_then(|tree| check(name, &tree)).is_ok()
}

const SCHEMA: &str = "
import json, sys, jsonschema_rs
schema, cases = (json.load(open(name)) for name in sys.argv[1:])
jsonschema_rs.meta.validate(schema)
validator = jsonschema_rs.validator_for(schema)
print(json.dumps([validator.is_valid(case) for case in cases]))
";

#[test]
fn the_schema_says_what_the_check_says() {
    let folder = TempDir::new().expect("a folder");
    let cases = cases();
    let ours: Vec<bool> = cases.iter().map(|case| is_right(&lay(folder.path(), case))).collect();
    let (rules, questions) = (folder.path().join("schema.json"), folder.path().join("cases.json"));
    std::fs::write(&rules, schema().to_string()).expect("written");
    std::fs::write(&questions, json!(cases).to_string()).expect("written");
    let theirs = python(SCHEMA, &[&rules, &questions]);
    for ((case, ours), theirs) in cases.iter().zip(&ours).zip(theirs.as_array().expect("a list")) {
        assert_eq!(json!(ours), *theirs, "{}", yaml(case, ""));
    }
    let right = ours.iter().filter(|right| **right).count();
    assert!((20..ours.len() - 40).contains(&right), "{right} of {} are right", ours.len());
}

const REFERENCE: &str = "
import json, sys, pathlib, skills_ref
print(json.dumps([skills_ref.validate(pathlib.Path(name)) for name in sys.argv[1:]]))
";

#[test]
fn what_is_right_here_is_an_agent_skill_everywhere() {
    let folder = TempDir::new().expect("a folder");
    let mut skills = vec![root().join("skills/space-duck")];
    assert!(is_right(&skills[0]), "our own");
    for (number, case) in cases().iter().enumerate() {
        let skill = lay(&folder.path().join(number.to_string()), case);
        if is_right(&skill) {
            skills.push(skill);
        }
    }
    let arguments: Vec<_> = skills.iter().map(PathBuf::as_path).collect();
    let told = python(REFERENCE, &arguments);
    for (skill, mistakes) in skills.iter().zip(told.as_array().expect("a list")) {
        let text = std::fs::read_to_string(skill.join("SKILL.md")).expect("text");
        assert_eq!(*mistakes, json!([]), "{text}");
    }
    // It does judge.
    let wrong = lay(&folder.path().join("wrong"), &with("tier", &json!("T0")));
    assert_ne!(python(REFERENCE, &[&wrong])[0], json!([]));
}
