//! The terms between the shield and the function: by which secrets it knows calls that came through
//! the shield, and whether it answers any others. They hold digests, never a secret. ADR 31.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::catalog::SHIELD_DIGEST;
use crate::failure::Failure;
use crate::model::{Outputs, Secret};
use crate::render::hex;

/// As many secrets as may count at once. Each change of the stack adds one; the last step of an
/// installation leaves one.
const MOST: usize = 8;

/// What the function reads; `crates/beak-aws/src/shield.rs` has the other side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// SHA-256 of the secrets that count, as hex, the latest last.
    pub accepted: Vec<String>,
    /// Whether calls that came past the shield are refused.
    pub closed: bool,
    /// The API's address through the shield, once it is known.
    pub base: Option<String>,
}

impl Terms {
    /// Reads them; what can't be read counts as none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// What a finished installation leaves: the secret that the shield has, and no other way.
    #[must_use]
    pub fn only(outputs: &Outputs) -> Option<Self> {
        let digest = outputs.get(SHIELD_DIGEST)?.clone();
        Some(Self { accepted: vec![digest], closed: true, base: Some(base(outputs)?) })
    }

    /// With one more secret that counts.
    #[must_use]
    pub fn with(mut self, digest: &str) -> Self {
        self.accepted.push(digest.to_owned());
        let surplus = self.accepted.len().saturating_sub(MOST);
        self.accepted.drain(..surplus);
        self
    }

    /// The text that the function reads.
    pub fn to_text(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(|error| Failure::bug(error.to_string()))
    }
}

/// The API's address through the shield, from the outputs of its stack.
#[must_use]
pub fn base(outputs: &Outputs) -> Option<String> {
    outputs.get("DistributionDomain").map(|domain| format!("https://{domain}/prod"))
}

/// A secret that no one can guess, and its digest.
pub fn draw() -> Result<(Secret, String), Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Failure::bug(error.to_string()))?;
    let secret = hex(&bytes);
    let digest = hex(&Sha256::digest(&secret));
    Ok((Secret::new(secret), digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_reads_what_is_written_here() {
        let example = include_str!("../crates/beak-aws/src/shield.json");
        let terms = Terms::parse(example).expect("terms");
        assert_eq!(terms.to_text().expect("a text"), example.trim_end());
        let domain = "d111111abcdef8.cloudfront.net".to_owned();
        let digest = hex(&Sha256::digest("test"));
        let outputs = [("DistributionDomain".to_owned(), domain), (SHIELD_DIGEST.into(), digest)];
        assert_eq!(Terms::only(&outputs.into()), Some(terms));
    }

    #[test]
    fn a_secret_is_drawn_and_only_its_digest_can_be_shown() {
        let ((one, digest), (other, _)) = (draw().expect("drawn"), draw().expect("drawn"));
        assert_ne!(one, other);
        assert_eq!(one.expose().len(), 64);
        assert_eq!(digest, hex(&Sha256::digest(one.expose())));
        let mut terms = Terms::default();
        for number in 0..20 {
            terms = terms.with(&number.to_string());
        }
        assert_eq!((terms.accepted.len(), terms.accepted.last()), (MOST, Some(&"19".to_owned())));
    }
}
