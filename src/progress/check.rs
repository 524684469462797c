//! What was found before an installation, and the policy, as text.

use std::io::IsTerminal as _;

use serde_json::Value;

use super::hang;
use crate::escape::one_line;
use crate::event::Check;

/// One document as it is, several as a list.
pub(super) fn policy(documents: &[Value]) -> String {
    match documents {
        [one] => format!("{one:#}"),
        several => format!("{:#}", Value::from(several)),
    }
}

/// The state of an item; what doesn't fit on a terminal continues below its first word.
pub(super) fn status(item: &str, is: &str, width: Option<usize>) -> String {
    let line = one_line(&format!("{item:<32} {is}")).into_owned();
    match on_terminal(width) {
        Some(width) => hang(&line, "", &" ".repeat(33), width),
        None => line,
    }
}

/// The kind of a finding, its subject and its state; what doesn't fit on a terminal goes below it.
pub(super) fn finding(is: &str, item: &str, detail: &str, width: Option<usize>) -> String {
    let line = one_line(&format!("{is:<9} {item}  {detail}")).into_owned();
    match on_terminal(width) {
        Some(width) => hang(&line, "", &" ".repeat(10), width),
        None => line,
    }
}

/// Into a file or a pipe a line goes as it is.
fn on_terminal(width: Option<usize>) -> Option<usize> {
    width.filter(|_| std::io::stdout().is_terminal())
}

/// Level, check and state; and, where it is not fine, the expected state and the fix.
pub(super) fn text(check: &Check, width: Option<usize>) -> String {
    let mut lines = vec![format!("{:<8} {}: {}", check.level, check.check, check.is)];
    if let Some(cure) = &check.cure {
        lines.push(format!("         should be: {}", check.should));
        lines.push(format!("         fix: {cure}"));
    }
    if let Some(width) = on_terminal(width) {
        lines = lines.iter().map(|line| hang(line, "", "           ", width)).collect();
    }
    lines.join("\n")
}
