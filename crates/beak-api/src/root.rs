//! `GET /beak`: where everything is, for people who open the API's own address. It is no call of
//! the protocol, and it is not counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use beak_core::access::Who;
use serde::Serialize;

use crate::front::{self, Way};
use crate::handlers::Beak;
use crate::{calls, page};

/// What `GET /beak` answers to programs.
#[derive(Serialize)]
struct Root {
    /// What this is, in one sentence.
    about: &'static str,
    galaxy_version: String,
    release: String,
    /// Calls that need no credential and no parameter, by the end of their path.
    links: BTreeMap<String, String>,
}

const ABOUT: &str = "The Beak, the API of a Space Duck galaxy: identities, trust bonds and birth \
                     certificates for AI agents.";

/// HTML for a browser, JSON for everything else.
pub(crate) async fn root(
    State(galaxy): Beak,
    way: Option<Extension<Way>>,
    headers: HeaderMap,
) -> Response {
    let settings = galaxy.settings();
    let way = way.as_ref().map(|Extension(way)| way);
    let links = links(front::base(way, &settings.issuer));
    let mut response = if page::is_wanted(&headers) {
        let mut list = format!("{ABOUT}</p>\n<ul>\n");
        for (name, address) in &links {
            // Writing to a String can't fail.
            let _ = writeln!(list, "<li><a href=\"{address}\">{name}</a></li>");
        }
        list.push_str("</ul>\n<p>Every call is described in the OpenAPI document.");
        page::says(StatusCode::OK, "The Beak API", &list)
    } else {
        let (galaxy_version, release) = (settings.version.clone(), settings.release.clone());
        Json(Root { about: ABOUT, galaxy_version, release, links }).into_response()
    };
    let vary = axum::http::HeaderValue::from_static("accept");
    response.headers_mut().insert(header::VARY, vary);
    response
}

/// What anyone can read without more than its address.
fn links(base: &str) -> BTreeMap<String, String> {
    let open = |row: &crate::Row| {
        row.method == Method::GET
            && matches!(row.who, Who::Anyone | Who::AnyoneMoreForOperators)
            && !row.path.contains(['{'])
            && !row.path.starts_with("/beak/newsletter/")
    };
    let rows = calls::table().into_iter().filter(open);
    rows.map(|row| {
        let name = row.path.trim_start_matches("/beak/").trim_end_matches(".json");
        (name.to_owned(), format!("{base}{}", row.path))
    })
    .collect()
}
