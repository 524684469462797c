//! What a whole home has to do: its people, certificates, mails and the galaxy over all of them,
//! as named cases that run in both homes with [`home_contract!`](crate::home_contract).

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use time::OffsetDateTime;

use crate::access::{Caller, Who};
use crate::certificate::Claims;
use crate::duckling::Duckling;
use crate::error::BeakError;
use crate::feedback::{Report, ReportKind, Reports};
use crate::galaxy::{
    Awaited, Credential, Galaxy, Hatchling, NewEgg, NewPeck, NewReader, Ports, Settings,
    Verification,
};
use crate::key::BeakKey;
use crate::mail::Mail;
use crate::peck::{Message, PeckType};
use crate::person::{DisplayName, Email, OtpCode, Password};
use crate::ports::{
    CertificateAuthority, Clock, Confirmed, MailState, Mailer, PublicKey, SignedUp,
};
use crate::tier::Tier;

/// Makes a test of each case. `$open` is an expression that gives an empty [`Home`] and a guard,
/// which is dropped after the case.
#[macro_export]
macro_rules! home_contract {
    ($open:expr) => {
        $crate::home_contract! { @list tests $open }
    };
    // All cases one after the other, inside an async function.
    (run $open:expr) => {
        $crate::home_contract! { @list run $open }
    };
    (@list $form:ident $open:expr) => {
        $crate::home_contract! { @$form $open;
            a_person_signs_up_and_in
            a_newer_sign_up_takes_over
            only_the_right_code_confirms
            an_unknown_address_is_like_any_other
            signed_out_is_out
            a_new_password_ends_old_sessions
            a_person_who_went_can_come_again
            a_foreign_token_is_nobodys
            a_certificate_reads_back
            another_signer_reads_older_certificates
            a_mail_arrives
            two_hatches_of_one_address_make_one_duckling
            two_verifies_of_one_code_make_one_duckling
            a_hatching_cut_off_behind_the_confirmation_is_finished_by_signing_in
            a_code_lapses_whoever_keeps_it
            wrong_codes_for_a_hatch_say_nothing_of_the_address
            wrong_codes_for_a_new_password_say_nothing_of_the_address
            a_right_code_is_good_behind_four_wrong_ones
            fifty_wrong_codes_at_once_are_counted_exactly
            what_is_broken_is_not_the_codes_fault
            a_mail_that_fails_says_nothing_of_the_address
            a_known_address_learns_of_a_hatch_by_mail_only
            who_bounced_or_complained_gets_no_mail
            what_is_said_of_the_mail_goes_by_the_galaxy_alone
            fifty_answers_have_one_winner
            a_key_is_exchanged_under_use
            a_deletion_cut_off_goes_on
        }
    };
    (@run $open:expr; $($case:ident)*) => {$(
        eprintln!("case {}", stringify!($case));
        let (home, _guard) = $open;
        $crate::contract::home::$case(home).await;
    )*};
    (@tests $open:expr; $($case:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            let (home, _guard) = $open;
            $crate::contract::home::$case(home).await;
        }
    )*};
}

/// A home under test.
pub struct Home {
    /// Its adapters.
    pub ports: Ports,
    /// The same with another key that signs certificates.
    pub resigned: Ports,
    /// Reads its mails.
    pub letters: Arc<dyn Letters>,
}

/// Reads the mails of a home.
#[async_trait]
pub trait Letters: Send + Sync {
    /// The newest code that was sent there for a hatch.
    async fn code(&self, to: &Email) -> OtpCode;
    /// The newest code that was sent there for a new password.
    async fn reset_code(&self, to: &Email) -> OtpCode;
    /// The subjects of the galaxy's own mails there, oldest first.
    async fn subjects(&self, to: &Email) -> Vec<String>;
}

const PASSWORD: &str = "a rather good one";

fn email(name: &str) -> Email {
    Email::parse(&format!("{name}@example.com")).expect("an address")
}

fn password(text: &str) -> Password {
    Password::attempt(text.to_owned()).expect("short enough")
}

fn galaxy(ports: &Ports) -> Galaxy {
    let settings = Settings {
        issuer: "https://api.example/prod".into(),
        version: crate::GALAXY_VERSION.into(),
        release: "0.0.0".into(),
        function_version: None,
        peck_lifetime: time::Duration::hours(24),
    };
    Galaxy::new(ports.clone(), settings)
}

