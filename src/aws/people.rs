//! Operators in a Cognito user pool.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, MessageActionType, UserStatusType};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use beak_core::person::Email;

use super::error::{code, translate};
use crate::failure::{Failure, Kind};
use crate::model::Secret;
use crate::ports::{Joined, Offer, People};

/// The group of `templates/auth.yaml`.
const OPERATORS: &str = "operators";

/// The SDK's clients.
pub(super) struct UserPools(Client, aws_sdk_dynamodb::Client);

/// An account as it is.
struct User {
    status: Option<UserStatusType>,
    sub: String,
}

impl UserPools {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(config), aws_sdk_dynamodb::Client::new(config))
    }

    async fn status(&self, pool: &str, email: &str) -> Result<Option<UserStatusType>, Failure> {
        Ok(self.user(pool, email).await?.and_then(|user| user.status))
    }

    async fn user(&self, pool: &str, email: &str) -> Result<Option<User>, Failure> {
        match self.0.admin_get_user().user_pool_id(pool).username(email).send().await {
            Ok(user) => {
                let sub = user.user_attributes().iter().find(|a| a.name() == "sub");
                let sub = sub.and_then(|sub| sub.value()).unwrap_or_default().to_owned();
                Ok(Some(User { status: user.user_status().cloned(), sub }))
            }
            Err(error) if code(&error) == Some("UserNotFoundException") => Ok(None),
            Err(error) => Err(translate("looking a person up", None, &error)),
        }
    }

    /// An account that needs no code: whoever runs this vouches for the address.
    async fn create(&self, pool: &str, email: &str) -> Result<(), Failure> {
        let attribute = |name: &str, value: &str| {
            let built = AttributeType::builder().name(name).value(value).build();
            built.map_err(|error| Failure::bug(error.to_string()))
        };
        let answer = self
            .0
            .admin_create_user()
            .user_pool_id(pool)
            .username(email)
            .message_action(MessageActionType::Suppress)
            .user_attributes(attribute("email", email)?)
            .user_attributes(attribute("email_verified", "true")?)
            .send()
            .await;
        let Err(error) = answer else { return Ok(()) };
        // Made by a first attempt whose answer was lost: nobody who signs up gets that status.
        if code(&error) == Some("UsernameExistsException")
            && self.status(pool, email).await? == Some(UserStatusType::ForceChangePassword)
        {
            return Ok(());
        }
        Err(translate("making an account", None, &error))
    }

    /// An account for somebody who had one elsewhere. Whether it was made.
    pub(super) async fn admit(
        &self,
        pool: &str,
        email: &str,
        operator: bool,
        password: &Secret,
    ) -> Result<bool, Failure> {
        let status = self.status(pool, email).await?;
        if let Some(status) = &status
            && *status != UserStatusType::ForceChangePassword
        {
            if operator {
                self.join(pool, email).await?;
            }
            return Ok(false);
        }
        if status.is_none() {
            self.create(pool, email).await?;
        }
        if operator {
            self.join(pool, email).await?;
        }
        self.set_password(pool, email, password).await.map(|()| true)
    }

    /// Makes the account one that can sign in, or have its password reset.
    async fn set_password(
        &self,
        pool: &str,
        email: &str,
        password: &Secret,
    ) -> Result<(), Failure> {
        self.0
            .admin_set_user_password()
            .user_pool_id(pool)
            .username(email)
            .password(password.expose())
            .permanent(true)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| translate("setting a password", None, &error))
    }

    /// The Beak's own note of an account, by the `sub` that Cognito gave it.
    fn settled_key(sub: &str) -> HashMap<String, AttributeValue> {
        Self::guard(format!("account#{sub}"))
    }

    fn guard(pk: String) -> HashMap<String, AttributeValue> {
        let text = |text: String| AttributeValue::S(text);
        HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text("guard".to_owned()))])
    }

    /// Whether the Beak knows that the reader of the mailbox chose the password: by a note of its
    /// own, or since the account has hatched the duckling of its address.
    async fn is_settled(&self, ledger: &str, sub: &str, address: &Email) -> Result<bool, Failure> {
        let hatched = Self::guard(format!("email#{}", address.sha256()));
        for (key, by_hatching) in [(Self::settled_key(sub), false), (hatched, true)] {
            let asked = self.1.get_item().table_name(ledger).consistent_read(true);
            let answer = asked.set_key(Some(key)).send().await;
            let answer = answer.map_err(|error| translate("reading an account", None, &error))?;
            let Some(item) = answer.item() else { continue };
            let own = item.get("account").and_then(|account| account.as_s().ok());
            let hatched = by_hatching && own.is_some_and(|account| account == sub);
            if hatched || (!by_hatching && item.contains_key("settled_at")) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets the Beak know that the password of an account counts.
    async fn settle(&self, pool: &str, ledger: &str, email: &str) -> Result<(), Failure> {
        let user = self.user(pool, email).await?;
        let gone = || {
            Failure::new(Kind::Settled, "the account was removed by another call")
                .help("run the same command again; it makes a new account")
        };
        let mut item = Self::settled_key(&user.ok_or_else(gone)?.sub);
        #[expect(
            clippy::disallowed_methods,
            reason = "the row says when AWS got it; nothing is decided by it"
        )]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        item.insert("settled_at".into(), AttributeValue::N(now.as_millis().to_string()));
        let put = PutRequest::builder().set_item(Some(item)).build();
        let put = put.map_err(|error| Failure::bug(error.to_string()))?;
        let write = WriteRequest::builder().put_request(put).build();
        let asked = self.1.batch_write_item().request_items(ledger, vec![write]);
        let answer = asked.send().await;
        let answer = answer.map_err(|error| translate("settling an account", None, &error))?;
        if answer.unprocessed_items().is_none_or(HashMap::is_empty) {
            return Ok(());
        }
        Err(Failure::new(Kind::Settled, "DynamoDB did not take the note of an account")
            .help("run the same command again"))
    }

    /// Confirms the address of an account that someone signed up for: whoever runs this vouches
    /// for it. The account stays, since its owner may be confirming it at this moment.
    async fn vouch(&self, pool: &str, email: &str) -> Result<(), Failure> {
        let verified = AttributeType::builder().name("email_verified").value("true").build();
        let verified = verified.map_err(|error| Failure::bug(error.to_string()))?;
        let asked = self.0.admin_update_user_attributes().user_pool_id(pool).username(email);
        let vouched = asked.user_attributes(verified).send().await;
        vouched.map(|_| ()).map_err(|error| translate("confirming an address", None, &error))
    }

    /// Ends all tokens that the Beak has sealed for an address, whatever becomes of the account.
    async fn raise(&self, ledger: &str, email: &Email) -> Result<(), Failure> {
        let raised = self.state(ledger, email, "REMOVE lapses_at, expires_at").send().await;
        raised.map(|_| ()).map_err(|error| translate("ending an account's tokens", None, &error))
    }

    /// A change of the Beak's own state of signing in with an address: with the next version, so
    /// that no write of the Beak's that was under way undoes it, and the next generation.
    fn state(&self, ledger: &str, email: &Email, change: &str) -> UpdateItemFluentBuilder {
        let text = |text: String| AttributeValue::S(text);
        self.1
            .update_item()
            .table_name(ledger)
            .key("pk", text(format!("signin#{}", email.sha256())))
            .key("sk", text("guard".to_owned()))
            .update_expression(format!("ADD #version :one, generation :one {change}"))
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
    }

    async fn end_sessions(&self, pool: &str, email: &str) -> Result<(), Failure> {
        let ended = self.0.admin_user_global_sign_out().user_pool_id(pool).username(email);
        match ended.send().await {
            Ok(_) => Ok(()),
            Err(error) if code(&error) == Some("UserNotFoundException") => Ok(()),
            Err(error) => Err(translate("ending an account's sessions", None, &error)),
        }
    }

    async fn join(&self, pool: &str, email: &str) -> Result<(), Failure> {
        let asked = self.0.admin_add_user_to_group().user_pool_id(pool).username(email);
        let joined = asked.group_name(OPERATORS).send().await;
        joined.map(|_| ()).map_err(|error| translate("adding an operator", None, &error))
    }
}

