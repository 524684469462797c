//! People in a Cognito user pool, which keeps their passwords and sends their codes. None of its
//! tokens leaves the function: a refresh token is the session inside the Beak's own tokens.
//!
//! The app client has a secret, so only this function can use it. An account goes by its `sub`,
//! which in a pool whose users sign in by e-mail is its user name: an address may change hands.

mod answers;

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata as _;
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserOutput;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, AuthFlowType, AuthenticationResultType, UserStatusType,
};
use beak_core::person::{Email, OtpCode, Password};
use beak_core::ports::{AccountId, Entered, Identity, Renewed, Session, SignedUp};
use beak_core::{BeakError, OffsetDateTime, Result};

use self::answers::{check, is_no, is_undelivered, is_unknown, is_unsent, unfit};
use crate::client_secret::ClientSecret;
use crate::failure::{code, failed};
use crate::patience;
use crate::settings::Settings;
use crate::tokens::{Claims, secret_hash};

/// The group whose members are operators.
const OPERATORS: &str = "operators";

/// A user of the pool.
struct User {
    account: AccountId,
    is_confirmed: bool,
    made_at: Option<OffsetDateTime>,
}

impl User {
    fn read(user: &AdminGetUserOutput) -> Result<Self> {
        let sub = user.user_attributes().iter().find(|attribute| attribute.name() == "sub");
        let sub = sub.and_then(|attribute| attribute.value());
        let nameless = || BeakError::Internal("Cognito knows a person without a sub".into());
        let made_at = user.user_create_date();
        let made_at = made_at.and_then(|at| OffsetDateTime::from_unix_timestamp(at.secs()).ok());
        Ok(Self {
            account: AccountId::new(sub.ok_or_else(nameless)?),
            is_confirmed: user.user_status() != Some(&UserStatusType::Unconfirmed),
            made_at,
        })
    }

    /// The name to ask with: the account's own, or, where there is none, the address.
    fn name<'a>(user: Option<&'a Self>, email: &'a Email) -> &'a str {
        user.map_or(email.as_str(), |user| user.account.as_str())
    }
}

pub(crate) struct Cognito {
    client: Client,
    user_pool: String,
    app: String,
    secret: Arc<ClientSecret>,
}

impl Cognito {
    pub(crate) fn new(config: &SdkConfig, settings: &Settings, secret: Arc<ClientSecret>) -> Self {
        Self {
            client: Client::from_conf(patience::cognito(config)),
            user_pool: settings.user_pool.clone(),
            app: settings.client.clone(),
            secret,
        }
    }

    async fn proof(&self, username: &str) -> Result<String> {
        secret_hash(self.secret.get().await?, username, &self.app)
    }

    async fn try_sign_up(&self, email: &Email, password: &Password) -> Result<SignedUp> {
        let attribute = AttributeType::builder().name("email").value(email.as_str()).build();
        let attribute = attribute.map_err(|error| BeakError::Internal(error.to_string()))?;
        let asked = self
            .client
            .sign_up()
            .client_id(&self.app)
            .secret_hash(self.proof(email.as_str()).await?)
            .username(email.as_str())
            .password(password.expose())
            .user_attributes(attribute);
        match asked.send().await {
            Ok(made) => Ok(SignedUp::Made(AccountId::new(made.user_sub()))),
            Err(error) => match code(&error) {
                // Made by another call since we looked.
                Some("UsernameExistsException") => Ok(SignedUp::Waiting),
                Some("InvalidPasswordException" | "InvalidParameterException") => {
                    Err(unfit(error.message()))
                }
                // As for a known address, whose owner gets no code either.
                code if is_undelivered(code) => Ok(SignedUp::Unsent),
                _ => Err(failed("signing up", &error)),
            },
        }
    }

    /// The user of a name: an e-mail address or a `sub`.
    async fn look_up(&self, name: &str) -> Result<Option<User>> {
        let asked = self.client.admin_get_user().user_pool_id(&self.user_pool);
        match asked.username(name).send().await {
            Ok(user) => User::read(&user).map(Some),
            Err(error) if is_unknown(code(&error)) => Ok(None),
            Err(error) => Err(failed("looking a person up", &error)),
        }
    }

