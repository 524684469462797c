//! One address, several hatches: whoever else calls, in whatever order, and wherever a process
//! ends, the reader of the mailbox decides. Named cases, which [`home_contract!`] runs, and an
//! exploration of all orders up to a length.

use std::net::IpAddr;

use futures_util::future::join_all;

use super::fuse::fused;
use super::home::{
    Home, PASSWORD, email, galaxy, hatched, holder, is_signed_in, later, later_clock, new_egg,
    password, resend, tokens, verification, with_password,
};
use crate::error::BeakError;
use crate::galaxy::{Credential, Galaxy, NewEgg, Ports, Verification};
use crate::id::HatchId;
use crate::person::DisplayName;
use crate::tier::Tier;

/// Of the reader of the mailbox.
const OWN: &str = "192.0.2.1";
/// Of a stranger.
const FOREIGN: &str = "198.51.100.7";
const STRANGERS: &str = "a stranger's password";
const TYPED: &str = "typed with the code";
const RESET: &str = "quite another password";

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn own_egg(name: &str) -> NewEgg {
    NewEgg { from: Some(address(OWN)), ..new_egg(name) }
}

fn strangers_egg(name: &str) -> NewEgg {
    NewEgg {
        password: password(STRANGERS),
        display_name: DisplayName::parse("Stranger").expect("a name"),
        from: Some(address(FOREIGN)),
        ..new_egg(name)
    }
}

async fn signs_in(galaxy: &Galaxy, name: &str, with: &str) -> bool {
    match galaxy.sign_in(&email(name), &password(with)).await {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error, BeakError::WrongPassword);
            false
        }
    }
}

/// A person alone needs nothing but the code, with or without the id of the attempt.
pub async fn a_lone_hatch_keeps_its_password_and_name(home: Home) {
    let galaxy = galaxy(&home.ports);
    for (name, with_id) in [("swan", true), ("crane", false)] {
        let laid = galaxy.hatch(own_egg(name)).await.expect("laid");
        assert!(!signs_in(&galaxy, name, PASSWORD).await, "not yet");
        let code = home.letters.code(&email(name)).await;
        let verify = verification(name, code, Some(laid.hatch_id).filter(|_| with_id));
        let hatched = galaxy.verify(Verification { from: Some(address(OWN)), ..verify }).await;
        let hatched = hatched.expect("hatched");
        assert!(!hatched.needs_password);
        assert_eq!(hatched.duckling.display_name.as_str(), name);
        assert!(signs_in(&galaxy, name, PASSWORD).await);
    }
}

/// In either order, whichever way the owner verifies.
pub async fn a_strangers_hatch_lends_no_password_and_no_name(home: Home) {
    let (now, soon) = (galaxy(&home.ports), later(&home, 2));
    for (n, strangers_first) in [true, false].into_iter().enumerate() {
        for way in ["id", "client", "typed"] {
            let name = &format!("{way}{n}");
            let own = if strangers_first {
                now.hatch(strangers_egg(name)).await.expect("laid");
                soon.hatch(own_egg(name)).await.expect("laid")
            } else {
                let own = now.hatch(own_egg(name)).await.expect("laid");
                soon.hatch(strangers_egg(name)).await.expect("laid");
                own
            };
            let code = home.letters.code(&email(name)).await;
            let mut verify = verification(name, code, None);
            match way {
                "id" => verify.hatch_id = Some(own.hatch_id),
                "client" => verify.from = Some(address(OWN)),
                _ => {
                    verify.password = Some(password(TYPED));
                    verify.display_name = Some(DisplayName::parse("Typed").expect("a name"));
                }
            }
            let hatched = soon.verify(verify).await.expect("hatched");
            let kept = !strangers_first && way != "typed";
            let (needs, called) = match way {
                "typed" => (false, "Typed"),
                _ if kept => (false, name.as_str()),
                _ => (true, "Duckling"),
            };
            assert_eq!(hatched.needs_password, needs, "{name}");
            assert_eq!(hatched.duckling.display_name.as_str(), called);
            assert!(!signs_in(&soon, name, STRANGERS).await, "{name}");
            assert_eq!(signs_in(&soon, name, PASSWORD).await, kept, "{name}");
            assert_eq!(signs_in(&soon, name, TYPED).await, way == "typed", "{name}");
        }
    }
}

