//! The operator's folder: pages and files that are added to ours or replace them.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use galaxy_sites::{Content, OwnFile, Site, WELL_KNOWN};

use crate::failure::{Failure, Kind, Mistake};

/// What a browser should not be asked to load, and what `CloudFront` would send uncompressed.
const MOST_BYTES: u64 = 10_000_000;

const LINKED: &str = "it is a link to a folder; copy the folder instead";

/// More files than this are hardly a website.
const MOST_FILES: usize = 20_000;

/// What a folder of pages holds.
#[derive(Debug)]
pub struct Own<T> {
    /// The files, or the sites with them.
    pub content: T,
    /// What stays on this machine and why, and what looks different elsewhere; a sentence each.
    pub notes: Vec<String>,
}

/// The files of all sites with those of a folder.
pub fn content(folder: &Path) -> Result<Own<Content>, Failure> {
    let Own { content: files, notes } = read(folder)?;
    let content = Content::with_own(files).map_err(|mistakes| {
        let one = |mistake: galaxy_sites::Mistake| {
            let path = folder.join(&mistake.path).display().to_string();
            mistake_at(&path, &mistake.message)
        };
        told(mistakes.into_iter().map(one).collect())
    })?;
    Ok(Own { content, notes })
}

/// Own pages that are `installed` are not removed just because this machine does not have them.
pub fn still_named(folder: Option<&Path>, installed: bool) -> Result<(), Failure> {
    if folder.is_some() || !installed {
        return Ok(());
    }
    let message = "pages of your own are installed, and galaxy.yaml names no folder of them";
    Err(Failure::new(Kind::Refused, message)
        .cause("the sites would lose them; nothing was changed")
        .help("set `pages` in galaxy.yaml to their folder, or to an empty one to take them away"))
}

/// Reads everything in a folder; every mistake at once.
pub fn read(folder: &Path) -> Result<Own<Vec<OwnFile>>, Failure> {
    let root = folder.canonicalize().map_err(|error| {
        Failure::new(Kind::Input, format!("can't read the folder `{}`", folder.display()))
            .cause(error.to_string())
            .help("`pages` in galaxy.yaml names it, as seen from galaxy.yaml")
    })?;
    let mut reading = Reading::of(&root);
    let sites = reading.sites(folder);
    // One thread for each site: what takes time is asking the disk for thousands of files.
    let read = |(path, site): &(PathBuf, Site)| {
        let mut reading = Reading::of(&root);
        reading.folder_of(path, site.name());
        reading
    };
    let parts: Vec<Reading<'_>> = std::thread::scope(|scope| {
        let running: Vec<_> = sites.iter().map(|site| scope.spawn(|| read(site))).collect();
        running.into_iter().filter_map(|part| part.join().ok()).collect()
    });
    if parts.len() < sites.len() {
        return Err(Failure::bug("reading the pages broke off"));
    }
    let (mut mistakes, mut notes) = (reading.mistakes, reading.notes);
    let mut files = Vec::new();
    for part in parts {
        mistakes.extend(part.mistakes);
        notes.extend(part.notes);
        let contents = Bytes::from(part.contents);
        let file = |(path, at): (String, Range<usize>)| OwnFile { path, bytes: contents.slice(at) };
        files.extend(part.files.into_iter().map(file));
    }
    if files.len() > MOST_FILES {
        let message = format!("{} files; at most {MOST_FILES} are published", files.len());
        mistakes.push(mistake_at(&folder.display().to_string(), &message));
    }
    notes.extend(alike(&files));
    if mistakes.is_empty() { Ok(Own { content: files, notes }) } else { Err(told(mistakes)) }
}

/// Names that differ in case only: S3 and `CloudFront` keep them apart, many disks do not.
fn alike(files: &[OwnFile]) -> Vec<String> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut notes = Vec::new();
    for file in files {
        if let Some(other) = seen.insert(file.path.to_lowercase(), &file.path) {
            notes.push(format!(
                "`{other}` and `{}` differ in case only: both are published, each at its address.",
                file.path
            ));
        }
    }
    notes
}

