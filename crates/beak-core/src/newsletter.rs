//! The newsletter: an offer by mail, accepted by the reader of that mail.

use std::fmt;

use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroize;

use crate::error::{BeakError, Result};
use crate::person::{Email, hex};

/// How long an offer waits for its confirmation.
pub const OFFER_LIFETIME: Duration = Duration::hours(24);

/// What a mail's links carry: 32 random bytes as hex. Good for taking the offer up while it
/// lasts, and for ending the subscription at any time.
pub struct Token(String);

impl Token {
    /// A new token.
    #[must_use]
    pub fn new(mut random: [u8; 32]) -> Self {
        let token = Self(hex(&random));
        random.zeroize();
        token
    }

    /// Parses a token from a link.
    pub fn parse(text: &str) -> Result<Self> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(digit) {
            return Ok(Self(text.to_owned()));
        }
        Err(BeakError::invalid("token", "this is not a token of the newsletter"))
    }

    /// The text, for a mail's links.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(hex(&Sha256::digest(self.0.as_bytes())))
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// SHA-256 of a token, as hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenHash(String);

impl TokenHash {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An offer that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Who takes it up.
    pub token: TokenHash,
    /// For which address.
    pub email: Email,
    /// From this moment on it can't be taken up.
    pub expires_at: OffsetDateTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_does_not_print() {
        let token = Token::new([171; 32]);
        let again = Token::parse(token.reveal()).expect("its own text");
        assert_eq!(again.hash(), token.hash());
        assert!(!format!("{token:?}").contains("abab"));
        for text in ["", "AB", &"AB".repeat(32), &"ab".repeat(33)] {
            assert!(Token::parse(text).is_err(), "{text}");
        }
    }
}
