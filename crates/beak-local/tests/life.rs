//! What happens to a duckling in its life: tiers, names, letters, exports, an end; and what an
//! interruption leaves behind.

#![expect(clippy::expect_used, reason = "these are tests")]

mod harness;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Galaxy, bond, newest_mail, operator_token, sign_in, text};

fn key(duck: &Value) -> &str {
    text(duck, "beak_key")
}

fn words(events: &Value) -> Vec<&str> {
    let events = events["events"].as_array().expect("a list");
    events.iter().map(|event| text(event, "event")).collect()
}

#[test]
fn a_duckling_climbs_to_t2_by_an_operators_word() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let (swan, crane) = (galaxy.hatch("s@example.com", "S"), galaxy.hatch("c@example.com", "C"));
    let operator = operator_token(&galaxy, data.path());
    let write = json!({"target_duckling_id": crane["duckling_id"], "peck_type": "data.write"});
    let early = galaxy.post("/beak/peck", Some(key(&swan)), &write);
    assert_eq!((early.status, text(&early.json(), "error")), (403, "tier_too_low"));
    let decide = |decision: &str| {
        let body = json!({
            "duckling_id": swan["duckling_id"], "decision": decision, "note": "as agreed"
        });
        galaxy.post("/beak/operator/decide", Some(&operator), &body)
    };
    assert_eq!(decide("grant").status, 409);
    bond(&galaxy, &swan, &crane);
    assert_eq!(galaxy.post("/beak/peck", Some(key(&swan)), &write).status, 201);
    let asked = json!({"statement": "We move data for three teams."});
    assert_eq!(galaxy.post("/beak/tier/request", Some(key(&swan)), &asked).status, 202);
    let ducks = galaxy.get_as("/beak/spaceducks", &operator).json();
    let ducks = ducks["spaceducks"].as_array().expect("a list");
    let waiting: Vec<_> = ducks.iter().filter(|duck| !duck["tier_request"].is_null()).collect();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["tier_request"]["statement"], asked["statement"]);
    assert_eq!(decide("refuse").json()["trust_tier"], "T1");
    assert_eq!(galaxy.get_as("/beak/me", key(&swan)).json()["tier_request"], Value::Null);
    assert_eq!(decide("grant").json()["trust_tier"], "T2");
    assert_eq!(decide("grant").status, 409);
    let certificate = galaxy.get_as("/beak/certificate", key(&swan)).json();
    assert_eq!((text(&certificate, "trust_tier"), text(&certificate, "status")), ("T2", "valid"));
    let own = galaxy.get_as("/beak/audit", key(&swan)).json();
    // Of one moment, so in no order.
    let mut newest = words(&own)[..3].to_vec();
    newest.sort_unstable();
    assert_eq!(newest, ["cert.issued", "operator.decided", "tier.changed"]);
    let other = galaxy.get_as("/beak/audit", key(&crane)).json();
    assert!(!other.to_string().contains("as agreed"), "{other}");
    let all = galaxy.get_as("/beak/audit?limit=100", &operator).json();
    assert_eq!(words(&all).iter().filter(|word| **word == "duck.hatched").count(), 2);
    let status = galaxy.get_as("/beak/system/status", &operator).json();
    assert_eq!(status["fleet"], json!({"alive": 0, "slow": 0, "offline": 2, "is_whole": true}));
    assert_eq!(status["mail"]["sent"], 4, "two codes, two greetings: {status}");
    let plain = galaxy.get("/beak/system/status", &[]).json();
    assert_eq!(plain.as_object().map(serde_json::Map::len), Some(3), "{plain}");
}

