//! SES: what it says of the account and the mail domain, the application, the simulator.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::types::{
    Body, ContactLanguage, Content, Destination, EmailContent, MailType, Message,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_wire::{Client as Wire, IAM};
use galaxy_mail::facts::{Account, Identity, SetFound, TestMail};
use galaxy_mail::name::Domain;
use galaxy_mail::request::Letter;
use tokio::sync::Mutex;

use super::error::{code, translate};
use crate::failure::Failure;
use crate::ports::{Applied, Clock, Invited, Mail, Play};

mod read;
mod sender_role;
#[cfg(test)]
mod tests;

/// SES lets an account make one control call a second. Source: "Service quotas in Amazon SES",
/// Amazon SES Developer Guide.
const BETWEEN: Duration = Duration::from_secs(1);
/// How often a call is made that SES asks to make later.
const TRIES: usize = 6;

/// Lets one call through in a second.
struct Gate {
    clock: Arc<dyn Clock>,
    last: Mutex<Option<Duration>>,
}

impl Gate {
    /// Waits until a call may be made, and keeps other callers waiting meanwhile.
    async fn pass(&self) {
        let mut last = self.last.lock().await;
        if let Some(last) = *last {
            let since = self.clock.elapsed().saturating_sub(last);
            if since < BETWEEN {
                self.clock.sleep(BETWEEN.saturating_sub(since)).await;
            }
        }
        *last = Some(self.clock.elapsed());
    }
}

/// The SDK's client behind the gate. One for the whole process.
pub(super) struct Ses {
    client: Client,
    tables: aws_sdk_dynamodb::Client,
    iam: Wire,
    gate: Gate,
}

impl Ses {
    pub(super) fn new(config: &SdkConfig, clock: Arc<dyn Clock>) -> Self {
        // The SDK's own retries would not pass the gate.
        let settings = aws_sdk_sesv2::config::Builder::from(config);
        let settings = settings.retry_config(RetryConfig::disabled()).build();
        let gate = Gate { clock, last: Mutex::default() };
        let tables = aws_sdk_dynamodb::Client::new(config);
        let iam = Wire::new(&IAM, config);
        Self { client: Client::from_conf(settings), tables, iam, gate }
    }

    /// Makes a call as soon as it may be made, and again where SES asks for patience.
    async fn call<T, E, F>(&self, make: impl Fn() -> F + Send) -> Result<T, SdkError<E>>
    where
        F: Future<Output = Result<T, SdkError<E>>> + Send,
        E: ProvideErrorMetadata,
    {
        let mut tried = 1;
        loop {
            self.gate.pass().await;
            match make().await {
                Err(error) if tried < TRIES && is_passing(&error) => tried += 1,
                other => return other,
            }
        }
    }

    /// Whether there is a configuration set of this name.
    pub(super) async fn has_set(&self, name: &str) -> Result<bool, Failure> {
        let ask = || self.client.get_configuration_set().configuration_set_name(name).send();
        match self.call(ask).await {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(translate(&format!("looking for `{name}`"), None, &error)),
        }
    }
}

/// Whether the same call may work a moment later. One that may have been done is not repeated.
fn is_passing<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    matches!(code(error), Some("TooManyRequestsException" | "Throttling" | "ThrottlingException"))
}

fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    code(error) == Some("NotFoundException")
}

#[async_trait]
impl Mail for Ses {
    async fn account(&self) -> Result<Account, Failure> {
        let answer = self.call(|| self.client.get_account().send()).await;
        let answer = answer.map_err(|error| translate("asking SES about us", None, &error))?;
        Ok(read::account(&answer))
    }

    async fn identity(&self, domain: &Domain) -> Result<Option<Identity>, Failure> {
        let ask = || self.client.get_email_identity().email_identity(domain.as_str()).send();
        match self.call(ask).await {
            Ok(answer) => Ok(Some(read::identity(domain, &answer))),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(translate(&format!("asking SES about {domain}"), None, &error)),
        }
    }

