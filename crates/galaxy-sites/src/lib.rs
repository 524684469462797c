//! The five sites: their files, what a browser may cache and where each one points.
//!
//! Pages are made by `galaxy-pages` when this crate is built, of `sites/` and `pages/` at the root
//! of the project, and are embedded in whatever program uses it. Local galaxy and installer take
//! the same files with the same headers from here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

mod content;

pub use content::{Content, Mistake, OwnFile};

/// One of the five sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Site {
    /// The open-source project.
    MightySpaceDuck,
    /// The brand's home, for developers.
    DuckGalaxy,
    /// Mission Control, for operators.
    DuckControl,
    /// People: hatch, verify, certificate.
    SpaceDuckling,
    /// Agents: pecks, bonds, keys.
    SpaceDuckBot,
}

impl Site {
    /// All five.
    pub const ALL: [Self; 5] = [
        Self::MightySpaceDuck,
        Self::DuckGalaxy,
        Self::DuckControl,
        Self::SpaceDuckling,
        Self::SpaceDuckBot,
    ];

    /// The name in folders, buckets and host names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MightySpaceDuck => "mightyspaceduck",
            Self::DuckGalaxy => "duckgalaxy",
            Self::DuckControl => "duckcontrol",
            Self::SpaceDuckling => "spaceduckling",
            Self::SpaceDuckBot => "spaceduck-bot",
        }
    }

    /// The site of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|site| site.name() == name)
    }

    /// Its purpose, in one phrase.
    #[must_use]
    pub fn role(self) -> &'static str {
        match self {
            Self::MightySpaceDuck => "the open-source project",
            Self::DuckGalaxy => "home of the galaxy, for developers",
            Self::DuckControl => "Mission Control, for operators",
            Self::SpaceDuckling => "people: hatch and certificate",
            Self::SpaceDuckBot => "agents: pecks and bonds",
        }
    }
}

/// What every page reads at run time, as `/config.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteConfig {
    /// The galaxy's name.
    pub galaxy: String,
    /// The version of the galaxy that is spoken here.
    pub version: String,
    /// Where the API is, without a slash at the end.
    pub api_base: String,
    /// Turnstile's public key; without one hatching is closed.
    pub turnstile_site_key: Option<String>,
    /// Site → its address, without a slash at the end.
    pub sites: BTreeMap<String, String>,
    /// Where mails can be read that never leave the machine.
    pub outbox: Option<String>,
}

/// A file as a browser gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteFile {
    /// Path below the site's root, without a slash in front.
    pub path: String,
    /// Content.
    pub bytes: Bytes,
    /// `Content-Type`.
    pub content_type: Cow<'static, str>,
    /// `Cache-Control`.
    pub cache_control: &'static str,
}

/// A file that can't be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SiteError {
    /// Its ending is not in the table of content types.
    UnknownType(String),
    /// The configuration can't be written as JSON.
    Config(String),
}

impl fmt::Display for SiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType(path) => write!(f, "`{path}` has no known content type"),
            Self::Config(reason) => write!(f, "the site's configuration: {reason}"),
        }
    }
}

impl std::error::Error for SiteError {}

/// Every file of every site, as `SITE/path` or `shared/path`, and whether its path contains its
/// digest.
static FILES: &[(&str, &[u8], bool)] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Placeholder for a site's address.
const ADDRESS_MARK: (&str, &str) = ("%address-of-", "%");

/// The page about the five sites; apart from `config.json` the only file with addresses.
const HUB: &str = "sites/index.html";

/// Files with addresses: what robots, feed readers and agents look for.
const TELLING: [&str; 9] = [
    "config.json",
    HUB,
    "robots.txt",
    "sitemap.xml",
    "blog/feed.xml",
    "llms.txt",
    "llms-full.txt",
    ".well-known/security.txt",
    CATALOG,
];

/// The list of the galaxy's APIs, whose name RFC 9727 gives, without an ending.
const CATALOG: &str = ".well-known/api-catalog";

/// Whether a file of a site has addresses in it. Such a file differs from galaxy to galaxy, and can
/// be made only when all five sites have theirs.
#[must_use]
pub fn tells_addresses(path: &str) -> bool {
    TELLING.contains(&path)
}

/// The published name of a file in the checkout: `shared/style.css` gets a name with its digest.
#[must_use]
pub fn named(plain: &str) -> String {
    let is_it = |path: &&str| galaxy_pages::assets::plain(path).as_deref() == Some(plain);
    let found = FILES.iter().map(|(path, ..)| *path).find(is_it);
    found.unwrap_or(plain).to_owned()
}

/// The folder whose files need no ending, at the root of a site.
/// Source: RFC 8615, "Well-Known Uniform Resource Identifiers".
pub const WELL_KNOWN: &str = ".well-known";

/// What a browser means by a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// A file, as it is called below the site's root.
    File(String),
    /// A folder without its slash: the address with it. Relative links on its page count from
    /// there, so a browser has to go there.
    Folder(String),
}

