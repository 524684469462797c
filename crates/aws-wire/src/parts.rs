//! The parts of the SDK's runtime that make a client, put together as generated code does.
//!
//! Compared with `base_client_runtime_plugins` and `ServiceRuntimePlugin` of the generated crates;
//! what only counts features for the user agent is left out.

use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{
    DisableClockSkewCorrection, ServiceClockSkewClassifier, ServiceClockSkewInterceptor,
};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::defaults::{DefaultPluginParams, default_plugins};
use aws_smithy_runtime::client::http::connection_poisoning::ConnectionPoisoningInterceptor;
use aws_smithy_runtime::client::orchestrator::AuthSchemeAndEndpointOrchestrationV2;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime::client::stalled_stream_protection::StalledStreamProtectionInterceptor;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::endpoint::{EndpointResolverParams, SharedEndpointResolver};
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, SharedInterceptor};
use aws_smithy_runtime_api::client::orchestrator::SensitiveOutput;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::{Order, RuntimePlugins, StaticRuntimePlugin};
use aws_smithy_types::config_bag::{ConfigBag, Layer};
use aws_smithy_types::error::ErrorMetadata;
use aws_types::region::{Region, SigningRegion};
use aws_types::{SdkConfig, SigningName};

use crate::address::{Fixed, GLOBAL_REGION, custom};
use crate::services::Service;

/// A client's parts, from the settings that all clients share.
pub(crate) fn parts(service: &'static Service, config: &SdkConfig) -> RuntimePlugins {
    let version = config.behavior_version().unwrap_or_else(BehaviorVersion::latest);
    let region = config.region().map_or("", Region::as_ref);
    let defaults = DefaultPluginParams::new()
        .with_retry_partition_name(format!("{}-{region}", service.name))
        .with_behavior_version(version)
        .with_is_aws_sdk(true);
    let custom = custom(service, config);
    let settings = StaticRuntimePlugin::new()
        .with_config(settings(service, config, custom.is_some()).freeze())
        .with_runtime_components(shared(config));
    let of_service = StaticRuntimePlugin::new()
        .with_order(Order::Defaults)
        .with_runtime_components(own(Fixed::new(service, config, custom)));
    RuntimePlugins::new()
        .with_client_plugins(default_plugins(defaults))
        .with_client_plugin(settings)
        .with_client_plugin(of_service)
}

/// The settings as values.
fn settings(service: &'static Service, config: &SdkConfig, custom: bool) -> Layer {
    let mut layer = Layer::new(service.id);
    layer.store_or_unset(config.region().cloned());
    if let Some(retries) = config.retry_config() {
        layer.store_put(retries.clone());
    }
    if let Some(timeouts) = config.timeout_config() {
        layer.store_put(timeouts.clone());
    }
    if let Some(protection) = config.stalled_stream_protection() {
        layer.store_put(protection);
    }
    layer.store_or_unset(config.auth_scheme_preference().cloned());
    layer.store_or_unset(config.app_name().cloned());
    for metadata in config.framework_metadata() {
        layer.store_append(metadata.clone());
    }
    let uncorrected = config.disable_clock_skew_correction();
    layer.store_or_unset::<DisableClockSkewCorrection>(uncorrected.map(Into::into));
    layer.store_put(ApiMetadata::new(service.name, env!("CARGO_PKG_VERSION")));
    layer.store_put(SigningName::from_static(service.name));
    let signed_for = if service.global && !custom {
        Some(Region::from_static(GLOBAL_REGION))
    } else {
        config.region().cloned()
    };
    layer.store_or_unset(signed_for.map(SigningRegion::from));
    layer.store_put(AuthSchemeAndEndpointOrchestrationV2);
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SensitiveOutput);
    let mut signing_options = SigningOptions::default();
    signing_options.double_uri_encode = true;
    signing_options.normalize_uri_path = true;
    signing_options.content_sha256_header = false;
    signing_options.payload_override = None;
    layer.store_put(SigV4OperationSigningConfig { signing_options, ..Default::default() });
    layer
}

/// What the settings bring: the HTTP client, credentials, the clock.
fn shared(config: &SdkConfig) -> RuntimeComponentsBuilder {
    let mut parts = RuntimeComponentsBuilder::new("settings");
    parts.set_http_client(config.http_client());
    parts.set_sleep_impl(config.sleep_impl());
    parts.set_time_source(Some(config.time_source().unwrap_or_default()));
    if let Some(cache) = config.identity_cache() {
        parts.set_identity_cache(Some(cache));
    }
    if let Some(credentials) = config.credentials_provider() {
        parts.set_identity_resolver(SCHEME_ID, credentials);
    }
    parts
}

/// What every client of the SDK has.
fn own(address: Fixed) -> RuntimeComponentsBuilder {
    let mut parts = RuntimeComponentsBuilder::new("service");
    let signed = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    parts.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(signed)));
    parts.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
    parts.set_endpoint_resolver(Some(SharedEndpointResolver::new(address)));
    parts.push_interceptor(SharedInterceptor::permanent(ConnectionPoisoningInterceptor::new()));
    parts.push_interceptor(ServiceClockSkewInterceptor::new());
    parts.push_interceptor(RequestInfoInterceptor::new());
    parts.push_interceptor(UserAgentInterceptor::new());
    parts.push_interceptor(InvocationIdInterceptor::new());
    parts.push_interceptor(SharedInterceptor::permanent(RecursionDetectionInterceptor::new()));
    let stalls = StalledStreamProtectionInterceptor::default();
    parts.push_interceptor(SharedInterceptor::permanent(stalls));
    parts.push_interceptor(SharedInterceptor::permanent(NoParams));
    parts.push_retry_classifier(HttpStatusCodeClassifier::default());
    parts.push_retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new());
    parts.push_retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new());
    parts.push_retry_classifier(ServiceClockSkewClassifier::<ErrorMetadata>::new());
    parts
}

/// The runtime wants parameters for the address, and ours has none.
#[derive(Debug)]
struct NoParams;

impl Intercept for NoParams {
    fn name(&self) -> &'static str {
        "NoParams"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bag.interceptor_state().store_put(EndpointResolverParams::new(()));
        Ok(())
    }
}
