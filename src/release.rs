//! The record of what is installed, and of what was: it is what a roll-back goes by. Pure.
//!
//! It lies in the artifact bucket beside what it names, so that any machine can go back: the
//! function's zip under `lambda/`, the API's template and the pages under `blobs/`, each named by
//! its content and so never changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::failure::Failure;
use crate::ports::Object;
use crate::render::hex;

/// Where the record of what is installed is kept.
pub const CURRENT_KEY: &str = "releases/current.json";

/// Where a roll-back that is going on says where it goes.
pub const INTENT_KEY: &str = "intent/rollback";

/// Where all records are kept.
pub const PREFIX: &str = "releases/";

/// What is installed, as it is written down in the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this record.
    pub version: u32,
    /// Its name: the program's version and what tells it from others of that version.
    pub id: String,
    /// The how manyth release of this galaxy it is, from 1.
    pub number: u64,
    /// The version of the program that made it.
    pub release: String,
    /// SHA-256 of the function's zip.
    pub code: String,
    /// The zip's architecture, as Lambda spells it.
    pub architecture: String,
    /// The number of the function's version.
    pub function_version: String,
    /// The API's template: SHA-256 of its text.
    pub template: String,
    /// The digest that the template tells as an output.
    pub template_digest: String,
    /// Site → its files.
    pub sites: BTreeMap<String, SiteRecord>,
}

/// The files of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteRecord {
    /// The digest of the files with their headers.
    pub digest: String,
    /// Path → the file.
    pub files: BTreeMap<String, FileRecord>,
}

/// A file of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// SHA-256 of its content.
    pub sha256: String,
    /// `Content-Type`.
    pub content_type: String,
    /// `Cache-Control`.
    pub cache_control: String,
}

impl Manifest {
    /// Reads a record; one that can't be read counts as none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|manifest: &Self| manifest.version == 2)
    }

    /// Where this release stays on record when another one has come.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{PREFIX}{}.json", self.id)
    }

    /// The record as an object.
    pub fn to_object(&self, key: &str) -> Result<Object, Failure> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| {
            Failure::bug("the release can't be written down").cause(error.to_string())
        })?;
        Ok(Object {
            key: key.to_owned(),
            bytes,
            content_type: "application/json".into(),
            cache_control: "no-store".into(),
        })
    }
}

/// The name of a release: the same parts give the same name.
#[must_use]
pub fn id(release: &str, code: &str, template: &str, sites: &BTreeMap<String, String>) -> String {
    let mut hash = Sha256::new();
    let digests = sites.iter().flat_map(|(site, digest)| [site.as_str(), digest.as_str()]);
    for part in [code, template].into_iter().chain(digests) {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    format!("{release}-{}", &hex(&hash.finalize())[..8])
}

/// What an object is, without its content.
#[must_use]
pub fn file(object: &Object) -> FileRecord {
    FileRecord {
        sha256: hex(&Sha256::digest(&object.bytes)),
        content_type: object.content_type.clone(),
        cache_control: object.cache_control.clone(),
    }
}

/// Where a content is kept.
#[must_use]
pub fn blob_key(sha256: &str) -> String {
    format!("blobs/{sha256}")
}

/// A content as it is kept.
#[must_use]
pub fn blob(bytes: Vec<u8>) -> Object {
    Object {
        key: blob_key(&hex(&Sha256::digest(&bytes))),
        bytes,
        content_type: "application/octet-stream".into(),
        cache_control: "no-store".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let file = FileRecord {
            sha256: "f".into(),
            content_type: "text/html".into(),
            cache_control: "no-cache".into(),
        };
        let files = [("index.html".to_owned(), file)].into();
        Manifest {
            version: 2,
            id: "1-abc".into(),
            number: 1,
            release: "1".into(),
            code: "c".into(),
            architecture: "arm64".into(),
            function_version: "1".into(),
            template: "t".into(),
            template_digest: "d".into(),
            sites: [("duckgalaxy".to_owned(), SiteRecord { digest: "d".into(), files })].into(),
        }
    }

    #[test]
    fn a_record_reads_back_and_an_unknown_one_counts_as_none() {
        let object = manifest().to_object(CURRENT_KEY).expect("object");
        assert_eq!(Manifest::parse(&object.bytes), Some(manifest()));
        let later = Manifest { version: 3, ..manifest() };
        assert_eq!(Manifest::parse(&later.to_object("k").expect("object").bytes), None);
        assert_eq!(Manifest::parse(b"{"), None);
        assert_eq!(manifest().key(), "releases/1-abc.json");
    }

    #[test]
    fn whatever_differs_gives_another_name() {
        let sites = |digest: &str| [("duckgalaxy".to_owned(), digest.to_owned())].into();
        let one = id("1", "code", "template", &sites("pages"));
        assert_eq!(one, id("1", "code", "template", &sites("pages")));
        for other in [
            id("1", "other", "template", &sites("pages")),
            id("1", "code", "other", &sites("pages")),
            id("1", "code", "template", &sites("other")),
            id("2", "code", "template", &sites("pages")),
        ] {
            assert_ne!(one, other);
        }
    }
}
