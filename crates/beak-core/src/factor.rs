//! A second factor: one-time passwords by time (TOTP, RFC 6238) and recovery codes.

use std::fmt;

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use time::{Duration, OffsetDateTime};
use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::error::{BeakError, Result};
use crate::person::{Email, OtpCode, hex};
use crate::ports::AccountId;
use crate::sealed::{HomeSecret, decrypt, encrypt};

/// A time step, in seconds. Many apps know no other one, nor another hash than SHA-1.
const STEP: u64 = 30;

/// How many recovery codes come with a factor.
pub const RECOVERY_CODES: usize = 10;

/// A password reset removes only a factor that is younger than this: the reader of the mailbox
/// may undo a fresh enrolment, and can't remove a factor that its owner has used for a while.
pub const RESET_REMOVES_WITHIN: Duration = Duration::hours(72);

/// The secret that an app and the galaxy share. It can't be shown but by [`TotpSecret::base32`].
pub struct TotpSecret(Zeroizing<[u8; 20]>);

impl TotpSecret {
    /// A secret from randomness, as long as RFC 4226 recommends.
    #[must_use]
    pub fn new(random: [u8; 20]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// As apps read it.
    #[must_use]
    pub fn base32(&self) -> String {
        BASE32_NOPAD.encode(self.0.as_slice())
    }

    /// As apps read it from a QR code: the "Key Uri Format" of Google Authenticator. By hand, since
    /// the library would bring all of IDNA for it.
    #[must_use]
    pub fn uri(&self, email: &Email) -> String {
        let (secret, email) = (self.base32(), percent(email.as_str()));
        let issuer = "Space%20Duck";
        format!(
            "otpauth://totp/{issuer}:{email}?secret={secret}&issuer={issuer}\
             &algorithm=SHA1&digits=6&period={STEP}"
        )
    }

    /// The code of a time step.
    pub fn code(&self, step: u64) -> Result<OtpCode> {
        OtpCode::parse(&self.totp().generate(step * STEP).to_string())
    }

    /// With the library's defaults, which are those of the apps.
    fn totp(&self) -> Totp {
        Builder::new().with_secret(Secret::from(*self.0)).build_noncompliant()
    }

    /// The time step within one of now that a code is of, if it comes after the last one used.
    pub fn step_of(&self, code: &OtpCode, now: OffsetDateTime, last: u64) -> Result<Option<u64>> {
        let current = u64::try_from(now.unix_timestamp()).unwrap_or_default() / STEP;
        let mut found = None;
        for step in current.saturating_sub(1)..=current + 1 {
            let right = self.code(step)?.expose().as_bytes().ct_eq(code.expose().as_bytes());
            if bool::from(right) && step > last && found.is_none() {
                found = Some(step);
            }
        }
        Ok(found)
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = |byte: u8| {
        if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(encoded).collect()
}

/// A code for when the app is gone: sixty random bits, good for one use.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

impl RecoveryCode {
    /// A code from randomness.
    #[must_use]
    pub fn new(random: [u8; 8]) -> Self {
        let mut letters = BASE32_NOPAD.encode(&random).to_lowercase();
        letters.truncate(12);
        Self(letters)
    }

    /// As it is shown, once.
    #[must_use]
    pub fn shown(&self) -> String {
        let groups: Vec<_> = self.0.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
        groups.join("-")
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

/// What a person types as a second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactorCode {
    /// Of an app.
    Totp(OtpCode),
    /// One of the ten.
    Recovery(RecoveryCode),
}

impl FactorCode {
    /// Reads a code. Spaces, dashes and upper case are ignored.
    pub fn parse(text: &str) -> Result<Self> {
        let kept = text.chars().filter(|c| !matches!(c, ' ' | '-'));
        let folded: String = kept.flat_map(char::to_lowercase).take(13).collect();
        let letters = |c: u8| c.is_ascii_lowercase() || (b'2'..=b'7').contains(&c);
        if text.len() <= 32 && folded.len() == 12 && folded.bytes().all(letters) {
            return Ok(Self::Recovery(RecoveryCode(folded)));
        }
        let unfit = |_| {
            let message = "a code has six digits, a recovery code twelve letters and digits";
            BeakError::invalid("code", message)
        };
        OtpCode::parse(text).map(Self::Totp).map_err(unfit)
    }
}

/// The keys that secrets of factors are sealed with at rest, and recovery codes hashed with.
pub(crate) struct FactorKeys {
    seal: Zeroizing<[u8; 32]>,
    hash: Zeroizing<[u8; 32]>,
}

impl FactorKeys {
    /// From the home's secret alone: these outlive every rotation of the keys of tokens.
    pub(crate) fn new(secret: &HomeSecret) -> Result<Self> {
        let seal = secret.derive(&[], b"spaceduck secrets of factors")?;
        Ok(Self { seal, hash: secret.derive(&[], b"spaceduck recovery codes")? })
    }

    /// Seals a secret for an account. The nonce is random.
    pub(crate) fn seal(
        &self,
        secret: &TotpSecret,
        account: &AccountId,
        nonce: [u8; 24],
    ) -> Result<String> {
        let sealed = encrypt(&self.seal, nonce, secret.0.as_slice(), account.as_str().as_bytes())?;
        Ok(BASE64URL_NOPAD.encode(&[nonce.as_slice(), &sealed].concat()))
    }

    /// Opens a secret that was sealed for an account.
    pub(crate) fn open(&self, sealed: &str, account: &AccountId) -> Result<TotpSecret> {
        let opened = || {
            let bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
            let (nonce, sealed) = bytes.split_first_chunk::<24>()?;
            let secret = decrypt(&self.seal, *nonce, sealed, account.as_str().as_bytes())?;
            secret.as_slice().try_into().ok().map(TotpSecret::new)
        };
        opened().ok_or_else(|| BeakError::Damaged("the secret of a factor can't be opened".into()))
    }

    /// How a recovery code is kept. Keyed, so that what is kept says nothing without the home's
    /// secret.
    pub(crate) fn hash(&self, code: &RecoveryCode, account: &AccountId) -> Result<String> {
        let mac = Hmac::<Sha256>::new_from_slice(self.hash.as_slice());
        let mut mac = mac.map_err(|error| BeakError::Internal(error.to_string()))?;
        mac.update(format!("{} {}", account.as_str(), code.0).as_bytes());
        Ok(hex(&mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).expect("a time")
    }

    fn secret() -> TotpSecret {
        TotpSecret::new(*b"12345678901234567890")
    }

    /// RFC 6238, appendix B, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = seconds / STEP;
            assert_eq!(secret().code(step).expect("a code").expose(), code);
        }
    }

    #[test]
    fn a_step_either_way_is_close_enough_and_the_past_is_not() {
        let (secret, now) = (secret(), 2_000_000_010);
        let step = u64::try_from(now).expect("positive") / STEP;
        let found = |step, last| {
            let code = secret.code(step).expect("a code");
            secret.step_of(&code, at(now), last).expect("looked for")
        };
        for near in [step - 1, step, step + 1] {
            assert_eq!(found(near, 0), Some(near));
            assert_eq!(found(near, near - 1), Some(near));
            assert_eq!(found(near, near), None);
        }
        assert_eq!((found(step - 2, 0), found(step + 2, 0)), (None, None));
    }

    #[test]
    fn typed_codes_are_read_kindly() {
        let code = RecoveryCode::new([0xff; 8]);
        assert_eq!(code.shown(), "7777-7777-7777");
        let other = RecoveryCode::new(*b"duckduck");
        assert_eq!(other.shown().len(), 14);
        let typed = format!(" {} ", other.shown().to_uppercase().replace('-', " "));
        assert_eq!(FactorCode::parse(&typed), Ok(FactorCode::Recovery(other)));
        let six = FactorCode::parse("123 456");
        assert_eq!(six, OtpCode::parse("123456").map(FactorCode::Totp));
        for bad in
            ["", "12345", "1234567", "abcd-efgh-ijk1", "abcd-efgh-ijkl-m", "ａｂｃｄefghijkl"]
        {
            let error = FactorCode::parse(bad).expect_err(bad);
            assert_eq!((error.code(), error.field()), ("invalid_request", Some("code")), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_sealed_for_its_account() {
        let keys = FactorKeys::new(&HomeSecret::new(b"x".to_vec())).expect("keys");
        let (own, other) = (AccountId::new("a"), AccountId::new("b"));
        let sealed = keys.seal(&secret(), &own, [7; 24]).expect("sealed");
        assert_eq!(keys.open(&sealed, &own).map(|s| s.base32()), Ok(secret().base32()));
        assert!(keys.open(&sealed, &other).is_err());
        let code = RecoveryCode::new([1; 8]);
        assert_ne!(keys.hash(&code, &own), keys.hash(&code, &other));
        let shown = format!("{:?}{code:?}", secret());
        assert!(!shown.contains(&secret().base32()) && !shown.contains(&code.shown()), "{shown}");
    }

    #[test]
    fn an_app_reads_the_uri() {
        let email = Email::parse("a+b@example.com").expect("an address");
        assert_eq!(
            secret().uri(&email),
            "otpauth://totp/Space%20Duck:a%2Bb%40example.com\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Space%20Duck\
             &algorithm=SHA1&digits=6&period=30"
        );
    }
}
