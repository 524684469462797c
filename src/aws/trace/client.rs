//! The HTTP client that writes a line for each attempt.

use std::sync::Arc;
use std::time::Instant;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::config_bag::ConfigBag;

use super::{Attempt, Trace, call};

#[derive(Clone, Debug)]
pub(super) struct TracedClient {
    inner: SharedHttpClient,
    trace: Arc<Trace>,
}

impl TracedClient {
    pub(super) fn new(inner: SharedHttpClient, trace: Arc<Trace>) -> Self {
        Self { inner, trace }
    }
}

impl HttpClient for TracedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(TracedConnector { inner, trace: Arc::clone(&self.trace) })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.inner.validate_base_client_config(components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.inner.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct TracedConnector {
    inner: SharedHttpConnector,
    trace: Arc<Trace>,
}

/// An attempt under way. It is written however it ends, also when the SDK stops waiting for it.
struct Pending {
    trace: Arc<Trace>,
    attempt: Attempt,
    begun: Instant,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.attempt.ms = millis(self.begun.elapsed());
        self.trace.write(&self.attempt);
    }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl HttpConnector for TracedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let trace = Arc::clone(&self.trace);
        let mut attempt = call::asked(&request, &trace.pseudonyms);
        attempt.at_ms = millis(trace.begun.elapsed());
        attempt.error = Some("no response: the attempt was given up".into());
        let pending = Pending { trace, attempt, begun: Instant::now() };
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move { answered(pending, answer).await })
    }
}

async fn answered(
    mut pending: Pending,
    answer: HttpConnectorFuture,
) -> Result<HttpResponse, ConnectorError> {
    let mut response = match answer.await {
        Ok(response) => response,
        Err(error) => {
            let kind = if error.is_timeout() { "no response in time" } else { "no connection" };
            pending.attempt.error = Some(kind.into());
            return Err(error);
        }
    };
    pending.attempt.error = None;
    call::headed(&mut pending.attempt, &response);
    if !call::is_readable(&pending.attempt) {
        pending.attempt.format = "bytes".into();
        return Ok(response);
    }
    let mut bytes = Vec::new();
    let mut body = ByteStream::new(response.take_body());
    while let Some(part) = body.next().await {
        match part {
            Ok(part) => bytes.extend_from_slice(&part),
            Err(error) => {
                pending.attempt.error = Some("the response broke off".into());
                return Err(ConnectorError::io(Box::new(error)));
            }
        }
    }
    call::bodied(&mut pending.attempt, &bytes, &pending.trace.pseudonyms);
    *response.body_mut() = SdkBody::from(bytes);
    Ok(response)
}