#[test]
fn a_duckling_that_goes_leaves_no_bond_and_no_name() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let swan = galaxy.hatch("swan@example.com", "Swansong");
    let (crane, heron) = (galaxy.hatch("c@example.com", "C"), galaxy.hatch("h@example.com", "H"));
    bond(&galaxy, &swan, &crane);
    bond(&galaxy, &heron, &swan);
    for (from, to) in [(&swan, &crane), (&crane, &swan)] {
        let peck = json!({"target_duckling_id": to["duckling_id"], "peck_type": "chat.message"});
        assert_eq!(galaxy.post("/beak/peck", Some(key(from)), &peck).status, 201);
    }
    let name = json!({"display_name": "Black Swansong"});
    let renamed = galaxy.send_as("PATCH", "/beak/me", key(&swan), &name);
    assert_eq!(renamed.json()["display_name"], name["display_name"]);
    let export = galaxy.get_as("/beak/me/export", key(&swan)).json();
    let lengths = ["certificates", "pecks", "events"].map(|n| export[n].as_array().map(Vec::len));
    assert_eq!(lengths[..2], [Some(2), Some(4)], "{export}");
    assert!(lengths[2] > Some(6) && export["is_cut"] == false, "{export}");
    assert_eq!(export["profile"]["email"], "swan@example.com");
    let tokens = sign_in(&galaxy, "swan@example.com");
    let gone = galaxy.send_as("DELETE", "/beak/me", key(&swan), &json!({}));
    assert_eq!((gone.status, gone.json()), (200, json!({"status": "deleted"})));
    assert_eq!(galaxy.get_as("/beak/me", key(&swan)).status, 401);
    assert_eq!(galaxy.get_as("/beak/me", text(&tokens, "access_token")).status, 401);
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(galaxy.post("/beak/refresh", None, &refresh).status, 401);
    let metrics = galaxy.get("/beak/metrics", &[]).json();
    assert_eq!((&metrics["total_ducklings"], &metrics["connections"]), (&json!(2), &json!(0)));
    assert_eq!(
        metrics["pecks"],
        json!({"pending": 0, "approved": 0, "denied": 1, "expired": 0, "revoked": 3})
    );
    assert_eq!(galaxy.get_as("/beak/me", key(&crane)).json()["bonds"], 0);
    let judge = json!({"certificate": swan["certificate"]});
    let judged = galaxy.post("/beak/certificates/verify", None, &judge).json();
    assert_eq!((&judged["valid"], &judged["status"]), (&json!(false), &json!("revoked")));
    let id = text(&swan, "cert_id");
    let public = galaxy.get(&format!("/beak/certificates/{id}"), &[]);
    assert!(public.status == 200 && !public.text.contains("Swansong"), "{}", public.text);
    // The address is free again, and the person's other way out works as well.
    galaxy.hatch("swan@example.com", "Second");
    let token = sign_in(&galaxy, "swan@example.com")["access_token"].clone();
    let token = token.as_str().expect("a token");
    assert_eq!(galaxy.send_as("DELETE", "/beak/me", token, &json!({})).status, 200);
    assert_eq!(galaxy.get_as("/beak/me", token).status, 401);
    assert_eq!(galaxy.get("/beak/metrics", &[]).json()["total_ducklings"], 2);
}

