//! Secrets and notes in SSM Parameter Store; secrets are encrypted with the account's own key.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::ParameterType;

use super::error::{code, translate};
use super::registry::entry;
use crate::failure::Failure;
use crate::model::Secret;
use crate::ports::{Entry, Notes, Secrets};

/// The SDK's client.
pub(super) struct ParameterStore(Client);

impl ParameterStore {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(config))
    }
}

#[async_trait]
impl Secrets for ParameterStore {
    async fn read(&self, path: &str) -> Result<Option<Secret>, Failure> {
        match self.0.get_parameter().name(path).with_decryption(true).send().await {
            Ok(answer) => {
                let value = answer.parameter().and_then(|parameter| parameter.value());
                Ok(value.map(|value| Secret::new(value.to_owned())))
            }
            Err(error) if code(&error) == Some("ParameterNotFound") => Ok(None),
            Err(error) => Err(translate(&format!("reading the secret `{path}`"), None, &error)),
        }
    }

    async fn write(&self, path: &str, secret: &Secret) -> Result<(), Failure> {
        self.0
            .put_parameter()
            .name(path)
            .value(secret.expose())
            .r#type(ParameterType::SecureString)
            .overwrite(true)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| translate(&format!("storing the secret `{path}`"), None, &error))
    }

    async fn remove(&self, path: &str) -> Result<(), Failure> {
        match self.0.delete_parameter().name(path).send().await {
            Ok(_) => Ok(()),
            Err(error) if code(&error) == Some("ParameterNotFound") => Ok(()),
            Err(error) => Err(translate(&format!("removing the secret `{path}`"), None, &error)),
        }
    }
}

impl ParameterStore {
    async fn note(&self, path: &str, text: &str, over: bool) -> Result<bool, Failure> {
        let answer = self
            .0
            .put_parameter()
            .name(path)
            .value(text)
            .r#type(ParameterType::String)
            .overwrite(over)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            // If it says just that, it is ours, and the answer to the first attempt was lost.
            Err(error) if !over && code(&error) == Some("ParameterAlreadyExists") => {
                Ok(Notes::get(self, path).await?.as_deref() == Some(text))
            }
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
        match self.0.get_parameter().name(path).send().await {
            Ok(answer) => Ok(answer.parameter().map(entry)),
            Err(error) if code(&error) == Some("ParameterNotFound") => Ok(None),
            Err(error) => Err(translate(&format!("reading `{path}`"), None, &error)),
        }
    }
}
