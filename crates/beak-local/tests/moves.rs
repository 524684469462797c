//! A galaxy in one folder moves into another: keys, bonds and certificates go with it, passwords
//! don't.

#![expect(clippy::expect_used, reason = "these are tests")]

mod harness;

use std::path::Path;

use beak_local::LocalError;
use beak_local::transfer::{self, Entry};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Galaxy, bond, newest_mail, operator_token, sign_in, text};

const SWAN: &str = "swan@example.com";
const CRANE: &str = "crane@example.com";

fn exported(data: &Path) -> Vec<Entry> {
    let mut entries = Vec::new();
    let take = |entry| {
        entries.push(entry);
        Ok::<_, LocalError>(())
    };
    transfer::export(data, take).expect("an export");
    entries
}

fn import(data: &Path, entries: &[Entry]) -> Result<(), LocalError> {
    transfer::import(data, entries.iter().cloned().map(Ok)).map(|_| ())
}

fn counts(galaxy: &Galaxy) -> Value {
    let mut metrics = galaxy.get("/beak/metrics", &[]).json();
    metrics.as_object_mut().expect("an object").remove("as_of");
    metrics
}

fn judged(galaxy: &Galaxy, certificate: &str) -> Value {
    let body = json!({ "certificate": certificate });
    galaxy.post("/beak/certificates/verify", None, &body).json()
}

#[test]
fn keys_bonds_and_certificates_move_and_passwords_do_not() {
    let (old, new) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let galaxy = Galaxy::start(old.path());
    let (swan, crane) = (galaxy.hatch(SWAN, "Swän"), galaxy.hatch(CRANE, "Crane"));
    let first = text(&swan, "certificate").to_owned();
    let bonded = bond(&galaxy, &swan, &crane);
    let (swan_key, crane_key) = (text(&swan, "beak_key"), text(&crane, "beak_key"));
    let pending = json!({"target_duckling_id": crane["duckling_id"], "peck_type": "chat.message"});
    assert_eq!(galaxy.post("/beak/peck", Some(swan_key), &pending).status, 201);
    galaxy.lay("egg@example.com", "Egg");
    let current = galaxy.get_as("/beak/certificate", swan_key).json();
    let current = text(&current, "certificate").to_owned();
    let events = galaxy.get_as("/beak/audit", swan_key).json();
    let (before, former_keys) = (counts(&galaxy), galaxy.get("/beak/jwks.json", &[]).json());
    let former = format!("http://localhost:{}", galaxy.port);
    assert_eq!(former_keys["issuers"], json!([former]));
    galaxy.stop("-TERM");

    let entries = exported(old.path());
    import(new.path(), &entries).expect("imported");
    let galaxy = Galaxy::start(new.path());
    assert_eq!(counts(&galaxy), before);
    assert_eq!(judged(&galaxy, &current)["valid"], true);
    assert_eq!(judged(&galaxy, &first)["status"], "superseded");
    let keys = galaxy.get("/beak/jwks.json", &[]).json();
    let kid = |keys: &Value| keys["keys"][0]["kid"].clone();
    let kids: Vec<Value> =
        keys["keys"].as_array().expect("keys").iter().map(|k| k["kid"].clone()).collect();
    assert!(kids.contains(&kid(&former_keys)), "{keys}");
    assert_ne!(kid(&keys), kid(&former_keys), "the private key stays behind");
    assert_eq!(keys["issuers"], json!([format!("http://localhost:{}", galaxy.port), former]));
    // The Beak Keys work, the bond holds, and the peck that waits is in the way of another.
    assert_eq!(galaxy.get_as("/beak/audit", swan_key).json(), events);
    let again = galaxy.post("/beak/peck", Some(swan_key), &pending);
    assert_eq!(again.status, 409, "{}", again.text);
    assert_eq!(galaxy.post("/beak/unpeck", Some(crane_key), &bonded).status, 200);
    let password = json!({"email": SWAN, "password": "securepassword123"});
    assert_eq!(galaxy.post("/beak/signin", None, &password).status, 401);
    let forgot = json!({"email": SWAN, "captcha_token": "t"});
    assert!(galaxy.post("/beak/forgot", None, &forgot).status < 300);
    newest_mail(&galaxy, SWAN);
    let code = galaxy.newest_code(SWAN);
    let reset = json!({"email": SWAN, "code": code, "password": "securepassword123"});
    let reset = galaxy.post("/beak/reset", None, &reset);
    assert!(reset.status < 300, "{}", reset.text);
    sign_in(&galaxy, SWAN);
    operator_token(&galaxy, new.path());
    galaxy.stop("-TERM");
}

