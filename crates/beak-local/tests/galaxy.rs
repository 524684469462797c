//! The program itself, from outside: HTTP in, HTTP out, signals, restarts.

#![expect(clippy::expect_used, reason = "these are tests")]

mod harness;

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output};

use redb::ReadableTable as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Galaxy, cramped, operator_token, program, text};

#[test]
fn the_seeds_calls_work_from_hatch_to_bond() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let swan = galaxy.hatch("agent@example.com", "My First Duck");
    let crane = galaxy.hatch("Other@Example.com", "Crane");
    let (swan_key, crane_key) = (text(&swan, "beak_key"), text(&crane, "beak_key"));
    assert_eq!(text(&swan, "trust_tier"), "T0");
    let peck = json!({
        "target_duckling_id": crane["duckling_id"],
        "peck_type": "data.read",
        "message": "Hello from my agent"
    });
    let asked = galaxy.post("/beak/peck", Some(swan_key), &peck);
    assert_eq!((asked.status, text(&asked.json(), "status")), (201, "pending"));
    let again = galaxy.post("/beak/peck", Some(swan_key), &peck);
    assert_eq!((again.status, text(&again.json(), "error")), (409, "already_exists"));
    let named = json!({"peck_id": asked.json()["peck_id"]});
    let own = galaxy.post("/beak/approve", Some(swan_key), &named);
    assert_eq!((own.status, text(&own.json(), "error")), (403, "forbidden"));
    let approved = galaxy.post("/beak/approve", Some(crane_key), &named);
    assert_eq!(approved.status, 200, "{}", approved.text);
    assert_eq!(text(&approved.json(), "trust_tier"), "T1");
    let late = galaxy.post("/beak/deny", Some(crane_key), &named);
    assert_eq!((late.status, text(&late.json(), "status")), (409, "approved"));
    let metrics = galaxy.get("/beak/metrics", &[]).json();
    let counts = ["total_ducklings", "certs_issued", "connections"].map(|n| metrics[n].as_u64());
    assert_eq!(counts, [Some(2), Some(4), Some(1)], "{metrics}");
    let ended = galaxy.post("/beak/unpeck", Some(swan_key), &named);
    assert_eq!(ended.json(), json!({"status": "revoked"}));
    let operator = operator_token(&galaxy, data.path());
    let ducks = galaxy.get_as("/beak/spaceducks", &operator).json();
    assert_eq!(ducks["spaceducks"].as_array().map(Vec::len), Some(2), "{ducks}");
    assert_eq!(galaxy.get_as("/beak/spaceducks", swan_key).status, 403);
    let nobody = galaxy.get("/beak/spaceducks", &[]);
    assert_eq!(nobody.status, 401);
    assert_eq!(nobody.headers["www-authenticate"], "Bearer");
}

#[test]
fn an_address_tells_nobody_whether_it_is_known() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    galaxy.hatch("known@example.com", "Known");
    let mut answers = Vec::new();
    for email in ["known@example.com", "new@example.com"] {
        let body = json!({
            "email": email, "password": "another good one",
            "display_name": "X", "captcha_token": "t"
        });
        let hatched = galaxy.post("/beak/hatch", None, &body);
        let wrong = galaxy.post("/beak/verify", None, &json!({"email": email, "code": "000000"}));
        let wrong = json!({"error": wrong.json()["error"], "message": wrong.json()["message"]});
        let body = json!({"email": email, "password": "wrong password"});
        let signin = galaxy.post("/beak/signin", None, &body);
        answers.push((hatched.status, hatched.json()["status"].clone(), wrong, signin.status));
    }
    // A right guess would be one in a million.
    assert_eq!(answers[0], answers[1]);
    // The known one's was mailed a code within the same minute, so no second mail comes.
    let mails = galaxy.get("/outbox.json", &[]).json();
    let to = |email: &str| {
        let mails = mails.as_array().expect("a list").iter();
        mails.filter(|mail| mail["to"] == email).count()
    };
    assert_eq!((to("known@example.com"), to("new@example.com")), (2, 1), "{mails}");
    // The known one's password is still the first.
    let body = json!({"email": "known@example.com", "password": "securepassword123"});
    assert_eq!(galaxy.post("/beak/signin", None, &body).status, 200);
}

