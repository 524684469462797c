//! Birth certificates as compact JWS: RFC 7515 with EdDSA of RFC 8037, so that any JOSE library
//! can check one against the published keys.
//!
//! Written out here because the one algorithm takes fewer lines than a JOSE library takes
//! options, and the signature itself comes from elsewhere (KMS, or a key file).

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use beak_core::certificate::{CLAIMS_VERSION, Claims};
use beak_core::id::{CertId, DucklingId};
use beak_core::ports::{CertificateAuthority, PublicKey};
use beak_core::tier::Tier;
use beak_core::{BeakError, OffsetDateTime, Result};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Holds the private key.
#[async_trait]
pub trait Signer: Send + Sync {
    /// The public halves: the one that signs, then older ones that still verify.
    async fn public_keys(&self) -> Result<Vec<[u8; 32]>>;
    /// The Ed25519 signature over these bytes (not over a hash of them).
    async fn sign(&self, bytes: &[u8]) -> Result<[u8; 64]>;
}

/// Signs and reads certificates with a signer's keys.
pub struct Jws {
    signer: Arc<dyn Signer>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    iss: String,
    sub: String,
    jti: String,
    iat: i64,
    name: String,
    email_sha256: String,
    tier: String,
    ver: u32,
}

impl Jws {
    /// An authority over this signer.
    #[must_use]
    pub fn new(signer: Arc<dyn Signer>) -> Self {
        Self { signer }
    }
}

/// The key's name: its thumbprint by RFC 7638 and RFC 8037 appendix A.3.
fn kid(key: &[u8; 32]) -> String {
    let x = URL_SAFE_NO_PAD.encode(key);
    let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(jwk))
}

fn encode<T: Serialize>(part: &T) -> Result<String> {
    let json = serde_json::to_vec(part).map_err(|e| BeakError::Internal(e.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[async_trait]
impl CertificateAuthority for Jws {
    async fn issue(&self, claims: &Claims) -> Result<String> {
        let keys = self.signer.public_keys().await?;
        let none = || BeakError::Unavailable("there is no signing key".into());
        let kid = kid(keys.first().ok_or_else(none)?);
        let header = Header { alg: "EdDSA".into(), kid, typ: "JWT".into() };
        let payload = Payload {
            iss: claims.issuer.clone(),
            sub: claims.duckling_id.to_string(),
            jti: claims.cert_id.to_string(),
            iat: claims.issued_at.unix_timestamp(),
            name: claims.name.clone(),
            email_sha256: claims.email_sha256.clone(),
            tier: claims.tier.to_string(),
            ver: CLAIMS_VERSION,
        };
        let signed = format!("{}.{}", encode(&header)?, encode(&payload)?);
        let signature = self.signer.sign(signed.as_bytes()).await?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    async fn read(&self, compact: &str) -> Result<Option<Claims>> {
        let keys = self.signer.public_keys().await?;
        Ok(read(compact, &keys))
    }

    async fn keys(&self) -> Result<Vec<PublicKey>> {
        let keys = self.signer.public_keys().await?;
        Ok(keys.into_iter().map(|bytes| PublicKey { kid: kid(&bytes), bytes }).collect())
    }
}

fn read(compact: &str, keys: &[[u8; 32]]) -> Option<Claims> {
    let (signed, signature) = compact.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let named: Header = decode(header)?;
    // The algorithm is ours to say, not the certificate's: RFC 8725 section 3.1.
    let key = keys.iter().find(|key| kid(key) == named.kid && named.alg == "EdDSA")?;
    let key = VerifyingKey::from_bytes(key).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let signature = Signature::from_slice(&signature).ok()?;
    key.verify_strict(signed.as_bytes(), &signature).ok()?;
    let payload: Payload = decode(payload)?;
    Some(Claims {
        issuer: payload.iss,
        duckling_id: DucklingId::parse(&payload.sub).ok()?,
        cert_id: CertId::parse(&payload.jti).ok()?,
        issued_at: OffsetDateTime::from_unix_timestamp(payload.iat).ok()?,
        name: payload.name,
        email_sha256: payload.email_sha256,
        tier: Tier::parse(&payload.tier)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    struct Fixed(SigningKey);

    #[async_trait]
    impl Signer for Fixed {
        async fn public_keys(&self) -> Result<Vec<[u8; 32]>> {
            Ok(vec![self.0.verifying_key().to_bytes()])
        }

        async fn sign(&self, bytes: &[u8]) -> Result<[u8; 64]> {
            Ok(self.0.sign(bytes).to_bytes())
        }
    }

    fn claims() -> Claims {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time");
        Claims {
            issuer: "http://localhost:3825".into(),
            duckling_id: DucklingId::new(now, [1; 16]),
            cert_id: CertId::new(now, [2; 16]),
            issued_at: now,
            name: "Dück".into(),
            email_sha256: "00".repeat(32),
            tier: Tier::T0,
        }
    }

    #[tokio::test]
    async fn a_certificate_reads_back_and_a_changed_one_does_not() {
        let jws = Jws::new(Arc::new(Fixed(SigningKey::from_bytes(&[3; 32]))));
        let compact = jws.issue(&claims()).await.expect("signed");
        assert_eq!(jws.read(&compact).await, Ok(Some(claims())));
        for at in 0..compact.len() {
            let other = if compact.as_bytes()[at] == b'A' { "B" } else { "A" };
            let mut changed = compact.clone();
            changed.replace_range(at..=at, other);
            assert_eq!(jws.read(&changed).await, Ok(None), "byte {at}");
        }
        let stranger = Jws::new(Arc::new(Fixed(SigningKey::from_bytes(&[4; 32]))));
        assert_eq!(stranger.read(&compact).await, Ok(None));
    }

    #[test]
    fn the_thumbprint_is_the_one_of_rfc_8037() {
        let x = URL_SAFE_NO_PAD
            .decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
            .expect("the key of appendix A.3");
        let key: [u8; 32] = x.try_into().expect("32 bytes");
        assert_eq!(kid(&key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
