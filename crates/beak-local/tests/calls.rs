//! Every call with every kind of caller, with bad input, and too often.

#![expect(clippy::expect_used, reason = "these are tests")]

mod harness;

use std::collections::BTreeMap;

use beak_api::{Row, table};
use beak_core::access::Who;
use beak_core::tier::Tier;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Answer, Galaxy, bond, limited, operator_token, sign_in, text};

/// The protocol's own table: call, who, from which tier.
const PROTOCOL: [(&str, &str, &str); 48] = [
    ("POST /beak/hatch", "anyone", "T0"),
    ("POST /beak/verify", "anyone", "T0"),
    ("POST /beak/resend", "anyone", "T0"),
    ("POST /beak/signin", "anyone", "T0"),
    ("POST /beak/refresh", "anyone", "T0"),
    ("POST /beak/signout", "person", "T0"),
    ("POST /beak/forgot", "anyone", "T0"),
    ("POST /beak/reset", "anyone", "T0"),
    ("POST /beak/signin/totp", "anyone", "T0"),
    ("GET /beak/me/totp", "person", "T0"),
    ("POST /beak/me/totp", "person", "T0"),
    ("POST /beak/me/totp/confirm", "person", "T0"),
    ("DELETE /beak/me/totp", "person", "T0"),
    ("GET /beak/me", "key or person", "T0"),
    ("PATCH /beak/me", "key or person", "T0"),
    ("DELETE /beak/me", "key or person", "T0"),
    ("GET /beak/me/export", "key or person", "T0"),
    ("POST /beak/keys/rotate", "key or person", "T0"),
    ("POST /beak/pulse", "key", "T0"),
    ("POST /beak/tier/request", "key", "T1"),
    ("POST /beak/me/blocks", "key", "T0"),
    ("DELETE /beak/me/blocks/{duckling_id}", "key", "T0"),
    ("GET /beak/ducks/{duckling_id}", "key", "T0"),
    ("POST /beak/peck", "key", "T0"),
    ("GET /beak/pecks", "key", "T0"),
    ("GET /beak/pecks/{peck_id}", "key", "T0"),
    ("POST /beak/approve", "key", "T0"),
    ("POST /beak/deny", "key", "T0"),
    ("POST /beak/unpeck", "key", "T0"),
    ("GET /beak/certificate", "key", "T0"),
    ("GET /beak/certificates/{cert_id}", "anyone", "T0"),
    ("POST /beak/certificates/verify", "anyone", "T0"),
    ("GET /beak/jwks.json", "anyone", "T0"),
    ("GET /beak/metrics", "anyone", "T0"),
    ("GET /beak/system/status", "anyone, more for an operator", "T0"),
    ("GET /beak/audit", "key (own) or operator (all)", "T0"),
    ("GET /beak/openapi.json", "anyone", "T0"),
    ("GET /beak/spaceducks", "operator", "T0"),
    ("POST /beak/operator/decide", "operator", "T0"),
    ("GET /beak/operator/tier-requests", "operator", "T0"),
    ("POST /beak/operator/ducks/{duckling_id}/suspend", "operator", "T0"),
    ("POST /beak/operator/ducks/{duckling_id}/restore", "operator", "T0"),
    ("POST /beak/operator/ducks/{duckling_id}/remove", "operator", "T0"),
    ("POST /beak/newsletter", "anyone", "T0"),
    ("GET /beak/newsletter/confirm", "anyone", "T0"),
    ("POST /beak/newsletter/confirm", "anyone", "T0"),
    ("GET /beak/newsletter/unsubscribe", "anyone", "T0"),
    ("POST /beak/newsletter/unsubscribe", "anyone", "T0"),
];

/// A kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nobody,
    /// A credential that can't be one, or that opens nothing.
    Wrong,
    Agent(Tier),
    Owner,
    Operator,
}

/// What the gate has to say to a caller; `None` where it lets in.
fn refusal(row: &Row, kind: Kind) -> Option<(u16, &'static str)> {
    let unauthorized = Some((401, "unauthorized"));
    let forbidden = Some((403, "forbidden"));
    match (row.who, kind) {
        (Who::Anyone, _) | (Who::AnyoneMoreForOperators, Kind::Nobody) => None,
        (_, Kind::Nobody | Kind::Wrong) => unauthorized,
        (
            Who::Key | Who::KeyOrPerson | Who::KeyOrPersonLeaving | Who::KeyOrOperator,
            Kind::Agent(tier),
        ) => (tier < row.tier).then_some((403, "tier_too_low")),
        (Who::AnyoneMoreForOperators, _)
        | (Who::KeyOrPerson | Who::KeyOrPersonLeaving | Who::Person, Kind::Owner)
        | (
            Who::Operator | Who::KeyOrOperator | Who::KeyOrPersonLeaving | Who::Person,
            Kind::Operator,
        ) => None,
        // An operator is a person, here one without a duckling.
        _ => forbidden,
    }
}

