//! Signals that stop a run: INT, TERM and HUP, all alike.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::cli::Command;
use crate::failure::Kind;
use crate::lock;

/// How long a run that was stopped may take to end in order: with a lock to release, or without.
const GRACE: [Duration; 2] = [Duration::from_secs(15), Duration::from_secs(2)];

/// Whether another program in the terminal takes the interrupts.
static HANDED_OVER: AtomicBool = AtomicBool::new(false);

/// While this lives, Ctrl-C is for the program that was started in the terminal: it reaches every
/// process there.
pub(super) struct HandedOver(());

pub(super) fn hand_interrupts_over() -> HandedOver {
    HANDED_OVER.store(true, Ordering::Relaxed);
    HandedOver(())
}

impl Drop for HandedOver {
    fn drop(&mut self) {
        HANDED_OVER.store(false, Ordering::Relaxed);
    }
}

/// Returns when the run is to stop. The local galaxy ends by itself, in order.
pub(super) async fn interrupted(command: &Command) {
    if matches!(command, Command::Local { .. }) {
        std::future::pending::<()>().await;
    }
    arrived().await;
}

/// Ends the process where the run does not end by itself after a signal, or at a second one: it may
/// wait for a file that nothing is written to. `tell` says so before.
pub(super) fn insist(command: &Command, tell: impl FnOnce() + Send + 'static) {
    if matches!(command, Command::Local { .. }) {
        return;
    }
    // A thread with a runtime of its own hears signals whatever the run's threads do. Without one
    // the run is as it was before. It listens before anything can block.
    let (ready, listening) = std::sync::mpsc::channel::<()>();
    let _ = std::thread::Builder::new().name("signals".into()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let mut first = std::pin::pin!(arrived());
            // Looked at once, it has its handlers.
            let looked = tokio::time::timeout(Duration::ZERO, first.as_mut()).await;
            drop(ready);
            if looked.is_err() {
                first.await;
            }
            let [with_lock, without] = GRACE;
            let grace = if lock::was_taken() { with_lock } else { without };
            let _ = tokio::time::timeout(grace, arrived()).await;
        });
        tell();
        std::process::exit(i32::from(Kind::Interrupted.exit_code()));
    });
    // It never sends: its end of the channel goes when it listens, or when it can't.
    let _ = listening.recv();
}

#[cfg(unix)]
async fn arrived() {
    use tokio::signal::unix::{SignalKind, signal};
    use tokio::task::JoinSet;

    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let mut waiting = JoinSet::new();
    for kind in kinds.into_iter().filter(|kind| !is_ignored(kind.as_raw_value())) {
        // Where a handler can't be installed, the signal ends the process as it does by default.
        if let Ok(mut arriving) = signal(kind) {
            let is_interrupt = kind == SignalKind::interrupt();
            waiting.spawn(async move {
                while arriving.recv().await.is_some() {
                    if !(is_interrupt && HANDED_OVER.load(Ordering::Relaxed)) {
                        break;
                    }
                }
            });
        }
    }
    if waiting.join_next().await.is_none() {
        std::future::pending::<()>().await;
    }
}

/// Whether our parent process had the signal ignored, as `nohup` does with HUP. A handler would
/// undo that. Linux shows it in `/proc`; elsewhere it counts as not ignored.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores(&status, signal)
}

/// Source: `proc_pid_status(5)`: `SigIgn` is a mask in hexadecimal, signal 1 its lowest bit.
#[cfg(unix)]
fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    u32::try_from(signal - 1).is_ok_and(|bit| mask.checked_shr(bit).unwrap_or_default() & 1 == 1)
}

#[cfg(not(unix))]
async fn arrived() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::ignores;

    #[test]
    fn a_signal_that_is_ignored_stays_ignored() {
        let status = "Name:\tspaceduck\nSigIgn:\t0000000000001001\nSigCgt:\t00000000ffffffff\n";
        assert!(ignores(status, 1), "HUP");
        assert!(ignores(status, 13), "PIPE");
        for other in [0, 2, 15, 64, 65] {
            assert!(!ignores(status, other), "{other}");
        }
        assert!(!ignores("", 1));
    }
}
