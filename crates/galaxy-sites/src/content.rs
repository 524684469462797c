//! The files of all sites: as this program carries them, or with files of whoever hosts the galaxy
//! added to them or in the place of ours.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use galaxy_pages::{Kit, OWN, Text, assets};

use crate::{
    FILES, Site, SiteConfig, SiteError, SiteFile, site_file, tells_addresses, with_addresses,
};

/// Everything that our sites are made of.
static KIT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kit.json"));

/// A file of whoever hosts the galaxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFile {
    /// `SITE/path`.
    pub path: String,
    /// Content.
    pub bytes: Bytes,
}

/// What is wrong with such a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// `SITE/path`.
    pub path: String,
    /// One sentence.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

#[derive(Clone, Debug)]
struct Entry {
    path: Cow<'static, str>,
    bytes: Bytes,
    /// Whether its path tells its content.
    lasts: bool,
}

/// The files of all five sites.
#[derive(Clone, Debug)]
pub struct Content(Vec<Entry>);

impl Content {
    /// As this program carries them.
    #[must_use]
    pub fn built_in() -> Self {
        let entry = |(path, bytes, lasts): &(&'static str, &'static [u8], bool)| Entry {
            path: Cow::Borrowed(*path),
            bytes: Bytes::from_static(bytes),
            lasts: *lasts,
        };
        Self(FILES.iter().map(entry).collect())
    }

    /// With files of somebody's own: Markdown becomes pages like ours, in navigation and search;
    /// everything else is published as it is. A file at a path of ours takes its place.
    pub fn with_own(own: Vec<OwnFile>) -> Result<Self, Vec<Mistake>> {
        let is_markdown = |file: &OwnFile| {
            std::path::Path::new(&file.path).extension().is_some_and(|ending| ending == "md")
        };
        let (markdown, others): (Vec<_>, Vec<_>) = own.into_iter().partition(is_markdown);
        let mut mistakes: Vec<Mistake> = others.iter().filter_map(reserved).collect();
        let mut content =
            if markdown.is_empty() { Self::built_in() } else { made_anew(markdown, &mut mistakes) };
        content.lay_over(others, &mut mistakes);
        if mistakes.is_empty() { Ok(content) } else { Err(mistakes) }
    }

    /// Puts files of somebody's own in the place of ours, or beside them.
    fn lay_over(&mut self, own: Vec<OwnFile>, mistakes: &mut Vec<Mistake>) {
        let plain = |entry: &Entry| Some((assets::plain(&entry.path)?, entry.path.to_string()));
        let mut named: BTreeMap<String, String> = self.0.iter().filter_map(plain).collect();
        // The index has one name for all of its files.
        let index = named.iter().find_map(|(plain, path)| {
            let name = plain.strip_prefix("shared/search/")?;
            Some(path.trim_end_matches(name).to_owned())
        });
        named.extend(index.map(|index| ("shared/search/".to_owned(), index)));
        let mut by_path: BTreeMap<String, usize> = BTreeMap::new();
        for (at, entry) in self.0.iter().enumerate() {
            by_path.insert(entry.path.to_string(), at);
        }
        for file in own {
            if crate::content_type(&file.path).is_err() {
                let ending = file.path.rsplit('.').next().unwrap_or_default();
                let message =
                    format!("its ending, `{ending}`, has no content type that browsers know");
                mistakes.push(Mistake { path: file.path, message });
                continue;
            }
            let rewritten = match assets::rewritten(&file.path, &file.bytes, &named) {
                Cow::Owned(bytes) => Some(bytes),
                Cow::Borrowed(_) => None,
            };
            let bytes = rewritten.map_or(file.bytes, Bytes::from);
            match by_path.get(&file.path) {
                Some(at) => self.0[*at].bytes = bytes,
                None => self.0.push(Entry { path: Cow::Owned(file.path), bytes, lasts: false }),
            }
        }
    }

