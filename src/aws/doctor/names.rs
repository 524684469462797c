//! Globally unique names, and whether they are taken.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_cloudfront::types::{FunctionStage, ResponseHeadersPolicyType};
use aws_wire::{CLOUDWATCHLOGS, Call, Client, IAM, KMS, LAMBDA, Refused};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::aws::error::{code, translate};
use crate::aws::iam;
use crate::aws::mail::Ses;
use crate::failure::Failure;
use crate::model::Place;
use crate::ports::Thing;

/// The clients.
pub(super) struct Names {
    logs: Client,
    logs_at_edge: Client,
    front: aws_sdk_cloudfront::Client,
    keys: Client,
    lambda: Client,
    iam: Client,
    mail: Arc<Ses>,
    // Each list is fetched once, however many names are looked up in it.
    accesses: OnceCell<Vec<String>>,
    policies: OnceCell<Vec<String>>,
}

/// "Does not exist" is an answer, too.
macro_rules! there {
    ($call:expr, $doing:expr, $absent:pat) => {
        match $call.await {
            Ok(_) => Ok(true),
            Err(error) if matches!(code(&error), Some($absent)) => Ok(false),
            Err(error) => Err(translate($doing, None, &error)),
        }
    };
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Groups {
    log_groups: Vec<Group>,
    next_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Group {
    log_group_name: String,
}

/// Whether there is a log group of exactly this name.
async fn has_group(logs: &Client, name: &str) -> Result<bool, Refused> {
    let mut asked = json!({"logGroupNamePrefix": name});
    loop {
        let page: Groups = logs.ask(Call::json("DescribeLogGroups", asked.clone())).await?;
        if page.log_groups.iter().any(|group| group.log_group_name == name) {
            return Ok(true);
        }
        match page.next_token.filter(|token| !token.is_empty()) {
            Some(token) => asked["nextToken"] = token.into(),
            None => return Ok(false),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct KeysNamed {
    aliases: Vec<Alias>,
    truncated: bool,
    next_marker: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Alias {
    alias_name: String,
}

/// Whether a key has this alias.
async fn has_alias(keys: &Client, name: &str) -> Result<bool, Refused> {
    let mut asked = json!({});
    loop {
        let page: KeysNamed = keys.ask(Call::json("ListAliases", asked.clone())).await?;
        if page.aliases.iter().any(|alias| alias.alias_name == name) {
            return Ok(true);
        }
        match page.next_marker.filter(|_| page.truncated) {
            Some(marker) => asked["Marker"] = marker.into(),
            None => return Ok(false),
        }
    }
}

impl Names {
    pub(super) fn new(home: &SdkConfig, edge: &SdkConfig, ses: Arc<Ses>) -> Self {
        Self {
            logs: Client::new(&CLOUDWATCHLOGS, home),
            logs_at_edge: Client::new(&CLOUDWATCHLOGS, edge),
            front: aws_sdk_cloudfront::Client::new(edge),
            keys: Client::new(&KMS, home),
            lambda: Client::new(&LAMBDA, home),
            iam: Client::new(&IAM, edge),
            mail: ses,
            accesses: OnceCell::new(),
            policies: OnceCell::new(),
        }
    }

    pub(super) async fn is_taken(
        &self,
        place: Place,
        thing: Thing,
        name: &str,
    ) -> Result<bool, Failure> {
        let doing = format!("looking for `{name}`");
        let logs = if place == Place::Home { &self.logs } else { &self.logs_at_edge };
        match thing {
            Thing::LogGroup => {
                let found = has_group(logs, name).await;
                found.map_err(|error| translate(&doing, None, &error))
            }
            Thing::DeliverySource => {
                let call = Call::json("GetDeliverySource", json!({"name": name}));
                there!(logs.tell(call), &doing, "ResourceNotFoundException")
            }
            Thing::DeliveryDestination => {
                let call = Call::json("GetDeliveryDestination", json!({"name": name}));
                there!(logs.tell(call), &doing, "ResourceNotFoundException")
            }
            // Through the gate that all questions to SES go through.
            Thing::ConfigurationSet => self.mail.has_set(name).await,
            Thing::KeyAlias => {
                let found = has_alias(&self.keys, name).await;
                found.map_err(|error| translate(&doing, None, &error))
            }
            Thing::EdgeFunction => {
                // A function is at this stage from its beginning.
                let call = self.front.describe_function().name(name);
                let call = call.stage(FunctionStage::Development);
                there!(call.send(), &doing, "NoSuchFunctionExists")
            }
            Thing::Alias => Ok(self.aliases().await?.iter().any(|alias| alias == name)),
            Thing::OriginAccess => Ok(self.origin_accesses().await?.iter().any(|n| n == name)),
            Thing::HeadersPolicy => Ok(self.headers_policies().await?.iter().any(|n| n == name)),
            Thing::Function => {
                let path = ["2015-03-31", "functions", name, "configuration"];
                let call = Call::rest("GetFunctionConfiguration", "GET", &path);
                there!(self.lambda.tell(call), &doing, "ResourceNotFoundException")
            }
            Thing::ManagedPolicy => {
                // A name is unique in the account whatever its path, so one policy can't be asked
                // for by its ARN. Source: "IAM identifiers", IAM User Guide.
                let asked = Call::form("ListPolicies").with("Scope", "Local");
                let policies = iam::all(&self.iam, &asked, "Policies").await;
                let policies = policies.map_err(|error| translate(&doing, None, &error))?;
                Ok(policies.iter().any(|policy| policy.text("PolicyName") == Some(name)))
            }
        }
    }

    /// The domains that the account's distributions answer for.
    async fn aliases(&self) -> Result<Vec<String>, Failure> {
        let all = self.front.list_distributions().into_paginator().items().send();
        let all = all.try_collect().await;
        let all = all.map_err(|error| translate("listing distributions", None, &error))?;
        let of = |one: &aws_sdk_cloudfront::types::DistributionSummary| {
            one.aliases().map(|aliases| aliases.items().to_vec()).unwrap_or_default()
        };
        Ok(all.iter().flat_map(of).collect())
    }

    async fn origin_accesses(&self) -> Result<&[String], Failure> {
        Ok(self.accesses.get_or_try_init(|| self.list_origin_accesses()).await?)
    }

    async fn list_origin_accesses(&self) -> Result<Vec<String>, Failure> {
        let pages = self.front.list_origin_access_controls().into_paginator().send();
        let pages = pages.try_collect().await;
        let pages = pages.map_err(|error| translate("listing origin accesses", None, &error))?;
        let lists = pages.iter().filter_map(|page| page.origin_access_control_list());
        Ok(lists
            .flat_map(aws_sdk_cloudfront::types::OriginAccessControlList::items)
            .map(|one| one.name().to_owned())
            .collect())
    }

    /// The account's own; AWS's don't count.
    pub(super) async fn headers_policies(&self) -> Result<&[String], Failure> {
        Ok(self.policies.get_or_try_init(|| self.list_headers_policies()).await?)
    }

    async fn list_headers_policies(&self) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        let mut marker = None;
        loop {
            let asked = self.front.list_response_headers_policies();
            let asked = asked.r#type(ResponseHeadersPolicyType::Custom).set_marker(marker);
            let page = asked.send().await;
            let page = page.map_err(|error| translate("listing headers policies", None, &error))?;
            let Some(list) = page.response_headers_policy_list() else { return Ok(names) };
            let name = |one: &aws_sdk_cloudfront::types::ResponseHeadersPolicySummary| {
                let config = one.response_headers_policy()?.response_headers_policy_config()?;
                Some(config.name().to_owned())
            };
            names.extend(list.items().iter().filter_map(name));
            marker = list.next_marker().filter(|next| !next.is_empty()).map(str::to_owned);
            if marker.is_none() {
                return Ok(names);
            }
        }
    }
}
