//! The contract of a whole home, on a database file.

use async_trait::async_trait;
use beak_core::OffsetDateTime;
use beak_core::access::{Caller, Who};
use beak_core::certificate::Claims;
use beak_core::contract::home::{Home, Letters};
use beak_core::factor::{FactorCode, TotpSecret};
use beak_core::feedback::{Report, ReportKind};
use beak_core::galaxy::{Credential, SignedIn};
use beak_core::id::{CertId, DucklingId};
use beak_core::mail::Mail;
use beak_core::person::{OtpCode, Password};
use beak_core::ports::{CertificateAuthority as _, MailState, Mailer};
use beak_core::tier::Tier;
use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::*;

struct Posted {
    outbox: Outbox,
}

#[async_trait]
impl Letters for Posted {
    async fn maybe_code(&self, to: &Email) -> Option<OtpCode> {
        let mails = self.outbox.list().expect("read");
        let code = mails.iter().find_map(|mail| mail.code(to.as_str()));
        code.map(|code| OtpCode::parse(code).expect("six digits"))
    }

    async fn code(&self, to: &Email) -> OtpCode {
        self.maybe_code(to).await.expect("a mail with a code")
    }

    /// Where none came, one that is as good as wrong.
    async fn reset_code(&self, to: &Email) -> OtpCode {
        let code = self.maybe_code(to).await;
        code.unwrap_or_else(|| OtpCode::parse("000000").expect("six digits"))
    }

    async fn subjects(&self, to: &Email) -> Vec<String> {
        let mails = self.outbox.list().expect("read");
        let own = mails.iter().rev().filter(|mail| mail.is_to(to.as_str()));
        let subjects = own.map(|mail| mail.subject().to_owned());
        // Codes are not the galaxy's own mails in the other home.
        subjects.filter(|subject| subject != beak_core::mail::Mail::CODE_SUBJECT).collect()
    }
}

/// In memory where there is such a folder: thousands of orders of calls are explored, and what is
/// tested is not the disk.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.expect("a folder")
}

fn open() -> (Home, TempDir) {
    let folder = folder();
    let data = Data::open(folder.path()).expect("a folder");
    let keys = data.keys().expect("keys");
    std::fs::remove_file(folder.path().join("certificate.key")).expect("there");
    let other = data.keys().expect("another key");
    let db = Arc::new(data.db);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (ports, _) = ports(&db, keys, &clock, true).expect("adapters");
    let (resigned, _) = super::ports(&db, other, &clock, true).expect("adapters");
    let letters = Arc::new(Posted { outbox: Outbox { db, clock } });
    (Home { ports, resigned, letters, depth: 3 }, folder)
}

beak_core::home_contract!(open());

/// Mail of a galaxy that Amazon still keeps in its sandbox.
struct Sandbox(Arc<dyn Mailer>);

#[async_trait]
impl Mailer for Sandbox {
    async fn send(&self, mail: &Mail) -> beak_core::Result<()> {
        self.0.send(mail).await
    }

    async fn state(&self) -> beak_core::Result<MailState> {
        Ok(MailState { sandbox: true, ..self.0.state().await? })
    }
}

fn settings() -> Settings {
    Settings {
        issuer: "http://localhost".into(),
        version: GALAXY_VERSION.into(),
        release: "0.0.0".into(),
        function_version: None,
        peck_lifetime: Duration::hours(24),
        answer_step: Duration::ZERO,
        operators_need_factor: false,
    }
}

async fn asked(beak: &axum::Router, path: &str, body: &Value) -> (u16, Value) {
    let request = axum::http::Request::post(format!("/beak/{path}"))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(body.to_string()));
    let answer = beak.clone().oneshot(request.expect("a request")).await.expect("an answer");
    let status = answer.status().as_u16();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 16).await.expect("a body");
    (status, serde_json::from_slice(&bytes).expect("JSON"))
}

