//! What has happened: one event for every change of a duckling, a peck or a certificate.
//!
//! An event is written in the transaction of the change that it tells of, so there is none
//! without the other. Its id follows from its content: the same change has the same event.

use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use crate::certificate::Certificate;
use crate::id::{CertId, DucklingId, EventId, PeckId};
use crate::peck::Peck;
use crate::ports::{Decision, Deletion, Hatching, Move, Promotion, Side, Suspension};
use crate::tier::{Note, Tier};

/// How long events are kept.
pub const KEPT: Duration = Duration::days(90);

/// How many partitions the events of all ducklings have in DynamoDB: for writers one is too few,
/// and a reader asks each.
pub const SHARDS: u8 = 8;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A duckling came out of its egg.
    DuckHatched,
    /// Its e-mail address was confirmed.
    DuckVerified,
    /// It was deleted.
    DuckDeleted,
    /// An operator suspended it.
    DuckSuspended,
    /// An operator restored it.
    DuckRestored,
    /// A certificate was signed.
    CertIssued,
    /// A certificate was taken back.
    CertRevoked,
    /// A Beak Key was exchanged.
    KeyRotated,
    /// A peck was made.
    PeckRequested,
    /// A peck became a bond.
    PeckApproved,
    /// A peck was refused.
    PeckDenied,
    /// Nobody answered a peck in time.
    PeckExpired,
    /// A peck was withdrawn, or a bond ended.
    PeckRevoked,
    /// A duckling climbed to another tier.
    TierChanged,
    /// An operator has decided about a request for a tier.
    OperatorDecided,
}

impl EventKind {
    /// All.
    pub const ALL: [Self; 15] = [
        Self::DuckHatched,
        Self::DuckVerified,
        Self::DuckDeleted,
        Self::DuckSuspended,
        Self::DuckRestored,
        Self::CertIssued,
        Self::CertRevoked,
        Self::KeyRotated,
        Self::PeckRequested,
        Self::PeckApproved,
        Self::PeckDenied,
        Self::PeckExpired,
        Self::PeckRevoked,
        Self::TierChanged,
        Self::OperatorDecided,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::DuckHatched => "duck.hatched",
            Self::DuckVerified => "duck.verified",
            Self::DuckDeleted => "duck.deleted",
            Self::DuckSuspended => "duck.suspended",
            Self::DuckRestored => "duck.restored",
            Self::CertIssued => "cert.issued",
            Self::CertRevoked => "cert.revoked",
            Self::KeyRotated => "key.rotated",
            Self::PeckRequested => "peck.requested",
            Self::PeckApproved => "peck.approved",
            Self::PeckDenied => "peck.denied",
            Self::PeckExpired => "peck.expired",
            Self::PeckRevoked => "peck.revoked",
            Self::TierChanged => "tier.changed",
            Self::OperatorDecided => "operator.decided",
        }
    }

    /// The event of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// An event. Holds no secret and no e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id, which sorts by time.
    pub id: EventId,
    /// What has happened.
    pub kind: EventKind,
    /// When.
    pub at: OffsetDateTime,
    /// To whom; of a peck, who asked.
    pub duckling: DucklingId,
    /// The other side of a peck.
    pub other: Option<DucklingId>,
    /// The peck.
    pub peck: Option<PeckId>,
    /// The certificate.
    pub cert: Option<CertId>,
    /// The tier that it led to.
    pub tier: Option<Tier>,
    /// What an operator wrote.
    pub note: Option<String>,
}

impl Event {
    fn new(kind: EventKind, at: OffsetDateTime, duckling: &DucklingId) -> Self {
        let event = Self {
            id: EventId::new(at, [0; 16]),
            kind,
            at,
            duckling: duckling.clone(),
            other: None,
            peck: None,
            cert: None,
            tier: None,
            note: None,
        };
        event.named()
    }

    /// Gives it the id that its content makes.
    #[must_use]
    pub fn named(mut self) -> Self {
        let mut sha = Sha256::new();
        // All of it: of a refusal and a grant in one millisecond, neither may take the other's
        // place.
        let parts = [
            self.kind.word(),
            self.duckling.as_str(),
            self.other.as_ref().map_or("", DucklingId::as_str),
            self.peck.as_ref().map_or("", PeckId::as_str),
            self.cert.as_ref().map_or("", CertId::as_str),
            self.tier.map_or("", Tier::word),
            self.note.as_deref().unwrap_or_default(),
        ];
        for part in parts {
            sha.update(part.as_bytes());
            sha.update([0]);
        }
        let digest = sha.finalize();
        let mut random = [0; 16];
        random.copy_from_slice(&digest[..16]);
        self.id = EventId::new(self.at, random);
        self
    }

    fn about(kind: EventKind, at: OffsetDateTime, peck: &Peck) -> Self {
        let mut event = Self::new(kind, at, &peck.source);
        event.other = Some(peck.target.clone());
        event.peck = Some(peck.id.clone());
        event.named()
    }

    fn certified(kind: EventKind, at: OffsetDateTime, id: &DucklingId, cert: &CertId) -> Self {
        let mut event = Self::new(kind, at, id);
        event.cert = Some(cert.clone());
        event.named()
    }

    /// The ducklings whose own list it stands in.
    pub fn parties(&self) -> impl Iterator<Item = &DucklingId> {
        std::iter::once(&self.duckling).chain(&self.other)
    }
}

