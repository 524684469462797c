//! `spaceduck doctor`: as a person runs it, in an emulated AWS, and held to what others know of AWS.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use spaceduck::model::{AccountId, GalaxyName, Region};
use spaceduck::policy::{self, CALLS, CREATED_IN_OUR_NAME, Subject};
use tempfile::TempDir;
use test_cloud::Cloud;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

fn documents() -> Vec<Value> {
    let name = GalaxyName::parse("pond").unwrap();
    let account = AccountId::parse("111122223333").unwrap();
    let region = Region::parse("eu-central-1").unwrap();
    policy::documents(Subject { name: &name, account: &account, region: &region })
}

/// How the SDK's crates begin; in two parts, because only `src/aws` may name them.
const SDK: &str = concat!("aws_", "sdk_");

/// What botocore, cfn-lint and a linter of policies know.
fn others(crates: &BTreeSet<String>) -> Value {
    let mut python = Command::new(root().join(".venv/bin/python"));
    let mut child = python
        .arg(root().join("tests/policy.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("`cargo xtask setup` first: {error}"));
    let asked = json!({"crates": crates, "documents": documents()});
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Words behind `before`, up to the first character that is none of a name.
fn words<'a>(text: &'a str, before: &str) -> BTreeSet<&'a str> {
    let end = |rest: &'a str| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    };
    text.split(before).skip(1).map(end).collect()
}

/// Methods that are called without an argument, as every operation is.
fn called(text: &str) -> BTreeSet<&str> {
    let start = |before: &'_ str| {
        before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| at + 1)
    };
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("()") {
        let before = &text[..at];
        let name = start(before);
        if before[..name].ends_with('.') {
            found.insert(&before[name..]);
        }
    }
    found
}

/// Operations that are asked for by name, written as the SDK's methods are.
fn named(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for before in ["Call::json(", "Call::form(", "Call::rest("] {
        for rest in text.split(before).skip(1) {
            let Some(rest) = rest.trim_start().strip_prefix('"') else { continue };
            let name = rest.split('"').next().unwrap();
            let mut operation = String::new();
            for (at, letter) in name.char_indices() {
                if at > 0 && letter.is_ascii_uppercase() {
                    operation.push('_');
                }
                operation.push(letter.to_ascii_lowercase());
            }
            found.insert(operation);
        }
    }
    found
}

/// Services that have a client which is not generated.
fn asked_by_name(files: &[(PathBuf, String)]) -> BTreeSet<String> {
    let made = files.iter().flat_map(|(_, text)| {
        ["Client::new(&", "Wire::new(&"].into_iter().flat_map(|before| words(text, before))
    });
    let constant = |name: &&str| name.chars().all(|c| c.is_ascii_uppercase() || c.is_numeric());
    made.filter(constant).map(str::to_lowercase).collect()
}

#[test]
fn every_call_to_aws_is_in_the_table_with_what_it_takes() {
    let files: Vec<(PathBuf, String)> = rust_files(&root().join("src/aws"))
        .into_iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            // Only what is tests itself goes; a file may name its tests at the top.
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
            (path, text)
        })
        .collect();
    let by_name = asked_by_name(&files);
    let crates: BTreeSet<String> = files
        .iter()
        .flat_map(|(_, text)| words(text, SDK).into_iter().map(str::to_owned))
        .chain(by_name.iter().cloned())
        .collect();
    let known = others(&crates);
    let mut there = BTreeSet::new();
    for (path, text) in &files {
        let services = words(text, SDK);
        for operation in called(text) {
            let of = |service: &&&str| {
                let operations = known["operations"][**service].as_array().unwrap();
                operations.iter().any(|known| known == operation)
            };
            let of: Vec<&&str> = services.iter().filter(of).collect();
            // Two services of one file may have an operation of the same name.
            let listed = |service: &&&str| {
                CALLS.iter().any(|call| call.service == **service && call.operation == operation)
            };
            let listed: Vec<&&str> = of.iter().filter(|s| listed(s)).copied().collect();
            assert!(of.is_empty() || !listed.is_empty(), "{}: {of:?} {operation}", path.display());
            there.extend(listed.into_iter().map(|service| (*service, operation)));
        }
        for operation in named(text) {
            let listed = CALLS
                .iter()
                .filter(|call| by_name.contains(call.service) && call.operation == operation);
            let listed: Vec<_> = listed.map(|call| (call.service, call.operation)).collect();
            assert!(!listed.is_empty(), "{}: {operation}", path.display());
            there.extend(listed);
        }
    }
    assert!(there.len() > 40, "the calls are not seen: {there:?}");
    for call in CALLS {
        let used = there.contains(&(call.service, call.operation));
        assert!(used, "{} {} is called by nothing", call.service, call.operation);
    }
}

