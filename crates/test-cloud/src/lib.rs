//! An emulated AWS for tests: starts it, waits until it answers, stops it; and a door in front of
//! it at which things go wrong.
//!
//! `cargo xtask test` puts it into `.venv` at the project's root, in a pinned version. A test that
//! finds none fails and says so; it never passes by doing nothing.

#![allow(clippy::expect_used, clippy::panic, clippy::missing_panics_doc, reason = "for tests")]

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

mod call;
mod proxy;
mod refusal;

pub use call::Call;
pub use proxy::{Proxy, Trouble};
pub use refusal::Refusal;

/// The account that the credentials below belong to: the only one whose API the emulator serves to
/// callers without credentials.
pub const ACCOUNT: &str = "000000000000";

/// A running emulator; it ends when this is dropped.
pub struct Cloud {
    child: Child,
    port: u16,
}

fn program() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("a workspace");
    root.join(".venv/bin/ministack")
}

impl Cloud {
    /// Starts one on a free port.
    #[must_use]
    pub fn start() -> Self {
        Self::run("false")
    }

    /// Starts one that looks at codes and tokens as Cognito does. It keeps rights as well, so it
    /// is for tests that don't go through a role.
    #[must_use]
    pub fn strict() -> Self {
        Self::run("true")
    }

    fn run(auth: &str) -> Self {
        let program = program();
        assert!(program.exists(), "there is no emulated AWS: run `cargo xtask setup` first");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let child = Command::new(program)
            .env("BIND_HOST", "127.0.0.1")
            // Host names below `localhost`: valid ones, which an address with a prefix is not.
            .env("MINISTACK_HOST", "localhost")
            .env("AUTH", auth)
            .env("GATEWAY_PORT", port.to_string())
            // Its functions get this, as functions on AWS need no endpoint.
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the emulator starts");
        let cloud = Self { child, port };
        cloud.wait();
        cloud
    }

    fn wait(&self) {
        let since = Instant::now();
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        while agent.get(self.url()).call().is_err() {
            assert!(since.elapsed() < Duration::from_mins(1), "the emulator does not answer");
            #[expect(
                clippy::disallowed_methods,
                reason = "the emulator reports nothing; this polls"
            )]
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// `HOST:PORT` of everything.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What `AWS_ENDPOINT_URL` has to be.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The environment of a program that is to work with this cloud, and with nothing else.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_ACCESS_KEY_ID", "test".into()),
            ("AWS_SECRET_ACCESS_KEY", "test".into()),
            ("AWS_REGION", "eu-central-1".into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ("AWS_CONFIG_FILE", "/dev/null".into()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".into()),
        ]
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
