//! A whole life in an emulated AWS: the built program installs a galaxy, the galaxy works, a
//! second installation finds nothing to do, a removal leaves nothing.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_cloud::Cloud;

const TEST_SITE_KEY: &str = "1x00000000000000000000AA";
const TEST_SECRET: &str = "1x0000000000000000000000000000000AA";

struct Person {
    cloud: Cloud,
    folder: TempDir,
    agent: ureq::Agent,
}

struct Ran {
    code: Option<i32>,
    lines: Vec<Value>,
    stderr: String,
}

impl Ran {
    fn last(&self) -> &Value {
        self.lines.last().unwrap_or_else(|| panic!("no line of JSON; stderr: {}", self.stderr))
    }

    fn url(&self, name: &str) -> String {
        let urls = self.last()["urls"].as_array().unwrap();
        let found = urls.iter().find(|url| url["name"] == name);
        found.unwrap_or_else(|| panic!("no address of {name}"))["url"].as_str().unwrap().to_owned()
    }
}

impl Person {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        // The emulator knows no log deliveries, so the sites keep no access logs here.
        std::fs::write(folder.path().join("galaxy.yaml"), "logs:\n  site_access: false\n").unwrap();
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        Self { cloud: Cloud::start(), folder, agent: config.into() }
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(self.folder.path()).envs(self.cloud.environment());
        command
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_spaceduck"));
        command
            .env("SPACEDUCK_CONNECT_TO", self.cloud.address())
            .env("SPACEDUCK_TURNSTILE_SITE_KEY", TEST_SITE_KEY)
            .env("SPACEDUCK_TURNSTILE_SECRET", TEST_SECRET)
            .args(arguments)
            .arg("--json");
        command
    }

    fn spaceduck(&self, arguments: &[&str]) -> Ran {
        let Output { status, stdout, stderr } = self.program(arguments).output().unwrap();
        let stdout = String::from_utf8(stdout).unwrap();
        Ran {
            code: status.code(),
            lines: stdout.lines().map(line).collect(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// Runs the program until a step of that name has begun, and sends it a signal then.
    fn cut(&self, arguments: &[&str], step: &str, signal: &str) -> Ran {
        let mut command = self.program(arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = Vec::new();
        for text in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line(&text.unwrap());
            if line["step"] == step && line["state"] == "running" {
                let id = child.id().to_string();
                assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
            }
            lines.push(line);
        }
        Ran { code: child.wait().unwrap().code(), lines, stderr: String::new() }
    }

    /// What the account holds, as its own services tell it.
    fn account(&self) -> Value {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut python = self.command(root.join(".venv/bin/python"));
        python.arg(root.join("tests/leftovers.py")).arg("eu-central-1");
        let output = python.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What the function has logged.
    fn log(&self) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut python = self.command(root.join(".venv/bin/python"));
        python.arg(root.join("tests/logs.py")).args(["eu-central-1", "/aws/lambda/spaceduck-beak"]);
        let output = python.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A request to a host name of the emulated AWS, which no resolver knows.
    fn get(&self, url: &str) -> (u16, String) {
        let (host, path) = split(url);
        let request = self.agent.get(format!("{}{path}", self.cloud.url()));
        let request = request.header("host", host).header("x-forwarded-proto", "https");
        let mut response = request.call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    fn post(&self, url: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
        let (host, path) = split(url);
        let mut request = self.agent.post(format!("{}{path}", self.cloud.url()));
        request = request.header("host", host);
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let mut response = request.send_json(body).unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        let json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"));
        (response.status().as_u16(), json)
    }

    fn hatch(&self, api: &str, email: &str) -> Value {
        let body = json!({
            "email": email, "password": "securepassword123", "display_name": "My First Duck",
            "captcha_token": "YOUR_TURNSTILE_TOKEN"
        });
        let (status, answer) = self.post(&format!("{api}/beak/hatch"), None, &body);
        assert_eq!((status, &answer["status"]), (202, &json!("otp_sent")), "{answer}");
        // The emulated Cognito takes any code.
        let body = json!({"email": email, "code": "123456"});
        let (status, answer) = self.post(&format!("{api}/beak/verify"), None, &body);
        assert_eq!(status, 200, "{answer}");
        answer
    }
}

fn line(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"))
}

fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").unwrap().1;
    rest.find('/').map_or((rest, "/"), |at| rest.split_at(at))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {value}"))
}

/// Every call with its route and its duckling, and nothing that opens anything.
fn logs_no_secret(person: &Person, ducks: &[&Value]) {
    let log = person.log();
    for duck in ducks {
        assert!(log.contains(text(duck, "duckling_id")), "{log}");
        assert!(!log.contains(text(duck, "beak_key")), "{log}");
    }
    for part in ["\"route\":\"/beak/verify\"", "\"request_id\":"] {
        assert!(log.contains(part), "no {part} in {log}");
    }
    for secret in ["securepassword123", "@example.com", "YOUR_TURNSTILE_TOKEN", "123456\""] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

fn operators_come_and_go(person: &Person, api: &str) {
    let added = person.spaceduck(&["operator", "add", "Boss@Example.com"]);
    assert_eq!(added.code, Some(0), "{} {}", added.last(), added.stderr);
    let account = added.lines.iter().find(|line| line["type"] == "account").unwrap();
    let again = person.spaceduck(&["operator", "add", "boss@example.com"]);
    assert_eq!(again.last()["outcome"], "unchanged");
    let list = || person.spaceduck(&["operator", "list"]).lines[0]["operators"].clone();
    assert_eq!(list(), json!(["boss@example.com"]));
    let body = json!({"email": account["email"], "password": account["password"]});
    let (status, tokens) = person.post(&format!("{api}/beak/signin"), None, &body);
    assert_eq!(status, 200, "{tokens}");
    let token = text(&tokens, "access_token");
    let decide = json!({"duckling_id": "dkl_00000000000000000000000000", "decision": "grant"});
    let (status, _) = person.post(&format!("{api}/beak/operator/decide"), Some(token), &decide);
    assert_eq!(status, 404, "an operator gets to the question itself");
    let removed = person.spaceduck(&["operator", "remove", "boss@example.com"]);
    assert_eq!(removed.last()["outcome"], "done");
    assert_eq!(list(), json!([]));
    let removed = person.spaceduck(&["operator", "remove", "boss@example.com"]);
    assert_eq!(removed.last()["outcome"], "unchanged");
}

#[test]
fn a_galaxy_is_installed_works_and_is_removed() {
    let person = Person::new();
    assert_eq!(person.account(), json!({}), "the account is not empty to begin with");
    let installed = person.spaceduck(&["install", "--yes"]);
    assert_eq!(installed.code, Some(0), "{} {}", installed.last(), installed.stderr);
    assert_eq!(installed.last()["outcome"], "done");
    let kinds: Vec<&str> = installed.lines.iter().map(|line| text(line, "type")).collect();
    assert!(kinds.contains(&"started"), "{kinds:?}");
    assert_ne!(person.account()["stacks at the edge"], json!(null), "the account is not seen");
    works(&person, &installed);
    let again = person.spaceduck(&["install", "--yes"]);
    assert_eq!((again.code, &again.last()["outcome"]), (Some(0), &json!("unchanged")));
    assert_eq!(again.last()["urls"], installed.last()["urls"]);
    for arguments in [&["teardown", "--yes"][..], &["teardown", "--confirm", "other"]] {
        let refused = person.spaceduck(arguments);
        assert_eq!(refused.code, Some(3), "{}", refused.last());
    }
    let still = person.spaceduck(&["install", "--yes"]);
    assert_eq!(still.last()["outcome"], "unchanged");
    operators_come_and_go(&person, &installed.url("api"));
    let removed = person.spaceduck(&["teardown", "--confirm", "spaceduck"]);
    assert_eq!(removed.code, Some(0), "{} {}", removed.last(), removed.stderr);
    assert_eq!(person.account(), json!({}));
    let nothing = person.spaceduck(&["teardown", "--confirm", "spaceduck"]);
    assert_eq!((nothing.code, &nothing.last()["outcome"]), (Some(0), &json!("unchanged")));
}

impl Person {
    fn configure(&self, memory_mb: u32) {
        let text = format!("logs:\n  site_access: false\napi:\n  memory_mb: {memory_mb}\n");
        std::fs::write(self.folder.path().join("galaxy.yaml"), text).unwrap();
    }

    /// The version that callers get, and its memory.
    fn live(&self) -> Value {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut python = self.command(root.join(".venv/bin/python"));
        python.arg(root.join("tests/live.py")).args(["eu-central-1", "spaceduck-beak"]);
        let output = python.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// A page that somebody overwrites by hand, and a stack that nobody touched.
fn drifts_and_is_put_back(person: &Person) {
    let clean = person.spaceduck(&["drift"]);
    let found = |ran: &Ran| -> Vec<String> {
        let of = ran.lines.iter().filter(|l| l["type"] == "finding" && l["state"] != "unchecked");
        of.map(|line| format!("{} {}", text(line, "item"), text(line, "state"))).collect()
    };
    assert_eq!((clean.code, found(&clean)), (Some(0), vec![]), "{}", clean.stderr);
    let bucket = format!("spaceduck-duckgalaxy-{}-us-east-1-an", test_cloud::ACCOUNT);
    let page = format!("{}/{bucket}/index.html", person.cloud.url());
    person.agent.put(&page).header("content-type", "text/plain").send("Sale!").unwrap();
    let drifted = person.spaceduck(&["drift"]);
    assert_eq!(drifted.code, Some(6), "{}", drifted.last());
    assert_eq!(found(&drifted), ["duckgalaxy/index.html changed"]);
    let repaired = person.spaceduck(&["repair", "--yes"]);
    assert_eq!(repaired.code, Some(0), "{}", repaired.last());
    assert_eq!(person.spaceduck(&["drift"]).code, Some(0));
    let (_, stored) = person.get(&page);
    assert!(stored.contains("<html"), "{stored}");
}

#[test]
fn a_release_comes_and_an_earlier_one_comes_back() {
    let person = Person::new();
    person.configure(256);
    let installed = person.spaceduck(&["install", "--yes"]);
    assert_eq!(installed.code, Some(0), "{} {}", installed.last(), installed.stderr);
    assert_eq!(person.live(), json!({"version": "1", "memory": 256}));
    let none = person.spaceduck(&["rollback", "--yes"]);
    assert_eq!((none.code, none.last()["kind"].as_str()), (Some(3), Some("refused")));
    drifts_and_is_put_back(&person);
    person.configure(512);
    let planned = person.spaceduck(&["plan"]);
    assert_eq!(planned.last()["outcome"], "planned", "{}", planned.last());
    let changes = planned.lines.iter().filter(|line| line["type"] == "change");
    let named: Vec<&str> = changes.map(|change| text(change, "resource")).collect();
    assert!(named.contains(&"BeakFunction"), "{named:?}");
    assert_eq!(person.live(), json!({"version": "1", "memory": 256}), "a plan changes nothing");
    let upgraded = person.spaceduck(&["upgrade", "--yes"]);
    assert_eq!(upgraded.code, Some(0), "{} {}", upgraded.last(), upgraded.stderr);
    assert_eq!(person.live(), json!({"version": "2", "memory": 512}));
    let back = person.spaceduck(&["rollback", "--yes"]);
    assert_eq!(back.code, Some(0), "{} {}", back.last(), back.stderr);
    assert_eq!(person.live()["memory"], 256);
    works(&person, &back);
}

#[test]
fn an_interrupted_run_is_finished_by_the_next_one() {
    let person = Person::new();
    let install = ["install", "--yes"];
    let stopped = person.cut(&install, "stack bootstrap", "-INT");
    assert_eq!(stopped.code, Some(130), "{}", stopped.last());
    assert_eq!(
        (&stopped.last()["type"], &stopped.last()["kind"]),
        (&json!("failed"), &json!("interrupted"))
    );
    for step in ["stack data", "publish duckcontrol", "stack api", "release", "probe"] {
        let killed = person.cut(&install, step, "-KILL");
        assert_eq!(killed.code, None, "{step}: {}", killed.last());
    }
    let installed = person.spaceduck(&install);
    assert_eq!(installed.code, Some(0), "{} {}", installed.last(), installed.stderr);
    works(&person, &installed);
    assert_eq!(person.spaceduck(&install).last()["outcome"], "unchanged");
    let teardown = ["teardown", "--confirm", "spaceduck"];
    for step in ["stack api", "stack data", "stack bootstrap"] {
        let killed = person.cut(&teardown, step, "-KILL");
        assert_eq!(killed.code, None, "{step}: {}", killed.last());
    }
    let removed = person.spaceduck(&teardown);
    assert_eq!(removed.code, Some(0), "{} {}", removed.last(), removed.stderr);
    assert_eq!(person.account(), json!({}));
}

fn works(person: &Person, installed: &Ran) {
    let api = installed.url("api");
    let swan = person.hatch(&api, "agent@example.com");
    let crane = person.hatch(&api, "other@example.com");
    let body = json!({
        "target_duckling_id": crane["duckling_id"], "peck_type": "data.read",
        "message": "Hello from my agent"
    });
    let key = Some(text(&swan, "beak_key"));
    let (status, peck) = person.post(&format!("{api}/beak/peck"), key, &body);
    assert_eq!(status, 201, "{peck}");
    let named = json!({"peck_id": peck["peck_id"]});
    let key = Some(text(&crane, "beak_key"));
    let (status, approved) = person.post(&format!("{api}/beak/approve"), key, &named);
    assert_eq!((status, &approved["trust_tier"]), (200, &json!("T1")), "{approved}");
    let (status, metrics) = person.get(&format!("{api}/beak/metrics"));
    let metrics: Value = serde_json::from_str(&metrics).unwrap();
    assert_eq!((status, &metrics["total_ducklings"]), (200, &json!(2)));
    assert_eq!((&metrics["certs_issued"], &metrics["connections"]), (&json!(4), &json!(1)));
    logs_no_secret(person, &[&swan, &crane]);
    let body = json!({"certificate": swan["certificate"]});
    let (_, judged) = person.post(&format!("{api}/beak/certificates/verify"), None, &body);
    assert_eq!(judged["status"], "superseded", "{judged}");
    for site in ["mightyspaceduck", "duckgalaxy", "duckcontrol", "spaceduckling", "spaceduck-bot"] {
        let url = installed.url(site);
        let (status, page) = person.get(&format!("{url}/"));
        assert_eq!(status, 200, "{site}");
        let bucket = format!("spaceduck-{site}-{}-us-east-1-an", test_cloud::ACCOUNT);
        let (status, stored) = person.get(&format!("{}/{bucket}/index.html", person.cloud.url()));
        assert_eq!((status, stored), (200, page), "{site}");
        let (_, config) = person.get(&format!("{url}/config.json"));
        let config: Value = serde_json::from_str(&config).unwrap();
        assert_eq!(config["api_base"], json!(api));
        assert_eq!(config["turnstile_site_key"], TEST_SITE_KEY);
        assert_eq!(config["sites"][site], json!(url));
    }
}
