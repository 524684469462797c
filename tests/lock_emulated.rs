//! The lock against the emulated AWS: the built program is stopped by every signal, paused while
//! another run takes over, and met by a run in another PID namespace.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::{Value, json};

mod person;

use person::Person;

const INSTALL: [&str; 2] = ["install", "--yes"];

/// A run that has begun to change something, and what it says from then on.
struct Running {
    child: Child,
    said: std::io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts the program and returns as soon as a stack is being created.
    fn start(person: &Person) -> Self {
        // A shell has INT ignored in what it starts behind itself, and the program respects that.
        let mut command = installation(person, &["env", "--default-signal=INT,TERM,HUP"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut running = Self { child, said };
        loop {
            let line = running.said.next().unwrap().unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            let is_stack = line["step"].as_str().is_some_and(|step| step.contains("data"));
            if line["type"] == "step" && line["state"] == "running" && is_stack {
                return running;
            }
        }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Its exit code and its last line.
    fn end(mut self) -> (Option<i32>, Value) {
        let last = self.said.map(Result::unwrap).last().unwrap();
        let status = self.child.wait().unwrap();
        (status.code(), serde_json::from_str(&last).unwrap())
    }
}

/// An installation that another program starts.
fn installation(person: &Person, by: &[&str]) -> Command {
    let program = person.program(&INSTALL);
    let mut command = Command::new(by[0]);
    command.args(&by[1..]).arg(program.get_program()).args(program.get_args());
    command.current_dir(program.get_current_dir().unwrap());
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.envs(person.cloud.environment());
    command
}

fn last_line(output: &Output) -> Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

/// Exit code 130, the outcome as the last line, and a lock that the next run need not wait for.
#[test]
fn each_signal_releases_the_lock() {
    for name in ["-INT", "-TERM", "-HUP"] {
        let person = Person::new();
        let running = Running::start(&person);
        running.signal(name);
        let (code, last) = running.end();
        assert_eq!(code, Some(130), "{name}: {last}");
        let expected = (&json!("failed"), &json!("interrupted"), &json!(130));
        assert_eq!((&last["type"], &last["kind"], &last["exit_code"]), expected, "{name}");
        // Once: a run that waits for a lease is refused.
        let next = person.program(&INSTALL).envs(person.cloud.environment()).output().unwrap();
        assert_eq!(next.status.code(), Some(0), "{name}: {}", last_line(&next));
    }
}

/// The first run is paused. Runs in another PID namespace, with the same host name and the same
/// process id each time, wait for its lease and take over; the first one wakes and stops.
#[test]
fn a_paused_run_wakes_and_stops() {
    let person = Person::new();
    let running = Running::start(&person);
    running.signal("-STOP");
    let mut second = installation(&person, &["unshare", "--pid", "--fork", "--mount-proc"]);
    let first = second.output().unwrap();
    assert_eq!(first.status.code(), Some(3), "{}", last_line(&first));
    let message = last_line(&first)["message"].to_string();
    assert!(message.contains("is changing this galaxy right now"), "{message}");
    let taken_over = loop {
        let ran = second.output().unwrap();
        if ran.status.code() != Some(3) {
            break ran;
        }
    };
    assert_eq!(taken_over.status.code(), Some(0), "{}", last_line(&taken_over));
    running.signal("-CONT");
    let (code, last) = running.end();
    assert_eq!(code, Some(4), "{last}");
    let message = last["message"].to_string();
    assert!(message.contains("has lost the lock"), "{last}");
    let again = person.spaceduck(&INSTALL);
    assert_eq!(again.last()["outcome"], "unchanged", "{}", again.last());
}