fn new_egg(name: &str) -> NewEgg {
    NewEgg {
        email: email(name),
        password: password(PASSWORD),
        display_name: DisplayName::parse(name).expect("a name"),
        captcha_token: "token".into(),
        from: None,
    }
}

async fn signed_up(home: &Home, name: &str) -> Email {
    let email = email(name);
    let identity = &home.ports.identity;
    assert_eq!(identity.sign_up(&email, &password(PASSWORD)).await, Ok(SignedUp::CodeSent));
    let code = home.letters.code(&email).await;
    assert_eq!(identity.confirm(&email, &code).await, Ok(Confirmed::Yes));
    email
}

async fn access(home: &Home, email: &Email, with: &str) -> Option<String> {
    let tokens = home.ports.identity.sign_in(email, &password(with)).await.expect("answered");
    tokens.map(|tokens| tokens.access)
}

async fn is_somebody(home: &Home, token: &str) -> bool {
    home.ports.identity.who(token).await.expect("answered").is_some()
}

async fn hatched(home: &Home, galaxy: &Galaxy, name: &str) -> Hatchling {
    galaxy.hatch(new_egg(name)).await.expect("laid");
    let code = home.letters.code(&email(name)).await;
    let verification = crate::galaxy::Verification { email: email(name), code };
    galaxy.verify(&verification).await.expect("hatched")
}

/// An address and a password make tokens, and tokens make new ones.
pub async fn a_person_signs_up_and_in(home: Home) {
    let identity = &home.ports.identity;
    let swan = signed_up(&home, "swan").await;
    let tokens = identity.sign_in(&swan, &password(PASSWORD)).await.expect("answered");
    let tokens = tokens.expect("right");
    let person = identity.who(&tokens.access).await.expect("answered").expect("somebody");
    assert_eq!((person.email, person.operator), (swan.clone(), false));
    let refresh = tokens.refresh.expect("a refresh token");
    let again = identity.refresh(&refresh).await.expect("answered").expect("refreshed");
    assert!(is_somebody(&home, &again.access).await);
    assert_eq!(identity.sign_up(&swan, &password("another password")).await, Ok(SignedUp::Known));
    assert!(access(&home, &swan, PASSWORD).await.is_some());
    assert!(access(&home, &swan, "another password").await.is_none());
}

/// Whoever signs up last before the code was used has the password.
pub async fn a_newer_sign_up_takes_over(home: Home) {
    let (identity, swan) = (&home.ports.identity, email("swan"));
    for text in ["a stranger's one", PASSWORD] {
        assert_eq!(identity.sign_up(&swan, &password(text)).await, Ok(SignedUp::CodeSent));
    }
    // Not confirmed yet.
    assert!(access(&home, &swan, PASSWORD).await.is_none());
    let code = home.letters.code(&swan).await;
    assert_eq!(identity.confirm(&swan, &code).await, Ok(Confirmed::Yes));
    assert!(access(&home, &swan, "a stranger's one").await.is_none());
    assert!(access(&home, &swan, PASSWORD).await.is_some());
}

/// A wrong code does nothing; the right one still confirms.
pub async fn only_the_right_code_confirms(home: Home) {
    let (identity, swan) = (&home.ports.identity, email("swan"));
    assert_eq!(identity.sign_up(&swan, &password(PASSWORD)).await, Ok(SignedUp::CodeSent));
    let code = home.letters.code(&swan).await;
    let wrong = if code.expose() == "000000" { "000001" } else { "000000" };
    let wrong = OtpCode::parse(wrong).expect("six digits");
    assert_eq!(identity.confirm(&swan, &wrong).await, Ok(Confirmed::No));
    assert!(access(&home, &swan, PASSWORD).await.is_none());
    assert_eq!(identity.resend(&swan).await, Ok(()));
    let code = home.letters.code(&swan).await;
    assert_eq!(identity.confirm(&swan, &code).await, Ok(Confirmed::Yes));
}

/// Nothing that is asked about an address tells whether it is known.
pub async fn an_unknown_address_is_like_any_other(home: Home) {
    let (identity, known) = (&home.ports.identity, signed_up(&home, "known").await);
    let wrong = OtpCode::parse("000000").expect("six digits");
    let mut answers = Vec::new();
    for address in [&known, &email("unknown")] {
        answers.push((
            identity.confirm(address, &wrong).await,
            identity.resend(address).await,
            identity.forgot(address).await,
            identity.reset(address, &wrong, &password("something else")).await,
            access(&home, address, "a wrong password").await,
        ));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, Ok(Confirmed::No));
}

