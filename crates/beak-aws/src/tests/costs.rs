//! Every call of the Beak, played once in its typical case: what DynamoDB bills for it. The page
//! `duckgalaxy/guide/units` shows the table; with `UPDATE_DOCS=1` it is written.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU64};

use aws_sdk_cognitoidentityprovider::Client as People;
use beak_api::ClientAddress;
use beak_core::factor::TotpSecret;
use beak_core::lease::{Ask, Count, Counter, Lent};
use beak_core::newsletter::{Offer, Token};
use beak_core::ports::{Clock, Entropy};
use beak_core::{Duration, OffsetDateTime};

use super::capacity::{Bill, Held, Meter, Units};
use super::*;

/// A clock that is moved on by hand, in seconds. With the numbers below it makes every run the same:
/// ids decide which shard an event is in, and so how often a list is read on.
struct Later(AtomicI64);

impl Clock for Later {
    fn now(&self) -> OffsetDateTime {
        let since = 1_800_000_000 + self.0.load(Ordering::Relaxed);
        OffsetDateTime::from_unix_timestamp(since).expect("a time")
    }
}

/// The same numbers in each run, none of them twice.
struct Numbered(AtomicU64);

impl Entropy for Numbered {
    fn fill(&self, bytes: &mut [u8]) -> beak_core::Result<()> {
        for chunk in bytes.chunks_mut(8) {
            // splitmix64.
            let mut mix = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
            mix = (mix ^ (mix >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mix = (mix ^ (mix >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            let mixed = (mix ^ (mix >> 31)).to_be_bytes();
            chunk.copy_from_slice(&mixed[..chunk.len()]);
        }
        Ok(())
    }
}

/// A row of the table.
pub(super) struct Row {
    /// Method and path, and the case where there are several.
    pub(super) call: String,
    pub(super) bill: Bill,
}

impl Row {
    /// All units but those of the limits, which are shared by the calls of a minute.
    fn units(&self) -> Units {
        let mut all = Units::default();
        for ((_, key), units) in &self.bill {
            if !key.starts_with("rate#") {
                all.reads += units.reads;
                all.writes += units.writes;
            }
        }
        all
    }
}

/// A galaxy behind a door that hears every request.
struct Stage<'a> {
    router: axum::Router,
    galaxy: Arc<Galaxy>,
    store: Arc<DynamoStore>,
    clock: Arc<Later>,
    proxy: &'a Proxy,
    direct: Client,
    people: People,
    pool: String,
    letters: Arc<dyn Letters>,
    rows: Vec<Row>,
    played: BTreeSet<(String, String)>,
    actions: BTreeSet<String>,
}

const PREFIX: &str = "swan";
const PASSWORD: &str = "a rather good one";

impl<'a> Stage<'a> {
    async fn open(cloud: &Cloud, proxy: &'a Proxy) -> Self {
        let direct = configuration(cloud).await;
        let config = direct.clone().into_builder();
        let config = config.endpoint_url(format!("http://{}", proxy.address())).build();
        let home = super::open(cloud, &config, PREFIX.into()).await;
        let mut ports = home.ports;
        let clock = Arc::new(Later(AtomicI64::new(0)));
        ports.clock = Arc::clone(&clock) as Arc<dyn Clock>;
        ports.entropy = Arc::new(Numbered(AtomicU64::new(1)));
        let people = People::new(&direct);
        let pools = people.list_user_pools().max_results(1).send().await.expect("pools");
        let pool = pools.user_pools()[0].id().expect("an id").to_owned();
        let galaxy = beak_core::Settings {
            issuer: "https://api.example/prod".into(),
            version: GALAXY_VERSION.into(),
            release: "0.0.0".into(),
            function_version: None,
            peck_lifetime: Duration::hours(24),
            answer_step: Duration::ZERO,
            operators_need_factor: false,
        };
        let galaxy = Arc::new(Galaxy::new(ports, galaxy));
        Self {
            router: beak_api::router(Arc::clone(&galaxy)),
            galaxy,
            store: Arc::new(store(&direct, PREFIX)),
            clock,
            proxy,
            direct: Client::new(&direct),
            people,
            pool,
            letters: home.letters,
            rows: Vec::new(),
            played: BTreeSet::new(),
            actions: BTreeSet::new(),
        }
    }

    /// Makes a call, in a minute of its own.
    async fn ask(&self, call: &str, credential: &str, body: &Value) -> Value {
        self.clock.0.fetch_add(61, Ordering::Relaxed);
        let (method, path) = call.split_once(' ').expect("a method and a path");
        let mut request = axum::http::Request::builder()
            .method(method)
            .uri(format!("/beak{path}"))
            .extension(ClientAddress(IpAddr::from([192, 0, 2, 1])));
        if !credential.is_empty() {
            request = request.header("authorization", format!("Bearer {credential}"));
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        };
        let request = request.body(body).expect("a request");
        let answer = self.router.clone().oneshot(request).await.expect("an answer");
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(status.is_success(), "{call}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Plays a call and takes down what it costs. `route` is its row in the table of calls.
    async fn row(&mut self, route: &str, case: &str, how: (&str, &str, Value)) -> Value {
        let (path, credential, body) = how;
        let method = route.split_once(' ').expect("a method").0;
        let before = Held::of(&self.direct, PREFIX).await;
        self.proxy.calm();
        let answer = self.ask(&format!("{method} {path}"), credential, &body).await;
        let calls = self.proxy.calm();
        let scans = calls.iter().filter(|call| call.name == "dynamodb Scan");
        let whole = scans.filter(|scan| !scan.body.contains("\"Limit\":20")).count();
        assert_eq!(whole, 0, "{route} scans a table");
        self.actions.extend(calls.iter().flat_map(actions));
        let after = Held::of(&self.direct, PREFIX).await;
        let meter = Meter { before: &before, after: &after, prefix: PREFIX };
        let call = if case.is_empty() { route.to_owned() } else { format!("{route}, {case}") };
        self.rows.push(Row { call, bill: meter.bill(&calls) });
        let (method, path) = route.split_once(' ').expect("a path");
        self.played.insert((method.to_owned(), path.to_owned()));
        answer
    }

    fn email(name: &str) -> Email {
        Email::parse(&format!("{name}@example.com")).expect("an address")
    }

    async fn hatched(&self, name: &str) -> Duck {
        let laid = self.ask("POST /hatch", "", &hatch_body(name)).await;
        self.letters.code(&Self::email(name)).await;
        let answer = self.ask("POST /verify", "", &verify_body(name, &laid)).await;
        Duck::of(&answer)
    }

    async fn token(&self, name: &str) -> String {
        let body = json!({"email": Self::email(name).as_str(), "password": PASSWORD});
        let answer = self.ask("POST /signin", "", &body).await;
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    /// A peck that waits.
    async fn asked(&self, source: &Duck, target: &Duck, kind: &str) -> String {
        let answer = self.ask("POST /peck", &source.key, &peck_body(target, kind)).await;
        answer["peck_id"].as_str().expect("an id").to_owned()
    }

    async fn sweep(&self) {
        assert!(self.galaxy.sweep().await.is_ok());
        let fleet = self.galaxy.inside().await.fleet.expect("a fleet");
        let known = self.store.census().await.expect("read").expect("a census");
        assert_eq!(fleet, known);
        assert_eq!(fleet.alive + fleet.slow + fleet.offline, 3);
        assert!(fleet.is_whole);
    }

    async fn make_operator(&self, name: &str) {
        let group = self.people.create_group().user_pool_id(&self.pool).group_name("operators");
        group.send().await.expect("a group");
        let add = self.people.admin_add_user_to_group().user_pool_id(&self.pool);
        let add = add.username(Self::email(name).as_str()).group_name("operators");
        add.send().await.expect("added");
    }
}

/// A duckling as its owner knows it.
struct Duck {
    id: String,
    key: String,
    cert: String,
    certificate: String,
}

impl Duck {
    fn of(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().expect("a text").to_owned();
        Self {
            id: text("duckling_id"),
            key: text("beak_key"),
            cert: text("cert_id"),
            certificate: text("certificate"),
        }
    }
}

fn hatch_body(name: &str) -> Value {
    json!({"email": Stage::email(name).as_str(), "password": PASSWORD, "display_name": name,
           "captcha_token": "token"})
}

fn verify_body(name: &str, laid: &Value) -> Value {
    json!({"email": Stage::email(name).as_str(), "code": "123456", "password": PASSWORD,
           "display_name": name, "hatch_id": laid["hatch_id"]})
}

fn peck_body(target: &Duck, kind: &str) -> Value {
    json!({"target_duckling_id": target.id, "peck_type": kind, "message": "Hello from my agent"})
}

async fn hatching(stage: &mut Stage<'_>) -> Duck {
    let laid = stage.row("POST /hatch", "", ("/hatch", "", hatch_body("duck"))).await;
    let again = json!({"email": "duck@example.com", "hatch_id": laid["hatch_id"]});
    stage.row("POST /resend", "", ("/resend", "", again)).await;
    stage.letters.code(&Stage::email("duck")).await;
    let body = verify_body("duck", &laid);
    let answer = stage.row("POST /verify", "", ("/verify", "", body)).await;
    Duck::of(&answer)
}

async fn signing_in(stage: &mut Stage<'_>) {
    let who = json!({"email": "duck@example.com", "password": PASSWORD});
    let tokens = stage.row("POST /signin", "", ("/signin", "", who.clone())).await;
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    stage.row("POST /refresh", "", ("/refresh", "", refresh)).await;
    let access = tokens["access_token"].as_str().expect("a token").to_owned();
    stage.row("POST /signout", "", ("/signout", &access, Value::Null)).await;
    let asked = json!({"email": "duck@example.com", "captcha_token": "token"});
    stage.row("POST /forgot", "", ("/forgot", "", asked)).await;
    let reset = json!({"email": "duck@example.com", "code": "654321", "password": PASSWORD});
    stage.row("POST /reset", "", ("/reset", "", reset)).await;
}

/// The code that an app shows at the next call.
fn app_code(stage: &Stage<'_>, secret: &str) -> String {
    let secret = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).expect("base 32");
    let secret = TotpSecret::new(secret.try_into().expect("twenty bytes"));
    let next = (stage.clock.now() + Duration::seconds(61)).unix_timestamp();
    let step = u64::try_from(next / 30).expect("after 1970");
    secret.code(step).expect("a code").expose().to_owned()
}

async fn two_factors(stage: &mut Stage<'_>) {
    let token = stage.token("duck").await;
    stage.row("GET /me/totp", "", ("/me/totp", &token, Value::Null)).await;
    let password = json!({"password": PASSWORD});
    let begun = stage.row("POST /me/totp", "", ("/me/totp", &token, password)).await;
    let secret = begun["secret"].as_str().expect("a secret").to_owned();
    let first = json!({"code": app_code(stage, &secret)});
    let route = "POST /me/totp/confirm";
    stage.row(route, "", ("/me/totp/confirm", &token, first)).await;
    let who = json!({"email": "duck@example.com", "password": PASSWORD});
    let challenge = stage.ask("POST /signin", "", &who).await;
    let code = app_code(stage, &secret);
    let second = json!({"session": challenge["session"], "code": code});
    let tokens = stage.row("POST /signin/totp", "", ("/signin/totp", "", second)).await;
    let token = tokens["access_token"].as_str().expect("a token").to_owned();
    let end = json!({"password": PASSWORD, "code": app_code(stage, &secret)});
    stage.row("DELETE /me/totp", "", ("/me/totp", &token, end)).await;
}

async fn own_account(stage: &mut Stage<'_>, duck: &mut Duck, other: &Duck) {
    stage.row("GET /me", "", ("/me", &duck.key, Value::Null)).await;
    let name = json!({"display_name": "Duck of another name"});
    stage.row("PATCH /me", "", ("/me", &duck.key, name)).await;
    stage.row("GET /me/export", "", ("/me/export", &duck.key, Value::Null)).await;
    stage.row("POST /pulse", "", ("/pulse", &duck.key, Value::Null)).await;
    let route = "POST /keys/rotate";
    let answer = stage.row(route, "", ("/keys/rotate", &duck.key, Value::Null)).await;
    duck.key = answer["beak_key"].as_str().expect("a key").to_owned();
    let block = json!({"duckling_id": other.id});
    stage.row("POST /me/blocks", "", ("/me/blocks", &duck.key, block)).await;
    let path = format!("/me/blocks/{}", other.id);
    let route = "DELETE /me/blocks/{duckling_id}";
    stage.row(route, "", (&path, &duck.key, Value::Null)).await;
}

async fn pecking(stage: &mut Stage<'_>, duck: &Duck, other: &Duck) {
    let path = format!("/ducks/{}", other.id);
    stage.row("GET /ducks/{duckling_id}", "", (&path, &duck.key, Value::Null)).await;
    let body = peck_body(other, "data.read");
    let answer = stage.row("POST /peck", "", ("/peck", &duck.key, body)).await;
    let peck = answer["peck_id"].as_str().expect("an id").to_owned();
    let path = format!("/pecks/{peck}");
    stage.row("GET /pecks/{peck_id}", "", (&path, &duck.key, Value::Null)).await;
    let named = json!({"peck_id": peck});
    let case = "both sides climb";
    stage.row("POST /approve", case, ("/approve", &other.key, named.clone())).await;
    let second = stage.asked(duck, other, "chat.message").await;
    let other_one = json!({"peck_id": second});
    stage.row("POST /approve", "", ("/approve", &other.key, other_one)).await;
    stage.row("POST /unpeck", "", ("/unpeck", &duck.key, named)).await;
    let third = stage.asked(duck, other, "notify.send").await;
    let deny = json!({"peck_id": third});
    stage.row("POST /deny", "", ("/deny", &other.key, deny)).await;
    for number in 0..20 {
        let peck = stage.asked(duck, other, &format!("x.n{number}")).await;
        stage.ask("POST /unpeck", &duck.key, &json!({"peck_id": peck})).await;
    }
    let path = "/pecks?direction=out";
    stage.row("GET /pecks", "20 entries", (path, &duck.key, Value::Null)).await;
    let route = "GET /audit";
    stage.row(route, "own, 20 entries", ("/audit", &duck.key, Value::Null)).await;
    let statement = json!({"statement": "We answer for our agents."});
    stage.row("POST /tier/request", "", ("/tier/request", &duck.key, statement)).await;
}

async fn certifying(stage: &mut Stage<'_>, duck: &Duck) {
    stage.row("GET /certificate", "", ("/certificate", &duck.key, Value::Null)).await;
    let path = format!("/certificates/{}", duck.cert);
    stage.row("GET /certificates/{cert_id}", "", (&path, "", Value::Null)).await;
    let body = json!({"certificate": duck.certificate});
    stage.row("POST /certificates/verify", "", ("/certificates/verify", "", body)).await;
    stage.row("GET /jwks.json", "", ("/jwks.json", "", Value::Null)).await;
    stage.row("GET /metrics", "", ("/metrics", "", Value::Null)).await;
    stage.row("GET /system/status", "", ("/system/status", "", Value::Null)).await;
    stage.row("GET /openapi.json", "", ("/openapi.json", "", Value::Null)).await;
}

async fn operating(stage: &mut Stage<'_>, duck: &Duck) {
    stage.make_operator("swan").await;
    let token = stage.token("swan").await;
    // A minute after an installation there is a census.
    stage.sweep().await;
    // Looks for what earlier releases wrote, once in a while.
    stage.ask("GET /audit", &token, &Value::Null).await;
    let look = |path: &'static str| (path, token.as_str(), Value::Null);
    stage.row("GET /system/status", "operator", look("/system/status")).await;
    stage.row("GET /audit", "operator, 20 entries", look("/audit")).await;
    stage.row("GET /spaceducks", "", look("/spaceducks")).await;
    stage.row("GET /operator/tier-requests", "", look("/operator/tier-requests")).await;
    let decide = json!({"duckling_id": duck.id, "decision": "grant", "note": "Known to us"});
    stage.row("POST /operator/decide", "", ("/operator/decide", &token, decide)).await;
    for what in ["suspend", "restore", "remove"] {
        let route = format!("POST /operator/ducks/{{duckling_id}}/{what}");
        let path = format!("/operator/ducks/{}/{what}", duck.id);
        stage.row(&route, "", (&path, &token, json!({"reason": "A test"}))).await;
    }
}

async fn reading(stage: &mut Stage<'_>) {
    let body = json!({"email": "reader@example.com", "captcha_token": "token"});
    stage.row("POST /newsletter", "", ("/newsletter", "", body)).await;
    // Its token is in a mail; another one is as good.
    let token = Token::new([7; 32]);
    let expires_at = stage.clock.now() + Duration::hours(24);
    let email = Stage::email("reader");
    let offer = Offer { email, token: token.hash(), expires_at };
    stage.store.offer_newsletter(&offer).await.expect("offered");
    for (route, page) in [
        ("GET /newsletter/confirm", "confirm"),
        ("POST /newsletter/confirm", "confirm"),
        ("GET /newsletter/unsubscribe", "unsubscribe"),
        ("POST /newsletter/unsubscribe", "unsubscribe"),
    ] {
        let path = format!("/newsletter/{page}?token={}", token.reveal());
        stage.row(route, "", (&path, "", Value::Null)).await;
    }
}

/// The rights that a request takes: a transaction takes those of its parts.
fn actions(call: &test_cloud::Call) -> Vec<String> {
    let Some(operation) = call.name.strip_prefix("dynamodb ") else { return Vec::new() };
    if operation != "TransactWriteItems" {
        return vec![operation.to_owned()];
    }
    let body: Value = serde_json::from_str(&call.body).expect("JSON");
    let parts = body["TransactItems"].as_array().expect("items").iter();
    let kinds = parts.flat_map(|part| part.as_object().expect("a part").keys());
    kinds.map(|kind| format!("{kind}Item")).collect()
}

async fn play(cloud: &Cloud, proxy: &Proxy) -> Vec<Row> {
    let mut stage = Stage::open(cloud, proxy).await;
    // What a process or a galaxy does once is no call's own.
    stage.hatched("swan").await;
    stage.ask("GET /jwks.json", "", &Value::Null).await;
    let mut duck = hatching(&mut stage).await;
    signing_in(&mut stage).await;
    two_factors(&mut stage).await;
    let other = stage.hatched("goose").await;
    own_account(&mut stage, &mut duck, &other).await;
    pecking(&mut stage, &duck, &other).await;
    certifying(&mut stage, &duck).await;
    operating(&mut stage, &duck).await;
    reading(&mut stage).await;
    let gone = stage.hatched("gone").await;
    stage.row("DELETE /me", "", ("/me", &gone.key, Value::Null)).await;
    let all = beak_api::table().into_iter();
    let all = all.map(|row| (row.method.as_str().to_owned(), row.path.clone()));
    let missing: Vec<_> = all
        .filter(|(method, path)| {
            let path = path.trim_start_matches("/beak").to_owned();
            !stage.played.contains(&(method.clone(), path))
        })
        .collect();
    assert_eq!(missing, [], "calls that are not played here");
    let rights = include_str!("../../../../templates/api.yaml");
    for action in &stage.actions {
        let right = format!("                  - dynamodb:{action}\n");
        assert!(rights.contains(&right), "the function has no right to {action}");
    }
    stage.rows
}

/// Units to a tenth, without a needless zero.
fn shown(units: f64) -> String {
    let text = format!("{units:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn table(rows: &[Row]) -> String {
    let line = |row: &Row| {
        let Units { reads, writes } = row.units();
        let (call, case) = row.call.split_once(", ").unwrap_or((&row.call, ""));
        let case = if case.is_empty() { String::new() } else { format!(", {case}") };
        format!("| `{call}`{case} | {} | {} |\n", shown(reads), shown(writes))
    };
    let head = "| call | read units | write units |\n| --- | --: | --: |\n".to_owned();
    std::iter::once(head).chain(rows.iter().map(line)).collect()
}

#[test]
fn every_call_has_its_units_in_the_documentation() {
    let cloud = Cloud::strict();
    // It has a runtime of its own.
    let proxy = Proxy::before(&cloud);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let rows = runtime.block_on(play(&cloud, &proxy));
    shows("duckgalaxy/guide/units.md", "| limit a minute |", &runtime.block_on(leases()));
    let load = load::play(&rows);
    load::no_key_is_hot(&load);
    shows("duckgalaxy/guide/units.md", "| call |", &table(&rows));
    shows("duckcontrol/routine/growth.md", "| partition |", &load::keys(&load));
    shows("duckcontrol/routine/growth.md", "| table or index |", &load::tables(&load));
}

/// Counts what it is asked for, and always has room.
#[derive(Default)]
struct Room(std::sync::Mutex<Count>, AtomicU32);

#[async_trait]
impl Counter for Room {
    async fn lend(&self, _: &str, _: i64, ask: Ask) -> beak_core::Result<Lent> {
        self.1.fetch_add(1, Ordering::Relaxed);
        let mut count = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (count.taken, count.spare) = (count.taken + ask.calls, count.spare + ask.spare);
        Ok(Lent::Yes(*count))
    }
}

/// Write units of calls that are counted in blocks.
async fn leases() -> String {
    let mut text = "| limit a minute | the only call of a minute | all calls of a minute, each |\n\
                    | --: | --: | --: |\n"
        .to_owned();
    for limit in [60, 120, 300, 1200] {
        let room = Arc::new(Room::default());
        let leases = Leases::new(Arc::clone(&room) as Arc<dyn Counter>);
        for _ in 0..limit {
            let taken = leases.take_leased("a", limit, OffsetDateTime::UNIX_EPOCH).await;
            assert!(taken.is_ok_and(|taken| taken.granted));
        }
        let each = f64::from(room.1.load(Ordering::Relaxed)) / f64::from(limit);
        assert!(each <= 0.2, "{each} for each call of {limit}");
        let cells = [limit.to_string(), "1".into(), format!("{each:.2}")].join(" | ");
        text.extend(["| ", &cells, " |\n"]);
    }
    text
}

/// That a page shows a table as it is made here; or makes it so.
#[expect(clippy::disallowed_methods, reason = "tests are told to write what they compare with")]
fn shows(page: &str, head: &str, table: &str) {
    let page = format!("{}/../../pages/{page}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&page).expect("the page");
    let begin = text.find(head).expect("a table");
    let length = text[begin..].find("\n\n").expect("its end") + 1;
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let new = format!("{}{table}{}", &text[..begin], &text[begin + length..]);
        std::fs::write(page, new).expect("written");
        return;
    }
    assert_eq!(&text[begin..begin + length], table, "run `cargo xtask docs`");
}
