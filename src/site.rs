//! A site's files as objects. Pure, but for [`own`], which reads a folder.

use std::sync::Arc;

use galaxy_sites::{Content, Site, SiteConfig};
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;
use crate::ports::Object;
use crate::render::hex;

pub mod own;

/// Where the files of this program's release come from.
pub type Files = Arc<dyn Fn(Site, &SiteConfig) -> Result<Vec<Object>, Failure> + Send + Sync>;

/// The files that this program carries, pages last, so that a page never comes before what it
/// needs.
pub fn objects(site: Site, config: &SiteConfig) -> Result<Vec<Object>, Failure> {
    objects_of(&Content::built_in(), site, config)
}

/// The files of a content, pages last.
pub fn objects_of(
    content: &Content,
    site: Site,
    config: &SiteConfig,
) -> Result<Vec<Object>, Failure> {
    let files = content.files(site, config).map_err(|error| {
        Failure::bug(format!("the pages of {} can't be made", site.name())).cause(error.to_string())
    })?;
    let mut objects: Vec<Object> = files
        .into_iter()
        .map(|file| Object {
            key: file.path,
            bytes: file.bytes,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_sees_content_and_headers_and_no_order() {
        let config = SiteConfig::default();
        let files = objects(Site::DuckControl, &config).expect("files");
        let same = digest(&files);
        assert_eq!(digest(&objects(Site::DuckControl, &config).expect("files")), same);
        let mut turned = files.clone();
        turned.reverse();
        assert_eq!(digest(&turned), same);
        for change in [
            |object: &mut Object| object.cache_control = "no-store".into(),
            |object: &mut Object| object.content_type = "text/plain".into(),
            |object: &mut Object| object.bytes = [&object.bytes, &b"x"[..]].concat().into(),
            |object: &mut Object| object.key.push('x'),
        ] {
            let mut changed = files.clone();
            change(&mut changed[1]);
            assert_ne!(digest(&changed), same);
        }
        assert_ne!(digest(&files[1..]), same);
    }
}
