//! What operators see and decide.

use axum::Json;
use axum::extract::State;
use beak_core::BeakError;
use beak_core::id::DucklingId;
use beak_core::tier::Note;

use super::{Answer, Beak, page, wrap_cursor};
use crate::extract::{Body, Query};
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
