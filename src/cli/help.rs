//! What `--help` adds to the derived command line: groups of commands, an example of each, and
//! shared flags only where they do something. clap has no groups of subcommands of its own.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::{Command, CommandFactory as _, FromArgMatches as _};

use super::Cli;

/// Every command, in the order of `--help`.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Set up", &["local", "install", "init", "doctor", "plan", "domains", "mail", "operator"]),
    (
        "Operate",
        &[
            "status", "list", "open", "logs", "verify", "drift", "repair", "rollback", "adopt",
            "support", "teardown",
        ],
    ),
    ("Data", &["export", "import"]),
    ("Develop", &["site", "skill", "render", "schema", "completions", "man"]),
];

/// An example of each command that can be typed.
const EXAMPLES: [(&str, &str); 36] = [
    ("local", "spaceduck local --port 8080"),
    ("install", "spaceduck install --rehearse"),
    ("init", "spaceduck init --name quackworks --region eu-central-1"),
    ("doctor", "spaceduck doctor --print-policy --account 123456789012"),
    ("plan", "spaceduck plan --region eu-central-1"),
    ("domains", "spaceduck domains --watch"),
    ("mail", "spaceduck mail"),
    ("mail apply", "spaceduck mail apply --draft"),
    ("mail invite", "spaceduck mail invite ada@example.com"),
    ("mail records", "spaceduck mail records --zone example.org.zone"),
    ("mail test", "spaceduck mail test"),
    ("mail confirm", "spaceduck mail confirm imprint"),
    ("operator add", "spaceduck operator add ada@example.com"),
    ("operator remove", "spaceduck operator remove ada@example.com"),
    ("operator reset-mfa", "spaceduck operator reset-mfa ada@example.com"),
    ("operator list", "spaceduck operator list --data galaxy-data"),
    ("status", "spaceduck status"),
    ("list", "spaceduck list --json"),
    ("open", "spaceduck open duckcontrol"),
    ("logs", "spaceduck logs --since 2h --grep rate_limited"),
    ("verify", "spaceduck verify --out report.txt"),
    ("drift", "spaceduck drift --since-last"),
    ("repair", "spaceduck repair data"),
    ("rollback", "spaceduck rollback --list"),
    ("adopt", "spaceduck adopt table:eggs"),
    ("support", "spaceduck support"),
    ("teardown", "spaceduck teardown --keep-data"),
    ("export", "spaceduck export galaxy.jsonl"),
    ("import", "spaceduck import galaxy.jsonl"),
    ("site check", "spaceduck site check"),
    ("site publish", "spaceduck site publish"),
    ("skill check", "spaceduck skill check skills/space-duck"),
    ("skill pack", "spaceduck skill pack skills/space-duck"),
    ("skill key", "spaceduck skill key"),
    ("skill sign", "spaceduck skill sign space-duck.skill.zip --certificate certificate.json"),
    (
        "skill verify",
        "spaceduck skill verify space-duck.skill.zip --galaxy https://api.example.org",
    ),
];

/// More examples, of commands that print or write something about the program itself.
const OF_THE_PROGRAM: [(&str, &str); 4] = [
    ("render", "spaceduck render --out templates-to-read"),
    ("schema", "spaceduck schema > galaxy.schema.json"),
    ("completions", "spaceduck completions bash"),
    ("man", "spaceduck man --out man"),
];

/// Commands that never call AWS, and flags that say how AWS is called.
const OFFLINE: [&str; 7] = ["local", "init", "skill", "render", "schema", "completions", "man"];
const FOR_AWS: [&str; 5] = ["rehearse", "region", "profile", "trace", "connect_to"];
/// Commands that read no configuration, or that print something for a program to read.
const WITHOUT_CONFIG: [&str; 4] = ["skill", "schema", "completions", "man"];
/// The commands that ask before they do something.
const ASKING: [&str; 10] = [
    "install", "adopt", "repair", "rollback", "teardown", "import", "mail", "operator", "init",
    "site",
];
/// The commands that write a file.
const WRITING: [&str; 10] = [
    "init", "export", "support", "verify", "render", "skill", "teardown", "domains", "mail", "man",
];

