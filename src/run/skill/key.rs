//! The key that signs skills: where it is, made once, and read only if others can't read it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use galaxy_skill::PublisherKey;

use super::{read_text, unreadable};
use crate::cli::Shared;
use crate::environment;
use crate::event::{Event, Events};
use crate::failure::{Failure, Kind};

/// Where keys and passwords of ducklings are kept; the skill `space-duck` uses the same folder.
const HOME: &str = "SPACEDUCK_HOME";

pub(super) fn file(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(file) = named {
        return Ok(file.to_owned());
    }
    let home = environment::path(HOME)
        .or_else(|| environment::path("HOME").map(|home| home.join(".config/spaceduck")));
    let none = || {
        Failure::new(Kind::Usage, "there is no place to keep the key: HOME is not set")
            .help("name a file with --key")
    };
    Ok(home.ok_or_else(none)?.join("publisher.key"))
}

/// Shows the fingerprint of the key, creating the key if there is none.
pub(super) fn show(
    shared: &Shared,
    named: Option<&Path>,
    events: &Events,
) -> Result<Vec<String>, Failure> {
    let file = self::file(named)?;
    if !file.exists() {
        if shared.rehearse {
            return Err(Failure::new(Kind::Usage, "a new key can't be rehearsed")
                .help("leave out --rehearse to make the key"));
        }
        make(&file).map_err(|cause| {
            Failure::new(Kind::Input, format!("can't make the key `{}`", file.display()))
                .cause(cause)
                .help("name another file with --key")
        })?;
        events.emit(Event::Note { text: format!("A new key is in {}.", file.display()) });
    }
    let mark = kept(&file)?.mark();
    let next = format!("hatch the publisher with a name that ends in the mark: `My Duck {mark}`");
    events.emit(Event::Key { mark, file: file.display().to_string() });
    Ok(vec![next])
}

fn make(file: &Path) -> Result<(), String> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| error.to_string())?;
    let key = PublisherKey::new(&random);
    let pem = key.to_pem().ok_or("it can't be written down")?;
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder).map_err(|error| error.to_string())?;
    }
    // Never over another one.
    let mut options = fs::OpenOptions::new();
    let mut open = options.write(true).create_new(true).mode(0o600).open(file);
    let write = |open: &mut fs::File| {
        open.write_all(pem.as_ref().as_bytes()).and_then(|()| open.sync_all())
    };
    open.as_mut().map_err(|error| error.to_string()).and_then(|open| {
        write(open).map_err(|error| {
            let _ = fs::remove_file(file);
            error.to_string()
        })
    })
}

pub(super) fn kept(file: &Path) -> Result<PublisherKey, Failure> {
    let shown = file.display();
    let rights = fs::metadata(file)
        .map_err(|error| unreadable(file, &error).help("make a key with `spaceduck skill key`"))?;
    if rights.permissions().mode() & 0o077 != 0 {
        let message = format!("others can read the key `{shown}`");
        let help = format!("`chmod 600 {shown}`, or make a new one if it was seen");
        return Err(Failure::new(Kind::Refused, message).help(help));
    }
    let pem = read_text(file, 4096)?;
    PublisherKey::from_pem(&pem).ok_or_else(|| {
        Failure::new(Kind::Input, format!("`{shown}` is not an Ed25519 key in PEM"))
            .help("make one with `spaceduck skill key`, in another file")
    })
}
