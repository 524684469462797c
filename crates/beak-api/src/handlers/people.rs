//! Signing in, and what a duckling or its owner asks about themselves.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use beak_core::galaxy::Verification;
use beak_core::person::{Email, OtpCode, Password};
use beak_core::ports::Tokens;

use super::hatch::hatched;
use super::{Answer, Beak};
use crate::extract::{Body, Caller, Nothing};
use crate::request::Who;
use crate::wire;

pub(crate) async fn sign_in(
    State(galaxy): Beak,
    Body(asked): Body<wire::SignIn>,
) -> Answer<Json<wire::Tokens>> {
    let email = Email::parse(&asked.email)?;
    let signed_in = galaxy.sign_in(&email, &Password::attempt(asked.password)?).await?;
    let mut answer = tokens(signed_in.tokens);
    answer.hatched = signed_in.hatched.map(hatched);
    Ok(Json(answer))
}

pub(crate) async fn refresh(
    State(galaxy): Beak,
    Body(asked): Body<wire::Refresh>,
) -> Answer<Json<wire::Tokens>> {
    Ok(Json(tokens(galaxy.refresh(&asked.refresh_token).await?)))
}

pub(crate) async fn sign_out(
    State(galaxy): Beak,
    Caller(caller): Caller,
    Nothing: Nothing,
) -> Answer<Json<wire::Status>> {
    galaxy.sign_out(&caller).await?;
    Ok(Json(wire::Status { status: "signed_out" }))
}

pub(crate) async fn forgot(
    State(galaxy): Beak,
    Body(asked): Body<wire::Address>,
) -> Answer<(StatusCode, Json<wire::Status>)> {
    galaxy.forgot(&Email::parse(&asked.email)?).await?;
    Ok((StatusCode::ACCEPTED, Json(wire::Status { status: "otp_sent" })))
}

pub(crate) async fn reset(
    State(galaxy): Beak,
    Body(asked): Body<wire::Reset>,
) -> Answer<Json<wire::Status>> {
    let email = Email::parse(&asked.email)?;
    let new = Password::parse(asked.password, &email)?;
    let verification = Verification { email, code: OtpCode::parse(&asked.code)? };
    galaxy.reset(&verification, &new).await?;
    Ok(Json(wire::Status { status: "password_changed" }))
}

pub(crate) async fn me(
    State(galaxy): Beak,
    Extension(who): Extension<Who>,
    Caller(caller): Caller,
) -> Answer<Json<wire::Me>> {
    let duckling = galaxy.duckling_of(&caller).await?;
    let _ = who.0.set(duckling.id.clone());
    Ok(Json(wire::Me::of(duckling, galaxy.now())))
}

pub(crate) async fn rotate(
    State(galaxy): Beak,
    Caller(caller): Caller,
    Nothing: Nothing,
) -> Answer<Json<wire::Rotated>> {
    let key = galaxy.rotate_key(&caller).await?;
    Ok(Json(wire::Rotated { beak_key: key.reveal().to_owned() }))
}

pub(crate) async fn pulse(
    State(galaxy): Beak,
    Caller(caller): Caller,
    Nothing: Nothing,
) -> Answer<Json<wire::Status>> {
    galaxy.pulse(&caller).await?;
    Ok(Json(wire::Status { status: "ok" }))
}

fn tokens(tokens: Tokens) -> wire::Tokens {
    wire::Tokens {
        access_token: tokens.access,
        refresh_token: tokens.refresh,
        expires_in: tokens.expires_in.whole_seconds(),
        token_type: "Bearer",
        hatched: None,
    }
}