#[test]
fn the_policy_is_one_that_a_linter_and_cloudformation_agree_with() {
    let known = others(&BTreeSet::new());
    for finding in known["findings"].as_array().unwrap() {
        // The linter's list is older than these: the first two came later, and the others know their
        // resources by now. Source: Service Authorization Reference.
        let newer = [
            "cloudformation:DescribeEvents",
            "s3:GetBucketAbac",
            "servicequotas:GetServiceQuota",
            "ses:CreateEmailIdentity",
            "ses:SendEmail",
        ];
        let detail = finding["detail"].to_string();
        let newer = newer.iter().any(|action| detail.contains(action));
        // The first stack sets the bucket's policy and lifetime: that is what it is for.
        let meant = finding["issue"] == "RESOURCE_POLICY_PRIVILEGE_ESCALATION";
        // Actions on anything know no resources; a test beside the table has them read only.
        assert!(newer || meant, "{finding}");
    }
    let ours: BTreeSet<&str> = CALLS
        .iter()
        .flat_map(|call| call.actions)
        .chain(CREATED_IN_OUR_NAME.iter().flat_map(|(_, actions)| *actions))
        .copied()
        .collect();
    // The role has policies of its own only, and the boundary is attached to nothing.
    let unused = ["iam:DetachGroupPolicy", "iam:DetachRolePolicy", "iam:DetachUserPolicy"];
    for (kind, needed) in known["handlers"].as_object().unwrap() {
        for action in needed.as_array().unwrap() {
            let action = action.as_str().unwrap();
            let there = ours.contains(action) || unused.contains(&action);
            assert!(there, "{kind} needs {action}");
        }
    }
}

struct Ran {
    code: Option<i32>,
    lines: Vec<Value>,
    stdout: String,
    stderr: String,
}