fn foreign_tokens() -> Vec<String> {
    // {"alg":"none"} and {"alg":"HS256"}, with claims that look like Cognito's, and no signature
    // or a wrong one.
    let claims =
        "eyJzdWIiOiJ4IiwidG9rZW5fdXNlIjoiYWNjZXNzIiwiY29nbml0bzpncm91cHMiOlsib3BlcmF0b3JzIl19";
    vec![
        format!("eyJhbGciOiJub25lIn0.{claims}."),
        format!("eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl"),
        "sda_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into(),
        format!("sdt_AQ{}", "A".repeat(200)),
        "x".repeat(9000),
    ]
}

#[test]
fn the_table_is_the_protocols() {
    let ours: BTreeMap<_, _> = table()
        .into_iter()
        .map(|row| (format!("{} {}", row.method, row.path), (row.who.words(), row.tier.word())))
        .collect();
    let protocol: BTreeMap<_, _> =
        PROTOCOL.into_iter().map(|(call, who, tier)| (call.to_owned(), (who, tier))).collect();
    assert_eq!(ours, protocol);
}

#[test]
fn every_call_lets_in_whom_it_is_for_and_nobody_else() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let swan = galaxy.hatch("swan@example.com", "Swan");
    let (crane, heron) = (galaxy.hatch("c@example.com", "C"), galaxy.hatch("h@example.com", "H"));
    bond(&galaxy, &crane, &heron);
    let operator = operator_token(&galaxy, data.path());
    let decision = json!({"duckling_id": heron["duckling_id"], "decision": "grant"});
    assert_eq!(galaxy.post("/beak/operator/decide", Some(&operator), &decision).status, 200);
    let key = |duck: &Value| text(duck, "beak_key").to_owned();
    let owner = text(&sign_in(&galaxy, "swan@example.com"), "access_token").to_owned();
    let mut changed = key(&swan).into_bytes();
    changed[20] = if changed[20] == b'x' { b'y' } else { b'x' };
    let mut callers = vec![
        (Kind::Nobody, None),
        (Kind::Wrong, Some(String::from_utf8(changed).expect("text"))),
        (Kind::Agent(Tier::T0), Some(key(&swan))),
        (Kind::Agent(Tier::T1), Some(key(&crane))),
        (Kind::Agent(Tier::T2), Some(key(&heron))),
        (Kind::Owner, Some(owner)),
        (Kind::Operator, Some(operator)),
    ];
    callers.extend(foreign_tokens().into_iter().map(|token| (Kind::Wrong, Some(token))));
    let before = galaxy.get("/beak/metrics", &[]).json();
    for row in table() {
        let path = row
            .path
            .replace("{peck_id}", "pck_00000000000000000000000000")
            .replace("{duckling_id}", "dkl_00000000000000000000000000")
            .replace("{cert_id}", "crt_00000000000000000000000000");
        for (kind, credential) in &callers {
            let bearer = credential.as_ref().map(|credential| format!("Bearer {credential}"));
            let mut headers = vec![("content-type", "application/json")];
            headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
            // A field that no call has: whoever is let in changes nothing.
            let body: &[u8] = if row.method == "GET" { b"" } else { br#"{"x":1}"# };
            let answer = galaxy.send(row.method.as_str(), &path, &headers, body);
            let case = format!("{} {path} {kind:?}: {} {}", row.method, answer.status, answer.text);
            match refusal(&row, *kind) {
                Some((status, error)) => {
                    assert_eq!(answer.status, status, "{case}");
                    assert_eq!(text(&answer.json(), "error"), error, "{case}");
                    let told = answer.headers.get("www-authenticate").is_some();
                    assert_eq!(told, status == 401, "{case}");
                }
                None => assert!(![401, 403, 429, 500, 503].contains(&answer.status), "{case}"),
            }
        }
    }
    let after = galaxy.get("/beak/metrics", &[]).json();
    for name in ["total_ducklings", "certs_issued", "connections", "eggs", "pecks"] {
        assert_eq!(before[name], after[name], "{name}");
    }
}

