//! One request to a galaxy's API, over the HTTP client that the SDK brings along.

use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use super::error::chain;

/// One answer may take this long.
const PATIENCE: Duration = Duration::from_secs(10);
/// And be this long, in bytes.
const LIMIT: usize = 256 * 1024;

/// Gets an address, or posts JSON to it: the status and the text of the answer. Redirects are not
/// followed.
pub async fn fetch(url: &str, json: Option<String>) -> Result<(u16, String), String> {
    let fetched = tokio::time::timeout(PATIENCE, exchange(url, json)).await;
    fetched.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
}

async fn exchange(url: &str, json: Option<String>) -> Result<(u16, String), String> {
    let mut request = HttpRequest::get(url).map_err(|error| error.to_string())?;
    if let Some(json) = json {
        request.set_method("POST").map_err(|error| error.to_string())?;
        request.headers_mut().insert("content-type", "application/json");
        request.headers_mut().insert("content-length", json.len().to_string());
        *request.body_mut() = SdkBody::from(json);
    }
    let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build();
    let response = connector.call(request).await.map_err(|error| chain(&error))?;
    let status = response.status().as_u16();
    let mut body = ByteStream::new(response.into_body());
    let mut bytes = Vec::new();
    while let Some(part) = body.next().await {
        bytes.extend_from_slice(&part.map_err(|error| chain(&error))?);
        if bytes.len() > LIMIT {
            return Err(format!("the answer has more than {LIMIT} bytes"));
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| "the answer is not UTF-8".to_owned())?;
    Ok((status, text))
}
