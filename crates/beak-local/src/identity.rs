//! Passwords and codes of people, in the local galaxy. Sessions need no place here: the galaxy
//! seals tokens, and which of them count is in its own state.
//!
//! Passwords are argon2id with the parameters of its authors' recommendation for interactive use
//! (19 MiB, two passes: OWASP's first choice as well). Codes are kept as SHA-256.

mod moves;
mod passwords;

use std::sync::Arc;

use async_trait::async_trait;
use beak_core::mail::Mail;
use beak_core::person::{CODE_LIFETIME, Email, OtpCode, Password, hex};
use beak_core::ports::{AccountId, Clock, Entered, Entropy, Identity, Renewed, Session, SignedUp};
use beak_core::{BeakError, OffsetDateTime, Result};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

pub(crate) use self::moves::{move_in, move_out, people, unknown_password};
use self::passwords::{Hashers, code_hash, hash, matches};
use crate::db::{Db, PEOPLE, Span, Writing};
use crate::outbox;
use crate::store::accounts::{is_settled, settle};
use crate::store::{Millis, millis, sign_ins};

#[derive(Serialize, Deserialize)]
pub(crate) struct PersonRow {
    /// The account's id; empty until an upgrade gives it one.
    #[serde(default)]
    pub(crate) account: String,
    password: String,
    pub(crate) confirmed: bool,
    pub(crate) operator: bool,
    code: Option<CodeRow>,
}

/// What became of a new operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// The account has the password that was given.
    New,
    /// A person is an operator now.
    Member,
    /// It was so before.
    Already,
}

