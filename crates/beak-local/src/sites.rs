//! The five sites as this process serves them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use beak_api::captcha::TEST_SITE_KEY;
use beak_core::GALAXY_VERSION;
use beak_core::person::hex;
use galaxy_sites::{Content, Meant, Site, SiteConfig, SiteError, SiteFile};
use sha2::{Digest as _, Sha256};

use crate::server::{only_read, reads};

struct Served {
    file: SiteFile,
    etag: String,
}

/// All sites, each with its files by path.
type Shelf = BTreeMap<&'static str, BTreeMap<String, Served>>;

/// What is served, which may be exchanged at any time.
pub(crate) struct Sites {
    config: SiteConfig,
    shelf: RwLock<Arc<Shelf>>,
    headers: Vec<(&'static str, String)>,
}

impl Sites {
    /// The sites of a galaxy that listens on this port.
    pub(crate) fn new(port: u16, content: &Content) -> Result<Self, SiteError> {
        let address = |site: Site| format!("http://{}.localhost:{port}", site.name());
        let config = SiteConfig {
            galaxy: "spaceduck".into(),
            version: GALAXY_VERSION.into(),
            api_base: format!("http://localhost:{port}"),
            turnstile_site_key: Some(TEST_SITE_KEY.into()),
            sites: Site::ALL.into_iter().map(|s| (s.name().to_owned(), address(s))).collect(),
            outbox: Some(format!("http://localhost:{port}/outbox")),
        };
        let shelf = RwLock::new(Arc::new(shelf(content, &config)?));
        let headers = galaxy_sites::headers(&config.api_base);
        Ok(Self { config, shelf, headers })
    }

    /// Serves these files from now on.
    pub(crate) fn show(&self, content: &Content) -> Result<(), SiteError> {
        let new = Arc::new(shelf(content, &self.config)?);
        *self.shelf.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Answers for a site; `None` if there is no site of that name.
    pub(crate) fn answer(
        &self,
        site: &str,
        method: &Method,
        target: &str,
        headers: &HeaderMap,
    ) -> Option<Response> {
        let all = Arc::clone(&self.shelf.read().unwrap_or_else(PoisonError::into_inner));
        let files = all.get(site)?;
        if !reads(method) {
            return Some(only_read());
        }
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, format!("?{query}")),
            None => (target, String::new()),
        };
        let file = match galaxy_sites::meant(path) {
            Meant::File(file) => file,
            Meant::Folder(address) => return Some(self.moved(&format!("{address}{query}"))),
        };
        let (status, served) = match files.get(&file) {
            Some(served) => (StatusCode::OK, served),
            None => match files.get("404.html") {
                Some(served) => (StatusCode::NOT_FOUND, served),
                None => return Some(StatusCode::NOT_FOUND.into_response()),
            },
        };
        let mut response = if beak_api::is_known(headers, &served.etag) && status == StatusCode::OK
        {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            (status, Body::from(served.file.bytes.clone())).into_response()
        };
        self.dress(&mut response, served);
        Some(response)
    }

    /// Sends a browser to the address that it meant.
    fn moved(&self, address: &str) -> Response {
        let to = [(header::LOCATION, address), (header::CACHE_CONTROL, "no-cache")];
        let mut response = (StatusCode::MOVED_PERMANENTLY, to).into_response();
        self.protect(&mut response);
        response
    }

    fn dress(&self, response: &mut Response, served: &Served) {
        let headers = response.headers_mut();
        let (file, etag) = (&served.file, &served.etag);
        for (name, value) in [
            ("content-type", &*file.content_type),
            ("cache-control", file.cache_control),
            ("etag", etag),
        ] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        self.protect(response);
    }

    /// Adds the security headers that every page gets.
    pub(crate) fn protect(&self, response: &mut Response) {
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(*name, value);
            }
        }
    }
}

fn shelf(content: &Content, config: &SiteConfig) -> Result<Shelf, SiteError> {
    let serve = |file: SiteFile| {
        let etag = format!("\"{}\"", &hex(&Sha256::digest(&file.bytes))[..32]);
        (file.path.clone(), Served { file, etag })
    };
    let mut shelf = BTreeMap::new();
    for site in Site::ALL {
        let files = content.files(site, config)?;
        shelf.insert(site.name(), files.into_iter().map(serve).collect());
    }
    Ok(shelf)
}
