//! The galaxy as a whole.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::{Answer, Beak, page, wrap_cursor};
use crate::extract::{Caller, Query};
use crate::wire;

pub(crate) async fn metrics(State(galaxy): Beak) -> Answer<impl IntoResponse> {
    let metrics = galaxy.metrics().await?;
    let [pending, approved, denied, expired, revoked] = metrics.pecks;
    let answer = wire::Metrics {
        total_ducklings: metrics.ducklings,
        certs_issued: metrics.certificates,
        connections: metrics.connections,
        eggs: metrics.eggs,
        pecks: wire::PeckCounts { pending, approved, denied, expired, revoked },
        galaxy_version: galaxy.settings().version.clone(),
        as_of: wire::Moment(galaxy.now()),
    };
    Ok(([(header::CACHE_CONTROL, "public, max-age=5")], Json(answer)))
}

pub(crate) async fn spaceducks(
    State(galaxy): Beak,
    Caller(caller): Caller,
    Query(asked): Query<wire::PageAsked>,
) -> Answer<Json<wire::SpaceDucks>> {
    let page = page(asked.limit.as_deref(), asked.cursor.as_deref())?;
    let listed = galaxy.spaceducks(&caller, &page).await?;
    Ok(Json(wire::SpaceDucks {
        spaceducks: listed.items.into_iter().map(wire::SpaceDuck::from).collect(),
        next_cursor: wrap_cursor(listed.next),
    }))
}

pub(crate) async fn status(State(galaxy): Beak) -> Json<wire::SystemStatus> {
    let status = if galaxy.is_operational().await { "operational" } else { "outage" };
    let settings = galaxy.settings();
    Json(wire::SystemStatus {
        status,
        galaxy_version: settings.version.clone(),
        release: settings.release.clone(),
    })
}
