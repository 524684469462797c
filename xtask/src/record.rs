//! An install as a moving picture: a rehearsal is run, its lines are noted with their time, and an
//! SVG shows them one after the other. It moves by attributes alone, so that a strict content
//! policy shows it; where nothing can move, all lines are there from the start.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Outcome;

const FONT: u32 = 14;
const LINE: u32 = 20;
const COLUMNS: u32 = 84;
/// A letter of a fixed-width font is six tenths as wide as it is high.
const WIDTH: u32 = COLUMNS * FONT * 6 / 10 + 40;
/// The picture plays this many times slower than the rehearsal, so that it can be read.
const SLOWER: f64 = 2.5;

/// Records `spaceduck install --rehearse` and writes the picture.
pub(crate) fn record(root: &Path) -> Outcome {
    let lines = rehearse(root)?;
    let picture = draw("spaceduck install --rehearse --yes", &lines);
    let path = root.join("sites/shared/install.svg");
    std::fs::write(&path, picture).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// The lines of a rehearsal, each with the second in which it came.
fn rehearse(root: &Path) -> Outcome<Vec<(f64, String)>> {
    let program = root.join("target/debug/spaceduck");
    let folder = tempfile::TempDir::new().map_err(|error| error.to_string())?;
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" install --rehearse --yes 2>&1"]).arg(&program);
    command.current_dir(folder.path()).env("NO_COLOR", "1");
    command.env("SPACEDUCK_TURNSTILE_SITE_KEY", "0x4AAAAAAA-example");
    command.env("SPACEDUCK_TURNSTILE_SECRET", "example");
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
    let mut lines = Vec::new();
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
        let line = line.map_err(|error| error.to_string())?;
        // What begins is a moving line in a terminal, which the line of its end replaces.
        if !line.trim_start().starts_with('…') {
            lines.push((started.elapsed().as_secs_f64(), line));
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() && !lines.is_empty() {
        return Ok(lines);
    }
    let said: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    Err(format!("the rehearsal ended with {status}:\n{}", said.join("\n")))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Broken between words where it is too wide.
fn wrapped(line: &str) -> Vec<String> {
    let mut rows = vec![String::new()];
    for (number, word) in line.split(' ').enumerate() {
        let row = rows.last().map_or(0, |row| row.chars().count());
        if row > 0 && row + 1 + word.chars().count() > COLUMNS as usize {
            rows.push(format!("    {word}"));
        } else if let Some(last) = rows.last_mut() {
            if number > 0 {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    rows
}

fn draw(command: &str, lines: &[(f64, String)]) -> String {
    let mut rows = String::new();
    let mut y = 58;
    let first = format!("<tspan fill=\"#ffd23f\">$</tspan> {}", escape(command));
    // Writing to a String can't fail.
    let _ = writeln!(rows, "<text x=\"20\" y=\"{y}\" fill=\"#e9ecff\">{first}</text>");
    for (at, line) in lines {
        for row in wrapped(line) {
            y += LINE;
            let colour = match row.trim_start().chars().next() {
                Some('✓') => "#8ce8c0",
                Some('✗' | '!') => "#ffaca6",
                _ => "#e9ecff",
            };
            let _ = writeln!(
                rows,
                "<text x=\"20\" y=\"{y}\" fill=\"{colour}\" xml:space=\"preserve\">{}<set \
                 attributeName=\"opacity\" to=\"0\" begin=\"0s\" dur=\"{:.2}s\"/></text>",
                escape(&row),
                1.0 + at * SLOWER
            );
        }
    }
    let height = y + 24;
    let text: Vec<String> = lines.iter().map(|(_, line)| escape(line)).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"t d\" font-family=\"ui-monospace, Menlo, Consolas, monospace\" \
         font-size=\"{FONT}\">\n<title id=\"t\">A rehearsal of spaceduck install</title>\n\
         <desc id=\"d\">{}</desc>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" rx=\"12\" fill=\"#0a0f28\"/>\n\
         <g fill=\"#34407c\"><circle cx=\"24\" cy=\"22\" r=\"6\"/><circle cx=\"44\" cy=\"22\" \
         r=\"6\"/><circle cx=\"64\" cy=\"22\" r=\"6\"/></g>\n{rows}</svg>\n",
        text.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_appears_at_its_time_and_none_is_lost() {
        let long = format!("✓ stack <data> {}", "word ".repeat(30));
        let lines = vec![(0.0, "plan".to_owned()), (2.0, long)];
        let picture = draw("spaceduck", &lines);
        assert!(picture.contains("dur=\"1.00s\"") && picture.contains("dur=\"6.00s\""));
        assert!(picture.contains("&lt;data&gt;") && !picture.contains("style="));
        assert_eq!(picture.matches("word").count(), 60, "in the rows and in the description");
        assert_eq!(wrapped("  two  spaces"), ["  two  spaces"]);
    }
}
