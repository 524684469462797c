//! Questions at the terminal. They are read on a thread of their own, so that the run hears Ctrl-C
//! and other signals meanwhile.

use std::io::{self, Write as _};

use crate::escape::visible;
use crate::failure::{Failure, Kind};

/// Shows a question and reads the line that answers it, with its end; nothing at the end of input.
///
/// # Errors
/// Standard input does not work: `otherwise`, with the cause.
pub async fn line(question: &str, otherwise: Failure) -> Result<String, Failure> {
    let question = visible(question).into_owned();
    apart(otherwise, move || {
        let mut err = anstream::stderr();
        let _ = write!(err, "{question}").and_then(|()| err.flush());
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map(|_| answer)
    })
    .await
}

/// The same for a secret, which is not shown while it is typed.
///
/// # Errors
/// There is no terminal, or it does not work: `otherwise`, with the cause. Ctrl-C is no signal
/// here, and stops the run all the same.
pub async fn hidden(question: &str, otherwise: Failure) -> Result<String, Failure> {
    let _echo = Echo::kept();
    let question = visible(question).into_owned();
    apart(otherwise, move || rpassword::prompt_password(question)).await
}

async fn apart(
    otherwise: Failure,
    read: impl FnOnce() -> io::Result<String> + Send + 'static,
) -> Result<String, Failure> {
    let asked = Asked;
    let read = tokio::task::spawn_blocking(read).await.map_err(io::Error::other).flatten();
    match read {
        Ok(answer) => {
            std::mem::forget(asked);
            Ok(answer)
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(stopped()),
        Err(error) => Err(otherwise.cause(error.to_string())),
    }
}

/// A run that was stopped before it changed anything.
#[must_use]
pub fn stopped() -> Failure {
    Failure::new(Kind::Interrupted, "stopped; nothing was changed")
        .help("run the same command again")
}

/// A run that was stopped and could not end in order, or was not left the time to.
#[must_use]
pub fn cut_off() -> Failure {
    Failure::new(Kind::Interrupted, "stopped at once; what this run began may be unfinished")
        .help("run the same command again; `spaceduck status` shows what there is")
}

/// Ends the line of a question that has no answer: what is said next begins a line of its own.
struct Asked;

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = writeln!(anstream::stderr());
    }
}

/// Turns echo on again when a run is stopped at a hidden question: the thread that turned it off
/// still waits for an answer then and never does.
struct Echo {
    #[cfg(unix)]
    was: Option<(std::fs::File, rustix::termios::Termios)>,
}

impl Echo {
    #[cfg(unix)]
    fn kept() -> Self {
        let terminal = std::fs::File::open("/dev/tty").ok();
        let was = terminal.and_then(|terminal| {
            rustix::termios::tcgetattr(&terminal).ok().map(|settings| (terminal, settings))
        });
        Self { was }
    }

    #[cfg(not(unix))]
    fn kept() -> Self {
        Self {}
    }
}

#[cfg(unix)]
impl Drop for Echo {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        if let Some((terminal, settings)) = &self.was {
            // A terminal that has gone needs no echo.
            let _ = tcsetattr(terminal, OptionalActions::Now, settings);
        }
    }
}
