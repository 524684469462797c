//! The files of a skill, from a folder or a pack, held to limits and to names that mean the same
//! everywhere.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::mistake::Mistake;

/// The file that every skill has.
pub const MAIN_FILE: &str = "SKILL.md";
/// How many files a skill may have.
pub const FILES_LIMIT: usize = 256;
/// How long a file may be, in bytes.
pub const FILE_LIMIT: u64 = 1024 * 1024;
/// How long all files together may be, in bytes.
pub const TREE_LIMIT: u64 = 8 * 1024 * 1024;
/// How long a path may be, in characters.
pub(crate) const PATH_LIMIT: usize = 160;
/// The deepest nesting of folders.
const DEPTH_LIMIT: usize = 8;

/// How the name of a pack ends, unless a person names it otherwise.
pub const PACK_ENDING: &str = ".skill.zip";

/// Names that Windows keeps for devices.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// The files of a skill by their paths, which are relative and written with `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    files: BTreeMap<String, Vec<u8>>,
}

impl Tree {
    /// Reads a folder; reports every file that a skill may not have.
    pub fn read(folder: &Path) -> Result<Self, Vec<Mistake>> {
        Self::read_beside(folder, None).map(|(tree, _)| tree)
    }

    /// Reads a folder in which the pack `out` may be written; also the paths of what is left out:
    /// earlier packs with their signatures, editors' copies, and what version control keeps.
    pub fn read_beside(
        folder: &Path,
        out: Option<&Path>,
    ) -> Result<(Self, Vec<String>), Vec<Mistake>> {
        let out = out.and_then(|out| out.canonicalize().ok());
        let mut reader = Reader { out, ..Reader::default() };
        if reader.folder(folder, "").is_some() {
            reader.drop_packs();
            reader.mistakes.extend(reader.tree.clashes());
        }
        if !reader.mistakes.is_empty() {
            return Err(reader.mistakes);
        }
        reader.left_out.sort();
        Ok((reader.tree, reader.left_out))
    }

    /// Adds a file from elsewhere, by the same rules but for clashes and what all have together.
    pub(crate) fn add(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), Mistake> {
        if let Some(mistake) = path_fault(path).or_else(|| size_fault(path, bytes.len() as u64)) {
            return Err(mistake);
        }
        match self.files.insert(path.to_owned(), bytes) {
            None => Ok(()),
            Some(_) => Err(Mistake::new(format!("`{path}` is there twice"))),
        }
    }

