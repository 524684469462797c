//! What a move carries: rows of every table as items, and back.
//!
//! Guards, queues and indexes follow from the nouns and are made again. Codes, tokens, sessions,
//! attempts to hatch and counters of calls end with the galaxy that made them.

mod departures;
mod items;

use beak_core::peck::{Direction, PeckStatus};
use beak_core::person::hex;
use beak_core::ports::PublicKey;
use beak_core::{BeakError, Result};
use serde_json::Value;

use self::items::{Item, Read, seconds, unreadable};
use super::operators::place;
use super::pecks::{count_waiting, pair, peck_due, side};
use super::rows::{
    CertificateRow, DucklingRow, EggRow, EventRow, Millis, OfferRow, OfferState, PeckRow, RepeatRow,
};
use super::{audit, changes, egg_due};
use crate::data::from_hex;
use crate::db::{
    BLOCKS, CERTIFICATES, COUNTS, DUCKLINGS, DUE, EGGS, EMAILS, EVENTS, ISSUERS, KEYS, OFFERS,
    PAIRS, PECKS, PEOPLE, READERS, REPEATS, REPORTS, REQUESTS, Reading, SIDES, SIGNING_KEYS, Span,
    UNREACHABLE, Writing,
};
use crate::identity::PersonRow;

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

/// Entries that follow from eggs, ducklings, pecks and events.
const FOLLOWS: [&str; 9] =
    ["email", "key", "pair", "due", "audit", "due-aside", "due-swept", "waiting", "tier-requests"];

/// Entries that end with the galaxy that made them; accounts get new ids.
const ENDS: [&str; 8] =
    ["account", "settles-since", "attempt", "census", "journal", "rate", "signin", "turn"];

fn all() -> Span<'static> {
    Span { from: "", to: "\u{10ffff}", backwards: false, limit: usize::MAX }
}

/// Whether nothing is there yet but operators.
pub(crate) fn is_empty(txn: &Writing) -> Result<bool> {
    for table in [EGGS, DUCKLINGS, PECKS, CERTIFICATES, READERS] {
        if !txn.list::<Value>(table, &Span { limit: 1, ..all() })?.is_empty() {
            return Ok(false);
        }
    }
    let people = txn.list::<PersonRow>(PEOPLE, &all())?;
    Ok(people.iter().all(|(_, row)| row.operator))
}

/// Puts an item where it belongs.
pub(crate) fn take(txn: &Writing, table: &str, item: &Value) -> Result<()> {
    let read = Read(item);
    match table {
        "eggs" => {
            let egg = read.egg()?;
            txn.put(DUE, &egg_due(&egg), egg.email.as_str())?;
            txn.put(EGGS, egg.email.as_str(), &EggRow::from(&egg))
        }
        "ducklings" => {
            let duckling = read.duckling()?;
            let id = duckling.id.as_str();
            txn.put(EMAILS, duckling.email.as_str(), id)?;
            txn.put(KEYS, &duckling.key_hash, id)?;
            if let Some(request) = &duckling.tier_request {
                txn.put(REQUESTS, &place(request, &duckling.id), &())?;
            }
            txn.put(DUCKLINGS, id, &DucklingRow::from(&duckling))
        }
        "pecks" => take_peck(txn, &read),
        "certs" => {
            let certificate = read.certificate()?;
            if let Some(claims) = beak_api::jws::peek(&certificate.compact) {
                txn.put(ISSUERS, &claims.issuer, &())?;
            }
            changes::keep(txn, &certificate)
        }
        "newsletter" => txn.put(READERS, read.text("email")?, &read.number("since")?),
        "ledger" => take_entry(txn, &read),
        other => Err(unknown(&format!("table `{other}`"))),
    }
}