/// What people do first.
const FIRST: [(&str, &str); 4] = [
    ("spaceduck local", "run a galaxy on this machine"),
    ("spaceduck install --rehearse", "simulate an install; needs no AWS account"),
    ("spaceduck install", "install the galaxy in your AWS account"),
    ("spaceduck help COMMAND", "show the flags of a command"),
];

/// What the process ends with.
const EXIT_CODES: [(&str, &str); 11] = [
    ("0", "done or nothing to do"),
    ("1", "wrong config or input"),
    ("2", "usage"),
    ("3", "refused"),
    ("4", "a step failed"),
    ("5", "credentials or permission"),
    ("6", "drift found"),
    ("7", "mail not finished"),
    ("8", "waiting for AWS"),
    ("70", "our bug"),
    ("130", "interrupted"),
];

/// How wide help is at most, and wherever it is not printed to a terminal. clap has the same.
const WIDEST: usize = 100;

/// The whole command line.
#[must_use]
pub fn command() -> Command {
    command_at(WIDEST)
}

/// The same with help for a terminal of this width.
fn command_at(width: usize) -> Command {
    let command = Cli::command();
    let shared: Vec<clap::Arg> = command.get_arguments().cloned().collect();
    let template = template(&command, width);
    let mut command = command.help_template(template).after_help(after(width));
    let names: Vec<String> =
        command.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(&name, |inner| dressed(inner, &name, &shared));
    }
    command
}

/// Reads a command line. Help and the version are errors, too, as clap has it.
pub fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let width = console::Term::stdout().size_checked();
    let width = width.map_or(WIDEST, |(_, columns)| usize::from(columns).min(WIDEST));
    Cli::from_arg_matches(&command_at(width).try_get_matches_from(arguments)?)
}

/// Help with the commands in their groups. `{options}` and the rest are clap's.
fn template(command: &Command, width: usize) -> String {
    let header = command.get_styles().get_header();
    let literal = command.get_styles().get_literal();
    let mut text = String::from("{about}\n\n{usage-heading} {usage}\n\n");
    for (group, names) in GROUPS {
        // Writing to a String can't fail.
        let _ = writeln!(text, "{header}{group}:{header:#}");
        for name in names {
            let Some(inner) = command.find_subcommand(name) else { continue };
            let about = inner.get_about().map(ToString::to_string).unwrap_or_default();
            let about = beside(&about, 15, width);
            let _ = writeln!(text, "  {literal}{name:<12}{literal:#} {about}");
        }
        text.push('\n');
    }
    // clap prints its own headings of flags only where it prints everything.
    let _ = write!(text, "{header}Shared flags:{header:#}\n{{options}}\n\n{{after-help}}");
    text
}

/// Examples and exit codes, which are in the manual, too.
fn after(width: usize) -> String {
    let mut text = String::from("Examples:\n");
    for (line, what) in FIRST {
        // Writing to a String can't fail.
        let _ = writeln!(text, "  {line:<30} {}", beside(what, 33, width));
    }
    text.push_str("\nExit codes:");
    for (code, what) in EXIT_CODES {
        let _ = write!(text, "\n  {code:>3}  {what}");
    }
    text
}

/// Text that begins in a column and goes on below itself. clap wraps no template.
fn beside(text: &str, column: usize, width: usize) -> String {
    let lines = textwrap::wrap(text, width.saturating_sub(column).max(20));
    lines.join(&format!("\n{:column$}", ""))
}