/// All tokens of the person end, access and refresh.
pub async fn signed_out_is_out(home: Home) {
    let identity = &home.ports.identity;
    let swan = signed_up(&home, "swan").await;
    let tokens = identity.sign_in(&swan, &password(PASSWORD)).await.expect("answered");
    let tokens = tokens.expect("right");
    assert_eq!(identity.sign_out(&tokens.access).await, Ok(()));
    assert!(!is_somebody(&home, &tokens.access).await);
    let refresh = tokens.refresh.expect("a refresh token");
    assert!(identity.refresh(&refresh).await.expect("answered").is_none());
    assert!(access(&home, &swan, PASSWORD).await.is_some());
}

/// A code gives a new password; what was signed in before is out.
pub async fn a_new_password_ends_old_sessions(home: Home) {
    let identity = &home.ports.identity;
    let swan = signed_up(&home, "swan").await;
    let before = access(&home, &swan, PASSWORD).await.expect("right");
    assert_eq!(identity.forgot(&swan).await, Ok(()));
    let code = home.letters.reset_code(&swan).await;
    let new = password("quite another one");
    assert_eq!(identity.reset(&swan, &code, &new).await, Ok(Confirmed::Yes));
    assert!(!is_somebody(&home, &before).await);
    assert!(access(&home, &swan, PASSWORD).await.is_none());
    assert!(access(&home, &swan, "quite another one").await.is_some());
    // Single use.
    assert_ne!(identity.reset(&swan, &code, &new).await, Ok(Confirmed::Yes));
}

/// Nothing of the person is left, so the address is as new.
pub async fn a_person_who_went_can_come_again(home: Home) {
    let identity = &home.ports.identity;
    let swan = signed_up(&home, "swan").await;
    let token = access(&home, &swan, PASSWORD).await.expect("right");
    for _ in 0..2 {
        assert_eq!(identity.delete(&swan).await, Ok(()));
    }
    assert!(!is_somebody(&home, &token).await);
    assert!(access(&home, &swan, PASSWORD).await.is_none());
    signed_up(&home, "swan").await;
}

/// Tokens that were made elsewhere, or by nobody.
pub async fn a_foreign_token_is_nobodys(home: Home) {
    let swan = signed_up(&home, "swan").await;
    let token = access(&home, &swan, PASSWORD).await.expect("right");
    let none = ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."];
    let mut changed = token.clone();
    changed.pop();
    for token in none.into_iter().chain([changed.as_str()]) {
        assert!(!is_somebody(&home, token).await, "{token}");
    }
    assert!(home.ports.identity.refresh("x.y").await.expect("answered").is_none());
    assert!(is_somebody(&home, &token).await);
}

/// What was signed says what was to be signed, and a changed byte is seen.
pub async fn a_certificate_reads_back(home: Home) {
    let galaxy = galaxy(&home.ports);
    let certificate = hatched(&home, &galaxy, "swan").await.certificate;
    let claims = home.ports.authority.read(&certificate).await.expect("answered");
    let claims = claims.expect("ours");
    assert_eq!((claims.tier, claims.name.as_str()), (Tier::T0, "swan"));
    assert_eq!(claims.email_sha256, email("swan").sha256());
    let mut changed = certificate.clone();
    let middle = changed.len() / 2;
    let other = if changed.as_bytes()[middle] == b'A' { "B" } else { "A" };
    changed.replace_range(middle..=middle, other);
    assert_eq!(home.ports.authority.read(&changed).await, Ok(None));
    let keys = home.ports.authority.keys().await.expect("answered");
    assert_eq!(keys.len(), 1);
}

/// A new key signs, and what the old one has signed is as good as before.
pub async fn another_signer_reads_older_certificates(home: Home) {
    let certificate = hatched(&home, &galaxy(&home.ports), "swan").await.certificate;
    let newer = hatched(&home, &galaxy(&home.resigned), "crane").await.certificate;
    for certificate in [&certificate, &newer] {
        let read = home.resigned.authority.read(certificate).await.expect("answered");
        assert!(read.is_some());
    }
    let keys = home.resigned.authority.keys().await.expect("answered");
    assert_eq!(keys.len(), 2);
    assert_ne!(home.ports.authority.keys().await.expect("answered")[0], keys[0]);
}

