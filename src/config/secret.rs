//! A secret in a file that `galaxy.yaml` names.

use std::path::Path;

use crate::failure::{Failure, Kind};
use crate::model::Secret;

/// A secret is a line, not a book.
const LONGEST: u64 = 4096;

/// Reads it, if only those can read it who should.
pub(super) fn read(path: &Path) -> Result<Secret, Failure> {
    let shown = path.display();
    let unreadable = |cause: String| {
        Failure::new(Kind::Input, format!("the secret in `{shown}` can't be read")).cause(cause)
    };
    let about = std::fs::metadata(path).map_err(|error| {
        unreadable(error.to_string())
            .help("write the secret into it, or set SPACEDUCK_TURNSTILE_SECRET instead")
    })?;
    if open_to_all(&about) {
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
    Ok(Secret::new(secret.to_owned()))
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
        read(&path)
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
    fn what_is_not_one_line_is_no_secret() {
        for text in ["", " \n", "one\ntwo\n"] {
            assert!(with(text, 0o600).is_err(), "{text:?}");
        }
        let missing = read(Path::new("no/such/file")).expect_err("no file").to_text();
        assert!(missing.contains("help: "), "{missing}");
        assert!(read(Path::new(".")).is_err(), "a folder");
    }
}
