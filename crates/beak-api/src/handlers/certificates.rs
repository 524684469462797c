//! Certificates and the keys that verify them.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use beak_core::BeakError;
use beak_core::galaxy::Verdict;
use beak_core::id::CertId;

use super::{Answer, Beak};
use crate::cached;
use crate::extract::{Agent, Body, Path};
use crate::front::Way;
use crate::wire;

pub(crate) async fn own(
    State(galaxy): Beak,
    Agent(duckling): Agent,
) -> Answer<Json<wire::CertificateSeen>> {
    let certificate = galaxy.certificate_of(&duckling).await?;
    Ok(Json(wire::CertificateSeen::of(certificate, true)))
}

pub(crate) async fn one(
    State(galaxy): Beak,
    Path(path): Path<wire::CertificatePath>,
) -> Answer<Json<wire::CertificateSeen>> {
    let id = CertId::parse(&path.cert_id).map_err(|_| BeakError::NotFound("such certificate"))?;
    let certificate = galaxy.certificate(&id).await?;
    Ok(Json(wire::CertificateSeen::of(certificate, false)))
}

pub(crate) async fn verify(
    State(galaxy): Beak,
    Body(asked): Body<wire::Judge>,
) -> Answer<Json<wire::Judged>> {
    let opinion = galaxy.judge(&asked.certificate).await?;
    let (reason, status) = match opinion.verdict {
        Verdict::Valid => (None, Some("valid")),
        Verdict::NotOurs => (Some("the signature is not this galaxy's"), None),
        Verdict::Was(status) => (Some("it is no longer current"), Some(status.word())),
    };
    let claims = opinion.claims;
    Ok(Json(wire::Judged {
        valid: opinion.verdict == Verdict::Valid,
        reason,
        cert_id: claims.as_ref().map(|claims| claims.cert_id.to_string()),
        duckling_id: claims.as_ref().map(|claims| claims.duckling_id.to_string()),
        trust_tier: claims.as_ref().map(|claims| claims.tier.word()),
        status,
    }))
}

pub(crate) async fn keys(
    State(galaxy): Beak,
    way: Option<Extension<Way>>,
    headers: HeaderMap,
) -> Answer<Response> {
    let jwk = |key: beak_core::ports::PublicKey| wire::Jwk {
        kty: "OKP",
        crv: "Ed25519",
        x: URL_SAFE_NO_PAD.encode(key.bytes),
        kid: key.kid,
        alg: "EdDSA",
        purpose: "sig",
    };
    let (keys, mut issuers) = (galaxy.keys().await?, galaxy.issuers().await?);
    // Whoever knows the galaxy by the front's address accepts what it has issued under its own.
    if let Some(Extension(Way::Front(base))) = way {
        issuers.push(base.to_string());
    }
    let keys = keys.into_iter().map(jwk).collect();
    let set = serde_json::to_string(&wire::Jwks { keys, issuers });
    let set = set.map_err(|error| BeakError::Internal(error.to_string()))?;
    Ok(cached::json(&headers, set))
}
