//! A whole life in an emulated AWS: the built program installs a galaxy, the galaxy works, a
//! second installation finds nothing to do, a removal leaves nothing.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod person;

use person::{Moment, Person, Ran, TEST_SITE_KEY, judge, text};

/// Every call with its route and its duckling, and nothing that opens anything.
fn logs_no_secret(person: &Person, ducks: &[&Value]) {
    let log = person.log();
    for duck in ducks {
        assert!(log.contains(text(duck, "duckling_id")), "{log}");
        assert!(!log.contains(text(duck, "beak_key")), "{log}");
    }
    for part in ["\"route\":\"/beak/verify\"", "\"request_id\":"] {
        assert!(log.contains(part), "no {part} in {log}");
    }
    for secret in ["securepassword123", "@example.com", "YOUR_TURNSTILE_TOKEN", "123456\""] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

fn operators_come_and_go(person: &Person, api: &str) {
    let added = person.spaceduck(&["operator", "add", "Boss@Example.com"]);
    assert_eq!(added.code, Some(0), "{} {}", added.last(), added.stderr);
    let account = added.lines.iter().find(|line| line["type"] == "account").unwrap();
    let again = person.spaceduck(&["operator", "add", "boss@example.com"]);
    assert_eq!(again.last()["outcome"], "unchanged");
    let list = || person.spaceduck(&["operator", "list"]).lines[0]["operators"].clone();
    assert_eq!(list(), json!(["boss@example.com"]));
    let body = json!({"email": account["email"], "password": account["password"]});
    let (status, tokens) = person.post(&format!("{api}/beak/signin"), None, &body);
    assert_eq!(status, 200, "{tokens}");
    let token = text(&tokens, "access_token");
    let decide = json!({"duckling_id": "dkl_00000000000000000000000000", "decision": "grant"});
    let (status, _) = person.post(&format!("{api}/beak/operator/decide"), Some(token), &decide);
    assert_eq!(status, 404, "an operator gets to the question itself");
    let removed = person.spaceduck(&["operator", "remove", "boss@example.com"]);
    assert_eq!(removed.last()["outcome"], "done");
    assert_eq!(list(), json!([]));
    let removed = person.spaceduck(&["operator", "remove", "boss@example.com"]);
    assert_eq!(removed.last()["outcome"], "unchanged");
    // A hatching settles an account: who hatched keeps the password, before any sign-in.
    person.hatch(api, "late@example.com");
    let added = person.spaceduck(&["operator", "add", "late@example.com"]);
    assert_eq!(added.last()["outcome"], "done");
    assert!(!added.lines.iter().any(|line| line["type"] == "account"), "{:?}", added.lines);
    assert_eq!(list(), json!(["late@example.com"]));
}

#[test]
fn a_galaxy_is_installed_works_and_is_removed() {
    let person = Person::new();
    assert_eq!(person.account(), json!({}), "the account is not empty to begin with");
    let installed = person.spaceduck(&["install", "--yes"]);
    assert_eq!(installed.code, Some(0), "{} {}", installed.last(), installed.stderr);
    assert_eq!(installed.last()["outcome"], "done");
    let kinds: Vec<&str> = installed.lines.iter().map(|line| text(line, "type")).collect();
    assert!(kinds.contains(&"started"), "{kinds:?}");
    assert_ne!(person.account()["stacks at the edge"], json!(null), "the account is not seen");
    works(&person, &installed);
    let again = person.spaceduck(&["install", "--yes"]);
    assert_eq!((again.code, &again.last()["outcome"]), (Some(0), &json!("unchanged")));
    assert_eq!(again.last()["urls"], installed.last()["urls"]);
    for arguments in [&["teardown", "--yes"][..], &["teardown", "--confirm", "other"]] {
        let refused = person.spaceduck(arguments);
        assert_eq!(refused.code, Some(3), "{}", refused.last());
    }
    let still = person.spaceduck(&["install", "--yes"]);
    assert_eq!(still.last()["outcome"], "unchanged");
    operators_come_and_go(&person, &installed.url("api"));
    let removed = person.spaceduck(&["teardown", "--confirm", "spaceduck"]);
    assert_eq!(removed.code, Some(0), "{} {}", removed.last(), removed.stderr);
    assert_eq!(person.account(), json!({}));
    let nothing = person.spaceduck(&["teardown", "--confirm", "spaceduck"]);
    assert_eq!((nothing.code, &nothing.last()["outcome"]), (Some(0), &json!("unchanged")));
}

/// News of a bounce that the function fails lies in the queue, is told of, and is taken when it is
/// handed over again as it lies.
#[test]
fn what_could_not_be_written_down_is_not_lost() {
    let person = Person::new();
    let installed = person.spaceduck(&["install", "--yes"]);
    assert_eq!(installed.code, Some(0), "{} {}", installed.last(), installed.stderr);
    let found = person.dead_letters();
    let queue = &found["queue"];
    assert_eq!((&queue["days"], &queue["encrypted"]), (&json!(14), &json!("true")), "{queue}");
    assert_eq!(queue["role"], json!([true]), "Lambda sends in the name of the function's role");
    let policy = queue["policy"].as_array().unwrap();
    assert_eq!(policy.len(), 2, "{queue}");
    assert_eq!(policy[0]["Effect"], "Allow");
    assert_eq!(policy[0]["Principal"], json!({"Service": "events.amazonaws.com"}));
    assert_eq!(policy[0]["Condition"]["ArnEquals"]["aws:SourceArn"], found["rule"]);
    let insecure = json!({"Bool": {"aws:SecureTransport": "false"}});
    assert_eq!((&policy[1]["Effect"], &policy[1]["Condition"]), (&json!("Deny"), &insecure));
    for target in found["targets"].as_array().unwrap() {
        assert_eq!(target["DeadLetterConfig"]["Arn"], found["arn"], "{target}");
    }
    let retries = &found["retries"];
    assert_eq!(retries["DestinationConfig"]["OnFailure"]["Destination"], found["arn"]);
    assert_eq!(retries["MaximumRetryAttempts"], 2);
    assert_eq!(found["watched"], json!(["spaceduck-DeadLettersAlarm"]));
    let record = &found["record"];
    assert_eq!(record["condition"], "RetriesExhausted", "{record}");
    assert_eq!(record["same"], true);
    assert!(!text(record, "said").contains("swan@"), "what the function says has no address");
    assert_eq!(
        (&found["before"], &found["after"], &found["left"]),
        (&json!(0), &json!(1), &json!(0))
    );
}

/// A page that somebody overwrites by hand, and a stack that nobody touched.
fn drifts_and_is_put_back(person: &Person) {
    let clean = person.spaceduck(&["drift"]);
    let found = |ran: &Ran| -> Vec<String> {
        let of = ran.lines.iter().filter(|l| l["type"] == "finding" && l["state"] != "unchecked");
        of.map(|line| format!("{} {}", text(line, "item"), text(line, "state"))).collect()
    };
    assert_eq!((clean.code, found(&clean)), (Some(0), vec![]), "{}", clean.stderr);
    let bucket = format!("spaceduck-duckgalaxy-{}-us-east-1-an", test_cloud::ACCOUNT);
    let page = format!("{}/{bucket}/index.html", person.cloud.url());
    person.agent.put(&page).header("content-type", "text/plain").send("Sale!").unwrap();
    let drifted = person.spaceduck(&["drift"]);
    assert_eq!(drifted.code, Some(6), "{}", drifted.last());
    assert_eq!(found(&drifted), ["duckgalaxy/index.html changed"]);
    let repaired = person.spaceduck(&["repair", "--yes"]);
    assert_eq!(repaired.code, Some(0), "{}", repaired.last());
    assert_eq!(person.spaceduck(&["drift"]).code, Some(0));
    let (_, stored) = person.get(&page);
    assert!(stored.contains("<html"), "{stored}");
}

#[test]
fn a_release_comes_and_an_earlier_one_comes_back() {
    let person = Person::new();
    let installed = person.spaceduck(&["install", "--yes"]);
    assert_eq!(installed.code, Some(0), "{} {}", installed.last(), installed.stderr);
    assert_eq!(person.live(), json!({"version": "1", "memory": 256}));
    let none = person.spaceduck(&["rollback", "--yes"]);
    assert_eq!((none.code, none.last()["kind"].as_str()), (Some(3), Some("refused")));
    drifts_and_is_put_back(&person);
    person.configure(512);
    let planned = person.spaceduck(&["plan"]);
    assert_eq!(planned.last()["outcome"], "planned", "{}", planned.last());
    let changes = planned.lines.iter().filter(|line| line["type"] == "change");
    let named: Vec<&str> = changes.map(|change| text(change, "resource")).collect();
    assert!(named.contains(&"BeakFunction"), "{named:?}");
    assert_eq!(person.live(), json!({"version": "1", "memory": 256}), "a plan changes nothing");
    let upgraded = person.spaceduck(&["upgrade", "--yes"]);
    assert_eq!(upgraded.code, Some(0), "{} {}", upgraded.last(), upgraded.stderr);
    assert_eq!(person.live(), json!({"version": "2", "memory": 512}));
    let back = person.spaceduck(&["rollback", "--yes"]);
    assert_eq!(back.code, Some(0), "{} {}", back.last(), back.stderr);
    assert_eq!(person.live()["memory"], 256);
    works(&person, &back);
}

#[test]
fn an_interrupted_run_is_finished_by_the_next_one() {
    let person = Person::new();
    let install = ["install", "--yes"];
    let creates = |call: &test_cloud::Call| call.name == "cloudformation CreateStack";
    let stopped = person.cut(&install, Moment::After, creates, |child| {
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    });
    assert_eq!(stopped.code, Some(130), "{}", stopped.last());
    assert_eq!(
        (&stopped.last()["type"], &stopped.last()["kind"]),
        (&json!("failed"), &json!("interrupted"))
    );
    let killed = person.killed(&install, Moment::Before, |call| call.name == "s3 PutObject");
    assert_eq!(killed.code, None, "{}", killed.last());
    let installed = person.spaceduck(&install);
    assert_eq!(installed.code, Some(0), "{} {}", installed.last(), installed.stderr);
    works(&person, &installed);
    assert_eq!(person.spaceduck(&install).last()["outcome"], "unchanged");
    let teardown = ["teardown", "--confirm", "spaceduck"];
    let killed = person.killed(&teardown, Moment::After, |call| call.name == "s3 DeleteBucket");
    assert_eq!(killed.code, None, "{}", killed.last());
    let removed = person.spaceduck(&teardown);
    assert_eq!(removed.code, Some(0), "{} {}", removed.last(), removed.stderr);
    assert_eq!(person.account(), json!({}));
}

/// The duckling behind a key, as the galaxy at this address knows it.
fn knows(person: &Person, api: &str, duck: &Value) {
    let (status, me) = person.get_with_key(&format!("{api}/beak/me"), text(duck, "beak_key"));
    assert_eq!((status, &me["duckling_id"]), (200, &duck["duckling_id"]), "{me}");
}

fn tells_its_log(person: &Person, duck: &Value) {
    let word = text(duck, "duckling_id");
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let ran = person.spaceduck(&["logs", "--since", "1h", "--grep", word]);
        assert_eq!(ran.code, Some(0), "{} {}", ran.last(), ran.stderr);
        judge(ran.calls.iter());
        let lines: Vec<&Value> = ran.lines.iter().filter(|line| line["type"] == "log").collect();
        assert!(lines.iter().all(|line| text(line, "text").contains(word)), "{lines:?}");
        if !lines.is_empty() {
            break;
        }
        // What was logged takes its time to be found, in AWS, too.
        assert!(Instant::now() < deadline, "{:?}", ran.lines);
    }
    let all = person.spaceduck(&["logs", "--since", "1h"]);
    assert!(all.lines.iter().filter(|line| line["type"] == "log").count() > 3, "{:?}", all.lines);
}

