//! A holder's first act if calls of the previous one may still arrive: make them harmless.
//!
//! A run that is paused between its look at the lock and its effect still has that one call. The
//! call is refused because its change set was deleted, because the stack that it deletes is
//! protected, or because the pointer that it overwrites has another `ETag`.

use super::claimed::{Claimed, WINDOW};
use crate::failure::{Failure, Kind};
use crate::model::{Place, Stack, StackStatus};
use crate::ports::LockId;
use crate::release::{CURRENT_KEY, Pointer};
use crate::render::DIGEST_OUTPUT;

/// How often the pointer may change under our hands: the holder before has few calls left.
const ATTEMPTS: usize = 4;

/// Retires what the holder before has left. `removing`: whether it may have been deleting stacks.
pub(super) async fn retire(claimed: &Claimed, removing: bool) -> Result<(), Failure> {
    let world = &claimed.world;
    // Effects share a look for this long; after it a live predecessor has seen our number.
    world.clock.sleep(WINDOW).await;
    claimed.look().await?;
    let lock = LockId { galaxy: claimed.galaxy.to_string(), number: claimed.number };
    let mut artifacts = None;
    for stack in Stack::all() {
        let name = stack.name(&claimed.galaxy);
        let Some(seen) = world.stacks.find(stack.place(), &name).await? else { continue };
        let is_ours = seen.outputs.contains_key(DIGEST_OUTPUT);
        if seen.status == StackStatus::Gone || !is_ours {
            continue;
        }
        world.stacks.retire(stack.place(), &seen.arn, &lock).await?;
        if removing && seen.status == StackStatus::Ready {
            world.stacks.protect(stack.place(), &seen.arn, true).await?;
        }
        if stack == Stack::Bootstrap {
            artifacts = seen.outputs.get("ArtifactBucketName").cloned();
        }
    }
    match artifacts {
        Some(bucket) => sign(claimed, &bucket).await,
        None => Ok(()),
    }
}

/// Writes this lock's number into the pointer to the installed release.
async fn sign(claimed: &Claimed, bucket: &str) -> Result<(), Failure> {
    let assets = &claimed.world.assets;
    for _ in 0..ATTEMPTS {
        let Some(there) = assets.read_tagged(Place::Home, bucket, CURRENT_KEY).await? else {
            return Ok(());
        };
        let Some(pointer) = Pointer::parse(&there.bytes) else { return Ok(()) };
        let signed = Pointer { lock: Some(claimed.number), ..pointer }.to_object()?;
        let written = assets.replace(Place::Home, bucket, &signed, Some(&there.etag)).await?;
        if written.is_some() {
            return Ok(());
        }
    }
    Err(Failure::new(Kind::Settled, format!("`{bucket}/{CURRENT_KEY}` keeps changing"))
        .cause("another program writes it, or a stopped run has not ended yet")
        .help("end the other run and run the command again"))
}
