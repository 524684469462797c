//! The file beside a pack: the publisher's birth certificate, the publisher's key, and a statement
//! about the pack signed with that key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use beak_api::jws;
use beak_core::OffsetDateTime;
use beak_core::certificate::Claims;
use beak_core::person::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::check::only;
use crate::key::{self, PublisherKey};
use crate::mistake::Mistake;
use crate::{check, unpack};

/// The type in the statement's header, so that it is taken for nothing else (RFC 8725, 3.11).
pub(crate) const TYPE: &str = "galaxy-skill+jwt";
/// The version of the file.
pub(crate) const VERSION: u32 = 1;
/// How long the file may be, in bytes.
pub const SIGNATURE_LIMIT: u64 = 16 * 1024;

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// Its version.
    pub(crate) galaxy_skill_signature: u32,
    /// The birth certificate, a compact JWS by the galaxy.
    pub(crate) certificate: String,
    /// The 32 bytes of the publisher's public key in base64url.
    pub(crate) key: String,
    /// The statement, a compact JWS by that key.
    pub(crate) signature: String,
}

/// What the publisher says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    /// The galaxy: the certificate's `iss`.
    pub(crate) iss: String,
    /// The publisher: the certificate's `sub`.
    pub(crate) sub: String,
    /// The certificate: its `jti`.
    pub(crate) cert_id: String,
    /// When it was signed, in seconds; only the publisher says so.
    pub(crate) iat: i64,
    /// The skill's name.
    pub(crate) skill: String,
    /// The skill's version.
    pub(crate) version: String,
    /// SHA-256 of the pack, as hex.
    pub(crate) sha256: String,
}

/// The digest of a pack.
#[must_use]
pub fn digest(pack: &[u8]) -> String {
    hex(&Sha256::digest(pack))
}

/// What `sign` made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The file's text.
    pub file: String,
    /// The certificate's own claims: unverified here.
    pub claims: Claims,
    /// The publisher's name without marks.
    pub name: String,
    /// Whether the certificate names the key.
    pub named: bool,
    /// The digest of the pack.
    pub sha256: String,
}

/// Signs a pack.
pub fn sign(
    pack: &[u8],
    certificate: &str,
    key: &PublisherKey,
    now: OffsetDateTime,
) -> Result<Signed, Mistake> {
    let (name, tree) = unpack(pack)?;
    let skill = only(check(&name, &tree))?;
    let certificate = certificate.trim();
    let claims = jws::peek(certificate).ok_or_else(|| {
        Mistake::new("the certificate is not a birth certificate")
            .help("save the field `certificate` of GET /beak/certificate")
    })?;
    if let Some(publisher) = skill.publisher.filter(|id| *id != claims.duckling_id) {
        let message = format!("the skill names {publisher} as its publisher");
        return Err(Mistake::new(message).help(format!("you are {}", claims.duckling_id)));
    }
    let sha256 = digest(pack);
    let statement = Statement {
        iss: claims.issuer.clone(),
        sub: claims.duckling_id.to_string(),
        cert_id: claims.cert_id.to_string(),
        iat: now.unix_timestamp(),
        skill: skill.name,
        version: skill.version,
        sha256: sha256.clone(),
    };
    let public = key.public();
    let unwritten = |error: &dyn std::fmt::Display| Mistake::new(error.to_string());
    let input = jws::input(&statement, TYPE, &public.kid).map_err(|error| unwritten(&error))?;
    let signature = key.sign(input.as_bytes());
    let file = File {
        galaxy_skill_signature: VERSION,
        certificate: certificate.to_owned(),
        key: URL_SAFE_NO_PAD.encode(public.bytes),
        signature: jws::sealed(input, &signature),
    };
    let text = serde_json::to_string_pretty(&file).map_err(|error| unwritten(&error))?;
    let (name, named) = (key::without_marks(&claims.name), key::names(&claims.name, &public));
    Ok(Signed { file: text + "\n", claims, name, named, sha256 })
}
