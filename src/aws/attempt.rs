//! The HTTP client that sends no request of an effect once another run holds the galaxy's lock.
//!
//! The SDK repeats a request that failed, up to a minute later and, on a machine that slept, much
//! later than that. The look at the lock before the effect says nothing about then.

use aws_config::SdkConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};
use aws_smithy_types::config_bag::ConfigBag;

use crate::failure::Failure;
use crate::ports::still_passes;

/// Why a request was not sent.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message())]
struct Held(Failure);

/// What the lock said, if an error is that a request was not sent.
pub(super) fn refusal(error: &ConnectorError) -> Option<Failure> {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(Held(failure)) = error.downcast_ref() {
            return Some(failure.clone());
        }
        source = error.source();
    }
    None
}

/// The same settings with a client that asks before each request.
pub(super) fn fenced(config: &SdkConfig) -> SdkConfig {
    let Some(inner) = config.http_client() else { return config.clone() };
    config.to_builder().http_client(FencedClient(inner)).build()
}

#[derive(Clone, Debug)]
struct FencedClient(SharedHttpClient);

impl HttpClient for FencedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(FencedConnector(self.0.http_connector(settings, components)))
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_base_client_config(components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct FencedConnector(SharedHttpConnector);

impl HttpConnector for FencedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let inner = self.0.clone();
        HttpConnectorFuture::new(async move {
            // An error of the caller: the SDK repeats nothing for it.
            let held = |failure| ConnectorError::user(Box::new(Held(failure)));
            still_passes().await.map_err(held)?;
            inner.call(request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;

    use super::super::registry::EdgeParameters;
    use super::super::replay::{Script, script};
    use super::*;
    use crate::failure::Kind;
    use crate::ports::{Fence, Permit, Registry as _};

    /// A lock that is lost as soon as a request was sent.
    struct Fleeting(Script);

    #[async_trait]
    impl Permit for Fleeting {
        async fn check(&self) -> Result<(), Failure> {
            if self.0.count() == 0 {
                return Ok(());
            }
            Err(Failure::new(Kind::Settled, "this run has lost the lock").help("wait for it"))
        }

        fn galaxy(&self) -> &'static str {
            "pond"
        }

        fn number(&self) -> u64 {
            1
        }
    }

    #[tokio::test]
    async fn a_request_is_not_repeated_once_the_lock_is_lost() {
        let busy = vec![(503, String::new()); 8];
        let (config, script) = script(&busy);
        let registry = EdgeParameters::new(&fenced(&config));
        let fence = Fence::default();
        fence.open(Arc::new(Fleeting(script.clone())));
        let put = || registry.put("/_spaceduck/galaxies/pond/record", "{}");
        let failure = fence.let_through(put()).await.unwrap_err();
        assert_eq!(failure.message(), "this run has lost the lock");
        assert_eq!(script.count(), 1, "one request, and no second one");
        put().await.unwrap_err();
        assert!(script.count() > 2, "what is no effect is repeated");
    }
}