/// Where nothing tells two clients apart, neither one's password is taken for the other's.
pub async fn two_hatches_from_one_client_need_a_new_password(home: Home) {
    let (now, soon) = (galaxy(&home.ports), later(&home, 2));
    now.hatch(own_egg("swan")).await.expect("laid");
    let mut other = strangers_egg("swan");
    other.from = Some(address(OWN));
    soon.hatch(other).await.expect("laid");
    let code = home.letters.code(&email("swan")).await;
    let verify = Verification { from: Some(address(OWN)), ..verification("swan", code, None) };
    let hatched = soon.verify(verify).await.expect("hatched");
    assert!(hatched.needs_password);
    for text in [PASSWORD, STRANGERS] {
        assert!(!signs_in(&soon, "swan", text).await);
    }
    set_password(&home, &soon, "swan").await.expect("set");
    assert!(signs_in(&soon, "swan", RESET).await);
}

/// Another one's id, and one that nobody was given.
pub async fn an_id_is_good_for_its_own_address_only(home: Home) {
    let galaxy = galaxy(&home.ports);
    let other = galaxy.hatch(own_egg("crane")).await.expect("laid");
    let unknown = HatchId::new(galaxy.now(), [9; 16]);
    for (name, id) in [("swan", other.hatch_id), ("heron", unknown)] {
        galaxy.hatch(own_egg(name)).await.expect("laid");
        let code = home.letters.code(&email(name)).await;
        let verify = verification(name, code, Some(id));
        let verify = Verification { from: Some(address(OWN)), ..verify };
        assert!(galaxy.verify(verify).await.expect("hatched").needs_password, "{name}");
    }
}

/// A stranger's hatch of a confirmed address without a duckling, an operator's for example.
pub async fn a_person_without_a_duckling_hatches_by_signing_in(home: Home) {
    let galaxy = galaxy(&home.ports);
    let identity = &home.ports.identity;
    identity.sign_up(&email("swan"), &password(PASSWORD)).await.expect("made");
    let code = home.letters.code(&email("swan")).await;
    let account = identity.confirm(&email("swan"), &code).await.expect("answered").expect("right");
    // A process ended here, so the account is not settled.
    assert!(!signs_in(&galaxy, "swan", PASSWORD).await);
    galaxy.hatch(strangers_egg("swan")).await.expect("the same answer");
    let subjects = home.letters.subjects(&email("swan")).await;
    assert!(subjects.contains(&"Sign in to hatch your duckling".to_owned()), "{subjects:?}");
    assert_eq!(home.ports.accounts.settle(&account, galaxy.now()).await, Ok(()));
    assert!(!signs_in(&galaxy, "swan", STRANGERS).await);
    let tokens = tokens(&galaxy, "swan", PASSWORD).await;
    assert_eq!(galaxy.metrics().await.expect("counted").ducklings, 0);
    let person = holder(&galaxy, &tokens.access).await.expect("a person");
    let name = || DisplayName::parse("Swan").expect("a name");
    let hatched = galaxy.hatch_for(&person, name()).await.expect("hatched");
    let credential = Credential::Key(hatched.key);
    let caller = galaxy.admit(Some(&credential), crate::access::Who::Key, Tier::T0).await;
    let caller = caller.expect("let in");
    assert_eq!(caller.duckling().map(|d| d.display_name.as_str()), Some("Swan"));
    let again = galaxy.hatch_for(&person, name()).await;
    assert_eq!(again.map(|_| ()).map_err(|error| error.code()), Err("already_exists"));
}

/// What was signed in before a verify is out.
pub async fn a_verify_signs_everything_out(home: Home) {
    let galaxy = galaxy(&home.ports);
    hatched(&home, &galaxy, "swan").await;
    let token = tokens(&galaxy, "swan", PASSWORD).await.access;
    assert!(is_signed_in(&galaxy, &token).await);
    set_password(&home, &later(&home, 2), "swan").await.expect("set");
    assert!(!is_signed_in(&galaxy, &token).await);
}