#[test]
fn a_second_move_carries_the_first_issuer_on() {
    let folders = [(); 3].map(|()| TempDir::new().expect("a folder"));
    let galaxy = Galaxy::start(folders[0].path());
    let swan = galaxy.hatch(SWAN, "Swan");
    let first = format!("http://localhost:{}", galaxy.port);
    galaxy.stop("-TERM");
    for pair in folders.windows(2) {
        import(pair[1].path(), &exported(pair[0].path())).expect("imported");
        let galaxy = Galaxy::start(pair[1].path());
        let keys = galaxy.get("/beak/jwks.json", &[]).json();
        let issuers = keys["issuers"].as_array().expect("a list");
        assert!(issuers.contains(&json!(first)), "{keys}");
        assert_eq!(judged(&galaxy, text(&swan, "certificate"))["valid"], true);
        // Deleted certificates lose their text, and their issuer still counts.
        let key = text(&swan, "beak_key");
        if pair[0].path() == folders[0].path() {
            assert_eq!(galaxy.get_as("/beak/me", key).status, 200);
        }
        galaxy.stop("-TERM");
    }
}

#[test]
fn an_import_is_whole_or_nothing_and_never_mixes() {
    let (old, new) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let galaxy = Galaxy::start(old.path());
    galaxy.hatch(SWAN, "Swan");
    let running = transfer::export(old.path(), |_| Ok::<_, LocalError>(()));
    assert!(matches!(running, Err(LocalError::InUse(_))), "{running:?}");
    galaxy.stop("-TERM");
    let entries = exported(old.path());
    let unknown = json!({"pk": {"S": "moon#1"}, "sk": {"S": "guard"}});
    let newer = Entry::Item { table: "ledger".into(), item: unknown };
    let garbled = Entry::Item { table: "ducklings".into(), item: json!({"email": {"S": "x"}}) };
    let elsewhere = Entry::Item { table: "moons".into(), item: json!({}) };
    for (bad, word) in [(newer, "moon"), (garbled, "cert_status"), (elsewhere, "moons")] {
        let mut entries = entries.clone();
        entries.push(bad);
        match import(new.path(), &entries) {
            Err(LocalError::Unfit(why)) => assert!(why.contains(word), "{why}"),
            other => panic!("{word}: {other:?}"),
        }
    }
    let cut = entries.iter().cloned().map(Ok).chain([Err(LocalError::Broken("cut off".into()))]);
    assert!(transfer::import(new.path(), cut).is_err());
    assert!(exported(new.path()).iter().all(|entry| !matches!(entry, Entry::Person { .. })));
    import(new.path(), &entries).expect("nothing was left in the way");
    let twice = import(new.path(), &entries);
    assert!(matches!(twice, Err(LocalError::Occupied(_))), "{twice:?}");
    let nothing = transfer::export(&new.path().join("x"), |_| Ok::<_, LocalError>(()));
    assert!(matches!(nothing, Err(LocalError::NoGalaxy(_))), "{nothing:?}");
}

/// What a Lambda function may answer: 6 MB, as AWS counts them.
const ANSWER: usize = 6_291_556;

/// Anyone can fill the list of another: each peck with the longest message, and all of them settled.
#[test]
fn a_long_history_fits_the_answer_of_a_function() {
    let (old, new) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let galaxy = Galaxy::start(old.path());
    let (swan, crane) = (galaxy.hatch(SWAN, "Swan"), galaxy.hatch(CRANE, "Crane"));
    let peck = json!({
        "target_duckling_id": crane["duckling_id"],
        "peck_type": "chat.message",
        "message": "\u{1F986}".repeat(500),
    });
    let peck = galaxy.post("/beak/peck", Some(text(&swan, "beak_key")), &peck).json();
    let crane_key = text(&crane, "beak_key");
    let denied = galaxy.post("/beak/deny", Some(crane_key), &json!({"peck_id": peck["peck_id"]}));
    assert_eq!(denied.status, 200, "{}", denied.text);
    galaxy.stop("-TERM");
    let mut entries = exported(old.path());
    let item = entries.iter().find_map(|entry| match entry {
        Entry::Item { table, item } if table == "pecks" => Some(item.clone()),
        _ => None,
    });
    let item = item.expect("the peck");
    let id = text(&peck, "peck_id");
    for number in 1000..5000 {
        let mut item = item.clone();
        item["peck_id"]["S"] = json!(format!("{}{number}", &id[..id.len() - 4]));
        entries.push(Entry::Item { table: "pecks".into(), item });
    }
    import(new.path(), &entries).expect("imported");
    let galaxy = Galaxy::start(new.path());
    let export = galaxy.get_as("/beak/me/export", crane_key);
    assert_eq!(export.status, 200);
    assert!(export.text.len() < ANSWER, "{} bytes", export.text.len());
    let is_cut = export.json();
    assert_eq!(is_cut["is_cut"], true);
    let listed = galaxy.get_as("/beak/pecks?limit=100", crane_key);
    assert_eq!(listed.json()["pecks"].as_array().map(Vec::len), Some(100));
    assert!(listed.text.len() < ANSWER, "{} bytes", listed.text.len());
    galaxy.stop("-TERM");
}