/// The address as the Beak folds and digests it.
fn address(email: &str) -> Result<Email, Failure> {
    Email::parse(email).map_err(|error| Failure::bug(error.to_string()))
}

#[async_trait]
impl People for UserPools {
    async fn add(
        &self,
        pool: &str,
        ledger: &str,
        email: &str,
        password: Offer<'_>,
    ) -> Result<Joined, Failure> {
        let address = address(email)?;
        let user = self.user(pool, email).await?;
        match user.as_ref().and_then(|user| user.status.as_ref()) {
            // With a password that the reader of the mailbox did not choose: ours replaces it.
            Some(UserStatusType::Unconfirmed) => self.vouch(pool, email).await?,
            // An earlier call was cut off before the password was set.
            Some(UserStatusType::ForceChangePassword) => {}
            None => self.create(pool, email).await?,
            Some(_) => {
                if self.operators(pool).await?.iter().any(|known| known == email) {
                    return Ok(Joined::Already);
                }
                let sub = user.map(|user| user.sub).unwrap_or_default();
                if self.is_settled(ledger, &sub, &address).await? {
                    self.join(pool, email).await?;
                    self.raise(ledger, &address).await?;
                    return Ok(Joined::Member);
                }
            }
        }
        // In this order: an account never is an operator's with a password that does not count, nor
        // with a session that began before it.
        self.set_password(pool, email, password.shown()?).await?;
        self.raise(ledger, &address).await?;
        self.settle(pool, ledger, email).await?;
        self.join(pool, email).await?;
        self.raise(ledger, &address).await.map(|()| Joined::New)
    }

