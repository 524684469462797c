//! GET requests from outside, over the HTTP client that the SDK brings along.
//!
//! With `--connect-to` every request goes to one address over plain HTTP and keeps its host name,
//! as with curl's option of that name: for private networks in which the names don't resolve.

use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};

use super::error::chain;
use super::network::{self, Network};
use crate::failure::{Failure, Kind};
use crate::ports::{Answer, Web};

/// One question may take this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// A GET client.
#[derive(Debug)]
pub(super) struct Probe {
    connector: Connector,
    connect_to: Option<String>,
}

impl Probe {
    pub(super) fn new(connect_to: Option<String>, network: &Network) -> Result<Self, Failure> {
        if let Some(address) = &connect_to {
            let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
            if port.is_none() {
                let message = format!("`{address}` is not an address to connect to");
                return Err(Failure::new(Kind::Usage, message).help("write it as HOST:PORT"));
            }
        }
        Ok(Self { connector: network.connector(PATIENCE), connect_to })
    }

    fn request(&self, url: &str) -> Result<HttpRequest, String> {
        let Some(address) = &self.connect_to else {
            return HttpRequest::get(url).map_err(|error| error.to_string());
        };
        let (_, rest) = url.split_once("://").ok_or("an address without a scheme")?;
        let (host, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let mut request = HttpRequest::get(format!("http://{address}{path}"))
            .map_err(|error| error.to_string())?;
        request.headers_mut().insert("host", host.to_owned());
        request.headers_mut().insert("x-forwarded-proto", "https");
        Ok(request)
    }
}

impl Probe {
    /// The response to one GET, or why there is none.
    pub(super) async fn response(&self, url: &str) -> Result<HttpResponse, String> {
        let request = self.request(url)?;
        match tokio::time::timeout(PATIENCE, self.connector.call(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                let cause = chain(&error);
                Err(network::help(&cause).map_or(cause.clone(), |help| format!("{cause}; {help}")))
            }
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }
}

#[async_trait]
impl Web for Probe {
    async fn get(&self, url: &str) -> Answer {
        match self.response(url).await {
            Ok(response) => Answer::Status(response.status().as_u16()),
            Err(reason) => Answer::Silence(reason),
        }
    }
}
