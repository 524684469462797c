//! A second factor: enrolling, removing, and the second step of signing in.

use time::{Duration, OffsetDateTime};

use super::Galaxy;
use super::sessions::{CHALLENGE_LIFETIME, DAY, Tokens};
use crate::error::{BeakError, Result};
use crate::factor::{FactorCode, FactorKeys, RECOVERY_CODES, RecoveryCode, TotpSecret};
use crate::mail::Mail;
use crate::person::{Email, Password};
use crate::ports::{AccountId, Enrolment, Factor, Mark, Person, SealingUse, SignInState};
use crate::sealed::{Claims, TokenKind};

/// How many wrong codes end a challenge.
const TRIES: usize = 5;
/// How many wrong codes an account has in a day, over all challenges.
const TRIES_A_DAY: usize = 20;
/// How long an enrolment waits for its first code.
const ENROLMENT_LIFETIME: Duration = Duration::minutes(15);

const TRY: &str = "try ";
const DONE: &str = "done ";

/// What a right password gives.
pub enum SignedIn {
    /// The person is in.
    Tokens(Tokens),
    /// A second factor is to be shown.
    Challenge {
        /// Identifies this sign-in until then.
        session: String,
        /// How long it waits.
        expires_in: Duration,
    },
}

/// How a person's second factor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactorState {
    /// Since when there is one; `None` without.
    pub enrolled_at: Option<OffsetDateTime>,
    /// How many recovery codes are left.
    pub recovery_codes_left: usize,
}

/// A factor that waits for its first code.
pub struct Enrolling {
    /// As it is typed into an app.
    pub secret: String,
    /// As an app reads it from a QR code.
    pub otpauth_uri: String,
}

/// A factor that counts from now on.
pub struct Enrolled {
    /// Shown once.
    pub recovery_codes: Vec<RecoveryCode>,
    /// Why the mail about it was not sent, if it was not.
    pub unsent: Option<BeakError>,
}

/// What a code is shown for.
#[derive(Clone, Copy)]
enum Showing<'a> {
    /// A challenge, by the id of its token.
    Challenge(&'a str),
    /// The person's own account, while signed in.
    Own,
}

/// A code that was shown, and when.
struct Shown<'a> {
    code: &'a FactorCode,
    keys: &'a FactorKeys,
    at: OffsetDateTime,
}

impl Galaxy {
    /// Tokens, or, where the account has a second factor, a challenge.
    pub(super) async fn first_step(&self, claims: Claims, state: &SignInState) -> Result<SignedIn> {
        if state.factor_of(&claims.account).is_none() {
            return self.tokens(&claims).await.map(SignedIn::Tokens);
        }
        let (session, expires_in) = (self.challenge(&claims).await?, CHALLENGE_LIFETIME);
        Ok(SignedIn::Challenge { session, expires_in })
    }

    /// The second step of signing in.
    pub async fn sign_in_totp(&self, session: &str, code: &FactorCode) -> Result<Tokens> {
        let (opened, _) = self.checked(TokenKind::Challenge, session).await?;
        let (id, claims) = (opened.id, opened.claims);
        let keys = self.factor_keys().await?;
        let used = self.change_sign_in(&claims.email, |state, now| {
            // Ended meanwhile.
            if state.generation != claims.generation {
                return Err(BeakError::Unauthorized);
            }
            let shown = Shown { code, keys: &keys, at: now };
            use_code(state, &claims.account, &shown, Showing::Challenge(&id))
        });
        if used.await? { self.tokens(&claims).await } else { Err(BeakError::OtpMismatch) }
    }

    /// How a person's second factor is.
    pub async fn factor(&self, person: &Person) -> Result<FactorState> {
        let state = self.sign_in_state(&person.email).await?;
        let factor = state.factor_of(&person.account);
        Ok(FactorState {
            enrolled_at: factor.map(|factor| factor.enrolled_at),
            recovery_codes_left: factor.map_or(0, |factor| factor.recovery.len()),
        })
    }

    /// Begins to enrol a second factor. One that was begun before is forgotten.
    pub async fn begin_factor(&self, person: &Person, password: &Password) -> Result<Enrolling> {
        self.check_password(person, password).await?;
        let secret = TotpSecret::new(self.random()?);
        let sealed = self.factor_keys().await?.seal(&secret, &person.account, self.random()?)?;
        let begun = self.change_sign_in(&person.email, |state, now| {
            if state.factor_of(&person.account).is_some() {
                return Err(enrolled_already());
            }
            let (account, secret) = (person.account.clone(), sealed.clone());
            state.enrolment = Some(Enrolment { account, secret, begun_at: now });
            Ok(())
        });
        begun.await?;
        Ok(Enrolling { secret: secret.base32(), otpauth_uri: secret.uri(&person.email) })
    }

    /// Ends the enrolment by the first code of the app, and all tokens with it: from now on signing
    /// in takes the second factor.
    pub async fn confirm_factor(&self, person: &Person, code: &FactorCode) -> Result<Enrolled> {
        let keys = self.factor_keys().await?;
        let mut codes = Vec::with_capacity(RECOVERY_CODES);
        let mut hashes = Vec::with_capacity(RECOVERY_CODES);
        for _ in 0..RECOVERY_CODES {
            let code = RecoveryCode::new(self.random()?);
            hashes.push(keys.hash(&code, &person.account)?);
            codes.push(code);
        }
        let confirmed = self.change_sign_in(&person.email, |state, now| {
            confirm(state, person, &Shown { code, keys: &keys, at: now }, &hashes)
        });
        if !confirmed.await? {
            return Err(BeakError::OtpMismatch);
        }
        self.ports.identity.sign_out_all(&person.email, &person.account).await?;
        self.raise(&person.email, |_, _| ()).await?;
        let unsent = self.mail(&Mail::factor_enrolled(person.email.clone())?).await.err();
        Ok(Enrolled { recovery_codes: codes, unsent })
    }