/// A mail is handed over, and counted.
pub async fn a_mail_arrives(home: Home) {
    let to = email("swan");
    let before = home.ports.mailer.state().await.expect("answered");
    assert!(before.sender);
    let token = crate::newsletter::Token::new([7; 32]);
    let mail = Mail::newsletter(to.clone(), "https://api.example/prod", &token).expect("written");
    assert_eq!(home.ports.mailer.send(&mail).await, Ok(()));
    assert_eq!(home.letters.subjects(&to).await, ["Confirm the newsletter"]);
    let after = home.ports.mailer.state().await.expect("answered");
    assert_eq!(after.sent, before.sent + 1);
}

/// One egg, one duckling, whoever comes first.
pub async fn two_hatches_of_one_address_make_one_duckling(home: Home) {
    let galaxy = galaxy(&home.ports);
    let both = futures_util::join!(galaxy.hatch(new_egg("swan")), galaxy.hatch(new_egg("swan")));
    // A home may ask one of the two to come again, and never leaves both out.
    assert!(both.0.is_ok() || both.1.is_ok(), "{both:?}");
    assert_eq!(galaxy.metrics().await.expect("counted").eggs, 1);
    let code = home.letters.code(&email("swan")).await;
    let verification = crate::galaxy::Verification { email: email("swan"), code };
    galaxy.verify(&verification).await.expect("hatched");
    let counts = galaxy.metrics().await.expect("counted");
    assert_eq!((counts.eggs, counts.ducklings, counts.certificates), (0, 1, 1));
}

/// Of two at once one gets the key; the other learns that the code is used up.
pub async fn two_verifies_of_one_code_make_one_duckling(home: Home) {
    let galaxy = galaxy(&home.ports);
    galaxy.hatch(new_egg("swan")).await.expect("laid");
    let code = home.letters.code(&email("swan")).await;
    let verification = crate::galaxy::Verification { email: email("swan"), code };
    let both = futures_util::join!(galaxy.verify(&verification), galaxy.verify(&verification));
    let mut won = 0;
    for outcome in [both.0, both.1, galaxy.verify(&verification).await] {
        match outcome {
            Ok(_) => won += 1,
            Err(error) => assert!(["otp_mismatch", "otp_expired"].contains(&error.code())),
        }
    }
    let counts = galaxy.metrics().await.expect("counted");
    assert_eq!((won, counts.ducklings, counts.certificates), (1, 1, 1));
}

/// The address is confirmed, and the process ends before the egg has hatched.
pub async fn a_hatching_cut_off_behind_the_confirmation_is_finished_by_signing_in(home: Home) {
    let galaxy = galaxy(&home.ports);
    galaxy.hatch(new_egg("swan")).await.expect("laid");
    let code = home.letters.code(&email("swan")).await;
    let confirmed = home.ports.identity.confirm(&email("swan"), &code).await;
    assert_eq!(confirmed, Ok(Confirmed::Yes));
    assert_eq!(galaxy.metrics().await.expect("counted").ducklings, 0);
    // Another hatch is no way around it, and tells the owner by mail what is.
    galaxy.hatch(new_egg("swan")).await.expect("laid");
    let subjects = home.letters.subjects(&email("swan")).await;
    assert!(subjects.contains(&"Sign in to hatch your duckling".to_owned()), "{subjects:?}");
    let wrong = galaxy.sign_in(&email("swan"), &password("a wrong password")).await;
    assert_eq!(wrong.map(|_| ()), Err(BeakError::Unauthorized));
    let signed_in = galaxy.sign_in(&email("swan"), &password(PASSWORD)).await.expect("right");
    let hatched = signed_in.hatched.expect("finished");
    let credential = Credential::Key(hatched.key);
    let caller = galaxy.admit(Some(&credential), Who::Key, Tier::T0).await.expect("let in");
    assert_eq!(caller.duckling().map(|d| &d.id), Some(&hatched.duckling.id));
    let again = galaxy.sign_in(&email("swan"), &password(PASSWORD)).await.expect("right");
    assert!(again.hatched.is_none());
    assert_eq!(galaxy.metrics().await.expect("counted").ducklings, 1);
}

/// A clock that goes before another one.
struct Later(Arc<dyn Clock>, time::Duration);

impl Clock for Later {
    fn now(&self) -> OffsetDateTime {
        self.0.now() + self.1
    }
}

fn later(home: &Home, minutes: i64) -> Galaxy {
    let clock = Later(Arc::clone(&home.ports.clock), time::Duration::minutes(minutes));
    galaxy(&Ports { clock: Arc::new(clock), ..home.ports.clone() })
}

