//! Makes the pages of the five sites and a table of all files, which the library embeds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[expect(clippy::print_stderr, reason = "cargo shows what a build script says when it fails")]
fn main() -> ExitCode {
    for watched in ["sites", "pages", "crates/beak-api/openapi.json"] {
        println!("cargo:rerun-if-changed=../../{watched}");
    }
    match make() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "cargo sets it")]
fn make() -> Result<(), String> {
    let said = |error: std::io::Error| error.to_string();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().map_err(said)?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let input = galaxy_pages::read::input(&root).map_err(said)?;
    let built = galaxy_pages::build(&input);
    for mistake in &built.mistakes {
        println!("cargo:warning={mistake}");
    }
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let sites = root.join("sites");
    for path in galaxy_pages::read::files(&sites).map_err(said)? {
        let inside = path.strip_prefix(&sites).unwrap_or(&path);
        let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
        // Pages come from the builder, which fills in what all have.
        if path.extension().is_none_or(|ending| ending != "html") {
            files.insert(parts.join("/"), std::fs::read(&path).map_err(said)?);
        }
    }
    // To add pages of their own, operators need everything that ours are made of.
    let kit = galaxy_pages::Kit { input, others: texts(&files)? };
    let kit = serde_json::to_vec(&kit).map_err(|error| error.to_string())?;
    std::fs::write(out.join("kit.json"), kit).map_err(said)?;
    files.extend(built.files.into_iter().map(|page| (page.path, page.text.into_bytes())));
    let assets = galaxy_pages::assets::by_content(files).map_err(|mistake| mistake.to_string())?;
    let folder = out.join("files");
    // What an earlier build left must not be embedded again.
    let _ = std::fs::remove_dir_all(&folder);
    let mut table = String::from("&[\n");
    for asset in assets {
        let path = folder.join(&asset.path);
        std::fs::create_dir_all(path.parent().unwrap_or(&folder)).map_err(said)?;
        std::fs::write(&path, asset.bytes).map_err(said)?;
        let (name, path, lasts) = (asset.path, path.display().to_string(), asset.lasts);
        // Writing to a String can't fail.
        let _ = writeln!(table, "({name:?}, include_bytes!({path:?}) as &[u8], {lasts}),");
    }
    table.push(']');
    std::fs::write(out.join("files.rs"), table).map_err(said)
}

fn texts(files: &BTreeMap<String, Vec<u8>>) -> Result<BTreeMap<String, String>, String> {
    let text = |(path, bytes): (&String, &Vec<u8>)| {
        let text = String::from_utf8(bytes.clone()).map_err(|_| format!("`{path}` is no text"))?;
        Ok((path.clone(), text))
    };
    files.iter().map(text).collect()
}
