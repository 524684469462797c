//! Requests for T2, and what operators do about ducklings.
//!
//! ```text
//! tier-requests  TIME#DUCKLING  a request that waits
//! ```

use beak_core::Result;
use beak_core::audit;
use beak_core::duckling::Duckling;
use beak_core::id::DucklingId;
use beak_core::ports::{Decision, Listed, Page, Store as _, Suspension};
use beak_core::tier::{Tier, TierRequest};

use super::changes::{Update, key};
use super::item::{Item, attributes, due, ledger_key, millis, number, text};
use super::transaction::{Change, Outcome, Transaction};
use super::writes::TRIES;
use super::{DynamoStore, restless};
use crate::failure::failed;

/// The partition of the requests that wait.
pub(super) const REQUESTS: &str = "tier-requests";

/// The place of a request in the queue.
pub(super) fn request_place(request: &TierRequest, id: &DucklingId) -> String {
    format!("{}#{id}", due(request.at))
}

/// That a duckling's request is still the one that was read.
fn same_request(duckling: &Duckling, update: &mut Update) {
    match &duckling.tier_request {
        None => update.condition += " AND attribute_not_exists(tier_requested_at)",
        Some(request) => {
            update.condition += " AND tier_requested_at = :asked";
            update.values.insert(":asked".into(), number(millis(request.at)));
        }
    }
}

impl DynamoStore {
    pub(super) async fn write_request(
        &self,
        id: &DucklingId,
        request: &TierRequest,
    ) -> Result<bool> {
        for _ in 0..TRIES {
            let found = self.duckling(id).await?.filter(|duckling| duckling.tier == Tier::T1);
            let Some(duckling) = found else { return Ok(false) };
            let mut transaction = Transaction::default();
            let ledger = || self.table("ledger");
            let place = request_place(request, id);
            if let Some(older) = &duckling.tier_request {
                let older = request_place(older, id);
                if older != place {
                    transaction.delete(ledger(), ledger_key(REQUESTS, older))?;
                }
            }
            let mut waits = ledger_key(REQUESTS, place);
            waits.insert("duckling_id".into(), text(id.as_str()));
            transaction.put(ledger(), waits)?;
            let mut update = Update {
                expression: "SET tier_statement = :statement, tier_requested_at = :at".into(),
                condition: "tier = :t".into(),
                values: attributes([
                    (":statement", text(request.statement.as_str())),
                    (":at", number(millis(request.at))),
                    (":t", text(Tier::T1.word())),
                ]),
            };
            same_request(&duckling, &mut update);
            self.change(&mut transaction, id, update)?;
            if matches!(self.run(transaction).await?, Outcome::Done) {
                return Ok(true);
            }
        }
        Err(restless())
    }

    fn change(&self, to: &mut Transaction, id: &DucklingId, update: Update) -> Result<()> {
        let Update { expression: update, condition, values } = update;
        let (table, key) = (self.table("ducklings"), key(id));
        to.update("duckling", Change { table, key, update: &update, values }, Some(&condition))
    }

    pub(super) async fn list_requests(&self, page: &Page) -> Result<Listed<Duckling>> {
        let asked = self
            .client
            .query()
            .table_name(self.table("ledger"))
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(REQUESTS))
            .consistent_read(true)
            .limit(i32::try_from(page.limit).unwrap_or(100))
            .set_exclusive_start_key(page.after.as_ref().map(|after| ledger_key(REQUESTS, after)));
        let answer = asked.send().await.map_err(|error| failed("listing requests", &error))?;
        let mut ids = Vec::new();
        for item in answer.items() {
            ids.push(DucklingId::parse(Item(item).text("duckling_id")?)?);
        }
        let mut found = self.ducklings_of(&ids).await?;
        // A batch comes in any order.
        found.sort_by_key(|duckling| ids.iter().position(|id| *id == duckling.id));
        let next = answer.last_evaluated_key().map(|key| Item(key).text("sk"));
        Ok(Listed { items: found, next: next.transpose()?.map(str::to_owned) })
    }

    pub(super) async fn read_ducklings(&self, ids: &[DucklingId]) -> Result<Vec<Duckling>> {
        let items = self.batch("ducklings", ids.iter().map(key).collect()).await?;
        items.iter().map(|item| Item(item).duckling()).collect()
    }

    pub(super) async fn write_decision(&self, decision: &Decision) -> Result<bool> {
        let Some(duckling) = self.duckling(&decision.id).await? else { return Ok(false) };
        let mut transaction = Transaction::default();
        let mut update = Update {
            expression: "SET decided_at = :at".into(),
            condition: "tier = :read".into(),
            values: attributes([
                (":read", text(Tier::T1.word())),
                (":at", number(millis(decision.at))),
            ]),
        };
        if let Some(promotion) = &decision.promotion {
            self.promote(&mut transaction, promotion, &mut update)?;
            self.count(&mut transaction, &[("certificates", 1)])?;
        }
        same_request(&duckling, &mut update);
        if let Some(request) = &duckling.tier_request {
            let place = ledger_key(REQUESTS, request_place(request, &decision.id));
            transaction.delete(self.table("ledger"), place)?;
        }
        update.expression += " REMOVE tier_statement, tier_requested_at";
        self.change(&mut transaction, &decision.id, update)?;
        self.tell(&mut transaction, &audit::of_decision(decision))?;
        Ok(matches!(self.run(transaction).await?, Outcome::Done))
    }

    pub(super) async fn write_suspension(&self, suspension: &Suspension) -> Result<bool> {
        let read = &suspension.duckling;
        let [before, after] = suspension.turns().map(|status| text(status.word()));
        let cert = text(read.cert_id.as_str());
        let mut transaction = Transaction::default();
        let update = Update {
            expression: "SET cert_status = :after".into(),
            condition: "cert_id = :cert AND cert_status = :before".into(),
            values: attributes([
                (":cert", cert.clone()),
                (":before", before.clone()),
                (":after", after.clone()),
            ]),
        };
        self.change(&mut transaction, &read.id, update)?;
        let change = Change {
            table: self.table("certs"),
            key: attributes([("cert_id", cert)]),
            update: "SET #status = :after",
            values: attributes([(":before", before), (":after", after)]),
        };
        transaction.update("certificate", change, Some("#status = :before"))?;
        self.tell(&mut transaction, &[audit::of_suspension(suspension)])?;
        Ok(matches!(self.run(transaction).await?, Outcome::Done))
    }
}
