//! The program from outside, for tests: starts it, talks to it, ends it; and then looks whether its
//! log holds any secret that went to and fro.

#![allow(dead_code, clippy::expect_used, clippy::panic, missing_docs, reason = "for tests")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

pub(crate) struct Galaxy {
    child: Child,
    pub(crate) port: u16,
    agent: ureq::Agent,
    log: tempfile::NamedTempFile,
    secrets: Mutex<Vec<String>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

pub(crate) fn program(data: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beak-local"));
    command.arg("--data").arg(data).arg("--port").arg(port.to_string()).arg("--no-limits");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The program where no file may grow beyond so many blocks of 512 bytes: a disk that gets full.
pub(crate) fn cramped(data: &Path, blocks: u64) -> Command {
    let mut command = Command::new("sh");
    // Without the trap the system would end the program instead of failing its write.
    command.args(["-c", r#"trap '' XFSZ; ulimit -S -f "$0" && exec "$@""#]);
    command.arg(blocks.to_string()).arg(env!("CARGO_BIN_EXE_beak-local"));
    command.arg("--data").arg(data).args(["--port", "0", "--no-limits"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Galaxy {
    pub(crate) fn start(data: &Path) -> Self {
        Self::run(&mut program(data, 0))
    }

    pub(crate) fn run(command: &mut Command) -> Self {
        let log = tempfile::NamedTempFile::new().expect("a file");
        let stderr = log.reopen().expect("the file");
        // Everything that is ever logged, also by libraries.
        let mut child = command
            .env("SPACEDUCK_LOG", "trace")
            .stderr(stderr)
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let address = line.trim().strip_prefix("API")?.trim().to_owned();
                address.strip_prefix("http://localhost:")?.strip_suffix("/beak")?.parse().ok()
            })
            .expect("it says where it listens");
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        Self { child, port, agent: config.into(), log, secrets: Mutex::default() }
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(format!("http://localhost:{}{path}", self.port));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.call().expect("an answer"))
    }

    pub(crate) fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Answer {
        let mut request = self.agent.post(format!("http://localhost:{}{path}", self.port));
        if let Some(key) = key {
            self.never_log(key);
            request = request.header("authorization", format!("Bearer {key}"));
        }
        self.learn(body);
        let answer = read(request.send_json(body).expect("an answer"));
        if let Ok(json) = serde_json::from_str(&answer.text) {
            self.learn(&json);
        }
        answer
    }

    /// Any request at all.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let url = format!("http://localhost:{}{path}", self.port);
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent = &self.agent;
        let with_body = agent.configure_request(request.body(body).expect("a request"));
        read(agent.run(with_body.allow_non_standard_methods(true).build()).expect("an answer"))
    }

    /// The same with a credential and JSON.
    pub(crate) fn send_as(&self, method: &str, path: &str, key: &str, body: &Value) -> Answer {
        self.never_log(key);
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let answer = self.send(method, path, &headers, body.to_string().as_bytes());
        if let Ok(json) = serde_json::from_str(&answer.text) {
            self.learn(&json);
        }
        answer
    }

    /// What must not be in the log when the galaxy ends.
    pub(crate) fn never_log(&self, secret: &str) {
        if secret.len() >= 6 {
            self.secrets.lock().expect("a list").push(secret.to_owned());
        }
    }

    /// Learns the secrets of a body.
    fn learn(&self, body: &Value) {
        const SECRET: [&str; 7] = [
            "password",
            "code",
            "email",
            "beak_key",
            "access_token",
            "refresh_token",
            "captcha_token",
        ];
        for (name, value) in body.as_object().into_iter().flatten() {
            match value.as_str() {
                Some(secret) if SECRET.contains(&name.as_str()) => self.never_log(secret),
                _ => self.learn(value),
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the program has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).expect("the log")
    }

    pub(crate) fn get_as(&self, path: &str, key: &str) -> Answer {
        self.get(path, &[("authorization", &format!("Bearer {key}"))])
    }

    pub(crate) fn newest_code(&self, email: &str) -> String {
        let mails = self.get("/outbox.json", &[]).json();
        let mails = mails.as_array().expect("a list");
        let mail = mails.iter().find(|mail| mail["to"] == email.to_lowercase()).expect("a mail");
        let text = mail["text"].as_str().expect("a text");
        let code = text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6);
        code.expect("six digits").to_owned()
    }

    pub(crate) fn lay(&self, email: &str, name: &str) -> Answer {
        self.post(
            "/beak/hatch",
            None,
            &json!({
                "email": email,
                "password": "securepassword123",
                "display_name": name,
                "captcha_token": "YOUR_TURNSTILE_TOKEN"
            }),
        )
    }

    /// The seed's first two calls, with the host replaced.
    pub(crate) fn hatch(&self, email: &str, name: &str) -> Value {
        let hatched = self.lay(email, name);
        assert_eq!(hatched.status, 202, "{}", hatched.text);
        let code = self.newest_code(email);
        let verified = self.post("/beak/verify", None, &json!({"email": email, "code": code}));
        assert_eq!(verified.status, 200, "{}", verified.text);
        verified.json()
    }

    pub(crate) fn stop(mut self, signal: &str) -> std::process::ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(signal).arg(id).status().expect("kill").success());
        self.child.wait().expect("it ends")
    }
}

impl Drop for Galaxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            return;
        }
        let log = self.log();
        for secret in self.secrets.lock().expect("a list").iter() {
            let line = log.lines().find(|line| is_word_of(secret, line));
            assert!(line.is_none(), "a secret is in the log: {line:?}");
        }
    }
}

