//! Hatch, verify, resend.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use beak_core::access::{Caller, Who};
use beak_core::galaxy::{Awaited, Credential, Hatchling, NewEgg, Resend, Verification};
use beak_core::id::HatchId;
use beak_core::person::{CODE_LIFETIME, DisplayName, Email, OtpCode, Password};
use beak_core::tier::Tier;
use beak_core::{BeakError, Galaxy};

use super::{Answer, Beak};
use crate::extract::{Body, ClientAddress, credential};
use crate::wire;

pub(crate) async fn hatch(
    State(galaxy): Beak,
    from: Option<ClientAddress>,
    headers: HeaderMap,
    Body(asked): Body<wire::Hatch>,
) -> Answer<Response> {
    // Who sends no account of their own has signed in to one. Else a credential changes nothing.
    let bare = (&asked.email, &asked.password, &asked.captcha_token) == (&None, &None, &None);
    if bare && let Some(Credential::Token(token)) = credential(&headers)? {
        let hatchling = hatch_for(&galaxy, token, &asked.display_name).await?;
        return Ok(Json(hatched(hatchling)).into_response());
    }
    let email = Email::parse(&needed("email", asked.email)?)?;
    let egg = NewEgg {
        password: Password::parse(needed("password", asked.password)?, &email)?,
        display_name: DisplayName::parse(&asked.display_name)?,
        captcha_token: needed("captcha_token", asked.captcha_token)?,
        from: from.map(|ClientAddress(address)| address),
        email: email.clone(),
    };
    let laid = galaxy.hatch(egg).await?;
    if let Some(error) = laid.unsent {
        let cause = error.cause().unwrap_or(error.code());
        tracing::warn!(cause, "an owner was not told of a hatch");
    }
    let answer = wire::EggLaid {
        status: "otp_sent",
        email: email.as_str().to_owned(),
        hatch_id: laid.hatch_id.to_string(),
        expires_in: CODE_LIFETIME.whole_seconds(),
        note: galaxy.note(Awaited::Code).await,
    };
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

fn needed(name: &'static str, value: Option<String>) -> Result<String, BeakError> {
    value.ok_or_else(|| BeakError::invalid(name, format!("`{name}` is missing")))
}

async fn hatch_for(galaxy: &Galaxy, token: String, name: &str) -> Result<Hatchling, BeakError> {
    let token = Credential::Token(token);
    match galaxy.admit(Some(&token), Who::Person, Tier::T0).await? {
        Caller::Person(person, _) => galaxy.hatch_for(&person, DisplayName::parse(name)?).await,
        _ => Err(BeakError::Unauthorized),
    }
}

pub(crate) async fn verify(
    State(galaxy): Beak,
    from: Option<ClientAddress>,
    Body(asked): Body<wire::Verify>,
) -> Answer<Json<wire::Hatched>> {
    let email = Email::parse(&asked.email)?;
    let password = asked.password.map(|password| Password::parse(password, &email)).transpose()?;
    let verification = Verification {
        code: OtpCode::parse(&asked.code)?,
        hatch_id: asked.hatch_id.as_deref().map(HatchId::parse).transpose()?,
        password,
        display_name: asked.display_name.as_deref().map(DisplayName::parse).transpose()?,
        from: from.map(|ClientAddress(address)| address),
        email,
    };
    Ok(Json(hatched(galaxy.verify(verification).await?)))
}

pub(crate) async fn resend(
    State(galaxy): Beak,
    from: Option<ClientAddress>,
    Body(asked): Body<wire::Resend>,
) -> Answer<(StatusCode, Json<wire::Mailed>)> {
    let resend = Resend {
        email: Email::parse(&asked.email)?,
        hatch_id: asked.hatch_id.as_deref().map(HatchId::parse).transpose()?,
        captcha_token: asked.captcha_token,
        from: from.map(|ClientAddress(address)| address),
    };
    galaxy.resend(resend).await?;
    let note = galaxy.note(Awaited::Code).await;
    Ok((StatusCode::ACCEPTED, Json(wire::Mailed { status: "otp_sent", note })))
}

/// The one answer that carries the first key.
fn hatched(hatchling: Hatchling) -> wire::Hatched {
    if let Some(error) = &hatchling.unwelcomed {
        let cause = error.cause().unwrap_or(error.code());
        tracing::warn!(duckling = hatchling.duckling.id.as_str(), cause, "no welcome mail");
    }
    wire::Hatched {
        beak_key: hatchling.key.reveal().to_owned(),
        duckling_id: hatchling.duckling.id.to_string(),
        cert_id: hatchling.duckling.cert_id.to_string(),
        certificate: hatchling.certificate,
        trust_tier: hatchling.duckling.tier.word(),
        password_reset_required: hatchling.needs_password,
    }
}
