//! The newsletter and the pages behind its mails' links.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use beak_core::BeakError;
use beak_core::galaxy::{Awaited, NewReader};
use beak_core::newsletter::Token;
use beak_core::person::Email;

use super::{Answer, Beak};
use crate::extract::{Body, ClientAddress, Query};
use crate::page;
use crate::problem::Problem;
use crate::wire;

pub(crate) async fn offer(
    State(galaxy): Beak,
    from: Option<ClientAddress>,
    Body(asked): Body<wire::Guarded>,
) -> Answer<(StatusCode, Json<wire::Mailed>)> {
    let reader = NewReader {
        email: Email::parse(&asked.email)?,
        captcha_token: asked.captcha_token,
        from: from.map(|ClientAddress(address)| address),
    };
    galaxy.offer_newsletter(reader).await?;
    let note = galaxy.note(Awaited::Offer).await;
    Ok((StatusCode::ACCEPTED, Json(wire::Mailed { status: "confirmation_sent", note })))
}

pub(crate) async fn ask_to_confirm(Query(asked): Query<wire::TokenAsked>) -> Answer<Response> {
    Token::parse(&asked.token)?;
    let text = "Once you confirm, the newsletter of Space Duck comes to your address.";
    Ok(page::asks("Take the newsletter?", text, "Confirm"))
}

pub(crate) async fn confirm(
    State(galaxy): Beak,
    headers: HeaderMap,
    Query(asked): Query<wire::TokenAsked>,
) -> Answer<Response> {
    let done = galaxy.subscribe(&Token::parse(&asked.token)?).await;
    told(done, &headers, "subscribed", "The newsletter comes to your address from now on.")
}

pub(crate) async fn ask_to_end(Query(asked): Query<wire::TokenAsked>) -> Answer<Response> {
    Token::parse(&asked.token)?;
    let text = "The newsletter of Space Duck no longer comes to your address after that.";
    Ok(page::asks("End the newsletter?", text, "Unsubscribe"))
}

pub(crate) async fn end(
    State(galaxy): Beak,
    headers: HeaderMap,
    Query(asked): Query<wire::TokenAsked>,
) -> Answer<Response> {
    let done = galaxy.unsubscribe(&Token::parse(&asked.token)?).await;
    told(done, &headers, "unsubscribed", "The newsletter no longer comes to your address.")
}

/// The same for a browser as a page, for a program as JSON.
fn told(
    done: Result<(), BeakError>,
    headers: &HeaderMap,
    status: &'static str,
    text: &str,
) -> Answer<Response> {
    let for_people = page::is_wanted(headers);
    match done {
        Ok(()) if for_people => Ok(page::says(StatusCode::OK, "Done", text)),
        Ok(()) => Ok(Json(wire::Status { status }).into_response()),
        Err(BeakError::NotFound(_)) if for_people => {
            let text = "This link is used up or too old. Ask for the newsletter once more.";
            Ok(page::says(StatusCode::NOT_FOUND, "Too late", text))
        }
        Err(error) => Err(Problem::from(error)),
    }
}