#[test]
fn five_wrong_codes_end_the_right_one() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let body = json!({
        "email": "a@example.com", "password": "a good password", "display_name": "A",
        "captcha_token": "t"
    });
    assert_eq!(galaxy.post("/beak/hatch", None, &body).status, 202);
    let code = galaxy.newest_code("a@example.com");
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let try_code = |code: &str| {
        let body = json!({"email": "a@example.com", "code": code});
        text(&galaxy.post("/beak/verify", None, &body).json(), "error").to_owned()
    };
    for _ in 0..5 {
        assert_eq!(try_code(wrong), "otp_mismatch");
    }
    // An attempt has five tries; another one has tries of its own, for the same code.
    assert_eq!(try_code(&code), "otp_expired");
    let another = galaxy.post("/beak/hatch", None, &body).json();
    assert_eq!(try_code(&code), "rate_limited", "five guesses an hour");
    let resend = |body: &Value| galaxy.post("/beak/resend", None, body);
    let answer = resend(&json!({"email": "a@example.com", "hatch_id": another["hatch_id"]}));
    assert_eq!(answer.status, 202, "within the minute, without a mail");
    assert_eq!(galaxy.newest_code("a@example.com"), code);
    let answer = resend(&json!({"email": "a@example.com"}));
    assert_eq!((answer.status, text(&answer.json(), "error")), (400, "captcha_failed"));
}

/// The seed's two lines, by which nobody but the code says who verifies, against a stranger.
#[test]
fn a_contested_hatch_needs_a_new_password() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let email = "a@example.com";
    let stranger = json!({
        "email": email, "password": "a stranger's password", "display_name": "Stranger",
        "captcha_token": "t"
    });
    assert_eq!(galaxy.post("/beak/hatch", None, &stranger).status, 202);
    let hatched = galaxy.hatch(email, "Own");
    assert_eq!(hatched["password_reset_required"], true);
    let me = galaxy.get_as("/beak/me", text(&hatched, "beak_key")).json();
    assert_eq!(me["display_name"], "Duckling");
    for password in ["a stranger's password", "securepassword123"] {
        let body = json!({"email": email, "password": password});
        assert_eq!(galaxy.post("/beak/signin", None, &body).status, 401, "{password}");
    }
    let asked = json!({"email": email, "captcha_token": "t"});
    assert_eq!(galaxy.post("/beak/forgot", None, &asked).status, 202);
    let code = galaxy.newest_code(email);
    let reset = json!({"email": email, "code": code, "password": "chosen by the owner"});
    assert_eq!(galaxy.post("/beak/reset", None, &reset).status, 200);
    let body = json!({"email": email, "password": "chosen by the owner"});
    assert_eq!(galaxy.post("/beak/signin", None, &body).status, 200);
}

/// Whoever asks for codes for an address and tries wrong ones gets the same answers, known or not.
#[test]
fn wrong_codes_tell_nobody_whether_an_address_is_known() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    galaxy.hatch("known@example.com", "Known");
    // Without the request's id, which is each call's own.
    let said = |answer: &harness::Answer| {
        let mut body = answer.json();
        body.as_object_mut().expect("an object").remove("request_id");
        (answer.status, body)
    };
    let answers = |email: &str| {
        let mut answers = Vec::new();
        let mut call = |path: &str, body: &Value| {
            answers.push(said(&galaxy.post(path, None, body)));
        };
        let code = json!({"email": email, "code": "000000"});
        let mut reset = code.clone();
        reset["password"] = json!("another good one");
        let address = json!({"email": email, "captcha_token": "t"});
        call("/beak/reset", &reset);
        call("/beak/forgot", &address);
        (0..7).for_each(|_| call("/beak/reset", &reset));
        call("/beak/resend", &address);
        (0..7).for_each(|_| call("/beak/verify", &code));
        call("/beak/forgot", &address);
        call("/beak/resend", &address);
        answers
    };
    let (known, unknown) = (answers("known@example.com"), answers("unknown@example.com"));
    assert_eq!(known, unknown);
    let count = |status| known.iter().filter(|(found, _)| *found == status).count();
    assert_eq!((count(202), count(400), count(429)), (4, 11, 4), "{known:?}");
}

