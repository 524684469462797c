//! What the galaxy seals, so that its holder can neither read nor change it: the tokens of people,
//! and the secrets of second factors at rest.
//!
//! ```text
//! token = "sdt_" base64url( version 1 | kid 8 | nonce 24 | sealed claims | tag 16 )
//! ```
//!
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): its nonce is long enough to be random. Version,
//! key id and purpose are bound as associated data. Keys come from the home's secret by HKDF
//! (RFC 5869).

use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use hkdf::Hkdf;
use sha2::Sha256;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use crate::error::{BeakError, Result};
use crate::person::Email;
use crate::ports::{AccountId, Mark, Session};

const PREFIX: &str = "sdt_";
const VERSION: u8 = 1;
const KID: usize = 8;
const NONCE: usize = 24;
/// Where the sealed claims begin.
const HEAD: usize = 1 + KID + NONCE;

/// How long the key before the current one opens what it sealed: as long as a refresh token lives.
pub(crate) const PREVIOUS_OPENS_FOR: Duration = Duration::days(30);

/// What a home derives its keys from. It can't be shown and leaves no copy behind.
#[derive(Clone)]
pub struct HomeSecret(Zeroizing<Vec<u8>>);

impl HomeSecret {
    /// Takes the secret as the home keeps it.
    #[must_use]
    pub fn new(secret: Vec<u8>) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The bytes, for a home whose secret has another use as well.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn derive(&self, salt: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
        let mut key = Zeroizing::new([0; 32]);
        let derived = Hkdf::<Sha256>::new(Some(salt), &self.0).expand(info, key.as_mut());
        derived.map_err(|error| BeakError::Internal(error.to_string()))?;
        Ok(key)
    }
}

impl fmt::Debug for HomeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HomeSecret(…)")
    }
}

/// What a token is for. One kind never passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// For the `Authorization` header.
    Access,
    /// For new access tokens.
    Refresh,
    /// For the second step of signing in.
    Challenge,
}

impl TokenKind {
    fn byte(self) -> u8 {
        match self {
            Self::Access => b'a',
            Self::Refresh => b'r',
            Self::Challenge => b'c',
        }
    }
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Whose it is.
    pub account: AccountId,
    /// The confirmed address.
    pub email: Email,
    /// Whether this was an operator when it was made.
    pub operator: bool,
    /// The sign-in generation of the address when it was made.
    pub generation: u64,
    /// From when on it is worth nothing. Kept to the second.
    pub expires_at: OffsetDateTime,
    /// The identity's session; empty in access tokens.
    pub session: Session,
}

