//! Where a service answers, in the partition `aws`.
//!
//! A generated client carries the rules of all partitions. Galaxies live in one of them, in which
//! every service but two follows the same pattern. A test compares each address with the rules
//! that AWS publishes.

use aws_smithy_runtime_api::client::endpoint::{
    EndpointFuture, EndpointResolverParams, ResolveEndpoint,
};
use aws_smithy_types::endpoint::Endpoint;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use crate::services::Service;

/// The Region that global services sign for.
pub(crate) const GLOBAL_REGION: &str = "us-east-1";

/// The address of a service in a Region: with or without FIPS, and by IPv4 or both.
#[must_use]
pub fn url(service: &Service, region: &str, fips: bool, dual_stack: bool) -> String {
    let host = if fips { format!("{}-fips", service.name) } else { service.name.to_owned() };
    let suffix = if dual_stack { "api.aws" } else { "amazonaws.com" };
    if service.global {
        let at = if dual_stack { "global." } else { "" };
        return format!("https://{host}.{at}{suffix}");
    }
    format!("https://{host}.{region}.{suffix}")
}

/// The address that the settings name, for this service or for all.
pub(crate) fn custom(service: &Service, config: &SdkConfig) -> Option<String> {
    let for_all = config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return for_all;
    }
    let key = ServiceConfigKey::builder()
        .service_id(service.id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    config.service_config().and_then(|settings| settings.load_config(key)).or(for_all)
}

/// One address, or why there is none.
#[derive(Debug)]
pub(crate) struct Fixed(Result<Endpoint, &'static str>);

impl Fixed {
    pub(crate) fn new(service: &Service, config: &SdkConfig, custom: Option<String>) -> Self {
        let fips = config.use_fips().unwrap_or_default();
        let dual_stack = config.use_dual_stack().unwrap_or_default();
        Self(match (custom, config.region()) {
            (Some(_), _) if fips => Err("FIPS and a custom endpoint can't be combined"),
            (Some(_), _) if dual_stack => Err("dual stack and a custom endpoint can't be combined"),
            (Some(custom), _) => Ok(Endpoint::builder().url(custom).build()),
            (None, None) => Err("there is no Region"),
            (None, Some(region)) => {
                let url = url(service, region.as_ref(), fips, dual_stack);
                Ok(Endpoint::builder().url(url).build())
            }
        })
    }
}

impl ResolveEndpoint for Fixed {
    fn resolve_endpoint<'a>(&'a self, _: &'a EndpointResolverParams) -> EndpointFuture<'a> {
        EndpointFuture::ready(self.0.clone().map_err(Into::into))
    }
}