#[test]
fn data_is_kept_goes_out_and_comes_back() {
    let person = Person::new();
    let done = |arguments: &[&str]| {
        let ran = person.spaceduck(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {} {}", ran.last(), ran.stderr);
        judge(ran.calls.iter());
        ran
    };
    let api = done(&["install", "--yes"]).url("api");
    let swan = person.hatch(&api, "agent@example.com");
    knows(&person, &api, &swan);
    tells_its_log(&person, &swan);
    // Kept while all else goes, and taken up again.
    done(&["teardown", "--keep-data", "--confirm", "spaceduck"]);
    let api = done(&["install", "--yes"]).url("api");
    knows(&person, &api, &swan);
    let file = person.folder.path().join("out.jsonl");
    let file = file.to_str().unwrap();
    done(&["export", file]);
    let refused = person.spaceduck(&["import", file, "--yes"]);
    assert_eq!(refused.code, Some(3), "a galaxy with people takes no others: {}", refused.last());
    // Written down before it goes, and put into a new galaxy, at the second attempt.
    let before = person.folder.path().join("before.jsonl");
    let before = before.to_str().unwrap();
    done(&["teardown", "--confirm", "spaceduck", "--export", before]);
    assert_eq!(person.account(), json!({}));
    let api = done(&["install", "--yes"]).url("api");
    let import = ["import", before, "--yes"];
    let writes = |call: &test_cloud::Call| call.name == "dynamodb BatchWriteItem";
    let killed = person.killed(&import, Moment::After, writes);
    assert_eq!(killed.code, None, "{}", killed.last());
    done(&import);
    knows(&person, &api, &swan);
    let (_, metrics) = person.get(&format!("{api}/beak/metrics"));
    let metrics: Value = serde_json::from_str(&metrics).unwrap();
    assert_eq!(metrics["total_ducklings"], 1, "{metrics}");
    done(&["teardown", "--confirm", "spaceduck", "--no-export"]);
    assert_eq!(person.account(), json!({}));
}

fn works(person: &Person, installed: &Ran) {
    let api = installed.url("api");
    let swan = person.hatch(&api, "agent@example.com");
    let crane = person.hatch(&api, "other@example.com");
    let body = json!({
        "target_duckling_id": crane["duckling_id"], "peck_type": "data.read",
        "message": "Hello from my agent"
    });
    let key = Some(text(&swan, "beak_key"));
    let (status, peck) = person.post(&format!("{api}/beak/peck"), key, &body);
    assert_eq!(status, 201, "{peck}");
    let named = json!({"peck_id": peck["peck_id"]});
    let key = Some(text(&crane, "beak_key"));
    let (status, approved) = person.post(&format!("{api}/beak/approve"), key, &named);
    assert_eq!((status, &approved["trust_tier"]), (200, &json!("T1")), "{approved}");
    let (status, metrics) = person.get(&format!("{api}/beak/metrics"));
    let metrics: Value = serde_json::from_str(&metrics).unwrap();
    assert_eq!((status, &metrics["total_ducklings"]), (200, &json!(2)));
    assert_eq!((&metrics["certs_issued"], &metrics["connections"]), (&json!(4), &json!(1)));
    logs_no_secret(person, &[&swan, &crane]);
    let body = json!({"certificate": swan["certificate"]});
    let (_, judged) = person.post(&format!("{api}/beak/certificates/verify"), None, &body);
    assert_eq!(judged["status"], "superseded", "{judged}");
    for site in ["mightyspaceduck", "duckgalaxy", "duckcontrol", "spaceduckling", "spaceduck-bot"] {
        let url = installed.url(site);
        let (status, page) = person.get(&format!("{url}/"));
        assert_eq!(status, 200, "{site}");
        let bucket = format!("spaceduck-{site}-{}-us-east-1-an", test_cloud::ACCOUNT);
        let (status, stored) = person.get(&format!("{}/{bucket}/index.html", person.cloud.url()));
        assert_eq!((status, stored), (200, page), "{site}");
        let (_, config) = person.get(&format!("{url}/config.json"));
        let config: Value = serde_json::from_str(&config).unwrap();
        assert_eq!(config["api_base"], json!(api));
        assert_eq!(config["turnstile_site_key"], TEST_SITE_KEY);
        assert_eq!(config["sites"][site], json!(url));
    }
}