impl Claims {
    fn encode(&self) -> Result<Zeroizing<Vec<u8>>> {
        // As large as it will be: growing would leave copies of the session behind.
        let texts = [self.account.as_str(), self.email.as_str(), self.session.expose()];
        let length = 17 + texts.iter().map(|text| 2 + text.len()).sum::<usize>();
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        bytes.push(u8::from(self.operator));
        bytes.extend(self.generation.to_be_bytes());
        bytes.extend(self.expires_at.unix_timestamp().to_be_bytes());
        for text in texts {
            let length = u16::try_from(text.len());
            let length = length.map_err(|_| BeakError::Internal("a claim is too long".into()))?;
            bytes.extend(length.to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        Ok(bytes)
    }

    fn decode(mut bytes: &[u8]) -> Option<Self> {
        let operator = take::<1>(&mut bytes)? == [1];
        let generation = u64::from_be_bytes(take(&mut bytes)?);
        let expires_at = i64::from_be_bytes(take(&mut bytes)?);
        let mut text = || {
            let length = usize::from(u16::from_be_bytes(take(&mut bytes)?));
            let (text, rest) = bytes.split_at_checked(length)?;
            bytes = rest;
            std::str::from_utf8(text).ok().map(str::to_owned)
        };
        let (account, email, session) = (text()?, text()?, text()?);
        Some(Self {
            account: AccountId::new(account),
            email: Email::parse(&email).ok()?,
            operator,
            generation,
            expires_at: OffsetDateTime::from_unix_timestamp(expires_at).ok()?,
            session: Session::new(session),
        })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

/// A token that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Names this very token.
    pub id: String,
    /// What it says.
    pub claims: Claims,
}

/// A text that has the form of a token. Nothing of it is proven yet.
pub(crate) struct Token {
    bytes: Vec<u8>,
}

impl Token {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Strict: each token has one spelling.
        let bytes = BASE64URL_NOPAD.decode(text.strip_prefix(PREFIX)?.as_bytes()).ok()?;
        (bytes.len() > HEAD && bytes.first() == Some(&VERSION)).then_some(Self { bytes })
    }

    fn kid(&self) -> &[u8] {
        self.bytes.get(1..=KID).unwrap_or_default()
    }
}

/// A key under its id.
struct Key {
    kid: [u8; KID],
    key: Zeroizing<[u8; 32]>,
}

/// The keys of a galaxy that seal and open tokens.
pub(crate) struct Keyring {
    current: Key,
    /// The key before it, and until when that opens.
    previous: Option<(Key, OffsetDateTime)>,
}

impl Keyring {
    /// The keys of the salts that marks tell of, the current one last.
    pub(crate) fn new(secret: &HomeSecret, marks: &[Mark]) -> Result<Self> {
        let damaged = || BeakError::Damaged("a salt of the sealing keys can't be read".into());
        let (last, before) = marks.split_last().ok_or_else(damaged)?;
        let key = |mark: &Mark| {
            let (kid, salt) = mark.what.split_once(' ').ok_or_else(damaged)?;
            let kid = HEXLOWER.decode(kid.as_bytes()).map_err(|_| damaged())?;
            let kid = kid.try_into().map_err(|_| damaged())?;
            let salt = HEXLOWER.decode(salt.as_bytes()).map_err(|_| damaged())?;
            Ok(Key { kid, key: secret.derive(&salt, b"spaceduck tokens of people")? })
        };
        let until = last.at + PREVIOUS_OPENS_FOR;
        let previous = before.last().map(|mark| Ok((key(mark)?, until))).transpose()?;
        Ok(Self { current: key(last)?, previous })
    }

    /// A new salt and the id of its key, as a mark keeps them.
    pub(crate) fn salt(kid: [u8; KID], salt: [u8; 32]) -> String {
        format!("{} {}", HEXLOWER.encode(&kid), HEXLOWER.encode(&salt))
    }

    fn key(&self, kid: &[u8], now: OffsetDateTime) -> Option<&Key> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until);
        [Some(&self.current), previous.map(|(key, _)| key)]
            .into_iter()
            .flatten()
            .find(|key| key.kid == kid)
    }

    /// Whether the token names a key that opens.
    pub(crate) fn knows(&self, token: &Token, now: OffsetDateTime) -> bool {
        self.key(token.kid(), now).is_some()
    }

    /// Seals claims with the current key. The nonce is random.
    pub(crate) fn seal(
        &self,
        purpose: TokenKind,
        claims: &Claims,
        nonce: [u8; NONCE],
    ) -> Result<String> {
        let kid = &self.current.kid;
        let mut bytes = [&[VERSION], kid.as_slice(), &nonce].concat();
        bytes.extend(encrypt(&self.current.key, nonce, &claims.encode()?, &bound(*kid, purpose))?);
        Ok(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes)))
    }

    /// Opens a token that is for this, and has not lapsed.
    pub(crate) fn open(
        &self,
        purpose: TokenKind,
        token: &Token,
        now: OffsetDateTime,
    ) -> Option<Opened> {
        let key = self.key(token.kid(), now)?;
        let (head, sealed) = token.bytes.split_at_checked(HEAD)?;
        let nonce = *head.last_chunk::<NONCE>()?;
        let claims = decrypt(&key.key, nonce, sealed, &bound(key.kid, purpose))?;
        let claims = Claims::decode(&claims).filter(|claims| now < claims.expires_at)?;
        Some(Opened { id: HEXLOWER.encode(nonce.get(..12)?), claims })
    }
}

/// The associated data of a token.
fn bound(kid: [u8; KID], purpose: TokenKind) -> Vec<u8> {
    [&[VERSION, purpose.byte()], kid.as_slice()].concat()
}

pub(crate) fn encrypt(
    key: &[u8; 32],
    nonce: [u8; NONCE],
    message: &[u8],
    bound: &[u8],
) -> Result<Vec<u8>> {
    let payload = Payload { msg: message, aad: bound };
    let sealed = XChaCha20Poly1305::new(key.into()).encrypt(&XNonce::from(nonce), payload);
    sealed.map_err(|_| BeakError::Internal("sealing failed".into()))
}

