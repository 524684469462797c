//! Reports about mails in the ledger, and the addresses that are not mailed again. An address is
//! known by its digest only.

use async_trait::async_trait;
use beak_core::Result;
use beak_core::feedback::{KEPT, Report, ReportKind, Reports};
use beak_core::person::Email;
use beak_core::ports::Feedback;

use super::DynamoStore;
use super::by;
use super::item::{Attributes, Item, attributes, guard, guard_key, ledger_key, seconds, text};
use super::transaction::{Change, Outcome, Transaction};

const BOUNCES: &str = "bounces";
const COMPLAINTS: &str = "complaints";

fn unreachable(email: &Email) -> String {
    format!("unreachable#{}", email.sha256())
}

/// Where the counts are. Reports are rare: one item is enough.
fn counts() -> Attributes {
    ledger_key("mail", "reports")
}

impl DynamoStore {
    fn writing(&self, report: &Report) -> Result<Transaction> {
        let ledger = || self.table("ledger");
        let word = report.kind().word();
        let mut transaction = Transaction::default();
        // Its own key makes it count once; `spaceduck mail test` looks for it there.
        let mut item = ledger_key(format!("feedback#{}", report.message_id()), word);
        item.insert("at".into(), seconds(report.at()));
        item.insert("expires_at".into(), seconds(report.at() + KEPT));
        transaction.create("report", ledger(), "pk", item)?;
        if !report.kind().is_final() {
            return Ok(transaction);
        }
        for email in report.recipients() {
            transaction.put(ledger(), guard(unreachable(email), "why", word))?;
            transaction
                .delete(self.table("newsletter"), attributes([("email", text(email.as_str()))]))?;
        }
        let name = if report.kind() == ReportKind::Bounce { BOUNCES } else { COMPLAINTS };
        let change = Change {
            table: ledger(),
            key: counts(),
            update: &format!("ADD {name} :one"),
            values: attributes([(":one", by(1))]),
        };
        transaction.update("count", change, None)?;
        Ok(transaction)
    }
}

#[async_trait]
impl Feedback for DynamoStore {
    async fn report(&self, report: &Report) -> Result<bool> {
        Ok(matches!(self.run(self.writing(report)?).await?, Outcome::Done))
    }

    async fn is_unreachable(&self, email: &Email) -> Result<bool> {
        Ok(self.get("ledger", guard_key(unreachable(email))).await?.is_some())
    }

    async fn reports(&self) -> Result<Reports> {
        let Some(item) = self.get("ledger", counts()).await? else { return Ok(Reports::default()) };
        let count = |name: &str| {
            let count = Item(&item).maybe_number(name)?.unwrap_or(0);
            Ok::<_, beak_core::BeakError>(u64::try_from(count).unwrap_or(0))
        };
        Ok(Reports { bounces: count(BOUNCES)?, complaints: count(COMPLAINTS)? })
    }
}
