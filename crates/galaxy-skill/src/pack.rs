//! A skill as one file: a zip whose bytes follow from the skill's files and from nothing else.
//!
//! Entries are in the order of their paths, stored and not compressed, with a fixed date and fixed
//! rights. So no version of a compressor changes the bytes, there is nothing to inflate, and the
//! same folder always gives the pack that was signed.

use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::mistake::Mistake;
use crate::tree::{FILE_LIMIT, FILES_LIMIT, PATH_LIMIT, TREE_LIMIT, Tree, path_fault, whole_fault};

/// How long a pack may be, in bytes: all files, and for each its name and numbers, twice.
pub const PACK_LIMIT: u64 = TREE_LIMIT + FILES_LIMIT as u64 * (2 * PATH_LIMIT as u64 + 300);

/// Packs the files of a skill of this name.
pub fn pack(name: &str, tree: &Tree) -> Result<Vec<u8>, Mistake> {
    let failed =
        |error: &dyn std::fmt::Display| Mistake::new(format!("the files can't be packed: {error}"));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        // Dates start in 1980 in a zip; the default is that start.
        .last_modified_time(DateTime::default())
        // Nothing can be run by itself: the instructions say with which program.
        .unix_permissions(0o644)
        .system(zip::System::Unix);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in tree.files() {
        zip.start_file(format!("{name}/{path}"), options).map_err(|error| failed(&error))?;
        zip.write_all(bytes).map_err(|error| failed(&error))?;
    }
    Ok(zip.finish().map_err(|error| failed(&error))?.into_inner())
}

/// Opens a pack: the skill's name and its files. Refuses whatever [`pack`] would not have written,
/// to the byte.
pub fn unpack(bytes: &[u8]) -> Result<(String, Tree), Mistake> {
    if bytes.len() as u64 > PACK_LIMIT {
        return Err(Mistake::new(format!("the pack has more than {} MiB", PACK_LIMIT >> 20)));
    }
    let mut zip = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| Mistake::new(format!("the file is not a pack: {error}")))?;
    if let Some(mistake) = whole_fault(zip.len(), 0) {
        return Err(mistake);
    }
    let (mut name, mut tree) = (None, Tree::default());
    for index in 0..zip.len() {
        let (path, bytes) = entry(&mut zip, index)?;
        let Some((folder, inside)) = path.split_once('/') else {
            return Err(Mistake::new(format!("`{path}` does not lie in the skill's folder")));
        };
        if *name.get_or_insert_with(|| folder.to_owned()) != folder {
            return Err(Mistake::new(format!("`{path}` lies in another folder than the rest")));
        }
        tree.add(inside, bytes)?;
        if let Some(mistake) = whole_fault(tree.count(), tree.size()) {
            return Err(mistake);
        }
    }
    if let Some(mistake) = tree.clashes().into_iter().next() {
        return Err(mistake);
    }
    let name = name.ok_or_else(|| Mistake::new("the pack is empty"))?;
    // Whatever is beside the files, such as a second list of them, comments or old versions, is
    // seen by some programs and not by others.
    if pack(&name, &tree)? != bytes {
        let message = "the pack holds something beside the files, or holds them in another way";
        return Err(Mistake::new(message).help("only `spaceduck skill pack` makes packs"));
    }
    Ok((name, tree))
}

/// The name and bytes of an entry that is a plain file within the limits.
fn entry(zip: &mut ZipArchive<Cursor<&[u8]>>, index: usize) -> Result<(String, Vec<u8>), Mistake> {
    let unreadable =
        |error: &dyn std::fmt::Display| Mistake::new(format!("the pack can't be read: {error}"));
    let mut file = zip.by_index_raw(index).map_err(|error| unreadable(&error))?;
    let path = String::from_utf8(file.name_raw().to_vec())
        .map_err(|_| Mistake::new("the pack has a name that is not UTF-8"))?;
    // The first part is the skill's folder.
    if let Some(mistake) = path_fault(path.trim_end_matches('/')) {
        return Err(mistake);
    }
    let wrong = |what: &str| {
        Err(Mistake::new(format!("`{path}` {what}"))
            .help("only `spaceduck skill pack` makes packs"))
    };
    if file.is_symlink() {
        return wrong("is a symbolic link");
    }
    if file.is_dir() || !file.is_file() {
        return wrong("is not a file");
    }
    if file.encrypted() {
        return wrong("is encrypted");
    }
    if file.compression() != CompressionMethod::Stored {
        return wrong("is compressed, and nothing in a pack is");
    }
    if file.size() != file.compressed_size() || file.size() > FILE_LIMIT {
        return wrong("is larger than it may be, or says so");
    }
    let mut bytes = Vec::new();
    file.by_ref().take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(|e| unreadable(&e))?;
    Ok((path, bytes))
}

#[cfg(test)]
mod tests;
