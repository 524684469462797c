//! The registry in SSM Parameter Store of us-east-1.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{Parameter, ParameterType};

use super::error::{code, translate};
use super::watch::Watch;
use crate::failure::{Failure, Kind};
use crate::ports::{Entry, Registry};

/// A path that never exists: asking for it is a look at the clock.
const NOWHERE: &str = "/_spaceduck/clock";

/// The SDK's client for us-east-1.
pub(super) struct EdgeParameters(Client);

impl EdgeParameters {
    pub(super) fn new(edge: &SdkConfig) -> Self {
        Self(Client::new(edge))
    }
}

pub(super) fn entry(parameter: &Parameter) -> Entry {
    let changed = parameter.last_modified_date().map_or(0, aws_sdk_ssm::primitives::DateTime::secs);
    Entry {
        text: parameter.value().unwrap_or_default().to_owned(),
        changed_at: u64::try_from(changed).unwrap_or_default(),
    }
}

#[async_trait]
impl Registry for EdgeParameters {
    async fn get(&self, path: &str) -> Result<Option<Entry>, Failure> {
        match self.0.get_parameter().name(path).send().await {
            Ok(answer) => Ok(answer.parameter().map(entry)),
            Err(error) if code(&error) == Some("ParameterNotFound") => Ok(None),
            Err(error) => Err(translate(&format!("reading `{path}` in us-east-1"), None, &error)),
        }
    }

    async fn create(&self, path: &str, text: &str) -> Result<bool, Failure> {
        let asked = self.0.put_parameter().name(path).value(text).r#type(ParameterType::String);
        match asked.overwrite(false).send().await {
            Ok(_) => Ok(true),
            // The same text is ours: the response to an earlier attempt was lost.
            Err(error) if code(&error) == Some("ParameterAlreadyExists") => {
                Ok(self.get(path).await?.is_some_and(|entry| entry.text == text))
            }
            Err(error) => Err(translate(&format!("creating `{path}` in us-east-1"), None, &error)),
        }
    }

    async fn put(&self, path: &str, text: &str) -> Result<(), Failure> {
        let asked = self.0.put_parameter().name(path).value(text).r#type(ParameterType::String);
        let answer = asked.overwrite(true).send().await;
        answer
            .map(|_| ())
            .map_err(|error| translate(&format!("writing `{path}` in us-east-1"), None, &error))
    }

    async fn remove(&self, path: &str) -> Result<(), Failure> {
        match self.0.delete_parameter().name(path).send().await {
            Ok(_) => Ok(()),
            Err(error) if code(&error) == Some("ParameterNotFound") => Ok(()),
            Err(error) => Err(translate(&format!("deleting `{path}` in us-east-1"), None, &error)),
        }
    }

    async fn list(&self, below: &str) -> Result<BTreeMap<String, Entry>, Failure> {
        let doing = format!("listing `{below}` in us-east-1");
        let mut found = BTreeMap::new();
        let mut pages =
            self.0.get_parameters_by_path().path(below).recursive(true).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| translate(&doing, None, &error))?;
            let named = |one: &Parameter| (one.name().unwrap_or_default().to_owned(), entry(one));
            found.extend(page.parameters().iter().map(named));
        }
        Ok(found)
    }

    async fn now(&self) -> Result<u64, Failure> {
        let watch = Watch::default();
        let asked = self.0.get_parameter().name(NOWHERE).customize().interceptor(watch.clone());
        let answer = asked.send().await;
        let times = watch.times().and_then(|(theirs, _)| u64::try_from(theirs).ok());
        times.ok_or_else(|| match answer {
            Err(error) if code(&error) != Some("ParameterNotFound") => {
                translate("reading AWS's clock", None, &error)
            }
            _ => Failure::new(Kind::Settled, "AWS's response has no Date header")
                .help("check AWS_ENDPOINT_URL and any proxy in between"),
        })
    }
}
