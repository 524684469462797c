//! Beak Keys: how they are made, checked offline and kept.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize;

use crate::person::hex;

const PREFIX: &str = "sd_bk_";
const SECRET: usize = 43;
const CHECK: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A duckling's API secret: `sd_bk_`, 43 base62 characters of 32 random bytes, and 6 base62
/// characters of their CRC-32, so that a secret scanner can tell a real one from a look-alike.
/// It can't be shown by accident: only [`BeakKey::reveal`] returns the text.
pub struct BeakKey(String);

impl BeakKey {
    /// A new key.
    #[must_use]
    pub fn new(mut random: [u8; 32]) -> Self {
        let secret = base62(&mut random.map(u32::from), SECRET);
        random.zeroize();
        let check = checksum(&secret);
        Self(format!("{PREFIX}{secret}{check}"))
    }

    /// Parses a key. `None` for what can't be one, without a look-up.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let ours = rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if rest.len() != SECRET + CHECK || !ours {
            return None;
        }
        let (secret, check) = rest.split_at(SECRET);
        (checksum(secret) == check).then(|| Self(text.to_owned()))
    }

    /// The text, for the one answer that carries it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The last four characters, by which its owner recognises it. They are checksum, not secret.
    #[must_use]
    pub fn hint(&self) -> String {
        format!("…{}", &self.0[self.0.len() - 4..])
    }
}

impl Drop for BeakKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for BeakKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BeakKey(…)")
    }
}

/// SHA-256 of a key. Fast on purpose: the key has 256 bits, so there is nothing to guess.
#[derive(Clone, Copy)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// As it is kept.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// Whether this is the hash that was kept; takes the same time for every answer.
    #[must_use]
    pub fn matches(&self, kept: &str) -> bool {
        self.to_hex().as_bytes().ct_eq(kept.as_bytes()).into()
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

fn checksum(secret: &str) -> String {
    let check = crc32fast::hash(secret.as_bytes()).to_be_bytes();
    base62(&mut check.map(u32::from), CHECK)
}

/// A big-endian number in base 62, with leading zeros. By hand: the crates for it encode byte
/// strings of unknown length and give no fixed width.
fn base62(digits: &mut [u32], width: usize) -> String {
    let mut text = vec![b'0'; width];
    for place in text.iter_mut().rev() {
        let mut rest = 0;
        for digit in digits.iter_mut() {
            let value = rest * 256 + *digit;
            (*digit, rest) = (value / 62, value % 62);
        }
        *place = ALPHABET[rest as usize];
    }
    text.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_form_and_reads_back() {
        for random in [[0; 32], [255; 32], [7; 32]] {
            let key = BeakKey::new(random);
            let text = key.reveal().to_owned();
            assert_eq!(text.len(), 6 + 43 + 6, "{text}");
            let again = BeakKey::parse(&text).expect("its own text");
            assert!(again.hash().matches(&key.hash().to_hex()));
        }
    }

    #[test]
    fn the_checksum_is_crc_32_in_base_62() {
        // 32 zero bytes are 43 zeros, and Python says: zlib.crc32(b"0" * 43) == 2018072207.
        let text = BeakKey::new([0; 32]).reveal().to_owned();
        let number = text[49..].bytes().fold(0u64, |number, byte| {
            let digit = ALPHABET.iter().position(|a| *a == byte).expect("base 62");
            number * 62 + digit as u64
        });
        assert_eq!(number, 2_018_072_207);
    }

    #[test]
    fn one_changed_character_is_no_key() {
        let text = BeakKey::new([9; 32]).reveal().to_owned();
        for at in 6..text.len() {
            let other = if text.as_bytes()[at] == b'x' { "y" } else { "x" };
            let mut changed = text.clone();
            changed.replace_range(at..=at, other);
            assert!(BeakKey::parse(&changed).is_none(), "{changed}");
        }
        assert!(BeakKey::parse("sd_bk_your_key_here").is_none());
    }

    #[test]
    fn a_key_does_not_print() {
        let key = BeakKey::new([9; 32]);
        assert!(!format!("{key:?} {:?}", key.hash()).contains(&key.reveal()[6..20]));
    }
}
