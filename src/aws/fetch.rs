//! One request to a galaxy's API, over the HTTP client that the SDK brings along.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use super::error::chain;
use super::network::{self, CAPTIVE_HELP, Network};
use crate::failure::{Failure, Kind};

/// One answer may take this long.
const PATIENCE: Duration = Duration::from_secs(10);
/// And be this long, in bytes.
const LIMIT: usize = 256 * 1024;

/// Gets an address of a galaxy's API, or posts JSON to it: the text of its answer. Redirects are
/// not followed.
pub async fn fetch(network: &Network, url: &str, json: Option<String>) -> Result<String, Failure> {
    let failed = |cause: String| {
        let help =
            network::help(&cause).unwrap_or_else(|| "check the address and the network".to_owned());
        Failure::new(Kind::Settled, format!("the galaxy can't be reached at {url}"))
            .cause(cause)
            .help(format!("{help}; --jwks FILE works without the galaxy"))
    };
    let fetched = tokio::time::timeout(PATIENCE, exchange(network, url, json)).await;
    let late = || Err(format!("no answer within {} s", PATIENCE.as_secs()));
    let answer = fetched.unwrap_or_else(|_| late()).map_err(failed)?;
    let kind = answer.kind.as_deref();
    if let Some(what) = network::captive(answer.status, kind, answer.text.as_bytes()) {
        return Err(Failure::new(Kind::Settled, format!("no galaxy answers at {url}"))
            .cause(what)
            .help(CAPTIVE_HELP));
    }
    if answer.status != 200 {
        return Err(failed(format!("it answered {}", answer.status)));
    }
    Ok(answer.text)
}

struct Fetched {
    status: u16,
    kind: Option<String>,
    text: String,
}

async fn exchange(network: &Network, url: &str, json: Option<String>) -> Result<Fetched, String> {
    let mut request = HttpRequest::get(url).map_err(|error| error.to_string())?;
    if let Some(json) = json {
        request.set_method("POST").map_err(|error| error.to_string())?;
        request.headers_mut().insert("content-type", "application/json");
        request.headers_mut().insert("content-length", json.len().to_string());
        *request.body_mut() = SdkBody::from(json);
    }
    let connector = network.connector(PATIENCE);
    let response = connector.call(request).await.map_err(|error| chain(&error))?;
    let status = response.status().as_u16();
    let kind = response.headers().get("content-type").map(str::to_owned);
    let mut body = ByteStream::new(response.into_body());
    let mut bytes = Vec::new();
    while let Some(part) = body.next().await {
        bytes.extend_from_slice(&part.map_err(|error| chain(&error))?);
        if bytes.len() > LIMIT {
            return Err(format!("the answer has more than {LIMIT} bytes"));
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| "the answer is not UTF-8".to_owned())?;
    Ok(Fetched { status, kind, text })
}
