//! What was added to roles, function, user pool and buckets beside the stacks' templates.

use async_trait::async_trait;
use aws_config::SdkConfig;
use serde_json::Value;

use super::error::{code, translate};
use crate::failure::Failure;
use crate::model::Place;
use crate::ports::{Extra, Inspection};

/// The alias that the API calls.
const ALIAS: &str = "live";

/// The SDK's clients.
pub(super) struct Inspector {
    iam: aws_sdk_iam::Client,
    lambda: aws_sdk_lambda::Client,
    pools: aws_sdk_cognitoidentityprovider::Client,
    home: aws_sdk_s3::Client,
    edge: aws_sdk_s3::Client,
}

impl Inspector {
    pub(super) fn new(home: &SdkConfig, edge: &SdkConfig) -> Self {
        Self {
            // IAM's API is in us-east-1. Source: "IAM endpoints", AWS General Reference.
            iam: aws_sdk_iam::Client::new(edge),
            lambda: aws_sdk_lambda::Client::new(home),
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
        let answer = self.lambda.get_alias().function_name(function).name(ALIAS).send().await;
        let alias = match answer {
            Ok(alias) => alias,
            Err(error) if code(&error) == Some("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(translate(&doing, None, &error)),
        };
        let weights = alias.routing_config().and_then(|to| to.additional_version_weights());
        let mut parts: Vec<String> = weights
            .into_iter()
            .flatten()
            .map(|(version, part)| format!("version {version} gets {:.0} %", part * 100.0))
            .collect();
        parts.sort();
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
        let asked = self.lambda.get_policy().function_name(function);
        let answer = asked.set_qualifier(qualifier.map(str::to_owned)).send().await;
        let policy = match answer {
            Ok(answer) => answer.policy().unwrap_or_default().to_owned(),
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
        let asked = self.lambda.list_function_url_configs().function_name(function);
        let found = asked.into_paginator().items().send().try_collect().await;
        let found = match found {
            Ok(found) => found,
            Err(error) if code(&error) == Some("ResourceNotFoundException") => Vec::new(),
            Err(error) => return Err(translate(&doing, None, &error)),
        };
        let one = |url: &aws_sdk_lambda::types::FunctionUrlConfig| Extra::Url {
            function: function.to_owned(),
            // arn:aws:lambda:REGION:ACCOUNT:function:NAME, and :ALIAS behind it.
            qualifier: url.function_arn().split(':').nth(7).map(str::to_owned),
            auth: url.auth_type().as_str().to_owned(),
        };
        Ok(found.iter().map(one).collect())
    }

    async fn concurrency(&self, function: &str) -> Result<Option<Extra>, Failure> {
        let doing = format!("reading how many calls `{function}` answers at once");
        let answer = self.lambda.get_function_concurrency().function_name(function).send().await;
        let limit = match answer {
            Ok(answer) => answer.reserved_concurrent_executions(),
            Err(error) if code(&error) == Some("ResourceNotFoundException") => None,
            Err(error) => return Err(translate(&doing, None, &error)),
        };
        Ok(limit.map(|limit| Extra::Concurrency { function: function.to_owned(), limit }))
    }
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
        let attached = self.iam.list_attached_role_policies().role_name(role).into_paginator();
        let attached = attached.items().send().try_collect().await;
        let attached = match attached {
            Ok(attached) => attached,
            Err(error) if code(&error) == Some("NoSuchEntity") => return Ok(Vec::new()),
            Err(error) => return Err(translate(&doing, None, &error)),
        };
        let inlined = self.iam.list_role_policies().role_name(role).into_paginator();
        let inlined = inlined.items().send().try_collect().await;
        let inlined = inlined.map_err(|error| translate(&doing, None, &error))?;
        let attached = attached.into_iter().filter_map(|policy| {
            policy.policy_arn.map(|arn| Extra::Attached { role: role.to_owned(), arn })
        });
        let inlined =
            inlined.into_iter().map(|name| Extra::Inlined { role: role.to_owned(), name });
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

/// One call for each kind. A resource that is already deleted is fine.
async fn remove(at: &Inspector, extra: &Extra) -> Result<(), Failure> {
    macro_rules! done {
        ($doing:expr, $call:expr) => {
            match $call.send().await {
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
    match extra {
        Extra::Attached { role, arn } => done!(
            format!("detaching `{arn}` from the role `{role}`"),
            at.iam.detach_role_policy().role_name(role).policy_arn(arn)
        ),
        Extra::Inlined { role, name } => done!(
            format!("removing the policy `{name}` from the role `{role}`"),
            at.iam.delete_role_policy().role_name(role).policy_name(name)
        ),
        Extra::Weights { function, .. } => done!(
            format!("taking the weights off the alias `{ALIAS}` of `{function}`"),
            // An empty map takes the weights away; a missing one keeps them.
            // Source: "Implement Lambda canary deployments", AWS Lambda Developer Guide.
            at.lambda.update_alias().function_name(function).name(ALIAS).routing_config(
                aws_sdk_lambda::types::AliasRoutingConfiguration::builder()
                    .set_additional_version_weights(Some(std::collections::HashMap::new()))
                    .build()
            )
        ),
        Extra::Permission { function, qualifier, id, .. } => done!(
            format!("removing the permission `{id}` of `{function}`"),
            at.lambda
                .remove_permission()
                .function_name(function)
                .statement_id(id)
                .set_qualifier(qualifier.clone())
        ),
        Extra::Url { function, qualifier, .. } => done!(
            format!("removing a URL of `{function}`"),
            at.lambda
                .delete_function_url_config()
                .function_name(function)
                .set_qualifier(qualifier.clone())
        ),
        Extra::Concurrency { function, .. } => done!(
            format!("removing the limit of `{function}`"),
            at.lambda.delete_function_concurrency().function_name(function)
        ),
        Extra::Client { pool, id, .. } => done!(
            format!("removing the client `{id}` of the user pool `{pool}`"),
            at.pools.delete_user_pool_client().user_pool_id(pool).client_id(id)
        ),
        Extra::Cors { place, bucket } => done!(
            format!("removing the rules for other origins of `{bucket}`"),
            at.buckets(*place).delete_bucket_cors().bucket(bucket)
        ),
    }
}
