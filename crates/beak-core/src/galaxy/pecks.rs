//! Asking for a bond, answering, ending it.

use sha2::{Digest, Sha256};

use super::Galaxy;
use crate::certificate::CertStatus;
use crate::duckling::Duckling;
use crate::error::{BeakError, Result};
use crate::id::{DucklingId, PeckId};
use crate::peck::{Direction, Message, Peck, PeckStatus, PeckType};
use crate::person::hex;
use crate::ports::{
    Crowd, Idempotency, Listed, Move, Moved, Page, PeckQuery, Pecked, Promotion, Side,
};
use crate::tier::Tier;

/// What a peck is asked with.
pub struct NewPeck {
    /// Who is asked.
    pub target: DucklingId,
    /// What for.
    pub kind: PeckType,
    /// In the asking side's words.
    pub message: Message,
    /// By which a repeated call is known as such.
    pub idempotency_key: Option<String>,
}

/// How many parts of a list are looked through for lapsed pecks.
const LAPSED_PAGES: usize = 3;

/// How often an approval starts over when a side changes under it.
pub(super) const TRIES: usize = 8;

impl Galaxy {
    /// Asks for a bond.
    pub async fn peck(&self, source: &Duckling, new: NewPeck) -> Result<Peck> {
        if source.id == new.target {
            let message = "a duckling can't peck itself";
            return Err(BeakError::invalid("target_duckling_id", message));
        }
        if source.tier < new.kind.asks_for() {
            return Err(BeakError::TierTooLow(new.kind.asks_for()));
        }
        let now = self.now();
        let idempotency = new.idempotency_key.as_deref().map(|key| Idempotency {
            key: digest(&[source.id.as_str(), key]),
            content: digest(&[new.target.as_str(), new.kind.as_str(), new.message.as_str()]),
        });
        let peck = Peck {
            id: PeckId::new(now, self.random()?),
            source: source.id.clone(),
            source_tier: Some(source.tier),
            target: new.target,
            kind: new.kind,
            message: new.message,
            stored: PeckStatus::Pending,
            created_at: now,
            expires_at: now + self.settings.peck_lifetime,
            settled_at: None,
        };
        let pecked = self.ports.store.add_peck(&peck, idempotency.as_ref()).await?;
        let pecked = match pecked {
            Pecked::Crowded(crowd) if self.put_lapsed_away(&peck, crowd).await? => {
                self.ports.store.add_peck(&peck, idempotency.as_ref()).await?
            }
            other => other,
        };
        asked(peck, pecked)
    }

    /// Puts away what lapsed of the pecks that stand in a new one's way, since lapsed ones must not
    /// count. Whether there were any.
    async fn put_lapsed_away(&self, peck: &Peck, crowd: Crowd) -> Result<bool> {
        let (party, direction) = match crowd {
            Crowd::Source | Crowd::Pair => (&peck.source, Direction::Out),
            Crowd::Target => (&peck.target, Direction::In),
        };
        let (status, now) = (Some(PeckStatus::Expired), peck.created_at);
        let query = PeckQuery { party: party.clone(), direction, status, now };
        let mut made_room = false;
        let mut page = Page { limit: 100, after: None };
        // Newest first, and what was put away stays in the list: beyond so many, a sweep does it.
        for _ in 0..LAPSED_PAGES {
            let listed = self.ports.store.pecks(&query, &page).await?;
            for lapsed in listed.items.iter().filter(|p| p.stored == PeckStatus::Pending) {
                let moved = self.ports.store.move_peck(&lapsed.id, &Move::Expire, now).await?;
                made_room |= moved == Moved::Done;
            }
            page.after = listed.next;
            if page.after.is_none() {
                break;
            }
        }
        Ok(made_room)
    }

    /// The pecks of a duckling, newest first.
    pub async fn pecks(
        &self,
        party: &Duckling,
        direction: Direction,
        status: Option<PeckStatus>,
        page: &Page,
    ) -> Result<Listed<Peck>> {
        let party = party.id.clone();
        let asked = PeckQuery { party, direction, status, now: self.now() };
        self.ports.store.pecks(&asked, page).await
    }

    /// A peck, for one of its two parties. For all others it is not there.
    pub async fn peck_of(&self, party: &Duckling, id: &PeckId) -> Result<Peck> {
        let found = self.ports.store.peck(id).await?;
        found.filter(|peck| peck.concerns(&party.id)).ok_or(BeakError::NotFound("such peck"))
    }

    /// Says yes. Both sides climb to T1 with it, if they have not yet. Gives the tier of the side
    /// that says yes.
    pub async fn approve(&self, target: &Duckling, id: &PeckId) -> Result<Tier> {
        let peck = self.answerable(target, id).await?;
        for _ in 0..TRIES {
            let source = self.ports.store.duckling(&peck.source).await?;
            let source = source.ok_or(BeakError::NotFound("such duckling"))?;
            let target = self.ports.store.duckling(&peck.target).await?;
            let target = target.ok_or(BeakError::Unauthorized)?;
            let (source, target) = (self.side(&source).await?, self.side(&target).await?);
            let tier = target.promotion.as_ref().map_or(target.tier, |p| p.certificate.tier);
            let own = target.id.clone();
            let approval = Move::Approve { source: Box::new(source), target: Box::new(target) };
            match self.ports.store.move_peck(id, &approval, self.now()).await? {
                Moved::Done => return Ok(tier),
                Moved::Elsewhere(status) => return Err(settled(status)),
                Moved::Full(full) if full == own => {
                    return Err(conflict(PeckStatus::Pending, "your tier allows no more bonds"));
                }
                Moved::Full(_) => {
                    let message = "the other side's tier allows it no more bonds";
                    return Err(conflict(PeckStatus::Pending, message));
                }
                Moved::Stale => {}
            }
        }
        Err(BeakError::Unavailable(format!("{id} changed {TRIES} times under an approval")))
    }

