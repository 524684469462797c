//! What this galaxy has made in Route 53, as it is kept in the account: zone → name, type and a
//! digest of the value.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog;
use crate::failure::{Failure, Kind};
use crate::model::{GalaxyName, Part};
use crate::ports::World;

/// The ids of zones, and the marks of what was made in each.
pub(super) type Noted = BTreeMap<String, BTreeSet<String>>;

pub(super) async fn read(world: &World, galaxy: &GalaxyName, part: Part) -> Result<Noted, Failure> {
    let path = catalog::records_path(galaxy, part);
    let Some(text) = world.notes.get(&path).await? else { return Ok(Noted::new()) };
    serde_json::from_str(&text).map_err(|error| {
        // Without it ownership is unknown, and nothing may be taken for ours.
        Failure::new(Kind::Settled, format!("the parameter `{path}` can't be read"))
            .cause(error.to_string())
            .help("it was changed: restore its earlier version in Parameter Store")
    })
}

pub(super) async fn write(
    world: &World,
    galaxy: &GalaxyName,
    part: Part,
    noted: &mut Noted,
) -> Result<(), Failure> {
    noted.retain(|_, marks| !marks.is_empty());
    let path = catalog::records_path(galaxy, part);
    if noted.is_empty() {
        return world.notes.remove(&path).await;
    }
    let text = serde_json::to_string(noted).map_err(|error| Failure::bug(error.to_string()))?;
    world.notes.put(&path, &text).await
}
