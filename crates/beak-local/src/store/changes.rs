//! Changes of a duckling by itself or its owner, and of the newsletter.

use beak_core::certificate::{CertStatus, Certificate};
use beak_core::duckling::Duckling;
use beak_core::id::{CertId, DucklingId};
use beak_core::newsletter::{Offer, TokenHash};
use beak_core::person::DisplayName;
use beak_core::ports::{Deletion, NewKey, Promotion};
use beak_core::{BeakError, OffsetDateTime, Result, audit};

use super::audit::tell;
use super::operators;
use super::pecks::are_waiting;
use super::rows::{CertificateRow, DucklingRow, Millis, OfferRow, OfferState, millis};
use crate::db::{
    CERTIFICATES, DUCKLINGS, EMAILS, KEYS, LEAVING, OFFERS, OWNED, READERS, REQUESTS, Writing,
};

pub(super) fn duckling(txn: &Writing, id: &str) -> Result<Option<Duckling>> {
    txn.get::<DucklingRow>(DUCKLINGS, id)?.map(DucklingRow::read).transpose()
}

/// Keeps a new certificate.
pub(super) fn certify(txn: &Writing, certificate: &Certificate) -> Result<()> {
    keep(txn, certificate)?;
    txn.count("certificates", 1)
}

/// Keeps a certificate that was counted when it was issued.
pub(super) fn keep(txn: &Writing, certificate: &Certificate) -> Result<()> {
    let id = certificate.id.as_str();
    txn.put(CERTIFICATES, id, &CertificateRow::from(certificate))?;
    txn.put(OWNED, &format!("{}#{id}", certificate.duckling_id), &())
}

/// Lifts a duckling to a tier; its old certificate is superseded.
pub(super) fn promote(txn: &Writing, duckling: &mut Duckling, to: &Promotion) -> Result<()> {
    let old = to.replaces.as_str();
    if let Some(mut row) = txn.get::<CertificateRow>(CERTIFICATES, old)? {
        CertStatus::Superseded.word().clone_into(&mut row.status);
        txn.put(CERTIFICATES, old, &row)?;
    }
    certify(txn, &to.certificate)?;
    duckling.tier = to.certificate.tier;
    duckling.cert_id = to.certificate.id.clone();
    duckling.cert_status = CertStatus::Valid;
    Ok(())
}

pub(super) fn rotate(txn: &Writing, id: &DucklingId, old: &str, new: &NewKey) -> Result<bool> {
    let row = txn.get::<DucklingRow>(DUCKLINGS, id.as_str())?;
    let Some(mut row) = row.filter(|row| row.key_hash == old) else { return Ok(false) };
    txn.remove(KEYS, old)?;
    txn.put(KEYS, &new.hash, id.as_str())?;
    (row.key_hash, row.key_hint) = (new.hash.clone(), new.hint.clone());
    txn.put(DUCKLINGS, id.as_str(), &row)?;
    tell(txn, &[audit::of_rotation(id, new.at)])?;
    Ok(true)
}

pub(super) fn rename(txn: &Writing, id: &DucklingId, name: &DisplayName) -> Result<bool> {
    let row = txn.get::<DucklingRow>(DUCKLINGS, id.as_str())?;
    let Some(mut row) = row else { return Ok(false) };
    name.as_str().clone_into(&mut row.display_name);
    txn.put(DUCKLINGS, id.as_str(), &row)?;
    Ok(true)
}

pub(super) fn delete(txn: &Writing, deletion: &Deletion) -> Result<bool> {
    let read = &deletion.duckling;
    let id = read.id.as_str();
    let same = |now: &Duckling| {
        now.bonds == 0 && now.key_hash == read.key_hash && now.cert_id == read.cert_id
    };
    let there = duckling(txn, id)?.as_ref().is_some_and(same);
    if !there || are_waiting(txn, &read.id)? {
        return Ok(false);
    }
    txn.remove(DUCKLINGS, id)?;
    txn.remove(LEAVING, id)?;
    txn.remove(EMAILS, read.email.as_str())?;
    txn.remove(KEYS, &read.key_hash)?;
    for cert in deletion.certificates.iter().map(CertId::as_str) {
        let row = txn.get::<CertificateRow>(CERTIFICATES, cert)?;
        let mut row = row.ok_or_else(|| BeakError::Internal("a certificate is gone".into()))?;
        CertStatus::Revoked.word().clone_into(&mut row.status);
        // What is left says that there was one, and no more about whose it was.
        (row.name, row.compact) = (String::new(), String::new());
        txn.put(CERTIFICATES, cert, &row)?;
    }
    if let Some(request) = &read.tier_request {
        txn.remove(REQUESTS, &operators::place(request, &read.id))?;
    }
    txn.count("ducklings", -1)?;
    tell(txn, &audit::of_deletion(deletion))?;
    Ok(true)
}

pub(super) fn offer(txn: &Writing, offer: &Offer) -> Result<()> {
    let email = offer.email.as_str().to_owned();
    let row = OfferRow { email, until: millis(offer.expires_at), state: OfferState::Waits };
    txn.put(OFFERS, offer.token.as_str(), &row)
}

pub(super) fn subscribe(txn: &Writing, token: &TokenHash, now: OffsetDateTime) -> Result<bool> {
    let Some(row) = txn.get::<OfferRow>(OFFERS, token.as_str())? else { return Ok(false) };
    match row.state {
        OfferState::Waits if row.until > millis(now) => {
            txn.put(READERS, &row.email, &millis(now))?;
            txn.put(OFFERS, token.as_str(), &OfferRow { state: OfferState::Taken, ..row })?;
            Ok(true)
        }
        OfferState::Taken => Ok(txn.get::<Millis>(READERS, &row.email)?.is_some()),
        OfferState::Waits | OfferState::Ended => Ok(false),
    }
}

pub(super) fn unsubscribe(txn: &Writing, token: &TokenHash) -> Result<bool> {
    let Some(row) = txn.get::<OfferRow>(OFFERS, token.as_str())? else { return Ok(false) };
    txn.remove(READERS, &row.email)?;
    txn.put(OFFERS, token.as_str(), &OfferRow { state: OfferState::Ended, ..row })?;
    Ok(true)
}
