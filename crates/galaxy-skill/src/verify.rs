//! Whether a pack is what a duckling of a galaxy has published.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use beak_api::jws;
use beak_core::OffsetDateTime;
use beak_core::certificate::Claims;
use beak_core::id::DucklingId;
use beak_core::ports::PublicKey;
use serde::Deserialize;

use crate::check::only;
use crate::key;
use crate::mistake::Mistake;
use crate::signature::{File, SIGNATURE_LIMIT, Statement, TYPE, VERSION, digest};
use crate::{Skill, check, unpack};

/// The keys of a galaxy, from its `jwks.json` (RFC 7517, RFC 8037). Keys of other kinds are
/// skipped.
pub fn keys(json: &str) -> Result<Vec<PublicKey>, Mistake> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    #[derive(Deserialize)]
    struct Jwk {
        kty: String,
        crv: String,
        x: String,
        kid: String,
    }
    let unreadable = |why: &str| {
        Mistake::new(format!("the galaxy's keys can't be read: {why}"))
            .help("save what GET /beak/jwks.json of the galaxy answers")
    };
    let set: Set = serde_json::from_str(json).map_err(|error| unreadable(&error.to_string()))?;
    let ours = |jwk: Jwk| {
        let x = URL_SAFE_NO_PAD.decode(&jwk.x).ok()?;
        let bytes = x.try_into().ok()?;
        let fits = jwk.kty == "OKP" && jwk.crv == "Ed25519";
        fits.then_some(PublicKey { kid: jwk.kid, bytes })
    };
    let keys: Vec<_> = set
        .keys
        .into_iter()
        .filter_map(|value| serde_json::from_value(value).ok())
        .filter_map(ours)
        .collect();
    if keys.is_empty() { Err(unreadable("there is no Ed25519 key")) } else { Ok(keys) }
}

/// The addresses that a galaxy's `jwks.json` lists as its own: after a move, former ones too.
#[must_use]
pub fn issuers(json: &str) -> Vec<String> {
    #[derive(Deserialize)]
    struct Set {
        #[serde(default)]
        issuers: Vec<String>,
    }
    serde_json::from_str::<Set>(json).map(|set| set.issuers).unwrap_or_default()
}

/// Which key to trust.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The keys of the galaxy.
    pub keys: Vec<PublicKey>,
    /// The galaxy's address, if it is known: the `iss` of its certificates.
    pub issuer: Option<String>,
    /// The addresses that the galaxy lists as its own. If `issuer` is among them, all count.
    pub issuers: Vec<String>,
    /// Who must have published it, if that is known.
    pub publisher: Option<DucklingId>,
    /// The mark of the publisher's key, if it is known from elsewhere.
    pub key: Option<String>,
}

impl Trust {
    /// Whether the galaxy at this address issued a certificate, now or before it moved.
    fn is_own(&self, issuer: &str, claims: &Claims) -> bool {
        let lists = |name: &str| self.issuers.iter().any(|known| known == name);
        claims.issuer == issuer || lists(issuer) && lists(&claims.issuer)
    }
}

/// What was found to be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The skill.
    pub skill: Skill,
    /// The digest of its pack.
    pub sha256: String,
    /// The publisher's certificate, whose signature is the galaxy's.
    pub claims: Claims,
    /// The certificate, as in the file.
    pub certificate: String,
    /// The publisher's name without marks.
    pub name: String,
    /// The mark of the publisher's key.
    pub key: String,
    /// Whether the certificate names the key; else only [`Trust::key`] did.
    pub named: bool,
    /// When the publisher says it was signed.
    pub signed_at: Option<OffsetDateTime>,
}

/// Judges a pack and the file beside it.
pub fn verify(pack: &[u8], signature: &str, trust: &Trust) -> Result<Verified, Mistake> {
    let (name, tree) = unpack(pack)?;
    let file = read(signature)?;
    let claims = certificate(&file.certificate, trust)?;
    let (statement, public) = statement(&file)?;
    let sha256 = digest(pack);
    agree(&statement, &claims, &sha256)?;
    let (key, named) = (key::mark(&public), key::names(&claims.name, &public));
    bound(&claims, &key, named, trust)?;
    // Unsigned bytes are not even parsed.
    let skill = only(check(&name, &tree))?;
    if statement.skill != skill.name || statement.version != skill.version {
        return Err(of_another("skill or version"));
    }
    if let Some(named) = skill.publisher.as_ref().filter(|id| **id != claims.duckling_id) {
        let message = format!("it is signed by {}, and names {named}", claims.duckling_id);
        return Err(Mistake::new(message).help("don't use it"));
    }
    Ok(Verified {
        skill,
        sha256,
        name: key::without_marks(&claims.name),
        claims,
        certificate: file.certificate,
        key,
        named,
        signed_at: OffsetDateTime::from_unix_timestamp(statement.iat).ok(),
    })
}