/// Cognito keeps a code for a day; nobody is to hatch with one that is older than it was told.
pub async fn a_code_lapses_whoever_keeps_it(home: Home) {
    let laid = new_egg("late");
    let email = laid.email.clone();
    galaxy(&home.ports).hatch(laid).await.expect("an egg");
    let later = |minutes| later(&home, minutes);
    let verification =
        async || Verification { email: email.clone(), code: home.letters.code(&email).await };
    let late = later(15).verify(&verification().await).await;
    assert_eq!(late.err(), Some(BeakError::OtpExpired));
    later(16).resend(&email).await.expect("another code");
    later(30).verify(&verification().await).await.expect("a duckling");
}

/// A code that was not sent; that it was would be one in a million.
fn wrong(name: &str) -> Verification {
    Verification { email: email(name), code: OtpCode::parse("000000").expect("six digits") }
}

async fn verifying(galaxy: &Galaxy, name: &str, times: usize) -> Vec<&'static str> {
    let mut answers = Vec::new();
    for _ in 0..times {
        answers.push(galaxy.verify(&wrong(name)).await.map_or_else(|e| e.code(), |_| "hatched"));
    }
    answers
}

async fn resetting(galaxy: &Galaxy, name: &str, times: usize) -> Vec<&'static str> {
    let (mut answers, new) = (Vec::new(), password("quite another one"));
    for _ in 0..times {
        let answer = galaxy.reset(&wrong(name), &new).await;
        answers.push(answer.map_or_else(|error| error.code(), |()| "changed"));
    }
    answers
}

const NO: &str = "otp_mismatch";
const LATE: &str = "otp_expired";

/// One wrong code at once, two after fifteen minutes; seven behind another code, two a day later.
const WRONG_CODES: [&str; 12] = [NO, LATE, LATE, NO, NO, NO, NO, NO, LATE, LATE, NO, NO];

/// An address with a duckling, one with an egg and one that nobody has hatched with: whoever asks
/// for codes and tries wrong ones gets the same answers in the same order.
pub async fn wrong_codes_for_a_hatch_say_nothing_of_the_address(home: Home) {
    let now = galaxy(&home.ports);
    hatched(&home, &now, "known").await;
    let (late, second) = (later(&home, 15), later(&home, 20));
    let next_day = later(&home, 20 + 24 * 60);
    for name in ["known", "egg"] {
        assert_eq!(now.hatch(new_egg(name)).await, Ok(None));
        let mut answers = verifying(&now, name, 1).await;
        answers.extend(verifying(&late, name, 2).await);
        assert_eq!(second.resend(&email(name)).await, Ok(()));
        answers.extend(verifying(&second, name, 7).await);
        answers.extend(verifying(&next_day, name, 2).await);
        assert_eq!(answers, WRONG_CODES, "{name}");
    }
    assert_eq!(verifying(&now, "nobody", 7).await, [NO; 7]);
    assert_eq!(now.resend(&email("nobody")).await, Ok(()));
    let mut answers = verifying(&now, "nobody", 1).await;
    answers.extend(verifying(&late, "nobody", 2).await);
    assert_eq!(second.resend(&email("nobody")).await, Ok(()));
    answers.extend(verifying(&second, "nobody", 7).await);
    answers.extend(verifying(&next_day, "nobody", 2).await);
    assert_eq!(answers, WRONG_CODES);
}

/// The same for a new password, and what was tried for the one counts not for the other.
pub async fn wrong_codes_for_a_new_password_say_nothing_of_the_address(home: Home) {
    let now = galaxy(&home.ports);
    hatched(&home, &now, "known").await;
    let (late, second) = (later(&home, 15), later(&home, 20));
    let next_day = later(&home, 20 + 24 * 60);
    assert_eq!(now.hatch(new_egg("egg")).await, Ok(None));
    for name in ["known", "egg", "nobody"] {
        assert_eq!(resetting(&now, name, 7).await, [NO; 7], "nobody has asked for a code");
        assert_eq!(now.forgot(&email(name)).await, Ok(()));
        let mut answers = resetting(&now, name, 1).await;
        answers.extend(resetting(&late, name, 2).await);
        assert_eq!(second.forgot(&email(name)).await, Ok(()));
        answers.extend(resetting(&second, name, 7).await);
        answers.extend(resetting(&next_day, name, 2).await);
        assert_eq!(answers, WRONG_CODES, "{name}");
    }
    let code = home.letters.code(&email("egg")).await;
    now.verify(&Verification { email: email("egg"), code }).await.expect("hatched");
}

