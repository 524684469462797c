//! Reads what pages are made of from a checkout.

use std::io;
use std::path::{Path, PathBuf};

use crate::{Input, Text};

/// Reads everything below the root of the project.
pub fn input(root: &Path) -> io::Result<Input> {
    let pages = root.join("pages");
    let mut markdown = Vec::new();
    for site in &crate::SITES {
        let folder = pages.join(site.name);
        if folder.is_dir() {
            markdown.extend(texts(&folder, &pages, "md")?);
        }
    }
    Ok(Input {
        markdown,
        html: texts(&root.join("sites"), &root.join("sites"), "html")?,
        facts: texts(&pages.join("facts"), &pages.join("facts"), "json")?,
        words: texts(&pages.join("reference"), &pages.join("reference"), "yaml")?,
        openapi: read(&root.join("crates/beak-api/openapi.json"))?,
        own: Vec::new(),
    })
}

fn read(path: &Path) -> io::Result<String> {
    let said = |error: io::Error| {
        io::Error::new(error.kind(), format!("`{}` can't be read: {error}", path.display()))
    };
    std::fs::read_to_string(path).map_err(said)
}

/// All files with that ending, below `folder`; their paths begin at `base`.
fn texts(folder: &Path, base: &Path, ending: &str) -> io::Result<Vec<Text>> {
    let mut found = Vec::new();
    for path in files(folder)? {
        if path.extension().is_some_and(|known| known == ending) {
            let inside = path.strip_prefix(base).unwrap_or(&path);
            let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
            found.push(Text { path: parts.join("/"), text: read(&path)? });
        }
    }
    Ok(found)
}

/// All files below a folder, sorted; hidden ones and what editors leave are none.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if hidden || path.to_string_lossy().ends_with('~') {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
