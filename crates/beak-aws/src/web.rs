//! The requests that no client of the SDK makes: one connector, made when it is first needed.

use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use beak_core::{BeakError, Result};

const PATIENCE: Duration = Duration::from_secs(3);
/// No answer that is waited for here comes near to this.
const LARGEST: usize = 64 * 1024;

/// Names and values of headers.
pub(crate) type Headers = Vec<(&'static str, String)>;

/// Posts, and reads the answer.
#[derive(Default)]
pub(crate) struct Web {
    /// Made when it is needed: reading the system's certificates was a quarter of a cold start.
    connector: OnceLock<Connector>,
}

impl Web {
    /// Posts a request; returns status and body. `who` is for the log.
    #[expect(clippy::disallowed_methods, reason = "Lambda has neither proxy nor profile")]
    pub(crate) async fn post(
        &self,
        who: &str,
        url: &str,
        headers: Headers,
        body: String,
    ) -> Result<(u16, Vec<u8>)> {
        let unavailable = |what: &str| BeakError::Unavailable(format!("{who}: {what}"));
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST").map_err(|_| unavailable("method"))?;
        request.set_uri(url).map_err(|_| unavailable("address"))?;
        for (name, value) in headers {
            request.headers_mut().try_insert(name, value).map_err(|_| unavailable("header"))?;
        }
        let connector = self.connector.get_or_init(|| {
            Connector::builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build()
        });
        let asked = tokio::time::timeout(PATIENCE, async {
            let response = connector.call(request).await.map_err(|_| unavailable("silent"))?;
            let status = response.status().as_u16();
            let body = ByteStream::new(response.into_body()).collect().await;
            let bytes = body.map_err(|_| unavailable("cut off"))?.into_bytes();
            if bytes.len() > LARGEST {
                return Err(unavailable("too long an answer"));
            }
            Ok((status, bytes.to_vec()))
        });
        asked.await.map_err(|_| unavailable("no answer in time"))?
    }
}
