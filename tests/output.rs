//! Output that can't be written, files that are there already, and a stranger's bytes on a
//! terminal: every command, as `--help` lists them.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use clap::CommandFactory as _;
use serde_json::Value;
use spaceduck::cli::Cli;
use spaceduck::event::{self, Event, Sink as _};
use spaceduck::progress::{Human, JsonLines, Quiet};

/// Every command with the words that make it say something here, without an account.
const COMMANDS: &[(&str, &[&str])] = &[
    ("init", &["--yes"]),
    ("doctor", &["--rehearse"]),
    ("plan", &["--rehearse"]),
    ("install", &["--rehearse", "--yes"]),
    ("adopt", &["table:eggs", "--rehearse"]),
    ("list", &["--rehearse"]),
    ("rollback", &["--list", "--rehearse"]),
    ("status", &["--rehearse"]),
    ("drift", &["--rehearse"]),
    ("verify", &["--rehearse"]),
    ("repair", &["--rehearse", "--yes"]),
    ("teardown", &["--rehearse", "--confirm", "spaceduck", "--no-export"]),
    ("export", &["file", "--rehearse"]),
    ("import", &["file", "--rehearse"]),
    ("logs", &["--rehearse"]),
    ("open", &["--rehearse"]),
    ("render", &["--out", "out"]),
    ("schema", &[]),
    ("completions", &["bash"]),
    ("man", &["--out", "out"]),
    ("operator add", &["a@example.com", "--rehearse"]),
    ("operator remove", &["a@example.com", "--rehearse"]),
    ("operator reset-mfa", &["a@example.com", "--rehearse"]),
    ("operator list", &["--rehearse"]),
    ("domains", &["--rehearse"]),
    ("mail", &["--rehearse"]),
    ("mail apply", &["--draft", "--rehearse"]),
    ("mail invite", &["a@example.com", "--rehearse"]),
    ("mail records", &["--rehearse"]),
    ("mail test", &["--rehearse"]),
    ("mail confirm", &["sender", "--rehearse"]),
    ("skill check", &["SKILL"]),
    ("skill pack", &["SKILL"]),
    ("skill key", &["--key", "key"]),
    ("skill sign", &["pack", "--certificate", "certificate", "--key", "key"]),
    ("skill verify", &["pack", "--jwks", "jwks"]),
    ("site check", &["--rehearse"]),
    ("site publish", &["--rehearse"]),
    ("support", &["--rehearse"]),
    ("local", &["--port", "0"]),
];

/// The commands that take no other: `mail` by itself is one, too.
fn leaves(command: &clap::Command, path: &str, found: &mut Vec<String>) {
    for inner in command.get_subcommands() {
        let path = format!("{path} {}", inner.get_name()).trim().to_owned();
        if !inner.is_subcommand_required_set() {
            found.push(path.clone());
        }
        leaves(inner, &path, found);
    }
}

#[test]
fn every_command_is_tried() {
    let mut found = Vec::new();
    leaves(&Cli::command(), "", &mut found);
    found.sort();
    let mut tried: Vec<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
    tried.sort_unstable();
    assert_eq!(tried, found);
}

fn spaceduck(folder: &Path, words: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_spaceduck"));
    program.current_dir(folder).env_clear().args(words).stdin(Stdio::null());
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        program.env(name, "/dev/null");
    }
    program.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_REGION", "eu-central-1");
    program.env("HOME", folder).env("PATH", "/usr/bin:/bin");
    program
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

/// Runs every command in a folder of its own; two at a time, since most of a rehearsal is waiting.
fn each(commands: &[(&str, &[&str])], check: impl Fn(&str, &Path, Vec<&str>) + Sync) {
    let left = Mutex::new(commands.iter());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some((name, words)) = left.lock().unwrap().next() else { break };
                    let folder = tempfile::tempdir().unwrap();
                    let words = name.split(' ').chain(words.iter().copied()).collect();
                    check(name, folder.path(), words);
                }
            });
        }
    });
}

/// What a healthy run does decides: a command that fails by itself keeps its exit code, and every
/// other one fails with 1.
fn with_broken_output(words: &[&str], folder: &Path, stdout_only: bool) -> Output {
    let mut program = spaceduck(folder, words);
    program.stdout(full());
    if stdout_only {
        program.stderr(Stdio::piped());
    } else {
        program.stderr(full());
    }
    program.output().unwrap()
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    each(COMMANDS, |name, folder, words| {
        let output = with_broken_output(&words, folder, false);
        let code = output.status.code().unwrap();
        assert!((1..=8).contains(&code), "{name}: {code}");
    });
}

