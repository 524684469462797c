//! `spaceduck init` and what is made of the program itself, as a person runs them.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn spaceduck(folder: &Path, arguments: &[&str]) -> Ran {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_spaceduck"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

fn read(folder: &TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}

#[test]
fn what_init_writes_is_what_the_next_command_reads() {
    let folder = TempDir::new().unwrap();
    let arguments = [
        "init",
        "--json",
        "--name",
        "pond",
        "--region",
        "eu-west-1",
        "--set",
        "turnstile.site_key=0x4AAAAAAADuckKey",
        "--set",
        "api.memory_mb=512",
    ];
    let ran = spaceduck(folder.path(), &arguments);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let lines: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0], json!({"type": "written", "path": "galaxy.yaml"}));
    assert_eq!(lines[1], json!({"type": "written", "path": "galaxy.schema.json"}));
    assert_eq!(lines[2]["outcome"], "done");
    assert!(lines[2]["next"][0].as_str().unwrap().contains("SPACEDUCK_TURNSTILE_SECRET"));
    let render = spaceduck(folder.path(), &["render", "--out", "templates"]);
    assert_eq!(render.code, Some(0), "{}", render.stderr);
    let api = read(&folder, "templates/pond-api.yaml");
    assert!(api.contains("MemorySize: 512"), "{api}");
    // The schema is there where the first line says.
    let file = read(&folder, "galaxy.yaml");
    let schema = file.lines().next().unwrap().rsplit('/').next().unwrap();
    let schema: Value = serde_json::from_str(&read(&folder, schema)).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn a_file_that_is_there_is_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("galaxy.yaml");
    std::fs::write(&path, "name: mine\n").unwrap();
    let ran = spaceduck(folder.path(), &["init"]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("`galaxy.yaml` exists already"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--force"), "{}", ran.stderr);
    assert_eq!(read(&folder, "galaxy.yaml"), "name: mine\n");
    let ran = spaceduck(folder.path(), &["init", "--force", "--name", "yours"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(read(&folder, "galaxy.yaml").contains("\nname: \"yours\"\n"));
    // A schema of an earlier version is renewed; somebody else's file is not.
    std::fs::remove_file(&path).unwrap();
    assert_eq!(spaceduck(folder.path(), &["init"]).code, Some(0));
    std::fs::remove_file(&path).unwrap();
    std::fs::write(folder.path().join("galaxy.schema.json"), "{}").unwrap();
    let ran = spaceduck(folder.path(), &["init"]);
    assert_eq!(ran.code, Some(3));
    assert!(!path.exists(), "half of it was written");
}

#[test]
fn a_wrong_answer_is_refused_before_anything_is_written() {
    let folder = TempDir::new().unwrap();
    for (arguments, said) in [
        (&["--name", "Duck"][..], "`Duck` can't be the name of a galaxy"),
        (&["--region", "frankfurt"], "`frankfurt` is not the code of an AWS Region"),
        (&["--set", "api.memory_mb=lots"], "a number of MB from 128 to 3008"),
        (&["--set", "api.cores=2"], "there is no setting `api.cores`"),
        (&["--set", "region"], "is not a setting with its value"),
        (&["--set", "turnstile.secret=hush.txt"], "but its site key is missing"),
    ] {
        let ran = spaceduck(folder.path(), &[&["init"], arguments].concat());
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
        assert!(!folder.path().join("galaxy.yaml").exists(), "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_secret_in_a_file_is_used_unless_everybody_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    let secret = folder.path().join("hush.txt");
    std::fs::write(&secret, "1x0000000000000000000000000000000AA\n").unwrap();
    let arguments = [
        "init",
        "--set",
        "turnstile.site_key=1x00000000000000000000AA",
        "--set",
        "turnstile.secret=hush.txt",
    ];
    assert_eq!(spaceduck(folder.path(), &arguments).code, Some(0));
    let doctor = ["doctor", "--rehearse", "--json"];
    let set = |mode| {
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode)).unwrap();
        spaceduck(folder.path(), &doctor)
    };
    let ran = set(0o600);
    assert!(ran.stdout.contains("site key and secret are known"), "{}", ran.stdout);
    let ran = set(0o644);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stdout.contains("everybody on this machine may read"), "{}", ran.stdout);
    for place in ["stdout", "galaxy.yaml"] {
        let text = if place == "stdout" { ran.stdout.clone() } else { read(&folder, place) };
        assert!(!text.contains("1x0000000000000000000000000000000AA"), "{place}");
    }
}

#[test]
fn the_schema_is_printed_as_it_is_published() {
    let folder = TempDir::new().unwrap();
    let ran = spaceduck(folder.path(), &["schema"]);
    assert_eq!(ran.code, Some(0));
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/galaxy.schema.json");
    assert_eq!(ran.stdout, std::fs::read_to_string(published).unwrap());
}

/// Judged by a validator of others: what is right passes, what is wrong does not.
#[test]
fn the_schema_judges_as_the_program_does() {
    let folder = TempDir::new().unwrap();
    assert_eq!(spaceduck(folder.path(), &["init", "--yes"]).code, Some(0));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let judge = |file: &str| {
        let mut python = Command::new(root.join(".venv/bin/python"));
        let output = python
            .arg(root.join("tests/schema.py"))
            .arg(folder.path().join("galaxy.schema.json"))
            .arg(folder.path().join(file))
            .output()
            .expect("`cargo xtask setup` first");
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = judge("galaxy.yaml");
    assert_eq!(code, Some(0), "{said}");
    for (text, right) in [
        ("name: pond\nregion: ap-southeast-5\n", true),
        ("name: pond\nregion: us-gov-west-1\n", false),
        ("name: pond\nregion: cn-north-1\n", false),
        ("name: awsome\n", false),
        ("name: sthree-pond\n", false),
        ("turnstile:\nlogs:\n  retention_days: 7\n  site_access: false\n", true),
        ("turnstile:\n  site_key: 0x4AAAAAAADuckKey\n  secret: {file: hush.txt}\n", true),
        ("name: Duck\n", false),
        ("nmae: duck\n", false),
        ("region: frankfurt\n", false),
        ("api:\n  memory_mb: 64\n", false),
        ("logs:\n  retention_days: 31\n", false),
        ("logs:\n  site_access: perhaps\n", false),
        ("turnstile:\n  secret: hush\n", false),
        ("turnstile:\n  secret: {file: hush.txt, mode: 600}\n", false),
    ] {
        std::fs::write(folder.path().join("other.yaml"), text).unwrap();
        let (code, said) = judge("other.yaml");
        assert_eq!(code == Some(0), right, "{text}{said}");
        let ran = spaceduck(folder.path(), &["--config", "other.yaml", "render", "--out", "t"]);
        let missing = text.contains("hush.txt}");
        assert_eq!(ran.code == Some(0), right && !missing, "{text}{}", ran.stderr);
    }
}

#[test]
fn completions_and_man_pages_know_every_command() {
    let folder = TempDir::new().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = spaceduck(folder.path(), &["completions", shell]);
        assert_eq!(ran.code, Some(0), "{shell}");
        for command in ["install", "teardown", "doctor"] {
            assert!(ran.stdout.contains(command), "{shell}: {command}");
        }
    }
    let bash = spaceduck(folder.path(), &["completions", "bash"]).stdout;
    std::fs::write(folder.path().join("spaceduck.bash"), bash).unwrap();
    let words = "source ./spaceduck.bash; COMP_WORDS=(spaceduck inst); COMP_CWORD=1; \
                 _spaceduck spaceduck inst spaceduck; echo ${COMPREPLY[@]}";
    let output = Command::new("bash").current_dir(folder.path()).args(["-c", words]).output();
    let said = String::from_utf8(output.unwrap().stdout).unwrap();
    assert_eq!(said.trim(), "install");
    let ran = spaceduck(folder.path(), &["man", "--out", "man"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for page in ["spaceduck.1", "spaceduck-install.1", "spaceduck-operator-add.1"] {
        let text = read(&folder, &format!("man/{page}"));
        assert!(text.contains(".TH "), "{page}");
    }
}
