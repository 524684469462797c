//! Passwords, codes and tokens of people, in the local galaxy.
//!
//! Passwords are argon2id with the parameters of its authors' recommendation for interactive use
//! (19 MiB, two passes: OWASP's first choice as well). Codes and tokens are kept as SHA-256.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use beak_core::mail::Mail;
use beak_core::person::{CODE_LIFETIME, Email, OtpCode, Password, hex};
use beak_core::ports::{Clock, Confirmed, Entropy, Identity, Person, SignedUp, Tokens};
use beak_core::{BeakError, Duration, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use crate::db::{Db, PEOPLE, Span, TOKENS, Writing};
use crate::outbox;
use crate::store::{Millis, millis};

const ACCESS_LIFETIME: Duration = Duration::minutes(60);
const REFRESH_LIFETIME: Duration = Duration::days(30);

#[derive(Serialize, Deserialize)]
struct PersonRow {
    password: String,
    confirmed: bool,
    operator: bool,
    code: Option<CodeRow>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Purpose {
    Hatch,
    Reset,
}

#[derive(Serialize, Deserialize)]
struct CodeRow {
    purpose: Purpose,
    hash: String,
    until: Millis,
}

#[derive(Serialize, Deserialize)]
struct TokenRow {
    email: String,
    refresh: bool,
    until: Millis,
}

/// People, kept in the database.
pub(crate) struct LocalIdentity {
    db: Arc<Db>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// A hash of no password: compared with where there is no account, so that the time says
    /// nothing about whether there is one.
    nobody: String,
    /// Each hash takes 19 MiB; more at once than cores only takes memory.
    turns: Semaphore,
}

impl LocalIdentity {
    pub(crate) fn new(
        db: Arc<Db>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self> {
        let mut nothing = [0; 32];
        entropy.fill(&mut nothing)?;
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let nobody = hash(&nothing)?;
        Ok(Self { db, clock, entropy, nobody, turns: Semaphore::new(cores) })
    }

    /// Makes an operator who needs no code, unless the address is confirmed: a sign-up that waits
    /// for its code has a password that nobody has vouched for. Whether it was made.
    pub(crate) async fn add_operator(&self, email: &Email, password: &str) -> Result<bool> {
        let hash = self.hash(password.to_owned()).await?;
        let email = email.clone();
        let added = self.db.write(move |txn| {
            if person(txn, &email)?.is_some_and(|person| person.confirmed) {
                return Ok(false);
            }
            let row = PersonRow { password: hash, confirmed: true, operator: true, code: None };
            txn.put(PEOPLE, email.as_str(), &row)?;
            Ok(true)
        });
        added.await
    }

    /// Makes a person an operator, or an operator a person. Whether that was a change.
    pub(crate) async fn set_operator(&self, email: &Email, operator: bool) -> Result<bool> {
        let email = email.clone();
        let changed = self.db.write(move |txn| {
            let row = person(txn, &email)?.filter(|row| row.confirmed && row.operator != operator);
            let Some(mut row) = row else { return Ok(false) };
            row.operator = operator;
            txn.put(PEOPLE, email.as_str(), &row)?;
            Ok(true)
        });
        changed.await
    }

    /// The operators' addresses.
    pub(crate) fn operators(&self) -> Result<Vec<String>> {
        let all = Span { from: "", to: "\u{7f}", backwards: false, limit: usize::MAX };
        let people = self.db.read(|txn| txn.list::<PersonRow>(PEOPLE, &all))?;
        Ok(people.into_iter().filter(|(_, row)| row.operator).map(|(email, _)| email).collect())
    }

    /// Whether the address is known.
    pub(crate) fn knows(&self, email: &Email) -> Result<bool> {
        Ok(self.db.read(|txn| txn.get::<PersonRow>(PEOPLE, email.as_str()))?.is_some())
    }

    /// Forgets tokens that have lapsed.
    pub(crate) async fn tidy(&self) -> Result<()> {
        let now = millis(self.clock.now());
        self.db.write(move |txn| txn.retain(TOKENS, |row: &TokenRow| row.until > now)).await
    }

    async fn hash(&self, password: String) -> Result<String> {
        let _turn = self.turn().await?;
        off_thread(move || hash(password.as_bytes())).await
    }

    async fn matches(&self, password: String, kept: String) -> Result<bool> {
        let _turn = self.turn().await?;
        off_thread(move || {
            let kept = PasswordHash::new(&kept).map_err(unreadable)?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &kept).is_ok())
        })
        .await
    }

    async fn turn(&self) -> Result<tokio::sync::SemaphorePermit<'_>> {
        self.turns.acquire().await.map_err(|error| BeakError::Internal(error.to_string()))
    }

    fn code(&self) -> Result<OtpCode> {
        let mut random = [0; 4];
        self.entropy.fill(&mut random)?;
        Ok(OtpCode::new(random))
    }

    fn code_row(&self, email: &Email, code: &OtpCode, purpose: Purpose) -> CodeRow {
        let until = millis(self.clock.now() + CODE_LIFETIME);
        CodeRow { purpose, hash: code_hash(email, code), until }
    }

    /// Writes down a new token and gives its text.
    fn token(&self) -> Result<String> {
        let mut random = [0; 32];
        self.entropy.fill(&mut random)?;
        Ok(format!("sda_{}", URL_SAFE_NO_PAD.encode(random)))
    }

    async fn grant(&self, email: String, refresh: bool) -> Result<Tokens> {
        let now = self.clock.now();
        let access = self.token()?;
        let renewal = if refresh { Some(self.token()?) } else { None };
        let (access_hash, renewal_hash) = (sha256(&access), renewal.as_deref().map(sha256));
        let written = self.db.write(move |txn| {
            let until = millis(now + ACCESS_LIFETIME);
            let row = TokenRow { email: email.clone(), refresh: false, until };
            txn.put(TOKENS, &access_hash, &row)?;
            if let Some(hash) = renewal_hash {
                let until = millis(now + REFRESH_LIFETIME);
                txn.put(TOKENS, &hash, &TokenRow { email, refresh: true, until })?;
            }
            Ok(())
        });
        written.await?;
        Ok(Tokens { access, refresh: renewal, expires_in: ACCESS_LIFETIME })
    }

    fn holder(&self, token: &str, refresh: bool) -> Result<Option<String>> {
        let row = self.db.read(|txn| txn.get::<TokenRow>(TOKENS, &sha256(token)))?;
        let now = millis(self.clock.now());
        Ok(row.filter(|row| row.refresh == refresh && row.until > now).map(|row| row.email))
    }
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| BeakError::Internal(error.to_string()))?
}

