//! Files that a command writes: never over another one without `--force`, whole or not at all, and
//! none in a rehearsal.
//!
//! Pipes and devices are written through, a link keeps leading where it led, and `-` is standard
//! output.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::{Failure, Kind};

/// Names of standard output.
const STDOUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// Links may lead to links; a longer chain is a circle.
const LINKS: usize = 40;

/// A file that a person has named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its path, or `-`.
    pub path: PathBuf,
    /// Whether what is there may be overwritten.
    pub force: bool,
    /// Whether nothing is written at all.
    pub rehearse: bool,
}

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its owner only.
    Private,
    /// Those whom the umask lets.
    Shared,
}

/// A file that is being written. One that is given up leaves what was there.
pub struct Draft {
    out: BufWriter<Out>,
    path: PathBuf,
}

enum Out {
    /// Becomes the file at the path when it is whole; over another one if that is wanted.
    Whole(NamedTempFile, PathBuf, bool),
    /// A pipe, a device or standard output.
    Through(File),
    /// A rehearsal's.
    Nowhere,
}

/// What a path leads to.
enum Place {
    Stdout,
    Pipe,
    Device,
    File { at: PathBuf, exists: bool },
}

impl Target {
    /// A new file.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), force: false, rehearse: false }
    }

    /// Whether `-` or another name of standard output was given.
    #[must_use]
    pub fn is_stdout(&self) -> bool {
        STDOUT.iter().any(|name| self.path.as_os_str() == *name)
    }

    /// Opens the file if possible. A pipe is left alone: its reader would see its end.
    pub fn check(&self) -> Result<(), Failure> {
        if let Place::File { .. } = self.place()? {
            self.open(Access::Private)?;
        }
        Ok(())
    }

    /// Begins the file. Fails where it can't be written or would replace something unasked.
    pub fn draft(&self, access: Access) -> Result<Draft, Failure> {
        let out = self.open(access)?;
        Ok(Draft { out: BufWriter::new(out), path: self.path.clone() })
    }

    /// Writes the whole file at once.
    pub fn write(&self, bytes: &[u8], access: Access) -> Result<(), Failure> {
        let mut draft = self.draft(access)?;
        draft.write_all(bytes).map_err(|error| unwritable(&self.path, &error))?;
        draft.keep()
    }

    /// An empty file that is there at once, for what is written line by line while a command runs.
    pub fn stream(&self) -> Result<Box<dyn Write + Send>, Failure> {
        Ok(match self.open(Access::Private)? {
            Out::Whole(file, at, over) => Box::new(persist(file, &at, over, &self.path)?),
            Out::Through(file) => Box::new(file),
            Out::Nowhere => Box::new(io::sink()),
        })
    }

    fn open(&self, access: Access) -> Result<Out, Failure> {
        let failed = |error: io::Error| unwritable(&self.path, &error);
        let place = self.place()?;
        if self.rehearse && !matches!(place, Place::Stdout) {
            return Ok(Out::Nowhere);
        }
        Ok(match place {
            Place::Stdout => {
                let copy = io::stdout().as_fd().try_clone_to_owned().map_err(failed)?;
                Out::Through(File::from(copy))
            }
            Place::Pipe => Out::Through(open_pipe(&self.path)?),
            Place::Device => {
                Out::Through(File::options().write(true).open(&self.path).map_err(failed)?)
            }
            Place::File { at, exists } => {
                let folder = at.parent().filter(|folder| !folder.as_os_str().is_empty());
                let mode = if access == Access::Private { 0o600 } else { 0o666 };
                let file = tempfile::Builder::new()
                    .permissions(fs::Permissions::from_mode(mode))
                    .tempfile_in(folder.unwrap_or(Path::new(".")))
                    .map_err(failed)?;
                if exists && access == Access::Shared {
                    let kept = fs::metadata(&at).map_err(failed)?.permissions();
                    file.as_file().set_permissions(kept).map_err(failed)?;
                }
                Out::Whole(file, at, self.force)
            }
        })
    }

    fn place(&self) -> Result<Place, Failure> {
        let path = &self.path;
        let failed = |error: io::Error| unwritable(path, &error);
        if self.is_stdout() {
            return Ok(Place::Stdout);
        }
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Place::File { at: path.clone(), exists: false });
            }
            Err(error) => return Err(failed(error)),
        };
        // `/dev/null`, and what a shell makes of `>(gzip)`: nothing there is overwritten.
        let system = path.starts_with("/proc")
            || (path.starts_with("/dev") && !path.starts_with("/dev/shm"));
        let allowed = self.force || system;
        if found.is_symlink() && !allowed {
            let help = "write to the file that it leads to with --force, or name another file";
            return Err(refused(path, "is a symbolic link", help));
        }
        let real = match fs::metadata(path) {
            Ok(real) => real.file_type(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Place::File { at: end_of(path).map_err(failed)?, exists: false });
            }
            Err(error) => return Err(failed(error)),
        };
        if real.is_file() && self.force {
            return Ok(Place::File { at: end_of(path).map_err(failed)?, exists: true });
        }
        if real.is_fifo() && allowed {
            return Ok(Place::Pipe);
        }
        if real.is_char_device() && allowed {
            return Ok(Place::Device);
        }
        Err(if real.is_file() {
            exists_already(path)
        } else if real.is_dir() {
            refused(path, "is a folder", "name a file in it")
        } else if real.is_fifo() {
            refused(path, "is a named pipe", "write into it with --force, or name another file")
        } else if real.is_char_device() {
            refused(path, "is a device", "write to it with --force, or name another file")
        } else {
            refused(path, "is neither a file nor a pipe", "name another file")
        })
    }
}

