//! Birth certificates as compact JWS: RFC 7515 with EdDSA of RFC 8037, so that any JOSE library
//! can check one against the published keys.
//!
//! Written out here because the one algorithm takes fewer lines than a JOSE library takes
//! options, and the signature itself comes from elsewhere (KMS, or a key file).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use beak_core::certificate::{CLAIMS_VERSION, Claims};
use beak_core::id::{CertId, DucklingId};
use beak_core::ports::{CertificateAuthority, PublicKey, Store};
use beak_core::tier::Tier;
use beak_core::{BeakError, OffsetDateTime, Result};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Holds the private key.
#[async_trait]
pub trait Signer: Send + Sync {
    /// The public half.
    async fn public_key(&self) -> Result<[u8; 32]>;
    /// The Ed25519 signature over these bytes (not over a hash of them).
    async fn sign(&self, bytes: &[u8]) -> Result<[u8; 64]>;
}

/// Signs with a signer's key, and reads what it or an earlier one has signed: the store remembers
/// the public half of every key that ever signed here.
pub struct Jws {
    signer: Arc<dyn Signer>,
    store: Arc<dyn Store>,
    keys: Mutex<Option<(Instant, Arc<[PublicKey]>)>>,
    fresh_for: Duration,
}

/// How long keys are cached. An import brings keys of another galaxy, whose certificates then have
/// to be valid here.
const FRESH_FOR: Duration = Duration::from_secs(50);

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
    pub fn new(signer: Arc<dyn Signer>, store: Arc<dyn Store>) -> Self {
        Self { signer, store, keys: Mutex::default(), fresh_for: FRESH_FOR }
    }

    /// The same with another cache time.
    #[must_use]
    pub fn looking_every(self, fresh_for: Duration) -> Self {
        Self { fresh_for, ..self }
    }

    /// The keys, current one first.
    async fn known(&self) -> Result<Arc<[PublicKey]>> {
        let kept = self.kept();
        if let Some((_, keys)) = kept.as_ref().filter(|(at, _)| at.elapsed() < self.fresh_for) {
            return Ok(Arc::clone(keys));
        }
        match self.look().await {
            Ok(keys) => {
                let kept = Some((Instant::now(), Arc::clone(&keys)));
                *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = kept;
                Ok(keys)
            }
            // Keys are never taken back, so those of a minute ago are as good.
            Err(error) => kept.map(|(_, keys)| keys).ok_or(error),
        }
    }

    fn kept(&self) -> Option<(Instant, Arc<[PublicKey]>)> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn look(&self) -> Result<Arc<[PublicKey]>> {
        let bytes = self.signer.public_key().await?;
        let current = PublicKey { kid: kid(&bytes), bytes };
        let mut keys = self.store.signing_keys(&current).await?;
        keys.retain(|key| key.kid != current.kid);
        keys.insert(0, current);
        Ok(keys.into())
    }
}

/// The type of a certificate.
const TYPE: &str = "JWT";

/// The key's name: its thumbprint by RFC 7638 and RFC 8037 appendix A.3.
#[must_use]
pub fn kid(key: &[u8; 32]) -> String {
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
        // Remembered before the first signature, so that none can outlive its key.
        let kid = self.known().await?.first().map(|key| key.kid.clone()).unwrap_or_default();
        let signed = to_sign(claims, &kid)?;
        let signature = self.signer.sign(signed.as_bytes()).await?;
        Ok(sealed(signed, &signature))
    }

    async fn read(&self, compact: &str) -> Result<Option<Claims>> {
        Ok(read(compact, &self.known().await?))
    }

    async fn keys(&self) -> Result<Vec<PublicKey>> {
        Ok(self.known().await?.to_vec())
    }
}

impl From<&Claims> for Payload {
    fn from(claims: &Claims) -> Self {
        Self {
            iss: claims.issuer.clone(),
            sub: claims.duckling_id.to_string(),
            jti: claims.cert_id.to_string(),
            iat: claims.issued_at.unix_timestamp(),
            name: claims.name.clone(),
            email_sha256: claims.email_sha256.clone(),
            tier: claims.tier.to_string(),
            ver: CLAIMS_VERSION,
        }
    }
}

fn to_sign(claims: &Claims, kid: &str) -> Result<String> {
    input(&Payload::from(claims), TYPE, kid)
}