    async fn clear_default_set(&self, domain: &Domain) -> Result<(), Failure> {
        // Without a name the operation takes the default away. Source: the operation's page in the
        // Amazon SES API v2 Reference.
        let ask = || {
            let ask = self.client.put_email_identity_configuration_set_attributes();
            ask.email_identity(domain.as_str()).send()
        };
        match self.call(ask).await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => {
                let doing = format!("clearing the default configuration set of {domain}");
                Err(translate(&doing, None, &error))
            }
        }
    }

    async fn remove_identity(&self, domain: &Domain) -> Result<(), Failure> {
        let ask = || self.client.delete_email_identity().email_identity(domain.as_str()).send();
        match self.call(ask).await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(translate(&format!("removing {domain} from SES"), None, &error)),
        }
    }

    async fn create_sender_role(&self) -> Result<(), Failure> {
        sender_role::create(&self.iam).await
    }

    async fn set(&self, name: &str) -> Result<Option<SetFound>, Failure> {
        let failed = |error| translate(&format!("looking at the set `{name}`"), None, &error);
        let ask = || self.client.get_configuration_set().configuration_set_name(name).send();
        let tls = match self.call(ask).await {
            Ok(answer) => read::tls(&answer),
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let ask = || {
            let ask = self.client.get_configuration_set_event_destinations();
            ask.configuration_set_name(name).send()
        };
        let answer = self.call(ask).await;
        let answer = answer.map_err(|error| {
            translate(&format!("looking at the events of the set `{name}`"), None, &error)
        })?;
        Ok(Some(SetFound { tls, events: read::events(&answer) }))
    }

    async fn apply(&self, letter: &Letter) -> Result<Applied, Failure> {
        let ask = || {
            let mut ask = self
                .client
                .put_account_details()
                .mail_type(MailType::Transactional)
                .website_url(&letter.website)
                .contact_language(ContactLanguage::En)
                .production_access_enabled(true);
            // Deprecated in the model, and still what the person who reads it begins with.
            ask = ask.use_case_description(&letter.text);
            for contact in &letter.contacts {
                ask = ask.additional_contact_email_addresses(contact);
            }
            ask.send()
        };
        match self.call(ask).await {
            Ok(_) => Ok(Applied::Sent),
            Err(error) if code(&error) == Some("ConflictException") => Ok(Applied::UnderReview),
            Err(error) => Err(translate("sending the application", None, &error)),
        }
    }

    async fn invite(&self, address: &str) -> Result<Invited, Failure> {
        let ask = || self.client.create_email_identity().email_identity(address).send();
        let doing = format!("inviting {address}");
        match self.call(ask).await {
            Ok(answer) if answer.verified_for_sending_status() => return Ok(Invited::Verified),
            Ok(_) => return Ok(Invited::Sent),
            Err(error) if code(&error) == Some("AlreadyExistsException") => {}
            Err(error) => return Err(translate(&doing, None, &error)),
        }
        let ask = || self.client.get_email_identity().email_identity(address).send();
        let answer = self.call(ask).await.map_err(|error| translate(&doing, None, &error))?;
        let verified = answer.verified_for_sending_status();
        Ok(if verified { Invited::Verified } else { Invited::Pending })
    }

    async fn play(&self, play: &Play) -> Result<String, Failure> {
        let doing = format!("playing a {} with the mailbox simulator", play.plays);
        let text = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        let subject = text("A test of this galaxy's mail");
        let body = text("A test message for Amazon's mailbox simulator.");
        let (Ok(subject), Ok(body)) = (subject, body) else { return Err(Failure::bug(doing)) };
        let body = Body::builder().text(body).build();
        let content = Message::builder().subject(subject).body(body).build();
        let to = format!("{}@simulator.amazonses.com", play.plays);
        let ask = || {
            self.client
                .send_email()
                .from_email_address(&play.from)
                .destination(Destination::builder().to_addresses(&to).build())
                .configuration_set_name(&play.set)
                .content(EmailContent::builder().simple(content.clone()).build())
                .send()
        };
        let answer = self.call(ask).await.map_err(|error| translate(&doing, None, &error))?;
        Ok(answer.message_id().unwrap_or_default().to_owned())
    }

    async fn written(&self, ledger: &str, mail: &TestMail) -> Result<Option<u64>, Failure> {
        use aws_sdk_dynamodb::types::AttributeValue;
        let key = |text: &str| AttributeValue::S(text.to_owned());
        let ask = self
            .tables
            .get_item()
            .table_name(ledger)
            .key("pk", key(&format!("feedback#{}", mail.message_id)))
            .key("sk", key(&mail.plays));
        let answer = ask.send().await;
        let answer = answer.map_err(|error| translate("looking for a report", None, &error))?;
        let at = answer.item().and_then(|item| item.get("at")).and_then(|at| at.as_n().ok());
        Ok(at.and_then(|at| at.parse().ok()))
    }
}
