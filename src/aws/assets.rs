//! Objects in S3.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, Delete, ObjectIdentifier};
use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::error::{code, translate};
use crate::failure::{Failure, Kind};
use crate::model::Place;
use crate::ports::{Assets, Listed, Object, ObjectSeen, Tagged};

/// `DeleteObjects` takes this many keys. Source: Amazon S3 API Reference.
const DELETE_BATCH: usize = 1000;

/// How often a bucket is emptied before it counts as one that another program fills.
const EMPTYINGS: usize = 5;

/// The SDK's clients.
pub(super) struct Buckets {
    home: aws_sdk_s3::Client,
    edge: aws_sdk_s3::Client,
}

impl Buckets {
    pub(super) fn new(home: &SdkConfig, edge: &SdkConfig) -> Self {
        Self { home: aws_sdk_s3::Client::new(home), edge: aws_sdk_s3::Client::new(edge) }
    }

    fn at(&self, place: Place) -> &aws_sdk_s3::Client {
        match place {
            Place::Home => &self.home,
            Place::Edge => &self.edge,
        }
    }

    fn put(&self, place: Place, bucket: &str, object: &Object) -> PutObjectFluentBuilder {
        let digest =
            base64::engine::general_purpose::STANDARD.encode(Sha256::digest(&object.bytes));
        self.at(place)
            .put_object()
            .bucket(bucket)
            .key(&object.key)
            .content_type(&object.content_type)
            .cache_control(&object.cache_control)
            // S3 checks the digest, so a damaged upload is refused.
            .checksum_sha256(digest)
            .body(ByteStream::from(object.bytes.clone()))
    }

    /// Removes objects or versions of them, a thousand at a time.
    async fn delete_all(
        &self,
        place: Place,
        bucket: &str,
        objects: Vec<ObjectIdentifier>,
    ) -> Result<(), Failure> {
        let doing = format!("emptying the bucket `{bucket}`");
        for batch in objects.chunks(DELETE_BATCH) {
            let delete = Delete::builder()
                .set_objects(Some(batch.to_vec()))
                .quiet(true)
                .build()
                .map_err(|error| Failure::bug(doing.clone()).cause(error.to_string()))?;
            let answer = self
                .at(place)
                .delete_objects()
                .bucket(bucket)
                .delete(delete)
                .send()
                .await
                .map_err(|error| translate(&doing, None, &error))?;
            if let Some(error) = answer.errors().first() {
                let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
                let cause = format!("{}: {}", text(error.key()), text(error.message()));
                return Err(Failure::new(Kind::Settled, format!("{doing}: S3 kept an object"))
                    .cause(cause)
                    .help("fix the problem and run the command again"));
            }
        }
        Ok(())
    }

    /// All versions and deletion markers of a bucket; nothing where there is no bucket.
    async fn versions(
        &self,
        place: Place,
        bucket: &str,
    ) -> Result<Option<Vec<ObjectIdentifier>>, Failure> {
        let doing = format!("listing the bucket `{bucket}`");
        let mut found = Vec::new();
        let (mut key, mut version) = (None, None);
        loop {
            let answer = self
                .at(place)
                .list_object_versions()
                .bucket(bucket)
                .set_key_marker(key)
                .set_version_id_marker(version)
                .send()
                .await;
            let page = match answer {
                Ok(page) => page,
                Err(error) if code(&error) == Some("NoSuchBucket") => return Ok(None),
                Err(error) => return Err(translate(&doing, None, &error)),
            };
            let versions = page.versions().iter().map(|v| (v.key(), v.version_id()));
            let markers = page.delete_markers().iter().map(|m| (m.key(), m.version_id()));
            for (key, version) in versions.chain(markers) {
                let object = ObjectIdentifier::builder()
                    .key(key.unwrap_or_default())
                    .set_version_id(version.map(str::to_owned))
                    .build()
                    .map_err(|error| Failure::bug(doing.clone()).cause(error.to_string()))?;
                found.push(object);
            }
            if page.is_truncated() != Some(true) {
                return Ok(Some(found));
            }
            key = page.next_key_marker().map(str::to_owned);
            version = page.next_version_id_marker().map(str::to_owned);
        }
    }
}

