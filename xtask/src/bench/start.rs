//! From the start of a process to its first question for work: our function, and a Python handler
//! that makes the same clients.

use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::median;
use crate::Outcome;

/// How often each is started; the median counts.
const STARTS: usize = 15;

/// How often it is looked whether the process still lives.
const PATIENCE: Duration = Duration::from_secs(1);

/// Rows of the comparison.
pub(crate) fn compare(root: &Path) -> Outcome<Vec<String>> {
    let ours = root.join("target/lambda/lambda/bootstrap");
    let python = root.join(".venv/bin/python");
    let handler = root.join("xtask/src/bench/handler.py");
    let (mut rust_took, mut python_took) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        // In turn, so that whatever else happens on the machine happens to both.
        rust_took.push(first_question(&mut Command::new(&ours))?);
        python_took.push(first_question(Command::new(&python).arg(&handler))?);
    }
    let (ours, theirs) = (median(rust_took), median(python_took));
    let share = theirs.as_secs_f64() / ours.as_secs_f64();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    Ok(vec![format!(
        "start of the function: {:.1} ms; Python with the same clients: {:.1} ms; {share:.0} times \
         as long",
        milliseconds(ours),
        milliseconds(theirs),
    )])
}

fn first_question(command: &mut Command) -> Outcome<Duration> {
    let failed = |error: std::io::Error| format!("the runtime's API: {error}");
    let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "beak")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "beak")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "beak")
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_DEFAULT_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("SD_PREFIX", "spaceduck")
        .env("SD_USER_POOL_ID", "eu-central-1_x")
        .env("SD_CLIENT_ID", "client")
        .env("SD_CERT_KEY", "key")
        .env("SD_RELEASE", "0.1.0")
        .env("SD_ISSUER", "https://api.example/prod")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Waiting sleeps in the kernel: polling would take CPU time that is being measured.
    let (tell, hear) = mpsc::channel();
    std::thread::spawn(move || {
        let question = || {
            let (mut stream, _) = listener.accept()?;
            let mut question = [0; 512];
            let read = stream.read(&mut question)?;
            let line = String::from_utf8_lossy(&question[..read]).into_owned();
            Ok((Instant::now(), line, stream))
        };
        // The receiver may have given up by then.
        let _ = tell.send(question());
    });
    let since = Instant::now();
    let mut child = command.spawn().map_err(failed)?;
    let (at, line, _stream) = loop {
        match hear.recv_timeout(PATIENCE) {
            Ok(heard) => break heard.map_err(failed)?,
            Err(_) => {
                if let Some(status) = child.try_wait().map_err(failed)? {
                    let name = command.get_program().display();
                    return Err(format!("{name} ended with {status}"));
                }
            }
        }
    };
    let took = at.duration_since(since);
    let _ = child.kill();
    let _ = child.wait();
    if !line.starts_with("GET /2018-06-01/runtime/invocation/next") {
        return Err(format!("this is no question for work: {line}"));
    }
    Ok(took)
}
