//! From an e-mail address to a duckling: hatch, verify, resend.
//!
//! The code proves the mailbox, and whoever presents it decides: no order of other people's calls,
//! and no crash between two of ours, lets a password or a name take effect that the reader of the
//! mailbox did not choose. See `docs/adr/0023-one-address-several-hatches.md`.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use super::Galaxy;
use super::guesses::{Guesser, Purpose};
use super::sessions::forget_factor;
use crate::access::counted;
use crate::certificate::{CertStatus, Certificate, Claims};
use crate::duckling::{Duckling, EGG_LIFETIME, Egg};
use crate::error::{BeakError, Result};
use crate::id::{CertId, DucklingId, HatchId};
use crate::key::BeakKey;
use crate::mail::Mail;
use crate::person::{DisplayName, Email, OtpCode, Password, hex};
use crate::ports::{AccountId, Attempt, Hatched, Hatching, Person, SignedUp};
use crate::tier::Tier;

/// What a hatch takes.
pub struct NewEgg {
    /// Whose.
    pub email: Email,
    /// For signing in later.
    pub password: Password,
    /// How it will be called.
    pub display_name: DisplayName,
    /// From the captcha.
    pub captcha_token: String,
    /// Where the call came from, if the home knows.
    pub from: Option<IpAddr>,
}

/// What a hatch gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Laid {
    /// Names this attempt in `verify` and `resend`.
    pub hatch_id: HatchId,
    /// Why a mail to the owner of a known address was not sent, if it was not: for the log, and
    /// never for the caller, who would learn that the address is known.
    pub unsent: Option<BeakError>,
}

/// What another code is asked for with.
pub struct Resend {
    /// Whose.
    pub email: Email,
    /// The attempt that the code belongs to. Without one a captcha is needed.
    pub hatch_id: Option<HatchId>,
    /// From the captcha.
    pub captcha_token: Option<String>,
    /// Where the call came from, if the home knows.
    pub from: Option<IpAddr>,
}

/// What a verify takes.
pub struct Verification {
    /// The address.
    pub email: Email,
    /// The code that was sent there.
    pub code: OtpCode,
    /// The attempt that this belongs to; without it the newest one from the same client.
    pub hatch_id: Option<HatchId>,
    /// The password, whatever any hatch said.
    pub password: Option<Password>,
    /// The name, whatever any hatch said.
    pub display_name: Option<DisplayName>,
    /// Where the call came from, if the home knows.
    pub from: Option<IpAddr>,
}

/// A new duckling with the only copy of its key.
pub struct Hatchling {
    /// The duckling.
    pub duckling: Duckling,
    /// Its certificate, as a compact JWS.
    pub certificate: String,
    /// Its key; it can't be read again.
    pub key: BeakKey,
    /// Whether its owner has to set a password before signing in.
    pub needs_password: bool,
    /// Why the welcome mail was not sent, if it was not.
    pub unwelcomed: Option<BeakError>,
}

/// The name of a duckling for which the reader of the mailbox chose none.
const NAMELESS: &str = "Duckling";

impl Galaxy {
    /// Records an attempt and sends a code. The answer is the same for an address that has a
    /// duckling already; its owner gets a mail that says so.
    pub async fn hatch(&self, new: NewEgg) -> Result<Laid> {
        self.ports.identity.accepts(&new.password)?;
        self.check_captcha(&new.captcha_token, "hatch", new.from).await?;
        let now = self.now();
        let attempt = Attempt {
            id: HatchId::new(now, self.random()?),
            address: new.email.sha256(),
            from: client(&new.email, new.from),
            display_name: new.display_name.clone(),
            at: now,
        };
        // Before the account is made: an account whose making is not on record keeps no password.
        self.ports.accounts.note_attempt(&attempt).await?;
        // An account is settled if it is older than this, so this comes before the first account.
        self.ports.accounts.settles_since(now).await?;
        let egg = Egg {
            email: new.email.clone(),
            display_name: new.display_name,
            created_at: now,
            expires_at: now + EGG_LIFETIME,
        };
        self.ports.store.lay_egg(&egg).await?;
        let mut unsent = None;
        if self.take_code(Purpose::Hatch, &new.email, None).await? {
            match self.sign_up(&attempt.id, &new.email, &new.password).await {
                Ok(outcome) => unsent = outcome,
                Err(error) => {
                    self.untake_code(Purpose::Hatch, &new.email).await?;
                    return Err(error);
                }
            }
        }
        Ok(Laid { hatch_id: attempt.id, unsent })
    }