    /// Removes the second factor, and ends all tokens. Why the mail about it was not sent, if it
    /// was not.
    pub async fn remove_factor(
        &self,
        person: &Person,
        password: &Password,
        code: &FactorCode,
    ) -> Result<Option<BeakError>> {
        self.check_password(person, password).await?;
        let keys = self.factor_keys().await?;
        let removed = self.change_sign_in(&person.email, |state, now| {
            if state.factor_of(&person.account).is_none() {
                return Err(BeakError::NotFound("second factor"));
            }
            let shown = Shown { code, keys: &keys, at: now };
            let right = use_code(state, &person.account, &shown, Showing::Own)?;
            if right {
                super::sessions::forget_factor(state);
                state.generation += 1;
            }
            Ok(right)
        });
        if !removed.await? {
            return Err(BeakError::OtpMismatch);
        }
        self.ports.identity.sign_out_all(&person.email, &person.account).await?;
        self.raise(&person.email, |_, _| ()).await?;
        Ok(self.mail_factor_removed(&person.email).await)
    }

    pub(super) async fn mail_factor_removed(&self, email: &Email) -> Option<BeakError> {
        match Mail::factor_removed(email.clone()) {
            Ok(mail) => self.mail(&mail).await.err(),
            Err(error) => Some(error),
        }
    }

    async fn factor_keys(&self) -> Result<FactorKeys> {
        FactorKeys::new(&self.ports.sealing.secret(SealingUse::Factors).await?)
    }
}

fn enrolled_already() -> BeakError {
    BeakError::AlreadyExists("this account has a second factor already; remove it first")
}

/// Counts a code and says whether it is right. A right one works once.
fn use_code(
    state: &mut SignInState,
    account: &AccountId,
    shown: &Shown<'_>,
    showing: Showing<'_>,
) -> Result<bool> {
    let Shown { code, keys, at: now } = *shown;
    let id = match showing {
        Showing::Challenge(id) => id,
        Showing::Own => "own",
    };
    let (tried, done) = (format!("{TRY}{id}"), format!("{DONE}{id}"));
    if let Showing::Challenge(_) = showing {
        let count = state.marks.iter().filter(|mark| mark.what == tried).count();
        if count >= TRIES || state.marks.iter().any(|mark| mark.what == done) {
            return Err(BeakError::Unauthorized);
        }
    }
    spare(state, now)?;
    let factor = state.factor.as_mut().filter(|factor| factor.account == *account);
    let factor = factor.ok_or(BeakError::Unauthorized)?;
    let right = match code {
        FactorCode::Totp(code) => {
            let step = keys.open(&factor.secret, account)?.step_of(code, now, factor.last_step)?;
            factor.last_step = step.unwrap_or(factor.last_step);
            step.is_some()
        }
        FactorCode::Recovery(code) => {
            let hash = keys.hash(code, account)?;
            let left = factor.recovery.len();
            // What is compared are keyed hashes: their timing says nothing of the codes.
            factor.recovery.retain(|kept| *kept != hash);
            factor.recovery.len() < left
        }
    };
    state.marks.push(Mark { at: now, what: if right { done } else { tried } });
    Ok(right)
}

/// Refuses another try once the day's budget is used up.
fn spare(state: &SignInState, now: OffsetDateTime) -> Result<()> {
    let mut tries = state.marks.iter().filter(|mark| mark.what.starts_with(TRY)).peekable();
    let oldest = tries.peek().map_or(now, |mark| mark.at);
    if tries.count() < TRIES_A_DAY {
        return Ok(());
    }
    Err(BeakError::RateLimited { retry_after: (oldest + DAY - now).max(Duration::SECOND) })
}

/// Makes a factor of an enrolment, if the code is right, and ends all tokens.
fn confirm(
    state: &mut SignInState,
    person: &Person,
    shown: &Shown<'_>,
    hashes: &[String],
) -> Result<bool> {
    let Shown { code, keys, at: now } = *shown;
    if state.factor_of(&person.account).is_some() {
        return Err(enrolled_already());
    }
    let own = |enrolment: &&Enrolment| {
        enrolment.account == person.account && now - enrolment.begun_at < ENROLMENT_LIFETIME
    };
    let enrolment = state.enrolment.as_ref().filter(own).cloned();
    let enrolment = enrolment.ok_or(BeakError::Conflict {
        status: None,
        message: "no second factor waits for its first code: begin with `POST /beak/me/totp`",
    })?;
    spare(state, now)?;
    let step = match code {
        FactorCode::Totp(code) => {
            keys.open(&enrolment.secret, &person.account)?.step_of(code, now, 0)?
        }
        FactorCode::Recovery(_) => None,
    };
    let Some(last_step) = step else {
        state.marks.push(Mark { at: now, what: format!("{TRY}enrolment") });
        return Ok(false);
    };
    state.factor = Some(Factor {
        account: person.account.clone(),
        secret: enrolment.secret,
        enrolled_at: now,
        last_step,
        recovery: hashes.to_vec(),
    });
    (state.enrolment, state.generation) = (None, state.generation + 1);
    Ok(true)
}
