//! The router: every call of the table behind its gate, and what is around all of them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use beak_core::{BeakError, Galaxy};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use crate::burst::Bursts;
use crate::problem::Problem;
use crate::{calls, cors, front, request, root};

/// All calls of the Beak, below `/beak`. What is not one of them is a 404 with the usual body.
pub fn router(galaxy: Arc<Galaxy>) -> Router {
    around(guarded(&galaxy), galaxy)
}

/// The same for a home that ends a call at some time, whatever has become of it: shortly before
/// that, it is answered as `unavailable`. What was begun is finished when the caller tries again,
/// as after a crash between two calls to a service.
pub fn router_within(galaxy: Arc<Galaxy>, limit: Duration) -> Router {
    let within = move |request: Request, next: Next| async move {
        let answer = tokio::time::timeout(limit, next.run(request)).await;
        answer.unwrap_or_else(|_| {
            Problem::from(BeakError::Unavailable("no answer in time".into())).into_response()
        })
    };
    around(guarded(&galaxy).layer(from_fn(within)), galaxy)
}

fn guarded(galaxy: &Arc<Galaxy>) -> Router<Arc<Galaxy>> {
    let (mut calls, bursts) = (Router::new(), Arc::new(Bursts::default()));
    for call in calls::all() {
        let (route, handler) = call.guarded(galaxy, &bursts);
        calls = calls.route(route, handler);
    }
    calls
}

fn around(calls: Router<Arc<Galaxy>>, galaxy: Arc<Galaxy>) -> Router {
    Router::new()
        .nest("/beak", calls)
        .route("/beak", get(root::root))
        .route("/beak/", get(root::root))
        .fallback(nothing_here)
        .method_not_allowed_fallback(another_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(front::only))
        .layer(from_fn_with_state(Arc::clone(&galaxy), request::around))
        .layer(compression())
        .layer(cors::layer())
        .with_state(galaxy)
}

async fn nothing_here() -> Problem {
    BeakError::NotFound("such call").into()
}

/// The router adds the methods that there are, as `Allow`.
async fn another_method() -> Problem {
    BeakError::MethodNotAllowed.into()
}

/// What is short gains nothing.
fn compression() -> CompressionLayer<SizeAbove> {
    CompressionLayer::new().compress_when(SizeAbove::new(1024))
}

/// A bug ends one call, not the process.
#[expect(clippy::needless_pass_by_value, reason = "the layer asks for this signature")]
fn panicked(payload: Box<dyn std::any::Any + Send>) -> Response {
    let text = payload.downcast_ref::<&str>().copied().unwrap_or("a panic");
    Problem::from(BeakError::Internal(text.to_owned())).into_response()
}