/// Four wrong ones end nothing and five do, until there is another code.
pub async fn a_right_code_is_good_behind_four_wrong_ones(home: Home) {
    let now = galaxy(&home.ports);
    assert_eq!(now.hatch(new_egg("swan")).await, Ok(None));
    assert_eq!(verifying(&now, "swan", 4).await, [NO; 4]);
    let right = |code| Verification { email: email("swan"), code };
    let code = home.letters.code(&email("swan")).await;
    now.verify(&right(code)).await.expect("hatched");
    let new = password("quite another one");
    assert_eq!(now.forgot(&email("swan")).await, Ok(()));
    assert_eq!(resetting(&now, "swan", 5).await, [NO; 5]);
    let code = home.letters.reset_code(&email("swan")).await;
    assert_eq!(now.reset(&right(code), &new).await, Err(BeakError::OtpExpired));
    let soon = later(&home, 2);
    assert_eq!(soon.forgot(&email("swan")).await, Ok(()));
    assert_eq!(resetting(&soon, "swan", 4).await, [NO; 4]);
    let code = home.letters.reset_code(&email("swan")).await;
    assert_eq!(soon.reset(&right(code), &new).await, Ok(()));
    assert!(access(&home, &email("swan"), "quite another one").await.is_some());
}

/// However many at once, five are tried.
pub async fn fifty_wrong_codes_at_once_are_counted_exactly(home: Home) {
    let galaxy = galaxy(&home.ports);
    assert_eq!(galaxy.hatch(new_egg("egg")).await, Ok(None));
    assert_eq!(galaxy.resend(&email("nobody")).await, Ok(()));
    for name in ["egg", "nobody"] {
        let answers = join_all((0..50).map(|_| verifying(&galaxy, name, 1))).await.concat();
        let tried = answers.iter().filter(|answer| **answer == NO).count();
        let refused = answers.iter().filter(|answer| **answer == LATE).count();
        assert_eq!((tried, refused), (5, 45), "{name}: {answers:?}");
    }
}

/// Nothing that it would have to do works.
struct Broken;

impl Broken {
    fn error<T>() -> crate::Result<T> {
        Err(BeakError::Unavailable("broken".into()))
    }
}

#[async_trait]
impl CertificateAuthority for Broken {
    async fn issue(&self, _: &Claims) -> crate::Result<String> {
        Self::error()
    }

    async fn read(&self, _: &str) -> crate::Result<Option<Claims>> {
        Self::error()
    }

    async fn keys(&self) -> crate::Result<Vec<PublicKey>> {
        Self::error()
    }
}

#[async_trait]
impl Mailer for Broken {
    async fn send(&self, _: &Mail) -> crate::Result<()> {
        Self::error()
    }

    async fn state(&self) -> crate::Result<MailState> {
        Self::error()
    }
}

/// A try that ends in a failure of the galaxy is none, and what was begun can be finished.
pub async fn what_is_broken_is_not_the_codes_fault(home: Home) {
    let whole = galaxy(&home.ports);
    let broken = galaxy(&Ports { authority: Arc::new(Broken), ..home.ports.clone() });
    assert_eq!(whole.hatch(new_egg("swan")).await, Ok(None));
    assert_eq!(verifying(&whole, "swan", 4).await, [NO; 4]);
    let code = home.letters.code(&email("swan")).await;
    let failed = broken.verify(&Verification { email: email("swan"), code }).await;
    assert_eq!(failed.map(|_| ()).map_err(|error| error.code()), Err("unavailable"));
    assert_eq!(verifying(&whole, "swan", 2).await, [NO, LATE]);
    let signed_in = whole.sign_in(&email("swan"), &password(PASSWORD)).await.expect("right");
    assert!(signed_in.hatched.is_some());
}

/// Only a known address gets a mail of the galaxy's own at a hatch.
pub async fn a_mail_that_fails_says_nothing_of_the_address(home: Home) {
    hatched(&home, &galaxy(&home.ports), "known").await;
    let broken = galaxy(&Ports { mailer: Arc::new(Broken), ..home.ports.clone() });
    assert!(matches!(broken.hatch(new_egg("known")).await, Ok(Some(_))));
    assert_eq!(broken.hatch(new_egg("unknown")).await, Ok(None));
}