#[test]
fn bad_requests_are_told_apart() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let good = json!({
        "email": "a@example.com", "password": "a good password", "display_name": "A",
        "captcha_token": "t"
    });
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    let mut without = good.clone();
    without.as_object_mut().expect("an object").remove("email");
    let cases = [
        (with("email", json!("nobody")), 400, "invalid_request", "email"),
        (with("email", json!(5)), 400, "invalid_request", "email"),
        (without, 400, "invalid_request", "email"),
        (with("colour", json!("blue")), 400, "invalid_request", "colour"),
        (with("password", json!("short")), 422, "weak_password", "password"),
        (with("display_name", json!("")), 400, "invalid_request", "display_name"),
        (with("captcha_token", json!("")), 400, "captcha_failed", "captcha_token"),
    ];
    for (body, status, error, field) in cases {
        let answer = galaxy.post("/beak/hatch", None, &body);
        let problem = answer.json();
        assert_eq!(answer.status, status, "{body} {problem}");
        assert_eq!((text(&problem, "error"), text(&problem, "field")), (error, field));
        assert!(text(&problem, "request_id").starts_with("req_"));
    }
    let large = with("display_name", json!("x".repeat(17 * 1024)));
    assert_eq!(galaxy.post("/beak/hatch", None, &large).status, 413);
    assert_eq!(galaxy.get("/beak/hatch", &[]).status, 405);
    assert_eq!(galaxy.get_as("/beak/me", "sd_bk_your_key_here").status, 401);
    assert_eq!(galaxy.get("/beak/certificates/nonsense", &[]).status, 404);
}

#[test]
fn certificates_verify_and_follow_the_tier() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let swan = galaxy.hatch("a@example.com", "A");
    let crane = galaxy.hatch("b@example.com", "B");
    let judge = |certificate: &str| {
        let body = json!({"certificate": certificate});
        galaxy.post("/beak/certificates/verify", None, &body).json()
    };
    let first = text(&swan, "certificate");
    assert_eq!(judge(first)["valid"], true);
    assert_eq!(judge(&first.replace('.', ".x"))["valid"], false);
    let peck = json!({"target_duckling_id": crane["duckling_id"], "peck_type": "data.read"});
    let asked = galaxy.post("/beak/peck", Some(text(&swan, "beak_key")), &peck).json();
    let named = json!({"peck_id": asked["peck_id"]});
    galaxy.post("/beak/approve", Some(text(&crane, "beak_key")), &named);
    let judged = judge(first);
    assert_eq!((&judged["valid"], &judged["status"]), (&json!(false), &json!("superseded")));
    let current = galaxy.get_as("/beak/certificate", text(&swan, "beak_key")).json();
    assert_eq!(judge(text(&current, "certificate"))["trust_tier"], "T1");
    let id = text(&current, "cert_id");
    let public = galaxy.get(&format!("/beak/certificates/{id}"), &[]);
    assert!(!public.text.contains("email") && !public.text.contains("eyJ"), "{}", public.text);
    let keys = galaxy.get("/beak/jwks.json", &[]).json();
    assert_eq!(keys["keys"][0]["crv"], "Ed25519");
}

#[test]
fn everything_is_kept_over_a_stop_and_a_kill() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let swan = galaxy.hatch("a@example.com", "A");
    let key = text(&swan, "beak_key");
    let certificate = json!({"certificate": swan["certificate"]});
    assert!(galaxy.stop("-INT").success());
    for (signal, in_order) in [("-KILL", false), ("-TERM", true)] {
        let galaxy = Galaxy::start(data.path());
        let me = galaxy.get_as("/beak/me", key).json();
        assert_eq!(me["duckling_id"], swan["duckling_id"]);
        assert_eq!(galaxy.get("/beak/metrics", &[]).json()["total_ducklings"], 1);
        assert_eq!(galaxy.get("/outbox.json", &[]).json().as_array().map(Vec::len), Some(2));
        let judged = galaxy.post("/beak/certificates/verify", None, &certificate).json();
        assert_eq!(judged["valid"], true);
        assert_eq!(galaxy.stop(signal).success(), in_order);
    }
}

