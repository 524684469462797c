//! Whether anything still reads our standard output.

#[cfg(unix)]
use tokio::net::unix::pipe::Sender;

use crate::event::{Events, Health};

/// Standard output, if it is a pipe.
#[cfg(unix)]
pub(super) struct Output(Option<Sender>);

#[cfg(unix)]
impl Output {
    /// Files and terminals can't be watched, and nothing closes them.
    pub(super) fn new() -> Self {
        use std::os::fd::AsFd as _;

        let copy = std::io::stdout().as_fd().try_clone_to_owned();
        // Unchecked: the checked form makes the pipe non-blocking for every program that has it.
        Self(copy.ok().and_then(|copy| Sender::from_owned_fd_unchecked(copy).ok()))
    }

    /// Whether nothing can be shown any more, so that watching is in vain.
    pub(super) async fn is_over(&self, events: &Events) -> bool {
        events.health() != Health::Fine || self.is_closed().await
    }

    /// Whether the reader has gone, as `head` does when it has its lines.
    async fn is_closed(&self) -> bool {
        let Some(pipe) = &self.0 else { return false };
        let ready = pipe.ready(tokio::io::Interest::WRITABLE).await;
        ready.is_ok_and(tokio::io::Ready::is_write_closed)
    }
}

/// Standard output, which is not watched here.
#[cfg(not(unix))]
pub(super) struct Output;

#[cfg(not(unix))]
impl Output {
    pub(super) fn new() -> Self {
        Self
    }

    pub(super) async fn is_over(&self, events: &Events) -> bool {
        std::future::ready(events.health() != Health::Fine).await
    }
}
