//! Tools that are not Rust crates of ours, in pinned versions: Python's in `.venv`, cargo's in
//! `target/tools`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, run, say};

const CARGO_DENY: &str = "0.20.2";

/// Fetches whatever is not there yet.
pub(crate) fn set_up(root: &Path) -> Outcome {
    python(root)?;
    cargo_deny(root).map(|_| ())
}

/// Fetches the Python side of it: the emulated AWS among them.
pub(crate) fn python(root: &Path) -> Outcome {
    let (wanted, venv) = (root.join("tests/requirements.txt"), root.join(".venv"));
    if is_made_of(&venv, &wanted) {
        return Ok(());
    }
    say("fetching the emulated AWS and cfn-lint into .venv");
    make_venv(&venv, &wanted, |_| Ok(()))
}

/// Whether a virtual environment has exactly what a list of requirements names. A copy of the
/// list inside says what it was made of.
pub(crate) fn is_made_of(venv: &Path, wanted: &Path) -> bool {
    let read = |path: &Path| std::fs::read(path).unwrap_or_default();
    read(wanted) == read(&venv.join("requirements.txt"))
}

/// Creates a virtual environment, then runs `besides` with its Python.
pub(crate) fn make_venv(
    venv: &Path,
    wanted: &Path,
    besides: impl FnOnce(&Path) -> Outcome,
) -> Outcome {
    run(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
    let python = venv.join("bin/python");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    run(pip.arg("--requirement").arg(wanted))?;
    besides(&python)?;
    let made_of = venv.join("requirements.txt");
    std::fs::copy(wanted, &made_of)
        .map(|_| ())
        .map_err(|error| format!("`{}` can't be written: {error}", made_of.display()))
}

/// Looks through the scripts of the sites for mistakes.
pub(crate) fn lint_scripts(root: &Path) -> Outcome {
    let mut oxlint = Command::new(root.join(".venv/bin/oxlint"));
    run(oxlint.current_dir(root).args(["--deny-warnings", "sites"]))
}

/// The licence and dependency checker; built from crates.io once.
#[expect(clippy::disallowed_methods, reason = "a chore of developers")]
fn cargo_deny(root: &Path) -> Outcome<PathBuf> {
    let tools = root.join("target/tools");
    let program = tools.join(CARGO_DENY).join("bin/cargo-deny");
    if program.exists() {
        return Ok(program);
    }
    say("building cargo-deny; once, for some minutes");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Unoptimized, it takes some seconds longer at work, and is built in half the time.
    cargo.args(["install", "--debug", "--quiet", "--locked", "--no-default-features"]);
    cargo.args(["cargo-deny", "--version", CARGO_DENY, "--root"]).arg(tools.join(CARGO_DENY));
    cargo.env("CARGO_TARGET_DIR", tools.join("build"));
    run(&mut cargo)?;
    // Its build is ten times its size and of no more use.
    let _ = std::fs::remove_dir_all(tools.join("build"));
    Ok(program)
}

/// Licences, banned crates and sources of all dependencies. Not the advisories: their database
/// comes from a server that a test run must not depend on; `cargo deny check` asks it.
#[expect(clippy::disallowed_methods, reason = "a chore of developers")]
pub(crate) fn deny(root: &Path) -> Outcome {
    let program = cargo_deny(root)?;
    // It looks at the crates of every platform, of which a build fetches only its own.
    let mut fetch = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    run(fetch.current_dir(root).args(["fetch", "--quiet", "--locked"]))?;
    let mut deny = Command::new(program);
    deny.current_dir(root).args(["--offline", "--log-level", "warn", "check"]);
    run(deny.args(["licenses", "bans", "sources"]))
}
