//! Every kind of file and path that a skill may not have.

use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use super::*;

fn write(folder: &Path, path: &str, bytes: &[u8]) {
    let file = folder.join(path);
    fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    fs::write(file, bytes).expect("written");
}

fn mistakes(folder: &Path) -> Vec<String> {
    let mistakes = Tree::read(folder).expect_err("mistakes");
    mistakes.into_iter().map(|mistake| mistake.message).collect()
}

#[test]
fn a_folder_is_read_in_the_order_of_its_paths() {
    let folder = TempDir::new().expect("a folder");
    for path in ["scripts/run.sh", "SKILL.md", "references/b.md", "references/a.md"] {
        write(folder.path(), path, path.as_bytes());
    }
    fs::create_dir(folder.path().join("empty")).expect("made");
    let tree = Tree::read(folder.path()).expect("a tree");
    let paths: Vec<_> = tree.files().map(|(path, _)| path).collect();
    assert_eq!(paths, ["SKILL.md", "references/a.md", "references/b.md", "scripts/run.sh"]);
    assert_eq!(tree.file("references/a.md"), Some(&b"references/a.md"[..]));
    assert!(tree.has_folder("references/") && !tree.has_folder("refer"));
}

#[test]
fn all_mistakes_of_a_folder_are_told_at_once() {
    let folder = TempDir::new().expect("a folder");
    let at = folder.path();
    for path in ["SKILL.md", "skill.MD", ".env", "a b.md", "ünder.md", "aux.txt", "end."] {
        write(at, path, b"x");
    }
    write(at, "large.bin", &vec![0; usize::try_from(FILE_LIMIT).expect("small") + 1]);
    symlink("/etc/passwd", at.join("passwd")).expect("a link");
    symlink(at, at.join("round")).expect("a link");
    let expected = [
        "`.env` is a hidden file",
        "`a b.md` has a name that is not the same on every system",
        "`aux.txt` has a name that Windows can't keep",
        "`end.` has a name that Windows can't keep",
        "`large.bin` has more than 1 MiB",
        "`passwd` is a symbolic link",
        "`round` is a symbolic link",
        "`ünder.md` has a name that is not the same on every system",
        "`skill.MD` and `SKILL.md` are one name on many machines",
    ];
    assert_eq!(mistakes(at), expected);
}

#[test]
fn a_pipe_is_not_waited_for() {
    let folder = TempDir::new().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(pipe).status().expect("mkfifo");
    assert!(made.success());
    assert_eq!(mistakes(folder.path()), ["`pipe` is no plain file"]);
}

#[test]
fn too_many_files_and_too_many_bytes_end_the_reading() {
    let folder = TempDir::new().expect("a folder");
    for number in 0..=FILES_LIMIT {
        write(folder.path(), &format!("{number}.md"), b"x");
    }
    assert_eq!(mistakes(folder.path()), ["there are more than 256 files"]);
    let folder = TempDir::new().expect("a folder");
    for number in 0..9 {
        let bytes = vec![0; usize::try_from(FILE_LIMIT).expect("small")];
        write(folder.path(), &format!("{number}.bin"), &bytes);
    }
    assert_eq!(mistakes(folder.path()), ["all files together have more than 8 MiB"]);
}

#[test]
fn a_path_stays_inside() {
    let long = "a/".repeat(8) + "b";
    for (path, why) in [
        ("../SKILL.md", "climbs out"),
        ("a/../../b", "climbs out"),
        ("a/..", "climbs out"),
        ("a\\..\\b", "climbs out"),
        ("/etc/passwd", "absolute"),
        ("\\\\host\\share", "absolute"),
        ("C:/windows", "absolute"),
        ("a//b", "no plain path"),
        ("./a", "no plain path"),
        ("a/./b", "no plain path"),
        ("a/", "no plain path"),
        ("", "no plain path"),
        ("a\\b\u{7}", "not the same"),
        ("nul", "Windows"),
        ("COM1.md", "Windows"),
        ("a/lpt9", "Windows"),
        (long.as_str(), "folders deep"),
        (&"a".repeat(161), "characters"),
    ] {
        let fault = path_fault(path).unwrap_or_else(|| panic!("{path:?} passes"));
        assert!(fault.message.contains(why), "{path:?}: {}", fault.message);
    }
    for path in ["SKILL.md", "com.md", "nul1", "console/aux-files/x.y.z", "a..b", "0/1/2/3/4/5/6/7"]
    {
        assert_eq!(path_fault(path), None, "{path}");
    }
}

#[test]
fn a_file_that_is_a_folder_elsewhere_clashes() {
    let mut tree = Tree::default();
    for path in ["Docs/a.md", "docs/b.md", "x", "x/y"] {
        tree.add(path, Vec::new()).expect("a good path");
    }
    let told: Vec<_> = tree.clashes().into_iter().map(|mistake| mistake.message).collect();
    let expected = [
        "`docs` and `Docs` are one name on many machines",
        "`x` and `x` are one name on many machines",
    ];
    assert_eq!(told, expected);
    assert!(tree.add("x", Vec::new()).is_err(), "twice");
}
