//! Sealed tokens and the second factor: what ends them, how often a code works and may be tried.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::future::join_all;
use time::{Duration, OffsetDateTime};

use super::fuse::with_fuse;
use super::home::{
    Home, PASSWORD, email, galaxy, hatched, holder, is_signed_in, password, tokens, with_password,
};
use crate::access::Who;
use crate::error::BeakError;
use crate::factor::{FactorCode, RecoveryCode, TotpSecret};
use crate::galaxy::{Credential, Enrolled, Galaxy, Ports, SignedIn, Tokens};
use crate::person::hex;
use crate::ports::{Clock, Journal, Person};
use crate::tier::Tier;

/// A clock that a case moves on.
struct Moved(OffsetDateTime, AtomicI64);

impl Moved {
    fn pass(&self, time: Duration) {
        self.1.fetch_add(time.whole_seconds(), Ordering::Relaxed);
    }
}

impl Clock for Moved {
    fn now(&self) -> OffsetDateTime {
        self.0 + Duration::seconds(self.1.load(Ordering::Relaxed))
    }
}

/// A galaxy whose clock moves by hand, and its adapters.
struct Stage {
    home: Home,
    clock: Arc<Moved>,
    ports: Ports,
    galaxy: Galaxy,
}

impl Stage {
    fn new(home: Home) -> Self {
        let clock = Arc::new(Moved(home.ports.clock.now(), AtomicI64::new(0)));
        let ports = Ports { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..home.ports.clone() };
        let galaxy = galaxy(&ports);
        Self { home, clock, ports, galaxy }
    }

    /// A person with a duckling and without a second factor.
    async fn person(&self, name: &str) -> Person {
        hatched(&self.home, &self.galaxy, name).await;
        self.signed_in(name).await.0
    }

    async fn signed_in(&self, name: &str) -> (Person, Tokens) {
        let tokens = tokens(&self.galaxy, name, PASSWORD).await;
        (holder(&self.galaxy, &tokens.access).await.expect("a person"), tokens)
    }

    /// A person with a second factor.
    async fn enrolled(&self, name: &str) -> (Person, App, Vec<RecoveryCode>) {
        let person = self.person(name).await;
        let app = self.begun(&person).await;
        let Enrolled { recovery_codes, unsent } = self.confirmed(&person, &app).await;
        assert_eq!(unsent, None);
        // The step of the first code is used.
        self.clock.pass(Duration::seconds(30));
        (person, app, recovery_codes)
    }

    async fn begun(&self, person: &Person) -> App {
        let begun = self.galaxy.begin_factor(person, &password(PASSWORD)).await.expect("begun");
        assert!(begun.otpauth_uri.contains(&begun.secret));
        App::new(&begun.secret)
    }

    async fn confirmed(&self, person: &Person, app: &App) -> Enrolled {
        let code = app.code(&*self.clock, 0);
        self.galaxy.confirm_factor(person, &code).await.expect("confirmed")
    }

    async fn challenge(&self, name: &str) -> String {
        challenge(&self.galaxy, name, PASSWORD).await.expect("a challenge")
    }

    /// One after the other: not even right passwords are tried in larger numbers at once.
    async fn challenges(&self, name: &str, count: usize) -> Vec<String> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(self.challenge(name).await);
        }
        all
    }

    async fn answer(&self, session: &str, code: &FactorCode) -> &'static str {
        let outcome = self.galaxy.sign_in_totp(session, code).await;
        outcome.map_or_else(|error| error.code(), |_| "in")
    }
}

async fn challenge(galaxy: &Galaxy, name: &str, with: &str) -> Option<String> {
    match galaxy.sign_in(&email(name), &password(with)).await.expect("right") {
        SignedIn::Tokens(_) => None,
        SignedIn::Challenge { session, .. } => Some(session),
    }
}

/// An authenticator app.
struct App(TotpSecret);

impl App {
    fn new(secret: &str) -> Self {
        let bytes = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).expect("base 32");
        Self(TotpSecret::new(bytes.try_into().expect("twenty bytes")))
    }

    /// What it shows, so many steps from now.
    fn code(&self, clock: &dyn Clock, steps: i64) -> FactorCode {
        let step = clock.now().unix_timestamp() / 30 + steps;
        let code = self.0.code(u64::try_from(step).expect("positive"));
        FactorCode::Totp(code.expect("a code"))
    }
}

