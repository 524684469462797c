//! The program `beak-local`: a whole galaxy on this machine, without AWS.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use beak_local::{DEFAULT_DATA, DEFAULT_PORT, Options};
use clap::Parser;

/// Runs a whole Space Duck galaxy on this machine: the API, the five sites and an outbox.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// The port to listen on; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PORT)]
    port: u16,
    /// Where everything is kept
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    data: PathBuf,
    /// Do not limit how often the API may be called
    #[arg(long)]
    no_limits: bool,
}

/// A reader that has gone needs no addresses.
fn tell(text: &str) -> Result<(), String> {
    let mut stdout = std::io::stdout();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { port, data, no_limits } = Cli::parse();
    let options =
        Options { port, data, limits: !no_limits, operators_need_factor: false, own: None };
    match beak_local::serve(options, tell).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}\nhelp: {}", error.help());
            ExitCode::FAILURE
        }
    }
}
