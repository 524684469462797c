//! From an e-mail address to a duckling: hatch, verify, resend, and signing in.

use std::net::IpAddr;

use time::Duration;

use super::Galaxy;
use super::codes::Purpose;
use crate::certificate::{CertStatus, Certificate, Claims};
use crate::duckling::{Duckling, EGG_LIFETIME, Egg};
use crate::error::{BeakError, Result};
use crate::id::{CertId, DucklingId};
use crate::key::BeakKey;
use crate::mail::Mail;
use crate::person::{DisplayName, Email, OtpCode, Password};
use crate::ports::{Confirmed, Hatched, Hatching, SignedUp, Tokens, Turn};
use crate::tier::Tier;

/// What a hatch is asked with.
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

/// An address and the code that was sent there.
pub struct Verification {
    /// The address.
    pub email: Email,
    /// The code.
    pub code: OtpCode,
}

/// A new duckling with the only copy of its key.
pub struct Hatchling {
    /// The duckling.
    pub duckling: Duckling,
    /// Its certificate, as a compact JWS.
    pub certificate: String,
    /// Its key; nobody can read it again.
    pub key: BeakKey,
    /// Why the welcome mail was not sent, if it was not.
    pub unwelcomed: Option<BeakError>,
}

/// What signing in gives.
pub struct SignedIn {
    /// For the calls of a person.
    pub tokens: Tokens,
    /// The duckling, if its hatching had been interrupted and is finished now.
    pub hatched: Option<Hatchling>,
}

/// How long to wait between two codes.
const RESEND_EVERY: Duration = Duration::seconds(60);

impl Galaxy {
    /// Lays an egg and sends a code. The answer is the same for an address that has a duckling
    /// already; its owner gets a mail that says so. Gives why that was not sent, if it was not:
    /// for the log, and never for the caller, who would learn that the address is known.
    pub async fn hatch(&self, new: NewEgg) -> Result<Option<BeakError>> {
        self.check_captcha(&new.captcha_token, "hatch", new.from).await?;
        self.note_code(Purpose::Hatch, &new.email).await?;
        let now = self.now();
        let egg = Egg {
            email: new.email,
            display_name: new.display_name,
            created_at: now,
            expires_at: now + EGG_LIFETIME,
        };
        // The egg first: a confirmed address without an egg could never hatch.
        let room = self.ports.store.lay_egg(&egg).await?;
        let signed_up = self.ports.identity.sign_up(&egg.email, &new.password).await?;
        let mail = match (signed_up, room) {
            (SignedUp::CodeSent, _) => return Ok(None),
            (SignedUp::Known, false) => Mail::already_hatched(egg.email)?,
            // An operator, or somebody whose hatching or deletion was interrupted.
            (SignedUp::Known, true) => Mail::egg_waits(egg.email)?,
        };
        Ok(self.mail(&mail).await.err())
    }

    /// Code → duckling, Beak Key and certificate.
    pub async fn verify(&self, verification: &Verification) -> Result<Hatchling> {
        let Verification { email, code } = verification;
        let hatching = async {
            match self.ports.identity.confirm(email, code).await? {
                // No egg: the code was used.
                Confirmed::Yes => self.finish(email).await,
                Confirmed::No => Ok(None),
            }
        };
        self.try_code(Purpose::Hatch, email, hatching).await
    }

    /// Sends another code, at most once a minute for each address, known or not.
    pub async fn resend(&self, email: &Email) -> Result<()> {
        self.take_turn("resend", email).await?;
        self.note_code(Purpose::Hatch, email).await?;
        self.ports.identity.resend(email).await
    }

    /// Tokens for an address and its password. Finishes a hatching that was interrupted after the
    /// address had been confirmed: the password proves whose it is.
    pub async fn sign_in(&self, email: &Email, password: &Password) -> Result<SignedIn> {
        let tokens = self.ports.identity.sign_in(email, password).await?;
        let tokens = tokens.ok_or(BeakError::Unauthorized)?;
        let hatched = self.finish(email).await?;
        Ok(SignedIn { tokens, hatched })
    }

    /// Sends a code for a new password, at most once a minute for each address.
    pub async fn forgot(&self, email: &Email) -> Result<()> {
        self.take_turn("forgot", email).await?;
        self.note_code(Purpose::Reset, email).await?;
        self.ports.identity.forgot(email).await
    }

    /// Code → new password.
    pub async fn reset(&self, verification: &Verification, new: &Password) -> Result<()> {
        let Verification { email, code } = verification;
        let reset = async {
            let right = self.ports.identity.reset(email, code, new).await? == Confirmed::Yes;
            Ok(right.then_some(()))
        };
        self.try_code(Purpose::Reset, email, reset).await
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
        let passed = captcha.check(token, action, from).await?;
        if passed { Ok(()) } else { Err(BeakError::CaptchaFailed) }
    }

    /// `None`, or how long until the next mail of this kind to this address.
    pub(super) async fn turn(&self, what: &str, email: &Email) -> Result<Option<Duration>> {
        let name = format!("{what}#{}", email.sha256());
        let turn = Turn { name, now: self.now(), every: RESEND_EVERY };
        self.ports.store.take_turn(&turn).await
    }

    async fn take_turn(&self, what: &str, email: &Email) -> Result<()> {
        match self.turn(what, email).await? {
            None => Ok(()),
            Some(retry_after) => Err(BeakError::RateLimited { retry_after }),
        }
    }

    /// Hatches the egg of a confirmed address; `None` if there is none.
    async fn finish(&self, email: &Email) -> Result<Option<Hatchling>> {
        let now = self.now();
        let egg = self.ports.store.egg(email).await?;
        let Some(egg) = egg.filter(|egg| egg.is_alive(now)) else { return Ok(None) };
        let key = BeakKey::new(self.random()?);
        let id = DucklingId::new(now, self.random()?);
        let claims = self.claims(&id, &egg.email, egg.display_name.as_str(), Tier::T0)?;
        let certificate = self.certify(claims).await?;
        let hatching = Hatching::new(egg, certificate, &key, now);
        if self.ports.store.hatch(&hatching).await? == Hatched::Lost {
            return Ok(None);
        }
        let Hatching { duckling, certificate } = hatching;
        // It has hatched and the key is to be shown now: a mail that fails must not hide that.
        let unwelcomed = self.welcome(&duckling).await.err();
        Ok(Some(Hatchling { duckling, certificate: certificate.compact, key, unwelcomed }))
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