/// The same answer; nothing is changed; a mail.
pub async fn a_known_address_learns_of_a_hatch_by_mail_only(home: Home) {
    let galaxy = galaxy(&home.ports);
    hatched(&home, &galaxy, "swan").await;
    let mut again = new_egg("swan");
    again.password = password("a burglar's password");
    assert_eq!(galaxy.hatch(again).await, Ok(None));
    let subjects = home.letters.subjects(&email("swan")).await;
    assert_eq!(subjects.last().map(String::as_str), Some("You already have a duckling"));
    assert!(access(&home, &email("swan"), "a burglar's password").await.is_none());
    assert!(access(&home, &email("swan"), PASSWORD).await.is_some());
    assert_eq!(galaxy.metrics().await.expect("counted").eggs, 0);
}

/// A stranger sees no difference: the answers are those of every other address.
pub async fn who_bounced_or_complained_gets_no_mail(home: Home) {
    let galaxy = galaxy(&home.ports);
    for (name, kind, gets) in [
        ("late", ReportKind::Delay, true),
        ("bounced", ReportKind::Bounce, false),
        ("complained", ReportKind::Complaint, false),
    ] {
        hatched(&home, &galaxy, name).await;
        let report = Report::new(&format!("0100-{name}"), kind, vec![email(name)], galaxy.now());
        let told = home.ports.feedback.report(&report.expect("a report")).await;
        assert_eq!(told, Ok(true), "{name}");
        assert_eq!(galaxy.hatch(new_egg(name)).await, Ok(None), "{name}");
        let reader = NewReader { email: email(name), captcha_token: "token".into(), from: None };
        assert_eq!(galaxy.offer_newsletter(reader).await, Ok(()), "{name}");
        let subjects = home.letters.subjects(&email(name)).await;
        let all =
            ["Your duckling has hatched", "You already have a duckling", "Confirm the newsletter"];
        assert_eq!(subjects, all[..if gets { 3 } else { 1 }], "{name}");
    }
    let (_, reports) = galaxy.inside().await.mail.expect("answered");
    assert_eq!(reports, Reports { bounces: 1, complaints: 1 });
}

/// A mailer that says how it stands, and how often it was asked.
struct Stands(MailState, std::sync::atomic::AtomicUsize);

#[async_trait]
impl Mailer for Stands {
    async fn send(&self, _: &Mail) -> crate::Result<()> {
        Ok(())
    }

    async fn state(&self) -> crate::Result<MailState> {
        self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(self.0)
    }
}

/// It is kind where not everybody can be reached, silent where everybody can, and looks at the
/// mail at most once in a while, whoever asks.
pub async fn what_is_said_of_the_mail_goes_by_the_galaxy_alone(home: Home) {
    let open = MailState { sender: true, sandbox: false, quota: Some(200), sent: 199 };
    for (state, code, offer) in [
        (open, "", ""),
        (MailState { quota: None, ..open }, "", ""),
        (MailState { sent: 200, ..open }, "try again tomorrow", "try again tomorrow"),
        (MailState { sandbox: true, ..open }, "let your address in", "let your address in"),
        (MailState { sender: false, sandbox: true, ..open }, "a few codes a day", "no mail comes"),
    ] {
        let mailer = Arc::new(Stands(state, 0.into()));
        let ports = Ports { mailer: Arc::clone(&mailer) as Arc<dyn Mailer>, ..home.ports.clone() };
        let galaxy = galaxy(&ports);
        for _ in 0..5 {
            for (awaited, part) in [(Awaited::Code, code), (Awaited::Offer, offer)] {
                let note = galaxy.note(awaited).await.unwrap_or_default();
                assert_eq!(note.is_empty(), part.is_empty(), "{state:?}: {note}");
                assert!(note.contains(part), "{state:?}: {note}");
            }
        }
        assert_eq!(mailer.1.load(std::sync::atomic::Ordering::Relaxed), 1);
    }
    let broken = galaxy(&Ports { mailer: Arc::new(Broken), ..home.ports.clone() });
    assert_eq!(broken.note(Awaited::Code).await, None, "what is not known is not said");
}

async fn asked(galaxy: &Galaxy, source: &Duckling, target: &Duckling) -> crate::id::PeckId {
    let new = NewPeck {
        target: target.id.clone(),
        kind: PeckType::parse("data.read").expect("a type"),
        message: Message::default(),
        idempotency_key: None,
    };
    galaxy.peck(source, new).await.expect("asked").id
}

