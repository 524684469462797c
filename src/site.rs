//! A site's files as objects, and the record of what is installed. Pure.

use std::collections::BTreeMap;

use galaxy_sites::{Site, SiteConfig};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::ports::Object;

/// Where the record of what is installed is kept in the artifact bucket.
pub const MANIFEST_KEY: &str = "releases/current.json";

/// The one file that knows addresses; it is written when all of them are known.
pub const CONFIG_KEY: &str = "config.json";

/// What is installed, as it is written down in the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this record.
    pub version: u32,
    /// The release.
    pub release: String,
    /// SHA-256 of the function's zip.
    pub code: String,
    /// Site → digest of its files with their headers.
    pub sites: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a record; one that can't be read counts as none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|manifest: &Self| manifest.version == 1)
    }

    /// The record as an object.
    pub fn to_object(&self) -> Result<Object, Failure> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| {
            Failure::bug("the release can't be written down").cause(error.to_string())
        })?;
        Ok(Object {
            key: MANIFEST_KEY.into(),
            bytes,
            content_type: "application/json".into(),
            cache_control: "no-store".into(),
        })
    }
}

/// The files of a site, pages last, so that a page never comes before what it needs.
pub fn objects(site: Site, config: &SiteConfig) -> Result<Vec<Object>, Failure> {
    let files = files(site, config)?;
    let mut objects: Vec<Object> = files
        .into_iter()
        .map(|file| Object {
            key: file.path,
            bytes: file.bytes.into_owned(),
            content_type: file.content_type.into(),
            cache_control: file.cache_control.into(),
        })
        .collect();
    let is_page = |key: &str| std::path::Path::new(key).extension().is_some_and(|e| e == "html");
    objects.sort_by_key(|object| is_page(&object.key));
    Ok(objects)
}

/// The digest of a site's files with their headers.
pub fn digest(site: Site, config: &SiteConfig) -> Result<String, Failure> {
    Ok(galaxy_sites::digest(&files(site, config)?))
}

fn files(site: Site, config: &SiteConfig) -> Result<Vec<galaxy_sites::SiteFile>, Failure> {
    galaxy_sites::files(site, config).map_err(|error| {
        Failure::bug(format!("the pages of {} can't be made", site.name())).cause(error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    #[test]
    fn a_manifest_reads_back_and_an_unknown_one_counts_as_none() {
        let manifest = Manifest {
            version: 1,
            release: "1".into(),
            code: "c".into(),
            sites: [("duckgalaxy".to_owned(), "d".to_owned())].into(),
        };
        let object = manifest.to_object().expect("object");
        assert_eq!(Manifest::parse(&object.bytes), Some(manifest.clone()));
        let later = Manifest { version: 2, ..manifest };
        assert_eq!(Manifest::parse(&later.to_object().expect("object").bytes), None);
        assert_eq!(Manifest::parse(b"{"), None);
    }
}
