//! People in a Cognito user pool, which keeps their passwords and sends their codes.
//!
//! The app client has a secret, so nobody but this function can use it.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata as _;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, AuthFlowType, AuthenticationResultType, UserStatusType,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use beak_core::person::{Email, OtpCode, Password};
use beak_core::ports::{Confirmed, Identity, Person, SignedUp, Tokens};
use beak_core::{BeakError, Duration, Result};
use tokio::sync::OnceCell;

use crate::failure::{code, failed};
use crate::settings::Settings;
use crate::tokens::{Claims, secret_hash};

/// The group whose members are operators.
const OPERATORS: &str = "operators";

pub(crate) struct Cognito {
    client: Client,
    user_pool: String,
    app: String,
    secret: OnceCell<String>,
}

impl Cognito {
    pub(crate) fn new(config: &SdkConfig, settings: &Settings) -> Self {
        Self {
            client: Client::new(config),
            user_pool: settings.user_pool.clone(),
            app: settings.client.clone(),
            secret: OnceCell::new(),
        }
    }

    async fn proof(&self, username: &str) -> Result<String> {
        let secret = self.secret.get_or_try_init(|| self.fetch_secret()).await?;
        secret_hash(secret, username, &self.app)
    }

    async fn fetch_secret(&self) -> Result<String> {
        let asked = self.client.describe_user_pool_client();
        let answer = asked.user_pool_id(&self.user_pool).client_id(&self.app).send().await;
        let answer = answer.map_err(|error| failed("reading the app client", &error))?;
        let secret = answer.user_pool_client().and_then(|client| client.client_secret());
        let none = || BeakError::Internal("the app client has no secret".into());
        secret.map(str::to_owned).ok_or_else(none)
    }

    /// `false` where the address is taken.
    async fn try_sign_up(&self, email: &Email, password: &Password) -> Result<bool> {
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
            Ok(_) => Ok(true),
            Err(error) => match code(&error) {
                Some("UsernameExistsException") => Ok(false),
                Some("InvalidPasswordException" | "InvalidParameterException") => {
                    Err(unfit(error.message()))
                }
                // As for a known address, whose owner gets no code either.
                code if is_undelivered(code) => Ok(true),
                _ => Err(failed("signing up", &error)),
            },
        }
    }

    async fn is_confirmed(&self, email: &Email) -> Result<bool> {
        let asked = self.client.admin_get_user().user_pool_id(&self.user_pool);
        match asked.username(email.as_str()).send().await {
            Ok(user) => Ok(user.user_status() != Some(&UserStatusType::Unconfirmed)),
            Err(error) if code(&error) == Some("UserNotFoundException") => Ok(false),
            Err(error) => Err(failed("looking a person up", &error)),
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
            // A challenge, such as a second factor, is no result: there is no call for it yet.
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

/// Tokens as our callers get them. Cognito wants the user's own id with every refresh, so that
/// goes along inside the refresh token.
fn tokens(result: &AuthenticationResultType) -> Result<Tokens> {
    let unreadable = || BeakError::Internal("Cognito gave tokens that can't be read".into());
    let access = result.access_token().ok_or_else(unreadable)?;
    let user = Claims::unverified(access).ok_or_else(unreadable)?.username;
    let refresh =
        result.refresh_token().map(|token| format!("{}.{token}", URL_SAFE_NO_PAD.encode(&user)));
    let expires_in = Duration::seconds(i64::from(result.expires_in()));
    Ok(Tokens { access: access.to_owned(), refresh, expires_in })
}

/// What Cognito takes no password without: `^[\S]+.*[\S]+$`, as Java reads it. Looked at before it
/// is asked, because it might look at the address first, and for everybody alike.
fn check(password: &Password) -> Result<()> {
    const BLANKS: [char; 6] = [' ', '\t', '\n', '\u{b}', '\u{c}', '\r'];
    const BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
    let text = password.expose();
    if text.trim_matches(BLANKS).len() == text.len() && !text.contains(BREAKS) {
        return Ok(());
    }
    Err(BeakError::WeakPassword("a password neither begins nor ends with a blank, and is one line"))
}

/// Cognito is stricter than we are: an address has at most 128 characters. And whoever has changed
/// the pool's policy may want longer passwords. Which of the two it minds only its message says.
fn unfit(message: Option<&str>) -> BeakError {
    let message = message.unwrap_or_default().to_lowercase();
    if message.contains("password") {
        return BeakError::WeakPassword("this password is too weak for this galaxy");
    }
    BeakError::invalid("email", "this galaxy takes no such e-mail address")
}

/// Whether a code failed for what it is or whose it is. Some of these Cognito has only for
/// addresses that it knows, so none of them may reach a caller in words of its own.
fn is_no(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "CodeMismatchException"
                | "ExpiredCodeException"
                | "TooManyFailedAttemptsException"
                | "LimitExceededException"
                | "UserNotFoundException"
                | "UserNotConfirmedException"
                | "NotAuthorizedException"
                | "InvalidParameterException"
                // `check` has found nothing in it.
                | "InvalidPasswordException"
        )
    )
}

