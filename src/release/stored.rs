//! The objects of a release in the artifact bucket, verified by their digests.
//!
//! Packs, templates and the function's zip are named by the SHA-256 of their content, or their
//! manifest has it. Anyone who can write into the bucket can also change an object under its name.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::{FileRecord, Manifest, blob_key};
use crate::failure::{Failure, Kind};
use crate::model::Place;
use crate::ports::Assets;
use crate::render::hex;

/// An object that is not as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Its key in the artifact bucket.
    pub key: String,
    /// Whether it is there, with another content.
    pub is_there: bool,
}

impl Damage {
    /// What is wrong with it.
    #[must_use]
    pub fn text(&self, bucket: &str) -> String {
        let is = if self.is_there { "has another content than was stored" } else { "is missing" };
        format!("`{bucket}/{}` {is}", self.key)
    }

    /// Why a release can't be put back.
    #[must_use]
    pub fn to_failure(&self, id: &str, bucket: &str) -> Failure {
        Failure::new(Kind::Refused, format!("release `{id}` is incomplete; nothing was changed"))
            .cause(self.text(bucket))
            .help(
                "`spaceduck rollback --list` shows the complete releases; `spaceduck install` \
                 installs this program's",
            )
    }
}

/// Whether a content is the one with this digest.
#[must_use]
pub fn is_intact(bytes: &[u8], sha256: &str) -> bool {
    hex(&Sha256::digest(bytes)) == sha256
}

/// The objects of a release with their SHA-256; of its pages only what `files` are made of.
fn objects<'a>(
    manifest: &Manifest,
    files: impl Iterator<Item = &'a FileRecord>,
) -> BTreeMap<String, String> {
    let one = |file: &FileRecord| {
        let key = manifest.keeper(&file.sha256);
        let digest = key.rsplit('/').next().unwrap_or_default().to_owned();
        (key, digest)
    };
    files.map(one).collect()
}

/// What of a release is missing or damaged: code, template and pages, by one request each.
pub async fn damage(
    assets: &dyn Assets,
    bucket: &str,
    manifest: &Manifest,
) -> Result<Vec<Damage>, Failure> {
    let files = manifest.sites.values().flat_map(|site| site.files.values());
    let mut wanted = objects(manifest, files);
    wanted.insert(manifest.code_key(), manifest.code.clone());
    wanted.insert(blob_key(&manifest.template), manifest.template.clone());
    compare(assets, bucket, &wanted).await
}

/// The same for what these files are made of.
pub async fn damage_of<'a>(
    assets: &dyn Assets,
    bucket: &str,
    manifest: &Manifest,
    files: impl Iterator<Item = &'a FileRecord>,
) -> Result<Vec<Damage>, Failure> {
    compare(assets, bucket, &objects(manifest, files)).await
}

async fn compare(
    assets: &dyn Assets,
    bucket: &str,
    wanted: &BTreeMap<String, String>,
) -> Result<Vec<Damage>, Failure> {
    let mut damaged = Vec::new();
    for (key, sha256) in wanted {
        let Some(seen) = assets.look(Place::Home, bucket, key).await? else {
            damaged.push(Damage { key: key.clone(), is_there: false });
            continue;
        };
        // S3 keeps the digest of what we store. An object without one is not ours: read it.
        let intact = if let Some(theirs) = seen.sha256 {
            theirs == *sha256
        } else {
            let bytes = assets.read(Place::Home, bucket, key).await?;
            bytes.is_some_and(|bytes| is_intact(&bytes, sha256))
        };
        if !intact {
            damaged.push(Damage { key: key.clone(), is_there: true });
        }
    }
    Ok(damaged)
}

/// An object that is named by its digest, or what is wrong with it.
pub async fn read_verified(
    assets: &dyn Assets,
    bucket: &str,
    key: &str,
    sha256: &str,
) -> Result<Result<Vec<u8>, Damage>, Failure> {
    let bytes = assets.read(Place::Home, bucket, key).await?;
    let damage = |is_there| Damage { key: key.to_owned(), is_there };
    Ok(match bytes {
        None => Err(damage(false)),
        Some(bytes) if !is_intact(&bytes, sha256) => Err(damage(true)),
        Some(bytes) => Ok(bytes),
    })
}
