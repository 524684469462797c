//! What a duckling sees of others, and whose pecks it refuses.

use axum::Json;
use axum::extract::State;
use beak_core::BeakError;
use beak_core::id::DucklingId;

use super::{Answer, Beak};
use crate::extract::{Agent, Body, Nothing, Path};
use crate::wire;

/// The duckling that a path names. What can't be one is none.
pub(super) fn named(path: &wire::DuckPath) -> Result<DucklingId, BeakError> {
    DucklingId::parse(&path.duckling_id).map_err(|_| BeakError::NotFound("such duckling"))
}

pub(crate) async fn duck(
    State(galaxy): Beak,
    Path(path): Path<wire::DuckPath>,
) -> Answer<Json<wire::Duck>> {
    Ok(Json(galaxy.duck(&named(&path)?).await?.into()))
}

pub(crate) async fn block(
    State(galaxy): Beak,
    Agent(owner): Agent,
    Body(asked): Body<wire::Block>,
) -> Answer<Json<wire::Status>> {
    galaxy.block(&owner, &DucklingId::parse(&asked.duckling_id)?).await?;
    Ok(Json(wire::Status { status: "blocked" }))
}

pub(crate) async fn unblock(
    State(galaxy): Beak,
    Agent(owner): Agent,
    Path(path): Path<wire::DuckPath>,
    Nothing: Nothing,
) -> Answer<Json<wire::Status>> {
    galaxy.unblock(&owner, &named(&path)?).await?;
    Ok(Json(wire::Status { status: "unblocked" }))
}
