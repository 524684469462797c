//! What a move carries: rows of every table as items, and back.
//!
//! Guards, queues and indexes follow from the nouns and are made again. Codes, tokens, sessions,
//! attempts to hatch and counters of calls end with the galaxy that made them.

mod departures;
mod items;
mod repairs;
mod whole;

use beak_core::id::DucklingId;
use beak_core::peck::Direction;
use beak_core::person::hex;
use beak_core::ports::PublicKey;
use beak_core::{BeakError, Result};
use serde_json::Value;

use self::items::{Item, Read, seconds, unreadable};
pub use self::repairs::{Repair, Repairs};
pub(crate) use self::whole::make_whole;
use super::audit;
use super::pecks::side;
use super::rows::{
    CertificateRow, DucklingRow, EggRow, EventRow, Millis, OfferRow, OfferState, PeckRow, RepeatRow,
};
use crate::data::from_hex;
use crate::db::{
    BLOCKS, CERTIFICATES, COUNTS, DUCKLINGS, EGGS, EVENTS, ISSUERS, LAST, OFFERS, PECKS, PEOPLE,
    READERS, REPEATS, REPORTS, Reading, SIGNING_KEYS, Span, UNREACHABLE, WAITING, Writing,
};
use crate::identity::{self, PersonRow};

/// The counts of the galaxy, which DynamoDB spreads over shards.
const COUNTED: [&str; 9] = [
    "ducklings",
    "certificates",
    "connections",
    "eggs",
    "pending",
    "approved",
    "denied",
    "expired",
    "revoked",
];

/// The counts of mails that came back.
const RETURNED: [&str; 2] = ["bounces", "complaints"];

/// Entries that follow from eggs, ducklings, pecks, certificates and events.
const FOLLOWS: [&str; 10] = [
    "email",
    "key",
    "pair",
    "due",
    "audit",
    "due-aside",
    "due-swept",
    "waiting",
    "tier-requests",
    "metrics",
];

/// Entries that end with the galaxy that made them; accounts get new ids.
const ENDS: [&str; 8] =
    ["account", "settles-since", "attempt", "census", "journal", "rate", "signin", "turn"];

/// Whether nothing is there yet but operators.
pub(crate) fn is_empty(txn: &Writing) -> Result<bool> {
    for table in [EGGS, DUCKLINGS, PECKS, CERTIFICATES, READERS] {
        let first = Span { from: "", to: LAST, backwards: false, limit: 1 };
        if !txn.list::<Value>(table, &first)?.is_empty() {
            return Ok(false);
        }
    }
    let mut is_empty = true;
    txn.each::<PersonRow>(PEOPLE, |_, row| {
        is_empty &= row.operator;
        Ok(())
    })?;
    Ok(is_empty)
}

/// Puts an item where it belongs, over an earlier state of the same. What follows from it is made
/// when all are there.
pub(crate) fn take(txn: &Writing, table: &str, item: &Value) -> Result<()> {
    let read = Read(item);
    match table {
        "eggs" => {
            let egg = read.egg()?;
            txn.put(EGGS, egg.email.as_str(), &EggRow::from(&egg))
        }
        "ducklings" => {
            let duckling = read.duckling()?;
            txn.put(DUCKLINGS, duckling.id.as_str(), &DucklingRow::from(&duckling))
        }
        "pecks" => {
            let peck = read.peck()?;
            txn.put(PECKS, peck.id.as_str(), &PeckRow::from(&peck))
        }
        "certs" => {
            let certificate = read.certificate()?;
            let row = CertificateRow::from(&certificate);
            txn.put(CERTIFICATES, certificate.id.as_str(), &row)
        }
        "newsletter" => txn.put(READERS, read.text("email")?, &read.number("since")?),
        "ledger" => take_entry(txn, &read),
        other => Err(unknown(&format!("table `{other}`"))),
    }
}

/// Takes back what was removed after its item had been written.
pub(crate) fn take_back(txn: &Writing, table: &str, key: &Value) -> Result<()> {
    let read = Read(key);
    match table {
        "ducklings" => {
            let id = read.text("duckling_id")?;
            let Some(row) = txn.get::<DucklingRow>(DUCKLINGS, id)? else { return Ok(()) };
            // A deletion takes the account with it.
            identity::move_out(txn, &row.email)?;
            txn.remove(DUCKLINGS, id).map(|_| ())
        }
        "pecks" => txn.remove(PECKS, read.text("peck_id")?).map(|_| ()),
        "certs" => txn.remove(CERTIFICATES, read.text("cert_id")?).map(|_| ()),
        other => Err(unknown(&format!("something removed from `{other}`"))),
    }
}