fn read(signature: &str) -> Result<File, Mistake> {
    let unreadable = |why: String| {
        Mistake::new(format!("the signature can't be read: {why}"))
            .help("name the file that `spaceduck skill sign` has written")
    };
    if signature.len() as u64 > SIGNATURE_LIMIT {
        return Err(unreadable(format!("it has more than {SIGNATURE_LIMIT} bytes")));
    }
    let file: File =
        serde_json::from_str(signature).map_err(|error| unreadable(error.to_string()))?;
    if file.galaxy_skill_signature != VERSION {
        return Err(unreadable(format!("it has the version {}", file.galaxy_skill_signature)));
    }
    Ok(file)
}

fn certificate(compact: &str, trust: &Trust) -> Result<Claims, Mistake> {
    let Some(said) = jws::peek(compact) else {
        let message = "the publisher's certificate is not a birth certificate";
        return Err(Mistake::new(message).help("don't use it"));
    };
    let Some(claims) = jws::read(compact, &trust.keys) else {
        let galaxy = trust.issuer.as_deref().unwrap_or("whose keys were given");
        let message = format!("the publisher's certificate is not one of the galaxy {galaxy}");
        let help = format!("it says that it comes from {}; don't believe that either", said.issuer);
        return Err(Mistake::new(message).help(help));
    };
    if let Some(issuer) = trust.issuer.as_deref().filter(|issuer| !trust.is_own(issuer, &claims)) {
        let message =
            format!("the publisher's certificate is of the galaxy {}, not {issuer}", claims.issuer);
        return Err(Mistake::new(message).help("ask for the keys of the galaxy that you mean"));
    }
    if let Some(wanted) = trust.publisher.as_ref().filter(|id| **id != claims.duckling_id) {
        let message = format!("it is published by {}, not by {wanted}", claims.duckling_id);
        return Err(Mistake::new(message).help("don't use it"));
    }
    Ok(claims)
}

/// The statement, if the key beside it has signed it.
fn statement(file: &File) -> Result<(Statement, PublicKey), Mistake> {
    let forged = || {
        let message = "the signature is forged: the key beside it has not made it";
        Mistake::new(message).help("don't use it")
    };
    let bytes = URL_SAFE_NO_PAD.decode(&file.key).ok().and_then(|bytes| bytes.try_into().ok());
    let public = key::public(bytes.ok_or_else(forged)?);
    let keys = [public];
    let statement = jws::open(&file.signature, TYPE, &keys).ok_or_else(forged)?;
    let [public] = keys;
    Ok((statement, public))
}

fn of_another(what: &str) -> Mistake {
    Mistake::new(format!("the signature is of another {what}")).help("don't use it")
}

/// The statement is about this pack and this certificate.
fn agree(said: &Statement, claims: &Claims, sha256: &str) -> Result<(), Mistake> {
    if said.iss != claims.issuer {
        return Err(of_another("galaxy"));
    }
    if said.sub != claims.duckling_id.as_str() || said.cert_id != claims.cert_id.as_str() {
        return Err(of_another("certificate"));
    }
    if said.sha256 != sha256 {
        let message = "the skill is not the one that was signed: its bytes are others";
        return Err(Mistake::new(message).help("get it again, or don't use it"));
    }
    Ok(())
}

/// The key has to be bound to the duckling: by its certificate, or by the caller.
fn bound(claims: &Claims, key: &str, named: bool, trust: &Trust) -> Result<(), Mistake> {
    if let Some(wanted) = trust.key.as_deref().filter(|wanted| *wanted != key) {
        let message = format!("it is signed with {key}, not with {wanted}");
        return Err(Mistake::new(message).help("don't use it"));
    }
    if named || trust.key.is_some() {
        return Ok(());
    }
    let id = &claims.duckling_id;
    let message = format!("nothing says that the key of this signature is {id}'s");
    let help = "anybody could have put that certificate beside it: ask the publisher, by a way \
                that you trust, for the mark of the key, and give it with --publisher-key";
    Err(Mistake::new(message).help(help))
}

#[cfg(test)]
mod tests;
