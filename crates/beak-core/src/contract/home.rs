//! What a whole home has to do: its people, certificates, mails and the galaxy over all of them,
//! as named cases that run in both homes with [`home_contract!`](crate::home_contract).

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use time::OffsetDateTime;

pub use super::departing::*;
pub use super::factor::*;
pub use super::guessing::*;
pub use super::hatching::*;
use crate::access::{Caller, Who};
use crate::certificate::{CertStatus, Claims};
use crate::duckling::Duckling;
use crate::error::BeakError;
use crate::feedback::{Report, ReportKind, Reports};
use crate::galaxy::{
    Awaited, Credential, Galaxy, Hatchling, NewEgg, NewPeck, NewReader, Ports, Progress, Resend,
    Reset, Settings, SignedIn, Tokens, Verdict, Verification,
};
use crate::id::HatchId;
use crate::key::BeakKey;
use crate::mail::Mail;
use crate::peck::{Message, PeckType};
use crate::person::{DisplayName, Email, OtpCode, Password};
use crate::ports::{
    AccountId, CertificateAuthority, Clock, Entered, MailState, Mailer, Person, PublicKey, Renewed,
    Session, SignedUp,
};
use crate::tier::{Note, Tier};

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
            a_newer_sign_up_changes_nothing
            only_the_right_code_confirms
            an_unknown_address_is_like_any_other
            signed_out_is_out
            a_new_password_ends_old_sessions
            a_person_who_went_can_come_again
            a_deleted_account_hatches_again_at_once
            a_certificate_reads_back
            another_signer_reads_older_certificates
            a_mail_arrives
            two_hatches_of_one_address_make_one_duckling
            two_verifies_of_one_code_make_one_duckling
            a_code_lapses_whoever_keeps_it
            a_lone_hatch_keeps_its_password_and_name
            a_strangers_hatch_lends_no_password_and_no_name
            two_hatches_from_one_client_need_a_new_password
            an_id_is_good_for_its_own_address_only
            a_person_without_a_duckling_hatches_by_signing_in
            a_verify_signs_everything_out
            what_is_cut_off_behind_the_code_is_finished_by_a_new_password
            every_order_of_calls_and_crashes_leaves_the_mailbox_in_charge
            wrong_codes_for_a_hatch_say_nothing_of_the_address
            wrong_codes_for_a_new_password_say_nothing_of_the_address
            a_right_code_is_good_behind_strangers_wrong_ones
            fifty_wrong_codes_at_once_are_counted_exactly
            what_is_broken_is_no_guess
            codes_are_sent_at_most_once_a_minute_and_four_times_an_hour
            a_stranger_has_somebody_mailed_by_captcha_only
            wrong_passwords_are_limited_by_address
            a_budget_is_the_callers_by_address_too
            a_mail_that_fails_says_nothing_of_the_address
            a_known_address_learns_of_a_hatch_by_mail_only
            who_bounced_or_complained_gets_no_mail
            what_is_said_of_the_mail_goes_by_the_galaxy_alone
            fifty_answers_have_one_winner
            a_key_is_exchanged_under_use
            a_deletion_cut_off_goes_on
            a_deletion_outlasts_pecks_that_keep_coming
            a_repeated_peck_outlives_its_target
            lapsed_pecks_make_room
            a_suspended_duckling_is_refused_until_restored
            a_removed_duckling_leaves_no_account
            a_deletion_with_many_bonds_takes_several_calls
            a_sweep_finishes_a_deletion_and_spares_a_new_account
            a_deletion_that_crashed_is_finished_by_the_sweep
            a_deletion_that_fails_stops_no_other
            a_second_factor_is_enrolled_and_asked_for
            an_enrolment_lapses
            a_code_of_a_second_factor_works_once
            five_wrong_codes_end_a_challenge
            twenty_wrong_codes_a_day_are_tried
            a_second_factor_is_removed
            a_reset_removes_only_a_young_second_factor
            a_forged_token_costs_no_call
            a_wrong_password_costs_the_same_for_every_address
            sealing_keys_are_exchanged_and_dropped
            a_second_factor_is_sealed_at_rest
        }
    };
    (@run $open:expr; $($case:ident)*) => {$(
        eprintln!("case {}", stringify!($case));
        let (home, _guard) = $open;
        // On the heap: all of them in one future are more than a thread's stack holds.
        Box::pin($crate::contract::home::$case(home)).await;
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
    /// How long the orders of calls are that are explored.
    pub depth: usize,
}

/// Reads the mails of a home.
#[async_trait]
pub trait Letters: Send + Sync {
    /// The newest code that was sent there.
    async fn maybe_code(&self, to: &Email) -> Option<OtpCode>;
    /// The newest code that was sent there for a hatch.
    async fn code(&self, to: &Email) -> OtpCode;
    /// The newest code that was sent there for a new password.
    async fn reset_code(&self, to: &Email) -> OtpCode;
    /// The subjects of the galaxy's own mails there, oldest first.
    async fn subjects(&self, to: &Email) -> Vec<String>;
}

pub(super) const PASSWORD: &str = "a rather good one";

pub(super) fn email(name: &str) -> Email {
    Email::parse(&format!("{name}@example.com")).expect("an address")
}

pub(super) fn password(text: &str) -> Password {
    Password::attempt(text.to_owned()).expect("short enough")
}

pub(super) fn galaxy(ports: &Ports) -> Galaxy {
    let settings = Settings {
        issuer: "https://api.example/prod".into(),
        version: crate::GALAXY_VERSION.into(),
        release: "0.0.0".into(),
        function_version: None,
        peck_lifetime: time::Duration::hours(24),
        answer_step: time::Duration::ZERO,
        operators_need_factor: false,
    };
    Galaxy::new(ports.clone(), settings)
}

pub(super) fn new_egg(name: &str) -> NewEgg {
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
    let account = made(identity.sign_up(&email, &password(PASSWORD)).await);
    let code = home.letters.code(&email).await;
    assert_eq!(identity.confirm(&email, &code).await, Ok(Some(account.clone())));
    assert_eq!(home.ports.accounts.settle(&account, home.ports.clock.now()).await, Ok(()));
    email
}

fn made(outcome: crate::Result<SignedUp>) -> AccountId {
    match outcome {
        Ok(SignedUp::Made(account)) => account,
        other => panic!("no account was made: {other:?}"),
    }
}

/// Whether the identity knows the password.
async fn opens(home: &Home, email: &Email, with: &str) -> bool {
    let entered = home.ports.identity.sign_in(email, &password(with)).await;
    entered.expect("answered").is_some()
}

/// The tokens of a person without a second factor.
pub(super) async fn tokens(galaxy: &Galaxy, name: &str, with: &str) -> Tokens {
    match galaxy.sign_in(&email(name), &password(with)).await.expect("right") {
        SignedIn::Tokens(tokens) => tokens,
        SignedIn::Challenge { .. } => panic!("a second factor is wanted of {name}"),
    }
}

/// Sets a new password by a code from the mailbox.
pub(super) async fn with_password(
    home: &Home,
    galaxy: &Galaxy,
    name: &str,
    new: &str,
) -> crate::Result<()> {
    let from = "192.0.2.1".parse().ok();
    galaxy.forgot(&email(name), "token", from).await?;
    let code = home.letters.reset_code(&email(name)).await;
    galaxy.reset(Reset { email: email(name), code, password: password(new), from }).await
}

/// Who holds a token.
pub(super) async fn holder(galaxy: &Galaxy, token: &str) -> Option<Person> {
    let token = Credential::Token(token.to_owned());
    match galaxy.admit(Some(&token), Who::Person, Tier::T0).await {
        Ok(Caller::Person(person, _)) => Some(*person),
        Err(BeakError::Unauthorized) => None,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn is_signed_in(galaxy: &Galaxy, token: &str) -> bool {
    holder(galaxy, token).await.is_some()
}

pub(super) async fn hatched(home: &Home, galaxy: &Galaxy, name: &str) -> Hatchling {
    let laid = galaxy.hatch(new_egg(name)).await.expect("laid");
    let code = home.letters.code(&email(name)).await;
    let hatched = galaxy.verify(verification(name, code, Some(laid.hatch_id))).await;
    hatched.expect("hatched")
}

/// What a person sends who types nothing but the code.
pub(super) fn verification(name: &str, code: OtpCode, hatch_id: Option<HatchId>) -> Verification {
    let (password, display_name, from) = (None, None, None);
    Verification { email: email(name), code, hatch_id, password, display_name, from }
}

/// An address and a password make tokens, and tokens make new ones.
pub async fn a_person_signs_up_and_in(home: Home) {
    let (identity, galaxy) = (&home.ports.identity, galaxy(&home.ports));
    let swan = signed_up(&home, "swan").await;
    let entered = identity.sign_in(&swan, &password(PASSWORD)).await.expect("answered");
    let Entered { account, operator, session } = entered.expect("right");
    let renewed = async |account: &AccountId, session: &Session| {
        identity.renew(&swan, account, session).await.expect("answered")
    };
    assert_eq!(renewed(&account, &session).await, Some(Renewed { operator }));
    let other = AccountId::new("00000000-0000-0000-0000-000000000000");
    assert_eq!(renewed(&other, &Session::new("x")).await, None);
    let tokens = tokens(&galaxy, "swan", PASSWORD).await;
    let person = holder(&galaxy, &tokens.access).await;
    assert_eq!(person, Some(Person { account, email: swan.clone(), operator: false }));
    let refresh = tokens.refresh.expect("a refresh token");
    let again = galaxy.refresh(&refresh).await.expect("refreshed");
    assert!(is_signed_in(&galaxy, &again.access).await && again.refresh.is_none());
    assert_eq!(identity.sign_up(&swan, &password("another password")).await, Ok(SignedUp::Known));
    assert!(opens(&home, &swan, PASSWORD).await);
    assert!(!opens(&home, &swan, "another password").await);
}

/// The account stays that of whoever made it; its code is sent again, and confirms once.
pub async fn a_newer_sign_up_changes_nothing(home: Home) {
    let (identity, swan) = (&home.ports.identity, email("swan"));
    let account = made(identity.sign_up(&swan, &password(PASSWORD)).await);
    let newer = identity.sign_up(&swan, &password("a stranger's one")).await;
    assert_eq!(newer, Ok(SignedUp::Waiting));
    // Not confirmed yet.
    assert!(!opens(&home, &swan, PASSWORD).await);
    assert_eq!(identity.resend(&swan).await, Ok(()));
    let code = home.letters.code(&swan).await;
    assert_eq!(identity.confirm(&swan, &code).await, Ok(Some(account.clone())));
    assert!(!opens(&home, &swan, "a stranger's one").await);
    assert!(opens(&home, &swan, PASSWORD).await);
    assert_eq!(identity.confirm(&swan, &code).await, Ok(None), "used up");
    let new = password("quite another one");
    assert_eq!(identity.set_password(&swan, &account, &new).await, Ok(true));
    assert_eq!(identity.sign_out_all(&swan, &account).await, Ok(()));
    assert!(!opens(&home, &swan, PASSWORD).await);
    assert!(opens(&home, &swan, "quite another one").await);
    assert_eq!(identity.delete(&swan).await, Ok(()));
    assert_eq!(identity.set_password(&swan, &account, &new).await, Ok(false));
    let another = made(identity.sign_up(&swan, &password(PASSWORD)).await);
    assert_ne!(another, account, "an account's id is never used again");
}

/// A wrong code does nothing; the right one still confirms.
pub async fn only_the_right_code_confirms(home: Home) {
    let (identity, swan) = (&home.ports.identity, email("swan"));
    let account = made(identity.sign_up(&swan, &password(PASSWORD)).await);
    let code = home.letters.code(&swan).await;
    let wrong = if code.expose() == "000000" { "000001" } else { "000000" };
    let wrong = OtpCode::parse(wrong).expect("six digits");
    assert_eq!(identity.confirm(&swan, &wrong).await, Ok(None));
    assert!(!opens(&home, &swan, PASSWORD).await);
    assert_eq!(identity.resend(&swan).await, Ok(()));
    let code = home.letters.code(&swan).await;
    assert_eq!(identity.confirm(&swan, &code).await, Ok(Some(account)));
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
            opens(&home, address, "a wrong password").await,
        ));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, Ok(None));
}

