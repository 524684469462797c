//! Operators in a Cognito user pool.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, MessageActionType, UserStatusType};

use super::error::{code, translate};
use crate::failure::Failure;
use crate::model::Secret;
use crate::ports::{Joined, People};

/// The group of `templates/auth.yaml`.
const OPERATORS: &str = "operators";

/// The SDK's client.
pub(super) struct UserPools(Client);

impl UserPools {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(config))
    }

    async fn status(&self, pool: &str, email: &str) -> Result<Option<UserStatusType>, Failure> {
        match self.0.admin_get_user().user_pool_id(pool).username(email).send().await {
            Ok(user) => Ok(user.user_status().cloned()),
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

    async fn join(&self, pool: &str, email: &str) -> Result<(), Failure> {
        let asked = self.0.admin_add_user_to_group().user_pool_id(pool).username(email);
        let joined = asked.group_name(OPERATORS).send().await;
        joined.map(|_| ()).map_err(|error| translate("adding an operator", None, &error))
    }
}

#[async_trait]
impl People for UserPools {
    async fn add(&self, pool: &str, email: &str, password: &Secret) -> Result<Joined, Failure> {
        match self.status(pool, email).await? {
            Some(UserStatusType::Unconfirmed) => {
                // Somebody's sign-up, with a password that nobody has vouched for.
                let asked = self.0.admin_delete_user().user_pool_id(pool).username(email);
                let gone = asked.send().await;
                gone.map_err(|error| translate("replacing an account", None, &error))?;
                self.create(pool, email).await?;
            }
            None => self.create(pool, email).await?,
            // An earlier call was cut off before the password was set.
            Some(UserStatusType::ForceChangePassword) => {}
            Some(_) => {
                if self.operators(pool).await?.iter().any(|known| known == email) {
                    return Ok(Joined::Already);
                }
                self.join(pool, email).await?;
                return Ok(Joined::Member);
            }
        }
        self.join(pool, email).await?;
        // Last: before it nobody can sign in, and the same call goes on.
        self.set_password(pool, email, password).await.map(|()| Joined::New)
    }

    async fn remove(&self, pool: &str, email: &str) -> Result<bool, Failure> {
        if !self.operators(pool).await?.iter().any(|known| known == email) {
            return Ok(false);
        }
        let asked = self.0.admin_remove_user_from_group().user_pool_id(pool).username(email);
        let removed = asked.group_name(OPERATORS).send().await;
        removed.map_err(|error| translate("removing an operator", None, &error))?;
        // An access token carries the group until it lapses.
        let ended = self.0.admin_user_global_sign_out().user_pool_id(pool).username(email);
        let ended = ended.send().await;
        ended
            .map(|_| true)
            .map_err(|error| translate("ending an operator's sessions", None, &error))
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
