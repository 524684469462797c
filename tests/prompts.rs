//! Questions in a real terminal: whoever does not want to answer can stop the program.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

mod terminal;

const CONFIG: &str =
    "region: eu-central-1\nmail:\n  domain: example.org\n  website: https://example.org\n";

/// What stops a run. Its exit code is the same for all.
const STOPS: [&str; 3] = ["Ctrl-C", "SIGTERM", "SIGHUP"];

fn stops_at(folder: &Path, words: &[&str], environment: &[(&str, &str)], question: &str) {
    for stop in STOPS {
        let seen = terminal::play(folder, 80, words, environment, &[(question, stop)]);
        assert_eq!(seen.code, 130, "{stop} at `{question}`: {}", seen.text);
        assert!(seen.text.contains("error: stopped"), "{stop}: {}", seen.text);
    }
}

#[test]
fn a_hidden_question_can_be_left() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let profiles = "[profile code]\nrole_arn = arn:aws:iam::111122223333:role/duck\n\
                    source_profile = keys\nmfa_serial = arn:aws:iam::111122223333:mfa/duck\n\
                    region = eu-central-1\n\
                    [profile keys]\naws_access_key_id = A\naws_secret_access_key = B\n";
    std::fs::write(&config, profiles).unwrap();
    let environment = [
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("AWS_PROFILE", "code"),
        ("AWS_ACCESS_KEY_ID", ""),
    ];
    stops_at(folder.path(), &["list"], &environment, "MFA code of ");
}

#[test]
fn a_question_can_be_left() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("galaxy.yaml"), CONFIG).unwrap();
    let environment = [("EDITOR", "true"), ("VISUAL", "")];
    let words = ["mail", "--rehearse", "--play", "never-asked", "apply"];
    let question = "Type `it is true, send it` to send it: ";
    stops_at(folder.path(), &words, &environment, question);
    let answers = [(question, "Ctrl-C")];
    let seen = terminal::play(folder.path(), 80, &words, &environment, &answers);
    terminal::kept("stopped_at_a_question", 80, &seen);
    stops_at(folder.path(), &["init", "--config", "new.yaml"], &[], "]: ");
}

/// Ctrl-C in an editor is a key like any other.
#[test]
fn an_editor_takes_interrupts_itself() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("galaxy.yaml"), CONFIG).unwrap();
    let editor = folder.path().join("editor.sh");
    // A shell that reads would miss an interrupt that comes right before it begins to read.
    let script = "trap 'echo heard; exit 0' INT\necho open\nwhile :; do sleep 0.1; done\n";
    std::fs::write(&editor, script).unwrap();
    let editor = format!("sh {}", editor.display());
    let environment = [("EDITOR", editor.as_str()), ("VISUAL", "")];
    let words = ["mail", "--rehearse", "--play", "never-asked", "apply"];
    let answers = [("open", "Ctrl-C"), ("to send it: ", "no")];
    let seen = terminal::play(folder.path(), 80, &words, &environment, &answers);
    assert_eq!(seen.code, 0, "{}", seen.text);
    assert!(seen.text.contains("heard"), "{}", seen.text);
}

/// Whether a process listens to all three signals: HUP is the last that it installs a handler for.
/// Source: `proc_pid_status(5)`.
fn listens(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1
}

/// A file that nothing is written to keeps a run waiting, and one signal ends it all the same.
#[test]
fn a_run_that_waits_for_a_file_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
    assert!(made.success());
    for words in [
        &["plan", "--config", "pipe"][..],
        &["skill", "verify", "pipe", "--jwks", "pipe"],
        &["import", "pipe"],
    ] {
        // A shell has INT ignored in what it starts behind itself, and `nohup` HUP.
        let mut program = Command::new("env");
        program.arg("--default-signal=INT,TERM,HUP").arg(env!("CARGO_BIN_EXE_spaceduck"));
        program.current_dir(folder.path()).args(words).arg("--json");
        let mut run = program.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        while !listens(run.id()) {
            assert!(run.try_wait().unwrap().is_none(), "{words:?} has ended by itself");
            std::thread::yield_now();
        }
        let told = Command::new("kill").arg("-TERM").arg(run.id().to_string()).status();
        assert!(told.unwrap().success());
        let status = run.wait().unwrap();
        let told = std::io::read_to_string(run.stdout.take().unwrap()).unwrap();
        assert_eq!(status.code(), Some(130), "{words:?}: {status} {told}");
        let last: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
        assert_eq!((&last["type"], &last["exit_code"]), (&json!("failed"), &json!(130)), "{last}");
        assert_eq!(last["message"], "stopped; nothing was changed", "{words:?}");
    }
}
