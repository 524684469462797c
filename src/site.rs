//! A site's files as objects. Pure.

use galaxy_sites::{Site, SiteConfig};

use crate::failure::Failure;
use crate::ports::Object;

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
