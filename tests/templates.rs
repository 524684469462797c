//! Every template, as it lies and as it is rendered, before cfn-lint with AWS's own schemas.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use beak_api::Throttle;
use beak_core::mail::Mail;
use spaceduck::catalog::{self, Facts};
use spaceduck::config::{self, Environment, Seen};
use spaceduck::model::{AccountId, Region, Stack};
use spaceduck::render;
use tempfile::TempDir;

fn lint(folder: &Path, files: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = root.join(".venv/bin/cfn-lint");
    assert!(program.exists(), "there is no cfn-lint: run `cargo xtask setup` first");
    let files = folder.join(files);
    let output = Command::new(program)
        .current_dir(root)
        // The same exceptions for both, with their reasons.
        .args(["--config-file", ".cfnlintrc.yaml", "--regions", "eu-central-1", "us-east-1"])
        .arg("--template")
        .arg(files)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_templates_are_sound_as_they_lie() {
    lint(Path::new(env!("CARGO_MANIFEST_DIR")), "templates/*.yaml");
}

#[test]
fn the_templates_are_sound_when_rendered() {
    let folder = TempDir::new().unwrap();
    for access_logs in ["true", "false"] {
        let config = format!("region: eu-central-1\nlogs:\n  site_access: {access_logs}\n");
        std::fs::write(folder.path().join("galaxy.yaml"), config).unwrap();
        let status = Command::new(env!("CARGO_BIN_EXE_spaceduck"))
            .current_dir(folder.path())
            .args(["render", "--quiet", "--out", access_logs])
            .status()
            .unwrap();
        assert!(status.success());
        lint(folder.path(), &format!("{access_logs}/*.yaml"));
    }
}

/// With a domain of one's own: new to SES or known before, and before and after the grant.
#[test]
fn the_templates_are_sound_with_a_mail_domain() {
    let folder = TempDir::new().unwrap();
    let text = "region: eu-central-1\nmail:\n  domain: example.org\n  alarms: me@example.net\n";
    for (foreign, granted) in [(false, false), (false, true), (true, true)] {
        let mut config = config::parse("galaxy.yaml", text, &Environment::default()).unwrap();
        config.mail.seen = Seen { foreign, granted };
        let facts = Facts {
            config,
            account: AccountId::parse("111122223333").ok(),
            region: Region::parse("eu-central-1").ok(),
            code: None,
            release: "1".into(),
        };
        for stack in [Stack::Auth, Stack::Mail, Stack::Api] {
            let fill = catalog::fill(stack, &facts);
            let body = render::render(catalog::template(stack), &fill).unwrap().body;
            let has = |words: &str| body.contains(words);
            match stack {
                Stack::Auth => {
                    assert_eq!(has("EmailSendingAccount: DEVELOPER"), granted);
                    assert_eq!(has("identity/example.org"), granted);
                }
                Stack::Api => assert_eq!(has("duck@example.org"), granted),
                _ => assert_eq!(has("AWS::SES::EmailIdentity"), !foreign, "used, never owned"),
            }
            std::fs::write(folder.path().join(format!("{stack}.yaml")), body).unwrap();
        }
        lint(folder.path(), "*.yaml");
    }
}

fn template(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The gateway's throttles are the table's, call by call, and no route has more than it needs.
#[test]
fn the_gateway_throttles_as_the_table_of_calls_says() {
    let text = template("api.yaml");
    let (_, settings) = text.split_once("      RouteSettings:\n").unwrap();
    let settings = settings.split("\nOutputs:").next().unwrap();
    let lines: Vec<&str> = settings.lines().map(str::trim).collect();
    let number = |line: &str, name: &str| line.strip_prefix(name).unwrap().trim().to_owned();
    let found: BTreeSet<_> = lines
        .chunks(3)
        .map(|lines| {
            let route = lines[0].trim_end_matches(':').to_owned();
            let rate = number(lines[1], "ThrottlingRateLimit:");
            (route, rate, number(lines[2], "ThrottlingBurstLimit:"))
        })
        .collect();
    let own = |row: &beak_api::Row| row.throttle != Throttle::DEFAULT;
    let wanted: BTreeSet<_> = beak_api::table()
        .iter()
        .filter(|row| own(row))
        .map(|row| {
            let route = format!("{} {}", row.method, row.path);
            (route, row.throttle.rate.to_string(), row.throttle.burst.to_string())
        })
        .collect();
    assert_eq!(found, wanted);
    for (route, ..) in &wanted {
        assert!(text.contains(&format!("      RouteKey: {route}\n")), "no route {route}");
    }
    let routes = text.matches("Type: AWS::ApiGatewayV2::Route\n").count();
    assert_eq!(routes, wanted.len() + 2, "one for all others, and one for the API's own address");
    assert!(text.contains("      RouteKey: GET /beak\n"));
    let Throttle { rate, burst } = Throttle::DEFAULT;
    let default = format!(
        "        ThrottlingRateLimit: {rate}\n        ThrottlingBurstLimit: {burst}\n      RouteS"
    );
    assert!(text.contains(&default));
}

/// Cognito sends codes by itself, in the words of our own mail.
#[test]
fn the_user_pool_sends_codes_in_our_words() {
    let html = Mail::code_template("{####}").unwrap();
    let block: String =
        html.lines().map(|line| format!("          {line}").trim_end().to_owned() + "\n").collect();
    let text = template("auth.yaml");
    assert!(text.contains(&format!("        EmailMessage: |\n{block}")), "{block}");
    assert!(text.contains(&format!("        EmailSubject: {}\n", Mail::CODE_SUBJECT)));
}

/// The function may do what its code calls, and nothing else. The SDK's methods have the names of
/// the actions; a transaction needs those of its parts.
#[test]
fn the_function_has_the_rights_that_it_uses() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    let mut folders = vec![root.join("crates/beak-aws/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                code += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    let text = template("api.yaml");
    let policy = text.split("FunctionLogs:\n").next().unwrap();
    let mut granted = 0;
    for line in policy.lines().map(str::trim).filter_map(|line| line.strip_prefix("- ")) {
        let Some((service, action)) = line.split_once(':') else { continue };
        // Of the runtime, not of our code.
        let ours = ["dynamodb", "cognito-idp", "ses", "kms", "ssm", "cloudwatch"];
        if !ours.contains(&service) {
            continue;
        }
        let mut method = String::new();
        for c in action.chars() {
            if c.is_ascii_uppercase() && !method.is_empty() {
                method.push('_');
            }
            method.push(c.to_ascii_lowercase());
        }
        let part = match action {
            "ConditionCheckItem" => code.contains("ConditionCheck::builder()"),
            "DeleteItem" => code.contains("Delete::builder()"),
            _ => false,
        };
        // By the SDK's method, or by the name that the JSON protocol has for it.
        let called = code.contains(&format!(".{method}()"))
            || code.contains(&format!("target: \"AmazonSSM.{action}\""))
            || code.contains(&format!("target: \"GraniteServiceVersion20100801.{action}\""));
        assert!(part || called, "{line} is granted for nothing");
        granted += 1;
    }
    assert!(granted > 10, "{granted}");
}

/// Amazon begins a review at 5 % of bounces and 0.1 % of complaints. Source: "Using the reputation
/// metrics", Amazon SES Developer Guide. Our alarms come before that.
#[test]
fn alarms_of_mail_come_before_those_of_amazon() {
    let text = template("mail.yaml");
    for (metric, review) in [("BounceRate", 0.05), ("ComplaintRate", 0.001)] {
        let (_, alarm) = text.split_once(&format!("MetricName: Reputation.{metric}\n")).unwrap();
        let (_, threshold) = alarm.split_once("Threshold: ").unwrap();
        let threshold: f64 = threshold.lines().next().unwrap().parse().unwrap();
        assert!(threshold > 0.0 && threshold <= review * 0.8, "{metric}: {threshold}");
    }
}
