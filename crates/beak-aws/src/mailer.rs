//! Our own mails by SES. Codes are not among them: Cognito sends those itself.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use beak_core::mail::Mail;
use beak_core::ports::Mailer;
use beak_core::{BeakError, Result};

use crate::failure::failed;
use crate::settings::Settings;

pub(crate) struct Ses {
    client: Client,
    from: Option<String>,
    config_set: Option<String>,
}

impl Ses {
    pub(crate) fn new(config: &SdkConfig, settings: &Settings) -> Self {
        let (from, config_set) = (settings.from.clone(), settings.config_set.clone());
        Self { client: Client::new(config), from, config_set }
    }
}

fn content(text: &str) -> Result<Content> {
    Content::builder()
        .data(text)
        .charset("UTF-8")
        .build()
        .map_err(|error| BeakError::Internal(error.to_string()))
}

#[async_trait]
impl Mailer for Ses {
    async fn send(&self, mail: &Mail) -> Result<()> {
        let Some(from) = &self.from else {
            // A galaxy without a sender lives on Cognito's mails; nothing of ours is essential.
            tracing::warn!("a mail was not sent: no sender is set up");
            return Ok(());
        };
        let body = Body::builder().text(content(&mail.text)?).html(content(&mail.html)?).build();
        let message = Message::builder().subject(content(&mail.subject)?).body(body).build();
        self.client
            .send_email()
            .from_email_address(from)
            .destination(Destination::builder().to_addresses(mail.to.as_str()).build())
            .content(EmailContent::builder().simple(message).build())
            .set_configuration_set_name(self.config_set.clone())
            .send()
            .await
            .map(|_| ())
            .map_err(|error| failed("sending a mail", &error))
    }
}
