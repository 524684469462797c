//! What a person types: e-mail address, display name, password, one-time code.

use std::fmt;

use sha2::{Digest, Sha256};
use time::Duration;
use zeroize::Zeroize;

use crate::error::{BeakError, Result};
use crate::text;

/// An e-mail address, case-folded: one mailbox has one spelling here.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    /// Parses an address. Only the form is checked; the code by mail proves that it exists.
    /// Length: RFC 5321, 4.5.3.1.3, as an address of 254 octets.
    pub fn parse(text: &str) -> Result<Self> {
        let folded = text.trim().to_lowercase();
        let plain = |c: char| c.is_ascii_graphic() && !"<>()[]\\,;:\"".contains(c);
        let shaped = folded.split_once('@').is_some_and(|(local, domain)| {
            let labels = domain.split('.').collect::<Vec<_>>();
            !local.is_empty()
                && local.len() <= 64
                && !domain.contains('@')
                && labels.len() >= 2
                && labels.iter().all(|label| !label.is_empty() && !label.starts_with('-'))
        });
        if shaped && folded.len() <= 254 && folded.chars().all(plain) {
            return Ok(Self(folded));
        }
        Err(BeakError::invalid("email", "this is not an e-mail address"))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256, as certificates and guards carry it.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }
}

/// Addresses stay out of logs.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

