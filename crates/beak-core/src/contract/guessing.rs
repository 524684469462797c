//! How often codes are sent and guessed, and passwords tried: alike for every address.

use std::net::IpAddr;

use futures_util::future::join_all;

use super::home::{Broken, verification};
use super::home::{Home, PASSWORD, email, galaxy, hatched, later, new_egg, password, resend};
use crate::galaxy::{Galaxy, NewEgg, Ports, Reset};
use crate::id::HatchId;
use crate::person::OtpCode;

const NO: &str = "otp_mismatch";
const LATE: &str = "otp_expired";
const LIMIT: &str = "rate_limited";

/// A code that was not sent; that it was would be one in a million.
fn wrong() -> OtpCode {
    OtpCode::parse("000000").expect("six digits")
}

fn client(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

async fn verifying(
    galaxy: &Galaxy,
    name: &str,
    id: Option<&HatchId>,
    times: usize,
) -> Vec<&'static str> {
    let mut answers = Vec::new();
    for _ in 0..times {
        let outcome = galaxy.verify(verification(name, wrong(), id.cloned())).await;
        answers.push(outcome.map_or_else(|error| error.code(), |_| "hatched"));
    }
    answers
}

async fn resetting(galaxy: &Galaxy, name: &str, from: &str, times: usize) -> Vec<&'static str> {
    let mut answers = Vec::new();
    for _ in 0..times {
        let (email, password, from) =
            (email(name), password("quite another one"), Some(client(from)));
        let outcome = galaxy.reset(Reset { email, code: wrong(), password, from }).await;
        answers.push(outcome.map_or_else(|error| error.code(), |()| "changed"));
    }
    answers
}

/// An address with a duckling, one with an egg, and one that was never heard of: a caller without
/// an attempt gets the same answers in the same order, a caller with one as well.
pub async fn wrong_codes_for_a_hatch_say_nothing_of_the_address(home: Home) {
    let now = galaxy(&home.ports);
    hatched(&home, &now, "known").await;
    assert!(now.hatch(new_egg("egg")).await.is_ok());
    let (first, late) = (later(&home, 120), later(&home, 140));
    for name in ["known", "egg", "unknown"] {
        assert_eq!(verifying(&first, name, None, 7).await, [NO, NO, NO, NO, NO, LIMIT, LIMIT]);
        let laid = first.hatch(new_egg(name)).await.expect("the same answer");
        let id = Some(&laid.hatch_id);
        assert_eq!(verifying(&first, name, None, 1).await, [LIMIT], "{name}");
        assert_eq!(verifying(&first, name, id, 2).await, [NO, NO], "{name}");
        assert_eq!(verifying(&late, name, id, 4).await, [LATE; 4], "{name}");
        let next_hour = later(&home, 210);
        assert_eq!(verifying(&next_hour, name, id, 1).await, [LATE], "its tries are used up");
        assert_eq!(verifying(&next_hour, name, None, 6).await, [NO, NO, NO, NO, NO, LIMIT]);
    }
}

/// The same for a new password, and what was tried for the one counts not for the other.
pub async fn wrong_codes_for_a_new_password_say_nothing_of_the_address(home: Home) {
    let now = galaxy(&home.ports);
    hatched(&home, &now, "known").await;
    assert!(now.hatch(new_egg("egg")).await.is_ok());
    let late = later(&home, 20);
    let (own, foreign) = ("192.0.2.1", "198.51.100.7");
    for name in ["known", "egg", "unknown"] {
        let answers = resetting(&now, name, foreign, 6).await;
        assert_eq!(answers, [NO, NO, NO, NO, NO, LIMIT], "{name}");
        assert_eq!(now.forgot(&email(name), "token", Some(client(own))).await, Ok(()));
        assert_eq!(resetting(&now, name, own, 2).await, [NO, NO], "{name}");
        assert_eq!(resetting(&now, name, foreign, 1).await, [LIMIT], "{name}");
        let answers = resetting(&late, name, own, 4).await;
        assert_eq!(answers, [LATE, LATE, LATE, LIMIT], "{name}");
    }
    assert_eq!(verifying(&now, "egg", None, 1).await, [NO], "a budget of its own");
}