/// The headers that spaceduck never sets.
fn others(found: &HeadObjectOutput) -> BTreeMap<String, String> {
    let named = [
        ("Content-Encoding", found.content_encoding()),
        ("Content-Disposition", found.content_disposition()),
        ("Content-Language", found.content_language()),
        ("Expires", found.expires_string()),
        ("x-amz-website-redirect-location", found.website_redirect_location()),
    ];
    let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let metadata = found.metadata().into_iter().flatten();
    let metadata = metadata.map(|(name, value)| (format!("x-amz-meta-{name}"), value.as_str()));
    // With a flexible checksum the SDK itself sends `aws-chunked`, which S3 drops from what it
    // keeps; other services that speak S3 keep it. Source: "Signature calculations for the
    // authorization header: transferring a payload in multiple chunks", Amazon S3 API Reference.
    let sent = |name: &str, value: &str| name == "Content-Encoding" && value == "aws-chunked";
    named
        .chain(metadata)
        .filter(|(name, value)| !value.is_empty() && !sent(name, value))
        .map(|(name, value)| (name, value.to_owned()))
        .collect()
}

#[async_trait]
impl Assets for Buckets {
    async fn has_bucket(&self, place: Place, bucket: &str) -> Result<bool, Failure> {
        match self.at(place).head_bucket().bucket(bucket).send().await {
            Ok(_) => Ok(true),
            // HEAD has no body and so no message; S3 answers 404 with this code.
            Err(error) if matches!(code(&error), Some("NotFound" | "NoSuchBucket")) => Ok(false),
            Err(error) => Err(translate(&format!("looking at `{bucket}`"), None, &error)),
        }
    }

    async fn has(&self, place: Place, bucket: &str, key: &str) -> Result<bool, Failure> {
        match self.at(place).head_object().bucket(bucket).key(key).send().await {
            Ok(_) => Ok(true),
            Err(error)
                if matches!(code(&error), Some("NotFound" | "NoSuchKey" | "NoSuchBucket")) =>
            {
                Ok(false)
            }
            Err(error) => Err(translate(&format!("looking at `{bucket}/{key}`"), None, &error)),
        }
    }