/// All tokens of the person end, access and refresh, of every sign-in.
pub async fn signed_out_is_out(home: Home) {
    let galaxy = galaxy(&home.ports);
    signed_up(&home, "swan").await;
    let other = tokens(&galaxy, "swan", PASSWORD).await;
    let own = tokens(&galaxy, "swan", PASSWORD).await;
    assert_eq!(galaxy.sign_out(&own.access).await, Ok(()));
    for tokens in [own, other] {
        assert!(!is_signed_in(&galaxy, &tokens.access).await);
        let refresh = tokens.refresh.expect("a refresh token");
        assert!(matches!(galaxy.refresh(&refresh).await, Err(BeakError::Unauthorized)));
        assert_eq!(galaxy.sign_out(&tokens.access).await, Err(BeakError::Unauthorized));
    }
    let again = tokens(&galaxy, "swan", PASSWORD).await;
    assert!(is_signed_in(&galaxy, &again.access).await);
}

/// A code gives a new password; what was signed in before is out.
pub async fn a_new_password_ends_old_sessions(home: Home) {
    let (identity, galaxy) = (&home.ports.identity, galaxy(&home.ports));
    let swan = signed_up(&home, "swan").await;
    let before = tokens(&galaxy, "swan", PASSWORD).await;
    assert_eq!(galaxy.forgot(&swan, "token", None).await, Ok(()));
    let code = home.letters.reset_code(&swan).await;
    let new = || password("quite another one");
    let reset = || Reset { email: swan.clone(), code: code.clone(), password: new(), from: None };
    let wrong = OtpCode::parse("000000").expect("six digits");
    let guessed = galaxy.reset(Reset { code: wrong, ..reset() }).await;
    assert_eq!(guessed, Err(BeakError::OtpMismatch));
    assert!(is_signed_in(&galaxy, &before.access).await, "a guess ends no session");
    assert_eq!(galaxy.reset(reset()).await, Ok(()));
    assert!(!is_signed_in(&galaxy, &before.access).await);
    let refresh = before.refresh.expect("a refresh token");
    assert!(matches!(galaxy.refresh(&refresh).await, Err(BeakError::Unauthorized)));
    assert!(!opens(&home, &swan, PASSWORD).await);
    assert!(opens(&home, &swan, "quite another one").await);
    // Single use.
    assert_eq!(identity.reset(&swan, &code, &new()).await, Ok(None));
}