    /// The account of an address that a call of ours has just changed: the one that was found
    /// before it, or, made in between, the one that is there now.
    async fn changed(&self, email: &Email, before: Option<User>) -> Result<Option<AccountId>> {
        let user = match before {
            Some(user) => Some(user),
            None => self.look_up(email.as_str()).await?,
        };
        Ok(user.map(|user| user.account))
    }

    async fn end_sessions(&self, account: &AccountId) -> Result<()> {
        let asked = self.client.admin_user_global_sign_out().user_pool_id(&self.user_pool);
        match asked.username(account.as_str()).send().await {
            Ok(_) => Ok(()),
            Err(error) if code(&error) == Some("UserNotFoundException") => Ok(()),
            Err(error) => Err(failed("ending old sessions", &error)),
        }
    }

    async fn forget(&self, email: &Email) -> Result<()> {
        let asked = self.client.admin_delete_user().user_pool_id(&self.user_pool);
        match asked.username(email.as_str()).send().await {
            Ok(_) => Ok(()),
            Err(error) if code(&error) == Some("UserNotFoundException") => Ok(()),
            Err(error) => Err(failed("removing a person", &error)),
        }
    }

    async fn authenticate(
        &self,
        flow: AuthFlowType,
        parameters: [(&str, String); 3],
    ) -> Result<Option<AuthenticationResultType>> {
        let mut asked = self
            .client
            .admin_initiate_auth()
            .user_pool_id(&self.user_pool)
            .client_id(&self.app)
            .auth_flow(flow);
        for (name, value) in parameters {
            asked = asked.auth_parameters(name, value);
        }
        match asked.send().await {
            // A challenge is no result: the pool has no second factors, those are the Beak's.
            Ok(answer) => Ok(answer.authentication_result),
            Err(error) => match code(&error) {
                Some(
                    "NotAuthorizedException"
                    | "UserNotFoundException"
                    | "UserNotConfirmedException"
                    | "PasswordResetRequiredException"
                    // Nobody's name or token looks like that.
                    | "InvalidParameterException",
                ) => Ok(None),
                _ => Err(failed("signing in", &error)),
            },
        }
    }
}

/// What a session is kept as: Cognito wants the user's own name in the pool with every refresh.
fn session(name: &str, refresh_token: &str) -> Session {
    Session::new(format!("{name} {refresh_token}"))
}

/// What Cognito's access token says. It comes from Cognito itself, so its signature says no more.
fn claims(result: &AuthenticationResultType) -> Result<Claims> {
    let claims = result.access_token().and_then(Claims::unverified);
    claims.ok_or_else(|| BeakError::Internal("Cognito gave a token that can't be read".into()))
}

#[async_trait]
impl Identity for Cognito {
    fn accepts(&self, password: &Password) -> Result<()> {
        check(password)
    }

    async fn sign_up(&self, email: &Email, password: &Password) -> Result<SignedUp> {
        // Looked up before, so that each kind of address takes the same number of calls.
        match self.look_up(email.as_str()).await? {
            None => self.try_sign_up(email, password).await,
            Some(user) if user.is_confirmed => Ok(SignedUp::Known),
            Some(_) => Ok(SignedUp::Waiting),
        }
    }

    async fn confirm(&self, email: &Email, otp: &OtpCode) -> Result<Option<AccountId>> {
        let user = self.look_up(email.as_str()).await?;
        let name = User::name(user.as_ref(), email);
        let asked = self
            .client
            .confirm_sign_up()
            .client_id(&self.app)
            .secret_hash(self.proof(name).await?)
            .username(name)
            .confirmation_code(otp.expose());
        match asked.send().await {
            Ok(_) => self.changed(email, user).await,
            Err(error) if is_no(code(&error)) => Ok(None),
            Err(error) => Err(failed("confirming an address", &error)),
        }
    }