impl Draft {
    /// Makes it the file: all that was written, or what was there before.
    pub fn keep(self) -> Result<(), Failure> {
        let path = self.path;
        let out = self.out.into_inner().map_err(|error| unwritable(&path, error.error()))?;
        match out {
            Out::Whole(file, at, over) => {
                file.as_file().sync_all().map_err(|error| unwritable(&path, &error))?;
                persist(file, &at, over, &path).map(|_| ())
            }
            Out::Through(_) | Out::Nowhere => Ok(()),
        }
    }

    /// Adds text.
    pub fn add(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(|error| unwritable(&self.path, &error))
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Whole(file, ..) => file.write(bytes),
            Self::Through(file) => file.write(bytes),
            Self::Nowhere => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Whole(file, ..) => file.flush(),
            Self::Through(file) => file.flush(),
            Self::Nowhere => Ok(()),
        }
    }
}

/// Writes several files into a folder, which is made if needed. Files that have the same bytes
/// stay; another one there is refused before anything is written.
pub fn write_folder(folder: &Target, files: &[(String, Vec<u8>)]) -> Result<Vec<PathBuf>, Failure> {
    let mut open = Vec::new();
    for (name, bytes) in files {
        let target = Target { path: folder.path.join(name), ..folder.clone() };
        if fs::symlink_metadata(&target.path).is_ok_and(|found| found.is_file())
            && fs::read(&target.path).is_ok_and(|there| there == *bytes)
        {
            continue;
        }
        target.place().map_err(elsewhere)?;
        open.push((target, bytes));
    }
    if !folder.rehearse {
        fs::create_dir_all(&folder.path).map_err(|error| {
            Failure::new(Kind::Input, format!("can't write `{}`", folder.path.display()))
                .cause(error.to_string())
                .help("name another folder with --out, or make room")
        })?;
    }
    for (target, bytes) in open {
        target.write(bytes, Access::Shared).map_err(elsewhere)?;
    }
    Ok(files.iter().map(|(name, _)| folder.path.join(name)).collect())
}

/// A file of a folder that can't be written: the folder is what a person has named.
fn elsewhere(failure: Failure) -> Failure {
    if failure.cause.is_none() {
        return failure;
    }
    failure.help("name another folder with --out, or make room")
}

/// The path of the file at the end of all links, there or not.
fn end_of(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if !fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
            return Ok(path);
        }
        let to = fs::read_link(&path)?;
        path = path.parent().map_or_else(|| to.clone(), |folder| folder.join(&to));
    }
    Err(io::Error::other("the links lead in a circle"))
}

/// Opens a named pipe without waiting for a reader, who may never come.
fn open_pipe(path: &Path) -> Result<File, Failure> {
    let sender = tokio::net::unix::pipe::OpenOptions::new().open_sender(path);
    let fd = sender.and_then(tokio::net::unix::pipe::Sender::into_blocking_fd);
    fd.map(File::from).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            return unwritable(path, &error);
        }
        Failure::new(Kind::Input, format!("nothing reads the pipe `{}`", path.display()))
            .cause(error.to_string())
            .help("start the program that reads it first")
    })
}

fn persist(file: NamedTempFile, at: &Path, over: bool, path: &Path) -> Result<File, Failure> {
    let kept = if over { file.persist(at) } else { file.persist_noclobber(at) };
    kept.map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => exists_already(path),
        _ => unwritable(path, &error.error),
    })
}

fn refused(path: &Path, what: &str, help: &str) -> Failure {
    Failure::new(Kind::Input, format!("`{}` {what}", path.display())).help(help)
}

fn exists_already(path: &Path) -> Failure {
    refused(path, "exists already", "name another file, or overwrite it with --force")
}

/// A file that the system does not let us write.
#[must_use]
pub fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let cause = error.to_string();
    // The name of the unfinished file is of no use to a person.
    let cause = cause.split(" at path ").next().unwrap_or_default();
    Failure::new(Kind::Input, format!("can't write `{}`", path.display()))
        .cause(cause)
        .help("name another file, or make room")
}

#[cfg(test)]
mod tests;
