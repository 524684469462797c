//! How the services of AWS say no, each in its own words.

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;

use crate::call::Dialect;

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Too many calls.
    Throttled,
    /// A mistake of the service's own.
    Internal,
    /// The service is not there at the moment.
    Unavailable,
    /// The credentials have expired.
    Expired,
    /// A permission is missing.
    Denied,
}

/// Status and code. Sources: "Common errors" in each service's API Reference, "Error responses" in
/// the Amazon S3 API Reference.
fn words(refusal: Refusal, dialect: Dialect) -> (u16, &'static str) {
    use Dialect::{Json, Query, RestJson, RestXml, S3, Web};
    match (refusal, dialect) {
        (Refusal::Throttled, S3) => (503, "SlowDown"),
        (Refusal::Throttled, RestJson) => (429, "TooManyRequestsException"),
        (Refusal::Throttled, Json) => (400, "ThrottlingException"),
        (Refusal::Throttled, Query | RestXml | Web) => (400, "Throttling"),
        (Refusal::Internal, S3) => (500, "InternalError"),
        (Refusal::Internal, Json) => (500, "InternalServerError"),
        (Refusal::Internal, RestJson) => (500, "ServiceException"),
        (Refusal::Internal, Query | RestXml | Web) => (500, "InternalFailure"),
        (Refusal::Unavailable, Json | RestJson) => (503, "ServiceUnavailableException"),
        (Refusal::Unavailable, Query | RestXml | S3 | Web) => (503, "ServiceUnavailable"),
        (Refusal::Expired, Json | RestJson) => (400, "ExpiredTokenException"),
        (Refusal::Expired, S3) => (400, "ExpiredToken"),
        (Refusal::Expired, Query | RestXml | Web) => (403, "ExpiredToken"),
        (Refusal::Denied, Json) => (400, "AccessDeniedException"),
        (Refusal::Denied, RestJson) => (403, "AccessDeniedException"),
        (Refusal::Denied, Query | RestXml | S3 | Web) => (403, "AccessDenied"),
    }
}

/// A refusal as the service that speaks this dialect would send it.
pub(crate) fn refuse(refusal: Refusal, dialect: Dialect, is_head: bool) -> Response<Full<Bytes>> {
    let (status, code) = words(refusal, dialect);
    let message = "refused on purpose by a test";
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    let (kind, body) = match dialect {
        Dialect::Json | Dialect::RestJson => (
            "application/x-amz-json-1.1",
            format!(r#"{{"__type":"{code}","message":"{message}"}}"#),
        ),
        Dialect::S3 => ("application/xml", error),
        Dialect::Query | Dialect::RestXml | Dialect::Web => (
            "text/xml",
            format!("<ErrorResponse>{error}<RequestId>test</RequestId></ErrorResponse>"),
        ),
    };
    // An answer to HEAD has no body and so no code.
    let body = if is_head { String::new() } else { body };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    if let Ok(status) = status.try_into() {
        *response.status_mut() = status;
    }
    let headers = response.headers_mut();
    headers.insert("content-type", hyper::header::HeaderValue::from_static(kind));
    if dialect == Dialect::RestJson {
        headers.insert("x-amzn-errortype", hyper::header::HeaderValue::from_static(code));
    }
    response
}
