//! The small pages behind a mail's links. They work without scripts or anything foreign.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

const STYLE: &str = "body{font:1.05rem/1.6 system-ui,sans-serif;max-width:34em;margin:12vh auto;\
    padding:0 1.2em}button{font:inherit;font-weight:700;padding:.5em 1.4em;border:0;\
    border-radius:2em;background:#ffd23f;color:#080d24;cursor:pointer}";

/// Nothing is loaded, nothing runs, the one style is ours, and the one form leads back here.
fn policy() -> String {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

/// Whether the caller is a browser that shows pages.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// A page that says something.
pub(crate) fn says(status: StatusCode, title: &str, text: &str) -> Response {
    page(status, title, &format!("<p>{text}</p>"))
}

/// A page with one button, which posts to where the page is.
pub(crate) fn asks(title: &str, text: &str, button: &str) -> Response {
    let form = format!("<p>{text}</p>\n<form method=\"post\"><button>{button}</button></form>");
    page(StatusCode::OK, title, &form)
}

fn page(status: StatusCode, title: &str, main: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"robots\" content=\"noindex\">\n\
         <title>{title} · Space Duck</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{main}\n</main>\n</body>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy()),
        // The address holds the token.
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (status, headers, Html(html)).into_response()
}
