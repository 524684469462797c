//! A doorstep: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use spaceduck::cli::{Cli, Colour};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.shared.color {
        Colour::Auto => {}
        Colour::Always => anstream::ColorChoice::Always.write_global(),
        Colour::Never => anstream::ColorChoice::Never.write_global(),
    }
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let code = runtime.block_on(spaceduck::run::run(cli));
            // A step that still waits for AWS must not hold the process back.
            runtime.shutdown_background();
            ExitCode::from(code)
        }
        Err(error) => {
            use std::io::Write as _;
            let _ = writeln!(anstream::stderr(), "error: can't start\ncause: {error}");
            ExitCode::from(70)
        }
    }
}
