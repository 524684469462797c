//! The release archive: everything that an installation needs, without a compiler.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};
use tar::{Builder, Header};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::{Outcome, run, say};

/// Builds the programs and packs them; gives the archive's path.
#[expect(clippy::disallowed_methods, reason = "a chore of developers")]
pub(crate) fn dist(root: &Path) -> Outcome<PathBuf> {
    security_txt_lasts(OffsetDateTime::now_utc())?;
    let target = root.join("target/dist-build");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--release", "--locked", "--package", "spaceduck"]);
    cargo.arg("--target-dir").arg(&target).env("RUSTFLAGS", beak_package::reproducible(root));
    run(cargo.env_remove("CARGO_ENCODED_RUSTFLAGS"))?;
    say("building the Lambda function");
    let function = beak_package::build(root).map_err(|error| error.to_string())?;
    let program = target.join("release/spaceduck");
    let mut files = vec![
        ("spaceduck".to_owned(), program.clone(), 0o755),
        (beak_package::FILE_NAME.to_owned(), function, 0o644),
        ("README.md".to_owned(), root.join("README.md"), 0o644),
        ("LICENSE".to_owned(), root.join("LICENSE"), 0o644),
    ];
    files.extend(told_by(&program, &target.join("told"))?);
    let machine = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let name = format!("spaceduck-{}-{machine}", env!("CARGO_PKG_VERSION"));
    let folder = root.join("target/dist");
    std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
    pack(&folder, &name, &files)
}

/// How long a release's `security.txt` has to be valid at least.
const LASTS: Duration = Duration::days(180);

/// A release is not packed with a `security.txt` that is about to expire.
fn security_txt_lasts(now: OffsetDateTime) -> Outcome {
    let date = galaxy_pages::SECURITY_EXPIRES;
    let expires = OffsetDateTime::parse(date, &Rfc3339)
        .map_err(|error| format!("SECURITY_EXPIRES `{date}`: {error}"))?;
    if expires - now >= LASTS {
        return Ok(());
    }
    let days = LASTS.whole_days();
    Err(format!(
        "security.txt expires on {date}, in less than {days} days; set SECURITY_EXPIRES in \
         crates/galaxy-pages to a date within a year"
    ))
}

/// What the program prints about itself: completions for each shell, by the name under which it
/// looks for them, and a man page for each command.
fn told_by(program: &Path, folder: &Path) -> Outcome<Vec<(String, PathBuf, u32)>> {
    let _ = std::fs::remove_dir_all(folder);
    let [completions, man] = ["completions", "man"].map(|inside| folder.join(inside));
    std::fs::create_dir_all(&completions).map_err(|error| failed(&completions, &error))?;
    for (shell, name) in [
        ("bash", "spaceduck.bash"),
        ("zsh", "_spaceduck"),
        ("fish", "spaceduck.fish"),
        ("powershell", "_spaceduck.ps1"),
        ("elvish", "spaceduck.elv"),
    ] {
        let path = completions.join(name);
        let file = File::create(&path).map_err(|error| failed(&path, &error))?;
        run(Command::new(program).args(["completions", shell]).stdout(file))?;
    }
    run(Command::new(program).args(["man", "--out"]).arg(&man))?;
    let mut files = Vec::new();
    for inside in ["completions", "man"] {
        let of = folder.join(inside);
        let entries = std::fs::read_dir(&of).map_err(|error| failed(&of, &error))?;
        for entry in entries {
            let path = entry.map_err(|error| failed(&of, &error))?.path();
            let name = path.file_name().unwrap_or_default().display().to_string();
            files.push((format!("{inside}/{name}"), path, 0o644));
        }
    }
    files.sort();
    Ok(files)
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("`{}` can't be written or read: {error}", path.display())
}

