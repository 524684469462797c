//! Somebody at a machine of their own, with an emulated AWS that nobody else has, and the program
//! as a release has it: the function's zip lies beside it.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_cloud::{Call, Cloud, Proxy, Trouble};

pub(crate) const TEST_SITE_KEY: &str = "1x00000000000000000000AA";
const TEST_SECRET: &str = "1x0000000000000000000000000000000AA";

pub(crate) struct Person {
    pub(crate) cloud: Cloud,
    /// All that the program says to AWS goes through here.
    pub(crate) proxy: Proxy,
    pub(crate) folder: TempDir,
    pub(crate) agent: ureq::Agent,
    /// Whether calls that are not answered are given up soon.
    pub(crate) hasty: AtomicBool,
}

/// A run of the program that is over.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) lines: Vec<Value>,
    pub(crate) stderr: String,
    /// What it asked of AWS.
    pub(crate) calls: Vec<Call>,
    /// To how many of those something happened.
    pub(crate) troubled: usize,
}

impl Ran {
    pub(crate) fn last(&self) -> &Value {
        self.lines.last().unwrap_or_else(|| panic!("no line of JSON; stderr: {}", self.stderr))
    }

    pub(crate) fn url(&self, name: &str) -> String {
        let urls = self.last()["urls"].as_array().unwrap();
        let found = urls.iter().find(|url| url["name"] == name);
        found.unwrap_or_else(|| panic!("no address of {name}"))["url"].as_str().unwrap().to_owned()
    }
}

/// A kind of call, and whether the process dies before it or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// The program with the function beside it. A link: what is compiled anew meanwhile is another
/// file, and every run of a test has the same program.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let zip = beak_package::build(root).unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(zip, folder.join(beak_package::FILE_NAME)).unwrap();
        let program = folder.join("spaceduck");
        std::fs::hard_link(env!("CARGO_BIN_EXE_spaceduck"), &program).unwrap();
        program
    })
}

/// A script that tells what accounts hold; it ends with this process.
struct Watcher {
    ask: ChildStdin,
    tell: BufReader<ChildStdout>,
}

impl Watcher {
    #[expect(clippy::zombie_processes, reason = "it ends with the test that asks it")]
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut python = Command::new(root.join(".venv/bin/python"));
        python.arg(root.join("tests/leftovers.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        python.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        let mut script = python.spawn().unwrap();
        let (ask, tell) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        Self { ask, tell: BufReader::new(tell) }
    }

    fn look(&mut self, cloud: &Cloud) -> Value {
        writeln!(self.ask, "{}", cloud.url()).unwrap();
        let mut said = String::new();
        self.tell.read_line(&mut said).unwrap();
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("no account: {said}"))
    }
}

impl Person {
    pub(crate) fn new() -> Self {
        let cloud = Cloud::start();
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let person = Self {
            proxy: Proxy::before(&cloud),
            cloud,
            folder: TempDir::new().unwrap(),
            agent: config.into(),
            hasty: AtomicBool::new(false),
        };
        person.configure(256);
        person
    }

    pub(crate) fn configure(&self, memory_mb: u32) {
        // The emulator knows no log deliveries, so the sites keep no access logs here.
        let text = format!("logs:\n  site_access: false\napi:\n  memory_mb: {memory_mb}\n");
        std::fs::write(self.folder.path().join("galaxy.yaml"), text).unwrap();
    }

