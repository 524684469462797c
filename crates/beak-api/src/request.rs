//! Around every call: its id, its log line, its last headers.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use beak_core::Galaxy;
use beak_core::id::DucklingId;

use crate::problem::Problem;

/// The request's id, if the home has one. Set as an extension; else one is made.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The authenticated duckling of a call, for the log line.
#[derive(Clone, Default)]
pub(crate) struct Logged(Arc<OnceLock<DucklingId>>);

impl Logged {
    pub(crate) fn set(&self, id: &DucklingId) {
        // Set once; a call is from one duckling.
        let _ = self.0.set(id.clone());
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(crate) async fn around(
    State(galaxy): State<Arc<Galaxy>>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id = match request.extensions().get::<RequestId>() {
        Some(RequestId(id)) => id.clone(),
        None => galaxy.request_id(),
    };
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let logged = Logged::default();
    request.extensions_mut().insert(logged.clone());
    let mut response = next.run(request).await;
    let problem = response.extensions_mut().remove::<Problem>();
    let cause = problem.as_ref().and_then(|p| p.error.cause().map(str::to_owned));
    if let Some(problem) = problem {
        let earlier = std::mem::take(response.headers_mut());
        response = problem.render(&id);
        response.headers_mut().extend(earlier);
    }
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    if let Some(cause) = cause {
        tracing::error!(request_id = id, cause, "a call failed");
    }
    // The route, not the path: a path may carry what its caller would not want kept.
    tracing::info!(
        request_id = id,
        method = method.as_str(),
        route = route.as_ref().map_or("none", MatchedPath::as_str),
        status = response.status().as_u16(),
        milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        duckling = logged.0.get().map(DucklingId::as_str),
        "call"
    );
    response
}