const NO: &str = "otp_mismatch";
const OUT: &str = "unauthorized";

fn wrong() -> FactorCode {
    FactorCode::Recovery(RecoveryCode::new([0; 8]))
}

/// From the first code on, signing in takes one, and what was signed in before is out.
pub async fn a_second_factor_is_enrolled_and_asked_for(home: Home) {
    let stage = Stage::new(home);
    let galaxy = &stage.galaxy;
    stage.person("swan").await;
    let (person, before) = stage.signed_in("swan").await;
    let early = galaxy.confirm_factor(&person, &wrong()).await;
    assert_eq!(early.map(|_| ()).map_err(|error| error.code()), Err("conflict"));
    let guessed = galaxy.begin_factor(&person, &password("a wrong password")).await;
    assert_eq!(guessed.map(|_| ()), Err(BeakError::WrongPassword));
    let app = stage.begun(&person).await;
    assert_eq!(galaxy.factor(&person).await.map(|seen| seen.enrolled_at), Ok(None));
    let mistyped = galaxy.confirm_factor(&person, &wrong()).await;
    assert_eq!(mistyped.map(|_| ()), Err(BeakError::OtpMismatch));
    assert!(is_signed_in(galaxy, &before.access).await, "not yet");
    let codes = stage.confirmed(&person, &app).await.recovery_codes;
    let mut shown: Vec<_> = codes.iter().map(RecoveryCode::shown).collect();
    shown.sort();
    shown.dedup();
    assert_eq!(shown.len(), 10);
    assert!(!is_signed_in(galaxy, &before.access).await);
    assert!(galaxy.refresh(&before.refresh.expect("one")).await.is_err());
    let seen = galaxy.factor(&person).await.expect("read");
    assert_eq!((seen.enrolled_at, seen.recovery_codes_left), (Some(galaxy.now()), 10));
    let again = galaxy.begin_factor(&person, &password(PASSWORD)).await;
    assert_eq!(again.map(|_| ()).map_err(|error| error.code()), Err("already_exists"));
    stage.clock.pass(Duration::seconds(30));
    let session = stage.challenge("swan").await;
    assert!(!is_signed_in(galaxy, &session).await && galaxy.refresh(&session).await.is_err());
    assert_eq!(stage.answer(&session, &wrong()).await, NO);
    let tokens = galaxy.sign_in_totp(&session, &app.code(&*stage.clock, 0)).await.expect("in");
    assert_eq!(holder(galaxy, &tokens.access).await, Some(person));
    assert!(galaxy.refresh(&tokens.refresh.expect("one")).await.is_ok());
    let subjects = stage.home.letters.subjects(&email("swan")).await;
    assert_eq!(subjects.last().map(String::as_str), Some("Two-factor sign-in is on"));
}

/// It waits a quarter of an hour for its first code.
pub async fn an_enrolment_lapses(home: Home) {
    let stage = Stage::new(home);
    let person = stage.person("swan").await;
    let first = stage.begun(&person).await;
    let app = stage.begun(&person).await;
    let older = stage.galaxy.confirm_factor(&person, &first.code(&*stage.clock, 0)).await;
    assert_eq!(older.map(|_| ()), Err(BeakError::OtpMismatch), "the newer one counts");
    stage.clock.pass(Duration::minutes(15));
    let late = stage.galaxy.confirm_factor(&person, &app.code(&*stage.clock, 0)).await;
    assert_eq!(late.map(|_| ()).map_err(|error| error.code()), Err("conflict"));
    assert!(challenge(&stage.galaxy, "swan", PASSWORD).await.is_none());
}