fn mistake_at(path: &str, message: &str) -> Mistake {
    Mistake { message: format!("`{path}`: {message}"), at: None, help: None }
}

fn told(mut mistakes: Vec<Mistake>) -> Failure {
    mistakes.sort_by(|a, b| a.message.cmp(&b.message));
    if let Some(last) = mistakes.last_mut() {
        let help = "pages/README.md says how pages are written; nothing was published";
        last.help = Some(help.to_owned());
    }
    Failure { kind: Kind::Input, mistakes, cause: None, now: None }
}

struct Reading<'r> {
    /// The folder of pages, without links.
    root: &'r Path,
    /// Paths, and where in `contents` each one's is: one piece of memory for thousands of files.
    files: Vec<(String, Range<usize>)>,
    contents: Vec<u8>,
    mistakes: Vec<Mistake>,
    notes: Vec<String>,
}

impl<'r> Reading<'r> {
    fn of(root: &'r Path) -> Self {
        let (mistakes, notes) = (Vec::new(), Vec::new());
        Self { root, files: Vec::new(), contents: Vec::new(), mistakes, notes }
    }

    fn wrong(&mut self, path: &Path, message: &str) {
        self.mistakes.push(mistake_at(&path.display().to_string(), message));
    }

    /// The folders of sites.
    fn sites(&mut self, folder: &Path) -> Vec<(PathBuf, Site)> {
        let known: Vec<&str> = Site::ALL.into_iter().map(Site::name).collect();
        let mut sites = Vec::new();
        for entry in self.entries(folder, false) {
            let path = entry.path();
            let is_folder = path.is_dir();
            match Site::parse(&entry.file_name().to_string_lossy()) {
                Some(_) if is_folder && path.is_symlink() => self.wrong(&path, LINKED),
                Some(site) if is_folder => sites.push((path, site)),
                // Beside the sites' folders one may keep whatever one likes, such as a README.
                None if !is_folder => {}
                _ => self.wrong(&path, &format!("no site's folder; they are {}", known.join(", "))),
            }
        }
        sites
    }

    /// What is in a folder, sorted, without what stays on this machine.
    fn entries(&mut self, folder: &Path, is_site: bool) -> Vec<DirEntry> {
        let all = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = match all {
            Ok(all) => all,
            Err(error) => {
                self.wrong(folder, &format!("it can't be read: {error}"));
                return Vec::new();
            }
        };
        entries.sort_by_key(DirEntry::file_name);
        if entries.is_empty() {
            let text = "it is empty, and an empty folder has no address";
            self.notes.push(format!("Not published: `{}`: {text}.", folder.display()));
        }
        entries.retain(|entry| {
            let kept = left_out(&entry.file_name().to_string_lossy(), is_site);
            let path = entry.path();
            self.notes
                .extend(kept.map(|why| format!("Not published: `{}`: {why}.", path.display())));
            kept.is_none()
        });
        entries
    }