#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let data = TempDir::new().expect("a folder");
    let said = refusal(&mut cramped(data.path(), 0));
    assert!(said.starts_with("error: the data folder can't be used: "), "{said}");
    assert!(said.contains("help: make room"), "{said}");
    let galaxy = Galaxy::start(data.path());
    let swan = galaxy.hatch("swan@example.com", "Swan");
    assert!(galaxy.stop("-INT").success());

    let file = data.path().join("galaxy.redb");
    let size = std::fs::metadata(&file).expect("there").len();
    let galaxy = Galaxy::run(&mut cramped(data.path(), size / 512 + 1024));
    let eggs = |galaxy: &Galaxy| galaxy.get("/beak/metrics", &[]).json()["eggs"].as_u64();
    let mut laid = 0;
    let refused = loop {
        let answer = galaxy.lay(&format!("egg{laid}@example.com"), "Egg");
        if answer.status != 202 {
            break answer;
        }
        laid += 1;
        assert!(laid < 2000, "the disk never gets full");
    };
    assert_eq!(
        (refused.status, text(&refused.json(), "error").to_owned()),
        (503, "unavailable".to_owned())
    );
    assert!(laid > 0);
    let status = || text(&galaxy.get("/beak/system/status", &[]).json(), "status").to_owned();
    assert_eq!(status(), "degraded");
    // The last one may be laid and only its mail be lost: a second try then sends it.
    let kept = eggs(&galaxy).expect("a number");
    assert!(kept == laid || kept == laid + 1, "{kept} eggs of {laid}");
    assert_eq!(galaxy.get_as("/beak/me", text(&swan, "beak_key")).status, 200);
    // Only Linux can make room for a program that already runs.
    #[cfg(target_os = "linux")]
    {
        let id = galaxy.id().to_string();
        let room = Command::new("prlimit").args(["--fsize=unlimited:", "--pid", &id]).status();
        assert!(room.expect("prlimit of util-linux").success());
        assert_eq!(status(), "operational");
        assert_eq!(galaxy.lay("again@example.com", "Again").status, 202);
    }
    let kept = eggs(&galaxy);
    assert!(galaxy.stop("-INT").success());

    let galaxy = Galaxy::start(data.path());
    assert_eq!(eggs(&galaxy), kept);
    galaxy.hatch("duck@example.com", "Duck");
    assert_eq!(galaxy.get("/beak/metrics", &[]).json()["total_ducklings"], 2);
}

#[test]
fn an_exchanged_key_is_dead_at_once() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let swan = galaxy.hatch("a@example.com", "A");
    let old = text(&swan, "beak_key");
    let rotated = galaxy.post("/beak/keys/rotate", Some(old), &json!({})).json();
    assert_eq!(galaxy.get_as("/beak/me", old).status, 401);
    assert_eq!(galaxy.get_as("/beak/me", text(&rotated, "beak_key")).status, 200);
}

fn refusal(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("it runs");
    assert_eq!((status.code(), stdout.len()), (Some(1), 0));
    String::from_utf8(stderr).expect("text")
}

#[test]
fn a_start_that_cannot_be_says_why() {
    let data = TempDir::new().expect("a folder");
    let shown = data.path().display().to_string();
    let galaxy = Galaxy::start(data.path());
    assert_eq!(
        refusal(&mut program(data.path(), 0)),
        format!(
            "error: another galaxy is running on the data folder `{shown}`\n\
             help: stop that one first, or name another folder with --data\n"
        )
    );
    let other = TempDir::new().expect("a folder");
    let (taken, next) = (galaxy.port, galaxy.port + 1);
    assert_eq!(
        refusal(&mut program(other.path(), taken)),
        format!(
            "error: port {taken} is taken by another program\n\
             help: choose another one: --port {next}, or --port 0 for any free one\n"
        )
    );
    let file = other.path().join("file");
    std::fs::write(&file, "in the way").expect("written");
    let text = refusal(&mut program(&file, 0));
    assert!(
        text.starts_with(&format!("error: the data folder can't be used: `{}`", file.display()))
    );
    let damaged = TempDir::new().expect("a folder");
    std::fs::write(damaged.path().join("galaxy.redb"), "no database").expect("written");
    let text = refusal(&mut program(damaged.path(), 0));
    assert!(text.contains("galaxy.redb` is damaged"), "{text}");
}