/// Each time step and each recovery code, also of any number at once.
pub async fn a_code_of_a_second_factor_works_once(home: Home) {
    let stage = Stage::new(home);
    let (person, app, recovery) = stage.enrolled("swan").await;
    let sessions = stage.challenges("swan", 6).await;
    let code = app.code(&*stage.clock, 0);
    let both = join_all(sessions[..2].iter().map(|session| stage.answer(session, &code))).await;
    assert_eq!(both.iter().filter(|answer| **answer == "in").count(), 1, "{both:?}");
    assert_eq!(stage.answer(&sessions[2], &code).await, NO);
    assert_eq!(stage.answer(&sessions[2], &app.code(&*stage.clock, -1)).await, NO, "the past");
    assert_eq!(stage.answer(&sessions[2], &app.code(&*stage.clock, 1)).await, "in");
    assert_eq!(stage.answer(&sessions[2], &recovery_code(&recovery[0])).await, OUT, "it is used");
    let code = recovery_code(&recovery[0]);
    let both = join_all(sessions[3..5].iter().map(|session| stage.answer(session, &code))).await;
    assert_eq!(both.iter().filter(|answer| **answer == "in").count(), 1, "{both:?}");
    assert_eq!(stage.answer(&sessions[5], &code).await, NO);
    assert_eq!(stage.answer(&sessions[5], &recovery_code(&recovery[1])).await, "in");
    let seen = stage.galaxy.factor(&person).await.expect("read");
    assert_eq!(seen.recovery_codes_left, 8);
}

fn recovery_code(code: &RecoveryCode) -> FactorCode {
    FactorCode::parse(&code.shown()).expect("as it was shown")
}

/// However many at once; then not even the right one is tried.
pub async fn five_wrong_codes_end_a_challenge(home: Home) {
    let stage = Stage::new(home);
    let (_, app, _) = stage.enrolled("swan").await;
    let (session, bad) = (stage.challenge("swan").await, wrong());
    let answers = join_all((0..50).map(|_| stage.answer(&session, &bad))).await;
    let count = |word| answers.iter().filter(|answer| **answer == word).count();
    assert_eq!((count(NO), count(OUT)), (5, 45), "{answers:?}");
    let code = app.code(&*stage.clock, 0);
    assert_eq!(stage.answer(&session, &code).await, OUT);
    let other = stage.challenge("swan").await;
    assert_eq!(stage.answer(&other, &code).await, "in");
    let late = stage.challenge("swan").await;
    stage.clock.pass(Duration::minutes(5));
    assert_eq!(stage.answer(&late, &app.code(&*stage.clock, 0)).await, OUT, "it lapsed");
}

/// However many challenges there are.
pub async fn twenty_wrong_codes_a_day_are_tried(home: Home) {
    let stage = Stage::new(home);
    let (person, app, _) = stage.enrolled("swan").await;
    let sessions = stage.challenges("swan", 8).await;
    let (tries, bad) = (sessions.iter().flat_map(|session| [session; 5]), wrong());
    let answers = join_all(tries.map(|session| stage.answer(session, &bad))).await;
    let count = |word| answers.iter().filter(|answer| **answer == word).count();
    assert_eq!((count(NO), count("rate_limited")), (20, 20), "{answers:?}");
    let session = stage.challenge("swan").await;
    let code = app.code(&*stage.clock, 0);
    assert_eq!(stage.answer(&session, &code).await, "rate_limited");
    let removal = stage.galaxy.remove_factor(&person, &password(PASSWORD), &code).await;
    assert_eq!(removal.map_err(|error| error.code()), Err("rate_limited"));
    stage.clock.pass(Duration::hours(24));
    let session = stage.challenge("swan").await;
    assert_eq!(stage.answer(&session, &app.code(&*stage.clock, 0)).await, "in");
}

/// With the password and a code; every session ends, and a mail says so.
pub async fn a_second_factor_is_removed(home: Home) {
    let stage = Stage::new(home);
    let (person, app, _) = stage.enrolled("swan").await;
    let session = stage.challenge("swan").await;
    let tokens = stage.galaxy.sign_in_totp(&session, &app.code(&*stage.clock, 0)).await;
    let tokens = tokens.expect("in");
    let waiting = stage.challenge("swan").await;
    let remove = async |with: &str, code: &FactorCode| {
        let removed = stage.galaxy.remove_factor(&person, &password(with), code).await;
        removed.map_err(|error| error.code())
    };
    stage.clock.pass(Duration::seconds(30));
    let code = app.code(&*stage.clock, 0);
    assert_eq!(remove("a wrong password", &code).await, Err("unauthorized"));
    assert_eq!(remove(PASSWORD, &wrong()).await, Err(NO));
    assert!(is_signed_in(&stage.galaxy, &tokens.access).await);
    assert_eq!(remove(PASSWORD, &code).await, Ok(None));
    assert!(!is_signed_in(&stage.galaxy, &tokens.access).await);
    stage.clock.pass(Duration::seconds(30));
    assert_eq!(stage.answer(&waiting, &app.code(&*stage.clock, 0)).await, OUT);
    assert_eq!(remove(PASSWORD, &code).await, Err("not_found"));
    assert!(challenge(&stage.galaxy, "swan", PASSWORD).await.is_none());
    let subjects = stage.home.letters.subjects(&email("swan")).await;
    assert_eq!(subjects.last().map(String::as_str), Some("Two-factor sign-in is off"));
}

