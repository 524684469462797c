//! Every shell snippet of the documents, run as a reader runs it: pasted into a plain `sh`, which
//! goes on after an error. Whether the API answers, refuses or is down, no file that was there is
//! lost, and none becomes empty or an error message.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What snippets may use besides the programs that stand for the network.
const TOOLS: &[&str] = &[
    "awk",
    "base64",
    "cat",
    "chmod",
    "cmp",
    "cp",
    "cut",
    "date",
    "diff",
    "env",
    "find",
    "grep",
    "head",
    "id",
    "install",
    "ln",
    "ls",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "sed",
    "seq",
    "sh",
    "sha256sum",
    "sort",
    "tail",
    "tee",
    "test",
    "touch",
    "tr",
    "uname",
    "wc",
    "xargs",
];

/// Programs that reach for something outside; they answer or fail as the API does.
const OUTSIDE: &[&str] = &[
    "aws", "cargo", "dig", "docker", "gh", "git", "jq", "kubectl", "make", "npm", "openssl", "pip",
    "python3", "tar", "uv", "uvx",
];

/// An answer of the API that has whatever a snippet looks for.
fn answer() -> String {
    let key = format!("sd_bk_{}", "A".repeat(49));
    format!(
        r#"{{"beak_key":"{key}","access_token":"a","refresh_token":"r","certificate":"a.b.c","peck_id":"pck_1"}}"#
    )
}

/// What the API says when it does not want to.
const REFUSAL: &str = r#"{"error":"unavailable","message":"try again later"}"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    Up,
    /// It answers, and not with what was asked for.
    Refuses,
    Down,
}

fn program(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// `curl` as far as snippets use it. Source: curl(1), `--fail`, `--fail-with-body`, `--output`.
fn curl(api: Api) -> String {
    let (body, refused) = match api {
        Api::Up => (answer(), false),
        Api::Refuses => (REFUSAL.to_owned(), true),
        Api::Down => return "echo 'curl: (7) Failed to connect' >&2; exit 7".to_owned(),
    };
    format!(
        "out= fail= keep=\n\
         while [ $# -gt 0 ]; do\n\
         case $1 in\n\
         -o|--output) out=$2; shift ;;\n\
         --fail-with-body) keep=1 ;;\n\
         --fail) fail=1 ;;\n\
         --*) ;;\n\
         -*f*) fail=1 ;;\n\
         esac\n\
         shift\n\
         done\n\
         if [ {refused} = true ] && [ \"$fail\" ]; then exit 22; fi\n\
         if [ \"$out\" ]; then echo '{body}' > \"$out\"; else echo '{body}'; fi\n\
         if [ {refused} = true ] && [ \"$keep\" ]; then exit 22; fi"
    )
}

/// A folder for `PATH`.
fn programs(folder: &Path, api: Api) {
    std::fs::create_dir(folder).unwrap();
    for tool in TOOLS {
        let found = ["/usr/bin", "/bin"].map(|place| Path::new(place).join(tool));
        let found = found.iter().find(|path| path.exists());
        symlink(found.unwrap_or_else(|| panic!("{tool}")), folder.join(tool)).unwrap();
    }
    for name in OUTSIDE {
        let text = if api == Api::Up { "echo output" } else { "echo failed >&2; exit 4" };
        program(folder, name, text);
    }
    // It always ends with a line of JSON, where JSON is wanted.
    let failed = "case \" $* \" in *' --json '*) echo '{\"type\":\"failed\"}' ;; esac; exit 4";
    program(folder, "spaceduck", if api == Api::Up { "echo output" } else { failed });
    program(folder, "curl", &curl(api));
    program(folder, "sleep", "");
}

fn contents(folder: &Path, inside: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{inside}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            contents(&entry.path(), &format!("{path}/"), found);
        } else {
            found.insert(path, std::fs::read(entry.path()).unwrap());
        }
    }
}