    fn folder_of(&mut self, folder: &Path, inside: &str) {
        for entry in self.entries(folder, !inside.contains('/')) {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if let Some(other) = name.chars().find(|c| !plain(*c)) {
                let message = format!(
                    "addresses write `{}` in more than one way; a name has letters without \
                     accents, digits, `.`, `_` and `-` only",
                    other.escape_debug()
                );
                self.wrong(&path, &message);
                continue;
            }
            let place = format!("{inside}/{name}");
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.folder_of(&path, &place),
                Ok(kind) if kind.is_symlink() => self.link(&path, place),
                Ok(kind) if kind.is_file() => self.file(&path, place),
                Ok(_) => self.wrong(&path, "it is neither a file nor a folder"),
                Err(error) => self.wrong(&path, &format!("it can't be read: {error}")),
            }
        }
    }

    /// A link may stand for a file of this folder and for nothing else.
    fn link(&mut self, path: &Path, place: String) {
        match path.canonicalize() {
            Ok(real) if !real.starts_with(self.root) => {
                self.wrong(path, "it leads out of the folder of pages");
            }
            Ok(real) if real.is_dir() => self.wrong(path, LINKED),
            Ok(_) => self.file(path, place),
            Err(error) => self.wrong(path, &format!("it can't be read: {error}")),
        }
    }

    fn file(&mut self, path: &Path, place: String) {
        let start = self.contents.len();
        match append(path, &mut self.contents) {
            Ok(size) if size > MOST_BYTES => {
                let message = format!("{size} bytes; at most {MOST_BYTES} are published");
                self.wrong(path, &message);
            }
            Ok(_) => self.files.push((place, start..self.contents.len())),
            Err(error) => self.wrong(path, &format!("it can't be read: {error}")),
        }
    }
}

/// Why a file or folder of that name stays on this machine, if it does. At the root of a site the
/// folder of RFC 8615 is published.
fn left_out(name: &str, is_site: bool) -> Option<&'static str> {
    match name {
        WELL_KNOWN if is_site => None,
        WELL_KNOWN => Some("browsers look for this folder at the root of a site"),
        "Thumbs.db" | "desktop.ini" => Some("the system made it for itself"),
        _ if name.starts_with('.') => Some("hidden files stay here, but for `.well-known`"),
        _ if name.ends_with('~') || (name.starts_with('#') && name.ends_with('#')) => {
            Some("it is an editor's copy")
        }
        _ => None,
    }
}