    /// The files in the order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// How many files there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// How long all files together are, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.files.values().map(|bytes| bytes.len() as u64).sum()
    }

    /// The bytes of a file.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// Whether a folder exists.
    pub(crate) fn has_folder(&self, path: &str) -> bool {
        self.files.keys().any(|file| {
            file.strip_prefix(path.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// Names that are one name on some machines: they differ in case only, or are a file here and
    /// a folder there.
    pub(crate) fn clashes(&self) -> Vec<Mistake> {
        let mut spelled: BTreeMap<String, (&str, bool)> = BTreeMap::new();
        let mut mistakes = Vec::new();
        for path in self.files.keys() {
            let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            for end in ends {
                let (part, is_file) = (&path[..end], end == path.len());
                let key = part.to_ascii_lowercase();
                let (other, was_file) = *spelled.entry(key).or_insert((part, is_file));
                if other != part || was_file != is_file {
                    let message = format!("`{part}` and `{other}` are one name on many machines");
                    mistakes.push(Mistake::new(message).help("rename one of them"));
                }
            }
        }
        mistakes.dedup();
        mistakes
    }
}

#[derive(Default)]
struct Reader {
    tree: Tree,
    mistakes: Vec<Mistake>,
    bytes: u64,
    /// The file that is about to be written.
    out: Option<PathBuf>,
    left_out: Vec<String>,
}

/// Whether a file or folder of that name is never a part of a skill.
fn is_left_out(name: &str) -> bool {
    matches!(name, ".git" | ".hg" | ".svn" | ".jj" | ".DS_Store")
        || name.ends_with('~')
        || (name.starts_with('#') && name.ends_with('#'))
        || (name.starts_with('.') && matches!(name.rsplit('.').next(), Some("swp" | "swo")))
        || name.ends_with(PACK_ENDING)
        || name.strip_suffix(".sig").is_some_and(|pack| pack.ends_with(PACK_ENDING))
}

impl Reader {
    /// Reads a folder; `None` when there is no sense in going on.
    fn folder(&mut self, folder: &Path, inside: &str) -> Option<()> {
        let listed = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut entries = match listed {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(inside, &error),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let path = format!("{inside}{}", name.to_string_lossy());
            let plain = name.to_string_lossy();
            let plain = plain.strip_suffix(".sig").unwrap_or(&plain);
            // The pack itself, or its signature.
            let pack = entry.path().with_file_name(plain).canonicalize().ok();
            let is_out = pack.is_some() && pack == self.out;
            if is_out || is_left_out(&name.to_string_lossy()) {
                self.left_out.push(path);
                continue;
            }
            if let Some(mistake) = path_fault(&path) {
                self.mistakes.push(mistake);
                continue;
            }
            // Of the entry itself: a link is not followed.
            let kind = match entry.file_type() {
                Ok(kind) => kind,
                Err(error) => return self.unreadable(&path, &error),
            };
            if kind.is_dir() {
                self.folder(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() {
                self.file(&entry.path(), &path)?;
            } else {
                let what = if kind.is_symlink() { "a symbolic link" } else { "no plain file" };
                let mistake = Mistake::new(format!("`{path}` is {what}"));
                self.mistakes.push(mistake.help("put the file itself into the folder"));
            }
        }
        Some(())
    }

    fn file(&mut self, file: &Path, path: &str) -> Option<()> {
        let mut bytes = Vec::new();
        let read =
            fs::File::open(file).and_then(|open| open.take(FILE_LIMIT + 1).read_to_end(&mut bytes));
        if let Err(error) = read {
            return self.unreadable(path, &error);
        }
        self.bytes += bytes.len() as u64;
        if let Err(mistake) = self.tree.add(path, bytes) {
            self.mistakes.push(mistake);
        }
        if let Some(mistake) = whole_fault(self.tree.count(), self.bytes) {
            self.mistakes.push(mistake);
            return None;
        }
        Some(())
    }

    /// Takes out packs under other names, by what they hold, and their signatures.
    fn drop_packs(&mut self) {
        let is_pack = |(_, bytes): &(&String, &Vec<u8>)| crate::pack::unpack(bytes).is_ok();
        let packs: Vec<String> =
            self.tree.files.iter().filter(is_pack).map(|(path, _)| path.clone()).collect();
        for path in packs.iter().flat_map(|path| [path.clone(), format!("{path}.sig")]) {
            if self.tree.files.remove(&path).is_some() {
                self.left_out.push(path);
            }
        }
    }

    fn unreadable(&mut self, path: &str, error: &std::io::Error) -> Option<()> {
        let path = if path.is_empty() { "the folder".into() } else { format!("`{path}`") };
        self.mistakes.push(Mistake::new(format!("{path} can't be read: {error}")));
        None
    }
}

/// What is wrong with the tree as a whole.
pub(crate) fn whole_fault(files: usize, bytes: u64) -> Option<Mistake> {
    let message = if files > FILES_LIMIT {
        format!("there are more than {FILES_LIMIT} files")
    } else if bytes > TREE_LIMIT {
        format!("all files together have more than {} MiB", TREE_LIMIT >> 20)
    } else {
        return None;
    };
    Some(Mistake::new(message).help("a skill is instructions; let it fetch what is large"))
}

fn size_fault(path: &str, bytes: u64) -> Option<Mistake> {
    let message = format!("`{path}` has more than {} MiB", FILE_LIMIT >> 20);
    (bytes > FILE_LIMIT)
        .then(|| Mistake::new(message).help("a skill is instructions; let it fetch what is large"))
}

/// What is wrong with a path. What passes is relative, stays inside, and is the same name on every
/// system.
pub(crate) fn path_fault(path: &str) -> Option<Mistake> {
    let shown = path.escape_debug();
    let wrong = |why: &str, help: &str| Some(Mistake::new(format!("`{shown}` {why}")).help(help));
    let outside = "every file of a skill lies in its own folder";
    if path.starts_with(['/', '\\']) || path.get(1..2) == Some(":") {
        return wrong("is an absolute path", outside);
    }
    if path.chars().count() > PATH_LIMIT {
        return wrong(&format!("has more than {PATH_LIMIT} characters"), "shorten the names");
    }
    if path.split('/').count() > DEPTH_LIMIT {
        return wrong(&format!("lies more than {DEPTH_LIMIT} folders deep"), "lay it higher up");
    }
    for name in path.split(['/', '\\']) {
        if name == ".." {
            return wrong("climbs out of the skill's folder", outside);
        }
        if name.is_empty() || name == "." {
            return wrong("is no plain path", "write each folder once");
        }
        if name.starts_with('.') {
            return wrong("is a hidden file", "take it out of the folder");
        }
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if !name.chars().all(known) {
            let help = "name files with A-Z, a-z, 0-9, `.`, `-` and `_`";
            return wrong("has a name that is not the same on every system", help);
        }
        let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let plain = stem.trim_end_matches(|c: char| c.is_ascii_digit());
        let numbered = plain.len() < stem.len();
        let device = DEVICES
            .iter()
            .any(|device| *device == plain && (numbered == matches!(*device, "com" | "lpt")));
        if name.ends_with('.') || device {
            return wrong("has a name that Windows can't keep", "name it otherwise");
        }
    }
    None
}

#[cfg(test)]
mod tests;