    async fn set_password(&self, _: &Email, account: &AccountId, new: &Password) -> Result<bool> {
        let asked = self
            .client
            .admin_set_user_password()
            .user_pool_id(&self.user_pool)
            .username(account.as_str())
            .password(new.expose())
            .permanent(true);
        match asked.send().await {
            Ok(_) => Ok(true),
            Err(error) => match code(&error) {
                Some("UserNotFoundException") => Ok(false),
                Some("InvalidPasswordException" | "PasswordHistoryPolicyViolationException") => {
                    Err(unfit(Some("password")))
                }
                _ => Err(failed("setting a password", &error)),
            },
        }
    }

    async fn sign_out_all(&self, _: &Email, account: &AccountId) -> Result<()> {
        self.end_sessions(account).await
    }

    async fn resend(&self, email: &Email) -> Result<()> {
        let asked = self
            .client
            .resend_confirmation_code()
            .client_id(&self.app)
            .secret_hash(self.proof(email.as_str()).await?)
            .username(email.as_str());
        match asked.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_unsent(code(&error)) => Ok(()),
            Err(error) => Err(failed("sending a code again", &error)),
        }
    }

    async fn sign_in(&self, email: &Email, password: &Password) -> Result<Option<Entered>> {
        let parameters = [
            ("USERNAME", email.as_str().to_owned()),
            ("PASSWORD", password.expose().to_owned()),
            ("SECRET_HASH", self.proof(email.as_str()).await?),
        ];
        let flow = AuthFlowType::AdminUserPasswordAuth;
        let Some(result) = self.authenticate(flow, parameters).await? else { return Ok(None) };
        let claims = claims(&result)?;
        let (account, operator) = (AccountId::new(claims.sub.as_str()), claims.is_in(OPERATORS));
        let none = || BeakError::Internal("Cognito gave no refresh token".into());
        let session = session(&claims.username, result.refresh_token().ok_or_else(none)?);
        Ok(Some(Entered { account, operator, session }))
    }

    async fn renew(
        &self,
        _: &Email,
        account: &AccountId,
        session: &Session,
    ) -> Result<Option<Renewed>> {
        let Some((name, token)) = session.expose().split_once(' ') else { return Ok(None) };
        let parameters = [
            ("REFRESH_TOKEN", token.to_owned()),
            ("SECRET_HASH", self.proof(name).await?),
            ("USERNAME", name.to_owned()),
        ];
        let flow = AuthFlowType::RefreshTokenAuth;
        let Some(result) = self.authenticate(flow, parameters).await? else { return Ok(None) };
        let claims = claims(&result)?;
        let own = claims.sub == account.as_str();
        Ok(own.then(|| Renewed { operator: claims.is_in(OPERATORS) }))
    }

    async fn forgot(&self, email: &Email) -> Result<()> {
        let asked = self
            .client
            .forgot_password()
            .client_id(&self.app)
            .secret_hash(self.proof(email.as_str()).await?)
            .username(email.as_str());
        match asked.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_unsent(code(&error)) => Ok(()),
            Err(error) => Err(failed("sending a code for a new password", &error)),
        }
    }

    async fn delete(&self, email: &Email) -> Result<()> {
        self.forget(email).await
    }

    async fn reset(
        &self,
        email: &Email,
        otp: &OtpCode,
        new: &Password,
    ) -> Result<Option<AccountId>> {
        let user = self.look_up(email.as_str()).await?;
        let name = User::name(user.as_ref(), email);
        let asked = self
            .client
            .confirm_forgot_password()
            .client_id(&self.app)
            .secret_hash(self.proof(name).await?)
            .username(name)
            .confirmation_code(otp.expose())
            .password(new.expose());
        match asked.send().await {
            Ok(_) => self.changed(email, user).await,
            Err(error) if is_no(code(&error)) => Ok(None),
            Err(error) => Err(failed("taking a new password", &error)),
        }
    }

    async fn is_older(&self, account: &AccountId, than: OffsetDateTime) -> Result<bool> {
        let user = self.look_up(account.as_str()).await?;
        let made_at = user.filter(|user| user.is_confirmed).and_then(|user| user.made_at);
        Ok(made_at.is_some_and(|at| at < than))
    }
}
