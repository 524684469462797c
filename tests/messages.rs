//! What the program says when something is wrong: the whole output, word for word.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// The program in a folder, without any AWS settings but those that are given.
fn spaceduck(folder: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spaceduck"));
    command.current_dir(folder).args(arguments).env_clear();
    for (name, value) in [
        ("HOME", folder.to_str().unwrap()),
        ("PATH", "/usr/bin:/bin"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ] {
        command.env(name, value);
    }
    command.envs(settings.iter().copied());
    // A function's zip beside the program would do as well; none is needed to fail early.
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (status.code().unwrap(), text)
}

const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "111122223333"), ("AWS_SECRET_ACCESS_KEY", "test")];

#[test]
fn without_credentials() {
    let folder = TempDir::new().unwrap();
    let (code, text) = spaceduck(folder.path(), &[("AWS_REGION", "eu-central-1")], &["install"]);
    assert_eq!(code, 5);
    insta::assert_snapshot!(text);
}

#[test]
fn without_a_region() {
    let folder = TempDir::new().unwrap();
    let (code, text) = spaceduck(folder.path(), &KEYS, &["install"]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(text);
}

#[test]
fn with_a_profile_that_is_not_there() {
    let folder = TempDir::new().unwrap();
    // Keys in the environment do not count where a profile was asked for: they may belong to
    // another account.
    let mut settings = KEYS.to_vec();
    settings.push(("AWS_REGION", "eu-central-1"));
    let (code, text) = spaceduck(folder.path(), &settings, &["install", "--profile", "nobody"]);
    assert_eq!(code, 5);
    insta::assert_snapshot!(text);
}

#[test]
fn with_an_endpoint_that_nobody_answers_at() {
    let folder = TempDir::new().unwrap();
    let mut settings = KEYS.to_vec();
    // Port 9 is `discard`; nothing listens there.
    settings.extend([("AWS_REGION", "eu-central-1"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:9")]);
    let (code, text) = spaceduck(folder.path(), &settings, &["install"]);
    assert_eq!(code, 4);
    assert!(text.starts_with("error: asking AWS who we are: AWS can't be reached"), "{text}");
    assert!(text.contains("check the network, the name of the Region and AWS_ENDPOINT_URL"));
}

#[test]
fn with_a_region_that_does_not_exist() {
    let folder = TempDir::new().unwrap();
    let mut settings = KEYS.to_vec();
    settings.push(("AWS_REGION", "eu-nowhere-9"));
    let (code, text) = spaceduck(folder.path(), &settings, &["install"]);
    assert_eq!(code, 4);
    assert!(text.contains("AWS can't be reached in the Region eu-nowhere-9"), "{text}");
    let (code, text) = spaceduck(folder.path(), &KEYS, &["install", "--region", "Frankfurt"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(text);
}

#[test]
fn with_a_mistake_in_the_configuration() {
    let folder = TempDir::new().unwrap();
    let text = "nmae: duck\nregion: eu-central-1\napi:\n  memory_mb: lots\n";
    std::fs::write(folder.path().join("galaxy.yaml"), text).unwrap();
    let (code, text) = spaceduck(folder.path(), &KEYS, &["install"]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(text);
    let (code, text) = spaceduck(folder.path(), &[], &["render", "--out", "x", "--config", "no"]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(text);
}

#[test]
fn with_a_disk_that_takes_nothing() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("file"), "in the way").unwrap();
    let (code, text) = spaceduck(folder.path(), &[], &["render", "--out", "file/templates"]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(text);
    // A limit on the size of files fails in the middle of writing, as a full disk does.
    let mut limited = Command::new("sh");
    limited.current_dir(folder.path()).env("SPACEDUCK", env!("CARGO_BIN_EXE_spaceduck"));
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$SPACEDUCK\" render --out templates";
    let output = limited.args(["-c", script]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.starts_with("error: can't write `templates/"), "{text}");
    assert!(text.ends_with("help: name another folder with --out, or make room\n"), "{text}");
}

#[test]
fn rendering_needs_nothing_and_gives_the_same_bytes() {
    let folder = TempDir::new().unwrap();
    let read = |out: &str| {
        let (code, text) = spaceduck(folder.path(), &[], &["render", "--out", out]);
        assert_eq!(code, 0, "{text}");
        let mut files: Vec<_> = std::fs::read_dir(folder.path().join(out))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    };
    let first = read("one");
    assert_eq!(first.len(), 10);
    assert_eq!(first, read("two"));
}

#[test]
fn a_failure_in_json_is_the_last_line() {
    let folder = TempDir::new().unwrap();
    let (_, text) = spaceduck(folder.path(), &KEYS, &["install", "--json"]);
    let line: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((&line["type"], &line["exit_code"]), (&"failed".into(), &1.into()));
}