fn is_problem(answer: &Answer, status: u16, error: &str, case: &str) {
    assert_eq!(answer.status, status, "{case}: {}", answer.text);
    let problem = answer.json();
    let problem = problem.as_object().expect("an object");
    assert_eq!(problem["error"], error, "{case}: {problem:?}");
    let known = ["error", "message", "request_id", "field", "status"];
    assert!(problem.keys().all(|name| known.contains(&name.as_str())), "{problem:?}");
    let message = problem["message"].as_str().expect("a sentence");
    assert!(!message.is_empty() && message.len() < 200, "{message}");
}

/// A running galaxy with a duckling of tier T1, whose fields are tried.
struct Trial {
    galaxy: Galaxy,
    swan: Value,
    crane: Value,
    _data: TempDir,
}

impl Trial {
    fn new() -> Self {
        let data = TempDir::new().expect("a folder");
        let galaxy = Galaxy::start(data.path());
        let (swan, crane) =
            (galaxy.hatch("s@example.com", "S"), galaxy.hatch("c@example.com", "C"));
        bond(&galaxy, &swan, &crane);
        Self { galaxy, swan, crane, _data: data }
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        self.galaxy.post(path, Some(text(&self.swan, "beak_key")), body)
    }

    /// Whatever else is said, it is not this field that is at fault.
    fn good(&self, path: &str, body: &Value, field: &str) {
        let answer = self.post(path, body);
        let named = answer.json()["field"] == field;
        assert!(!named && answer.status != 500, "{path} {body}: {}", answer.text);
    }

    fn bad(&self, path: &str, body: &Value, field: &str, error: &str) {
        let answer = self.post(path, body);
        let status = if error == "weak_password" { 422 } else { 400 };
        is_problem(&answer, status, error, &format!("{path} {body}"));
        assert_eq!(answer.json()["field"], field, "{path} {body}");
    }
}

fn long(n: usize) -> String {
    "x".repeat(n)
}

#[test]
fn every_field_of_a_hatch_is_read_at_its_limits() {
    let trial = Trial::new();
    let local = long(64);
    // 254 octets in all, each label at most 63.
    let domain = format!("{}.{}.{}.com", long(60), long(60), long(60));
    let hatch = |field: &str, value: Value| {
        let mut body = json!({
            "email": "new@example.com", "password": "a good password", "display_name": "New",
            "captcha_token": "captcha"
        });
        body[field] = value;
        body
    };
    for email in [format!("{local}@example.com"), format!("a@{domain}")] {
        trial.good("/beak/hatch", &hatch("email", json!(email)), "email");
    }
    let emails =
        [format!("{local}x@example.com"), format!("{local}@{domain}{domain}"), String::new()];
    for email in
        emails.iter().map(String::as_str).chain(["a", "a@b", "a b@c.de", "ä@b.de", "a@b.de\n@"])
    {
        trial.bad("/beak/hatch", &hatch("email", json!(email)), "email", "invalid_request");
    }
    for value in [json!(1), json!(null), json!([]), json!({}), json!(true)] {
        trial.bad("/beak/hatch", &hatch("email", value), "email", "invalid_request");
    }
    for password in [long(11) + "y", long(127) + "y", "ü".repeat(11) + "y"] {
        trial.good("/beak/hatch", &hatch("password", json!(password)), "password");
    }
    for password in [long(10) + "y", long(128) + "y", long(20), "new@example.com".into()] {
        trial.bad("/beak/hatch", &hatch("password", json!(password)), "password", "weak_password");
    }
    for name in ["x".to_owned(), long(64), "🦆".repeat(64)] {
        trial.good("/beak/hatch", &hatch("display_name", json!(name)), "display_name");
    }
    for name in [String::new(), long(65), "a\u{0}b".into(), "a\u{202e}b".into()] {
        trial.bad(
            "/beak/hatch",
            &hatch("display_name", json!(name)),
            "display_name",
            "invalid_request",
        );
    }
    for code in ["", "12345", "1234567", "12345x", "１２３４５６"] {
        let body = json!({"email": "a@example.com", "code": code});
        trial.bad("/beak/verify", &body, "code", "invalid_request");
    }
    let code = json!({"email": "a@example.com", "code": 123_456});
    trial.bad("/beak/verify", &code, "code", "invalid_request");
}