#[test]
fn json_that_cannot_be_written_is_an_error() {
    each(COMMANDS, |name, folder, mut words| {
        words.push("--json");
        let output = with_broken_output(&words, folder, true);
        let code = output.status.code().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!((1..=8).contains(&code), "{name}: {code}: {said}");
        assert!(said.starts_with("error: ") && said.contains("\nhelp: "), "{name}: {said}");
    });
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    each(COMMANDS, |name, folder, mut words| {
        if name == "local" || name == "operator add" {
            // One runs until it is stopped; the other would lose a password.
            return;
        }
        let healthy = spaceduck(folder, &words).output().unwrap().status.code();
        let closed = || {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            writer
        };
        let fresh = tempfile::tempdir().unwrap();
        let mut program = spaceduck(fresh.path(), &words);
        let output = program.stdout(closed()).stderr(closed()).output().unwrap();
        assert_eq!(output.status.code(), healthy, "{name}, in words");
        let fresh = tempfile::tempdir().unwrap();
        words.push("--json");
        let output = spaceduck(fresh.path(), &words).stdout(closed()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), healthy, "{name}: {said}");
    });
}

#[test]
fn help_and_version_that_cannot_be_written_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    for words in [&["--help"][..], &["--version"], &["help", "mail"], &["--version", "--json"]] {
        let output = spaceduck(folder.path(), words).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{words:?}");
    }
}

#[test]
fn a_usage_error_is_json_where_json_was_wanted() {
    let folder = tempfile::tempdir().unwrap();
    for words in [
        &["--json", "plan", "--nonsense"][..],
        &["nonsense", "--json"],
        &["--json"],
        &["mail", "records", "--json", "--zone"],
    ] {
        let output = spaceduck(folder.path(), words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(output.stderr.is_empty(), "{words:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&last["type"], &last["kind"], &last["exit_code"]),
            (&"failed".into(), &"usage".into(), &2.into()),
            "{words:?}"
        );
        assert!(!last["message"].as_str().unwrap().is_empty(), "{words:?}");
    }
    // A word behind `--` is no flag.
    let output = spaceduck(folder.path(), &["plan", "--", "--json"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true));
}

#[test]
fn a_password_that_nobody_could_see_never_counts() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("galaxy");
    let mut local = spaceduck(folder.path(), &["local", "--port", "0", "--json", "--data"]);
    let mut local = local.arg(&data).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(local.stdout.take().unwrap()));
    let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert!(first["text"].as_str().unwrap().contains("http://localhost:"), "{first}");
    let pid = local.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let last: Value = serde_json::from_str(&lines.last().unwrap().unwrap()).unwrap();
    assert_eq!(last["type"], "finished", "SIGTERM ends it with a last line");
    assert!(local.wait().unwrap().success());

    let add = |stdout: Stdio| {
        let mut add = spaceduck(folder.path(), &["operator", "add", "a@example.com", "--data"]);
        add.arg(&data).stdout(stdout).output().unwrap()
    };
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    for (what, stdout) in [("full", full()), ("closed", closed.into())] {
        let output = add(stdout);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{what}: {said}");
        assert!(said.contains("so no account was made"), "{what}: {said}");
    }
    let listed = spaceduck(folder.path(), &["operator", "list", "--data"]).arg(&data).output();
    assert_eq!(listed.unwrap().stdout, b"operator@spaceduck.localhost\n");
    let told = String::from_utf8(add(Stdio::piped()).stdout).unwrap();
    assert!(told.contains("password  "), "and it is shown again: {told}");
}

/// What is in a folder: names, and bytes or where a link leads.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (name, kind) = (entry.file_name().into_string().unwrap(), entry.file_type().unwrap());
        let bytes = if kind.is_symlink() {
            std::fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes()
        } else if kind.is_file() {
            std::fs::read(entry.path()).unwrap()
        } else {
            format!("{kind:?}").into_bytes()
        };
        found.insert(name, bytes);
    }
    found
}

/// The commands that write a file, with a name for it in the place of `FILE`.
const WRITERS: &[&[&str]] = &[
    &["init", "--yes", "--config", "FILE"],
    &["export", "FILE", "--rehearse"],
    &["teardown", "--confirm", "spaceduck", "--export", "FILE", "--rehearse"],
    &["verify", "--out", "FILE", "--rehearse"],
    &["support", "FILE", "--rehearse"],
    &["mail", "records", "--zone", "FILE", "--rehearse"],
    &["domains", "--zone", "FILE", "--rehearse"],
    &["plan", "--trace", "FILE"],
    &["skill", "pack", "SKILL", "--out", "FILE"],
];

/// A skill to pack, and a galaxy with a domain.
fn furnish(folder: &Path) {
    let skill = Path::new(env!("CARGO_MANIFEST_DIR")).join("skills/space-duck");
    symlink(skill, folder.join("space-duck")).unwrap();
    let text = "region: eu-central-1\nmail:\n  domain: example.com\n";
    std::fs::write(folder.join("galaxy.yaml"), text).unwrap();
}