/// What a browser means by a path. The template of the sites says the same to `CloudFront`.
#[must_use]
pub fn meant(path: &str) -> Meant {
    let path = path.strip_prefix('/').unwrap_or(path);
    let (folders, last) = path.rsplit_once('/').unwrap_or(("", path));
    let well_known = folders.split('/').next() == Some(WELL_KNOWN);
    match () {
        () if last.is_empty() => Meant::File(format!("{path}index.html")),
        () if last.contains('.') || well_known => Meant::File(path.to_owned()),
        // `//name/` would be the address of another host.
        () => Meant::Folder(format!("/{}/", path.trim_start_matches(['/', '\\']))),
    }
}

/// The file that a browser gets in the end for a path.
#[must_use]
pub fn file_of(path: &str) -> String {
    match meant(path) {
        Meant::File(file) => file,
        Meant::Folder(address) => format!("{}index.html", address.trim_start_matches('/')),
    }
}

/// Pages and addresses are always revalidated; files named by their digest never change; the rest
/// may be five minutes old.
const FRESH: &str = "no-cache";
const SHORT: &str = "public, max-age=300";
const LASTING: &str = "public, max-age=31536000, immutable";

/// All files of a site, sorted by path: its own, the shared ones and its `config.json`.
pub fn files(site: Site, config: &SiteConfig) -> Result<Vec<SiteFile>, SiteError> {
    Content::built_in().files(site, config)
}

/// Puts the galaxy's addresses in the place of their marks, in one pass: some of these files have
/// megabytes. Whatever else has a mark's sign stays as it is.
fn with_addresses(page: &[u8], config: &SiteConfig) -> Bytes {
    let mut told = Vec::with_capacity(page.len() + page.len() / 8);
    let mut rest = page;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let (before, marked) = rest.split_at(at);
        told.extend_from_slice(before);
        let name = name_in(marked);
        let address = name.and_then(|name| address(name, config));
        let (meant, length) = match (name, address) {
            (Some(name), Some(address)) => {
                (address.as_bytes(), ADDRESS_MARK.0.len() + name.len() + ADDRESS_MARK.1.len())
            }
            _ => (&marked[..1], 1),
        };
        told.extend_from_slice(meant);
        rest = &marked[length..];
    }
    told.extend_from_slice(rest);
    told.into()
}

/// The name in a mark, if the text starts with one.
fn name_in(text: &[u8]) -> Option<&str> {
    let name = text.strip_prefix(ADDRESS_MARK.0.as_bytes())?;
    let end = name.iter().position(|byte| *byte == b'%')?;
    std::str::from_utf8(&name[..end]).ok()
}

/// The address that a mark means: the API's or a site's.
fn address<'a>(name: &str, config: &'a SiteConfig) -> Option<&'a str> {
    if name == "api" {
        return Some(&config.api_base);
    }
    Site::parse(name).map(|site| config.sites.get(site.name()).map_or("", String::as_str))
}

fn site_file(path: String, bytes: Bytes, lasts: bool) -> Result<SiteFile, SiteError> {
    let content_type = content_type(&path, &bytes)?;
    let fresh = content_type.starts_with("text/html") || path == "config.json";
    let cache_control = match () {
        () if fresh => FRESH,
        () if lasts => LASTING,
        () => SHORT,
    };
    Ok(SiteFile { path, bytes, content_type, cache_control })
}

/// The type of a file by its ending. The library knows a thousand; ours come first where browsers
/// have moved on since. A file without an ending is JSON or text, by what is in it.
fn content_type(path: &str, bytes: &[u8]) -> Result<Cow<'static, str>, SiteError> {
    if path.ends_with(CATALOG) {
        return Ok("application/linkset+json".into());
    }
    if path.ends_with("feed.xml") {
        return Ok("application/atom+xml; charset=utf-8".into());
    }
    let unknown = || SiteError::UnknownType(path.to_owned());
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some((_, ending)) = name.rsplit_once('.') else {
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
        return match std::str::from_utf8(bytes) {
            Ok(_) if is_json => Ok("application/json".into()),
            Ok(_) => Ok("text/plain; charset=utf-8".into()),
            Err(_) => Err(unknown()),
        };
    };
    let ending = ending.to_ascii_lowercase();
    let known = match ending.as_str() {
        "js" | "mjs" => "text/javascript",
        // It says its encoding itself.
        "xml" => "application/xml",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "avif" => "image/avif",
        "webmanifest" => "application/manifest+json",
        other => mime_guess::from_ext(other).first_raw().ok_or_else(unknown)?,
    };
    Ok(if known.starts_with("text/") || known == "image/svg+xml" {
        format!("{known}; charset=utf-8").into()
    } else {
        known.into()
    })
}

/// The security headers of every answer. `connect_src` is where scripts may send requests apart
/// from the site itself. The template of the sites sets the same in `CloudFront`.
#[must_use]
pub fn headers(connect_src: &str) -> Vec<(&'static str, String)> {
    let csp = format!(
        "default-src 'self'; script-src 'self' https://challenges.cloudflare.com; \
         frame-src https://challenges.cloudflare.com; connect-src 'self' {connect_src}; \
         img-src 'self' data:; style-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'; object-src 'none'"
    );
    vec![
        ("content-security-policy", csp),
        ("x-content-type-options", "nosniff".into()),
        ("x-frame-options", "DENY".into()),
        ("referrer-policy", "strict-origin-when-cross-origin".into()),
        ("permissions-policy", "camera=(), microphone=(), geolocation=()".into()),
        ("cross-origin-opener-policy", "same-origin".into()),
    ]
}

#[cfg(test)]
mod tests;