#[test]
fn every_field_of_a_duckling_is_read_at_its_limits() {
    let trial = Trial::new();
    let (swan, crane) = (&trial.swan, &trial.crane);
    let peck = |field: &str, value: Value| {
        let mut body = json!({
            "target_duckling_id": crane["duckling_id"], "peck_type": "data.read", "message": ""
        });
        body[field] = value;
        body
    };
    let kinds = [format!("a.{}", long(62)), "a1.b_2.c".into(), "data.write".into()];
    for kind in kinds {
        trial.good("/beak/peck", &peck("peck_type", json!(kind)), "peck_type");
    }
    let kinds = [format!("a.{}", long(63)), "a".into(), "a.".into(), "A.b".into(), "a-b.c".into()];
    for kind in kinds {
        trial.bad("/beak/peck", &peck("peck_type", json!(kind)), "peck_type", "invalid_request");
    }
    trial.good("/beak/peck", &peck("message", json!("🦆".repeat(500))), "message");
    for message in [long(501), "\u{7}".into()] {
        trial.bad("/beak/peck", &peck("message", json!(message)), "message", "invalid_request");
    }
    let own = text(swan, "duckling_id").to_owned();
    let ids = [own.clone(), own.to_lowercase(), own[..29].into(), text(crane, "cert_id").into()];
    for id in ids {
        let body = peck("target_duckling_id", json!(id));
        trial.bad("/beak/peck", &body, "target_duckling_id", "invalid_request");
    }
    for id in [text(swan, "duckling_id"), text(swan, "cert_id"), "", "pck_1"] {
        for path in ["/beak/approve", "/beak/deny", "/beak/unpeck"] {
            trial.bad(path, &json!({"peck_id": id}), "peck_id", "invalid_request");
        }
    }
    for statement in [String::new(), "   ".into(), long(501)] {
        let body = json!({"statement": statement});
        trial.bad("/beak/tier/request", &body, "statement", "invalid_request");
    }
    trial.good("/beak/tier/request", &json!({"statement": long(500)}), "statement");
}

#[test]
fn a_body_is_one_json_object_of_known_fields_or_refused() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let json_type = [("content-type", "application/json")];
    let post = |body: &[u8]| galaxy.send("POST", "/beak/resend", &json_type, body);
    let deep = [b"{\"email\":".as_slice(), &vec![b'['; 12_000]].concat();
    let objects = [r#"{"a":"#.repeat(1500), "1".into(), "}".repeat(1500)].concat();
    let cases: [(&[u8], &str); 13] = [
        (b"", "nothing"),
        (b"null", "null"),
        (b"[]", "a list"),
        (b"\"a@example.com\"", "a text"),
        (b"{\"email\":\"a@example.com\"", "cut off"),
        (b"{\"email\":\"a@example.com\"} x", "more behind"),
        (b"{\"email\":\"a@example.com\",}", "a comma too many"),
        (b"{\"email\":\"\xff\xfe@example.com\"}", "no UTF-8"),
        (b"{\"email\":\"a@example.com\",\"email\":\"b@example.com\"}", "twice"),
        (b"{\"email\":\"a@example.com\",\"x\":1}", "unknown"),
        (b"{\"Email\":\"a@example.com\"}", "another case"),
        (&deep, "deep lists"),
        (objects.as_bytes(), "deep objects"),
    ];
    for (body, case) in cases {
        is_problem(&post(body), 400, "invalid_request", case);
    }
    for size in [16 * 1024 + 1, 1024 * 1024] {
        is_problem(&post(&vec![b' '; size]), 413, "too_large", "large");
    }
    let mut largest = br#"{"email":"a@example.com","captcha_token":"t"}"#.to_vec();
    largest.resize(16 * 1024, b' ');
    assert_eq!(post(&largest).status, 202);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        let answer = galaxy.send("POST", "/beak/resend", &[("content-type", kind)], b"{}");
        is_problem(&answer, 415, "unsupported_media_type", kind);
    }
    let fine = [("content-type", "Application/JSON; charset=utf-8")];
    let body = br#"{"email":"b@example.com","captcha_token":"t"}"#;
    assert_eq!(galaxy.send("POST", "/beak/resend", &fine, body).status, 202);
    for path in ["/beak/nothing", "/beak/hatch/", "/beak/pecks/x/y"] {
        is_problem(&galaxy.get(path, &[]), 404, "not_found", path);
    }
    let swan = galaxy.hatch("s@example.com", "S");
    let key = text(&swan, "beak_key");
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=-1",
        "cursor=x",
        "status=odd",
        "x=1",
        "direction=up",
        "limit=1&limit=2",
        "cursor=%ff",
    ] {
        let answer = galaxy.get_as(&format!("/beak/pecks?{query}"), key);
        is_problem(&answer, 400, "invalid_request", query);
    }
    for limit in [1, 100] {
        assert_eq!(galaxy.get_as(&format!("/beak/pecks?limit={limit}"), key).status, 200);
    }
}

