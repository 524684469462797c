//! `spaceduck operator` on a galaxy in a folder: what it says, and what it opens.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

fn spaceduck(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spaceduck"));
    command.args(arguments);
    command
}

struct Local {
    child: Child,
    port: u16,
}

impl Local {
    fn start(data: &Path) -> Self {
        let mut command = spaceduck(&["local", "--port", "0", "--data"]);
        let mut child = command.arg(data).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = |line: String| {
            line.trim()
                .strip_prefix("API")?
                .trim()
                .rsplit(':')
                .next()?
                .split('/')
                .next()?
                .parse()
                .ok()
        };
        let port = lines.by_ref().map_while(Result::ok).find_map(port).unwrap();
        Self { child, port }
    }

    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder().http_status_as_error(false).build().into()
    }

    fn sign_in(&self, email: &str, password: &str) -> Value {
        let url = format!("http://localhost:{}/beak/signin", self.port);
        let body = json!({"email": email, "password": password});
        let mut answer = Self::agent().post(url).send_json(body).unwrap();
        answer.body_mut().read_json().unwrap()
    }

    fn spaceducks(&self, token: &str) -> u16 {
        let url = format!("http://localhost:{}/beak/spaceducks", self.port);
        let request = Self::agent().get(url).header("authorization", format!("Bearer {token}"));
        request.call().unwrap().status().as_u16()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn operator(data: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = spaceduck(&["operator"]);
    let Output { status, stdout, stderr } =
        command.args(arguments).arg("--data").arg(data).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn operators_of_a_local_galaxy_come_and_go() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("galaxy");
    let (code, _, said) = operator(&data, &["list"]);
    assert_eq!(code, Some(1));
    assert!(said.starts_with("error: there is no galaxy in `"), "{said}");
    assert!(!data.exists(), "looking makes no folder");
    let local = Local::start(&data);
    let (code, _, said) = operator(&data, &["list"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("help: stop that one first"), "{said}");
    drop(local);

    let (code, told, _) = operator(&data, &["add", " Boss@Example.com "]);
    assert_eq!(code, Some(0));
    let password = told.lines().find_map(|line| line.strip_prefix("password  ")).unwrap();
    assert_eq!(password.len(), 32);
    let (code, told, _) = operator(&data, &["add", "boss@example.com"]);
    assert_eq!((code, told.as_str()), (Some(0), ""), "nothing to do, and no new password");
    let (_, told, _) = operator(&data, &["list"]);
    assert_eq!(told, "boss@example.com\noperator@spaceduck.localhost\n");
    let local = Local::start(&data);
    let tokens = local.sign_in("boss@example.com", password);
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(local.spaceducks(token), 200);
    drop(local);
    assert_eq!(operator(&data, &["remove", "boss@example.com"]).0, Some(0));
    let local = Local::start(&data);
    assert_eq!(local.spaceducks(token), 401, "what an operator holds ends with the right");
    let tokens = local.sign_in("boss@example.com", password);
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(local.spaceducks(token), 403);
    drop(local);
    let (_, told, _) = operator(&data, &["list", "--json"]);
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["operators"], json!(["operator@spaceduck.localhost"]));
    assert_eq!(lines[1], json!({"type": "finished", "outcome": "done"}));
    let (code, _, said) = operator(&data, &["add", "nobody"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("`nobody` is not an e-mail address"), "{said}");
}
