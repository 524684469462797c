//! The ledger's items: guards, the due queue, idempotency keys, turns and the counters' shards.

use beak_core::error::Result;
use beak_core::id::PeckId;
use beak_core::peck::Peck;
use beak_core::person::Email;
use beak_core::ports::Idempotency;
use time::{Duration, OffsetDateTime};

use super::LEDGER;
use super::rows::{Item, Row, number, padded, text};

/// The partition of everything that has a time after which it is put away.
pub(super) const DUE: &str = "due";

/// The partition of the counters.
pub(super) const METRICS: &str = "metrics";

/// How long an idempotency key is remembered.
const REMEMBERED: Duration = Duration::hours(24);

/// The key of a ledger item.
pub(super) fn key(partition: impl Into<String>, sort: impl Into<String>) -> Item {
    Item::from([("pk".into(), text(partition)), ("sk".into(), text(sort))])
}

fn guard(partition: String) -> Item {
    key(partition, "guard")
}

/// An address has one duckling.
pub(super) fn email_guard(email: &Email) -> Item {
    guard(format!("email#{}", email.sha256()))
}

/// A key opens one duckling.
pub(super) fn key_guard(hash: &str) -> Item {
    guard(format!("key#{hash}"))
}

/// One question waits for one answer.
pub(super) fn pair_guard(peck: &Peck) -> Item {
    let (source, target, kind) = (&peck.source, &peck.target, peck.kind.as_str());
    guard(format!("pair#{source}#{target}#{kind}"))
}

/// A call that is not made twice.
pub(super) fn idempotency_guard(key: &str) -> Item {
    guard(format!("idem#{key}"))
}

/// Something that is done once in a while.
pub(super) fn turn_guard(name: &str) -> Item {
    guard(format!("turn#{name}"))
}

/// One of the counters' shards.
pub(super) fn shard(random: u8) -> Item {
    key(METRICS, format!("shard#{:02}", random % 16))
}

/// How an egg's entry sorts in the due queue.
pub(super) fn egg_due(email: &Email, expires_at: OffsetDateTime) -> String {
    format!("{}#egg#{}", padded(expires_at), email.sha256())
}

/// How a peck's entry sorts in the due queue.
pub(super) fn peck_due(id: &PeckId, expires_at: OffsetDateTime) -> String {
    format!("{}#peck#{id}", padded(expires_at))
}

/// Every entry sorts before this that is due at `now`, that moment included.
pub(super) fn due_until(now: OffsetDateTime) -> String {
    padded(now + Duration::milliseconds(1))
}

/// An item with one more attribute.
pub(super) fn naming(mut item: Item, name: &str, value: &str) -> Item {
    item.insert(name.into(), text(value));
    item
}

/// An idempotency key with what it was used for.
pub(super) fn idempotency_item(asked: &Idempotency, peck: &Peck) -> Item {
    let item = naming(idempotency_guard(&asked.key), "content", &asked.content);
    let mut item = naming(item, "peck_id", peck.id.as_str());
    let until = peck.created_at + REMEMBERED;
    item.insert("expires_at".into(), number(until.unix_timestamp()));
    item
}

/// An attribute of a ledger item, as text. The error names the kind of item, not its key: that
/// may hold a hash or a name.
pub(super) fn said<'a>(item: &'a Item, name: &str) -> Result<&'a str> {
    row(item).text(name)
}

/// A ledger item while it is read.
pub(super) fn row(item: &Item) -> Row<'_> {
    Row::new(LEDGER, "sk", item)
}