/// The JWS Signing Input, RFC 7515 section 2.
pub fn input<T: Serialize>(payload: &T, typ: &str, kid: &str) -> Result<String> {
    let header = Header { alg: "EdDSA".into(), kid: kid.to_owned(), typ: typ.to_owned() };
    Ok(format!("{}.{}", encode(&header)?, encode(payload)?))
}

/// The compact JWS of what was signed and its signature.
#[must_use]
pub fn sealed(signed: String, signature: &[u8; 64]) -> String {
    signed + "." + &URL_SAFE_NO_PAD.encode(signature)
}

/// The payload of a compact JWS of this type, if one of the keys has signed it.
#[must_use]
pub fn open<T: for<'de> Deserialize<'de>>(
    compact: &str,
    typ: &str,
    keys: &[PublicKey],
) -> Option<T> {
    let (signed, signature) = compact.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let named: Header = decode(header)?;
    // The algorithm is ours to say, not the certificate's: RFC 8725 section 3.1.
    let key = keys.iter().find(|key| key.kid == named.kid && named.alg == "EdDSA")?;
    let key = VerifyingKey::from_bytes(&key.bytes).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let signature = Signature::from_slice(&signature).ok()?;
    key.verify_strict(signed.as_bytes(), &signature).ok()?;
    if named.typ == typ { decode(payload) } else { None }
}

/// What a certificate says, if one of the keys has signed it.
#[must_use]
pub fn read(compact: &str, keys: &[PublicKey]) -> Option<Claims> {
    claims(open(compact, TYPE, keys)?)
}

/// A certificate's own claims, unverified: don't trust them.
#[must_use]
pub fn peek(compact: &str) -> Option<Claims> {
    let (_, rest) = compact.split_once('.')?;
    let (payload, signature) = rest.split_once('.')?;
    URL_SAFE_NO_PAD.decode(signature).ok()?;
    claims(decode(payload)?)
}

fn claims(payload: Payload) -> Option<Claims> {
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

    fn public(key: &SigningKey) -> PublicKey {
        let bytes = key.verifying_key().to_bytes();
        PublicKey { kid: kid(&bytes), bytes }
    }

    #[test]
    fn a_certificate_reads_back_and_a_changed_one_does_not() {
        let [ours, older, stranger] = [3, 4, 5].map(|n| SigningKey::from_bytes(&[n; 32]));
        let signed = to_sign(&claims(), &public(&older).kid).expect("written");
        let compact = sealed(signed.clone(), &older.sign(signed.as_bytes()).to_bytes());
        let keys = [public(&ours), public(&older)];
        assert_eq!(read(&compact, &keys), Some(claims()));
        for at in 0..compact.len() {
            let other = if compact.as_bytes()[at] == b'A' { "B" } else { "A" };
            let mut changed = compact.clone();
            changed.replace_range(at..=at, other);
            assert_eq!(read(&changed, &keys), None, "byte {at}");
        }
        assert_eq!(read(&compact, &[public(&stranger)]), None);
    }

    #[test]
    fn the_certificate_does_not_say_how_it_is_checked() {
        let key = SigningKey::from_bytes(&[3; 32]);
        let payload = encode(&Payload::from(&claims())).expect("written");
        for alg in ["none", "HS256", "ES256", "eddsa"] {
            let header = Header { alg: alg.into(), kid: public(&key).kid, typ: "JWT".into() };
            let signed = format!("{}.{payload}", encode(&header).expect("written"));
            let compact = sealed(signed.clone(), &key.sign(signed.as_bytes()).to_bytes());
            assert_eq!(read(&compact, &[public(&key)]), None, "{alg}");
            assert_eq!(read(&format!("{signed}."), &[public(&key)]), None, "{alg}");
        }
    }

    #[test]
    fn what_is_of_another_type_is_no_certificate() {
        let key = SigningKey::from_bytes(&[3; 32]);
        let signed = input(&Payload::from(&claims()), "statement+jwt", &public(&key).kid);
        let signed = signed.expect("written");
        let compact = sealed(signed.clone(), &key.sign(signed.as_bytes()).to_bytes());
        assert_eq!(read(&compact, &[public(&key)]), None);
        assert!(open::<Payload>(&compact, "statement+jwt", &[public(&key)]).is_some());
        assert_eq!(peek(&compact), Some(claims()));
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
