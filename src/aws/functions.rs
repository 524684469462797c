//! Versions of the API's function in Lambda.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_wire::{Call, Client, LAMBDA};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{code, translate};
use crate::failure::{Failure, Kind};
use crate::ports::{Functions, LiveVersion};

/// The alias that the API calls.
const ALIAS: &str = "live";

/// The part of an address that names the version of the API.
const API: &str = "2015-03-31";

/// The client.
pub(super) struct Lambda(Client);

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Alias {
    function_version: String,
    revision_id: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Configuration {
    code_sha256: String,
    version: String,
}

impl Lambda {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(&LAMBDA, config))
    }

    /// The version that the alias names, and the alias's revision.
    async fn alias(&self, function: &str) -> Result<Option<(String, String)>, Failure> {
        let path = [API, "functions", function, "aliases", ALIAS];
        match self.0.ask::<Alias>(Call::rest("GetAlias", "GET", &path)).await {
            Ok(alias) => Ok(Some((alias.function_version, alias.revision_id))),
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
        let path = [API, "functions", function, "invocations"];
        let asked = Call::rest("Invoke", "POST", &path).with("Qualifier", version);
        let answer = self.0.bytes(asked.bytes(question().to_string()), |response| {
            let error = response.headers().get("x-amz-function-error").map(str::to_owned);
            (error, response.body().bytes().unwrap_or_default().to_vec())
        });
        let (error, bytes) = answer.await.map_err(|error| {
            translate(&format!("asking version {version} of `{function}`"), None, &error)
        })?;
        let said = String::from_utf8_lossy(&bytes);
        if let Some(error) = error {
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
        let path = [API, "functions", function, "configuration"];
        let asked = Call::rest("GetFunctionConfiguration", "GET", &path).with("Qualifier", ALIAS);
        match self.0.ask::<Configuration>(asked).await {
            // Lambda says it in base64, everybody else in hexadecimal.
            Ok(found) => Ok(Some(LiveVersion {
                version: found.version,
                sha256: super::hex_of_base64(&found.code_sha256),
            })),
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
        let path = [API, "functions", function, "aliases", ALIAS];
        // A call of a run that has lost its lock arrives after another run's change: refused.
        let asked = json!({"FunctionVersion": version, "RevisionId": revision});
        match self.0.tell(Call::rest("UpdateAlias", "PUT", &path).body(asked)).await {
            Ok(()) => Ok(true),
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
