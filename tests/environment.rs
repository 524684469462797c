//! Every command with every variable empty, blank, with line ends and malformed: never a panic,
//! always a documented exit code, and for a malformed one a sentence that names it.

#![expect(clippy::expect_used, reason = "these are tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;

use clap::CommandFactory as _;
use spaceduck::cli::Cli;
use spaceduck::environment::{VARIABLES, Value};

/// Exit codes that the documentation has, and clap's.
const CODES: [i32; 9] = [0, 1, 2, 3, 4, 5, 6, 7, 8];

/// Every command that does something, with what it needs to be understood.
fn commands() -> Vec<Vec<String>> {
    fn walk(command: &clap::Command, before: &[String], found: &mut Vec<Vec<String>>) {
        for one in command.get_subcommands().filter(|one| one.get_name() != "help") {
            let mut line = before.to_vec();
            line.push(one.get_name().to_owned());
            let inner = one.get_subcommands().any(|inner| inner.get_name() != "help");
            walk(one, &line, found);
            if inner && one.is_subcommand_required_set() {
                continue;
            }
            for needed in one.get_arguments().filter(|argument| argument.is_required_set()) {
                if let Some(flag) = needed.get_long() {
                    line.push(format!("--{flag}"));
                }
                line.push(value_of(needed));
            }
            // One of several that are needed together.
            if line.starts_with(&["skill".into(), "verify".into()]) {
                line.extend(["--galaxy".into(), "https://127.0.0.1:9".into()]);
            }
            found.push(line);
        }
    }
    let mut root = Cli::command();
    root.build();
    let mut found = Vec::new();
    walk(&root, &[], &mut found);
    found
}

/// Something that an argument takes.
fn value_of(argument: &clap::Arg) -> String {
    let possible = argument.get_possible_values();
    possible.first().map_or_else(|| "duck@example.org".into(), |one| one.get_name().to_owned())
}

/// Runs a command where nothing can be reached, and nothing outside a folder can be touched.
fn run(line: &[String], folder: &Path, set: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spaceduck"));
    command.args(line).env_clear().current_dir(folder).stdin(Stdio::null());
    command.env("HOME", folder).env("AWS_EC2_METADATA_DISABLED", "true");
    // A command that serves would go on for ever; a port that can't be had stops it.
    if line.first().is_some_and(|name| name == "local") {
        command.args(["--data", "/dev/null/no"]);
    }
    command.envs(set.iter().copied());
    command.output().expect("the program starts")
}

fn judge(line: &[String], set: &[(&str, &str)], output: &Output) -> Result<String, String> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    let shown = || format!("{line:?} with {set:?}: {:?}\n{said}", output.status);
    let code = output.status.code().ok_or_else(shown)?;
    if !CODES.contains(&code) || said.contains("panicked") {
        return Err(shown());
    }
    Ok(said)
}

/// Runs all of it on two threads, and gives what went wrong.
fn all<T: Sync>(
    cases: &[T],
    check: impl Fn(&T, &Path) -> Result<(), String> + Sync,
) -> Vec<String> {
    let (next, wrong) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let case = next.lock().expect("no thread panics").next();
                    let Some(case) = case else { break };
                    let folder = tempfile::tempdir().expect("a folder");
                    if let Err(one) = check(case, folder.path()) {
                        wrong.lock().expect("no thread panics").push(one);
                    }
                }
            });
        }
    });
    wrong.into_inner().expect("no thread panics")
}

/// A value that the variable takes.
fn fine(value: Value, folder: &Path) -> String {
    match value {
        Value::Text => "word".into(),
        Value::Word | Value::Secret => "WORD".into(),
        Value::Region => "eu-central-1".into(),
        Value::Url | Value::Proxy => "http://127.0.0.1:9".into(),
        Value::Flag => "true".into(),
        Value::Number(least, most) => least.max(most.min(20)).to_string(),
        Value::HostPort => "127.0.0.1:9".into(),
        Value::File => {
            let path = folder.join("ca.pem");
            std::fs::write(&path, CA).expect("a file");
            path.display().to_string()
        }
        Value::OneOf(words) => words[0].into(),
    }
}

