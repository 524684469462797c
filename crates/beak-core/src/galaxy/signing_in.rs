//! Passwords: signing in, and setting a new one.

use std::net::IpAddr;

use time::Duration;

use super::Galaxy;
use super::guesses::{Guesser, Purpose};
use super::hatch::client;
use super::second_factor::SignedIn;
use super::sessions::forget_factor;
use crate::error::{BeakError, Result};
use crate::factor::RESET_REMOVES_WITHIN;
use crate::person::{Email, OtpCode, Password};
use crate::ports::{AccountId, Entered, Factor, Mark, Person, SignInState};
use crate::sealed::Claims;

/// What a new password takes.
pub struct Reset {
    /// The address.
    pub email: Email,
    /// The code that was sent there.
    pub code: OtpCode,
    /// The new password.
    pub password: Password,
    /// Where the call came from, if the home knows.
    pub from: Option<IpAddr>,
}

/// How many wrong passwords for an address reach the identity within [`FAILURE_WINDOW`]. Cognito
/// locks an account at the fifth, which would tell that the account exists.
const FAILURES: usize = 4;
const FAILURE_WINDOW: Duration = Duration::minutes(15);
/// After so many failures in a row only a new password helps: NIST SP 800-63B-4, 3.2.2.
const FAILURES_IN_A_ROW: u32 = 100;
/// How long failures in a row are remembered.
const MEMORY: Duration = Duration::days(365);

const FAILURE: &str = "failure";

fn journal(email: &Email) -> String {
    format!("signin#{}", email.sha256())
}

impl Galaxy {
    /// Tokens for an address and its password, or a challenge where the account has a second
    /// factor. An account whose password the reader of the mailbox did not choose is answered like
    /// a wrong password.
    pub async fn sign_in(&self, email: &Email, password: &Password) -> Result<SignedIn> {
        let (entered, state) = self.enter_counted(email, password).await?;
        let claims = Claims {
            account: entered.account,
            email: email.clone(),
            operator: entered.operator,
            generation: state.generation,
            expires_at: self.now(),
            session: entered.session,
        };
        self.first_step(claims, &state).await
    }

    /// Whether this is the password of a person who has signed in. Counted like a sign-in.
    pub(super) async fn check_password(&self, person: &Person, password: &Password) -> Result<()> {
        let (entered, _) = self.enter_counted(&person.email, password).await?;
        if entered.account == person.account { Ok(()) } else { Err(BeakError::WrongPassword) }
    }

    async fn enter_counted(
        &self,
        email: &Email,
        password: &Password,
    ) -> Result<(Entered, SignInState)> {
        let mark = self.count_failure(email).await?;
        match self.enter(email, password).await {
            Ok(Some(entered)) => {
                self.uncount_failure(email, &mark, true).await?;
                Ok(entered)
            }
            Ok(None) => Err(BeakError::WrongPassword),
            Err(error) => {
                self.uncount_failure(email, &mark, false).await?;
                Err(error)
            }
        }
    }

    async fn enter(
        &self,
        email: &Email,
        password: &Password,
    ) -> Result<Option<(Entered, SignInState)>> {
        // Before the password is looked at: what ends sessions meanwhile ends this one as well.
        let state = self.sign_in_state(email).await?;
        let entered = self.ports.identity.sign_in(email, password).await?;
        let Some(entered) = entered else { return Ok(None) };
        let settled = self.is_settled(email, &entered.account, entered.operator).await?;
        Ok(Some((entered, state)).filter(|_| settled))
    }

