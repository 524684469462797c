//! A second factor of the person who has signed in, and the second step of signing in.

use axum::Json;
use axum::extract::State;
use beak_core::BeakError;
use beak_core::factor::FactorCode;
use beak_core::person::Password;

use super::people::tokens;
use super::{Answer, Beak};
use crate::extract::{Body, SignedInPerson};
use crate::wire;

pub(crate) async fn sign_in(
    State(galaxy): Beak,
    Body(asked): Body<wire::SecondStep>,
) -> Answer<Json<wire::Tokens>> {
    let code = FactorCode::parse(&asked.code)?;
    Ok(Json(tokens(galaxy.sign_in_totp(&asked.session, &code).await?)))
}

pub(crate) async fn look(
    State(galaxy): Beak,
    SignedInPerson(person): SignedInPerson,
) -> Answer<Json<wire::Factor>> {
    Ok(Json(galaxy.factor(&person).await?.into()))
}

pub(crate) async fn begin(
    State(galaxy): Beak,
    SignedInPerson(person): SignedInPerson,
    Body(asked): Body<wire::Enrol>,
) -> Answer<Json<wire::FactorBegun>> {
    let password = Password::attempt(asked.password)?;
    Ok(Json(galaxy.begin_factor(&person, &password).await?.into()))
}

pub(crate) async fn confirm(
    State(galaxy): Beak,
    SignedInPerson(person): SignedInPerson,
    Body(asked): Body<wire::FactorConfirm>,
) -> Answer<Json<wire::RecoveryCodes>> {
    let enrolled = galaxy.confirm_factor(&person, &FactorCode::parse(&asked.code)?).await?;
    log(enrolled.unsent.as_ref());
    Ok(Json((&enrolled).into()))
}

pub(crate) async fn remove(
    State(galaxy): Beak,
    SignedInPerson(person): SignedInPerson,
    Body(asked): Body<wire::FactorEnd>,
) -> Answer<Json<wire::Status>> {
    let (password, code) = (Password::attempt(asked.password)?, FactorCode::parse(&asked.code)?);
    log(galaxy.remove_factor(&person, &password, &code).await?.as_ref());
    Ok(Json(wire::Status { status: "removed" }))
}

fn log(unsent: Option<&BeakError>) {
    if let Some(error) = unsent {
        let cause = error.cause().unwrap_or(error.code());
        tracing::warn!(cause, "no mail about a second factor");
    }
}
