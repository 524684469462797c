//! The newsletter: offers in the ledger, where they lapse by themselves; readers in their table.

use beak_core::newsletter::{Offer, TokenHash};
use beak_core::person::Email;
use beak_core::{OffsetDateTime, Result};

use super::item::{Item, attributes, guard_key, millis, number, seconds, text};
use super::transaction::{Change, Outcome, Transaction};
use super::{DynamoStore, restless};
use crate::failure::failed;

/// How an offer stands.
const WAITS: &str = "waits";
const TAKEN: &str = "taken";
const ENDED: &str = "ended";

/// How often a write starts over because the offer has changed under it.
const TRIES: usize = 4;

fn offered(token: &TokenHash) -> String {
    format!("news#{}", token.as_str())
}

impl DynamoStore {
    pub(super) async fn write_offer(&self, offer: &Offer) -> Result<()> {
        let mut item = guard_key(offered(&offer.token));
        item.insert("email".into(), text(offer.email.as_str()));
        item.insert("offer".into(), text(WAITS));
        item.insert("until_ms".into(), number(millis(offer.expires_at)));
        item.insert("expires_at".into(), seconds(offer.expires_at));
        let put = self.client.put_item().table_name(self.table("ledger")).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(|error| failed("keeping an offer", &error))
    }

    pub(super) async fn write_reader(
        &self,
        token: &TokenHash,
        now: OffsetDateTime,
    ) -> Result<bool> {
        for _ in 0..TRIES {
            let item = self.get("ledger", guard_key(offered(token))).await?;
            let Some(item) = item else { return Ok(false) };
            let item = Item(&item);
            let email = item.text("email")?;
            match item.text("offer")? {
                WAITS if item.number("until_ms")? > millis(now) => {}
                TAKEN => return self.has_reader(email).await,
                _ => return Ok(false),
            }
            let mut transaction = Transaction::default();
            let change = Change {
                table: self.table("ledger"),
                key: guard_key(offered(token)),
                update: "SET offer = :taken REMOVE expires_at",
                values: attributes([(":taken", text(TAKEN)), (":waits", text(WAITS))]),
            };
            transaction.update("offer", change, Some("offer = :waits"))?;
            let reader = attributes([("email", text(email)), ("since", number(millis(now)))]);
            transaction.put(self.table("newsletter"), reader)?;
            if matches!(self.run(transaction).await?, Outcome::Done) {
                return Ok(true);
            }
        }
        Err(restless())
    }

    pub(super) async fn end_reader(&self, token: &TokenHash) -> Result<bool> {
        let item = self.get("ledger", guard_key(offered(token))).await?;
        let Some(item) = item else { return Ok(false) };
        let email = Item(&item).text("email")?;
        let mut transaction = Transaction::default();
        let change = Change {
            table: self.table("ledger"),
            key: guard_key(offered(token)),
            update: "SET offer = :ended",
            values: attributes([(":ended", text(ENDED))]),
        };
        transaction.update("offer", change, Some("attribute_exists(pk)"))?;
        transaction.delete(self.table("newsletter"), attributes([("email", text(email))]))?;
        Ok(matches!(self.run(transaction).await?, Outcome::Done))
    }

    async fn has_reader(&self, email: &str) -> Result<bool> {
        Ok(self.get("newsletter", attributes([("email", text(email))])).await?.is_some())
    }

    pub(super) async fn reads(&self, email: &Email) -> Result<bool> {
        self.has_reader(email.as_str()).await
    }
}
