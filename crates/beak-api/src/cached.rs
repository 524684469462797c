//! Answers that a client may keep, and asks for again with the version that it has.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

/// Whether a client has this version already (RFC 9110, section 13.1.2): its `If-None-Match` is
/// `*`, or names it, strongly or weakly.
#[must_use]
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let given = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = given.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    tags.any(|tag| tag.trim() == "*" || strong(tag) == strong(etag))
}

/// JSON that is the same for everybody, for five minutes; or 304, if the client has it.
pub(crate) fn json(asked: &HeaderMap, body: String) -> Response {
    let digest = beak_core::person::hex(&Sha256::digest(body.as_bytes()));
    // Weak: compressed or not, it is the same.
    let etag = format!("W/\"{}\"", &digest[..32]);
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: &str| {
        HeaderValue::from_str(value).map(|value| headers.insert(name, value))
    };
    let dressed = set(header::CACHE_CONTROL, "public, max-age=300")
        .and_then(|_| set(header::CONTENT_TYPE, "application/json"))
        .and_then(|_| set(header::ETAG, &etag));
    debug_assert!(dressed.is_ok(), "these are words and digits");
    if is_known(asked, &etag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_known_by_each_of_its_names() {
        let known = |given: &[&str], etag: &str| {
            let mut headers = HeaderMap::new();
            for value in given {
                headers.append(header::IF_NONE_MATCH, HeaderValue::from_str(value).expect("text"));
            }
            is_known(&headers, etag)
        };
        for given in
            [&["\"a\""][..], &["W/\"a\""], &["*"], &["\"b\", W/\"a\""], &["\"b\"", "\"a\""]]
        {
            assert!(known(given, "\"a\"") && known(given, "W/\"a\""), "{given:?}");
        }
        for given in [&[][..], &["\"b\""], &["a"], &["W/"]] {
            assert!(!known(given, "\"a\""), "{given:?}");
        }
    }
}
