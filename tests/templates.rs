//! Every template, as it lies and as it is rendered, before cfn-lint with AWS's own schemas.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

fn lint(folder: &Path, files: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = root.join(".venv/bin/cfn-lint");
    assert!(program.exists(), "there is no cfn-lint: run `cargo xtask setup` first");
    let files = folder.join(files);
    let output = Command::new(program)
        .current_dir(root)
        // The same exceptions for both, with their reasons.
        .args(["--config-file", ".cfnlintrc.yaml", "--regions", "eu-central-1", "us-east-1"])
        .arg("--template")
        .arg(files)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_templates_are_sound_as_they_lie() {
    lint(Path::new(env!("CARGO_MANIFEST_DIR")), "templates/*.yaml");
}

#[test]
fn the_templates_are_sound_when_rendered() {
    let folder = TempDir::new().unwrap();
    for access_logs in ["true", "false"] {
        let config = format!("region: eu-central-1\nlogs:\n  site_access: {access_logs}\n");
        std::fs::write(folder.path().join("galaxy.yaml"), config).unwrap();
        let status = Command::new(env!("CARGO_BIN_EXE_spaceduck"))
            .current_dir(folder.path())
            .args(["render", "--quiet", "--out", access_logs])
            .status()
            .unwrap();
        assert!(status.success());
        lint(folder.path(), &format!("{access_logs}/*.yaml"));
    }
}
