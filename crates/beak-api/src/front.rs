//! Calls that came past what stands in front of the API, such as a distribution with a rate rule:
//! all but a few are refused. The home decides which came past, and says so in an extension.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use beak_core::BeakError;

use crate::problem::Problem;

/// What the home knows of the way that a call took. Without it every way is as good.
#[derive(Clone, Debug)]
pub enum Way {
    /// Through the front, by whose address the API is known.
    Front(Arc<str>),
    /// Past it.
    Past,
    /// The home can't tell right now, and why.
    Unknown(String),
}

/// Paths that are answered on every way. Certificates name the API's own address as their issuer,
/// so its keys stay there; the links of mails that were sent before stay good; and the installer
/// asks the status of a version that nobody calls yet.
pub const OPEN: [&str; 4] = [
    "/beak/jwks.json",
    "/beak/system/status",
    "/beak/newsletter/confirm",
    "/beak/newsletter/unsubscribe",
];

/// Refuses what came past the front, before anything is looked up.
pub(crate) async fn only(mut request: Request, next: Next) -> Response {
    let error = match request.extensions().get::<Way>() {
        None | Some(Way::Front(_)) => return next.run(request).await,
        Some(Way::Past) => BeakError::Forbidden(
            "this address takes no calls: this galaxy's API is behind a shield, whose address is \
             `api_base` in its sites' /config.json",
        ),
        Some(Way::Unknown(cause)) => BeakError::Unavailable(cause.clone()),
    };
    if OPEN.contains(&request.uri().path()) {
        // None of them needs a credential, and to check one costs a call to AWS.
        request.headers_mut().remove(header::AUTHORIZATION);
        return next.run(request).await;
    }
    // Its sender reads no response before it has sent everything.
    let received = crate::extract::receive(request.into_body()).await;
    Problem::from(received.err().unwrap_or(error)).into_response()
}

/// The API's address for a caller that came through the front, or else the home's own.
pub(crate) fn base<'a>(way: Option<&'a Way>, own: &'a str) -> &'a str {
    match way {
        Some(Way::Front(base)) => base,
        _ => own,
    }
}