/// Strangers use up what strangers have, and the owner's code is as good as before.
pub async fn a_right_code_is_good_behind_strangers_wrong_ones(home: Home) {
    let now = galaxy(&home.ports);
    let laid = now.hatch(new_egg("swan")).await.expect("laid");
    assert_eq!(verifying(&now, "swan", None, 9).await[5..], [LIMIT; 4]);
    assert_eq!(verifying(&now, "swan", Some(&laid.hatch_id), 4).await, [NO; 4]);
    let code = home.letters.code(&email("swan")).await;
    let right = verification("swan", code, Some(laid.hatch_id));
    now.verify(right).await.expect("hatched");
}

/// However many at once, five are tried.
pub async fn fifty_wrong_codes_at_once_are_counted_exactly(home: Home) {
    let galaxy = galaxy(&home.ports);
    assert!(galaxy.hatch(new_egg("egg")).await.is_ok());
    for name in ["egg", "unknown"] {
        let answers = join_all((0..50).map(|_| verifying(&galaxy, name, None, 1))).await.concat();
        let tried = answers.iter().filter(|answer| **answer == NO).count();
        let refused = answers.iter().filter(|answer| **answer == LIMIT).count();
        assert_eq!((tried, refused), (5, 45), "{name}: {answers:?}");
    }
}

/// A guess that ends in a failure of the galaxy is none.
pub async fn what_is_broken_is_no_guess(home: Home) {
    let whole = galaxy(&home.ports);
    let laid = whole.hatch(new_egg("swan")).await.expect("laid");
    let broken = galaxy(&Ports {
        identity: super::fuse::fused(&home.ports, 0).identity,
        ..home.ports.clone()
    });
    for _ in 0..9 {
        let answers = verifying(&broken, "swan", Some(&laid.hatch_id), 1).await;
        assert_eq!(answers, ["unavailable"]);
    }
    assert_eq!(verifying(&whole, "swan", Some(&laid.hatch_id), 4).await, [NO; 4]);
    let code = home.letters.code(&email("swan")).await;
    let right = verification("swan", code, Some(laid.hatch_id));
    let mailless = galaxy(&Ports { mailer: std::sync::Arc::new(Broken), ..home.ports.clone() });
    assert!(mailless.verify(right).await.expect("hatched").unwelcomed.is_some());
}

/// One a minute and four an hour, for every kind of caller, and always the same answer.
pub async fn codes_are_sent_at_most_once_a_minute_and_four_times_an_hour(home: Home) {
    let now = galaxy(&home.ports);
    hatched(&home, &now, "known").await;
    let sent = async || home.ports.mailer.state().await.expect("answered").sent;
    let at = |minutes: i64| later(&home, 120 + minutes);
    let before = sent().await;
    for minutes in [0, 0, 1, 1, 2, 3, 4, 5, 30, 59] {
        assert!(at(minutes).hatch(new_egg("known")).await.is_ok());
        assert_eq!(at(minutes).resend(resend("known")).await, Ok(()));
    }
    assert_eq!(sent().await - before, 4);
    assert!(at(61).hatch(new_egg("known")).await.is_ok());
    assert_eq!(sent().await - before, 5);
    for minutes in [0, 0, 1, 2, 3, 30] {
        assert_eq!(at(minutes).forgot(&email("known"), "token", None).await, Ok(()));
    }
}

