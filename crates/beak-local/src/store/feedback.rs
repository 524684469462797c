//! Reports about mails, and the addresses that are not mailed again, known by their digest only.

use async_trait::async_trait;
use beak_core::feedback::{KEPT, Report, ReportKind, Reports};
use beak_core::person::Email;
use beak_core::ports::Feedback;
use beak_core::{OffsetDateTime, Result};

use super::RedbStore;
use super::rows::{Millis, millis};
use crate::db::{COUNTS, READERS, REPORTS, UNREACHABLE, Writing};

const BOUNCES: &str = "bounces";
const COMPLAINTS: &str = "complaints";

pub(super) fn tidy(txn: &Writing, now: OffsetDateTime) -> Result<()> {
    txn.retain(REPORTS, |at: &Millis| *at > millis(now - KEPT))
}

/// Whether an address is not mailed any more, as part of a transaction.
pub(crate) fn is_ended(txn: &Writing, email: &Email) -> Result<bool> {
    Ok(txn.get::<String>(UNREACHABLE, &email.sha256())?.is_some())
}

fn write(txn: &Writing, report: &Report) -> Result<bool> {
    let word = report.kind().word();
    let key = format!("{}#{word}", report.message_id());
    if txn.get::<Millis>(REPORTS, &key)?.is_some() {
        return Ok(false);
    }
    txn.put(REPORTS, &key, &millis(report.at()))?;
    if report.kind().is_final() {
        for email in report.recipients() {
            txn.put(UNREACHABLE, &email.sha256(), word)?;
            txn.remove(READERS, email.as_str())?;
        }
        let bounced = report.kind() == ReportKind::Bounce;
        txn.count(if bounced { BOUNCES } else { COMPLAINTS }, 1)?;
    }
    Ok(true)
}

#[async_trait]
impl Feedback for RedbStore {
    async fn report(&self, report: &Report) -> Result<bool> {
        let report = report.clone();
        self.db.write(move |txn| write(txn, &report)).await
    }

    async fn is_unreachable(&self, email: &Email) -> Result<bool> {
        let why = self.db.read(|txn| txn.get::<String>(UNREACHABLE, &email.sha256()))?;
        Ok(why.is_some())
    }

    async fn reports(&self) -> Result<Reports> {
        self.db.read(|txn| {
            let count = |name: &str| {
                let count: Option<i64> = txn.get(COUNTS, name)?;
                Ok::<_, beak_core::BeakError>(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
            };
            Ok(Reports { bounces: count(BOUNCES)?, complaints: count(COMPLAINTS)? })
        })
    }
}