/// Reads a file to the end of `contents`, if it is not too big; gives its size in bytes.
fn append(path: &Path, contents: &mut Vec<u8>) -> io::Result<u64> {
    let mut file = fs::File::open(path)?;
    let size = file.metadata()?.len();
    if size <= MOST_BYTES {
        let start = contents.len();
        contents.resize(start + usize::try_from(size).unwrap_or_default(), 0);
        file.read_exact(&mut contents[start..])?;
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::TempDir::new().expect("a folder");
        for (path, bytes) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, bytes).expect("a file");
        }
        folder
    }

    fn said(folder: &tempfile::TempDir) -> String {
        let failure = content(folder.path()).map(|_| ()).expect_err("a mistake");
        assert_eq!(failure.kind, Kind::Input);
        failure.to_text().replace(&folder.path().display().to_string(), "OWN")
    }

    #[test]
    fn everything_below_the_folders_of_sites_is_read() {
        let folder = folder(&[
            ("README.md", b"for us alone"),
            ("duckgalaxy/.hidden", b""),
            ("duckgalaxy/.git/config", b""),
            ("duckgalaxy/.well-known/security.txt", b"Contact: mailto:a@example.com"),
            ("duckgalaxy/a/.well-known/security.txt", b"not here"),
            ("duckgalaxy/a/b.txt", b"deep"),
            ("duckgalaxy/a/b.txt~", b"older"),
            ("duckgalaxy/a/#b.txt#", b"older"),
            ("spaceduckling/Logo.png", b"picture"),
            ("spaceduckling/logo.png", b"picture"),
        ]);
        fs::create_dir(folder.path().join("duckgalaxy/empty")).expect("a folder");
        let Own { content: files, notes } = read(folder.path()).expect("files");
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "duckgalaxy/.well-known/security.txt",
                "duckgalaxy/a/b.txt",
                "spaceduckling/Logo.png",
                "spaceduckling/logo.png"
            ]
        );
        let notes = notes.join("\n").replace(&folder.path().display().to_string(), "OWN");
        insta::assert_snapshot!(notes, @r"
        Not published: `OWN/duckgalaxy/.git`: hidden files stay here, but for `.well-known`.
        Not published: `OWN/duckgalaxy/.hidden`: hidden files stay here, but for `.well-known`.
        Not published: `OWN/duckgalaxy/a/#b.txt#`: it is an editor's copy.
        Not published: `OWN/duckgalaxy/a/.well-known`: browsers look for this folder at the root of a site.
        Not published: `OWN/duckgalaxy/a/b.txt~`: it is an editor's copy.
        Not published: `OWN/duckgalaxy/empty`: it is empty, and an empty folder has no address.
        `spaceduckling/Logo.png` and `spaceduckling/logo.png` differ in case only: both are published, each at its address.
        ");
        assert!(content(folder.path()).is_ok());
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let big = vec![b' '; usize::try_from(MOST_BYTES).expect("a size") + 1];
        let folder = folder(&[
            ("duckgalaxy/gro\u{df}.txt", b""),
            ("duckgalaxy/a b.txt", b""),
            ("duckgalaxy/a+b.txt", b""),
            ("duckgalaxy/100%.txt", b""),
            ("duckgalaxy/why?.txt", b""),
            ("duckgalaxy/huge.txt", &big),
            ("swan/index.html", b""),
        ]);
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("duckgalaxy/out.txt"))
            .expect("a link");
        std::os::unix::fs::symlink("nowhere", folder.path().join("duckgalaxy/dead.txt"))
            .expect("a link");
        std::os::unix::fs::symlink("..", folder.path().join("duckgalaxy/round")).expect("a link");
        std::os::unix::fs::symlink("duckgalaxy", folder.path().join("duckcontrol"))
            .expect("a link");
        std::os::unix::net::UnixListener::bind(folder.path().join("duckgalaxy/socket.txt"))
            .expect("a socket");
        insta::assert_snapshot!(said(&folder), @r"
        error: `OWN/duckcontrol`: it is a link to a folder; copy the folder instead
        error: `OWN/duckgalaxy/100%.txt`: addresses write `%` in more than one way; a name has letters without accents, digits, `.`, `_` and `-` only
        error: `OWN/duckgalaxy/a b.txt`: addresses write ` ` in more than one way; a name has letters without accents, digits, `.`, `_` and `-` only
        error: `OWN/duckgalaxy/a+b.txt`: addresses write `+` in more than one way; a name has letters without accents, digits, `.`, `_` and `-` only
        error: `OWN/duckgalaxy/dead.txt`: it can't be read: No such file or directory (os error 2)
        error: `OWN/duckgalaxy/groß.txt`: addresses write `ß` in more than one way; a name has letters without accents, digits, `.`, `_` and `-` only
        error: `OWN/duckgalaxy/huge.txt`: 10000001 bytes; at most 10000000 are published
        error: `OWN/duckgalaxy/out.txt`: it leads out of the folder of pages
        error: `OWN/duckgalaxy/round`: it is a link to a folder; copy the folder instead
        error: `OWN/duckgalaxy/socket.txt`: it is neither a file nor a folder
        error: `OWN/duckgalaxy/why?.txt`: addresses write `?` in more than one way; a name has letters without accents, digits, `.`, `_` and `-` only
        error: `OWN/swan`: no site's folder; they are mightyspaceduck, duckgalaxy, duckcontrol, spaceduckling, spaceduck-bot
        help: pages/README.md says how pages are written; nothing was published
        ");
    }

    #[test]
    fn a_page_that_is_none_is_told_with_its_place() {
        let folder = folder(&[("duckgalaxy/a.md", b"# Hello"), ("duckgalaxy/b.quack", b"")]);
        insta::assert_snapshot!(said(&folder), @r"
        error: `OWN/duckgalaxy/a.md`: it does not begin with `---`
        error: `OWN/duckgalaxy/b.quack`: its ending, `quack`, has no content type that browsers know
        help: pages/README.md says how pages are written; nothing was published
        ");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let failure = read(Path::new("/no/such/folder")).map(|_| ()).expect_err("none");
        let text = failure.to_text();
        assert!(text.contains("can't read the folder `/no/such/folder`"), "{text}");
    }
}
