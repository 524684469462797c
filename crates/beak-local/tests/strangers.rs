//! Programs that we did not write, against a running galaxy: an API fuzzer that reads the OpenAPI
//! document, and a JOSE library that reads certificates.

#![expect(clippy::expect_used, reason = "these are tests")]

mod harness;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Galaxy, bond, operator_token, sign_in, text};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A program of the tests' Python environment.
fn tool(name: &str) -> Command {
    let program = root().join(".venv/bin").join(name);
    assert!(program.exists(), "there is no {name}: run `cargo xtask setup` first");
    Command::new(program)
}

fn passes(command: &mut Command) {
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
}

/// What the fuzzer checks: no 500, no status, header, type or field that is not documented, and
/// nothing accepted that the document forbids.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,negative_data_rejection,ignored_auth";

/// Calls after which a credential is of no use any more, the fuzzer's own or another one's: it takes
/// ids from earlier answers. They are fuzzed without a credential.
const LAST: [&str; 5] = [
    "delete_me",
    "post_keys_rotate",
    "post_signout",
    "post_operator_ducks_duckling_id_remove",
    "post_operator_ducks_duckling_id_suspend",
];

fn fuzz(galaxy: &Galaxy, reports: &Path, credential: Option<&str>) {
    let mut fuzzer = tool("schemathesis");
    fuzzer.current_dir(reports).env("NO_COLOR", "1");
    fuzzer.arg("run").arg(root().join("crates/beak-api/openapi.json"));
    fuzzer.args(["--url", &format!("http://localhost:{}", galaxy.port)]);
    // The same cases in every run: a test is to fail for a change, not for a throw of dice.
    fuzzer.args(["--seed", "3825", "--max-examples", "20", "--checks", CHECKS]);
    fuzzer.args(["--phases", "examples,coverage,fuzzing", "--warnings", "off"]);
    if let Some(credential) = credential {
        galaxy.never_log(credential);
        fuzzer.args(["--header", &format!("Authorization: Bearer {credential}")]);
        for id in LAST {
            fuzzer.args(["--exclude-operation-id", id]);
        }
    }
    passes(&mut fuzzer);
}

#[test]
fn a_fuzzer_finds_nothing_that_is_not_documented() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let (swan, crane) = (galaxy.hatch("s@example.com", "S"), galaxy.hatch("c@example.com", "C"));
    bond(&galaxy, &swan, &crane);
    let operator = operator_token(&galaxy, data.path());
    let owner = sign_in(&galaxy, "c@example.com");
    let reports = TempDir::new().expect("a folder");
    let callers =
        [None, Some(text(&swan, "beak_key")), Some(text(&owner, "access_token")), Some(&operator)];
    // At once: much of the time passes in answers that the galaxy holds back.
    std::thread::scope(|scope| {
        for credential in callers {
            let (galaxy, reports) = (&galaxy, reports.path());
            scope.spawn(move || fuzz(galaxy, reports, credential));
        }
    });
    // All of them are as they were.
    let me = galaxy.get_as("/beak/me", text(&swan, "beak_key")).json();
    assert_eq!(me["duckling_id"], swan["duckling_id"]);
}

#[test]
fn a_foreign_jose_library_verifies_certificates_offline() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let swan = galaxy.hatch("s@example.com", "Schwän");
    assert!(galaxy.stop("-INT").success());
    std::fs::remove_file(data.path().join("certificate.key")).expect("there");
    // Another key signs from now on.
    let galaxy = Galaxy::start(data.path());
    let crane = galaxy.hatch("c@example.com", "C");
    let keys = galaxy.get("/beak/jwks.json", &[]).json();
    let expected = |duck: &serde_json::Value, email: &str, name: &str| {
        json!({
            "certificate": duck["certificate"],
            "iss": format!("http://localhost:{}", galaxy.port),
            "sub": duck["duckling_id"], "jti": duck["cert_id"], "name": name, "email": email,
            "tier": "T0", "ver": 1,
        })
    };
    let mut cases = vec![expected(&swan, "s@example.com", "Schwän")];
    cases.push(expected(&crane, "c@example.com", "C"));
    // The first galaxy had another port.
    cases[0]["iss"] = json!(null);
    let file = data.path().join("cases.json");
    std::fs::write(&file, json!({"keys": keys, "cases": cases}).to_string()).expect("written");
    passes(tool("python").arg(root().join("tests/certificates.py")).arg(&file));
}
