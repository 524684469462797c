//! The real program in a real terminal, with somebody who types.

#![allow(dead_code, reason = "each test binary uses a part of it")]

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
/// `Ctrl-C` is that key, `SIGTERM` and the like are sent.
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
    assert_eq!(seen["echo"], json!(true), "nothing that is typed is shown any more: {text}");
    Seen { text, code: seen["code"].as_i64().unwrap() }
}

/// Lines that the terminal had to break: all that are wider, but words that can't be broken.
pub(crate) fn wider_than(columns: usize, text: &str) -> Vec<&str> {
    let lines = text.lines().flat_map(|line| line.split('\r')).flat_map(|line| bars(columns, line));
    let is_wide = |line: &&str| line.chars().count() > columns && line.trim().contains(' ');
    lines.filter(is_wide).collect()
}

/// Bars that move are drawn at once, each filled up to the terminal's width and without a line end:
/// the terminal begins the next one, which starts with a wheel, on a new line.
fn bars(columns: usize, line: &str) -> Vec<&str> {
    let (mut bars, mut rest) = (Vec::new(), line);
    while let Some((end, _)) = rest.char_indices().nth(columns) {
        let (bar, next) = rest.split_at(end);
        let is_wheel = |c: char| ('\u{2800}'..='\u{28ff}').contains(&c);
        if !next.strip_prefix("  ").is_some_and(|next| next.starts_with(is_wheel)) {
            break;
        }
        bars.push(bar);
        rest = next;
    }
    bars.push(rest);
    bars
}

/// The text as it is kept, without what differs from run to run.
pub(crate) fn kept(name: &str, columns: usize, seen: &Seen) {
    assert_eq!(wider_than(columns, &seen.text), Vec::<&str>::new());
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC", "[moment]");
    settings.add_filter(r"after \d+ s", "after [n] s");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(format!("{name}_{columns}"), seen.text));
}