/// The reader of the mailbox may undo a fresh enrolment, and nothing else.
pub async fn a_reset_removes_only_a_young_second_factor(home: Home) {
    const RESET: &str = "quite another password";
    let stage = Stage::new(home);
    for (name, hours, removes) in [("young", 71, true), ("old", 72, false)] {
        let (person, app, _) = stage.enrolled(name).await;
        stage.clock.pass(Duration::hours(hours) - Duration::seconds(30));
        with_password(&stage.home, &stage.galaxy, name, RESET).await.expect("set");
        let challenge = challenge(&stage.galaxy, name, RESET).await;
        assert_eq!(challenge.is_none(), removes, "{name}");
        if let Some(session) = challenge {
            assert_eq!(stage.answer(&session, &app.code(&*stage.clock, 0)).await, "in");
        }
        let seen = stage.galaxy.factor(&person).await.expect("read");
        assert_eq!(seen.enrolled_at.is_none(), removes, "{name}");
        let subjects = stage.home.letters.subjects(&email(name)).await;
        let told = subjects.contains(&"Two-factor sign-in is off".to_owned());
        assert_eq!(told, removes, "{name}: {subjects:?}");
    }
}

/// A token that the galaxy did not seal for this, or that lapsed, is refused without any call.
pub async fn a_forged_token_costs_no_call(home: Home) {
    let stage = Stage::new(home);
    stage.enrolled("swan").await;
    hatched(&stage.home, &stage.galaxy, "crane").await;
    let (fused, fuse) = with_fuse(&stage.ports, i64::MAX);
    let galaxy = galaxy(&fused);
    let Tokens { access, refresh, .. } = tokens(&galaxy, "crane", PASSWORD).await;
    let refresh = refresh.expect("one");
    let challenge = challenge(&galaxy, "swan", PASSWORD).await.expect("a challenge");
    let mut changed = access.clone();
    let last = changed.pop().expect("a letter");
    changed.push(if last == 'A' { 'Q' } else { 'A' });
    let unknown = format!("sdt_{}", data_encoding::BASE64URL_NOPAD.encode(&[1; 200]));
    fuse.leave(0);
    let code = wrong();
    let cases = async |access: &[&str], refresh: &[&str], challenge: &[&str]| {
        for text in access {
            let token = Credential::Token((*text).to_owned());
            let admitted = galaxy.admit(Some(&token), Who::KeyOrPerson, Tier::T0).await;
            assert_eq!(admitted.map(|_| ()), Err(BeakError::Unauthorized), "{text}");
            assert_eq!(galaxy.sign_out(text).await, Err(BeakError::Unauthorized), "{text}");
        }
        for text in refresh {
            let refreshed = galaxy.refresh(text).await.map(|_| ());
            assert_eq!(refreshed, Err(BeakError::Unauthorized), "{text}");
        }
        for text in challenge {
            let answered = galaxy.sign_in_totp(text, &code).await.map(|_| ());
            assert_eq!(answered, Err(BeakError::Unauthorized), "{text}");
        }
    };
    let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.";
    let none = ["", "x", jwt, "sdt_", changed.as_str(), unknown.as_str()];
    cases(&none, &none, &none).await;
    cases(&[&refresh, &challenge], &[&access, &challenge], &[&access, &refresh]).await;
    assert_eq!(fuse.left(), 0, "a port was called");
    let token = Credential::Token(access.clone());
    let good = galaxy.admit(Some(&token), Who::Person, Tier::T0).await;
    assert_eq!(good.map(|_| ()).map_err(|error| error.code()), Err("unavailable"));
    fuse.leave(0);
    stage.clock.pass(Duration::minutes(60));
    cases(&[&access], &[], &[&challenge]).await;
    stage.clock.pass(Duration::days(30));
    cases(&[], &[&refresh], &[]).await;
    assert_eq!(fuse.left(), 0, "a port was called for a token that lapsed");
}

