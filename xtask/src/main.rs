//! The project's own chores, in Rust so that they need nothing but cargo: `cargo xtask test` and
//! `cargo xtask dist`.

mod bench;
mod browsers;
mod dist;
mod sdk;
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};

/// The project's own chores
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Fetch what the tests need besides Rust: an emulated AWS, cfn-lint, Chromium, cargo-deny
    Setup,
    /// Set up, then check and test everything
    Test,
    /// Check and test the Python SDK alone
    Sdk,
    /// Write what is made of the code: the OpenAPI document and the facts of the reference
    Docs,
    /// Measure the local galaxy, the function's start, and the installer against others; takes long
    Bench {
        /// Only this
        #[arg(value_enum)]
        part: Option<bench::Part>,
    },
    /// Make the release archive in target/dist
    Dist,
}

/// Why a chore failed, in one sentence.
type Outcome<T = ()> = Result<T, String>;

fn main() -> ExitCode {
    let root = root();
    let outcome = match Cli::parse().chore {
        Chore::Setup => set_up(&root),
        Chore::Test => test(&root),
        Chore::Sdk => sdk(&root),
        Chore::Bench { part } => bench::bench(&root, part),
        Chore::Docs => docs(&root),
        Chore::Dist => dist::dist(&root).map(|archive| say(&archive.display().to_string())),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            say(&format!("error: {reason}"));
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    // `cargo xtask` runs from source only, so this is where the source is.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

#[expect(clippy::print_stderr, reason = "a chore talks to whoever runs it")]
fn say(text: &str) {
    eprintln!("{text}");
}

fn set_up(root: &Path) -> Outcome {
    tools::set_up(root)?;
    sdk::set_up(root)?;
    browsers::set_up()
}

fn test(root: &Path) -> Outcome {
    set_up(root)?;
    cargo(root, &["fmt", "--all", "--check"])?;
    cargo(root, &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    tools::deny(root)?;
    // What the installation tests upload, and the programs that they run.
    say("building the Lambda function");
    beak_package::build(root).map_err(|error| error.to_string())?;
    // With the targets of the tests, so that both are built of the same features, once.
    cargo(root, &["build", "--workspace", "--all-targets", "--locked"])?;
    cargo(root, &["test", "--workspace", "--locked"])?;
    browsers::test(root)?;
    sdk::test(root)
}

fn sdk(root: &Path) -> Outcome {
    sdk::set_up(root)?;
    cargo(root, &["build", "-p", "beak-local", "--locked"])?;
    sdk::test(root)
}

fn docs(root: &Path) -> Outcome {
    for arguments in
        [["beak-api", "openapi"], ["galaxy-skill", "schema"], ["spaceduck", "published_schema"]]
    {
        let [package, tests] = arguments;
        let mut tests = cargo_with(root, &["test", "-p", package, "--lib", tests]);
        run(tests.env("UPDATE_DOCS", "1"))?;
    }
    // What the installer knows comes last: the pages are made of it and of all others.
    run(cargo_with(root, &["test", "-p", "spaceduck", "--test", "facts"]).env("UPDATE_DOCS", "1"))
}

/// Runs cargo and shows what it says.
fn cargo(root: &Path, arguments: &[&str]) -> Outcome {
    run(&mut cargo_with(root, arguments))
}

fn cargo_with(root: &Path, arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root).args(arguments);
    command
}

/// Runs a program to its end.
fn run(command: &mut Command) -> Outcome {
    say(&format!("$ {}", shown(command)));
    let status = command.status().map_err(|error| {
        format!("`{}` does not start: {error}", command.get_program().display())
    })?;
    if status.success() {
        return Ok(());
    }
    Err(format!("`{}` ended with {status}", shown(command)))
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = command.get_args().map(|word| word.display().to_string());
    std::iter::once(name.display().to_string()).chain(words).collect::<Vec<_>>().join(" ")
}
