//! The real program in a real terminal, with somebody who types.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// What stood in the terminal when the program had ended.
pub(crate) struct Seen {
    pub(crate) text: String,
    pub(crate) code: i64,
}

/// Runs `spaceduck` in a terminal; `answers` are typed when the words before them have appeared.
pub(crate) fn play(
    folder: &Path,
    columns: usize,
    words: &[&str],
    environment: &[(&str, &str)],
    answers: &[(&str, &str)],
) -> Seen {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join(".venv/bin/python");
    assert!(python.exists(), "there is no Python: run `cargo xtask setup` first");
    let mut terminal = Command::new(python)
        .arg(root.join("tests/terminal.py"))
        .arg(columns.to_string())
        .arg(env!("CARGO_BIN_EXE_spaceduck"))
        .args(words)
        .envs(environment.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    terminal.stdin.take().unwrap().write_all(json!(answers).to_string().as_bytes()).unwrap();
    let output = terminal.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(seen["unasked"], json!([]), "{}", seen["text"]);
    let text = seen["text"].as_str().unwrap().to_owned();
    Seen { text, code: seen["code"].as_i64().unwrap() }
}

/// The text as it is kept, without what differs from run to run; no line is wider than the
/// terminal, but a word that can't be broken.
pub(crate) fn kept(name: &str, columns: usize, seen: &Seen) {
    for line in seen.text.lines() {
        let fits = line.chars().count() <= columns || !line.trim().contains(' ');
        assert!(fits, "wider than {columns}: {line}");
    }
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC", "[moment]");
    settings.add_filter(r"after \d+ s", "after [n] s");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(format!("{name}_{columns}"), seen.text));
}
