//! The galaxy as a whole.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use beak_core::access::Caller;

use super::{Answer, Beak, page, wrap_cursor};
use crate::cached;
use crate::extract::{Anybody, Query};
use crate::front::{self, Way};
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

pub(crate) async fn status(
    State(galaxy): Beak,
    Anybody(caller): Anybody,
) -> Json<wire::SystemStatus> {
    let is_operator = matches!(&caller, Caller::Person(person, _) if person.operator);
    let inside = if is_operator { Some(galaxy.inside().await) } else { None };
    let settings = galaxy.settings();
    let mut answer = wire::SystemStatus {
        status: galaxy.status().await.word(),
        galaxy_version: settings.version.clone(),
        release: settings.release.clone(),
        function_version: None,
        mail: None,
        fleet: None,
        tables: None,
        alarms: None,
    };
    if let Some(inside) = inside {
        answer.function_version.clone_from(&settings.function_version);
        answer.mail = inside.mail.map(wire::MailSeen::from);
        answer.fleet = inside.fleet.map(wire::FleetSeen::from);
        let tables = inside.tables;
        answer.tables = tables.map(|all| all.into_iter().map(wire::TableSeen::from).collect());
        let alarms = inside.alarms;
        answer.alarms = alarms.map(|all| all.into_iter().map(wire::AlarmSeen::from).collect());
    }
    Json(answer)
}

pub(crate) async fn audit(
    State(galaxy): Beak,
    Anybody(caller): Anybody,
    Query(asked): Query<wire::PageAsked>,
) -> Answer<Json<wire::Events>> {
    let page = page(asked.limit.as_deref(), asked.cursor.as_deref())?;
    let listed = galaxy.events(&caller, &page).await?;
    Ok(Json(wire::Events {
        events: listed.items.into_iter().map(wire::EventSeen::from).collect(),
        next_cursor: wrap_cursor(listed.next),
    }))
}

/// Made of the table of calls and the types in `wire`; a test says when it is out of date.
pub(crate) async fn openapi(
    State(galaxy): Beak,
    way: Option<Extension<Way>>,
    headers: HeaderMap,
) -> Response {
    // The one thing that differs from galaxy to galaxy is where it is.
    let document = include_str!("../../openapi.json");
    let way = way.as_ref().map(|Extension(way)| way);
    let base = front::base(way, &galaxy.settings().issuer);
    let document = document.replacen("https://api.example/prod", base, 1);
    cached::json(&headers, document)
}
