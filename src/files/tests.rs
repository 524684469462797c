//! What is there already, what is written through, and what is left when writing fails.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use super::{Access, Target, write_folder};

fn forced(path: &Path) -> Target {
    Target { force: true, ..Target::new(path) }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a file")
}

#[test]
fn nothing_is_overwritten_without_force() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("report"), "old and longer").expect("a file");
    symlink("report", at("link")).expect("a link");
    symlink("nothing", at("dangling")).expect("a link");
    std::fs::create_dir(at("folder")).expect("a folder");
    assert!(Command::new("mkfifo").arg(at("pipe")).status().expect("mkfifo").success());
    for (name, what) in [
        ("report", "exists already"),
        ("link", "is a symbolic link"),
        ("dangling", "is a symbolic link"),
        ("folder", "is a folder"),
        ("pipe", "is a named pipe"),
    ] {
        let failure = Target::new(at(name)).write(b"new", Access::Private).expect_err(name);
        assert_eq!(failure.message(), format!("`{}` {what}", at(name).display()));
        let rehearsed = Target { rehearse: true, ..Target::new(at(name)) };
        assert_eq!(rehearsed.write(b"new", Access::Private).expect_err(name), failure);
        assert!(Target::new(at(name)).stream().is_err(), "{name}");
    }
    assert_eq!(read(&at("report")), "old and longer");
    let kind = |name: &str| std::fs::symlink_metadata(at(name)).expect("there").file_type();
    assert!(kind("pipe").is_fifo() && kind("link").is_symlink() && kind("dangling").is_symlink());
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 5, "no half file");
}

#[test]
fn with_force_the_end_of_a_link_is_written_and_the_link_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("deep")).expect("a folder");
    std::fs::write(at("deep/report"), "old and longer").expect("a file");
    symlink("deep/report", at("link")).expect("a link");
    symlink("link", at("link of link")).expect("a link");
    symlink("deep/new", at("dangling")).expect("a link");
    symlink("circle", at("circle")).expect("a link");
    for (link, end) in [("link of link", "deep/report"), ("dangling", "deep/new")] {
        forced(&at(link)).write(b"new", Access::Private).expect("written");
        assert_eq!(read(&at(end)), "new");
        assert!(std::fs::symlink_metadata(at(link)).expect("there").is_symlink(), "{link}");
        let mode = std::fs::metadata(at(end)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{end}");
    }
    assert!(forced(&at("circle")).write(b"new", Access::Private).is_err());
}

#[tokio::test]
async fn a_pipe_is_written_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let failure = forced(&pipe).write(b"new", Access::Private).expect_err("nothing reads it");
    assert!(failure.message().starts_with("nothing reads the pipe"), "{}", failure.to_text());
    let reader = tokio::net::unix::pipe::OpenOptions::new().open_receiver(&pipe).expect("a pipe");
    forced(&pipe).write(b"new", Access::Private).expect("written");
    let mut text = String::new();
    let mut reader = std::fs::File::from(reader.into_blocking_fd().expect("a pipe"));
    reader.read_to_string(&mut text).expect("text");
    assert_eq!(text, "new");
    assert!(std::fs::symlink_metadata(&pipe).expect("there").file_type().is_fifo());
    Target::new("/dev/null").write(b"new", Access::Private).expect("written");
    let full = Target::new("/dev/full").write(b"new", Access::Private).expect_err("full");
    assert!(full.cause.expect("a cause").contains("No space left"));
}

#[test]
fn a_draft_that_is_given_up_leaves_what_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report");
    std::fs::write(&file, "old").expect("a file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("a mode");
    let mut draft = forced(&file).draft(Access::Shared).expect("a draft");
    draft.write_all(b"half").expect("written");
    drop(draft);
    assert_eq!(read(&file), "old");
    forced(&file).write(b"whole", Access::Shared).expect("written");
    assert_eq!(read(&file), "whole");
    let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o640, "it keeps its mode");
    // One that came in the meantime stays, too.
    let late = folder.path().join("late");
    let draft = Target::new(&late).draft(Access::Private).expect("a draft");
    std::fs::write(&late, "another program's").expect("a file");
    assert!(draft.keep().expect_err("it exists").message().ends_with("exists already"));
    assert_eq!(read(&late), "another program's");
}

#[test]
fn a_folder_gets_all_files_or_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = Target::new(folder.path().join("out"));
    let files = |second: &str| {
        [("a", "one"), ("b", second)].map(|(name, text)| (name.to_owned(), text.into()))
    };
    let rehearsed = Target { rehearse: true, ..out.clone() };
    write_folder(&rehearsed, &files("two")).expect("rehearsed");
    assert!(!out.path.exists());
    write_folder(&out, &files("two")).expect("written");
    write_folder(&out, &files("two")).expect("the same again loses nothing");
    std::fs::remove_file(out.path.join("a")).expect("removed");
    assert!(write_folder(&out, &files("three")).is_err());
    assert!(!out.path.join("a").exists());
    assert_eq!(read(&out.path.join("b")), "two");
    write_folder(&Target { force: true, ..out.clone() }, &files("three")).expect("forced");
    assert_eq!(read(&out.path.join("b")), "three");
}
