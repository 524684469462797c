//! Turnstile: the secret from Parameter Store, tokens judged by Cloudflare.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_ssm::Client;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use beak_api::captcha::TestCaptcha;
use beak_core::ports::Captcha;
use beak_core::{BeakError, Result};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::failure::{code, failed};

/// <https://developers.cloudflare.com/turnstile/get-started/server-side-validation/>
const SITEVERIFY: &str = "https://challenges.cloudflare.com/turnstile/v0/siteverify";
const PATIENCE: Duration = Duration::from_secs(3);
/// A new secret counts after so long at the latest.
const SECRET_AGE: Duration = Duration::from_mins(5);

pub(crate) struct Turnstile {
    parameters: Client,
    path: String,
    connector: Connector,
    secret: Mutex<Option<(Instant, Secret)>>,
}

#[derive(Clone)]
struct Secret(String);

#[derive(Deserialize)]
struct Judgement {
    success: bool,
    action: Option<String>,
    #[serde(default, rename = "error-codes")]
    errors: Vec<String>,
}

impl Turnstile {
    pub(crate) fn new(config: &SdkConfig, prefix: &str) -> Self {
        let connector =
            Connector::builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build();
        Self {
            parameters: Client::new(config),
            path: format!("/{prefix}/turnstile-secret"),
            connector,
            secret: Mutex::default(),
        }
    }

    async fn secret(&self) -> Result<Secret> {
        let mut kept = self.secret.lock().await;
        if let Some((since, secret)) = kept.as_ref().filter(|(s, _)| s.elapsed() < SECRET_AGE) {
            let _ = since;
            return Ok(secret.clone());
        }
        let asked = self.parameters.get_parameter().name(&self.path).with_decryption(true);
        let answer = asked.send().await.map_err(|error| match code(&error) {
            Some("ParameterNotFound") => {
                BeakError::Unavailable("no captcha is set up, so nobody can hatch".into())
            }
            _ => failed("reading the captcha's secret", &error),
        })?;
        let value = answer.parameter().and_then(|parameter| parameter.value());
        let empty = || BeakError::Unavailable("the captcha's secret is empty".into());
        let secret = Secret(value.ok_or_else(empty)?.to_owned());
        *kept = Some((Instant::now(), secret.clone()));
        Ok(secret)
    }

    async fn ask(&self, secret: &Secret, token: &str, from: Option<IpAddr>) -> Result<Judgement> {
        let unavailable = |what: &str| BeakError::Unavailable(format!("siteverify: {what}"));
        let mut body = serde_json::json!({"secret": secret.0, "response": token});
        if let Some(address) = from {
            body["remoteip"] = address.to_string().into();
        }
        let mut request = HttpRequest::new(SdkBody::from(body.to_string()));
        request.set_method("POST").map_err(|_| unavailable("method"))?;
        request.set_uri(SITEVERIFY).map_err(|_| unavailable("address"))?;
        request.headers_mut().insert("content-type", "application/json");
        let asked = tokio::time::timeout(PATIENCE, async {
            let response = self.connector.call(request).await.map_err(|_| unavailable("silent"))?;
            let mut body = response.into_body();
            let bytes = collect(&mut body).await.map_err(|()| unavailable("cut off"))?;
            serde_json::from_slice(&bytes).map_err(|_| unavailable("not understood"))
        });
        asked.await.map_err(|_| unavailable("no answer in time"))?
    }
}

/// At most as much as an answer of Cloudflare's has.
async fn collect(body: &mut SdkBody) -> std::result::Result<Vec<u8>, ()> {
    use aws_smithy_types::byte_stream::ByteStream;
    let body = std::mem::replace(body, SdkBody::empty());
    let bytes = ByteStream::new(body).collect().await.map_err(|_| ())?.into_bytes();
    if bytes.len() > 16 * 1024 { Err(()) } else { Ok(bytes.to_vec()) }
}

#[async_trait]
impl Captcha for Turnstile {
    async fn check(&self, token: &str, action: &str, from: Option<IpAddr>) -> Result<bool> {
        let secret = self.secret().await?;
        if let Some(test) = TestCaptcha::of(&secret.0) {
            return test.check(token, action, from).await;
        }
        // Cloudflare's tokens are at most 2048 characters; longer ones need no journey.
        if token.is_empty() || token.len() > 2048 {
            return Ok(false);
        }
        let judgement = self.ask(&secret, token, from).await?;
        if judgement.errors.iter().any(|error| error.contains("secret")) {
            return Err(BeakError::Unavailable("Cloudflare refuses the captcha's secret".into()));
        }
        Ok(judgement.success && judgement.action.as_deref() == Some(action))
    }
}