/// Nothing of the person is left, so the address is as new.
pub async fn a_person_who_went_can_come_again(home: Home) {
    let galaxy = galaxy(&home.ports);
    let swan = signed_up(&home, "swan").await;
    let before = tokens(&galaxy, "swan", PASSWORD).await;
    let person = holder(&galaxy, &before.access).await.expect("a person");
    let caller = Caller::Person(Box::new(person), None);
    for _ in 0..2 {
        assert_eq!(galaxy.delete(&caller).await, Ok(Progress::Done));
    }
    assert!(!is_signed_in(&galaxy, &before.access).await);
    assert!(!opens(&home, &swan, PASSWORD).await);
    signed_up(&home, "swan").await;
    assert!(!is_signed_in(&galaxy, &before.access).await, "of another account");
    let after = tokens(&galaxy, "swan", PASSWORD).await;
    assert!(is_signed_in(&galaxy, &after.access).await);
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
    assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
    assert_eq!(galaxy.metrics().await.expect("counted").eggs, 1);
    let code = home.letters.code(&email("swan")).await;
    galaxy.verify(verification("swan", code, None)).await.expect("hatched");
    let counts = galaxy.metrics().await.expect("counted");
    assert_eq!((counts.eggs, counts.ducklings, counts.certificates), (0, 1, 1));
}

