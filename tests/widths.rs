//! Every line fits its terminal, whatever its width.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Mutex;

mod terminal;

/// Commands that tell much, and failures; those with bars draw each of their lines often.
const COMMANDS: [&[&str]; 16] = [
    &["plan", "--rehearse"],
    &["status", "--rehearse"],
    &["list", "--rehearse"],
    &["drift", "--rehearse"],
    &["verify", "--rehearse"],
    &["doctor", "--rehearse"],
    &["rollback", "--list", "--rehearse"],
    &["repair", "--rehearse", "--yes"],
    &["domains", "--rehearse"],
    &["mail", "--rehearse"],
    &["mail", "test", "--rehearse"],
    &["mail", "confirm", "sender", "--rehearse"],
    &["site", "check", "--rehearse"],
    &["--help"],
    &["install", "--help"],
    &["plan", "--config", "nothing.yaml"],
];

#[test]
fn no_line_is_wider_than_the_terminal() {
    let cases: Vec<_> =
        COMMANDS.into_iter().flat_map(|words| [60, 80, 120].map(|width| (words, width))).collect();
    let left = Mutex::new(cases.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some((words, width)) = left.lock().unwrap().next() else { break };
                    let folder = tempfile::tempdir().unwrap();
                    let seen = terminal::play(folder.path(), width, words, &[], &[]);
                    let wide = terminal::wider_than(width, &seen.text);
                    assert_eq!(wide, Vec::<&str>::new(), "{words:?} at {width}");
                }
            });
        }
    });
}