/// Whether a line holds a secret as a whole word. A code of six digits is often part of a request
/// id or of a time by chance, so letters and digits around it make it another word.
fn is_word_of(secret: &str, line: &str) -> bool {
    let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    line.match_indices(secret).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + secret.len()..]);
        !joins(before.chars().next_back()) && !joins(after.chars().next())
    })
}

#[test]
fn a_secret_is_found_as_a_word_and_never_by_chance() {
    for line in ["code 482913", "{\"code\":\"482913\"}", "482913", "x=482913,482914"] {
        assert!(is_word_of("482913", line), "{line}");
    }
    for line in ["id 01f482913ab", "took 1482913 us", "0.4829131", "48291", ""] {
        assert!(!is_word_of("482913", line), "{line}");
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Answer {
    let text = response.body_mut().read_to_string().expect("text");
    Answer { status: response.status().as_u16(), headers: response.headers().clone(), text }
}

pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {value}"))
}

/// The latest mail to an address.
pub(crate) fn newest_mail(galaxy: &Galaxy, to: &str) -> Value {
    let mails = galaxy.get("/outbox.json", &[]).json();
    let mail = mails.as_array().expect("a list").iter().find(|mail| mail["to"] == to);
    mail.expect("a mail").clone()
}

pub(crate) fn operator_token(galaxy: &Galaxy, data: &Path) -> String {
    let file = std::fs::read_to_string(data.join("operator.txt")).expect("the operator's file");
    let (email, password) = file.trim().split_once('\n').expect("two lines");
    let body = json!({"email": email, "password": password});
    let tokens = galaxy.post("/beak/signin", None, &body);
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    text(&tokens.json(), "access_token").to_owned()
}

/// The program with its limits; all other tests call more often than one person would.
pub(crate) fn limited(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beak-local"));
    command.arg("--data").arg(data).args(["--port", "0"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A bond between two ducklings, as `verify` has given them.
pub(crate) fn bond(galaxy: &Galaxy, source: &Value, target: &Value) -> Value {
    let peck = json!({"target_duckling_id": target["duckling_id"], "peck_type": "data.read"});
    let asked = galaxy.post("/beak/peck", Some(text(source, "beak_key")), &peck);
    assert_eq!(asked.status, 201, "{}", asked.text);
    let named = json!({"peck_id": asked.json()["peck_id"]});
    let approved = galaxy.post("/beak/approve", Some(text(target, "beak_key")), &named);
    assert_eq!(approved.status, 200, "{}", approved.text);
    named
}

/// Tokens of a duckling's owner.
pub(crate) fn sign_in(galaxy: &Galaxy, email: &str) -> Value {
    let body = json!({"email": email, "password": "securepassword123"});
    let tokens = galaxy.post("/beak/signin", None, &body);
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    tokens.json()
}
