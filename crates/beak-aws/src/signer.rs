//! The certificate key in KMS. The private half never leaves it.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{MessageType, SigningAlgorithmSpec};
use beak_api::jws::Signer;
use beak_core::{BeakError, Result};

use crate::failure::failed;
use crate::patience;

pub(crate) struct KmsSigner {
    client: Client,
    key: String,
}

impl KmsSigner {
    pub(crate) fn new(config: &SdkConfig, key: String) -> Self {
        Self { client: Client::from_conf(patience::kms(config)), key }
    }

    async fn fetch(&self) -> Result<[u8; 32]> {
        let answer = self.client.get_public_key().key_id(&self.key).send().await;
        let answer = answer.map_err(|error| failed("reading the certificate key", &error))?;
        let der = answer.public_key().map(Blob::as_ref).unwrap_or_default();
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
        let answer = self
            .client
            .sign()
            .key_id(&self.key)
            .message(Blob::new(bytes))
            .message_type(MessageType::Raw)
            .signing_algorithm(SigningAlgorithmSpec::Ed25519Sha512)
            .send()
            .await
            .map_err(|error| failed("signing a certificate", &error))?;
        let signature = answer.signature().map(Blob::as_ref).unwrap_or_default();
        signature
            .try_into()
            .map_err(|_| BeakError::Internal("KMS gave a signature of another length".into()))
    }
}