/// An entry of the ledger, by the sort that its partition names.
fn take_entry(txn: &Writing, read: &Read<'_>) -> Result<()> {
    let (pk, sk) = (read.text("pk")?, read.text("sk")?);
    let (sort, rest) = pk.split_once('#').unwrap_or((pk, ""));
    match sort {
        "block" => txn.put(BLOCKS, &format!("{rest}#{sk}"), &read.number("since")?),
        "leaving" => departures::take(txn, sk, read),
        "idem" => {
            let until = read.number("expires_at")?.saturating_mul(1000);
            let (content, peck_id) = (read.text("content")?, read.text("peck_id")?);
            let (content, peck_id) = (content.to_owned(), peck_id.to_owned());
            txn.put(REPEATS, rest, &RepeatRow { content, peck_id, until })
        }
        "mail" => read.numbers()?.iter().try_for_each(|(name, count)| txn.put(COUNTS, name, count)),
        // In a shard, or under its week where an earlier release wrote it, an event is there once.
        "audit" if rest.starts_with(['s', 'w']) => audit::tell(txn, &read.events()?),
        "news" => {
            let state = match read.text("offer")? {
                "waits" => OfferState::Waits,
                "taken" => OfferState::Taken,
                "ended" => OfferState::Ended,
                _ => return Err(unreadable("offer")),
            };
            let (email, until) = (read.text("email")?.to_owned(), read.number("until_ms")?);
            txn.put(OFFERS, rest, &OfferRow { email, until, state })
        }
        "unreachable" => txn.put(UNREACHABLE, rest, read.text("why")?),
        "feedback" => {
            let at = read.number("at")?.saturating_mul(1000);
            txn.put(REPORTS, &format!("{rest}#{sk}"), &at)
        }
        "signing-keys" => {
            let key = from_hex(read.text("public")?).ok_or_else(|| unreadable("public"))?;
            txn.put(SIGNING_KEYS, sk, &key)
        }
        "issuers" => txn.put(ISSUERS, sk, &()),
        other if FOLLOWS.contains(&other) || ENDS.contains(&other) => Ok(()),
        other => Err(unknown(&format!("entries `{other}`"))),
    }
}

/// Dropping what this version does not know would lose it without a word.
fn unknown(what: &str) -> BeakError {
    BeakError::Internal(format!("it holds {what}, which this version does not know"))
}

/// Takes an item of a table.
type Give<'a> = dyn FnMut(&str, Value) -> Result<()> + 'a;

/// From the first key to the last.
const ALL_KEYS: (&str, &str) = ("", LAST);

/// Gives every item, as DynamoDB would hold it; `own` is a signing key that goes with them.
pub(crate) fn give(
    txn: &Reading,
    own: Option<&PublicKey>,
    now: Millis,
    give: &mut Give<'_>,
) -> Result<()> {
    txn.each::<EggRow>(EGGS, ALL_KEYS, |_, row| {
        items::of_egg(&row.read()?).into_iter().try_for_each(|(at, item)| give(at, item.value()))
    })?;
    txn.each::<DucklingRow>(DUCKLINGS, ALL_KEYS, |_, row| {
        let duckling = row.read()?;
        let waiting = waiting_of(txn, &duckling.id)?;
        let items = items::of_duckling(&duckling, waiting);
        items.into_iter().try_for_each(|(at, item)| give(at, item.value()))
    })?;
    txn.each::<PeckRow>(PECKS, ALL_KEYS, |_, row| {
        items::of_peck(&row.read()?).into_iter().try_for_each(|(at, item)| give(at, item.value()))
    })?;
    txn.each::<CertificateRow>(CERTIFICATES, ALL_KEYS, |_, row| {
        give("certs", items::of_certificate(&row.read()?).value())
    })?;
    txn.each::<Millis>(READERS, ALL_KEYS, |email, since| {
        give("newsletter", Item::default().text("email", email).number("since", since).value())
    })?;
    entries(txn, now, &mut |item| give("ledger", item.value()))?;
    txn.each::<[u8; 32]>(SIGNING_KEYS, ALL_KEYS, |kid, bytes| {
        if own.is_some_and(|own| own.kid == kid) {
            return Ok(());
        }
        give("ledger", Item::ledger("signing-keys", kid).text("public", hex(&bytes)).value())
    })?;
    let Some(own) = own else { return Ok(()) };
    let item = Item::ledger("signing-keys", &own.kid).text("public", hex(&own.bytes));
    give("ledger", item.value())
}

/// How many pecks of a duckling wait: that it asked, that it was asked, and those from T0.
fn waiting_of(txn: &Reading, id: &DucklingId) -> Result<[i64; 3]> {
    let names = [(Direction::Out, ""), (Direction::In, ""), (Direction::In, "T0")];
    let mut counts = [0; 3];
    for (count, (direction, end)) in counts.iter_mut().zip(names) {
        *count = txn.get(WAITING, &side(direction, id, end))?.unwrap_or(0);
    }
    Ok(counts)
}

