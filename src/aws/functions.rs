//! Versions of the API's function in Lambda.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use serde_json::{Value, json};

use super::error::{code, translate};
use crate::failure::{Failure, Kind};
use crate::ports::{Functions, LiveVersion};

/// The alias that the API calls.
const ALIAS: &str = "live";

/// The SDK's client.
pub(super) struct Lambda(Client);

impl Lambda {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(config))
    }

    /// The version that the alias names, and the alias's revision.
    async fn alias(&self, function: &str) -> Result<Option<(String, String)>, Failure> {
        match self.0.get_alias().function_name(function).name(ALIAS).send().await {
            Ok(alias) => {
                let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
                Ok(Some((text(alias.function_version()), text(alias.revision_id()))))
            }
            Err(error) if code(&error) == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(translate(
                &format!("reading the alias `{ALIAS}` of `{function}`"),
                None,
                &error,
            )),
        }
    }
}

/// The event that the gateway would send for a caller.
/// Source: "Create AWS Lambda proxy integrations for HTTP APIs", API Gateway Developer Guide,
/// payload format 2.0.
fn question() -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/prod/beak/system/status",
        "rawQueryString": "",
        "headers": {"host": "health.invalid", "accept": "application/json"},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "health",
            "domainName": "health.invalid",
            "domainPrefix": "health",
            "http": {
                "method": "GET",
                "path": "/prod/beak/system/status",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "spaceduck"
            },
            "requestId": "health",
            "routeKey": "$default",
            "stage": "prod",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1_767_225_600_000_i64
        },
        "isBase64Encoded": false
    })
}

#[async_trait]
impl Functions for Lambda {
    async fn check(&self, function: &str, version: &str) -> Result<Option<String>, Failure> {
        let answer = self
            .0
            .invoke()
            .function_name(function)
            .qualifier(version)
            .payload(Blob::new(question().to_string()))
            .send()
            .await
            .map_err(|error| {
                translate(&format!("asking version {version} of `{function}`"), None, &error)
            })?;
        let bytes = answer.payload().map(|blob| blob.as_ref().to_vec()).unwrap_or_default();
        let said = String::from_utf8_lossy(&bytes);
        if let Some(error) = answer.function_error() {
            return Ok(Some(format!("{error}: {said}")));
        }
        let status = serde_json::from_slice::<Value>(&bytes).ok();
        match status.as_ref().and_then(|answer| answer["statusCode"].as_u64()) {
            Some(200) => Ok(None),
            Some(status) => Ok(Some(format!("it answers with status {status}"))),
            None => Ok(Some(format!("its answer can't be read: {said}"))),
        }
    }

    async fn live(&self, function: &str) -> Result<Option<LiveVersion>, Failure> {
        let doing = format!("looking at the live version of `{function}`");
        let answer = self
            .0
            .get_function_configuration()
            .function_name(function)
            .qualifier(ALIAS)
            .send()
            .await;
        match answer {
            Ok(found) => {
                // Lambda says it in base64, everybody else in hexadecimal.
                let sha256 = found.code_sha256().unwrap_or_default();
                Ok(Some(LiveVersion {
                    version: found.version().unwrap_or_default().to_owned(),
                    sha256: super::hex_of_base64(sha256),
                }))
            }
            Err(error) if code(&error) == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(translate(&doing, None, &error)),
        }
    }

    async fn point(&self, function: &str, version: &str) -> Result<bool, Failure> {
        let doing = format!("making version {version} the live one");
        let Some((seen, revision)) = self.alias(function).await? else { return Ok(false) };
        if seen == version {
            return Ok(true);
        }
        let asked = self.0.update_alias().function_name(function).name(ALIAS);
        // A call of a run that has lost its lock arrives after another run's change: refused.
        let answer = asked.function_version(version).revision_id(revision).send().await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some("ResourceNotFoundException") => Ok(false),
            Err(error) if code(&error) == Some("PreconditionFailedException") => {
                // It may be this run's own change, whose answer was lost.
                match self.alias(function).await? {
                    Some((now, _)) if now == version => Ok(true),
                    _ => Err(changed(function).cause(translate(&doing, None, &error).message())),
                }
            }
            Err(error) => Err(translate(&doing, None, &error)),
        }
    }
}

fn changed(function: &str) -> Failure {
    let message = format!("the alias `{ALIAS}` of `{function}` was changed by someone else");
    Failure::new(Kind::Settled, message)
        .help("it was left as it is; run the same command again once no other run changes it")
}

#[cfg(test)]
mod tests;
