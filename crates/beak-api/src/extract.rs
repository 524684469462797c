//! What handlers take from a request, read strictly.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use beak_core::BeakError;
use beak_core::access::Caller;
use beak_core::duckling::Duckling;
use beak_core::galaxy::Credential;
use beak_core::key::BeakKey;
use beak_core::ports::Person;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The address that a call came from, as far as the home vouches for it. Set as an extension.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// The most that a body may have.
const LIMIT: usize = 16 * 1024;

/// How long a body may take to arrive.
const WITHIN: Duration = Duration::from_secs(10);

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = read(request).await;
        if !is_json {
            return Err(BeakError::UnsupportedMediaType.into());
        }
        parse(&bytes?).map(Self)
    }
}

/// No body, or an empty object: for calls that take nothing.
pub(crate) struct Nothing;

impl<S: Send + Sync> FromRequest<S> for Nothing {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = read(request).await?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self);
        }
        let empty = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&bytes);
        if empty.is_ok_and(|object| object.is_empty()) {
            return Ok(Self);
        }
        Err(malformed("this call takes no body"))
    }
}

/// Receives a whole body, also one that is not needed or a little too large: its sender reads no
/// response before it has sent everything, and a connection with unread bytes has to be closed.
pub(crate) async fn receive(body: axum::body::Body) -> Result<axum::body::Bytes, BeakError> {
    let whole = tokio::time::timeout(WITHIN, to_bytes(body, 2 * 1024 * 1024)).await;
    let whole = whole.map_err(|_| {
        let message = "the body took too long to arrive".to_owned();
        BeakError::Invalid { field: None, message }
    })?;
    whole.map_err(|error| {
        if error.into_inner().is::<http_body_util::LengthLimitError>() {
            return BeakError::TooLarge;
        }
        let message = "the body did not arrive whole".to_owned();
        BeakError::Invalid { field: None, message }
    })
}

async fn read(request: Request) -> Result<axum::body::Bytes, Problem> {
    let bytes = receive(request.into_body()).await?;
    if bytes.len() <= LIMIT { Ok(bytes) } else { Err(BeakError::TooLarge.into()) }
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = given.and_then(|text| text.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn malformed(message: &str) -> Problem {
    BeakError::Invalid { field: None, message: message.to_owned() }.into()
}

/// Reads JSON and says which field is at fault. The value that was sent is never repeated.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let text = error.inner().to_string();
        let named = text.split('`').nth(1).unwrap_or_default().to_owned();
        let path = error.path().to_string();
        let (field, message) = if text.starts_with("missing field") {
            (named.clone(), format!("`{named}` is missing"))
        } else if text.starts_with("unknown field") {
            (named.clone(), "this call has no such field".to_owned())
        } else if text.starts_with("duplicate field") {
            (named.clone(), format!("`{named}` is there twice"))
        } else if error.inner().is_data() && path != "." {
            (path.clone(), format!("`{path}` has the wrong type"))
        } else {
            return malformed("the body is not a JSON object of this call's fields");
        };
        let error = BeakError::Invalid { field: None, message };
        Problem { error, field: Some(field) }
    })?;
    json.end().map_err(|_| malformed("there is something behind the JSON object"))?;
    Ok(value)
}

/// Parameters behind the question mark.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        let wrong = |_| malformed("the parameters behind `?` are not those of this call");
        query.map(|axum::extract::Query(value)| Self(value)).map_err(wrong)
    }
}

/// What the path names.
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        use axum::extract::Path as Raw;
        let path = <Raw<T> as FromRequestParts<S>>::from_request_parts(parts, state).await;
        // The route is matched already, so only the encoding can be wrong.
        let wrong = |_| malformed("the path holds bytes that are not UTF-8");
        path.map(|Raw(value)| Self(value)).map_err(wrong)
    }
}

/// The duckling of the agent that calls.
pub(crate) struct Agent(pub(crate) Duckling);

/// The duckling of the agent, or of the person, that calls.
pub(crate) struct Owner(pub(crate) Duckling);

/// Puts itself together from the caller that the gate has let in.
macro_rules! from_caller {
    ($name:ident, $caller:ident => $found:expr) => {
        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                let $caller = parts.extensions.get::<Caller>().cloned();
                let found: Result<_, BeakError> = $found;
                found.map(Self).map_err(Problem::from)
            }
        }
    };
}

from_caller!(Agent, caller => match caller {
    Some(Caller::Agent(duckling)) => Ok(*duckling),
    _ => Err(BeakError::Internal("a call for agents admitted another caller".into())),
});

from_caller!(Owner, caller => match caller {
    Some(Caller::Agent(duckling) | Caller::Person(_, Some(duckling))) => Ok(*duckling),
    Some(Caller::Person(_, None)) => {
        Err(BeakError::Forbidden("this account has no duckling; verify it first"))
    }
    _ => Err(BeakError::Internal("a call for owners admitted another caller".into())),
});

/// The person who has signed in.
pub(crate) struct SignedInPerson(pub(crate) Person);

from_caller!(SignedInPerson, caller => match caller {
    Some(Caller::Person(person, _)) => Ok(*person),
    _ => Err(BeakError::Internal("a call for people admitted another caller".into())),
});

/// Whoever calls.
pub(crate) struct Anybody(pub(crate) Caller);

from_caller!(Anybody, caller => Ok(caller.unwrap_or(Caller::Anyone)));

/// The access token itself, where a call is about it.
pub(crate) struct AccessToken(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for AccessToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match credential(&parts.headers)? {
            Some(Credential::Token(token)) => Ok(Self(token)),
            _ => Err(BeakError::Unauthorized.into()),
        }
    }
}

/// `Authorization: Bearer …`, RFC 6750 section 2.1. What can't be a credential is a wrong one.
pub(crate) fn credential(headers: &HeaderMap) -> Result<Option<Credential>, BeakError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let parts = value.to_str().ok().and_then(|text| text.split_once(' '));
    let (scheme, token) = parts.ok_or(BeakError::Unauthorized)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.len() > 8192 {
        return Err(BeakError::Unauthorized);
    }
    if token.starts_with("sd_bk_") {
        let key = BeakKey::parse(token).ok_or(BeakError::Unauthorized)?;
        return Ok(Some(Credential::Key(key)));
    }
    Ok(Some(Credential::Token(token.to_owned())))
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().copied())
    }
}