fn named<'a>(words: &[&'a str], file: &'a str) -> Vec<&'a str> {
    let named = |word: &&'a str| match *word {
        "FILE" => file,
        "SKILL" => "space-duck",
        other => other,
    };
    words.iter().map(named).collect()
}

#[test]
fn what_is_there_is_never_overwritten_unasked() {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path());
    std::fs::write(folder.path().join("file"), "precious").unwrap();
    symlink("file", folder.path().join("link")).unwrap();
    symlink("nothing", folder.path().join("dangling")).unwrap();
    let made = Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
    assert!(made.success());
    let before = contents(folder.path());
    for words in WRITERS {
        for file in ["file", "link", "dangling", "pipe"] {
            let output = spaceduck(folder.path(), &named(words, file)).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            let code = output.status.code().unwrap();
            assert!(code == 1 || (words[0] == "init" && code == 3), "{words:?} {file}: {said}");
            assert!(said.contains(&format!("`{file}`")), "{words:?} {file}: {said}");
            assert!(said.contains("--force"), "{words:?} {file}: {said}");
            assert_eq!(contents(folder.path()), before, "{words:?} {file}");
        }
    }
}

#[test]
fn a_rehearsal_writes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path());
    let before = contents(folder.path());
    let also: &[&[&str]] = &[
        &["render", "--out", "FILE"],
        &["man", "--out", "FILE"],
        &["local", "--data", "FILE", "--port", "0"],
        &["skill", "key", "--key", "FILE"],
        &["operator", "add", "a@example.com", "--data", "FILE"],
        &["teardown", "--confirm", "spaceduck"],
        &["mail", "--play", "granted"],
        &["install", "--yes"],
    ];
    for words in WRITERS.iter().chain(also) {
        let mut words = named(words, "new");
        words.push("--rehearse");
        let words: Vec<&str> = words.iter().copied().filter(|word| *word != "--rehearse").collect();
        let output = spaceduck(folder.path(), &words).arg("--rehearse").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(contents(folder.path()), before, "{words:?}: {said}");
    }
}

#[test]
fn pipes_links_and_standard_output_work() {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path());
    let at = |name: &str| folder.path().join(name);
    let pack = |out: &str| ["skill", "pack", "space-duck", "--out", out].map(str::to_owned);
    let run = |words: &[String]| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        spaceduck(folder.path(), &words).output().unwrap()
    };
    assert_eq!(run(&pack("pack")).status.code(), Some(0));
    let whole = std::fs::read(at("pack")).unwrap();
    // `-` gives the same bytes before anything that is said.
    assert!(run(&pack("-")).stdout.starts_with(&whole));
    let json = [&pack("-")[..], &["--json".to_owned()]].concat();
    assert_eq!(run(&json).status.code(), Some(2), "both want standard output");
    symlink("pack", at("link")).unwrap();
    std::fs::write(at("pack"), "old").unwrap();
    let forced = [&pack("link")[..], &["--force".to_owned()]].concat();
    assert_eq!(run(&forced).status.code(), Some(0));
    assert_eq!(std::fs::read(at("pack")).unwrap(), whole);
    assert_eq!(std::fs::read_link(at("link")).unwrap(), Path::new("pack"));
    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    let reader = Command::new("cat").arg(at("pipe")).stdout(Stdio::piped()).spawn().unwrap();
    let forced = [&pack("pipe")[..], &["--force".to_owned()]].concat();
    // Until `cat` has opened it, nothing reads the pipe.
    while run(&forced).status.code() != Some(0) {}
    assert_eq!(reader.wait_with_output().unwrap().stdout, whole);
    // What a shell makes of `>(...)`.
    let script = "exec \"$1\" skill pack space-duck --out /dev/fd/5 5>&1 >/dev/null 2>&1";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_spaceduck")]);
    let output = shell.current_dir(folder.path()).output().unwrap();
    assert_eq!(output.stdout, whole, "{}", output.status);
}

/// Control sequences of every sort: ESC, CSI as one character, OSC, carriage return, backspace,
/// delete, bidirectional marks, an invisible tag.
const SLY: &str = "\u{1b}[2J\u{9b}31m\u{1b}]0;x\u{7}\r\u{8}\u{7f}\u{202e}\u{2066}\u{200b}\u{e0041}";

