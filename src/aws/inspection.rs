//! What was added to roles, function, user pool and buckets beside the stacks' templates.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_wire::{Call, Client, IAM, LAMBDA};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{code, translate};
use super::iam;
use crate::failure::Failure;
use crate::model::Place;
use crate::ports::{Extra, Inspection};

/// The alias that the API calls.
const ALIAS: &str = "live";

/// How addresses of functions begin, and those of a newer part of the API.
const FUNCTIONS: [&str; 2] = ["2015-03-31", "functions"];
const URLS: [&str; 2] = ["2021-10-31", "functions"];

/// The clients.
pub(super) struct Inspector {
    iam: Client,
    lambda: Client,
    pools: aws_sdk_cognitoidentityprovider::Client,
    home: aws_sdk_s3::Client,
    edge: aws_sdk_s3::Client,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Alias {
    routing_config: Routing,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Routing {
    additional_version_weights: BTreeMap<String, f64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Policy {
    policy: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Urls {
    function_url_configs: Vec<Url>,
    next_marker: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Url {
    function_arn: String,
    auth_type: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Concurrency {
    reserved_concurrent_executions: Option<i32>,
}

impl Inspector {
    pub(super) fn new(home: &SdkConfig, edge: &SdkConfig) -> Self {
        Self {
            // IAM's API is in us-east-1. Source: "IAM endpoints", AWS General Reference.
            iam: Client::new(&IAM, edge),
            lambda: Client::new(&LAMBDA, home),
            pools: aws_sdk_cognitoidentityprovider::Client::new(home),
            home: aws_sdk_s3::Client::new(home),
            edge: aws_sdk_s3::Client::new(edge),
        }
    }

    fn buckets(&self, place: Place) -> &aws_sdk_s3::Client {
        match place {
            Place::Home => &self.home,
            Place::Edge => &self.edge,
        }
    }

    /// The version weights of the alias.
    async fn weights(&self, function: &str) -> Result<Option<Extra>, Failure> {
        let doing = format!("reading the alias `{ALIAS}` of `{function}`");
        let asked = Call::rest("GetAlias", "GET", &at(function, &["aliases", ALIAS]));
        let alias: Alias = match self.lambda.ask(asked).await {
            Ok(alias) => alias,
            Err(error) if code(&error) == Some("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(translate(&doing, None, &error)),
        };
        let weights = alias.routing_config.additional_version_weights;
        let parts: Vec<String> = weights
            .iter()
            .map(|(version, part)| format!("version {version} gets {:.0} %", part * 100.0))
            .collect();
        let function = function.to_owned();
        Ok((!parts.is_empty()).then(|| Extra::Weights { function, to: parts.join(", ") }))
    }

    /// The statements of the function's, or its alias's, resource policy.
    async fn permissions(
        &self,
        function: &str,
        qualifier: Option<&str>,
    ) -> Result<Vec<Extra>, Failure> {
        let doing = format!("reading who may call `{function}`");
        let asked = Call::rest("GetPolicy", "GET", &at(function, &["policy"]));
        let asked = asked.maybe("Qualifier", qualifier);
        let policy = match self.lambda.ask::<Policy>(asked).await {
            Ok(answer) => answer.policy,
            Err(error) if code(&error) == Some("ResourceNotFoundException") => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(translate(&doing, None, &error)),
        };
        let policy: Value = serde_json::from_str(&policy).unwrap_or_default();
        let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
        let one = |statement: &Value| Extra::Permission {
            function: function.to_owned(),
            qualifier: qualifier.map(str::to_owned),
            id: statement["Sid"].as_str().unwrap_or_default().to_owned(),
            who: principal(&statement["Principal"]),
        };
        Ok(statements.iter().map(one).collect())
    }

    async fn urls(&self, function: &str) -> Result<Vec<Extra>, Failure> {
        let doing = format!("listing the URLs of `{function}`");
        let (mut found, mut marker) = (Vec::new(), None);
        loop {
            let path = [URLS[0], URLS[1], function, "urls"];
            let asked = Call::rest("ListFunctionUrlConfigs", "GET", &path);
            let page: Urls = match self.lambda.ask(asked.maybe("Marker", marker.as_deref())).await {
                Ok(page) => page,
                Err(error) if code(&error) == Some("ResourceNotFoundException") => break,
                Err(error) => return Err(translate(&doing, None, &error)),
            };
            found.extend(page.function_url_configs);
            marker = page.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                break;
            }
        }
        let one = |url: Url| Extra::Url {
            function: function.to_owned(),
            // arn:aws:lambda:REGION:ACCOUNT:function:NAME, and :ALIAS behind it.
            qualifier: url.function_arn.split(':').nth(7).map(str::to_owned),
            auth: url.auth_type,
        };
        Ok(found.into_iter().map(one).collect())
    }

    async fn concurrency(&self, function: &str) -> Result<Option<Extra>, Failure> {
        let doing = format!("reading how many calls `{function}` answers at once");
        let path = ["2019-09-30", "functions", function, "concurrency"];
        let asked = Call::rest("GetFunctionConcurrency", "GET", &path);
        let limit = match self.lambda.ask::<Concurrency>(asked).await {
            Ok(answer) => answer.reserved_concurrent_executions,
            Err(error) if code(&error) == Some("ResourceNotFoundException") => None,
            Err(error) => return Err(translate(&doing, None, &error)),
        };
        Ok(limit.map(|limit| Extra::Concurrency { function: function.to_owned(), limit }))
    }
}

/// The address of something that a function has.
fn at<'a>(function: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    [&[FUNCTIONS[0], FUNCTIONS[1], function], rest].concat()
}

/// Who may call, in short.
fn principal(principal: &Value) -> String {
    let of = |key: &str| principal.get(key).and_then(Value::as_str).map(str::to_owned);
    principal
        .as_str()
        .map(str::to_owned)
        .or_else(|| of("Service"))
        .or_else(|| of("AWS"))
        .unwrap_or_else(|| principal.to_string())
}

#[async_trait]
impl Inspection for Inspector {
    async fn role(&self, role: &str) -> Result<Vec<Extra>, Failure> {
        let doing = format!("listing the policies of the role `{role}`");
        let asked = Call::form("ListAttachedRolePolicies").with("RoleName", role);
        let attached = match iam::all(&self.iam, &asked, "AttachedPolicies").await {
            Ok(attached) => attached,
            Err(error) if code(&error) == Some("NoSuchEntity") => return Ok(Vec::new()),
            Err(error) => return Err(translate(&doing, None, &error)),
        };
        let asked = Call::form("ListRolePolicies").with("RoleName", role);
        let inlined = iam::all(&self.iam, &asked, "PolicyNames").await;
        let inlined = inlined.map_err(|error| translate(&doing, None, &error))?;
        let attached = attached.iter().filter_map(|policy| {
            let arn = policy.text("PolicyArn")?.to_owned();
            Some(Extra::Attached { role: role.to_owned(), arn })
        });
        let inlined = inlined
            .iter()
            .map(|name| Extra::Inlined { role: role.to_owned(), name: name.own().to_owned() });
        Ok(attached.chain(inlined).collect())
    }

    async fn function(&self, function: &str) -> Result<Vec<Extra>, Failure> {
        let mut found = Vec::new();
        found.extend(self.weights(function).await?);
        for qualifier in [None, Some(ALIAS)] {
            found.extend(self.permissions(function, qualifier).await?);
        }
        found.extend(self.urls(function).await?);
        found.extend(self.concurrency(function).await?);
        Ok(found)
    }

    async fn clients(&self, pool: &str) -> Result<Vec<Extra>, Failure> {
        let doing = format!("listing the clients of the user pool `{pool}`");
        let asked = self.pools.list_user_pool_clients().user_pool_id(pool);
        let found = asked.into_paginator().items().send().try_collect().await;
        let found = match found {
            Ok(found) => found,
            Err(error) if code(&error) == Some("ResourceNotFoundException") => Vec::new(),
            Err(error) => return Err(translate(&doing, None, &error)),
        };
        let one = |client: &aws_sdk_cognitoidentityprovider::types::UserPoolClientDescription| {
            Extra::Client {
                pool: pool.to_owned(),
                id: client.client_id().unwrap_or_default().to_owned(),
                name: client.client_name().unwrap_or_default().to_owned(),
            }
        };
        Ok(found.iter().map(one).collect())
    }

    async fn cors(&self, place: Place, bucket: &str) -> Result<Option<Extra>, Failure> {
        let doing = format!("reading which origins may read the bucket `{bucket}`");
        match self.buckets(place).get_bucket_cors().bucket(bucket).send().await {
            Ok(found) if found.cors_rules().is_empty() => Ok(None),
            Ok(_) => Ok(Some(Extra::Cors { place, bucket: bucket.to_owned() })),
            Err(error)
                if matches!(code(&error), Some("NoSuchCORSConfiguration" | "NoSuchBucket")) =>
            {
                Ok(None)
            }
            Err(error) => Err(translate(&doing, None, &error)),
        }
    }

    async fn remove(&self, extra: &Extra) -> Result<(), Failure> {
        remove(self, extra).await
    }
}

/// What takes something off a function, and the call for it.
fn off_the_function(extra: &Extra) -> Option<(String, Call)> {
    Some(match extra {
        Extra::Weights { function, .. } => (
            format!("taking the weights off the alias `{ALIAS}` of `{function}`"),
            // An empty map takes the weights away; a missing one keeps them.
            // Source: "Implement Lambda canary deployments", AWS Lambda Developer Guide.
            Call::rest("UpdateAlias", "PUT", &at(function, &["aliases", ALIAS]))
                .body(json!({"RoutingConfig": {"AdditionalVersionWeights": {}}})),
        ),
        Extra::Permission { function, qualifier, id, .. } => (
            format!("removing the permission `{id}` of `{function}`"),
            Call::rest("RemovePermission", "DELETE", &at(function, &["policy", id]))
                .maybe("Qualifier", qualifier.as_deref()),
        ),
        Extra::Url { function, qualifier, .. } => (
            format!("removing a URL of `{function}`"),
            Call::rest("DeleteFunctionUrlConfig", "DELETE", &[URLS[0], URLS[1], function, "url"])
                .maybe("Qualifier", qualifier.as_deref()),
        ),
        Extra::Concurrency { function, .. } => (
            format!("removing the limit of `{function}`"),
            Call::rest(
                "DeleteFunctionConcurrency",
                "DELETE",
                &["2017-10-31", "functions", function, "concurrency"],
            ),
        ),
        _ => return None,
    })
}

/// One call for each kind. A resource that is already deleted is fine.
async fn remove(at: &Inspector, extra: &Extra) -> Result<(), Failure> {
    macro_rules! done {
        ($doing:expr, $call:expr) => {
            match $call.await {
                Ok(_) => Ok(()),
                Err(error)
                    if matches!(
                        code(&error),
                        Some("ResourceNotFoundException" | "NoSuchEntity" | "NoSuchBucket")
                    ) =>
                {
                    Ok(())
                }
                Err(error) => Err(translate(&$doing, None, &error)),
            }
        };
    }
    if let Some((doing, call)) = off_the_function(extra) {
        return done!(doing, at.lambda.tell(call));
    }
    match extra {
        Extra::Attached { role, arn } => done!(
            format!("detaching `{arn}` from the role `{role}`"),
            at.iam
                .tell(Call::form("DetachRolePolicy").with("RoleName", role).with("PolicyArn", arn))
        ),
        Extra::Inlined { role, name } => done!(
            format!("removing the policy `{name}` from the role `{role}`"),
            at.iam.tell(
                Call::form("DeleteRolePolicy").with("RoleName", role).with("PolicyName", name)
            )
        ),
        // See above.
        Extra::Weights { .. }
        | Extra::Permission { .. }
        | Extra::Url { .. }
        | Extra::Concurrency { .. } => Ok(()),
        Extra::Client { pool, id, .. } => done!(
            format!("removing the client `{id}` of the user pool `{pool}`"),
            at.pools.delete_user_pool_client().user_pool_id(pool).client_id(id).send()
        ),
        Extra::Cors { place, bucket } => done!(
            format!("removing the rules for other origins of `{bucket}`"),
            at.buckets(*place).delete_bucket_cors().bucket(bucket).send()
        ),
    }
}

#[cfg(test)]
mod tests;