/// A certificate that is one, for variables that name a bundle.
const CA: &str = include_str!("fixtures/tls/ca.pem");

/// A value that it does not take; none for a text, which takes everything.
fn malformed(value: Value) -> Option<&'static str> {
    match value {
        Value::Text => None,
        Value::Word | Value::Secret => Some("two words"),
        Value::Region => Some("Frankfurt am Main"),
        Value::Url | Value::Proxy => Some("::::"),
        Value::Flag => Some("perhaps"),
        Value::Number(..) => Some("many"),
        Value::HostPort => Some("here"),
        Value::File => Some("/no/such/file"),
        Value::OneOf(_) => Some("none-of-these"),
    }
}

#[test]
fn empty_and_blank_variables_are_unset_for_every_command() {
    let commands = commands();
    assert!(commands.len() > 25, "{}", commands.len());
    let wrong = all(&commands, |line, folder| {
        // Each run in a folder of its own, since some commands make files.
        let fresh = |set: &[(&str, &str)]| {
            let inner = tempfile::tempdir_in(folder).expect("a folder");
            let said = judge(line, set, &run(line, inner.path(), set))?;
            Ok::<String, String>(said.replace(&inner.path().display().to_string(), "FOLDER"))
        };
        let bare = fresh(&[])?;
        for blank in ["", " \t", "\r\n"] {
            let mut set: Vec<(&str, &str)> =
                VARIABLES.iter().map(|(name, _)| (*name, blank)).collect();
            set.push(("AWS_ENDPOINT_URL_STS", blank));
            set.retain(|(name, _)| !["HOME", "AWS_EC2_METADATA_DISABLED"].contains(name));
            let said = fresh(&set)?;
            // The first line is the sentence; clocks and random keys come behind it.
            if said.lines().next() != bare.lines().next() {
                return Err(format!("{line:?} with {blank:?}: {said}\ninstead of: {bare}"));
            }
        }
        Ok(())
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn line_ends_do_not_belong_to_values() {
    let commands = commands();
    let wrong = all(&commands, |line, folder| {
        let ended: BTreeMap<&str, String> = VARIABLES
            .iter()
            .filter(|(name, _)| !matches!(*name, "HOME" | "AWS_PROFILE" | "EDITOR" | "VISUAL"))
            // One that answers at once: nothing waits for what can't be reached.
            .filter(|(name, _)| !name.contains("CONTAINER") && !name.contains("WEB_IDENTITY"))
            .map(|(name, value)| (*name, fine(*value, folder) + "\r\n"))
            .collect();
        let mut set: Vec<(&str, &str)> =
            ended.iter().map(|(name, value)| (*name, value.as_str())).collect();
        set.push(("AWS_MAX_ATTEMPTS", "1\r\n"));
        let said = judge(line, &set, &run(line, folder, &set))?;
        if said.contains("environment variable") {
            return Err(format!("{line:?}: {said}"));
        }
        Ok(())
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_malformed_variable_is_named_by_every_command_that_goes_by_it() {
    let commands = commands();
    let local = ["init", "render", "schema", "completions", "man", "local", "skill"];
    let cases: Vec<(&Vec<String>, &str, &str)> = commands
        .iter()
        .flat_map(|line| {
            let variables = VARIABLES.iter().map(|(name, value)| (*name, *value));
            let endpoint = [("AWS_ENDPOINT_URL_STS", Value::Url)];
            variables
                .chain(endpoint)
                .filter_map(move |(name, value)| Some((line, name, malformed(value)?)))
        })
        .collect();
    let wrong = all(&cases, |(line, name, value), folder| {
        let set = [(*name, *value)];
        let said = judge(line, &set, &run(line, folder, &set))?;
        let goes_by_it = !local.contains(&line[0].as_str()) || name.starts_with("SPACEDUCK_");
        let named = said.contains(name);
        if goes_by_it && !named {
            return Err(format!("{line:?} with {name}={value} does not name it: {said}"));
        }
        if name.contains("SECRET") && said.contains(value) {
            return Err(format!("{line:?} shows the value of {name}: {said}"));
        }
        Ok(())
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