#[test]
fn an_idempotency_key_is_for_one_peck() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let (swan, crane) = (galaxy.hatch("s@example.com", "S"), galaxy.hatch("c@example.com", "C"));
    let bearer = format!("Bearer {}", text(&swan, "beak_key"));
    let peck = |idempotency: &str, message: &str| {
        let body = json!({
            "target_duckling_id": crane["duckling_id"], "peck_type": "data.read",
            "message": message
        });
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", idempotency),
        ];
        galaxy.send("POST", "/beak/peck", &headers, body.to_string().as_bytes())
    };
    let first = peck("one", "hello");
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(peck("one", "hello").json(), first.json());
    is_problem(&peck("one", "other"), 409, "conflict", "another body");
    is_problem(&peck("two", "hello"), 409, "already_exists", "another key");
    for key in ["", &"x".repeat(256)] {
        is_problem(&peck(key, "hello"), 400, "invalid_request", key);
    }
    assert_eq!(galaxy.get("/beak/metrics", &[]).json()["pecks"]["pending"], 1);
}

#[test]
fn who_calls_too_often_waits_until_the_minute_is_over() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::run(&mut limited(data.path()));
    let swan = galaxy.hatch("s@example.com", "S");
    let key = text(&swan, "beak_key");
    // One minute of the clock: begin again should it end in between.
    for _ in 0..3 {
        let mut granted = 0;
        let refused = loop {
            let answer = galaxy.get_as("/beak/me", key);
            if answer.status != 200 {
                break answer;
            }
            let policy = answer.headers["ratelimit-policy"].to_str().expect("text");
            assert_eq!(policy, "\"caller\";q=60;w=60");
            granted += 1;
            assert!(granted <= 120, "nobody counts");
        };
        is_problem(&refused, 429, "rate_limited", "too often");
        let header = |name: &str| refused.headers[name].to_str().expect("text").to_owned();
        let wait: u64 = header("retry-after").parse().expect("seconds");
        assert!((1..=60).contains(&wait));
        assert_eq!(header("ratelimit"), format!("\"caller\";r=0;t={wait}"));
        if granted == 60 {
            break;
        }
    }
    // By address, whoever is named.
    let mut statuses = BTreeMap::<u16, u32>::new();
    for n in 0..30 {
        let body = json!({"email": format!("n{n}@example.com"), "code": "000000"});
        *statuses.entry(galaxy.post("/beak/verify", None, &body).status).or_default() += 1;
    }
    // Thirty within one minute or two, behind the one that the hatching took.
    assert!((9..=20).contains(&statuses[&400]) && statuses[&429] >= 10, "{statuses:?}");
    let forwarded = [("x-forwarded-for", "198.51.100.7"), ("content-type", "application/json")];
    let body = br#"{"email":"x@example.com","code":"000000"}"#;
    let answer = galaxy.send("POST", "/beak/verify", &forwarded, body);
    assert_eq!(answer.status, 429, "a header must not make another caller");
}

/// A refusal that does not read the body would close the connection, and the next request on it
/// would be lost.
#[test]
fn a_connection_survives_every_refusal_of_a_long_body() {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};

    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    // A person without a duckling passes the gate and is refused behind it.
    let operator = operator_token(&galaxy, data.path());
    let stream = std::net::TcpStream::connect(("localhost", galaxy.port)).expect("a connection");
    let mut answers = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut requests = stream;
    let length = 1 << 20;
    for (bearer, wanted) in [(operator.as_str(), "403"), ("nonsense", "401"), ("", "401")] {
        let head = format!(
            "POST /beak/keys/rotate HTTP/1.1\r\nhost: localhost:{}\r\nauthorization: Bearer {bearer}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n",
            galaxy.port
        );
        requests.write_all(head.as_bytes()).expect("the head is sent");
        requests.write_all(&vec![b' '; length]).expect("the body is sent");
        let mut line = String::new();
        answers.read_line(&mut line).expect("a status line");
        assert!(line.starts_with(&format!("HTTP/1.1 {wanted} ")), "{bearer}: {line:?}");
        let mut size = 0;
        while line != "\r\n" {
            line.clear();
            answers.read_line(&mut line).expect("a header");
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                size = value.trim().parse().expect("a length");
            }
        }
        answers.read_exact(&mut vec![0; size]).expect("a body");
    }
}