/// Of two at once one gets the key; the other learns that the code is used up.
pub async fn two_verifies_of_one_code_make_one_duckling(home: Home) {
    let galaxy = galaxy(&home.ports);
    galaxy.hatch(new_egg("swan")).await.expect("laid");
    let code = home.letters.code(&email("swan")).await;
    let verify = || galaxy.verify(verification("swan", code.clone(), None));
    let both = futures_util::join!(verify(), verify());
    let mut won = 0;
    for outcome in [both.0, both.1, verify().await] {
        match outcome {
            Ok(_) => won += 1,
            Err(error) => assert_eq!(error.code(), "otp_mismatch"),
        }
    }
    let counts = galaxy.metrics().await.expect("counted");
    assert_eq!((won, counts.ducklings, counts.certificates), (1, 1, 1));
}

/// A clock that goes before another one.
struct Later(Arc<dyn Clock>, time::Duration);

impl Clock for Later {
    fn now(&self) -> OffsetDateTime {
        self.0.now() + self.1
    }
}

pub(super) fn later(home: &Home, minutes: i64) -> Galaxy {
    galaxy(&Ports { clock: later_clock(home, minutes), ..home.ports.clone() })
}

pub(super) fn later_clock(home: &Home, minutes: i64) -> Arc<dyn Clock> {
    Arc::new(Later(Arc::clone(&home.ports.clock), time::Duration::minutes(minutes)))
}

