//! Looking at an account before anything is done in it.

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_config::{Region as SdkRegion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_cloudformation::types::StackStatus;
use aws_wire::{Call, Client, LAMBDA, SERVICEQUOTAS};
use serde::Deserialize;
use serde_json::json;

use super::Settings;
use super::error::{chain, translate};
use super::mail::Ses;
use super::network::Network;
use crate::failure::{Failure, Kind};
use crate::model::{Place, Region};
use crate::ports::{Denied, Preflight, Quota, Thing, Usage, Wish};

mod clock;
mod names;
mod rights;

/// The quotas' codes. Source: "Amazon CloudFront endpoints and quotas", AWS General Reference.
const DISTRIBUTIONS: &str = "L-24B04930";
const HEADERS_POLICIES: &str = "L-CF0D4FC5";

/// Source: "Amazon API Gateway quotas", API Gateway Developer Guide.
const GATEWAY_RATE: &str = "L-8A5B8E43";

/// The limit that tells how many stacks there may be.
/// Source: `AccountLimit`, AWS `CloudFormation` API Reference.
const STACK_LIMIT: &str = "StackLimit";

/// The clients.
pub(super) struct Examiner {
    config: SdkConfig,
    caller: String,
    home: aws_sdk_cloudformation::Client,
    edge: aws_sdk_cloudformation::Client,
    front: aws_sdk_cloudfront::Client,
    quotas: Client,
    quotas_at_home: Client,
    lambda: Client,
    names: names::Names,
    rights: rights::Rights,
}

impl Examiner {
    pub(super) fn new(home: &SdkConfig, edge: &SdkConfig, caller: &str, ses: Arc<Ses>) -> Self {
        Self {
            config: home.clone(),
            caller: caller.to_owned(),
            home: aws_sdk_cloudformation::Client::new(home),
            edge: aws_sdk_cloudformation::Client::new(edge),
            front: aws_sdk_cloudfront::Client::new(edge),
            quotas: Client::new(&SERVICEQUOTAS, edge),
            quotas_at_home: Client::new(&SERVICEQUOTAS, home),
            lambda: Client::new(&LAMBDA, home),
            names: names::Names::new(home, edge, ses),
            rights: rights::Rights::new(edge, caller),
        }
    }

    async fn stacks(&self, place: Place) -> Result<Usage, Failure> {
        let doing = "counting stacks";
        let client = if place == Place::Home { &self.home } else { &self.edge };
        let limits = client.describe_account_limits().into_paginator().items().send();
        let limits = limits.try_collect().await.map_err(|error| translate(doing, None, &error))?;
        let limit = limits.iter().find(|limit| limit.name() == Some(STACK_LIMIT));
        let limit = limit.and_then(|limit| u64::try_from(limit.value()?).ok());
        let mut used = 0;
        let mut pages = client.list_stacks().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| translate(doing, None, &error))?;
            let there = page
                .stack_summaries()
                .iter()
                .filter(|stack| stack.stack_status() != Some(&StackStatus::DeleteComplete));
            used += there.count() as u64;
        }
        Ok(Usage { used, limit })
    }

    async fn distributions(&self) -> Result<u64, Failure> {
        let answer = self.front.list_distributions().into_paginator().send().try_collect().await;
        let pages = answer.map_err(|error| translate("counting distributions", None, &error))?;
        let one =
            |page: &aws_sdk_cloudfront::operation::list_distributions::ListDistributionsOutput| {
                page.distribution_list().map_or(0, |list| list.items().len())
            };
        Ok(pages.iter().map(one).sum::<usize>() as u64)
    }

    /// A quota of `CloudFront`; nothing where nobody tells.
    async fn limit(&self, code: &str) -> Option<u64> {
        limit(&self.quotas, "cloudfront", code).await
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct QuotaFound {
    quota: QuotaValue,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct QuotaValue {
    value: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AccountSettings {
    account_limit: AccountLimit,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AccountLimit {
    concurrent_executions: Option<u64>,
    unreserved_concurrent_executions: Option<u64>,
}

/// A quota of the account; nothing where AWS does not say.
async fn limit(client: &Client, service: &str, code: &str) -> Option<u64> {
    let asked = json!({"ServiceCode": service, "QuotaCode": code});
    let found = client.ask::<QuotaFound>(Call::json("GetServiceQuota", asked)).await.ok()?;
    let value = found.quota.value?;
    // Quotas are whole numbers that AWS tells as fractions.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
    (value >= 0.0).then_some(value as u64)
}

#[async_trait]
impl Preflight for Examiner {
    fn caller(&self) -> String {
        self.caller.clone()
    }

    async fn lapse(&self) -> Result<Option<u64>, Failure> {
        let nothing = || {
            Failure::new(Kind::Access, "no AWS credentials were found")
                .help("sign in, for example with `aws sso login`, or choose a --profile")
        };
        let provider = self.config.credentials_provider().ok_or_else(nothing)?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| nothing().cause(chain(&error)))?;
        let lapse = credentials.expiry();
        Ok(lapse.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).map(|d| d.as_secs()))
    }

    async fn clock_ahead(&self) -> Result<i64, Failure> {
        clock::ahead(&self.config).await
    }

    async fn denied(&self, wishes: &[Wish]) -> Result<Vec<Denied>, Failure> {
        self.rights.denied(wishes).await
    }

    async fn is_taken(&self, place: Place, thing: Thing, name: &str) -> Result<bool, Failure> {
        self.names.is_taken(place, thing, name).await
    }

    async fn usage(&self, quota: Quota) -> Result<Usage, Failure> {
        match quota {
            Quota::Stacks(place) => self.stacks(place).await,
            Quota::Distributions => {
                let used = self.distributions().await?;
                Ok(Usage { used, limit: self.limit(DISTRIBUTIONS).await })
            }
            Quota::HeadersPolicies => {
                let used = self.names.headers_policies().await?.len() as u64;
                Ok(Usage { used, limit: self.limit(HEADERS_POLICIES).await })
            }
            Quota::GatewayRate => {
                let limit = limit(&self.quotas_at_home, "apigateway", GATEWAY_RATE).await;
                Ok(Usage { used: 0, limit })
            }
            Quota::Concurrency => {
                let asked =
                    Call::rest("GetAccountSettings", "GET", &["2016-08-19", "account-settings"]);
                let answer = self.lambda.ask::<AccountSettings>(asked).await;
                let limit = answer.map_err(|error| {
                    translate("reading how many functions may run at once", None, &error)
                })?;
                let limit = limit.account_limit;
                let all = limit.concurrent_executions;
                // What the account's functions have reserved is taken.
                let free = limit.unreserved_concurrent_executions;
                let used = all.zip(free).map_or(0, |(all, free)| all.saturating_sub(free));
                Ok(Usage { used, limit: all })
            }
        }
    }
}

/// What can be found out when the account did not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// By how many seconds this machine's clock is ahead of AWS's, where AWS answered at all.
    pub clock_ahead: Option<i64>,
    /// Whether another Region takes the same credentials: then it is this Region that is off.
    pub elsewhere: bool,
}

/// Tells a Region that is switched off and a wrong clock from wrong credentials.
pub async fn diagnose(settings: &Settings) -> Diagnosis {
    // Asked to find out why, not to get through.
    let hasty = RetryConfig::standard().with_max_attempts(2);
    let found =
        async || super::load(settings, &Network::of(settings.profile.as_deref()).await?).await;
    // What keeps the settings from being read was told already.
    let Ok(found) = Box::pin(found()).await else { return Diagnosis::default() };
    let home = found.to_builder().retry_config(hasty).build();
    let edge = super::at_edge(&home);
    let asks_elsewhere = home.region() != Some(&SdkRegion::new(Region::edge().to_string()));
    let clock_ahead = clock::ahead(&edge).await.ok();
    let elsewhere = asks_elsewhere
        && aws_sdk_sts::Client::new(&edge).get_caller_identity().send().await.is_ok();
    Diagnosis { clock_ahead, elsewhere }
}

/// The examiner as the port that it is.
pub(super) fn examiner(
    home: &SdkConfig,
    edge: &SdkConfig,
    caller: &str,
    ses: Arc<Ses>,
) -> Arc<dyn Preflight> {
    Arc::new(Examiner::new(home, edge, caller, ses))
}

#[cfg(test)]
mod tests;