/// Known or not, with a second factor or without: the same number of calls, the same answer.
pub async fn a_wrong_password_costs_the_same_for_every_address(home: Home) {
    let stage = Stage::new(home);
    stage.enrolled("factor").await;
    hatched(&stage.home, &stage.galaxy, "known").await;
    let (fused, fuse) = with_fuse(&stage.ports, i64::MAX);
    let galaxy = galaxy(&fused);
    let mut calls = Vec::new();
    for name in ["factor", "known", "unknown"] {
        fuse.leave(1000);
        let outcome = galaxy.sign_in(&email(name), &password("a wrong password")).await;
        assert_eq!(outcome.map(|_| ()), Err(BeakError::WrongPassword), "{name}");
        calls.push(1000 - fuse.left());
    }
    assert!(calls.iter().all(|count| *count == calls[0] && *count > 0), "{calls:?}");
}

async fn sealing(stage: &Stage) -> Journal {
    stage.ports.journals.journal("sealing").await.expect("read").expect("there")
}

/// It seals for ninety days, and the one before it opens for thirty more, in every process.
pub async fn sealing_keys_are_exchanged_and_dropped(home: Home) {
    let stage = Stage::new(home);
    let (galaxy, other) = (&stage.galaxy, galaxy(&stage.ports));
    hatched(&stage.home, galaxy, "swan").await;
    tokens(galaxy, "swan", PASSWORD).await;
    stage.clock.pass(Duration::days(90) - Duration::seconds(30));
    let old = tokens(&other, "swan", PASSWORD).await.refresh.expect("one");
    assert!(galaxy.sweep().await.is_ok());
    assert_eq!(sealing(&stage).await.marks.len(), 1, "not yet");
    stage.clock.pass(Duration::seconds(30));
    for _ in 0..2 {
        assert!(galaxy.sweep().await.is_ok());
    }
    assert_eq!(sealing(&stage).await.marks.len(), 2);
    let third = super::home::galaxy(&stage.ports);
    let new = tokens(&third, "swan", PASSWORD).await.refresh.expect("one");
    // This one still has the keys of a minute ago.
    assert!(other.refresh(&new).await.is_ok(), "a new key is looked up");
    stage.clock.pass(Duration::days(29));
    for token in [&old, &new] {
        assert!(galaxy.refresh(token).await.is_ok() && other.refresh(token).await.is_ok());
    }
    // An emergency: the previous one is dropped, and opens nothing within a minute.
    let mut journal = sealing(&stage).await;
    journal.marks.remove(0);
    journal.version += 1;
    assert_eq!(stage.ports.journals.write_journal(&journal).await, Ok(true));
    stage.clock.pass(Duration::seconds(60));
    for galaxy in [galaxy, &other] {
        let dropped = galaxy.refresh(&old).await.map(|_| ());
        assert_eq!(dropped, Err(BeakError::Unauthorized));
        assert!(galaxy.refresh(&new).await.is_ok());
    }
}

/// The state holds no secret in the clear, and no recovery code.
pub async fn a_second_factor_is_sealed_at_rest(home: Home) {
    let stage = Stage::new(home);
    let (person, app, recovery) = stage.enrolled("swan").await;
    let address = person.email.sha256();
    let seen = stage.ports.sign_ins.sign_in_state(&address).await.expect("read").expect("there");
    let kept = format!("{seen:?}").to_lowercase();
    let secret = app.0.base32();
    let bytes = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).expect("base 32");
    let base64 = data_encoding::BASE64URL_NOPAD.encode(&bytes).to_lowercase();
    for plain in [secret.to_lowercase(), hex(&bytes), base64, person.email.as_str().to_owned()] {
        assert!(!kept.contains(&plain), "{kept}");
    }
    for code in recovery {
        assert!(!kept.contains(&code.shown()) && !kept.contains(&code.shown().replace('-', "")));
    }
}
