//! Eggs and ducklings.

use time::{Duration, OffsetDateTime};

use crate::certificate::{CertStatus, Certificate};
use crate::id::{CertId, DucklingId};
use crate::key::BeakKey;
use crate::person::{DisplayName, Email};
use crate::tier::{Tier, TierRequest};

/// How long an egg waits for its code.
pub const EGG_LIFETIME: Duration = Duration::hours(24);

/// A hatch whose e-mail is not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Egg {
    /// Whose it is; one egg per address.
    pub email: Email,
    /// How the duckling will be called.
    pub display_name: DisplayName,
    /// When it was laid.
    pub created_at: OffsetDateTime,
    /// From this moment on it is as if it had never been laid.
    pub expires_at: OffsetDateTime,
}

impl Egg {
    /// Whether it still waits.
    #[must_use]
    pub fn is_alive(&self, now: OffsetDateTime) -> bool {
        now < self.expires_at
    }
}

/// A hatched identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duckling {
    /// Its id.
    pub id: DucklingId,
    /// Its owner's address; no other duckling has it.
    pub email: Email,
    /// Its name.
    pub display_name: DisplayName,
    /// How far it is trusted.
    pub tier: Tier,
    /// How many bonds it has now.
    pub bonds: u32,
    /// Its current certificate.
    pub cert_id: CertId,
    /// What that certificate is worth.
    pub cert_status: CertStatus,
    /// SHA-256 of its Beak Key, as hex.
    pub key_hash: String,
    /// The end of its Beak Key.
    pub key_hint: String,
    /// When it hatched.
    pub created_at: OffsetDateTime,
    /// When it last said that it is alive.
    pub last_pulse: Option<OffsetDateTime>,
    /// Its request for T2, if one waits.
    pub tier_request: Option<TierRequest>,
    /// Whether its deletion has begun: it takes part in no new peck.
    pub is_leaving: bool,
}

/// How lively an agent is, by its last pulse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// A pulse within ten minutes.
    Alive,
    /// Within thirty.
    Slow,
    /// Longer ago, or never.
    Offline,
}

impl Duckling {
    /// A new duckling, the subject of its first certificate.
    #[must_use]
    pub fn hatched(
        email: Email,
        display_name: DisplayName,
        certificate: &Certificate,
        key: &BeakKey,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            id: certificate.duckling_id.clone(),
            email,
            display_name,
            tier: certificate.tier,
            bonds: 0,
            cert_id: certificate.id.clone(),
            cert_status: certificate.status,
            key_hash: key.hash().to_hex(),
            key_hint: key.hint(),
            created_at: now,
            last_pulse: None,
            tier_request: None,
            is_leaving: false,
        }
    }

    /// Whether an operator has suspended it, and its certificate with it.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.cert_status == CertStatus::Suspended
    }

    /// How lively it is at a moment.
    #[must_use]
    pub fn liveness(&self, now: OffsetDateTime) -> Liveness {
        match self.last_pulse.map(|pulse| now - pulse) {
            Some(age) if age <= Duration::minutes(10) => Liveness::Alive,
            Some(age) if age <= Duration::minutes(30) => Liveness::Slow,
            _ => Liveness::Offline,
        }
    }
}

impl Liveness {
    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Slow => "slow",
            Self::Offline => "offline",
        }
    }
}