    /// All files of a site, sorted by path: its own, the shared ones and its `config.json`.
    pub fn files(&self, site: Site, config: &SiteConfig) -> Result<Vec<SiteFile>, SiteError> {
        let own = format!("{}/", site.name());
        let mut files = Vec::new();
        for Entry { path, bytes, lasts } in &self.0 {
            let place = match path.strip_prefix(&own) {
                Some(rest) => rest,
                None if path.starts_with("shared/") => path,
                None => continue,
            };
            let bytes =
                if tells_addresses(place) { with_addresses(bytes, config) } else { bytes.clone() };
            files.push(site_file(place.to_owned(), bytes, *lasts)?);
        }
        let mut json = serde_json::to_vec_pretty(config)
            .map_err(|error| SiteError::Config(error.to_string()))?;
        json.push(b'\n');
        files.push(site_file("config.json".to_owned(), json.into(), false)?);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}

/// What belongs to the galaxy and can't be somebody's own.
fn reserved(file: &OwnFile) -> Option<Mistake> {
    let (site, inside) = file.path.split_once('/')?;
    let message = match inside {
        _ if Site::parse(site).is_none() => format!("there is no site `{site}`"),
        "config.json" | "sites/index.html" | "sitemap.xml" => {
            "the galaxy makes this file itself, of the addresses that it has".to_owned()
        }
        _ if inside.starts_with("shared/") => {
            "`shared/` belongs to all five sites; choose another folder".to_owned()
        }
        _ => return None,
    };
    Some(Mistake { path: file.path.clone(), message })
}

/// All pages of all sites with pages besides.
fn made_anew(markdown: Vec<OwnFile>, mistakes: &mut Vec<Mistake>) -> Content {
    let mut kit: Kit = serde_json::from_slice(KIT).unwrap_or_default();
    for file in markdown {
        if let Ok(text) = std::str::from_utf8(&file.bytes) {
            kit.input.own.push(Text { path: file.path, text: text.to_owned() });
        } else {
            let message = "it is not text in UTF-8".to_owned();
            mistakes.push(Mistake { path: file.path, message });
        }
    }
    let built = galaxy_pages::build(&kit.input);
    // What a page of theirs does to links of ours is theirs to decide.
    for mistake in built.mistakes {
        if let Some(path) = mistake.file.strip_prefix(OWN) {
            mistakes.push(Mistake { path: path.to_owned(), message: mistake.message });
        }
    }
    let mut files: BTreeMap<String, Vec<u8>> =
        kit.others.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
    files.extend(built.files.into_iter().map(|page| (page.path, page.text.into_bytes())));
    match assets::by_content(files) {
        Ok(assets) => {
            let entry = |asset: assets::Asset| Entry {
                path: Cow::Owned(asset.path),
                bytes: asset.bytes.into(),
                lasts: asset.lasts,
            };
            Content(assets.into_iter().map(entry).collect())
        }
        Err(mistake) => {
            mistakes.push(Mistake { path: mistake.file, message: mistake.message });
            Content(Vec::new())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(files: &[(&str, &str)]) -> Vec<OwnFile> {
        let file = |(path, text): &(&str, &str)| OwnFile {
            path: (*path).to_owned(),
            bytes: Bytes::copy_from_slice(text.as_bytes()),
        };
        files.iter().map(file).collect()
    }

    fn text(content: &Content, site: Site, path: &str) -> String {
        let files = content.files(site, &SiteConfig::default()).expect("files");
        let file = files.into_iter().find(|file| file.path == path);
        let file = file.unwrap_or_else(|| panic!("no {path}"));
        String::from_utf8(file.bytes.to_vec()).expect("text")
    }

    const HEAD: &str = "---\ntitle: Rules of this house\ndescription: What everybody who hatches \
                        here has to know about this house.\nkind: guide\n---\n";

    #[test]
    fn markdown_becomes_a_page_like_ours() {
        let rules = format!("{HEAD}No [quacking](/guide/) after ten.\n\n## Why\n\nNeighbours.\n");
        let content = Content::with_own(own(&[("duckgalaxy/guide/house.md", &rules)]));
        let content = content.expect("no mistake");
        let page = text(&content, Site::DuckGalaxy, "guide/house/index.html");
        assert!(page.contains("<h1>Rules of this house</h1>"), "{page}");
        let style = named_in(&content, "shared/style.css");
        assert!(page.contains(&format!("href=\"/{style}\"")), "{page}");
        let map = text(&content, Site::DuckGalaxy, "sitemap.xml");
        assert!(map.contains("/guide/house/"), "{map}");
        assert!(text(&content, Site::DuckGalaxy, "guide/index.html").contains("/guide/house/"));
        let ours = Content::built_in().files(Site::DuckGalaxy, &SiteConfig::default());
        let with = content.files(Site::DuckGalaxy, &SiteConfig::default()).expect("files");
        assert_eq!(with.len(), ours.expect("files").len() + 1);
    }

    fn named_in(content: &Content, plain: &str) -> String {
        let is_it = |entry: &&Entry| assets::plain(&entry.path).as_deref() == Some(plain);
        content.0.iter().find(is_it).expect(plain).path.to_string()
    }

    #[test]
    fn a_page_at_an_address_of_ours_takes_its_place() {
        let rules = format!("{HEAD}Ours alone.\n");
        let content = Content::with_own(own(&[
            ("duckgalaxy/guide/index.md", &rules),
            (
                "spaceduckling/privacy/index.html",
                "<!doctype html><link href=\"/shared/style.css\">",
            ),
            ("spaceduckling/logo.png", "a picture"),
        ]));
        let content = content.expect("no mistake");
        assert!(text(&content, Site::DuckGalaxy, "guide/index.html").contains("Ours alone."));
        let page = text(&content, Site::SpaceDuckling, "privacy/index.html");
        let style = named_in(&content, "shared/style.css");
        assert_eq!(page, format!("<!doctype html><link href=\"/{style}\">"));
        assert_eq!(text(&content, Site::SpaceDuckling, "logo.png"), "a picture");
    }

    #[test]
    fn what_can_not_be_is_told_all_at_once() {
        let plain = "no head";
        let dead = format!("{HEAD}[nowhere](/no/such/page/)\n");
        let mistakes = Content::with_own(own(&[
            ("duckgalaxy/a.md", plain),
            ("duckgalaxy/b.md", &dead),
            ("duckgalaxy/config.json", "{}"),
            ("duckgalaxy/shared/style.css", ""),
            ("duckgalaxy/tool.exe", ""),
            ("swan/index.html", ""),
            ("spaceduckling/me.md", HEAD),
        ]));
        let mut said: Vec<String> =
            mistakes.expect_err("mistakes").iter().map(ToString::to_string).collect();
        said.sort();
        for (line, part) in said.iter().zip([
            "duckgalaxy/a.md: it does not begin with `---`",
            "duckgalaxy/b.md: there is no page `duckgalaxy:/no/such/page/`",
            "duckgalaxy/config.json: the galaxy makes this file itself",
            "duckgalaxy/shared/style.css: `shared/` belongs to all five sites",
            "duckgalaxy/tool.exe: its ending, `exe`, has no content type",
            "spaceduckling/me.md: `/me/` is a page with a program",
        ]) {
            assert!(line.starts_with(part), "{said:#?}");
        }
        assert!(said.iter().any(|line| line.contains("there is no site `swan`")), "{said:#?}");
    }
}