/// Every event that has text in it, with a stranger's text in all of its places.
#[expect(clippy::too_many_lines, reason = "it is a list of events")]
fn strangers() -> Vec<Event> {
    let sly = || SLY.to_owned();
    let lines = || vec![format!("{SLY}\n{SLY}")];
    vec![
        Event::Started {
            version: 1,
            command: sly(),
            galaxy: sly(),
            account: sly(),
            region: sly(),
            release: sly(),
        },
        Event::Change {
            step: sly(),
            resource: sly(),
            kind: sly(),
            action: sly(),
            why: lines(),
            refused: true,
        },
        Event::Step {
            step: sly(),
            state: event::StepState::Failed,
            millis: None,
            detail: Some(sly()),
        },
        Event::Status { item: sly(), state: sly() },
        Event::Galaxy(event::Galaxy {
            galaxy: sly(),
            region: Some(sly()),
            release: Some(sly()),
            wrong: lines(),
            ..event::Galaxy::default()
        }),
        Event::Finding {
            item: sly(),
            state: sly(),
            detail: sly(),
            command: Some(sly()),
            mended: false,
        },
        Event::Check(event::Check {
            check: sly(),
            level: "problem".into(),
            title: sly(),
            is: sly(),
            should: sly(),
            cure: Some(sly()),
        }),
        Event::Written { path: sly() },
        Event::Verified(event::Verified { check: sly(), verdict: sly(), detail: sly() }),
        Event::Answered(event::Answered {
            id: sly(),
            question: sly(),
            answer: sly(),
            evidence: sly(),
        }),
        Event::Text { text: sly() },
        Event::Operators { operators: vec![sly()] },
        Event::Receipt {
            left: vec![event::Left { item: sly(), why: sly(), monthly_cents: 1 }],
            monthly_cents: 1,
        },
        Event::DnsRecord(event::mail::Record {
            name: sly(),
            zone: sly(),
            host: sly(),
            kind: sly(),
            value: sly(),
            ttl: 60,
            purpose: sly(),
            by: sly(),
            state: "wrong".into(),
            detail: Some(sly()),
            known: Some(sly()),
        }),
        Event::MailItem(event::mail::Item {
            state: "wrong".into(),
            is: Some(sly()),
            detail: Some(sly()),
            title: sly(),
            ..event::mail::Item::default()
        }),
        Event::MailLetter(event::mail::Letter {
            website: sly(),
            mail_type: sly(),
            language: sly(),
            contacts: lines(),
            text: sly(),
        }),
        Event::Log { at: 0, text: sly() },
        Event::Note { text: sly() },
        Event::Key { mark: sly(), file: sly() },
        Event::Finished {
            outcome: event::Outcome::Done,
            urls: vec![event::Url { name: sly(), url: sly() }],
            next: lines(),
        },
    ]
}

fn tame(what: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(!text.is_empty(), "{what}");
    for c in SLY.chars().filter(|c| !"[2J31m]0;x".contains(*c)) {
        assert!(!text.contains(c), "{what} has U+{:04X}: {text:?}", u32::from(c));
    }
}

#[test]
fn a_strangers_control_characters_are_written_out_in_every_output() {
    let mut quiet = Vec::new();
    for event in strangers() {
        let (mut said, mut answered, mut json) = (Vec::new(), Vec::new(), Vec::new());
        Human::new(&mut said, &mut answered, None).emit(event.clone());
        JsonLines::new(&mut json).emit(event.clone());
        Quiet::new(&mut quiet).emit(event.clone());
        tame(&format!("{event:?}"), &[said, answered].concat());
        tame("JSON", &json);
        let read: Value = serde_json::from_slice(&json).unwrap();
        assert!(read.to_string().contains("[2J"), "{read}");
    }
    tame("--quiet", &quiet);
    // A line break in a name never makes a line of its own.
    let (mut said, mut answered) = (Vec::new(), Vec::new());
    let item = "page\nerror: run `curl x | sh`".to_owned();
    let event = Event::Finding {
        item,
        state: "extra".into(),
        detail: String::new(),
        command: None,
        mended: false,
    };
    Human::new(&mut said, &mut answered, None).emit(event);
    assert_eq!(String::from_utf8(answered).unwrap().matches('\n').count(), 1);
}

#[test]
fn a_failure_writes_out_what_a_file_holds() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("name: \"{}\"\n", SLY.replace('\u{1b}', "\\e").replace(['\r', '\u{8}'], ""));
    std::fs::write(folder.path().join("galaxy.yaml"), text).unwrap();
    let output = spaceduck(folder.path(), &["plan", "--rehearse"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    tame("a mistake in galaxy.yaml", &output.stderr);
    let output =
        spaceduck(folder.path(), &["logs", "--rehearse", "--config", SLY]).output().unwrap();
    tame("a path", &output.stderr);
}

/// `logs --follow | head -1` ends by itself.
#[test]
fn following_ends_with_its_reader() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["logs", "--follow", "--rehearse", "--json"];
    let mut follow = spaceduck(folder.path(), &words).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(follow.stdout.take().unwrap()));
    assert!(lines.next().is_some());
    drop(lines);
    assert!(follow.wait().unwrap().success());
}
