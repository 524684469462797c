//! What operators see and decide.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use beak_core::BeakError;
use beak_core::access::Caller;
use beak_core::id::DucklingId;
use beak_core::tier::Note;

use super::others::named;
use super::{Answer, Beak, page, wrap_cursor};
use crate::extract::{Anybody, Body, Path, Query};
use crate::wire;

pub(crate) async fn spaceducks(
    State(galaxy): Beak,
    Query(asked): Query<wire::PageAsked>,
) -> Answer<Json<wire::SpaceDucks>> {
    let page = page(asked.limit.as_deref(), asked.cursor.as_deref())?;
    let listed = galaxy.spaceducks(&page).await?;
    Ok(Json(wire::SpaceDucks {
        spaceducks: listed.items.into_iter().map(wire::SpaceDuck::from).collect(),
        next_cursor: wrap_cursor(listed.next),
    }))
}

pub(crate) async fn decide(
    State(galaxy): Beak,
    Body(asked): Body<wire::Decide>,
) -> Answer<Json<wire::Decided>> {
    let id = DucklingId::parse(&asked.duckling_id)?;
    let grant = match asked.decision.as_str() {
        "grant" => true,
        "refuse" => false,
        _ => return Err(BeakError::invalid("decision", "it is `grant` or `refuse`").into()),
    };
    let tier = galaxy.decide(&id, grant, Note::parse(&asked.note)?).await?;
    Ok(Json(wire::Decided { duckling_id: id.to_string(), trust_tier: tier.word() }))
}

pub(crate) async fn tier_requests(
    State(galaxy): Beak,
    Query(asked): Query<wire::PageAsked>,
) -> Answer<Json<wire::TierRequests>> {
    let page = page(asked.limit.as_deref(), asked.cursor.as_deref())?;
    let listed = galaxy.tier_requests(&page).await?;
    Ok(Json(wire::TierRequests {
        requests: listed.items.into_iter().map(wire::SpaceDuck::from).collect(),
        next_cursor: wrap_cursor(listed.next),
    }))
}

fn reason(asked: &wire::Because) -> Result<Note, BeakError> {
    let empty = || BeakError::invalid("reason", "say why: the duckling reads it in its audit");
    let reason = Some(asked.reason.as_str()).filter(|text| !text.trim().is_empty());
    Note::parse(reason.ok_or_else(empty)?).map_err(|error| error.at("reason"))
}

pub(crate) async fn suspend(
    State(galaxy): Beak,
    Path(path): Path<wire::DuckPath>,
    Body(asked): Body<wire::Because>,
) -> Answer<Json<wire::Status>> {
    galaxy.suspend(&named(&path)?, true, reason(&asked)?).await?;
    Ok(Json(wire::Status { status: "suspended" }))
}

pub(crate) async fn restore(
    State(galaxy): Beak,
    Path(path): Path<wire::DuckPath>,
    Body(asked): Body<wire::Because>,
) -> Answer<Json<wire::Status>> {
    galaxy.suspend(&named(&path)?, false, reason(&asked)?).await?;
    Ok(Json(wire::Status { status: "restored" }))
}

pub(crate) async fn remove(
    State(galaxy): Beak,
    Anybody(caller): Anybody,
    Path(path): Path<wire::DuckPath>,
    Body(asked): Body<wire::Because>,
) -> Answer<(StatusCode, Json<wire::Status>)> {
    let Caller::Person(operator, _) = caller else {
        return Err(BeakError::Internal("a call of operators let an agent in".into()).into());
    };
    let progress = galaxy.remove(&operator, &named(&path)?, &reason(&asked)?).await?;
    Ok(wire::Status::of_deletion(progress, "removed"))
}
