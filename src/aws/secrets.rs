//! Secrets and notes in SSM Parameter Store; secrets are encrypted with the account's own key.

use async_trait::async_trait;
use aws_config::SdkConfig;

use super::error::translate;
use super::parameters::{New, Parameter, Parameters};
use crate::failure::Failure;
use crate::model::Secret;
use crate::ports::{Entry, Notes, Secrets};

/// Parameter Store of the home Region.
pub(super) struct ParameterStore(Parameters);

impl ParameterStore {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(Parameters::new(config))
    }
}

#[async_trait]
impl Secrets for ParameterStore {
    async fn read(&self, path: &str) -> Result<Option<Secret>, Failure> {
        match self.0.get(path, true).await {
            Ok(found) => Ok(found.and_then(|parameter| parameter.value).map(Secret::new)),
            Err(error) => Err(translate(&format!("reading the secret `{path}`"), None, &error)),
        }
    }

    async fn write(&self, path: &str, secret: &Secret) -> Result<(), Failure> {
        let new = New { path, text: secret.expose(), secret: true, over: true, tags: None };
        let answer = self.0.put(new).await;
        answer
            .map(|_| ())
            .map_err(|error| translate(&format!("storing the secret `{path}`"), None, &error))
    }

    async fn remove(&self, path: &str) -> Result<(), Failure> {
        let answer = self.0.delete(path).await;
        answer.map_err(|error| translate(&format!("removing the secret `{path}`"), None, &error))
    }
}

impl ParameterStore {
    async fn note(&self, path: &str, text: &str, over: bool) -> Result<bool, Failure> {
        match self.0.put(New { path, text, secret: false, over, tags: None }).await {
            Ok(true) => Ok(true),
            // If it says just that, it is ours, and the answer to the first attempt was lost.
            Ok(false) => Ok(Notes::get(self, path).await?.as_deref() == Some(text)),
            Err(error) => Err(translate(&format!("writing `{path}`"), None, &error)),
        }
    }
}

#[async_trait]
impl Notes for ParameterStore {
    async fn get(&self, path: &str) -> Result<Option<String>, Failure> {
        let secret = Secrets::read(self, path).await?;
        Ok(secret.map(|text| text.expose().to_owned()))
    }

    async fn put_new(&self, path: &str, text: &str) -> Result<bool, Failure> {
        self.note(path, text, false).await
    }

    async fn put(&self, path: &str, text: &str) -> Result<(), Failure> {
        self.note(path, text, true).await.map(|_| ())
    }

    async fn remove(&self, path: &str) -> Result<(), Failure> {
        Secrets::remove(self, path).await
    }

    async fn entry(&self, path: &str) -> Result<Option<Entry>, Failure> {
        match self.0.get(path, false).await {
            Ok(found) => Ok(found.map(Parameter::entry)),
            Err(error) => Err(translate(&format!("reading `{path}`"), None, &error)),
        }
    }
}
