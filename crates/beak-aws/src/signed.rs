//! Signed requests to services of AWS that speak its JSON protocol. The SDK's client for a service
//! is a large part of the function, and of two services it needs one question each.
//!
//! Source: "AWS JSON 1.0 protocol" and "AWS JSON 1.1 protocol", Smithy specification.

use std::sync::Arc;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use beak_core::{BeakError, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::web::{Headers, Web};

/// How often a request is repeated that failed only on its way.
const TRIES: usize = 2;

/// A question to a service.
pub(crate) struct Operation {
    /// The service's host name without the Region; it signs by the same name.
    pub(crate) service: &'static str,
    /// The media type of the protocol's version.
    pub(crate) media_type: &'static str,
    /// The service and the operation, as the protocol names them.
    pub(crate) target: &'static str,
}

/// Who asks.
#[derive(Clone)]
pub(crate) struct Signed {
    web: Arc<Web>,
    region: String,
    endpoint: Option<String>,
    credentials: Option<SharedCredentialsProvider>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "__type")]
    kind: String,
}

impl Signed {
    pub(crate) fn new(web: Arc<Web>, config: &SdkConfig) -> Self {
        Self {
            web,
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            endpoint: config.endpoint_url().map(str::to_owned),
            credentials: config.credentials_provider(),
        }
    }

    /// Asks. The answer, or the code of the service's refusal.
    pub(crate) async fn ask(
        &self,
        operation: &Operation,
        question: &Value,
    ) -> Result<std::result::Result<Vec<u8>, String>> {
        let (url, body) = (self.url(operation.service), question.to_string());
        let mut tried = 1;
        loop {
            let headers = self.headers(operation, &url, &body).await?;
            match self.web.post(operation.target, &url, headers, body.clone()).await {
                Ok((200, answer)) => return Ok(Ok(answer)),
                Ok((status, answer)) if status < 500 => return Ok(Err(code(&answer))),
                Err(error) if tried == TRIES => return Err(error),
                Ok(_) if tried == TRIES => {
                    let cause = format!("{}: broken there", operation.target);
                    return Err(BeakError::Unavailable(cause));
                }
                _ => tried += 1,
            }
        }
    }

    fn url(&self, service: &str) -> String {
        let region = &self.region;
        let china = if region.starts_with("cn-") { ".cn" } else { "" };
        let usual = || format!("https://{service}.{region}.amazonaws.com{china}/");
        self.endpoint.clone().unwrap_or_else(usual)
    }

    /// The headers of a request, its signature among them.
    async fn headers(&self, operation: &Operation, url: &str, body: &str) -> Result<Headers> {
        let failed = |what: &str| BeakError::Unavailable(format!("signing a request: {what}"));
        let provider = self.credentials.as_ref().ok_or_else(|| failed("no credentials"))?;
        let credentials = provider.provide_credentials().await;
        let identity = credentials.map_err(|_| failed("no credentials"))?.into();
        #[expect(clippy::disallowed_methods, reason = "AWS compares it with its own clock")]
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(operation.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|_| failed("parameters"))?
            .into();
        let own = [("content-type", operation.media_type), ("x-amz-target", operation.target)];
        let body = SignableBody::Bytes(body.as_bytes());
        let request = SignableRequest::new("POST", url, own.into_iter(), body);
        let request = request.map_err(|_| failed("address"))?;
        let signed = sign(request, &params).map_err(|_| failed("signature"))?;
        let (signed, _) = signed.into_parts().0.into_parts();
        let signed = signed.iter().map(|header| (header.name(), header.value().to_owned()));
        Ok(own.map(|(name, value)| (name, value.to_owned())).into_iter().chain(signed).collect())
    }
}

/// The code of a refusal; some services write a name space in front of it.
fn code(answer: &[u8]) -> String {
    let refusal = serde_json::from_slice::<Refusal>(answer).ok();
    let kind = refusal.map(|refusal| refusal.kind).unwrap_or_default();
    kind.rsplit('#').next().unwrap_or_default().to_owned()
}
