//! Evidence from a real account: times of events, simulated rights of a role, pages with headers.

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_smithy_types::byte_stream::ByteStream;
use aws_wire::{Client, IAM};

use super::error::{code, translate};
use super::iam;
use super::web::Probe;
use crate::failure::Failure;
use crate::model::Place;
use crate::ports::{Denied, Evidence, Lapse, Right, WebPage};

/// A page may be this long, in bytes; the rest is not read.
const LIMIT: usize = 256 * 1024;

/// The clients.
pub(super) struct Witness {
    home: aws_sdk_cloudformation::Client,
    edge: aws_sdk_cloudformation::Client,
    iam: Client,
    probe: Arc<Probe>,
}

impl Witness {
    pub(super) fn new(home: &SdkConfig, edge: &SdkConfig, probe: Arc<Probe>) -> Self {
        Self {
            home: aws_sdk_cloudformation::Client::new(home),
            edge: aws_sdk_cloudformation::Client::new(edge),
            iam: Client::new(&IAM, edge),
            probe,
        }
    }

    async fn simulate(&self, role: &str, right: &Right) -> Result<Vec<Denied>, Failure> {
        let example = |arn: &String| if arn == "*" { "*".into() } else { arn.replace('*', "a") };
        let resources: Vec<String> = right.resources.iter().map(example).collect();
        let answer = iam::simulate(&self.iam, role, (&right.actions, &resources), &[]).await;
        let doing = "simulating the rights of CloudFormation's role";
        let results = answer.map_err(|error| translate(doing, None, &error))?;
        let denied = results.iter().filter_map(|result| {
            let forbidden = match result.text("EvalDecision") {
                Some("allowed") => return None,
                decision => decision == Some("explicitDeny"),
            };
            let action = result.text("EvalActionName").unwrap_or_default().to_owned();
            let resource = result.text("EvalResourceName").unwrap_or("*").to_owned();
            Some(Denied { action, resource, forbidden })
        });
        Ok(denied.collect())
    }
}

#[async_trait]
impl Evidence for Witness {
    async fn history(&self, place: Place, stack: &str) -> Result<Vec<Lapse>, Failure> {
        let client = if place == Place::Home { &self.home } else { &self.edge };
        let pages = client.describe_stack_events().stack_name(stack).into_paginator().items();
        let events = match pages.send().try_collect().await {
            Ok(events) => events,
            Err(error) if code(&error) == Some("ValidationError") => Vec::new(),
            Err(error) => {
                return Err(translate("reading a stack's events", None, &error));
            }
        };
        let lapse = |event: &aws_sdk_cloudformation::types::StackEvent| Lapse {
            resource: event.logical_resource_id().unwrap_or_default().to_owned(),
            kind: event.resource_type().unwrap_or_default().to_owned(),
            status: event.resource_status().map_or("", |status| status.as_str()).to_owned(),
            reason: event.resource_status_reason().map(str::to_owned),
            at: event.timestamp().and_then(|at| u64::try_from(at.secs()).ok()).unwrap_or_default(),
        };
        Ok(events.iter().rev().map(lapse).collect())
    }

    async fn denied_to(&self, role: &str, rights: &[Right]) -> Result<Vec<Denied>, Failure> {
        let mut denied = Vec::new();
        for right in rights {
            denied.extend(self.simulate(role, right).await?);
        }
        denied.sort();
        denied.dedup();
        Ok(denied)
    }

    async fn trust(&self, role: &str) -> Result<Option<String>, Failure> {
        let name = role.rsplit('/').next().unwrap_or(role);
        match iam::role(&self.iam, name).await {
            Ok(role) => {
                let document = role.text("AssumeRolePolicyDocument");
                // Percent-encoded by RFC 3986. Source: `GetRole`, IAM API Reference.
                Ok(document.map(super::trace::decoded))
            }
            Err(error) if code(&error) == Some("NoSuchEntity") => Ok(None),
            Err(error) => Err(translate("reading a role", None, &error)),
        }
    }

    async fn page(&self, url: &str) -> Result<WebPage, String> {
        let response = self.probe.response(url).await?;
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let (status, headers) = (response.status().as_u16(), headers.collect());
        let mut bytes = Vec::new();
        let mut body = ByteStream::new(response.into_body());
        while let Some(part) = body.next().await {
            bytes.extend_from_slice(&part.map_err(|error| super::error::chain(&error))?);
            if bytes.len() > LIMIT {
                break;
            }
        }
        Ok(WebPage { status, headers, text: String::from_utf8(bytes).unwrap_or_default() })
    }
}
