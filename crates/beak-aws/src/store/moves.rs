//! Moves of a peck. Every move is one transaction over the peck, what guards it, the two
//! ducklings and the counters.

use beak_core::certificate::CertStatus;
use beak_core::error::Result;
use beak_core::id::{DucklingId, PeckId};
use beak_core::peck::{Peck, PeckStatus};
use beak_core::ports::{Move, Moved, Promotion, Side};
use time::OffsetDateTime;

use super::ducklings::duckling_key;
use super::pecks::peck_key;
use super::rows::{self, moment, number, text};
use super::transact::{Loss, Outcome, Part, Step, Terms};
use super::{CERTS, DUCKLINGS, DynamoStore, LEDGER, PECKS, failure, ledger};

impl DynamoStore {
    /// Moves a peck on.
    pub(super) async fn move_on(
        &self,
        id: &PeckId,
        to: &Move,
        now: OffsetDateTime,
    ) -> Result<Moved> {
        // What this reading tells - the parties, the kind, the hour - never changes; the state,
        // which does, is checked in the transaction.
        let Some(peck) = self.peck_of(id).await? else {
            return Err(failure::inconsistent(&format!("{id} is moved, but is not there")));
        };
        let outcome = self.transact(self.moving(&peck, to, now)?, &counts(to)).await?;
        if outcome == Outcome::Done {
            return Ok(Moved::Done);
        }
        if let Some(loss) = outcome.loss(Part::Peck) {
            return self.elsewhere(id, loss, now).await;
        }
        let losses = [Part::Source, Part::Target].map(|part| outcome.loss(part));
        if losses.iter().all(Option::is_none) {
            return Err(failure::inconsistent(&format!("the certificates that {id} changes")));
        }
        let Move::Approve { source, target } = to else { return Ok(Moved::Stale) };
        let sides = [(source, losses[0]), (target, losses[1])];
        let lost = sides.into_iter().filter_map(|(side, loss)| loss.map(|loss| (side, loss)));
        for (side, loss) in lost {
            if is_full(side, loss)? {
                return Ok(Moved::Full(side.id.clone()));
            }
        }
        Ok(Moved::Stale)
    }

    async fn elsewhere(&self, id: &PeckId, loss: &Loss, now: OffsetDateTime) -> Result<Moved> {
        let found = match &loss.item {
            Some(item) => Some(rows::peck_of(item)?),
            None => self.peck_of(id).await?,
        };
        match found {
            Some(peck) => Ok(Moved::Elsewhere(peck.status_at(now))),
            None => Err(failure::inconsistent(&format!("{id} is not there any more"))),
        }
    }

    fn moving(&self, peck: &Peck, to: &Move, now: OffsetDateTime) -> Result<Vec<Step>> {
        let mut steps = vec![self.settling(peck, to, now)?];
        if !matches!(to, Move::Revoke) {
            let due = ledger::peck_due(&peck.id, peck.expires_at);
            let pair = ledger::pair_guard(peck);
            steps.push(Step::delete(Part::Pair, self.table(LEDGER), pair, Terms::none())?);
            steps.push(self.undue(&due, Terms::none())?);
        }
        match to {
            Move::Approve { source, target } => {
                steps.extend(self.bonding(Part::Source, source)?);
                steps.extend(self.bonding(Part::Target, target)?);
            }
            Move::Revoke => {
                steps.push(self.unbonding(Part::Source, &peck.source)?);
                steps.push(self.unbonding(Part::Target, &peck.target)?);
            }
            Move::Deny | Move::Withdraw | Move::Expire => {}
        }
        Ok(steps)
    }

    /// The peck's own change.
    fn settling(&self, peck: &Peck, to: &Move, now: OffsetDateTime) -> Result<Step> {
        let (from, into) = ends(to);
        let condition = match to {
            Move::Revoke => "#status = :from",
            Move::Expire => "#status = :from AND #expires_at_ms <= :now",
            _ => "#status = :from AND #expires_at_ms > :now",
        };
        let terms = Terms::change("SET #status = :into, #settled_at = :now", condition)
            .with("from", text(from.word()))
            .with("into", text(into.word()))
            .with("now", moment(now));
        Step::update(Part::Peck, self.table(PECKS), peck_key(&peck.id), terms)
    }

