//! A large galaxy at once, for measuring: what many people do in years, in a few transactions.

use std::path::Path;
use std::sync::Arc;

use beak_api::system::SystemClock;
use beak_core::certificate::{CertStatus, Certificate};
use beak_core::duckling::{Duckling, EGG_LIFETIME, Egg};
use beak_core::id::{CertId, DucklingId, PeckId};
use beak_core::key::BeakKey;
use beak_core::peck::{Message, Peck, PeckStatus, PeckType};
use beak_core::person::{DisplayName, Email};
use beak_core::ports::{AccountId, Clock as _, Hatching};
use beak_core::tier::Tier;
use beak_core::{Duration, OffsetDateTime, Result};
use sha2::{Digest as _, Sha256};

use crate::broken;
use crate::data::Data;
use crate::error::LocalError;
use crate::store;

/// How many ducklings go into one transaction.
const AT_ONCE: usize = 20_000;

/// How many of them are printed.
const TOLD: usize = 1000;

/// The same bytes for the same number and purpose.
fn random<const N: usize>(number: usize, purpose: &str) -> [u8; N] {
    let digest = Sha256::digest(format!("{purpose} {number}"));
    let mut bytes = [0; N];
    bytes.copy_from_slice(&digest[..N]);
    bytes
}

fn key(number: usize) -> BeakKey {
    BeakKey::new(random(number, "key"))
}

fn id(number: usize, now: OffsetDateTime) -> DucklingId {
    DucklingId::new(now, random(number, "duckling"))
}

fn egg(number: usize, now: OffsetDateTime) -> Result<Egg> {
    Ok(Egg {
        email: Email::parse(&format!("duck{number}@example.com"))?,
        display_name: DisplayName::parse(&format!("Duck {number}"))?,
        created_at: now,
        expires_at: now + EGG_LIFETIME,
    })
}

fn hatching(number: usize, egg: Egg) -> Hatching {
    let now = egg.created_at;
    let certificate = Certificate {
        id: CertId::new(now, random(number, "certificate")),
        duckling_id: id(number, now),
        name: egg.display_name.as_str().to_owned(),
        tier: Tier::T0,
        status: CertStatus::Valid,
        issued_at: now,
        // As long as a real one.
        compact: "x".repeat(460),
    };
    let account = AccountId::new(format!("account {number}"));
    let key = key(number);
    let duckling = Duckling::hatched(egg.email, egg.display_name, &certificate, &key, now);
    Hatching { account, duckling, certificate }
}

fn peck(number: usize, now: OffsetDateTime) -> Result<Peck> {
    Ok(Peck {
        id: PeckId::new(now, random(number, "peck")),
        source: id(number.checked_sub(1).unwrap_or(number + 1), now),
        source_tier: None,
        target: id(number, now),
        kind: PeckType::parse("chat.message")?,
        message: Message::default(),
        stored: PeckStatus::Pending,
        created_at: now,
        expires_at: now + Duration::hours(24),
        settled_at: None,
    })
}

/// Fills a folder. Gives a line for each of the first thousand: key, id, a peck that waits for it.
pub async fn fill(folder: &Path, count: usize) -> std::result::Result<Vec<String>, LocalError> {
    let db = Arc::new(Data::open(folder)?.db);
    let now = SystemClock.now();
    let mut done = 0;
    while done < count {
        let numbers = done..count.min(done + AT_ONCE);
        done = numbers.end;
        let filled = db.write(move |txn| {
            for number in numbers {
                let egg = egg(number, now)?;
                store::lay(txn, &egg)?;
                store::hatch(txn, &hatching(number, egg))?;
                if number < TOLD {
                    store::pecks::add(txn, &peck(number, now)?, None)?;
                }
            }
            Ok(())
        });
        filled.await.map_err(broken)?;
    }
    let line = |number: usize| {
        let peck = peck(number, now).map_err(broken)?;
        Ok(format!("{} {} {}", key(number).reveal(), id(number, now), peck.id))
    };
    (0..count.min(TOLD)).map(line).collect()
}
