//! The Lambda function as a zip: found beside the program, or built from the source.
//!
//! The same program always gives the same bytes: one entry, a fixed date, fixed permissions, one
//! pinned compressor. So the zip's digest shows whether the function changed.

use std::io::{Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use object::read::elf::ElfFile64;
use object::{Architecture, Endianness, Object as _};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// The zip's file name in a release archive and under `target/lambda`.
pub const FILE_NAME: &str = "spaceduck-lambda.zip";

/// The newest C library that Amazon Linux 2023, and so `provided.al2023`, has.
pub const GLIBC_LIMIT: (u32, u32) = (2, 34);

/// The newest unwinder's interface that it has: the one of GCC 11. Rust's standard library asks for
/// `libgcc_s`, and glibc itself needs it there.
const GCC_LIMIT: (u32, u32) = (11, 0);

/// The file that the `provided.al2023` runtime starts.
/// Source: "Building a custom runtime", AWS Lambda Developer Guide.
const ENTRY: &str = "bootstrap";

/// A packaged function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The zip.
    pub bytes: Vec<u8>,
    /// Its SHA-256 as hex.
    pub sha256: String,
    /// `x86_64` or `arm64`, as Lambda spells it.
    pub architecture: &'static str,
}

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// Neither a zip beside the program nor a source checkout.
    #[error("the Lambda function is missing: there is no {FILE_NAME} beside the program")]
    Missing,
    /// The compiler said no.
    #[error("the Lambda function could not be built: {0}")]
    Build(String),
    /// A file can't be read or written.
    #[error("`{path}` can't be used: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// The file is not a function that Lambda can run.
    #[error("`{path}` is not a Lambda function for Amazon Linux 2023: {reason}")]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl PackageError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Missing | Self::Unfit { .. } => {
                "unpack the release archive again and keep its files together"
            }
            Self::Build(_) => "fix the compiler errors above, or use a release archive",
            Self::File { .. } => "check the file's rights and the disk's space",
        }
    }
}

/// The function: from beside the program, or else from the checkout that the program was built
/// in, where it is built if necessary. Calls `say` before anything slow.
pub fn obtain(say: impl Fn(&str)) -> Result<Package, PackageError> {
    let root = match find()? {
        Found::Packed(zip) => return read(&zip),
        Found::Source(root) => root,
    };
    say("Building the Lambda function; the first time takes some minutes …");
    let path = build(&root)?;
    read(&path)
}

/// Where the function is.
enum Found {
    Packed(PathBuf),
    Source(PathBuf),
}

fn find() -> Result<Found, PackageError> {
    let program = std::env::current_exe().map_err(|error| file_error(Path::new("."), &error))?;
    let folder = program.parent().unwrap_or(Path::new("."));
    let beside = folder.join(FILE_NAME);
    if beside.exists() {
        return Ok(Found::Packed(beside));
    }
    checkout(folder).map(Found::Source).ok_or(PackageError::Missing)
}

/// Where [`obtain`] would take the function from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// From the zip beside the program.
    Packed,
    /// From the checkout, where it may have to be built.
    Source,
}

/// Finds out where the function would come from, without building it. A zip is read, so that one
/// that Lambda can't run is reported.
pub fn whereabouts() -> Result<Whereabouts, PackageError> {
    match find()? {
        Found::Packed(zip) => read(&zip).map(|_| Whereabouts::Packed),
        Found::Source(_) => Ok(Whereabouts::Source),
    }
}

/// The folder above `start` that holds this project's sources.
#[must_use]
pub fn checkout(start: &Path) -> Option<PathBuf> {
    let is_root = |folder: &&Path| folder.join("crates/beak-aws/Cargo.toml").exists();
    start.ancestors().find(is_root).map(Path::to_owned)
}

/// Builds the function from a checkout and writes the zip; gives the zip's path.
#[expect(clippy::disallowed_methods, reason = "cargo sets it, or its user")]
pub fn build(root: &Path) -> Result<PathBuf, PackageError> {
    // A folder of its own inside the target folder: other flags must not rebuild everything else.
    let target = root.join("target").join("lambda");
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["build", "--quiet", "--locked", "--profile", "lambda"])
        .args(["--package", "beak-aws", "--bin", ENTRY])
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTFLAGS", reproducible(root))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .map_err(|error| PackageError::Build(format!("cargo does not start: {error}")))?;
    if !status.success() {
        return Err(PackageError::Build(format!("cargo ended with {status}")));
    }
    let program = target.join("lambda").join(ENTRY);
    let bytes = std::fs::read(&program).map_err(|error| file_error(&program, &error))?;
    check(&program, &bytes)?;
    let zip = pack(&bytes).map_err(|error| file_error(&program, &error))?;
    let path = target.join(FILE_NAME);
    std::fs::write(&path, zip).map_err(|error| file_error(&path, &error))?;
    Ok(path)
}

