//! The tokens of people: sealed by the galaxy, opened before any port is called, and compared with
//! the generation of their address. See `docs/adr/0028-sealed-tokens-and-a-second-factor.md`.

use std::sync::{Arc, Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

use super::Galaxy;
use super::guesses::ROUNDS;
use crate::error::{BeakError, Result};
use crate::person::Email;
use crate::ports::{AccountId, Journal, Mark, SealingUse, Session, SignInState};
use crate::sealed::{Claims, Keyring, Opened, PREVIOUS_OPENS_FOR, Token, TokenKind};

/// How long an access token is good for.
pub(super) const ACCESS_LIFETIME: Duration = Duration::minutes(60);
/// How long a refresh token is good for. The previous sealing key opens as long.
pub(super) const REFRESH_LIFETIME: Duration = PREVIOUS_OPENS_FOR;
/// How long a challenge waits for its code.
pub(super) const CHALLENGE_LIFETIME: Duration = Duration::minutes(5);

/// How long keys are kept that were read: so long a dropped one may still open.
const KEYS_GOOD_FOR: Duration = Duration::seconds(60);
/// How often a token that names an unknown key may have the keys read again.
const UNKNOWN_KEY_EVERY: Duration = Duration::seconds(5);
/// How old a sealing key gets.
const ROTATE_AFTER: Duration = Duration::days(90);
/// The journal of the salts of sealing keys, the current one last.
const SEALING: &str = "sealing";
/// How long that journal is kept: for good, as far as keys go.
const KEPT: Duration = Duration::days(3650);
/// How long what happened to a state of signing in is remembered.
pub(super) const DAY: Duration = Duration::hours(24);

/// What a person signs in with from then on.
pub struct Tokens {
    /// For the `Authorization` header.
    pub access: String,
    /// For new access tokens; none in the answer to a refresh.
    pub refresh: Option<String>,
    /// How long the access token is good.
    pub expires_in: Duration,
}

/// The keys as they were read, and when.
pub(super) type KeptKeys = Mutex<Option<(OffsetDateTime, Arc<Keyring>)>>;

impl Galaxy {
    /// Opens a token that is for this, without calling any port: but for the keys, which are read
    /// once a minute, and at most every five seconds for tokens that name unknown ones.
    async fn open(&self, purpose: TokenKind, text: &str) -> Result<Option<Opened>> {
        let Some(token) = Token::parse(text) else { return Ok(None) };
        let now = self.now();
        let kept = self.keys_seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((at, keys)) = kept else {
            return Ok(self.read_keyring().await?.open(purpose, &token, now));
        };
        let opened = keys.open(purpose, &token, now);
        let is_known = keys.knows(&token, now);
        let stale_after = match (&opened, is_known) {
            (None, true) => return Ok(None),
            (Some(_), _) => KEYS_GOOD_FOR,
            (None, false) => UNKNOWN_KEY_EVERY,
        };
        if (now - at).abs() < stale_after {
            return Ok(opened);
        }
        Ok(self.read_keyring().await?.open(purpose, &token, now))
    }

    async fn keyring(&self) -> Result<Arc<Keyring>> {
        let kept = self.keys_seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match kept.filter(|(at, _)| (self.now() - *at).abs() < KEYS_GOOD_FOR) {
            Some((_, keys)) => Ok(keys),
            None => self.read_keyring().await,
        }
    }

    async fn read_keyring(&self) -> Result<Arc<Keyring>> {
        let secret = self.ports.sealing.secret(SealingUse::Tokens).await?;
        let journal = self.sealing_journal().await?;
        let keys = Arc::new(Keyring::new(&secret, &journal.marks)?);
        let seen = Some((self.now(), Arc::clone(&keys)));
        *self.keys_seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(keys)
    }

    /// The salts of the sealing keys; the first call of all makes one.
    async fn sealing_journal(&self) -> Result<Journal> {
        for _ in 0..ROUNDS {
            if let Some(journal) = self.ports.journals.journal(SEALING).await? {
                return Ok(journal);
            }
            let (name, marks, now) = (SEALING.to_owned(), vec![self.salt()?], self.now());
            let first = Journal { name, version: 1, until: now + KEPT, marks, in_a_row: 0 };
            if self.ports.journals.write_journal(&first).await? {
                return Ok(first);
            }
        }
        Err(BeakError::Unavailable("the first sealing key could not be made".into()))
    }

    fn salt(&self) -> Result<Mark> {
        Ok(Mark { at: self.now(), what: Keyring::salt(self.random()?, self.random()?) })
    }

    /// Replaces the sealing key once it is old. The one before it opens for another while.
    pub(super) async fn rotate_sealing_key(&self) -> Result<()> {
        let mut journal = self.sealing_journal().await?;
        let now = self.now();
        let Some(current) = journal.marks.pop().filter(|mark| now - mark.at >= ROTATE_AFTER) else {
            return Ok(());
        };
        journal.marks = vec![current, self.salt()?];
        (journal.version, journal.until) = (journal.version + 1, now + KEPT);
        // Lost: another sweep has made one.
        self.ports.journals.write_journal(&journal).await.map(|_| ())
    }

    /// Opens a token and compares it with the state of its address: one read, and none for a token
    /// that is not ours, has lapsed or is for something else.
    pub(super) async fn checked(
        &self,
        purpose: TokenKind,
        text: &str,
    ) -> Result<(Opened, SignInState)> {
        let opened = self.open(purpose, text).await?.ok_or(BeakError::Unauthorized)?;
        let state = self.sign_in_state(&opened.claims.email).await?;
        if state.generation == opened.claims.generation {
            return Ok((opened, state));
        }
        Err(BeakError::Unauthorized)
    }

    async fn seal(
        &self,
        purpose: TokenKind,
        claims: &Claims,
        good_for: Duration,
    ) -> Result<String> {
        let expires_at = self.now() + good_for;
        let claims = Claims { expires_at, ..claims.clone() };
        self.keyring().await?.seal(purpose, &claims, self.random()?)
    }

    /// Both tokens of a person who has signed in.
    pub(super) async fn tokens(&self, claims: &Claims) -> Result<Tokens> {
        let refresh = self.seal(TokenKind::Refresh, claims, REFRESH_LIFETIME).await?;
        let access = Claims { session: Session::default(), ..claims.clone() };
        Ok(Tokens { refresh: Some(refresh), ..self.access(&access).await? })
    }

    async fn access(&self, claims: &Claims) -> Result<Tokens> {
        let access = self.seal(TokenKind::Access, claims, ACCESS_LIFETIME).await?;
        Ok(Tokens { access, refresh: None, expires_in: ACCESS_LIFETIME })
    }

    /// What a person has until the second factor is shown.
    pub(super) async fn challenge(&self, claims: &Claims) -> Result<String> {
        self.seal(TokenKind::Challenge, claims, CHALLENGE_LIFETIME).await
    }

    /// A new access token for a refresh token.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Tokens> {
        let (Opened { claims, .. }, _) = self.checked(TokenKind::Refresh, refresh_token).await?;
        let Claims { email, account, session, .. } = &claims;
        let renewed = self.ports.identity.renew(email, account, session).await?;
        let operator = renewed.ok_or(BeakError::Unauthorized)?.operator;
        // Of the refresh token's generation: what ended that one meanwhile ends this one as well.
        self.access(&Claims { operator, session: Session::default(), ..claims }).await
    }

    /// The state of an address; a new one where there is none.
    pub(super) async fn sign_in_state(&self, email: &Email) -> Result<SignInState> {
        let address = email.sha256();
        let kept = self.ports.sign_ins.sign_in_state(&address).await?;
        Ok(kept.unwrap_or(SignInState {
            address,
            version: 0,
            generation: 0,
            factor: None,
            enrolment: None,
            marks: Vec::new(),
            until: None,
        }))
    }

    /// Changes the state of an address, over again when another call was faster. An error of
    /// `change` leaves it as it is.
    pub(super) async fn change_sign_in<T>(
        &self,
        email: &Email,
        change: impl Fn(&mut SignInState, OffsetDateTime) -> Result<T> + Send,
    ) -> Result<T> {
        for _ in 0..ROUNDS {
            let mut state = self.sign_in_state(email).await?;
            let now = self.now();
            state.marks.retain(|mark| now - mark.at < DAY);
            let before = state.clone();
            let answer = change(&mut state, now)?;
            if state == before {
                return Ok(answer);
            }
            state.version += 1;
            if self.ports.sign_ins.write_sign_in_state(&state).await? {
                return Ok(answer);
            }
        }
        Err(BeakError::Unavailable("a state of signing in was written again and again".into()))
    }

    /// Ends all tokens of an address.
    pub(super) async fn raise(
        &self,
        email: &Email,
        change: impl Fn(&mut SignInState, OffsetDateTime) + Send + Sync,
    ) -> Result<()> {
        let raised = self.change_sign_in(email, |state, now| {
            (state.generation, state.until) = (state.generation + 1, None);
            change(state, now);
            Ok(())
        });
        raised.await
    }

    /// Ends all tokens of an address and all sessions behind them, with a change of its state.
    /// Raised before and after: a process that ends in between has ended the tokens, and a session
    /// that began in between ends with them.
    pub(super) async fn end_sessions(
        &self,
        email: &Email,
        account: &AccountId,
        change: impl Fn(&mut SignInState, OffsetDateTime) + Send + Sync,
    ) -> Result<()> {
        self.raise(email, change).await?;
        self.ports.identity.sign_out_all(email, account).await?;
        self.raise(email, |_, _| ()).await
    }

    /// Ends the tokens of an address whose account goes, and forgets its second factor.
    pub(super) async fn end_account(&self, email: &Email) -> Result<()> {
        let ended = self.raise(email, |state, now| {
            forget_factor(state);
            // No token outlives this, nor does a sign-in that was under way.
            state.until = Some(now + REFRESH_LIFETIME + DAY);
        });
        ended.await
    }

    /// Ends all tokens of a person.
    pub async fn sign_out(&self, access_token: &str) -> Result<()> {
        let (Opened { claims, .. }, _) = self.checked(TokenKind::Access, access_token).await?;
        self.end_sessions(&claims.email, &claims.account, |_, _| ()).await
    }
}

/// Leaves no trace of a second factor, nor of one that was begun.
pub(super) fn forget_factor(state: &mut SignInState) {
    (state.factor, state.enrolment) = (None, None);
    state.marks.clear();
}