/// Runs a snippet in a folder, whatever comes of it, and gives the files that are there then.
fn run(snippet: &str, path: &Path, folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let home = folder.join("home");
    std::fs::create_dir_all(&home).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", snippet]).current_dir(folder).env_clear();
    shell.env("PATH", path).env("HOME", &home).env("SPACEDUCK_HOME", &home);
    shell.env("SPACEDUCK_API", "http://localhost:1");
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.status().unwrap();
    let mut found = BTreeMap::new();
    contents(folder, "", &mut found);
    found
}

/// A file that is on its way: it takes the place of the real one only when it is whole.
fn is_draft(path: &str) -> bool {
    path.strip_suffix(".new").is_some() || path == "home/answer"
}

/// What is wrong with the files that are there after a snippet was run again.
fn losses(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let mut losses = Vec::new();
    for path in before.keys().filter(|path| !is_draft(path) && !after.contains_key(*path)) {
        losses.push(format!("`{path}` is gone"));
    }
    for (path, bytes) in after.iter().filter(|(path, _)| !is_draft(path)) {
        if bytes.is_empty() {
            losses.push(format!("`{path}` is empty"));
        } else if String::from_utf8_lossy(bytes).contains(REFUSAL) {
            losses.push(format!("`{path}` holds an error instead"));
        }
    }
    losses
}

fn documents() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    for folder in ["docs", "pages", "skills"] {
        walk(&root.join(folder), &mut found);
    }
    found.sort();
    found
}

/// The snippets of a document with the lines that they begin on.
fn snippets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (Some(_), Some("")) => found.extend(open.take()),
            (Some((_, snippet)), _) => {
                snippet.push_str(line);
                snippet.push('\n');
            }
            (None, Some("sh" | "bash" | "shell" | "console")) => {
                open = Some((number + 2, String::new()));
            }
            (None, _) => {}
        }
    }
    found
}

#[test]
fn no_snippet_loses_a_file_whatever_the_api_does() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let apis = [("up", Api::Up), ("refuses", Api::Refuses), ("down", Api::Down)];
    for (name, api) in apis {
        programs(&at(name), api);
    }
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for (line, snippet) in snippets(&text) {
            tried += 1;
            let place = format!("{}:{line}", document.display());
            let used = tempfile::tempdir().unwrap();
            let before = run(&snippet, &at("up"), used.path());
            wrong.extend(losses(&before, &before).iter().map(|loss| format!("{place} up: {loss}")));
            for (name, _) in &apis[1..] {
                let after = run(&snippet, &at(name), used.path());
                let found = losses(&before, &after);
                wrong.extend(found.iter().map(|loss| format!("{place} {name}: {loss}")));
                let fresh = tempfile::tempdir().unwrap();
                let after = run(&snippet, &at(name), fresh.path());
                let found = losses(&BTreeMap::new(), &after);
                wrong.extend(found.iter().map(|loss| format!("{place} {name}, fresh: {loss}")));
            }
        }
    }
    assert!(tried > 150, "{tried} snippets");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The check itself: the ways to lose a file that documents had.
#[test]
fn a_snippet_that_loses_a_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    for (name, api) in [("up", Api::Up), ("refuses", Api::Refuses), ("down", Api::Down)] {
        programs(&folder.path().join(name), api);
    }
    for (snippet, api, loss) in [
        ("curl -s http://x > keys.json", "down", "`keys.json` is empty"),
        ("curl -s http://x -o keys.json", "refuses", "`keys.json` holds an error instead"),
        ("curl -s http://x | tee keys.json", "down", "`keys.json` is empty"),
        ("rm -f keys.json; curl -sf http://x -o keys.json", "down", "`keys.json` is gone"),
        ("spaceduck export - > keys.json", "down", "`keys.json` is empty"),
    ] {
        let used = tempfile::tempdir().unwrap();
        let before = run(snippet, &folder.path().join("up"), used.path());
        let after = run(snippet, &folder.path().join(api), used.path());
        assert_eq!(losses(&before, &after), [loss], "{snippet}");
    }
}
