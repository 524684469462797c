//! Every template, as it lies and as it is rendered, before cfn-lint with AWS's own schemas.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use beak_api::{Throttle, cors};
use beak_core::mail::Mail;
use spaceduck::catalog::{self, Facts};
use spaceduck::config::{self, Environment, Seen};
use spaceduck::model::{AccountId, Region, Stack};
use spaceduck::render;
use spaceduck::yaml::Node;
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

/// The API's template as it is rendered with these settings.
fn rendered_api(yaml: &str) -> Node {
    let facts = Facts {
        config: config::parse("galaxy.yaml", yaml, &Environment::default()).unwrap(),
        account: AccountId::parse("111122223333").ok(),
        region: Region::parse("eu-central-1").ok(),
        code: None,
        release: "1".into(),
    };
    let fill = catalog::fill(Stack::Api, &facts);
    let body = render::render(catalog::template(Stack::Api), &fill).unwrap().body;
    Node::parse(&body).unwrap()
}

/// Rate and burst of the stage, and of each route that has its own.
fn throttles(api: &Node) -> ((i64, i64), BTreeMap<String, (i64, i64)>) {
    let stage = api.get("Resources").and_then(|all| all.get("Prod")?.get("Properties")).unwrap();
    let of = |settings: &Node| {
        let number = |name: &str| match settings.get(name) {
            Some(Node::Int(number)) => *number,
            other => unreachable!("{other:?} is no number"),
        };
        (number("ThrottlingRateLimit"), number("ThrottlingBurstLimit"))
    };
    let routes = stage.get("RouteSettings").unwrap().entries();
    let routes = routes.iter().map(|(route, settings)| (route.clone(), of(settings))).collect();
    (of(stage.get("DefaultRouteSettings").unwrap()), routes)
}

/// The gateway's throttles are the table's, call by call, and no route has more than it needs.
#[test]
fn the_gateway_throttles_as_the_table_of_calls_says() {
    let pair = |throttle: Throttle| (i64::from(throttle.rate), i64::from(throttle.burst));
    let own = |row: &beak_api::Row| row.throttle != Throttle::DEFAULT;
    let wanted: BTreeMap<_, _> = beak_api::table()
        .iter()
        .filter(|row| own(row))
        .map(|row| (format!("{} {}", row.method, row.path), pair(row.throttle)))
        .collect();
    assert_eq!(throttles(&rendered_api("")), (pair(Throttle::DEFAULT), wanted.clone()));
    let text = template("api.yaml");
    for route in wanted.keys() {
        assert!(text.contains(&format!("      RouteKey: {route}\n")), "no route {route}");
    }
    let routes = text.matches("Type: AWS::ApiGatewayV2::Route\n").count();
    assert_eq!(routes, wanted.len() + 2, "one for all others, and one for the API's own address");
    assert!(text.contains("      RouteKey: GET /beak\n"));
    for call in ["signin", "verify"] {
        assert!(wanted[&format!("POST /beak/{call}")].0 >= 50, "{call}: people come all at once");
    }
}

/// Every throttle but that of the metrics, whose answer is cached, is a setting.
#[test]
fn the_settings_throttle_the_gateway() {
    let yaml = "api:\n  calls_per_second: 1\n  calls_burst: 2\n  sign_in_per_second: 3\n  \
                sign_in_burst: 4\n  hatch_per_second: 5\n  hatch_burst: 6\n";
    let (calls, routes) = throttles(&rendered_api(yaml));
    assert_eq!(calls, (1, 2));
    for (route, found) in routes {
        let wanted = match route.rsplit('/').next().unwrap() {
            "signin" | "verify" | "reset" => (3, 4),
            "hatch" | "resend" | "forgot" | "newsletter" => (5, 6),
            _ => (50, 100),
        };
        assert_eq!(found, wanted, "{route}");
    }
}

/// The gateway's CORS headers replace the function's, so both say the same.
#[test]
fn the_gateway_lets_pages_do_what_the_function_lets_them() {
    let root = Node::parse(&template("api.yaml")).unwrap();
    let api = root.get("Resources").and_then(|all| all.get("HttpApi")?.get("Properties"));
    let cors = api.and_then(|api| api.get("CorsConfiguration")).unwrap();
    let list = |name: &str| -> Vec<String> {
        let Some(Node::List(items)) = cors.get(name) else { return Vec::new() };
        items.iter().map(|item| item.text().unwrap().to_owned()).collect()
    };
    assert_eq!(list("AllowOrigins"), ["*"]);
    assert_eq!(list("AllowMethods"), cors::METHODS.map(|method| method.to_string()));
    assert_eq!(list("AllowHeaders"), cors::ALLOWED_HEADERS);
    assert_eq!(list("ExposeHeaders"), cors::EXPOSED_HEADERS);
    let seconds = i64::try_from(cors::MAX_AGE.as_secs()).unwrap();
    assert_eq!(cors.get("MaxAge"), Some(&Node::Int(seconds)));
    assert!(cors.get("AllowCredentials").is_none(), "credentials never travel in cookies");
    let methods: BTreeSet<String> =
        beak_api::table().iter().map(|row| row.method.to_string()).collect();
    assert_eq!(list("AllowMethods"), methods.into_iter().collect::<Vec<_>>());
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
            || code.contains(&format!("Call::json(\"{action}\""))
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
