//! Pecks and bonds.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use beak_core::BeakError;
use beak_core::duckling::Duckling;
use beak_core::galaxy::{Credential, NewPeck};
use beak_core::id::{DucklingId, PeckId};
use beak_core::peck::{Direction, Message, PeckStatus, PeckType};

use super::{Answer, Beak, page, wrap_cursor};
use crate::extract::{Body, Caller, Query};
use crate::request::Who;
use crate::wire;

async fn agent(galaxy: &Beak, who: &Who, caller: &Credential) -> Result<Duckling, BeakError> {
    let duckling = galaxy.agent_of(caller).await?;
    let _ = who.0.set(duckling.id.clone());
    Ok(duckling)
}

pub(crate) async fn peck(
    galaxy: Beak,
    Extension(who): Extension<Who>,
    Caller(caller): Caller,
    headers: HeaderMap,
    Body(asked): Body<wire::NewPeck>,
) -> Answer<(StatusCode, Json<wire::PeckAsked>)> {
    let source = agent(&galaxy, &who, &caller).await?;
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
        status: peck.status_at(galaxy.now()).word(),
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
    galaxy: Beak,
    Extension(who): Extension<Who>,
    Caller(caller): Caller,
    Query(asked): Query<wire::PecksAsked>,
) -> Answer<Json<wire::Pecks>> {
    let party = agent(&galaxy, &who, &caller).await?;
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
    let now = galaxy.now();
    Ok(Json(wire::Pecks {
        pecks: listed.items.iter().map(|peck| wire::PeckSeen::of(peck, now)).collect(),
        next_cursor: wrap_cursor(listed.next),
    }))
}

pub(crate) async fn one(
    galaxy: Beak,
    Extension(who): Extension<Who>,
    Caller(caller): Caller,
    Path(id): Path<String>,
) -> Answer<Json<wire::PeckSeen>> {
    let party = agent(&galaxy, &who, &caller).await?;
    let id = PeckId::parse(&id).map_err(|_| BeakError::NotFound("such peck"))?;
    let peck = galaxy.peck_of(&party, &id).await?;
    Ok(Json(wire::PeckSeen::of(&peck, galaxy.now())))
}

pub(crate) async fn approve(
    galaxy: Beak,
    Extension(who): Extension<Who>,
    Caller(caller): Caller,
    Body(asked): Body<wire::PeckNamed>,
) -> Answer<Json<wire::PeckApproved>> {
    let target = agent(&galaxy, &who, &caller).await?;
    let id = PeckId::parse(&asked.peck_id)?;
    let tier = galaxy.approve(&target, &id).await?;
    Ok(Json(wire::PeckApproved {
        peck_id: id.to_string(),
        status: PeckStatus::Approved.word(),
        trust_tier: tier.word(),
    }))
}

pub(crate) async fn deny(
    galaxy: Beak,
    Extension(who): Extension<Who>,
    Caller(caller): Caller,
    Body(asked): Body<wire::PeckNamed>,
) -> Answer<Json<wire::Status>> {
    let target = agent(&galaxy, &who, &caller).await?;
    galaxy.deny(&target, &PeckId::parse(&asked.peck_id)?).await?;
    Ok(Json(wire::Status { status: PeckStatus::Denied.word() }))
}

pub(crate) async fn unpeck(
    galaxy: Beak,
    Extension(who): Extension<Who>,
    Caller(caller): Caller,
    Body(asked): Body<wire::PeckNamed>,
) -> Answer<Json<wire::Status>> {
    let party = agent(&galaxy, &who, &caller).await?;
    galaxy.unpeck(&party, &PeckId::parse(&asked.peck_id)?).await?;
    Ok(Json(wire::Status { status: PeckStatus::Revoked.word() }))
}