    /// One more bond for a side, and its promotion.
    fn bonding(&self, part: Part, side: &Side) -> Result<Vec<Step>> {
        let as_read = "#tier = :tier AND #bonds < :limit";
        let terms = match &side.promotion {
            None => Terms::change("SET #bonds = #bonds + :one", as_read),
            Some(Promotion { certificate, replaces }) => Terms::change(
                "SET #bonds = #bonds + :one, #tier = :higher, #cert_id = :cert, \
                 #cert_status = :valid",
                format!("{as_read} AND #cert_id = :replaces"),
            )
            .with("higher", text(certificate.tier.word()))
            .with("cert", text(certificate.id.as_str()))
            .with("valid", text(CertStatus::Valid.word()))
            .with("replaces", text(replaces.as_str())),
        };
        let terms = terms.with("one", number(1)).with("tier", text(side.tier.word()));
        let terms = terms.with("limit", number(side.limit));
        let key = duckling_key(&side.id);
        let mut steps = vec![Step::update(part, self.table(DUCKLINGS), key, terms)?];
        if let Some(promotion) = &side.promotion {
            steps.extend(self.superseding(promotion)?);
        }
        Ok(steps)
    }

    /// The new certificate in the place of the old one.
    fn superseding(&self, promotion: &Promotion) -> Result<[Step; 2]> {
        let (table, part) = (self.table(CERTS), Part::Certificate);
        let new = rows::certificate_item(&promotion.certificate);
        let old = rows::key("cert_id", promotion.replaces.as_str());
        let terms = Terms::change("SET #status = :superseded", "attribute_exists(#cert_id)")
            .with("superseded", text(CertStatus::Superseded.word()));
        Ok([
            Step::put(part, table.clone(), new, Terms::absent("cert_id"))?,
            Step::update(part, table, old, terms)?,
        ])
    }

    /// One bond less for a side.
    fn unbonding(&self, part: Part, id: &DucklingId) -> Result<Step> {
        let terms = Terms::change(
            "SET #bonds = #bonds - :one",
            "attribute_exists(#duckling_id) AND #bonds > :none",
        );
        let terms = terms.with("one", number(1)).with("none", number(0));
        Step::update(part, self.table(DUCKLINGS), duckling_key(id), terms)
    }
}

/// The state that a move starts from, and the one that it leads to.
fn ends(to: &Move) -> (PeckStatus, PeckStatus) {
    match to {
        Move::Approve { .. } => (PeckStatus::Pending, PeckStatus::Approved),
        Move::Deny => (PeckStatus::Pending, PeckStatus::Denied),
        Move::Withdraw => (PeckStatus::Pending, PeckStatus::Revoked),
        Move::Revoke => (PeckStatus::Approved, PeckStatus::Revoked),
        Move::Expire => (PeckStatus::Pending, PeckStatus::Expired),
    }
}

/// What a move changes in the counters.
pub(super) fn counts(to: &Move) -> Vec<(&'static str, i64)> {
    let (from, into) = ends(to);
    let mut counts = vec![(from.word(), -1), (into.word(), 1)];
    match to {
        Move::Approve { source, target } => {
            let promoted = [source, target].iter().filter(|s| s.promotion.is_some()).count();
            counts.push(("connections", 1));
            counts.push(("certificates", i64::try_from(promoted).unwrap_or_default()));
        }
        Move::Revoke => counts.push(("connections", -1)),
        Move::Deny | Move::Withdraw | Move::Expire => {}
    }
    counts
}

/// Whether a side lost for want of room. If it is not as it was read, that comes first: its limit
/// may be another one now.
pub(super) fn is_full(side: &Side, loss: &Loss) -> Result<bool> {
    let Some(item) = &loss.item else { return Ok(false) };
    let found = rows::duckling_of(item)?;
    let as_read = found.tier == side.tier
        && side.promotion.as_ref().is_none_or(|promotion| found.cert_id == promotion.replaces);
    Ok(as_read && found.bonds >= side.limit)
}
