//! A publisher's key pair, and the mark by which a certificate names it.

use beak_api::jws;
use beak_core::ports::PublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use ed25519_dalek::{Signer as _, SigningKey};

use crate::text::visible;

/// What starts a mark.
const MARK: &str = "key:";

/// A publisher's private key: Ed25519. It can't be shown by accident: only [`PublisherKey::to_pem`]
/// gives it away.
pub struct PublisherKey(SigningKey);

impl PublisherKey {
    /// A new key.
    #[must_use]
    pub fn new(random: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(random))
    }

    /// Reads a key as OpenSSL writes it: PKCS #8 in PEM, RFC 8410.
    #[must_use]
    pub fn from_pem(pem: &str) -> Option<Self> {
        SigningKey::from_pkcs8_pem(pem).ok().map(Self)
    }

    /// The text to be kept, which wipes itself.
    #[must_use]
    pub fn to_pem(&self) -> Option<impl AsRef<str>> {
        // Without the public half, as OpenSSL writes it too: older readers know no other form.
        let bytes =
            ed25519_dalek::pkcs8::KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        bytes.to_pkcs8_pem(LineEnding::LF).ok().map(Pem)
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        public(self.0.verifying_key().to_bytes())
    }

    /// The mark for the publisher's display name.
    #[must_use]
    pub fn mark(&self) -> String {
        mark(&self.public())
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }
}

struct Pem<T>(T);

impl<T: AsRef<str>> AsRef<str> for Pem<T> {
    fn as_ref(&self) -> &str {
        self.0.as_ref()
    }
}

impl std::fmt::Debug for PublisherKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublisherKey({}…)", &self.mark()[..12])
    }
}

/// A public key with its name.
pub(crate) fn public(bytes: [u8; 32]) -> PublicKey {
    PublicKey { kid: jws::kid(&bytes), bytes }
}

/// The mark of a public key: its thumbprint by RFC 7638.
pub(crate) fn mark(key: &PublicKey) -> String {
    format!("{MARK}{}", key.kid)
}

/// Whether a display name names the key: the mark is one of its words.
pub(crate) fn names(name: &str, key: &PublicKey) -> bool {
    name.split_whitespace().any(|word| word == mark(key))
}

/// Whether a text is a mark.
#[must_use]
pub fn is_mark(text: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    text.strip_prefix(MARK).is_some_and(|rest| rest.len() == 43 && rest.chars().all(known))
}

/// A display name without marks, fit to be shown.
pub(crate) fn without_marks(name: &str) -> String {
    visible(name).split_whitespace().filter(|word| !is_mark(word)).collect::<Vec<_>>().join(" ")
}
