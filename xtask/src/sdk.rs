//! The Python SDK: an environment of its own, style, types and tests against `beak-local`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, run, say, tools};

/// Where its tools are, apart from those of the other tests: it is tested with nothing but what
/// it names itself.
fn folder(root: &Path) -> PathBuf {
    root.join("target/sdk-python")
}

fn source(root: &Path) -> PathBuf {
    root.join("sdk/python")
}

/// Fetches the tools, and the wheels from which a test installs the package without a network.
pub(crate) fn set_up(root: &Path) -> Outcome {
    let wanted = source(root).join("tests/requirements.txt");
    let wheels = folder(root).join("wheels");
    let venv = folder(root).join("venv");
    if tools::is_made_of(&venv, &wanted) && wheels.is_dir() {
        return Ok(());
    }
    say("fetching what the Python SDK is tested with into target/sdk-python");
    tools::make_venv(&venv, &wanted, |python| {
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"]);
        pip.args(["--only-binary=:all:", "--dest"]).arg(&wheels).arg("--constraint").arg(&wanted);
        run(pip.args(["httpx", "PyJWT[crypto]"]))
    })
}

/// Checks style and types of the Python helpers of all other tests: the tools are the same.
pub(crate) fn check_helpers(root: &Path) -> Outcome {
    let python = folder(root).join("venv/bin/python");
    let checks: [&[&str]; 3] = [&["ruff", "check"], &["ruff", "format", "--check"], &["mypy"]];
    for arguments in checks {
        run(Command::new(&python).current_dir(root).arg("-m").args(arguments))?;
    }
    Ok(())
}

/// Checks style and types, then runs the tests against `beak-local` as it was built.
pub(crate) fn test(root: &Path) -> Outcome {
    let python = folder(root).join("venv/bin/python");
    let checks: [&[&str]; 4] =
        [&["ruff", "check"], &["ruff", "format", "--check"], &["mypy"], &["pytest"]];
    for arguments in checks {
        let mut check = Command::new(&python);
        check.current_dir(source(root)).env("PYTHONDONTWRITEBYTECODE", "1");
        run(check.arg("-m").args(arguments))?;
    }
    Ok(())
}
