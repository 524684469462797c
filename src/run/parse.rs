//! The command line as it was typed, and the answer where it is wrong: in JSON with `--json`.

use std::ffi::OsString;
use std::io::Write as _;

use crate::cli::{self, Cli};
use crate::event::{Event, Health, Outcome, Sink as _};
use crate::failure::Kind;
use crate::progress::JsonLines;

/// Reads the command line. Help and mistakes are shown here, and the exit code is the error.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, u8> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    cli::parse(&arguments).map_err(|error| {
        let mut words = arguments.iter().take_while(|word| *word != "--");
        if words.any(|word| word == "--json") {
            return told(&error);
        }
        let code = u8::try_from(error.exit_code()).unwrap_or(Kind::Usage.exit_code());
        match error.print().and_then(|()| std::io::stdout().flush()) {
            Err(error) if matches!(Health::after(&error), Health::Broken(_)) => {
                let _ = writeln!(
                    anstream::stderr(),
                    "error: the help can't be written\ncause: {error}"
                );
                code.max(Kind::Input.exit_code())
            }
            _ => code,
        }
    })
}

/// The same as JSON lines.
fn told(error: &clap::Error) -> u8 {
    let events = JsonLines::new(std::io::stdout());
    let text = error.render().to_string();
    let mut code = 0;
    if error.use_stderr() {
        code = Kind::Usage.exit_code();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let message = lines.next().unwrap_or_default();
        events.emit(Event::Failed {
            kind: Kind::Usage.word().into(),
            message: message.strip_prefix("error: ").unwrap_or(message).into(),
            cause: None,
            now: None,
            help: Some(lines.collect::<Vec<_>>().join("; ")),
            exit_code: code,
        });
    } else {
        events.emit(Event::Text { text });
        events.emit(Event::Finished { outcome: Outcome::Told, urls: vec![], next: vec![] });
    }
    match events.health() {
        Health::Broken(_) => code.max(Kind::Input.exit_code()),
        Health::Fine | Health::Closed => code,
    }
}
