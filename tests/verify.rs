//! `spaceduck verify` and `spaceduck support`, as a person runs them.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Without credentials, and with nothing of this machine's settings.
fn spaceduck(folder: &Path, arguments: &[&str]) -> Ran {
    let mut program = Command::new(env!("CARGO_BIN_EXE_spaceduck"));
    program.current_dir(folder).env_clear().args(arguments);
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        program.env(name, "/dev/null");
    }
    program.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_REGION", "eu-central-1");
    let output = program.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_installed_galaxy_is_verified_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["verify", "--rehearse", "--json"];
    let ran = spaceduck(folder.path(), &arguments);
    let told = lines(&ran.stdout);
    let of = |kind: &str| told.iter().filter(|one| one["type"] == kind).collect::<Vec<_>>();
    let verdict = |check: &str| {
        let one = of("verified").into_iter().find(|one| one["check"] == check).unwrap();
        (one["verdict"].as_str().unwrap().to_owned(), one["detail"].clone())
    };
    for check in [
        "stacks",
        "service-role-permissions",
        "function-role-permissions",
        "operator-permissions",
        "api-answers",
    ] {
        assert_eq!(verdict(check).0, "ok", "{check}: {:?} {}", verdict(check), ran.stderr);
    }
    let answered = of("answered");
    let answer = |id: &str| answered.iter().find(|one| one["id"] == id).unwrap()["answer"].clone();
    assert_eq!(answer("api-tags"), "yes");
    assert_eq!(answer("role-propagation"), "yes");
    assert_eq!(answer("domain-p256"), "unknown", "it has no domain");
    assert!(of("timed").len() >= 10, "{told:?}");
    let wrong = of("verified").iter().any(|one| one["verdict"] == "wrong");
    assert_eq!(ran.code, Some(if wrong { 6 } else { 0 }), "{} {}", ran.stdout, ran.stderr);
    let report =
        spaceduck(folder.path(), &["verify", "--rehearse", "--quiet", "--out", "-"]).stdout;
    assert!(report.contains("ok       stacks: all"), "{report}");
    for one in of("verified").iter().chain(&answered) {
        assert!(!one.to_string().contains("111122223333"), "{one}");
    }
    assert!(!report.contains("111122223333"), "{report}");
    // A file that exists is refused before anything is looked at.
    std::fs::write(folder.path().join("report.txt"), "older").unwrap();
    let arguments = ["verify", "--rehearse", "--json", "--out", "report.txt"];
    let again = spaceduck(folder.path(), &arguments);
    assert_eq!(again.code, Some(1), "{}", again.stdout);
    assert!(again.stderr.is_empty() && again.stdout.contains("--force"), "{}", again.stdout);
    assert_eq!(std::fs::read_to_string(folder.path().join("report.txt")).unwrap(), "older");
}

#[test]
fn support_needs_no_account_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "# Ask ann@example.com.\nname: pond\n";
    std::fs::write(folder.path().join("galaxy.yaml"), yaml).unwrap();
    let head = r#"{"trace":"spaceduck-trace-1","version":"1","command":"plan","started_at":1}"#;
    std::fs::write(folder.path().join("old.jsonl"), format!("{head}\n{{\"at_ms\":7}}\n")).unwrap();
    std::fs::write(folder.path().join("other.jsonl"), "{\"not\":\"a trace\"}\n").unwrap();
    let ran = spaceduck(folder.path(), &["support"]);
    assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
    let path = folder.path().join("spaceduck-support.txt");
    let text = std::fs::read_to_string(&path).unwrap();
    for part in ["== version", "== settings", "name: pond", "== plan", "== status", "== drift"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(text.contains("no AWS credentials were found"), "{text}");
    assert!(text.contains("== last trace: old.jsonl") && text.contains("\"at_ms\":7"), "{text}");
    assert!(!text.contains("ann@example.com"), "{text}");
    let refused = spaceduck(folder.path(), &["support"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert_eq!(spaceduck(folder.path(), &["support", "--force"]).code, Some(0));
}

#[test]
fn support_shows_a_galaxy_and_its_events() {
    let folder = tempfile::tempdir().unwrap();
    let ran = spaceduck(folder.path(), &["support", "-", "--rehearse", "--quiet"]);
    assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
    let text = ran.stdout;
    assert!(text.contains("api: CREATE_COMPLETE"), "{text}");
    assert!(text.contains("\"type\":\"planned\""), "{text}");
    assert!(!text.contains("111122223333"), "{text}");
}
