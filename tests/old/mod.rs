//! A galaxy of 2026-11-27: its templates as the program of that day filled them, and its data.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use spaceduck::model::{Place, Stack};
use spaceduck::render::{self, Fill};
use spaceduck::yaml::Node;

pub(crate) fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/galaxy-2026-11-27").join(path)
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(fixture(path)).unwrap()
}

/// What the program of that day filled into a template.
type Texts = Vec<(&'static str, &'static str)>;
type Numbers = Vec<(&'static str, i64)>;

fn fill(stack: Stack, account: &str) -> Fill {
    let region = if stack.place() == Place::Home { "eu-central-1" } else { "us-east-1" };
    let common = [("Prefix", "spaceduck"), ("AWS::AccountId", account), ("AWS::Region", region)];
    let (texts, numbers): (Texts, Numbers) = match stack {
        Stack::Bootstrap => (vec![("PermissionsBoundaryArn", "")], vec![]),
        Stack::Data => (
            vec![("DeletionProtection", "true"), ("PointInTimeRecovery", "true")],
            vec![("MaxRru", 400), ("MaxWru", 100)],
        ),
        Stack::Auth => (
            vec![
                ("DeletionProtection", "ACTIVE"),
                ("Tier", "ESSENTIALS"),
                ("EmailMode", "COGNITO_DEFAULT"),
                ("SesDomain", ""),
                ("FromAddress", ""),
                ("ConfigSetName", ""),
            ],
            vec![],
        ),
        Stack::Mail => (
            vec![
                ("MailDomain", ""),
                ("ManageIdentity", "true"),
                ("MailFromSubdomain", "bounce"),
                ("AlarmEmail", ""),
            ],
            vec![],
        ),
        Stack::Api => (
            vec![
                ("Release", "0.1.0"),
                ("PermissionsBoundaryArn", ""),
                ("FromAddress", ""),
                ("CodeKey", "lambda/6c6f6e672061676f.zip"),
                ("Architecture", "x86_64"),
            ],
            vec![("MemoryMb", 256), ("ReservedConcurrency", 10), ("LogRetentionDays", 30)],
        ),
        Stack::Site(site) => (
            vec![
                ("SiteName", site.name()),
                ("AccessLogs", "false"),
                ("PriceClass", "PriceClass_100"),
                ("DomainName", ""),
                ("CertificateArn", ""),
                ("ConnectSrc", "https://*.execute-api.eu-central-1.amazonaws.com"),
            ],
            vec![("HstsSeconds", 300)],
        ),
        Stack::ApiDomain | Stack::ApiShield => (vec![], vec![]),
    };
    let mut fill = Fill::default();
    for (name, text) in common.into_iter().chain(texts) {
        fill.values.insert(name.to_owned(), text.into());
    }
    fill.values.extend(numbers.into_iter().map(|(name, n)| (name.to_owned(), Node::Int(n))));
    if stack == Stack::Api {
        fill.renames.insert("BeakVersion".into(), "BeakVersion0123456789".into());
    }
    fill
}

pub(crate) fn template(stack: Stack, account: &str) -> String {
    let file = if let Stack::Site(_) = stack { "site".to_owned() } else { stack.key() };
    let source = read(&format!("templates/{file}.yaml"));
    render::render(&source, &fill(stack, account)).unwrap().body
}

pub(crate) fn stacks() -> impl Iterator<Item = Stack> {
    Stack::all().into_iter().filter(|stack| !stack.is_optional())
}

pub(crate) fn rows() -> Vec<(String, Value)> {
    let one = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        (format!("spaceduck-{}", row["table"].as_str().unwrap()), row["item"].clone())
    };
    read("rows.jsonl").lines().map(one).collect()
}
