//! A secret in a file that `galaxy.yaml` names.

use std::path::Path;

use crate::failure::{Failure, Kind};
use crate::model::Secret;

/// A secret is a line, not a book.
const LONGEST: u64 = 4096;

/// Reads it, if only those can read it who should; with a warning where that can't be changed.
pub(super) fn read(path: &Path) -> Result<(Secret, Option<String>), Failure> {
    read_where(path, is_fixed)
}

fn read_where(
    path: &Path,
    is_fixed: fn(&Path) -> bool,
) -> Result<(Secret, Option<String>), Failure> {
    let shown = path.display();
    let unreadable = |cause: String| {
        Failure::new(Kind::Input, format!("the secret in `{shown}` can't be read"))
            .cause(cause)
            .help("write the secret into it, or set SPACEDUCK_TURNSTILE_SECRET instead")
    };
    let about = std::fs::metadata(path).map_err(|error| {
        unreadable(error.to_string())
            .help("write the secret into it, or set SPACEDUCK_TURNSTILE_SECRET instead")
    })?;
    let mut warning = None;
    if open_to_all(&about) && is_fixed(path) {
        warning = Some(format!(
            "The secret in `{shown}` can be read by every program here, and the file system is \
             read-only. Mount it with mode 0440 or stricter if other programs run beside this one."
        ));
    } else if open_to_all(&about) {
        let message = format!("everybody on this machine may read the secret in `{shown}`");
        return Err(Failure::new(Kind::Input, message)
            .help(format!("`chmod 600 {shown}`; if others have read it, make a new secret")));
    }
    if !about.is_file() || about.len() > LONGEST {
        return Err(unreadable("it is no file of one line".into())
            .help("write the secret into it and nothing else"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        unreadable(error.to_string()).help("give yourself the right to read it")
    })?;
    let secret = text.trim();
    if secret.is_empty() || secret.lines().count() > 1 {
        return Err(unreadable("it holds no line, or more than one".into())
            .help("write the secret into it and nothing else"));
    }
    Ok((Secret::new(secret.to_owned()), warning))
}

/// Whether the rights can't be changed, since the file system is read-only: a secret that
/// Kubernetes or Docker mounts comes with rights of theirs, mostly 0444. Asked by setting the
/// rights that the file has.
#[cfg(unix)]
fn is_fixed(path: &Path) -> bool {
    let same = std::fs::metadata(path).and_then(|about| {
        // Links lead to the file itself, as the mounts of Kubernetes do twice.
        std::fs::set_permissions(path, about.permissions())
    });
    same.is_err_and(|error| error.kind() == std::io::ErrorKind::ReadOnlyFilesystem)
}

#[cfg(not(unix))]
fn is_fixed(_: &Path) -> bool {
    false
}

/// The group may read it: that is how secrets are handed to containers.
#[cfg(unix)]
fn open_to_all(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode() & 0o007 != 0
}

/// Where rights are lists, they are the owner's own affair.
#[cfg(not(unix))]
fn open_to_all(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn with(text: &str, mode: u32) -> Result<Secret, Failure> {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("secret.txt");
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
        read(&path).map(|(secret, warning)| {
            assert_eq!(warning, None);
            secret
        })
    }

    #[test]
    fn one_line_that_others_cannot_read() {
        for mode in [0o600, 0o400, 0o640] {
            let secret = with("hush-hush\n", mode).expect("a secret");
            assert_eq!(secret.expose(), "hush-hush", "{mode:o}");
        }
    }

    #[test]
    fn what_everybody_can_read_is_no_secret() {
        for mode in [0o644, 0o604, 0o602] {
            let text = with("hush-hush\n", mode).expect_err("open to all").to_text();
            assert!(text.contains("everybody on this machine may read the secret"), "{text}");
            assert!(text.contains("help: `chmod 600 "), "{text}");
            assert!(!text.contains("hush-hush"), "{text}");
        }
    }

    #[test]
    fn rights_that_cannot_be_changed_are_a_warning() {
        // As Kubernetes mounts it: links to a file with mode 0444.
        let folder = tempfile::TempDir::new().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("..2026")).expect("a folder");
        std::fs::write(at("..2026/turnstile"), "hush-hush").expect("written");
        std::os::unix::fs::symlink("..2026", at("..data")).expect("a link");
        std::os::unix::fs::symlink("..data/turnstile", at("turnstile")).expect("a link");
        for (mode, open) in [(0o444, true), (0o440, false), (0o644, true)] {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(at("turnstile"), mode).expect("a mode");
            let (secret, warning) = read_where(&at("turnstile"), |_| true).expect("a secret");
            assert_eq!(secret.expose(), "hush-hush");
            assert_eq!(warning.is_some(), open);
            assert!(!warning.unwrap_or_default().contains("hush-hush"));
            assert_eq!(read(&at("turnstile")).is_err(), open, "this file system can be changed");
        }
    }

    #[test]
    fn what_is_not_one_line_is_no_secret() {
        for text in ["", " \n", "one\ntwo\n"] {
            assert!(with(text, 0o600).is_err(), "{text:?}");
        }
        let missing = read(Path::new("no/such/file")).expect_err("no file").to_text();
        assert!(missing.contains("help: "), "{missing}");
        assert!(read(Path::new(".")).is_err(), "a folder");
    }
}