/// Approvals, denials and withdrawals of one peck, all at once: one wins, all others learn how it
/// stands, the counts are exact.
pub async fn fifty_answers_have_one_winner(home: Home) {
    let galaxy = galaxy(&home.ports);
    let swan = hatched(&home, &galaxy, "swan").await.duckling;
    let crane = hatched(&home, &galaxy, "crane").await.duckling;
    let peck = asked(&galaxy, &swan, &crane).await;
    let answer = async |n: usize| match n % 2 {
        0 => galaxy.approve(&crane, &peck).await.map(|_| ()),
        _ => galaxy.deny(&crane, &peck).await,
    };
    let outcomes = join_all((0..50).map(answer)).await;
    let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(winners, 1, "{outcomes:?}");
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert_eq!(error.code(), "conflict", "{error:?}");
    }
    let counts = galaxy.metrics().await.expect("counted");
    let [pending, approved, denied, ..] = counts.pecks;
    assert_eq!((pending, approved + denied), (0, 1));
    assert_eq!(counts.connections, approved);
    assert_eq!(counts.certificates, 2 + 2 * approved);
}

/// Every use is before or after the exchange; behind it the old key opens nothing.
pub async fn a_key_is_exchanged_under_use(home: Home) {
    let galaxy = galaxy(&home.ports);
    let swan = hatched(&home, &galaxy, "swan").await;
    let old = swan.key.reveal().to_owned();
    let key = |text: &str| Credential::Key(BeakKey::parse(text).expect("a key"));
    let use_it = async || galaxy.admit(Some(&key(&old)), Who::Key, Tier::T0).await;
    let uses = join_all((0..10).map(|_| use_it()));
    let rotation = galaxy.rotate_key(&swan.duckling);
    let (uses, first, second) =
        futures_util::join!(uses, rotation, galaxy.rotate_key(&swan.duckling));
    for outcome in uses {
        assert!(matches!(outcome, Ok(_) | Err(BeakError::Unauthorized)), "{outcome:?}");
    }
    let mut keys: Vec<_> = [first, second].into_iter().filter_map(Result::ok).collect();
    assert_eq!(keys.len(), 1, "of two exchanges one wins");
    assert!(matches!(use_it().await, Err(BeakError::Unauthorized)));
    let new = Credential::Key(keys.remove(0));
    assert!(galaxy.admit(Some(&new), Who::Key, Tier::T0).await.is_ok());
}

/// Cut off between its two halves, from either side, the same call ends it.
pub async fn a_deletion_cut_off_goes_on(home: Home) {
    let galaxy = galaxy(&home.ports);
    let swan = hatched(&home, &galaxy, "swan").await;
    let crane = hatched(&home, &galaxy, "crane").await.duckling;
    let bond = asked(&galaxy, &swan.duckling, &crane).await;
    galaxy.approve(&crane, &bond).await.expect("approved");
    // With the key: the person goes first.
    assert_eq!(home.ports.identity.delete(&email("swan")).await, Ok(()));
    let credential = Credential::Key(swan.key);
    let caller = galaxy.admit(Some(&credential), Who::KeyOrPerson, Tier::T0).await;
    assert_eq!(galaxy.delete(&caller.expect("let in")).await, Ok(()));
    let gone = galaxy.admit(Some(&credential), Who::KeyOrPerson, Tier::T0).await;
    assert!(matches!(gone, Err(BeakError::Unauthorized)));
    // With a token: the duckling goes first.
    let token = access(&home, &email("crane"), PASSWORD).await.expect("right");
    let credential = Credential::Token(token);
    let admitted = async || galaxy.admit(Some(&credential), Who::KeyOrPerson, Tier::T0).await;
    let caller = admitted().await.expect("let in");
    let agent = caller.duckling().expect("a duckling").clone();
    let certificates = home.ports.store.certificates_of(&agent.id).await.expect("read");
    let deletion = crate::ports::Deletion {
        duckling: agent,
        certificates: certificates.into_iter().map(|certificate| certificate.id).collect(),
        at: galaxy.now(),
    };
    assert_eq!(home.ports.store.delete(&deletion).await, Ok(true));
    let caller = admitted().await.expect("still a person");
    assert!(matches!(caller, Caller::Person(_, None)));
    assert_eq!(galaxy.delete(&caller).await, Ok(()));
    assert!(access(&home, &email("crane"), PASSWORD).await.is_none());
    let counts = galaxy.metrics().await.expect("counted");
    assert_eq!((counts.ducklings, counts.connections), (0, 0));
}
