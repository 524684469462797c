//! What stands in front of every call: CORS, and the gate that answers before any call to AWS.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::Request;
use beak_api::cors;
use beak_core::OffsetDateTime;
use beak_core::ports::Taken;

use super::errors::{Script, galaxy, settings};
use super::*;

/// Counts what would be writes to `DynamoDB`, and refuses beyond the limit.
#[derive(Default)]
struct Counting(AtomicU32);

#[async_trait]
impl Limits for Counting {
    async fn take(&self, _: &str, limit: u32, _: OffsetDateTime) -> beak_core::Result<Taken> {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        let remaining = limit.saturating_sub(before + 1);
        Ok(Taken { granted: before < limit, remaining })
    }
}

/// A clock that only the test moves.
struct Stopped;

impl beak_core::ports::Clock for Stopped {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + beak_core::Duration::days(20_000)
    }
}

fn beak(script: &Script, limits: Arc<dyn Limits>) -> Router {
    let settings = settings();
    let mut ports = ports(&script.config(), &settings);
    (ports.limits, ports.clock) = (Some(limits), Arc::new(Stopped));
    beak_api::router(galaxy(ports, &settings))
}

async fn get(router: &Router, path: &str, key: Option<&str>, from: IpAddr) -> Response<Body> {
    let mut request = Request::get(path).extension(ClientAddress(from));
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let Ok(answer) = router.clone().oneshot(request.body(Body::empty()).expect("a request")).await;
    answer
}

const ONE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

#[tokio::test]
async fn one_client_does_not_have_a_write_made_for_each_refused_call() {
    let (script, limits) = (Script::new("none", "", 400, 0), Arc::new(Counting::default()));
    let router = beak(&script, Arc::clone(&limits) as Arc<dyn Limits>);
    // 60 a minute; four times as many reach the count, and all others cost nothing.
    let path = "/beak/newsletter/confirm?token=x";
    for _ in 0..240 {
        get(&router, path, None, ONE).await;
    }
    assert_eq!(limits.0.load(Ordering::Relaxed), 240);
    for _ in 0..1000 {
        let answer = get(&router, path, None, ONE).await;
        assert_eq!(answer.status(), 429);
        let said = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(said("retry-after"), "1");
        assert_eq!(said("ratelimit-policy"), "\"newsletter links\";q=60;w=60");
        assert_eq!(said("ratelimit"), "\"newsletter links\";r=0;t=1");
    }
    assert_eq!(limits.0.load(Ordering::Relaxed), 240, "answered from memory");
    get(&router, path, None, OTHER).await;
    assert_eq!(limits.0.load(Ordering::Relaxed), 241, "another client is not concerned");
}

#[tokio::test]
async fn one_client_does_not_have_any_number_of_keys_looked_up() {
    let script = Script::new("GetItem", "", 400, 0);
    let router = beak(&script, Arc::new(Counting::default()));
    let key = beak_core::key::BeakKey::new([7; 32]);
    let asked = async |from: IpAddr| {
        let before = script.asked();
        let status = get(&router, "/beak/pecks", Some(key.reveal()), from).await.status();
        (status.as_u16(), script.asked() > before)
    };
    assert!(asked(ONE).await.1, "a key is looked up");
    let mut refused = 0;
    for _ in 0..4900 {
        let (status, looked) = asked(ONE).await;
        refused += u32::from(status == 429);
        assert_eq!(status == 429, !looked, "{status}");
    }
    assert_eq!(refused, 1 + 4900 - 4800);
    assert!(asked(OTHER).await.1, "another client's is");
}

/// What a preflight and an answer say, as a page of the documentation shows it.
#[tokio::test]
async fn answers_let_pages_do_what_the_lists_and_the_documentation_say() {
    let router = beak(&Script::new("none", "", 400, 0), Arc::new(Counting::default()));
    let from_page = || Request::builder().uri("/beak").header("origin", "https://x.example");
    let preflight = from_page().method("OPTIONS").header("access-control-request-method", "GET");
    let mut lines = std::collections::BTreeSet::new();
    for request in [preflight, from_page()] {
        let request = request.body(Body::empty()).expect("a request");
        let Ok(answer) = router.clone().oneshot(request).await;
        let line = |(name, value): (&lambda_http::http::HeaderName, _)| {
            format!("{name}: {}", lambda_http::http::HeaderValue::to_str(value).expect("text"))
        };
        lines.extend(answer.headers().iter().map(line));
    }
    lines.retain(|line| line.starts_with("access-control-"));
    let methods = cors::METHODS.map(|method| method.to_string());
    let wanted = [
        format!("access-control-allow-headers: {}", cors::ALLOWED_HEADERS.join(",")),
        format!("access-control-allow-methods: {}", methods.join(",")),
        "access-control-allow-origin: *".to_owned(),
        format!("access-control-expose-headers: {}", cors::EXPOSED_HEADERS.join(",")),
        format!("access-control-max-age: {}", cors::MAX_AGE.as_secs()),
    ];
    assert_eq!(lines, wanted.into());
    let page = include_str!("../../../../pages/duckgalaxy/guide/browser-and-cors.md");
    for line in lines {
        assert!(page.contains(&line), "{line}");
    }
}