/// A command with its example and without the shared flags that do nothing there.
fn dressed(mut command: Command, path: &str, shared: &[clap::Arg]) -> Command {
    let first = path.split(' ').next().unwrap_or_default();
    for flag in shared {
        let id = flag.get_id().as_str();
        let is_idle = match id {
            "config" => WITHOUT_CONFIG.contains(&first),
            "yes" => !ASKING.contains(&first),
            // `--trace` writes a file from any command that calls AWS.
            "force" => !WRITING.contains(&first) && OFFLINE.contains(&first),
            // `init` writes the Region into the file; `render` into the templates.
            "region" if ["init", "render"].contains(&first) => false,
            id if FOR_AWS.contains(&id) => OFFLINE.contains(&first) || path == "site check",
            _ => false,
        };
        if is_idle {
            command = command.arg(flag.clone().hide(true));
        }
    }
    let mut examples = EXAMPLES.iter().chain(&OF_THE_PROGRAM);
    if let Some((_, example)) = examples.find(|(known, _)| *known == path) {
        command = command.after_help(format!("Example:\n  {example}"));
    }
    let names: Vec<String> =
        command.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
    for name in names {
        let inside = format!("{path} {name}");
        command = command.mut_subcommand(&name, |inner| dressed(inner, &inside, shared));
    }
    command
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every command that can be typed, with its path.
    fn all(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let path = format!("{path} {}", inner.get_name()).trim().to_owned();
            if !inner.is_subcommand_required_set() {
                found.push((path.clone(), inner.clone()));
            }
            all(inner, &path, found);
        }
    }

    fn built() -> Vec<(String, Command)> {
        let mut root = command();
        root.build();
        let mut found = Vec::new();
        all(&root, "", &mut found);
        found
    }

    #[test]
    fn every_command_is_in_one_group() {
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let unique: BTreeSet<&str> = grouped.iter().copied().collect();
        let root = command();
        let known: BTreeSet<&str> = root.get_subcommands().map(Command::get_name).collect();
        assert_eq!(unique, known);
        assert_eq!(grouped.len(), known.len(), "one is in two groups");
        assert_eq!(grouped[..2], ["local", "install"]);
    }

    #[test]
    fn help_fits_narrow_terminals() {
        for width in [60, 80] {
            let text = template(&Cli::command(), width) + &after(width);
            let plain = console::strip_ansi_codes(&text).into_owned();
            let wide: Vec<&str> = plain.lines().filter(|line| line.len() > width).collect();
            assert_eq!(wide, Vec::<&str>::new(), "{width}");
            assert!(plain.contains("  130  interrupted"), "{plain}");
        }
    }

    #[test]
    fn every_command_has_an_example_that_parses() {
        for (path, inner) in built() {
            let help = inner.get_after_help().map(ToString::to_string).unwrap_or_default();
            let line = help.strip_prefix("Example:\n  ").unwrap_or_default();
            let line = line.split(" > ").next().unwrap_or_default();
            assert!(line.starts_with(&format!("spaceduck {path}")), "{path}: {help:?}");
            let parsed = command().try_get_matches_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {parsed:?}");
        }
    }

    /// STYLE: imperative, no full stop, at most 60 characters.
    #[test]
    fn every_line_of_help_is_short() {
        let mut seen = 0;
        for (path, inner) in built() {
            let about = inner.get_about().map(ToString::to_string).unwrap_or_default();
            let mut lines = vec![about];
            for flag in inner.get_arguments() {
                let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
                lines.push(help);
                let words = flag.get_possible_values();
                let help = words.iter().filter_map(clap::builder::PossibleValue::get_help);
                lines.extend(help.map(ToString::to_string));
            }
            for line in lines {
                let is_short = line.chars().count() <= 60 && !line.ends_with('.');
                assert!(is_short && !line.is_empty(), "{path}: {line:?}");
                seen += 1;
            }
        }
        assert!(seen > 300, "{seen} lines");
    }

    #[test]
    fn shared_flags_are_shown_where_they_do_something() {
        let shown = |path: &str| -> BTreeSet<String> {
            let (_, inner) = built().into_iter().find(|(known, _)| known == path).expect(path);
            let shown = inner.get_arguments().filter(|flag| !flag.is_hide_set());
            shown.map(|flag| flag.get_id().to_string()).collect()
        };
        for (path, there, hidden) in [
            ("install", "yes", ""),
            ("status", "region", "yes"),
            ("local", "port", "region"),
            ("init", "region", "profile"),
            ("skill verify", "galaxy", "rehearse"),
            ("site check", "config", "profile"),
            ("site publish", "profile", ""),
        ] {
            let shown = shown(path);
            assert!(shown.contains(there), "{path}: {shown:?}");
            assert!(!shown.contains(hidden), "{path}: {shown:?}");
        }
        // Hidden is not forgotten: a value given to a hidden flag still arrives.
        let line = ["spaceduck", "local", "--region", "eu-central-1"];
        let matches = command().get_matches_from(line);
        let cli = Cli::from_arg_matches(&matches).expect("parsed");
        assert_eq!(cli.shared.region.as_deref(), Some("eu-central-1"));
    }
}