/// A certificate can't be made: the code is used up, and a new password finishes what was begun.
pub async fn what_is_cut_off_behind_the_code_is_finished_by_a_new_password(home: Home) {
    let whole = galaxy(&home.ports);
    let broken = std::sync::Arc::new(super::home::Broken);
    let broken = galaxy(&Ports { authority: broken, ..home.ports.clone() });
    let laid = whole.hatch(own_egg("swan")).await.expect("laid");
    let code = home.letters.code(&email("swan")).await;
    let verify = |code| verification("swan", code, Some(laid.hatch_id.clone()));
    let failed = broken.verify(verify(code.clone())).await;
    assert_eq!(failed.map(|_| ()).map_err(|error| error.code()), Err("unavailable"));
    let again = whole.verify(verify(code)).await;
    assert_eq!(again.map(|_| ()), Err(BeakError::OtpMismatch));
    assert!(!signs_in(&whole, "swan", PASSWORD).await);
    recover(&home, &whole, "swan").await;
}

/// Sets a new password by a code from the mailbox.
async fn set_password(home: &Home, galaxy: &Galaxy, name: &str) -> crate::Result<()> {
    with_password(home, galaxy, name, RESET).await
}

/// Whatever was before, the reader of the mailbox gets in, and to a duckling.
async fn recover(home: &Home, galaxy: &Galaxy, name: &str) {
    let laid = galaxy.hatch(own_egg(name)).await.expect("laid");
    let code = home.letters.code(&email(name)).await;
    let verify = verification(name, code, Some(laid.hatch_id));
    let verify = Verification { password: Some(password(RESET)), ..verify };
    if let Err(error) = galaxy.verify(verify).await {
        assert!(matches!(error.code(), "otp_mismatch" | "already_exists"), "{error:?}");
        set_password(home, galaxy, name).await.expect("set");
    }
    let tokens = tokens(galaxy, name, RESET).await;
    let person = holder(galaxy, &tokens.access).await;
    let name = DisplayName::parse("Recovered").expect("a name");
    match galaxy.hatch_for(&person.expect("a person"), name).await {
        Ok(_) | Err(BeakError::AlreadyExists(_)) => {}
        Err(error) => panic!("{error:?}"),
    }
}

/// What one of the two does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    OwnHatch,
    StrangersHatch,
    Resend,
    VerifyById,
    VerifyByClient,
    VerifyTyped,
    OwnReset,
    StrangerTries,
}

const STEPS: [Step; 8] = [
    Step::OwnHatch,
    Step::StrangersHatch,
    Step::Resend,
    Step::VerifyById,
    Step::VerifyByClient,
    Step::VerifyTyped,
    Step::OwnReset,
    Step::StrangerTries,
];

/// One order of steps on an address of its own.
struct Story<'a> {
    home: &'a Home,
    name: String,
    own: Option<HatchId>,
    strangers: Option<HatchId>,
    /// The password that has to open the account; nothing where a crash left that open.
    opens: Option<&'static str>,
}