#[test]
fn the_newsletter_comes_only_after_a_confirmation_and_ends_with_one_click() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let reader = json!({"email": "reader@example.com", "captcha_token": "captcha"});
    let offered = galaxy.post("/beak/newsletter", None, &reader);
    assert_eq!((offered.status, text(&offered.json(), "status")), (202, "confirmation_sent"));
    // A second time within the minute: the same answer, no second mail.
    assert_eq!(galaxy.post("/beak/newsletter", None, &reader).json(), offered.json());
    assert_eq!(galaxy.get("/outbox.json", &[]).json().as_array().map(Vec::len), Some(1));
    let no_captcha = json!({"email": "reader@example.com", "captcha_token": ""});
    let refused = galaxy.post("/beak/newsletter", None, &no_captcha);
    assert_eq!(text(&refused.json(), "error"), "captcha_failed");
    let mail = newest_mail(&galaxy, "reader@example.com");
    let header = text(&mail["headers"], "List-Unsubscribe");
    assert_eq!(mail["headers"]["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
    let api = format!("http://localhost:{}", galaxy.port);
    let unsubscribe = header.trim_matches(['<', '>']).strip_prefix(&api).expect("our address");
    let (_, token) = unsubscribe.split_once("?token=").expect("a token");
    galaxy.never_log(token);
    let confirm = format!("/beak/newsletter/confirm?token={token}");
    let html = [("accept", "text/html,*/*")];
    let page = galaxy.get(&confirm, &html);
    assert!(page.status == 200 && page.text.contains("<form method=\"post\">"), "{}", page.text);
    let policy = page.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    let done = galaxy.send("POST", &confirm, &[], b"");
    assert_eq!((done.status, done.json()), (200, json!({"status": "subscribed"})));
    assert!(galaxy.send("POST", &confirm, &html, b"").text.contains("<h1>Done</h1>"));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for _ in 0..2 {
        let ended = galaxy.send("POST", unsubscribe, &form, b"List-Unsubscribe=One-Click");
        assert_eq!((ended.status, ended.json()), (200, json!({"status": "unsubscribed"})));
    }
    assert_eq!(galaxy.send("POST", &confirm, &[], b"").status, 404);
    let unknown = format!("/beak/newsletter/confirm?token={}", "ab".repeat(32));
    assert_eq!(galaxy.send("POST", &unknown, &[], b"").status, 404);
    assert_eq!(galaxy.send("POST", &unknown, &html, b"").status, 404);
    assert_eq!(galaxy.get("/beak/newsletter/confirm?token=x", &[]).status, 400);
    assert_eq!(galaxy.get("/beak/newsletter/confirm", &[]).status, 400);
}

#[test]
fn a_confirmed_person_without_a_duckling_is_not_stranded() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let file = std::fs::read_to_string(data.path().join("operator.txt")).expect("there");
    let (email, password) = file.trim().split_once('\n').expect("two lines");
    // The operator is such a one: confirmed, and without a duckling.
    assert_eq!(galaxy.lay(email, "Boss").status, 202);
    assert_eq!(newest_mail(&galaxy, email)["subject"], "Sign in to hatch your duckling");
    let body = json!({"email": email, "password": password});
    let tokens = galaxy.post("/beak/signin", None, &body).json();
    // A stranger's hatch has left no name behind.
    let token = text(&tokens, "access_token");
    let hatched = galaxy.post("/beak/hatch", Some(token), &json!({"display_name": "Operator"}));
    assert_eq!(hatched.status, 200, "{}", hatched.text);
    let me = galaxy.get_as("/beak/me", text(&hatched.json(), "beak_key")).json();
    assert_eq!(me["display_name"], "Operator");
    let again = galaxy.post("/beak/hatch", Some(token), &json!({"display_name": "Another"}));
    assert_eq!((again.status, text(&again.json(), "error")), (409, "already_exists"));
    let wrong = galaxy.post("/beak/hatch", Some("sda_wrong"), &json!({"display_name": "X"}));
    assert_eq!(wrong.status, 401);
}

#[test]
fn a_lost_signing_key_leaves_old_certificates_good() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let swan = galaxy.hatch("s@example.com", "S");
    assert!(galaxy.stop("-INT").success());
    std::fs::remove_file(data.path().join("certificate.key")).expect("there");
    let galaxy = Galaxy::start(data.path());
    let crane = galaxy.hatch("c@example.com", "C");
    for duck in [&swan, &crane] {
        let judge = json!({"certificate": duck["certificate"]});
        let judged = galaxy.post("/beak/certificates/verify", None, &judge).json();
        assert_eq!(judged["valid"], true, "{judged}");
    }
    let keys = galaxy.get("/beak/jwks.json", &[]).json();
    assert_eq!(keys["keys"].as_array().map(Vec::len), Some(2), "{keys}");
}

#[test]
fn the_log_tells_who_and_what_and_no_more() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let swan = galaxy.hatch("s@example.com", "S");
    let answer = galaxy.get_as("/beak/me", key(&swan));
    let id = answer.headers["x-request-id"].to_str().expect("text");
    let log = galaxy.log();
    let line = log.lines().find(|line| line.contains(id)).expect("a line of the call");
    for part in [text(&swan, "duckling_id"), "route=\"/beak/me\"", "status=200"] {
        assert!(line.contains(part), "{line}");
    }
    // The harness looks for all secrets of all tests when a galaxy ends; here it has some.
    assert!(log.contains("/beak/verify") && log.contains("duckling="), "{log}");
}

/// The watch over the log can bark.
#[test]
#[should_panic(expected = "a secret is in the log")]
fn a_secret_in_the_log_would_be_found() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    galaxy.never_log("/beak/metrics");
    assert_eq!(galaxy.get("/beak/metrics", &[]).status, 200);
}
