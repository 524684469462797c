//! Crashes: a process that ends between two calls of its adapters.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::certificate::Claims;
use crate::error::{BeakError, Result};
use crate::galaxy::Ports;
use crate::id::HatchId;
use crate::person::{Email, OtpCode, Password};
use crate::ports::{
    AccountId, Accounts, Attempt, CertificateAuthority, Entered, Identity, Journal, Journals,
    PublicKey, Renewed, Sealing, SealingUse, Session, SignInState, SignIns, SignedUp,
};
use crate::sealed::HomeSecret;

/// Lets so many calls through; the one after them, and all that follow it, never happen.
pub(super) struct Fuse {
    inner: Ports,
    left: AtomicI64,
}

/// Adapters that a process loses after so many calls.
pub(super) fn fused(ports: &Ports, calls: i64) -> Ports {
    with_fuse(ports, calls).0
}

/// The same, and what blows it.
pub(super) fn with_fuse(ports: &Ports, calls: i64) -> (Ports, Arc<Fuse>) {
    let fuse = Arc::new(Fuse { inner: ports.clone(), left: AtomicI64::new(calls) });
    let fused = Ports {
        identity: Arc::clone(&fuse) as Arc<dyn Identity>,
        accounts: Arc::clone(&fuse) as Arc<dyn Accounts>,
        journals: Arc::clone(&fuse) as Arc<dyn Journals>,
        sign_ins: Arc::clone(&fuse) as Arc<dyn SignIns>,
        sealing: Arc::clone(&fuse) as Arc<dyn Sealing>,
        authority: Arc::clone(&fuse) as Arc<dyn CertificateAuthority>,
        ..ports.clone()
    };
    (fused, fuse)
}

impl Fuse {
    /// How many calls are left from now on.
    pub(super) fn leave(&self, calls: i64) {
        self.left.store(calls, Ordering::Relaxed);
    }

    /// How many are left.
    pub(super) fn left(&self) -> i64 {
        self.left.load(Ordering::Relaxed)
    }

    fn burn(&self) -> Result<&Ports> {
        if self.left.fetch_sub(1, Ordering::Relaxed) > 0 {
            return Ok(&self.inner);
        }
        Err(BeakError::Unavailable("the process has ended".into()))
    }
}

#[async_trait]
impl Identity for Fuse {
    fn accepts(&self, password: &Password) -> Result<()> {
        self.inner.identity.accepts(password)
    }

    async fn sign_up(&self, email: &Email, password: &Password) -> Result<SignedUp> {
        self.burn()?.identity.sign_up(email, password).await
    }

    async fn confirm(&self, email: &Email, code: &OtpCode) -> Result<Option<AccountId>> {
        self.burn()?.identity.confirm(email, code).await
    }

    async fn set_password(
        &self,
        email: &Email,
        account: &AccountId,
        new: &Password,
    ) -> Result<bool> {
        self.burn()?.identity.set_password(email, account, new).await
    }

    async fn sign_out_all(&self, email: &Email, account: &AccountId) -> Result<()> {
        self.burn()?.identity.sign_out_all(email, account).await
    }

    async fn resend(&self, email: &Email) -> Result<()> {
        self.burn()?.identity.resend(email).await
    }

    async fn sign_in(&self, email: &Email, password: &Password) -> Result<Option<Entered>> {
        self.burn()?.identity.sign_in(email, password).await
    }

    async fn renew(
        &self,
        email: &Email,
        account: &AccountId,
        session: &Session,
    ) -> Result<Option<Renewed>> {
        self.burn()?.identity.renew(email, account, session).await
    }

    async fn forgot(&self, email: &Email) -> Result<()> {
        self.burn()?.identity.forgot(email).await
    }

    async fn delete(&self, email: &Email) -> Result<()> {
        self.burn()?.identity.delete(email).await
    }

    async fn reset(
        &self,
        email: &Email,
        code: &OtpCode,
        new: &Password,
    ) -> Result<Option<AccountId>> {
        self.burn()?.identity.reset(email, code, new).await
    }

    async fn is_older(&self, account: &AccountId, than: OffsetDateTime) -> Result<bool> {
        self.burn()?.identity.is_older(account, than).await
    }
}

#[async_trait]
impl Accounts for Fuse {
    async fn note_attempt(&self, attempt: &Attempt) -> Result<()> {
        self.burn()?.accounts.note_attempt(attempt).await
    }

    async fn attempt(&self, address: &str, id: &HatchId) -> Result<Option<Attempt>> {
        self.burn()?.accounts.attempt(address, id).await
    }

    async fn newest_attempt(&self, address: &str, from: &str) -> Result<Option<Attempt>> {
        self.burn()?.accounts.newest_attempt(address, from).await
    }

    async fn forget_attempts(&self, address: &str) -> Result<()> {
        self.burn()?.accounts.forget_attempts(address).await
    }

    async fn note_maker(&self, account: &AccountId, attempt: &HatchId) -> Result<()> {
        self.burn()?.accounts.note_maker(account, attempt).await
    }

    async fn maker(&self, account: &AccountId) -> Result<Option<HatchId>> {
        self.burn()?.accounts.maker(account).await
    }

    async fn settle(&self, account: &AccountId, now: OffsetDateTime) -> Result<()> {
        self.burn()?.accounts.settle(account, now).await
    }

    async fn is_settled(&self, account: &AccountId, address: &str) -> Result<bool> {
        self.burn()?.accounts.is_settled(account, address).await
    }

    async fn forget_account(&self, account: &AccountId) -> Result<()> {
        self.burn()?.accounts.forget_account(account).await
    }

    async fn settles_since(&self, now: OffsetDateTime) -> Result<OffsetDateTime> {
        self.burn()?.accounts.settles_since(now).await
    }
}

#[async_trait]
impl Journals for Fuse {
    async fn journal(&self, name: &str) -> Result<Option<Journal>> {
        self.burn()?.journals.journal(name).await
    }

    async fn write_journal(&self, journal: &Journal) -> Result<bool> {
        self.burn()?.journals.write_journal(journal).await
    }
}

#[async_trait]
impl SignIns for Fuse {
    async fn sign_in_state(&self, address: &str) -> Result<Option<SignInState>> {
        self.burn()?.sign_ins.sign_in_state(address).await
    }

    async fn write_sign_in_state(&self, state: &SignInState) -> Result<bool> {
        self.burn()?.sign_ins.write_sign_in_state(state).await
    }
}

#[async_trait]
impl Sealing for Fuse {
    async fn secret(&self, of: SealingUse) -> Result<HomeSecret> {
        self.burn()?.sealing.secret(of).await
    }
}

#[async_trait]
impl CertificateAuthority for Fuse {
    async fn issue(&self, claims: &Claims) -> Result<String> {
        self.burn()?.authority.issue(claims).await
    }

    async fn read(&self, compact: &str) -> Result<Option<Claims>> {
        self.burn()?.authority.read(compact).await
    }

    async fn keys(&self) -> Result<Vec<PublicKey>> {
        self.burn()?.authority.keys().await
    }
}
