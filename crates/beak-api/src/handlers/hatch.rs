//! Hatch, verify, resend.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use beak_core::galaxy::{Awaited, Hatchling, NewEgg, Verification};
use beak_core::person::{CODE_LIFETIME, DisplayName, Email, OtpCode, Password};

use super::{Answer, Beak};
use crate::extract::{Body, ClientAddress};
use crate::wire;

pub(crate) async fn hatch(
    State(galaxy): Beak,
    from: Option<ClientAddress>,
    Body(asked): Body<wire::Hatch>,
) -> Answer<(StatusCode, Json<wire::EggLaid>)> {
    let email = Email::parse(&asked.email)?;
    let mut answer = wire::EggLaid {
        status: "otp_sent",
        email: email.as_str().to_owned(),
        expires_in: CODE_LIFETIME.whole_seconds(),
        note: None,
    };
    let egg = NewEgg {
        password: Password::parse(asked.password, &email)?,
        display_name: DisplayName::parse(&asked.display_name)?,
        captcha_token: asked.captcha_token,
        from: from.map(|ClientAddress(address)| address),
        email,
    };
    if let Some(error) = galaxy.hatch(egg).await? {
        let cause = error.cause().unwrap_or(error.code());
        tracing::warn!(cause, "an owner was not told of a hatch");
    }
    answer.note = galaxy.note(Awaited::Code).await;
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

pub(crate) async fn verify(
    State(galaxy): Beak,
    Body(asked): Body<wire::Verify>,
) -> Answer<Json<wire::Hatched>> {
    let verification =
        Verification { email: Email::parse(&asked.email)?, code: OtpCode::parse(&asked.code)? };
    let hatchling = galaxy.verify(&verification).await?;
    Ok(Json(hatched(hatchling)))
}

pub(crate) async fn resend(
    State(galaxy): Beak,
    Body(asked): Body<wire::Address>,
) -> Answer<(StatusCode, Json<wire::Mailed>)> {
    galaxy.resend(&Email::parse(&asked.email)?).await?;
    let note = galaxy.note(Awaited::Code).await;
    Ok((StatusCode::ACCEPTED, Json(wire::Mailed { status: "otp_sent", note })))
}

/// The one answer that carries a key.
pub(super) fn hatched(hatchling: Hatchling) -> wire::Hatched {
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
    }
}
