//! What a caller can and can't get past the shield.

use std::sync::Mutex as StdMutex;

use std::net::{IpAddr, Ipv4Addr};

use axum::body::Body as Plain;
use beak_api::front::Way;
use beak_core::person::hex;
use beak_core::{BeakError, Result};
use lambda_http::http::Request as Http;
use lambda_http::{Body, Request};
use sha2::{Digest as _, Sha256};

use super::errors::{Script, galaxy, settings};
use super::*;
use crate::parameters::Parameters;
use crate::shield::Shield;

/// What Parameter Store says, one answer after the other; the last one again and again.
struct Store(StdMutex<Vec<Result<Option<String>>>>);

#[async_trait]
impl Parameters for Store {
    async fn parameter(&self, name: &str) -> Result<Option<String>> {
        assert_eq!(name, "/swan/shield");
        let mut left = self.0.lock().expect("answers");
        if left.len() > 1 { left.remove(0) } else { left[0].clone() }
    }
}

fn shield(answers: Vec<Result<Option<String>>>) -> Shield {
    Shield::new(Arc::new(Store(StdMutex::new(answers))), "swan")
}

fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret))
}

fn terms(secrets: &[&str], closed: bool) -> String {
    let accepted: Vec<String> = secrets.iter().map(|secret| digest(secret)).collect();
    let base = "https://d1.cloudfront.net/prod";
    serde_json::json!({"accepted": accepted, "closed": closed, "base": base}).to_string()
}

const GATEWAYS: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

/// A call as the gateway hands it over, with these headers.
fn call(path: &str, headers: &[(&str, &str)]) -> Request {
    let mut request = Http::get(path).extension(ClientAddress(GATEWAYS));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::Empty).expect("a request")
}

async fn marked(shield: &Shield, headers: &[(&str, &str)]) -> (Option<Way>, String, bool) {
    let mut request = call("/beak/metrics", headers);
    shield.mark(&mut request).await;
    let there = |name: &str| request.headers().contains_key(name);
    let stripped = !there("x-spaceduck-origin") && !there("x-spaceduck-viewer");
    let address = request.extensions().get::<ClientAddress>().map(|from| from.0.to_string());
    (request.extensions().get::<Way>().cloned(), address.unwrap_or_default(), stripped)
}

fn word(way: Option<&Way>) -> &'static str {
    match way {
        None => "any",
        Some(Way::Front(_)) => "front",
        Some(Way::Past) => "past",
        Some(Way::Unknown(_)) => "unknown",
    }
}