    /// Says no.
    pub async fn deny(&self, target: &Duckling, id: &PeckId) -> Result<()> {
        self.answerable(target, id).await?;
        match self.ports.store.move_peck(id, &Move::Deny, self.now()).await? {
            Moved::Done => Ok(()),
            other => Err(lost(&other)),
        }
    }

    /// Ends a bond, from either side, or withdraws one's own peck.
    pub async fn unpeck(&self, party: &Duckling, id: &PeckId) -> Result<()> {
        // Approved between reading and writing, a withdrawal becomes the end of a bond.
        for _ in 0..TRIES {
            let peck = self.peck_of(party, id).await?;
            let status = peck.status_at(self.now());
            let to = match status {
                PeckStatus::Approved => Move::Revoke,
                PeckStatus::Pending if peck.source == party.id => Move::Withdraw,
                PeckStatus::Pending => {
                    return Err(conflict(status, "it waits for your answer: approve or deny it"));
                }
                _ => return Err(settled(status)),
            };
            match self.ports.store.move_peck(id, &to, self.now()).await? {
                Moved::Done => return Ok(()),
                Moved::Elsewhere(PeckStatus::Approved) | Moved::Stale => {}
                other => return Err(lost(&other)),
            }
        }
        Err(BeakError::Unavailable(format!("{id} changed {TRIES} times under an unpeck")))
    }

    /// The peck, if it is the caller's to answer and still waits.
    async fn answerable(&self, target: &Duckling, id: &PeckId) -> Result<Peck> {
        let peck = self.peck_of(target, id).await?;
        if peck.target != target.id {
            return Err(BeakError::Forbidden("only the duckling that was asked can answer"));
        }
        match peck.status_at(self.now()) {
            PeckStatus::Pending => Ok(peck),
            status => Err(settled(status)),
        }
    }

    async fn side(&self, duckling: &Duckling) -> Result<Side> {
        let climbs = duckling.tier == Tier::T0 && duckling.cert_status == CertStatus::Valid;
        let promotion = if climbs { Some(self.promotion(duckling, Tier::T1).await?) } else { None };
        let (id, tier) = (duckling.id.clone(), duckling.tier);
        Ok(Side { id, tier, limit: tier.bonds(), promotion })
    }

    /// A tier with its certificate, for a transaction to make it so.
    pub(super) async fn promotion(&self, duckling: &Duckling, tier: Tier) -> Result<Promotion> {
        let name = duckling.display_name.as_str();
        let claims = self.claims(&duckling.id, &duckling.email, name, tier)?;
        let certificate = self.certify(claims).await?;
        Ok(Promotion { certificate, replaces: duckling.cert_id.clone() })
    }
}

/// What the asking side learns of a new peck.
fn asked(peck: Peck, pecked: Pecked) -> Result<Peck> {
    let taken = |message| Err(BeakError::AlreadyExists(message));
    let refused = |message| Err(BeakError::Conflict { status: None, message });
    match pecked {
        Pecked::Done => Ok(peck),
        Pecked::Repeated(earlier) => Ok(earlier),
        Pecked::AlreadyPending => taken("the same peck already waits for an answer"),
        Pecked::AlreadyBonded => taken("you two are bonded for this type already"),
        Pecked::KeyTaken => refused("this Idempotency-Key was used for another peck"),
        Pecked::NoTarget => Err(BeakError::NotFound("such duckling")),
        Pecked::NoSource => Err(BeakError::Unauthorized),
        Pecked::Crowded(Crowd::Source) => {
            refused("too many of your pecks wait for an answer: withdraw one or wait")
        }
        Pecked::Crowded(Crowd::Target) => {
            refused("too many pecks wait for this duckling: try again later")
        }
        Pecked::Crowded(Crowd::Pair) => {
            refused("three of your pecks already wait for this duckling: withdraw one or wait")
        }
    }
}

fn conflict(status: PeckStatus, message: &'static str) -> BeakError {
    BeakError::Conflict { status: Some(status), message }
}

fn settled(status: PeckStatus) -> BeakError {
    conflict(status, "this peck is settled already")
}

fn lost(moved: &Moved) -> BeakError {
    match moved {
        Moved::Elsewhere(status) => settled(*status),
        other => BeakError::Internal(format!("a move that can't end so: {other:?}")),
    }
}

/// SHA-256 over parts that can't run into each other.
fn digest(parts: &[&str]) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part.len().to_be_bytes());
        sha.update(part.as_bytes());
    }
    hex(&sha.finalize())
}
