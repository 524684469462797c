//! The sites in a real browser: Debian's Chromium, driven from `tests/browser`.

use std::path::Path;
use std::process::Command;

use crate::{Outcome, run, say};

const CHROMIUM: &str = "/usr/bin/chromium";

/// Installs Chromium where there is none and we may; else says what to do.
pub(crate) fn set_up() -> Outcome {
    if Path::new(CHROMIUM).exists() {
        return Ok(());
    }
    say("installing Debian's Chromium, for the tests of the sites");
    let cure = "install Debian's package `chromium`, or run this as root";
    for arguments in [&["update", "-qq"][..], &["install", "-y", "-qq", "chromium"]] {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        run(&mut apt).map_err(|error| format!("{CHROMIUM} is missing and {error}; {cure}"))?;
    }
    if Path::new(CHROMIUM).exists() {
        return Ok(());
    }
    Err(format!("{CHROMIUM} is still missing after its package was installed; {cure}"))
}

/// Runs the tests against `beak-local` as it was built.
pub(crate) fn test(root: &Path) -> Outcome {
    let mut pytest = Command::new(root.join(".venv/bin/python"));
    pytest.current_dir(root).args(["-m", "pytest", "tests/browser", "-q"]);
    // The fuzzer brings plugins of its own for pytest, which have nothing to do here.
    pytest.args(["-p", "no:cacheprovider", "-p", "no:schemathesis"]);
    run(pytest.args(["-n", "auto", "--maxprocesses", "4", "--dist", "worksteal"]))
}
