//! `--trace FILE`: every call to AWS as one line of JSON, without what is secret in it.
//!
//! It works in the HTTP client that all SDK clients share, so a client can't be forgotten, and each
//! attempt is a line of its own. The calls that fetch credentials use another client and are not
//! traced. See ADR 21.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use aws_config::SdkConfig;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::Failure;
use crate::files::{self, Target};

mod call;
mod client;
mod pseudonym;
mod routes;
mod shape;

use client::TracedClient;
use pseudonym::Pseudonyms;
pub(super) use shape::decoded;

/// The format's name and version: how a trace is recognised.
pub const FORMAT: &str = "spaceduck-trace-1";

/// The first line of a trace.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Head {
    /// `spaceduck-trace-1`
    pub trace: String,
    /// The program's version.
    pub version: String,
    /// The command as it is typed, without its arguments.
    pub command: String,
    /// When it began, in seconds since 1970.
    pub started_at: u64,
}

/// One attempt at a call.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Attempt {
    /// When it began, in milliseconds since the trace began.
    pub at_ms: u64,
    /// The service by the name that it signs with, such as `cloudformation`.
    pub service: String,
    /// The operation, or the method where no operation has such an address.
    pub operation: String,
    /// AWS Region.
    pub region: String,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// HTTP status; none where no response arrived.
    pub status: Option<u16>,
    /// The id that AWS support asks for.
    pub request_id: Option<String>,
    /// The error's code, or what kept the response from arriving.
    pub error: Option<String>,
    /// The format of the response: `json`, `xml`, `bytes` or `none`.
    pub format: String,
    /// The request, redacted.
    pub request: Value,
    /// The response, redacted.
    pub response: Value,
}

/// Where the lines go.
pub(crate) struct Trace {
    /// Nothing once a line could not be written.
    out: Mutex<Option<Box<dyn Write + Send>>>,
    pseudonyms: Pseudonyms,
    begun: Instant,
    broken: Box<dyn Fn(String) + Send + Sync>,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trace")
    }
}

/// One for the process, as a logger: every client of a command writes to the same file.
static TRACE: OnceLock<Arc<Trace>> = OnceLock::new();

/// Opens the trace of this process. Refuses before the first call what can't be written.
///
/// `broken` is called once, with a sentence, if a later line can't be written; calls go on.
pub fn begin(
    target: &Target,
    command: &str,
    broken: impl Fn(String) + Send + Sync + 'static,
) -> Result<(), Failure> {
    let file = target.stream()?;
    #[expect(clippy::disallowed_methods, reason = "a trace begins before there is a clock")]
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let head = Head {
        trace: FORMAT.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        command: command.into(),
        started_at: u64::try_from(now).unwrap_or_default(),
    };
    let file_name = target.path.display().to_string();
    let broken = move |cause: String| {
        broken(format!("The trace in {file_name} ends here: it could not be written ({cause})."));
    };
    let trace = Trace::new(file, &head, Box::new(broken));
    let trace = trace.map_err(|error| files::unwritable(&target.path, &error))?;
    TRACE
        .set(Arc::new(trace))
        .map_err(|_| Failure::bug("a process has one trace, and a second one was begun"))
}

/// The same settings with a client that writes the trace, where there is one.
pub(super) fn through(config: SdkConfig) -> SdkConfig {
    match TRACE.get() {
        Some(trace) => traced(&config, trace),
        None => config,
    }
}

fn traced(config: &SdkConfig, trace: &Arc<Trace>) -> SdkConfig {
    // The settings come with the client of the one builder, and so does every test's.
    let Some(inner) = config.http_client() else { return config.clone() };
    let client = TracedClient::new(inner, Arc::clone(trace));
    config.to_builder().http_client(client).build()
}

impl Trace {
    fn new(
        mut out: Box<dyn Write + Send>,
        head: &Head,
        broken: Box<dyn Fn(String) + Send + Sync>,
    ) -> std::io::Result<Self> {
        writeln!(out, "{}", serde_json::to_string(head)?)?;
        let pseudonyms = Pseudonyms::new().map_err(std::io::Error::other)?;
        Ok(Self { out: Mutex::new(Some(out)), pseudonyms, begun: Instant::now(), broken })
    }

    fn write(&self, attempt: &Attempt) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = out.as_mut() else { return };
        let line = serde_json::to_string(attempt).unwrap_or_default() + "\n";
        if let Err(error) = file.write_all(line.as_bytes()) {
            *out = None;
            (self.broken)(error.to_string());
        }
    }
}

#[cfg(test)]
mod replay;
#[cfg(test)]
mod tests;
