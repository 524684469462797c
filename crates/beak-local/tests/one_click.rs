//! Ending the newsletter in one click, by RFC 8058, from outside.

#![allow(clippy::expect_used, clippy::panic, reason = "these are tests")]

mod harness;

use crate::harness::{Galaxy, newest_mail, text};
use serde_json::json;
use tempfile::TempDir;

/// A reader who has confirmed; the link in the mail's header, as a path.
fn reader(galaxy: &Galaxy, email: &str) -> String {
    let asked = json!({"email": email, "captcha_token": "captcha"});
    assert_eq!(galaxy.post("/beak/newsletter", None, &asked).status, 202);
    let mail = newest_mail(galaxy, email);
    let header = text(&mail["headers"], "List-Unsubscribe").to_owned();
    let api = format!("http://localhost:{}", galaxy.port);
    let link = header.strip_prefix('<').and_then(|link| link.strip_suffix('>'));
    let link = link.and_then(|link| link.strip_prefix(&api)).expect("one URI, in angle brackets");
    let (_, token) = link.split_once("?token=").expect("a token");
    galaxy.never_log(token);
    let confirm = format!("/beak/newsletter/confirm?token={token}");
    assert_eq!(galaxy.send("POST", &confirm, &[], b"").status, 200);
    link.to_owned()
}

/// Whether the newsletter still comes: then its confirmation can be repeated.
fn is_subscribed(galaxy: &Galaxy, link: &str) -> bool {
    let confirm = link.replace("/unsubscribe?", "/confirm?");
    galaxy.send("POST", &confirm, &[], b"").status == 200
}

#[test]
fn section_3_1_the_post_header_has_its_one_value_and_the_link_can_not_be_guessed() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let (one, other) = (reader(&galaxy, "a@example.com"), reader(&galaxy, "b@example.com"));
    let mail = newest_mail(&galaxy, "a@example.com");
    assert_eq!(mail["headers"]["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
    let token = |link: &str| link.split_once("?token=").expect("a token").1.to_owned();
    assert!(token(&one).len() >= 32 && token(&one) != token(&other));
    assert!(!one.contains("example.com"), "the link names nobody: {one}");
}

#[test]
fn section_3_1_a_visit_alone_ends_nothing() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let link = reader(&galaxy, "a@example.com");
    for accept in ["*/*", "text/html"] {
        assert_eq!(galaxy.get(&link, &[("accept", accept)]).status, 200);
    }
    assert!(is_subscribed(&galaxy, &link));
}

#[test]
fn section_3_2_both_forms_of_the_post_work_without_cookies_and_without_a_redirect() {
    let data = TempDir::new().expect("a folder");
    let galaxy = Galaxy::start(data.path());
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n\
                     One-Click\r\n--x--\r\n";
    for (email, kind, body) in [
        ("a@example.com", "multipart/form-data; boundary=x", multipart),
        ("b@example.com", "application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
    ] {
        let link = reader(&galaxy, email);
        // Receivers repeat what they have no answer to.
        for _ in 0..2 {
            let ended = galaxy.send("POST", &link, &[("content-type", kind)], body.as_bytes());
            assert_eq!(ended.status, 200, "{kind}: {}", ended.text);
            for header in ["location", "set-cookie", "www-authenticate"] {
                assert!(!ended.headers.contains_key(header), "{kind}: {header}");
            }
        }
        assert!(!is_subscribed(&galaxy, &link), "{kind}");
    }
}