impl Story<'_> {
    fn galaxy(&self, minutes: i64, calls: i64) -> Galaxy {
        let clock = later_clock(self.home, minutes);
        let ports = Ports { clock, ..self.home.ports.clone() };
        if calls < 0 { galaxy(&ports) } else { galaxy(&fused(&ports, calls)) }
    }

    async fn step(&mut self, step: Step, galaxy: &Galaxy) -> crate::Result<()> {
        let name = self.name.as_str();
        match step {
            Step::OwnHatch => self.own = Some(galaxy.hatch(own_egg(name)).await?.hatch_id),
            Step::StrangersHatch => {
                self.strangers = Some(galaxy.hatch(strangers_egg(name)).await?.hatch_id);
            }
            Step::Resend => galaxy.resend(resend(name)).await?,
            Step::VerifyById => self.verify(galaxy, self.own.clone(), None, None).await?,
            Step::VerifyByClient => self.verify(galaxy, None, Some(address(OWN)), None).await?,
            Step::VerifyTyped => self.verify(galaxy, None, None, Some(TYPED)).await?,
            Step::OwnReset => {
                self.opens = None;
                set_password(self.home, galaxy, name).await?;
                self.opens = Some(RESET);
            }
            Step::StrangerTries => {
                let code = crate::person::OtpCode::parse("000000").expect("six digits");
                let verify = verification(name, code, self.strangers.clone());
                let wrong = galaxy.verify(verify).await;
                assert!(wrong.is_err(), "a wrong code hatched");
                assert!(galaxy.sign_in(&email(name), &password(STRANGERS)).await.is_err());
            }
        }
        Ok(())
    }

    async fn verify(
        &mut self,
        galaxy: &Galaxy,
        id: Option<HatchId>,
        from: Option<IpAddr>,
        typed: Option<&'static str>,
    ) -> crate::Result<()> {
        let Some(code) = self.home.letters.maybe_code(&email(&self.name)).await else {
            return Ok(());
        };
        let verify = verification(&self.name, code, id);
        let verify = Verification { from, password: typed.map(password), ..verify };
        let hatched = galaxy.verify(verify).await?;
        assert_ne!(hatched.duckling.display_name.as_str(), "Stranger");
        assert!(!(typed.is_some() && hatched.needs_password));
        self.opens = match typed {
            _ if hatched.needs_password => None,
            None => Some(PASSWORD),
            typed => typed,
        };
        Ok(())
    }
}

/// Plays an order of steps two minutes apart, one of which may crash after so many calls, and then
/// looks who gets in. Whether the crash happened.
async fn play(home: &Home, name: String, steps: &[Step], crash: Option<(usize, i64)>) -> bool {
    let told = format!("{steps:?}, {crash:?}");
    let (own, strangers, opens) = (None, None, None);
    let mut story = Story { home, name, own, strangers, opens };
    let mut crashed = false;
    for (at, step) in steps.iter().enumerate() {
        let calls = crash.filter(|(which, _)| *which == at).map_or(-1, |(_, calls)| calls);
        let galaxy = story.galaxy(2 * i64::try_from(at).expect("few"), calls);
        let outcome = story.step(*step, &galaxy).await;
        crashed |= matches!(outcome, Err(BeakError::Unavailable(_)));
        assert!(!matches!(outcome, Err(BeakError::Internal(_))), "{told}: {outcome:?}");
    }
    let afterwards = story.galaxy(100, -1);
    assert!(!signs_in(&afterwards, &story.name, STRANGERS).await, "{told}");
    if let Some(opens) = story.opens.filter(|_| !crashed) {
        assert!(signs_in(&afterwards, &story.name, opens).await, "{told}");
    }
    recover(home, &afterwards, &story.name).await;
    assert!(!signs_in(&afterwards, &story.name, STRANGERS).await, "{told}");
    crashed
}

/// All orders of a length, as numbers in base eight.
fn orders(length: usize) -> impl Iterator<Item = Vec<Step>> {
    let count = STEPS.len().pow(u32::try_from(length).expect("short"));
    (0..count).map(move |mut number| {
        let mut steps = Vec::new();
        for _ in 0..length {
            steps.push(STEPS[number % STEPS.len()]);
            number /= STEPS.len();
        }
        steps
    })
}

/// Plays every order of the home's length, and every order one shorter with a crash between any
/// two calls of its last two steps.
pub async fn every_order_of_calls_and_crashes_leaves_the_mailbox_in_charge(home: Home) {
    let depth = home.depth;
    let all: Vec<_> = orders(depth).enumerate().collect();
    for some in all.chunks(16) {
        let stories = some.iter().map(|(n, steps)| play(&home, format!("o{n}"), steps, None));
        join_all(stories).await;
    }
    let shorter: Vec<_> = orders(depth - 1).enumerate().collect();
    for some in shorter.chunks(16) {
        join_all(some.iter().map(async |(n, steps)| {
            for at in steps.len().saturating_sub(2)..steps.len() {
                let mut calls = 0;
                while play(&home, format!("c{n}x{at}x{calls}"), steps, Some((at, calls))).await {
                    calls += 1;
                }
            }
        }))
        .await;
    }
}