pub(crate) fn decrypt(
    key: &[u8; 32],
    nonce: [u8; NONCE],
    sealed: &[u8],
    bound: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let payload = Payload { msg: sealed, aad: bound };
    let opened = XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(nonce), payload);
    opened.ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(session: &str) -> Claims {
        Claims {
            account: AccountId::new("acc_1"),
            email: Email::parse("swan@example.com").expect("an address"),
            operator: true,
            generation: u64::MAX,
            expires_at: OffsetDateTime::UNIX_EPOCH + Duration::hours(1),
            session: Session::new(session),
        }
    }

    fn mark(days: i64, n: u8) -> Mark {
        let at = OffsetDateTime::UNIX_EPOCH + Duration::days(days);
        Mark { at, what: Keyring::salt([n; KID], [n; 32]) }
    }

    fn ring(marks: &[Mark]) -> Keyring {
        Keyring::new(&HomeSecret::new(b"secret".to_vec()), marks).expect("keys")
    }

    #[test]
    fn a_token_opens_for_its_purpose_until_it_lapses() {
        let (ring, now) = (ring(&[mark(0, 1)]), OffsetDateTime::UNIX_EPOCH);
        let claims = claims(&"é".repeat(2000));
        let text = ring.seal(TokenKind::Refresh, &claims, [7; NONCE]).expect("sealed");
        let token = Token::parse(&text).expect("a token");
        let opened = ring.open(TokenKind::Refresh, &token, now).expect("opened");
        assert_eq!((opened.claims.clone(), opened.id.len()), (claims, 24));
        for other in [TokenKind::Access, TokenKind::Challenge] {
            assert_eq!(ring.open(other, &token, now), None);
        }
        let late = now + Duration::hours(1);
        assert!(ring.open(TokenKind::Refresh, &token, late - Duration::SECOND).is_some());
        assert_eq!(ring.open(TokenKind::Refresh, &token, late), None);
    }

    #[test]
    fn no_bit_of_a_token_can_be_changed() {
        let (ring, now) = (ring(&[mark(0, 1)]), OffsetDateTime::UNIX_EPOCH);
        let text = ring.seal(TokenKind::Access, &claims(""), [7; NONCE]).expect("sealed");
        for at in 0..text.len() {
            for bit in 0..7 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let changed = String::from_utf8(bytes).expect("ASCII");
                let token = Token::parse(&changed);
                let opened = token.and_then(|token| ring.open(TokenKind::Access, &token, now));
                assert_eq!(opened, None, "{changed}");
            }
        }
        for text in ["", "sdt_", "sdt_AQ", "x", &text[4..], &format!("{text}A")] {
            let token = Token::parse(text);
            assert!(token.is_none_or(|token| ring.open(TokenKind::Access, &token, now).is_none()));
        }
    }

    #[test]
    fn the_previous_key_opens_for_thirty_days() {
        let (first, second, third) = (mark(0, 1), mark(10, 2), mark(20, 3));
        let old = ring(std::slice::from_ref(&first));
        let mut claims = claims("");
        claims.expires_at = OffsetDateTime::UNIX_EPOCH + Duration::days(400);
        let text = old.seal(TokenKind::Access, &claims, [7; NONCE]).expect("sealed");
        let token = Token::parse(&text).expect("a token");
        let opens = |ring: &Keyring, days| {
            let now = OffsetDateTime::UNIX_EPOCH + Duration::days(days);
            assert_eq!(
                ring.knows(&token, now),
                ring.open(TokenKind::Access, &token, now).is_some()
            );
            ring.knows(&token, now)
        };
        let rotated = ring(&[first.clone(), second.clone()]);
        assert!(opens(&rotated, 39) && !opens(&rotated, 40));
        assert!(!opens(&ring(&[first, second.clone(), third]), 21));
        assert!(!opens(&ring(&[second]), 11));
        let other = Keyring::new(&HomeSecret::new(b"another".to_vec()), &[mark(0, 1)]);
        let other = other.expect("keys");
        assert!(other.open(TokenKind::Access, &token, OffsetDateTime::UNIX_EPOCH).is_none());
    }

    #[test]
    fn nothing_of_it_prints() {
        let shown = format!("{:?} {:?}", HomeSecret::new(b"secret".to_vec()), claims("session"));
        assert!(!shown.contains("secret") && !shown.contains("\"session\""), "{shown}");
    }
}