/// A duckling's owner, one whose mail came back and somebody whom nobody knows: all are told the
/// same kind thing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_the_sandbox_tells_no_address_from_another() {
    let (home, _folder) = open();
    let mailer = Arc::new(Sandbox(Arc::clone(&home.ports.mailer)));
    let ports = Ports { mailer, limits: None, ..home.ports.clone() };
    let beak = beak_api::router(Arc::new(Galaxy::new(ports, settings())));
    let hatch = |email: &Email| {
        json!({"email": email.as_str(), "password": "a rather good one", "display_name": "Swan",
               "captcha_token": "token"})
    };
    let email = |name: &str| Email::parse(&format!("{name}@example.com")).expect("an address");
    for name in ["known", "bounced"] {
        assert_eq!(asked(&beak, "hatch", &hatch(&email(name))).await.0, 202);
        let code = home.letters.code(&email(name)).await;
        let body = json!({"email": email(name).as_str(), "code": code.expose(),
                          "password": "a rather good one"});
        assert_eq!(asked(&beak, "verify", &body).await.0, 200);
    }
    let now = home.ports.clock.now();
    let report = Report::new("0100-m", ReportKind::Bounce, vec![email("bounced")], now);
    assert_eq!(home.ports.feedback.report(&report.expect("a report")).await, Ok(true));
    for path in ["hatch", "resend", "forgot", "newsletter"] {
        let mut answers = Vec::new();
        for name in ["known", "bounced", "stranger"] {
            let body = match path {
                "hatch" => hatch(&email(name)),
                _ => json!({"email": email(name).as_str(), "captcha_token": "token"}),
            };
            let sent = async || home.ports.mailer.state().await.expect("answered").sent;
            let before = sent().await;
            let (status, mut answer) = asked(&beak, path, &body).await;
            // Nothing goes to an address that bounced, codes included.
            assert!(name != "bounced" || sent().await == before, "{path}");
            let fields = answer.as_object_mut().expect("an object");
            if path == "hatch" {
                assert_eq!(fields.remove("email"), Some(email(name).as_str().into()));
                assert!(fields.remove("hatch_id").is_some());
            }
            let note = answer["note"].as_str().expect("a note");
            assert!(note.contains("verify your address"), "{note}");
            answers.push((status, answer));
        }
        assert_eq!(answers[0].0, 202, "{path}");
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{path}: {answers:?}");
    }
}

/// A clock that a test moves on.
struct Moved(std::sync::atomic::AtomicI64);

impl Clock for Moved {
    fn now(&self) -> OffsetDateTime {
        let seconds = self.0.load(std::sync::atomic::Ordering::Relaxed);
        OffsetDateTime::from_unix_timestamp(seconds).expect("a time")
    }
}

#[tokio::test]
async fn tokens_and_codes_end_with_their_time() {
    let folder = TempDir::new().expect("a folder");
    let data = Data::open(folder.path()).expect("a folder");
    let keys = data.keys().expect("keys");
    let db = Arc::new(data.db);
    let moved = Arc::new(Moved(1_800_000_000.into()));
    let pass = |time: Duration| {
        moved.0.fetch_add(time.whole_seconds(), std::sync::atomic::Ordering::Relaxed);
    };
    let clock: Arc<dyn Clock> = Arc::clone(&moved) as Arc<dyn Clock>;
    let (ports, _) = ports(&db, keys, &clock, true).expect("adapters");
    let letters = Posted { outbox: Outbox { db, clock } };
    let email = Email::parse("swan@example.com").expect("an address");
    let password = Password::attempt("a rather good one".into()).expect("short enough");
    let identity = &ports.identity;
    identity.sign_up(&email, &password).await.expect("signed up");
    let late = letters.code(&email).await;
    pass(Duration::minutes(15));
    assert_eq!(identity.confirm(&email, &late).await, Ok(None));
    identity.resend(&email).await.expect("sent");
    pass(Duration::minutes(14));
    let code = letters.code(&email).await;
    assert!(identity.confirm(&email, &code).await.is_ok_and(|account| account.is_some()));
    let account = identity.sign_in(&email, &password).await.expect("answered").expect("right");
    let settled = ports.accounts.settle(&account.account, moved.now()).await;
    assert_eq!(settled, Ok(()));
    let galaxy = Galaxy::new(ports.clone(), settings());
    let signed_in = galaxy.sign_in(&email, &password).await.expect("right");
    let SignedIn::Tokens(tokens) = signed_in else { panic!("there is no second factor") };
    let credential = Credential::Token(tokens.access);
    let is_good = async || galaxy.admit(Some(&credential), Who::Person, Tier::T0).await.is_ok();
    pass(tokens.expires_in - Duration::seconds(1));
    assert!(is_good().await);
    pass(Duration::seconds(1));
    assert!(!is_good().await);
    let refresh = tokens.refresh.expect("a refresh token");
    pass(Duration::days(30) - tokens.expires_in - Duration::seconds(1));
    assert!(galaxy.refresh(&refresh).await.is_ok());
    pass(Duration::seconds(1));
    assert!(galaxy.refresh(&refresh).await.is_err());
}