/// Runs the program in an empty folder with nothing of this machine's AWS settings.
fn spaceduck(environment: &[(&'static str, String)], arguments: &[&str]) -> Ran {
    let folder = TempDir::new().unwrap();
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_spaceduck"))
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().cloned())
        .output()
        .unwrap();
    let stdout = String::from_utf8(stdout).unwrap();
    let lines = stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    Ran { code: status.code(), lines, stdout, stderr: String::from_utf8(stderr).unwrap() }
}

impl Ran {
    fn checks(&self) -> BTreeMap<&str, &Value> {
        let checks = self.lines.iter().filter(|line| line["type"] == "check");
        checks.map(|line| (line["check"].as_str().unwrap(), line)).collect()
    }

    fn outcome(&self) -> &Value {
        &self.lines.last().unwrap_or(&Value::Null)["outcome"]
    }
}

#[test]
fn a_rehearsal_has_problems_to_look_at_and_a_cure_for_each() {
    let ran = spaceduck(&[], &["doctor", "--rehearse", "--json", "--region", "eu-central-1"]);
    assert_eq!((ran.code, ran.outcome()), (Some(1), &json!("blocked")), "{}", ran.stderr);
    let checks = ran.checks();
    for (check, level) in [
        ("permissions", "problem"),
        ("names", "problem"),
        ("concurrency", "warning"),
        ("credentials-end", "warning"),
        ("cloudfront-account", "unknown"),
        ("clock", "ok"),
    ] {
        assert_eq!(checks[check]["level"], level, "{check}");
        assert_eq!(checks[check]["cure"].is_string(), level != "ok", "{check}");
    }
    let people = spaceduck(&[], &["doctor", "--rehearse", "--region", "eu-central-1"]);
    assert_eq!(people.code, Some(1));
    let order = ["ok ", "unknown ", "warning ", "problem "];
    let at: Vec<usize> = order.iter().map(|level| people.stdout.rfind(level).unwrap()).collect();
    assert!(at.is_sorted(), "what matters most stands last: {}", people.stdout);
    let quiet = spaceduck(&[], &["doctor", "--rehearse", "--quiet", "--region", "eu-central-1"]);
    assert_eq!(quiet.stdout.lines().count(), 2, "{}", quiet.stdout);
}

#[test]
fn an_emulated_account_is_looked_at_and_changes_when_its_names_are_taken() {
    let cloud = Cloud::start();
    let environment = cloud.environment();
    let arguments = ["doctor", "--json", "--region", "eu-central-1"];
    let ran = spaceduck(&environment, &arguments);
    let checks = ran.checks();
    let level = |check: &str| checks[check]["level"].as_str().unwrap().to_owned();
    for check in ["region", "clock", "leftovers", "people", "mail", "lock", "stacks"] {
        assert_eq!(level(check), "ok", "{}", checks[check]);
    }
    assert_eq!(level("captcha"), "warning");
    // The emulator knows nobody but root.
    assert_eq!(level("credentials"), "warning");
    let said = |ran: &Ran, check: &str| ran.checks()[check]["is"].as_str().unwrap().to_owned();
    assert!(!said(&ran, "names").contains("taken:"), "{}", said(&ran, "names"));
    // Somebody takes names that the stacks would give, and keeps a table.
    let taken = Command::new(root().join(".venv/bin/python"))
        .arg(root().join("tests/taken.py"))
        .args(["eu-central-1", "spaceduck"])
        .envs(environment.iter().cloned())
        .output()
        .unwrap();
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    let ran = spaceduck(&environment, &arguments);
    assert_eq!((ran.code, ran.outcome()), (Some(1), &json!("blocked")));
    let names = ran
        .lines
        .iter()
        .filter(|line| line["check"] == "names")
        .map(|line| line["is"].as_str().unwrap())
        .collect::<String>();
    for name in [
        "/aws/lambda/spaceduck-beak (AWS::Logs::LogGroup)",
        "spaceduck-tx (AWS::SES::ConfigurationSet)",
        "alias/spaceduck-cert (AWS::KMS::Alias)",
        "spaceduck-boundary (AWS::IAM::ManagedPolicy)",
        "spaceduck-duckgalaxy (AWS::CloudFront::OriginAccessControl)",
        "spaceduck-duckgalaxy (AWS::CloudFront::ResponseHeadersPolicy)",
        "spaceduck-duckgalaxy (AWS::CloudFront::Function)",
    ] {
        assert!(names.contains(name), "{name} is not in: {names}");
    }
    // A table that no stack of the galaxy made is a stranger's, and is not taken up.
    assert!(names.contains("table `spaceduck-eggs` in eu-central-1: "), "{names}");
    assert_eq!(said(&ran, "leftovers"), "nothing is left");
    let people = ran.lines.iter().filter(|line| line["check"] == "people");
    assert!(people.map(|line| line["is"].to_string()).any(|is| is.contains(":userpool/")));
}

#[test]
fn nothing_to_sign_with_is_one_problem_and_the_machine_is_looked_at_all_the_same() {
    let ran = spaceduck(&[], &["doctor", "--json", "--region", "eu-central-1"]);
    assert_eq!((ran.code, ran.outcome()), (Some(1), &json!("blocked")), "{}", ran.stderr);
    let checks = ran.checks();
    assert_eq!(checks["credentials"]["level"], "problem");
    assert!(checks["credentials"]["cure"].to_string().contains("aws sso login"));
    assert!(checks.contains_key("function") && checks.contains_key("disk"));
    let ran = spaceduck(&[], &["doctor", "--json"]);
    assert_eq!(ran.checks()["region"]["level"], "problem", "{}", ran.stdout);
}

#[test]
fn the_policy_needs_no_credentials_and_is_for_this_galaxy() {
    let arguments =
        ["doctor", "--print-policy", "--account", "111122223333", "--region", "eu-west-1"];
    let ran = spaceduck(&[], &arguments);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let policy: Value = serde_json::from_str(&ran.stdout).unwrap();
    let documents = policy.as_array().cloned().unwrap_or_else(|| vec![policy]);
    let text = serde_json::to_string(&documents).unwrap();
    let exact = [
        "arn:aws:cloudformation:eu-west-1:111122223333:stack/spaceduck-api/*",
        "arn:aws:cloudformation:us-east-1:111122223333:stack/spaceduck-site-duckgalaxy/*",
        "arn:aws:iam::111122223333:policy/spaceduck/spaceduck-boundary",
        "PassRole",
    ];
    for part in exact {
        assert!(text.contains(part), "{part}");
    }
    assert!(!text.contains("stack/spaceduck-*"), "{text}");
    assert_eq!(documents.len() > 1, ran.stderr.contains("attach all of them"), "{}", ran.stderr);
    let ran = spaceduck(&[], &[&arguments[..], &["--json"]].concat());
    assert_eq!(ran.lines[0]["documents"], json!(documents));
    let ran = spaceduck(&[], &["doctor", "--print-policy", "--region", "eu-west-1"]);
    assert_eq!(ran.code, Some(5));
    assert!(ran.stderr.contains("--account ID"), "{}", ran.stderr);
}