/// Whether a request for a code failed only for this address: there is nobody who could want one,
/// or somebody who has asked too often or can't be mailed. The caller may not learn which.
fn is_unsent(code: Option<&str>) -> bool {
    is_undelivered(code) || nobody(code)
}

/// Whether Cognito did not get a mail out: it has sent as many as it may, or can't reach this one.
fn is_undelivered(code: Option<&str>) -> bool {
    let undelivered =
        matches!(code, Some("LimitExceededException" | "CodeDeliveryFailureException"));
    if undelivered {
        tracing::warn!(cause = code, "a code was not sent");
    }
    undelivered
}

/// Whether there is no such person, or none with such a token.
fn nobody(code: Option<&str>) -> bool {
    let codes = ["UserNotFoundException", "InvalidParameterException", "NotAuthorizedException"];
    code.is_some_and(|code| codes.contains(&code))
}

#[async_trait]
impl Identity for Cognito {
    async fn sign_up(&self, email: &Email, password: &Password) -> Result<SignedUp> {
        check(password)?;
        for _ in 0..3 {
            if self.try_sign_up(email, password).await? {
                return Ok(SignedUp::CodeSent);
            }
            if self.is_confirmed(email).await? {
                return Ok(SignedUp::Known);
            }
            // Never confirmed: whoever it was, the new password and a new code take over.
            self.forget(email).await?;
        }
        Err(BeakError::Unavailable("an address is being signed up again and again".into()))
    }