/// How a duckling wants to be called: 1 to 64 characters, none of them hidden, the letters of one
/// script (UTS 39), in Unicode's form NFC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Reads a name; blanks around it are dropped.
    pub fn parse(text: &str) -> Result<Self> {
        let name = text::name(text, 64);
        name.map(Self).map_err(|why| BeakError::invalid("display_name", why))
    }

    /// A name that was accepted when it was kept, under rules that may have become stricter since.
    #[must_use]
    pub fn kept(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A password. It can't be shown and leaves no copy behind.
pub struct Password(String);

/// The most common passwords of twelve or more characters in public leaks.
const COMMON: [&str; 24] = [
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456789123",
    "1234567891011",
    "111111111111",
    "000000000000",
    "123123123123",
    "121212121212",
    "112233445566",
    "password1234",
    "password12345",
    "passwordpassword",
    "administrator",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyqwerty",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "abcdefghijkl",
    "abcd1234abcd",
    "iloveyou1234",
    "unknown12345",
    "letmeinletmein",
];

impl Password {
    /// Takes a new password: 12 to 128 characters, not common, not the address.
    /// No rules of composition: NIST SP 800-63B, 3.1.1.2. Compared as RFC 8265 says.
    pub fn parse(text: String, email: &Email) -> Result<Self> {
        let typed = Self(text);
        let unfit = "a password has no control characters and no invisible ones";
        let password = Self(text::opaque(&typed.0).ok_or(BeakError::WeakPassword(unfit))?);
        let folded = password.0.to_lowercase();
        let local = email.as_str().split('@').next().unwrap_or_default();
        let length = password.0.chars().count();
        let single = folded.chars().next().is_some_and(|c| folded.chars().all(|d| d == c));
        if length < 12 {
            return Err(BeakError::WeakPassword("a password has at least 12 characters"));
        }
        if length > 128 {
            return Err(BeakError::WeakPassword("a password has at most 128 characters"));
        }
        if COMMON.contains(&folded.as_str()) || single {
            return Err(BeakError::WeakPassword("this is one of the most common passwords"));
        }
        if folded == email.as_str() || folded == local {
            return Err(BeakError::WeakPassword("a password must not be the e-mail address"));
        }
        Ok(password)
    }

    /// Takes a password that is only compared, so it need not be a good one.
    pub fn attempt(text: String) -> Result<Self> {
        let typed = Self(text);
        // What can be no password is compared as it is, and found wrong.
        let password = Self(text::opaque(&typed.0).unwrap_or_else(|| typed.0.clone()));
        if password.0.chars().count() <= 128 {
            return Ok(password);
        }
        Err(BeakError::invalid("password", "a password has at most 128 characters"))
    }

    /// A secret password, in place of one that was not chosen. It has all kinds of characters, for
    /// user pools whose owner wants them.
    #[must_use]
    pub fn random(mut random: [u8; 32]) -> Self {
        let mut digits = hex(&random);
        random.zeroize();
        digits.push_str("Aa1!");
        Self(digits)
    }

    /// The characters, to store or to compare.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// How long a code is good.
pub const CODE_LIFETIME: Duration = Duration::minutes(15);

/// How many wrong codes end the right one.
pub const CODE_TRIES: u32 = 5;

/// A one-time code: six digits.
#[derive(Clone, PartialEq, Eq)]
pub struct OtpCode(String);

impl OtpCode {
    /// Reads a code. Spaces and dashes are ignored.
    pub fn parse(text: &str) -> Result<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if text.len() <= 32 && digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self(digits));
        }
        Err(BeakError::invalid("code", "a code has six digits"))
    }

    /// A code from randomness; 32 bits leave no bias that could be measured.
    #[must_use]
    pub fn new(random: [u8; 4]) -> Self {
        Self(format!("{:06}", u32::from_be_bytes(random) % 1_000_000))
    }

    /// The digits.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OtpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OtpCode(…)")
    }
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_folded_and_checked() {
        let same = [" Agent@Example.COM ", "agent@example.com"].map(Email::parse);
        assert_eq!(same[0], same[1]);
        let bad =
            ["", "a", "a@", "@b.c", "a@b", "a@b@c.d", "a b@c.d", "a@b..c", "a\n@b.c", "<a@b.c>"];
        for text in bad {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
        assert!(Email::parse(&format!("{}@example.com", "a".repeat(65))).is_err());
    }

    #[test]
    fn passwords_are_judged_by_length_and_fame() {
        let email = Email::parse("somebody.long@example.com").expect("an address");
        let code = |text: &str| Password::parse(text.into(), &email).map(|_| ());
        assert_eq!(code("securepassword123"), Ok(()));
        assert_eq!(code(&"ü".repeat(11)).map_err(|e| e.code()), Err("weak_password"));
        assert_eq!(code(&format!("{}1", "é".repeat(11))), Ok(()));
        let bad = ["PasswordPassword", "somebody.long@example.com", "aaaaaaaaaaaaa", "short"];
        for text in bad {
            assert_eq!(code(text).map_err(|e| e.code()), Err("weak_password"), "{text}");
        }
        assert!(code(&"x1".repeat(65)).is_err());
    }

    #[test]
    fn secrets_do_not_print() {
        let password = Password::attempt("hush hush hush".into()).expect("short enough");
        let code = OtpCode::parse("123456").expect("six digits");
        assert!(!format!("{password:?} {code:?}").contains("hush"));
        assert!(!format!("{code:?}").contains("123"));
    }

    #[test]
    fn passwords_are_compared_in_one_spelling() {
        let email = Email::parse("a@example.com").expect("an address");
        let chosen = Password::parse("a rather goo\u{308}d\u{a0}one".into(), &email);
        let typed = Password::attempt("a rather go\u{f6}d one".into());
        let texts = [chosen, typed].map(|p| p.map(|p| p.expose().to_owned()));
        assert_eq!(texts[0], texts[1]);
        let hidden = Password::parse("a rather\u{200b} good one".into(), &email).map(|_| ());
        assert_eq!(hidden.map_err(|error| error.code()), Err("weak_password"));
    }

    #[test]
    fn names_are_visible() {
        assert_eq!(
            DisplayName::parse(" Duck 🦆 ").map(|n| n.as_str().to_owned()),
            Ok("Duck 🦆".into())
        );
        for text in ["", "  ", "a\u{202e}b", "Аnna", &"x".repeat(65)] {
            assert!(DisplayName::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn codes_have_six_digits() {
        assert_eq!(OtpCode::new([0, 0, 0, 7]).expose(), "000007");
        for text in ["123456", " 123 456 ", "123-456", "12-34-56"] {
            assert_eq!(OtpCode::parse(text).map(|code| code.0), Ok("123456".into()), "{text:?}");
        }
        for text in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert!(OtpCode::parse(text).is_err(), "{text:?}");
        }
    }
}
