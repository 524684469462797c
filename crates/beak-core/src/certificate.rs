//! Birth certificates: what one says, and what it is worth now.

use time::OffsetDateTime;

use crate::id::{CertId, DucklingId};
use crate::tier::Tier;

/// The version of the claims, `ver` in the certificate.
pub const CLAIMS_VERSION: u32 = 1;

/// What a certificate says. Everything here is signed and never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The issuing galaxy: its API's base URL.
    pub issuer: String,
    /// The duckling that it is about.
    pub duckling_id: DucklingId,
    /// The certificate's own id.
    pub cert_id: CertId,
    /// Since when, in whole seconds.
    pub issued_at: OffsetDateTime,
    /// The duckling's name at that time.
    pub name: String,
    /// SHA-256 of the case-folded address, as hex.
    pub email_sha256: String,
    /// The tier at that time.
    pub tier: Tier,
}

/// What a certificate is worth now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertStatus {
    /// It is the duckling's current one.
    Valid,
    /// A newer one has taken its place.
    Superseded,
    /// It was taken back.
    Revoked,
    /// Its duckling is suspended, and it is good again when that is restored.
    Suspended,
}

impl CertStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Valid, Self::Superseded, Self::Revoked, Self::Suspended];

    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Superseded => "superseded",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
        }
    }

    /// The status of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// A certificate as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its id.
    pub id: CertId,
    /// Whose it is.
    pub duckling_id: DucklingId,
    /// The name that it says.
    pub name: String,
    /// The tier that it says.
    pub tier: Tier,
    /// What it is worth.
    pub status: CertStatus,
    /// When it was signed.
    pub issued_at: OffsetDateTime,
    /// The compact JWS, RFC 7515 section 7.1.
    pub compact: String,
}