/// The id of a new account.
pub(crate) fn new_account() -> Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| BeakError::Internal(error.to_string()))?;
    Ok(format!("acc_{}", hex(&random)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    Hatch,
    Reset,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct CodeRow {
    purpose: Purpose,
    hash: String,
    until: Millis,
}

/// People, kept in the database.
pub(crate) struct LocalIdentity {
    db: Arc<Db>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// A hash of no password: compared with where there is no account, so that the time says
    /// nothing about whether there is one.
    decoy: String,
    hashers: Hashers,
}

impl LocalIdentity {
    pub(crate) fn new(
        db: Arc<Db>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self> {
        let mut nothing = [0; 32];
        entropy.fill(&mut nothing)?;
        let decoy = hash(&nothing)?;
        Ok(Self { db, clock, entropy, decoy, hashers: Hashers::new()? })
    }

    /// Makes an operator. The password is for an account that is new, or whose own password the
    /// reader of the mailbox never chose.
    pub(crate) async fn add_operator(&self, email: &Email, password: &str) -> Result<Joined> {
        let hash = self.hash(password.to_owned()).await?;
        let (email, now) = (email.clone(), millis(self.clock.now()));
        let added = self.db.write(move |txn| {
            let kept = person(txn, &email)?.filter(|person| person.confirmed);
            let account = kept.as_ref().map_or_else(new_account, |row| Ok(row.account.clone()))?;
            let is_new = kept.is_none();
            if let Some(row) = kept
                && is_settled(txn, &account)?
            {
                // A token says whether its holder was an operator when it was made.
                if !row.operator {
                    sign_ins::raise(txn, &email, false)?;
                }
                txn.put(PEOPLE, email.as_str(), &PersonRow { operator: true, ..row })?;
                return Ok(if row.operator { Joined::Already } else { Joined::Member });
            }
            settle(txn, &account, now)?;
            sign_ins::raise(txn, &email, is_new)?;
            let (confirmed, operator, code) = (true, true, None);
            let row = PersonRow { account, password: hash, confirmed, operator, code };
            txn.put(PEOPLE, email.as_str(), &row)?;
            Ok(Joined::New)
        });
        added.await
    }

    /// Whether this person has a password that counts.
    pub(crate) async fn has_password(&self, email: Email) -> Result<bool> {
        let settled = move |txn: &Writing| match person(txn, &email)? {
            Some(row) if row.confirmed => is_settled(txn, &row.account),
            _ => Ok(false),
        };
        self.db.write(settled).await
    }

    /// Makes an operator a person. Whether it was one.
    pub(crate) async fn remove_operator(&self, email: &Email) -> Result<bool> {
        let email = email.clone();
        let changed = self.db.write(move |txn| {
            let row = person(txn, &email)?.filter(|row| row.confirmed && row.operator);
            let Some(row) = row else { return Ok(false) };
            txn.put(PEOPLE, email.as_str(), &PersonRow { operator: false, ..row })?;
            sign_ins::raise(txn, &email, false).map(|()| true)
        });
        changed.await
    }

    /// Removes a person's second factor and ends the person's tokens. Whether there was one.
    pub(crate) async fn reset_factor(&self, email: &Email) -> Result<bool> {
        let email = email.clone();
        self.db.write(move |txn| sign_ins::forget_factor(txn, &email)).await
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

    async fn hash(&self, password: String) -> Result<String> {
        self.hashers.run(move || hash(password.as_bytes())).await
    }

    async fn matches(&self, password: String, kept: String) -> Result<bool> {
        self.hashers.run(move || matches(password.as_bytes(), &kept)).await
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
}

fn person(txn: &Writing, email: &Email) -> Result<Option<PersonRow>> {
    txn.get(PEOPLE, email.as_str())
}

/// Whether a code is right. How often one may be tried is the galaxy's to count.
fn is_right(code: Option<&CodeRow>, hash: &str, purpose: Purpose, now: Millis) -> bool {
    let code = code.filter(|code| code.purpose == purpose && code.until > now);
    code.is_some_and(|code| bool::from(code.hash.as_bytes().ct_eq(hash.as_bytes())))
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
            match person(txn, &email)? {
                Some(person) if person.confirmed => return Ok(SignedUp::Known),
                Some(_) => return Ok(SignedUp::Waiting),
                None => {}
            }
            let account = new_account()?;
            let made = AccountId::new(account.as_str());
            let (confirmed, operator, code_row) = (false, false, Some(row));
            let row = PersonRow { account, password, confirmed, operator, code: code_row };
            txn.put(PEOPLE, email.as_str(), &row)?;
            outbox::post(txn, &Mail::code(email, &code)?, now)?;
            Ok(SignedUp::Made(made))
        });
        signed_up.await
    }

    async fn confirm(&self, email: &Email, code: &OtpCode) -> Result<Option<AccountId>> {
        let (hash, now) = (code_hash(email, code), millis(self.clock.now()));
        let email = email.clone();
        let confirmed = self.db.write(move |txn| {
            let row = person(txn, &email)?.filter(|row| !row.confirmed);
            let Some(mut row) = row else { return Ok(None) };
            if !is_right(row.code.as_ref(), &hash, Purpose::Hatch, now) {
                return Ok(None);
            }
            (row.confirmed, row.code) = (true, None);
            txn.put(PEOPLE, email.as_str(), &row)?;
            Ok(Some(AccountId::new(row.account)))
        });
        confirmed.await
    }

    async fn set_password(
        &self,
        email: &Email,
        account: &AccountId,
        new: &Password,
    ) -> Result<bool> {
        let password = self.hash(new.expose().to_owned()).await?;
        let (email, account) = (email.clone(), account.clone());
        let set = self.db.write(move |txn| {
            let row = person(txn, &email)?;
            let row = row.filter(|row| row.confirmed && row.account == account.as_str());
            let Some(row) = row else { return Ok(false) };
            txn.put(PEOPLE, email.as_str(), &PersonRow { password, ..row })?;
            Ok(true)
        });
        set.await
    }

    /// There is nothing to end: a session is the galaxy's token.
    async fn sign_out_all(&self, _: &Email, _: &AccountId) -> Result<()> {
        Ok(())
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

    async fn sign_in(&self, email: &Email, password: &Password) -> Result<Option<Entered>> {
        let row = self.db.read(|txn| txn.get::<PersonRow>(PEOPLE, email.as_str()))?;
        let row = row.filter(|row| row.confirmed);
        let kept = row.as_ref().map_or(&self.decoy, |row| &row.password).clone();
        let right = self.matches(password.expose().to_owned(), kept).await?;
        let Some(row) = row.filter(|_| right) else { return Ok(None) };
        let (account, session) = (AccountId::new(row.account), Session::default());
        Ok(Some(Entered { account, operator: row.operator, session }))
    }

    async fn renew(
        &self,
        email: &Email,
        account: &AccountId,
        _: &Session,
    ) -> Result<Option<Renewed>> {
        let row = self.db.read(|txn| txn.get::<PersonRow>(PEOPLE, email.as_str()))?;
        let row = row.filter(|row| row.confirmed && row.account == account.as_str());
        Ok(row.map(|row| Renewed { operator: row.operator }))
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
        self.db.write(move |txn| txn.remove(PEOPLE, &email).map(|_| ())).await
    }

    async fn reset(
        &self,
        email: &Email,
        code: &OtpCode,
        new: &Password,
    ) -> Result<Option<AccountId>> {
        let password = self.hash(new.expose().to_owned()).await?;
        let (hash, now) = (code_hash(email, code), millis(self.clock.now()));
        let email = email.clone();
        let reset = self.db.write(move |txn| {
            let row = person(txn, &email)?.filter(|row| row.confirmed);
            let Some(mut row) = row else { return Ok(None) };
            if !is_right(row.code.as_ref(), &hash, Purpose::Reset, now) {
                return Ok(None);
            }
            (row.password, row.code) = (password, None);
            txn.put(PEOPLE, email.as_str(), &row)?;
            Ok(Some(AccountId::new(row.account)))
        });
        reset.await
    }

    /// An upgrade has settled the accounts of earlier releases before the first call.
    async fn is_older(&self, _: &AccountId, _: OffsetDateTime) -> Result<bool> {
        Ok(false)
    }
}
