//! Pages of one's own, with the built program: checked, published, kept.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use spaceduck::failure::Kind;
use spaceduck::site::own;

const RULES: &str = "---\ntitle: Rules of this house\ndescription: What everybody who hatches a \
                     duckling here has to know about this house.\nkind: guide\n---\nNo quacking.\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("galaxy.yaml"), "region: eu-west-1\npages: ours\n").unwrap();
    std::fs::create_dir(folder.path().join("ours")).unwrap();
    for (path, text) in files {
        let path = folder.path().join("ours").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// Runs the program; its exit code and its last line of JSON.
fn spaceduck(folder: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_spaceduck"))
        .current_dir(folder)
        .args(arguments)
        .args(["--json", "--yes"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), serde_json::from_str(text.lines().last().unwrap()).unwrap())
}

#[test]
fn a_folder_is_checked_without_an_account_and_played_through() {
    let folder = folder(&[("duckgalaxy/house.md", RULES), ("spaceduckling/logo.svg", "<svg/>")]);
    let (code, last) = spaceduck(folder.path(), &["site", "check"]);
    assert_eq!((code, &last["outcome"]), (Some(0), &"done".into()), "{last}");
    let (code, last) = spaceduck(folder.path(), &["install", "--rehearse"]);
    assert_eq!((code, &last["outcome"]), (Some(0), &"done".into()), "{last}");
    // A rehearsal of this begins with a galaxy in which they are published.
    let (code, last) = spaceduck(folder.path(), &["site", "publish", "--rehearse"]);
    assert_eq!((code, &last["outcome"]), (Some(0), &"unchanged".into()), "{last}");
}

#[test]
fn a_mistake_is_told_with_its_file_before_anything_is_done() {
    let folder = folder(&[("duckgalaxy/house.md", "No quacking."), ("swan/a.html", "")]);
    for command in [&["site", "check"][..], &["install", "--rehearse"], &["plan", "--rehearse"]] {
        let (code, last) = spaceduck(folder.path(), command);
        assert_eq!(code, Some(1), "{command:?}: {last}");
        let message = last["message"].as_str().unwrap();
        assert!(
            message.contains("ours/duckgalaxy/house.md") || message.contains("ours/swan"),
            "{last}"
        );
    }
    let none = tempfile::TempDir::new().unwrap();
    let (code, last) = spaceduck(none.path(), &["site", "check"]);
    assert_eq!(code, Some(1), "{last}");
    assert!(last["help"].as_str().unwrap().contains("`pages`"), "{last}");
}

/// Another machine, or a folder that was lost, takes no page away.
#[test]
fn what_is_installed_is_not_taken_away_by_forgetting_it() {
    let failure = own::still_named(None, true).unwrap_err();
    assert_eq!(failure.kind, Kind::Refused);
    assert!(failure.to_text().contains("set `pages` in galaxy.yaml"), "{}", failure.to_text());
    let ours = Some(Path::new("ours"));
    for (folder, installed) in [(None, false), (ours, true), (ours, false)] {
        assert!(own::still_named(folder, installed).is_ok(), "{folder:?}");
    }
}
