//! Errors as answers. A handler's error travels as an extension of its response, and the outermost
//! layer, which knows the request's id, writes the body.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use beak_core::BeakError;
use beak_core::peck::PeckStatus;
use serde::Serialize;

/// A handler's error, and the field at fault where only the request's own text names it.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) error: BeakError,
    pub(crate) field: Option<String>,
}

impl From<BeakError> for Problem {
    fn from(error: BeakError) -> Self {
        let field = error.field().map(str::to_owned);
        Self { error, field }
    }
}

/// The body of every error.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Problem"))]
pub(crate) struct Body<'a> {
    /// The word that programs go by.
    error: &'static str,
    /// One sentence for people.
    message: String,
    /// By which the operator finds the call in the log.
    request_id: &'a str,
    /// The field at fault, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The state that a peck is in, where that is in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::text::PeckStatus>"))]
    status: Option<&'static str>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = status(&self.error).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Problem {
    /// The answer in full.
    pub(crate) fn render(self, request_id: &str) -> Response {
        let conflict = match &self.error {
            BeakError::Conflict { status, .. } => status.map(PeckStatus::word),
            _ => None,
        };
        let body = Body {
            error: self.error.code(),
            message: self.error.to_string(),
            request_id,
            field: self.field,
            status: conflict,
        };
        let mut response = (status(&self.error), Json(body)).into_response();
        let headers = response.headers_mut();
        match &self.error {
            BeakError::Unauthorized | BeakError::WrongPassword => {
                let bearer = HeaderValue::from_static("Bearer");
                headers.insert(header::WWW_AUTHENTICATE, bearer);
            }
            BeakError::RateLimited { retry_after } => {
                // Rounded up: a caller that waits exactly so long is never refused again.
                let seconds = (retry_after.whole_milliseconds().max(1) + 999) / 1000;
                let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            _ => {}
        }
        response
    }
}

/// The HTTP status of an error.
pub(crate) fn status(error: &BeakError) -> StatusCode {
    match error {
        BeakError::Invalid { .. }
        | BeakError::OtpMismatch
        | BeakError::OtpExpired
        | BeakError::CaptchaFailed => StatusCode::BAD_REQUEST,
        BeakError::Unauthorized | BeakError::WrongPassword => StatusCode::UNAUTHORIZED,
        BeakError::Forbidden(_) | BeakError::TierTooLow(_) => StatusCode::FORBIDDEN,
        BeakError::NotFound(_) => StatusCode::NOT_FOUND,
        BeakError::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        BeakError::AlreadyExists(_) | BeakError::Conflict { .. } => StatusCode::CONFLICT,
        BeakError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        BeakError::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        BeakError::WeakPassword(_) => StatusCode::UNPROCESSABLE_ENTITY,
        BeakError::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        BeakError::Internal(_) | BeakError::Damaged(_) => StatusCode::INTERNAL_SERVER_ERROR,
        BeakError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