    async fn sign_up(
        &self,
        attempt: &HatchId,
        email: &Email,
        password: &Password,
    ) -> Result<Option<BeakError>> {
        let mail = match self.ports.identity.sign_up(email, password).await? {
            SignedUp::Made(account) => {
                self.ports.accounts.note_maker(&account, attempt).await?;
                return Ok(None);
            }
            SignedUp::Waiting => {
                self.ports.identity.resend(email).await?;
                return Ok(None);
            }
            SignedUp::Unsent => return Ok(None),
            SignedUp::Known => match self.ports.store.duckling_by_email(email).await? {
                Some(duckling) if !duckling.is_leaving => Mail::already_hatched(email.clone())?,
                // An operator, or a person whose hatching or deletion was interrupted.
                _ => Mail::account_without_duckling(email.clone())?,
            },
        };
        Ok(self.mail(&mail).await.err())
    }

    /// Hatches a duckling for a person who has signed in and has none.
    pub async fn hatch_for(&self, person: &Person, name: DisplayName) -> Result<Hatchling> {
        let hatched = self.hatch_account(&person.email, person.account.clone(), name).await?;
        hatched.ok_or(BeakError::AlreadyExists("this account has a duckling already"))
    }

    /// Code → duckling, Beak Key and certificate.
    pub async fn verify(&self, verification: Verification) -> Result<Hatchling> {
        let Verification { email, code, hatch_id, password, display_name, from } = verification;
        if let Some(password) = &password {
            self.ports.identity.accepts(password)?;
        }
        let attempt = self.attempt_of(&email, hatch_id.as_ref(), from).await?;
        let guess = self.guess(Purpose::Hatch, &email, Guesser::Of(attempt.as_ref())).await?;
        if let Some(refusal) = guess.refusal() {
            return Err(refusal);
        }
        let account = match self.ports.identity.confirm(&email, &code).await {
            Ok(account) => account.ok_or(BeakError::OtpMismatch)?,
            Err(error) => {
                self.take_back(&guess).await?;
                return Err(error);
            }
        };
        // The code is used up. A crash from here on leaves an account that is not settled, which
        // only a new password opens.
        let maker = self.ports.accounts.maker(&account).await?;
        let own = attempt.filter(|attempt| maker.as_ref() == Some(&attempt.id));
        let needs_password = match password {
            Some(chosen) => !self.choose_password(&email, &account, &chosen).await?,
            None if own.is_some() => false,
            None => {
                self.set_random_password(&email, &account).await?;
                true
            }
        };
        // Once is enough, behind the password and ahead of the hatching: no token is given for an
        // account that is not settled, and a sign-in that is under way with an earlier password
        // has read the generation that ends here. What is left of a second factor is a former
        // account's.
        self.raise(&email, |state, _| forget_factor(state)).await?;
        self.ports.identity.sign_out_all(&email, &account).await?;
        let name = match (display_name, own) {
            (Some(name), _) => name,
            (None, Some(own)) => own.display_name,
            (None, None) => DisplayName::parse(NAMELESS)?,
        };
        let hatched = self.hatch_account(&email, account, name).await?;
        let hatchling = hatched.ok_or(BeakError::AlreadyExists(
            "this address has a duckling already; set a new password and sign in",
        ))?;
        // Best effort: the attempts of a confirmed address decide nothing any more.
        let _ = self.ports.accounts.forget_attempts(&email.sha256()).await;
        Ok(Hatchling { needs_password, ..hatchling })
    }

    /// Sends another code. Inside the cooldown the answer is the same and no mail is sent.
    pub async fn resend(&self, asked: Resend) -> Result<()> {
        let Resend { email, hatch_id, captcha_token, from } = asked;
        let attempt = match &hatch_id {
            Some(id) => self.ports.accounts.attempt(&email.sha256(), id).await?,
            None => None,
        };
        if attempt.is_none() {
            self.check_captcha(&captcha_token.unwrap_or_default(), "hatch", from).await?;
        }
        if !self.take_code(Purpose::Hatch, &email, None).await? {
            return Ok(());
        }
        let sent = self.ports.identity.resend(&email).await;
        if sent.is_err() {
            self.untake_code(Purpose::Hatch, &email).await?;
        }
        sent
    }

    /// The attempt that a verify belongs to.
    async fn attempt_of(
        &self,
        email: &Email,
        hatch_id: Option<&HatchId>,
        from: Option<IpAddr>,
    ) -> Result<Option<Attempt>> {
        let address = email.sha256();
        match (hatch_id, client(email, from)) {
            (Some(id), _) => self.ports.accounts.attempt(&address, id).await,
            (None, Some(from)) => self.ports.accounts.newest_attempt(&address, &from).await,
            (None, None) => Ok(None),
        }
    }