    /// The program, which reaches the cloud through the door.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .current_dir(self.folder.path())
            .envs(self.proxy.environment(&self.cloud))
            .env("SPACEDUCK_CONNECT_TO", self.proxy.address())
            .env("SPACEDUCK_TURNSTILE_SITE_KEY", TEST_SITE_KEY)
            .env("SPACEDUCK_TURNSTILE_SECRET", TEST_SECRET)
            .env("SPACEDUCK_LOCK_LEASE", "6")
            .args(arguments)
            .arg("--json");
        if self.hasty.load(Ordering::Relaxed) {
            command.env("SPACEDUCK_CALL_TIMEOUT", "10");
        }
        command
    }

    /// Runs the program. A killed run's lock is free after its lease: until then again.
    pub(crate) fn spaceduck(&self, arguments: &[&str]) -> Ran {
        loop {
            let ran = self.run(&mut self.program(arguments), &Arc::default());
            let message = ran.lines.last().and_then(|last| last["message"].as_str());
            if !message.is_some_and(|text| text.contains("is changing this galaxy right now")) {
                return ran;
            }
        }
    }

    /// Runs the program until it makes a call of that kind, and does something to it then: nothing
    /// gets through to AWS any more.
    pub(crate) fn cut(
        &self,
        arguments: &[&str],
        moment: Moment,
        which: impl Fn(&Call) -> bool + Send + 'static,
        act: impl Fn(&mut Child) + Send + Sync + 'static,
    ) -> Ran {
        let child: Arc<Mutex<Option<Child>>> = Arc::default();
        let victim = Arc::clone(&child);
        let act: Arc<dyn Fn() + Send + Sync> =
            Arc::new(move || act(victim.lock().unwrap().as_mut().unwrap()));
        let trouble = match moment {
            Moment::Before => Trouble::Before(act),
            Moment::After => Trouble::After(act),
        };
        self.proxy.on(trouble, 1, which);
        self.run(&mut self.program(arguments), &child)
    }

    /// The same with `kill -9`.
    pub(crate) fn killed(
        &self,
        arguments: &[&str],
        moment: Moment,
        which: impl Fn(&Call) -> bool + Send + 'static,
    ) -> Ran {
        self.cut(arguments, moment, which, |child| child.kill().unwrap())
    }

    fn run(&self, command: &mut Command, slot: &Mutex<Option<Child>>) -> Ran {
        let errors = tempfile::NamedTempFile::new().unwrap();
        command.stdout(Stdio::piped()).stderr(errors.reopen().unwrap());
        let mut held = slot.lock().unwrap();
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        *held = Some(child);
        drop(held);
        // Its end is the end of what it says.
        let said = std::io::read_to_string(stdout).unwrap();
        let status = slot.lock().unwrap().as_mut().unwrap().wait().unwrap();
        Ran {
            code: status.code(),
            lines: said.lines().map(line).collect(),
            stderr: std::fs::read_to_string(errors.path()).unwrap(),
            troubled: self.proxy.fired().len(),
            calls: self.proxy.calm(),
        }
    }

    /// A script that asks the cloud, not through the door.
    pub(crate) fn script(&self, name: &str, arguments: &[&str]) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut python = Command::new(root.join(".venv/bin/python"));
        python.envs(self.cloud.environment()).arg(root.join("tests").join(name)).args(arguments);
        let output = python.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the account holds, as its own services tell it.
    pub(crate) fn account(&self) -> Value {
        static WATCHER: OnceLock<Mutex<Watcher>> = OnceLock::new();
        let watcher = WATCHER.get_or_init(|| Mutex::new(Watcher::start()));
        watcher.lock().unwrap_or_else(PoisonError::into_inner).look(&self.cloud)
    }

    /// The version that callers get, and its memory.
    pub(crate) fn live(&self) -> Value {
        let live = self.script("live.py", &["eu-central-1", "spaceduck-beak"]);
        serde_json::from_str(&live).unwrap()
    }

    /// What the function has logged.
    pub(crate) fn log(&self) -> String {
        self.script("logs.py", &["eu-central-1", "/aws/lambda/spaceduck-beak"])
    }

    /// What becomes of an event that the function fails.
    pub(crate) fn dead_letters(&self) -> Value {
        let found = self.script("dead_letters.py", &["eu-central-1", "spaceduck"]);
        serde_json::from_str(&found).unwrap()
    }

    /// A request to a host name of the emulated AWS, which no resolver knows.
    pub(crate) fn get(&self, url: &str) -> (u16, String) {
        let (host, path) = split(url);
        let request = self.agent.get(format!("{}{path}", self.cloud.url()));
        let request = request.header("host", host).header("x-forwarded-proto", "https");
        let mut response = request.call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    pub(crate) fn get_with_key(&self, url: &str, key: &str) -> (u16, Value) {
        let (host, path) = split(url);
        let request = self.agent.get(format!("{}{path}", self.cloud.url())).header("host", host);
        let request = request.header("authorization", format!("Bearer {key}"));
        let mut response = request.call().unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        let json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"));
        (response.status().as_u16(), json)
    }

    pub(crate) fn post(&self, url: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
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

    pub(crate) fn hatch(&self, api: &str, email: &str) -> Value {
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

/// Judges every kind of call by the service's model.
pub(crate) fn judge<'a>(calls: impl Iterator<Item = &'a Call>) {
    let kinds: BTreeMap<&str, &Call> =
        calls.filter(|call| call.name != "web GET").map(|call| (&*call.name, call)).collect();
    let requests = kinds.values().map(|call| {
        // What is stored is no parameter, and large.
        let body = if call.name == "s3 PutObject" { "" } else { &call.body };
        json!({"method": call.method, "uri": call.uri, "headers": call.headers, "body": body})
    });
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new(root.join(".venv/bin/python"));
    python.arg(root.join("tests/judge.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().unwrap();
    let requests = Value::Array(requests.collect()).to_string();
    python.stdin.take().unwrap().write_all(requests.as_bytes()).unwrap();
    let said = python.wait_with_output().unwrap().stdout;
    let judged: Vec<Value> = serde_json::from_slice(&said).unwrap();
    assert_eq!(judged.len(), kinds.len());
    for one in judged {
        assert_eq!(one["wrong"], json!([]), "{one}");
    }
}

fn line(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"))
}

fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").unwrap().1;
    rest.find('/').map_or((rest, "/"), |at| rest.split_at(at))
}

pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {value}"))
}

/// In which places two accounts differ.
pub(crate) fn differences(wanted: &Value, found: &Value, place: &str) -> String {
    let (Some(one), Some(other)) = (wanted.as_object(), found.as_object()) else {
        let same = wanted == found;
        return if same { String::new() } else { format!("{place}: {found}, not {wanted}\n") };
    };
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let below = |name: &&String| {
        let (one, other) = (one.get(*name), other.get(*name));
        let (one, other) = (one.unwrap_or(&Value::Null), other.unwrap_or(&Value::Null));
        differences(one, other, &format!("{place}/{name}"))
    };
    names.iter().map(below).collect()
}
