//! The registry in SSM Parameter Store of us-east-1.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_config::SdkConfig;

use super::error::translate;
use super::parameters::{New, Parameter, Parameters};
use super::watch::Watch;
use crate::failure::{Failure, Kind};
use crate::ports::{Entry, Registry};

/// A path that never exists: asking for it is a look at the clock.
const NOWHERE: &str = "/_spaceduck/clock";

/// Parameter Store of us-east-1.
pub(super) struct EdgeParameters(Parameters);

impl EdgeParameters {
    pub(super) fn new(edge: &SdkConfig) -> Self {
        Self(Parameters::new(edge))
    }
}

/// A text that is not encrypted.
fn plain<'a>(path: &'a str, text: &'a str, over: bool) -> New<'a> {
    New { path, text, secret: false, over, tags: None }
}

#[async_trait]
impl Registry for EdgeParameters {
    async fn get(&self, path: &str) -> Result<Option<Entry>, Failure> {
        match self.0.get(path, false).await {
            Ok(found) => Ok(found.map(Parameter::entry)),
            Err(error) => Err(translate(&format!("reading `{path}` in us-east-1"), None, &error)),
        }
    }

    async fn create(&self, path: &str, text: &str) -> Result<bool, Failure> {
        match self.0.put(plain(path, text, false)).await {
            Ok(true) => Ok(true),
            // The same text is ours: the response to an earlier attempt was lost.
            Ok(false) => Ok(self.get(path).await?.is_some_and(|entry| entry.text == text)),
            Err(error) => Err(translate(&format!("creating `{path}` in us-east-1"), None, &error)),
        }
    }

    async fn put(&self, path: &str, text: &str) -> Result<(), Failure> {
        let answer = self.0.put(plain(path, text, true)).await;
        answer
            .map(|_| ())
            .map_err(|error| translate(&format!("writing `{path}` in us-east-1"), None, &error))
    }

    async fn remove(&self, path: &str) -> Result<(), Failure> {
        let answer = self.0.delete(path).await;
        answer.map_err(|error| translate(&format!("deleting `{path}` in us-east-1"), None, &error))
    }

    async fn list(&self, below: &str) -> Result<BTreeMap<String, Entry>, Failure> {
        let found =
            self.0.below(below).await.map_err(|error| {
                translate(&format!("listing `{below}` in us-east-1"), None, &error)
            })?;
        Ok(found.into_iter().map(|one| (one.name.clone(), one.entry())).collect())
    }

    async fn now(&self) -> Result<u64, Failure> {
        let watch = Watch::default();
        let answer = self.0.watched(watch.clone()).get(NOWHERE, false).await;
        let times = watch.times().and_then(|(theirs, _)| u64::try_from(theirs).ok());
        times.ok_or_else(|| match answer {
            Err(error) => translate("reading AWS's clock", None, &error),
            Ok(_) => Failure::new(Kind::Settled, "AWS's response has no Date header")
                .help("check AWS_ENDPOINT_URL and any proxy in between"),
        })
    }
}