fn hash(password: &[u8]) -> Result<String> {
    Ok(Argon2::default().hash_password(password).map_err(unreadable)?.to_string())
}

fn unreadable(error: impl std::fmt::Display) -> BeakError {
    BeakError::Internal(format!("a password hash: {error}"))
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn code_hash(email: &Email, code: &OtpCode) -> String {
    sha256(&format!("{} {}", email.as_str(), code.expose()))
}

fn person(txn: &Writing, email: &Email) -> Result<Option<PersonRow>> {
    txn.get(PEOPLE, email.as_str())
}

/// Compares a code. How often one may be tried is the galaxy's to count, and `Yes` leaves it to the
/// caller to use the code up.
fn judge(code: Option<&CodeRow>, hash: &str, purpose: Purpose, now: Millis) -> Confirmed {
    let code = code.filter(|code| code.purpose == purpose && code.until > now);
    match code {
        Some(code) if bool::from(code.hash.as_bytes().ct_eq(hash.as_bytes())) => Confirmed::Yes,
        _ => Confirmed::No,
    }
}

#[async_trait]
impl Identity for LocalIdentity {
    async fn sign_up(&self, email: &Email, password: &Password) -> Result<SignedUp> {
        // Hashed in every case, so that the time says nothing about the address.
        let password = self.hash(password.expose().to_owned()).await?;
        let (code, now) = (self.code()?, self.clock.now());
        let row = self.code_row(email, &code, Purpose::Hatch);
        let email = email.clone();
        let signed_up = self.db.write(move |txn| {
            if person(txn, &email)?.is_some_and(|person| person.confirmed) {
                return Ok(SignedUp::Known);
            }
            let row = PersonRow { password, confirmed: false, operator: false, code: Some(row) };
            txn.put(PEOPLE, email.as_str(), &row)?;
            outbox::post(txn, &Mail::code(email, &code)?, now)?;
            Ok(SignedUp::CodeSent)
        });
        signed_up.await
    }

    async fn confirm(&self, email: &Email, code: &OtpCode) -> Result<Confirmed> {
        let (hash, now) = (code_hash(email, code), millis(self.clock.now()));
        let email = email.clone();
        let confirmed = self.db.write(move |txn| {
            let Some(mut row) = person(txn, &email)? else { return Ok(Confirmed::No) };
            let judged = judge(row.code.as_ref(), &hash, Purpose::Hatch, now);
            if judged == Confirmed::Yes {
                // The code stays: should the process end before the egg has hatched, the same code
                // finishes it. Once hatched there is no egg left that it could open.
                row.confirmed = true;
                txn.put(PEOPLE, email.as_str(), &row)?;
            }
            Ok(judged)
        });
        confirmed.await
    }

    async fn resend(&self, email: &Email) -> Result<()> {
        let (code, now) = (self.code()?, self.clock.now());
        let new = self.code_row(email, &code, Purpose::Hatch);
        let email = email.clone();
        let sent = self.db.write(move |txn| {
            let row = person(txn, &email)?.filter(|row| !row.confirmed);
            let Some(mut row) = row else { return Ok(()) };
            row.code = Some(new);
            txn.put(PEOPLE, email.as_str(), &row)?;
            outbox::post(txn, &Mail::code(email, &code)?, now)
        });
        sent.await
    }

    async fn sign_in(&self, email: &Email, password: &Password) -> Result<Option<Tokens>> {
        let row = self.db.read(|txn| txn.get::<PersonRow>(PEOPLE, email.as_str()))?;
        let row = row.filter(|row| row.confirmed);
        let kept = row.as_ref().map_or(&self.nobody, |row| &row.password).clone();
        let right = self.matches(password.expose().to_owned(), kept).await?;
        if row.is_none() || !right {
            return Ok(None);
        }
        self.grant(email.as_str().to_owned(), true).await.map(Some)
    }

    async fn refresh(&self, refresh_token: &str) -> Result<Option<Tokens>> {
        match self.holder(refresh_token, true)? {
            Some(email) => self.grant(email, false).await.map(Some),
            None => Ok(None),
        }
    }

    async fn sign_out(&self, access_token: &str) -> Result<()> {
        let Some(email) = self.holder(access_token, false)? else { return Ok(()) };
        self.db.write(move |txn| txn.retain(TOKENS, |row: &TokenRow| row.email != email)).await
    }

    async fn who(&self, access_token: &str) -> Result<Option<Person>> {
        let Some(email) = self.holder(access_token, false)? else { return Ok(None) };
        let row = self.db.read(|txn| txn.get::<PersonRow>(PEOPLE, &email))?;
        let Some(row) = row.filter(|row| row.confirmed) else { return Ok(None) };
        Ok(Some(Person { email: Email::parse(&email)?, operator: row.operator }))
    }

    async fn forgot(&self, email: &Email) -> Result<()> {
        let (code, now) = (self.code()?, self.clock.now());
        let new = self.code_row(email, &code, Purpose::Reset);
        let email = email.clone();
        let sent = self.db.write(move |txn| {
            let row = person(txn, &email)?.filter(|row| row.confirmed);
            let Some(mut row) = row else { return Ok(()) };
            row.code = Some(new);
            txn.put(PEOPLE, email.as_str(), &row)?;
            outbox::post(txn, &Mail::code(email, &code)?, now)
        });
        sent.await
    }

    async fn delete(&self, email: &Email) -> Result<()> {
        let email = email.as_str().to_owned();
        let deleted = self.db.write(move |txn| {
            txn.remove(PEOPLE, &email)?;
            txn.retain(TOKENS, |token: &TokenRow| token.email != email)
        });
        deleted.await
    }

    async fn reset(&self, email: &Email, code: &OtpCode, new: &Password) -> Result<Confirmed> {
        let password = self.hash(new.expose().to_owned()).await?;
        let (hash, now) = (code_hash(email, code), millis(self.clock.now()));
        let email = email.clone();
        let reset = self.db.write(move |txn| {
            let Some(mut row) = person(txn, &email)? else { return Ok(Confirmed::No) };
            let judged = judge(row.code.as_ref(), &hash, Purpose::Reset, now);
            if judged == Confirmed::Yes {
                row.password = password;
                row.code = None;
                txn.retain(TOKENS, |token: &TokenRow| token.email != email.as_str())?;
                txn.put(PEOPLE, email.as_str(), &row)?;
            }
            Ok(judged)
        });
        reset.await
    }
}
