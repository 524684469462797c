//! Which tokens of an address count, and its second factor.

use async_trait::async_trait;
use beak_core::Result;
use beak_core::person::Email;
use beak_core::ports::{AccountId, Enrolment, Factor, Mark, SignInState, SignIns};
use serde::{Deserialize, Serialize};

use super::RedbStore;
use super::rows::{Millis, millis, moment};
use crate::db::{SIGN_INS, Writing};

#[derive(Default, Serialize, Deserialize)]
struct SignInRow {
    version: u64,
    generation: u64,
    factor: Option<FactorRow>,
    enrolment: Option<EnrolmentRow>,
    marks: Vec<(Millis, String)>,
    until: Option<Millis>,
}

#[derive(Serialize, Deserialize)]
struct FactorRow {
    account: String,
    secret: String,
    enrolled_at: Millis,
    last_step: u64,
    recovery: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct EnrolmentRow {
    account: String,
    secret: String,
    begun_at: Millis,
}

impl From<&SignInState> for SignInRow {
    fn from(state: &SignInState) -> Self {
        let factor = |factor: &Factor| FactorRow {
            account: factor.account.as_str().to_owned(),
            secret: factor.secret.clone(),
            enrolled_at: millis(factor.enrolled_at),
            last_step: factor.last_step,
            recovery: factor.recovery.clone(),
        };
        let enrolment = |enrolment: &Enrolment| EnrolmentRow {
            account: enrolment.account.as_str().to_owned(),
            secret: enrolment.secret.clone(),
            begun_at: millis(enrolment.begun_at),
        };
        Self {
            version: state.version,
            generation: state.generation,
            factor: state.factor.as_ref().map(factor),
            enrolment: state.enrolment.as_ref().map(enrolment),
            marks: state.marks.iter().map(|mark| (millis(mark.at), mark.what.clone())).collect(),
            until: state.until.map(millis),
        }
    }
}

impl SignInRow {
    fn read(self, address: &str) -> Result<SignInState> {
        let factor = |row: FactorRow| {
            Ok(Factor {
                account: AccountId::new(row.account),
                secret: row.secret,
                enrolled_at: moment(row.enrolled_at)?,
                last_step: row.last_step,
                recovery: row.recovery,
            })
        };
        let enrolment = |row: EnrolmentRow| {
            let (account, begun_at) = (AccountId::new(row.account), moment(row.begun_at)?);
            Ok(Enrolment { account, secret: row.secret, begun_at })
        };
        let mark = |(at, what)| Ok(Mark { at: moment(at)?, what });
        Ok(SignInState {
            address: address.to_owned(),
            version: self.version,
            generation: self.generation,
            factor: self.factor.map(factor).transpose()?,
            enrolment: self.enrolment.map(enrolment).transpose()?,
            marks: self.marks.into_iter().map(mark).collect::<Result<_>>()?,
            until: self.until.map(moment).transpose()?,
        })
    }
}

/// Ends all tokens of an address, for commands. The second factor of a former account of the
/// address is forgotten where this one is new.
pub(crate) fn raise(txn: &Writing, email: &Email, is_new: bool) -> Result<()> {
    let mut row = txn.get::<SignInRow>(SIGN_INS, &email.sha256())?.unwrap_or_default();
    if is_new {
        (row.factor, row.enrolment) = (None, None);
        row.marks.clear();
    }
    (row.version, row.generation, row.until) = (row.version + 1, row.generation + 1, None);
    txn.put(SIGN_INS, &email.sha256(), &row)
}

/// Forgets the second factor of an address and ends all tokens. Whether there was one.
pub(crate) fn forget_factor(txn: &Writing, email: &Email) -> Result<bool> {
    let row = txn.get::<SignInRow>(SIGN_INS, &email.sha256())?.unwrap_or_default();
    let had = row.factor.is_some();
    if had {
        raise(txn, email, true)?;
    }
    Ok(had)
}

pub(super) fn tidy(txn: &Writing, now: Millis) -> Result<()> {
    txn.retain(SIGN_INS, |row: &SignInRow| row.until.is_none_or(|until| until > now))
}

#[async_trait]
impl SignIns for RedbStore {
    async fn sign_in_state(&self, address: &str) -> Result<Option<SignInState>> {
        let row = self.db.read(|txn| txn.get::<SignInRow>(SIGN_INS, address))?;
        row.map(|row| row.read(address)).transpose()
    }

    async fn write_sign_in_state(&self, state: &SignInState) -> Result<bool> {
        let (address, row) = (state.address.clone(), SignInRow::from(state));
        let written = self.db.write(move |txn| {
            let kept = txn.get::<SignInRow>(SIGN_INS, &address)?;
            if kept.map_or(0, |kept| kept.version) + 1 != row.version {
                return Ok(false);
            }
            txn.put(SIGN_INS, &address, &row)?;
            Ok(true)
        });
        written.await
    }
}
