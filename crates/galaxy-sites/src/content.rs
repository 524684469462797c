//! The files of all sites: as this program embeds them, or with the operator's own files added or
//! in place of ours.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use galaxy_pages::{Kit, OWN, Text, assets};

use crate::{
    FILES, Meant, Site, SiteConfig, SiteError, SiteFile, site_file, tells_addresses, with_addresses,
};

/// Everything that our sites are made of.
static KIT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kit.json"));

/// An operator's own file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFile {
    /// `SITE/path`.
    pub path: String,
    /// Content.
    pub bytes: Bytes,
}

/// A mistake in such a file.
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
    /// Whether its path contains its digest.
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

    /// With an operator's own files: Markdown becomes pages like ours, in navigation and search;
    /// everything else is published unchanged. A file at a path of ours replaces it.
    pub fn with_own(own: Vec<OwnFile>) -> Result<Self, Vec<Mistake>> {
        let is_markdown = |file: &OwnFile| {
            let ending = std::path::Path::new(&file.path).extension();
            ending.is_some_and(|ending| ending.eq_ignore_ascii_case("md"))
        };
        let mut mistakes = twice(&own);
        let (markdown, others): (Vec<_>, Vec<_>) = own.into_iter().partition(is_markdown);
        mistakes.extend(others.iter().filter_map(|file| reserved(file).or_else(|| lost(file))));
        let mut content =
            if markdown.is_empty() { Self::built_in() } else { made_anew(markdown, &mut mistakes) };
        content.lay_over(others, &mut mistakes);
        if mistakes.is_empty() { Ok(content) } else { Err(mistakes) }
    }

    /// Replaces our files with the operator's own, or adds them.
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
            if crate::content_type(&file.path, &file.bytes).is_err() {
                let name = file.path.rsplit('/').next().unwrap_or_default();
                let message = match name.rsplit_once('.') {
                    Some((_, ending)) => {
                        format!("its ending, `{ending}`, has no content type that browsers know")
                    }
                    None => "it has no ending, and is neither JSON nor text in UTF-8".to_owned(),
                };
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

/// A path that is reserved for the galaxy.
fn reserved(file: &OwnFile) -> Option<Mistake> {
    let (site, inside) = file.path.split_once('/')?;
    let message = match inside {
        _ if Site::parse(site).is_none() => format!("there is no site `{site}`"),
        "config.json" | "sites/index.html" | "sitemap.xml" => {
            "the galaxy makes this file itself, of the addresses that it has".to_owned()
        }
        _ if inside.starts_with("shared/") => {
            "`shared/` is the same for all five sites; choose another folder".to_owned()
        }
        _ => return None,
    };
    Some(Mistake { path: file.path.clone(), message })
}

/// A file that no address leads to.
fn lost(file: &OwnFile) -> Option<Mistake> {
    let (_, inside) = file.path.split_once('/')?;
    let name = inside.rsplit('/').next().unwrap_or_default();
    let message = if crate::meant(inside) != Meant::File(inside.to_owned()) {
        format!("it needs an ending: `/{inside}` leads to the page in a folder of that name")
    } else if name.eq_ignore_ascii_case("index.html") && name != "index.html" {
        "a folder's page is called `index.html`, in lower case".to_owned()
    } else {
        return None;
    };
    Some(Mistake { path: file.path.clone(), message })
}

/// Files that would be one page: `a.md`, `a/index.md` and `a/index.html`.
fn twice(own: &[OwnFile]) -> Vec<Mistake> {
    let mut pages: BTreeMap<String, &str> = BTreeMap::new();
    let mut mistakes = Vec::new();
    for file in own {
        let lower = file.path.to_ascii_lowercase();
        let page = match lower.strip_suffix(".md") {
            Some(stem) if stem.ends_with("/index") => format!("{stem}.html"),
            Some(stem) => format!("{stem}/index.html"),
            None if lower.ends_with("/index.html") => lower,
            None => continue,
        };
        if let Some(other) = pages.insert(page, &file.path) {
            let message = format!("it is the same page as `{other}`; keep one of them");
            mistakes.push(Mistake { path: file.path.clone(), message });
        }
    }
    mistakes
}

/// Markdown as editors of every system save it: with a byte order mark, and any line ending.
fn unix(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// All pages of all sites, own pages included.
fn made_anew(markdown: Vec<OwnFile>, mistakes: &mut Vec<Mistake>) -> Content {
    let mut kit: Kit = serde_json::from_slice(KIT).unwrap_or_default();
    for file in markdown {
        if let Ok(text) = std::str::from_utf8(&file.bytes) {
            let stem = &file.path[..file.path.len() - ".md".len()];
            kit.input.own.push(Text { path: format!("{stem}.md"), text: unix(text) });
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
            ("duckgalaxy/tool.quack", ""),
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
            "duckgalaxy/shared/style.css: `shared/` is the same for all five sites",
            "duckgalaxy/tool.quack: its ending, `quack`, has no content type",
            "spaceduckling/me.md: `/me/` is a page with a program",
        ]) {
            assert!(line.starts_with(part), "{said:#?}");
        }
        assert!(said.iter().any(|line| line.contains("there is no site `swan`")), "{said:#?}");
    }

    #[test]
    fn markdown_is_read_as_every_system_saves_it() {
        let rules = format!("{HEAD}First line.\nSecond line.\n\n## Why\n\nNeighbours.\n");
        let plain = Content::with_own(own(&[("duckgalaxy/guide/house.md", &rules)]));
        let page = text(&plain.expect("no mistake"), Site::DuckGalaxy, "guide/house/index.html");
        for other in [
            rules.replace('\n', "\r\n"),
            rules.replace('\n', "\r"),
            format!("\u{feff}{rules}"),
            format!("\u{feff}{}", rules.replace('\n', "\r\n")),
        ] {
            for name in ["duckgalaxy/guide/house.md", "duckgalaxy/guide/house.MD"] {
                let content = Content::with_own(own(&[(name, &other)])).expect("no mistake");
                let same = text(&content, Site::DuckGalaxy, "guide/house/index.html");
                assert_eq!(same, page, "{name} {other:?}");
            }
        }
    }

    #[test]
    fn files_get_the_type_that_browsers_want() {
        let files = [
            ("PHOTO.JPG", "image/jpeg"),
            ("video.webm", "video/webm"),
            ("film.mp4", "video/mp4"),
            ("font.woff", "font/woff"),
            ("font.Ttf", "font/ttf"),
            ("pic.avif", "image/avif"),
            ("sheet.csv", "text/csv; charset=utf-8"),
            ("app.wasm", "application/wasm"),
            ("site.webmanifest", "application/manifest+json"),
            ("cal.ics", "text/calendar; charset=utf-8"),
            ("old.HTML", "text/html; charset=utf-8"),
            ("all.zip", "application/zip"),
            (".well-known/security.txt", "text/plain; charset=utf-8"),
            (".well-known/apple-app-site-association", "application/json"),
            (".well-known/acme-challenge/a_b", "text/plain; charset=utf-8"),
        ];
        let body = |name: &str| if name.ends_with("association") { "{\"a\": []}" } else { "a" };
        let all: Vec<_> =
            files.iter().map(|(name, _)| (format!("duckgalaxy/{name}"), body(name))).collect();
        let all: Vec<_> = all.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        let content = Content::with_own(own(&all)).expect("no mistake");
        let found = content.files(Site::DuckGalaxy, &SiteConfig::default()).expect("files");
        for (name, kind) in files {
            let file = found.iter().find(|file| file.path == name).expect(name);
            assert_eq!(file.content_type, kind, "{name}");
            assert_eq!(crate::file_of(&format!("/{name}")), name, "an address leads to it");
        }
    }

    #[test]
    fn no_two_files_are_one_page_and_none_is_out_of_reach() {
        let page = format!("{HEAD}Ours.\n");
        for (one, other) in [
            ("duckgalaxy/guide/a.md", "duckgalaxy/guide/a/index.html"),
            ("duckgalaxy/guide/a/index.md", "duckgalaxy/guide/a/index.html"),
            ("duckgalaxy/guide/a.md", "duckgalaxy/guide/a/index.md"),
            ("duckgalaxy/guide/a.MD", "duckgalaxy/guide/a.md"),
        ] {
            let both = own(&[(one, page.as_str()), (other, page.as_str())]);
            let said = Content::with_own(both).expect_err("a mistake")[0].to_string();
            let expected = format!("{other}: it is the same page as `{one}`; keep one of them");
            assert_eq!(said, expected);
        }
        for (path, part) in [
            ("duckgalaxy/LICENSE", "it needs an ending: `/LICENSE` leads to the page in a folder"),
            ("duckgalaxy/a/INDEX.html", "a folder's page is called `index.html`, in lower case"),
        ] {
            let said =
                Content::with_own(own(&[(path, "a")])).expect_err("a mistake")[0].to_string();
            assert!(said.contains(part), "{said}");
        }
        let bytes = Bytes::from_static(&[0xff, 0xfe, 0]);
        let file = OwnFile { path: "duckgalaxy/.well-known/token".into(), bytes };
        let said = Content::with_own(vec![file]).expect_err("a mistake")[0].to_string();
        assert!(said.contains("it has no ending, and is neither JSON nor text"), "{said}");
    }
}
