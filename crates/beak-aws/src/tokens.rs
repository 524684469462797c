//! What Cognito's tokens say, and the hash that proves our app client.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use beak_core::sealed::HomeSecret;
use beak_core::{BeakError, Result};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;

/// The claims of an access token that matter here.
#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    /// The account.
    pub(crate) sub: String,
    /// The user's name in the pool.
    pub(crate) username: String,
    /// The groups.
    #[serde(default, rename = "cognito:groups")]
    pub(crate) groups: Vec<String>,
}

impl Claims {
    /// Reads a token WITHOUT checking its signature: only for tokens that Cognito has just
    /// accepted or just made.
    pub(crate) fn unverified(token: &str) -> Option<Self> {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        serde_json::from_slice(&payload).ok()
    }

    /// Whether it is a token of a member of this group.
    pub(crate) fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|member_of| member_of == group)
    }
}

/// `SECRET_HASH`: base64 of HMAC-SHA-256 over user name and client id, with the client's secret.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html>
pub(crate) fn secret_hash(secret: &HomeSecret, username: &str, client: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose())
        .map_err(|error| BeakError::Internal(error.to_string()))?;
    mac.update(username.as_bytes());
    mac.update(client.as_bytes());
    Ok(STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_who_it_is_for() {
        let json = r#"{"sub":"s","username":"u","cognito:groups":["operators"],"exp":1}"#;
        let text = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(json));
        let claims = Claims::unverified(&text).expect("claims");
        assert_eq!((claims.sub.as_str(), claims.username.as_str()), ("s", "u"));
        assert!(claims.is_in("operators") && !claims.is_in("operator"));
        assert!(Claims::unverified("no token").is_none());
    }

    #[test]
    fn the_hash_is_hmac_sha_256() {
        // printf 'useclient' | openssl dgst -sha256 -hmac secret -binary | base64
        let hash = secret_hash(&HomeSecret::new(b"secret".to_vec()), "use", "client");
        assert_eq!(hash.as_deref(), Ok("OfLP8H+G8nvoHb+oZf+VF5s4a7AQcHD7FjwsSupzpuE="));
    }
}
