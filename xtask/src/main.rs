//! The project's own chores, in Rust so that they need nothing but cargo: `cargo xtask test` and
//! `cargo xtask dist`.

mod bench;
mod browsers;
mod dist;
mod record;
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
    /// Record a rehearsal of an install as docs/images/install.svg; needs `cargo build` first
    Record,
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
        Chore::Record => record::record(&root),
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
    // Optimizing the function as a whole keeps one core busy for minutes, so the checks and the
    // build of the tests use the other one meanwhile.
    std::thread::scope(|scope| {
        say("building the Lambda function");
        let function = scope.spawn(|| beak_package::build(root).map_err(|error| error.to_string()));
        let checked = check(root);
        function.join().map_err(|_| "the build of the Lambda function panicked".to_owned())??;
        checked
    })?;
    // Rehearsals wait more than they compute, so that browser and SDK have room beside them.
    std::thread::scope(|scope| {
        let sites = scope.spawn(|| browsers::test(root).and(sdk::test(root)));
        let tested = run(linting(root, "test").args(ALL).arg("--no-fail-fast"));
        let sites = sites.join().map_err(|_| "the tests of sites and SDK panicked".to_owned())?;
        tested.and(sites)
    })
}

/// What the workspace is built and tested with: alike, so that nothing is compiled twice. `fill`
/// is for benchmarks, and would rot unseen.
const ALL: [&str; 4] = ["--workspace", "--locked", "--features", "beak-local/fill"];

fn check(root: &Path) -> Outcome {
    tools::deny(root)?;
    sdk::check_helpers(root)?;
    tools::lint_scripts(root)?;
    run(linting(root, "build").args(ALL).arg("--all-targets"))
}

/// Cargo with clippy as the compiler of the workspace's own crates, and every warning an error.
/// `cargo clippy` does the same, but checks only: all third-party crates would be read once for it
/// and compiled once more for the tests, which is a quarter of a run.
fn linting(root: &Path, command: &str) -> Command {
    let mut command = cargo_with(root, &[command]);
    command.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
    // The form in which `cargo clippy` hands its arguments on.
    let deny = ["-D", "warnings"].map(|word| format!("{word}__CLIPPY_HACKERY__")).concat();
    command.env("CLIPPY_ARGS", deny);
    command
}

fn sdk(root: &Path) -> Outcome {
    sdk::set_up(root)?;
    cargo(root, &["build", "-p", "beak-local", "--locked"])?;
    sdk::test(root)
}

fn docs(root: &Path) -> Outcome {
    // The units of each call are measured in the emulated AWS.
    tools::python(root)?;
    // The whole workspace every time: another choice of packages unifies features differently,
    // and cargo would build every AWS SDK crate once more.
    for arguments in [
        &["--lib", "--", "openapi", "published_schema", "schema", "every_world"][..],
        &["--lib", "--", "every_call_has_its_units"],
        &["--lib", "--", "the_documentation_prints"],
        &["--test", "breaks", "--", "the_table_of_breaks"],
        // What the installer knows comes last: pages are made of it and of all others.
        &["--test", "provider"],
        &["--test", "facts"],
        &["--test", "failures"],
    ] {
        let mut tests = linting(root, "test");
        run(tests.args(ALL).args(arguments).env("UPDATE_DOCS", "1"))?;
    }
    Ok(())
}

/// Runs cargo and shows what it says.
fn cargo(root: &Path, arguments: &[&str]) -> Outcome {
    run(&mut cargo_with(root, arguments))
}

#[expect(clippy::disallowed_methods, reason = "a chore of developers")]
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