/// Cognito keeps a code for a day; it hatches nothing when it is older than its owner was told.
pub async fn a_code_lapses_whoever_keeps_it(home: Home) {
    let laid = galaxy(&home.ports).hatch(new_egg("late")).await.expect("an egg");
    let verify = async |minutes| {
        let code = home.letters.code(&email("late")).await;
        let verification = verification("late", code, Some(laid.hatch_id.clone()));
        later(&home, minutes).verify(verification).await
    };
    assert_eq!(verify(15).await.err(), Some(BeakError::OtpExpired));
    later(&home, 16).resend(resend("late")).await.expect("another code");
    verify(30).await.expect("a duckling");
}

/// Asks for another code as somebody without an attempt.
pub(super) fn resend(name: &str) -> Resend {
    let (hatch_id, captcha_token, from) = (None, Some("token".into()), None);
    Resend { email: email(name), hatch_id, captcha_token, from }
}

/// Nothing that it would have to do works.
pub(super) struct Broken;

impl Broken {
    pub(super) fn error<T>() -> crate::Result<T> {
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

/// Only a known address gets a mail of the galaxy's own at a hatch.
pub async fn a_mail_that_fails_says_nothing_of_the_address(home: Home) {
    hatched(&home, &galaxy(&home.ports), "known").await;
    let clock = later_clock(&home, 2);
    let broken = galaxy(&Ports { mailer: Arc::new(Broken), clock, ..home.ports.clone() });
    let known = broken.hatch(new_egg("known")).await.expect("the same answer");
    assert!(known.unsent.is_some());
    let unknown = broken.hatch(new_egg("unknown")).await.expect("the same answer");
    assert_eq!(unknown.unsent, None);
}

/// The same answer; nothing is changed; a mail.
pub async fn a_known_address_learns_of_a_hatch_by_mail_only(home: Home) {
    hatched(&home, &galaxy(&home.ports), "swan").await;
    let galaxy = later(&home, 2);
    let mut again = new_egg("swan");
    again.password = password("a burglar's password");
    assert!(galaxy.hatch(again).await.is_ok_and(|laid| laid.unsent.is_none()));
    let subjects = home.letters.subjects(&email("swan")).await;
    assert_eq!(subjects.last().map(String::as_str), Some("You already have a duckling"));
    assert!(!opens(&home, &email("swan"), "a burglar's password").await);
    assert!(opens(&home, &email("swan"), PASSWORD).await);
    let counts = galaxy.metrics().await.expect("counted");
    assert_eq!((counts.eggs, counts.ducklings), (1, 1), "counted like an unknown address");
}

/// A stranger sees no difference: the answers are those of every other address.
pub async fn who_bounced_or_complained_gets_no_mail(home: Home) {
    let (now, galaxy) = (galaxy(&home.ports), later(&home, 2));
    for (name, kind, gets) in [
        ("late", ReportKind::Delay, true),
        ("bounced", ReportKind::Bounce, false),
        ("complained", ReportKind::Complaint, false),
    ] {
        hatched(&home, &now, name).await;
        let report = Report::new(&format!("0100-{name}"), kind, vec![email(name)], galaxy.now());
        let told = home.ports.feedback.report(&report.expect("a report")).await;
        assert_eq!(told, Ok(true), "{name}");
        assert!(galaxy.hatch(new_egg(name)).await.is_ok(), "{name}");
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
        (MailState { sandbox: true, ..open }, "verify your address", "verify your address"),
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

/// The cooldown between two codes ends with the account that the last code was for.
pub async fn a_deleted_account_hatches_again_at_once(home: Home) {
    let galaxy = galaxy(&home.ports);
    let first = hatched(&home, &galaxy, "swan").await;
    let credential = Credential::Key(first.key);
    let caller = galaxy.admit(Some(&credential), Who::KeyOrPerson, Tier::T0).await;
    assert_eq!(galaxy.delete(&caller.expect("let in")).await, Ok(Progress::Done));
    let second = hatched(&home, &galaxy, "swan").await;
    assert_ne!(second.duckling.id, first.duckling.id);
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
    assert_eq!(galaxy.delete(&caller.expect("let in")).await, Ok(Progress::Done));
    let gone = galaxy.admit(Some(&credential), Who::KeyOrPerson, Tier::T0).await;
    assert!(matches!(gone, Err(BeakError::Unauthorized)));
    // With a token: the duckling goes first.
    let token = tokens(&galaxy, "crane", PASSWORD).await.access;
    let credential = Credential::Token(token);
    let admitted = async || galaxy.admit(Some(&credential), Who::KeyOrPerson, Tier::T0).await;
    let caller = admitted().await.expect("let in");
    let agent = caller.duckling().expect("a duckling").clone();
    let certificates = home.ports.store.certificates_of(&agent.id).await.expect("read");
    let deletion = crate::ports::Deletion {
        duckling: agent,
        certificates: certificates.into_iter().map(|certificate| certificate.id).collect(),
        reason: None,
        at: galaxy.now(),
    };
    assert_eq!(home.ports.store.delete(&deletion).await, Ok(true));
    let caller = admitted().await.expect("still a person");
    assert!(matches!(caller, Caller::Person(_, None)));
    assert_eq!(galaxy.delete(&caller).await, Ok(Progress::Done));
    assert!(!opens(&home, &email("crane"), PASSWORD).await);
    let counts = galaxy.metrics().await.expect("counted");
    assert_eq!((counts.ducklings, counts.connections), (0, 0));
}

fn new_peck(target: &Duckling, kind: &str, idempotency_key: Option<&str>) -> NewPeck {
    NewPeck {
        target: target.id.clone(),
        kind: PeckType::parse(kind).expect("a type"),
        message: Message::default(),
        idempotency_key: idempotency_key.map(str::to_owned),
    }
}

/// Every peck comes before the deletion, and is ended by it, or is refused.
pub async fn a_deletion_outlasts_pecks_that_keep_coming(home: Home) {
    let galaxy = galaxy(&home.ports);
    let swan = hatched(&home, &galaxy, "swan").await;
    let crane = hatched(&home, &galaxy, "crane").await.duckling;
    let credential = Credential::Key(swan.key);
    let caller = galaxy.admit(Some(&credential), Who::KeyOrPerson, Tier::T0).await;
    let caller = caller.expect("let in");
    let both_ways = async |n: usize| {
        let kind = format!("data.read{n}");
        let (source, target) = match n % 2 {
            0 => (&crane, &swan.duckling),
            _ => (&swan.duckling, &crane),
        };
        galaxy.peck(source, new_peck(target, &kind, None)).await.err().map(|error| error.code())
    };
    let pecks = join_all((0..20).map(both_ways));
    let (gone, outcomes) = futures_util::join!(galaxy.delete(&caller), pecks);
    assert_eq!(gone, Ok(Progress::Done));
    for code in outcomes.into_iter().flatten() {
        assert!(["not_found", "unauthorized", "conflict"].contains(&code), "{code}");
    }
    let counts = galaxy.metrics().await.expect("counted");
    assert_eq!((counts.ducklings, counts.pecks[0]), (1, 0), "{counts:?}");
}

/// The first answer, whatever has become of those whom it was about.
pub async fn a_repeated_peck_outlives_its_target(home: Home) {
    let galaxy = galaxy(&home.ports);
    let swan = hatched(&home, &galaxy, "swan").await.duckling;
    let crane = hatched(&home, &galaxy, "crane").await;
    let new = || new_peck(&crane.duckling, "data.read", Some("once"));
    let first = galaxy.peck(&swan, new()).await.expect("asked");
    let credential = Credential::Key(crane.key);
    let caller = galaxy.admit(Some(&credential), Who::KeyOrPerson, Tier::T0).await;
    assert_eq!(galaxy.delete(&caller.expect("let in")).await, Ok(Progress::Done));
    let again = galaxy.peck(&swan, new()).await.expect("the first answer");
    assert_eq!((again.id, again.expires_at), (first.id, first.expires_at));
    let fresh = galaxy.peck(&swan, new_peck(&crane.duckling, "data.read", None)).await;
    assert_eq!(fresh, Err(BeakError::NotFound("such duckling")));
}

/// What lapsed counts against no limit, swept or not.
pub async fn lapsed_pecks_make_room(home: Home) {
    let now = galaxy(&home.ports);
    let swan = hatched(&home, &now, "swan").await.duckling;
    let crane = hatched(&home, &now, "crane").await.duckling;
    for kind in ["a.a", "a.b", "a.c"] {
        now.peck(&swan, new_peck(&crane, kind, None)).await.expect("asked");
    }
    let crowded = now.peck(&swan, new_peck(&crane, "a.d", None)).await;
    assert_eq!(crowded.map_err(|error| error.code()), Err("conflict"));
    let later = later(&home, 24 * 60);
    later.peck(&swan, new_peck(&crane, "a.d", None)).await.expect("room");
}

async fn let_in(galaxy: &Galaxy, key: &BeakKey) -> crate::Result<Caller> {
    let credential = Credential::Key(BeakKey::parse(key.reveal()).expect("a key"));
    galaxy.admit(Some(&credential), Who::Key, Tier::T0).await
}

/// Its key and its certificate; its person may still see it, and go.
pub async fn a_suspended_duckling_is_refused_until_restored(home: Home) {
    let galaxy = galaxy(&home.ports);
    let swan = hatched(&home, &galaxy, "swan").await;
    let id = &swan.duckling.id;
    let reason = || Note::parse("pecks everybody").expect("a note");
    for _ in 0..2 {
        assert_eq!(galaxy.suspend(id, true, reason()).await, Ok(()));
    }
    let refused = let_in(&galaxy, &swan.key).await.err();
    assert_eq!(refused.map(|error| error.code()), Some("forbidden"));
    let judged = galaxy.judge(&swan.certificate).await.expect("judged");
    assert_eq!(judged.verdict, Verdict::Was(CertStatus::Suspended));
    let token = tokens(&galaxy, "swan", PASSWORD).await.access;
    let person = Credential::Token(token);
    let owner = galaxy.admit(Some(&person), Who::KeyOrPerson, Tier::T0).await;
    assert!(owner.is_ok_and(|caller| caller.duckling().is_some()));
    assert_eq!(galaxy.suspend(id, false, reason()).await, Ok(()));
    assert!(let_in(&galaxy, &swan.key).await.is_ok());
    let judged = galaxy.judge(&swan.certificate).await.expect("judged");
    assert_eq!(judged.verdict, Verdict::Valid);
    let unknown = crate::id::DucklingId::new(galaxy.now(), [7; 16]);
    let missing = galaxy.suspend(&unknown, true, reason()).await;
    assert_eq!(missing, Err(BeakError::NotFound("such duckling")));
}

/// Neither duckling nor person is left, and the owner of the address can hatch again.
pub async fn a_removed_duckling_leaves_no_account(home: Home) {
    let galaxy = galaxy(&home.ports);
    let swan = hatched(&home, &galaxy, "swan").await;
    let crane = hatched(&home, &galaxy, "crane").await.duckling;
    asked(&galaxy, &swan.duckling, &crane).await;
    let operator = Person {
        account: AccountId::new("an operator's"),
        email: email("operator"),
        operator: true,
    };
    let reason = || Note::parse("a swindler").expect("a note");
    assert_eq!(galaxy.remove(&operator, &swan.duckling.id, &reason()).await, Ok(Progress::Done));
    assert!(matches!(let_in(&galaxy, &swan.key).await, Err(BeakError::Unauthorized)));
    assert!(!opens(&home, &email("swan"), PASSWORD).await);
    let counts = galaxy.metrics().await.expect("counted");
    assert_eq!((counts.ducklings, counts.pecks[0]), (1, 0));
    let again = galaxy.remove(&operator, &swan.duckling.id, &reason()).await;
    assert_eq!(again, Err(BeakError::NotFound("such duckling")));
    let own = Person { email: email("crane"), ..operator };
    let refused = galaxy.remove(&own, &crane.id, &reason()).await;
    assert_eq!(refused.map_err(|error| error.code()), Err("conflict"));
}
