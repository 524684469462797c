//! Deletions that have begun.
//!
//! ```text
//! leaving  DUCKLING  a deletion that is not done: why, and whether the account is deleted
//! ```

use aws_sdk_dynamodb::types::AttributeValue;
use beak_core::Result;
use beak_core::certificate::CertStatus;
use beak_core::id::DucklingId;
use beak_core::ports::{Departure, Listed, Page, Store as _};
use beak_core::tier::Note;

use super::changes::key;
use super::item::{Attributes, Item, attributes, ledger_key, text};
use super::transaction::{Change, Outcome, Transaction};
use super::writes::TRIES;
use super::{DynamoStore, restless};
use crate::failure::{code, failed};

/// The partition of deletions that are not done.
const LEAVING: &str = "leaving";

/// The key of a deletion.
pub(super) fn departure_key(id: &DucklingId) -> Attributes {
    ledger_key(LEAVING, id.as_str())
}

fn read(item: &Attributes) -> Result<Departure> {
    let item = Item(item);
    Ok(Departure {
        id: DucklingId::parse(item.text("sk")?)?,
        reason: item.maybe_text("reason").map(Note::parse).transpose()?,
        account_ended: item.text("account")? == "ended",
    })
}

impl DynamoStore {
    pub(super) async fn write_departure(&self, departure: &Departure) -> Result<()> {
        for _ in 0..TRIES {
            let Some(duckling) = self.duckling(&departure.id).await? else { return Ok(()) };
            let mut item = departure_key(&departure.id);
            let account = if departure.account_ended { "ended" } else { "there" };
            item.insert("account".into(), text(account));
            if let Some(reason) = &departure.reason {
                item.insert("reason".into(), text(reason.as_str()));
            }
            // The mark is there: how far it has come is all that is new.
            if duckling.is_leaving && self.replace_departure(item.clone()).await? {
                return Ok(());
            }
            let mut transaction = Transaction::default();
            transaction.put(self.table("ledger"), item)?;
            let (cert, revoked) =
                (text(duckling.cert_id.as_str()), text(CertStatus::Revoked.word()));
            let change = Change {
                table: self.table("ducklings"),
                key: key(&departure.id),
                update: "SET leaving = :yes, cert_status = :revoked",
                values: attributes([
                    (":yes", AttributeValue::Bool(true)),
                    (":revoked", revoked.clone()),
                    (":cert", cert.clone()),
                ]),
            };
            transaction.update("duckling", change, Some("cert_id = :cert"))?;
            if duckling.cert_status != CertStatus::Revoked {
                let change = Change {
                    table: self.table("certs"),
                    key: attributes([("cert_id", cert)]),
                    update: "SET #status = :revoked",
                    values: attributes([(":revoked", revoked)]),
                };
                transaction.update("certificate", change, Some("attribute_exists(cert_id)"))?;
            }
            if matches!(self.run(transaction).await?, Outcome::Done) {
                return Ok(());
            }
        }
        Err(restless())
    }

    /// Replaces a departure that is kept. Whether there was one.
    async fn replace_departure(&self, item: Attributes) -> Result<bool> {
        let put = self.client.put_item().table_name(self.table("ledger")).set_item(Some(item));
        match put.condition_expression("attribute_exists(pk)").send().await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(failed("keeping a deletion", &error)),
        }
    }

    pub(super) async fn read_departure(&self, id: &DucklingId) -> Result<Option<Departure>> {
        self.get("ledger", departure_key(id)).await?.as_ref().map(read).transpose()
    }

    pub(super) async fn list_departures(&self, page: &Page) -> Result<Listed<Departure>> {
        let asked = self
            .client
            .query()
            .table_name(self.table("ledger"))
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(LEAVING))
            .consistent_read(true)
            .limit(i32::try_from(page.limit).unwrap_or(100))
            .set_exclusive_start_key(page.after.as_ref().map(|after| ledger_key(LEAVING, after)));
        let answer = asked.send().await.map_err(|error| failed("listing deletions", &error))?;
        let items = answer.items().iter().map(read).collect::<Result<_>>()?;
        let next = answer.last_evaluated_key().map(|key| Item(key).text("sk"));
        Ok(Listed { items, next: next.transpose()?.map(str::to_owned) })
    }

    pub(super) async fn drop_departure(&self, id: &DucklingId) -> Result<()> {
        let gone = self.client.delete_item().table_name(self.table("ledger"));
        let gone = gone.set_key(Some(departure_key(id))).send().await;
        gone.map(|_| ()).map_err(|error| failed("forgetting a deletion", &error))
    }
}
