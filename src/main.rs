//! Entry point: parses arguments, runs the command, returns its exit code.

use std::process::ExitCode;

use spaceduck::cli::Colour;

fn main() -> ExitCode {
    // Before anything reads the environment.
    if let Err(failure) = spaceduck::environment::tidy() {
        use std::io::Write as _;
        let _ = writeln!(anstream::stderr(), "{}", failure.to_text());
        return ExitCode::from(failure.kind.exit_code());
    }
    let cli = match spaceduck::run::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return ExitCode::from(code),
    };
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
