//! Buckets of the account in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::sim::Sim;
use super::{Account, refuse};
use crate::failure::Failure;
use crate::model::Place;
use crate::ports::{Assets, Delivery, Object, ObjectSeen, Turn};
use crate::render::hex;

#[async_trait]
impl Assets for Account {
    async fn has_bucket(&self, place: Place, bucket: &str) -> Result<bool, Failure> {
        self.hear()?;
        Ok(self.state().buckets.contains_key(&(place, bucket.to_owned())))
    }

    async fn has(&self, place: Place, bucket: &str, key: &str) -> Result<bool, Failure> {
        self.hear()?;
        Ok(Assets::read(self, place, bucket, key).await?.is_some())
    }

    async fn read(
        &self,
        place: Place,
        bucket: &str,
        key: &str,
    ) -> Result<Option<Vec<u8>>, Failure> {
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
        self.hear()?;
        let state = self.state();
        let objects = state.buckets.get(&(place, bucket.to_owned()));
        Ok(objects.and_then(|objects| objects.get(key)).map(|object| ObjectSeen {
            sha256: Some(hex(&Sha256::digest(&object.bytes))),
            content_type: object.content_type.clone(),
            cache_control: object.cache_control.clone(),
        }))
    }

    async fn write(&self, place: Place, bucket: &str, object: &Object) -> Result<(), Failure> {
        self.effect(format!("write {bucket}/{}", object.key), |state| {
            let objects = state.buckets.get_mut(&(place, bucket.to_owned()));
            let objects = objects.ok_or_else(|| refuse(format!("there is no bucket {bucket}")))?;
            objects.insert(object.key.clone(), object.clone());
            Ok(())
        })
    }

    async fn keys(&self, place: Place, bucket: &str) -> Result<Vec<String>, Failure> {
        self.hear()?;
        let state = self.state();
        let objects = state.buckets.get(&(place, bucket.to_owned()));
        Ok(objects.map(|objects| objects.keys().cloned().collect()).unwrap_or_default())
    }

    async fn list(&self, place: Place, bucket: &str) -> Result<BTreeMap<String, String>, Failure> {
        self.hear()?;
        let state = self.state();
        let objects = state.buckets.get(&(place, bucket.to_owned()));
        let one =
            |(key, object): (&String, &Object)| (key.clone(), hex(&Md5::digest(&object.bytes)));
        Ok(objects.into_iter().flatten().map(one).collect())
    }

    async fn remove(&self, place: Place, bucket: &str, keys: &[String]) -> Result<(), Failure> {
        self.effect(format!("remove {} of {bucket}", keys.len()), |state| {
            if let Some(objects) = state.buckets.get_mut(&(place, bucket.to_owned())) {
                objects.retain(|key, _| !keys.contains(key));
            }
            Ok(())
        })
    }

    async fn remove_bucket(&self, place: Place, bucket: &str) -> Result<(), Failure> {
        self.effect(format!("remove {bucket}"), |state| {
            state.buckets.remove(&(place, bucket.to_owned()));
            Ok(())
        })
    }
}

#[async_trait]
impl Delivery for Account {
    async fn deployed(&self, distribution: &str) -> Result<bool, Failure> {
        self.hear()?;
        let state = self.state();
        let now = self.time(&state);
        let is_it =
            |stack: &&Sim| stack.outputs.get("DistributionId").is_some_and(|id| id == distribution);
        Ok(state.stacks.iter().find(is_it).is_some_and(|stack| stack.answers(now)))
    }

    async fn turn(&self, distribution: &str, turn: &Turn) -> Result<(), Failure> {
        self.effect(format!("turn {distribution}, forget {}", turn.paths.join(" ")), |_| Ok(()))
    }
}