fn issued(at: OffsetDateTime, certificate: &Certificate) -> Event {
    let (id, cert) = (&certificate.duckling_id, &certificate.id);
    let mut event = Event::certified(EventKind::CertIssued, at, id, cert);
    event.tier = Some(certificate.tier);
    event.named()
}

fn climbed(at: OffsetDateTime, promotion: &Promotion) -> [Event; 2] {
    let certificate = &promotion.certificate;
    let mut climbed = Event::new(EventKind::TierChanged, at, &certificate.duckling_id);
    climbed.tier = Some(certificate.tier);
    climbed.cert = Some(certificate.id.clone());
    [climbed.named(), issued(at, certificate)]
}

/// What a hatching tells.
#[must_use]
pub fn of_hatching(hatching: &Hatching) -> Vec<Event> {
    let Hatching { duckling, certificate, .. } = hatching;
    of_birth(duckling.created_at, &duckling.id, (&certificate.id, certificate.tier)).into()
}

/// The same, from what a home keeps of it: when, who, and the first certificate with its tier.
#[must_use]
pub fn of_birth(at: OffsetDateTime, id: &DucklingId, first: (&CertId, Tier)) -> [Event; 3] {
    let of = |kind| Event::new(kind, at, id);
    let mut issued = Event::certified(EventKind::CertIssued, at, id, first.0);
    issued.tier = Some(first.1);
    [of(EventKind::DuckVerified), of(EventKind::DuckHatched), issued.named()]
}

/// What a new peck tells.
#[must_use]
pub fn of_peck(peck: &Peck) -> Event {
    Event::about(EventKind::PeckRequested, peck.created_at, peck)
}

/// What a move of a peck tells.
#[must_use]
pub fn of_move(peck: &Peck, to: &Move, now: OffsetDateTime) -> Vec<Event> {
    let (kind, at) = match to {
        Move::Approve { .. } => (EventKind::PeckApproved, now),
        Move::Deny => (EventKind::PeckDenied, now),
        Move::Withdraw | Move::Revoke => (EventKind::PeckRevoked, now),
        // Whenever it is swept, this is when it happened.
        Move::Expire => (EventKind::PeckExpired, peck.expires_at),
    };
    let mut events = vec![Event::about(kind, at, peck)];
    if let Move::Approve { source, target } = to {
        let promotion = |side: &Side| side.promotion.as_ref().map(|p| climbed(now, p));
        events.extend([source, target].into_iter().filter_map(|side| promotion(side)).flatten());
    }
    events
}

/// What an exchange of a key tells.
#[must_use]
pub fn of_rotation(id: &DucklingId, now: OffsetDateTime) -> Event {
    Event::new(EventKind::KeyRotated, now, id)
}

/// What an operator's decision tells.
#[must_use]
pub fn of_decision(decision: &Decision) -> Vec<Event> {
    let Decision { id, promotion, note, at } = decision;
    let mut decided = Event::new(EventKind::OperatorDecided, *at, id);
    decided.tier = Some(if promotion.is_some() { Tier::T2 } else { Tier::T1 });
    decided.note = said(note);
    let mut events = vec![decided.named()];
    events.extend(promotion.iter().flat_map(|promotion| climbed(*at, promotion)));
    events
}

/// What a deletion tells.
#[must_use]
pub fn of_deletion(deletion: &Deletion) -> Vec<Event> {
    let Deletion { duckling, certificates, reason, at } = deletion;
    let revoked = |cert| Event::certified(EventKind::CertRevoked, *at, &duckling.id, cert);
    let mut events: Vec<_> = certificates.iter().map(revoked).collect();
    let mut deleted = Event::new(EventKind::DuckDeleted, *at, &duckling.id);
    deleted.note = reason.as_ref().and_then(said);
    events.push(deleted.named());
    events
}

/// What a suspension, or its end, tells.
#[must_use]
pub fn of_suspension(suspension: &Suspension) -> Event {
    let kind = if suspension.suspends { EventKind::DuckSuspended } else { EventKind::DuckRestored };
    let duckling = &suspension.duckling;
    let mut event = Event::certified(kind, suspension.at, &duckling.id, &duckling.cert_id);
    event.note = said(&suspension.reason);
    event.named()
}

/// A note, if it says anything.
fn said(note: &Note) -> Option<String> {
    Some(note.as_str().to_owned()).filter(|note| !note.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(kind.word()), Some(kind));
        }
        assert_eq!(EventKind::parse("duck.flew"), None);
    }

    #[test]
    fn the_same_change_is_the_same_event() {
        let at = OffsetDateTime::UNIX_EPOCH;
        let [one, other] = [[1; 16], [2; 16]].map(|random| DucklingId::new(at, random));
        assert_eq!(of_rotation(&one, at), of_rotation(&one, at));
        assert_ne!(of_rotation(&one, at).id, of_rotation(&other, at).id);
        let later = at + Duration::milliseconds(1);
        assert!(of_rotation(&one, at).id < of_rotation(&one, later).id);
        let decided = |tier, note: &str| {
            let mut event = Event::new(EventKind::OperatorDecided, at, &one);
            (event.tier, event.note) = (Some(tier), Some(note.to_owned()));
            event.named().id
        };
        assert_ne!(decided(Tier::T1, "no"), decided(Tier::T2, "no"));
        assert_ne!(decided(Tier::T1, "no"), decided(Tier::T1, "not yet"));
    }
}
