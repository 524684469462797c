//! Our own mails by SES. Codes are not among them: Cognito sends those itself.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader};
use beak_core::mail::Mail;
use beak_core::ports::{MailState, Mailer};
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

/// SES counts mails in floating point.
fn whole(count: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let whole = count as u64;
    whole
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
        let mut message = Message::builder().subject(content(&mail.subject)?).body(body);
        for (name, value) in mail.headers() {
            let header = MessageHeader::builder().name(name).value(value).build();
            message = message.headers(header.map_err(|e| BeakError::Internal(e.to_string()))?);
        }
        let message = message.build();
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

    async fn state(&self) -> Result<MailState> {
        let account = self.client.get_account().send().await;
        let account = account.map_err(|error| failed("asking how the mail stands", &error))?;
        let quota = account.send_quota();
        Ok(MailState {
            sender: self.from.is_some(),
            sandbox: !account.production_access_enabled(),
            quota: quota.map(|quota| whole(quota.max24_hour_send())),
            sent: quota.map_or(0, |quota| whole(quota.sent_last24_hours())),
        })
    }
}
