//! `beak-fill DIR COUNT`: makes a galaxy of so many ducklings in a folder, and prints for the first
//! thousand of them the key, the id and a peck that waits for it.

use std::io::Write as _;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next();
    let count = arguments.next().and_then(|count| count.parse().ok());
    let (Some(folder), Some(count)) = (folder, count) else {
        let _ = writeln!(std::io::stderr(), "usage: beak-fill DIR COUNT");
        return ExitCode::FAILURE;
    };
    match beak_local::fill::fill(folder.as_ref(), count).await {
        Ok(lines) => {
            let _ = writeln!(std::io::stdout(), "{}", lines.join("\n"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}\nhelp: {}", error.help());
            ExitCode::FAILURE
        }
    }
}
