//! The small pages behind a mail's links. They work without scripts, styles or anything foreign.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

/// Nothing is loaded, nothing runs, and the one form leads back here.
const POLICY: &str = "default-src 'none'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

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
         <title>{title} · Space Duck</title>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{main}\n\
         </main>\n</body>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // The address holds the token.
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(html)).into_response()
}
