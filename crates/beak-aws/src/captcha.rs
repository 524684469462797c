//! Turnstile: the secret from Parameter Store, tokens judged by Cloudflare.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use beak_api::captcha::TestCaptcha;
use beak_core::ports::Captcha;
use beak_core::{BeakError, Result};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::parameters::Parameters as _;
use crate::signed::Signed;
use crate::web::Web;

/// <https://developers.cloudflare.com/turnstile/get-started/server-side-validation/>
const SITEVERIFY: &str = "https://challenges.cloudflare.com/turnstile/v0/siteverify";
/// A new secret counts after so long at the latest.
const SECRET_AGE: Duration = Duration::from_secs(50);

pub(crate) struct Turnstile {
    aws: Signed,
    folder: String,
    siteverify: String,
    web: Arc<Web>,
    terms: Mutex<Option<(Instant, Terms)>>,
}

/// What tokens are judged by.
#[derive(Clone)]
struct Terms {
    secret: String,
    /// The hosts on which a captcha may have been solved.
    hostnames: Vec<String>,
}

#[derive(Deserialize)]
struct Judgement {
    success: bool,
    action: Option<String>,
    hostname: Option<String>,
    #[serde(default, rename = "error-codes")]
    errors: Vec<String>,
}

impl Turnstile {
    pub(crate) fn new(web: Arc<Web>, aws: Signed, prefix: &str) -> Self {
        Self {
            aws,
            folder: format!("/{prefix}"),
            siteverify: SITEVERIFY.to_owned(),
            web,
            terms: Mutex::default(),
        }
    }

    async fn terms(&self) -> Result<Terms> {
        let mut kept = self.terms.lock().await;
        if let Some((_, terms)) = kept.as_ref().filter(|(since, _)| since.elapsed() < SECRET_AGE) {
            return Ok(terms.clone());
        }
        let missing = |what: &str| BeakError::Unavailable(format!("the captcha has no {what}"));
        let secret = self.parameter("turnstile-secret").await?;
        let secret = secret.filter(|secret| !secret.is_empty()).ok_or_else(|| missing("secret"))?;
        let hostnames = if TestCaptcha::of(&secret).is_some() {
            Vec::new()
        } else {
            let names = self.parameter("turnstile-hostnames").await?;
            let names = names.ok_or_else(|| missing("hostnames"))?;
            names.split(',').map(str::to_owned).collect()
        };
        let terms = Terms { secret, hostnames };
        *kept = Some((Instant::now(), terms.clone()));
        Ok(terms)
    }

    async fn parameter(&self, name: &str) -> Result<Option<String>> {
        self.aws.parameter(&format!("{}/{name}", self.folder)).await
    }

    async fn ask(&self, secret: &str, token: &str, from: Option<IpAddr>) -> Result<Judgement> {
        let mut body = serde_json::json!({"secret": secret, "response": token});
        if let Some(address) = from {
            body["remoteip"] = address.to_string().into();
        }
        let json = vec![("content-type", "application/json".to_owned())];
        let body = body.to_string();
        let (_, answer) = self.web.post("siteverify", &self.siteverify, json, body).await?;
        let unreadable = |_| BeakError::Unavailable("siteverify: not understood".into());
        serde_json::from_slice(&answer).map_err(unreadable)
    }
}

#[async_trait]
impl Captcha for Turnstile {
    async fn check(&self, token: &str, action: &str, from: Option<IpAddr>) -> Result<bool> {
        let terms = self.terms().await?;
        if let Some(test) = TestCaptcha::of(&terms.secret) {
            return test.check(token, action, from).await;
        }
        // Cloudflare's tokens are at most 2048 characters; longer ones need no journey.
        if token.is_empty() || token.len() > 2048 {
            return Ok(false);
        }
        let judgement = self.ask(&terms.secret, token, from).await?;
        if judgement.errors.iter().any(|error| error.contains("secret")) {
            return Err(BeakError::Unavailable("Cloudflare refuses the captcha's secret".into()));
        }
        Ok(judgement.is_for(action, &terms.hostnames))
    }
}

impl Judgement {
    /// Whether the captcha was solved, for this very action and on one of our own pages: a token
    /// that somebody earned elsewhere is worth nothing here.
    fn is_for(&self, action: &str, hostnames: &[String]) -> bool {
        let host = |ours: &String| self.hostname.as_ref() == Some(ours);
        self.success && self.action.as_deref() == Some(action) && hostnames.iter().any(host)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    const SOLVED: &str = r#"{"success":true,"action":"hatch","hostname":"ours.example"}"#;

    /// A captcha whose judge answers every request with this, or not at all.
    async fn judged_by(answer: Option<&'static str>) -> Turnstile {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let Some(body) = answer else {
                    silent.push(stream);
                    continue;
                };
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        let latest = aws_config::BehaviorVersion::latest();
        let config = aws_config::SdkConfig::builder().behavior_version(latest).build();
        let aws = Signed::new(Arc::default(), &config);
        let mut turnstile = Turnstile::new(Arc::default(), aws, "test");
        turnstile.siteverify = format!("http://{address}/siteverify");
        let hostnames = vec!["ours.example".to_owned(), "also.example".to_owned()];
        let terms = Terms { secret: "0x4AAAAAAA".into(), hostnames };
        *turnstile.terms.lock().await = Some((Instant::now(), terms));
        turnstile
    }

    #[tokio::test]
    async fn only_what_was_solved_here_and_for_this_passes() {
        let cases = [
            (SOLVED, true),
            (r#"{"success":false,"error-codes":["invalid-input-response"]}"#, false),
            (r#"{"success":true,"action":"newsletter","hostname":"ours.example"}"#, false),
            (r#"{"success":true,"action":"hatch","hostname":"theirs.example"}"#, false),
            (r#"{"success":true,"hostname":"ours.example"}"#, false),
            (r#"{"success":true,"action":"hatch"}"#, false),
        ];
        for (answer, passes) in cases {
            let turnstile = judged_by(Some(answer)).await;
            assert_eq!(turnstile.check("token", "hatch", None).await, Ok(passes), "{answer}");
        }
        let turnstile = judged_by(Some(SOLVED)).await;
        for token in [String::new(), "x".repeat(2049)] {
            assert_eq!(turnstile.check(&token, "hatch", None).await, Ok(false));
        }
    }

    #[tokio::test]
    async fn a_judge_that_fails_lets_nobody_in() {
        let refused = r#"{"success":false,"error-codes":["invalid-input-secret"]}"#;
        for answer in [None, Some("no JSON"), Some(refused)] {
            let turnstile = judged_by(answer).await;
            let error = turnstile.check("token", "hatch", None).await.expect_err("closed");
            assert_eq!(error.code(), "unavailable", "{answer:?}");
            assert!(!error.cause().unwrap_or_default().contains("0x4AAA"));
        }
    }
}