    /// Whether the password of an account counts. Earlier releases did not keep that, so what was
    /// there before this one counts: accounts with a duckling, and operators.
    async fn is_settled(&self, email: &Email, account: &AccountId, operator: bool) -> Result<bool> {
        let accounts = &self.ports.accounts;
        if accounts.is_settled(account, &email.sha256()).await? {
            return Ok(true);
        }
        let now = self.now();
        let since = accounts.settles_since(now).await?;
        let duckling = self.ports.store.duckling_by_email(email).await?;
        let vouched = operator || duckling.is_some_and(|duckling| duckling.created_at < since);
        if vouched && self.ports.identity.is_older(account, since).await? {
            accounts.settle(account, now).await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Sends a code for a new password. Inside the cooldown the answer is the same and no mail is
    /// sent.
    pub async fn forgot(
        &self,
        email: &Email,
        captcha_token: &str,
        from: Option<IpAddr>,
    ) -> Result<()> {
        self.check_captcha(captcha_token, "forgot", from).await?;
        let client = client(email, from);
        if !self.take_code(Purpose::Reset, email, client.as_deref()).await? {
            return Ok(());
        }
        let sent = self.ports.identity.forgot(email).await;
        if sent.is_err() {
            self.untake_code(Purpose::Reset, email).await?;
        }
        sent
    }

    /// Code → new password.
    pub async fn reset(&self, asked: Reset) -> Result<()> {
        let Reset { email, code, password, from } = asked;
        self.ports.identity.accepts(&password)?;
        let by = Guesser::At(client(&email, from));
        let guess = self.guess(Purpose::Reset, &email, by).await?;
        if let Some(refusal) = guess.refusal() {
            return Err(refusal);
        }
        let account = match self.ports.identity.reset(&email, &code, &password).await {
            Ok(account) => account.ok_or(BeakError::OtpMismatch)?,
            Err(error) => {
                self.take_back(&guess).await?;
                return Err(error);
            }
        };
        // Only now: a caller without the code must not sign anyone out.
        let had_factor = self.sign_in_state(&email).await?.factor.is_some();
        let ended = self.end_sessions(&email, &account, |state, now| {
            let is_young = |factor: &Factor| now - factor.enrolled_at < RESET_REMOVES_WITHIN;
            if state.factor.as_ref().is_some_and(is_young) {
                forget_factor(state);
            }
            state.enrolment = None;
        });
        ended.await?;
        if had_factor && self.sign_in_state(&email).await?.factor.is_none() {
            // Best effort: the password is changed, whatever becomes of the mail.
            let _ = self.mail_factor_removed(&email).await;
        }
        self.ports.accounts.settle(&account, self.now()).await?;
        self.forget_failures(&email).await
    }

    /// Counts a sign-in as failed before it is tried, so that no more than so many are tried at
    /// once.
    async fn count_failure(&self, email: &Email) -> Result<Mark> {
        self.write_in(&journal(email), |journal, now| {
            if journal.in_a_row >= FAILURES_IN_A_ROW {
                return Err(BeakError::Forbidden(
                    "too many wrong passwords in a row: set a new one with `forgot` and `reset`",
                ));
            }
            let recent = journal.marks.iter().filter(|mark| now - mark.at < FAILURE_WINDOW);
            let mut recent = recent.peekable();
            let oldest = recent.peek().map_or(now, |mark| mark.at);
            if recent.count() >= FAILURES {
                let left = oldest + FAILURE_WINDOW - now;
                return Err(BeakError::RateLimited { retry_after: left.max(Duration::SECOND) });
            }
            let mark = Mark { at: now, what: FAILURE.into() };
            journal.marks.push(mark.clone());
            journal.in_a_row += 1;
            journal.until = now + MEMORY;
            Ok(mark)
        })
        .await
    }

    /// Takes a failure back: it was a success, or it could not be found out.
    async fn uncount_failure(&self, email: &Email, mark: &Mark, success: bool) -> Result<()> {
        self.write_in(&journal(email), |journal, _| {
            if let Some(at) = journal.marks.iter().position(|kept| kept == mark) {
                journal.marks.remove(at);
            }
            journal.in_a_row = if success { 0 } else { journal.in_a_row.saturating_sub(1) };
            Ok(())
        })
        .await
    }

    async fn forget_failures(&self, email: &Email) -> Result<()> {
        self.write_in(&journal(email), |journal, _| {
            journal.marks.clear();
            journal.in_a_row = 0;
            Ok(())
        })
        .await
    }
}