fn take_peck(txn: &Writing, read: &Read<'_>) -> Result<()> {
    let peck = read.peck()?;
    let id = peck.id.as_str();
    txn.put(PECKS, id, &PeckRow::from(&peck))?;
    txn.put(SIDES, &side(Direction::Out, &peck.source, id), &())?;
    txn.put(SIDES, &side(Direction::In, &peck.target, id), &())?;
    if matches!(peck.stored, PeckStatus::Pending | PeckStatus::Approved) {
        txn.put(PAIRS, &pair(&peck), id)?;
    }
    if peck.stored == PeckStatus::Pending {
        txn.put(DUE, &peck_due(&peck), id)?;
        count_waiting(txn, &peck, 1)?;
    }
    Ok(())
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
        "metrics" | "mail" => {
            for (name, count) in read.numbers()? {
                txn.count(name, count)?;
            }
            Ok(())
        }
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

/// Gives every item, as DynamoDB would hold it.
pub(crate) fn give(
    txn: &Reading,
    current: &PublicKey,
    now: Millis,
    give: &mut Give<'_>,
) -> Result<()> {
    for (_, row) in txn.list::<EggRow>(EGGS, &all())? {
        for (table, item) in items::of_egg(&row.read()?) {
            give(table, item.value())?;
        }
    }
    for (_, row) in txn.list::<DucklingRow>(DUCKLINGS, &all())? {
        for (table, item) in items::of_duckling(&row.read()?) {
            give(table, item.value())?;
        }
    }
    for (_, row) in txn.list::<PeckRow>(PECKS, &all())? {
        for (table, item) in items::of_peck(&row.read()?) {
            give(table, item.value())?;
        }
    }
    for (_, row) in txn.list::<CertificateRow>(CERTIFICATES, &all())? {
        give("certs", items::of_certificate(&row.read()?).value())?;
    }
    for (key, at) in txn.list::<Millis>(BLOCKS, &all())? {
        let (owner, other) = key.split_once('#').ok_or_else(|| unreadable("block"))?;
        give("ledger", Item::ledger(format!("block#{owner}"), other).number("since", at).value())?;
    }
    for (email, since) in txn.list::<Millis>(READERS, &all())? {
        give("newsletter", Item::default().text("email", email).number("since", since).value())?;
    }
    for item in departures::give(txn)? {
        give("ledger", item.value())?;
    }
    for item in entries(txn, current, now)? {
        give("ledger", item.value())?;
    }
    Ok(())
}

/// The entries of the ledger that follow from nothing else.
fn entries(txn: &Reading, current: &PublicKey, now: Millis) -> Result<Vec<Item>> {
    let mut entries = counts(txn)?;
    let span = Span { from: "*#", to: "*#~", ..all() };
    for (_, row) in txn.list::<EventRow>(EVENTS, &span)? {
        entries.extend(items::of_event(&row.read()?));
    }
    for (key, row) in txn.list::<RepeatRow>(REPEATS, &all())? {
        if row.until > now {
            let item = Item::guard(format!("idem#{key}")).text("content", row.content);
            let item = item.text("peck_id", row.peck_id);
            entries.push(item.number("expires_at", seconds(row.until)));
        }
    }
    for (token, row) in txn.list::<OfferRow>(OFFERS, &all())? {
        let item = Item::guard(format!("news#{token}")).text("email", row.email);
        let item = item.number("until_ms", row.until);
        entries.push(match row.state {
            // DynamoDB forgets an offer that lapsed; one that was taken up it keeps.
            OfferState::Waits => {
                item.text("offer", "waits").number("expires_at", seconds(row.until))
            }
            OfferState::Taken => item.text("offer", "taken"),
            OfferState::Ended => item.text("offer", "ended"),
        });
    }
    for (digest, why) in txn.list::<String>(UNREACHABLE, &all())? {
        entries.push(Item::guard(format!("unreachable#{digest}")).text("why", why));
    }
    for (key, at) in txn.list::<Millis>(REPORTS, &all())? {
        let (message, word) = key.rsplit_once('#').ok_or_else(|| unreadable("report"))?;
        let kept = seconds(at) + beak_core::feedback::KEPT.whole_seconds();
        let item = Item::ledger(format!("feedback#{message}"), word).number("at", seconds(at));
        entries.push(item.number("expires_at", kept));
    }
    let mut keys = txn.list::<[u8; 32]>(SIGNING_KEYS, &all())?;
    keys.retain(|(kid, _)| *kid != current.kid);
    keys.push((current.kid.clone(), current.bytes));
    for (kid, bytes) in keys {
        entries.push(Item::ledger("signing-keys", kid).text("public", hex(&bytes)));
    }
    for (issuer, ()) in txn.list::<()>(ISSUERS, &all())? {
        entries.push(Item::ledger("issuers", issuer));
    }
    Ok(entries)
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
        ACCOUNTS, ASIDE, ATTEMPTS, JOURNALS, LEAVING, OUTBOX, OWNED, SIGN_INS, TURNS, WAITING,
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
        (COUNTS, "carried"),
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
