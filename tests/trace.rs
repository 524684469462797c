//! `--trace`: what the program writes while it works with an emulated AWS, and what it refuses.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use test_cloud::Cloud;

fn spaceduck(folder: &Path, cloud: Option<&Cloud>, arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_spaceduck"));
    program.current_dir(folder).env_clear().args(arguments);
    if let Some(cloud) = cloud {
        program.envs(cloud.environment());
    }
    program.output().unwrap()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// `UPDATE_FIXTURES=1` keeps the traces for `every_trace_can_be_read_again`.
#[test]
#[expect(clippy::disallowed_methods, reason = "tests are told to write what they compare with")]
fn commands_leave_a_trace_without_secrets() {
    let cloud = Cloud::start();
    let folder = tempfile::tempdir().unwrap();
    for command in ["doctor", "status"] {
        let name = format!("{command}.jsonl");
        spaceduck(folder.path(), Some(&cloud), &[command, "--trace", &name]);
        let path = folder.path().join(&name);
        let text = std::fs::read_to_string(&path).unwrap();
        let all = lines(&text);
        assert_eq!(all[0]["trace"], "spaceduck-trace-1");
        assert_eq!(all[0]["command"], command);
        assert_eq!(all[1]["operation"], "GetCallerIdentity");
        assert!(all.len() > 10, "{text}");
        for one in &all[1..] {
            let known = ["service", "operation", "region"].map(|key| one[key].as_str().unwrap());
            assert!(known.iter().all(|word| !word.is_empty()), "{one}");
            let method = ["GET", "POST", "PUT", "HEAD", "DELETE"].contains(&known[1]);
            assert!(!method, "an operation without a name: {one}");
        }
        for secret in [test_cloud::ACCOUNT, "Credential", "Signature", "@", "127.0.0.1"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/traces");
            std::fs::copy(&path, kept.join(format!("emulator-{name}"))).unwrap();
        }
    }
}

#[test]
fn a_trace_that_can_not_be_written_is_refused_before_the_first_call() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there.jsonl");
    std::fs::write(&there, "mine").unwrap();
    for (arguments, code, said) in [
        (&["status", "--trace", "none/trace.jsonl"][..], 1, "can't write"),
        (&["status", "--trace", "."], 1, "is a folder"),
        (&["status", "--trace", ".", "--force"], 1, "is a folder"),
        (&["status", "--trace", "there.jsonl"], 1, "--force"),
        (&["status", "--trace", "/dev/full", "--force"], 1, "can't write"),
        (&["status", "--trace", "a.jsonl", "--rehearse"], 2, "--rehearse"),
    ] {
        // Without credentials and without a cloud: a call would end with another code.
        let ran = spaceduck(folder.path(), None, arguments);
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "mine");
}
