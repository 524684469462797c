//! What a duckling sees of others, and whose pecks it refuses.

use std::collections::{BTreeMap, BTreeSet};

use super::Galaxy;
use crate::duckling::Duckling;
use crate::error::{BeakError, Result};
use crate::id::DucklingId;
use crate::peck::Peck;

/// Ducklings by their ids, as they are now. Those that were deleted are missing.
pub type Parties = BTreeMap<DucklingId, Duckling>;

/// How many ducklings are read at once.
const AT_ONCE: usize = 100;

impl Galaxy {
    /// Another duckling.
    pub async fn duck(&self, id: &DucklingId) -> Result<Duckling> {
        let found = self.ports.store.duckling(id).await?.filter(|duckling| !duckling.is_leaving);
        found.ok_or(BeakError::NotFound("such duckling"))
    }

    /// Both sides of each of these pecks.
    pub async fn parties(&self, pecks: &[Peck]) -> Result<Parties> {
        let ids: BTreeSet<_> = pecks.iter().flat_map(|peck| [&peck.source, &peck.target]).collect();
        let ids: Vec<_> = ids.into_iter().cloned().collect();
        let mut parties = Parties::new();
        for some in ids.chunks(AT_ONCE) {
            let found = self.ports.store.ducklings_of(some).await?;
            parties.extend(found.into_iter().map(|duckling| (duckling.id.clone(), duckling)));
        }
        Ok(parties)
    }

    /// Refuses another duckling's pecks, as if there were no such target. What waits or is a bond
    /// stays as it is.
    pub async fn block(&self, owner: &Duckling, other: &DucklingId) -> Result<()> {
        if owner.id == *other {
            return Err(BeakError::invalid("duckling_id", "a duckling can't block itself"));
        }
        self.duck(other).await?;
        self.ports.store.block(&owner.id, other, self.now()).await
    }

    /// Takes another duckling's pecks again.
    pub async fn unblock(&self, owner: &Duckling, other: &DucklingId) -> Result<()> {
        let was_blocked = self.ports.store.unblock(&owner.id, other).await?;
        if was_blocked { Ok(()) } else { Err(BeakError::NotFound("such block")) }
    }
}
