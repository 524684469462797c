//! The secret of the app client: it proves our calls to Cognito, and the sealing keys come from it.
//!
//! It is read from a parameter of the stack. Galaxies whose stack does not store it yet ask
//! Cognito, which lets ten such calls a second through in the whole account.

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::Client;
use beak_core::ports::{Sealing, SealingUse};
use beak_core::sealed::HomeSecret;
use beak_core::{BeakError, Result};
use tokio::sync::OnceCell;

use crate::failure::failed;
use crate::parameters::Parameters;
use crate::patience;
use crate::settings::Settings;

/// The parameter's name below the galaxy's folder.
const PARAMETER: &str = "api-client-secret";

pub(crate) struct ClientSecret {
    parameters: Arc<dyn Parameters>,
    client: Client,
    parameter: String,
    user_pool: String,
    app: String,
    kept: OnceCell<HomeSecret>,
}

impl ClientSecret {
    pub(crate) fn new(
        parameters: Arc<dyn Parameters>,
        config: &SdkConfig,
        settings: &Settings,
    ) -> Self {
        Self {
            parameters,
            client: Client::from_conf(patience::cognito(config)),
            parameter: format!("/{}/{PARAMETER}", settings.prefix),
            user_pool: settings.user_pool.clone(),
            app: settings.client.clone(),
            kept: OnceCell::new(),
        }
    }

    /// The secret, which is looked up once.
    pub(crate) async fn get(&self) -> Result<&HomeSecret> {
        self.kept.get_or_try_init(|| self.fetch()).await
    }

    async fn fetch(&self) -> Result<HomeSecret> {
        let stored = self.parameters.parameter(&self.parameter).await?;
        let secret = match stored.filter(|secret| is_one(secret)) {
            Some(secret) => secret,
            None => self.described().await?,
        };
        Ok(HomeSecret::new(secret.into_bytes()))
    }

    async fn described(&self) -> Result<String> {
        let asked = self.client.describe_user_pool_client();
        let answer = asked.user_pool_id(&self.user_pool).client_id(&self.app).send().await;
        let answer = answer.map_err(|error| failed("reading the app client", &error))?;
        let secret = answer.user_pool_client().and_then(|client| client.client_secret());
        let none = || BeakError::Internal("the app client has no secret".into());
        secret.map(str::to_owned).ok_or_else(none)
    }
}

/// Whether a text has the form of a client's secret, `[\w+]+`. CloudFormation once answered a
/// template's question for it with a sentence instead, which would refuse every sign-in.
fn is_one(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '+';
    !text.is_empty() && text.chars().all(fits)
}

#[async_trait]
impl Sealing for ClientSecret {
    async fn secret(&self, _: SealingUse) -> Result<HomeSecret> {
        self.get().await.cloned()
    }
}
