//! The record of the installed release, read without expecting it to be whole.

use std::fmt;

use super::{CURRENT_KEY, Manifest, PREFIX, Pointer, key};
use crate::failure::Failure;
use crate::model::Place;
use crate::ports::Assets;

/// The record as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The installed release. Where the record does not say which, the latest one with the live
    /// function's code.
    pub manifest: Option<Manifest>,
    /// What is wrong with the record.
    pub trouble: Option<Trouble>,
}

impl Record {
    /// A record with nothing wrong.
    #[must_use]
    pub fn whole(manifest: Manifest) -> Self {
        Self { manifest: Some(manifest), trouble: None }
    }
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no artifact bucket.
    NoBucket,
    /// Nothing says which release is installed.
    NoPointer,
    /// What says so can't be read.
    Garbled(String),
    /// The release that it names is not on record, or its record can't be read.
    NoManifest(String),
}

impl Trouble {
    /// The object that is at fault, by its key; nothing where it is the bucket.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        match self {
            Self::NoBucket => None,
            Self::NoPointer | Self::Garbled(_) => Some(CURRENT_KEY.to_owned()),
            Self::NoManifest(id) => Some(key(id)),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBucket => f.write_str("there is no artifact bucket"),
            Self::NoPointer => f.write_str("nothing says which release is installed"),
            Self::Garbled(why) => write!(f, "it can't be read: {why}"),
            Self::NoManifest(id) => write!(f, "the record of {id} is missing or can't be read"),
        }
    }
}

/// Reads which release an artifact bucket says is installed. `live` is the SHA-256 of the code
/// that callers get, where that is known.
pub async fn look(
    assets: &dyn Assets,
    bucket: &str,
    live: Option<&str>,
) -> Result<Record, Failure> {
    if !assets.has_bucket(Place::Home, bucket).await? {
        return Ok(Record { manifest: None, trouble: Some(Trouble::NoBucket) });
    }
    let bytes = assets.read(Place::Home, bucket, CURRENT_KEY).await?;
    let trouble = match bytes.as_deref().map(|bytes| (Pointer::parse(bytes), bytes)) {
        None => Trouble::NoPointer,
        Some((Some(pointer), _)) => {
            let bytes = assets.read(Place::Home, bucket, &key(&pointer.id)).await?;
            match bytes.as_deref().and_then(Manifest::parse) {
                Some(found) => {
                    let Pointer { unsettled, history, .. } = pointer;
                    return Ok(Record::whole(Manifest { unsettled, history, ..found }));
                }
                None => Trouble::NoManifest(pointer.id),
            }
        }
        Some((None, bytes)) => match Manifest::parse(bytes) {
            Some(found) => return Ok(Record::whole(found)),
            None => Trouble::Garbled(why(bytes)),
        },
    };
    // A release that is named and not on record is not to be taken for an earlier one.
    let manifest = match (&trouble, live) {
        (Trouble::NoPointer | Trouble::Garbled(_), Some(live)) => {
            best(assets, bucket, live).await?
        }
        _ => None,
    };
    Ok(Record { manifest, trouble: Some(trouble) })
}

/// Why a pointer can't be read.
fn why(bytes: &[u8]) -> String {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Err(error) => error.to_string(),
        Ok(value) => match serde_json::from_value::<Pointer>(value) {
            Err(error) => error.to_string(),
            Ok(pointer) => format!("version {} is newer than this program", pointer.version),
        },
    }
}

/// The latest release on record that has the live code.
async fn best(assets: &dyn Assets, bucket: &str, live: &str) -> Result<Option<Manifest>, Failure> {
    let mut known = Vec::new();
    for name in assets.keys(Place::Home, bucket).await? {
        if name.starts_with(PREFIX) && name != CURRENT_KEY {
            let bytes = assets.read(Place::Home, bucket, &name).await?;
            known.extend(bytes.as_deref().and_then(Manifest::parse));
        }
    }
    known.retain(|manifest: &Manifest| manifest.code == live);
    Ok(known.into_iter().max_by_key(|manifest| manifest.number))
}