#[tokio::test]
async fn the_viewers_address_counts_only_with_the_secret() {
    let (secret, viewer) = ("x-spaceduck-origin", ("x-spaceduck-viewer", "2001:db8::1"));
    for (headers, closed, way, from) in [
        (&[(secret, "right"), viewer][..], true, "front", "2001:db8::1"),
        (&[(secret, "also"), viewer], true, "front", "2001:db8::1"),
        (&[(secret, "right"), viewer], false, "front", "2001:db8::1"),
        (&[(secret, "right")], true, "front", "198.51.100.7"),
        (&[(secret, "right"), ("x-spaceduck-viewer", "1.2.3.4, 5")], true, "front", "198.51.100.7"),
        (&[(secret, "wrong"), viewer], true, "past", "198.51.100.7"),
        (&[(secret, ""), viewer], true, "past", "198.51.100.7"),
        (&[viewer, ("x-forwarded-for", "2001:db8::1")], true, "past", "198.51.100.7"),
        (&[(secret, &digest("right")), viewer], true, "past", "198.51.100.7"),
        (&[(secret, "wrong"), viewer], false, "any", "198.51.100.7"),
        (&[], false, "any", "198.51.100.7"),
    ] {
        let shield = shield(vec![Ok(Some(terms(&["right", "also"], closed)))]);
        let (found, address, stripped) = marked(&shield, headers).await;
        assert_eq!(
            (word(found.as_ref()), address.as_str(), stripped),
            (way, from, true),
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn without_terms_nothing_is_refused_and_without_an_answer_nothing_is_let_through() {
    let none = shield(vec![Ok(None)]);
    assert_eq!(
        word(marked(&none, &[]).await.0.as_ref()),
        "any",
        "the distribution is not there yet"
    );
    let failed = || Err(BeakError::Unavailable("Parameter Store is silent".into()));
    for broken in [failed(), Ok(Some("no JSON".into()))] {
        let silent = shield(vec![broken]);
        assert_eq!(word(marked(&silent, &[]).await.0.as_ref()), "unknown");
    }
    // What was known once counts until there is an answer again.
    let later = shield(vec![Ok(Some(terms(&["right"], true))), failed()]);
    assert_eq!(word(marked(&later, &[]).await.0.as_ref()), "past");
    later.age().await;
    assert_eq!(word(marked(&later, &[]).await.0.as_ref()), "past");
    let (way, ..) = marked(&later, &[("x-spaceduck-origin", "right")]).await;
    assert_eq!(word(way.as_ref()), "front");
}

/// The same file is held to what the installer writes.
#[tokio::test]
async fn the_installers_terms_are_understood() {
    let written = include_str!("../shield.json").to_owned();
    let shield = shield(vec![Ok(Some(written))]);
    let (way, ..) = marked(&shield, &[("x-spaceduck-origin", "test")]).await;
    let Some(Way::Front(base)) = way else { panic!("{way:?}") };
    assert_eq!(&*base, "https://d111111abcdef8.cloudfront.net/prod");
    assert_eq!(word(marked(&shield, &[]).await.0.as_ref()), "past");
}

/// A refused call asks AWS nothing, not even with a key; keys, status and the links of mails stay.
#[tokio::test]
async fn past_the_shield_only_what_certificates_and_mails_point_to_is_answered() {
    let script = Script::new("GetItem", "", 400, 0);
    let settings = settings();
    let router = beak_api::router(galaxy(crate::ports(&script.config(), &settings), &settings));
    let shield = shield(vec![Ok(Some(terms(&["right"], true)))]);
    let key = beak_core::key::BeakKey::new([7; 32]);
    let bearer = format!("Bearer {}", key.reveal());
    let answer = async |path: &str, headers: &[(&str, &str)]| {
        let mut request = call(path, headers);
        shield.mark(&mut request).await;
        let before = script.asked();
        let request = request.map(|_| Plain::empty());
        let Ok(answer) = router.clone().oneshot(request).await;
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        (status, String::from_utf8_lossy(&body).into_owned(), script.asked() - before)
    };
    let with_key = [("authorization", bearer.as_str())];
    for path in ["/beak/pecks", "/beak", "/beak/openapi.json", "/beak/nothing", "/beak/jwks.json/"]
    {
        let (status, body, asked) = answer(path, &with_key).await;
        assert_eq!((status, asked), (403, 0), "{path}");
        assert!(body.contains("\"error\":\"forbidden\""), "{body}");
    }
    for path in beak_api::front::OPEN {
        let (status, body, _) = answer(path, &[]).await;
        assert_ne!(status, 403, "{path} {body}");
    }
    let (_, _, asked) = answer("/beak/system/status", &[]).await;
    let (_, _, with) = answer("/beak/system/status", &with_key).await;
    assert_eq!(with, asked, "no key is looked up");
    let through = [("x-spaceduck-origin", "right"), with_key[0]];
    assert_ne!(answer("/beak/pecks", &through).await.0, 403);
    assert!(answer("/beak/pecks", &through).await.2 > 0);
    let (status, body, _) = answer("/beak/openapi.json", &through[..1]).await;
    assert_eq!(status, 200);
    assert!(body.contains("https://d1.cloudfront.net/prod") && !body.contains(&settings.issuer));
    assert!(
        answer("/beak", &through[..1]).await.1.contains("https://d1.cloudfront.net/prod/beak/")
    );
}
