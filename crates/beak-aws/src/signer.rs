//! The certificate key in KMS. The private half never leaves it.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_wire::{Call, Client, KMS};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use beak_api::jws::Signer;
use beak_core::{BeakError, Result};
use serde::Deserialize;
use serde_json::json;

use crate::failure::failed;
use crate::patience;

pub(crate) struct KmsSigner {
    client: Client,
    key: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Answer {
    public_key: String,
    signature: String,
}

/// Bytes that KMS sent; what is no base64 has the wrong length afterwards.
fn bytes(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap_or_default()
}

impl KmsSigner {
    pub(crate) fn new(config: &SdkConfig, key: String) -> Self {
        Self { client: Client::new(&KMS, &patience::kms(config)), key }
    }

    async fn fetch(&self) -> Result<[u8; 32]> {
        let asked = Call::json("GetPublicKey", json!({"KeyId": self.key}));
        let answer = self.client.ask::<Answer>(asked).await;
        let answer = answer.map_err(|error| failed("reading the certificate key", &error))?;
        let der = bytes(&answer.public_key);
        // A SubjectPublicKeyInfo of Ed25519 is twelve fixed bytes and the key: RFC 8410 section 4.
        let key = der.strip_prefix(&ED25519_SPKI).and_then(|key| key.try_into().ok());
        key.ok_or_else(|| BeakError::Internal("the certificate key is not Ed25519".into()))
    }
}

const ED25519_SPKI: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

#[async_trait]
impl Signer for KmsSigner {
    async fn public_key(&self) -> Result<[u8; 32]> {
        self.fetch().await
    }

    async fn sign(&self, bytes: &[u8]) -> Result<[u8; 64]> {
        let asked = json!({
            "KeyId": self.key,
            "Message": STANDARD.encode(bytes),
            "MessageType": "RAW",
            "SigningAlgorithm": "ED25519_SHA_512",
        });
        let answer = self.client.ask::<Answer>(Call::json("Sign", asked)).await;
        let answer = answer.map_err(|error| failed("signing a certificate", &error))?;
        let signature = self::bytes(&answer.signature);
        signature
            .try_into()
            .map_err(|_| BeakError::Internal("KMS gave a signature of another length".into()))
    }
}
