//! The lock of spaceduck 0.1 before it had numbers: one parameter, `/NAME/lock`, in the home
//! Region. A live one blocks; a dead one is taken over and removed.

use serde::Deserialize;

use super::decide::LEASE;
use super::{Shown, held};
use crate::failure::Failure;
use crate::model::GalaxyName;
use crate::ports::World;

/// The content of such a lock.
#[derive(Deserialize)]
struct Former {
    command: String,
    host: String,
    process: u32,
    since: u64,
}

fn path(galaxy: &GalaxyName) -> String {
    format!("/{galaxy}/lock")
}

/// Who holds it, as far as it can be read, and for how many seconds it has been silent.
pub(super) async fn find(
    world: &World,
    galaxy: &GalaxyName,
) -> Result<Option<(Option<Shown>, u64)>, Failure> {
    let Some(entry) = world.notes.entry(&path(galaxy)).await? else { return Ok(None) };
    let silent = world.registry.now().await?.abs_diff(entry.changed_at);
    let shown = serde_json::from_str::<Former>(&entry.text).ok().map(|former| {
        let Former { command, host, process, since } = former;
        Shown { command, host, process, since }
    });
    Ok(Some((shown, silent)))
}

/// Whether a dead one is there; a live one is a refusal.
pub(super) async fn honour(world: &World, galaxy: &GalaxyName) -> Result<bool, Failure> {
    match find(world, galaxy).await? {
        None => Ok(false),
        Some((_, silent)) if silent > LEASE => Ok(true),
        Some((shown, silent)) => Err(held(shown.as_ref(), silent, LEASE)),
    }
}

/// Removes it.
pub(super) async fn remove(world: &World, galaxy: &GalaxyName) -> Result<(), Failure> {
    world.notes.remove(&path(galaxy)).await
}

/// Removes a dead one.
pub(super) async fn sweep(world: &World, galaxy: &GalaxyName) -> Result<(), Failure> {
    match find(world, galaxy).await? {
        Some((_, silent)) if silent > LEASE => remove(world, galaxy).await,
        _ => Ok(()),
    }
}
