//! A site's files as objects. Pure.

use std::sync::Arc;

use galaxy_sites::{Site, SiteConfig};
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;
use crate::ports::Object;
use crate::render::hex;

/// Where the files of this program's release come from.
pub type Files = Arc<dyn Fn(Site, &SiteConfig) -> Result<Vec<Object>, Failure> + Send + Sync>;

/// The files that this program carries, pages last, so that a page never comes before what it
/// needs.
pub fn objects(site: Site, config: &SiteConfig) -> Result<Vec<Object>, Failure> {
    let files = galaxy_sites::files(site, config).map_err(|error| {
        Failure::bug(format!("the pages of {} can't be made", site.name())).cause(error.to_string())
    })?;
    let mut objects: Vec<Object> = files
        .into_iter()
        .map(|file| Object {
            key: file.path,
            bytes: file.bytes.into_owned(),
            content_type: file.content_type.into(),
            cache_control: file.cache_control.into(),
        })
        .collect();
    objects.sort_by_key(|object| is_page(&object.key));
    Ok(objects)
}

/// Whether a file is a page.
#[must_use]
pub fn is_page(key: &str) -> bool {
    std::path::Path::new(key).extension().is_some_and(|ending| ending == "html")
}

/// One number for what a site says and how: SHA-256 over paths, headers and content.
#[must_use]
pub fn digest(objects: &[Object]) -> String {
    let mut sorted: Vec<&Object> = objects.iter().collect();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    let mut sha = Sha256::new();
    for object in sorted {
        for part in [&object.key, &object.content_type, &object.cache_control] {
            sha.update(part.as_bytes());
            sha.update([0]);
        }
        sha.update(Sha256::digest(&object.bytes));
    }
    hex(&sha.finalize())
}
