//! Signing in, and what a duckling or its owner asks about themselves.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use beak_core::galaxy::{Awaited, Reset, SignedIn, Tokens};
use beak_core::person::{DisplayName, Email, OtpCode, Password};
use beak_core::tier::Statement;

use super::{Answer, Beak};
use crate::extract::{AccessToken, Agent, Anybody, Body, ClientAddress, Nothing, Owner};
use crate::wire;

pub(crate) async fn sign_in(
    State(galaxy): Beak,
    Body(asked): Body<wire::SignIn>,
) -> Answer<Json<wire::SignedIn>> {
    let email = Email::parse(&asked.email)?;
    let signed_in = galaxy.sign_in(&email, &Password::attempt(asked.password)?).await?;
    Ok(Json(match signed_in {
        SignedIn::Tokens(given) => wire::SignedIn::Tokens(tokens(given)),
        SignedIn::Challenge { session, expires_in } => wire::SignedIn::Challenge(wire::Challenge {
            challenge: "totp",
            session,
            expires_in: expires_in.whole_seconds(),
        }),
    }))
}

pub(crate) async fn refresh(
    State(galaxy): Beak,
    Body(asked): Body<wire::Refresh>,
) -> Answer<Json<wire::Tokens>> {
    Ok(Json(tokens(galaxy.refresh(&asked.refresh_token).await?)))
}

pub(crate) async fn sign_out(
    State(galaxy): Beak,
    AccessToken(token): AccessToken,
    Nothing: Nothing,
) -> Answer<Json<wire::Status>> {
    galaxy.sign_out(&token).await?;
    Ok(Json(wire::Status { status: "signed_out" }))
}

pub(crate) async fn forgot(
    State(galaxy): Beak,
    from: Option<ClientAddress>,
    Body(asked): Body<wire::Guarded>,
) -> Answer<(StatusCode, Json<wire::Mailed>)> {
    let from = from.map(|ClientAddress(address)| address);
    galaxy.forgot(&Email::parse(&asked.email)?, &asked.captcha_token, from).await?;
    let note = galaxy.note(Awaited::Code).await;
    Ok((StatusCode::ACCEPTED, Json(wire::Mailed { status: "otp_sent", note })))
}

pub(crate) async fn reset(
    State(galaxy): Beak,
    from: Option<ClientAddress>,
    Body(asked): Body<wire::Reset>,
) -> Answer<Json<wire::Status>> {
    let email = Email::parse(&asked.email)?;
    let reset = Reset {
        password: Password::parse(asked.password, &email)?,
        code: OtpCode::parse(&asked.code)?,
        from: from.map(|ClientAddress(address)| address),
        email,
    };
    galaxy.reset(reset).await?;
    Ok(Json(wire::Status { status: "password_changed" }))
}

pub(crate) async fn me(State(galaxy): Beak, Owner(duckling): Owner) -> Json<wire::Me> {
    Json(wire::Me::of(duckling, galaxy.now()))
}

pub(crate) async fn rename(
    State(galaxy): Beak,
    Owner(duckling): Owner,
    Body(asked): Body<wire::Rename>,
) -> Answer<Json<wire::Me>> {
    let name = DisplayName::parse(&asked.display_name)?;
    let renamed = galaxy.rename(duckling, name).await?;
    Ok(Json(wire::Me::of(renamed, galaxy.now())))
}

pub(crate) async fn delete(
    State(galaxy): Beak,
    Anybody(caller): Anybody,
    Nothing: Nothing,
) -> Answer<(StatusCode, Json<wire::Status>)> {
    let progress = galaxy.delete(&caller).await?;
    Ok(wire::Status::of_deletion(progress, "deleted"))
}

pub(crate) async fn export(
    State(galaxy): Beak,
    Owner(duckling): Owner,
) -> Answer<Json<wire::Exported>> {
    let export = galaxy.export(duckling).await?;
    Ok(Json(wire::Exported::of(export, galaxy.now())))
}

pub(crate) async fn rotate(
    State(galaxy): Beak,
    Owner(duckling): Owner,
    Nothing: Nothing,
) -> Answer<Json<wire::Rotated>> {
    let key = galaxy.rotate_key(&duckling).await?;
    Ok(Json(wire::Rotated { beak_key: key.reveal().to_owned() }))
}

pub(crate) async fn pulse(
    State(galaxy): Beak,
    Agent(duckling): Agent,
    Nothing: Nothing,
) -> Answer<Json<wire::Status>> {
    galaxy.pulse(&duckling).await?;
    Ok(Json(wire::Status { status: "ok" }))
}

pub(crate) async fn request_tier(
    State(galaxy): Beak,
    Agent(duckling): Agent,
    Body(asked): Body<wire::TierAsked>,
) -> Answer<(StatusCode, Json<wire::Status>)> {
    galaxy.request_tier(&duckling, Statement::parse(&asked.statement)?).await?;
    Ok((StatusCode::ACCEPTED, Json(wire::Status { status: "requested" })))
}

pub(super) fn tokens(tokens: Tokens) -> wire::Tokens {
    wire::Tokens {
        access_token: tokens.access,
        refresh_token: tokens.refresh,
        expires_in: tokens.expires_in.whole_seconds(),
        token_type: "Bearer",
    }
}