    async fn read(
        &self,
        place: Place,
        bucket: &str,
        key: &str,
    ) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.read_tagged(place, bucket, key).await?.map(|tagged| tagged.bytes))
    }

    async fn read_tagged(
        &self,
        place: Place,
        bucket: &str,
        key: &str,
    ) -> Result<Option<Tagged>, Failure> {
        let doing = format!("reading `{bucket}/{key}`");
        let answer = self.at(place).get_object().bucket(bucket).key(key).send().await;
        match answer {
            Ok(object) => {
                let etag = object.e_tag().unwrap_or_default().to_owned();
                let bytes = object.body.collect().await.map_err(|error| {
                    Failure::new(Kind::Settled, format!("{doing}: the transfer broke off"))
                        .cause(error.to_string())
                        .help("run the same command again")
                })?;
                Ok(Some(Tagged { bytes: bytes.to_vec(), etag }))
            }
            Err(error) if matches!(code(&error), Some("NoSuchKey" | "NoSuchBucket")) => Ok(None),
            Err(error) => Err(translate(&doing, None, &error)),
        }
    }

    async fn replace(
        &self,
        place: Place,
        bucket: &str,
        object: &Object,
        seen: Option<&str>,
    ) -> Result<Option<String>, Failure> {
        let put = self.put(place, bucket, object);
        let put = match seen {
            Some(etag) => put.if_match(etag),
            None => put.if_none_match("*"),
        };
        match put.send().await {
            Ok(stored) => Ok(Some(stored.e_tag().unwrap_or_default().to_owned())),
            // Source: "How to prevent object overwrites with conditional writes", Amazon S3 User
            // Guide. The same content is ours: the response to an earlier attempt was lost.
            Err(error)
                if matches!(
                    code(&error),
                    Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey")
                ) =>
            {
                let there = self.read_tagged(place, bucket, &object.key).await?;
                Ok(there.filter(|there| there.bytes == object.bytes).map(|there| there.etag))
            }
            Err(error) => {
                Err(translate(&format!("storing `{bucket}/{}`", object.key), None, &error))
            }
        }
    }

    async fn look(
        &self,
        place: Place,
        bucket: &str,
        key: &str,
    ) -> Result<Option<ObjectSeen>, Failure> {
        let answer = self
            .at(place)
            .head_object()
            .bucket(bucket)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        match answer {
            Ok(found) => Ok(Some(ObjectSeen {
                sha256: found.checksum_sha256().map(super::hex_of_base64),
                content_type: found.content_type().unwrap_or_default().to_owned(),
                cache_control: found.cache_control().unwrap_or_default().to_owned(),
                others: others(&found),
            })),
            Err(error)
                if matches!(code(&error), Some("NotFound" | "NoSuchKey" | "NoSuchBucket")) =>
            {
                Ok(None)
            }
            Err(error) => Err(translate(&format!("looking at `{bucket}/{key}`"), None, &error)),
        }
    }

    async fn write(&self, place: Place, bucket: &str, object: &Object) -> Result<(), Failure> {
        self.put(place, bucket, object)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| translate(&format!("storing `{bucket}/{}`", object.key), None, &error))
    }

    async fn keys(&self, place: Place, bucket: &str) -> Result<Vec<String>, Failure> {
        Ok(self.list(place, bucket).await?.into_keys().collect())
    }

    async fn list(&self, place: Place, bucket: &str) -> Result<BTreeMap<String, String>, Failure> {
        let found = self.listing(place, bucket).await?.unwrap_or_default();
        Ok(found.into_iter().map(|(key, listed)| (key, listed.md5)).collect())
    }

    async fn listing(
        &self,
        place: Place,
        bucket: &str,
    ) -> Result<Option<BTreeMap<String, Listed>>, Failure> {
        let mut found = BTreeMap::new();
        let mut pages = self.at(place).list_objects_v2().bucket(bucket).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) if code(&error) == Some("NoSuchBucket") => return Ok(None),
                Err(error) => {
                    let doing = format!("listing the bucket `{bucket}`");
                    return Err(translate(&doing, None, &error));
                }
            };
            // The entity tag of what came in one piece, as ours does, is its MD5, in quotation
            // marks. Source: "Object", Amazon S3 API Reference.
            let one = |object: &aws_sdk_s3::types::Object| {
                let md5 = object.e_tag().unwrap_or_default().trim_matches('"').to_owned();
                let modified =
                    object.last_modified().map_or(0, aws_sdk_s3::primitives::DateTime::secs);
                Some((object.key()?.to_owned(), Listed { md5, modified }))
            };
            found.extend(page.contents().iter().filter_map(one));
        }
        Ok(Some(found))
    }

    async fn remove(&self, place: Place, bucket: &str, keys: &[String]) -> Result<(), Failure> {
        let identify = |key: &String| {
            ObjectIdentifier::builder()
                .key(key)
                .build()
                .map_err(|error| Failure::bug("naming an object").cause(error.to_string()))
        };
        let objects = keys.iter().map(identify).collect::<Result<Vec<_>, _>>()?;
        self.delete_all(place, bucket, objects).await
    }

    async fn remove_bucket(&self, place: Place, bucket: &str) -> Result<(), Failure> {
        let doing = format!("removing the bucket `{bucket}`");
        // An upload or a log that was on its way arrives between emptying and removing.
        for _ in 0..EMPTYINGS {
            let Some(versions) = self.versions(place, bucket).await? else { return Ok(()) };
            self.delete_all(place, bucket, versions).await?;
            match self.at(place).delete_bucket().bucket(bucket).send().await {
                Ok(_) => return Ok(()),
                Err(error) if code(&error) == Some("NoSuchBucket") => return Ok(()),
                Err(error) if code(&error) == Some("BucketNotEmpty") => {}
                Err(error) => return Err(translate(&doing, None, &error)),
            }
        }
        let message = format!("the bucket `{bucket}` keeps filling, so it can't be removed");
        Err(Failure::new(Kind::Settled, message)
            .cause(format!("it was emptied {EMPTYINGS} times, and each time an object came after"))
            .help("stop the program that writes to it, and run the same command again"))
    }
}