/// A caller without an attempt needs a captcha to have a mail sent.
pub async fn a_stranger_has_somebody_mailed_by_captcha_only(home: Home) {
    let galaxy = galaxy(&home.ports);
    let laid = galaxy.hatch(new_egg("swan")).await.expect("laid");
    let ask = async |id: Option<HatchId>, token: Option<&str>| {
        let captcha_token = token.map(str::to_owned);
        let outcome =
            galaxy.resend(crate::galaxy::Resend { hatch_id: id, captcha_token, ..resend("swan") });
        outcome.await.map_or_else(|error| error.code(), |()| "sent")
    };
    let unknown = HatchId::new(galaxy.now(), [9; 16]);
    assert_eq!(ask(Some(laid.hatch_id), None).await, "sent");
    assert_eq!(ask(None, Some("token")).await, "sent");
    assert_eq!(ask(None, None).await, "captcha_failed");
    assert_eq!(ask(Some(unknown), Some("")).await, "captcha_failed");
    let forgot = galaxy.forgot(&email("swan"), "", None).await;
    assert_eq!(forgot.map_err(|error| error.code()), Err("captcha_failed"));
}

/// Four wrong passwords in a quarter of an hour are tried, after a hundred in a row none; an
/// unknown address behaves the same.
pub async fn wrong_passwords_are_limited_by_address(home: Home) {
    let now = galaxy(&home.ports);
    hatched(&home, &now, "known").await;
    let attempt = async |galaxy: &Galaxy, name: &str, with: &str| {
        let outcome = galaxy.sign_in(&email(name), &password(with)).await;
        outcome.map_or_else(|error| error.code(), |_| "in")
    };
    for name in ["known", "unknown"] {
        let answers = join_all((0..20).map(|_| attempt(&now, name, "wrong wrong wrong"))).await;
        let tried = answers.iter().filter(|answer| **answer == "unauthorized").count();
        let refused = answers.iter().filter(|answer| **answer == LIMIT).count();
        assert_eq!((tried, refused), (4, 16), "{name}: {answers:?}");
        assert_eq!(attempt(&now, name, PASSWORD).await, LIMIT, "{name}");
    }
    let mut known = later(&home, 16);
    assert_eq!(attempt(&known, "known", PASSWORD).await, "in", "a while later");
    let rounds: i64 = if home.depth > 2 { 25 } else { 0 };
    for name in ["known", "unknown"] {
        for round in 1..=rounds {
            known = later(&home, 16 * (round + 1));
            for _ in 0..4 {
                let answer = attempt(&known, name, "wrong wrong wrong").await;
                let limit = name == "unknown" && round == rounds;
                assert!(answer == "unauthorized" || (limit && answer == "forbidden"), "{answer}");
            }
        }
    }
    if rounds > 0 {
        let later = later(&home, 16 * (rounds + 2));
        for name in ["known", "unknown"] {
            assert_eq!(attempt(&later, name, PASSWORD).await, "forbidden", "{name}");
        }
        later.forgot(&email("known"), "token", None).await.expect("sent");
        let code = home.letters.reset_code(&email("known")).await;
        let new = password("quite another one");
        let reset = Reset { email: email("known"), code, password: new, from: None };
        assert_eq!(later.reset(reset).await, Ok(()));
        assert_eq!(attempt(&later, "known", "quite another one").await, "in");
    }
}

/// One address hatched from by several clients; the newest attempt of each is its own.
pub async fn a_budget_is_the_callers_by_address_too(home: Home) {
    let galaxy = galaxy(&home.ports);
    let from = Some(client("2001:db8:1:2::3"));
    assert!(galaxy.hatch(NewEgg { from, ..new_egg("swan") }).await.is_ok());
    let code = home.letters.code(&email("swan")).await;
    assert_eq!(verifying(&galaxy, "swan", None, 6).await[5], LIMIT);
    // The same network, RFC 6177.
    let verify = verification("swan", code, None);
    let verify = crate::galaxy::Verification { from: Some(client("2001:db8:1:2:9::9")), ..verify };
    assert!(!galaxy.verify(verify).await.expect("hatched").needs_password);
}