    async fn confirm(&self, email: &Email, otp: &OtpCode) -> Result<Confirmed> {
        let asked = self
            .client
            .confirm_sign_up()
            .client_id(&self.app)
            .secret_hash(self.proof(email.as_str()).await?)
            .username(email.as_str())
            .confirmation_code(otp.expose());
        match asked.send().await {
            Ok(_) => Ok(Confirmed::Yes),
            Err(error) if is_no(code(&error)) => Ok(Confirmed::No),
            Err(error) => Err(failed("confirming an address", &error)),
        }
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

    async fn sign_in(&self, email: &Email, password: &Password) -> Result<Option<Tokens>> {
        let parameters = [
            ("USERNAME", email.as_str().to_owned()),
            ("PASSWORD", password.expose().to_owned()),
            ("SECRET_HASH", self.proof(email.as_str()).await?),
        ];
        let flow = AuthFlowType::AdminUserPasswordAuth;
        let result = self.authenticate(flow, parameters).await?;
        result.as_ref().map(tokens).transpose()
    }

    async fn refresh(&self, refresh_token: &str) -> Result<Option<Tokens>> {
        let parts = refresh_token.split_once('.');
        let user = parts.and_then(|(user, _)| URL_SAFE_NO_PAD.decode(user).ok());
        let user = user.and_then(|bytes| String::from_utf8(bytes).ok());
        let (Some(user), Some((_, token))) = (user, parts) else { return Ok(None) };
        let parameters = [
            ("REFRESH_TOKEN", token.to_owned()),
            ("SECRET_HASH", self.proof(&user).await?),
            ("USERNAME", user),
        ];
        let flow = AuthFlowType::RefreshTokenAuth;
        let result = self.authenticate(flow, parameters).await?;
        let tokens = result.as_ref().map(tokens).transpose()?;
        Ok(tokens.map(|tokens| Tokens { refresh: None, ..tokens }))
    }

    async fn sign_out(&self, access_token: &str) -> Result<()> {
        let asked = self.client.global_sign_out().access_token(access_token);
        match asked.send().await {
            Ok(_) => Ok(()),
            Err(error) if nobody(code(&error)) => Ok(()),
            Err(error) => Err(failed("signing out", &error)),
        }
    }

    async fn who(&self, access_token: &str) -> Result<Option<Person>> {
        let claims = Claims::unverified(access_token);
        let claims = claims.filter(|claims| claims.is_from(&self.user_pool, &self.app));
        let Some(claims) = claims else { return Ok(None) };
        // Checks the signature, and that the person has not signed out since.
        let user = match self.client.get_user().access_token(access_token).send().await {
            Ok(user) => user,
            Err(error) if nobody(code(&error)) => return Ok(None),
            Err(error) => return Err(failed("checking an access token", &error)),
        };
        let attribute = |name: &str| {
            let found = user.user_attributes().iter().find(|a| a.name() == name);
            found.and_then(|attribute| attribute.value())
        };
        if attribute("email_verified") != Some("true") {
            return Ok(None);
        }
        let email = Email::parse(attribute("email").unwrap_or_default())?;
        let operator = claims.groups.iter().any(|group| group == OPERATORS);
        Ok(Some(Person { email, operator }))
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

    async fn reset(&self, email: &Email, otp: &OtpCode, new: &Password) -> Result<Confirmed> {
        check(new)?;
        let asked = self
            .client
            .confirm_forgot_password()
            .client_id(&self.app)
            .secret_hash(self.proof(email.as_str()).await?)
            .username(email.as_str())
            .confirmation_code(otp.expose())
            .password(new.expose());
        match asked.send().await {
            Ok(_) => {}
            Err(error) if is_no(code(&error)) => return Ok(Confirmed::No),
            Err(error) => return Err(failed("taking a new password", &error)),
        }
        let ended = self.client.admin_user_global_sign_out().user_pool_id(&self.user_pool);
        match ended.username(email.as_str()).send().await {
            Ok(_) => Ok(Confirmed::Yes),
            Err(error) => Err(failed("ending old sessions", &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_as_cognito_wants_it_before_it_is_asked() {
        for text in ["a rather good one", "ü\u{a0}good\tenough ü", "\u{a0}good enough\u{a0}"] {
            let password = Password::attempt(text.into()).expect("short enough");
            assert_eq!(check(&password), Ok(()), "{text:?}");
        }
        let bad = [" good enough", "good enough ", "good enough\n", "\tgood enough", "\u{b}good"];
        for text in bad.into_iter().chain(["good\nenough", "good\u{2028}enough"]) {
            let password = Password::attempt(text.into()).expect("short enough");
            assert_eq!(check(&password).map_err(|e| e.code()), Err("weak_password"), "{text:?}");
        }
    }

    /// What Cognito says of known addresses only looks like what it says of all.
    #[test]
    fn what_cognito_knows_of_an_address_is_not_said() {
        let tried = [
            "CodeMismatchException",
            "ExpiredCodeException",
            "TooManyFailedAttemptsException",
            "LimitExceededException",
            "UserNotFoundException",
            "UserNotConfirmedException",
            "NotAuthorizedException",
            "InvalidPasswordException",
        ];
        assert!(tried.into_iter().all(|code| is_no(Some(code))));
        let asked = ["LimitExceededException", "CodeDeliveryFailureException"];
        assert!(asked.into_iter().all(|code| is_unsent(Some(code)) && is_undelivered(Some(code))));
        assert!(!is_undelivered(Some("UserNotFoundException")));
        // These say something of the service, not of anybody.
        for code in [None, Some("TooManyRequestsException"), Some("InternalErrorException")] {
            assert!(!is_no(code) && !is_unsent(code), "{code:?}");
        }
    }

    #[test]
    fn what_cognito_minds_is_named_at_its_field() {
        let cases = [
            (
                "1 validation error detected: Value at 'password' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: ^[\\S]+.*[\\S]+$",
                "weak_password",
            ),
            ("Password did not conform with policy: Password not long enough", "weak_password"),
            ("Invalid email address format.", "invalid_request"),
            ("1 validation error detected: Value at 'username' failed", "invalid_request"),
        ];
        for (message, word) in cases {
            assert_eq!(unfit(Some(message)).code(), word, "{message}");
        }
    }
}
