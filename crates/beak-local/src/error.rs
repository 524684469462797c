//! Why a local galaxy can't start, and what to do about it.

use std::path::PathBuf;

/// A reason not to start, or to stop.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// Another process has the data folder.
    #[error("another galaxy is running on the data folder `{}`", .0.display())]
    InUse(PathBuf),
    /// A folder or file in it can't be made, read or written.
    #[error("the data folder can't be used: `{path}`: {reason}", path = .0.display(), reason = .1)]
    Folder(PathBuf, String),
    /// There is nothing in the folder.
    #[error("there is no galaxy in `{}`", .0.display())]
    NoGalaxy(PathBuf),
    /// An import would mix with what is in the folder.
    #[error("`{}` already holds a galaxy with people or ducklings", .0.display())]
    Occupied(PathBuf),
    /// An entry of an import can't be read.
    #[error("the import can't be read: {0}")]
    Unfit(String),
    /// A file is not what it should be.
    #[error("`{path}` is damaged: {reason}", path = .0.display(), reason = .1)]
    Damaged(PathBuf, String),
    /// Another program listens there.
    #[error("port {0} is taken by another program")]
    PortTaken(u16),
    /// The port can't be had.
    #[error("port {0} can't be opened: {1}")]
    Port(u16, String),
    /// The addresses could not be shown.
    #[error("the galaxy's addresses can't be written: {0}")]
    Unheard(String),
    /// What should not happen.
    #[error("the galaxy can't run: {0}")]
    Broken(String),
}

impl LocalError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::InUse(_) => "stop that one first, or name another folder with --data".into(),
            Self::Folder(..) => {
                "make room, allow writing there, or name another folder with --data".into()
            }
            Self::NoGalaxy(_) => {
                "name its folder with --data; a galaxy makes it when it starts".into()
            }
            Self::Occupied(_) => {
                "nothing was changed; an import needs a new folder: name one with --data".into()
            }
            Self::Unfit(_) => {
                "nothing was changed; a newer spaceduck may read it, or take another export".into()
            }
            Self::Damaged(..) => {
                "put a copy of the folder back, or name a new folder with --data".into()
            }
            Self::PortTaken(port) => {
                let next = port.checked_add(1).unwrap_or(3825);
                format!("choose another one: --port {next}, or --port 0 for any free one")
            }
            Self::Port(..) => "choose another one with --port; below 1024 needs rights".into(),
            Self::Unheard(_) => "make room, or send the output elsewhere".into(),
            Self::Broken(_) => "this is a mistake in the program; please report it".into(),
        }
    }
}
