//! Changes of a duckling by itself or its owner.

use aws_sdk_dynamodb::types::AttributeValue;
use beak_core::certificate::CertStatus;
use beak_core::id::DucklingId;
use beak_core::person::DisplayName;
use beak_core::ports::{Deletion, NewKey, Promotion};
use beak_core::{Result, audit};

use super::DynamoStore;
use super::departures::departure_key;
use super::item::{
    self, Attributes, attributes, email_guard, guard_key, key_guard, ledger_key, number, text,
};
use super::operators::{REQUESTS, request_place};
use super::transaction::{Change, Outcome, Transaction, When};
use super::writes::Guarded;
use crate::failure::{code, failed};

pub(super) fn key(id: &DucklingId) -> Attributes {
    attributes([("duckling_id", text(id.as_str()))])
}

/// An update of a duckling in the making.
pub(super) struct Update {
    pub(super) expression: String,
    pub(super) condition: String,
    pub(super) values: Attributes,
}

impl DynamoStore {
    /// Lifts a duckling to a tier: its part of the update, and the new certificate. That the old
    /// one is superseded follows from the duckling.
    pub(super) fn promote(
        &self,
        to: &mut Transaction,
        promotion: &Promotion,
        duckling: &mut Update,
    ) -> Result<()> {
        let new = &promotion.certificate;
        duckling.expression += ", tier = :tier, cert_id = :cert, cert_status = :valid";
        // A suspended one stays suspended.
        duckling.condition += " AND cert_id = :replaced AND cert_status = :valid";
        duckling.values.extend(attributes([
            (":tier", text(new.tier.word())),
            (":cert", text(new.id.as_str())),
            (":valid", text(CertStatus::Valid.word())),
            (":replaced", text(promotion.replaces.as_str())),
        ]));
        to.create("certificate", self.table("certs"), "cert_id", item::of_certificate(new))
    }

    pub(super) async fn write_key(&self, id: &DucklingId, old: &str, new: &NewKey) -> Result<bool> {
        let guarded = self.guard_key_of(id, &new.hash).await?;
        if guarded == Guarded::Foreign {
            return Ok(false);
        }
        let mut transaction = Transaction::default();
        let change = Change {
            table: self.table("ducklings"),
            key: key(id),
            update: "SET key_hash = :new, key_hint = :hint",
            values: attributes([
                (":old", text(old)),
                (":new", text(&new.hash)),
                (":hint", text(&new.hint)),
            ]),
        };
        transaction.update("duckling", change, Some("key_hash = :old"))?;
        self.tell(&mut transaction, &[audit::of_rotation(id, new.at)])?;
        if !matches!(self.run(transaction).await?, Outcome::Done) {
            self.take_back_guard(guarded, &new.hash).await?;
            return Ok(false);
        }
        // Dead already, since the duckling has another one. Best effort: the caller has to learn
        // the new key, whatever becomes of the old one's guard.
        if old != new.hash {
            let _ = self.drop_key(old).await;
        }
        Ok(true)
    }

    /// Changes one attribute or two of a duckling that fits a condition. Whether it did.
    pub(super) async fn set<const N: usize>(
        &self,
        id: &DucklingId,
        (update, condition): (&str, &str),
        values: [(&str, AttributeValue); N],
    ) -> Result<bool> {
        let asked = self
            .client
            .update_item()
            .table_name(self.table("ducklings"))
            .set_key(Some(key(id)))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(attributes(values)));
        match asked.send().await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(failed("changing a duckling", &error)),
        }
    }

    pub(super) async fn write_name(&self, id: &DucklingId, name: &DisplayName) -> Result<bool> {
        let change = ("SET display_name = :name", "attribute_exists(duckling_id)");
        self.set(id, change, [(":name", text(name.as_str()))]).await
    }

    pub(super) async fn write_deletion(&self, deletion: &Deletion) -> Result<bool> {
        let read = &deletion.duckling;
        let mut transaction = Transaction::default();
        // An index may not show the newest pecks yet; these counts do.
        let condition = "bonds = :none AND key_hash = :key AND cert_id = :cert \
                    AND (attribute_not_exists(waits_out) OR waits_out <= :none) \
                    AND (attribute_not_exists(waits_in) OR waits_in <= :none)";
        let values = attributes([
            (":none", number(0)),
            (":key", text(&read.key_hash)),
            (":cert", text(read.cert_id.as_str())),
        ]);
        let same = When { condition, values };
        transaction.delete_if("duckling", self.table("ducklings"), key(&read.id), same)?;
        for what in [email_guard(&read.email), key_guard(&read.key_hash)] {
            transaction.delete(self.table("ledger"), guard_key(what))?;
        }
        transaction.delete(self.table("ledger"), departure_key(&read.id))?;
        if let Some(request) = &read.tier_request {
            let place = ledger_key(REQUESTS, request_place(request, &read.id));
            transaction.delete(self.table("ledger"), place)?;
        }
        for cert in &deletion.certificates {
            let change = Change {
                table: self.table("certs"),
                key: attributes([("cert_id", text(cert.as_str()))]),
                // What is left says that there was one, and no more about whose it was.
                update: "SET #status = :revoked, #name = :none, #compact = :none",
                values: attributes([
                    (":revoked", text(CertStatus::Revoked.word())),
                    (":none", text("")),
                ]),
            };
            transaction.update("certificate", change, Some("attribute_exists(cert_id)"))?;
        }
        self.count(&mut transaction, &[("ducklings", -1)])?;
        self.tell(&mut transaction, &audit::of_deletion(deletion))?;
        Ok(matches!(self.run(transaction).await?, Outcome::Done))
    }
}
