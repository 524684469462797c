//! Pecks and bonds.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use beak_core::BeakError;
use beak_core::galaxy::NewPeck;
use beak_core::id::{DucklingId, PeckId};
use beak_core::peck::{Direction, Message, PeckStatus, PeckType};

use super::{Answer, Beak, page, wrap_cursor};
use crate::extract::{Agent, Body, Path, Query};
use crate::wire;

pub(crate) async fn peck(
    State(galaxy): Beak,
    Agent(source): Agent,
    headers: HeaderMap,
    Body(asked): Body<wire::NewPeck>,
) -> Answer<(StatusCode, Json<wire::PeckAsked>)> {
    let target = DucklingId::parse(&asked.target_duckling_id);
    let new = NewPeck {
        target: target.map_err(|error| error.at("target_duckling_id"))?,
        kind: PeckType::parse(&asked.peck_type)?,
        message: Message::parse(&asked.message)?,
        idempotency_key: idempotency_key(&headers)?,
    };
    let peck = galaxy.peck(&source, new).await?;
    let answer = wire::PeckAsked {
        peck_id: peck.id.to_string(),
        // A repeated call is answered like the first one.
        status: PeckStatus::Pending.word(),
        expires_at: wire::Moment(peck.expires_at),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, BeakError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=255).contains(&key.len()));
    let message = "an Idempotency-Key has 1 to 255 visible characters";
    let invalid = || BeakError::Invalid { field: None, message: message.into() };
    key.map(|key| Some(key.to_owned())).ok_or_else(invalid)
}

pub(crate) async fn list(
    State(galaxy): Beak,
    Agent(party): Agent,
    Query(asked): Query<wire::PecksAsked>,
) -> Answer<Json<wire::Pecks>> {
    let direction = match asked.direction.as_deref() {
        None | Some("in") => Direction::In,
        Some("out") => Direction::Out,
        Some(_) => return Err(BeakError::invalid("direction", "it is `in` or `out`").into()),
    };
    let unknown = || BeakError::invalid("status", "there is no such state of a peck");
    let status = match asked.status.as_deref() {
        None => None,
        Some(word) => Some(PeckStatus::parse(word).ok_or_else(unknown)?),
    };
    let page = page(asked.limit.as_deref(), asked.cursor.as_deref())?;
    let listed = galaxy.pecks(&party, direction, status, &page).await?;
    let (parties, now) = (galaxy.parties(&listed.items).await?, galaxy.now());
    let seen = |peck| wire::PeckSeen::of(peck, Some(&parties), now);
    Ok(Json(wire::Pecks {
        pecks: listed.items.iter().map(seen).collect(),
        next_cursor: wrap_cursor(listed.next),
    }))
}

pub(crate) async fn one(
    State(galaxy): Beak,
    Agent(party): Agent,
    Path(path): Path<wire::PeckPath>,
) -> Answer<Json<wire::PeckSeen>> {
    let id = PeckId::parse(&path.peck_id).map_err(|_| BeakError::NotFound("such peck"))?;
    let peck = galaxy.peck_of(&party, &id).await?;
    let parties = galaxy.parties(std::slice::from_ref(&peck)).await?;
    Ok(Json(wire::PeckSeen::of(&peck, Some(&parties), galaxy.now())))
}

pub(crate) async fn approve(
    State(galaxy): Beak,
    Agent(target): Agent,
    Body(asked): Body<wire::PeckNamed>,
) -> Answer<Json<wire::PeckApproved>> {
    let id = PeckId::parse(&asked.peck_id)?;
    let tier = galaxy.approve(&target, &id).await?;
    Ok(Json(wire::PeckApproved {
        peck_id: id.to_string(),
        status: PeckStatus::Approved.word(),
        trust_tier: tier.word(),
    }))
}

pub(crate) async fn deny(
    State(galaxy): Beak,
    Agent(target): Agent,
    Body(asked): Body<wire::PeckNamed>,
) -> Answer<Json<wire::Status>> {
    galaxy.deny(&target, &PeckId::parse(&asked.peck_id)?).await?;
    Ok(Json(wire::Status { status: PeckStatus::Denied.word() }))
}

pub(crate) async fn unpeck(
    State(galaxy): Beak,
    Agent(party): Agent,
    Body(asked): Body<wire::PeckNamed>,
) -> Answer<Json<wire::Status>> {
    galaxy.unpeck(&party, &PeckId::parse(&asked.peck_id)?).await?;
    Ok(Json(wire::Status { status: PeckStatus::Revoked.word() }))
}