/// `RUSTFLAGS` that keep the machine's paths out of a program, so that the same source gives the
/// same bytes in any folder.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "cargo sets it, or its user")]
pub fn reproducible(root: &Path) -> String {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    let mut flags = vec![format!("--remap-path-prefix={}=/spaceduck", root.display())];
    if let Some(home) = home {
        flags.push(format!("--remap-path-prefix={}=/cargo", home.display()));
    }
    flags.join(" ")
}

/// Reads a zip and checks that Lambda can run what is in it.
pub fn read(path: &Path) -> Result<Package, PackageError> {
    let bytes = std::fs::read(path).map_err(|error| file_error(path, &error))?;
    let unfit = |reason: String| PackageError::Unfit { path: path.to_owned(), reason };
    let mut archive =
        ZipArchive::new(Cursor::new(&bytes)).map_err(|error| unfit(error.to_string()))?;
    let mut program = Vec::new();
    archive
        .by_name(ENTRY)
        .map_err(|error| unfit(error.to_string()))?
        .read_to_end(&mut program)
        .map_err(|error| unfit(error.to_string()))?;
    let architecture = check(path, &program)?;
    let sha256 = hex(&Sha256::digest(&bytes));
    Ok(Package { bytes, sha256, architecture })
}

/// Packs a program; the same program gives the same bytes.
pub fn pack(program: &[u8]) -> Result<Vec<u8>, std::io::Error> {
    // Dates start in 1980 in a zip; the default is that start.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(ENTRY, options)?;
    zip.write_all(program)?;
    Ok(zip.finish()?.into_inner())
}

/// Whether Amazon Linux 2023 can run a program; gives its architecture.
pub fn check(path: &Path, program: &[u8]) -> Result<&'static str, PackageError> {
    let unfit = |reason: String| PackageError::Unfit { path: path.to_owned(), reason };
    let file = ElfFile64::<Endianness>::parse(program)
        .map_err(|error| unfit(format!("it is not a 64-bit Linux program: {error}")))?;
    let architecture = match file.architecture() {
        Architecture::X86_64 => "x86_64",
        Architecture::Aarch64 => "arm64",
        other => return Err(unfit(format!("it is made for {other:?}"))),
    };
    for (library, version) in needs(&file).map_err(|error| unfit(error.to_string()))? {
        let (prefix, limit) = if library.starts_with("libgcc_s") {
            ("GCC_", GCC_LIMIT)
        } else {
            ("GLIBC_", GLIBC_LIMIT)
        };
        if numbers(&version, prefix).is_some_and(|found| found > limit) {
            let (major, minor) = limit;
            let message = format!("it needs {version} of {library}, and {major}.{minor} is there");
            return Err(unfit(message));
        }
    }
    Ok(architecture)
}

/// The libraries that a program needs, with the versions it names.
fn needs(file: &ElfFile64<'_, Endianness>) -> object::Result<Vec<(String, String)>> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (endian, sections, data) = (file.endian(), file.elf_section_table(), file.data());
    let Some((mut libraries, link)) = sections.gnu_verneed(endian, data)? else {
        return Ok(Vec::new());
    };
    let strings = sections.strings(endian, data, link)?;
    let mut found = Vec::new();
    while let Some((library, mut versions)) = libraries.next()? {
        let name = text(library.file(endian, strings)?);
        while let Some(version) = versions.next()? {
            found.push((name.clone(), text(version.name(endian, strings)?)));
        }
    }
    Ok(found)
}

/// `GLIBC_2.34` as numbers.
fn numbers(version: &str, prefix: &str) -> Option<(u32, u32)> {
    let mut parts = version.strip_prefix(prefix)?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn file_error(path: &Path, error: &std::io::Error) -> PackageError {
    PackageError::File { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{PackageError, needs, numbers, pack, read};
    use object::read::elf::ElfFile64;

    #[test]
    fn the_same_program_gives_the_same_bytes() {
        let program = vec![7; 100_000];
        let once = pack(&program).expect("pack");
        assert_eq!(once, pack(&program).expect("pack"));
        assert_ne!(once, pack(&vec![8; 100_000]).expect("pack"));
    }

    #[test]
    fn a_zip_without_a_program_is_unfit() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("x.zip");
        for bytes in [b"not a zip".to_vec(), pack(b"#!/bin/sh\n").expect("pack")] {
            std::fs::write(&path, bytes).expect("write");
            assert!(matches!(read(&path), Err(PackageError::Unfit { .. })));
        }
    }

    #[test]
    fn this_very_program_is_read() {
        let program = std::fs::read(std::env::current_exe().expect("self")).expect("read");
        let file = ElfFile64::parse(program.as_slice()).expect("ELF");
        let needs = needs(&file).expect("versions");
        assert!(needs.iter().any(|(library, _)| library == "libc.so.6"), "{needs:?}");
    }

    #[test]
    fn versions_of_the_c_library() {
        assert_eq!(numbers("GLIBC_2.38", "GLIBC_"), Some((2, 38)));
        assert_eq!(numbers("GLIBC_2.2.5", "GLIBC_"), Some((2, 2)));
        assert_eq!(numbers("GCC_3.0", "GCC_"), Some((3, 0)));
        assert_eq!(numbers("GCC_3.0", "GLIBC_"), None);
    }
}
