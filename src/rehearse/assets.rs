//! Buckets of the account in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::sim::Sim;
use super::{Account, refuse};
use crate::failure::Failure;
use crate::model::Place;
use crate::ports::{Assets, Delivery, Listed, Object, ObjectSeen, Tagged, Turn};
use crate::render::hex;

impl Account {
    /// An empty bucket that no stack made.
    pub fn hold_bucket(&self, place: Place, bucket: &str) {
        self.state().buckets.entry((place, bucket.to_owned())).or_default();
    }
}

#[async_trait]
impl Assets for Account {
    async fn has_bucket(&self, place: Place, bucket: &str) -> Result<bool, Failure> {
        self.may("Assets::has_bucket")?;
        self.hear()?;
        Ok(self.state().buckets.contains_key(&(place, bucket.to_owned())))
    }

    async fn has(&self, place: Place, bucket: &str, key: &str) -> Result<bool, Failure> {
        self.may("Assets::has")?;
        self.hear()?;
        Ok(Assets::read(self, place, bucket, key).await?.is_some())
    }

    async fn read(
        &self,
        place: Place,
        bucket: &str,
        key: &str,
    ) -> Result<Option<Vec<u8>>, Failure> {
        self.may("Assets::read")?;
        self.hear()?;
        let state = self.state();
        let objects = state.buckets.get(&(place, bucket.to_owned()));
        Ok(objects.and_then(|objects| objects.get(key)).map(|object| object.bytes.to_vec()))
    }

    async fn look(
        &self,
        place: Place,
        bucket: &str,
        key: &str,
    ) -> Result<Option<ObjectSeen>, Failure> {
        self.may("Assets::look")?;
        self.hear()?;
        let state = self.state();
        let objects = state.buckets.get(&(place, bucket.to_owned()));
        Ok(objects.and_then(|objects| objects.get(key)).map(|object| ObjectSeen {
            sha256: Some(hex(&Sha256::digest(&object.bytes))),
            content_type: object.content_type.clone(),
            cache_control: object.cache_control.clone(),
            others: state
                .headers
                .get(&(bucket.to_owned(), key.to_owned()))
                .cloned()
                .unwrap_or_default(),
        }))
    }

    async fn write(&self, place: Place, bucket: &str, object: &Object) -> Result<(), Failure> {
        self.may("Assets::write")?;
        let now = super::services::DAY + self.now().as_secs();
        self.effect(format!("write {bucket}/{}", object.key), |state| {
            state.written.insert((bucket.to_owned(), object.key.clone()), now);
            state.headers.remove(&(bucket.to_owned(), object.key.clone()));
            let objects = state.buckets.get_mut(&(place, bucket.to_owned()));
            let objects = objects.ok_or_else(|| refuse(format!("there is no bucket {bucket}")))?;
            objects.insert(object.key.clone(), object.clone());
            Ok(())
        })
    }

    async fn read_tagged(
        &self,
        place: Place,
        bucket: &str,
        key: &str,
    ) -> Result<Option<Tagged>, Failure> {
        self.may("Assets::read_tagged")?;
        self.hear()?;
        let state = self.state();
        let objects = state.buckets.get(&(place, bucket.to_owned()));
        Ok(objects.and_then(|objects| objects.get(key)).map(|object| Tagged {
            bytes: object.bytes.to_vec(),
            etag: hex(&Md5::digest(&object.bytes)),
        }))
    }

    async fn replace(
        &self,
        place: Place,
        bucket: &str,
        object: &Object,
        seen: Option<&str>,
    ) -> Result<Option<String>, Failure> {
        self.may("Assets::replace")?;
        self.effect(format!("write {bucket}/{}", object.key), |state| {
            let objects = state.buckets.get_mut(&(place, bucket.to_owned()));
            let objects = objects.ok_or_else(|| refuse(format!("there is no bucket {bucket}")))?;
            let etag = objects.get(&object.key).map(|there| hex(&Md5::digest(&there.bytes)));
            let ours = hex(&Md5::digest(&object.bytes));
            if etag.as_deref() != seen && etag.as_ref() != Some(&ours) {
                return Ok(None);
            }
            objects.insert(object.key.clone(), object.clone());
            Ok(Some(ours))
        })
    }

    async fn keys(&self, place: Place, bucket: &str) -> Result<Vec<String>, Failure> {
        self.may("Assets::keys")?;
        self.hear()?;
        let state = self.state();
        let objects = state.buckets.get(&(place, bucket.to_owned()));
        Ok(objects.map(|objects| objects.keys().cloned().collect()).unwrap_or_default())
    }

    async fn listing(
        &self,
        place: Place,
        bucket: &str,
    ) -> Result<Option<BTreeMap<String, Listed>>, Failure> {
        self.may("Assets::listing")?;
        self.hear()?;
        let state = self.state();
        let Some(objects) = state.buckets.get(&(place, bucket.to_owned())) else { return Ok(None) };
        let one = |(key, object): (&String, &Object)| {
            let written = state.written.get(&(bucket.to_owned(), key.clone()));
            let modified = written.and_then(|at| i64::try_from(*at).ok()).unwrap_or_default();
            (key.clone(), Listed { md5: hex(&Md5::digest(&object.bytes)), modified })
        };
        Ok(Some(objects.iter().map(one).collect()))
    }

    async fn list(&self, place: Place, bucket: &str) -> Result<BTreeMap<String, String>, Failure> {
        self.may("Assets::list")?;
        self.hear()?;
        let state = self.state();
        let objects = state.buckets.get(&(place, bucket.to_owned()));
        let one =
            |(key, object): (&String, &Object)| (key.clone(), hex(&Md5::digest(&object.bytes)));
        Ok(objects.into_iter().flatten().map(one).collect())
    }

    async fn remove(&self, place: Place, bucket: &str, keys: &[String]) -> Result<(), Failure> {
        self.may("Assets::remove")?;
        self.effect(format!("remove {} of {bucket}", keys.len()), |state| {
            if let Some(objects) = state.buckets.get_mut(&(place, bucket.to_owned())) {
                objects.retain(|key, _| !keys.contains(key));
            }
            Ok(())
        })
    }

    async fn remove_bucket(&self, place: Place, bucket: &str) -> Result<(), Failure> {
        self.may("Assets::remove_bucket")?;
        self.effect(format!("remove {bucket}"), |state| {
            state.buckets.remove(&(place, bucket.to_owned()));
            Ok(())
        })
    }
}

#[async_trait]
impl Delivery for Account {
    async fn deployed(&self, distribution: &str) -> Result<bool, Failure> {
        self.may("Delivery::deployed")?;
        self.hear()?;
        let state = self.state();
        let now = self.time(&state);
        let is_it =
            |stack: &&Sim| stack.outputs.get("DistributionId").is_some_and(|id| id == distribution);
        Ok(state.stacks.iter().find(is_it).is_some_and(|stack| stack.answers(now)))
    }

    async fn turn(&self, distribution: &str, turn: &Turn) -> Result<(), Failure> {
        self.may("Delivery::turn")?;
        self.effect(format!("turn {distribution}, forget {}", turn.paths.join(" ")), |_| Ok(()))
    }
}
