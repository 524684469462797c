//! What was found before an installation, and the policy, as text.

use std::io::IsTerminal as _;

use serde_json::Value;

use crate::event::Check;

/// One document as it is, several as a list.
pub(super) fn policy(documents: &[Value]) -> String {
    match documents {
        [one] => format!("{one:#}"),
        several => format!("{:#}", Value::from(several)),
    }
}

/// Level, check, how it is; and, where it is not fine, how it should be and the cure.
pub(super) fn text(check: &Check, width: Option<usize>) -> String {
    let mut lines = vec![format!("{:<8} {}: {}", check.level, check.check, check.is)];
    if let Some(cure) = &check.cure {
        lines.push(format!("         should be: {}", check.should));
        lines.push(format!("         cure: {cure}"));
    }
    // Into a file or a pipe a line goes as it is.
    let Some(width) = width.filter(|_| std::io::stdout().is_terminal()) else {
        return lines.join("\n");
    };
    // Names and addresses stay whole: they are there to be copied.
    let options = textwrap::Options::new(width)
        .subsequent_indent("           ")
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    let lines: Vec<String> = lines.iter().map(|line| textwrap::fill(line, &options)).collect();
    lines.join("\n")
}
