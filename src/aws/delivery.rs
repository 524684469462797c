//! What `CloudFront` gives out: its distributions, and what it keeps of them.
//!
//! Files are put in place and the edge forgets the old ones; why no pointer is moved is said in
//! `docs/adr/0012-pages-in-place.md`.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_cloudfront::types::{InvalidationBatch, Paths};

use super::error::translate;
use crate::failure::Failure;
use crate::ports::{Delivery, Turn};

/// The SDK's client.
pub(super) struct Distributions(aws_sdk_cloudfront::Client);

impl Distributions {
    pub(super) fn new(edge: &SdkConfig) -> Self {
        Self(aws_sdk_cloudfront::Client::new(edge))
    }
}

#[async_trait]
impl Delivery for Distributions {
    async fn deployed(&self, distribution: &str) -> Result<bool, Failure> {
        let answer = self.0.get_distribution().id(distribution).send().await;
        let answer = answer.map_err(|error| {
            translate(&format!("looking at the distribution {distribution}"), None, &error)
        })?;
        // Source: `GetDistribution`, Amazon CloudFront API Reference: `InProgress` or `Deployed`.
        Ok(answer.distribution().is_some_and(|found| found.status() == "Deployed"))
    }

    async fn turn(&self, distribution: &str, turn: &Turn) -> Result<(), Failure> {
        if turn.paths.is_empty() {
            return Ok(());
        }
        let doing = format!("clearing the caches of {distribution}");
        let count = i32::try_from(turn.paths.len()).unwrap_or(i32::MAX);
        let paths = Paths::builder().quantity(count).set_items(Some(turn.paths.clone())).build();
        let batch = paths.and_then(|paths| {
            InvalidationBatch::builder().caller_reference(&turn.reference).paths(paths).build()
        });
        let batch = batch.map_err(|e| Failure::bug(doing.clone()).cause(e.to_string()))?;
        self.0
            .create_invalidation()
            .distribution_id(distribution)
            .invalidation_batch(batch)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| translate(&doing, None, &error))
    }
}