/// The entries of the ledger that follow from nothing else, and the counts.
fn entries(txn: &Reading, now: Millis, give: &mut dyn FnMut(Item) -> Result<()>) -> Result<()> {
    counts(txn)?.into_iter().try_for_each(&mut *give)?;
    departures::give(txn, give)?;
    txn.each::<Millis>(BLOCKS, ALL_KEYS, |key, at| {
        let (owner, other) = key.split_once('#').ok_or_else(|| unreadable("block"))?;
        give(Item::ledger(format!("block#{owner}"), other).number("since", at))
    })?;
    txn.each::<i64>(WAITING, ("pair#", "pair#~"), |key, count| {
        let pair = key.trim_start_matches("pair#");
        give(Item::guard(format!("waiting#{pair}")).number("waits", count))
    })?;
    txn.each::<EventRow>(EVENTS, ("*#", "*#~"), |_, row| {
        items::of_event(&row.read()?).into_iter().try_for_each(&mut *give)
    })?;
    txn.each::<RepeatRow>(REPEATS, ALL_KEYS, |key, row| {
        if row.until <= now {
            return Ok(());
        }
        let item = Item::guard(format!("idem#{key}")).text("content", row.content);
        let item = item.text("peck_id", row.peck_id);
        give(item.number("expires_at", seconds(row.until)))
    })?;
    txn.each::<OfferRow>(OFFERS, ALL_KEYS, |token, row| {
        let item = Item::guard(format!("news#{token}")).text("email", row.email);
        let item = item.number("until_ms", row.until);
        give(match row.state {
            // DynamoDB forgets an offer that lapsed; one that was taken up it keeps.
            OfferState::Waits => {
                item.text("offer", "waits").number("expires_at", seconds(row.until))
            }
            OfferState::Taken => item.text("offer", "taken"),
            OfferState::Ended => item.text("offer", "ended"),
        })
    })?;
    txn.each::<String>(UNREACHABLE, ALL_KEYS, |digest, why| {
        give(Item::guard(format!("unreachable#{digest}")).text("why", why))
    })?;
    txn.each::<Millis>(REPORTS, ALL_KEYS, |key, at| {
        let (message, word) = key.rsplit_once('#').ok_or_else(|| unreadable("report"))?;
        let kept = seconds(at) + beak_core::feedback::KEPT.whole_seconds();
        let item = Item::ledger(format!("feedback#{message}"), word).number("at", seconds(at));
        give(item.number("expires_at", kept))
    })?;
    txn.each::<()>(ISSUERS, ALL_KEYS, |issuer, ()| give(Item::ledger("issuers", issuer)))
}

fn counts(txn: &Reading) -> Result<Vec<Item>> {
    let of = |names: &[&str], mut item: Item| {
        for name in names {
            if let Some(count) = txn.get::<i64>(COUNTS, name)? {
                item = item.number(name, count);
            }
        }
        Ok::<_, BeakError>(item)
    };
    Ok(vec![
        of(&COUNTED, Item::ledger("metrics", "shard#00"))?,
        of(&RETURNED, Item::ledger("mail", "reports"))?,
    ])
}

/// What a move does with each table of the database.
#[cfg(test)]
const CARRIED: [(crate::db::Table, &str); 31] = {
    use crate::db::{
        ACCOUNTS, ASIDE, ATTEMPTS, DUE, EMAILS, JOURNALS, KEYS, LEAVING, OUTBOX, OWNED, PAIRS,
        REQUESTS, SIDES, SIGN_INS, TURNS,
    };
    [
        (EGGS, "carried"),
        (DUCKLINGS, "carried"),
        (EMAILS, "made again"),
        (KEYS, "made again"),
        (PECKS, "carried"),
        (SIDES, "made again"),
        (PAIRS, "made again"),
        (WAITING, "made again"),
        (BLOCKS, "carried"),
        (LEAVING, "carried"),
        (REQUESTS, "made again"),
        (DUE, "made again"),
        (ASIDE, "made again"),
        (CERTIFICATES, "carried"),
        (OWNED, "made again"),
        (SIGNING_KEYS, "carried"),
        (ISSUERS, "carried"),
        (EVENTS, "carried"),
        (OFFERS, "carried"),
        (READERS, "carried"),
        (REPORTS, "carried"),
        (UNREACHABLE, "carried"),
        (REPEATS, "carried"),
        (TURNS, "left behind"),
        (JOURNALS, "left behind"),
        (ATTEMPTS, "left behind"),
        (ACCOUNTS, "left behind"),
        (COUNTS, "made again"),
        (PEOPLE, "carried"),
        (SIGN_INS, "left behind"),
        (OUTBOX, "left behind"),
    ]
};

#[cfg(test)]
mod tests {
    use redb::TableHandle as _;

    use super::CARRIED;
    use crate::db::ALL;

    #[test]
    fn a_move_decides_about_every_table() {
        let known: Vec<&str> = ALL.iter().map(redb::TableHandle::name).collect();
        let decided: Vec<&str> = CARRIED.iter().map(|(table, _)| table.name()).collect();
        assert_eq!(decided, known);
    }
}