    /// Sets the password that came with the code. `false` where a user pool with a stricter policy
    /// than ours refused it: the code is used up by then, so a random one takes its place.
    async fn choose_password(
        &self,
        email: &Email,
        account: &AccountId,
        chosen: &Password,
    ) -> Result<bool> {
        match self.ports.identity.set_password(email, account, chosen).await {
            Ok(true) => Ok(true),
            Ok(false) => Err(BeakError::OtpMismatch),
            Err(BeakError::WeakPassword(_)) => {
                self.set_random_password(email, account).await?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn set_random_password(&self, email: &Email, account: &AccountId) -> Result<()> {
        let random = Password::random(self.random()?);
        let is_there = self.ports.identity.set_password(email, account, &random).await?;
        if is_there { Ok(()) } else { Err(BeakError::OtpMismatch) }
    }

    /// Closed on failure: without a captcha that answers, nobody gets in.
    pub(super) async fn check_captcha(
        &self,
        token: &str,
        action: &str,
        from: Option<IpAddr>,
    ) -> Result<()> {
        let closed = || BeakError::Unavailable("no captcha is set up".into());
        let captcha = self.ports.captcha.as_ref().ok_or_else(closed)?;
        let passed = !token.is_empty() && captcha.check(token, action, from).await?;
        if passed { Ok(()) } else { Err(BeakError::CaptchaFailed) }
    }

    /// Hatches a duckling and settles the account in one transaction; `None` if the address has
    /// its duckling.
    async fn hatch_account(
        &self,
        email: &Email,
        account: AccountId,
        name: DisplayName,
    ) -> Result<Option<Hatchling>> {
        let now = self.now();
        let key = BeakKey::new(self.random()?);
        let id = DucklingId::new(now, self.random()?);
        let claims = self.claims(&id, email, name.as_str(), Tier::T0)?;
        let certificate = self.certify(claims).await?;
        let duckling = Duckling::hatched(email.clone(), name, &certificate, &key, now);
        let hatching = Hatching { account, duckling, certificate };
        if self.ports.store.hatch(&hatching).await? == Hatched::Lost {
            let former = self.ports.store.duckling_by_email(email).await?;
            if former.is_some_and(|former| former.is_leaving) {
                let message = "the former duckling of this address is still being deleted; \
                    sign in and hatch again in a few minutes";
                return Err(BeakError::Conflict { status: None, message });
            }
            return Ok(None);
        }
        let Hatching { duckling, certificate, .. } = hatching;
        // It has hatched and the key is to be shown now: a mail that fails must not hide that.
        let unwelcomed = self.welcome(&duckling).await.err();
        let (certificate, needs_password) = (certificate.compact, false);
        Ok(Some(Hatchling { duckling, certificate, key, needs_password, unwelcomed }))
    }

    async fn welcome(&self, duckling: &Duckling) -> Result<()> {
        self.mail(&Mail::welcome(duckling)?).await
    }

    pub(super) fn claims(
        &self,
        id: &DucklingId,
        email: &Email,
        name: &str,
        tier: Tier,
    ) -> Result<Claims> {
        let now = self.now();
        Ok(Claims {
            issuer: self.settings.issuer.clone(),
            duckling_id: id.clone(),
            cert_id: CertId::new(now, self.random()?),
            // A JWT's times are whole seconds, RFC 7519 section 2.
            issued_at: now.replace_nanosecond(0).unwrap_or(now),
            name: name.to_owned(),
            email_sha256: email.sha256(),
            tier,
        })
    }

    pub(super) async fn certify(&self, claims: Claims) -> Result<Certificate> {
        let compact = self.ports.authority.issue(&claims).await?;
        Ok(Certificate {
            id: claims.cert_id,
            duckling_id: claims.duckling_id,
            name: claims.name,
            tier: claims.tier,
            status: CertStatus::Valid,
            issued_at: claims.issued_at,
            compact,
        })
    }
}

/// The digest of a client's address, of use for one e-mail address only. `None` where the home
/// does not know the client: then nothing can be said of two calls being from the same one.
pub(super) fn client(email: &Email, from: Option<IpAddr>) -> Option<String> {
    let from = counted(Some(from?));
    Some(hex(&Sha256::digest(format!("{} {from}", email.sha256()).as_bytes())))
}
