//! Which pages may call, what they may send and what they may read.
//!
//! API Gateway answers by the same lists in AWS (`templates/api.yaml`): an HTTP API with a CORS
//! configuration answers preflights itself, replaces the function's CORS headers, and puts them on
//! its own 429 and 5xx, which never reach the function. Source: "Configure CORS for HTTP APIs in
//! API Gateway", API Gateway Developer Guide. A test holds the template to these lists.

use std::time::Duration;

use axum::http::{HeaderName, Method};
use tower_http::cors::{Any, CorsLayer};

/// The methods of the Beak's calls.
pub const METHODS: [Method; 4] = [Method::DELETE, Method::GET, Method::PATCH, Method::POST];

/// Request headers beyond those that every page may send; in lower case, as API Gateway keeps them.
pub const ALLOWED_HEADERS: [&str; 3] = ["authorization", "content-type", "idempotency-key"];

/// Response headers beyond those that every page may read; in lower case, as API Gateway keeps
/// them.
pub const EXPOSED_HEADERS: [&str; 5] =
    ["etag", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id"];

/// How long a browser keeps the answer to a preflight.
pub const MAX_AGE: Duration = Duration::from_hours(1);

/// Any page may call: credentials travel in a header that a page has to set itself, never in a
/// cookie, so a foreign page gains nothing.
pub(crate) fn layer() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(METHODS)
        .allow_headers(ALLOWED_HEADERS.map(HeaderName::from_static))
        .expose_headers(EXPOSED_HEADERS.map(HeaderName::from_static))
        .max_age(MAX_AGE)
}