/// With the setting, an operator without a second factor is an ordinary person.
#[tokio::test]
async fn operators_enrol_a_second_factor_where_the_galaxy_requires_it() {
    let folder = folder();
    let data = Data::open(folder.path()).expect("a folder");
    let keys = data.keys().expect("keys");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (ports, identity) = ports(&Arc::new(data.db), keys, &clock, true).expect("adapters");
    let email = Email::parse("ada@example.com").expect("an address");
    let password = || Password::attempt("a rather good one".into()).expect("short enough");
    identity.add_operator(&email, password().expose()).await.expect("added");
    let galaxy = |operators_need_factor| {
        Galaxy::new(ports.clone(), Settings { operators_need_factor, ..settings() })
    };
    let (optional, required) = (galaxy(false), galaxy(true));
    let SignedIn::Tokens(tokens) = optional.sign_in(&email, &password()).await.expect("right")
    else {
        panic!("there is no second factor yet")
    };
    let token = Credential::Token(tokens.access);
    let admitted = async |galaxy: &Galaxy, token: &Credential, who: Who| {
        galaxy.admit(Some(token), who, Tier::T0).await.map_err(|error| error.to_string())
    };
    assert!(admitted(&optional, &token, Who::Operator).await.is_ok());
    for who in [Who::Operator, Who::KeyOrOperator] {
        let refused = admitted(&required, &token, who).await.expect_err("refused");
        assert!(refused.contains("`POST /beak/me/totp`"), "{refused}");
    }
    let Ok(Caller::Person(person, _)) = admitted(&required, &token, Who::Person).await else {
        panic!("a person all the same")
    };
    assert!(!person.operator);
    let begun = required.begin_factor(&person, &password()).await.expect("begun");
    let secret = BASE32_NOPAD.decode(begun.secret.as_bytes()).expect("base 32");
    let secret = TotpSecret::new(secret.try_into().expect("twenty bytes"));
    let step = u64::try_from(clock.now().unix_timestamp() / 30).expect("positive");
    let code = |step| FactorCode::Totp(secret.code(step).expect("a code"));
    assert!(required.confirm_factor(&person, &code(step)).await.is_ok());
    let SignedIn::Challenge { session, .. } =
        required.sign_in(&email, &password()).await.expect("right")
    else {
        panic!("there is a second factor")
    };
    let tokens = required.sign_in_totp(&session, &code(step + 1)).await.expect("in");
    let token = Credential::Token(tokens.access);
    assert!(admitted(&required, &token, Who::Operator).await.is_ok());
    // Without the right any more, its tokens end.
    assert_eq!(identity.remove_operator(&email).await, Ok(true));
    assert!(admitted(&required, &token, Who::Person).await.is_err());
    // And a lost factor is removed by a command.
    for removed in [true, false] {
        assert_eq!(identity.reset_factor(&email).await, Ok(removed));
    }
    let again = required.sign_in(&email, &password()).await;
    assert!(matches!(again, Ok(SignedIn::Tokens(_))));
}

/// As an import brings one, or another process of the same galaxy.
#[tokio::test]
async fn a_key_that_came_later_is_known_after_the_next_look() {
    let folder = TempDir::new().expect("a folder");
    let data = Data::open(folder.path()).expect("a folder");
    let (first, again) = (data.signer().expect("a key"), data.signer().expect("the same"));
    std::fs::remove_file(folder.path().join("certificate.key")).expect("there");
    let later = data.signer().expect("another key");
    let store: Arc<dyn Store> = Arc::new(RedbStore::new(Arc::new(data.db)));
    let jws = |signer: data::FileSigner| Jws::new(Arc::new(signer), Arc::clone(&store));
    let (kept, looking) = (jws(first), jws(again).looking_every(std::time::Duration::ZERO));
    for jws in [&kept, &looking] {
        assert_eq!(jws.keys().await.map(|keys| keys.len()), Ok(1));
    }
    let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time");
    let claims = Claims {
        issuer: "http://localhost:3825".into(),
        duckling_id: DucklingId::new(now, [1; 16]),
        cert_id: CertId::new(now, [2; 16]),
        issued_at: now,
        name: "Swan".into(),
        email_sha256: "00".repeat(32),
        tier: Tier::T0,
    };
    let certificate = jws(later).issue(&claims).await.expect("signed");
    assert_eq!(kept.read(&certificate).await, Ok(None), "until its keys are a minute old");
    assert_eq!(looking.read(&certificate).await, Ok(Some(claims)));
    assert_eq!(looking.keys().await.map(|keys| keys.len()), Ok(2));
}

/// 20,000 operations; what fails names its seed, which plays the same again.
#[tokio::test(flavor = "multi_thread")]
async fn random_operations_go_as_the_model_says() {
    for seed in 1..=5 {
        let (home, _folder) = open();
        beak_core::contract::modelled::random_operations(home, seed, 4000).await;
    }
}