/// Packs files into `NAME.tar.gz`, below a folder of that name, and writes the checksum beside it.
/// The same files give the same bytes: no dates, no owners.
fn pack(folder: &Path, name: &str, files: &[(String, PathBuf, u32)]) -> Outcome<PathBuf> {
    let archive = folder.join(format!("{name}.tar.gz"));
    let file = File::create(&archive).map_err(|error| failed(&archive, &error))?;
    let gzip = GzBuilder::new().mtime(0).write(file, Compression::best());
    let mut tar = Builder::new(gzip);
    for (inside, path, mode) in files {
        let bytes = std::fs::read(path).map_err(|error| failed(path, &error))?;
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(*mode);
        header.set_mtime(0);
        header.set_cksum();
        tar.append_data(&mut header, format!("{name}/{inside}"), bytes.as_slice())
            .map_err(|error| failed(&archive, &error))?;
    }
    let finished = tar.into_inner().and_then(flate2::write::GzEncoder::finish);
    finished.and_then(|mut file| file.flush()).map_err(|error| failed(&archive, &error))?;
    let bytes = std::fs::read(&archive).map_err(|error| failed(&archive, &error))?;
    let digest = beak_package::hex(&Sha256::digest(&bytes));
    let sum = folder.join(format!("{name}.tar.gz.sha256"));
    std::fs::write(&sum, format!("{digest}  {name}.tar.gz\n")).map_err(|e| failed(&sum, &e))?;
    Ok(archive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_needs_a_security_txt_that_lasts() {
        let expires = galaxy_pages::SECURITY_EXPIRES;
        let expires = OffsetDateTime::parse(expires, &Rfc3339).expect("a date");
        assert_eq!(security_txt_lasts(expires - LASTS), Ok(()));
        let late = security_txt_lasts(expires - Duration::days(10)).expect_err("too late");
        assert!(late.contains("less than 180 days"), "{late}");
    }

    #[test]
    fn the_archive_is_the_same_each_time_and_unpacks() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let program = folder.path().join("program");
        std::fs::write(&program, "#!/bin/sh\necho hello\n").expect("written");
        let files = [("run".into(), program.clone(), 0o755), ("README.md".into(), program, 0o644)];
        let read = || {
            let archive = pack(folder.path(), "thing-1", &files).expect("packed");
            std::fs::read(archive).expect("read")
        };
        assert_eq!(read(), read());
        let unpacked = tempfile::TempDir::new().expect("a folder");
        let gzip = flate2::read::GzDecoder::new(
            File::open(folder.path().join("thing-1.tar.gz")).expect("there"),
        );
        tar::Archive::new(gzip).unpack(unpacked.path()).expect("unpacked");
        let output = std::process::Command::new(unpacked.path().join("thing-1/run"))
            .output()
            .expect("it runs");
        assert_eq!(output.stdout, b"hello\n");
        let sum = std::fs::read_to_string(folder.path().join("thing-1.tar.gz.sha256"));
        assert!(sum.expect("there").ends_with("  thing-1.tar.gz\n"));
    }

    #[test]
    fn completions_and_man_pages_come_from_the_program() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::TempDir::new().expect("a folder");
        let program = folder.path().join("program");
        let script = "#!/bin/sh\n[ \"$1\" = completions ] && echo \"for $2\" && exit 0\n\
                      mkdir -p \"$3\" && echo .TH > \"$3/spaceduck.1\"\n";
        std::fs::write(&program, script).expect("written");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, mode).expect("a mode");
        let files = told_by(&program, &folder.path().join("told")).expect("told");
        let names: Vec<&str> = files.iter().map(|(name, _, _)| name.as_str()).collect();
        let wanted = [
            "completions/_spaceduck",
            "completions/_spaceduck.ps1",
            "completions/spaceduck.bash",
            "completions/spaceduck.elv",
            "completions/spaceduck.fish",
            "man/spaceduck.1",
        ];
        assert_eq!(names, wanted);
        assert_eq!(std::fs::read_to_string(&files[0].1).expect("read"), "for zsh\n");
        let missing = told_by(Path::new("/no/such/program"), folder.path());
        assert!(missing.is_err(), "a program that does not run has told nothing");
    }
}