#[test]
fn an_entry_that_can_not_be_read_is_no_mistake_of_the_program() {
    let data = TempDir::new().expect("a folder");
    drop(Galaxy::start(data.path()));
    let file = data.path().join("galaxy.redb");
    let people: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new("people");
    let database = redb::Database::create(&file).expect("the database");
    let writing = database.begin_write().expect("a transaction");
    let mut table = writing.open_table(people).expect("the table");
    let key = table.first().expect("read").expect("the first operator").0.value().to_owned();
    table.insert(&*key, &b"{}"[..]).expect("written");
    drop(table);
    writing.commit().expect("kept");
    drop(database);
    let text = refusal(&mut program(data.path(), 0));
    assert!(text.contains("galaxy.redb` is damaged: an entry can't be read: "), "{text}");
    assert!(text.contains("put a copy of the folder back"), "{text}");
}

#[test]
fn each_site_answers_under_its_own_name() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let named = |site: &str| format!("{site}.localhost:{}", galaxy.port);
    for site in ["mightyspaceduck", "duckgalaxy", "duckcontrol", "spaceduckling", "spaceduck-bot"] {
        let host = named(site);
        let page = galaxy.get("/", &[("host", &host)]);
        assert_eq!(page.status, 200, "{site}");
        assert!(page.text.starts_with("<!doctype html>"), "{site}");
        let etag = page.headers["etag"].to_str().expect("text").to_owned();
        let again = galaxy.get("/", &[("host", &host), ("if-none-match", &etag)]);
        assert_eq!((again.status, again.text.len()), (304, 0));
        let policy = page.headers["content-security-policy"].to_str().expect("text");
        assert!(policy.contains(&format!("connect-src 'self' http://localhost:{}", galaxy.port)));
        let config = galaxy.get("/config.json", &[("host", &host)]).json();
        assert_eq!(config["api_base"], format!("http://localhost:{}", galaxy.port));
        assert_eq!(galaxy.get("/nothing", &[("host", &host)]).status, 404);
        // The API has one name only, so that a page of a site is never its own origin.
        assert_eq!(galaxy.get("/beak/metrics", &[("host", &host)]).status, 404);
    }
    // A page's folder may be named with its slash or without.
    let host = named("duckgalaxy");
    let [page, bare] = ["/errors/", "/errors"].map(|path| galaxy.get(path, &[("host", &host)]));
    assert_eq!((page.status, &page.text), (200, &bare.text));
    assert!(page.text.contains("id=\"conflict\""), "{}", page.text);
    let five = galaxy.get("/sites/", &[("host", &host)]);
    let address = format!("href=\"http://spaceduckling.localhost:{}/\"", galaxy.port);
    assert!(five.text.contains(&address), "{}", five.text);
    assert_eq!(galaxy.get("/", &[("host", "evil.example")]).status, 421);
    assert_eq!(galaxy.get("/beak/metrics", &[("host", "evil.example")]).status, 421);
    assert!(galaxy.get("/outbox", &[]).text.contains("No mail yet"));
}

#[test]
fn what_others_may_not_read_they_can_not() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = TempDir::new().expect("a folder");
    // Whatever a folder is that was there before.
    let open = parent.path().join("open");
    std::fs::create_dir(&open).expect("made");
    let everybody = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&open, everybody).expect("set");
    std::fs::write(open.join("galaxy.redb"), "").expect("written");
    drop(Galaxy::start(&open));
    let data = parent.path().join("new");
    let galaxy = Galaxy::start(&data);
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for folder in [&open, &data] {
        for file in ["certificate.key", "token.key", "factor.key", "operator.txt", "galaxy.redb"] {
            assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
        }
    }
    drop(galaxy);
    let mut database = Vec::new();
    let file = std::fs::File::open(data.join("galaxy.redb"));
    file.expect("there").read_to_end(&mut database).expect("read");
    let operator = std::fs::read_to_string(data.join("operator.txt")).expect("there");
    let password = operator.lines().nth(1).expect("two lines").as_bytes();
    assert!(!database.windows(password.len()).any(|window| window == password));
}
