//! Our own mails by SES. Codes are not among them: Cognito sends those itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader};
use beak_core::mail::Mail;
use beak_core::ports::{MailState, Mailer};
use beak_core::{BeakError, Result};
use tokio::sync::Mutex;

use crate::asked::Asked;
use crate::failure::{code, failed};
use crate::settings::Settings;

pub(crate) struct Ses {
    client: Client,
    from: Option<String>,
    config_set: Option<String>,
    /// How many mails of ours have left, whatever became of them.
    mails: AtomicU64,
    asked: Mutex<Asked<Result<MailState>>>,
}

impl Ses {
    pub(crate) fn new(config: &SdkConfig, settings: &Settings) -> Self {
        let (from, config_set) = (settings.from.clone(), settings.config_set.clone());
        let (mails, asked) = (AtomicU64::new(0), Mutex::default());
        Self { client: Client::new(config), from, config_set, mails, asked }
    }

    /// Asks SES; `state` sees to it that this is not too often.
    async fn look(&self) -> Result<MailState> {
        // The SDK's own retries would be too soon.
        let once = aws_sdk_sesv2::config::Config::builder().retry_config(RetryConfig::disabled());
        let asked = self.client.get_account().customize().config_override(once).send().await;
        let account = asked.map_err(|error| failed("reading the mail status", &error))?;
        let quota = account.send_quota();
        Ok(MailState {
            sender: self.from.is_some(),
            sandbox: !account.production_access_enabled(),
            quota: quota.map(|quota| whole(quota.max24_hour_send())),
            sent: quota.map_or(0, |quota| whole(quota.sent_last24_hours())),
        })
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
        let sent = self
            .client
            .send_email()
            .from_email_address(from)
            .destination(Destination::builder().to_addresses(mail.to.as_str()).build())
            .content(EmailContent::builder().simple(message).build())
            .set_configuration_set_name(self.config_set.clone())
            .send()
            .await;
        self.mails.fetch_add(1, Ordering::Relaxed);
        match sent {
            Ok(_) => Ok(()),
            // In the sandbox SES returns this for each address that is not verified, and otherwise
            // for those it won't deliver to: the caller must not learn which.
            Err(error) if code(&error) == Some("MessageRejected") => {
                tracing::warn!("a mail was not sent: SES rejected it");
                Ok(())
            }
            Err(error) => Err(failed("sending a mail", &error)),
        }
    }

    async fn state(&self) -> Result<MailState> {
        let mut asked = self.asked.lock().await;
        let mails = self.mails.load(Ordering::Relaxed);
        if let Some(state) = asked.kept(Instant::now(), mails) {
            return state;
        }
        #[expect(clippy::disallowed_methods, reason = "SES allows one call a second")]
        tokio::time::sleep_until(asked.next(Instant::now()).into()).await;
        asked.begin(Instant::now());
        let state = self.look().await;
        asked.keep(Instant::now(), mails, state.clone());
        state
    }
}