    async fn remove(&self, pool: &str, ledger: &str, email: &str) -> Result<bool, Failure> {
        let address = address(email)?;
        if !self.operators(pool).await?.iter().any(|known| known == email) {
            return Ok(false);
        }
        self.raise(ledger, &address).await?;
        let asked = self.0.admin_remove_user_from_group().user_pool_id(pool).username(email);
        let removed = asked.group_name(OPERATORS).send().await;
        removed.map_err(|error| translate("removing an operator", None, &error))?;
        // A token carries the right until it lapses.
        self.end_sessions(pool, email).await?;
        self.raise(ledger, &address).await.map(|()| true)
    }

    async fn reset_factor(&self, pool: &str, ledger: &str, email: &str) -> Result<bool, Failure> {
        let address = address(email)?;
        let change = "REMOVE factor, enrolment, marks";
        let asked =
            self.state(ledger, &address, change).condition_expression("attribute_exists(factor)");
        match asked.send().await {
            Ok(_) => {}
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => {
                return Ok(false);
            }
            Err(error) => return Err(translate("removing a second factor", None, &error)),
        }
        self.end_sessions(pool, email).await?;
        self.raise(ledger, &address).await.map(|()| true)
    }

    async fn operators(&self, pool: &str) -> Result<Vec<String>, Failure> {
        let asked = self.0.list_users_in_group().user_pool_id(pool).group_name(OPERATORS);
        let users = asked.into_paginator().items().send().try_collect().await;
        let users = users.map_err(|error| translate("listing operators", None, &error))?;
        let email = |user: &aws_sdk_cognitoidentityprovider::types::UserType| {
            let found = user.attributes().iter().find(|attribute| attribute.name() == "email");
            found.and_then(|attribute| attribute.value()).map(str::to_owned)
        };
        let mut emails: Vec<String> = users.iter().filter_map(email).collect();
        emails.sort();
        Ok(emails)
    }
}
